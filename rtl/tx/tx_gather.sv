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
//   Fragments    fragments planned ahead, and fragments in flight; a chain that is sent has at most
//                half as many
//   Chains       chains planned ahead, and chains in flight
//   TagWidth     bits of a tag

module tx_gather #(
  parameter int unsigned AxiBytes = 16,
  parameter int unsigned Queues = 1,
  parameter int unsigned MaxFrame = 9022,
  parameter int unsigned StoreBytes = 32768,
  parameter int unsigned Fragments = 128,
  parameter int unsigned Chains = 64,
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
  localparam int unsigned ChainsWidth = $clog2(Chains + 1);
  localparam int unsigned Words = StoreBytes / AxiBytes;
  localparam int unsigned WordsWidth = $clog2(Words + 1);
  localparam int unsigned PlanWidth = 1 + 16 + 16 + 16 + CountWidth + QueueWidth + TagWidth;
  localparam int unsigned ChainWidth = 1 + 16 + 16 + 16 + QueueWidth + TagWidth;

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
  logic                   plan_valid;
  logic                   plan_ready;
  logic                   plan_drop;
  logic [15:0]            plan_len;
  logic [15:0]            plan_ndesc;
  logic [15:0]            plan_id;
  logic [CountWidth-1:0]  plan_fragments;
  logic [QueueWidth-1:0]  plan_queue;
  logic [TagWidth-1:0]    plan_tag;
  logic [ChainsWidth-1:0] plan_count;
  logic [1:0]             wr_ready;  // always, see room

  // A descriptor may be on its way when the next one is asked for: two places in each queue.
  assign room = frag_count <= CountWidth'(Fragments - 2) && plan_count <= ChainsWidth'(Chains - 2);

  fifo_ram #(
    .Width(16 + LenWidth + 64),
    .Depth(Fragments)
  ) u_fragments (
    .clk_i     (clk_i),
    .rst_i     (rst_i),
    .wr_valid_i(frag_push),
    .wr_ready_o(wr_ready[0]),
    .wr_data_i ({desc_index_i, desc_i.len[LenWidth-1:0], desc_i.addr}),
    .rd_valid_o(frag_valid),
    .rd_ready_i(frag_ready),
    .rd_data_o ({frag_index, frag_bytes, frag_addr}),
    .count_o   (frag_count)
  );

  fifo #(
    .Width(PlanWidth),
    .Depth(Chains)
  ) u_plans (
    .clk_i     (clk_i),
    .rst_i     (rst_i),
    .wr_valid_i(plan_push),
    .wr_ready_o(wr_ready[1]),
    .wr_data_i ({push_drop, push_len, push_ndesc, desc_i.id, push_fragments, push_queue,
                 push_tag}),
    .rd_valid_o(plan_valid),
    .rd_ready_i(plan_ready),
    .rd_data_o ({plan_drop, plan_len, plan_ndesc, plan_id, plan_fragments, plan_queue, plan_tag}),
    .count_o   (plan_count)
  );

  ////////////////////
  // Issue          //
  ////////////////////

  logic [CountWidth-1:0] frag_q;       // number of the fragment in its chain
  logic [WordsWidth-1:0] free_q;       // words of the store not promised to a frame
  logic [WordsWidth-1:0] need;         // words of the frame
  logic                  frag_first;
  logic                  frag_last;
  logic                  flight_room;
  logic                  chain_room;
  logic                  may;          // the fragment at the head can go, if the bus takes it
  logic                  req_fire;
  logic                  reserve;
  logic                  err_valid_q;

  assign need       = WordsWidth'((32'(plan_len) + AxiBytes - 1) >> LaneWidth);
  assign frag_first = frag_q == '0;
  assign frag_last  = frag_q + 1'b1 == plan_fragments;
  assign may        = plan_valid && frag_valid && chain_room && flight_room &&
                      (!frag_first || (!stop_i && !err_valid_q && (plan_drop || free_q >= need)));

  assign req_valid_o = may && !plan_drop;
  assign req_addr_o  = frag_addr;
  assign req_bytes_o = frag_bytes;
  assign req_fire    = req_valid_o && req_ready_i;
  assign reserve     = req_fire && frag_first;
  assign frag_ready  = may && (plan_drop || req_ready_i);
  assign plan_ready  = frag_ready && frag_last;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      frag_q <= '0;
      free_q <= WordsWidth'(Words);
    end else if (frag_ready || word_freed_i) begin
      if (frag_ready) begin
        frag_q <= frag_last ? '0 : frag_q + 1'b1;
      end
      free_q <= free_q - (reserve ? need : '0) + WordsWidth'(word_freed_i);
    end
  end

  // Fragments in flight, in the order of their beats.
  logic                   flight_valid;
  logic                   flight_ready;
  logic                   flight_last;
  logic [QueueWidth-1:0]  flight_queue;
  logic [15:0]            flight_index;
  logic [LenWidth-1:0]    flight_bytes;
  logic [63:0]            flight_addr;
  logic [CountWidth-1:0]  unused_flight_count;

  fifo #(
    .Width(1 + QueueWidth + 16 + LenWidth + 64),
    .Depth(Fragments)
  ) u_flight (
    .clk_i     (clk_i),
    .rst_i     (rst_i),
    .wr_valid_i(req_fire),
    .wr_ready_o(flight_room),
    .wr_data_i ({frag_last, plan_queue, frag_index, frag_bytes, frag_addr}),
    .rd_valid_o(flight_valid),
    .rd_ready_i(flight_ready),
    .rd_data_o ({flight_last, flight_queue, flight_index, flight_bytes, flight_addr}),
    .count_o   (unused_flight_count)
  );

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
    .frag_lane_i (flight_addr[LaneWidth-1:0]),
    .frag_bytes_i(flight_bytes),
    .frag_last_i (flight_last),
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
      err_q.queue <= 16'(flight_queue);
      err_q.index <= flight_index;
      err_q.addr  <= flight_addr;
    end
  end

  ////////////////////
  // Finish         //
  ////////////////////

  logic                   chain_push;
  logic                   chain_valid;
  logic                   chain_drop;
  logic [15:0]            chain_len;
  logic [15:0]            chain_ndesc;
  logic [15:0]            chain_id;
  logic [QueueWidth-1:0]  chain_queue;
  logic [TagWidth-1:0]    chain_tag;
  logic [ChainsWidth-1:0] unused_chain_count;
  logic [ChainsWidth-1:0] packed_q;   // frames packed and not yet finished
  logic                   finish;
  logic                   finish_ok;

  assign chain_push = plan_ready;

  fifo #(
    .Width(ChainWidth),
    .Depth(Chains)
  ) u_chains (
    .clk_i     (clk_i),
    .rst_i     (rst_i),
    .wr_valid_i(chain_push),
    .wr_ready_o(chain_room),
    .wr_data_i ({plan_drop, plan_len, plan_ndesc, plan_id, plan_queue, plan_tag}),
    .rd_valid_o(chain_valid),
    .rd_ready_i(finish),
    .rd_data_o ({chain_drop, chain_len, chain_ndesc, chain_id, chain_queue, chain_tag}),
    .count_o   (unused_chain_count)
  );

  assign finish_ok     = chain_valid && !err_valid_q &&
                         (chain_drop || (packed_q != '0 && frame_ready_i));
  assign finish        = finish_ok && used_ready_i;
  assign used_valid_o  = finish_ok;
  assign frame_valid_o = finish && !chain_drop;
  assign frame_len_o   = chain_len;
  assign frame_tag_o   = chain_tag;
  assign used_queue_o  = chain_queue;
  assign used_tag_o    = chain_tag;

  always_comb begin
    used_o.last  = 1'b1;
    used_o.first = 1'b1;
    used_o.ndesc = chain_ndesc;
    used_o.id    = chain_id;
    used_o.len   = '0;
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
  assign quiet_o     = !flight_valid && frag_q == '0 && !desc_valid_i && pack_idle;
  assign idle_o      = quiet_o && blocked && !plan_valid && (!chain_valid || err_valid_q);

  assign drop_bad_o               = plan_push && push_drop;
  assign trace_descriptor_valid_o = desc_valid_i && first;
  assign trace_descriptor_tag_o   = push_tag;
  assign trace_read_valid_o       = req_fire && frag_first;
  assign trace_read_tag_o         = plan_tag;
  assign trace_stored_valid_o     = frame_valid_o;
  assign trace_stored_tag_o       = chain_tag;

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // What the planner pushes has its place.
      a_room: assert ((!frag_push || wr_ready[0]) && (!plan_push || wr_ready[1]));
      // A beat belongs to a fragment in flight.
      a_flight: assert (!rsp_valid_i || flight_valid);
      // The store never gives back more words than it has.
      a_free: assert (free_q <= WordsWidth'(Words));
      // A packed frame has its chain waiting.
      a_packed: assert (packed_q == '0 || chain_valid);
    end
  end
`endif

endmodule
