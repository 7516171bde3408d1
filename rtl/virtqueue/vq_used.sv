// SPDX-License-Identifier: Apache-2.0
//
// vq_used: writes used descriptors into the rings (virtio 1.2, 2.8.6), in the order given.
//
//   used      A used element moves when used_valid_i and used_ready_o are both high. A group (first
//             without last ... last) is one buffer for the driver: its first element is kept back
//             and written after the responses of the others. The elements of a group follow each
//             other without elements of other queues in between.
//   write     uwr_valid_o stays with its payload until uwr_ready_i. Only the upper 8 bytes of a
//             ring slot are written (length, id, flags), which is one aligned word:
//
//     byte  0            8        12     14     16
//          |  unchanged | length | id   | flags |      flags: AVAIL = USED = wrap counter of the
//                                                      device, WRITE if the device wrote data
//
//             With AxiBytes above 16 elements of the same beat merge while the beat waits: at most
//             HoldCycles while writes are under way, and otherwise not at all. With AxiBytes 16 an
//             element can move every cycle.
//   visible   the response of a write came that makes elements visible to the driver: how many, the
//             ring position after them and the slots that they took. It stays until
//             visible_ready_i, and the next one behind it.
//   trace     used: the write was taken by the bus; visible: that is told. The tag is that of the
//             newest element in it; a group shows once, with the tag of its first element.
//   error     err_valid_o for one cycle, with the ring slot of the failed write, the first one.
//   quiet_o   no write waits, is under way, or is kept back.
//
// Parameters:
//   Queues      number of queues
//   AxiBytes    bytes in a bus beat, 16 for each lane
//   Groups      groups come; without it every element has first and last
//   Traced      queues from this number on are not traced
//   WriteDepth  writes under way at most
//   TagWidth    bits in a tag
//   SlotWidth   bits of a ring slot's number

