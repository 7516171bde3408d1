// SPDX-License-Identifier: Apache-2.0
//
// vq_event: decides whether the driver wants an interrupt for the buffers that were returned to it
// (virtio 1.2, 2.8.14: driver event suppression).
//
//   visible  pulse: used elements of a queue are visible in memory; visible_pos_i is the ring
//            position after them ({wrap counter, slot}), visible_slots_i the slots they took.
//   check    the driver's structure is read after that. While a check of a queue is under way,
//            further elements mark the queue again, so no element goes without a check that was
//            asked for after it became visible. One check a queue at a time, CheckDepth in all.
//   irq      irq_valid_o stays with its queue until irq_ready_i. Pulses of a queue that was not yet
//            taken merge.
//   error    err_valid_o with err_queue_o and err_addr_o for one cycle: the read failed.
//
// With the event index negotiated and flags DESC, an interrupt is due when the slot that the driver
// named is among the slots that were returned since the last check:
//
//       new - slots        event           new
//            |---------------^--------------|          distance = new - event, 1..slots: notify
//
// A position of the other wrap counter is one ring length back.
//
// Parameters:
//   Queues      number of queues
//   AxiBytes    bytes in a bus beat
//   CheckDepth  checks under way at most

module vq_event #(
  parameter int unsigned Queues = 1,
  parameter int unsigned AxiBytes = 16,
  parameter int unsigned CheckDepth = 4,
  localparam int unsigned QueueWidth = (Queues > 1) ? $clog2(Queues) : 1
) (
  input  logic                  clk_i,
  input  logic                  rst_i,
  input  logic                  halt_i,       // start nothing new
  output logic                  quiet_o,      // no check under way
  output logic                  idle_o,       // quiet, nothing to start and no interrupt waiting
  output logic                  moves_o,  // an edge may change something without an input
  input  logic                  event_idx_i,  // VIRTIO_F_EVENT_IDX was negotiated

  input  logic                  en_valid_i,
  input  logic [QueueWidth-1:0] en_queue_i,
  input  logic [63:0]           en_driver_i,
  input  logic [15:0]           en_size_i,

  input  logic                  visible_valid_i,
  input  logic [QueueWidth-1:0] visible_queue_i,
  input  logic [15:0]           visible_pos_i,
  input  logic [15:0]           visible_slots_i,

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
  output logic [QueueWidth-1:0] err_queue_o,
  output logic [63:0]           err_addr_o
);

  localparam int unsigned OffsetWidth = $clog2(AxiBytes);
  localparam int unsigned CountWidth = $clog2(CheckDepth + 1);

  ////////////////////
  // State          //
  ////////////////////

  logic [Queues-1:0]     dirty_q;             // elements that no check covers
  logic [Queues-1:0]     busy_q;              // a check of the queue is under way
  logic [Queues-1:0]     irq_q;               // interrupts that wait

  logic                  req_valid_q;
  logic [63:0]           req_addr_q;

  logic                  word_valid_q;        // an answer waits for the decision
  logic [17:0]           word_q;              // its flags, wrap counter and slot
  logic [QueueWidth-1:0] word_queue_q;
  logic [15:0]           word_pos_q;
  logic [17:0]           word_slots_q;

  logic                  irq_valid_q;
  logic [QueueWidth-1:0] irq_queue_q;

  ////////////////////
  // Checks         //
  ////////////////////

  // What a check covers, held until its answer comes.
  localparam int unsigned RecordWidth = QueueWidth + 16 + 18;

  logic [Queues-1:0]      want;
  logic [QueueWidth-1:0]  pick;
  logic                   pick_valid;
  logic [Queues-1:0]      unused_grant;
  logic                   start;
  logic                   record_ready;
  logic                   record_valid;
  logic [RecordWidth-1:0] record;
  logic [QueueWidth-1:0]  record_queue;
  logic [15:0]            record_pos;
  logic [17:0]            record_slots;
  logic [CountWidth-1:0]  unused_count;
  logic [63:0]            record_driver;
  logic [63:0]            pick_driver;
  logic [15:0]            pick_pos;         // position after the last visible element
  logic [17:0]            pick_total;       // slots returned, modulo 2^18
  logic [17:0]            pick_mark;        // the same at the last check
  logic [17:0]            visible_total;

  assign want  = dirty_q & ~busy_q;
  assign start = pick_valid && !req_valid_q && record_ready && !halt_i;

  arbiter_rr #(.N(Queues)) u_pick (
    .clk_i,
    .rst_i,
    .request_i     (want),
    .advance_i     (start),
    .grant_o       (unused_grant),
    .grant_index_o (pick),
    .grant_valid_o (pick_valid)
  );

  fifo #(.Width(RecordWidth), .Depth(CheckDepth)) u_record (
    .clk_i,
    .rst_i,
    .wr_valid_i (start),
    .wr_ready_o (record_ready),
    .wr_data_i  ({pick, pick_pos, pick_total - pick_mark}),
    .rd_valid_o (record_valid),
    .rd_ready_i (erd_rsp_valid_i),
    .rd_data_o  (record),
    .count_o    (unused_count)
  );

  assign {record_queue, record_pos, record_slots} = record;

  queue_state #(.Queues(Queues), .Width(64)) u_pick_driver (
    .clk_i,
    .write_i       (en_valid_i),
    .write_queue_i (en_queue_i),
    .write_data_i  (en_driver_i),
    .read_queue_i  (pick),
    .read_data_o   (pick_driver)
  );

  queue_state #(.Queues(Queues), .Width(64)) u_record_driver (
    .clk_i,
    .write_i       (en_valid_i),
    .write_queue_i (en_queue_i),
    .write_data_i  (en_driver_i),
    .read_queue_i  (record_queue),
    .read_data_o   (record_driver)
  );

  queue_state #(.Queues(Queues), .Width(16)) u_pos (
    .clk_i,
    .write_i       (en_valid_i || visible_valid_i),
    .write_queue_i (en_valid_i ? en_queue_i : visible_queue_i),
    .write_data_i  (en_valid_i ? 16'h8000 : visible_pos_i),
    .read_queue_i  (pick),
    .read_data_o   (pick_pos)
  );

  queue_state #(.Queues(Queues), .Width(18), .Reads(2)) u_total (
    .clk_i,
    .write_i       (en_valid_i || visible_valid_i),
    .write_queue_i (en_valid_i ? en_queue_i : visible_queue_i),
    .write_data_i  (en_valid_i ? 18'd0 : visible_total + 18'(visible_slots_i)),
    .read_queue_i  ({pick, visible_queue_i}),
    .read_data_o   ({pick_total, visible_total})
  );

  queue_state #(.Queues(Queues), .Width(18)) u_mark (
    .clk_i,
    .write_i       (en_valid_i || start),
    .write_queue_i (en_valid_i ? en_queue_i : pick),
    .write_data_i  (en_valid_i ? 18'd0 : pick_total),
    .read_queue_i  (pick),
    .read_data_o   (pick_mark)
  );

  always_ff @(posedge clk_i) begin
    if (start) begin
      req_addr_q <= pick_driver;
    end
  end

  ////////////////////
  // Decision       //
  ////////////////////

  logic [15:0] word_size;
  logic [17:0] size;
  logic [17:0] distance;    // from the driver's event position to the new one; wraps if ahead
  logic        in_window;
  logic        irq_due;

  queue_state #(.Queues(Queues), .Width(16)) u_size (
    .clk_i,
    .write_i       (en_valid_i),
    .write_queue_i (en_queue_i),
    .write_data_i  (en_size_i),
    .read_queue_i  (word_queue_q),
    .read_data_o   (word_size)
  );

  assign size = 18'(word_size);

  always_comb begin
    distance  = '0;
    in_window = 1'b0;
    irq_due    = 1'b0;
    if (word_valid_q) begin
      distance = 18'(word_pos_q[14:0]) - 18'(word_q[14:0]) +
                 ((word_pos_q[15] != word_q[15]) ? size : 18'd0);
      in_window = distance - 18'd1 < ((word_slots_q < size) ? word_slots_q : size);
      case (word_q[17:16])
        virtio_pkg::EventFlagsDisable[1:0]: irq_due = 1'b0;
        virtio_pkg::EventFlagsDesc[1:0]:    irq_due = in_window || !event_idx_i;
        default:                            irq_due = 1'b1;
      endcase
    end
  end

  always_ff @(posedge clk_i) begin
    if (erd_rsp_valid_i) begin
      word_q       <= rsp_data_i[{record_driver[OffsetWidth-1:2], 5'd0} +: 18];
      word_queue_q <= record_queue;
      word_pos_q   <= record_pos;
      word_slots_q <= record_slots;
    end
  end

  ////////////////////
  // Interrupts     //
  ////////////////////

  logic [QueueWidth-1:0] irq_pick;
  logic                  irq_pick_valid;
  logic [Queues-1:0]     unused_irq_grant;
  logic                  irq_load;

  assign irq_load = irq_pick_valid && !irq_valid_q;

  arbiter_rr #(.N(Queues)) u_irq_pick (
    .clk_i,
    .rst_i,
    .request_i     (irq_q),
    .advance_i     (irq_load),
    .grant_o       (unused_irq_grant),
    .grant_index_o (irq_pick),
    .grant_valid_o (irq_pick_valid)
  );

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      dirty_q      <= '0;
      busy_q       <= '0;
      irq_q        <= '0;
      req_valid_q  <= 1'b0;
      word_valid_q <= 1'b0;
      irq_valid_q  <= 1'b0;
    end else begin
      word_valid_q <= erd_rsp_valid_i && !rsp_error_i;
      if (req_valid_q && erd_req_ready_i) begin
        req_valid_q <= 1'b0;
      end
      if (start) begin
        req_valid_q   <= 1'b1;
        dirty_q[pick] <= 1'b0;
        busy_q[pick]  <= 1'b1;
      end
      if (erd_rsp_valid_i) begin
        busy_q[record_queue] <= 1'b0;
      end
      if (visible_valid_i) begin
        dirty_q[visible_queue_i] <= 1'b1;
      end
      if (irq_valid_q && irq_ready_i) begin
        irq_valid_q <= 1'b0;
      end
      if (irq_load) begin
        irq_valid_q     <= 1'b1;
        irq_queue_q     <= irq_pick;
        irq_q[irq_pick] <= 1'b0;
      end
      if (irq_due) begin
        irq_q[word_queue_q] <= 1'b1;
      end
      if (en_valid_i) begin
        dirty_q[en_queue_i] <= 1'b0;
        irq_q[en_queue_i]   <= 1'b0;
      end
    end
  end

  assign erd_req_valid_o = req_valid_q;
  assign erd_req_addr_o  = req_addr_q;
  assign erd_req_bytes_o = 17'(virtio_pkg::EventBytes);

  assign irq_valid_o = irq_valid_q;
  assign irq_queue_o = irq_queue_q;

  assign err_valid_o = erd_rsp_valid_i && rsp_error_i;
  assign err_queue_o = record_queue;
  assign err_addr_o  = record_driver;

  assign quiet_o = !record_valid && !word_valid_q;
  assign idle_o  = quiet_o && !irq_valid_q && irq_q == '0 && (halt_i || want == '0);
  assign moves_o = start || req_valid_q || word_valid_q || irq_valid_q || irq_q != '0;

  ////////////////////
  // Properties     //
  ////////////////////

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // An answer comes only for a check that was asked for.
      a_answer_expected: assert (!erd_rsp_valid_i || record_valid);
      // The check whose answer comes is marked as under way.
      a_busy: assert (!erd_rsp_valid_i || busy_q[record_queue]);
      // A request that waits belongs to a check that is under way.
      a_request_held: assert (!req_valid_q || record_valid);
    end
  end
`endif

endmodule
