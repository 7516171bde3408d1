// SPDX-License-Identifier: Apache-2.0
//
// tx_align: puts bytes that lie at any place in beats, one behind the other, into words.
//
// A part of a beat is turned so that its first byte comes to the place where it belongs, `fill`; its
// bytes then complete the word in hand, and those turned around the end begin the next one
// (AxiBytes = 16):
//
//     beat             [ b15 .................. b5 b4 b3 b2 b1 b0 ]     lane 5 goes to place 2
//     turned right 3   [ b2 b1 b0 b15 ................. b6 b5 b4 b3 ]
//     word             [ ^  ^  ^   ^                       |  a1 a0 ]     a: what was there
//                        next word's, where b15 is the 13th lane
//
// The virtio header is put at the end of a word (or two) of its own, so that the frame behind it
// starts at a word boundary; those words go nowhere, but what they ask for is kept in hdr_*:
//
//      byte 15                                0
//     [ f15 f14 ....................... f1 f0  ]   word
//     [ h11 h10 .......... h1 h0 | -  -  -  -  ]   header word
//
// The headers of a super-frame go to the template (tx_template) in words of their own, of
// TemplateBytes; those of its segments come from there as beats do.
//
//   op         one a cycle. take_i: a part of the beat data_i, turned by offset_i; fill_i is the place
//              of its first byte; full_i: it completes a word; low_i: bytes of the word that is in
//              hand then; end_i: the frame ends with it, so that word goes out; hdr_i: the word that it
//              completes is the virtio header's; tmpl_i: the
//              word goes to the template as it is, two cycles later.
//              An operation with end_i whose last bytes begin another word puts that out a cycle
//              later; the next one may then put out none.
//   word       valid without back-pressure, three cycles after the operation. Bytes behind the end are
//              zero. word_last_o: of a frame.
//   begin_o    a frame's first word comes in the next cycle
//   hdr_done_o hdr_* hold the header of the chain from the next cycle on
//   turning_o  the operation of the cycle before is in the first stage
//   busy_o     something is on its way
//
// Parameters:
//   AxiBytes        bytes in a beat and in a word
//   TemplateBytes   bytes in a word of the template

