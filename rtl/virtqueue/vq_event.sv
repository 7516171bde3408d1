// SPDX-License-Identifier: Apache-2.0
//
// vq_event: decides whether the driver wants an interrupt for the buffers that were returned to it
// (virtio 1.2, 2.8.14: driver event suppression).
//
//   touch    buffers were returned (touch_visible_i): touch_pos_i is the ring position after them
//            ({wrap counter, slot}), touch_slots_i the slots they took. touch_due_i: the driver's
//            structure is to be checked now. Moves when valid and ready are high.
//   check    the driver's structure is read after that. While a check of a queue is under way,
//            further buffers that are due mark the queue again, so nothing that is due goes without
//            a check that was asked for after it became visible. One check a queue at a time,
//            Depth in all.
//   irq      irq_valid_o stays with its queue until irq_ready_i.
//   error    err_valid_o with err_queue_o for one cycle: the read failed.
//   enable   en_valid_i forgets what was due of en_queue_i; in a quiet moment.
//   ask      while ask_valid_i is high, in a quiet moment, erd_req_addr_o is, two cycles later, the
//            address of the driver's structure of ask_queue_i (for error records).
//
// With the event index negotiated and flags DESC, an interrupt is due when the slot that the driver
// named is among the slots that were returned since the last check:
//
//       new - slots        event           new
//            |---------------^--------------|          distance = new - event, 1..slots: notify
//
// A position of the other wrap counter is one ring length back.
//
//   touch --> word of the queue --> check FIFO --> read --> decision --> irq FIFO
//             pos, slots, due, busy      ^           ^         |
//                    ^   '---------------|- at once -'         |
//                    '___________________'_____ answer ________'
//
// A queue that becomes due while no other waits is checked at once.
//
// Parameters:
//   Queues      number of queues
//   AxiBytes    bytes in a bus beat
//   Depth       checks under way and interrupts that wait, at most
//   SlotWidth   bits of a ring slot's number

