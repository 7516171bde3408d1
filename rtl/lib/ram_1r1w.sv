// SPDX-License-Identifier: Apache-2.0
//
// ram_1r1w: memory with one write port and one synchronous read port on one clock (block RAM).
//
//   write   we_i stores wdata_i at waddr_i.
//   read    re_i puts the word at raddr_i on rdata_o from the next cycle on; without re_i rdata_o
//           keeps its value. Reading the address that is being written gives the OLD word.
//
// The memory has no reset: a word that was never written reads as anything.
//
// Parameters:
//   Width   bits in a word
//   Depth   words, any number from 2 up; addresses from Depth up must not be used

module ram_1r1w #(
  parameter int unsigned Width = 32,
  parameter int unsigned Depth = 64,
  localparam int unsigned AddrWidth = $clog2(Depth)
) (
  input  logic                 clk_i,

  input  logic                 we_i,
  input  logic [AddrWidth-1:0] waddr_i,
  input  logic [Width-1:0]     wdata_i,

  input  logic                 re_i,
  input  logic [AddrWidth-1:0] raddr_i,
  output logic [Width-1:0]     rdata_o
);

  if (Width < 1) $error("ram_1r1w: Width must be at least 1");
  if (Depth < 2) $error("ram_1r1w: Depth must be at least 2");

  (* ram_style = "block" *)
  logic [Width-1:0] mem [Depth];

  always_ff @(posedge clk_i) begin
    if (we_i) begin
      mem[waddr_i] <= wdata_i;
    end
  end

  always_ff @(posedge clk_i) begin
    if (re_i) begin
      rdata_o <= mem[raddr_i];
    end
  end

endmodule
