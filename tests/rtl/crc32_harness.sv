// SPDX-License-Identifier: Apache-2.0
//
// crc32 in all its forms, side by side.

module crc32_harness (
  input  logic        clk_i,
  input  logic        rst_i,
  input  logic        enable_i,
  input  logic        first_i,
  input  logic [63:0] data_i,
  input  logic [3:0]  octets_i,
  output logic [31:0] tables_o,
  output logic [31:0] parities_o,
  output logic [31:0] whole_tables_o,
  output logic [31:0] whole_parities_o
);

  logic [31:0] crc [4];

  for (genvar f = 0; f < 4; f++) begin : g_form
    crc32 #(
      .Partial (f < 2),
      .Parities(f % 2 == 1)
    ) u_crc32 (
      .clk_i   (clk_i),
      .rst_i   (rst_i),
      .enable_i(enable_i),
      .first_i (first_i),
      .data_i  (data_i),
      .octets_i(octets_i),
      .crc_o   (crc[f])
    );
  end

  assign tables_o         = crc[0];
  assign parities_o       = crc[1];
  assign whole_tables_o   = crc[2];
  assign whole_parities_o = crc[3];

endmodule