module vq_event #(
  parameter int unsigned Queues = 3,
  parameter int unsigned AxiBytes = 16,
  parameter int unsigned Depth = 8,
  parameter int unsigned SlotWidth = 15,
  localparam int unsigned PosWidth = SlotWidth + 1,
  localparam int unsigned QueueWidth = $clog2(Queues)
) (
  input  logic                  clk_i,
  input  logic                  rst_i,
  input  logic                  halt_i,       // start nothing new
  output logic                  quiet_o,      // no check under way
  output logic                  empty_o,      // quiet, and none is due
  output logic                  idle_o,       // quiet, nothing to start and no interrupt waiting
  output logic                  moves_o,      // an edge may change something without an input
  input  logic                  event_idx_i,  // VIRTIO_F_EVENT_IDX was negotiated

  input  logic                  en_valid_i,
  input  logic [QueueWidth-1:0] en_queue_i,
  input  logic [63:0]           en_driver_i,
  input  logic [SlotWidth:0]    en_size_i,

  input  logic                  touch_valid_i,
  output logic                  touch_ready_o,
  input  logic [QueueWidth-1:0] touch_queue_i,
  input  logic                  touch_visible_i,
  input  logic                  touch_due_i,
  input  logic [SlotWidth:0]    touch_pos_i,
  input  logic [SlotWidth:0]    touch_slots_i,

  input  logic                  ask_valid_i,
  input  logic [QueueWidth-1:0] ask_queue_i,

  output logic                  erd_req_valid_o,
  input  logic                  erd_req_ready_i,
  output logic [63:0]           erd_req_addr_o,
  output logic [16:0]           erd_req_bytes_o,
  input  logic                  erd_rsp_valid_i,
  input  logic [8*AxiBytes-1:0] rsp_data_i,
  input  logic                  rsp_error_i,

  output logic                  irq_valid_o,
  input  logic                  irq_ready_i,
  output logic [QueueWidth-1:0] irq_queue_o,

  output logic                  err_valid_o,
  output logic [QueueWidth-1:0] err_queue_o
);

  localparam int unsigned WordsWidth = $clog2(AxiBytes / 4);
  localparam int unsigned CountWidth = $clog2(Depth + 1);

  ////////////////////
  // A queue        //
  ////////////////////

  localparam logic [2:0] OpNone   = 3'd0;
  localparam logic [2:0] OpForget = 3'd1;
  localparam logic [2:0] OpAnswer = 3'd2;
  localparam logic [2:0] OpTouch  = 3'd3;
  localparam logic [2:0] OpStart  = 3'd4;

  logic                  walk_q;              // after reset: forget all queues
  logic [QueueWidth-1:0] walk_queue_q;
  logic                  turn_q;              // a start goes before the next touch

  logic [2:0]            op;
  logic [QueueWidth-1:0] op_queue;
  logic                  start_valid;
  logic                  room;                // a check could start
  logic                  check_valid;
  logic [QueueWidth-1:0] check_queue;
  logic [QueueWidth-1:0] record_queue;        // of the oldest check under way

  always_comb begin
    op       = OpNone;
    op_queue = check_queue;
    if (walk_q || en_valid_i) begin
      op       = OpForget;
      op_queue = walk_q ? walk_queue_q : en_queue_i;
    end else if (erd_rsp_valid_i) begin
      op       = OpAnswer;
      op_queue = record_queue;
    end else if (touch_valid_i && !(start_valid && turn_q)) begin
      op       = OpTouch;
      op_queue = touch_queue_i;
    end else if (start_valid) begin
      op       = OpStart;
    end
  end

  assign touch_ready_o = op == OpTouch;

  logic [SlotWidth:0] pos, pos_next;                 // position after the last visible element
  logic [SlotWidth:0] slots, slots_next;             // returned since the last check; stops at the top
  logic        due, due_next;                 // buffers are due that no check covers
  logic        busy, busy_next;               // a check of the queue is under way
  logic        push;                          // into the check FIFO
  logic        start_now;                     // without it
  logic [PosWidth:0]  sum;
  logic [SlotWidth:0] slots_sum;

  queue_state #(.Queues(Queues), .Width(2 * PosWidth + 2)) u_word (
    .clk_i,
    .write_i       (op != OpNone),
    .write_queue_i (op_queue),
    .write_data_i  ({pos_next, slots_next, due_next, busy_next}),
    .read_queue_i  (op_queue),
    .read_data_o   ({pos, slots, due, busy})
  );

  always_comb begin
    pos_next   = PosWidth'(1 << SlotWidth);
    slots_next = '0;
    due_next   = 1'b0;
    busy_next  = 1'b0;
    push       = 1'b0;
    start_now  = 1'b0;
    sum        = '0;
    slots_sum  = '0;
    case (op)
      OpAnswer: begin
        pos_next   = pos;
        slots_next = slots;
        due_next   = due;
        push       = due;
      end
      OpTouch: begin
        sum        = (PosWidth + 1)'(slots) + (PosWidth + 1)'(touch_slots_i);
        pos_next   = touch_visible_i ? touch_pos_i : pos;
        slots_sum  = !touch_visible_i ? slots : sum[PosWidth] ? '1 : sum[SlotWidth:0];
        slots_next = slots_sum;
        due_next   = due || touch_due_i;
        busy_next  = busy;
        push       = touch_due_i && !due && !busy;
        if (push && room && !check_valid) begin
          start_now  = 1'b1;
          slots_next = '0;
          due_next   = 1'b0;
          busy_next  = 1'b1;
          push       = 1'b0;
        end
      end
      OpStart: begin
        pos_next  = pos;
        busy_next = 1'b1;
      end
      default: ;
    endcase
  end

  ////////////////////
  // Checks         //
  ////////////////////

  // What a check covers, held until its answer comes.
  localparam int unsigned RecordWidth = QueueWidth + 2 * PosWidth;

  logic                        req_valid_q;
  logic [CountWidth-1:0]       open_q;        // checks under way and interrupts that wait
  logic                        start;
  logic                        ask;
  logic                        check_room;
  logic                        record_room;
  logic                        record_valid;
  logic [SlotWidth:0]          record_pos;
  logic [SlotWidth:0]          record_slots;
  logic [WordsWidth-1:0]       record_word;   // of the structure in its beat
  logic [$clog2(Queues+1)-1:0] unused_check_count;
  logic                        record_take;
  logic [QueueWidth-1:0]       next_queue;
  logic [2*PosWidth-1:0]       unused_next;
  logic                        no_record;
  logic [CountWidth-1:0]       unused_irq_count;

  fifo #(.Width(QueueWidth), .Depth(Queues)) u_checks (
    .clk_i,
    .rst_i,
    .wr_valid_i (push),
    .wr_ready_o (check_room),
    .wr_data_i  (op_queue),
    .rd_valid_o (check_valid),
    .rd_ready_i (op == OpStart),
    .rd_data_o  (check_queue),
    .count_o    (unused_check_count)
  );

  assign room        = !req_valid_q && open_q != CountWidth'(Depth) && !halt_i;
  assign start_valid = check_valid && room;
  assign start       = op == OpStart || start_now;
  assign ask         = ask_valid_i && !req_valid_q && !start;

  fifo_ahead #(.Width(RecordWidth), .Depth(Depth)) u_record (
    .clk_i,
    .rst_i,
    .wr_valid_i (start),
    .wr_ready_o (record_room),
    .wr_data_i  ({op_queue, start_now ? pos_next : pos, start_now ? slots_sum : slots}),
    .next_take_o(record_take),
    .next_o     ({next_queue, unused_next}),
    .rd_valid_o (record_valid),
    .rd_ready_i (erd_rsp_valid_i),
    .rd_data_o  ({record_queue, record_pos, record_slots}),
    .empty_o    (no_record)
  );

  queue_table #(.Queues(Queues), .Width(64)) u_driver (
    .clk_i,
    .write_i       (en_valid_i),
    .write_queue_i (en_queue_i),
    .write_data_i  (en_driver_i),
    .read_i        (start || ask),
    .read_queue_i  (ask ? ask_queue_i : op_queue),
    .read_data_o   (erd_req_addr_o)
  );

  ////////////////////
  // Decision       //
  ////////////////////

  logic [17:0] word;                // flags, wrap counter and slot
  logic [SlotWidth:0] size;
  logic [PosWidth+1:0] distance;            // from the driver's event position to the new one; wraps if ahead
  logic [SlotWidth:0] span;                // slots returned, one ring at most
  logic        in_window;
  logic        irq_due;
  logic        irq_taken;
  logic        irq_room;
  logic        irq_waits;           // those that wait go first
  logic [QueueWidth-1:0] waiting_queue;

  queue_table #(.Queues(Queues), .Width(WordsWidth + PosWidth)) u_ring (
    .clk_i,
    .write_i       (en_valid_i),
    .write_queue_i (en_queue_i),
    .write_data_i  ({en_driver_i[2 +: WordsWidth], en_size_i}),
    .read_i        (record_take),
    .read_queue_i  (next_queue),
    .read_data_o   ({record_word, size})
  );

  always_comb begin
    distance  = '0;
    span      = '0;
    in_window = 1'b0;
    irq_due   = 1'b0;
    word      = '0;
    if (op == OpAnswer && !rsp_error_i) begin
      word      = rsp_data_i[{record_word, 5'd0} +: 18];
      distance  = (PosWidth + 2)'(record_pos[SlotWidth-1:0]) -
                  (PosWidth + 2)'(word[SlotWidth-1:0]) +
                  ((record_pos[SlotWidth] != word[15]) ? (PosWidth + 2)'(size) : '0);
      span      = (record_slots < size) ? record_slots : size;
      in_window = distance - 1'b1 < (PosWidth + 2)'(span) && 15'(word[SlotWidth-1:0]) == word[14:0];
      case (word[17:16])
        virtio_pkg::EventFlagsDisable[1:0]: irq_due = 1'b0;
        virtio_pkg::EventFlagsDesc[1:0]:    irq_due = in_window || !event_idx_i;
        default:                            irq_due = 1'b1;
      endcase
    end
  end

  fifo #(.Width(QueueWidth), .Depth(Depth)) u_irqs (
    .clk_i,
    .rst_i,
    .wr_valid_i (irq_due && (irq_waits || !irq_ready_i)),
    .wr_ready_o (irq_room),
    .wr_data_i  (record_queue),
    .rd_valid_o (irq_waits),
    .rd_ready_i (irq_ready_i),
    .rd_data_o  (waiting_queue),
    .count_o    (unused_irq_count)
  );

  assign irq_valid_o = irq_waits || irq_due;
  assign irq_queue_o = irq_waits ? waiting_queue : record_queue;

  assign irq_taken = irq_valid_o && irq_ready_i;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      walk_q       <= 1'b1;
      walk_queue_q <= '0;
      turn_q       <= 1'b0;
      req_valid_q  <= 1'b0;
      open_q       <= '0;
    end else begin
      if (walk_q) begin
        walk_queue_q <= walk_queue_q + 1'b1;
        walk_q       <= walk_queue_q != QueueWidth'(Queues - 1);
      end
      turn_q       <= op == OpTouch;
      req_valid_q  <= start || (req_valid_q && !erd_req_ready_i);
      if (start || irq_taken || op == OpAnswer) begin
        open_q <= open_q + CountWidth'(start) - CountWidth'(irq_taken) -
                  CountWidth'(op == OpAnswer && !irq_due);
      end
    end
  end

  assign erd_req_valid_o = req_valid_q;
  assign erd_req_bytes_o = 17'(virtio_pkg::EventBytes);

  assign err_valid_o = op == OpAnswer && rsp_error_i;
  assign err_queue_o = record_queue;

  assign quiet_o = no_record && !walk_q;
  assign empty_o = quiet_o && !check_valid;
  assign idle_o  = quiet_o && !irq_valid_o && !turn_q && op == OpNone && (halt_i || !check_valid);
  assign moves_o = op != OpNone || req_valid_q || irq_valid_o || turn_q;

  ////////////////////
  // Properties     //
  ////////////////////

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // An answer comes only for a check that was asked for, and is looked at as it comes.
      a_answer_expected: assert (!erd_rsp_valid_i || record_valid);
      a_answer_taken: assert (!erd_rsp_valid_i || op == OpAnswer);
      // The check whose answer comes is marked as under way.
      a_busy: assert (op != OpAnswer || busy);
      // A check starts for a queue that is due and has none under way.
      a_start: assert (op != OpStart || (due && !busy));
      // A request that waits belongs to a check that is under way.
      a_request_held: assert (!req_valid_q || !no_record);
      // No FIFO is ever written while it is full.
      a_check_room: assert (!push || check_room);
      a_record_room: assert (!start || record_room);
      a_irq_room: assert (!irq_due || irq_room);
    end
  end
`endif

endmodule
