// SPDX-License-Identifier: Apache-2.0
//
// rx_store: holds whole received frames between the wire, which cannot wait, and the bus.
//
//   stream in   s_axis_*: a beat moves in every cycle with s_axis_tvalid_i; there is no ready. tkeep
//               is contiguous from lane 0, and full but in the last beat. tag_i names the frame and
//               stays through it. tuser_error_i at tlast discards the frame without a count here.
//               A frame is taken or lost as a whole: drop_fifo_o pulses after its last beat if there
//               was no room (words, slots, or room_i low at its first beat), drop_disabled_o if
//               accept_i was low at its first.
//   take_o      in the cycle of a last beat: this frame is held from now on.
//   slots       a frame held has a slot; slots are given in ring order and freed in any order.
//   records     rec_*: slot, length and tag of every frame, in order; moves when valid and ready are
//               both high, stable until then, three cycles after the last beat at the earliest.
//   waiting_o   number of records behind the one at rec_*.
//   read        read_*: a request for read_words_i (> 0) words of a frame, from word read_first_i
//               on. word_*: the words, in the order of the requests; one a cycle, none lost between
//               requests; they move when valid and ready are both high.
//   free        free_*: a slot is done with; no read of it may be left. Its words are used again
//               when all older slots are free too.
//   oldest_o    slot of the oldest frame held, if any.
//   half_o, short_o, tight_o   1/2, 3/4, 7/8 or more of the words or of the slots are taken.
//   clear_i     forgets what is held, as a reset of the device does; given only while receiving_o is
//               low. The frame that may be passing by is still known for one, and stays refused.
//   receiving_o a frame that accept_i let in is half in.
//   idle_o      no frame half in and nothing under way. Frames may be held.
//
// The memory is AxiBytes / StreamBytes banks of the stream's width, so that a beat is one write and a
// word is one read. A frame starts in bank 0, and words are a ring. What is freed out of order
// waits for the oldest:
//
//                 bank 1      bank 0                    tail                          commit
//     word 1  [   lost    | beat 2 last ]         ring   | slot 7 | 8 free | slot 9 | 10 free |
//     word 0  [  beat 1   |   beat 0    ]                  oldest
//
// Parameters:
//   StreamBytes   bytes in a beat
//   AxiBytes      bytes in a word, a multiple of StreamBytes
//   StoreBytes    size of the memory, a power of two
//   Frames        slots, a power of two, 16 to 1024
//   TagWidth      bits of a tag

