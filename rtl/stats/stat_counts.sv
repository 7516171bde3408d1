// SPDX-License-Identifier: Apache-2.0
//
// stat_counts: two small counts for each of some places (queues), which are emptied now and then.
//
//   add_*      add_a_i and add_b_i to the counts A and B of add_place_i; always taken, one a cycle
//   take_*     empties count A of take_place_i, or with take_b_i count B, when take_ready_o; not in a
//              cycle with add_i. count_o is what was in it, in the next cycle.
//   clear_i    empties both counts of take_place_i; not in a cycle with take_i or add_i
//   half_o     a count is half full: it has to be emptied before it has got as much again
//   idle_o     nothing is on its way into a count
//
//   cycle 0   add or take: read the place     RAM
//   cycle 1   sum, write  <-- or the sum that cycle 1 of the cycle before wrote
//
// With one place the counts are registers. Places in a RAM have to be cleared one by one after reset.
//
// Parameters:
//   Places          1, or a RAM of this size
//   AWidth, BWidth  bits of the counts
//   AddA, AddB      bits that are added

module stat_counts #(
  parameter int unsigned Places = 1,
  parameter int unsigned AWidth = 8,
  parameter int unsigned BWidth = 20,
  parameter int unsigned AddA = 1,
  parameter int unsigned AddB = 16,
  localparam int unsigned PlaceWidth = (Places > 1) ? $clog2(Places) : 1,
  localparam int unsigned CountWidth = (AWidth > BWidth) ? AWidth : BWidth
) (
  input  logic                  clk_i,
  input  logic                  rst_i,

  input  logic                  add_i,
  input  logic [PlaceWidth-1:0] add_place_i,
  input  logic [AddA-1:0]       add_a_i,
  input  logic [AddB-1:0]       add_b_i,

  input  logic                  take_i,
  input  logic                  take_b_i,
  input  logic [PlaceWidth-1:0] take_place_i,
  output logic                  take_ready_o,
  output logic [CountWidth-1:0] count_o,
  input  logic                  clear_i,

  output logic                  half_o,
  output logic                  idle_o
);

  logic              take_a_q, take_b_q;   // a count is emptied in this cycle
  logic [AWidth-1:0] old_a, sum_a;
  logic [BWidth-1:0] old_b, sum_b;

  assign count_o = take_b_q ? CountWidth'(old_b) : CountWidth'(old_a);

  if (Places == 1) begin : g_one
    logic [AWidth-1:0] a_q;
    logic [BWidth-1:0] b_q;
    logic              taking;

    assign take_ready_o = 1'b1;
    assign taking       = take_a_q || take_b_q;
    assign half_o       = a_q[AWidth-1] || b_q[BWidth-1];
    assign idle_o       = !taking;

    always_ff @(posedge clk_i) begin
      if (rst_i) begin
        take_a_q <= 1'b0;
        take_b_q <= 1'b0;
      end else if (take_i || taking) begin
        take_a_q <= take_i && !take_b_i;
        take_b_q <= take_i && take_b_i;
      end
    end

    assign old_a = a_q;
    assign old_b = b_q;

    always_comb begin
      sum_a = '0;
      sum_b = '0;
      if (add_i || taking) begin
        sum_a = (take_a_q ? '0 : a_q) + (add_i ? AWidth'(add_a_i) : '0);
        sum_b = (take_b_q ? '0 : b_q) + (add_i ? BWidth'(add_b_i) : '0);
      end
    end

    always_ff @(posedge clk_i) begin
      if (rst_i) begin
        a_q <= '0;
        b_q <= '0;
      end else if (add_i || taking) begin
        a_q <= sum_a;
        b_q <= sum_b;
      end
    end

    logic unused_places;
    assign unused_places = ^{add_place_i, take_place_i, clear_i};

`ifndef SYNTHESIS
    always_ff @(posedge clk_i) begin
      if (!rst_i) begin
        // No count overflows.
        a_full: assert (!add_i || ((!a_q[AWidth-1] || take_a_q || sum_a[AWidth-1]) &&
                                   (!b_q[BWidth-1] || take_b_q || sum_b[BWidth-1])));
      end
    end
`endif
  end else begin : g_ram
    logic                     op;
    logic [PlaceWidth-1:0]    place;
    logic                     busy_q;      // a place is in cycle 1
    logic                     again_q;     // the one that was in it before
    logic [PlaceWidth-1:0]    place_q;
    logic [AddA-1:0]          add_a_q;
    logic [AddB-1:0]          add_b_q;
    logic [AWidth+BWidth-1:0] stored;
    logic [AWidth+BWidth-1:0] last_q;      // what was written last

    assign take_ready_o = !add_i;
    assign op           = add_i || take_i || clear_i;
    assign place        = add_i ? add_place_i : take_place_i;
    assign idle_o       = !busy_q;

    always_ff @(posedge clk_i) begin
      if (rst_i) begin
        busy_q <= 1'b0;
      end else if (op || busy_q) begin
        busy_q <= op;
        if (op) begin
          place_q  <= place;
          again_q  <= busy_q && place == place_q;
          add_a_q  <= add_i ? add_a_i : '0;
          add_b_q  <= add_i ? add_b_i : '0;
          take_a_q <= !add_i && (clear_i || !take_b_i);
          take_b_q <= !add_i && (clear_i || take_b_i);
        end
        if (busy_q) last_q <= {sum_b, sum_a};
      end
    end

    always_comb begin
      old_a  = '0;
      old_b  = '0;
      sum_a  = '0;
      sum_b  = '0;
      half_o = 1'b0;
      if (busy_q) begin
        {old_b, old_a} = again_q ? last_q : stored;
        sum_a  = (take_a_q ? '0 : old_a) + AWidth'(add_a_q);
        sum_b  = (take_b_q ? '0 : old_b) + BWidth'(add_b_q);
        half_o = (sum_a[AWidth-1] && !old_a[AWidth-1]) || (sum_b[BWidth-1] && !old_b[BWidth-1]);
      end
    end

    ram_1r1w #(.Width(AWidth + BWidth), .Depth(Places)) u_counts (
      .clk_i  (clk_i),
      .we_i   (busy_q),
      .waddr_i(place_q),
      .wdata_i({sum_b, sum_a}),
      .re_i   (op),
      .raddr_i(place),
      .rdata_o(stored)
    );

`ifndef SYNTHESIS
    always_ff @(posedge clk_i) begin
      if (!rst_i) begin
        // No count overflows.
        a_full: assert (!busy_q || ((!old_a[AWidth-1] || take_a_q || sum_a[AWidth-1]) &&
                                    (!old_b[BWidth-1] || take_b_q || sum_b[BWidth-1])));
        // Counts are cleared by themselves.
        a_clear: assert (!clear_i || (!take_i && !add_i));
      end
    end
`endif
  end

endmodule
