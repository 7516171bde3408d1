// SPDX-License-Identifier: Apache-2.0
//
// byte_merge: a word into which bytes are put.
//
//   data_o    registered: in a cycle with en_i its bytes become those of data_i, but for those that
//             keep_i marks
//   keep_i    all eight bits of a byte, or none; with all_i it does not count
//
// Parameters:
//   Bytes   bytes in a word, a multiple of 8
//   Rows    how it is described: with an enable for each byte, which takes no logic in an FPGA, or in
//           words of 64 bits, with which simulation is fastest. It does the same.

module byte_merge #(
  parameter int unsigned Bytes = 16,
`ifdef SYNTHESIS
  parameter bit Rows = 1'b1
`else
  parameter bit Rows = 1'b0
`endif
) (
  input  logic               clk_i,
  input  logic               en_i,
  input  logic               all_i,
  input  logic [8*Bytes-1:0] keep_i,
  input  logic [8*Bytes-1:0] data_i,
  output logic [8*Bytes-1:0] data_o
);

  if (Bytes % 8 != 0) $error("byte_merge: Bytes must be a multiple of 8");

  if (Rows) begin : g_rows
    logic unused_keep;
    assign unused_keep = ^keep_i;

    for (genvar i = 0; i < Bytes; i++) begin : g_byte
      always_ff @(posedge clk_i) begin
        if (en_i && (all_i || !keep_i[8*i])) begin
          data_o[8*i +: 8] <= data_i[8*i +: 8];
        end
      end
    end
  end else begin : g_words
    always_ff @(posedge clk_i) begin
      if (en_i && all_i) begin
        data_o <= data_i;
      end else if (en_i) begin
        for (int unsigned i = 0; i < Bytes / 8; i++) begin
          data_o[64*i +: 64] <= (data_o[64*i +: 64] & keep_i[64*i +: 64]) |
                                (data_i[64*i +: 64] & ~keep_i[64*i +: 64]);
        end
      end
    end
  end

endmodule
