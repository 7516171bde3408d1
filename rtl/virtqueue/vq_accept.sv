// SPDX-License-Identifier: Apache-2.0
//
// vq_accept: looks at descriptors as they come from memory and accepts those that are certainly
// whole, one bus beat a cycle.
//
//   A descriptor is available when its AVAIL bit equals the wrap counter and its USED bit does not
//   (virtio 1.2, 2.8.1). Each one is judged by its own bits, because a bus may sample the beats of
//   one read at different times and in any order. The run of a batch is what is available from its
//   start without a gap.
//
//     slot      4      5      6      7      8      9
//            | head | next | next | head |  no  | head |     one batch
//            '-- accepted  '------ again -'                  run: 4 descriptors
//
//   A head is whole when it is available, as the driver writes that last. The descriptors behind it
//   in its chain are whole once the head is available, but a driver may set their flags before the
//   rest of them, and the bus may have sampled them before the head. So they are accepted only from
//   a read that was asked for after the head was seen. What is left of a run is to be read again
//   ("sure"); until that has come back, batches of the queue are only looked at for their run, and
//   then read again too. So reads and second reads overlap.
//
//   beats     always taken. batch_* says what batch they belong to; the beat after rsp_last_i is
//             the first of the next batch. Under batch_take_i it is one of queue batch_next_i from the
//             next cycle on.
//   insert    combinational from the beat: the beat holds accepted descriptors in a run of lanes.
//   end       combinational from the last beat. end_live_o: the batch counts, it did not lie behind
//             the break of one before. end_run_o: length of its run. end_more_o: descriptors at the
//             end of the run that are to be read again. end_chain_o: the last one accepted says
//             that its chain goes on.
//   look      of the queue that look_next_i was under look_take_i: the position and wrap counter up to
//             which all is accepted, whether a chain is open there, the epoch (it flips at each break),
//             whether second reads are under way.
//   error     err_valid_o for one cycle. The beat with the error and all after it are not accepted
//             until reset. err_addr_o is the address wanted unless err_slot_o: then it is that of
//             the ring slot err_index_o.
//
// Errors:
//   ErrorDmaRead          a beat was answered with an error; the first slot in the beat
//   ErrorZeroLength, ErrorWrongDirection, ErrorIndirect
//                         a descriptor that the device cannot take; the buffer address in it
//   ErrorBadLength        likewise: 128 KiB or more to be read, which no frame has
//   ErrorChainTooLong     the chain has as many descriptors as the ring and goes on; its last slot
//   ErrorIncompleteChain  not available in a read that was asked for after its chain's head was
//                         seen to be; its slot
//
// Parameters:
//   QueuePairs  virtqueue 2n is receive and takes device-writable descriptors, 2n + 1 transmit and
//               takes others; the last one is control, where device-writable descriptors may follow
//               the others in a chain
//   AxiBytes    bytes in a bus beat, 16 for each lane
//   Depth       batches under way at most
//   SlotWidth   bits of a ring slot's number

