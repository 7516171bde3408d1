// SPDX-License-Identifier: Apache-2.0
//
// tx_sum: the Internet checksum of a frame from csum_start on, taken as its words pass, and the
// frame's record with it (virtio 1.2, 5.1.6.2; RFC 1071).
//
//   word       the frames' words, bytes behind the end zero. What stands beside them in frame_i_* holds
//              from a frame's first word to its last.
//   record     a pulse for each frame, in order, three cycles behind its last word. record_place_o, record_value_o: the checksum's place in the frame and its two
//              bytes, the first in 7:0, if record_csum_o.
//   busy_o     something is on its way
//
// The ones' complement sum of 16-bit words can be taken over 32-bit words, in either byte order:
//
//     word     [ l3 | l2 | l1 | l0 ]     32-bit lanes; in the first word only the bytes from
//                 \    \   /    /        csum_start on
//                  +----[+]----+ ---> lanes summed ---> over words ---> folded, twice ---> inverted
//
// A checksum that starts at an odd byte has its bytes swapped. With never_zero_i it is ffff where it
// would be 0, which for UDP means that there is none (RFC 768), and for others the same as ffff.
//
// Parameters:
//   AxiBytes   bytes in a word
//   MaxFrame   longest frame
//   Carry      bits of what goes along with a frame

