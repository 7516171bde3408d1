// SPDX-License-Identifier: Apache-2.0
//
// clock_gate: withholds the clock from a block in cycles whose edge would change nothing in it.
//
//   en_i    high: the next rising edge of clk_i reaches clk_o. It passes a latch that is open while
//           clk_i is low, so that clk_o has no glitch; whatever en_i depends on must have settled
//           before clk_i rises.
//   clk_o   its edges come together with those of clk_i
//
//              ____      ____      ____      ____
//   clk_i   __|    |____|    |____|    |____|    |__
//           _______________           ______________
//   en_i                   |_________|
//              ____      ____                ____
//   clk_o   __|    |____|    |______________|    |__
//
// A clock that is withheld must not have been needed: blocks give an enable that is high whenever
// an edge could change their state. So a gate may as well pass every edge, which is what synthesis
// makes of it: FPGAs have few clock nets, and the registers behind it have enables of their own.
// In simulation a block whose clock stands still costs nothing. OPEN_CLOCK_GATES opens the gates
// there too: the models with assertions are built so, and a test holds their traces equal to those of
// the fast one, whose gates work. STEPPED_CLOCK_GATES is for a simulation that looks at all clocks
// once a cycle, before the first register changes: then the latch would never hold anything back.

module clock_gate (
  input  logic clk_i,
  input  logic en_i,
  output logic clk_o
);

`ifdef SYNTHESIS
  `define OPEN_CLOCK_GATES
`endif

`ifdef OPEN_CLOCK_GATES
  logic unused_enable;
  assign unused_enable = en_i;
  assign clk_o         = clk_i;
`elsif STEPPED_CLOCK_GATES
  assign clk_o = clk_i && en_i;
`else
  logic en_q;

  always_latch begin
    if (!clk_i) begin
      en_q = en_i;
    end
  end

  assign clk_o = clk_i && en_q;
`endif

endmodule