module vq_accept #(
  parameter int unsigned QueuePairs = 1,
  parameter int unsigned AxiBytes = 16,
  parameter int unsigned Depth = 8,
  parameter int unsigned SlotWidth = 15,
  localparam int unsigned PosWidth = SlotWidth + 1,
  localparam int unsigned Queues = 2 * QueuePairs + 1,
  localparam int unsigned QueueWidth = $clog2(Queues),
  localparam int unsigned Lanes = AxiBytes / 16,
  localparam int unsigned LaneWidth = (Lanes > 1) ? $clog2(Lanes) : 1
) (
  input  logic                  clk_i,
  input  logic                  rst_i,

  input  logic                  en_valid_i,
  input  logic [QueueWidth-1:0] en_queue_i,
  input  logic [LaneWidth-1:0]  en_lane_i,      // of ring slot 0
  input  logic [SlotWidth:0]    en_size_i,

  input  logic                  rsp_valid_i,
  input  logic [8*AxiBytes-1:0] rsp_data_i,
  input  logic                  rsp_last_i,
  input  logic                  rsp_error_i,

  input  logic                  batch_take_i,
  input  logic [QueueWidth-1:0] batch_next_i,
  input  logic [QueueWidth-1:0] batch_queue_i,
  input  logic [SlotWidth:0]    batch_pos_i,    // {wrap counter, slot} of its first descriptor
  input  logic [6:0]            batch_count_i,
  input  logic                  batch_epoch_i,
  input  logic                  batch_late_i,   // asked for after an open chain's head was seen
  input  logic                  batch_sure_i,   // a second read

  output logic                  insert_valid_o,
  output logic [LaneWidth-1:0]  insert_first_o,
  output logic [LaneWidth-1:0]  insert_last_o,
  output logic [SlotWidth-1:0]  insert_slot_o,   // ring slot of the first one

  output logic                  end_valid_o,
  output logic                  end_live_o,
  output logic [6:0]            end_run_o,
  output logic [6:0]            end_more_o,
  output logic                  end_chain_o,

  input  logic                  look_take_i,
  input  logic [QueueWidth-1:0] look_next_i,
  output logic [SlotWidth:0]    look_pos_o,
  output logic                  look_chain_o,
  output logic                  look_epoch_o,
  output logic                  look_again_o,

  output logic                  err_valid_o,
  output logic [7:0]            err_code_o,
  output logic [15:0]           err_index_o,
  output logic                  err_slot_o,
  output logic [63:0]           err_addr_o
);

  // Bits of a descriptor's flags, at their place in it.
  localparam int unsigned FlagsAt = 112;
  localparam int unsigned LenAt = 64;
  localparam int unsigned AgainWidth = $clog2(Depth + 1);
  localparam int unsigned LaneCount = $clog2(Lanes + 1);
  localparam int unsigned WordWidth = 1 + AgainWidth + 2 * PosWidth;
  localparam logic [QueueWidth-1:0] Control = QueueWidth'(2 * QueuePairs);

  ////////////////////
  // State          //
  ////////////////////

  logic        begun_q;             // the batch's first beat has passed
  logic [6:0]  seen_q;              // descriptors of the batch in the beats so far
  logic [6:0]  run_q;               // those of its run
  logic [6:0]  taken_q;             // accepted of them
  logic        broken_q;            // the run has ended
  logic        closed_q;            // no more is accepted of the batch
  logic        late_q;              // the open chain's head was seen before the batch was asked for
  logic        wrote_q;             // the control queue's open chain has a writable descriptor
  logic        failed_q;            // there was an error: accept no more

  logic [WordWidth-1:0]  word;
  logic [WordWidth-1:0]  word_next;
  logic [WordWidth-1:0]  look_word;
  logic [SlotWidth:0]    size;
  logic [LaneWidth-1:0]  lane;

  logic                  epoch;     // flips at each break
  logic [AgainWidth-1:0] again;     // second reads under way
  logic [SlotWidth:0]    chain_was; // descriptors accepted of the open chain, 0 if none is
  logic [SlotWidth:0]    pos;       // {wrap counter, slot} of the next descriptor to accept

  logic                  word_write;
  logic [QueueWidth-1:0] word_queue;
  logic [WordWidth-1:0]  word_data;

  assign word_write = en_valid_i || insert_valid_o || end_valid_o;
  assign word_queue = en_valid_i ? en_queue_i : batch_queue_i;
  assign word_data  = en_valid_i ? WordWidth'(1 << SlotWidth) : word_next;

  queue_watch #(.Queues(Queues), .Width(WordWidth)) u_batch (
    .clk_i,
    .write_i        (word_write),
    .write_queue_i  (word_queue),
    .write_data_i   (word_data),
    .select_i       (batch_take_i),
    .select_queue_i (batch_next_i),
    .data_o         (word)
  );

  queue_watch #(.Queues(Queues), .Width(WordWidth)) u_look (
    .clk_i,
    .write_i        (word_write),
    .write_queue_i  (word_queue),
    .write_data_i   (word_data),
    .select_i       (look_take_i),
    .select_queue_i (look_next_i),
    .data_o         (look_word)
  );

  queue_table #(.Queues(Queues), .Width(LaneWidth + PosWidth)) u_ring (
    .clk_i,
    .write_i       (en_valid_i),
    .write_queue_i (en_queue_i),
    .write_data_i  ({en_lane_i, en_size_i}),
    .read_i        (batch_take_i),
    .read_queue_i  (batch_next_i),
    .read_data_o   ({lane, size})
  );

  assign {epoch, again, chain_was, pos} = word;

  ////////////////////
  // Beat           //
  ////////////////////

  logic                  receive;
  logic                  control;
  logic                  live;
  logic                  running;   // still in the run
  logic                  open;      // still accepting
  logic                  late;
  logic                  member;    // the next descriptor belongs to the open chain
  logic                  wrote;     // no device-readable descriptor may come
  logic                  ended;     // a chain ended in this beat
  logic [LaneCount-1:0]  tail;      // descriptors behind that, or in the beat
  logic [LaneCount-1:0]  count;     // accepted of this beat
  logic [LaneCount-1:0]  run;
  logic [6:0]            seen;
  logic [6:0]            error_seen;
  logic [LaneWidth-1:0]  first;
  logic [SlotWidth:0]    chain;
  logic [7:0]            error;
  logic [15:0]           flags;
  logic [31:0]           len;

  assign receive = !batch_queue_i[0] && batch_queue_i != Control;
  assign control = batch_queue_i == Control;

  always_comb begin
    live       = 1'b0;
    running    = 1'b0;
    open       = 1'b0;
    late       = 1'b0;
    member     = 1'b0;
    wrote      = 1'b0;
    ended      = 1'b0;
    tail       = '0;
    count      = '0;
    run        = '0;
    seen       = '0;
    first      = '0;
    chain      = '0;
    error      = virtio_pkg::ErrorNone;
    error_seen = '0;
    err_slot_o = 1'b0;
    err_addr_o = '0;
    flags      = '0;
    len        = '0;
    if (rsp_valid_i) begin
      live    = batch_sure_i || batch_epoch_i == epoch;
      running = live && !broken_q && !failed_q && !rsp_error_i;
      open    = running && !(begun_q ? closed_q : !batch_sure_i && again != '0);
      late    = begun_q ? late_q : batch_late_i || batch_sure_i;
      member  = chain_was != '0;
      wrote   = receive || (control && member && wrote_q);
      seen    = seen_q;
      if (Lanes > 1 && !begun_q) begin
        first = lane + batch_pos_i[LaneWidth-1:0];
      end
      if (rsp_error_i && !failed_q) begin
        error      = virtio_pkg::ErrorDmaRead;
        error_seen = seen_q;
        err_slot_o = 1'b1;
      end
      for (int unsigned i = 0; i < Lanes; i++) begin
        if (i >= 32'(first) && seen != batch_count_i) begin
          flags = rsp_data_i[128*i + FlagsAt +: 16];
          len   = rsp_data_i[128*i + LenAt +: 32];
          if (running && ((flags & virtio_pkg::DescFAvail) != '0) == batch_pos_i[SlotWidth] &&
              ((flags & virtio_pkg::DescFUsed) != '0) != batch_pos_i[SlotWidth]) begin
            run  = run + 1'b1;
            open = open && (!member || late);
            if (open) begin
              count      = count + 1'b1;
              error_seen = seen;
              err_addr_o = rsp_data_i[128*i +: 64];
              if ((flags & virtio_pkg::DescFIndirect) != '0) begin
                error = virtio_pkg::ErrorIndirect;
              end else if (((flags & virtio_pkg::DescFWrite) != '0) ? !receive && !control
                                                                    : wrote) begin
                error = virtio_pkg::ErrorWrongDirection;
              end else if (len == '0) begin
                error = virtio_pkg::ErrorZeroLength;
              end else if (!receive && len[31:nic_pkg::LenWidth] != '0) begin
                error = virtio_pkg::ErrorBadLength;
              end
              member = (flags & virtio_pkg::DescFNext) != '0;
              wrote  = receive || (control && member && (flags & virtio_pkg::DescFWrite) != '0);
              late   = batch_sure_i || (late && member);
              ended  = ended || !member;
              tail   = member ? tail + 1'b1 : '0;
              if (error != virtio_pkg::ErrorNone) begin
                running = 1'b0;
                open    = 1'b0;
              end
            end
          end else begin
            if (running && (batch_sure_i || (open && member && late))) begin
              error      = virtio_pkg::ErrorIncompleteChain;
              error_seen = seen;
              err_slot_o = 1'b1;
            end
            running = 1'b0;
            open    = 1'b0;
          end
          seen = seen + 7'd1;
        end
      end
      chain = (ended ? '0 : chain_was) + PosWidth'(tail);
      if (chain >= size && tail != '0 && error == virtio_pkg::ErrorNone) begin
        error      = virtio_pkg::ErrorChainTooLong;
        err_slot_o = 1'b1;
      end
    end
  end

  assign err_valid_o = error != virtio_pkg::ErrorNone;
  assign err_code_o  = error;
  assign err_index_o = 16'(batch_pos_i[SlotWidth-1:0]) + 16'(error_seen);

  assign insert_valid_o = count != '0 && !err_valid_o;
  assign insert_first_o = first;
  assign insert_last_o  = first + LaneWidth'(count) - 1'b1;
  assign insert_slot_o  = pos[SlotWidth-1:0];

  assign end_valid_o = rsp_valid_i && rsp_last_i;
  assign end_live_o  = live;
  assign end_run_o   = run_q + 7'(run);
  assign end_more_o  = (batch_sure_i || failed_q || err_valid_o)
                     ? '0 : end_run_o - taken_q - 7'(count);
  assign end_chain_o = chain != '0;

  ////////////////////
  // Position       //
  ////////////////////

  logic [SlotWidth:0] pos_next;
  logic        flip;
  logic        more;
  logic        fewer;

  assign pos_next = !insert_valid_o ? pos
                  : (PosWidth'(pos[SlotWidth-1:0]) + PosWidth'(count) == size)
                                    ? {!pos[SlotWidth], SlotWidth'(0)}
                                    : pos + PosWidth'(count);
  assign flip     = end_valid_o && live && !batch_sure_i && end_run_o != batch_count_i;
  assign more     = end_valid_o && end_more_o != '0;
  assign fewer    = end_valid_o && batch_sure_i;

  assign word_next = {epoch ^ flip, again + AgainWidth'(more) - AgainWidth'(fewer), chain,
                      pos_next};

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      begun_q  <= 1'b0;
      seen_q   <= '0;
      run_q    <= '0;
      taken_q  <= '0;
      broken_q <= 1'b0;
      closed_q <= 1'b0;
      late_q   <= 1'b0;
      failed_q <= 1'b0;
    end else if (rsp_valid_i) begin
      begun_q  <= !rsp_last_i;
      seen_q   <= rsp_last_i ? '0 : seen;
      run_q    <= rsp_last_i ? '0 : end_run_o;
      taken_q  <= rsp_last_i ? '0 : taken_q + 7'(count);
      broken_q <= !rsp_last_i && !running;
      closed_q <= !rsp_last_i && !open;
      late_q   <= late;
      if (err_valid_o) begin
        failed_q <= 1'b1;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (insert_valid_o && control) begin
      wrote_q <= wrote;
    end
  end

  logic [AgainWidth-1:0] look_again;
  logic [SlotWidth:0]    look_chain;

  assign {look_epoch_o, look_again, look_chain, look_pos_o} = look_word;
  assign look_chain_o = look_chain != '0;
  assign look_again_o = look_again != '0;

  ////////////////////
  // Properties     //
  ////////////////////

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // The last beat of a read brings the last descriptor of its batch, and no other beat does.
      a_beats: assert (!rsp_valid_i || rsp_last_i == (seen == batch_count_i));
      // What is accepted of a batch lies at the queue's accepted position.
      a_position: assert (!insert_valid_o ||
                          batch_pos_i + PosWidth'(taken_q) == pos);
      // A position lies in the ring.
      a_in_ring: assert (!insert_valid_o || PosWidth'(pos[SlotWidth-1:0]) + PosWidth'(count) <= size);
      // A second read ends only while one is under way.
      a_again: assert (!fewer || again != '0);
    end
  end
`endif

endmodule
