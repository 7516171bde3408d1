// SPDX-License-Identifier: Apache-2.0
//
// rx_fill: puts received frames, each behind its virtio_net_hdr_v1, into the driver's buffers.
//
//    frames ---> rx_plan ---> segments --> rx_move ---> axi_write (streaming client)
//                  ^  |  |                   ^             |
//      descriptors-+  |  +----> jobs       words <- rx_join| done
//                     +--> buffers                         v
//                             +-----------> release: used elements, whole frames at a time
//
// Planning, moving and waiting for the answers of the writes overlap; many frames are in flight.
//
//   frame_*           from rx_queues; a frame with frame_drop_i takes no buffer and goes nowhere.
//   job_*             to rx_join: every frame, in the order in which they are planned; job_drop_o says
//                     that it is dropped. Moves when valid and ready are both high.
//   word_*            from rx_join: the words of the frames that are not dropped, in that order.
//   csum_i, hdr_hash_i, mrg_rxbuf_i   GUEST_CSUM, HASH_REPORT, MRG_RXBUF: constant while a frame is
//                     in hand.
//   pop, desc         from the virtqueue engine.
//   req, w, done      to axi_write.
//   used_*            a frame's used elements go out when all of its writes are answered; they stay
//                     until used_ready_i. A frame that is dropped (see rx_plan) gives its buffers
//                     back with length 0, each for itself, and one of drop_*_o pulses.
//   several_i, short_i, others_i   see rx_plan.
//   qrst_*            a queue is being reset: nothing new is begun, what is in flight ends, a frame
//                     half planned for that queue is dropped; then qrst_quiet_o.
//   err_*             a write was answered with an error: high until reset, and no element goes out
//                     any more.
//   stop_i            starts nothing new; quiet_o: no frame half moved, no write in flight
//                     and no element still to go out.
//   idle_o            nothing can change until an input does. A frame may be waiting for buffers.
//
// Parameters:
//   AxiBytes     bytes in a bus word
//   Queues       receive queues
//   Segments     segments, and buffers, of the frames in flight, 256 or more
//   Frames       frames planned and not yet returned
//   TagWidth     bits of a tag

