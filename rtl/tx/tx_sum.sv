// SPDX-License-Identifier: Apache-2.0
//
// tx_sum: the Internet checksum of a frame from csum_start on, taken as its words pass, and the
// frame's record with it (virtio 1.2, 5.1.6.2; RFC 1071).
//
//   begin      a frame's first word comes in the next cycle: begin_i and what holds for the frame
//   word       the frames' words, bytes behind the end zero
//   record     a pulse for each frame, in order, three cycles behind its last word. record_place_o,
//              record_value_o: the checksum's place in the frame and its two
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

  input  logic                  begin_i,
  input  logic                  csum_i,
  input  logic                  never_zero_i,
  input  logic [PlaceWidth-1:0] start_i,
  input  logic [PlaceWidth-1:0] place_i,
  input  logic [Carry-1:0]      carry_i,
  input  logic                  word_valid_i,
  input  logic                  word_last_i,
  input  logic [8*AxiBytes-1:0] word_i,

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

  // Of the frame whose words are passing.
  logic                          csum_q;
  logic                          never_zero_q;
  logic                          odd_q;
  logic [PlaceWidth-1:0]         place_q;
  logic [Carry-1:0]              carry_q;
  logic [PlaceWidth-1:LaneWidth] skip_q;    // words in front of the one with csum_start
  logic                          begun_q;   // csum_start was in a word before
  logic [8*AxiBytes-1:0]         mask_q;    // the bits from csum_start on, in that word
  logic                          adds;

  assign adds = word_valid_i && csum_q && skip_q == '0;

  always_ff @(posedge clk_i) begin
    if (begin_i) begin
      csum_q       <= csum_i;
      never_zero_q <= never_zero_i;
      odd_q        <= start_i[0];
      place_q      <= place_i;
      carry_q      <= carry_i;
      skip_q       <= start_i[PlaceWidth-1:LaneWidth];
      begun_q      <= 1'b0;
    end else if (word_valid_i) begin
      begun_q <= adds;
      if (!adds) begin
        skip_q <= skip_q - 1'b1;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (begin_i && csum_i) begin
      for (int unsigned i = 0; i < AxiBytes / 8; i++) begin
        if (32'(start_i[LaneWidth-1:0]) <= 8 * i) begin
          mask_q[64*i +: 64] <= '1;
        end else if (32'(start_i[LaneWidth-1:0]) >= 8 * i + 8) begin
          mask_q[64*i +: 64] <= '0;
        end else begin
          mask_q[64*i +: 64] <= 64'hffff_ffff_ffff_ffff << {start_i[2:0], 3'b000};
        end
      end
    end
  end

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
        part = word_i[64*i +: 64] & (mask_q[64*i +: 64] | {64{begun_q}});
        sum  = sum + LanesWidth'(part[31:0]) + LanesWidth'(part[63:32]);
      end
      lanes_q       <= sum;
      lanes_first_q <= !begun_q;
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
      lanes_csum_q       <= csum_q;
      lanes_never_zero_q <= never_zero_q;
      lanes_odd_q        <= odd_q;
      lanes_place_q      <= place_q;
      lanes_carry_q      <= carry_q;
    end
    if (lanes_adds_q) begin
      sum_q <= SumWidth'(lanes_q) + (lanes_first_q ? '0 : sum_q);
    end
    if (lanes_last_q) begin
      sum_csum_q       <= lanes_csum_q;
      sum_never_zero_q <= lanes_never_zero_q;
      sum_odd_q        <= lanes_odd_q;
      sum_place_q      <= lanes_place_q;
      sum_carry_q      <= lanes_carry_q;
    end
    if (sum_valid_q) begin
      fold_q            <= FoldWidth'(sum_q[15:0]) + FoldWidth'(sum_q[31:16]) +
                           FoldWidth'(sum_q[SumWidth-1:32]);
      fold_csum_q       <= sum_csum_q;
      fold_never_zero_q <= sum_never_zero_q;
      fold_odd_q        <= sum_odd_q;
      fold_place_q      <= sum_place_q;
      fold_carry_q      <= sum_carry_q;
    end
  end

  logic [16:0] folded;
  logic [15:0] inverted;
  logic [15:0] value;

  assign folded   = {1'b0, fold_q[15:0]} + 17'(fold_q[FoldWidth-1:16]);
  assign inverted = ~(folded[15:0] + 16'(folded[16]));
  assign value    = (fold_never_zero_q && inverted == '0) ? '1 : inverted;

  assign record_valid_o = fold_valid_q;
  assign record_csum_o  = fold_csum_q;
  assign record_place_o = fold_place_q;
  assign record_value_o = fold_odd_q ? {value[7:0], value[15:8]} : value;
  assign record_carry_o = fold_carry_q;
  assign busy_o         = lanes_valid_q || sum_valid_q || fold_valid_q;

endmodule