module tx_sum #(
  parameter int unsigned AxiBytes = 16,
  parameter int unsigned MaxFrame = 9022,
  parameter int unsigned Carry = 32,
  localparam int unsigned PlaceWidth = $clog2(MaxFrame + 1)
) (
  input  logic                  clk_i,
  input  logic                  rst_i,
  output logic                  busy_o,

  input  logic                  word_valid_i,
  input  logic                  word_first_i,
  input  logic                  word_last_i,
  input  logic [8*AxiBytes-1:0] word_i,
  input  logic                  csum_i,
  input  logic                  never_zero_i,
  input  logic [PlaceWidth-1:0] start_i,
  input  logic [PlaceWidth-1:0] place_i,
  input  logic [Carry-1:0]      carry_i,

  output logic                  record_valid_o,
  output logic                  record_csum_o,
  output logic [PlaceWidth-1:0] record_place_o,
  output logic [15:0]           record_value_o,
  output logic [Carry-1:0]      record_carry_o
);

  localparam int unsigned LaneWidth = $clog2(AxiBytes);
  localparam int unsigned Lanes = AxiBytes / 4;
  localparam int unsigned LanesWidth = 32 + $clog2(Lanes);
  localparam int unsigned SumWidth = 32 + $clog2((MaxFrame + 3) / 4 + 1);
  localparam int unsigned FoldWidth = 18;

  if (SumWidth > 48) $error("tx_sum: MaxFrame is too large");

  ////////////////////
  // Words          //
  ////////////////////

  logic [PlaceWidth-1:LaneWidth] skip_q;    // words in front of the one with csum_start
  logic [PlaceWidth-1:LaneWidth] skip;
  logic                          begun_q;  // csum_start was in a word before
  logic                          begun;
  logic                          adds;

  always_comb begin
    skip   = '0;
    begun = 1'b0;
    adds   = 1'b0;
    if (word_valid_i && csum_i) begin
      skip   = word_first_i ? start_i[PlaceWidth-1:LaneWidth] : skip_q;
      begun = !word_first_i && begun_q;
      adds   = begun || skip == '0;
    end
  end

  function automatic logic [63:0] from(input int unsigned word, input logic [LaneWidth-1:0] first);
    if (32'(first) <= 8 * word) begin
      from = '1;
    end else if (32'(first) >= 8 * word + 8) begin
      from = '0;
    end else begin
      from = 64'hffff_ffff_ffff_ffff << {first[2:0], 3'b000};
    end
  endfunction

  logic                  lanes_valid_q;
  logic                  lanes_first_q;
  logic                  lanes_last_q;
  logic [LanesWidth-1:0] lanes_q;

  always_ff @(posedge clk_i) begin
    if (adds) begin : p_lanes
      logic [LanesWidth-1:0] sum;
      logic [63:0]           part;
      sum = '0;
      for (int unsigned i = 0; i < AxiBytes / 8; i++) begin
        part = word_i[64*i +: 64] & from(i, begun ? '0 : start_i[LaneWidth-1:0]);
        sum  = sum + LanesWidth'(part[31:0]) + LanesWidth'(part[63:32]);
      end
      lanes_q <= sum;
    end
  end

  always_ff @(posedge clk_i) begin
    if (word_valid_i) begin
      skip_q        <= skip - 1'b1;
      begun_q      <= adds;
      lanes_first_q <= !begun;
    end
  end

  ////////////////////
  // Sum            //
  ////////////////////

  // A frame's record walks along behind its last word.
  logic                  sum_valid_q;
  logic                  fold_valid_q;
  logic                  lanes_adds_q;
  logic [SumWidth-1:0]   sum_q;
  logic [FoldWidth-1:0]  fold_q;
  logic                  lanes_csum_q, sum_csum_q, fold_csum_q;
  logic                  lanes_never_zero_q, sum_never_zero_q, fold_never_zero_q;
  logic                  lanes_odd_q, sum_odd_q, fold_odd_q;
  logic [PlaceWidth-1:0] lanes_place_q, sum_place_q, fold_place_q;
  logic [Carry-1:0]      lanes_carry_q, sum_carry_q, fold_carry_q;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      lanes_valid_q <= 1'b0;
      lanes_last_q  <= 1'b0;
      lanes_adds_q  <= 1'b0;
      sum_valid_q   <= 1'b0;
      fold_valid_q  <= 1'b0;
    end else begin
      lanes_valid_q <= word_valid_i;
      lanes_last_q  <= word_valid_i && word_last_i;
      lanes_adds_q  <= adds;
      sum_valid_q   <= lanes_last_q;
      fold_valid_q  <= sum_valid_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (word_valid_i && word_last_i) begin
      lanes_csum_q  <= csum_i;
      lanes_never_zero_q   <= never_zero_i;
      lanes_odd_q   <= start_i[0];
      lanes_place_q <= place_i;
      lanes_carry_q <= carry_i;
    end
    if (lanes_adds_q) begin
      sum_q <= (lanes_first_q ? '0 : sum_q) + SumWidth'(lanes_q);
    end
    if (lanes_last_q) begin
      sum_csum_q  <= lanes_csum_q;
      sum_never_zero_q   <= lanes_never_zero_q;
      sum_odd_q   <= lanes_odd_q;
      sum_place_q <= lanes_place_q;
      sum_carry_q <= lanes_carry_q;
    end
    if (sum_valid_q) begin
      fold_q       <= FoldWidth'(sum_q[15:0]) + FoldWidth'(sum_q[31:16]) +
                      FoldWidth'(sum_q[SumWidth-1:32]);
      fold_csum_q  <= sum_csum_q;
      fold_never_zero_q   <= sum_never_zero_q;
      fold_odd_q   <= sum_odd_q;
      fold_place_q <= sum_place_q;
      fold_carry_q <= sum_carry_q;
    end
  end

  logic [16:0] folded;
  logic [15:0] inverted;

  always_comb begin
    folded   = '0;
    inverted = '0;
    if (fold_valid_q) begin
      folded   = {1'b0, fold_q[15:0]} + 17'(fold_q[FoldWidth-1:16]);
      inverted = ~(folded[15:0] + 16'(folded[16]));
      if (fold_never_zero_q && inverted == '0) begin
        inverted = '1;
      end
    end
  end

  assign record_valid_o = fold_valid_q;
  assign record_csum_o  = fold_csum_q;
  assign record_place_o = fold_place_q;
  assign record_value_o = fold_odd_q ? {inverted[7:0], inverted[15:8]} : inverted;
  assign record_carry_o = fold_carry_q;
  assign busy_o         = lanes_valid_q || sum_valid_q || fold_valid_q;

endmodule
