// SPDX-License-Identifier: Apache-2.0
//
// tx_gather: fetches the driver's chains, many at a time, and returns their buffers.
//
//   descriptors --> tx_plan --> fragments --> issue --> axi_read (payload client)
//                      |                      |   |
//                      +-- chains ------------+   +--> chain_*      |
//                      |                           +-- in flight --+
//                      |                                           v beats, with their place
//                      +-- to finish --> used elements <-- done -- beat_* --> tx_segment
//
//   pop, desc        from the virtqueue engine.
//   req, rsp         to and from axi_read. A fragment is asked for in pieces that end at multiples of
//                    PieceBytes, each when the beats that it brings have room; so a chain may be
//                    longer than that room.
//   beat_*           data as it came from the bus, in order, while beat_ready_i: bytes beat_lane_o to
//                    beat_end_o belong to the chain. beat_gso_o holds for a chain's first beat: its
//                    header asks for segmentation, or does not show in this beat whether it does.
//                    beat_last_o: the chain's last beat.
//   chain_*          a record for each chain, in order: number of its last byte, header included. It
//                    comes with the chain's first beat or before. chain_drop_o: it was not read.
//   used_*           a chain's used element (length 0) goes out when its last byte has come; that of
//                    a chain that was not read in its turn.
//   err_*            a read was answered with an error: high until reset. No beat is passed on from
//                    there, no chain begun and no element written any more.
//   stop_i           starts no chain; quiet_o: no read in flight, no chain half asked for.
//   qrst_*           see tx_plan; qrst_quiet_o: every chain that was taken is back.
//   idle_o           nothing can change until an input does.
//
// Parameters:
//   AxiBytes     bytes in a bus word
//   Queues       transmit queues
//   BeatBytes    room for beats, a power of two
//   Fragments    fragments planned ahead, and pieces in flight; a chain that is sent has at most
//                MaxFragments
//   Chains       chains planned ahead and in flight
//   TagWidth     bits of a tag

