// SPDX-License-Identifier: Apache-2.0
//
// Proof harness of event_counts: the form for synthesis beside the one for simulation, and a count of
// the solver's choice beside both; any events, taken in any order.

module event_counts_formal #(
  parameter int unsigned Counters = 3
) (
  input logic                        clk_i,
  input logic                        rst_i,
  input logic [Counters-1:0]         count_i,
  input logic                        take_i,
  input logic [$clog2(Counters)-1:0] turn_i
);

  logic [6:0] planes, apart;
  logic       planes_half, apart_half;

  event_counts #(
    .Counters(Counters),
    .Planes  (1'b1)
  ) u_planes (
    .clk_i  (clk_i),
    .rst_i  (rst_i),
    .count_i(count_i),
    .take_i (take_i),
    .turn_i (turn_i),
    .count_o(planes),
    .half_o (planes_half)
  );

  event_counts #(
    .Counters(Counters),
    .Planes  (1'b0)
  ) u_apart (
    .clk_i  (clk_i),
    .rst_i  (rst_i),
    .count_i(count_i),
    .take_i (take_i),
    .turn_i (turn_i),
    .count_o(apart),
    .half_o (apart_half)
  );

  // The counts in both, which the induction has to know.
  (* hierconn *) wire [Counters-1:0] \u_planes.bit0 ;
  (* hierconn *) wire [Counters-1:0] \u_planes.bit1 ;
  (* hierconn *) wire [Counters-1:0] \u_planes.bit2 ;
  (* hierconn *) wire [Counters-1:0] \u_planes.bit3 ;
  (* hierconn *) wire [Counters-1:0] \u_planes.bit4 ;
  (* hierconn *) wire [Counters-1:0] \u_planes.bit5 ;
  (* hierconn *) wire [Counters-1:0] \u_apart.bit0 ;
  (* hierconn *) wire [Counters-1:0] \u_apart.bit1 ;
  (* hierconn *) wire [Counters-1:0] \u_apart.bit2 ;
  (* hierconn *) wire [Counters-1:0] \u_apart.bit3 ;
  (* hierconn *) wire [Counters-1:0] \u_apart.bit4 ;
  (* hierconn *) wire [Counters-1:0] \u_apart.bit5 ;

  (* anyconst *) logic [$clog2(Counters)-1:0] who;

  logic       started_q = 1'b0;
  logic [5:0] events_q;  // of `who`, since they were taken last
  logic [5:0] in_planes;

  assign in_planes = {\u_planes.bit5 [who], \u_planes.bit4 [who], \u_planes.bit3 [who],
                      \u_planes.bit2 [who], \u_planes.bit1 [who], \u_planes.bit0 [who]};

  always_ff @(posedge clk_i) begin
    started_q <= 1'b1;
    if (rst_i || (take_i && turn_i == who)) begin
      events_q <= '0;
    end else if (count_i[who]) begin
      events_q <= events_q + 1'b1;
    end
  end

  always_comb begin
    // A run begins with a reset.
    m_reset_first: assume (started_q || rst_i);
    // The watched counter, and those taken, exist.
    m_exist: assume (32'(who) < Counters && 32'(turn_i) < Counters);
  end

  always_ff @(posedge clk_i) begin
    if (started_q && !rst_i) begin
      // Both forms hold the same counts.
      a_same: assert (\u_planes.bit0 == \u_apart.bit0 && \u_planes.bit1 == \u_apart.bit1
                      && \u_planes.bit2 == \u_apart.bit2 && \u_planes.bit3 == \u_apart.bit3
                      && \u_planes.bit4 == \u_apart.bit4 && \u_planes.bit5 == \u_apart.bit5 );
      // And show the same.
      a_same_out: assert (planes == apart && planes_half == apart_half);
      // A count is that of the events since it was taken.
      a_exact: assert (in_planes == events_q);
      // What is taken includes the event that comes with it.
      a_taken: assert (!(take_i && turn_i == who) || planes == {1'b0, events_q} + 7'(count_i[who]));
      // A count that is half full is told.
      a_half: assert (!events_q[5] || planes_half);
      // Counts go up and are taken.
      c_counts: cover (events_q == 6'd9 && take_i && turn_i == who && count_i == '1);
    end
  end

endmodule
