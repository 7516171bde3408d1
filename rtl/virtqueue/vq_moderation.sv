// SPDX-License-Identifier: Apache-2.0
//
// vq_moderation: decides when the driver is to be told of the buffers returned to it (virtio 1.2,
// 5.1.6.5.10). docs/interrupts.md has the rules.
//
//   For each queue: `packets` and `cycles`. Buffers of a queue become due, all that were returned and
//   not yet due, when there are `packets` of them, or `cycles` after the first one. If either of
//   the two is 0, buffers are due at once. A queue starts with both 0.
//
//   set       always taken. Buffers that are not yet due become due within a scan.
//   visible   buffers were returned to the driver; moves when valid and ready are high. pos and
//             slots pass through.
//   touch     what comes of it: touch_visible_o with pos and slots of buffers returned;
//             touch_due_o: the queue's buffers are due. It stays until touch_ready_i.
//   time      Queues with buffers that are not yet due are in a ring. Shortly before the first
//             deadline the ring is scanned once; a queue whose deadline is nearer than the margin
//             is due. A scan looks at a queue in every second cycle at least, or every fourth
//             where touches are taken in every second; the margin is the time of two scans, so
//             that no deadline passes between them:
//
//               early by up to 8 cycles a waiting queue, and 16, never late
//
//             A time that is shorter than that is over at once.
//
//   deadline_o  the time at which a scan begins, all ones for never
//   enable    forgets what is not yet due of en_queue_i; its settings stay
//   idle_o    nothing to do before deadline_o but what inputs ask for
//
// Parameters:
//   Queues     number of queues
//   SlotWidth  bits of a ring slot's number
//   TimeWidth  bits of a time; `cycles` are less than 2^(TimeWidth - 1): as it stands, 65,535 us at
//              1 GHz. All times that are compared lie nearer to each other than that.

