// SPDX-License-Identifier: Apache-2.0
//
// Proof harness of rx_turn: any word, any even number of lanes, any byte of the result.

module rx_turn_formal #(
  parameter int unsigned Bytes = 64
) (
  input logic                     clk_i,
  input logic [8*Bytes-1:0]       data_i,
  input logic [$clog2(Bytes)-1:1] lanes_i,
  input logic [$clog2(Bytes)-1:0] who_i
);

  logic [8*Bytes-1:0]       data;
  logic [$clog2(Bytes)-1:0] to;

  rx_turn #(
    .Bytes(Bytes)
  ) u_dut (
    .data_i (data_i),
    .lanes_i(lanes_i),
    .data_o (data)
  );

  assign to = who_i + {lanes_i, 1'b0};

  always_ff @(posedge clk_i) begin
    // Lane n goes to lane n + lanes_i, around the end.
    a_turn: assert (data[8*to +: 8] == data_i[8*who_i +: 8]);
    c_around: cover (to < who_i && data[8*to +: 8] == 8'h5a);
  end

endmodule
