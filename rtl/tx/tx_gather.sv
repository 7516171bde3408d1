// SPDX-License-Identifier: Apache-2.0
//
// tx_gather: fetches the driver's frames, many at a time, and puts them whole into tx_store.
//
//   descriptors --> tx_plan --> fragments --> issue --> axi_read (payload client)
//                      |                        |            |
//                      +----> plans ------------+            v beats
//                                               |         tx_pack --> words --> tx_store
//                                               v            | done
//                                             chains --> finish --> frame records --> tx_store
//                                                            +----> used elements
//
//   pop, desc        from the virtqueue engine.
//   req, rsp         to and from axi_read. A chain's reads are asked for only when tx_store has room
//                    for the whole frame.
//   we_o, wdata_o    words of frames, in order; they always have room. word_freed_i gives one back.
//   frame_*          a record for each frame, when all of its words are written; stays until
//                    frame_ready_i.
//   used_*           a chain's used element (length 0) goes out when its last byte has come, in the
//                    cycle in which the record moves. A chain that tx_plan drops gives its buffer
//                    back in its turn, and drop_bad_o pulses when it is seen.
//   err_*            a read was answered with an error: high until reset; no frame and no element
//                    goes out any more.
//   stop_i           starts no chain; quiet_o: no read in flight, no chain half asked for.
//   idle_o           nothing can change until an input does.
//
// Parameters:
//   AxiBytes     bytes in a bus word
//   Queues       transmit queues
//   MaxFrame     longest frame, without FCS, in bytes
//   StoreBytes   size of tx_store's memory
//   Fragments    fragments planned ahead, and fragments in flight, a power of two; a chain that is
//                sent has at most half as many
//   Chains       chains planned ahead and in flight, a power of two
//   TagWidth     bits of a tag

