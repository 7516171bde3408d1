// SPDX-License-Identifier: Apache-2.0
//
// tx_store: holds whole frames between the bus and the wire, which must not run dry within a frame.
//
//   words in    we_i writes the next word, without back-pressure. room_o: at least Spare more words and
//               as many records can be written.
//   frames in   frame_*: last byte, queue and tag of the next frame, pushed when all of its words are
//               written; with frame_csum_i the two bytes frame_value_i, the first in 7:0, replace
//               those at frame_place_i as the frame leaves.
//   stream out  m_axis_*: valid and what goes with it stay until m_axis_tready_i. A frame leaves
//               without a gap of its own, and frames follow each other without one. tkeep is
//               contiguous from lane 0 and full but in the last beat. queue_o and tag_o go with the
//               frame.
//   latency     a frame's first beat follows its record by three cycles.
//   idle_o      nothing is held and nothing can change.
//
// The memory is AxiBytes / StreamBytes banks of the stream's width: a word is written to all of them
// and read bank by bank.
//
// Parameters:
//   StreamBytes   bytes in a beat
//   AxiBytes      bytes in a word, a multiple of StreamBytes
//   StoreBytes    size of the memory, a power of two
//   MaxFrame      longest frame
//   Frames        records held
//   Spare         see room_o
//   Queues        transmit queues
//   TagWidth      bits of a tag

