// SPDX-License-Identifier: Apache-2.0
//
// Proof harness of byte_merge: both descriptions replace the bytes that are named, and no others.

module byte_merge_formal #(
  parameter int unsigned Bytes = 16
) (
  input logic               clk_i,
  input logic               rst_i,
  input logic               en_i,
  input logic               all_i,
  input logic [Bytes-1:0]   keep_i,    // a bit a byte
  input logic [8*Bytes-1:0] data_i
);

  logic [8*Bytes-1:0] keep, rows, words;

  for (genvar i = 0; i < Bytes; i++) begin : g_keep
    assign keep[8*i +: 8] = {8{keep_i[i]}};
  end

  byte_merge #(.Bytes(Bytes), .Rows(1'b1)) u_dut (
    .clk_i, .en_i, .all_i, .keep_i(keep), .data_i,
    .data_o(rows)
  );

  byte_merge #(.Bytes(Bytes), .Rows(1'b0)) u_words (
    .clk_i, .en_i, .all_i, .keep_i(keep), .data_i,
    .data_o(words)
  );

  (* anyconst *) logic [$clog2(Bytes)-1:0] who;   // any byte

  logic       started_q = 1'b0;
  logic       written_q = 1'b0;
  logic [7:0] byte_q;

  always_ff @(posedge clk_i) begin
    started_q <= 1'b1;
    if (en_i && (all_i || !keep_i[who])) begin
      written_q <= 1'b1;
      byte_q    <= data_i[8*who +: 8];
    end
  end

  always_comb begin
    // A run begins with a reset.
    m_reset_first: assume (started_q || rst_i);
  end

  always_ff @(posedge clk_i) begin
    if (written_q) begin
      // A byte is what was written to it last.
      a_rows: assert (rows[8*who +: 8] == byte_q);
      // The form for simulation does the same.
      a_words: assert (words[8*who +: 8] == byte_q);
      // One is kept while another is written.
      c_kept: cover ($past(en_i) && $past(keep_i[who]) && !$past(all_i) && !$past(keep_i[0]));
    end
  end

endmodule
