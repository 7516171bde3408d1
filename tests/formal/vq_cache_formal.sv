// SPDX-License-Identifier: Apache-2.0
//
// Proof harness of vq_cache, two queues of two rows: whoever inserts looked for room, whoever pops for a
// descriptor; queues are enabled in quiet moments. One row of one queue, chosen freely, is followed.

module vq_cache_formal #(
  parameter int unsigned AxiBytes = 32
) (
  input logic                    clk_i,
  input logic                    rst_i,
  input logic                    en_valid_i,
  input logic                    en_queue_i,
  input logic                    insert_valid_i,
  input logic                    insert_queue_i,
  input logic [8*AxiBytes-1:0]   insert_data_i,
  input logic                    insert_first_i,
  input logic                    insert_last_i,
  input logic [14:0]             insert_slot_i,
  input logic                    pop_valid_i,
  input logic                    pop_queue_i,
  input logic                    mark_i          // follow the row that is inserted now
);

  localparam int unsigned Rows = 2;

  (* anyconst *) logic who;      // the queue that is watched

  logic [1:0]   look_head, look_tail, avail;
  logic         freed, wake_valid, wake_queue, desc_valid;
  logic [127:0] desc;
  logic [15:0]  desc_index;

  vq_cache #(
    .Queues  (2),
    .AxiBytes(AxiBytes),
    .Rows    (Rows)
  ) u_dut (
    .clk_i         (clk_i),
    .rst_i         (rst_i),
    .en_valid_i    (en_valid_i),
    .en_queue_i    (en_queue_i),
    .insert_valid_i(insert_valid_i),
    .insert_queue_i(insert_queue_i),
    .insert_data_i (insert_data_i),
    .insert_first_i(insert_first_i),
    .insert_last_i (insert_last_i),
    .insert_slot_i (insert_slot_i),
    .look_queue_i  (who),
    .look_head_o   (look_head),
    .look_tail_o   (look_tail),
    .avail_o       (avail),
    .pop_valid_i   (pop_valid_i),
    .pop_queue_i   (pop_queue_i),
    .freed_o       (freed),
    .wait_set_i    (1'b0),
    .wait_queue_i  (1'b0),
    .wake_valid_o  (wake_valid),
    .wake_ready_i  (1'b1),
    .wake_queue_o  (wake_queue),
    .desc_valid_o  (desc_valid),
    .desc_o        (desc),
    .desc_index_o  (desc_index)
  );

  // What the induction has to know of u_dut.
  (* hierconn *) wire [1:0]            \u_dut.u_head.g_memory.word_mem[0] ;
  (* hierconn *) wire [1:0]            \u_dut.u_head.g_memory.word_mem[1] ;
  (* hierconn *) wire [1:0]            \u_dut.u_tail.g_memory.word_mem[0] ;
  (* hierconn *) wire [1:0]            \u_dut.u_tail.g_memory.word_mem[1] ;
  (* hierconn *) wire                  \u_dut.g_lanes.u_taken.g_memory.word_mem[0] ;
  (* hierconn *) wire                  \u_dut.g_lanes.u_taken.g_memory.word_mem[1] ;
  (* hierconn *) wire [1:0]            \u_dut.g_lanes.lane_mem[0] ;
  (* hierconn *) wire [1:0]            \u_dut.g_lanes.lane_mem[1] ;
  (* hierconn *) wire [1:0]            \u_dut.g_lanes.lane_mem[2] ;
  (* hierconn *) wire [1:0]            \u_dut.g_lanes.lane_mem[3] ;
  (* hierconn *) wire [14:0]           \u_dut.u_slots.mem[0] ;
  (* hierconn *) wire [14:0]           \u_dut.u_slots.mem[1] ;
  (* hierconn *) wire [14:0]           \u_dut.u_slots.mem[2] ;
  (* hierconn *) wire [14:0]           \u_dut.u_slots.mem[3] ;
  (* hierconn *) wire [8*AxiBytes-1:0] \u_dut.u_rows.mem[0] ;
  (* hierconn *) wire [8*AxiBytes-1:0] \u_dut.u_rows.mem[1] ;
  (* hierconn *) wire [8*AxiBytes-1:0] \u_dut.u_rows.mem[2] ;
  (* hierconn *) wire [8*AxiBytes-1:0] \u_dut.u_rows.mem[3] ;

  (* hierconn *) wire                  \u_dut.u_wait.g_memory.word_mem[0] ;
  (* hierconn *) wire                  \u_dut.u_wait.g_memory.word_mem[1] ;
  (* hierconn *) wire                  \u_dut.u_done.g_memory.word_mem[0] ;
  (* hierconn *) wire                  \u_dut.u_done.g_memory.word_mem[1] ;
  (* hierconn *) wire [1:0]            \u_dut.u_insert_head.g_memory.word_mem[0] ;
  (* hierconn *) wire [1:0]            \u_dut.u_insert_head.g_memory.word_mem[1] ;

  logic        started_q = 1'b0;
  logic        enabled_q;
  logic [1:0]  enabled_each_q;
  logic        both_q;
  logic [3:0]  held_q;            // descriptors held
  logic [1:0]  rows_q;            // rows held
  logic [3:0]  count0_q, count1_q;   // descriptors in the older and in the newer row
  logic        follow_q;
  logic [3:0]  ahead_q;           // descriptors before the followed row's
  logic [8*AxiBytes-1:0] row_q;
  logic        lane_q;            // of its next descriptor
  logic [14:0] slot_q;            // likewise
  logic [1:0]  left_q;            // of it
  logic        due_q;             // the descriptor that was popped is of it
  logic [127:0] due_desc_q;
  logic [14:0] due_slot_q;
  logic        popped_q;
  logic [3:0]  streak_q;

  logic        insert, pop, enable;
  logic [3:0]  inserted;          // descriptors

  assign both_q   = enabled_each_q == 2'b11;
  assign insert   = insert_valid_i && insert_queue_i == who;
  assign pop      = pop_valid_i && pop_queue_i == who;
  assign enable   = en_valid_i && en_queue_i == who;
  assign inserted = 4'(insert_last_i) - 4'(insert_first_i) + 4'd1;

  always_ff @(posedge clk_i) begin
    started_q <= 1'b1;
    if (rst_i) begin
      enabled_q <= 1'b0;
      enabled_each_q <= 2'b00;
      held_q    <= '0;
      rows_q    <= '0;
      follow_q  <= 1'b0;
      due_q     <= 1'b0;
      popped_q  <= 1'b0;
      streak_q  <= '0;
    end else begin
      if (en_valid_i) enabled_each_q[en_queue_i] <= 1'b1;
      if (enable) begin
        enabled_q <= 1'b1;
        held_q    <= '0;
        rows_q    <= '0;
        follow_q  <= 1'b0;
      end else begin
        held_q <= held_q + (insert ? inserted : 4'd0) - 4'(pop);
        rows_q <= rows_q + 2'(insert) - 2'(pop && count0_q == 4'd1);
        if (pop && count0_q == 4'd1) begin
          count0_q <= (rows_q == 2'd2) ? count1_q : inserted;
          count1_q <= inserted;
        end else begin
          if (pop) count0_q <= count0_q - 1'b1;
          if (insert && rows_q == '0) count0_q <= inserted;
          if (insert && rows_q == 2'd1) count1_q <= inserted;
        end
        if (!follow_q && insert && mark_i) begin
          follow_q <= 1'b1;
          ahead_q  <= held_q - 4'(pop);
          row_q    <= insert_data_i;
          lane_q   <= insert_first_i;
          slot_q   <= insert_slot_i;
          left_q   <= inserted[1:0];
        end else if (follow_q && pop) begin
          if (ahead_q != '0) begin
            ahead_q <= ahead_q - 1'b1;
          end else begin
            lane_q   <= 1'b1;
            slot_q   <= slot_q + 1'b1;
            left_q   <= left_q - 1'b1;
            follow_q <= left_q != 2'd1;
          end
        end
      end
      due_q         <= follow_q && pop && ahead_q == '0;
      due_desc_q    <= lane_q ? row_q[255:128] : row_q[127:0];
      due_slot_q    <= slot_q;
      popped_q      <= pop;
      streak_q      <= (pop && insert) ? streak_q + 4'(streak_q != '1) : '0;
    end
  end

  // The watched queue in the cell: pointers, and the rows in order.
  logic [1:0]   head, tail;
  logic         taken;
  logic [3:0]   lanes, lanes_now;   // {last, first} of each row, the second one on top
  logic [511:0] rows, rows_now;
  logic [29:0]  slots, slots_now;

  assign head  = who ? \u_dut.u_head.g_memory.word_mem[1] : \u_dut.u_head.g_memory.word_mem[0] ;
  assign tail  = who ? \u_dut.u_tail.g_memory.word_mem[1] : \u_dut.u_tail.g_memory.word_mem[0] ;
  assign taken = who ? \u_dut.g_lanes.u_taken.g_memory.word_mem[1]
                     : \u_dut.g_lanes.u_taken.g_memory.word_mem[0] ;
  assign lanes = who ? {\u_dut.g_lanes.lane_mem[3] , \u_dut.g_lanes.lane_mem[2] }
                     : {\u_dut.g_lanes.lane_mem[1] , \u_dut.g_lanes.lane_mem[0] };
  assign rows  = who ? {\u_dut.u_rows.mem[3] , \u_dut.u_rows.mem[2] }
                     : {\u_dut.u_rows.mem[1] , \u_dut.u_rows.mem[0] };
  assign slots = who ? {\u_dut.u_slots.mem[3] , \u_dut.u_slots.mem[2] }
                     : {\u_dut.u_slots.mem[1] , \u_dut.u_slots.mem[0] };
  assign lanes_now = head[0] ? {lanes[1:0], lanes[3:2]} : lanes;
  assign rows_now  = head[0] ? {rows[255:0], rows[511:256]} : rows;
  assign slots_now = head[0] ? {slots[14:0], slots[29:15]} : slots;

  // Room as look_head_o and look_tail_o show it to who inserts.
  logic [1:0] room;
  assign room[0] = 2'(\u_dut.u_tail.g_memory.word_mem[0]  - \u_dut.u_head.g_memory.word_mem[0] ) != 2'(Rows);
  assign room[1] = 2'(\u_dut.u_tail.g_memory.word_mem[1]  - \u_dut.u_head.g_memory.word_mem[1] ) != 2'(Rows);

  always_comb begin
    // A run begins with a reset.
    m_reset_first: assume (started_q || rst_i);
    // A queue is enabled before it is used, while nothing comes or goes.
    m_enable: assume (!en_valid_i || (!insert_valid_i && !pop_valid_i));
    m_enabled: assume (!insert_valid_i || both_q);
    // A row has descriptors and comes when there is room for it; one is popped where there is one.
    m_lanes: assume (insert_first_i <= insert_last_i && insert_slot_i != '1);
    m_room: assume (!insert_valid_i || (insert_queue_i ? room[1] : room[0]));
    m_avail: assume (!pop_valid_i || avail[pop_queue_i]);
  end

  always_ff @(posedge clk_i) begin
    if (started_q && !rst_i) begin
      // The bit of a queue is high exactly while it holds a descriptor.
      a_avail: assert (avail[who] == (held_q != '0) || !enabled_q);
      // A descriptor comes a cycle after it was asked for.
      a_comes: assert (!popped_q || desc_valid);
      // It is that of its row and lane: rows in order, the lanes from first to last, and no others.
      a_desc: assert (!due_q || desc == due_desc_q);
      // Its ring slot is as far behind its row's as it is itself behind the row's first.
      a_slot: assert (!due_q || desc_index == 16'(due_slot_q));
      // A row is given back with its last descriptor; the pointers say how many are held.
      a_freed: assert (!pop || freed == (count0_q == 4'd1));
      a_rows: assert (!enabled_q || 2'(look_tail - look_head) == rows_q);
      a_nobody: assert (!wake_valid);

      // What the cell holds.
      a_wait_q: assert ((avail & ~enabled_each_q) == 2'b00 &&
                        (!enabled_each_q[0] || \u_dut.u_wait.g_memory.word_mem[0]  ==
                                               \u_dut.u_done.g_memory.word_mem[0] ) &&
                        (!enabled_each_q[1] || \u_dut.u_wait.g_memory.word_mem[1]  ==
                                               \u_dut.u_done.g_memory.word_mem[1] ));
      a_room_q: assert (!both_q || (\u_dut.u_insert_head.g_memory.word_mem[0]  ==
                                    \u_dut.u_head.g_memory.word_mem[0]  &&
                                    \u_dut.u_insert_head.g_memory.word_mem[1]  ==
                                    \u_dut.u_head.g_memory.word_mem[1] ));
      a_none_q: assert (enabled_q == enabled_each_q[who]);
      a_empty_q: assert (enabled_q || (!avail[who] && held_q == '0 && !follow_q));
      a_ptr_q: assert (!enabled_q || (head == look_head && tail == look_tail && rows_q <= 2'(Rows)));
      a_count_q: assert (held_q == ((rows_q != '0) ? count0_q : 4'd0) + ((rows_q == 2'd2) ? count1_q : 4'd0));
      a_lane_q: assert (rows_q == '0 ||
                        (count0_q == 4'(lanes_now[1]) - 4'(lanes_now[0]) - 4'(taken) + 4'd1 &&
                         count0_q != '0 && count0_q <= 4'd2));
      a_second_q: assert (rows_q != 2'd2 || (lanes_now[2] <= lanes_now[3] &&
                                             count1_q == 4'(lanes_now[3]) - 4'(lanes_now[2]) + 4'd1));
      a_taken_q: assert (!enabled_q || rows_q != '0 || !taken);
      a_follow_q: assert (!follow_q ||
                          (left_q != '0 &&
                           ((ahead_q == '0 && rows_q != '0 && rows_now[255:0] == row_q &&
                             slot_q == slots_now[14:0] + 15'(taken) &&
                             4'(left_q) == count0_q && lane_q == (lanes_now[0] ^ taken)) ||
                            (ahead_q == count0_q && rows_q == 2'd2 && rows_now[511:256] == row_q &&
                             slot_q == slots_now[29:15] &&
                             4'(left_q) == count1_q && lane_q == lanes_now[2]))));
      // A descriptor of the second row, after a whole first one.
      c_second: cover (due_q && $past(due_q) && streak_q == '0);
      c_throughput: cover (streak_q == 4'd4);
    end
  end

  logic unused_outputs;
  assign unused_outputs = ^{wake_queue};

endmodule
