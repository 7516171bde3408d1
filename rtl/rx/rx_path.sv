// SPDX-License-Identifier: Apache-2.0
//
// rx_path: the way of a received frame from the stream into the driver's buffers.
//
//              +-> rx_store <----------- read, free -----------------+
//     s_axis --+       | rec                                         |
//              +-> rx_parse -> rx_classify -> rx_lro -> rx_queues    |
//                                                          |         |
//                                     desc, used --> rx_fill -job-> rx_join
//                                                      | ^--- words ---'
//                                                    req_*, w_* (axi_write)
//
//   clear_i        a reset of the device: everything is forgotten but where frames begin on the wire.
//   run_i          frames are let in. stop_i: nothing new is started, and when all has come to rest
//                  (engine_quiet_i: the receive virtqueues too) the frames still held are counted as
//                  lost; quiet_o follows.
//   cfg_i, tbl_i   settings and tables, from the control virtqueue and the features
//   learn_*        frames sent, for automatic steering: see rx_classify
//   now_i          time in clock cycles; deadline_o: when a coalesced frame's time is over, all ones
//                  for never
//   s_axis_*       see rx_store; tuser is the MAC's verdict. No ready.
//   size_*, desc, used, req_*, w_*, done_i, error_i, qrst_*   see rx_fill
//   dis_valid_i    in this cycle the reset of queue qrst_queue_i ends
//   err_*          a write was answered with an error; err_o.queue is the virtqueue index
//   congested_o    the store is half full or more
//   drop_*_o, merged_o, delivered_o   pulses: each frame has one, sooner or later. With delivered_o
//                  delivered_bytes_o, and used_queue_o is its queue; with given_up_o, which is for
//                  drops of frames that had a queue, given_up_queue_o
//   csum_good_o, csum_bad_o   pulses: the verdict on a frame's checksums
//   trace_*        the points RxStart to RxWritten of virtio_pkg, in that order
//   idle_o         a clock edge with quiet inputs changes no state before deadline_o
//
// Parameters: those of nic_core, and
//   LroCycles   how long a frame may be held for others to be appended

