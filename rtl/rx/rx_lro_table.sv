// SPDX-License-Identifier: Apache-2.0
//
// rx_lro_table: the flows that rx_lro holds: found by key, and kept in the order in which they began.
//
//   look   look_i asks whether a flow has key_i; hit_o and hit_flow_o say so from the next cycle
//          on, until the next look. Flows of the same key are never held together.
//   add    while ask_i is high free_flow_o is a flow that is not there, unless full_o; add_i, with
//          ask_i, puts it in, with key_i and its first slot.
//   remove remove_i takes a flow out that is there.
//   oldest the flow that was added first, if any_o, and its slot.
//   wake_o is high from Cycles cycles after the oldest flow was added. deadline_o is that time, or once
//          in a long while an earlier one; all ones without a flow.
//
// The order is a list through the flows, oldest at the head:
//
//     head_q --> flow 3 <--> flow 0 <--> flow 7 <-- tail_q       next_mem, ahead_mem
//
// Parameters:
//   Flows    places, a power of two
//   Cycles   how long a flow may stay

module rx_lro_table #(
  parameter int unsigned Flows = 16,
  parameter int unsigned Cycles = 5000,
  localparam int unsigned FlowWidth = $clog2(Flows),
  localparam int unsigned SlotWidth = nic_pkg::SlotWidth
) (
  input  logic                 clk_i,
  input  logic                 rst_i,
  input  logic [63:0]          now_i,

  input  logic                 look_i,
  input  logic [11:0]          key_i,
  output logic                 hit_o,
  output logic [FlowWidth-1:0] hit_flow_o,

  input  logic                 ask_i,
  output logic                 any_o,
  output logic                 full_o,
  output logic [FlowWidth-1:0] free_flow_o,
  output logic [FlowWidth-1:0] oldest_flow_o,
  output logic [SlotWidth-1:0] oldest_slot_o,
  output logic [63:0]          deadline_o,
  output logic                 wake_o,

  input  logic                 add_i,
  input  logic [SlotWidth-1:0] add_slot_i,

  input  logic                 remove_i,
  input  logic [FlowWidth-1:0] remove_flow_i
);

  localparam int unsigned KeyWidth = 12;

  // Times are kept by their low bits, which tell them apart: all flows go within Cycles of now.
  localparam int unsigned TimeWidth = 20;

  if (Cycles >= (1 << (TimeWidth - 1))) $error("rx_lro_table: Cycles is too large");

  logic [Flows-1:0]          used_q;
  logic [KeyWidth*Flows-1:0] keys_q;
  logic [FlowWidth-1:0] head_q;
  logic [FlowWidth-1:0] tail_q;

  (* ram_style = "distributed" *)
  logic [FlowWidth-1:0] next_mem [Flows];
  (* ram_style = "distributed" *)
  logic [FlowWidth-1:0] ahead_mem [Flows];
  (* ram_style = "distributed" *)
  logic [SlotWidth-1:0] slot_mem [Flows];
  (* ram_style = "distributed" *)
  logic [TimeWidth-1:0] time_mem [Flows];

  // Of the oldest flow.
  logic [SlotWidth-1:0] slot_q;
  logic [63:0]          deadline_q;

  ////////////////////
  // Looking        //
  ////////////////////

  logic [Flows-1:0] match_q;

  always_ff @(posedge clk_i) begin
    if (look_i) begin
      for (int unsigned f = 0; f < Flows; f++) begin
        match_q[f] <= used_q[f] && keys_q[KeyWidth*f +: KeyWidth] == key_i;
      end
    end
  end

  always_comb begin
    hit_flow_o = '0;
    if (hit_o) begin
      for (int unsigned f = 0; f < Flows; f++) begin
        if (match_q[f]) hit_flow_o = hit_flow_o | FlowWidth'(f);
      end
    end
  end

  always_comb begin
    free_flow_o = '0;
    if (ask_i) begin
      for (int unsigned f = Flows; f > 0; f--) begin
        if (!used_q[f-1]) free_flow_o = FlowWidth'(f - 1);
      end
    end
  end

  assign hit_o         = match_q != '0;
  assign any_o         = used_q != '0;
  assign full_o        = used_q == '1;
  assign oldest_flow_o = head_q;
  assign oldest_slot_o = slot_q;
  assign deadline_o    = deadline_q;

  ////////////////////
  // Changing       //
  ////////////////////

  logic                 at_head, at_tail;
  logic [TimeWidth-1:0] limit;
  logic [TimeWidth-1:0] late;
  logic [FlowWidth-1:0] next, ahead;

  assign at_head = remove_flow_i == head_q;
  assign at_tail = remove_flow_i == tail_q;
  assign next    = next_mem[remove_flow_i];
  assign ahead   = ahead_mem[remove_flow_i];
  assign limit   = now_i[TimeWidth-1:0] + TimeWidth'(Cycles);
  assign late    = now_i[TimeWidth-1:0] - deadline_q[TimeWidth-1:0];
  assign wake_o  = any_o && !late[TimeWidth-1];

  always_ff @(posedge clk_i) begin
    if (add_i || (remove_i && !at_head)) begin
      next_mem[add_i ? tail_q : ahead] <= add_i ? free_flow_o : next;
    end
  end

  always_ff @(posedge clk_i) begin
    if (add_i || (remove_i && !at_tail)) begin
      ahead_mem[add_i ? free_flow_o : next] <= add_i ? tail_q : ahead;
    end
  end

  always_ff @(posedge clk_i) begin
    if (add_i) begin
      slot_mem[free_flow_o] <= add_slot_i;
      time_mem[free_flow_o] <= limit;
      for (int unsigned f = 0; f < Flows; f++) begin
        if (free_flow_o == FlowWidth'(f)) keys_q[KeyWidth*f +: KeyWidth] <= key_i;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (add_i) begin
      tail_q <= free_flow_o;
      if (!any_o) begin
        head_q <= free_flow_o;
      end
    end else if (remove_i) begin
      if (at_head) begin
        head_q <= next;
      end
      if (at_tail) begin
        tail_q <= ahead;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      used_q <= '0;
    end else if (add_i || remove_i) begin
      for (int unsigned f = 0; f < Flows; f++) begin
        if (add_i && free_flow_o == FlowWidth'(f)) used_q[f] <= 1'b1;
        if (remove_i && remove_flow_i == FlowWidth'(f)) used_q[f] <= 1'b0;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i || (remove_i && at_head && at_tail)) begin
      deadline_q <= '1;
    end else if ((add_i && !any_o) || (remove_i && at_head)) begin
      deadline_q <= {now_i[63:TimeWidth], add_i ? limit : time_mem[next]};
      slot_q     <= add_i ? add_slot_i : slot_mem[next];
    end
  end

`ifndef SYNTHESIS
  logic looked_q;

  always_ff @(posedge clk_i) begin
    looked_q <= !rst_i && look_i;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // A key finds one flow at most.
      a_one_hot: assert (!looked_q || (match_q & (match_q - 1'b1)) == '0);
      // One change at a time, of what can be changed.
      a_change: assert (!(add_i && (remove_i || full_o)) && (!remove_i || used_q[remove_flow_i]));
      // The ends of the list are flows that are there.
      a_ends: assert (!any_o || (used_q[head_q] && used_q[tail_q]));
    end
  end
`endif

endmodule
