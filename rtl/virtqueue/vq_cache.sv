// SPDX-License-Identifier: Apache-2.0
//
// vq_cache: descriptors that were fetched and not yet taken, one FIFO of bus beats for each queue.
//
// A row holds one bus beat as it came, with the run of lanes in it that holds descriptors:
//
//   AxiBytes 64      lane 3     lane 2     lane 1     lane 0
//   row 0          | slot 1   | slot 0   |    -     |    -     |   first 2, last 3
//   row 1          | slot 5   | slot 4   | slot 3   | slot 2   |   first 0, last 3
//   row 2          |    -     |    -     | slot 7   | slot 6   |   first 0, last 1
//
//   insert   always taken; the writer reserved the row (look_head_o and look_tail_o) beforehand.
//            insert_slot_i is the ring slot of the row's first descriptor; those of the others follow.
//   avail_o  bit q is high while queue q holds a descriptor; registered, exact in every cycle.
//   pop      pop_valid_i only under avail_o[pop_queue_i]; exactly one cycle later desc_valid_o with
//            the descriptor and its ring slot. One pop a cycle. desc_o then stays until the next.
//   freed_o  a row of pop_queue_i is given back by this cycle's pop.
//   wait     wait_set_i: somebody waits for rows of wait_queue_i. wake_valid_o stays with the queue
//            until wake_ready_i, once a quarter of its rows or all of them came back after that.
//   enable   en_valid_i empties the queue, which nobody waits for then; never together with an
//            insert or a pop.
//
// Parameters:
//   Queues    number of queues
//   AxiBytes  bytes in a bus beat, 16 for each lane
//   Rows      rows for each queue, a power of two
//   SlotWidth bits of a ring slot's number

