// SPDX-License-Identifier: Apache-2.0
//
// nic_packets: the packets' part of the NIC: the receive path, the transmit path, and what the one
// learns from the other.
//
//     s_axis --> rx_path ----> rx_*: descriptors, used elements, writes
//                   ^ learn
//                tx_learn (with several queue pairs)
//                   | watches
//     m_axis <-- tx_path <---- tx_*: descriptors, used elements, reads
//
//   rst_i, clear_i   power-on, and a reset of the device: the receive path has to know them apart
//   run_i, stop_i, quiet_o   as in rx_path and tx_path; engine_quiet_i: the receive virtqueues are quiet
//   features_i, cfg_i, tbl_i   what was negotiated, and set through the control virtqueue
//   rx_*, tx_*, fill_*, rd_*   see rx_fill and tx_gather
//   rx_qrst_*, tx_qrst_i, qrst_pair_i   a queue is being reset; settle_*: a receive queue has to come
//                    to rest, but stays
//   err_*            the first error of each half
//   the others       pulses that are counted, and the trace
//
// Parameters: those of nic_core, and
//   TagWidth   bits of the tag that follows a frame

module nic_packets #(
  parameter int unsigned StreamBytes  = 8,
  parameter int unsigned AxiBytes     = 16,
  parameter int unsigned QueuePairs   = 1,
  parameter int unsigned RxStoreBytes = 32768,
  parameter int unsigned TxStoreBytes = 32768,
  parameter int unsigned MaxFrame     = 9026,
  parameter int unsigned TagWidth     = 32,
  localparam int unsigned QueueWidth  = (QueuePairs > 1) ? $clog2(QueuePairs) : 1,
  localparam int unsigned RxPoints    = virtio_pkg::TraceRxWritten - virtio_pkg::TraceRxStart + 1,
  localparam int unsigned TxPoints    = virtio_pkg::TraceTxEnd - virtio_pkg::TraceTxDescriptor + 1
) (
  input  logic                         clk_i,
  input  logic                         rst_i,
  input  logic                         clear_i,
  input  logic                         run_i,
  input  logic                         stop_i,
  input  logic                         engine_quiet_i,
  input  logic [63:0]                  features_i,
  input  nic_pkg::rx_config_t          cfg_i,
  input  nic_pkg::rx_table_t           tbl_i,
  input  logic [63:0]                  now_i,
  output logic [63:0]                  deadline_o,
  output logic                         rx_quiet_o,
  output logic                         tx_quiet_o,
  output logic                         idle_o,

  input  logic                         s_axis_tvalid_i,
  input  logic [8*StreamBytes-1:0]     s_axis_tdata_i,
  input  logic [StreamBytes-1:0]       s_axis_tkeep_i,
  input  logic                         s_axis_tlast_i,
  input  logic                         s_axis_tuser_i,
  input  logic [TagWidth-1:0]          s_axis_tag_i,
  output logic                         congested_o,
  output logic                         m_axis_tvalid_o,
  input  logic                         m_axis_tready_i,
  output logic [8*StreamBytes-1:0]     m_axis_tdata_o,
  output logic [StreamBytes-1:0]       m_axis_tkeep_o,
  output logic                         m_axis_tlast_o,
  output logic [TagWidth-1:0]          m_axis_tag_o,

  input  logic                         size_valid_i,
  input  logic [QueueWidth-1:0]        size_queue_i,
  input  logic [15:0]                  size_i,
  input  logic                         rx_qrst_i,
  output logic                         rx_qrst_quiet_o,
  input  logic                         tx_qrst_i,
  output logic                         tx_qrst_quiet_o,
  input  logic                         qrst_ready_i,
  input  logic [QueueWidth-1:0]        qrst_pair_i,
  input  logic                         settle_i,
  input  logic [QueueWidth-1:0]        settle_queue_i,

  input  logic                         hide_i,       // of virtqueues, as rx_avail_i and tx_avail_i
  input  logic [QueuePairs-1:0]        rx_avail_i,
  output logic                         rx_pop_valid_o,
  output logic [QueueWidth-1:0]        rx_pop_queue_o,
  input  logic                         rx_desc_valid_i,
  input  nic_pkg::desc_t               rx_desc_i,
  input  logic [15:0]                  rx_desc_index_i,
  output logic                         rx_used_valid_o,
  input  logic                         rx_used_ready_i,
  output logic [QueueWidth-1:0]        rx_used_queue_o,
  output nic_pkg::used_t               rx_used_o,
  output logic [TagWidth-1:0]          rx_used_tag_o,
  input  logic [QueuePairs-1:0]        tx_avail_i,
  output logic                         tx_pop_valid_o,
  output logic [QueueWidth-1:0]        tx_pop_queue_o,
  input  logic                         tx_desc_valid_i,
  input  nic_pkg::desc_t               tx_desc_i,
  input  logic [15:0]                  tx_desc_index_i,
  output logic                         tx_used_valid_o,
  input  logic                         tx_used_ready_i,
  output logic [QueueWidth-1:0]        tx_used_queue_o,
  output nic_pkg::used_t               tx_used_o,
  output logic [TagWidth-1:0]          tx_used_tag_o,

  output logic                         fill_valid_o,
  input  logic                         fill_ready_i,
  output logic [63:0]                  fill_addr_o,
  output logic [nic_pkg::LenWidth-1:0] fill_bytes_o,
  output logic                         fill_w_valid_o,
  input  logic                         fill_w_ready_i,
  output logic [8*AxiBytes-1:0]        fill_w_data_o,
  output logic [AxiBytes-1:0]          fill_w_strb_o,
  input  logic                         fill_done_i,
  input  logic                         fill_error_i,
  output logic                         rd_valid_o,
  input  logic                         rd_ready_i,
  output logic [63:0]                  rd_addr_o,
  output logic [nic_pkg::LenWidth-1:0] rd_bytes_o,
  input  logic                         rsp_valid_i,
  input  logic [8*AxiBytes-1:0]        rsp_data_i,
  input  logic                         rsp_last_i,
  input  logic                         rsp_error_i,

  output logic                         rx_err_valid_o,
  output nic_pkg::vq_error_t           rx_err_o,
  output logic                         tx_err_valid_o,
  output nic_pkg::vq_error_t           tx_err_o,

  output logic                         drop_fifo_o,
  output logic                         drop_disabled_o,
  output logic                         drop_filter_o,
  output logic                         drop_no_fit_o,
  output logic                         drop_no_buffer_o,
  output logic                         drop_reset_o,
  output logic                         merged_o,
  output logic                         delivered_o,
  output logic                         csum_good_o,
  output logic                         csum_bad_o,
  output logic [15:0]                  delivered_bytes_o,
  output logic                         given_up_o,
  output logic [QueueWidth-1:0]        given_up_queue_o,
  output logic                         tx_sent_o,
  output logic [QueueWidth-1:0]        tx_sent_queue_o,
  output logic [15:0]                  tx_sent_bytes_o,
  output logic                         tx_drop_bad_o,
  output logic [QueueWidth-1:0]        tx_drop_queue_o,
  output logic                         tx_csum_o,
  output logic                         tx_tso_o,
  output logic                         tx_segment_o,
  output logic [RxPoints-1:0]          rx_trace_valid_o,
  output logic [32*RxPoints-1:0]       rx_trace_tag_o,
  output logic [TxPoints-1:0]          tx_trace_valid_o,
  output logic [32*TxPoints-1:0]       tx_trace_tag_o
);

  localparam int unsigned FcsBytes = 4;

  logic                  rst, hold;
  logic [QueueWidth-1:0] tx_queue, learn_queue;
  logic                  learn_valid, learn_idle, rx_idle, tx_idle;
  logic [15:0]           learn_symmetric;

  // A device reset forgets all of the datapath. Nothing is taken from a ring before DRIVER_OK.
  assign rst  = rst_i || clear_i;
  assign hold = stop_i || !run_i;

  rx_path #(
    .StreamBytes(StreamBytes),
    .AxiBytes   (AxiBytes),
    .Queues     (QueuePairs),
    .StoreBytes (RxStoreBytes),
    .TagWidth   (TagWidth)
  ) u_rx (
    .clk_i(clk_i), .rst_i(rst_i), .clear_i(clear_i),
    .run_i(run_i), .stop_i(stop_i), .engine_quiet_i(engine_quiet_i),
    .cfg_i(cfg_i), .tbl_i(tbl_i),
    .learn_valid_i(learn_valid), .learn_symmetric_i(learn_symmetric), .learn_queue_i(learn_queue),
    .now_i(now_i), .deadline_o(deadline_o),
    .quiet_o(rx_quiet_o), .idle_o(rx_idle),
    .s_axis_tvalid_i(s_axis_tvalid_i), .s_axis_tdata_i(s_axis_tdata_i),
    .s_axis_tkeep_i(s_axis_tkeep_i), .s_axis_tlast_i(s_axis_tlast_i),
    .s_axis_tuser_i(s_axis_tuser_i), .s_axis_tag_i(s_axis_tag_i),
    .congested_o(congested_o),
    .size_valid_i(size_valid_i), .size_queue_i(size_queue_i), .size_i(size_i),
    .qrst_valid_i(rx_qrst_i || settle_i), .qrst_quiet_o(rx_qrst_quiet_o),
    .qrst_queue_i   (rx_qrst_i ? qrst_pair_i : settle_queue_i),
    .dis_valid_i(rx_qrst_i && qrst_ready_i), .avail_i(rx_avail_i), .hide_i,
    .pop_valid_o(rx_pop_valid_o), .pop_queue_o(rx_pop_queue_o),
    .desc_valid_i(rx_desc_valid_i), .desc_i(rx_desc_i), .desc_index_i(rx_desc_index_i),
    .req_valid_o(fill_valid_o), .req_ready_i(fill_ready_i),
    .req_addr_o(fill_addr_o), .req_bytes_o(fill_bytes_o),
    .w_valid_o(fill_w_valid_o), .w_ready_i(fill_w_ready_i),
    .w_data_o(fill_w_data_o), .w_strb_o(fill_w_strb_o),
    .done_i(fill_done_i), .error_i(fill_error_i),
    .used_valid_o(rx_used_valid_o), .used_ready_i(rx_used_ready_i),
    .used_queue_o(rx_used_queue_o), .used_o(rx_used_o), .used_tag_o(rx_used_tag_o),
    .err_valid_o(rx_err_valid_o), .err_o(rx_err_o),
    .drop_fifo_o, .drop_disabled_o, .drop_filter_o, .drop_no_fit_o, .drop_no_buffer_o,
    .drop_reset_o, .merged_o, .delivered_o, .delivered_bytes_o, .given_up_o, .given_up_queue_o,
    .csum_good_o, .csum_bad_o,
    .trace_valid_o(rx_trace_valid_o), .trace_tag_o(rx_trace_tag_o)
  );

  if (QueuePairs > 1) begin : g_learn
    tx_learn #(
      .StreamBytes(StreamBytes), .Queues(QueuePairs)
    ) u_learn (
      .clk_i(clk_i), .rst_i(rst), .enable_i(cfg_i.pairs > 16'd1 && !cfg_i.rss),
      .m_axis_tvalid_i(m_axis_tvalid_o), .m_axis_tready_i, .m_axis_tdata_i(m_axis_tdata_o),
      .m_axis_tkeep_i(m_axis_tkeep_o), .m_axis_tlast_i(m_axis_tlast_o), .m_axis_queue_i(tx_queue),
      .learn_valid_o(learn_valid), .learn_symmetric_o(learn_symmetric),
      .learn_queue_o(learn_queue), .idle_o(learn_idle)
    );
  end else begin : g_one_pair
    logic unused_queue;
    assign unused_queue    = tx_queue;
    assign learn_valid     = 1'b0;
    assign learn_symmetric = '0;
    assign learn_queue     = '0;
    assign learn_idle      = 1'b1;
  end

  tx_path #(
    .StreamBytes(StreamBytes),
    .AxiBytes   (AxiBytes),
    .Queues     (QueuePairs),
    .StoreBytes (TxStoreBytes),
    .MaxFrame   (MaxFrame - FcsBytes),
    .TagWidth   (TagWidth)
  ) u_tx (
    .clk_i(clk_i), .rst_i(rst), .features_i(features_i), .stop_i(hold),
    .quiet_o(tx_quiet_o), .idle_o(tx_idle),
    .qrst_valid_i(tx_qrst_i), .qrst_queue_i(qrst_pair_i), .qrst_quiet_o(tx_qrst_quiet_o),
    .avail_i(tx_avail_i), .hide_i, .pop_valid_o(tx_pop_valid_o), .pop_queue_o(tx_pop_queue_o),
    .desc_valid_i(tx_desc_valid_i), .desc_i(tx_desc_i), .desc_index_i(tx_desc_index_i),
    .req_valid_o(rd_valid_o), .req_ready_i(rd_ready_i),
    .req_addr_o(rd_addr_o), .req_bytes_o(rd_bytes_o),
    .rsp_valid_i(rsp_valid_i), .rsp_data_i(rsp_data_i),
    .rsp_last_i(rsp_last_i), .rsp_error_i(rsp_error_i),
    .used_valid_o(tx_used_valid_o), .used_ready_i(tx_used_ready_i),
    .used_queue_o(tx_used_queue_o), .used_o(tx_used_o), .used_tag_o(tx_used_tag_o),
    .m_axis_tvalid_o, .m_axis_tready_i, .m_axis_tdata_o, .m_axis_tkeep_o, .m_axis_tlast_o,
    .m_axis_queue_o(tx_queue), .m_axis_tag_o,
    .err_valid_o(tx_err_valid_o), .err_o(tx_err_o),
    .sent_o(tx_sent_o), .sent_queue_o(tx_sent_queue_o), .sent_bytes_o(tx_sent_bytes_o),
    .drop_bad_o(tx_drop_bad_o), .drop_queue_o(tx_drop_queue_o),
    .csum_o(tx_csum_o), .tso_o(tx_tso_o), .segment_o(tx_segment_o),
    .trace_valid_o(tx_trace_valid_o), .trace_tag_o(tx_trace_tag_o)
  );

  assign idle_o = rx_idle && tx_idle && learn_idle;

endmodule