module vq_moderation #(
  parameter int unsigned Queues = 3,
  parameter int unsigned SlotWidth = 15,
  parameter int unsigned TimeWidth = 27,
  localparam int unsigned QueueWidth = $clog2(Queues)
) (
  input  logic                  clk_i,
  input  logic                  rst_i,
  input  logic [63:0]           now_i,
  output logic [63:0]           deadline_o,
  output logic                  idle_o,

  input  logic                  en_valid_i,
  input  logic [QueueWidth-1:0] en_queue_i,
  input  nic_pkg::moderation_t  set_i,

  input  logic                  visible_valid_i,
  output logic                  visible_ready_o,
  input  logic [QueueWidth-1:0] visible_queue_i,
  input  logic [2:0]            visible_count_i,
  input  logic [SlotWidth:0]    visible_pos_i,
  input  logic [SlotWidth:0]    visible_slots_i,

  output logic                  touch_valid_o,
  input  logic                  touch_ready_i,
  output logic [QueueWidth-1:0] touch_queue_o,
  output logic                  touch_visible_o,
  output logic                  touch_due_o,
  output logic [SlotWidth:0]    touch_pos_o,
  output logic [SlotWidth:0]    touch_slots_o
);

  localparam int unsigned RingDepth = Queues + 1;
  localparam int unsigned RingWidth = $clog2(RingDepth + 1);
  localparam int unsigned MarginWidth = RingWidth + 4;

  ////////////////////
  // State          //
  ////////////////////

  localparam logic [1:0] OpNone    = 2'd0;
  localparam logic [1:0] OpForget  = 2'd1;
  localparam logic [1:0] OpVisible = 2'd2;
  localparam logic [1:0] OpVisit   = 2'd3;

  logic                  walk_q;         // after reset: forget all queues
  logic [QueueWidth-1:0] walk_queue_q;
  logic                  force_q;        // settings changed: what waits is due at the next scan
  logic                  forced_q;       // this scan is that one
  logic [RingWidth-1:0]  left_q;         // queues of the ring that this scan has not looked at
  logic                  turn_q;         // a visit goes before the next buffer
  logic                  timed_q;        // there is a deadline,
  logic [TimeWidth-1:0]  first_time_q;   // none lies before this

  logic                  touch_valid_q;

  logic [1:0]            op;
  logic [QueueWidth-1:0] op_queue;
  logic                  free;           // a touch may come of this cycle
  logic                  visit_valid;
  logic [QueueWidth-1:0] visit_queue;

  assign free        = !touch_valid_q || touch_ready_i;
  assign visit_valid = left_q != '0;

  always_comb begin
    op       = OpNone;
    op_queue = visit_queue;
    if (walk_q || en_valid_i) begin
      op       = OpForget;
      op_queue = walk_q ? walk_queue_q : en_queue_i;
    end else if (visible_valid_i && free && !(visit_valid && turn_q)) begin
      op       = OpVisible;
      op_queue = visible_queue_i;
    end else if (visit_valid && free) begin
      op       = OpVisit;
    end
  end

  assign visible_ready_o = op == OpVisible;

  ////////////////////
  // Settings       //
  ////////////////////

  logic [15:0] packets;
  logic [TimeWidth-2:0] cycles;

  queue_state #(.Queues(Queues), .Width(16 + TimeWidth - 1)) u_settings (
    .clk_i,
    .write_i       (set_i.valid || walk_q),
    .write_queue_i (set_i.valid ? set_i.queue[QueueWidth-1:0] : walk_queue_q),
    .write_data_i  (set_i.valid ? {set_i.packets, set_i.cycles[TimeWidth-2:0]} : '0),
    .read_queue_i  (op_queue),
    .read_data_o   ({packets, cycles})
  );

  ////////////////////
  // A queue        //
  ////////////////////

  logic                 listed, listed_next;  // in the ring
  logic [15:0]          count, count_next;    // buffers that are not yet due
  logic [TimeWidth-1:0] first, first_next;    // when the first of them was returned

  logic                 due;
  logic                 push;                 // into the ring
  logic                 timed;                // with a deadline
  logic [16:0]          sum;
  logic [TimeWidth-1:0] time_due;
  logic [TimeWidth-1:0] ahead;
  logic [MarginWidth-1:0] margin;
  logic                 brief;                // the time is no longer than a scan
  logic [RingWidth-1:0] ring_count;
  logic                 unused_ring_valid;
  logic                 ring_room;

  queue_state #(.Queues(Queues), .Width(1 + 16 + TimeWidth)) u_word (
    .clk_i,
    .write_i       (op != OpNone),
    .write_queue_i (op_queue),
    .write_data_i  ({listed_next, count_next, first_next}),
    .read_queue_i  (op_queue),
    .read_data_o   ({listed, count, first})
  );

  fifo #(.Width(QueueWidth), .Depth(RingDepth)) u_ring (
    .clk_i,
    .rst_i,
    .wr_valid_i (push),
    .wr_ready_o (ring_room),
    .wr_data_i  (op_queue),
    .rd_valid_o (unused_ring_valid),
    .rd_ready_i (op == OpVisit),
    .rd_data_o  (visit_queue),
    .count_o    (ring_count)
  );

  assign margin = MarginWidth'({ring_count, 3'd0}) + MarginWidth'(8);
  assign brief  = (cycles >> MarginWidth) == '0 &&
                  cycles[MarginWidth-1:0] <= margin + MarginWidth'(8);

  always_comb begin
    listed_next = listed && !walk_q;
    count_next  = '0;
    first_next  = '0;
    due         = 1'b0;
    push        = 1'b0;
    timed       = 1'b0;
    sum         = '0;
    time_due    = '0;
    ahead       = '0;
    if (op == OpVisible || op == OpVisit) begin
      first_next = (op == OpVisible && count == '0) ? now_i[TimeWidth-1:0] : first;
      time_due   = first_next + TimeWidth'(cycles);
    end
    case (op)
      OpVisible: begin
        sum        = 17'(count) + 17'(visible_count_i);
        // Without `packets` any number is enough.
        due        = sum >= 17'(packets) || cycles == '0 || (count == '0 && brief);
        if (!due) begin
          count_next  = sum[15:0];
          listed_next = 1'b1;
          push        = !listed;
          timed       = count == '0;
        end
      end
      OpVisit: begin
        ahead       = time_due - now_i[TimeWidth-1:0];
        due         = count != '0 && (forced_q || ahead[TimeWidth-1] ||
                                      ((ahead >> MarginWidth) == '0 &&
                                       ahead[MarginWidth-1:0] <= margin));
        listed_next = 1'b0;
        if (count != '0 && !due) begin
          count_next  = count;
          listed_next = 1'b1;
          push        = 1'b1;
          timed       = 1'b1;
        end
      end
      default: ;
    endcase
  end

  ////////////////////
  // Time           //
  ////////////////////

  logic                 scan;
  logic [TimeWidth-1:0] time_left;
  logic [TimeWidth-1:0] nearer;       // negative: the deadline is nearer than the first one
  logic [TimeWidth-1:0] begin_time;

  always_comb begin
    time_left = '0;
    scan      = force_q;
    if (timed_q) begin
      time_left = first_time_q - now_i[TimeWidth-1:0];
      scan      = force_q || time_left[TimeWidth-1] ||
                  ((time_left >> MarginWidth) == '0 && time_left[MarginWidth-1:0] <= margin);
    end
    if (visit_valid) scan = 1'b0;
  end

  assign nearer = time_due - first_time_q;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      walk_q       <= 1'b1;
      walk_queue_q <= '0;
      force_q      <= 1'b0;
      forced_q     <= 1'b0;
      left_q       <= '0;
      turn_q       <= 1'b0;
      timed_q      <= 1'b0;
    end else if (walk_q) begin
      if (!set_i.valid) begin
        walk_queue_q <= walk_queue_q + 1'b1;
        walk_q       <= walk_queue_q != QueueWidth'(Queues - 1);
      end
    end else if (set_i.valid || force_q || scan || op != OpNone) begin
      force_q <= set_i.valid || (force_q && visit_valid);
      if (op != OpNone) begin
        turn_q <= op == OpVisible;
      end
      if (scan) begin
        left_q   <= ring_count;
        forced_q <= force_q;
        timed_q  <= 1'b0;
      end else if (op == OpVisit) begin
        left_q <= left_q - 1'b1;
      end
      if (timed) begin
        timed_q <= 1'b1;
        if (!timed_q || scan || nearer[TimeWidth-1]) begin
          first_time_q <= time_due;
        end
      end
    end
  end

  // While no scan is due the deadline lies ahead: its upper half is that of now, or one more.
  always_comb begin
    begin_time = '0;
    deadline_o = '1;
    if (timed_q) begin
      begin_time = first_time_q - TimeWidth'(margin);
      deadline_o = {now_i[63:TimeWidth] + (64 - TimeWidth)'(begin_time < now_i[TimeWidth-1:0]),
                    begin_time};
    end
  end

  assign idle_o     = op == OpNone && !walk_q && !scan && !visit_valid && !touch_valid_q && !force_q;

  ////////////////////
  // What comes out //
  ////////////////////

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      touch_valid_q <= 1'b0;
    end else if (free) begin
      touch_valid_q <= op == OpVisible || due;
    end
  end

  always_ff @(posedge clk_i) begin
    if (op == OpVisible || due) begin
      touch_queue_o   <= op_queue;
      touch_visible_o <= op == OpVisible;
      touch_due_o     <= due;
      touch_pos_o     <= visible_pos_i;
      touch_slots_o   <= visible_slots_i;
    end
  end

  assign touch_valid_o = touch_valid_q;

  logic unused_set;
  assign unused_set = ^set_i;

  ////////////////////
  // Properties     //
  ////////////////////

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // A queue is in the ring once at most, so that the ring has a place for it.
      a_ring_room: assert (!push || ring_room);
      // A scan looks at no more than the ring holds.
      a_scan: assert (left_q <= ring_count);
      // Buffers that wait for their time are found: there is a first deadline, or a scan goes on.
      a_timed: assert (op != OpVisible || due || !listed || timed_q || visit_valid ||
                       count == '0 || force_q);
      // No buffer waits beyond its deadline.
      a_in_time: assert (op != OpVisit || count == '0 || !ahead[TimeWidth-1] || forced_q || force_q);
      // Without a count or without a time nothing waits.
      a_at_once: assert (op != OpVisible || due || (packets != '0 && cycles != '0));
      // Times are within bounds.
      a_cycles: assert (!set_i.valid || (set_i.cycles >> (TimeWidth - 1)) == '0);
      // Only queues that exist are set.
      a_set: assert (!set_i.valid || 32'(set_i.queue) < Queues);
    end
  end
`endif

endmodule
