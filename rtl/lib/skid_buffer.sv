// SPDX-License-Identifier: Apache-2.0
//
// skid_buffer: cuts a ready/valid path; no output depends on an input in the same cycle.
//
//   in    A word moves when in_valid_i and in_ready_o are both high. in_ready_o is a register.
//   out   out_valid_o and out_data_o are registers; they stay until the word moves (out_valid_o and
//         out_ready_i both high).
//   latency 1, throughput one word a cycle; it holds two words.
//
// Parameters:
//   Width   bits in a word

module skid_buffer #(
  parameter int unsigned Width = 8
) (
  input  logic             clk_i,
  input  logic             rst_i,

  input  logic             in_valid_i,
  output logic             in_ready_o,
  input  logic [Width-1:0] in_data_i,

  output logic             out_valid_o,
  input  logic             out_ready_i,
  output logic [Width-1:0] out_data_o
);

  if (Width < 1) $error("skid_buffer: Width must be at least 1");

  logic             out_valid_q;
  logic             skid_valid_q;  // the second place is taken; in_ready_o is its complement
  logic [Width-1:0] out_data_q;
  logic [Width-1:0] skid_data_q;

  logic push;
  logic out_free;

  assign push     = in_valid_i && !skid_valid_q;
  assign out_free = out_ready_i || !out_valid_q;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      out_valid_q  <= 1'b0;
      skid_valid_q <= 1'b0;
    end else if (out_free) begin
      out_valid_q  <= skid_valid_q || in_valid_i;
      skid_valid_q <= 1'b0;
    end else if (push) begin
      skid_valid_q <= 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (out_free) begin
      if (skid_valid_q) begin
        out_data_q <= skid_data_q;
      end else if (in_valid_i) begin
        out_data_q <= in_data_i;
      end
    end else if (push) begin
      skid_data_q <= in_data_i;
    end
  end

  assign in_ready_o  = !skid_valid_q;
  assign out_valid_o = out_valid_q;
  assign out_data_o  = out_data_q;

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // The second place is used only while the first is taken.
      a_order: assert (!skid_valid_q || out_valid_q);
    end
  end
`endif

endmodule
