// SPDX-License-Identifier: Apache-2.0
//
// Proof harness of vq_moderation, two queues and times of eight bits: any settings at any time, any
// buffers returned, any answer to a touch but no two refusals in a row, no queue enabled. Time goes
// on by a cycle, or from an idle cycle to any moment up to deadline_o.

module vq_moderation_formal #(
  parameter int unsigned Queues = 2
) (
  input logic        clk_i,
  input logic        rst_i,
  input logic        jump_i,
  input logic [7:0]  jump_to_i,
  input logic        set_valid_i,
  input logic        set_queue_i,
  input logic [15:0] set_packets_i,
  input logic [6:0]  set_cycles_i,
  input logic        visible_valid_i,
  input logic        visible_queue_i,
  input logic [2:0]  visible_count_i,
  input logic        touch_ready_i
);

  localparam int unsigned TimeWidth = 8;

  logic [TimeWidth-1:0] now_q;
  logic [63:0]          deadline;
  logic                 idle, visible_ready, touch_valid, touch_queue, touch_visible, touch_due;
  logic [15:0]          touch_pos, touch_slots;

  vq_moderation #(
    .Queues   (Queues),
    .TimeWidth(TimeWidth)
  ) u_dut (
    .clk_i          (clk_i),
    .rst_i          (rst_i),
    .now_i          ({56'd0, now_q}),
    .deadline_o     (deadline),
    .idle_o         (idle),
    .en_valid_i     (1'b0),
    .en_queue_i     (1'b0),
    .set_i          ({set_valid_i, 15'd0, set_queue_i, set_packets_i, 25'd0, set_cycles_i}),
    .visible_valid_i(visible_valid_i),
    .visible_ready_o(visible_ready),
    .visible_queue_i(visible_queue_i),
    .visible_count_i(visible_count_i),
    .visible_pos_i  (16'd0),
    .visible_slots_i(16'd0),
    .touch_valid_o  (touch_valid),
    .touch_ready_i  (touch_ready_i),
    .touch_queue_o  (touch_queue),
    .touch_visible_o(touch_visible),
    .touch_due_o    (touch_due),
    .touch_pos_o    (touch_pos),
    .touch_slots_o  (touch_slots)
  );

  // What the induction has to know of u_dut.
  (* hierconn *) wire       \u_dut.walk_q ;
  (* hierconn *) wire       \u_dut.walk_queue_q ;
  (* hierconn *) wire       \u_dut.force_q ;
  (* hierconn *) wire       \u_dut.forced_q ;
  (* hierconn *) wire [1:0] \u_dut.left_q ;
  (* hierconn *) wire       \u_dut.turn_q ;
  (* hierconn *) wire       \u_dut.timed_q ;
  (* hierconn *) wire [7:0] \u_dut.first_time_q ;
  (* hierconn *) wire [1:0] \u_dut.op ;
  (* hierconn *) wire       \u_dut.op_queue ;
  (* hierconn *) wire       \u_dut.due ;
  (* hierconn *) wire       \u_dut.scan ;
  (* hierconn *) wire [1:0] \u_dut.ring_count ;
  (* hierconn *) wire [1:0] \u_dut.u_ring.rd_ptr_q ;
  (* hierconn *) wire       \u_dut.u_ring.mem[0] ;
  (* hierconn *) wire       \u_dut.u_ring.mem[1] ;
  (* hierconn *) wire       \u_dut.u_ring.mem[2] ;
  (* hierconn *) wire [24:0] \u_dut.u_word.g_memory.word_mem[0] ;
  (* hierconn *) wire [24:0] \u_dut.u_word.g_memory.word_mem[1] ;
  (* hierconn *) wire [22:0] \u_dut.u_settings.g_memory.word_mem[0] ;
  (* hierconn *) wire [22:0] \u_dut.u_settings.g_memory.word_mem[1] ;

  localparam logic [1:0] OpVisible = 2'd2;
  localparam logic [1:0] OpVisit   = 2'd3;

  logic [1:0]  listed, waits, timed;   // of each queue
  logic [15:0] first;
  logic [13:0] cycles;
  logic [31:0] packets;

  assign listed = {\u_dut.u_word.g_memory.word_mem[1] [24], \u_dut.u_word.g_memory.word_mem[0] [24]};
  assign waits  = {\u_dut.u_word.g_memory.word_mem[1] [23:8] != 16'd0,
                   \u_dut.u_word.g_memory.word_mem[0] [23:8] != 16'd0};
  assign first  = {\u_dut.u_word.g_memory.word_mem[1] [7:0],
                   \u_dut.u_word.g_memory.word_mem[0] [7:0]};
  assign cycles = {\u_dut.u_settings.g_memory.word_mem[1] [6:0],
                   \u_dut.u_settings.g_memory.word_mem[0] [6:0]};
  assign packets = {\u_dut.u_settings.g_memory.word_mem[1] [22:7],
                    \u_dut.u_settings.g_memory.word_mem[0] [22:7]};
  assign timed  = {cycles[13:7] != 7'd0, cycles[6:0] != 7'd0};

  // The ring: who is first in it, and who second.
  logic        entry0, entry1;
  logic [1:0]  second;       // queue i is the second one

  assign entry0 = (\u_dut.u_ring.rd_ptr_q == 2'd0) ? \u_dut.u_ring.mem[0]
                : (\u_dut.u_ring.rd_ptr_q == 2'd1) ? \u_dut.u_ring.mem[1] : \u_dut.u_ring.mem[2] ;
  assign entry1 = (\u_dut.u_ring.rd_ptr_q == 2'd0) ? \u_dut.u_ring.mem[1]
                : (\u_dut.u_ring.rd_ptr_q == 2'd1) ? \u_dut.u_ring.mem[2] : \u_dut.u_ring.mem[0] ;
  assign second = {!entry0, entry0};

  logic        started_q = 1'b0;
  logic        refused_q;             // no touch was taken in the cycle before
  logic [1:0]  owed_q;                // queue i has buffers with a deadline, settings as they were
  logic [1:0]  changed_q;             // settings were written while it had buffers
  logic [15:0] due_q;                 // that deadline
  logic        scanning;
  logic [7:0]  visit;                 // cycles to the next look at a queue, while a scan goes on

  assign scanning = \u_dut.left_q != 2'd0;
  assign visit    = \u_dut.turn_q ? (refused_q ? 8'd1 : 8'd2) : (refused_q ? 8'd3 : 8'd4);

  always_ff @(posedge clk_i) begin
    started_q <= 1'b1;
    refused_q <= !rst_i && !touch_ready_i;
    now_q     <= (jump_i && !rst_i) ? jump_to_i : now_q + 8'd1;
  end

  for (genvar i = 0; i < Queues; i++) begin : g_owed
    always_ff @(posedge clk_i) begin
      if (rst_i || \u_dut.walk_q ) begin
        owed_q[i]    <= 1'b0;
        changed_q[i] <= 1'b0;
      end else begin
        if (\u_dut.op == OpVisible && \u_dut.op_queue == 1'(i)) begin
          if (\u_dut.due ) begin
            owed_q[i]    <= 1'b0;
            changed_q[i] <= 1'b0;
          end else if (!waits[i]) begin
            owed_q[i]         <= timed[i] && !set_valid_i;
            changed_q[i]      <= set_valid_i;
            due_q[8*i +: 8] <= now_q + {1'b0, cycles[7*i +: 7]};
          end else if (set_valid_i) begin
            owed_q[i]    <= 1'b0;
            changed_q[i] <= 1'b1;
          end
        end else if (\u_dut.op == OpVisit && \u_dut.op_queue == 1'(i) && \u_dut.due ) begin
          owed_q[i]    <= 1'b0;
          changed_q[i] <= 1'b0;
        end else if (set_valid_i && waits[i]) begin
          owed_q[i]    <= 1'b0;
          changed_q[i] <= 1'b1;
        end
      end
    end
  end

  logic [7:0] ahead;

  assign ahead = deadline[7:0] - now_q;

  always_ff @(posedge clk_i) begin
    if (!started_q) begin
      assume (rst_i);
    end else begin
      assume (!rst_i);
      // Whoever takes touches refuses none twice in a row.
      assume (touch_ready_i || !refused_q);
      // Time jumps only where the module says so.
      assume (!jump_i || (idle && !visible_valid_i && !set_valid_i &&
                          (deadline == '1 || (jump_to_i - now_q != 8'd0 &&
                                              jump_to_i - now_q <= ahead))));
      assume (visible_count_i != 3'd0 && visible_count_i <= 3'd4);
    end
    if (started_q && !rst_i && !\u_dut.walk_q ) begin
      // The ring holds the queues that are listed, each once.
      p_ring: assert (\u_dut.ring_count == 2'(listed[0]) + 2'(listed[1]));
      p_entry0: assert (\u_dut.ring_count == 2'd0 || listed[entry0]);
      p_entry1: assert (\u_dut.ring_count != 2'd2 || entry0 != entry1);
      // What waits is in the ring.
      p_waits: assert ((waits & ~listed) == 2'b00);
      // While a deadline is kept for the next scan, it lies ahead.
      p_time_left: assert (!\u_dut.timed_q || \u_dut.force_q ||
                           (!time_left[7] && time_left >= (scanning ? scan_time : 8'd1)));
      c_due_by_time: cover (touch_valid && !touch_visible && !\u_dut.forced_q );
      c_due_by_count: cover (touch_valid && touch_visible && touch_due && waits != 2'b00);
      c_idle_timed: cover (idle && \u_dut.timed_q );
      c_both: cover (owed_q == 2'b11 && scanning);
    end
    if (started_q && !rst_i && \u_dut.walk_q ) begin
      p_walk: assert (\u_dut.ring_count == 2'd0 && \u_dut.left_q == 2'd0 && !\u_dut.timed_q &&
                      (!\u_dut.walk_queue_q ||
                       (!listed[0] && !waits[0])));
    end
  end

  logic [7:0] time_left, scan_time;

  assign time_left = \u_dut.first_time_q - now_q;
  assign scan_time = (\u_dut.left_q == 2'd2) ? visit + 8'd7 : visit + 8'd1;

  for (genvar i = 0; i < Queues; i++) begin : g_proof
    logic [7:0] slack, needed;
    logic       soon;        // the scan that goes on will look at it
    logic [7:0] behind;      // of the first deadline that is kept

    assign slack  = due_q[8*i +: 8] - now_q;
    assign soon   = scanning && (!second[i] || \u_dut.left_q == 2'd2);
    assign needed = (second[i] ? 8'd6 : 8'd0) + (scanning ? visit : 8'd5);
    assign behind = due_q[8*i +: 8] - \u_dut.first_time_q ;

    always_ff @(posedge clk_i) begin
      if (started_q && !rst_i && !\u_dut.walk_q ) begin
        // No buffer waits beyond its deadline: it becomes due at the deadline or before.
        assert (!owed_q[i] || !slack[7]);
        // There is time enough for the looks that come before the one at this queue.
        assert (!owed_q[i] || slack >= needed);
        // Unless the scan that goes on will look at it, a deadline is kept that is no later.
        assert (!owed_q[i] || soon || \u_dut.force_q ||
                        (\u_dut.timed_q && !behind[7]));
        // The deadline is that of the queue's word.
        assert (!owed_q[i] || (waits[i] && timed[i] &&
                        due_q[8*i +: 8] == first[8*i +: 8] + {1'b0, cycles[7*i +: 7]}));
        // What waits under settings that were changed becomes due in the next scan.
        assert (!changed_q[i] || (waits[i] && (\u_dut.force_q ||
                                                          (soon && \u_dut.forced_q ))));
        // Nothing else waits.
        assert (!waits[i] || owed_q[i] || changed_q[i]);
        // Without a count or without a time buffers are due at once.
        assert (\u_dut.op != OpVisible || \u_dut.op_queue != 1'(i) || \u_dut.due ||
                (timed[i] && packets[16*i +: 16] != 16'd0));
      end
      if (started_q && !rst_i && \u_dut.walk_q ) begin
        assert (!owed_q[i] && !changed_q[i]);
      end
    end
  end

endmodule
