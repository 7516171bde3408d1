// SPDX-License-Identifier: Apache-2.0
//
// vq_fetch: decides when and what to read from the descriptor rings, and keeps the order of the
// answers. docs/virtqueue.md has the states of a queue and the races.
//
//   A batch is one read of up to BatchMax descriptors that lie next to each other; it never passes
//   the end of the ring. A queue begins with 4, doubles while batches come back full, halves when
//   half of a batch or less was available. A second batch is asked for before the first came back
//   while the queue is hot, that is, while batches come back full.
//   A batch is broken when a descriptor in it is not available. Everything asked for behind the
//   break is stale (its epoch bit is the old one) and is dropped when it comes; the next batch
//   begins at the break.
//
//   kick     always taken; the batch that answers it is asked for afterwards.
//   request  drd_req_valid_o stays with its payload until drd_req_ready_i; room for the whole batch
//            was reserved in the cache. kick -> request: 3 cycles.
//   beats    always taken, in order of the requests. What is accepted goes out as insert_* in the
//            same cycle. batch_* describes the batch that the beat belongs to (vq_accept).
//   arm      asks vq_device_event to write ENABLE, disarm to write DISABLE.
//
// Parameters:
//   Queues     number of queues
//   AxiBytes   bytes in a bus beat, 16 for each lane
//   Rows       rows of the cache for each queue
//   BatchMax   descriptors in a batch at most: 4, 8, 16 or 32
//   Depth      batches under way at most, stale ones included

