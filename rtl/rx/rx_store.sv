// SPDX-License-Identifier: Apache-2.0
//
// rx_store: holds whole received frames between the wire, which cannot wait, and the bus.
//
//   stream in   s_axis_*: a beat moves in every cycle with s_axis_tvalid_i; there is no ready. tkeep
//               is contiguous from lane 0, and full but in the last beat. tag_i names the frame and
//               stays through it. tuser_error_i at tlast discards the frame without a count here.
//               A frame is taken or lost as a whole: drop_fifo_o pulses at its last beat if there
//               was no room (words or records), drop_disabled_o if accept_i was low at its first.
//   frames out  frame_*: a record for every whole frame, in order; moves when valid and ready are
//               both high, stable until then.
//   words out   word_*: the words of the frames in the order of the records, ceil(len / AxiBytes)
//               for each; moves when valid and ready are both high, one a cycle.
//   latency     a frame's record follows its last beat by three cycles.
//   clear_i     forgets what is held, as a reset of the device does; given only while receiving_o is
//               low. The frame that may be passing by is still known for one, and stays refused.
//   receiving_o a frame that accept_i let in is half in.
//   idle_o      nothing held, no frame half in.
//
// The memory is AxiBytes / StreamBytes banks of the stream's width, so that a beat is one write and a
// word is one read. A frame starts in bank 0:
//
//                 bank 1      bank 0
//     word 1  [   lost    | beat 2 last ]      rest of the last word: anything
//     word 0  [  beat 1   |   beat 0    ]
//
// Parameters:
//   StreamBytes   bytes in a beat
//   AxiBytes      bytes in a word, a multiple of StreamBytes
//   StoreBytes    size of the memory, a power of two
//   Frames        records held
//   TagWidth      bits of a tag

