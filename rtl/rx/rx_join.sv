// SPDX-License-Identifier: Apache-2.0
//
// rx_join: reads frames from the receive store and makes one run of words of each, coalesced ones
// (rx_lro) too: the payloads of the members behind the first frame's headers, which are patched.
// docs/receive-coalescing.md is its page.
//
//   job      a frame to deliver, or (job_drop_i) to give up: then its slots are freed and nothing else
//            happens. It must stay until job_ready_o, which comes with its last member's request.
//   link     the slot that follows link_slot_o, from rx_lro, a cycle after link_re_o
//   read     requests to rx_store: read_words_o words of a slot, from its word read_first_o on. word_*:
//            what it answers, in order.
//   out      the words of the jobs, ceil(len / AxiBytes) for each; a word moves when valid and ready
//            are both high, stable until then. The bytes behind the end of the last are anything.
//   free     slots read to their end, or given up; moves when valid and ready are both high, stable
//            until then.
//   idle_o   nothing can change until an input does.
//
// Throughput: a word a cycle, none lost between frames; a coalesced frame takes four cycles more, for
// its patches, one for each of its words that may hold headers, and one at the seams where a member
// does not end with a word.
//
// The first byte of a member's payload goes behind the last one before it, lane fill_q. Turning each
// of its words by the same number of lanes brings all of its bytes to their places:
//
//     acc_q                  [ -  -  -  - | p2 p1 p0 hd ]        fill_q = 4
//     word, payload from 6   [ q1 q0| -  -  -  -  -  -  ]        turned by 4 - 6 = 6 (mod 8)
//     turned                 [ -  -| q1 q0| -  -  -  -  ]
//     acc_q                  [ -  -| q1 q0| p2 p1 p0 hd ]        not full: nothing goes out
//     next word turned by 6  [ q3 q2| q9 q8 q7 q6 q5 q4 ]
//     out                    [ q3 q2| q1 q0| p2 p1 p0 hd ],  acc_q has q4 to q9 in its low lanes
// Headers, and the payload of every member but the last, have an even number of bytes; so words are
// turned by halfwords.
//
// Parameters:
//   AxiBytes     bytes in a word
//   StoreBytes   size of the store

