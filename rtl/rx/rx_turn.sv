// SPDX-License-Identifier: Apache-2.0
//
// rx_turn: turns a word by an even number of byte lanes, upwards: lane n goes to lane n + lanes_i,
// modulo Bytes. Combinational.
//
//     lanes_i = 4      [ b7 b6 b5 b4 b3 b2 b1 b0 ]  -->  [ b3 b2 b1 b0 b7 b6 b5 b4 ]
//
// It is a row of two-way choices for each bit of lanes_i. Two rows fit in one six-input LUT, which Yosys
// finds when the rows are all that it sees: so the border of this module is kept in synthesis.
//
// Parameters:
//   Bytes   bytes in a word, a power of two

(* keep_hierarchy = 1 *)
module rx_turn #(
  parameter int unsigned Bytes = 16,
  localparam int unsigned LaneWidth = $clog2(Bytes)
) (
  input  logic [8*Bytes-1:0]   data_i,
  input  logic [LaneWidth-1:1] lanes_i,   // bit 0 is 0
  output logic [8*Bytes-1:0]   data_o
);

  if (Bytes < 4 || (1 << LaneWidth) != Bytes) $error("rx_turn: Bytes must be a power of two");

  always_comb begin
    data_o = data_i;
    for (int unsigned i = 1; i < LaneWidth; i++) begin
      if (lanes_i[i]) data_o = (data_o << (8 << i)) | (data_o >> (8 * Bytes - (8 << i)));
    end
  end

endmodule
