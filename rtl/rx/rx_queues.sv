// SPDX-License-Identifier: Apache-2.0
//
// rx_queues: keeps the frames that wait for buffers, in order for each receive queue, and chooses whose
// turn it is.
//
//   in        frame_*: moves when valid and ready are both high; at least every second cycle if
//             frames leave. There is room for as many frames as the store has slots.
//   out       out_*: the chosen frame; stable until out_ready_i. A frame every second cycle.
//   choice    round robin over the queues that have a frame and, by avail_i, a buffer. A queue without
//             buffers is passed over and its frames stay.
//   giving up while a store that is short of room has more than one queue pair to serve (several_i),
//             a queue without buffers must not hold up the others. If short_i, its first frame
//             is given up if it is the oldest in the store (oldest_i); if tight_i, in any case:
//             out_drop_o is high with it.
//   front_o, enabled_i   the driver has enabled queue front_o; a frame of another one is given up.
//   pairs_i   queues in use; frames of another one are given up.
//   others_o  frames of other queues wait behind the one that is out
//   hold_i    nothing is chosen; what is out stays.
//   idle_o    nothing moves. With several queues it is low while frames wait for buffers of more
//             than one of them.
//
// Frames lie in a memory by their slot, and each queue is a list in it. Queues that have frames stand
// in a ring; the one at its front is looked at, and goes to the back if it still has frames.
//
//     ring    | 3 | 0 | 7 |        head_mem[3] --> frame slot 12 --> slot 15 --> slot 16
//               ^ front                                                            ^ tail_mem[3]
//
// A choice takes two cycles: in the first the frame and the slot of the next one are read, in the
// second the queue's head is moved on. Frames come in in the first only.
//
// One queue is a plain FIFO, and waits for its buffers as long as it is enabled.
//
// Parameters:
//   Queues     receive queues
//   Frames     slots of the store
//   TagWidth   bits of a tag

