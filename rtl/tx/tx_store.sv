// SPDX-License-Identifier: Apache-2.0
//
// tx_store: holds whole frames between the bus and the wire, which must not run dry within a frame.
//
//   words in    we_i writes the next word; the writer counts the room: StoreBytes / AxiBytes words
//               less those written and not yet given back by word_freed_o.
//   frames in   frame_*: length and tag of the next frame, pushed when all of its words are written;
//               moves when valid and ready are both high.
//   stream out  m_axis_*: valid and what goes with it stay until m_axis_tready_i. A frame leaves
//               without a gap of its own, and frames follow each other without one. tkeep is
//               contiguous from lane 0 and full but in the last beat. tag_o goes with the frame.
//   latency     a frame's first beat follows its record by two cycles.
//   stop_i      starts no frame; quiet_o: none half sent. idle_o: nothing can change.
//
// The memory is AxiBytes / StreamBytes banks of the stream's width: a word is written to all of them
// and read bank by bank.
//
// Parameters:
//   StreamBytes   bytes in a beat
//   AxiBytes      bytes in a word, a multiple of StreamBytes
//   StoreBytes    size of the memory, a power of two
//   Frames        records held
//   TagWidth      bits of a tag

module tx_store #(
  parameter int unsigned StreamBytes = 8,
  parameter int unsigned AxiBytes = 16,
  parameter int unsigned StoreBytes = 32768,
  parameter int unsigned Frames = 512,
  parameter int unsigned TagWidth = 32
) (
  input  logic                     clk_i,
  input  logic                     rst_i,
  input  logic                     stop_i,
  output logic                     quiet_o,
  output logic                     idle_o,

  input  logic                     we_i,
  input  logic [8*AxiBytes-1:0]    wdata_i,
  output logic                     word_freed_o,
  input  logic                     frame_valid_i,
  output logic                     frame_ready_o,
  input  logic [15:0]              frame_len_i,
  input  logic [TagWidth-1:0]      frame_tag_i,

  output logic                     m_axis_tvalid_o,
  input  logic                     m_axis_tready_i,
  output logic [8*StreamBytes-1:0] m_axis_tdata_o,
  output logic [StreamBytes-1:0]   m_axis_tkeep_o,
  output logic                     m_axis_tlast_o,
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

  if (AxiBytes % StreamBytes != 0) $error("tx_store: AxiBytes must be a multiple of StreamBytes");
  if ((1 << AddrWidth) * AxiBytes != StoreBytes) $error("tx_store: StoreBytes: a power of two");

  ////////////////////
  // Frames         //
  ////////////////////

  logic                        frame_valid;
  logic                        frame_ready;
  logic [15:0]                 frame_len;
  logic [TagWidth-1:0]         frame_tag;
  logic [$clog2(Frames+1)-1:0] count;

  fifo_ram #(
    .Width(16 + TagWidth),
    .Depth(Frames)
  ) u_records (
    .clk_i     (clk_i),
    .rst_i     (rst_i),
    .wr_valid_i(frame_valid_i),
    .wr_ready_o(frame_ready_o),
    .wr_data_i ({frame_tag_i, frame_len_i}),
    .rd_valid_o(frame_valid),
    .rd_ready_i(frame_ready),
    .rd_data_o ({frame_tag, frame_len}),
    .count_o   (count)
  );

  ////////////////////
  // Reader         //
  ////////////////////

  logic                 mid_q;     // the next beat to read is not the first of its frame
  logic [BankWidth-1:0] bank_q;
  logic [AddrWidth-1:0] wr_ptr_q;
  logic [AddrWidth-1:0] rd_ptr_q;
  logic [15:0]          left_q;    // bytes to read after the beats read so far, less one

  logic                 out_free;
  logic                 fetch;
  logic [15:0]          left;
  logic                 last;
  logic                 word_end;

  // The beat in the memory's output register.
  logic                   valid_q;
  logic                   first_q;
  logic                   last_q;
  logic [StreamBytes-1:0] keep_q;
  logic [BankWidth-1:0]   out_bank_q;
  logic [TagWidth-1:0]    tag_q;

  assign out_free = !valid_q || m_axis_tready_i;
  always_comb begin
    fetch    = 1'b0;
    left     = '0;
    last     = 1'b0;
    word_end = 1'b0;
    if (frame_valid && out_free && (mid_q || !stop_i)) begin
      fetch    = 1'b1;
      left     = mid_q ? left_q : frame_len - 1'b1;
      last     = (left >> KeepWidth) == '0;
      word_end = last || bank_q == BankWidth'(Banks - 1);
    end
  end

  assign frame_ready = last;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      mid_q    <= 1'b0;
      bank_q   <= '0;
      rd_ptr_q <= '0;
      valid_q  <= 1'b0;
    end else if (fetch) begin
      mid_q      <= !last;
      left_q     <= left - 16'(StreamBytes);
      bank_q     <= word_end ? '0 : bank_q + 1'b1;
      valid_q    <= 1'b1;
      first_q    <= !mid_q;
      last_q     <= last;
      keep_q     <= last ? {StreamBytes{1'b1}} >> ~left[KeepWidth-1:0] : '1;
      out_bank_q <= bank_q;
      tag_q      <= frame_tag;
      if (word_end) begin
        rd_ptr_q <= rd_ptr_q + 1'b1;
      end
    end else if (m_axis_tready_i) begin
      valid_q <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      wr_ptr_q <= '0;
    end else if (we_i) begin
      wr_ptr_q <= wr_ptr_q + 1'b1;
    end
  end

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

  if (Banks == 1) begin : g_one_bank
    logic unused_bank;
    assign unused_bank    = out_bank_q;
    assign m_axis_tdata_o = bank_data;
  end else begin : g_choose
    assign m_axis_tdata_o = bank_data[8*StreamBytes*out_bank_q +: 8*StreamBytes];
  end

  assign word_freed_o    = word_end;
  assign m_axis_tvalid_o = valid_q;
  assign m_axis_tkeep_o  = keep_q;
  assign m_axis_tlast_o  = last_q;
  assign tag_o           = tag_q;

  assign quiet_o = !mid_q && !valid_q;
  assign idle_o  = quiet_o && !we_i && (count == '0 || (stop_i && frame_valid));

  assign trace_start_valid_o = valid_q && first_q && m_axis_tready_i;
  assign trace_start_tag_o   = tag_q;
  assign trace_end_valid_o   = valid_q && last_q && m_axis_tready_i;
  assign trace_end_tag_o     = tag_q;

`ifndef SYNTHESIS
  logic [AddrWidth:0] held_q;  // words written and not given back

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      held_q <= '0;
    end else begin
      held_q <= held_q + (AddrWidth + 1)'(we_i) - (AddrWidth + 1)'(word_freed_o);
      // The memory never holds more than it has.
      a_room: assert (held_q <= (AddrWidth + 1)'(Words));
      // What is read was written.
      a_written: assert (!fetch || held_q != '0);
      // A beat that was offered stays as it is until it is taken.
      a_stable: assert (!$past(valid_q && !m_axis_tready_i) || $past(rst_i) ||
                        (valid_q && keep_q == $past(keep_q) && last_q == $past(last_q)));
    end
  end
`endif

endmodule
