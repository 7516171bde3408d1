// SPDX-License-Identifier: Apache-2.0
//
// Proof harness of rx_ledger: frames that are stored while there is room, leave when they are held, and
// are given up at any time.

module rx_ledger_formal #(
  parameter int unsigned Frames = 5
) (
  input logic       clk_i,
  input logic       rst_i,
  input logic       stored_i,
  input logic [1:0] left_i,
  input logic       give_up_i
);

  logic drop_reset, quiet;

  rx_ledger #(
    .Frames(Frames),
    .Ways  (2)
  ) u_dut (
    .clk_i       (clk_i),
    .rst_i       (rst_i),
    .stored_i    (stored_i),
    .left_i      (left_i),
    .give_up_i   (give_up_i),
    .drop_reset_o(drop_reset),
    .quiet_o     (quiet)
  );

  // What the induction has to know of u_dut.
  (* hierconn *) wire [2:0] \u_dut.held_q ;

  logic       started_q = 1'b0;
  logic [7:0] stored_q, left_q, dropped_q;   // all that came, left, and were counted as lost
  logic [7:0] held;

  assign held = stored_q - left_q - dropped_q;

  always_ff @(posedge clk_i) begin
    started_q <= 1'b1;
    if (rst_i) begin
      stored_q  <= '0;
      left_q    <= '0;
      dropped_q <= '0;
    end else begin
      stored_q  <= stored_q + 8'(stored_i);
      left_q    <= left_q + 8'(left_i[0]) + 8'(left_i[1]);
      dropped_q <= dropped_q + 8'(drop_reset);
    end
  end

  always_comb begin
    // A run begins with a reset.
    m_reset_first: assume (started_q || rst_i);
    // No more are stored than there is room for; those that leave are held, and not given up.
    m_room: assume (!stored_i || held < 8'(Frames));
    m_held: assume (8'(left_i[0]) + 8'(left_i[1]) <= held && !(give_up_i && left_i != '0));
  end

  always_ff @(posedge clk_i) begin
    if (started_q && !rst_i) begin
      // Every frame that came is held, has left, or was counted as lost, and only one of them.
      a_all: assert (held == {5'd0, \u_dut.held_q } && held <= 8'(Frames));
      // Quiet is when none is held.
      a_quiet: assert (quiet == (held == '0));
      // What is given up is counted, one frame a cycle until none is left, and nothing else is.
      a_drop: assert (drop_reset == (give_up_i && held != '0));
      c_all: cover (dropped_q == 8'd3 && left_q == 8'd3 && quiet);
    end
  end

endmodule
