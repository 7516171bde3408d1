// SPDX-License-Identifier: Apache-2.0
//
// vq_fetch: decides when and what to read from the descriptor rings, and keeps the order of the
// answers. docs/virtqueue.md has the states of a queue and the races.
//
//   A batch is one read of up to BatchMax descriptors that lie next to each other; it never passes
//   the end of the ring. A queue begins with 4, doubles while the run of batches is full, halves
//   when half of a batch or less was available. Further batches are asked for before the first came
//   back while the queue is hot, that is, while runs are full.
//   A batch is broken when a descriptor in it is not available. Everything asked for behind the
//   break is stale (its epoch bit is the old one) and is dropped when it comes; the next batch
//   begins at the break, once what is to be read again (vq_accept) has come.
//
//   All of a queue's state is one word of a memory. One event a cycle reads and writes it:
//
//     end of a batch   |
//     device event     |--> word --> work FIFO --> look: ask for a batch, or wait for room
//     kick, wake       |             of queues       |
//                      '-----------------------------'
//
//   A queue is in the work FIFO once at most, so queues take turns.
//
//   kick     always taken; the batch that answers it is asked for afterwards.
//   request  drd_req_valid_o stays with its payload until drd_req_ready_i; room for the whole batch
//            was reserved in the cache. kick -> request: 4 cycles.
//   beats    always taken, in order of the requests. What is accepted goes into the cache in the
//            same cycle. batch_* describes the batch that the beat belongs to (vq_accept).
//   wait     wait_set_o: the queue that is looked at waits for room; wake_* comes when its cache has
//            given some back. look_freed_i: it gives some back in this cycle.
//   job      writes of the device event area that are due, in order; armed_* answers each.
//   enable   en_valid_i and dis_valid_i hold for one cycle, when quiet_o is high. dis: the queue is
//            forgotten.
//   ask      while ask_valid_i is high, in a quiet moment, drd_req_addr_o is, two cycles later, the
//            address of a ring slot (for error records).
//
// Parameters:
//   Queues     number of queues
//   AxiBytes   bytes in a bus beat, 16 for each lane
//   Rows       rows of the cache for each queue
//   BatchMax   descriptors in a batch at most: 8, 16, 32 or 64
//   Depth      batches under way at most, stale ones included
//   SlotWidth  bits of a ring slot's number