module tx_gather #(
  parameter int unsigned AxiBytes = 16,
  parameter int unsigned Queues = 1,
  parameter int unsigned MaxFrame = 9022,
  parameter int unsigned StoreBytes = 32768,
  parameter int unsigned Fragments = 128,
  parameter int unsigned Chains = 128,
  parameter int unsigned TagWidth = 32,
  localparam int unsigned QueueWidth = (Queues > 1) ? $clog2(Queues) : 1
) (
  input  logic                         clk_i,
  input  logic                         rst_i,
  input  logic                         stop_i,
  output logic                         quiet_o,
  output logic                         idle_o,

  input  logic [Queues-1:0]            avail_i,
  output logic                         pop_valid_o,
  output logic [QueueWidth-1:0]        pop_queue_o,
  input  logic                         desc_valid_i,
  input  nic_pkg::desc_t               desc_i,
  input  logic [15:0]                  desc_index_i,

  output logic                         req_valid_o,
  input  logic                         req_ready_i,
  output logic [63:0]                  req_addr_o,
  output logic [nic_pkg::LenWidth-1:0] req_bytes_o,
  input  logic                         rsp_valid_i,
  input  logic [8*AxiBytes-1:0]        rsp_data_i,
  input  logic                         rsp_last_i,
  input  logic                         rsp_error_i,

  output logic                         we_o,
  output logic [8*AxiBytes-1:0]        wdata_o,
  input  logic                         word_freed_i,
  output logic                         frame_valid_o,
  input  logic                         frame_ready_i,
  output logic [15:0]                  frame_len_o,
  output logic [TagWidth-1:0]          frame_tag_o,

  output logic                         used_valid_o,
  input  logic                         used_ready_i,
  output logic [QueueWidth-1:0]        used_queue_o,
  output nic_pkg::used_t               used_o,
  output logic [TagWidth-1:0]          used_tag_o,

  output logic                         err_valid_o,
  output nic_pkg::vq_error_t           err_o,        // err_o.queue: number of the transmit queue

  output logic                         drop_bad_o,

  output logic                         trace_descriptor_valid_o,
  output logic [TagWidth-1:0]          trace_descriptor_tag_o,
  output logic                         trace_read_valid_o,
  output logic [TagWidth-1:0]          trace_read_tag_o,
  output logic                         trace_stored_valid_o,
  output logic [TagWidth-1:0]          trace_stored_tag_o
);

  localparam int unsigned LenWidth = nic_pkg::LenWidth;
  localparam int unsigned LaneWidth = $clog2(AxiBytes);
  localparam int unsigned CountWidth = $clog2(Fragments + 1);
  localparam int unsigned ChainWidth = $clog2(Chains);
  localparam int unsigned FragWidth = $clog2(Fragments);
  localparam int unsigned Words = StoreBytes / AxiBytes;
  localparam int unsigned WordsWidth = $clog2(Words + 1);

  if ((1 << ChainWidth) != Chains) $error("tx_gather: Chains must be a power of two");
  if ((1 << FragWidth) != Fragments) $error("tx_gather: Fragments must be a power of two");
  if (StoreBytes < MaxFrame + AxiBytes) $error("tx_gather: StoreBytes does not hold a frame");

  ////////////////////
  // Plan           //
  ////////////////////

  logic                   room;
  logic                   blocked;
  logic                   first;
  logic                   frag_push;
  logic                   plan_push;
  logic                   push_drop;
  logic [15:0]            push_len;
  logic [15:0]            push_ndesc;
  logic [CountWidth-1:0]  push_fragments;
  logic [QueueWidth-1:0]  push_queue;
  logic [TagWidth-1:0]    push_tag;

  tx_plan #(
    .Queues      (Queues),
    .MaxFrame    (MaxFrame),
    .MaxFragments(Fragments / 2),
    .CountWidth  (CountWidth),
    .TagWidth    (TagWidth)
  ) u_plan (
    .clk_i           (clk_i),
    .rst_i           (rst_i),
    .stop_i          (stop_i),
    .blocked_o       (blocked),
    .avail_i         (avail_i),
    .pop_valid_o     (pop_valid_o),
    .pop_queue_o     (pop_queue_o),
    .desc_valid_i    (desc_valid_i),
    .desc_i          (desc_i),
    .room_i          (room),
    .first_o         (first),
    .frag_valid_o    (frag_push),
    .plan_valid_o    (plan_push),
    .plan_drop_o     (push_drop),
    .plan_len_o      (push_len),
    .plan_ndesc_o    (push_ndesc),
    .plan_fragments_o(push_fragments),
    .plan_queue_o    (push_queue),
    .plan_tag_o      (push_tag)
  );

  logic                   frag_valid;
  logic                   frag_ready;
  logic [63:0]            frag_addr;
  logic [LenWidth-1:0]    frag_bytes;
  logic [15:0]            frag_index;
  logic [CountWidth-1:0]  frag_count;
  logic                   frag_room;   // always, see room

  fifo_ram #(
    .Width(16 + LenWidth + 64),
    .Depth(Fragments)
  ) u_fragments (
    .clk_i     (clk_i),
    .rst_i     (rst_i),
    .wr_valid_i(frag_push),
    .wr_ready_o(frag_room),
    .wr_data_i ({desc_index_i, desc_i.len[LenWidth-1:0], desc_i.addr}),
    .rd_valid_o(frag_valid),
    .rd_ready_i(frag_ready),
    .rd_data_o ({frag_index, frag_bytes, frag_addr}),
    .count_o   (frag_count)
  );

  // Plans: one ring, written by the planner and read twice, when a chain is asked for and when it is
  // finished. Each reader has the plan that it works on in registers.
  logic                  drop_mem      [Chains];
  logic [15:0]           len_mem       [Chains];
  logic [15:0]           ndesc_mem     [Chains];
  logic [15:0]           id_mem        [Chains];
  logic [CountWidth-1:0] fragments_mem [Chains];
  logic [QueueWidth-1:0] queue_mem     [Chains];
  logic [TagWidth-1:0]   tag_mem       [Chains];
  logic [ChainWidth:0]   plan_ptr_q;
  logic [ChainWidth:0]   issue_ptr_q;
  logic [ChainWidth:0]   finish_ptr_q;

  logic                  issue_valid_q;
  logic                  issue_drop_q;
  logic [WordsWidth-1:0] issue_words_q;  // of the store that the frame takes
  logic [CountWidth-1:0] issue_fragments_q;
  logic [QueueWidth-1:0] issue_queue_q;
  logic [TagWidth-1:0]   issue_tag_q;
  logic                  issue_ready;
  logic                  issue_take;

  logic                  finish_valid_q;
  logic                  finish_drop_q;
  logic [15:0]           finish_len_q;
  logic [15:0]           finish_ndesc_q;
  logic [15:0]           finish_id_q;
  logic [QueueWidth-1:0] finish_queue_q;
  logic [TagWidth-1:0]   finish_tag_q;
  logic                  finish;
  logic                  finish_take;

  // A descriptor may be on its way when the next one is asked for: two places in each queue.
  assign room = frag_count <= CountWidth'(Fragments - 2) &&
                (plan_ptr_q - issue_ptr_q) <= (ChainWidth + 1)'(Chains - 2) &&
                (plan_ptr_q - finish_ptr_q) <= (ChainWidth + 1)'(Chains - 2);

  assign issue_take  = plan_ptr_q != issue_ptr_q && (!issue_valid_q || issue_ready);
  assign finish_take = plan_ptr_q != finish_ptr_q && (!finish_valid_q || finish);

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      plan_ptr_q <= '0;
    end else if (plan_push) begin
      plan_ptr_q <= plan_ptr_q + 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (plan_push) begin
      drop_mem[plan_ptr_q[ChainWidth-1:0]]      <= push_drop;
      len_mem[plan_ptr_q[ChainWidth-1:0]]       <= push_len;
      ndesc_mem[plan_ptr_q[ChainWidth-1:0]]     <= push_ndesc;
      id_mem[plan_ptr_q[ChainWidth-1:0]]        <= desc_i.id;
      fragments_mem[plan_ptr_q[ChainWidth-1:0]] <= push_fragments;
      queue_mem[plan_ptr_q[ChainWidth-1:0]]     <= push_queue;
      tag_mem[plan_ptr_q[ChainWidth-1:0]]       <= push_tag;
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      issue_ptr_q   <= '0;
      issue_valid_q <= 1'b0;
    end else if (issue_take) begin
      issue_ptr_q       <= issue_ptr_q + 1'b1;
      issue_valid_q     <= 1'b1;
      issue_drop_q      <= drop_mem[issue_ptr_q[ChainWidth-1:0]];
      issue_words_q     <= WordsWidth'((32'(len_mem[issue_ptr_q[ChainWidth-1:0]]) + AxiBytes - 1) >>
                                       LaneWidth);
      issue_fragments_q <= fragments_mem[issue_ptr_q[ChainWidth-1:0]];
      issue_queue_q     <= queue_mem[issue_ptr_q[ChainWidth-1:0]];
      issue_tag_q       <= tag_mem[issue_ptr_q[ChainWidth-1:0]];
    end else if (issue_ready) begin
      issue_valid_q <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      finish_ptr_q   <= '0;
      finish_valid_q <= 1'b0;
    end else if (finish_take) begin
      finish_ptr_q   <= finish_ptr_q + 1'b1;
      finish_valid_q <= 1'b1;
      finish_drop_q  <= drop_mem[finish_ptr_q[ChainWidth-1:0]];
      finish_len_q   <= len_mem[finish_ptr_q[ChainWidth-1:0]];
      finish_ndesc_q <= ndesc_mem[finish_ptr_q[ChainWidth-1:0]];
      finish_id_q    <= id_mem[finish_ptr_q[ChainWidth-1:0]];
      finish_queue_q <= queue_mem[finish_ptr_q[ChainWidth-1:0]];
      finish_tag_q   <= tag_mem[finish_ptr_q[ChainWidth-1:0]];
    end else if (finish) begin
      finish_valid_q <= 1'b0;
    end
  end

  ////////////////////
  // Issue          //
  ////////////////////

  logic [CountWidth-1:0] frag_q;       // number of the fragment in its chain
  logic [WordsWidth-1:0] free_q;       // words of the store not promised to a frame
  logic                  frag_first;
  logic                  frag_last;
  logic                  flight_room;
  logic                  may;          // the fragment at the head can go, if the bus takes it
  logic                  req_fire;
  logic                  reserve;
  logic                  err_valid_q;

  assign frag_first = frag_q == '0;
  assign frag_last  = frag_q + 1'b1 == issue_fragments_q;
  assign may        = issue_valid_q && frag_valid && flight_room &&
                      (!frag_first || (!stop_i && !err_valid_q &&
                                       (issue_drop_q || free_q >= issue_words_q)));

  assign req_valid_o = may && !issue_drop_q;
  assign req_addr_o  = frag_addr;
  assign req_bytes_o = frag_bytes;
  assign req_fire    = req_valid_o && req_ready_i;
  assign reserve     = req_fire && frag_first;
  assign frag_ready  = may && (issue_drop_q || req_ready_i);
  assign issue_ready = frag_ready && frag_last;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      frag_q <= '0;
      free_q <= WordsWidth'(Words);
    end else if (frag_ready || word_freed_i) begin
      if (frag_ready) begin
        frag_q <= frag_last ? '0 : frag_q + 1'b1;
      end
      free_q <= free_q - (reserve ? issue_words_q : '0) + WordsWidth'(word_freed_i);
    end
  end

  // Fragments in flight, in the order of their beats: what the packer needs of the first one is in
  // registers (its data comes some cycles after its request), the rest is for the error record.
  logic [LaneWidth-1:0]  flight_lane_mem  [Fragments];
  logic [LaneWidth-1:0]  flight_end_mem   [Fragments];
  logic                  flight_last_mem  [Fragments];
  logic [63:0]           flight_addr_mem  [Fragments];
  logic [15:0]           flight_index_mem [Fragments];
  logic [QueueWidth-1:0] flight_queue_mem [Fragments];
  logic [FragWidth:0]    asked_ptr_q;
  logic [FragWidth:0]    flight_ptr_q;

  logic                  flight_valid_q;
  logic [LaneWidth-1:0]  flight_lane_q;
  logic [LaneWidth-1:0]  flight_end_q;
  logic                  flight_last_q;
  logic [FragWidth-1:0]  flight_slot_q;
  logic                  flight_ready;
  logic                  flight_take;

  // The slot of the first one is kept until it is done.
  assign flight_room = (asked_ptr_q - flight_ptr_q) < (FragWidth + 1)'(Fragments - 1);
  assign flight_take = asked_ptr_q != flight_ptr_q && (!flight_valid_q || flight_ready);

  always_ff @(posedge clk_i) begin
    if (req_fire) begin
      flight_lane_mem[asked_ptr_q[FragWidth-1:0]]  <= frag_addr[LaneWidth-1:0];
      flight_end_mem[asked_ptr_q[FragWidth-1:0]]   <= frag_addr[LaneWidth-1:0] +
                                                      frag_bytes[LaneWidth-1:0] - 1'b1;
      flight_last_mem[asked_ptr_q[FragWidth-1:0]]  <= frag_last;
      flight_addr_mem[asked_ptr_q[FragWidth-1:0]]  <= frag_addr;
      flight_index_mem[asked_ptr_q[FragWidth-1:0]] <= frag_index;
      flight_queue_mem[asked_ptr_q[FragWidth-1:0]] <= issue_queue_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      asked_ptr_q <= '0;
    end else if (req_fire) begin
      asked_ptr_q <= asked_ptr_q + 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      flight_ptr_q   <= '0;
      flight_valid_q <= 1'b0;
    end else if (flight_take) begin
      flight_ptr_q   <= flight_ptr_q + 1'b1;
      flight_valid_q <= 1'b1;
      flight_lane_q  <= flight_lane_mem[flight_ptr_q[FragWidth-1:0]];
      flight_end_q   <= flight_end_mem[flight_ptr_q[FragWidth-1:0]];
      flight_last_q  <= flight_last_mem[flight_ptr_q[FragWidth-1:0]];
      flight_slot_q  <= flight_ptr_q[FragWidth-1:0];
    end else if (flight_ready) begin
      flight_valid_q <= 1'b0;
    end
  end

  ////////////////////
  // Pack           //
  ////////////////////

  logic packed_done;
  logic pack_idle;

  tx_pack #(
    .AxiBytes(AxiBytes)
  ) u_pack (
    .clk_i       (clk_i),
    .rst_i       (rst_i),
    .idle_o      (pack_idle),
    .rsp_valid_i (rsp_valid_i),
    .rsp_data_i  (rsp_data_i),
    .rsp_last_i  (rsp_last_i),
    .frag_lane_i (flight_lane_q),
    .frag_end_i  (flight_end_q),
    .frag_last_i (flight_last_q),
    .frag_ready_o(flight_ready),
    .we_o        (we_o),
    .wdata_o     (wdata_o),
    .done_o      (packed_done)
  );

  nic_pkg::vq_error_t err_q;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      err_valid_q <= 1'b0;
    end else if (rsp_valid_i && rsp_error_i && !err_valid_q) begin
      err_valid_q <= 1'b1;
      err_q.code  <= virtio_pkg::ErrorDmaRead;
      err_q.queue <= 16'(flight_queue_mem[flight_slot_q]);
      err_q.index <= flight_index_mem[flight_slot_q];
      err_q.addr  <= flight_addr_mem[flight_slot_q];
    end
  end

  ////////////////////
  // Finish         //
  ////////////////////

  logic [ChainWidth:0] packed_q;   // frames packed and not yet finished
  logic                finish_ok;

  assign finish_ok     = finish_valid_q && !err_valid_q &&
                         (finish_drop_q || (packed_q != '0 && frame_ready_i));
  assign finish        = finish_ok && used_ready_i;
  assign used_valid_o  = finish_ok;
  assign frame_valid_o = finish && !finish_drop_q;
  assign frame_len_o   = finish_len_q;
  assign frame_tag_o   = finish_tag_q;
  assign used_queue_o  = finish_queue_q;
  assign used_tag_o    = finish_tag_q;

  always_comb begin
    used_o = '0;
    if (finish_ok) begin
      used_o.last  = 1'b1;
      used_o.first = 1'b1;
      used_o.ndesc = finish_ndesc_q;
      used_o.id    = finish_id_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      packed_q <= '0;
    end else if (packed_done != frame_valid_o) begin
      packed_q <= packed_done ? packed_q + 1'b1 : packed_q - 1'b1;
    end
  end

  assign err_valid_o = err_valid_q;
  assign err_o       = err_q;
  assign quiet_o     = !flight_valid_q && !flight_take && frag_q == '0 && !desc_valid_i && pack_idle;
  assign idle_o      = quiet_o && blocked && !issue_valid_q && !issue_take && !finish_take &&
                       (!finish_valid_q || err_valid_q);

  assign drop_bad_o               = plan_push && push_drop;
  assign trace_descriptor_valid_o = desc_valid_i && first;
  assign trace_descriptor_tag_o   = push_tag;
  assign trace_read_valid_o       = req_fire && frag_first;
  assign trace_read_tag_o         = issue_tag_q;
  assign trace_stored_valid_o     = frame_valid_o;
  assign trace_stored_tag_o       = finish_tag_q;

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // What the planner pushes has its place.
      a_room: assert ((!frag_push || frag_room) &&
                      (!plan_push || ((plan_ptr_q - issue_ptr_q) < (ChainWidth + 1)'(Chains) &&
                                      (plan_ptr_q - finish_ptr_q) < (ChainWidth + 1)'(Chains))));
      // A beat belongs to a fragment in flight.
      a_flight: assert (!rsp_valid_i || flight_valid_q);
      // The store never gives back more words than it has.
      a_free: assert (free_q <= WordsWidth'(Words));
      // A packed frame has its chain waiting.
      a_packed: assert (packed_q == '0 || finish_valid_q);
    end
  end
`endif

endmodule
