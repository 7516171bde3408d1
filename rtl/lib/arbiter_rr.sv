// SPDX-License-Identifier: Apache-2.0
//
// arbiter_rr: round-robin arbiter.
//
//   grant_o        one-hot, combinational from request_i and the pointer: the first requester at or
//                  after the pointer, around the end. Zero without a request.
//   grant_index_o  the number of the granted requester; 0 without a request.
//   advance_i      at the clock edge the pointer moves just past the granted requester. Without it
//                  the pointer stays, and so does the grant if the requests do.
//   Fair: who keeps asking is granted after at most N-1 advances for others.
//
// Parameters:
//   N   number of requesters, 1 or more

module arbiter_rr #(
  parameter int unsigned N = 4,
  localparam int unsigned IndexWidth = (N > 1) ? $clog2(N) : 1
) (
  input  logic                  clk_i,
  input  logic                  rst_i,

  input  logic [N-1:0]          request_i,
  input  logic                  advance_i,

  output logic [N-1:0]          grant_o,
  output logic [IndexWidth-1:0] grant_index_o,
  output logic                  grant_valid_o
);

  if (N < 1) $error("arbiter_rr: N must be at least 1");

  // Ones at the pointer and above; the requesters there come first.
  logic [N-1:0] mask_q;
  logic [N-1:0] preferred;
  logic [N-1:0] candidates;

  assign preferred     = request_i & mask_q;
  assign candidates    = (preferred != '0) ? preferred : request_i;
  assign grant_o       = candidates & (~candidates + 1'b1);
  assign grant_valid_o = request_i != '0;

  always_comb begin
    grant_index_o = '0;
    for (int unsigned i = 0; i < N; i++) begin
      if (grant_o[i]) begin
        grant_index_o = grant_index_o | IndexWidth'(i);
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      mask_q <= '1;
    end else if (advance_i && grant_valid_o) begin
      mask_q <= ~(grant_o | (grant_o - 1'b1));
    end
  end

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // At most one requester is granted.
      a_one_hot: assert ((grant_o & (grant_o - 1'b1)) == '0);
      // Only who asks is granted.
      a_asked: assert ((grant_o & ~request_i) == '0);
      // Somebody is granted whenever somebody asks.
      a_work: assert (grant_valid_o == (grant_o != '0));
      // The mask is a run of ones that reaches the top.
      a_mask: assert ((~mask_q & (~mask_q + 1'b1)) == '0);
    end
  end
`endif

endmodule