module vq_fetch #(
  parameter int unsigned Queues = 3,
  parameter int unsigned AxiBytes = 16,
  parameter int unsigned Rows = 64,
  parameter int unsigned BatchMax = 32,
  parameter int unsigned Depth = 8,
  parameter int unsigned SlotWidth = 15,
  localparam int unsigned PosWidth = SlotWidth + 1,
  localparam int unsigned QueueWidth = $clog2(Queues),
  localparam int unsigned Lanes = AxiBytes / 16,
  localparam int unsigned LaneWidth = (Lanes > 1) ? $clog2(Lanes) : 1,
  localparam int unsigned RowWidth = $clog2(Rows)
) (
  input  logic                  clk_i,
  input  logic                  rst_i,
  input  logic                  halt_i,         // start nothing new
  output logic                  quiet_o,        // no read under way, no kick to note
  output logic                  idle_o,         // quiet, and nothing to start
  output logic                  moves_o,        // an edge may change something without an input

  input  logic                  en_valid_i,
  input  logic                  dis_valid_i,
  input  logic [QueueWidth-1:0] en_queue_i,
  input  logic [63:0]           en_desc_i,
  input  logic [SlotWidth:0]    en_size_i,

  input  logic                  kick_valid_i,
  input  logic [QueueWidth-1:0] kick_queue_i,

  // Cache pointers and accepted position of the queue that is looked at.
  output logic                  look_take_o,    // from the next cycle on it is
  output logic [QueueWidth-1:0] look_next_o,    // this one
  output logic [QueueWidth-1:0] look_queue_o,
  input  logic [RowWidth:0]     look_head_i,
  input  logic [RowWidth:0]     look_tail_i,
  input  logic [SlotWidth:0]    look_pos_i,
  input  logic                  look_chain_i,
  input  logic                  look_epoch_i,
  input  logic                  look_again_i,
  input  logic                  look_freed_i,
  output logic                  wait_set_o,
  input  logic                  wake_valid_i,
  output logic                  wake_ready_o,
  input  logic [QueueWidth-1:0] wake_queue_i,

  // The batch whose answer is coming.
  output logic                  batch_take_o,   // from the next cycle on one of queue
  output logic [QueueWidth-1:0] batch_next_o,   // batch_next_o
  output logic [QueueWidth-1:0] batch_queue_o,
  output logic [SlotWidth:0]    batch_pos_o,    // {wrap counter, slot} of its first descriptor
  output logic [6:0]            batch_count_o,
  output logic                  batch_epoch_o,
  output logic                  batch_late_o,
  output logic                  batch_sure_o,

  // End of a batch.
  input  logic                  end_valid_i,
  input  logic                  end_live_i,
  input  logic [6:0]            end_run_i,
  input  logic [6:0]            end_more_i,
  input  logic                  end_chain_i,

  // Device event suppression.
  output logic                  job_valid_o,
  output logic                  job_enable_o,
  output logic [QueueWidth-1:0] job_queue_o,
  input  logic                  armed_valid_i,
  output logic                  armed_ready_o,
  input  logic                  armed_enable_i,
  input  logic [QueueWidth-1:0] armed_queue_i,

  input  logic                  ask_valid_i,
  input  logic [QueueWidth-1:0] ask_queue_i,
  input  logic [SlotWidth-1:0]  ask_slot_i,

  output logic                  drd_req_valid_o,
  input  logic                  drd_req_ready_i,
  output logic [63:0]           drd_req_addr_o,
  output logic [16:0]           drd_req_bytes_o
);

  if (BatchMax < 8 || BatchMax > 64 || (BatchMax & (BatchMax - 1)) != 0) begin : g_bad_batch
    $error("vq_fetch: BatchMax must be 8, 16, 32 or 64");
  end
  if (Rows * Lanes < 2 * BatchMax) begin : g_bad_rows
    $error("vq_fetch: the cache must hold two batches");
  end

  localparam logic [2:0] StepMax = 3'($clog2(BatchMax / 4));
  // In a cache of two batches: one row's less, and whole rows, so that two are under way.
  localparam bit          Tight    = Lanes > 1 && Rows * Lanes < 3 * BatchMax;
  localparam int unsigned BatchTop = Tight ? BatchMax - Lanes : BatchMax;
  localparam int unsigned CountWidth = $clog2(Depth + 1);
  localparam int unsigned RowsWidth = RowWidth + 1;

  // What memory says about kicks, or is about to say.
  localparam logic [1:0] EventOff       = 2'd0;  // DISABLE
  localparam logic [1:0] EventArmed     = 2'd1;  // ENABLE
  localparam logic [1:0] EventArming    = 2'd2;  // ENABLE is being written
  localparam logic [1:0] EventDisarming = 2'd3;  // DISABLE is being written

  ////////////////////
  // Events         //
  ////////////////////

  localparam logic [2:0] OpNone   = 3'd0;
  localparam logic [2:0] OpForget = 3'd1;
  localparam logic [2:0] OpEnable = 3'd2;
  localparam logic [2:0] OpEnd    = 3'd3;
  localparam logic [2:0] OpArmed  = 3'd4;
  localparam logic [2:0] OpKick   = 3'd5;
  localparam logic [2:0] OpWake   = 3'd6;
  localparam logic [2:0] OpLook   = 3'd7;

  logic                  walk_q;      // after reset: forget all queues
  logic [QueueWidth-1:0] walk_queue_q;

  logic                  end_q;       // the batch that ended in the cycle before
  logic [QueueWidth-1:0] end_queue_q;
  logic [6:0]            end_count_q;
  logic [6:0]            end_run_q;
  logic                  end_more_q;
  logic                  end_sure_q;
  logic                  end_live_q;
  logic                  end_chain_q;
  logic                  end_armed_q;
  logic [RowsWidth-1:0]  end_rows_q;

  logic                  look_valid_q;
  logic [QueueWidth-1:0] look_q;

  logic                  kick_valid;
  logic [QueueWidth-1:0] kick_queue;
  logic                  kick_room;
  logic [3:0]            unused_kick_count;
  logic                  look_go;     // what a look needs is there

  logic [2:0]            op;
  logic [QueueWidth-1:0] op_queue;

  fifo #(.Width(QueueWidth), .Depth(8)) u_kick (
    .clk_i,
    .rst_i,
    .wr_valid_i (kick_valid_i && !walk_q),  // no queue is enabled before that is over
    .wr_ready_o (kick_room),
    .wr_data_i  (kick_queue_i),
    .rd_valid_o (kick_valid),
    .rd_ready_i (op == OpKick),
    .rd_data_o  (kick_queue),
    .count_o    (unused_kick_count)
  );

  always_comb begin
    op       = OpNone;
    op_queue = look_q;
    if (walk_q) begin
      op       = OpForget;
      op_queue = walk_queue_q;
    end else if (end_q) begin
      op       = OpEnd;
      op_queue = end_queue_q;
    end else if (en_valid_i || dis_valid_i) begin
      op       = en_valid_i ? OpEnable : OpForget;
      op_queue = en_queue_i;
    end else if (kick_valid) begin
      op       = OpKick;
      op_queue = kick_queue;
    end else if (armed_valid_i) begin
      op       = OpArmed;
      op_queue = armed_queue_i;
    end else if (wake_valid_i) begin
      op       = OpWake;
      op_queue = wake_queue_i;
    end else if (look_go) begin
      op       = OpLook;
    end
  end

  assign armed_ready_o = op == OpArmed;
  assign wake_ready_o  = op == OpWake;

  ////////////////////
  // State          //
  ////////////////////

  localparam int unsigned WordWidth = 6 + 2 + 3 + RowsWidth + PosWidth;

  logic [WordWidth-1:0] word;
  logic [WordWidth-1:0] word_next;

  logic                 en, en_next;          // enabled
  logic                 kick, kick_next;      // a kick came since the last batch was asked for
  logic                 run, run_next;        // the device wants to read on its own
  logic                 hot, hot_next;        // the last run was full
  logic                 reload, reload_next;  // ask next at the accepted position
  logic                 queued, queued_next;  // in the work FIFO, or being looked at
  logic [1:0]           event_is, event_next; // Event*
  logic [2:0]           step, step_next;      // batch size is 4 << step
  logic [RowsWidth-1:0] due, due_next;        // rows reserved for what is under way
  logic [SlotWidth:0]   next_pos, next_next;  // {wrap counter, slot} of the next batch

  queue_state #(.Queues(Queues), .Width(WordWidth)) u_word (
    .clk_i,
    .write_i       (op != OpNone),
    .write_queue_i (op_queue),
    .write_data_i  (word_next),
    .read_queue_i  (op_queue),
    .read_data_o   (word)
  );

  assign {en, kick, run, hot, reload, queued, event_is, step, due, next_pos} = word;
  assign word_next = {en_next, kick_next, run_next, hot_next, reload_next, queued_next, event_next,
                      step_next, due_next, next_next};

  logic [SlotWidth:0]   size;
  logic [LaneWidth-1:0] look_lane;    // of ring slot 0
  logic                 look_ok;      // ask for a batch now
  logic                 push;         // into the work FIFO
  logic                 want;
  logic                 full;
  logic [SlotWidth:0]   ask_pos;
  logic [6:0]           batch;
  logic [SlotWidth:0]   ask_left;     // slots from here to the end of the ring
  logic [6:0]           ask_count;
  logic [SlotWidth:0]   ahead;        // slots asked for and not yet accepted
  logic [LaneWidth-1:0] ask_lane;
  logic [RowsWidth-1:0] ask_rows;
  logic [RowsWidth-1:0] rows_held;
  logic                 ends;

  queue_table #(.Queues(Queues), .Width(LaneWidth + PosWidth)) u_ring (
    .clk_i,
    .write_i       (en_valid_i),
    .write_queue_i (en_queue_i),
    .write_data_i  ({en_desc_i[4 +: LaneWidth], en_size_i}),
    .read_i        (look_take_o),
    .read_queue_i  (look_next_o),
    .read_data_o   ({look_lane, size})
  );

  always_comb begin
    {en_next, kick_next, run_next, hot_next, reload_next, queued_next, event_next, step_next,
     due_next, next_next} = '0;
    look_ok      = 1'b0;
    push         = 1'b0;
    want         = 1'b0;
    full         = 1'b0;
    job_valid_o  = 1'b0;
    job_enable_o = 1'b0;
    wait_set_o   = 1'b0;
    {ask_pos, batch, ask_left, ask_count, ahead, ask_lane, ask_rows, rows_held} = '0;
    ends         = 1'b0;
    if (op == OpForget) begin
      queued_next = queued && !walk_q;
    end else if (op != OpNone) begin
      {en_next, kick_next, run_next, hot_next, reload_next, queued_next, event_next, step_next,
       due_next, next_next} = word;
      batch = (step == StepMax) ? 7'(BatchTop) : 7'd4 << step;
      case (op)
        OpEnable: begin
          en_next      = 1'b1;
          kick_next    = 1'b0;
          run_next     = 1'b0;
          hot_next     = 1'b0;
          reload_next  = 1'b1;
          event_next   = EventArming;
          step_next    = '0;
          due_next     = '0;
          job_valid_o  = 1'b1;
          job_enable_o = 1'b1;
        end
        OpEnd: begin
          full = end_run_q == end_count_q;
          if (!end_more_q) begin
            due_next = due - end_rows_q;
          end
          if (end_sure_q) begin
            // An open chain is read on, by what is under way or else now.
            if (end_chain_q && reload) run_next = 1'b1;
          end else if (end_live_q && full) begin
            run_next = 1'b1;
            hot_next = 1'b1;
            if (32'(end_count_q) + (Tight ? Lanes - 1 : 0) >= 32'(batch) && step != StepMax) begin
              step_next = step + 1'b1;
            end
            if (event_is == EventArmed) begin
              event_next  = EventDisarming;
              job_valid_o = 1'b1;
            end
          end else if (end_live_q) begin
            reload_next = 1'b1;
            hot_next    = 1'b0;
            if (end_run_q <= (batch >> 1) && step != '0) step_next = step - 1'b1;
            // With kicks on for the whole time of this batch the queue may sleep; without, it
            // polls while polling finds something. An open chain is read on.
            case (event_is)
              EventArmed:  run_next = !end_armed_q;
              EventArming: run_next = end_run_q != '0;
              default:     run_next = end_run_q != '0 || event_is == EventDisarming;
            endcase
            if (end_chain_q) run_next = 1'b1;
            if (event_is == EventOff && end_run_q == '0 && !end_chain_q) begin
              event_next   = EventArming;
              job_valid_o  = 1'b1;
              job_enable_o = 1'b1;
            end
          end
        end
        OpArmed: begin
          event_next = armed_enable_i ? EventArmed : EventOff;
          if (armed_enable_i) begin
            run_next = 1'b1;
            hot_next = 1'b0;
          end
        end
        OpKick: kick_next = 1'b1;
        OpLook: begin
          queued_next = 1'b0;
          if (en && (run || kick)) begin
            ask_pos   = reload ? look_pos_i : next_pos;
            ask_left  = size - PosWidth'(ask_pos[SlotWidth-1:0]);
            ask_lane  = look_lane + ask_pos[LaneWidth-1:0];
            ask_count = Tight ? batch - 7'(ask_lane) : batch;
            ends      = ask_left <= PosWidth'(ask_count);
            if (ends) ask_count = ask_left[6:0];
            ahead     = PosWidth'(ask_pos[SlotWidth-1:0]) - PosWidth'(look_pos_i[SlotWidth-1:0]) +
                        ((ask_pos[SlotWidth] != look_pos_i[SlotWidth]) ? size : '0);
            // What is read again begins a row of its own.
            ask_rows  = (Lanes == 1) ? RowsWidth'(ask_count)
                      : RowsWidth'((32'(ask_count) + 32'(ask_lane) + Lanes - 1) / Lanes + 1);
            rows_held = look_tail_i - look_head_i + due;
            look_ok   = 32'(rows_held) + 32'(ask_rows) <= Rows &&
                        32'(ahead) + 32'(ask_count) <= 32'(size) &&
                        (ahead == '0 || (hot && 32'(ahead) <= 2 * 32'(batch))) &&
                        !(reload && look_again_i);
            if (look_ok) begin
              kick_next   = 1'b0;
              run_next    = hot;
              reload_next = 1'b0;
              due_next    = due + ask_rows;
              next_next   = ends ? {!ask_pos[SlotWidth], SlotWidth'(0)}
                                 : ask_pos + PosWidth'(ask_count);
            end else begin
              wait_set_o = 1'b1;
            end
          end
        end
        default: ;
      endcase
      want = en_next && (run_next || kick_next);
      push = want && !queued_next && (op != OpLook || look_ok || look_freed_i);
      queued_next = queued_next || push;
    end
  end

  assign job_queue_o = op_queue;

  ////////////////////
  // Work           //
  ////////////////////

  localparam int unsigned WorkDepth = (Queues > 2) ? Queues : 2;

  logic                           start;
  logic                           work_valid;
  logic [QueueWidth-1:0]          work_queue;
  logic                           work_room;
  logic [$clog2(WorkDepth+1)-1:0] unused_work_count;

  assign start        = work_valid && (!look_valid_q || op == OpLook) && !halt_i;
  assign look_queue_o = look_q;
  assign look_take_o  = start;
  assign look_next_o  = work_queue;

  fifo #(.Width(QueueWidth), .Depth(WorkDepth)) u_work (
    .clk_i,
    .rst_i,
    .wr_valid_i (push),
    .wr_ready_o (work_room),
    .wr_data_i  (op_queue),
    .rd_valid_o (work_valid),
    .rd_ready_i (start),
    .rd_data_o  (work_queue),
    .count_o    (unused_work_count)
  );

  ////////////////////
  // Second reads   //
  ////////////////////

  localparam int unsigned AgainWidth = QueueWidth + PosWidth + 7 + RowsWidth;

  logic                  again_valid;
  logic                  again_room;
  logic                  again_take;
  logic [QueueWidth-1:0] again_queue;
  logic [SlotWidth:0]    again_pos;
  logic [6:0]            again_count;
  logic [RowsWidth-1:0]  again_rows;
  logic [CountWidth-1:0] unused_again_count;
  logic [RowsWidth-1:0]  batch_rows;

  fifo #(.Width(AgainWidth), .Depth(Depth)) u_again (
    .clk_i,
    .rst_i,
    .wr_valid_i (end_valid_i && end_more_i != '0),
    .wr_ready_o (again_room),
    .wr_data_i  ({batch_queue_o, batch_pos_o + PosWidth'(end_run_i) - PosWidth'(end_more_i),
                  end_more_i, batch_rows}),
    .rd_valid_o (again_valid),
    .rd_ready_i (again_take),
    .rd_data_o  ({again_queue, again_pos, again_count, again_rows}),
    .count_o    (unused_again_count)
  );

  ////////////////////
  // Requests       //
  ////////////////////

  localparam int unsigned RecordWidth = QueueWidth + PosWidth + 7 + RowsWidth + 4;

  logic                  req_valid_q;
  logic [SlotWidth-1:0]  req_slot_q;
  logic [6:0]            req_count_q;
  logic [CountWidth-1:0] flight_q;       // batches asked for and not yet done with
  logic                  load;
  logic [QueueWidth-1:0] load_queue;
  logic                  ask;
  logic [63:0]           base;
  logic                  record_valid;
  logic                  record_room;
  logic                  batch_armed;    // memory said ENABLE when it was asked for
  logic                  done;
  logic [RecordWidth-QueueWidth-1:0] unused_next;
  logic                  unused_record_empty;

  assign again_take = again_valid && !req_valid_q;
  assign look_go    = look_valid_q && !again_valid && !req_valid_q &&
                      flight_q != CountWidth'(Depth);
  assign load       = look_ok || again_take;
  assign ask        = ask_valid_i && !req_valid_q && !load;
  assign load_queue = again_take ? again_queue : ask ? ask_queue_i : look_q;
  assign done       = end_valid_i && end_more_i == '0;

  queue_table #(.Queues(Queues), .Width(64)) u_base (
    .clk_i,
    .write_i       (en_valid_i),
    .write_queue_i (en_queue_i),
    .write_data_i  (en_desc_i),
    .read_i        (load || ask),
    .read_queue_i  (load_queue),
    .read_data_o   (base)
  );

  fifo_ahead #(.Width(RecordWidth), .Depth(Depth)) u_record (
    .clk_i,
    .rst_i,
    .wr_valid_i (load),
    .wr_ready_o (record_room),
    .wr_data_i  (again_take ? {again_queue, again_pos, again_count, again_rows, 4'b1000}
                            : {look_q, ask_pos, ask_count, ask_rows, 1'b0, look_epoch_i,
                               reload && look_chain_i, event_is == EventArmed}),
    .next_take_o(batch_take_o),
    .next_o     ({batch_next_o, unused_next}),
    .rd_valid_o (record_valid),
    .rd_ready_i (end_valid_i),
    .rd_data_o  ({batch_queue_o, batch_pos_o, batch_count_o, batch_rows, batch_sure_o,
                  batch_epoch_o, batch_late_o, batch_armed}),
    .empty_o    (unused_record_empty)
  );

  always_ff @(posedge clk_i) begin
    if (load) begin
      req_slot_q  <= again_take ? again_pos[SlotWidth-1:0] : ask_pos[SlotWidth-1:0];
      req_count_q <= again_take ? again_count : ask_count;
    end else if (ask) begin
      req_slot_q  <= ask_slot_i;
    end
    if (start) begin
      look_q <= work_queue;
    end
    if (end_valid_i) begin
      end_queue_q <= batch_queue_o;
      end_count_q <= batch_count_o;
      end_run_q   <= end_run_i;
      end_more_q  <= end_more_i != '0;
      end_sure_q  <= batch_sure_o;
      end_live_q  <= end_live_i;
      end_chain_q <= end_chain_i;
      end_armed_q <= batch_armed;
      end_rows_q  <= batch_rows;
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      walk_q       <= 1'b1;
      walk_queue_q <= '0;
      end_q        <= 1'b0;
      look_valid_q <= 1'b0;
      req_valid_q  <= 1'b0;
      flight_q     <= '0;
    end else begin
      end_q        <= end_valid_i;
      look_valid_q <= start || (look_valid_q && op != OpLook);
      req_valid_q  <= load || (req_valid_q && !drd_req_ready_i);
      if (walk_q) begin
        walk_queue_q <= walk_queue_q + 1'b1;
        walk_q       <= walk_queue_q != QueueWidth'(Queues - 1);
      end
      if (look_ok != done) begin
        flight_q <= look_ok ? flight_q + 1'b1 : flight_q - 1'b1;
      end
    end
  end

  assign drd_req_valid_o = req_valid_q;
  assign drd_req_addr_o  = base + 64'({req_slot_q, 4'd0});
  assign drd_req_bytes_o = 17'({req_count_q, 4'd0});

  assign quiet_o = flight_q == '0 && !look_valid_q && !end_q && !walk_q && !kick_valid;
  assign idle_o  = quiet_o && op == OpNone && (halt_i || !work_valid);
  assign moves_o = op != OpNone || start || req_valid_q || again_valid || ask_valid_i;

  ////////////////////
  // Properties     //
  ////////////////////

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // An answer comes only for a batch that was asked for.
      a_answer_expected: assert (!end_valid_i || record_valid);
      // A batch has at least one descriptor.
      a_not_empty: assert (!look_ok || ask_count != '0);
      // The run of a batch is no longer than the batch, and what is read again no longer than it.
      a_run: assert (!end_valid_i || (end_run_i <= batch_count_o && end_more_i <= end_run_i));
      // No FIFO is ever written while it is full.
      a_work_room: assert (!push || work_room);
      a_again_room: assert (!end_valid_i || end_more_i == '0 || again_room);
      a_record_room: assert (!load || record_room);
      a_kick_room: assert (!kick_valid_i || walk_q || kick_room);
      // A queue never sleeps while reads of it run ahead on their own.
      a_hot_runs: assert (op == OpNone || op == OpForget || !hot_next || run_next);
      // While reads run ahead, kicks are off or about to be: a stale batch answers no kick.
      a_hot_unarmed: assert (op == OpNone || op == OpForget || !hot_next ||
                             event_next != EventArmed);
      // Rows that come back had been reserved.
      a_due: assert (op != OpEnd || end_more_q || due >= end_rows_q);
    end
  end
`endif

endmodule