module rx_path #(
  parameter int unsigned StreamBytes = 8,
  parameter int unsigned AxiBytes    = 16,
  parameter int unsigned Queues      = 1,
  parameter int unsigned StoreBytes  = 32768,
  parameter int unsigned LroCycles   = 5000,
  parameter int unsigned TagWidth    = 32,
  localparam int unsigned QueueWidth = (Queues > 1) ? $clog2(Queues) : 1,
  localparam int unsigned Points     = virtio_pkg::TraceRxWritten - virtio_pkg::TraceRxStart + 1
) (
  input  logic                         clk_i,
  input  logic                         rst_i,
  input  logic                         clear_i,
  input  logic                         run_i,
  input  logic                         stop_i,
  input  logic                         engine_quiet_i,
  input  nic_pkg::rx_config_t          cfg_i,
  input  nic_pkg::rx_table_t           tbl_i,
  input  logic                         learn_valid_i,
  input  logic [15:0]                  learn_symmetric_i,
  input  logic [QueueWidth-1:0]        learn_queue_i,
  input  logic [63:0]                  now_i,
  output logic [63:0]                  deadline_o,
  output logic                         quiet_o,
  output logic                         idle_o,

  input  logic                         s_axis_tvalid_i,
  input  logic [8*StreamBytes-1:0]     s_axis_tdata_i,
  input  logic [StreamBytes-1:0]       s_axis_tkeep_i,
  input  logic                         s_axis_tlast_i,
  input  logic                         s_axis_tuser_i,
  input  logic [TagWidth-1:0]          s_axis_tag_i,
  output logic                         congested_o,

  input  logic                         size_valid_i,
  input  logic [QueueWidth-1:0]        size_queue_i,
  input  logic [15:0]                  size_i,

  input  logic                         qrst_valid_i,
  input  logic [QueueWidth-1:0]        qrst_queue_i,
  input  logic                         dis_valid_i,
  output logic                         qrst_quiet_o,

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
  output nic_pkg::vq_error_t           err_o,

  output logic                         drop_fifo_o,
  output logic                         drop_disabled_o,
  output logic                         drop_filter_o,
  output logic                         drop_no_fit_o,
  output logic                         drop_no_buffer_o,
  output logic                         drop_reset_o,
  output logic                         merged_o,
  output logic                         delivered_o,
  output logic [15:0]                  delivered_bytes_o,
  output logic                         given_up_o,
  output logic [QueueWidth-1:0]        given_up_queue_o,
  output logic                         csum_good_o,
  output logic                         csum_bad_o,

  output logic [Points-1:0]            trace_valid_o,
  output logic [32*Points-1:0]         trace_tag_o
);

  localparam int unsigned SlotWidth  = nic_pkg::SlotWidth;
  localparam int unsigned Frames     = (StoreBytes / 64 < 1024) ? StoreBytes / 64 : 1024;
  localparam int unsigned WordsWidth = $clog2(StoreBytes / AxiBytes) + 1;
  localparam int unsigned Lanes      = (StreamBytes <= 8) ? 1 : (StreamBytes <= 16) ? 2 : 6;
  localparam int unsigned LaneSlots  = 4;
  // Frames behind the head from which on there is no time to compare it with others.
  localparam int unsigned Hurry      = Lanes * LaneSlots / 2;
  // Frames between plan and used element: at two cycles each they cover a write's latency.
  localparam int unsigned InFlight   = 4 * AxiBytes;

  logic clk, rst, wake, enabled_idle;

  assign rst = rst_i || clear_i;

  // Asleep: the last edge found nothing to do, and since then nothing came; so most cycles need not
  // look at every block. A frame that waits for descriptors is seen when they come. A device that is
  // being stopped gives its frames up, which idle_o does not tell.
  logic called, asleep_q, rested;

  assign called = rst || stop_i || size_valid_i || s_axis_tvalid_i || learn_valid_i ||
                  qrst_valid_i || tbl_i.select != nic_pkg::TableNone || wake;

  always_comb begin
    rested = 1'b0;
    if (store_idle) begin
      rested = parse_idle && classify_idle && lro_idle && queues_idle && join_idle && fill_idle &&
               enabled_idle;
    end
  end

  always_ff @(posedge clk) begin
    asleep_q <= !called && rested;
  end

  always_comb begin
    idle_o = 1'b0;
    if (asleep_q) begin
      idle_o = queues_idle && fill_idle;
    end
  end

  clock_gate u_clock (
    .clk_i(clk_i),
    .en_i (called || !idle_o),
    .clk_o(clk)
  );

  ////////////////////
  // Store          //
  ////////////////////

  logic                  take, receiving, store_idle, room;
  logic                  start, stored;
  logic [TagWidth-1:0]   start_tag, stored_tag;
  logic                  rec_valid, rec_ready;
  logic [SlotWidth-1:0]  rec_slot, oldest;
  logic [15:0]           rec_len;
  logic [TagWidth-1:0]   rec_tag;
  logic [SlotWidth:0]    waiting;
  logic                  read_valid, read_ready, store_valid, store_ready;
  logic [SlotWidth-1:0]  read_slot;
  logic [WordsWidth-1:0] read_first, read_words;
  logic [8*AxiBytes-1:0] store_data;
  logic                  free_valid, free_ready;
  logic [SlotWidth-1:0]  free_slot;
  logic                  half, short, tight;

  rx_store #(
    .StreamBytes(StreamBytes),
    .AxiBytes   (AxiBytes),
    .StoreBytes (StoreBytes),
    .Frames     (Frames),
    .TagWidth   (TagWidth)
  ) u_store (
    .clk_i(clk), .rst_i(rst_i), .clear_i(clear_i),
    .accept_i            (run_i && !stop_i),
    .room_i              (room),
    .take_o              (take),
    .receiving_o         (receiving),
    .idle_o              (store_idle),
    .s_axis_tvalid_i(s_axis_tvalid_i), .s_axis_tdata_i(s_axis_tdata_i),
    .s_axis_tkeep_i(s_axis_tkeep_i), .s_axis_tlast_i(s_axis_tlast_i),
    .s_axis_tuser_error_i(s_axis_tuser_i),
    .tag_i               (s_axis_tag_i),
    .rec_valid_o(rec_valid), .rec_ready_i(rec_ready),
    .rec_slot_o(rec_slot), .rec_len_o(rec_len), .rec_tag_o(rec_tag),
    .waiting_o           (waiting),
    .read_valid_i(read_valid), .read_ready_o(read_ready),
    .read_slot_i(read_slot), .read_first_i(read_first), .read_words_i(read_words),
    .word_valid_o(store_valid), .word_ready_i(store_ready), .word_data_o(store_data),
    .free_valid_i(free_valid), .free_ready_o(free_ready), .free_slot_i(free_slot),
    .oldest_o            (oldest),
    .half_o(half), .short_o(short), .tight_o(tight),
    .drop_fifo_o         (drop_fifo_o),
    .drop_disabled_o     (drop_disabled_o),
    .trace_start_valid_o(start), .trace_start_tag_o(start_tag),
    .trace_stored_valid_o(stored), .trace_stored_tag_o(stored_tag)
  );

  assign congested_o = half;

  ////////////////////
  // Headers        //
  ////////////////////

  logic                  info_valid, info_ready;
  nic_pkg::rx_info_t     info;
  logic [3:0]            hdr_addr;
  logic [63:0]           hdr_data;
  logic                  cls_valid, cls_ready, cls_drop, parse_idle, classify_idle;
  logic [QueueWidth-1:0] cls_queue;

  rx_parse #(
    .StreamBytes(StreamBytes),
    .Lanes      (Lanes),
    .Slots      (LaneSlots)
  ) u_parse (
    .clk_i(clk), .rst_i(rst_i), .forget_i(clear_i),
    .hash_types_i   (cfg_i.hash_types),
    .table_i        (tbl_i),
    .s_axis_tvalid_i(s_axis_tvalid_i), .s_axis_tdata_i(s_axis_tdata_i),
    .s_axis_tkeep_i(s_axis_tkeep_i), .s_axis_tlast_i(s_axis_tlast_i),
    .take_i         (take),
    .room_o         (room),
    .info_valid_o(info_valid), .info_ready_i(info_ready), .info_o(info),
    .hdr_addr_i(hdr_addr), .hdr_data_o(hdr_data),
    .idle_o         (parse_idle)
  );

  // What is done once for a frame has nothing to do while its words come and go. (A gate costs as
  // much simulation as a small block, so what moves with the words has none.)
  logic frames_clk;

  clock_gate u_frames_clock (
    .clk_i(clk),
    .en_i (rst || stop_i || learn_valid_i || tbl_i.select != nic_pkg::TableNone || wake ||
           !classify_idle || !lro_idle || !queues_idle || frame_ready || link_re),
    .clk_o(frames_clk)
  );

  rx_classify #(
    .Queues(Queues)
  ) u_classify (
    .clk_i(frames_clk), .rst_i(rst),
    .idle_o           (classify_idle),
    .cfg_i            (cfg_i),
    .tbl_i            (tbl_i),
    .learn_valid_i(learn_valid_i), .learn_symmetric_i(learn_symmetric_i),
    .learn_queue_i    (learn_queue_i),
    .info_valid_i     (info_valid),
    .info_i           (info),
    .cls_valid_o(cls_valid), .cls_ready_i(cls_ready),
    .cls_drop_o(cls_drop), .cls_queue_o(cls_queue)
  );

  // A frame that is already being appended or copied stays in, even if settings have changed since.
  assign drop_filter_o = lro_free_valid && free_ready && !join_free_valid;
  assign csum_good_o   = info_valid && info_ready && info.csum_ok;
  assign csum_bad_o    = info_valid && info_ready && info.csum_bad;

  ////////////////////
  // Coalescing     //
  ////////////////////

  logic                  lro_valid, lro_ready, lro_free_valid, lro_empty, lro_idle;
  nic_pkg::rx_frame_t    lro_frame;
  logic [QueueWidth-1:0] lro_queue;
  logic [TagWidth-1:0]   lro_tag;
  logic [SlotWidth-1:0]  lro_free_slot;
  logic                  link_re;
  logic [SlotWidth-1:0]  link_slot, link_next;

  rx_lro #(
    .Queues   (Queues),
    .Frames   (Frames),
    .LroCycles(LroCycles),
    .TagWidth (TagWidth)
  ) u_lro (
    .clk_i(frames_clk), .rst_i(rst),
    .now_i        (now_i),
    .lro4_i       (cfg_i.lro4),
    .lro6_i       (cfg_i.lro6),
    .hurry_i      (waiting >= (SlotWidth + 1)'(Hurry)),
    .flush_i      (stop_i),
    .pressure_i   (half),
    .oldest_i     (oldest),
    .deadline_o   (deadline_o),
    .wake_o       (wake),
    .empty_o      (lro_empty),
    .idle_o       (lro_idle),
    .merged_o     (merged_o),
    .rec_valid_i(rec_valid), .rec_ready_o(rec_ready),
    .rec_slot_i(rec_slot), .rec_len_i(rec_len), .rec_tag_i(rec_tag),
    .info_valid_i(info_valid), .info_ready_o(info_ready), .info_i(info),
    .hdr_addr_o(hdr_addr), .hdr_data_i(hdr_data),
    .cls_valid_i(cls_valid), .cls_ready_o(cls_ready),
    .cls_drop_i(cls_drop), .cls_queue_i(cls_queue),
    .frame_valid_o(lro_valid), .frame_ready_i(lro_ready), .frame_o(lro_frame),
    .frame_queue_o(lro_queue), .frame_tag_o(lro_tag),
    .free_valid_o (lro_free_valid),
    .free_ready_i (free_ready && !join_free_valid),
    .free_slot_o  (lro_free_slot),
    .link_re_i(link_re), .link_slot_i(link_slot), .link_next_o(link_next)
  );

  ////////////////////
  // Queues         //
  ////////////////////

  logic                  several, others, queues_idle;
  logic                  frame_valid, frame_ready, frame_drop;
  nic_pkg::rx_frame_t    frame;
  logic [QueueWidth-1:0] frame_queue;
  logic [TagWidth-1:0]   frame_tag;

  assign several = cfg_i.pairs > 16'd1;

  // Frames for a queue that the driver has not enabled, or has reset, are dropped (virtio 1.3,
  // 5.1.6.5.6.2 and 5.1.6.5.7.3).
  logic [QueueWidth-1:0] front;
  logic                  enabled;

  rx_enabled #(
    .Queues(Queues)
  ) u_enabled (
    .clk_i(clk), .rst_i(rst), .idle_o(enabled_idle),
    .enable_i(size_valid_i), .enable_queue_i(size_queue_i),
    .disable_i(dis_valid_i), .disable_queue_i(qrst_queue_i),
    .queue_i(front), .enabled_o(enabled)
  );

  rx_queues #(
    .Queues  (Queues),
    .Frames  (Frames),
    .TagWidth(TagWidth)
  ) u_queues (
    .clk_i(frames_clk), .rst_i(rst),
    .idle_o       (queues_idle),
    .frame_valid_i(lro_valid), .frame_ready_o(lro_ready), .frame_i(lro_frame),
    .frame_queue_i(lro_queue), .frame_tag_i(lro_tag),
    .front_o      (front),
    .enabled_i    (enabled),
    .avail_i      (avail_i),
    .hold_i       (stop_i || qrst_valid_i),
    .several_i    (several),
    .pairs_i      (cfg_i.pairs),
    .short_i      (short),
    .tight_i      (tight),
    .oldest_i     (oldest),
    .out_valid_o(frame_valid), .out_ready_i(frame_ready), .out_o(frame),
    .out_queue_o(frame_queue), .out_tag_o(frame_tag), .out_drop_o(frame_drop),
    .others_o(others)
  );

  ////////////////////
  // Data           //
  ////////////////////

  logic                  job_valid, job_ready, job_drop;
  nic_pkg::rx_frame_t    job;
  logic                  word_valid, word_ready;
  logic [8*AxiBytes-1:0] word_data;
  logic                  join_free_valid, join_idle;
  logic [SlotWidth-1:0]  join_free_slot;

  rx_join #(
    .AxiBytes  (AxiBytes),
    .StoreBytes(StoreBytes)
  ) u_join (
    .clk_i(clk), .rst_i(rst),
    .idle_o       (join_idle),
    .job_valid_i(job_valid), .job_ready_o(job_ready),
    .job_frame_i(job), .job_drop_i(job_drop),
    .link_re_o(link_re), .link_slot_o(link_slot), .link_next_i(link_next),
    .read_valid_o(read_valid), .read_ready_i(read_ready),
    .read_slot_o(read_slot), .read_first_o(read_first), .read_words_o(read_words),
    .word_valid_i(store_valid), .word_ready_o(store_ready), .word_data_i(store_data),
    .out_valid_o(word_valid), .out_ready_i(word_ready), .out_data_o(word_data),
    .free_valid_o (join_free_valid),
    .free_ready_i (free_ready),
    .free_slot_o  (join_free_slot)
  );

  assign free_valid = join_free_valid || lro_free_valid;
  assign free_slot  = join_free_valid ? join_free_slot : lro_free_slot;

  logic                fill_quiet, fill_idle, fill_drop_reset;
  logic                descriptor, write, written;
  logic [TagWidth-1:0] descriptor_tag, write_tag, written_tag;
  nic_pkg::vq_error_t  fill_err;

  rx_fill #(
    .AxiBytes(AxiBytes),
    .Queues  (Queues),
    .Segments((InFlight < 128) ? 256 : 2 * InFlight),
    .Frames  (InFlight),
    .TagWidth(TagWidth)
  ) u_fill (
    .clk_i(clk), .rst_i(rst),
    .stop_i          (stop_i),
    .csum_i          (cfg_i.csum),
    .hdr_hash_i      (cfg_i.hash_report),
    .mrg_rxbuf_i     (cfg_i.mrg_rxbuf),
    .several_i       (several),
    .short_i         (short),
    .others_i        (others),
    .quiet_o         (fill_quiet),
    .idle_o          (fill_idle),
    .size_valid_i(size_valid_i), .size_queue_i(size_queue_i), .size_i(size_i),
    .qrst_valid_i(qrst_valid_i), .qrst_queue_i(qrst_queue_i), .qrst_quiet_o(qrst_quiet_o),
    .frame_valid_i(frame_valid), .frame_ready_o(frame_ready), .frame_i(frame),
    .frame_tag_i(frame_tag), .frame_queue_i(frame_queue), .frame_drop_i(frame_drop),
    .job_valid_o(job_valid), .job_ready_i(job_ready), .job_o(job), .job_drop_o(job_drop),
    .word_valid_i(word_valid), .word_ready_o(word_ready), .word_data_i(word_data),
    .avail_i         (avail_i), .hide_i(hide_i),
    .pop_valid_o(pop_valid_o), .pop_queue_o(pop_queue_o),
    .desc_valid_i(desc_valid_i), .desc_i(desc_i), .desc_index_i(desc_index_i),
    .req_valid_o(req_valid_o), .req_ready_i(req_ready_i),
    .req_addr_o(req_addr_o), .req_bytes_o(req_bytes_o),
    .w_valid_o(w_valid_o), .w_ready_i(w_ready_i), .w_data_o(w_data_o), .w_strb_o(w_strb_o),
    .done_i(done_i), .error_i(error_i),
    .used_valid_o(used_valid_o), .used_ready_i(used_ready_i), .used_queue_o(used_queue_o),
    .used_o(used_o), .used_tag_o(used_tag_o),
    .err_valid_o(err_valid_o), .err_o(fill_err),
    .drop_no_fit_o   (drop_no_fit_o),
    .drop_no_buffer_o(drop_no_buffer_o),
    .drop_reset_o    (fill_drop_reset),
    .delivered_o     (delivered_o),
    .delivered_bytes_o(delivered_bytes_o),
    .trace_descriptor_valid_o(descriptor), .trace_descriptor_tag_o(descriptor_tag),
    .trace_write_valid_o(write), .trace_write_tag_o(write_tag),
    .trace_written_valid_o(written), .trace_written_tag_o(written_tag)
  );

  ////////////////////
  // Accounts       //
  ////////////////////

  logic ledger_drop, ledger_quiet, at_rest;

  // Coalescing goes on until all records have passed.
  assign at_rest = !receiving && !rec_valid && waiting == '0 && lro_empty && fill_quiet &&
                   engine_quiet_i;

  rx_ledger #(
    .Frames(2 * Frames),
    .Ways  (6)
  ) u_ledger (
    .clk_i       (clk),
    .rst_i       (rst),
    .stored_i    (stored),
    .left_i      ({drop_filter_o, drop_no_fit_o, drop_no_buffer_o, fill_drop_reset, merged_o,
                   delivered_o}),
    .give_up_i   (stop_i && at_rest),
    .drop_reset_o(ledger_drop),
    .quiet_o     (ledger_quiet)
  );

  assign given_up_o       = drop_no_fit_o || drop_no_buffer_o || fill_drop_reset;
  assign given_up_queue_o = frame_queue;

  assign drop_reset_o = fill_drop_reset || ledger_drop;
  assign quiet_o      = fill_quiet && !receiving && ledger_quiet;

  always_comb begin
    err_o       = fill_err;
    err_o.queue = {fill_err.queue[14:0], 1'b0};
  end

  assign trace_valid_o = {written, write, descriptor, stored, start};
  assign trace_tag_o   = {32'(written_tag), 32'(write_tag), 32'(descriptor_tag), 32'(stored_tag),
                          32'(start_tag)};

endmodule
