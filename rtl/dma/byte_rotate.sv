// SPDX-License-Identifier: Apache-2.0
//
// byte_rotate: takes Bytes bytes out of two neighbouring words, from any byte on; or turns one word.
//
//            hi_i                    lo_i
//   [ f e d c b a 9 8 7 6 5 4 3 2 1 0 | f e d c b a 9 8 7 6 5 4 3 2 1 0 ]
//                       [ ........ data_o, offset_i = 5 ...... ]
//
//   data_o    registered: loaded in a cycle with en_i, kept otherwise
//   turn_i    lo_i stands in the place of hi_i: lo_i turned right by offset_i bytes
//
// Parameters:
//   Bytes   bytes in a word, a power of two, 8 or more

module byte_rotate #(
  parameter int unsigned Bytes = 16,
  localparam int unsigned LaneWidth = $clog2(Bytes)
) (
  input  logic                 clk_i,

  input  logic                 en_i,
  input  logic                 turn_i,
  input  logic [LaneWidth-1:0] offset_i,
  input  logic [8*Bytes-1:0]   hi_i,
  input  logic [8*Bytes-1:0]   lo_i,
  output logic [8*Bytes-1:0]   data_o
);

  localparam int unsigned Words = Bytes / 8;

  if (Bytes < 8 || (1 << LaneWidth) != Bytes) $error("byte_rotate: Bytes: a power of two, >= 8");

  // In words of 64 bits: first whole words are chosen, then two neighbours are shifted together.
  // Simulation is fastest like that, and it is a barrel shifter all the same.
  function automatic logic [8*Bytes-1:0] extract(input logic [16*Bytes-1:0] pair,
                                                 input logic [LaneWidth-1:0] offset);
    logic [63:0] low;
    logic [63:0] high;
    logic [5:0]  shift;
    int unsigned first;
    shift   = {offset[2:0], 3'b000};
    first   = 32'(offset) >> 3;
    extract = '0;
    for (int unsigned i = 0; i < Words; i++) begin
      low  = pair[64*(i + first) +: 64];
      high = pair[64*(i + first + 1) +: 64];
      // shift is a multiple of 8, so ~shift is 63 - shift: the two left shifts make 64 - shift.
      extract[64*i +: 64] = (low >> shift) | ((high << 1) << ~shift);
    end
  endfunction

  always_ff @(posedge clk_i) begin
    if (en_i) begin
      data_o <= extract({turn_i ? lo_i : hi_i, lo_i}, offset_i);
    end
  end

endmodule
