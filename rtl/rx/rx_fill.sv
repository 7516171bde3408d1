// SPDX-License-Identifier: Apache-2.0
//
// rx_fill: puts received frames, each behind its virtio_net_hdr_v1, into the driver's buffers.
//
//    frames ---> rx_plan ---> segments --> rx_move ---> axi_write (streaming client)
//                  ^  |                      ^             |
//      descriptors-+  +--> buffers           words         | done
//                             |                            v
//                             +-----------> release: used elements, whole frames at a time
//
// Planning, moving and waiting for the answers of the writes overlap; many frames are in flight.
//
//   frame_*, word_*   from rx_store (the queue from whoever chose it).
//   pop, desc         from the virtqueue engine.
//   req, w, done      to axi_write.
//   used_*            a frame's used elements go out when all of its writes are answered; they stay
//                     until used_ready_i. A frame that cannot be held (see rx_plan) gives its buffers
//                     back with length 0, each for itself, and drop_no_fit_o pulses.
//   err_*             a write was answered with an error: high until reset, and no element goes out
//                     any more.
//   stop_i            starts nothing new; quiet_o: no frame half moved, no write in flight
//                     and no element still to go out.
//   idle_o            nothing can change until an input does. A frame may be waiting for buffers.
//
// Parameters:
//   AxiBytes     bytes in a bus word
//   Queues       receive queues
//   Segments     segments, and buffers, of the frames in flight; a frame takes at most 3/4 of them
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
  input  logic                         mrg_rxbuf_i,
  output logic                         quiet_o,
  output logic                         idle_o,

  input  logic                         size_valid_i,  // a queue is enabled with this ring size
  input  logic [QueueWidth-1:0]        size_queue_i,
  input  logic [15:0]                  size_i,

  input  logic                         frame_valid_i,
  output logic                         frame_ready_o,
  input  logic [15:0]                  frame_len_i,
  input  logic [TagWidth-1:0]          frame_tag_i,
  input  logic [QueueWidth-1:0]        frame_queue_i,

  input  logic                         word_valid_i,
  output logic                         word_ready_o,
  input  logic [8*AxiBytes-1:0]        word_data_i,

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
  output logic                         delivered_o,

  output logic                         trace_descriptor_valid_o,
  output logic [TagWidth-1:0]          trace_descriptor_tag_o,
  output logic                         trace_write_valid_o,
  output logic [TagWidth-1:0]          trace_write_tag_o,
  output logic                         trace_written_valid_o,
  output logic [TagWidth-1:0]          trace_written_tag_o
);

  localparam int unsigned LenWidth = nic_pkg::LenWidth;
  localparam int unsigned CountWidth = $clog2(Segments + 1);
  localparam int unsigned MaxSegments = Segments - Segments / 4;
  localparam int unsigned SlotWidth = $clog2(Frames);

  if ((1 << SlotWidth) != Frames) $error("rx_fill: Frames must be a power of two");

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
  logic [CountWidth-1:0] plan_push_segments;
  logic [CountWidth-1:0] plan_push_buffers;

  rx_plan #(
    .Queues     (Queues),
    .MaxSegments(MaxSegments),
    .CountWidth (CountWidth)
  ) u_plan (
    .clk_i          (clk_i),
    .rst_i          (rst_i),
    .stop_i         (stop_i),
    .mrg_rxbuf_i    (mrg_rxbuf_i),
    .blocked_o      (blocked),
    .size_valid_i   (size_valid_i),
    .size_queue_i   (size_queue_i),
    .size_i         (size_i),
    .frame_valid_i  (frame_valid_i),
    .frame_ready_o  (frame_ready_o),
    .frame_len_i    (frame_len_i),
    .frame_queue_i  (frame_queue_i),
    .avail_i        (avail_i),
    .pop_valid_o    (pop_valid_o),
    .pop_queue_o    (pop_queue_o),
    .desc_valid_i   (desc_valid_i),
    .desc_i         (desc_i),
    .room_i         (room),
    .seg_valid_o    (seg_push),
    .seg_bytes_o    (seg_push_bytes),
    .first_o        (first),
    .buf_valid_o    (buf_push),
    .buf_bytes_o    (buf_push_bytes),
    .buf_ndesc_o    (buf_push_ndesc),
    .plan_valid_o   (plan_push),
    .plan_drop_o    (plan_push_drop),
    .plan_segments_o(plan_push_segments),
    .plan_buffers_o (plan_push_buffers)
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

  // Plans: one ring, written by the planner and read twice, by the mover and by the release. Each
  // reader has the plan that it works on in registers.
  logic                  drop_mem     [Frames];
  logic [CountWidth-1:0] segments_mem [Frames];
  logic [CountWidth-1:0] buffers_mem  [Frames];
  logic [15:0]           len_mem      [Frames];
  logic [QueueWidth-1:0] queue_mem    [Frames];
  logic [TagWidth-1:0]   tag_mem      [Frames];
  logic [SlotWidth:0]    plan_ptr_q;
  logic [SlotWidth:0]    move_ptr_q;
  logic [SlotWidth:0]    free_ptr_q;

  logic                  move_valid_q;
  logic                  move_drop_q;
  logic [CountWidth-1:0] move_segments_q;
  logic [CountWidth-1:0] move_buffers_q;
  logic [15:0]           move_len_q;
  logic [QueueWidth-1:0] move_queue_q;
  logic [TagWidth-1:0]   move_tag_q;
  logic                  move_ready;
  logic                  move_take;

  logic                  free_valid_q;
  logic                  free_drop_q;
  logic [CountWidth-1:0] free_segments_q;
  logic [CountWidth-1:0] free_buffers_q;
  logic [QueueWidth-1:0] free_queue_q;
  logic [TagWidth-1:0]   free_tag_q;
  logic                  free_ready;
  logic                  free_take;

  // A descriptor may be on its way when the next one is asked for: two places in every queue.
  assign room = seg_count <= CountWidth'(Segments - 2) && buf_count <= CountWidth'(Segments - 2) &&
                (plan_ptr_q - move_ptr_q) <= (SlotWidth + 1)'(Frames - 2) &&
                (plan_ptr_q - free_ptr_q) <= (SlotWidth + 1)'(Frames - 2);

  assign move_take = plan_ptr_q != move_ptr_q && (!move_valid_q || move_ready);
  assign free_take = plan_ptr_q != free_ptr_q && (!free_valid_q || free_ready);

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      plan_ptr_q <= '0;
    end else if (plan_push) begin
      plan_ptr_q <= plan_ptr_q + 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (plan_push) begin
      drop_mem[plan_ptr_q[SlotWidth-1:0]]     <= plan_push_drop;
      segments_mem[plan_ptr_q[SlotWidth-1:0]] <= plan_push_segments;
      buffers_mem[plan_ptr_q[SlotWidth-1:0]]  <= plan_push_buffers;
      len_mem[plan_ptr_q[SlotWidth-1:0]]      <= frame_len_i;
      queue_mem[plan_ptr_q[SlotWidth-1:0]]    <= frame_queue_i;
      tag_mem[plan_ptr_q[SlotWidth-1:0]]      <= frame_tag_i;
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      move_ptr_q   <= '0;
      move_valid_q <= 1'b0;
    end else if (move_take) begin
      move_ptr_q      <= move_ptr_q + 1'b1;
      move_valid_q    <= 1'b1;
      move_drop_q     <= drop_mem[move_ptr_q[SlotWidth-1:0]];
      move_segments_q <= segments_mem[move_ptr_q[SlotWidth-1:0]];
      move_buffers_q  <= buffers_mem[move_ptr_q[SlotWidth-1:0]];
      move_len_q      <= len_mem[move_ptr_q[SlotWidth-1:0]];
      move_queue_q    <= queue_mem[move_ptr_q[SlotWidth-1:0]];
      move_tag_q      <= tag_mem[move_ptr_q[SlotWidth-1:0]];
    end else if (move_ready) begin
      move_valid_q <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      free_ptr_q   <= '0;
      free_valid_q <= 1'b0;
    end else if (free_take) begin
      free_ptr_q      <= free_ptr_q + 1'b1;
      free_valid_q    <= 1'b1;
      free_drop_q     <= drop_mem[free_ptr_q[SlotWidth-1:0]];
      free_segments_q <= segments_mem[free_ptr_q[SlotWidth-1:0]];
      free_buffers_q  <= buffers_mem[free_ptr_q[SlotWidth-1:0]];
      free_queue_q    <= queue_mem[free_ptr_q[SlotWidth-1:0]];
      free_tag_q      <= tag_mem[free_ptr_q[SlotWidth-1:0]];
    end else if (free_ready) begin
      free_valid_q <= 1'b0;
    end
  end

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
    .quiet_o        (move_quiet),
    .plan_valid_i   (move_valid_q),
    .plan_ready_o   (move_ready),
    .plan_drop_i    (move_drop_q),
    .plan_segments_i(move_segments_q),
    .plan_buffers_i (move_buffers_q),
    .plan_len_i     (move_len_q),
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
  logic [63:0]           flight_addr_mem  [Frames];
  logic [15:0]           flight_index_mem [Frames];
  logic [QueueWidth-1:0] flight_queue_mem [Frames];
  logic [SlotWidth:0]    asked_ptr_q;
  logic [SlotWidth:0]    done_ptr_q;

  assign flight_room = (asked_ptr_q - done_ptr_q) != (SlotWidth + 1)'(Frames);

  always_ff @(posedge clk_i) begin
    if (req_fire) begin
      flight_addr_mem[asked_ptr_q[SlotWidth-1:0]]  <= seg_addr;
      flight_index_mem[asked_ptr_q[SlotWidth-1:0]] <= seg_index;
      flight_queue_mem[asked_ptr_q[SlotWidth-1:0]] <= move_queue_q;
    end
  end

  logic               err_valid_q;
  nic_pkg::vq_error_t err_q;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      asked_ptr_q <= '0;
      done_ptr_q  <= '0;
      err_valid_q <= 1'b0;
    end else if (req_fire || done_i) begin
      asked_ptr_q <= asked_ptr_q + (SlotWidth + 1)'(req_fire);
      done_ptr_q  <= done_ptr_q + (SlotWidth + 1)'(done_i);
      if (done_i && error_i && !err_valid_q) begin
        err_valid_q <= 1'b1;
        err_q.code  <= virtio_pkg::ErrorDmaWrite;
        err_q.queue <= 16'(flight_queue_mem[done_ptr_q[SlotWidth-1:0]]);
        err_q.index <= flight_index_mem[done_ptr_q[SlotWidth-1:0]];
        err_q.addr  <= flight_addr_mem[done_ptr_q[SlotWidth-1:0]];
      end
    end
  end

  ////////////////////
  // Release        //
  ////////////////////

  logic [CountWidth:0]   answered_q;  // segments answered and not yet released
  logic [CountWidth-1:0] buffer_q;    // number of the buffer in its frame

  logic release_ok;
  logic used_fire;
  logic release_last;
  logic release_fire;

  // Frames are released one after another; a segment of a later frame is answered later.
  assign release_ok   = free_valid_q && !err_valid_q &&
                        (free_drop_q || answered_q >= {1'b0, free_segments_q});
  assign release_last = buffer_q + 1'b1 == free_buffers_q;
  assign used_valid_o = release_ok && buf_valid;
  assign used_fire    = used_valid_o && used_ready_i;
  assign release_fire = used_fire && release_last;
  assign buf_ready    = used_fire;
  assign free_ready   = release_fire;

  always_comb begin
    used_o = '0;
    if (release_ok) begin
      used_o.last  = free_drop_q || release_last;
      used_o.first = free_drop_q || buffer_q == '0;
      used_o.ndesc = buf_ndesc;
      used_o.id    = buf_id;
      used_o.len   = free_drop_q ? '0 : 32'(buf_bytes);
    end
  end

  assign used_queue_o = free_queue_q;
  assign used_tag_o   = free_tag_q;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      answered_q <= '0;
      buffer_q   <= '0;
    end else if (done_i || used_fire) begin
      answered_q <= answered_q + (CountWidth + 1)'(done_i) -
                    ((release_fire && !free_drop_q) ? {1'b0, free_segments_q} : '0);
      if (used_fire) begin
        buffer_q <= release_last ? '0 : buffer_q + 1'b1;
      end
    end
  end

  assign err_valid_o = err_valid_q;
  assign err_o       = err_q;

  ////////////////////
  // Status, trace  //
  ////////////////////

  assign quiet_o = move_quiet && asked_ptr_q == done_ptr_q && !desc_valid_i &&
                   (err_valid_q || (!release_ok && !free_take));
  assign idle_o  = quiet_o && blocked && !move_valid_q && !move_take && !free_take &&
                   (!free_valid_q || err_valid_q);

  assign drop_no_fit_o            = plan_push && plan_push_drop;
  assign delivered_o              = release_fire && !free_drop_q;
  assign trace_descriptor_valid_o = desc_valid_i && first;
  assign trace_descriptor_tag_o   = frame_tag_i;
  assign trace_write_valid_o      = req_fire && req_first;
  assign trace_write_tag_o        = move_tag_q;
  assign trace_written_valid_o    = used_fire && buffer_q == '0 && !free_drop_q;
  assign trace_written_tag_o      = free_tag_q;

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // What the planner pushes has its place.
      a_room: assert ((!seg_push || wr_ready[0]) && (!buf_push || wr_ready[1]) &&
                      (!plan_push || ((plan_ptr_q - move_ptr_q) < (SlotWidth + 1)'(Frames) &&
                                      (plan_ptr_q - free_ptr_q) < (SlotWidth + 1)'(Frames))));
      // An answer belongs to a request in flight.
      a_flight: assert (!done_i || asked_ptr_q != done_ptr_q);
    end
  end
`endif

endmodule
