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
//   Rows    how it is described: as rows of four-way choices, which take least in an FPGA, or in words of
//           64 bits, with which simulation is fastest. It does the same.

module byte_rotate #(
  parameter int unsigned Bytes = 16,
`ifdef SYNTHESIS
  parameter bit Rows = 1'b1,
`else
  parameter bit Rows = 1'b0,
`endif
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

  // In words of 64 bits: first whole words are chosen, then two neighbours are shifted
  // together.
  function automatic logic [8*Bytes-1:0] by_words(input logic [16*Bytes-1:0] pair,
                                                  input logic [LaneWidth-1:0] offset);
    logic [63:0] low;
    logic [63:0] high;
    logic [5:0]  shift;
    int unsigned first;
    shift    = {offset[2:0], 3'b000};
    first    = 32'(offset) >> 3;
    by_words = '0;
    for (int unsigned i = 0; i < Words; i++) begin
      low  = pair[64*(i + first) +: 64];
      high = pair[64*(i + first + 1) +: 64];
      // shift is a multiple of 8, so ~shift is 63 - shift: the two left shifts make 64 - shift.
      by_words[64*i +: 64] = (low >> shift) | ((high << 1) << ~shift);
    end
  endfunction

  if (Rows) begin : g_rows
    // A row for every two bits of the offset, the upper ones first, each a choice of one byte among
    // four, which is a six-input LUT for each bit. What a row puts out is kept, or the mapper would look
    // for something better and find something worse. Behind a row that leaves r bits of the offset,
    // 2^r - 1 bytes above the word can still come down.
    for (genvar r = 0; r < LaneWidth; r += 2) begin : g_row
      localparam int unsigned Choices = (r + 1 == LaneWidth) ? 2 : 4;
      localparam int unsigned In = 8 * (Bytes + (1 << r) * Choices - 1);
      localparam int unsigned Out = 8 * (Bytes + (1 << r) - 1);

      logic [In-1:0]             from;
      (* keep *) logic [Out-1:0] chosen;
      logic [1:0]                step;

      if (r + 2 >= LaneWidth) begin : g_first
        assign from = In'({turn_i ? lo_i : hi_i, lo_i});
      end else begin : g_next
        assign from = g_row[r+2].chosen;
      end

      assign step = (Choices == 2) ? {1'b0, offset_i[r]} : offset_i[r +: 2];

      always_comb begin
        chosen = from[Out-1:0];
        if (step == 2'd1) chosen = from[8*(1 << r) +: Out];
        if (Choices == 4) begin
          if (step == 2'd2) chosen = from[8*((Choices == 4) ? 2 << r : 0) +: Out];
          if (step == 2'd3) chosen = from[8*((Choices == 4) ? 3 << r : 0) +: Out];
        end
      end
    end

    always_ff @(posedge clk_i) begin
      if (en_i) begin
        data_o <= g_row[0].chosen;
      end
    end
  end else begin : g_words
    always_ff @(posedge clk_i) begin
      if (en_i) begin
        data_o <= by_words({turn_i ? lo_i : hi_i, lo_i}, offset_i);
      end
    end
  end

endmodule