module vq_cache #(
  parameter int unsigned Queues = 1,
  parameter int unsigned AxiBytes = 16,
  parameter int unsigned Rows = 64,
  parameter int unsigned SlotWidth = 15,
  localparam int unsigned QueueWidth = (Queues > 1) ? $clog2(Queues) : 1,
  localparam int unsigned Lanes = AxiBytes / 16,
  localparam int unsigned LaneWidth = (Lanes > 1) ? $clog2(Lanes) : 1,
  localparam int unsigned RowWidth = $clog2(Rows),
  localparam int unsigned IndexWidth = $clog2(Queues * Rows)
) (
  input  logic                    clk_i,
  input  logic                    rst_i,

  input  logic                    en_valid_i,
  input  logic [QueueWidth-1:0]   en_queue_i,

  input  logic                    insert_valid_i,
  input  logic [QueueWidth-1:0]   insert_queue_i,
  input  logic [8*AxiBytes-1:0]   insert_data_i,
  input  logic [LaneWidth-1:0]    insert_first_i,
  input  logic [LaneWidth-1:0]    insert_last_i,
  input  logic [SlotWidth-1:0]    insert_slot_i,

  input  logic [QueueWidth-1:0]   look_queue_i,
  output logic [RowWidth:0]       look_head_o,
  output logic [RowWidth:0]       look_tail_o,

  output logic [Queues-1:0]       avail_o,
  input  logic                    pop_valid_i,
  input  logic [QueueWidth-1:0]   pop_queue_i,
  output logic                    freed_o,
  input  logic                    wait_set_i,
  input  logic [QueueWidth-1:0]   wait_queue_i,
  output logic                    wake_valid_o,
  input  logic                    wake_ready_i,
  output logic [QueueWidth-1:0]   wake_queue_o,
  output logic                    desc_valid_o,
  output nic_pkg::desc_t          desc_o,
  output logic [15:0]             desc_index_o
);

  if (Rows < 2 || (Rows & (Rows - 1)) != 0) $error("vq_cache: Rows must be a power of two");
  if (AxiBytes < 16 || (AxiBytes & (AxiBytes - 1)) != 0) begin : g_bad_axi_bytes
    $error("vq_cache: AxiBytes must be a power of two, 16 or more");
  end

  ////////////////////
  // State          //
  ////////////////////

  logic [Queues-1:0]     avail_q;
  logic                  desc_valid_q;

  logic [RowWidth:0]     pop_head;            // oldest row; the top bit tells full from empty
  logic [RowWidth:0]     pop_head_next;
  logic [RowWidth:0]     pop_tail;            // first free row
  logic                  row_ends;            // the pop takes the last descriptor of its row
  logic [RowWidth:0]     insert_tail;
  logic [IndexWidth-1:0] pop_row;
  logic [IndexWidth-1:0] insert_row;
  logic                  emptied;             // and none is left
  logic [8*AxiBytes-1:0] row;                 // that of the descriptor which was popped
  logic [SlotWidth-1:0]  row_slot;            // ring slot of its first descriptor

  queue_state #(.Queues(Queues), .Width(RowWidth + 1), .Reads(2)) u_head (
    .clk_i,
    .write_i       (en_valid_i || freed_o),
    .write_queue_i (en_valid_i ? en_queue_i : pop_queue_i),
    .write_data_i  (en_valid_i ? '0 : pop_head_next),
    .read_queue_i  ({look_queue_i, pop_queue_i}),
    .read_data_o   ({look_head_o, pop_head})
  );

  queue_state #(.Queues(Queues), .Width(RowWidth + 1), .Reads(3)) u_tail (
    .clk_i,
    .write_i       (en_valid_i || insert_valid_i),
    .write_queue_i (en_valid_i ? en_queue_i : insert_queue_i),
    .write_data_i  (en_valid_i ? '0 : insert_tail + 1'b1),
    .read_queue_i  ({look_queue_i, pop_queue_i, insert_queue_i}),
    .read_data_o   ({look_tail_o, pop_tail, insert_tail})
  );

  assign pop_head_next = pop_head + 1'b1;
  assign pop_row       = IndexWidth'({pop_queue_i, pop_head[RowWidth-1:0]});
  assign insert_row    = IndexWidth'({insert_queue_i, insert_tail[RowWidth-1:0]});
  assign freed_o       = pop_valid_i && row_ends;
  assign emptied       = freed_o && pop_head_next == pop_tail;

  ////////////////////
  // Waiting        //
  ////////////////////

  // Somebody waits while the two bits of a queue differ; each has one writer.
  localparam int unsigned WakeDepth = (Queues > 2) ? Queues : 2;
  localparam int unsigned Quarter   = (Rows > 4) ? Rows / 4 : 1;

  logic wait_done;       // of the queue that is to be waited for
  logic pop_wait;
  logic pop_done;
  logic wake;
  logic wake_room;
  logic [$clog2(WakeDepth+1)-1:0] unused_wake_count;

  queue_state #(.Queues(Queues), .Width(1)) u_wait (
    .clk_i,
    .write_i       (en_valid_i || wait_set_i),
    .write_queue_i (en_valid_i ? en_queue_i : wait_queue_i),
    .write_data_i  (!en_valid_i && !wait_done),
    .read_queue_i  (pop_queue_i),
    .read_data_o   (pop_wait)
  );

  queue_state #(.Queues(Queues), .Width(1), .Reads(2)) u_done (
    .clk_i,
    .write_i       (en_valid_i || wake),
    .write_queue_i (en_valid_i ? en_queue_i : pop_queue_i),
    .write_data_i  (!en_valid_i && pop_wait),
    .read_queue_i  ({wait_queue_i, pop_queue_i}),
    .read_data_o   ({wait_done, pop_done})
  );

  assign wake = freed_o && pop_wait != pop_done &&
                ((32'(pop_head_next) & (Quarter - 1)) == 0 || pop_head_next == pop_tail);

  fifo #(.Width(QueueWidth), .Depth(WakeDepth)) u_wake (
    .clk_i,
    .rst_i,
    .wr_valid_i (wake),
    .wr_ready_o (wake_room),
    .wr_data_i  (pop_queue_i),
    .rd_valid_o (wake_valid_o),
    .rd_ready_i (wake_ready_i),
    .rd_data_o  (wake_queue_o),
    .count_o    (unused_wake_count)
  );

  ////////////////////
  // Rows           //
  ////////////////////

  ram_1r1w #(.Width(8 * AxiBytes), .Depth(Queues * Rows)) u_rows (
    .clk_i,
    .we_i    (insert_valid_i),
    .waddr_i (insert_row),
    .wdata_i (insert_data_i),
    .re_i    (pop_valid_i),
    .raddr_i (pop_row),
    .rdata_o (row)
  );

  ram_1r1w #(.Width(SlotWidth), .Depth(Queues * Rows)) u_slots (
    .clk_i,
    .we_i    (insert_valid_i),
    .waddr_i (insert_row),
    .wdata_i (insert_slot_i),
    .re_i    (pop_valid_i),
    .raddr_i (pop_row),
    .rdata_o (row_slot)
  );

  if (Lanes == 1) begin : g_one_lane
    assign row_ends     = 1'b1;
    assign desc_o       = row;
    assign desc_index_o = 16'(row_slot);

    logic unused_lanes;
    assign unused_lanes = ^{insert_first_i, insert_last_i};
  end else begin : g_lanes
    logic [2*LaneWidth-1:0] lane_mem [Queues*Rows];  // {last, first} of each row
    logic [LaneWidth-1:0]   lane_q;
    logic [LaneWidth-1:0]   taken_q;                 // what was taken of the row before that
    logic [2*LaneWidth-1:0] pop_lanes;
    logic [LaneWidth-1:0]   pop_lane;
    logic [LaneWidth-1:0]   taken;                   // descriptors taken of the oldest row

    queue_state #(.Queues(Queues), .Width(LaneWidth)) u_taken (
      .clk_i,
      .write_i       (en_valid_i || pop_valid_i),
      .write_queue_i (en_valid_i ? en_queue_i : pop_queue_i),
      .write_data_i  ((en_valid_i || row_ends) ? '0 : taken + 1'b1),
      .read_queue_i  (pop_queue_i),
      .read_data_o   (taken)
    );

    assign pop_lanes    = lane_mem[pop_row];
    assign pop_lane     = pop_lanes[LaneWidth-1:0] + taken;
    assign row_ends     = pop_lane == pop_lanes[2*LaneWidth-1:LaneWidth];
    assign desc_o       = row[128*lane_q +: 128];
    assign desc_index_o = 16'(row_slot) + 16'(taken_q);

    always_ff @(posedge clk_i) begin
      if (insert_valid_i) begin
        lane_mem[insert_row] <= {insert_last_i, insert_first_i};
      end
      if (pop_valid_i) begin
        lane_q  <= pop_lane;
        taken_q <= taken;
      end
    end
  end

  ////////////////////
  // Descriptors    //
  ////////////////////

  // One place to clear a cycle: each further one is a decoder over all queues.
  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      avail_q      <= '0;
      desc_valid_q <= 1'b0;
    end else begin
      desc_valid_q <= pop_valid_i;
      if (en_valid_i || emptied) begin
        avail_q[en_valid_i ? en_queue_i : pop_queue_i] <= 1'b0;
      end
      if (insert_valid_i) begin
        avail_q[insert_queue_i] <= 1'b1;
      end
    end
  end

  assign avail_o      = avail_q;
  assign desc_valid_o = desc_valid_q;

  ////////////////////
  // Properties     //
  ////////////////////

`ifndef SYNTHESIS
  logic [RowWidth:0] insert_head;

  queue_state #(.Queues(Queues), .Width(RowWidth + 1)) u_insert_head (
    .clk_i,
    .write_i       (en_valid_i || freed_o),
    .write_queue_i (en_valid_i ? en_queue_i : pop_queue_i),
    .write_data_i  (en_valid_i ? '0 : pop_head_next),
    .read_queue_i  (insert_queue_i),
    .read_data_o   (insert_head)
  );

  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // Every queue that waits has a place among those that are woken.
      a_wake_room: assert (!wake || wake_room);
      // Only a queue that holds a descriptor is popped.
      a_pop_avail: assert (!pop_valid_i || avail_q[pop_queue_i]);
      // A row is never written while all rows of its queue are held.
      a_room: assert (!insert_valid_i ||
                      insert_tail != (insert_head ^ {1'b1, {RowWidth{1'b0}}}));
      // A queue is enabled in a quiet moment.
      a_enable_alone: assert (!en_valid_i || (!insert_valid_i && !pop_valid_i));
    end
  end
`endif

endmodule