module rx_join #(
  parameter int unsigned AxiBytes = 16,
  parameter int unsigned StoreBytes = 32768,
  localparam int unsigned SlotWidth = nic_pkg::SlotWidth,
  localparam int unsigned WordsWidth = $clog2(StoreBytes / AxiBytes) + 1
) (
  input  logic                  clk_i,
  input  logic                  rst_i,
  output logic                  idle_o,

  input  logic                  job_valid_i,
  output logic                  job_ready_o,
  input  nic_pkg::rx_frame_t    job_frame_i,
  input  logic                  job_drop_i,

  output logic                  link_re_o,
  output logic [SlotWidth-1:0]  link_slot_o,
  input  logic [SlotWidth-1:0]  link_next_i,

  output logic                  read_valid_o,
  input  logic                  read_ready_i,
  output logic [SlotWidth-1:0]  read_slot_o,
  output logic [WordsWidth-1:0] read_first_o,
  output logic [WordsWidth-1:0] read_words_o,
  input  logic                  word_valid_i,
  output logic                  word_ready_o,
  input  logic [8*AxiBytes-1:0] word_data_i,

  output logic                  out_valid_o,
  input  logic                  out_ready_i,
  output logic [8*AxiBytes-1:0] out_data_o,

  output logic                  free_valid_o,
  input  logic                  free_ready_i,
  output logic [SlotWidth-1:0]  free_slot_o
);

  localparam int unsigned LaneWidth = $clog2(AxiBytes);
  // Halfwords of a word, and words that can hold headers.
  localparam int unsigned HalfWidth = LaneWidth - 1;
  localparam int unsigned HeadWidth = 6 - HalfWidth;

  if (AxiBytes < 16 || AxiBytes > 64) $error("rx_join: AxiBytes must be 16, 32 or 64");

  ////////////////////
  // Members        //
  ////////////////////

  // One request for each member of the job. What the mover has to know of it goes into a queue.
  typedef struct packed {
    logic                  drop;
    logic                  gso;
    logic                  ends;        // the job
    logic                  first_emits; // its first word, if there are more, fills acc_q up
    logic                  last_emits;  // its last word does, or ends the job,
    logic                  drains;      // with more bytes than out_q takes
    logic [LaneWidth-1:0]  turn;        // lanes by which its words are turned
    logic [LaneWidth-1:0]  fill;        // bytes in acc_q behind it
    logic [SlotWidth-1:0]  slot;
    logic [WordsWidth-1:0] words;
  } member_t;
  localparam int unsigned MemberWidth = 6 + 2 * LaneWidth + SlotWidth + WordsWidth;

  logic                  later_q;     // the member is not the first of its job
  logic [15:0]           left_q;      // as left, of the next member
  logic [LaneWidth-1:0]  begin_q;     // lane where its first byte goes
  logic [2:0]            patches_q;   // patches to be made
  logic                  ip6_q;       // of them, not the one for the IPv4 header checksum
  nic_pkg::patch_t       patch0_q, patch1_q, patch2_q, patch3_q;

  logic                  begins;      // a coalesced job begins
  logic                  final_member;
  logic [15:0]           left;        // bytes from this member on, its headers among them
  logic [16:0]           behind;      // the same from the next one on; negative without one
  logic [15:0]           reach;       // bytes of the member's frame, headers among them
  logic [LaneWidth-1:0]  skip;        // lane of the first byte to be read
  logic [LaneWidth-1:0]  tail;        // bytes in the last word, 0 for all
  logic                  borrow;      // the first byte goes to a lower lane than it has
  logic [LaneWidth:0]    filled;      // lanes of acc_q and beyond, with the last word
  logic                  room;
  logic                  able;
  logic                  push;
  member_t               pushed;

  always_comb begin
    begins       = 1'b0;
    final_member = 1'b1;
    left         = '0;
    behind       = '0;
    reach        = '0;
    skip         = '0;
    tail         = '0;
    borrow       = 1'b0;
    filled       = '0;
    pushed       = '0;
    read_first_o = '0;
    if (job_valid_i) begin
      begins       = job_frame_i.gso && !later_q;
      left         = later_q ? left_q : job_frame_i.len;
      behind       = {1'b0, left} - {1'b0, job_frame_i.gso_size};
      final_member = !job_frame_i.gso || behind[16] ||
                     (behind[15:7] == '0 && behind[6:0] <= job_frame_i.hdr_len);
      reach        = final_member ? left : 16'(job_frame_i.hdr_len) + job_frame_i.gso_size;
      tail         = reach[LaneWidth-1:0];
      if (later_q) begin
        read_first_o = WordsWidth'(job_frame_i.hdr_len[6:LaneWidth]);
        skip         = job_frame_i.hdr_len[LaneWidth-1:0];
      end

      pushed.drop           = job_drop_i;
      pushed.gso            = job_frame_i.gso;
      pushed.ends           = final_member;
      pushed.slot           = read_slot_o;
      pushed.words          = WordsWidth'(reach[15:LaneWidth]) - read_first_o +
                              WordsWidth'(tail != '0);
      {borrow, pushed.turn} = {1'b0, begin_q} - {1'b0, skip};
      pushed.fill           = final_member ? '0 : pushed.turn + tail;

      // A word that is first and last may begin in a lane to which it is turned back.
      filled             = {borrow && pushed.words == WordsWidth'(1), pushed.turn} +
                           {tail == '0, tail};
      pushed.first_emits = !borrow;
      pushed.last_emits  = final_member || filled[LaneWidth];
      pushed.drains      = final_member && filled[LaneWidth] && filled[LaneWidth-1:0] != '0;
    end
  end

  assign able         = job_valid_i && room && !(begins && patches_q != '0);
  assign push         = able && (job_drop_i || read_ready_i);
  assign job_ready_o  = push && final_member;
  assign read_valid_o = able && !job_drop_i;
  assign read_slot_o  = later_q ? link_next_i : job_frame_i.slot;
  assign read_words_o = pushed.words;
  assign link_re_o    = push && !final_member;
  assign link_slot_o  = read_slot_o;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      later_q <= 1'b0;
      begin_q <= '0;
    end else if (push) begin
      later_q <= !final_member;
      left_q  <= behind[15:0];
      begin_q <= pushed.fill;
    end
  end

  member_t    member;
  logic       member_valid;
  logic       member_done;
  logic [2:0] unused_count;

  fifo #(
    .Width(MemberWidth),
    .Depth(4)
  ) u_members (
    .clk_i     (clk_i),
    .rst_i     (rst_i),
    .wr_valid_i(push),
    .wr_ready_o(room),
    .wr_data_i (pushed),
    .rd_valid_o(member_valid),
    .rd_ready_i(member_done),
    .rd_data_o (member),
    .count_o   (unused_count)
  );

  ////////////////////
  // Words          //
  ////////////////////

  logic [WordsWidth-1:0] count_q;     // words of the member that were taken
  logic [LaneWidth-1:0]  fill_q;      // bytes in acc_q
  logic                  drain_q;     // they are the job's last
  logic [8*AxiBytes-1:0] acc_q;
  logic                  valid_q;
  logic [8*AxiBytes-1:0] out_q;
  logic [HeadWidth:0]    number_q;    // of the job's next word; no more than 2 ** HeadWidth
  logic                  check_q;     // out_q may have to be patched: its word of a coalesced job is
  logic [HeadWidth-1:0]  check_word_q;
  logic                  free_valid_q;
  logic [SlotWidth-1:0]  free_slot_q;

  logic                  out_free;
  logic                  free_free;
  logic                  last_word;
  logic                  take;
  logic                  emit;
  logic                  load;        // out_q
  logic                  keep;        // bytes in acc_q
  logic                  ends;
  nic_pkg::patch_t       patched;
  logic                  patch;       // out_q, in this cycle

  assign patched      = patches_q[1] ? (patches_q[0] ? patch1_q : patch2_q)
                                     : (patches_q[0] ? patch3_q : patch0_q);
  // The next job's patches may be there while words of this one go out: the first of them has a lower
  // word number than any that is still to come.
  assign patch        = check_q && patches_q != '0 &&
                        patched.place[5:HalfWidth] == check_word_q;
  assign out_free     = !valid_q || (out_ready_i && !check_q);
  assign free_free    = !free_valid_q || free_ready_i;
  assign last_word    = count_q + 1'b1 == member.words;
  assign ends         = last_word && member.ends;
  assign emit         = last_word ? member.last_emits : (count_q != '0 || member.first_emits);
  assign word_ready_o = member_valid && !member.drop && out_free && !drain_q &&
                        (!last_word || free_free);
  assign take         = word_ready_o && word_valid_i;
  assign member_done  = (take && last_word) || (member_valid && member.drop && free_free);

  // Lanes that acc_q has.
  logic [AxiBytes-1:0] held;

  always_comb begin
    held = '0;
    if (drain_q) begin
      held = '1;
    end else if (fill_q != '0) begin
      held = ~({AxiBytes{1'b1}} << fill_q);
    end
  end

  logic [8*AxiBytes-1:0] turned;

  rx_turn #(
    .Bytes(AxiBytes)
  ) u_turn (
    .data_i (word_data_i),
    .lanes_i(member.turn[LaneWidth-1:1]),
    .data_o (turned)
  );

  // Conditions are flat, and each assignment has its own: so each lane's register gets an enable.
  assign load = (take && emit) || (drain_q && out_free);
  assign keep = take && (!emit || member.turn != '0);

  always_ff @(posedge clk_i) begin
    if (check_q) begin
      for (int unsigned h = 0; h < AxiBytes / 2; h++) begin
        if (patch && patched.place[HalfWidth-1:0] == HalfWidth'(h)) begin
          out_q[16*h +: 16] <= {patched.value[7:0], patched.value[15:8]};
        end
      end
    end else if (load) begin
      out_q <= turned;
      if (held[0]) begin
        for (int unsigned b = 0; b < AxiBytes; b++) begin
          if (held[b]) out_q[8*b +: 8] <= acc_q[8*b +: 8];
        end
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (keep) begin
      for (int unsigned b = 0; b < AxiBytes; b++) begin
        if (emit || !held[b]) acc_q[8*b +: 8] <= turned[8*b +: 8];
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      count_q  <= '0;
      fill_q   <= '0;
      drain_q  <= 1'b0;
      valid_q  <= 1'b0;
      check_q  <= 1'b0;
      number_q <= '0;
    end else if (take) begin
      count_q      <= last_word ? '0 : count_q + 1'b1;
      fill_q       <= last_word ? member.fill : member.turn;
      drain_q      <= last_word && member.drains;
      valid_q      <= emit;
      check_q      <= emit && member.gso && !number_q[HeadWidth];
      check_word_q <= number_q[HeadWidth-1:0];
      if (ends) begin
        number_q <= '0;
      end else if (emit && !number_q[HeadWidth]) begin
        number_q <= number_q + 1'b1;
      end
    end else if (check_q) begin
      check_q <= patch;
    end else if (out_free && (valid_q || drain_q)) begin
      valid_q <= drain_q;
      drain_q <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      patches_q <= '0;
    end else if (push && begins && !job_drop_i) begin
      patches_q <= 3'd4;
      ip6_q     <= job_frame_i.ip6;
      patch0_q  <= job_frame_i.patch0;
      patch1_q  <= job_frame_i.patch1;
      patch2_q  <= job_frame_i.patch2;
      patch3_q  <= job_frame_i.patch3;
    end else if (patch) begin
      patches_q <= (patches_q[2] && ip6_q) ? 3'd2 : patches_q - 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      free_valid_q <= 1'b0;
    end else if (member_done) begin
      free_valid_q <= 1'b1;
      free_slot_q  <= member.slot;
    end else if (free_ready_i) begin
      free_valid_q <= 1'b0;
    end
  end

  assign out_valid_o  = valid_q && !check_q;
  assign out_data_o   = out_q;
  assign free_valid_o = free_valid_q;
  assign free_slot_o  = free_slot_q;
  assign idle_o       = !job_valid_i && !member_valid && !valid_q && !drain_q && !free_valid_q;

  logic unused_bits;
  assign unused_bits = ^{job_frame_i.hash, job_frame_i.hash_report,
                         job_frame_i.csum_ok, job_frame_i.csum_start, unused_count};

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // A coalesced frame is longer than its first member.
      a_longer: assert (!begins || !final_member);
      // Words are turned by halfwords.
      a_even: assert (!begins || (!job_frame_i.hdr_len[0] && !job_frame_i.gso_size[0]));
      // Every member has bytes.
      a_bytes: assert (!push || pushed.words != '0);
      // Words that nobody asked for do not come.
      a_asked: assert (!word_valid_i || member_valid);
      // Headers do not leave before they are patched.
      a_patched: assert (!begins || !push || patches_q == '0);
    end
  end
`endif

endmodule
