// SPDX-License-Identifier: Apache-2.0
//
// Proof harness of arbiter_wide: beside arbiter_rr, with the same requests.

module arbiter_wide_formal #(
  parameter int unsigned N = 6,
  parameter int unsigned Group = 2
) (
  input logic         clk_i,
  input logic         rst_i,
  input logic [N-1:0] request_i,
  input logic         advance_i
);

  localparam int unsigned Groups = (N + Group - 1) / Group;

  logic [$clog2(N)-1:0] index;
  logic                 valid;
  logic [N-1:0]         grant;
  logic [$clog2(N)-1:0] grant_index;
  logic                 grant_valid;

  arbiter_wide #(
    .N    (N),
    .Group(Group)
  ) u_dut (
    .clk_i    (clk_i),
    .rst_i    (rst_i),
    .request_i(request_i),
    .advance_i(advance_i),
    .index_o  (index),
    .valid_o  (valid)
  );

  arbiter_rr #(
    .N(N)
  ) u_model (
    .clk_i        (clk_i),
    .rst_i        (rst_i),
    .request_i    (request_i),
    .advance_i    (advance_i),
    .grant_o      (grant),
    .grant_index_o(grant_index),
    .grant_valid_o(grant_valid)
  );

  // Both pointers, which the induction has to relate.
  (* hierconn *) wire [Group-1:0] \u_dut.mask_q ;
  (* hierconn *) wire [Groups-1:0] \u_dut.above_q ;
  (* hierconn *) wire [$clog2(Groups)-1:0] \u_dut.group_q ;
  (* hierconn *) wire [N-1:0] \u_model.mask_q ;

  logic [Groups*Group-1:0] mask;   // that of u_dut as u_model has it

  always_comb begin
    for (int unsigned i = 0; i < Groups; i++) begin
      mask[Group*i +: Group] = \u_dut.above_q [i] ? '1 : '0;
      if (32'(\u_dut.group_q ) == i) mask[Group*i +: Group] = \u_dut.mask_q ;
    end
  end

  logic         started_q = 1'b0;
  logic [N-1:0] seen_q;   // chosen in a row of cycles with every requester asking

  always_ff @(posedge clk_i) begin
    started_q <= 1'b1;
    if (rst_i) begin
      seen_q <= '0;
    end else begin
      seen_q <= (request_i == '1 && advance_i) ? seen_q | (N'(1) << index) : '0;
    end
  end

  always_comb begin
    // A run begins with a reset.
    m_reset_first: assume (started_q || rst_i);
  end

  always_ff @(posedge clk_i) begin
    if (started_q && !rst_i) begin
      // It chooses whom arbiter_rr grants.
      a_same: assert (index == grant_index && valid == grant_valid);
      // Both pointers stand at the same place.
      a_pointer: assert (mask[N-1:0] == \u_model.mask_q );
      // The pointer's group exists, and the groups above it are those above.
      a_group: assert (32'(\u_dut.group_q ) < Groups &&
                       \u_dut.above_q == ~((Groups'(2) << \u_dut.group_q ) - 1'b1));
      // With everybody asking, all are served.
      c_all_served: cover (seen_q == '1);
    end
  end

endmodule