module rx_store #(
  parameter int unsigned StreamBytes = 8,
  parameter int unsigned AxiBytes = 16,
  parameter int unsigned StoreBytes = 32768,
  parameter int unsigned Frames = (StoreBytes / 64 < 1024) ? StoreBytes / 64 : 1024,
  parameter int unsigned TagWidth = 32,
  localparam int unsigned WordsWidth = $clog2(StoreBytes / AxiBytes) + 1
) (
  input  logic                          clk_i,
  input  logic                          rst_i,
  input  logic                          clear_i,
  input  logic                          accept_i,
  input  logic                          room_i,
  output logic                          take_o,
  output logic                          receiving_o,
  output logic                          idle_o,

  input  logic                          s_axis_tvalid_i,
  input  logic [8*StreamBytes-1:0]      s_axis_tdata_i,
  input  logic [StreamBytes-1:0]        s_axis_tkeep_i,
  input  logic                          s_axis_tlast_i,
  input  logic                          s_axis_tuser_error_i,
  input  logic [TagWidth-1:0]           tag_i,

  output logic                          rec_valid_o,
  input  logic                          rec_ready_i,
  output logic [nic_pkg::SlotWidth-1:0] rec_slot_o,
  output logic [15:0]                   rec_len_o,
  output logic [TagWidth-1:0]           rec_tag_o,
  output logic [nic_pkg::SlotWidth:0]   waiting_o,

  input  logic                          read_valid_i,
  output logic                          read_ready_o,
  input  logic [nic_pkg::SlotWidth-1:0] read_slot_i,
  input  logic [WordsWidth-1:0]         read_first_i,
  input  logic [WordsWidth-1:0]         read_words_i,
  output logic                          word_valid_o,
  input  logic                          word_ready_i,
  output logic [8*AxiBytes-1:0]         word_data_o,

  input  logic                          free_valid_i,
  output logic                          free_ready_o,
  input  logic [nic_pkg::SlotWidth-1:0] free_slot_i,
  output logic [nic_pkg::SlotWidth-1:0] oldest_o,
  output logic                          half_o,
  output logic                          short_o,
  output logic                          tight_o,

  output logic                          drop_fifo_o,
  output logic                          drop_disabled_o,

  output logic                          trace_start_valid_o,
  output logic [TagWidth-1:0]           trace_start_tag_o,
  output logic                          trace_stored_valid_o,
  output logic [TagWidth-1:0]           trace_stored_tag_o
);

  localparam int unsigned Banks = AxiBytes / StreamBytes;
  localparam int unsigned BankWidth = (Banks > 1) ? $clog2(Banks) : 1;
  localparam int unsigned Words = StoreBytes / AxiBytes;
  localparam int unsigned AddrWidth = $clog2(Words);
  localparam int unsigned SlotWidth = $clog2(Frames);

  if (AxiBytes % StreamBytes != 0) $error("rx_store: AxiBytes must be a multiple of StreamBytes");
  if ((1 << AddrWidth) * AxiBytes != StoreBytes) $error("rx_store: StoreBytes: a power of two");
  if ((1 << SlotWidth) != Frames || Frames < 16 || Frames > 1024)
    $error("rx_store: Frames: a power of two, 16 to 1024");

  ////////////////////
  // Stream side    //
  ////////////////////

  logic                 in_frame_q;  // the next beat is not the first of its frame
  logic                 lost_q;      // no room for the frame that is coming in
  logic                 refused_q;   // it began while accept_i was low
  logic [BankWidth-1:0] bank_q;
  logic [AddrWidth:0]   wr_ptr_q;    // word being filled
  logic [AddrWidth:0]   commit_q;    // words before it are whole frames
  logic [AddrWidth:0]   tail_q;      // words before it are free
  logic [SlotWidth:0]   slot_q;      // slot of the frame that is coming in
  logic [SlotWidth:0]   oldest_q;
  logic [15:0]          len_q;       // bytes before this beat

  logic               forget;
  logic [AddrWidth:0] words_held;
  logic [SlotWidth:0] slots_held;
  logic               refused;
  logic               lost;
  logic               store;
  logic               ends;
  logic               good;
  logic [15:0]        len_before;
  logic [15:0]        len;
  logic               take;

  assign words_held = wr_ptr_q - tail_q;
  assign slots_held = slot_q - oldest_q;

  always_comb begin
    refused    = 1'b0;
    lost       = 1'b0;
    store      = 1'b0;
    ends       = 1'b0;
    good       = 1'b0;
    len_before = '0;
    len        = '0;
    if (s_axis_tvalid_i) begin
      len_before = in_frame_q ? len_q : '0;
      refused    = in_frame_q ? refused_q : !accept_i;
      lost       = (in_frame_q ? lost_q : slots_held[SlotWidth] || !room_i) ||
                   words_held[AddrWidth] || len_before > 16'(65535 - StreamBytes);
      store      = !refused && !lost;
      ends       = s_axis_tlast_i;
      good       = store && !s_axis_tuser_error_i;
      len        = len_before + 16'(StreamBytes);
      if (s_axis_tlast_i) begin
        len = len_before + 16'($countones(s_axis_tkeep_i));
      end
    end
  end

  assign forget = rst_i || clear_i;
  assign take   = ends && good;
  assign take_o = take;

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
      slot_q   <= '0;
    end else if (s_axis_tvalid_i) begin
      if (s_axis_tlast_i) begin
        bank_q   <= '0;
        wr_ptr_q <= good ? wr_ptr_q + 1'b1 : commit_q;
        if (good) begin
          commit_q <= wr_ptr_q + 1'b1;
          slot_q   <= slot_q + 1'b1;
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

  logic                start_q;
  logic [TagWidth-1:0] start_tag_q;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      start_q <= 1'b0;
    end else if (s_axis_tvalid_i || start_q) begin
      start_q     <= s_axis_tvalid_i && !in_frame_q;
      start_tag_q <= tag_i;
    end
  end

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
  assign trace_start_valid_o  = start_q;
  assign trace_start_tag_o    = start_tag_q;
  assign trace_stored_valid_o = take;
  assign trace_stored_tag_o   = tag_i;

  ////////////////////
  // Records        //
  ////////////////////

  logic [SlotWidth:0]   rec_ptr_q;    // slot of the next record to come out
  logic                 rec_valid_q;
  logic [SlotWidth-1:0] rec_slot_q;
  logic                 rec_fetch;

  assign rec_fetch = rec_ptr_q != slot_q && (!rec_valid_q || rec_ready_i);

  ram_1r1w #(
    .Width(TagWidth + 16),
    .Depth(Frames)
  ) u_records (
    .clk_i  (clk_i),
    .we_i   (take),
    .waddr_i(slot_q[SlotWidth-1:0]),
    .wdata_i({tag_i, len}),
    .re_i   (rec_fetch),
    .raddr_i(rec_ptr_q[SlotWidth-1:0]),
    .rdata_o({rec_tag_o, rec_len_o})
  );

  always_ff @(posedge clk_i) begin
    if (forget) begin
      rec_ptr_q   <= '0;
      rec_valid_q <= 1'b0;
    end else if (rec_fetch) begin
      rec_ptr_q   <= rec_ptr_q + 1'b1;
      rec_valid_q <= 1'b1;
      rec_slot_q  <= rec_ptr_q[SlotWidth-1:0];
    end else if (rec_ready_i) begin
      rec_valid_q <= 1'b0;
    end
  end

  assign rec_valid_o = rec_valid_q;
  assign rec_slot_o  = nic_pkg::SlotWidth'(rec_slot_q);
  assign waiting_o   = (nic_pkg::SlotWidth + 1)'((SlotWidth + 1)'(slot_q - rec_ptr_q));

  ////////////////////
  // Free           //
  ////////////////////

  // A bit for each slot: written 0 in the cycle after a frame was taken, 1 when it is freed. Even and
  // odd slots have a memory each, so that a free waits a cycle at most however fast frames come.
  logic                 even_mem [Frames / 2];
  logic                 odd_mem [Frames / 2];
  logic                 mark_q;
  logic [SlotWidth-1:0] mark_slot_q;
  logic                 end_valid_q;  // end_word belongs to the oldest frame
  logic [AddrWidth:0]   end_word;     // the word behind its last
  logic                 freed;        // the oldest frame is
  logic                 reclaim;
  logic [SlotWidth:0]   end_slot;
  logic                 end_fetch;
  logic                 mark_even, mark_odd;

  assign mark_even    = mark_q && !mark_slot_q[0];
  assign mark_odd     = mark_q && mark_slot_q[0];
  assign free_ready_o = free_slot_i[0] ? !mark_odd : !mark_even;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      mark_q <= 1'b0;
    end else if (take || mark_q) begin
      mark_q      <= take;
      mark_slot_q <= slot_q[SlotWidth-1:0];
    end
  end

  always_ff @(posedge clk_i) begin
    if (mark_even || (free_valid_i && !free_slot_i[0])) begin
      even_mem[mark_even ? mark_slot_q[SlotWidth-1:1] : free_slot_i[SlotWidth-1:1]] <= !mark_even;
    end
  end

  always_ff @(posedge clk_i) begin
    if (mark_odd || (free_valid_i && free_slot_i[0])) begin
      odd_mem[mark_odd ? mark_slot_q[SlotWidth-1:1] : free_slot_i[SlotWidth-1:1]] <= !mark_odd;
    end
  end

  assign freed     = oldest_q[0] ? odd_mem[oldest_q[SlotWidth-1:1]]
                                 : even_mem[oldest_q[SlotWidth-1:1]];
  assign reclaim   = end_valid_q && freed;
  assign end_slot  = oldest_q + (SlotWidth + 1)'(reclaim);
  assign end_fetch = (reclaim || !end_valid_q) && end_slot != slot_q;

  ram_1r1w #(
    .Width(AddrWidth + 1),
    .Depth(Frames)
  ) u_ends (
    .clk_i  (clk_i),
    .we_i   (take),
    .waddr_i(slot_q[SlotWidth-1:0]),
    .wdata_i(wr_ptr_q + 1'b1),
    .re_i   (end_fetch),
    .raddr_i(end_slot[SlotWidth-1:0]),
    .rdata_o(end_word)
  );

  always_ff @(posedge clk_i) begin
    if (forget) begin
      oldest_q    <= '0;
      tail_q      <= '0;
      end_valid_q <= 1'b0;
    end else if (reclaim || end_fetch) begin
      end_valid_q <= end_fetch;
      if (reclaim) begin
        oldest_q <= end_slot;
        tail_q   <= end_word;
      end
    end
  end

  // The top bits of what is taken: 1xxx is all of it.
  logic [3:0] words_top, slots_top;

  assign words_top = words_held[AddrWidth -: 4];
  assign slots_top = slots_held[SlotWidth -: 4];

  // Most of the time the store is nearly empty, which is seen from two bits.
  always_comb begin
    {tight_o, short_o, half_o} = '0;
    if (words_top[3:2] != '0 || slots_top[3:2] != '0) begin
      half_o  = 1'b1;
      short_o = words_top >= 4'd6 || slots_top >= 4'd6;
      tight_o = words_top >= 4'd7 || slots_top >= 4'd7;
    end
  end

  assign oldest_o = nic_pkg::SlotWidth'(oldest_q[SlotWidth-1:0]);

  ////////////////////
  // Read           //
  ////////////////////

  // A request first finds where its frame starts, then its words are fetched.
  logic                  look_valid_q;
  logic [AddrWidth-1:0]  look_first_q;
  logic [WordsWidth-1:0] look_words_q;
  logic [AddrWidth-1:0]  start;
  logic [AddrWidth-1:0]  addr_q;
  logic [WordsWidth-1:0] left_q;       // words to fetch
  logic                  word_valid_q;
  logic                  look_fire;
  logic                  look_next;
  logic                  fetch;

  assign read_ready_o = !look_valid_q || look_next;
  assign look_fire    = read_valid_i && read_ready_o;
  assign fetch        = left_q != '0 && (word_ready_i || !word_valid_q);
  assign look_next    = look_valid_q && (left_q == '0 || (fetch && left_q == WordsWidth'(1)));

  ram_1r1w #(
    .Width(AddrWidth),
    .Depth(Frames)
  ) u_starts (
    .clk_i  (clk_i),
    .we_i   (take),
    .waddr_i(slot_q[SlotWidth-1:0]),
    .wdata_i(commit_q[AddrWidth-1:0]),
    .re_i   (look_fire),
    .raddr_i(read_slot_i[SlotWidth-1:0]),
    .rdata_o(start)
  );

  always_ff @(posedge clk_i) begin
    if (forget) begin
      look_valid_q <= 1'b0;
    end else if (look_fire) begin
      look_valid_q <= 1'b1;
      look_first_q <= read_first_i[AddrWidth-1:0];
      look_words_q <= read_words_i;
    end else if (look_next) begin
      look_valid_q <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (forget) begin
      left_q <= '0;
    end else if (look_next) begin
      left_q <= look_words_q;
      addr_q <= start + look_first_q;
    end else if (fetch) begin
      left_q <= left_q - 1'b1;
      addr_q <= addr_q + 1'b1;
    end
  end

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
      .raddr_i(addr_q),
      .rdata_o(word_data_o[8*StreamBytes*b +: 8*StreamBytes])
    );
  end

  always_ff @(posedge clk_i) begin
    if (forget) begin
      word_valid_q <= 1'b0;
    end else if (fetch) begin
      word_valid_q <= 1'b1;
    end else if (word_ready_i) begin
      word_valid_q <= 1'b0;
    end
  end

  assign word_valid_o = word_valid_q;
  assign receiving_o  = in_frame_q && !refused_q;

  always_comb begin
    idle_o = 1'b0;
    if (!in_frame_q && left_q == '0 && !word_valid_q) begin
      idle_o = !start_q && !drop_q && !mark_q && !rec_fetch && !reclaim && !end_fetch && !look_valid_q;
    end
  end

  logic unused_bits;
  assign unused_bits = ^{free_slot_i, read_slot_i, read_first_i};

`ifndef SYNTHESIS
  logic [SlotWidth-1:0] free_age;
  assign free_age = free_slot_i[SlotWidth-1:0] - oldest_q[SlotWidth-1:0];

  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // What is forgotten was not being received.
      a_clear: assert (!clear_i || !receiving_o);
      // Between frames nothing is kept of a frame that was lost.
      a_rewound: assert (in_frame_q || wr_ptr_q == commit_q);
      // The memory never holds more than it has.
      a_words: assert (words_held <= (AddrWidth + 1)'(Words));
      // Nor more frames than there are slots.
      a_slots: assert (slots_held <= (SlotWidth + 1)'(Frames));
      // A slot that is freed holds a frame whose record came out.
      a_free: assert (clear_i || !free_valid_i || (SlotWidth + 1)'(free_age) < slots_held);
      // A slot is freed once.
      a_once: assert (clear_i || !free_valid_i || !free_ready_o ||
                      !(free_slot_i[0] ? odd_mem[free_slot_i[SlotWidth-1:1]]
                                       : even_mem[free_slot_i[SlotWidth-1:1]]));
      // A request is for some words.
      a_read: assert (!read_valid_i || read_words_i != '0);
    end
  end
`endif

endmodule