module rx_store #(
  parameter int unsigned StreamBytes = 8,
  parameter int unsigned AxiBytes = 16,
  parameter int unsigned StoreBytes = 32768,
  parameter int unsigned Frames = 512,
  parameter int unsigned TagWidth = 32
) (
  input  logic                     clk_i,
  input  logic                     rst_i,
  input  logic                     clear_i,
  input  logic                     accept_i,
  output logic                     receiving_o,
  output logic                     idle_o,

  input  logic                     s_axis_tvalid_i,
  input  logic [8*StreamBytes-1:0] s_axis_tdata_i,
  input  logic [StreamBytes-1:0]   s_axis_tkeep_i,
  input  logic                     s_axis_tlast_i,
  input  logic                     s_axis_tuser_error_i,
  input  logic [TagWidth-1:0]      tag_i,

  output logic                     frame_valid_o,
  input  logic                     frame_ready_i,
  output logic [15:0]              frame_len_o,
  output logic [TagWidth-1:0]      frame_tag_o,

  output logic                     word_valid_o,
  input  logic                     word_ready_i,
  output logic [8*AxiBytes-1:0]    word_data_o,

  output logic                     drop_fifo_o,
  output logic                     drop_disabled_o,

  output logic                     trace_start_valid_o,
  output logic [TagWidth-1:0]      trace_start_tag_o,
  output logic                     trace_stored_valid_o,
  output logic [TagWidth-1:0]      trace_stored_tag_o
);

  localparam int unsigned Banks = AxiBytes / StreamBytes;
  localparam int unsigned BankWidth = (Banks > 1) ? $clog2(Banks) : 1;
  localparam int unsigned Words = StoreBytes / AxiBytes;
  localparam int unsigned AddrWidth = $clog2(Words);

  if (AxiBytes % StreamBytes != 0) $error("rx_store: AxiBytes must be a multiple of StreamBytes");
  if ((1 << AddrWidth) * AxiBytes != StoreBytes) $error("rx_store: StoreBytes: a power of two");

  ////////////////////
  // Stream side    //
  ////////////////////

  logic                 in_frame_q;  // the next beat is not the first of its frame
  logic                 lost_q;      // no room for the frame that is coming in
  logic                 refused_q;   // it began while accept_i was low
  logic [BankWidth-1:0] bank_q;
  logic [AddrWidth:0]   wr_ptr_q;    // word being filled
  logic [AddrWidth:0]   commit_q;    // words before it are whole frames
  logic [AddrWidth:0]   rd_ptr_q;
  logic [15:0]          len_q;       // bytes before this beat

  logic        forget;
  logic        frames_room;
  logic        full;
  logic        refused;
  logic        lost;
  logic        store;
  logic        ends;
  logic        good;
  logic [15:0] len_before;
  logic [15:0] len;
  logic        record_push;

  always_comb begin
    full       = 1'b0;
    refused    = 1'b0;
    lost       = 1'b0;
    store      = 1'b0;
    ends       = 1'b0;
    good       = 1'b0;
    len_before = '0;
    len        = '0;
    if (s_axis_tvalid_i) begin
      full       = (wr_ptr_q - rd_ptr_q) == (AddrWidth + 1)'(Words);
      len_before = in_frame_q ? len_q : '0;
      refused    = in_frame_q ? refused_q : !accept_i;
      lost       = (in_frame_q ? lost_q : !frames_room) || full ||
                   len_before > 16'(65535 - StreamBytes);
      store      = !refused && !lost;
      ends       = s_axis_tlast_i;
      good       = store && !s_axis_tuser_error_i;
      len        = len_before + 16'(StreamBytes);
      if (s_axis_tlast_i) begin
        len = len_before + 16'($countones(s_axis_tkeep_i));
      end
    end
  end

  assign forget      = rst_i || clear_i;
  assign record_push = ends && good;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      in_frame_q <= 1'b0;
    end else if (s_axis_tvalid_i) begin
      in_frame_q <= !s_axis_tlast_i;
      refused_q  <= refused;
      lost_q     <= lost;
      len_q      <= len;
    end
  end

  always_ff @(posedge clk_i) begin
    if (forget) begin
      bank_q   <= '0;
      wr_ptr_q <= '0;
      commit_q <= '0;
    end else if (s_axis_tvalid_i) begin
      if (s_axis_tlast_i) begin
        bank_q   <= '0;
        wr_ptr_q <= good ? wr_ptr_q + 1'b1 : commit_q;
        if (good) begin
          commit_q <= wr_ptr_q + 1'b1;
        end
      end else if (store) begin
        if (bank_q == BankWidth'(Banks - 1)) begin
          bank_q   <= '0;
          wr_ptr_q <= wr_ptr_q + 1'b1;
        end else begin
          bank_q <= bank_q + 1'b1;
        end
      end
    end
  end

  logic drop_q;
  logic drop_fifo_q;
  logic drop_disabled_q;

  // A refused frame may end in the cycle in which the datapath is reset; it counts all the same.
  always_ff @(posedge clk_i) begin
    if (forget || ends || drop_q) begin
      drop_q          <= ends && !good;
      drop_fifo_q     <= ends && !s_axis_tuser_error_i && !refused && lost;
      drop_disabled_q <= ends && !s_axis_tuser_error_i && refused;
    end
  end

  assign drop_fifo_o          = drop_fifo_q;
  assign drop_disabled_o      = drop_disabled_q;
  assign trace_start_valid_o  = s_axis_tvalid_i && !in_frame_q;
  assign trace_start_tag_o    = tag_i;
  assign trace_stored_valid_o = record_push;
  assign trace_stored_tag_o   = tag_i;

  ////////////////////
  // Records, words //
  ////////////////////

  logic [$clog2(Frames+1)-1:0] unused_count;

  fifo_ram #(
    .Width(16 + TagWidth),
    .Depth(Frames)
  ) u_records (
    .clk_i     (clk_i),
    .rst_i     (forget),
    .wr_valid_i(record_push),
    .wr_ready_o(frames_room),
    .wr_data_i ({tag_i, len}),
    .rd_valid_o(frame_valid_o),
    .rd_ready_i(frame_ready_i),
    .rd_data_o ({frame_tag_o, frame_len_o}),
    .count_o   (unused_count)
  );

  logic word_valid_q;
  logic fetch;

  assign fetch = rd_ptr_q != commit_q && (word_ready_i || !word_valid_q);

  for (genvar b = 0; b < Banks; b++) begin : g_bank
    ram_1r1w #(
      .Width(8 * StreamBytes),
      .Depth(Words)
    ) u_ram (
      .clk_i  (clk_i),
      .we_i   (store && bank_q == BankWidth'(b)),
      .waddr_i(wr_ptr_q[AddrWidth-1:0]),
      .wdata_i(s_axis_tdata_i),
      .re_i   (fetch),
      .raddr_i(rd_ptr_q[AddrWidth-1:0]),
      .rdata_o(word_data_o[8*StreamBytes*b +: 8*StreamBytes])
    );
  end

  always_ff @(posedge clk_i) begin
    if (forget) begin
      rd_ptr_q     <= '0;
      word_valid_q <= 1'b0;
    end else if (fetch) begin
      rd_ptr_q     <= rd_ptr_q + 1'b1;
      word_valid_q <= 1'b1;
    end else if (word_ready_i) begin
      word_valid_q <= 1'b0;
    end
  end

  assign word_valid_o = word_valid_q;
  assign receiving_o  = in_frame_q && !refused_q;
  assign idle_o       = !in_frame_q && !drop_q && !word_valid_q && rd_ptr_q == commit_q &&
                        !frame_valid_o;

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // What is forgotten was not being received.
      a_clear: assert (!clear_i || !receiving_o);
      // Between frames nothing is kept of a frame that was lost.
      a_rewound: assert (in_frame_q || wr_ptr_q == commit_q);
      // The memory never holds more than it has.
      a_room: assert ((wr_ptr_q - rd_ptr_q) <= (AddrWidth + 1)'(Words));
      // A record that is pushed has its place.
      a_record: assert (!record_push || frames_room);
      // Only whole frames are read.
      a_whole: assert ((commit_q - rd_ptr_q) <= (wr_ptr_q - rd_ptr_q));
    end
  end
`endif

endmodule