module rx_fill #(
  parameter int unsigned AxiBytes = 16,
  parameter int unsigned Queues = 1,
  parameter int unsigned Segments = 256,
  parameter int unsigned Frames = 64,
  parameter int unsigned TagWidth = 32,
  localparam int unsigned QueueWidth = (Queues > 1) ? $clog2(Queues) : 1
) (
  input  logic                         clk_i,
  input  logic                         rst_i,
  input  logic                         stop_i,
  input  logic                         csum_i,
  input  logic                         hdr_hash_i,
  input  logic                         mrg_rxbuf_i,
  input  logic                         several_i,
  input  logic                         short_i,
  input  logic                         others_i,
  output logic                         quiet_o,
  output logic                         idle_o,

  input  logic                         size_valid_i,  // a queue is enabled with this ring size
  input  logic [QueueWidth-1:0]        size_queue_i,
  input  logic [15:0]                  size_i,

  input  logic                         qrst_valid_i,
  input  logic [QueueWidth-1:0]        qrst_queue_i,
  output logic                         qrst_quiet_o,

  input  logic                         frame_valid_i,
  output logic                         frame_ready_o,
  input  nic_pkg::rx_frame_t           frame_i,
  input  logic [TagWidth-1:0]          frame_tag_i,
  input  logic [QueueWidth-1:0]        frame_queue_i,
  input  logic                         frame_drop_i,

  output logic                         job_valid_o,
  input  logic                         job_ready_i,
  output nic_pkg::rx_frame_t           job_o,
  output logic                         job_drop_o,

  input  logic                         word_valid_i,
  output logic                         word_ready_o,
  input  logic [8*AxiBytes-1:0]        word_data_i,

  input  logic [Queues-1:0]            avail_i,
  input  logic                         hide_i,
  output logic                         pop_valid_o,
  output logic [QueueWidth-1:0]        pop_queue_o,
  input  logic                         desc_valid_i,
  input  nic_pkg::desc_t               desc_i,
  input  logic [15:0]                  desc_index_i,

  output logic                         req_valid_o,
  input  logic                         req_ready_i,
  output logic [63:0]                  req_addr_o,
  output logic [nic_pkg::LenWidth-1:0] req_bytes_o,
  output logic                         w_valid_o,
  input  logic                         w_ready_i,
  output logic [8*AxiBytes-1:0]        w_data_o,
  output logic [AxiBytes-1:0]          w_strb_o,
  input  logic                         done_i,
  input  logic                         error_i,

  output logic                         used_valid_o,
  input  logic                         used_ready_i,
  output logic [QueueWidth-1:0]        used_queue_o,
  output nic_pkg::used_t               used_o,
  output logic [TagWidth-1:0]          used_tag_o,

  output logic                         err_valid_o,
  output nic_pkg::vq_error_t           err_o,         // err_o.queue: number of the receive queue

  output logic                         drop_no_fit_o,
  output logic                         drop_no_buffer_o,
  output logic                         drop_reset_o,
  output logic                         delivered_o,
  output logic [15:0]                  delivered_bytes_o,

  output logic                         trace_descriptor_valid_o,
  output logic [TagWidth-1:0]          trace_descriptor_tag_o,
  output logic                         trace_write_valid_o,
  output logic [TagWidth-1:0]          trace_write_tag_o,
  output logic                         trace_written_valid_o,
  output logic [TagWidth-1:0]          trace_written_tag_o
);

  localparam int unsigned LenWidth = nic_pkg::LenWidth;
  localparam int unsigned CountWidth = $clog2(Segments + 1);
  localparam int unsigned MaxSegments = 192;
  localparam int unsigned PtrWidth = $clog2(Frames);

  if (Segments < MaxSegments + 64) $error("rx_fill: Segments is too small for a frame");

  ////////////////////
  // Planner        //
  ////////////////////

  logic                  room;
  logic                  blocked;
  logic                  first;
  logic                  seg_push;
  logic [LenWidth-1:0]   seg_push_bytes;
  logic                  buf_push;
  logic [LenWidth-1:0]   buf_push_bytes;
  logic [15:0]           buf_push_ndesc;
  logic                  plan_push;
  logic                  plan_push_drop;
  logic                  held;
  logic [CountWidth-1:0] plan_push_segments;
  logic [CountWidth-1:0] plan_push_buffers;

  rx_plan #(
    .Queues     (Queues),
    .MaxSegments(MaxSegments),
    .CountWidth (CountWidth)
  ) u_plan (
    .clk_i           (clk_i),
    .rst_i           (rst_i),
    .stop_i          (stop_i),
    .mrg_rxbuf_i     (mrg_rxbuf_i),
    .hdr_hash_i      (hdr_hash_i),
    .several_i       (several_i),
    .short_i         (short_i),
    .others_i        (others_i),
    .blocked_o       (blocked),
    .size_valid_i    (size_valid_i),
    .size_queue_i    (size_queue_i),
    .size_i          (size_i),
    .qrst_valid_i    (qrst_valid_i),
    .qrst_queue_i    (qrst_queue_i),
    .held_o          (held),
    .frame_valid_i   (frame_valid_i),
    .frame_ready_o   (frame_ready_o),
    .frame_len_i     (frame_i.len),
    .frame_queue_i   (frame_queue_i),
    .frame_drop_i    (frame_drop_i),
    .avail_i         (avail_i), .hide_i(hide_i),
    .pop_valid_o     (pop_valid_o),
    .pop_queue_o     (pop_queue_o),
    .desc_valid_i    (desc_valid_i),
    .desc_i          (desc_i),
    .room_i          (room),
    .seg_valid_o     (seg_push),
    .seg_bytes_o     (seg_push_bytes),
    .first_o         (first),
    .buf_valid_o     (buf_push),
    .buf_bytes_o     (buf_push_bytes),
    .buf_ndesc_o     (buf_push_ndesc),
    .plan_valid_o    (plan_push),
    .plan_drop_o     (plan_push_drop),
    .plan_segments_o (plan_push_segments),
    .plan_buffers_o  (plan_push_buffers),
    .drop_no_fit_o   (drop_no_fit_o),
    .drop_no_buffer_o(drop_no_buffer_o),
    .drop_reset_o    (drop_reset_o)
  );

  ////////////////////
  // Queues         //
  ////////////////////

  logic                  seg_valid;
  logic                  seg_ready;
  logic [63:0]           seg_addr;
  logic [LenWidth-1:0]   seg_bytes;
  logic [15:0]           seg_index;
  logic [CountWidth-1:0] seg_count;
  logic                  buf_valid;
  logic                  buf_ready;
  logic [15:0]           buf_id;
  logic [LenWidth-1:0]   buf_bytes;
  logic [15:0]           buf_ndesc;
  logic [CountWidth-1:0] buf_count;
  logic [1:0]            wr_ready;   // always, see room

  fifo_ram #(
    .Width(16 + LenWidth + 64),
    .Depth(Segments)
  ) u_segments (
    .clk_i     (clk_i),
    .rst_i     (rst_i),
    .wr_valid_i(seg_push),
    .wr_ready_o(wr_ready[0]),
    .wr_data_i ({desc_index_i, seg_push_bytes, desc_i.addr}),
    .rd_valid_o(seg_valid),
    .rd_ready_i(seg_ready),
    .rd_data_o ({seg_index, seg_bytes, seg_addr}),
    .count_o   (seg_count)
  );

  fifo_ram #(
    .Width(16 + LenWidth + 16),
    .Depth(Segments)
  ) u_buffers (
    .clk_i     (clk_i),
    .rst_i     (rst_i),
    .wr_valid_i(buf_push),
    .wr_ready_o(wr_ready[1]),
    .wr_data_i ({buf_push_ndesc, buf_push_bytes, desc_i.id}),
    .rd_valid_o(buf_valid),
    .rd_ready_i(buf_ready),
    .rd_data_o ({buf_ndesc, buf_bytes, buf_id}),
    .count_o   (buf_count)
  );

  // What the join, the mover and the release need to know of a frame; each goes at its own pace.
  logic                  job_room;
  logic [PtrWidth:0]     job_count;
  logic                  ring_room;
  logic                  ring_settled;
  logic                  ring_empty;
  nic_pkg::rx_header_t   push_header;

  logic                  move_valid;
  logic                  move_ready;
  logic                  move_drop;
  logic [CountWidth-1:0] move_segments;
  logic [CountWidth-1:0] move_buffers;
  nic_pkg::rx_header_t   move_header;
  logic [QueueWidth-1:0] move_queue;
  logic [TagWidth-1:0]   move_tag;

  logic                  free_valid;
  logic                  free_ready;
  logic                  free_drop;
  logic [CountWidth-1:0] free_segments;
  logic [CountWidth-1:0] free_buffers;
  logic [QueueWidth-1:0] free_queue;
  logic [15:0]           free_len;
  logic [TagWidth-1:0]   free_tag;

  // A descriptor may be on its way when the next one is asked for: two places in every queue.
  assign room = seg_count <= CountWidth'(Segments - 2) && buf_count <= CountWidth'(Segments - 2) &&
                job_count <= (PtrWidth + 1)'(Frames - 2) && ring_room;

  always_comb begin
    push_header             = '0;
    push_header.hash        = frame_i.hash;
    push_header.hash_report = frame_i.hash_report;
    push_header.data_valid  = frame_i.csum_ok && csum_i;
    push_header.gso         = frame_i.gso;
    push_header.ip6         = frame_i.ip6;
    push_header.gso_size    = frame_i.gso_size;
    push_header.csum_start  = frame_i.csum_start;
    push_header.hdr_len     = frame_i.hdr_len;
  end

  fifo_ram #(
    .Width(nic_pkg::RxFrameWidth + 1),
    .Depth(Frames)
  ) u_jobs (
    .clk_i     (clk_i),
    .rst_i     (rst_i),
    .wr_valid_i(plan_push),
    .wr_ready_o(job_room),
    .wr_data_i ({plan_push_drop, frame_i}),
    .rd_valid_o(job_valid_o),
    .rd_ready_i(job_ready_i),
    .rd_data_o ({job_drop_o, job_o}),
    .count_o   (job_count)
  );

  ring_two #(
    .FirstWidth (TagWidth + QueueWidth + nic_pkg::RxHeaderWidth + 2 * CountWidth + 1),
    .SecondWidth(TagWidth + QueueWidth + 16 + 2 * CountWidth + 1),
    .Depth      (Frames)
  ) u_plans (
    .clk_i         (clk_i),
    .rst_i         (rst_i),
    .wr_valid_i    (plan_push),
    .wr_first_i    ({frame_tag_i, frame_queue_i, push_header, plan_push_buffers,
                     plan_push_segments, plan_push_drop}),
    .wr_second_i   ({frame_tag_i, frame_queue_i, frame_i.len, plan_push_buffers, plan_push_segments,
                     plan_push_drop}),
    .room_o        (ring_room),
    .settled_o     (ring_settled),
    .empty_o       (ring_empty),
    .first_valid_o (move_valid),
    .first_ready_i (move_ready),
    .first_data_o  ({move_tag, move_queue, move_header, move_buffers, move_segments, move_drop}),
    .second_valid_o(free_valid),
    .second_ready_i(free_ready),
    .second_data_o ({free_tag, free_queue, free_len, free_buffers, free_segments, free_drop})
  );

  ////////////////////
  // Mover          //
  ////////////////////

  logic move_quiet;
  logic req_valid;
  logic req_first;
  logic flight_room;
  logic req_fire;

  rx_move #(
    .AxiBytes  (AxiBytes),
    .CountWidth(CountWidth)
  ) u_move (
    .clk_i          (clk_i),
    .rst_i          (rst_i),
    .stop_i         (stop_i),
    .hdr_hash_i     (hdr_hash_i),
    .quiet_o        (move_quiet),
    .plan_valid_i   (move_valid),
    .plan_ready_o   (move_ready),
    .plan_drop_i    (move_drop),
    .plan_segments_i(move_segments),
    .plan_buffers_i (move_buffers),
    .plan_header_i  (move_header),
    .seg_valid_i    (seg_valid),
    .seg_ready_o    (seg_ready),
    .seg_addr_i     (seg_addr),
    .seg_bytes_i    (seg_bytes),
    .word_valid_i   (word_valid_i),
    .word_ready_o   (word_ready_o),
    .word_data_i    (word_data_i),
    .req_valid_o    (req_valid),
    .req_ready_i    (req_ready_i && flight_room),
    .req_first_o    (req_first),
    .req_addr_o     (req_addr_o),
    .req_bytes_o    (req_bytes_o),
    .w_valid_o      (w_valid_o),
    .w_ready_i      (w_ready_i),
    .w_data_o       (w_data_o),
    .w_strb_o       (w_strb_o)
  );

  assign req_valid_o = req_valid && flight_room;
  assign req_fire    = req_valid_o && req_ready_i;

  // Requests in flight: where they go, for the error record.
  logic [63:0]           flight_addr;
  logic [15:0]           flight_index;
  logic [QueueWidth-1:0] flight_queue;
  logic [PtrWidth:0]     asked_ptr_q;
  logic [PtrWidth:0]     done_ptr_q;
  logic                  err_valid_q;
  logic                  err_first;

  assign flight_room = (asked_ptr_q - done_ptr_q) != (PtrWidth + 1)'(Frames);
  assign err_first   = done_i && error_i && !err_valid_q;

  ram_1r1w #(
    .Width(QueueWidth + 16 + 64),
    .Depth(Frames)
  ) u_flight (
    .clk_i  (clk_i),
    .we_i   (req_fire),
    .waddr_i(asked_ptr_q[PtrWidth-1:0]),
    .wdata_i({move_queue, seg_index, seg_addr}),
    .re_i   (err_first),
    .raddr_i(done_ptr_q[PtrWidth-1:0]),
    .rdata_o({flight_queue, flight_index, flight_addr})
  );

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      asked_ptr_q <= '0;
      done_ptr_q  <= '0;
      err_valid_q <= 1'b0;
    end else if (req_fire || done_i) begin
      asked_ptr_q <= asked_ptr_q + (PtrWidth + 1)'(req_fire);
      done_ptr_q  <= done_ptr_q + (PtrWidth + 1)'(done_i);
      err_valid_q <= err_valid_q || err_first;
    end
  end

  ////////////////////
  // Release        //
  ////////////////////

  logic [CountWidth:0]   answered_q;  // segments answered and not yet released
  logic [CountWidth-1:0] buffer_q;    // number of the buffer in its frame

  logic release_ok;
  logic none;         // a frame that took no buffers
  logic used_fire;
  logic release_last;
  logic release_fire;

  // Frames are released one after another; a segment of a later frame is answered later.
  assign release_ok   = free_valid && !err_valid_q &&
                        (free_drop || answered_q + (CountWidth + 1)'(done_i && !error_i) >=
                         {1'b0, free_segments});
  assign none         = free_buffers == '0;
  assign release_last = buffer_q + 1'b1 == free_buffers;
  assign used_valid_o = release_ok && !none && buf_valid;
  assign used_fire    = used_valid_o && used_ready_i;
  assign release_fire = used_fire && release_last;
  assign buf_ready    = used_fire;
  assign free_ready   = release_fire || (release_ok && none);

  always_comb begin
    used_o = '0;
    if (release_ok) begin
      used_o.last  = free_drop || release_last;
      used_o.first = free_drop || buffer_q == '0;
      used_o.ndesc = buf_ndesc;
      used_o.id    = buf_id;
      used_o.len   = free_drop ? '0 : 32'(buf_bytes);
    end
  end

  assign used_queue_o = free_queue;
  assign used_tag_o   = free_tag;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      answered_q <= '0;
      buffer_q   <= '0;
    end else if (done_i || used_fire) begin
      answered_q <= answered_q + (CountWidth + 1)'(done_i) -
                    ((release_fire && !free_drop) ? {1'b0, free_segments} : '0);
      if (used_fire) begin
        buffer_q <= release_last ? '0 : buffer_q + 1'b1;
      end
    end
  end

  assign err_valid_o = err_valid_q;

  always_comb begin
    err_o       = '0;
    err_o.code  = virtio_pkg::ErrorDmaWrite;
    err_o.queue = 16'(flight_queue);
    err_o.index = flight_index;
    err_o.addr  = flight_addr;
  end

  ////////////////////
  // Status, trace  //
  ////////////////////

  assign quiet_o      = move_quiet && asked_ptr_q == done_ptr_q && !desc_valid_i &&
                        (err_valid_q || (!release_ok && ring_settled));
  assign idle_o       = quiet_o && blocked && !move_valid && ring_settled && !job_valid_o &&
                        job_count == '0 && (!free_valid || err_valid_q) &&
                        (seg_valid || seg_count == '0) && (buf_valid || buf_count == '0);
  assign qrst_quiet_o = qrst_valid_i && !held && !desc_valid_i && ring_empty &&
                        asked_ptr_q == done_ptr_q;

  assign delivered_o              = release_fire && !free_drop;
  assign delivered_bytes_o        = free_len;
  assign trace_descriptor_valid_o = desc_valid_i && first;
  assign trace_descriptor_tag_o   = frame_tag_i;
  assign trace_write_valid_o      = req_fire && req_first;
  assign trace_write_tag_o        = move_tag;
  assign trace_written_valid_o    = used_fire && buffer_q == '0 && !free_drop;
  assign trace_written_tag_o      = free_tag;

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // What the planner pushes has its place.
      a_room: assert ((!seg_push || wr_ready[0]) && (!buf_push || wr_ready[1]) &&
                      (!plan_push || job_room));
      // An answer belongs to a request in flight.
      a_flight: assert (!done_i || asked_ptr_q != done_ptr_q);
    end
  end
`endif

endmodule