module rx_queues #(
  parameter int unsigned Queues = 1,
  parameter int unsigned Frames = 512,
  parameter int unsigned TagWidth = 32,
  localparam int unsigned QueueWidth = (Queues > 1) ? $clog2(Queues) : 1
) (
  input  logic                          clk_i,
  input  logic                          rst_i,
  output logic                          idle_o,

  input  logic                          frame_valid_i,
  output logic                          frame_ready_o,
  input  nic_pkg::rx_frame_t            frame_i,
  input  logic [QueueWidth-1:0]         frame_queue_i,
  input  logic [TagWidth-1:0]           frame_tag_i,

  output logic [QueueWidth-1:0]         front_o,
  input  logic                          enabled_i,
  input  logic [Queues-1:0]             avail_i,
  input  logic                          hold_i,
  input  logic                          several_i,
  input  logic [15:0]                   pairs_i,
  input  logic                          short_i,
  input  logic                          tight_i,
  input  logic [nic_pkg::SlotWidth-1:0] oldest_i,

  output logic                          out_valid_o,
  input  logic                          out_ready_i,
  output nic_pkg::rx_frame_t            out_o,
  output logic [QueueWidth-1:0]         out_queue_o,
  output logic [TagWidth-1:0]           out_tag_o,
  output logic                          out_drop_o,
  output logic                          others_o
);

  localparam int unsigned FrameWidth = nic_pkg::RxFrameWidth;
  localparam int unsigned SlotWidth = $clog2(Frames);
  localparam int unsigned Places = 1 << QueueWidth;

  if (Queues == 1) begin : g_one
    logic [$clog2(Frames+1)-1:0] count;

    fifo_ram #(
      .Width(FrameWidth + TagWidth),
      .Depth(Frames)
    ) u_fifo (
      .clk_i     (clk_i),
      .rst_i     (rst_i),
      .wr_valid_i(frame_valid_i),
      .wr_ready_o(frame_ready_o),
      .wr_data_i ({frame_i, frame_tag_i}),
      .rd_valid_o(out_valid_o),
      .rd_ready_i(out_ready_i),
      .rd_data_o ({out_o, out_tag_o}),
      .count_o   (count)
    );

    assign idle_o      = out_valid_o || count == '0;
    assign out_queue_o = '0;
    assign front_o     = '0;
    assign out_drop_o  = !enabled_i;
    assign others_o    = 1'b0;

    logic unused_inputs;
    assign unused_inputs = ^{frame_queue_i, avail_i, hold_i, several_i, pairs_i, short_i, tight_i,
                             oldest_i};
  end else begin : g_many
    ////////////////////
    // State          //
    ////////////////////

    logic [SlotWidth-1:0]  head_mem [Places];
    logic [SlotWidth-1:0]  tail_mem [Places];
    logic                  some_mem [Places];   // the queue has frames
    logic [QueueWidth-1:0] ring_mem [Places];
    logic [QueueWidth:0]   ring_wr_q;
    logic [QueueWidth:0]   ring_rd_q;
    logic [QueueWidth:0]   clear_q;             // queues of which it is known that they are empty

    logic                  second_q;            // second cycle of a choice
    logic [SlotWidth-1:0]  slot_q;              // the frame that was chosen
    logic                  behind_q;            // in the first cycle a frame came behind it
    logic                  out_valid_q;
    logic [QueueWidth-1:0] out_queue_q;
    logic                  out_drop_q;

    ////////////////////
    // Choice         //
    ////////////////////

    logic                  ready;
    logic                  push;
    logic                  push_new;            // into an empty queue
    logic [SlotWidth-1:0]  push_slot;
    logic [SlotWidth-1:0]  tail;                // of the queue that comes in, or was chosen
    logic                  free;                // there is a queue to look at and room for its frame
    logic                  served;
    logic                  in_use;              // the queue
    logic                  given_up;
    logic                  choose;
    logic                  turn_on;             // the ring's front goes to the back, nothing chosen
    logic [QueueWidth-1:0] front;
    logic [SlotWidth-1:0]  slot;
    logic [SlotWidth-1:0]  next;
    logic                  last;                // the frame that was chosen was its queue's last

    assign ready     = clear_q[QueueWidth] && !second_q;
    assign push      = frame_valid_i && ready;
    assign push_new  = push && !some_mem[frame_queue_i];
    assign push_slot = frame_i.slot[SlotWidth-1:0];
    assign tail      = tail_mem[second_q ? out_queue_q : frame_queue_i];
    assign front     = ring_mem[ring_rd_q[QueueWidth-1:0]];
    assign front_o   = front;
    assign slot      = head_mem[front];
    assign free      = ring_wr_q != ring_rd_q && !second_q && !hold_i &&
                       (!out_valid_q || out_ready_i);
    assign in_use    = 16'(front) < pairs_i;
    assign served    = avail_i[front] && in_use;
    assign given_up  = !in_use || !enabled_i ||
                       (several_i && (tight_i || (short_i && slot == oldest_i[SlotWidth-1:0])));
    assign choose    = free && (served || given_up);
    assign turn_on   = free && !served && !given_up && !push_new &&
                       ring_wr_q - ring_rd_q != (QueueWidth + 1)'(1);
    assign last      = slot_q == tail;

    assign frame_ready_o = ready;

    always_ff @(posedge clk_i) begin
      if (rst_i) begin
        clear_q <= '0;
      end else if (!clear_q[QueueWidth]) begin
        clear_q <= clear_q + 1'b1;
      end
    end

    always_ff @(posedge clk_i) begin
      if (rst_i) begin
        second_q    <= 1'b0;
        out_valid_q <= 1'b0;
      end else if (choose) begin
        second_q    <= 1'b1;
        slot_q      <= slot;
        behind_q    <= push && !push_new && tail == slot;
        out_valid_q <= 1'b1;
        out_queue_q <= front;
        out_drop_q  <= !served;
      end else if (second_q || out_ready_i) begin
        second_q <= 1'b0;
        if (out_ready_i) begin
          out_valid_q <= 1'b0;
        end
      end
    end

    ////////////////////
    // Lists          //
    ////////////////////

    always_ff @(posedge clk_i) begin
      if (push_new || (second_q && !last)) begin
        head_mem[second_q ? out_queue_q : frame_queue_i] <=
            !second_q ? push_slot : behind_q ? tail : next;
      end
    end

    always_ff @(posedge clk_i) begin
      if (push) begin
        tail_mem[frame_queue_i] <= push_slot;
      end
    end

    always_ff @(posedge clk_i) begin
      if (!clear_q[QueueWidth]) begin
        some_mem[clear_q[QueueWidth-1:0]] <= 1'b0;
      end else if (push_new || (second_q && last)) begin
        some_mem[second_q ? out_queue_q : frame_queue_i] <= !second_q;
      end
    end

    always_ff @(posedge clk_i) begin
      if (push_new || (second_q && !last) || turn_on) begin
        ring_mem[ring_wr_q[QueueWidth-1:0]] <= second_q ? out_queue_q :
                                               push_new ? frame_queue_i : front;
      end
    end

    always_ff @(posedge clk_i) begin
      if (rst_i) begin
        ring_wr_q <= '0;
        ring_rd_q <= '0;
      end else if (push_new || choose || second_q || turn_on) begin
        ring_wr_q <= ring_wr_q + (QueueWidth + 1)'(push_new || (second_q && !last) || turn_on);
        ring_rd_q <= ring_rd_q + (QueueWidth + 1)'(choose || turn_on);
      end
    end

    ram_1r1w #(
      .Width(SlotWidth),
      .Depth(Frames)
    ) u_next (
      .clk_i  (clk_i),
      .we_i   (push && !push_new),
      .waddr_i(tail),
      .wdata_i(push_slot),
      .re_i   (choose),
      .raddr_i(slot),
      .rdata_o(next)
    );

    ram_1r1w #(
      .Width(FrameWidth + TagWidth),
      .Depth(Frames)
    ) u_frames (
      .clk_i  (clk_i),
      .we_i   (push),
      .waddr_i(push_slot),
      .wdata_i({frame_i, frame_tag_i}),
      .re_i   (choose),
      .raddr_i(slot),
      .rdata_o({out_o, out_tag_o})
    );

    assign out_valid_o = out_valid_q;
    assign out_queue_o = out_queue_q;
    assign out_drop_o  = out_drop_q;
    assign others_o    = out_valid_q && !second_q &&
                         ring_wr_q - ring_rd_q != (QueueWidth + 1)'(some_mem[out_queue_q]);
    assign idle_o      = clear_q[QueueWidth] && !second_q && !choose && !turn_on;

    logic unused_bits;
    assign unused_bits = ^oldest_i;

`ifndef SYNTHESIS
    always_ff @(posedge clk_i) begin
      if (!rst_i) begin
        // A queue stands in the ring once.
        a_ring: assert ((ring_wr_q - ring_rd_q) <= (QueueWidth + 1)'(Queues));
        // A queue that is looked at has a frame.
        a_some: assert (!choose || some_mem[front]);
        // A frame whose place is read is not written in the same cycle.
        a_slot: assert (!(push && choose) || push_slot != slot);
      end
    end
`endif
  end

endmodule