module vq_fetch #(
  parameter int unsigned Queues = 1,
  parameter int unsigned AxiBytes = 16,
  parameter int unsigned Rows = 64,
  parameter int unsigned BatchMax = 32,
  parameter int unsigned Depth = 8,
  localparam int unsigned QueueWidth = (Queues > 1) ? $clog2(Queues) : 1,
  localparam int unsigned Lanes = AxiBytes / 16,
  localparam int unsigned RowWidth = $clog2(Rows)
) (
  input  logic                  clk_i,
  input  logic                  rst_i,
  input  logic                  halt_i,         // start nothing new
  output logic                  quiet_o,        // no read under way
  output logic                  idle_o,         // quiet, and nothing to start
  output logic                  moves_o,  // an edge may change something without an input

  input  logic                  en_valid_i,
  input  logic [QueueWidth-1:0] en_queue_i,
  input  logic [63:0]           en_desc_i,
  input  logic [15:0]           en_size_i,

  input  logic                  kick_valid_i,
  input  logic [QueueWidth-1:0] kick_queue_i,

  // Cache pointers of the queue that is looked at; a row of freed_queue_i was given back.
  output logic [QueueWidth-1:0] look_queue_o,
  input  logic [RowWidth:0]     look_head_i,
  input  logic [RowWidth:0]     look_tail_i,
  input  logic                  freed_i,
  input  logic [QueueWidth-1:0] freed_queue_i,

  // Accepted position of the queue that is looked at, and whether a chain is open there.
  input  logic [15:0]           look_pos_i,
  input  logic                  look_chain_i,

  // The batch whose answer is coming.
  output logic [QueueWidth-1:0] batch_queue_o,
  output logic [14:0]           batch_slot_o,   // ring slot of its first descriptor
  output logic [5:0]            batch_count_o,
  output logic                  batch_late_o,   // asked for after an open chain's head was seen
  output logic                  batch_stale_o,  // behind a break
  output logic [63:0]           batch_base_o,   // address of the ring

  // End of a batch.
  input  logic                  end_valid_i,    // in the cycle of its last beat
  input  logic [5:0]            end_taken_i,    // descriptors of it that were accepted
  input  logic                  end_chain_i,    // a chain is open

  // Device event suppression.
  input  logic [Queues-1:0]     armed_i,
  input  logic                  armed_done_i,
  input  logic [QueueWidth-1:0] armed_queue_i,
  output logic                  arm_valid_o,
  output logic                  disarm_valid_o,

  output logic                  drd_req_valid_o,
  input  logic                  drd_req_ready_i,
  output logic [63:0]           drd_req_addr_o,
  output logic [16:0]           drd_req_bytes_o
);

  if (BatchMax != 4 && BatchMax != 8 && BatchMax != 16 && BatchMax != 32) begin : g_bad_batch
    $error("vq_fetch: BatchMax must be 4, 8, 16 or 32");
  end
  if (Rows * Lanes < 2 * BatchMax) begin : g_bad_rows
    $error("vq_fetch: the cache must hold two batches");
  end

  localparam logic [1:0] StepMax = 2'($clog2(BatchMax / 4));
  localparam int unsigned CountWidth = $clog2(Depth + 1);

  ////////////////////
  // State          //
  ////////////////////

  logic [Queues-1:0]     en_q;
  logic [Queues-1:0]     kick_q;     // the driver kicked since the last batch was asked for
  logic [Queues-1:0]     run_q;      // the device wants to read on its own
  logic [Queues-1:0]     hot_q;      // the last batch came back full
  logic [Queues-1:0]     reload_q;   // ask next at the accepted position
  logic [Queues-1:0]     epoch_q;    // flips at each break
  logic [Queues-1:0]     block_q;    // wait until a row is freed or a batch ends

  logic                  look_valid_q;
  logic [QueueWidth-1:0] look_q;

  logic                  req_valid_q;
  logic [63:0]           req_addr_q;
  logic [5:0]            req_count_q;

  ////////////////////
  // Choice         //
  ////////////////////

  logic [Queues-1:0]     want;
  logic [QueueWidth-1:0] pick;
  logic                  pick_valid;
  logic [Queues-1:0]     unused_grant;
  logic                  start;
  logic                  record_ready;

  assign want  = (run_q | kick_q) & en_q & ~block_q;
  assign start = pick_valid && !look_valid_q && !req_valid_q && record_ready && !halt_i;

  arbiter_rr #(.N(Queues)) u_pick (
    .clk_i,
    .rst_i,
    .request_i     (want),
    .advance_i     (start),
    .grant_o       (unused_grant),
    .grant_index_o (pick),
    .grant_valid_o (pick_valid)
  );

  ////////////////////
  // Size and room  //
  ////////////////////

  logic                look_ok;     // ask for a batch now
  logic [15:0]         look_size;
  logic [63:0]         look_base;
  logic [1:0]          look_step;   // batch size is 4 << step
  logic [15:0]         next_pos;    // {wrap counter, slot} of the next batch
  logic [RowWidth:0]   next_row;    // first row of the cache not reserved
  logic [15:0]         ask_pos;
  logic [RowWidth:0]   ask_row;
  logic [RowWidth:0]   row_after;   // first row behind what is asked for
  logic [5:0]          batch;
  logic [15:0]         ask_left;    // slots from here to the end of the ring
  logic [5:0]          ask_count;
  logic [15:0]         ahead;       // slots asked for and not yet accepted
  logic [63:0]         ask_addr;
  logic [5:0]          ask_beats;
  logic [RowWidth:0]   rows_held;
  logic                ends;
  logic                unused_ask_addr;

  assign look_queue_o = look_q;

  queue_state #(.Queues(Queues), .Width(64)) u_look_base (
    .clk_i,
    .write_i       (en_valid_i),
    .write_queue_i (en_queue_i),
    .write_data_i  (en_desc_i),
    .read_queue_i  (look_q),
    .read_data_o   (look_base)
  );

  queue_state #(.Queues(Queues), .Width(16)) u_size (
    .clk_i,
    .write_i       (en_valid_i),
    .write_queue_i (en_queue_i),
    .write_data_i  (en_size_i),
    .read_queue_i  (look_q),
    .read_data_o   (look_size)
  );

  assign row_after = ask_row + (RowWidth + 1)'(ask_beats);

  queue_state #(.Queues(Queues), .Width(16 + RowWidth + 1)) u_next (
    .clk_i,
    .write_i       (look_ok),
    .write_queue_i (look_q),
    .write_data_i  ({ends ? {!ask_pos[15], 15'd0} : ask_pos + 16'(ask_count),
                     row_after}),
    .read_queue_i  (look_q),
    .read_data_o   ({next_pos, next_row})
  );

  always_comb begin
    look_ok   = 1'b0;
    ask_pos   = '0;
    ask_row   = '0;
    batch     = '0;
    ask_left  = '0;
    ask_count = '0;
    ahead     = '0;
    ask_addr  = '0;
    ask_beats = '0;
    rows_held = '0;
    ends      = 1'b0;
    if (look_valid_q) begin
      ask_pos   = reload_q[look_q] ? look_pos_i : next_pos;
      ask_row   = reload_q[look_q] ? look_tail_i : next_row;
      batch     = 6'd4 << look_step;
      ask_left  = look_size - 16'(ask_pos[14:0]);
      ends      = ask_left <= 16'(batch);
      ask_count = ends ? ask_left[5:0] : batch;
      ahead     = 16'(ask_pos[14:0]) - 16'(look_pos_i[14:0]) +
                  ((ask_pos[15] != look_pos_i[15]) ? look_size : 16'd0);
      ask_addr  = look_base + 64'({ask_pos[14:0], 4'd0});
      ask_beats = 6'((32'(ask_count) + (32'(ask_addr[9:4]) & (Lanes - 1)) + (Lanes - 1)) / Lanes);
      rows_held = ask_row - look_head_i;
      look_ok   = 32'(rows_held) + 32'(ask_beats) <= Rows &&
                  32'(ahead) + 32'(ask_count) <= 32'(look_size) &&
                  (ahead == '0 || (hot_q[look_q] && ahead <= 16'(batch)));
    end
  end

  assign unused_ask_addr = ^ask_addr[3:0];

  ////////////////////
  // Order          //
  ////////////////////

  localparam int unsigned RecordWidth = QueueWidth + 15 + 6 + 3;

  logic [RecordWidth-1:0] record;
  logic                   record_valid;
  logic                   record_epoch;
  logic                   record_armed;   // memory said ENABLE when it was asked for
  logic [CountWidth-1:0]  unused_count;

  fifo #(.Width(RecordWidth), .Depth(Depth)) u_record (
    .clk_i,
    .rst_i,
    .wr_valid_i (look_ok),
    .wr_ready_o (record_ready),
    .wr_data_i  ({look_q, ask_pos[14:0], ask_count, epoch_q[look_q],
                  reload_q[look_q] && look_chain_i, armed_i[look_q]}),
    .rd_valid_o (record_valid),
    .rd_ready_i (end_valid_i),
    .rd_data_o  (record),
    .count_o    (unused_count)
  );

  assign {batch_queue_o, batch_slot_o, batch_count_o, record_epoch, batch_late_o, record_armed} =
      record;
  assign batch_stale_o = record_epoch != epoch_q[batch_queue_o];

  queue_state #(.Queues(Queues), .Width(64)) u_batch_base (
    .clk_i,
    .write_i       (en_valid_i),
    .write_queue_i (en_queue_i),
    .write_data_i  (en_desc_i),
    .read_queue_i  (batch_queue_o),
    .read_data_o   (batch_base_o)
  );

  ////////////////////
  // End of a batch //
  ////////////////////

  logic       end_live;
  logic       end_full;
  logic       end_armed;
  logic [1:0] end_step;
  logic       step_up;
  logic       step_down;
  logic [5:0] end_batch;

  assign end_live  = end_valid_i && !batch_stale_o;
  assign end_full  = end_taken_i == batch_count_o;
  assign end_armed = armed_i[batch_queue_o];
  assign end_batch = 6'd4 << end_step;

  assign step_up   = end_live && end_full && batch_count_o == end_batch && end_step != StepMax;
  assign step_down = end_live && !end_full && end_taken_i <= (end_batch >> 1) && end_step != '0;

  queue_state #(.Queues(Queues), .Width(2), .Reads(2)) u_step (
    .clk_i,
    .write_i       (en_valid_i || step_up || step_down),
    .write_queue_i (en_valid_i ? en_queue_i : batch_queue_o),
    .write_data_i  (en_valid_i ? 2'd0 : step_up ? end_step + 2'd1 : end_step - 2'd1),
    .read_queue_i  ({look_q, batch_queue_o}),
    .read_data_o   ({look_step, end_step})
  );

  assign disarm_valid_o = end_live && end_full && end_armed;
  assign arm_valid_o    = end_live && !end_full && !end_chain_i && !end_armed && end_taken_i == '0;

  always_ff @(posedge clk_i) begin
    if (look_ok) begin
      req_addr_q  <= ask_addr;
      req_count_q <= ask_count;
    end
    if (start) begin
      look_q <= pick;
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      en_q         <= '0;
      kick_q       <= '0;
      run_q        <= '0;
      hot_q        <= '0;
      reload_q     <= '0;
      epoch_q      <= '0;
      block_q      <= '0;
      look_valid_q <= 1'b0;
      req_valid_q  <= 1'b0;
    end else begin
      look_valid_q <= start;
      if (req_valid_q && drd_req_ready_i) begin
        req_valid_q <= 1'b0;
      end
      if (look_ok) begin
        req_valid_q      <= 1'b1;
        kick_q[look_q]   <= 1'b0;
        run_q[look_q]    <= hot_q[look_q];
        reload_q[look_q] <= 1'b0;
      end else if (look_valid_q) begin
        block_q[look_q] <= 1'b1;
      end
      if (freed_i) begin
        block_q[freed_queue_i] <= 1'b0;
      end
      if (end_valid_i) begin
        block_q[batch_queue_o] <= 1'b0;
      end
      if (end_live && end_full) begin
        run_q[batch_queue_o] <= 1'b1;
        hot_q[batch_queue_o] <= 1'b1;
      end else if (end_live) begin
        epoch_q[batch_queue_o]  <= !epoch_q[batch_queue_o];
        reload_q[batch_queue_o] <= 1'b1;
        hot_q[batch_queue_o]    <= 1'b0;
        // An open chain is read on at once. With kicks on for the whole time of this batch the
        // queue may sleep; without, it polls while polling finds something.
        run_q[batch_queue_o]    <= end_chain_i || (end_armed ? !record_armed : end_taken_i != '0);
      end
      if (armed_done_i) begin
        run_q[armed_queue_i]   <= 1'b1;
        hot_q[armed_queue_i]   <= 1'b0;
        block_q[armed_queue_i] <= 1'b0;
      end
      if (kick_valid_i) begin
        kick_q[kick_queue_i] <= 1'b1;
      end
      if (en_valid_i) begin
        en_q[en_queue_i]     <= 1'b1;
        run_q[en_queue_i]    <= 1'b0;
        hot_q[en_queue_i]    <= 1'b0;
        reload_q[en_queue_i] <= 1'b1;
        block_q[en_queue_i]  <= 1'b0;
      end
    end
  end

  assign drd_req_valid_o = req_valid_q;
  assign drd_req_addr_o  = req_addr_q;
  assign drd_req_bytes_o = 17'({req_count_q, 4'd0});

  assign quiet_o = !record_valid && !look_valid_q;
  assign idle_o  = quiet_o && (halt_i || want == '0);
  assign moves_o = start || look_valid_q || req_valid_q;

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
      // No more is accepted of a batch than it has.
      a_taken: assert (!end_valid_i || end_taken_i <= batch_count_o);
      // A queue never sleeps while reads of it run ahead on their own.
      a_hot_runs: assert (((hot_q & ~run_q) & en_q) == '0);
      // While reads run ahead, kicks are off or about to be: a stale batch answers no kick.
      a_hot_unarmed: assert ((hot_q & armed_i) == '0);
    end
  end
`endif

endmodule
