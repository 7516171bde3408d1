// SPDX-License-Identifier: Apache-2.0
//
// Proof harness of arbiter_rr: any requests after a reset; one requester, chosen freely, is watched.

module arbiter_rr_formal #(
  parameter int unsigned N = 4
) (
  input logic         clk_i,
  input logic         rst_i,
  input logic [N-1:0] request_i,
  input logic         advance_i
);

  logic [N-1:0]         grant;
  logic [$clog2(N)-1:0] grant_index;
  logic                 grant_valid;

  arbiter_rr #(
    .N(N)
  ) u_dut (
    .clk_i        (clk_i),
    .rst_i        (rst_i),
    .request_i    (request_i),
    .advance_i    (advance_i),
    .grant_o      (grant),
    .grant_index_o(grant_index),
    .grant_valid_o(grant_valid)
  );

  // The pointer of u_dut, as ones from it up, which the induction has to know.
  (* hierconn *) wire [N-1:0] \u_dut.mask_q ;

  (* anyconst *) logic [$clog2(N)-1:0] who;

  logic       started_q = 1'b0;
  logic [3:0] passed_q;   // advances for others while `who` kept asking
  logic [N-1:0] seen_q; // granted in a row of cycles with every requester asking
  logic [3:0] streak_q;

  // How many requesters come before `who`: from the pointer up to it, around the end.
  logic [3:0] pointer;
  logic [3:0] distance;

  always_comb begin
    pointer = '0;
    for (int unsigned i = 0; i < N; i++) begin
      pointer = pointer + 4'(!\u_dut.mask_q [i]);
    end
    if (pointer == 4'(N)) begin
      pointer = '0;
    end
    distance = (4'(who) >= pointer) ? 4'(who) - pointer : 4'(who) + 4'(N) - pointer;
  end

  always_ff @(posedge clk_i) begin
    started_q <= 1'b1;
    if (rst_i) begin
      passed_q <= '0;
      seen_q   <= '0;
      streak_q <= '0;
    end else begin
      if (!request_i[who] || (advance_i && grant[who])) begin
        passed_q <= '0;
      end else if (advance_i) begin
        passed_q <= passed_q + 1'b1;
      end
      seen_q   <= (request_i == '1 && advance_i) ? seen_q | grant : '0;
      streak_q <= (request_i == '1 && advance_i) ? streak_q + 4'(streak_q != '1) : '0;
    end
  end

  always_comb begin
    // A run begins with a reset.
    m_reset_first: assume (started_q || rst_i);
    // The watched requester exists.
    m_who: assume (32'(who) < N);
  end

  always_ff @(posedge clk_i) begin
    if (started_q && !rst_i) begin
      // Exactly one requester is granted when any asks, else none.
      a_one_hot: assert ((grant & (grant - 1'b1)) == '0 && (grant != '0) == (request_i != '0));
      // Only who asks is granted, and the index names it.
      a_index: assert (grant == '0 || (grant == N'(1) << grant_index && request_i[grant_index]));
      // The validity says whether somebody asks.
      a_valid: assert (grant_valid == (request_i != '0));
      // Who keeps asking waits for at most N-1 advances for others.
      a_fair: assert (passed_q < 4'(N));
      // Every advance for another brings the watched requester nearer.
      a_nearer: assert (passed_q + distance < 4'(N));
      // With everybody asking, N cycles serve N requesters.
      c_all_served: cover (seen_q == '1 && streak_q == 4'(N));
    end
  end

endmodule
