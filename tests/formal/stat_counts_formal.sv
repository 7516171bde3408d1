// SPDX-License-Identifier: Apache-2.0
//
// Proof harness of stat_counts, with two places in a RAM: any additions to them, one after the other as
// they like, and their counts emptied in any order, beside counts of the harness's own. As in
// device_stats, the places are cleared first, and no count is let overflow.

module stat_counts_formal (
  input logic       clk_i,
  input logic       rst_i,
  input logic       add_i,
  input logic       add_place_i,
  input logic [0:0] add_a_i,
  input logic [1:0] add_b_i,
  input logic       take_i,
  input logic       take_b_i,
  input logic       take_place_i
);

  localparam int unsigned AWidth = 3;
  localparam int unsigned BWidth = 4;

  logic              clear_q, clear_place_q;
  logic              add, take, take_ready, half, idle;
  logic [BWidth-1:0] count;

  // Nothing is added or taken while places are cleared.
  assign add  = add_i && !clear_q;
  assign take = take_i && take_ready && !clear_q;

  stat_counts #(
    .Places(2), .AWidth(AWidth), .BWidth(BWidth), .AddA(1), .AddB(2)
  ) u_dut (
    .clk_i       (clk_i),
    .rst_i       (rst_i),
    .add_i       (add),
    .add_place_i (add_place_i),
    .add_a_i     (add_a_i),
    .add_b_i     (add_b_i),
    .take_i      (take),
    .take_b_i    (take_b_i),
    .take_place_i(clear_q ? clear_place_q : take_place_i),
    .take_ready_o(take_ready),
    .count_o     (count),
    .clear_i     (clear_q),
    .half_o      (half),
    .idle_o      (idle)
  );

  // What is in the cell, which the induction has to know.
  (* hierconn *) wire                     \u_dut.g_ram.busy_q ;
  (* hierconn *) wire                     \u_dut.g_ram.place_q ;
  (* hierconn *) wire [AWidth-1:0]        \u_dut.old_a ;
  (* hierconn *) wire [BWidth-1:0]        \u_dut.old_b ;
  (* hierconn *) wire [AWidth-1:0]        \u_dut.sum_a ;
  (* hierconn *) wire [BWidth-1:0]        \u_dut.sum_b ;
  (* hierconn *) wire [AWidth+BWidth-1:0] \u_dut.g_ram.u_counts.mem[0] ;
  (* hierconn *) wire [AWidth+BWidth-1:0] \u_dut.g_ram.u_counts.mem[1] ;

  logic                     started_q = 1'b0;
  logic [1:0]               known_q;         // the place is cleared
  logic [AWidth-1:0]        a0_q, a1_q, a, next_a;
  logic [BWidth-1:0]        b0_q, b1_q, b, next_b;
  logic                     took_q;
  logic [BWidth-1:0]        took_count_q;
  logic                     crossed_q;       // a count became half full
  logic                     busy, in_hand;
  logic [AWidth+BWidth-1:0] held0, held1;

  assign a      = add_place_i ? a1_q : a0_q;
  assign b      = add_place_i ? b1_q : b0_q;
  assign next_a = a + AWidth'(add_a_i);
  assign next_b = b + BWidth'(add_b_i);

  always_ff @(posedge clk_i) begin
    started_q <= 1'b1;
    took_q    <= 1'b0;
    crossed_q <= 1'b0;
    if (rst_i) begin
      clear_q       <= 1'b1;
      clear_place_q <= 1'b0;
      known_q       <= 2'b00;
    end else if (clear_q) begin
      clear_q       <= !clear_place_q;
      clear_place_q <= 1'b1;
      if (clear_place_q) begin
        known_q[1] <= 1'b1;
        a1_q       <= '0;
        b1_q       <= '0;
      end else begin
        known_q[0] <= 1'b1;
        a0_q       <= '0;
        b0_q       <= '0;
      end
    end else if (add) begin
      crossed_q <= (next_a[AWidth-1] && !a[AWidth-1]) || (next_b[BWidth-1] && !b[BWidth-1]);
      if (add_place_i) begin
        a1_q <= next_a;
        b1_q <= next_b;
      end else begin
        a0_q <= next_a;
        b0_q <= next_b;
      end
    end else if (take) begin
      took_q       <= 1'b1;
      took_count_q <= take_b_i ? (take_place_i ? b1_q : b0_q) :
                                 BWidth'(take_place_i ? a1_q : a0_q);
      if (take_place_i) begin
        if (take_b_i) b1_q <= '0;
        else          a1_q <= '0;
      end else begin
        if (take_b_i) b0_q <= '0;
        else          a0_q <= '0;
      end
    end
  end

  assign busy    = \u_dut.g_ram.busy_q ;
  assign in_hand = \u_dut.g_ram.place_q ;
  assign held0   = (busy && !in_hand) ? {\u_dut.sum_b , \u_dut.sum_a }
                                      : \u_dut.g_ram.u_counts.mem[0] ;
  assign held1   = (busy && in_hand) ? {\u_dut.sum_b , \u_dut.sum_a }
                                     : \u_dut.g_ram.u_counts.mem[1] ;

  always_comb begin
    // A run begins with a reset.
    m_reset_first: assume (started_q || rst_i);
    // Counts are emptied in time.
    m_room: assume (!add || (next_a >= a && next_b >= b));
  end

  always_ff @(posedge clk_i) begin
    if (started_q && !rst_i) begin
      // Places are cleared one after the other.
      a_clear: assert (clear_q ? known_q == {1'b0, clear_place_q} : known_q == 2'b11);
      // What is added to is what the place holds, however soon it is added to again.
      a_old: assert (!busy || {\u_dut.old_b , \u_dut.old_a } ==
                     (in_hand ? \u_dut.g_ram.u_counts.mem[1] : \u_dut.g_ram.u_counts.mem[0] ));
      // A place holds what was added since it was emptied.
      a_exact: assert ((!known_q[0] || held0 == {b0_q, a0_q}) &&
                       (!known_q[1] || held1 == {b1_q, a1_q}));
      // What is taken is all of it.
      a_taken: assert (!took_q || count == took_count_q);
      // A count that becomes half full is told, once.
      a_half: assert (clear_q || known_q != 2'b11 || half == crossed_q);
      // It rests when nothing is on its way.
      a_idle: assert (idle == !busy);
      // Counts go up and are taken.
      c_counts: cover (took_q && count == BWidth'(7) && b1_q == BWidth'(5));
    end
  end

endmodule
