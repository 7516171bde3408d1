// SPDX-License-Identifier: Apache-2.0
//
// Proof harness of vq_used, two queues of any size up to 2^SlotWidth: any elements, single and in groups,
// and a bus that takes and answers writes, in order, when it likes. One element and one line, chosen
// freely, are followed. No answer is an error.

module vq_used_formal #(
  parameter int unsigned AxiBytes = 16,
  parameter int unsigned SlotWidth = 3
) (
  input logic        clk_i,
  input logic        rst_i,
  input logic        en_valid_i,
  input logic        en_queue_i,
  input logic [63:0] en_desc_i,
  input logic [SlotWidth:0] en_size_i,
  input logic        used_valid_i,
  input logic        used_queue_i,
  input logic        used_first_i,
  input logic        used_last_i,
  input logic [15:0] used_ndesc_i,
  input logic [15:0] used_id_i,
  input logic [31:0] used_len_i,
  input logic        uwr_ready_i,
  input logic        uwr_done_i,
  input logic        visible_ready_i,
  input logic        mark_i,           // follow the element, or the line, that moves now
  input logic        mark_line_i
);

  localparam int unsigned WriteDepth = 4;
  localparam int unsigned Lanes = AxiBytes / 16;
  localparam int unsigned RecordWidth = 3 * SlotWidth + 7;   // {visible, queue, slot, count, pos, slots}
  localparam int unsigned OffsetWidth = $clog2(AxiBytes);

  logic                  quiet, moves, used_ready, uwr_valid, visible_valid, visible_queue, err_valid;
  logic                  err_queue;
  logic [63:0]           uwr_addr;
  logic [8*AxiBytes-1:0] uwr_data;
  logic [AxiBytes-1:0]   uwr_strb;
  logic [2:0]            visible_count;
  logic [SlotWidth:0]    visible_pos, visible_slots;
  logic [15:0]           err_index;
  logic                  trace_used_valid, trace_visible_valid, trace_used_tag, trace_visible_tag;

  vq_used #(
    .Queues    (2),
    .AxiBytes  (AxiBytes),
    .WriteDepth(WriteDepth),
    .SlotWidth (SlotWidth),
    .TagWidth  (1)
  ) u_dut (
    .clk_i                (clk_i),
    .rst_i                (rst_i),
    .quiet_o              (quiet),
    .moves_o              (moves),
    .en_valid_i           (en_valid_i),
    .en_queue_i           (en_queue_i),
    .en_desc_i            (en_desc_i),
    .en_size_i            (en_size_i),
    .used_valid_i         (used_valid_i),
    .used_ready_o         (used_ready),
    .used_queue_i         (used_queue_i),
    .used_i               ({used_last_i, used_first_i, used_ndesc_i, used_id_i, used_len_i}),
    .used_tag_i           (1'b0),
    .uwr_valid_o          (uwr_valid),
    .uwr_ready_i          (uwr_ready_i),
    .uwr_addr_o           (uwr_addr),
    .uwr_data_o           (uwr_data),
    .uwr_strb_o           (uwr_strb),
    .uwr_done_i           (uwr_done_i),
    .uwr_error_i          (1'b0),
    .visible_valid_o      (visible_valid),
    .visible_ready_i      (visible_ready_i),
    .visible_queue_o      (visible_queue),
    .visible_count_o      (visible_count),
    .visible_pos_o        (visible_pos),
    .visible_slots_o      (visible_slots),
    .trace_used_valid_o   (trace_used_valid),
    .trace_used_tag_o     (trace_used_tag),
    .trace_visible_valid_o(trace_visible_valid),
    .trace_visible_tag_o  (trace_visible_tag),
    .err_valid_o          (err_valid),
    .err_queue_o          (err_queue),
    .err_index_o          (err_index)
  );

  // What the induction has to know of u_dut.
  (* hierconn *) wire [1:0]          \u_dut.state_q ;
  (* hierconn *) wire                \u_dut.hold_q ;
  (* hierconn *) wire                \u_dut.valid_q ;
  (* hierconn *) wire [64*Lanes-1:0] \u_dut.line_word_q ;
  (* hierconn *) wire [Lanes-1:0]    \u_dut.line_lanes_q ;
  (* hierconn *) wire                \u_dut.line_visible_q ;
  (* hierconn *) wire                \u_dut.line_queue_q ;
  (* hierconn *) wire [SlotWidth-1:0]  \u_dut.line_slot_q ;
  (* hierconn *) wire [2:0]          \u_dut.line_count_q ;
  (* hierconn *) wire [SlotWidth:0]    \u_dut.line_pos_q ;
  (* hierconn *) wire [SlotWidth:0]    \u_dut.line_slots_q ;
  (* hierconn *) wire [63:0]         \u_dut.line_base ;
  (* hierconn *) wire                \u_dut.load_kept ;
  (* hierconn *) wire                \u_dut.told ;
  (* hierconn *) wire [63:0]         \u_dut.kept_word_q ;
  (* hierconn *) wire                \u_dut.kept_queue_q ;
  (* hierconn *) wire [SlotWidth-1:0]  \u_dut.kept_slot_q ;
  (* hierconn *) wire [SlotWidth:0]    \u_dut.kept_slots_q ;
  (* hierconn *) wire [1:0]          \u_dut.wr_ptr_q ;
  (* hierconn *) wire [1:0]          \u_dut.rd_ptr_q ;
  (* hierconn *) wire [2:0]          \u_dut.count_q ;
  (* hierconn *) wire                \u_dut.full_q ;
  (* hierconn *) wire [2:0]          \u_dut.done_q ;
  (* hierconn *) wire                \u_dut.error_q ;
  (* hierconn *) wire [RecordWidth-1:0] \u_dut.record_mem[0] ;
  (* hierconn *) wire [RecordWidth-1:0] \u_dut.record_mem[1] ;
  (* hierconn *) wire [RecordWidth-1:0] \u_dut.record_mem[2] ;
  (* hierconn *) wire [RecordWidth-1:0] \u_dut.record_mem[3] ;
  (* hierconn *) wire [SlotWidth:0]    \u_dut.u_size.g_memory.word_mem[0] ;
  (* hierconn *) wire [SlotWidth:0]    \u_dut.u_size.g_memory.word_mem[1] ;
  (* hierconn *) wire [SlotWidth:0]    \u_dut.u_pos.g_memory.word_mem[0] ;
  (* hierconn *) wire [SlotWidth:0]    \u_dut.u_pos.g_memory.word_mem[1] ;
  (* hierconn *) wire [63:0]         \u_dut.u_base.g_memory.word_mem[0] ;
  (* hierconn *) wire [63:0]         \u_dut.u_base.g_memory.word_mem[1] ;

  ////////////////////
  // The rings      //
  ////////////////////

  // Of each queue, as the driver knows it.
  logic         started_q = 1'b0;
  logic [1:0]   enabled_q;
  logic [127:0] base_q;
  logic [2*SlotWidth+1:0] size_q;
  logic [2*SlotWidth-1:0] slot_q;        // of the next element
  logic [1:0]   wrap_q;        // device wrap counter

  logic         take;
  logic [63:0]  base;
  logic [SlotWidth:0]   size;
  logic [SlotWidth-1:0] slot;
  logic         wrap;
  logic [SlotWidth+1:0] behind; // slot behind the element
  logic [SlotWidth-1:0] next_slot;
  logic         next_wrap;
  logic [63:0]  word;          // what the element is in memory

  assign take      = used_valid_i && used_ready;
  assign base      = used_queue_i ? base_q[127:64] : base_q[63:0];
  assign size      = used_queue_i ? size_q[2*SlotWidth+1:SlotWidth+1] : size_q[SlotWidth:0];
  assign slot      = used_queue_i ? slot_q[2*SlotWidth-1:SlotWidth] : slot_q[SlotWidth-1:0];
  assign wrap      = wrap_q[used_queue_i];
  assign behind    = {2'd0, slot} + {1'b0, used_ndesc_i[SlotWidth:0]};
  assign next_wrap = (behind >= {1'b0, size}) ? !wrap : wrap;
  assign next_slot = SlotWidth'((behind >= {1'b0, size}) ? behind - {1'b0, size} : behind);
  // Flags: bit 15 USED, bit 7 AVAIL, bit 1 WRITE (virtio 1.2, 2.8.6).
  assign word      = {wrap, 7'd0, wrap, 5'd0, used_len_i != '0, 1'b0, used_id_i, used_len_i};

  ////////////////////
  // What goes on   //
  ////////////////////

  logic [1:0]  group_q;        // 0: none, 1: elements come, 2: all came, its first is not written
  logic        group_queue_q;
  logic [SlotWidth:0] group_slots_q;
  logic [SlotWidth:0] group_pos_q;    // behind the last element of the group so far
  logic        group_some_q;   // an element of it came after the first
  logic [2:0]  under_q;        // writes that the bus took and did not answer
  logic        follow_q;       // an element is on its way to the bus
  logic        in_line_q;      // in the line; else it is the group's first, kept back
  logic [63:0] elem_word_q, elem_addr_q;
  logic        elem_queue_q;
  logic [2:0]  line_elems_q;   // elements in the line
  logic [SlotWidth:0] line_slots_q;
  logic [SlotWidth:0] line_pos_q;
  logic        follow_line_q;
  logic [2:0]  ahead_q;        // lines before it
  logic        was_visible_q;
  logic [2*SlotWidth+5:0] line_q;  // {queue, count, pos, slots}
  logic        uwr_stall_q;
  logic [9*AxiBytes+63:0] was_uwr_q;
  logic [3:0]  streak_q;

  logic        taken, keep;
  logic [8:0]  lane_bit;       // of the followed element's word in the line

  assign taken    = uwr_valid && uwr_ready_i;
  assign keep     = used_first_i && !used_last_i;
  assign lane_bit = 9'(elem_addr_q[8:4] & 5'(Lanes - 1)) * 9'd64;

  always_ff @(posedge clk_i) begin
    started_q <= 1'b1;
    if (rst_i) begin
      enabled_q     <= '0;
      group_q       <= '0;
      under_q       <= '0;
      follow_q      <= 1'b0;
      line_elems_q  <= '0;
      follow_line_q <= 1'b0;
      uwr_stall_q   <= 1'b0;
      streak_q      <= '0;
    end else begin
      if (en_valid_i) begin
        enabled_q[en_queue_i] <= 1'b1;
        base_q[64*en_queue_i +: 64] <= en_desc_i;
        size_q[(SlotWidth+1)*en_queue_i +: SlotWidth+1] <= en_size_i;
        slot_q[SlotWidth*en_queue_i +: SlotWidth] <= '0;
        wrap_q[en_queue_i]    <= 1'b1;
      end
      if (take) begin
        slot_q[SlotWidth*used_queue_i +: SlotWidth] <= next_slot;
        wrap_q[used_queue_i]  <= next_wrap;
        group_q       <= used_last_i ? (used_first_i ? 2'd0 : 2'd2) : 2'd1;
        group_queue_q <= used_queue_i;
        group_slots_q <= (used_first_i ? '0 : group_slots_q) + used_ndesc_i[SlotWidth:0];
        group_pos_q   <= {next_wrap, next_slot};
        group_some_q  <= !used_first_i;
      end
      if (\u_dut.load_kept ) group_q <= 2'd0;
      under_q <= under_q + 3'(taken) - 3'(uwr_done_i);
      // The followed element.
      if (!follow_q && mark_i && take) begin
        follow_q     <= 1'b1;
        in_line_q    <= !keep;
        elem_word_q  <= word;
        elem_addr_q  <= base + 64'({slot, 4'd0});
        elem_queue_q <= used_queue_i;
      end else if (follow_q) begin
        if (in_line_q) follow_q <= !taken;
        else           in_line_q <= \u_dut.load_kept ;
      end
      // The line: what came into it since the bus took the one before.
      if (take && !keep) begin
        line_elems_q <= (taken ? 3'd0 : line_elems_q) + 3'd1;
        line_slots_q <= ((taken || line_elems_q == '0) ? '0 : line_slots_q) + used_ndesc_i[SlotWidth:0];
        line_pos_q   <= {next_wrap, next_slot};
      end else if (\u_dut.load_kept ) begin
        line_elems_q <= 3'd1;
        line_slots_q <= group_slots_q;
        line_pos_q   <= group_pos_q;
      end else if (taken) begin
        line_elems_q <= '0;
      end
      if (!follow_line_q && mark_line_i && taken) begin
        follow_line_q <= 1'b1;
        ahead_q       <= under_q + \u_dut.done_q  - 3'(\u_dut.told );
        was_visible_q <= \u_dut.line_visible_q ;
        line_q        <= {\u_dut.line_queue_q , line_elems_q, line_pos_q, line_slots_q};
      end else if (follow_line_q && \u_dut.told ) begin
        follow_line_q <= ahead_q != '0;
        ahead_q       <= ahead_q - 1'b1;
      end
      uwr_stall_q <= uwr_valid && !uwr_ready_i;
      streak_q    <= take ? streak_q + 4'(streak_q != '1) : '0;
    end
    was_uwr_q <= {uwr_strb, uwr_data, uwr_addr};
  end

  always_comb begin
    // A run begins with a reset.
    m_reset_first: assume (started_q || rst_i);
    // A queue is enabled in a quiet moment, with a size and an aligned ring; only such a one is used.
    m_enable: assume (!en_valid_i || (quiet && !used_valid_i && en_size_i != '0 &&
                                      en_size_i <= (SlotWidth+1)'(1 << SlotWidth) && en_desc_i[3:0] == '0));
    m_enabled: assume (!used_valid_i || enabled_q[used_queue_i]);
    // A buffer has a slot at least and no more than the ring; groups are of one queue and in order.
    m_slots: assume (used_ndesc_i != '0 && used_ndesc_i <= 16'(size));
    m_group: assume (!used_valid_i || used_first_i == (group_q != 2'd1));
    m_queue: assume (!used_valid_i || group_q != 2'd1 || used_queue_i == group_queue_q);
    // The bus answers writes that it took.
    m_done: assume (!uwr_done_i || under_q != '0);
  end

  logic [RecordWidth-1:0] record;         // of the followed line
  logic [1:0]  place;
  assign place  = \u_dut.rd_ptr_q  + ahead_q[1:0];
  assign record = (place == 2'd0) ? \u_dut.record_mem[0] : (place == 2'd1) ? \u_dut.record_mem[1]
                : (place == 2'd2) ? \u_dut.record_mem[2] : \u_dut.record_mem[3] ;

  // A single lane is always written; its bit is not there.
  logic [Lanes-1:0] lanes;
  logic [2:0]       lanes_set;

  if (Lanes == 1) begin : g_one
    assign lanes = 1'b1;
  end else begin : g_lanes
    assign lanes = \u_dut.line_lanes_q ;
  end

  always_comb begin
    lanes_set = '0;
    for (int unsigned i = 0; i < Lanes; i++) begin
      lanes_set = lanes_set + 3'(lanes[i]);
    end
  end

  always_ff @(posedge clk_i) begin
    if (started_q && !rst_i) begin
      // A write waits, unchanged, until the bus takes it.
      a_stays: assert (!uwr_stall_q || (uwr_valid && {uwr_strb, uwr_data, uwr_addr} == was_uwr_q));
      // An element is written once, to the upper half of the slot at which the ring stands, with its
      // length, its id and the wrap counter as it stands there.
      a_written: assert (!(follow_q && in_line_q && uwr_valid) ||
                         (uwr_addr == {elem_addr_q[63:OffsetWidth], OffsetWidth'(0)} &&
                          uwr_data[2*lane_bit + 64 +: 64] == elem_word_q &&
                          uwr_strb[lane_bit[8:2] +: 16] == 16'hff00));
      // Nothing else is written: a line has as many slots as elements came.
      a_only: assert (!uwr_valid || (lanes_set == line_elems_q && line_elems_q != '0));
      // The first element of a group waits until all its others are answered and told of.
      a_group: assert (!\u_dut.load_kept  || (group_q == 2'd2 && under_q == '0 && !uwr_valid &&
                                              \u_dut.done_q  == '0));
      // No element is taken while that one is kept and the group has come.
      a_closed: assert (!take || group_q != 2'd2);
      // What is told of a line is what went into it, in order of the lines: elements, the position behind
      // the newest one, and slots. A group is told of once, as one, of its first element.
      a_told: assert (!(follow_line_q && ahead_q == '0 && \u_dut.told ) ||
                      (visible_valid == was_visible_q &&
                       (!visible_valid || {visible_queue, visible_count, visible_pos, visible_slots} ==
                                          line_q)));
      a_answered: assert (!visible_valid || uwr_done_i || \u_dut.done_q  != '0);
      a_no_error: assert (!err_valid);
      // Quiet is when nothing is on its way.
      a_quiet: assert (!quiet || (group_q == '0 && under_q == '0 && !uwr_valid && !visible_valid &&
                                  !follow_q && !follow_line_q));

      // What the cell holds.
      a_state_q: assert (group_q == \u_dut.state_q  && group_q != 2'd3);
      a_rings_q: assert ((!enabled_q[0] ||
                          (\u_dut.u_size.g_memory.word_mem[0]  == size_q[SlotWidth:0] &&
                           \u_dut.u_pos.g_memory.word_mem[0]  == {wrap_q[0], slot_q[SlotWidth-1:0]} &&
                           \u_dut.u_base.g_memory.word_mem[0]  == base_q[63:0] &&
                           {1'b0, slot_q[SlotWidth-1:0]} < size_q[SlotWidth:0] &&
                           size_q[SlotWidth:0] <= (SlotWidth+1)'(1 << SlotWidth))) &&
                         (!enabled_q[1] ||
                          (\u_dut.u_size.g_memory.word_mem[1]  == size_q[2*SlotWidth+1:SlotWidth+1] &&
                           \u_dut.u_pos.g_memory.word_mem[1]  ==
                               {wrap_q[1], slot_q[2*SlotWidth-1:SlotWidth]} &&
                           \u_dut.u_base.g_memory.word_mem[1]  == base_q[127:64] &&
                           {1'b0, slot_q[2*SlotWidth-1:SlotWidth]} < size_q[2*SlotWidth+1:SlotWidth+1] &&
                           size_q[2*SlotWidth+1:SlotWidth+1] <= (SlotWidth+1)'(1 << SlotWidth))));
      a_line_q: assert ((\u_dut.hold_q  || \u_dut.valid_q ) == (line_elems_q != '0) &&
                        !(\u_dut.hold_q  && \u_dut.valid_q ));
      a_lanes_q: assert (line_elems_q == '0 || (lanes_set == line_elems_q &&
                         \u_dut.line_count_q  == line_elems_q &&
                         \u_dut.line_slots_q  == line_slots_q && \u_dut.line_pos_q  == line_pos_q &&
                         \u_dut.line_base  == (\u_dut.line_queue_q  ? base_q[127:64] : base_q[63:0]) &&
                         enabled_q[\u_dut.line_queue_q ]));
      a_elem_q: assert (!(follow_q && in_line_q) ||
                        (line_elems_q != '0 && lanes[lane_bit[8:6]] &&
                         \u_dut.line_word_q [lane_bit +: 64] == elem_word_q &&
                         ((\u_dut.line_base  + 64'({\u_dut.line_slot_q , 4'd0})) ^ elem_addr_q) <
                         64'(AxiBytes)));
      a_kept_q: assert (!(follow_q && !in_line_q) ||
                        (group_q != '0 && \u_dut.kept_word_q  == elem_word_q &&
                         \u_dut.kept_queue_q  == elem_queue_q &&
                         elem_addr_q == (\u_dut.kept_queue_q  ? base_q[127:64] : base_q[63:0]) +
                                        64'({\u_dut.kept_slot_q , 4'd0})));
      a_group_q: assert (group_q == '0 || (\u_dut.kept_queue_q  == group_queue_q &&
                         enabled_q[group_queue_q] && \u_dut.kept_slots_q  == group_slots_q));
      a_pos_q: assert (group_q != 2'd2 || (group_some_q && \u_dut.line_pos_q  == group_pos_q));
      a_count_q: assert (\u_dut.count_q  == 3'(line_elems_q != '0) + under_q + \u_dut.done_q  &&
                         \u_dut.count_q  <= 3'(WriteDepth) && under_q <= 3'(WriteDepth) &&
                         \u_dut.done_q  <= 3'(WriteDepth) &&
                         {1'b0, under_q} + {1'b0, \u_dut.done_q } <= 4'(WriteDepth) &&
                         \u_dut.full_q  == (\u_dut.count_q  == 3'(WriteDepth)) &&
                         2'(\u_dut.wr_ptr_q  - \u_dut.rd_ptr_q ) == 2'(under_q + \u_dut.done_q ) &&
                         !\u_dut.error_q );
      a_record_q: assert (!follow_line_q || (ahead_q < under_q + \u_dut.done_q  &&
                          {record[RecordWidth-1:RecordWidth-2], record[2*SlotWidth+4:0]} == {was_visible_q,
                              line_q}));
      // A group, with a ring that wraps in it; elements in every one of four cycles, or two in a line.
      c_group: cover (visible_valid && \u_dut.told  && follow_line_q &&
        line_q[SlotWidth:0] > (SlotWidth+1)'(3) &&
                      line_q[2*SlotWidth+4:2*SlotWidth+2] == 3'd1 && !line_q[2*SlotWidth+1]);
      c_throughput: cover (Lanes == 1 ? streak_q == 4'd4 : lanes_set == 3'd2 && uwr_valid);
    end
  end

  logic unused_outputs;
  assign unused_outputs = ^{moves, err_queue, err_index, trace_used_valid, trace_used_tag,
                            trace_visible_valid, trace_visible_tag};

endmodule