module tx_gather #(
  parameter int unsigned AxiBytes = 16,
  parameter int unsigned Queues = 1,
  parameter int unsigned BeatBytes = 16384,
  parameter int unsigned Fragments = 128,
  parameter int unsigned MaxFragments = 64,
  parameter int unsigned Chains = 128,
  parameter int unsigned TagWidth = 32,
  localparam int unsigned QueueWidth = (Queues > 1) ? $clog2(Queues) : 1,
  localparam int unsigned LaneWidth = $clog2(AxiBytes),
  localparam int unsigned LenWidth = nic_pkg::LenWidth
) (
  input  logic                  clk_i,
  input  logic                  rst_i,
  input  logic                  stop_i,
  input  logic                  hdr_hash_i,
  output logic                  quiet_o,
  output logic                  idle_o,

  input  logic                  qrst_valid_i,
  input  logic [QueueWidth-1:0] qrst_queue_i,
  output logic                  qrst_quiet_o,

  input  logic [Queues-1:0]     avail_i,
  input  logic                  hide_i,
  output logic                  pop_valid_o,
  output logic [QueueWidth-1:0] pop_queue_o,
  input  logic                  desc_valid_i,
  input  nic_pkg::desc_t        desc_i,
  input  logic [15:0]           desc_index_i,

  output logic                  req_valid_o,
  input  logic                  req_ready_i,
  output logic [63:0]           req_addr_o,
  output logic [LenWidth-1:0]   req_bytes_o,
  input  logic                  rsp_valid_i,
  input  logic [8*AxiBytes-1:0] rsp_data_i,
  input  logic                  rsp_last_i,
  input  logic                  rsp_error_i,

  output logic                  chain_valid_o,
  input  logic                  chain_ready_i,
  output logic                  chain_drop_o,
  output logic [LenWidth-1:0]   chain_last_byte_o,
  output logic [QueueWidth-1:0] chain_queue_o,
  output logic [TagWidth-1:0]   chain_tag_o,

  output logic                  beat_valid_o,
  input  logic                  beat_ready_i,
  output logic [8*AxiBytes-1:0] beat_data_o,
  output logic [LaneWidth-1:0]  beat_lane_o,
  output logic [LaneWidth-1:0]  beat_end_o,
  output logic                  beat_gso_o,
  output logic                  beat_last_o,

  output logic                  used_valid_o,
  input  logic                  used_ready_i,
  output logic [QueueWidth-1:0] used_queue_o,
  output nic_pkg::used_t        used_o,
  output logic [TagWidth-1:0]   used_tag_o,

  output logic                  err_valid_o,
  output nic_pkg::vq_error_t    err_o,        // err_o.queue: number of the transmit queue

  output logic                  trace_descriptor_valid_o,
  output logic [TagWidth-1:0]   trace_descriptor_tag_o,
  output logic                  trace_read_valid_o,
  output logic [TagWidth-1:0]   trace_read_tag_o
);

  localparam int unsigned PieceBytes = 2048;
  localparam int unsigned PieceWidth = $clog2(PieceBytes);
  localparam int unsigned Beats = BeatBytes / AxiBytes;
  localparam int unsigned BeatsWidth = $clog2(Beats + 1);
  localparam int unsigned CountWidth = $clog2(Fragments + 1);
  localparam int unsigned ChainsWidth = $clog2(Chains + 1);

  if (BeatBytes < 2 * PieceBytes) $error("tx_gather: BeatBytes does not hold two pieces");
  if (Fragments < 2 * MaxFragments) $error("tx_gather: Fragments must be twice MaxFragments");

  ////////////////////
  // Plan           //
  ////////////////////

  logic                  room;
  logic                  blocked;
  logic                  started;
  logic                  frag_push;
  logic                  plan_push;
  logic                  push_drop;
  logic                  push_forget;
  logic [LenWidth-1:0]   push_last_byte;
  logic [15:0]           push_ndesc;
  logic [CountWidth-1:0] push_fragments;
  logic [QueueWidth-1:0] push_queue;
  logic [TagWidth-1:0]   push_tag;

  tx_plan #(
    .Queues      (Queues),
    .MaxFragments(MaxFragments),
    .CountWidth  (CountWidth),
    .TagWidth    (TagWidth)
  ) u_plan (
    .clk_i           (clk_i),
    .rst_i           (rst_i),
    .stop_i          (stop_i),
    .hdr_hash_i      (hdr_hash_i),
    .blocked_o       (blocked),
    .qrst_valid_i    (qrst_valid_i),
    .qrst_queue_i    (qrst_queue_i),
    .avail_i         (avail_i),
    .hide_i          (hide_i),
    .pop_valid_o     (pop_valid_o),
    .pop_queue_o     (pop_queue_o),
    .desc_valid_i    (desc_valid_i),
    .desc_i          (desc_i),
    .room_i          (room),
    .started_o       (started),
    .frag_valid_o    (frag_push),
    .plan_valid_o    (plan_push),
    .plan_drop_o     (push_drop),
    .plan_forget_o   (push_forget),
    .plan_last_byte_o(push_last_byte),
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

  // What is to be asked for.
  logic                   issue_valid;
  logic                   issue_ready;
  logic                   issue_drop;
  logic                   issue_forget;
  logic [LenWidth-1:0]    issue_last_byte;
  logic [CountWidth-1:0]  issue_fragments;
  logic [QueueWidth-1:0]  issue_queue;
  logic [TagWidth-1:0]    issue_tag;
  // What is to be returned.
  logic                   finish_valid;
  logic                   finish;
  logic                   finish_drop;
  logic                   finish_forget;
  logic [15:0]            finish_ndesc;
  logic [15:0]            finish_id;
  logic [QueueWidth-1:0]  finish_queue;
  logic [TagWidth-1:0]    finish_tag;
  logic                   plans_room;
  logic                   plans_settled;
  logic                   plans_empty;

  ring_two #(
    .FirstWidth (2 + LenWidth + CountWidth + QueueWidth + TagWidth),
    .SecondWidth(2 + 16 + 16 + QueueWidth + TagWidth),
    .Depth      (Chains)
  ) u_plans (
    .clk_i         (clk_i),
    .rst_i         (rst_i),
    .wr_valid_i    (plan_push),
    .wr_first_i    ({push_forget, push_drop, push_last_byte, push_fragments, push_queue, push_tag}),
    .wr_second_i   ({push_forget, push_drop, push_ndesc, desc_i.id, push_queue, push_tag}),
    .room_o        (plans_room),
    .settled_o     (plans_settled),
    .empty_o       (plans_empty),
    .first_valid_o (issue_valid),
    .first_ready_i (issue_ready),
    .first_data_o  ({issue_forget, issue_drop, issue_last_byte, issue_fragments, issue_queue,
                     issue_tag}),
    .second_valid_o(finish_valid),
    .second_ready_i(finish),
    .second_data_o ({finish_forget, finish_drop, finish_ndesc, finish_id, finish_queue,
                     finish_tag})
  );

  // A descriptor may be on its way when the next one is asked for: two places in each queue.
  assign room = frag_count <= CountWidth'(Fragments - 2) && plans_room;

  ////////////////////
  // Issue          //
  ////////////////////

  logic                  split_q;      // a part of the fragment was asked for
  logic [63:PieceWidth]  page_q;       // where the next part begins
  logic [LenWidth-1:0]   rest_q;       // its bytes
  logic [CountWidth-1:0] frag_q;       // number of the fragment in its chain
  logic [BeatsWidth-1:0] free_q;       // beats that nothing is promised to

  logic [63:0]           addr;
  logic [LenWidth-1:0]   bytes;
  logic [LenWidth-1:0]   reach;        // last byte, counted from the page that addr is in
  logic                  piece_last;
  logic [LenWidth-1:0]   piece_bytes;
  logic [LaneWidth-1:0]  piece_end;
  logic [PieceWidth-1:LaneWidth] last_beat;
  logic [BeatsWidth-1:0]         piece_beats;
  logic                  frag_first;
  logic                  frag_last;
  logic                  chain_first;
  logic                  chain_room;
  logic                  flight_room;
  logic                  may;          // the piece at the head can go, if the bus takes it
  logic                  req_fire;
  logic                  beat_freed;
  logic                  err_valid_q;

  assign addr        = split_q ? {page_q, PieceWidth'(0)} : frag_addr;
  assign bytes       = split_q ? rest_q : frag_bytes;
  assign reach       = LenWidth'(addr[PieceWidth-1:0]) + bytes - 1'b1;
  assign piece_last  = reach[LenWidth-1:PieceWidth] == '0;
  assign piece_bytes = piece_last ? bytes
                                  : LenWidth'(PieceBytes) - LenWidth'(addr[PieceWidth-1:0]);
  assign piece_end   = piece_last ? reach[LaneWidth-1:0] : '1;
  assign last_beat   = piece_last ? reach[PieceWidth-1:LaneWidth] : '1;
  assign piece_beats = BeatsWidth'(last_beat) - BeatsWidth'(addr[PieceWidth-1:LaneWidth]) + 1'b1;

  assign frag_first  = frag_q == '0;
  assign frag_last   = frag_q + 1'b1 == issue_fragments;
  assign chain_first = frag_first && !split_q;

  always_comb begin
    may = 1'b0;
    if (issue_valid && frag_valid && !err_valid_q && (!chain_first || (!stop_i && chain_room))) begin
      may = issue_drop || (flight_room && free_q >= piece_beats);
    end
  end

  assign req_valid_o = may && !issue_drop;
  assign req_addr_o  = addr;
  assign req_bytes_o = piece_bytes;
  assign req_fire    = req_valid_o && req_ready_i;
  assign frag_ready  = may && (issue_drop || (req_ready_i && piece_last));
  assign issue_ready = frag_ready && frag_last;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      split_q <= 1'b0;
      frag_q  <= '0;
    end else if (frag_ready) begin
      split_q <= 1'b0;
      frag_q  <= frag_last ? '0 : frag_q + 1'b1;
    end else if (req_fire) begin
      split_q <= 1'b1;
      page_q  <= addr[63:PieceWidth] + 1'b1;
      rest_q  <= {reach[LenWidth-1:PieceWidth] - 1'b1, reach[PieceWidth-1:0]} + 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      free_q <= BeatsWidth'(Beats);
    end else if (req_fire || beat_freed) begin
      free_q <= free_q - (req_fire ? piece_beats : '0) + BeatsWidth'(beat_freed);
    end
  end

  logic [ChainsWidth-1:0] chain_count;

  fifo_ram #(
    .Width(1 + LenWidth + QueueWidth + TagWidth),
    .Depth(Chains)
  ) u_chains (
    .clk_i     (clk_i),
    .rst_i     (rst_i),
    .wr_valid_i(may && !issue_forget && chain_first && (issue_drop || req_ready_i)),
    .wr_ready_o(chain_room),
    .wr_data_i ({issue_drop, issue_last_byte, issue_queue, issue_tag}),
    .rd_valid_o(chain_valid_o),
    .rd_ready_i(chain_ready_i),
    .rd_data_o ({chain_drop_o, chain_last_byte_o, chain_queue_o, chain_tag_o}),
    .count_o   (chain_count)
  );

  ////////////////////
  // In flight      //
  ////////////////////

  // In the order of their beats, which come at least three cycles after the request.
  logic                  flight_valid;
  logic                  flight_ready;
  logic                  flight_first;   // the first piece of a chain
  logic                  flight_last;    // the last
  logic [LaneWidth-1:0]  flight_lane;
  logic [LaneWidth-1:0]  flight_end;
  logic [63:0]           flight_addr;
  logic [15:0]           flight_index;
  logic [QueueWidth-1:0] flight_queue;
  logic [CountWidth-1:0] flight_count;

  fifo_ram #(
    .Width(2 + 2 * LaneWidth + 64 + 16 + QueueWidth),
    .Depth(Fragments)
  ) u_flight (
    .clk_i     (clk_i),
    .rst_i     (rst_i),
    .wr_valid_i(req_fire),
    .wr_ready_o(flight_room),
    .wr_data_i ({chain_first, frag_last && piece_last, addr[LaneWidth-1:0], piece_end, addr,
                 frag_index, issue_queue}),
    .rd_valid_o(flight_valid),
    .rd_ready_i(flight_ready),
    .rd_data_o ({flight_first, flight_last, flight_lane, flight_end, flight_addr, flight_index,
                 flight_queue}),
    .count_o   (flight_count)
  );

  logic                  in_piece_q;   // the next beat is not the first of its piece
  logic                  beat_push;
  logic [LaneWidth-1:0]  push_lane;
  logic [LaneWidth-1:0]  push_end;
  logic [LaneWidth:0]    type_lane;
  logic                  push_gso;
  logic                  arrived;

  always_comb begin
    push_lane = '0;
    push_end  = '1;
    type_lane = '0;
    push_gso  = 1'b1;
    if (rsp_valid_i) begin
      push_lane = in_piece_q ? '0 : flight_lane;
      push_end  = rsp_last_i ? flight_end : '1;
      if (flight_first && !in_piece_q) begin
        type_lane = {1'b0, flight_lane} + (LaneWidth + 1)'(virtio_pkg::NetHdrGsoType);
        if (type_lane <= {1'b0, push_end}) begin
          push_gso = rsp_data_i[8*type_lane[LaneWidth-1:0] +: 8] != virtio_pkg::NetHdrGsoNone;
        end
      end
    end
  end

  assign beat_push    = rsp_valid_i && !rsp_error_i && !err_valid_q;
  assign flight_ready = rsp_valid_i && rsp_last_i;
  assign arrived      = flight_ready && flight_last && !rsp_error_i && !err_valid_q;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      in_piece_q <= 1'b0;
    end else if (rsp_valid_i) begin
      in_piece_q <= !rsp_last_i;
    end
  end

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

  logic [BeatsWidth-1:0] beat_count;
  logic                  beat_room;   // always, see free_q

  fifo_ram #(
    .Width(2 + 2 * LaneWidth + 8 * AxiBytes),
    .Depth(Beats)
  ) u_beats (
    .clk_i     (clk_i),
    .rst_i     (rst_i),
    .wr_valid_i(beat_push),
    .wr_ready_o(beat_room),
    .wr_data_i ({flight_ready && flight_last, push_gso, push_end, push_lane, rsp_data_i}),
    .rd_valid_o(beat_valid_o),
    .rd_ready_i(beat_ready_i),
    .rd_data_o ({beat_last_o, beat_gso_o, beat_end_o, beat_lane_o, beat_data_o}),
    .count_o   (beat_count)
  );

  assign beat_freed = beat_valid_o && beat_ready_i;

  ////////////////////
  // Finish         //
  ////////////////////

  logic [ChainsWidth-1:0] arrived_q;   // chains that have come and are not yet returned
  logic                   returned;
  logic                   finish_ok;

  assign finish_ok    = finish_valid && !err_valid_q && (finish_drop || arrived_q != '0);
  assign used_valid_o = finish_ok && !finish_forget;
  assign finish       = finish_ok && (used_ready_i || finish_forget);
  assign returned     = finish && !finish_drop;
  assign used_queue_o = finish_queue;
  assign used_tag_o   = finish_tag;

  always_comb begin
    used_o = '0;
    if (finish_ok) begin
      used_o.last  = 1'b1;
      used_o.first = 1'b1;
      used_o.ndesc = finish_ndesc;
      used_o.id    = finish_id;
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      arrived_q <= '0;
    end else if (arrived != returned) begin
      arrived_q <= arrived ? arrived_q + 1'b1 : arrived_q - 1'b1;
    end
  end

  assign err_valid_o  = err_valid_q;
  assign err_o        = err_q;
  assign qrst_quiet_o = qrst_valid_i && !started && !desc_valid_i && plans_empty;
  assign quiet_o      = flight_count == '0 && (chain_first || err_valid_q) && !desc_valid_i && !rsp_valid_i;
  // A FIFO is at rest when it is empty or waits with its oldest word in front.
  assign idle_o       = blocked && !may && !finish_ok && !rsp_valid_i && plans_settled &&
                        (frag_valid || frag_count == '0) && (flight_valid || flight_count == '0) &&
                        (beat_valid_o || beat_count == '0) && (chain_valid_o || chain_count == '0);

  assign trace_descriptor_valid_o = desc_valid_i && !started;
  assign trace_descriptor_tag_o   = push_tag;
  assign trace_read_valid_o       = req_fire && chain_first;
  assign trace_read_tag_o         = issue_tag;

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // What the planner pushes has its place.
      a_room: assert (!frag_push || frag_room);
      // A beat belongs to a piece in flight.
      a_flight: assert (!rsp_valid_i || flight_valid);
      // What is read has its place.
      a_beats: assert (!beat_push || beat_room);
      // No more beats come free than there are.
      a_free: assert (free_q <= BeatsWidth'(Beats));
      // A chain that has come waits to be returned.
      a_arrived: assert (arrived_q == '0 || finish_valid);
    end
  end
`endif

endmodule