module tx_store #(
  parameter int unsigned StreamBytes = 8,
  parameter int unsigned AxiBytes = 16,
  parameter int unsigned StoreBytes = 16384,
  parameter int unsigned MaxFrame = 9022,
  parameter int unsigned Frames = 512,
  parameter int unsigned Spare = 8,
  parameter int unsigned Queues = 1,
  parameter int unsigned TagWidth = 32,
  localparam int unsigned QueueWidth = (Queues > 1) ? $clog2(Queues) : 1,
  localparam int unsigned PlaceWidth = $clog2(MaxFrame + 1)
) (
  input  logic                     clk_i,
  input  logic                     rst_i,
  output logic                     idle_o,

  output logic                     room_o,
  input  logic                     we_i,
  input  logic [8*AxiBytes-1:0]    wdata_i,
  input  logic                     frame_valid_i,
  input  logic [PlaceWidth-1:0]    frame_end_i,
  input  logic [QueueWidth-1:0]    frame_queue_i,
  input  logic [TagWidth-1:0]      frame_tag_i,
  input  logic                     frame_csum_i,
  input  logic [PlaceWidth-1:0]    frame_place_i,
  input  logic [15:0]              frame_value_i,

  output logic                     m_axis_tvalid_o,
  input  logic                     m_axis_tready_i,
  output logic [8*StreamBytes-1:0] m_axis_tdata_o,
  output logic [StreamBytes-1:0]   m_axis_tkeep_o,
  output logic                     m_axis_tlast_o,
  output logic [QueueWidth-1:0]    queue_o,
  output logic [TagWidth-1:0]      tag_o,

  output logic                     trace_start_valid_o,
  output logic [TagWidth-1:0]      trace_start_tag_o,
  output logic                     trace_end_valid_o,
  output logic [TagWidth-1:0]      trace_end_tag_o
);

  localparam int unsigned Banks = AxiBytes / StreamBytes;
  localparam int unsigned BankWidth = (Banks > 1) ? $clog2(Banks) : 1;
  localparam int unsigned Words = StoreBytes / AxiBytes;
  localparam int unsigned AddrWidth = $clog2(Words);
  localparam int unsigned KeepWidth = $clog2(StreamBytes);
  localparam int unsigned CountWidth = $clog2(Frames + 1);

  if (AxiBytes % StreamBytes != 0) $error("tx_store: AxiBytes must be a multiple of StreamBytes");
  if ((1 << AddrWidth) * AxiBytes != StoreBytes) $error("tx_store: StoreBytes: a power of two");
  if (StoreBytes < MaxFrame + Spare * AxiBytes) $error("tx_store: StoreBytes does not hold a frame");

  ////////////////////
  // Frames         //
  ////////////////////

  logic                        frame_valid;
  logic                        frame_ready;
  logic                        records_room;  // always, see room_o
  logic [PlaceWidth-1:0]       frame_end;
  logic [QueueWidth-1:0]       frame_queue;
  logic [TagWidth-1:0]         frame_tag;
  logic                        frame_csum;
  logic [PlaceWidth-1:0]       frame_place;
  logic [15:0]                 frame_value;
  logic [CountWidth-1:0]       count;

  fifo_ram #(
    .Width(1 + 16 + 2 * PlaceWidth + QueueWidth + TagWidth),
    .Depth(Frames)
  ) u_records (
    .clk_i     (clk_i),
    .rst_i     (rst_i),
    .wr_valid_i(frame_valid_i),
    .wr_ready_o(records_room),
    .wr_data_i ({frame_csum_i, frame_value_i, frame_place_i, frame_queue_i, frame_tag_i,
                 frame_end_i}),
    .rd_valid_o(frame_valid),
    .rd_ready_i(frame_ready),
    .rd_data_o ({frame_csum, frame_value, frame_place, frame_queue, frame_tag, frame_end}),
    .count_o   (count)
  );

  ////////////////////
  // Reader         //
  ////////////////////

  logic                 mid_q;     // the next beat to read is not the first of its frame
  logic [BankWidth-1:0] bank_q;
  logic [AddrWidth-1:0] wr_ptr_q;
  logic [AddrWidth-1:0] rd_ptr_q;
  logic [PlaceWidth-1:0] left_q;   // bytes to read after the beats read so far, less one

  logic                 out_free;
  logic                 fetch;
  logic [PlaceWidth-1:0] left;
  logic                 last;
  logic                 word_end;

  // The beat in the memory's output register.
  logic                   valid_q;
  logic                   first_q;
  logic                   last_q;
  logic [StreamBytes-1:0] keep_q;
  logic [BankWidth-1:0]   out_bank_q;
  logic [QueueWidth-1:0]  queue_q;
  logic [TagWidth-1:0]    tag_q;

  assign out_free = !valid_q || m_axis_tready_i;
  assign fetch       = frame_valid && out_free;
  assign left        = mid_q ? left_q : frame_end;
  assign last        = (left >> KeepWidth) == '0;
  assign word_end    = fetch && (last || bank_q == BankWidth'(Banks - 1));
  assign frame_ready = fetch && last;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      mid_q    <= 1'b0;
      bank_q   <= '0;
      rd_ptr_q <= '0;
      valid_q  <= 1'b0;
    end else if (fetch) begin
      mid_q      <= !last;
      left_q     <= left - PlaceWidth'(StreamBytes);
      bank_q     <= word_end ? '0 : bank_q + 1'b1;
      valid_q    <= 1'b1;
      first_q    <= !mid_q;
      last_q     <= last;
      keep_q     <= last ? {StreamBytes{1'b1}} >> ~left[KeepWidth-1:0] : '1;
      out_bank_q <= bank_q;
      queue_q    <= frame_queue;
      tag_q      <= frame_tag;
      if (word_end) begin
        rd_ptr_q <= rd_ptr_q + 1'b1;
      end
    end else if (m_axis_tready_i) begin
      valid_q <= 1'b0;
    end
  end

  // Room: words that are free, the one that is being written counted.
  logic [AddrWidth:0] free_q;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      wr_ptr_q <= '0;
    end else if (we_i) begin
      wr_ptr_q <= wr_ptr_q + 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      free_q <= (AddrWidth + 1)'(Words);
    end else if (we_i != word_end) begin
      free_q <= we_i ? free_q - 1'b1 : free_q + 1'b1;
    end
  end

  assign room_o = free_q > (AddrWidth + 1)'(Spare) && count < CountWidth'(Frames - Spare);

  logic [8*AxiBytes-1:0] bank_data;

  for (genvar b = 0; b < Banks; b++) begin : g_bank
    ram_1r1w #(
      .Width(8 * StreamBytes),
      .Depth(Words)
    ) u_ram (
      .clk_i  (clk_i),
      .we_i   (we_i),
      .waddr_i(wr_ptr_q),
      .wdata_i(wdata_i[8*StreamBytes*b +: 8*StreamBytes]),
      .re_i   (fetch && bank_q == BankWidth'(b)),
      .raddr_i(rd_ptr_q),
      .rdata_o(bank_data[8*StreamBytes*b +: 8*StreamBytes])
    );
  end

  logic [8*StreamBytes-1:0] data;

  if (Banks == 1) begin : g_one_bank
    logic unused_bank;
    assign unused_bank = out_bank_q;
    assign data        = bank_data;
  end else begin : g_choose
    assign data = bank_data[8*StreamBytes*out_bank_q +: 8*StreamBytes];
  end

  ////////////////////
  // Checksum       //
  ////////////////////

  // Beats to go to the one with the checksum's first byte; all ones behind it. The second byte may
  // be in the next beat.
  logic [PlaceWidth-1:KeepWidth] ahead_q;
  logic [PlaceWidth-1:KeepWidth] ahead;
  logic                          ends;        // the first byte is a beat's last
  logic                          put_q;       // this beat has the first byte
  logic                          put_rest_q;  // this beat has the second byte alone
  logic [KeepWidth-1:0]          place_q;
  logic [15:0]                   value_q;

  assign ahead = mid_q ? ahead_q : frame_place[PlaceWidth-1:KeepWidth];
  assign ends  = &frame_place[KeepWidth-1:0];

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      put_q      <= 1'b0;
      put_rest_q <= 1'b0;
    end else if (fetch) begin
      ahead_q    <= ahead - 1'b1;
      put_q      <= frame_csum && ahead == '0;
      put_rest_q <= frame_csum && mid_q && ahead == '1 && ends;
      if (frame_csum) begin
        place_q <= frame_place[KeepWidth-1:0];
        value_q <= frame_value;
      end
    end
  end

  // In words of 64 bits; the second byte may be in the next word.
  logic [63:0] put_mask;
  logic [63:0] put_bytes;

  always_comb begin
    m_axis_tdata_o = data;
    put_mask       = '0;
    put_bytes      = '0;
    if (put_q) begin
      put_mask  = 64'hffff << {place_q[2:0], 3'b000};
      put_bytes = 64'(value_q) << {place_q[2:0], 3'b000};
      for (int unsigned i = 0; i < StreamBytes / 8; i++) begin
        if (32'(place_q) >> 3 == i) begin
          m_axis_tdata_o[64*i +: 64] = (data[64*i +: 64] & ~put_mask) | put_bytes;
        end
        if (32'(place_q) + 1 == 8 * i) begin
          m_axis_tdata_o[64*i +: 8] = value_q[15:8];
        end
      end
    end else if (put_rest_q) begin
      m_axis_tdata_o[7:0] = value_q[15:8];
    end
  end

  assign m_axis_tvalid_o = valid_q;
  assign m_axis_tkeep_o  = keep_q;
  assign m_axis_tlast_o  = last_q;
  assign queue_o         = queue_q;
  assign tag_o           = tag_q;

  assign idle_o = !mid_q && !valid_q && !we_i && !frame_valid_i && count == '0;

  assign trace_start_valid_o = valid_q && first_q && m_axis_tready_i;
  assign trace_start_tag_o   = tag_q;
  assign trace_end_valid_o   = valid_q && last_q && m_axis_tready_i;
  assign trace_end_tag_o     = tag_q;

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // What is written has its place.
      a_room: assert ((!we_i || free_q != '0) && (!frame_valid_i || records_room));
      // What is read was written.
      a_written: assert (!fetch || free_q != (AddrWidth + 1)'(Words));
      // A beat that was offered stays as it is until it is taken.
      a_stable: assert (!$past(valid_q && !m_axis_tready_i) || $past(rst_i) ||
                        (valid_q && keep_q == $past(keep_q) && last_q == $past(last_q)));
    end
  end
`endif

endmodule
