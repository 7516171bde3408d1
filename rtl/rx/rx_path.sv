// SPDX-License-Identifier: Apache-2.0
//
// rx_path: the way of a received frame from the stream into the driver's buffers.
//
//     s_axis --> rx_store --> rx_fill --> req_*, w_* (axi_write)
//                   |            ^ |
//                rx_ledger    desc used
//
//   clear_i        a reset of the device: everything is forgotten but where frames begin on the wire.
//   run_i          frames are let in. stop_i: nothing new is started, and when all has come to rest
//                  (engine_quiet_i: the receive virtqueues too) the frames still held are counted as
//                  lost; quiet_o follows.
//   s_axis_*       see rx_store; tuser is the MAC's verdict. No ready.
//   size_*, desc, used, req_*, w_*, done_i, error_i   see rx_fill
//   err_*          a write was answered with an error; err_o.queue is the virtqueue index
//   drop_*_o       pulses, one for each frame lost and its reason; delivered_o: one for each other
//   trace_*        the points RxStart to RxWritten of virtio_pkg, in that order
//   idle_o         a clock edge with quiet inputs changes no state
//
// Parameters: those of nic_core.

module rx_path #(
  parameter int unsigned StreamBytes = 8,
  parameter int unsigned AxiBytes    = 16,
  parameter int unsigned Queues      = 1,
  parameter int unsigned StoreBytes  = 32768,
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
  input  logic                         mrg_rxbuf_i,
  output logic                         quiet_o,
  output logic                         idle_o,

  input  logic                         s_axis_tvalid_i,
  input  logic [8*StreamBytes-1:0]     s_axis_tdata_i,
  input  logic [StreamBytes-1:0]       s_axis_tkeep_i,
  input  logic                         s_axis_tlast_i,
  input  logic                         s_axis_tuser_i,
  input  logic [TagWidth-1:0]          s_axis_tag_i,

  input  logic                         size_valid_i,
  input  logic [QueueWidth-1:0]        size_queue_i,
  input  logic [15:0]                  size_i,

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
  output nic_pkg::vq_error_t           err_o,

  output logic                         drop_fifo_o,
  output logic                         drop_disabled_o,
  output logic                         drop_no_fit_o,
  output logic                         drop_reset_o,
  output logic                         delivered_o,

  output logic [Points-1:0]            trace_valid_o,
  output logic [32*Points-1:0]         trace_tag_o
);

  logic                  frame_valid, frame_ready, word_valid, word_ready;
  logic [15:0]           frame_len;
  logic [TagWidth-1:0]   frame_tag;
  logic [8*AxiBytes-1:0] word_data;
  logic                  receiving, store_idle, fill_quiet, fill_idle, ledger_quiet;
  logic                  start, stored, descriptor, write, written;
  logic [TagWidth-1:0]   start_tag, stored_tag, descriptor_tag, write_tag, written_tag;
  nic_pkg::vq_error_t    fill_err;
  logic                  clk, rst;

  assign rst = rst_i || clear_i;

  // A device that is being stopped gives its frames up, which idle_o does not tell.
  clock_gate u_clock (
    .clk_i(clk_i),
    .en_i (rst || stop_i || size_valid_i || s_axis_tvalid_i || !idle_o),
    .clk_o(clk)
  );

  rx_store #(
    .StreamBytes(StreamBytes),
    .AxiBytes   (AxiBytes),
    .StoreBytes (StoreBytes),
    .TagWidth   (TagWidth)
  ) u_store (
    .clk_i               (clk),
    .rst_i               (rst_i),
    .clear_i             (clear_i),
    .accept_i            (run_i && !stop_i),
    .receiving_o         (receiving),
    .idle_o              (store_idle),
    .s_axis_tvalid_i     (s_axis_tvalid_i),
    .s_axis_tdata_i      (s_axis_tdata_i),
    .s_axis_tkeep_i      (s_axis_tkeep_i),
    .s_axis_tlast_i      (s_axis_tlast_i),
    .s_axis_tuser_error_i(s_axis_tuser_i),
    .tag_i               (s_axis_tag_i),
    .frame_valid_o       (frame_valid),
    .frame_ready_i       (frame_ready),
    .frame_len_o         (frame_len),
    .frame_tag_o         (frame_tag),
    .word_valid_o        (word_valid),
    .word_ready_i        (word_ready),
    .word_data_o         (word_data),
    .drop_fifo_o         (drop_fifo_o),
    .drop_disabled_o     (drop_disabled_o),
    .trace_start_valid_o (start),
    .trace_start_tag_o   (start_tag),
    .trace_stored_valid_o(stored),
    .trace_stored_tag_o  (stored_tag)
  );

  // Every frame goes to the first queue pair.
  rx_fill #(
    .AxiBytes(AxiBytes),
    .Queues  (Queues),
    .TagWidth(TagWidth)
  ) u_fill (
    .clk_i                   (clk),
    .rst_i                   (rst),
    .stop_i                  (stop_i),
    .mrg_rxbuf_i             (mrg_rxbuf_i),
    .quiet_o                 (fill_quiet),
    .idle_o                  (fill_idle),
    .size_valid_i            (size_valid_i),
    .size_queue_i            (size_queue_i),
    .size_i                  (size_i),
    .frame_valid_i           (frame_valid),
    .frame_ready_o           (frame_ready),
    .frame_len_i             (frame_len),
    .frame_tag_i             (frame_tag),
    .frame_queue_i           ('0),
    .word_valid_i            (word_valid),
    .word_ready_o            (word_ready),
    .word_data_i             (word_data),
    .avail_i                 (avail_i),
    .pop_valid_o             (pop_valid_o),
    .pop_queue_o             (pop_queue_o),
    .desc_valid_i            (desc_valid_i),
    .desc_i                  (desc_i),
    .desc_index_i            (desc_index_i),
    .req_valid_o             (req_valid_o),
    .req_ready_i             (req_ready_i),
    .req_addr_o              (req_addr_o),
    .req_bytes_o             (req_bytes_o),
    .w_valid_o               (w_valid_o),
    .w_ready_i               (w_ready_i),
    .w_data_o                (w_data_o),
    .w_strb_o                (w_strb_o),
    .done_i                  (done_i),
    .error_i                 (error_i),
    .used_valid_o            (used_valid_o),
    .used_ready_i            (used_ready_i),
    .used_queue_o            (used_queue_o),
    .used_o                  (used_o),
    .used_tag_o              (used_tag_o),
    .err_valid_o             (err_valid_o),
    .err_o                   (fill_err),
    .drop_no_fit_o           (drop_no_fit_o),
    .delivered_o             (delivered_o),
    .trace_descriptor_valid_o(descriptor),
    .trace_descriptor_tag_o  (descriptor_tag),
    .trace_write_valid_o     (write),
    .trace_write_tag_o       (write_tag),
    .trace_written_valid_o   (written),
    .trace_written_tag_o     (written_tag)
  );

  rx_ledger u_ledger (
    .clk_i       (clk),
    .rst_i       (rst),
    .stored_i    (stored),
    .delivered_i (delivered_o),
    .dropped_i   (drop_no_fit_o),
    .give_up_i   (stop_i && !receiving && fill_quiet && engine_quiet_i),
    .drop_reset_o(drop_reset_o),
    .quiet_o     (ledger_quiet)
  );

  assign quiet_o = fill_quiet && !receiving && ledger_quiet;
  assign idle_o  = store_idle && fill_idle;

  always_comb begin
    err_o       = fill_err;
    err_o.queue = {fill_err.queue[14:0], 1'b0};
  end

  assign trace_valid_o = {written, write, descriptor, stored, start};
  assign trace_tag_o   = {32'(written_tag), 32'(write_tag), 32'(descriptor_tag), 32'(stored_tag),
                          32'(start_tag)};

endmodule