module tx_align #(
  parameter int unsigned AxiBytes = 16,
  parameter int unsigned TemplateBytes = 2,
  localparam int unsigned LaneWidth = $clog2(AxiBytes)
) (
  input  logic                     clk_i,
  input  logic                     rst_i,
  input  logic                     hdr_hash_i,
  output logic                     turning_o,
  output logic                     busy_o,

  input  logic                     take_i,
  input  logic [8*AxiBytes-1:0]    data_i,
  input  logic [LaneWidth-1:0]     offset_i,
  input  logic [LaneWidth-1:0]     fill_i,
  input  logic [LaneWidth-1:0]     low_i,
  input  logic                     full_i,
  input  logic                     end_i,
  input  logic                     hdr_i,
  input  logic                     tmpl_i,

  output logic                       tmpl_we_o,
  output logic [8*TemplateBytes-1:0] tmpl_data_o,

  output logic                     begin_o,
  output logic                     word_valid_o,
  output logic                     word_last_o,
  output logic [8*AxiBytes-1:0]    word_o,

  output logic                     hdr_done_o,
  output logic                     hdr_csum_o,
  output logic [7:0]               hdr_gso_o,
  output logic [15:0]              hdr_gso_size_o,
  output logic [15:0]              hdr_csum_start_o,
  output logic [15:0]              hdr_csum_offset_o
);

  if (AxiBytes < 16) $error("tx_align: AxiBytes must be at least 16");

  ////////////////////
  // Turn           //
  ////////////////////

  // The operation in the first stage, which has nothing to do but turn.
  logic                  r_take_q;
  logic                  r_full_q;
  logic                  r_end_q;
  logic                  r_hdr_q;
  logic                  r_tmpl_q;
  logic [LaneWidth-1:0]  r_fill_q;
  logic [LaneWidth-1:0]  r_low_q;
  logic [LaneWidth-1:0]  r_offset_q;
  logic [8*AxiBytes-1:0] r_data_q;

  // In the second.
  logic                  s_take_q;
  logic                  s_full_q;
  logic                  s_end_q;
  logic                  s_hdr_q;
  logic                  s_tmpl_q;
  logic [LaneWidth-1:0]  s_low_q;
  logic [8*AxiBytes-1:0] turned;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      r_take_q <= 1'b0;
      s_take_q <= 1'b0;
    end else begin
      r_take_q <= take_i;
      s_take_q <= r_take_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (take_i) begin
      r_full_q   <= full_i;
      r_end_q    <= end_i;
      r_hdr_q    <= hdr_i;
      r_tmpl_q   <= tmpl_i;
      r_fill_q   <= fill_i;
      r_low_q    <= low_i;
      r_offset_q <= offset_i;
      r_data_q   <= data_i;
    end
    if (r_take_q) begin
      s_full_q <= r_full_q;
      s_end_q  <= r_end_q;
      s_hdr_q  <= r_hdr_q;
      s_tmpl_q <= r_tmpl_q;
      s_low_q  <= r_low_q;
    end
  end

  byte_rotate #(
    .Bytes(AxiBytes)
  ) u_rotate (
    .clk_i   (clk_i),
    .en_i    (r_take_q),
    .turn_i  (1'b1),
    .offset_i(r_offset_q),
    .hi_i    (r_data_q),
    .lo_i    (r_data_q),
    .data_o  (turned)
  );

  ////////////////////
  // Merge          //
  ////////////////////

  logic                  flush_q;      // the word in hand goes out
  logic                  first_q;      // the next word is a frame's first
  logic [8*AxiBytes-1:0] acc_q;        // the word in hand
  logic [8*AxiBytes-1:0] word_q;
  logic                  word_valid_q;
  logic                  word_last_q;

  logic                  spill;        // an end, and bytes behind the completed word
  logic                  push;
  logic                  push_last;

  assign spill = s_take_q && s_end_q && s_full_q && s_low_q != '0;

  always_comb begin
    push      = 1'b0;
    push_last = 1'b0;
    if (flush_q) begin
      push      = 1'b1;
      push_last = 1'b1;
    end else if (s_take_q) begin
      push      = !s_hdr_q && (s_full_q || s_end_q);
      push_last = s_end_q && !spill;
    end
  end

  assign begin_o = push && first_q;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      flush_q      <= 1'b0;
      word_valid_q <= 1'b0;
      first_q      <= 1'b1;
    end else begin
      flush_q      <= spill;
      word_valid_q <= push;
      if (push) begin
        first_q <= push_last;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (push) begin
      word_last_q <= push_last;
    end
    if (spill) begin
    end
  end

  // The bits of the first `count` bytes of a word, in words of 64 bits, with which simulation is
  // fastest.
  function automatic logic [8*AxiBytes-1:0] below(input logic [LaneWidth-1:0] count);
    for (int unsigned i = 0; i < AxiBytes / 8; i++) begin
      if (32'(count) >= 8 * i + 8) begin
        below[64*i +: 64] = '1;
      end else if (32'(count) <= 8 * i) begin
        below[64*i +: 64] = '0;
      end else begin
        below[64*i +: 64] = ~(64'hffff_ffff_ffff_ffff << {count[2:0], 3'b000});
      end
    end
  endfunction

  logic [8*AxiBytes-1:0] old_q;         // what stays of the word in hand
  logic [8*AxiBytes-1:0] rest_q;        // what is in hand afterwards
  logic [8*AxiBytes-1:0] flush_mask_q;  // what was in hand at the end

  always_ff @(posedge clk_i) begin
    if (r_take_q) begin
      old_q  <= below(r_fill_q);
      rest_q <= below(r_low_q);
    end
    if (spill) begin
      flush_mask_q <= rest_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (push) begin
      for (int unsigned i = 0; i < AxiBytes / 8; i++) begin
        word_q[64*i +: 64] <=
            ((acc_q[64*i +: 64] & (old_q[64*i +: 64] | {64{flush_q}})) |
             (turned[64*i +: 64] & ~(old_q[64*i +: 64] | {64{flush_q}}))) &
            (flush_q ? flush_mask_q[64*i +: 64] : (rest_q[64*i +: 64] | {64{s_full_q}}));
      end
    end
  end

  // While a chain's last word goes out, the next one's header may come in: nothing was in hand.
  byte_merge #(
    .Bytes(AxiBytes)
  ) u_hand (
    .clk_i (clk_i),
    .en_i  (s_take_q),
    .all_i (s_full_q || flush_q),
    .keep_i(old_q),
    .data_i(turned),
    .data_o(acc_q)
  );

  assign tmpl_we_o   = s_take_q && s_tmpl_q;
  assign tmpl_data_o = (acc_q[8*TemplateBytes-1:0] & old_q[8*TemplateBytes-1:0]) |
                       (turned[8*TemplateBytes-1:0] & ~old_q[8*TemplateBytes-1:0]);

  assign word_valid_o = word_valid_q;
  assign word_last_o  = word_last_q;
  assign word_o       = word_q;
  assign turning_o    = r_take_q;
  assign busy_o       = r_take_q || s_take_q || flush_q || word_valid_q;

  ////////////////////
  // Header         //
  ////////////////////

  // Places of its fields in the completed word; a header of 20 bytes takes two words of 16.
  localparam int unsigned Short = AxiBytes - virtio_pkg::NetHdrBytes;
  localparam int unsigned Long = 2 * AxiBytes - virtio_pkg::NetHdrHashBytes;

  logic hdr_second_q;
  logic hdr_word;

  assign hdr_word   = s_take_q && s_hdr_q && s_full_q;
  assign hdr_done_o = hdr_word && (!(AxiBytes == 16 && hdr_hash_i) || hdr_second_q);

  function automatic int unsigned place(input int unsigned start, input logic [11:0] offset);
    place = 8 * ((start + 32'(offset)) % AxiBytes);
  endfunction

  localparam int unsigned ShortFlags  = place(Short, virtio_pkg::NetHdrFlags);
  localparam int unsigned LongFlags   = place(Long, virtio_pkg::NetHdrFlags);
  localparam int unsigned ShortSize   = place(Short, virtio_pkg::NetHdrGsoSize);
  localparam int unsigned LongSize    = place(Long, virtio_pkg::NetHdrGsoSize);
  localparam int unsigned ShortStart  = place(Short, virtio_pkg::NetHdrCsumStart);
  localparam int unsigned LongStart   = place(Long, virtio_pkg::NetHdrCsumStart);
  localparam int unsigned ShortOffset = place(Short, virtio_pkg::NetHdrCsumOffset);
  localparam int unsigned LongOffset  = place(Long, virtio_pkg::NetHdrCsumOffset);

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      hdr_second_q <= 1'b0;
    end else if (hdr_word) begin
      hdr_second_q <= !hdr_done_o;
    end
  end

  // Two bytes of the completed word.
  function automatic logic [15:0] pick(input logic [15:0] old, input logic [15:0] news,
                                       input logic [15:0] mask);
    pick = (old & mask) | (news & ~mask);
  endfunction

  // Nothing of a header is in hand while the last word of the chain before goes out.
  always_ff @(posedge clk_i) begin
    if (hdr_word) begin : p_header
      logic [15:0] kept;
      logic [15:0] flags;   // and the type behind them
      logic [15:0] size;
      logic [15:0] start;
      logic [15:0] offset;
      kept = {16{!flush_q}};
      if (hdr_hash_i) begin
        flags  = pick(acc_q[LongFlags +: 16], turned[LongFlags +: 16],
                      old_q[LongFlags +: 16] & kept);
        size   = pick(acc_q[LongSize +: 16], turned[LongSize +: 16], old_q[LongSize +: 16] & kept);
        start  = pick(acc_q[LongStart +: 16], turned[LongStart +: 16],
                      old_q[LongStart +: 16] & kept);
        offset = pick(acc_q[LongOffset +: 16], turned[LongOffset +: 16],
                      old_q[LongOffset +: 16] & kept);
      end else begin
        flags  = pick(acc_q[ShortFlags +: 16], turned[ShortFlags +: 16],
                      old_q[ShortFlags +: 16] & kept);
        size   = pick(acc_q[ShortSize +: 16], turned[ShortSize +: 16],
                      old_q[ShortSize +: 16] & kept);
        start  = pick(acc_q[ShortStart +: 16], turned[ShortStart +: 16],
                      old_q[ShortStart +: 16] & kept);
        offset = pick(acc_q[ShortOffset +: 16], turned[ShortOffset +: 16],
                      old_q[ShortOffset +: 16] & kept);
      end
      if (!hdr_second_q) begin
        hdr_csum_o <= (flags[7:0] & virtio_pkg::NetHdrFNeedsCsum) != '0;
        hdr_gso_o  <= flags[15:8];
      end
      if (hdr_done_o) begin
        hdr_gso_size_o    <= size;
        hdr_csum_start_o  <= start;
        hdr_csum_offset_o <= offset;
      end
    end
  end

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // While a word of the operation before goes out, this one has none.
      a_no_collision: assert (!flush_q || !s_take_q || s_hdr_q || !(s_full_q || s_end_q));
    end
  end
`endif

endmodule
