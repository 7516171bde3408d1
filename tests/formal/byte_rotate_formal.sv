// SPDX-License-Identifier: Apache-2.0
//
// Proof harness of byte_rotate: both descriptions take the bytes that the definition names.

module byte_rotate_formal #(
  parameter int unsigned Bytes = 16
) (
  input logic                     clk_i,
  input logic                     rst_i,
  input logic                     en_i,
  input logic                     turn_i,
  input logic [$clog2(Bytes)-1:0] offset_i,
  input logic [8*Bytes-1:0]       hi_i,
  input logic [8*Bytes-1:0]       lo_i
);

  logic [8*Bytes-1:0] rows, words;

  byte_rotate #(.Bytes(Bytes), .Rows(1'b1)) u_dut (
    .clk_i, .en_i, .turn_i, .offset_i, .hi_i, .lo_i,
    .data_o(rows)
  );

  byte_rotate #(.Bytes(Bytes), .Rows(1'b0)) u_words (
    .clk_i, .en_i, .turn_i, .offset_i, .hi_i, .lo_i,
    .data_o(words)
  );

  (* anyconst *) logic [$clog2(Bytes)-1:0] who;   // any byte of the result

  logic                   started_q = 1'b0;
  logic                   loaded_q  = 1'b0;
  logic [7:0]             byte_q;      // what it has to be
  logic [$clog2(Bytes):0] from;

  assign from = {1'b0, who} + {1'b0, offset_i};

  always_ff @(posedge clk_i) begin
    started_q <= 1'b1;
    if (en_i) begin
      loaded_q <= 1'b1;
      if (from < ($clog2(Bytes) + 1)'(Bytes)) begin
        byte_q <= lo_i[8*from[$clog2(Bytes)-1:0] +: 8];
      end else begin
        byte_q <= turn_i ? lo_i[8*from[$clog2(Bytes)-1:0] +: 8] : hi_i[8*from[$clog2(Bytes)-1:0] +: 8];
      end
    end
  end

  always_comb begin
    // A run begins with a reset.
    m_reset_first: assume (started_q || rst_i);
  end

  always_ff @(posedge clk_i) begin
    if (loaded_q) begin
      // Byte i is byte i + offset of the two words, and stays until the next is taken.
      a_rows: assert (rows[8*who +: 8] == byte_q);
      // The form for simulation does the same.
      a_words: assert (words[8*who +: 8] == byte_q);
      // A byte of the upper word, and one that was turned.
      c_high: cover (!$past(turn_i) && $past(from) >= Bytes && byte_q != $past(lo_i[7:0]));
      c_turned: cover ($past(turn_i) && $past(from) >= Bytes);
    end
  end

endmodule
