// SPDX-License-Identifier: Apache-2.0
//
// The NIC with its 10G MAC: nic_core behind mac_xgmii. Ports and parameters are those of the core,
// with XGMII in place of the packet streams; the trace points of the MAC are driven too. While
// idle_o is high and XGMII receives idle characters, a clock edge changes no state.

module nic_top #(
  parameter int unsigned StreamBytes  = 8,
  parameter int unsigned AxiBytes     = 16,
  parameter int unsigned QueuePairs   = 1,
  parameter int unsigned ClockKhz     = 156250,
  parameter int unsigned LinkMbps     = 10000,
  parameter int unsigned RingMax      = 1024,
  parameter int unsigned RxStoreBytes = 32768,
  parameter int unsigned TxStoreBytes = 32768,
  parameter int unsigned MaxFrame     = 9026,
  parameter logic [47:0] Mac          = 48'h02_00_00_00_00_01,
  parameter bit          TraceTags    = 1'b1
) (
  input  logic                  clk_i,
  input  logic                  rst_i,

  input  logic [63:0]           now_i,
  output logic                  idle_o,
  output logic [63:0]           next_deadline_o,

  input  logic [15:0]           s_axil_awaddr_i,
  input  logic                  s_axil_awvalid_i,
  output logic                  s_axil_awready_o,
  input  logic [31:0]           s_axil_wdata_i,
  input  logic [3:0]            s_axil_wstrb_i,
  input  logic                  s_axil_wvalid_i,
  output logic                  s_axil_wready_o,
  output logic [1:0]            s_axil_bresp_o,
  output logic                  s_axil_bvalid_o,
  input  logic                  s_axil_bready_i,
  input  logic [15:0]           s_axil_araddr_i,
  input  logic                  s_axil_arvalid_i,
  output logic                  s_axil_arready_o,
  output logic [31:0]           s_axil_rdata_o,
  output logic [1:0]            s_axil_rresp_o,
  output logic                  s_axil_rvalid_o,
  input  logic                  s_axil_rready_i,

  output logic [3:0]            m_axi_awid_o,
  output logic [63:0]           m_axi_awaddr_o,
  output logic [7:0]            m_axi_awlen_o,
  output logic [2:0]            m_axi_awsize_o,
  output logic [1:0]            m_axi_awburst_o,
  output logic                  m_axi_awvalid_o,
  input  logic                  m_axi_awready_i,
  output logic [8*AxiBytes-1:0] m_axi_wdata_o,
  output logic [AxiBytes-1:0]   m_axi_wstrb_o,
  output logic                  m_axi_wlast_o,
  output logic                  m_axi_wvalid_o,
  input  logic                  m_axi_wready_i,
  input  logic [3:0]            m_axi_bid_i,
  input  logic [1:0]            m_axi_bresp_i,
  input  logic                  m_axi_bvalid_i,
  output logic                  m_axi_bready_o,
  output logic [3:0]            m_axi_arid_o,
  output logic [63:0]           m_axi_araddr_o,
  output logic [7:0]            m_axi_arlen_o,
  output logic [2:0]            m_axi_arsize_o,
  output logic [1:0]            m_axi_arburst_o,
  output logic                  m_axi_arvalid_o,
  input  logic                  m_axi_arready_i,
  input  logic [3:0]            m_axi_rid_i,
  input  logic [8*AxiBytes-1:0] m_axi_rdata_i,
  input  logic [1:0]            m_axi_rresp_i,
  input  logic                  m_axi_rlast_i,
  input  logic                  m_axi_rvalid_i,
  output logic                  m_axi_rready_o,

  input  logic                  msix_enable_i,
  input  logic                  msix_mask_i,
  output logic                  intx_o,

  input  logic [63:0]           xgmii_rxd_i,
  input  logic [7:0]            xgmii_rxc_i,
  output logic [63:0]           xgmii_txd_o,
  output logic [7:0]            xgmii_txc_o,
  input  logic                  link_up_i,

  output logic [virtio_pkg::NumTracePoints-1:0]    trace_valid_o,
  output logic [32*virtio_pkg::NumTracePoints-1:0] trace_tag_o
);

  localparam int unsigned TagWidth = TraceTags ? 32 : 1;

  if (StreamBytes != 8) $error("nic_top: XGMII carries 8 bytes a cycle, so StreamBytes must be 8");

  logic                core_idle, mac_idle;
  logic                rx_valid, rx_last, rx_error, rx_ready;
  logic [63:0]         rx_data;
  logic [7:0]          rx_keep;
  logic [TagWidth-1:0] rx_tag;
  logic                tx_valid, tx_last, tx_ready;
  logic [63:0]         tx_data;
  logic [7:0]          tx_keep;
  logic [31:0]         tx_tag;
  logic                congested, rx_pause, tx_pause;
  logic [2:0]          mac_control;
  logic [47:0]         mac;
  logic                rx_ok, rx_fcs_error, rx_undersize, rx_oversize, rx_code_error;
  logic                tx_ok, tx_underrun;
  logic [15:0]         rx_bytes, tx_bytes;
  logic                trace_rx_start, trace_tx_start, trace_tx_end;
  logic [TagWidth-1:0] trace_rx_start_tag, trace_tx_start_tag, trace_tx_end_tag;
  logic [virtio_pkg::NumTracePoints-1:0]    core_trace_valid;
  logic [32*virtio_pkg::NumTracePoints-1:0] core_trace_tag;

  assign idle_o = core_idle && mac_idle;

  nic_core #(
    .StreamBytes (StreamBytes),
    .AxiBytes    (AxiBytes),
    .QueuePairs  (QueuePairs),
    .ClockKhz    (ClockKhz),
    .LinkMbps    (LinkMbps),
    .RingMax     (RingMax),
    .RxStoreBytes(RxStoreBytes),
    .TxStoreBytes(TxStoreBytes),
    .MaxFrame    (MaxFrame),
    .Mac         (Mac),
    .TraceTags   (TraceTags)
  ) u_core (
    .clk_i              (clk_i),
    .rst_i              (rst_i),
    .now_i              (now_i),
    .idle_o             (core_idle),
    .next_deadline_o    (next_deadline_o),
    .s_axil_awaddr_i    (s_axil_awaddr_i),
    .s_axil_awvalid_i   (s_axil_awvalid_i),
    .s_axil_awready_o   (s_axil_awready_o),
    .s_axil_wdata_i     (s_axil_wdata_i),
    .s_axil_wstrb_i     (s_axil_wstrb_i),
    .s_axil_wvalid_i    (s_axil_wvalid_i),
    .s_axil_wready_o    (s_axil_wready_o),
    .s_axil_bresp_o     (s_axil_bresp_o),
    .s_axil_bvalid_o    (s_axil_bvalid_o),
    .s_axil_bready_i    (s_axil_bready_i),
    .s_axil_araddr_i    (s_axil_araddr_i),
    .s_axil_arvalid_i   (s_axil_arvalid_i),
    .s_axil_arready_o   (s_axil_arready_o),
    .s_axil_rdata_o     (s_axil_rdata_o),
    .s_axil_rresp_o     (s_axil_rresp_o),
    .s_axil_rvalid_o    (s_axil_rvalid_o),
    .s_axil_rready_i    (s_axil_rready_i),
    .m_axi_awid_o       (m_axi_awid_o),
    .m_axi_awaddr_o     (m_axi_awaddr_o),
    .m_axi_awlen_o      (m_axi_awlen_o),
    .m_axi_awsize_o     (m_axi_awsize_o),
    .m_axi_awburst_o    (m_axi_awburst_o),
    .m_axi_awvalid_o    (m_axi_awvalid_o),
    .m_axi_awready_i    (m_axi_awready_i),
    .m_axi_wdata_o      (m_axi_wdata_o),
    .m_axi_wstrb_o      (m_axi_wstrb_o),
    .m_axi_wlast_o      (m_axi_wlast_o),
    .m_axi_wvalid_o     (m_axi_wvalid_o),
    .m_axi_wready_i     (m_axi_wready_i),
    .m_axi_bid_i        (m_axi_bid_i),
    .m_axi_bresp_i      (m_axi_bresp_i),
    .m_axi_bvalid_i     (m_axi_bvalid_i),
    .m_axi_bready_o     (m_axi_bready_o),
    .m_axi_arid_o       (m_axi_arid_o),
    .m_axi_araddr_o     (m_axi_araddr_o),
    .m_axi_arlen_o      (m_axi_arlen_o),
    .m_axi_arsize_o     (m_axi_arsize_o),
    .m_axi_arburst_o    (m_axi_arburst_o),
    .m_axi_arvalid_o    (m_axi_arvalid_o),
    .m_axi_arready_i    (m_axi_arready_i),
    .m_axi_rid_i        (m_axi_rid_i),
    .m_axi_rdata_i      (m_axi_rdata_i),
    .m_axi_rresp_i      (m_axi_rresp_i),
    .m_axi_rlast_i      (m_axi_rlast_i),
    .m_axi_rvalid_i     (m_axi_rvalid_i),
    .m_axi_rready_o     (m_axi_rready_o),
    .msix_enable_i      (msix_enable_i),
    .msix_mask_i        (msix_mask_i),
    .intx_o             (intx_o),
    .s_axis_tvalid_i    (rx_valid),
    .s_axis_tready_o    (rx_ready),
    .s_axis_tdata_i     (rx_data),
    .s_axis_tkeep_i     (rx_keep),
    .s_axis_tlast_i     (rx_last),
    .s_axis_tuser_i     (rx_error),
    .s_axis_tag_i       (32'(rx_tag)),
    .m_axis_tvalid_o    (tx_valid),
    .m_axis_tready_i    (tx_ready),
    .m_axis_tdata_o     (tx_data),
    .m_axis_tkeep_o     (tx_keep),
    .m_axis_tlast_o     (tx_last),
    .m_axis_tag_o       (tx_tag),
    .link_up_i          (link_up_i),
    .mac_rx_ok_i        (rx_ok),
    .mac_rx_bytes_i     (rx_bytes),
    .mac_rx_fcs_error_i (rx_fcs_error),
    .mac_rx_undersize_i (rx_undersize),
    .mac_rx_oversize_i  (rx_oversize),
    .mac_rx_code_error_i(rx_code_error),
    .mac_tx_ok_i        (tx_ok),
    .mac_tx_bytes_i     (tx_bytes),
    .mac_tx_underrun_i  (tx_underrun),
    .mac_rx_pause_i     (rx_pause),
    .mac_tx_pause_i     (tx_pause),
    .mac_control_o      (mac_control),
    .mac_o              (mac),
    .congested_o        (congested),
    .trace_valid_o      (core_trace_valid),
    .trace_tag_o        (core_trace_tag)
  );

  mac_xgmii #(
    .TagWidth(TagWidth),
    .MaxFrame(MaxFrame)
  ) u_mac (
    .clk_i                 (clk_i),
    .rst_i                 (rst_i),
    .xgmii_rxd_i           (xgmii_rxd_i),
    .xgmii_rxc_i           (xgmii_rxc_i),
    .xgmii_txd_o           (xgmii_txd_o),
    .xgmii_txc_o           (xgmii_txc_o),
    .link_up_i             (link_up_i),
    .control_i             (mac_control),
    .mac_i                 (mac),
    .congested_i           (congested),
    .m_axis_tvalid_o       (rx_valid),
    .m_axis_tdata_o        (rx_data),
    .m_axis_tkeep_o        (rx_keep),
    .m_axis_tlast_o        (rx_last),
    .tuser_error_o         (rx_error),
    .tag_o                 (rx_tag),
    .s_axis_tvalid_i       (tx_valid),
    .s_axis_tready_o       (tx_ready),
    .s_axis_tdata_i        (tx_data),
    .s_axis_tkeep_i        (tx_keep),
    .s_axis_tlast_i        (tx_last),
    .tag_i                 (tx_tag[TagWidth-1:0]),
    .rx_ok_o               (rx_ok),
    .rx_bytes_o            (rx_bytes),
    .rx_fcs_error_o        (rx_fcs_error),
    .rx_undersize_o        (rx_undersize),
    .rx_oversize_o         (rx_oversize),
    .rx_code_error_o       (rx_code_error),
    .rx_pause_o            (rx_pause),
    .tx_ok_o               (tx_ok),
    .tx_bytes_o            (tx_bytes),
    .tx_underrun_o         (tx_underrun),
    .tx_pause_o            (tx_pause),
    .trace_rx_start_valid_o(trace_rx_start),
    .trace_rx_start_tag_o  (trace_rx_start_tag),
    .trace_tx_start_valid_o(trace_tx_start),
    .trace_tx_start_tag_o  (trace_tx_start_tag),
    .trace_tx_end_valid_o  (trace_tx_end),
    .trace_tx_end_tag_o    (trace_tx_end_tag),
    .idle_o                (mac_idle)
  );

  always_comb begin
    trace_valid_o = core_trace_valid;
    trace_valid_o[virtio_pkg::TraceMacRxStart] = trace_rx_start;
    trace_valid_o[virtio_pkg::TraceMacTxStart] = trace_tx_start;
    trace_valid_o[virtio_pkg::TraceMacTxEnd]   = trace_tx_end;
  end

  always_comb begin
    trace_tag_o = 'x;
    if (core_trace_valid != '0) trace_tag_o = core_trace_tag;
    trace_tag_o[32*virtio_pkg::TraceMacRxStart +: 32] = 32'(trace_rx_start_tag);
    trace_tag_o[32*virtio_pkg::TraceMacTxStart +: 32] = 32'(trace_tx_start_tag);
    trace_tag_o[32*virtio_pkg::TraceMacTxEnd +: 32]   = 32'(trace_tx_end_tag);
  end

  logic unused_bits;
  assign unused_bits = ^{rx_ready, tx_tag};

endmodule
