// SPDX-License-Identifier: Apache-2.0
//
// rx_harness: rx_path and axi_write as nic_core joins them, for tests. Structs are taken apart
// so that the test reads fields; the small writers are ports.

module rx_harness #(
  parameter int unsigned StreamBytes = 8,
  parameter int unsigned AxiBytes = 16,
  parameter int unsigned StoreBytes = 32768,
  parameter int unsigned Queues = 1,
  parameter int unsigned LroCycles = 500,
  localparam int unsigned QueueWidth = (Queues > 1) ? $clog2(Queues) : 1
) (
  input  logic                     clk_i,
  input  logic                     rst_i,
  input  logic                     clear_i,
  input  logic                     run_i,
  input  logic                     stop_i,
  input  logic                     engine_quiet_i,
  input  logic [63:0]              now_i,
  output logic [63:0]              deadline_o,
  output logic                     quiet_o,
  output logic                     idle_o,
  output logic                     congested_o,
  output logic [15:0]              queues_o,        // how many there are

  // Of rx_config_t.
  input  logic                     promisc_i,
  input  logic [47:0]              mac_i,
  input  logic                     mrg_rxbuf_i,
  input  logic                     csum_i,
  input  logic                     hash_report_i,
  input  logic                     lro_i,
  input  logic                     rss_i,
  input  logic [8:0]               hash_types_i,
  input  logic [6:0]               rss_mask_i,
  input  logic [15:0]              pairs_i,
  input  logic [2:0]               tbl_select_i,
  input  logic [6:0]               tbl_addr_i,
  input  logic [48:0]              tbl_data_i,

  input  logic                     size_valid_i,
  input  logic [QueueWidth-1:0]    size_queue_i,
  input  logic [15:0]              size_i,
  input  logic                     qrst_valid_i,
  input  logic [QueueWidth-1:0]    qrst_queue_i,
  output logic                     qrst_quiet_o,

  input  logic                     s_axis_tvalid_i,
  input  logic [8*StreamBytes-1:0] s_axis_tdata_i,
  input  logic [StreamBytes-1:0]   s_axis_tkeep_i,
  input  logic                     s_axis_tlast_i,
  input  logic                     s_axis_tuser_error_i,
  input  logic [31:0]              tag_i,

  input  logic [Queues-1:0]        avail_i,
  output logic                     pop_valid_o,
  output logic [QueueWidth-1:0]    pop_queue_o,
  input  logic                     desc_valid_i,
  input  logic [63:0]              desc_addr_i,
  input  logic [31:0]              desc_len_i,
  input  logic [15:0]              desc_id_i,
  input  logic [15:0]              desc_flags_i,
  input  logic [15:0]              desc_index_i,

  output logic                     used_valid_o,
  input  logic                     used_ready_i,
  output logic [QueueWidth-1:0]    used_queue_o,
  output logic [15:0]              used_id_o,
  output logic [31:0]              used_len_o,
  output logic [15:0]              used_ndesc_o,
  output logic                     used_first_o,
  output logic                     used_last_o,
  output logic [31:0]              used_tag_o,

  output logic                     err_valid_o,
  output logic [7:0]               err_code_o,
  output logic [15:0]              err_queue_o,
  output logic [15:0]              err_index_o,
  output logic [63:0]              err_addr_o,

  output logic                     drop_fifo_o,
  output logic                     drop_disabled_o,
  output logic                     drop_filter_o,
  output logic                     drop_no_fit_o,
  output logic                     drop_no_buffer_o,
  output logic                     drop_reset_o,
  output logic                     merged_o,
  output logic                     delivered_o,
  output logic [15:0]              delivered_bytes_o,
  output logic                     given_up_o,
  output logic [QueueWidth-1:0]    given_up_queue_o,
  output logic                     csum_good_o,
  output logic                     csum_bad_o,

  output logic [3:0]               m_axi_awid_o,
  output logic [63:0]              m_axi_awaddr_o,
  output logic [7:0]               m_axi_awlen_o,
  output logic [2:0]               m_axi_awsize_o,
  output logic [1:0]               m_axi_awburst_o,
  output logic                     m_axi_awvalid_o,
  input  logic                     m_axi_awready_i,
  output logic [8*AxiBytes-1:0]    m_axi_wdata_o,
  output logic [AxiBytes-1:0]      m_axi_wstrb_o,
  output logic                     m_axi_wlast_o,
  output logic                     m_axi_wvalid_o,
  input  logic                     m_axi_wready_i,
  input  logic [3:0]               m_axi_bid_i,
  input  logic [1:0]               m_axi_bresp_i,
  input  logic                     m_axi_bvalid_i,
  output logic                     m_axi_bready_o,

  output logic [4:0]               trace_valid_o,  // start, stored, descriptor, write, written
  output logic [159:0]             trace_tag_o
);

  logic                         path_idle;
  logic                         write_idle;
  logic                         req_valid;
  logic                         req_ready;
  logic [63:0]                  req_addr;
  logic [nic_pkg::LenWidth-1:0] req_bytes;
  logic                         w_valid;
  logic                         w_ready;
  logic [8*AxiBytes-1:0]        w_data;
  logic [AxiBytes-1:0]          w_strb;
  logic                         done;
  logic                         done_error;
  nic_pkg::desc_t               desc;
  nic_pkg::used_t               used;
  nic_pkg::vq_error_t           err;
  nic_pkg::rx_config_t          cfg;
  nic_pkg::rx_table_t           tbl;
  logic [2:0]                   unused_small;

  assign idle_o   = path_idle && write_idle;
  assign queues_o = 16'(Queues);

  always_comb begin
    desc.flags = desc_flags_i;
    desc.id    = desc_id_i;
    desc.len   = desc_len_i;
    desc.addr  = desc_addr_i;

    cfg             = '0;
    cfg.promisc     = promisc_i;
    cfg.mac         = mac_i;
    cfg.mrg_rxbuf   = mrg_rxbuf_i;
    cfg.csum        = csum_i;
    cfg.hash_report = hash_report_i;
    cfg.lro4        = lro_i;
    cfg.lro6        = lro_i;
    cfg.rss         = rss_i;
    cfg.hash_types  = hash_types_i;
    cfg.rss_mask    = rss_mask_i;
    cfg.pairs       = pairs_i;

    tbl.select = tbl_select_i;
    tbl.addr   = tbl_addr_i;
    tbl.data   = tbl_data_i;
  end

  rx_path #(
    .StreamBytes(StreamBytes),
    .AxiBytes   (AxiBytes),
    .Queues     (Queues),
    .StoreBytes (StoreBytes),
    .LroCycles  (LroCycles)
  ) u_path (
    .clk_i(clk_i), .rst_i(rst_i), .clear_i(clear_i),
    .run_i(run_i), .stop_i(stop_i), .engine_quiet_i(engine_quiet_i),
    .cfg_i(cfg), .tbl_i(tbl),
    .learn_valid_i(1'b0), .learn_symmetric_i('0), .learn_queue_i('0),
    .now_i(now_i), .deadline_o(deadline_o),
    .quiet_o(quiet_o), .idle_o(path_idle),
    .s_axis_tvalid_i(s_axis_tvalid_i), .s_axis_tdata_i(s_axis_tdata_i),
    .s_axis_tkeep_i(s_axis_tkeep_i), .s_axis_tlast_i(s_axis_tlast_i),
    .s_axis_tuser_i(s_axis_tuser_error_i), .s_axis_tag_i(tag_i),
    .congested_o(congested_o),
    .size_valid_i(size_valid_i), .size_queue_i(size_queue_i), .size_i(size_i),
    .qrst_valid_i(qrst_valid_i), .qrst_queue_i(qrst_queue_i), .qrst_quiet_o(qrst_quiet_o),
    .dis_valid_i(qrst_valid_i && qrst_quiet_o),
    .avail_i(avail_i), .hide_i(1'b0), .pop_valid_o(pop_valid_o), .pop_queue_o(pop_queue_o),
    .desc_valid_i(desc_valid_i), .desc_i(desc), .desc_index_i(desc_index_i),
    .req_valid_o(req_valid), .req_ready_i(req_ready), .req_addr_o(req_addr),
    .req_bytes_o(req_bytes),
    .w_valid_o(w_valid), .w_ready_i(w_ready), .w_data_o(w_data), .w_strb_o(w_strb),
    .done_i(done), .error_i(done_error),
    .used_valid_o(used_valid_o), .used_ready_i(used_ready_i), .used_queue_o(used_queue_o),
    .used_o(used), .used_tag_o(used_tag_o),
    .err_valid_o(err_valid_o), .err_o(err),
    .drop_fifo_o(drop_fifo_o), .drop_disabled_o(drop_disabled_o),
    .drop_filter_o(drop_filter_o), .drop_no_fit_o(drop_no_fit_o),
    .drop_no_buffer_o(drop_no_buffer_o), .drop_reset_o(drop_reset_o),
    .merged_o(merged_o), .delivered_o(delivered_o), .delivered_bytes_o(delivered_bytes_o),
    .given_up_o(given_up_o), .given_up_queue_o(given_up_queue_o),
    .csum_good_o(csum_good_o), .csum_bad_o(csum_bad_o),
    .trace_valid_o(trace_valid_o), .trace_tag_o(trace_tag_o)
  );

  assign used_id_o    = used.id;
  assign used_len_o   = used.len;
  assign used_ndesc_o = used.ndesc;
  assign used_first_o = used.first;
  assign used_last_o  = used.last;
  assign err_code_o   = err.code;
  assign err_queue_o  = err.queue;
  assign err_index_o  = err.index;
  assign err_addr_o   = err.addr;

  axi_write #(
    .AxiBytes(AxiBytes),
    .Small   (1)
  ) u_write (
    .clk_i          (clk_i),
    .rst_i          (rst_i),
    .idle_o         (write_idle),
    .req_valid_i    (req_valid),
    .req_ready_o    (req_ready),
    .req_addr_i     (req_addr),
    .req_bytes_i    (req_bytes),
    .w_valid_i      (w_valid),
    .w_ready_o      (w_ready),
    .w_data_i       (w_data),
    .w_strb_i       (w_strb),
    .done_o         (done),
    .error_o        (done_error),
    .sw_valid_i     (1'b0),
    .sw_ready_o     (unused_small[0]),
    .sw_addr_i      (64'd0),
    .sw_data_i      ((8 * AxiBytes)'(0)),
    .sw_strb_i      (AxiBytes'(0)),
    .sw_done_o      (unused_small[1]),
    .sw_error_o     (unused_small[2]),
    .m_axi_awid_o   (m_axi_awid_o),
    .m_axi_awaddr_o (m_axi_awaddr_o),
    .m_axi_awlen_o  (m_axi_awlen_o),
    .m_axi_awsize_o (m_axi_awsize_o),
    .m_axi_awburst_o(m_axi_awburst_o),
    .m_axi_awvalid_o(m_axi_awvalid_o),
    .m_axi_awready_i(m_axi_awready_i),
    .m_axi_wdata_o  (m_axi_wdata_o),
    .m_axi_wstrb_o  (m_axi_wstrb_o),
    .m_axi_wlast_o  (m_axi_wlast_o),
    .m_axi_wvalid_o (m_axi_wvalid_o),
    .m_axi_wready_i (m_axi_wready_i),
    .m_axi_bid_i    (m_axi_bid_i),
    .m_axi_bresp_i  (m_axi_bresp_i),
    .m_axi_bvalid_i (m_axi_bvalid_i),
    .m_axi_bready_o (m_axi_bready_o)
  );

endmodule
