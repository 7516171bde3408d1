// SPDX-License-Identifier: Apache-2.0
//
// Counts of 6 bits, one for each of many events.
//
//   count_i   one event each, any number of them in a cycle
//   take_i    the count of turn_i is taken: it goes on from 0. count_o is that count in the same cycle,
//             with what is being counted in it.
//   half_o    a count is 32 or more
//
// The sender takes a count before it has had 64 events.
//
// Parameters:
//   Counters   2 to 32
//   Planes     how the counts lie: 1, in planes, one for each of their bits, so that all are counted up
//              together by a few operations on words, which is what simulation does fast; 0, each for
//              itself, which lets synthesis use the enables of registers and halves the logic. The same
//              thing: it is proved.
module event_counts #(
  parameter int unsigned Counters = 31,
`ifdef SYNTHESIS
  parameter bit          Planes = 1'b0,
`else
  parameter bit          Planes = 1'b1,
`endif
  localparam int unsigned IndexWidth = $clog2(Counters)
) (
  input  logic                  clk_i,
  input  logic                  rst_i,

  input  logic [Counters-1:0]   count_i,
  input  logic                  take_i,
  input  logic [IndexWidth-1:0] turn_i,   // below Counters
  output logic [6:0]            count_o,
  output logic                  half_o
);

  logic [Counters-1:0] bit0, bit1, bit2, bit3, bit4, bit5;

  always_comb begin
    count_o = '0;
    if (take_i) begin
      count_o = {1'b0, bit5[turn_i], bit4[turn_i], bit3[turn_i],
                 bit2[turn_i], bit1[turn_i], bit0[turn_i]} + 7'(count_i[turn_i]);
    end
  end

  assign half_o = bit5 != '0;

  if (Planes) begin : g_planes
    logic [Counters-1:0] bit0_q, bit1_q, bit2_q, bit3_q, bit4_q, bit5_q;

    assign bit0 = bit0_q;
    assign bit1 = bit1_q;
    assign bit2 = bit2_q;
    assign bit3 = bit3_q;
    assign bit4 = bit4_q;
    assign bit5 = bit5_q;

    always_ff @(posedge clk_i) begin : p_count
      logic [Counters-1:0] keep;
      logic [Counters-1:0] carry;
      if (take_i || count_i != '0) begin
        keep   = ~(Counters'(take_i) << turn_i);
        carry  = count_i;
        bit0_q <= (bit0_q ^ carry) & keep;
        carry  = bit0_q & carry;
        bit1_q <= (bit1_q ^ carry) & keep;
        carry  = bit1_q & carry;
        bit2_q <= (bit2_q ^ carry) & keep;
        carry  = bit2_q & carry;
        bit3_q <= (bit3_q ^ carry) & keep;
        carry  = bit3_q & carry;
        bit4_q <= (bit4_q ^ carry) & keep;
        carry  = bit4_q & carry;
        bit5_q <= (bit5_q ^ carry) & keep;
      end
      if (rst_i) begin
        bit0_q <= '0;
        bit1_q <= '0;
        bit2_q <= '0;
        bit3_q <= '0;
        bit4_q <= '0;
        bit5_q <= '0;
      end
    end
  end else begin : g_apart
    for (genvar c = 0; c < Counters; c++) begin : g_count
      logic [5:0] count_q;

      assign {bit5[c], bit4[c], bit3[c], bit2[c], bit1[c], bit0[c]} = count_q;

      always_ff @(posedge clk_i) begin
        if (count_i[c]) count_q <= count_q + 1'b1;
        if (rst_i || (take_i && turn_i == IndexWidth'(c))) count_q <= '0;
      end
    end
  end

endmodule