module vq_used #(
  parameter int unsigned Queues = 1,
  parameter int unsigned AxiBytes = 16,
  parameter bit Groups = 1'b1,
  parameter int unsigned Traced = Queues,
  parameter int unsigned WriteDepth = 32,
  parameter int unsigned TagWidth = 32,
  parameter int unsigned SlotWidth = 15,
  localparam int unsigned PosWidth = SlotWidth + 1,
  localparam int unsigned QueueWidth = (Queues > 1) ? $clog2(Queues) : 1
) (
  input  logic                  clk_i,
  input  logic                  rst_i,
  output logic                  quiet_o,
  output logic                  moves_o,  // an edge may change something without an input

  input  logic                  en_valid_i,
  input  logic [QueueWidth-1:0] en_queue_i,
  input  logic [63:0]           en_desc_i,
  input  logic [SlotWidth:0]    en_size_i,

  input  logic                  used_valid_i,
  output logic                  used_ready_o,
  input  logic [QueueWidth-1:0] used_queue_i,
  input  nic_pkg::used_t        used_i,
  input  logic [TagWidth-1:0]   used_tag_i,

  output logic                  uwr_valid_o,
  input  logic                  uwr_ready_i,
  output logic [63:0]           uwr_addr_o,
  output logic [8*AxiBytes-1:0] uwr_data_o,
  output logic [AxiBytes-1:0]   uwr_strb_o,
  input  logic                  uwr_done_i,
  input  logic                  uwr_error_i,

  output logic                  visible_valid_o,
  input  logic                  visible_ready_i,
  output logic [QueueWidth-1:0] visible_queue_o,
  output logic [2:0]            visible_count_o,
  output logic [SlotWidth:0]    visible_pos_o,
  output logic [SlotWidth:0]    visible_slots_o,

  output logic                  trace_used_valid_o,
  output logic [TagWidth-1:0]   trace_used_tag_o,
  output logic                  trace_visible_valid_o,
  output logic [TagWidth-1:0]   trace_visible_tag_o,

  output logic                  err_valid_o,
  output logic [QueueWidth-1:0] err_queue_o,
  output logic [15:0]           err_index_o
);

  if (WriteDepth < 2 || (WriteDepth & (WriteDepth - 1)) != 0) begin : g_bad_write_depth
    $error("vq_used: WriteDepth must be a power of two");
  end

  localparam int unsigned Lanes = AxiBytes / 16;
  localparam int unsigned LaneWidth = (Lanes > 1) ? $clog2(Lanes) : 1;
  localparam int unsigned OffsetWidth = $clog2(AxiBytes);
  localparam int unsigned PtrWidth = $clog2(WriteDepth);
  // In this time the elements of a whole beat come, should the bus be full of frames that take six
  // cycles each; of larger frames the used elements are a small part of what the bus carries.
  localparam int unsigned HoldCycles = 6 * Lanes;
  localparam int unsigned HoldWidth = $clog2(HoldCycles + 1);

  ////////////////////
  // State          //
  ////////////////////

  localparam logic [1:0] StateStream = 2'd0;  // single elements
  localparam logic [1:0] StateGroup  = 2'd1;  // first element kept back, others pass
  localparam logic [1:0] StateDrain  = 2'd2;  // all others passed, responses awaited

  logic [1:0]            state_q;
  logic [63:0]           kept_word_q;         // first element of the group
  logic [QueueWidth-1:0] kept_queue_q;
  logic [TagWidth-1:0]   kept_tag_q;
  logic [SlotWidth-1:0]  kept_slot_q;
  logic [LaneWidth-1:0]  kept_lane_q;
  logic [SlotWidth:0]    kept_slots_q;        // slots of the group so far

  // The line: one bus beat on its way to the bus.
  logic                  hold_q;              // open for merging
  logic [HoldWidth-1:0]  hold_left_q;
  logic                  valid_q;             // offered to the bus
  logic [64*Lanes-1:0]   line_word_q;
  logic [Lanes-1:0]      line_lanes_q;
  logic                  line_visible_q;
  logic [QueueWidth-1:0] line_queue_q;
  logic [SlotWidth-1:0]  line_slot_q;         // of the newest element
  logic [LaneWidth-1:0]  line_lane_q;
  logic [2:0]            line_count_q;        // elements
  logic [SlotWidth:0]    line_pos_q;
  logic [SlotWidth:0]    line_slots_q;
  logic [TagWidth-1:0]   line_tag_q;

  // Writes under way, in order.
  localparam int unsigned RecordWidth = 1 + QueueWidth + SlotWidth + 3 + 2 * PosWidth;
  logic [RecordWidth-1:0] record_mem [WriteDepth];
  logic [TagWidth-1:0]    tag_mem [WriteDepth];
  logic [PtrWidth-1:0]    wr_ptr_q;
  logic [PtrWidth-1:0]    rd_ptr_q;
  logic [PtrWidth:0]      count_q;            // lines: held, offered, under way or to be told
  logic                   full_q;
  logic [PtrWidth:0]      done_q;             // lines that are answered and not yet told
  logic                   error_q;            // an answer was an error,
  logic [PtrWidth:0]      error_left_q;       // that of the line behind so many to be told,
  logic                   reported_q;         // and that is told

  ////////////////////
  // Element        //
  ////////////////////

  logic                 move;
  logic [SlotWidth:0]   size;
  logic [SlotWidth:0]   pos;        // {wrap counter, slot} of the next element of the queue
  logic [SlotWidth:0]   ndesc;
  logic [SlotWidth:0]   slot_sum;
  logic [SlotWidth-1:0] slot_less;  // one ring less; Yosys 0.23 missizes a cast in pos_next
  logic                 wraps;
  logic [SlotWidth:0]   pos_next;
  logic [63:0]          word;
  logic [LaneWidth-1:0] lane;
  logic                 keep;       // the element is kept back
  logic                 visible;

  queue_state #(.Queues(Queues), .Width(PosWidth)) u_size (
    .clk_i,
    .write_i       (en_valid_i),
    .write_queue_i (en_queue_i),
    .write_data_i  (en_size_i),
    .read_queue_i  (used_queue_i),
    .read_data_o   (size)
  );

  queue_state #(.Queues(Queues), .Width(PosWidth)) u_pos (
    .clk_i,
    .write_i       (en_valid_i || move),
    .write_queue_i (en_valid_i ? en_queue_i : used_queue_i),
    .write_data_i  (en_valid_i ? PosWidth'(1 << SlotWidth) : pos_next),
    .read_queue_i  (used_queue_i),
    .read_data_o   (pos)
  );

  assign move  = used_valid_i && used_ready_o;
  assign ndesc = used_i.ndesc[SlotWidth:0];
  assign keep  = Groups && used_i.first && !used_i.last;

  always_comb begin
    slot_sum  = '0;
    slot_less = '0;
    wraps     = 1'b0;
    pos_next  = '0;
    word      = '0;
    if (used_valid_i) begin
      slot_sum  = PosWidth'(pos[SlotWidth-1:0]) + ndesc;
      wraps     = slot_sum >= size;
      slot_less = SlotWidth'(slot_sum - size);
      pos_next  = {pos[SlotWidth] ^ wraps,
                   wraps ? slot_less : slot_sum[SlotWidth-1:0]};
      word      = {(pos[SlotWidth] ? virtio_pkg::DescFAvail | virtio_pkg::DescFUsed : 16'd0) |
                   ((used_i.len != '0) ? virtio_pkg::DescFWrite : 16'd0), used_i.id, used_i.len};
    end
  end

  assign visible = state_q == StateStream;

  ////////////////////
  // Line           //
  ////////////////////

  logic                 load;        // a line begins: an element of the input, or the kept one
  logic                 load_kept;
  logic [LaneWidth-1:0] load_lane;
  logic                 merge;
  logic                 offer;       // the held line goes to the bus
  logic                 taken;
  logic                 told;        // the oldest line is done with
  logic [63:0]          line_base;

  assign taken     = valid_q && uwr_ready_i;
  assign load_kept = Groups && state_q == StateDrain && count_q == '0;
  assign load      = (move && !keep && !merge) || load_kept;

  queue_table #(.Queues(Queues), .Width(64)) u_base (
    .clk_i,
    .write_i       (en_valid_i),
    .write_queue_i (en_queue_i),
    .write_data_i  (en_desc_i),
    .read_i        (load),
    .read_queue_i  (load_kept ? kept_queue_q : used_queue_i),
    .read_data_o   (line_base)
  );

  if (Lanes == 1) begin : g_one_lane
    assign used_ready_o = (!valid_q || uwr_ready_i) && !full_q && state_q != StateDrain;
    assign lane         = '0;
    assign load_lane    = '0;
    assign merge        = 1'b0;
    assign offer        = 1'b0;
    assign uwr_data_o   = {line_word_q, 64'd0};
    assign uwr_strb_o   = 16'hff00;

    logic unused_lanes;
    assign unused_lanes = ^{kept_lane_q, line_lane_q};
  end else begin : g_lanes
    logic                 merge_fits;  // the element belongs into the line that is held
    logic [LaneWidth-1:0] base_lane;

    queue_state #(.Queues(Queues), .Width(LaneWidth)) u_lane (
      .clk_i,
      .write_i       (en_valid_i),
      .write_queue_i (en_queue_i),
      .write_data_i  (en_desc_i[4 +: LaneWidth]),
      .read_queue_i  (used_queue_i),
      .read_data_o   (base_lane)
    );

    assign lane         = base_lane + pos[LaneWidth-1:0];
    assign merge_fits   = hold_q && used_valid_i && !keep && visible == line_visible_q &&
                          used_queue_i == line_queue_q && lane > line_lane_q &&
                          pos[SlotWidth-1:0] - line_slot_q == SlotWidth'(lane) - SlotWidth'(line_lane_q);
    assign used_ready_o = ((!hold_q && (!valid_q || uwr_ready_i)) || merge_fits) && !full_q &&
                          state_q != StateDrain;
    assign load_lane    = load_kept ? kept_lane_q : lane;
    assign merge        = move && merge_fits;
    assign offer        = hold_q && (hold_left_q == '0 || (used_valid_i && !merge_fits) ||
                                     line_lanes_q[Lanes-1] || state_q == StateDrain);
    for (genvar i = 0; i < Lanes; i++) begin : g_lane
      assign uwr_data_o[128*i +: 128] = {line_word_q[64*i +: 64], 64'd0};
      assign uwr_strb_o[16*i +: 16]   = {{8{line_lanes_q[i]}}, 8'd0};
    end
  end

  always_ff @(posedge clk_i) begin
    if (move && keep) begin
      kept_word_q  <= word;
      kept_queue_q <= used_queue_i;
      kept_tag_q   <= used_tag_i;
      kept_slot_q  <= pos[SlotWidth-1:0];
      kept_lane_q  <= lane;
      kept_slots_q <= ndesc;
    end else if (move && state_q == StateGroup) begin
      kept_slots_q <= kept_slots_q + ndesc;
    end
    // Written out, so that synthesis finds an enable for each lane.
    for (int unsigned i = 0; i < Lanes; i++) begin
      if ((load_kept || load || merge) && 32'(load_lane) == i) begin
        line_word_q[64*i +: 64] <= load_kept ? kept_word_q : word;
      end
    end
    if (load_kept) begin
      // The line of the group's last element has left, but its position still stands.
      line_lanes_q                     <= Lanes'(1) << load_lane;
      line_lane_q                      <= load_lane;
      line_visible_q                   <= 1'b1;
      line_queue_q                     <= kept_queue_q;
      line_slot_q                      <= kept_slot_q;
      line_slots_q                     <= kept_slots_q;
      line_count_q                     <= 3'd1;
      line_tag_q                       <= kept_tag_q;
    end else if (load) begin
      line_lanes_q                     <= Lanes'(1) << load_lane;
      line_lane_q                      <= load_lane;
      line_visible_q                   <= visible;
      line_queue_q                     <= used_queue_i;
      line_slot_q                      <= pos[SlotWidth-1:0];
      line_pos_q                       <= pos_next;
      line_slots_q                     <= ndesc;
      line_count_q                     <= 3'd1;
      line_tag_q                       <= used_tag_i;
    end else if (merge) begin
      line_lanes_q                     <= line_lanes_q | (Lanes'(1) << load_lane);
      line_lane_q                      <= load_lane;
      line_slot_q                      <= pos[SlotWidth-1:0];
      line_pos_q                       <= pos_next;
      line_slots_q                     <= line_slots_q + ndesc;
      line_count_q                     <= line_count_q + 3'd1;
      line_tag_q                       <= used_tag_i;
    end
    if (taken) begin
      record_mem[wr_ptr_q] <= {line_visible_q, line_queue_q, line_slot_q, line_count_q, line_pos_q,
                               line_slots_q};
      tag_mem[wr_ptr_q]    <= line_tag_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      state_q     <= StateStream;
      hold_q      <= 1'b0;
      hold_left_q <= '0;
      valid_q     <= 1'b0;
      wr_ptr_q    <= '0;
      rd_ptr_q    <= '0;
      count_q     <= '0;
      full_q      <= 1'b0;
    end else begin
      if (move && keep) begin
        state_q <= StateGroup;
      end else if (move && used_i.last && state_q == StateGroup) begin
        state_q <= StateDrain;
      end else if (load_kept) begin
        state_q <= StateStream;
      end
      if (taken) begin
        valid_q  <= 1'b0;
        wr_ptr_q <= wr_ptr_q + 1'b1;
      end
      if (offer) begin
        hold_q  <= 1'b0;
        valid_q <= 1'b1;
      end else if (hold_q) begin
        hold_left_q <= hold_left_q - 1'b1;
      end
      if (load) begin
        if (Lanes == 1 || load_kept || count_q == '0) begin
          valid_q <= 1'b1;
        end else begin
          hold_q      <= 1'b1;
          hold_left_q <= (count_q > (PtrWidth + 1)'(1)) ? HoldWidth'(HoldCycles - 1) : '0;
        end
      end
      if (told) begin
        rd_ptr_q <= rd_ptr_q + 1'b1;
      end
      if (load && !told) begin
        count_q <= count_q + 1'b1;
        full_q  <= count_q == (PtrWidth + 1)'(WriteDepth - 1);
      end else if (told && !load) begin
        count_q <= count_q - 1'b1;
        full_q  <= 1'b0;
      end
    end
  end

  logic [63:0] line_addr;
  logic        unused_line_addr;

  assign line_addr        = line_base + 64'({line_slot_q, 4'd0});
  assign unused_line_addr = ^line_addr[OffsetWidth-1:0];

  assign uwr_valid_o = valid_q;
  assign uwr_addr_o  = {line_addr[63:OffsetWidth], {OffsetWidth{1'b0}}};
  assign quiet_o     = count_q == '0 && state_q == StateStream;
  assign moves_o     = valid_q || hold_q || state_q == StateDrain || done_q != '0;

  ////////////////////
  // Responses      //
  ////////////////////

  logic [RecordWidth-1:0] record;
  logic                   record_visible;
  logic [SlotWidth-1:0]   record_slot;
  logic                   answered;     // the oldest line is
  logic                   failed;       // it is the one that failed
  logic                   traced;

  assign record = record_mem[rd_ptr_q];
  assign {record_visible, visible_queue_o, record_slot, visible_count_o, visible_pos_o,
          visible_slots_o} = record;

  // An answer without an error is told in the cycle in which it comes.
  assign answered        = done_q != '0 || (uwr_done_i && !uwr_error_i);
  assign failed          = error_q && !reported_q && error_left_q == '0;
  assign visible_valid_o = answered && record_visible && !failed;
  assign told            = answered && (!visible_valid_o || visible_ready_i);

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      done_q     <= '0;
      error_q    <= 1'b0;
      reported_q <= 1'b0;
    end else begin
      if (uwr_done_i != told) begin
        done_q <= uwr_done_i ? done_q + 1'b1 : done_q - 1'b1;
      end
      if (uwr_done_i && uwr_error_i) begin
        error_q <= 1'b1;
      end
      if (err_valid_o) begin
        reported_q <= 1'b1;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (!error_q) begin
      error_left_q <= done_q - (PtrWidth + 1)'(told);
    end else if (told) begin
      error_left_q <= error_left_q - 1'b1;
    end
  end

  assign traced = 32'(visible_queue_o) < Traced;

  assign trace_used_valid_o    = taken && line_visible_q && 32'(line_queue_q) < Traced;
  assign trace_used_tag_o      = line_tag_q;
  assign trace_visible_valid_o = visible_valid_o && visible_ready_i && traced;
  assign trace_visible_tag_o   = tag_mem[rd_ptr_q];

  assign err_valid_o = told && failed;
  assign err_queue_o = visible_queue_o;
  assign err_index_o = 16'(record_slot);

  ////////////////////
  // Properties     //
  ////////////////////

`ifndef SYNTHESIS
  logic                  past_wait_q;
  logic [63:0]           past_addr_q;
  logic [64*Lanes-1:0]   past_word_q;

  always_ff @(posedge clk_i) begin
    past_wait_q <= !rst_i && valid_q && !uwr_ready_i;
    past_addr_q <= line_addr;
    past_word_q <= line_word_q;
    if (!rst_i) begin
      // A write that waits for the bus stays as it is.
      a_write_stable: assert (!past_wait_q || (valid_q && line_addr == past_addr_q &&
                                               line_word_q == past_word_q));
      // A response comes only for a write that the bus took.
      a_done_expected: assert (!uwr_done_i || done_q < count_q);
      // A group is started by an element that is first, and by no other.
      a_group_order: assert (!move || (used_i.first == (state_q == StateStream)));
      // A group stays on one queue.
      a_group_queue: assert (!move || state_q != StateGroup || used_queue_i == kept_queue_q);
      // Without groups every element stands alone.
      a_single: assert (!move || Groups || (used_i.first && used_i.last));
      // An element takes at least one slot and no more than the ring has.
      a_slots: assert (!move || (used_i.ndesc != '0 && used_i.ndesc <= 16'(size)));
    end
  end
`endif

endmodule
