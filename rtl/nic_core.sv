// SPDX-License-Identifier: Apache-2.0
//
// The NIC without its MAC: a virtio network device with packed virtqueues between a host bus and a
// pair of packet streams. docs/architecture.md shows how the blocks lie.
//
//   s_axil_*       registers (AXI4-Lite, 32 bits), docs/registers.md
//   m_axi_*        DMA and interrupt messages (AXI4); m_axi_rready_o and m_axi_bready_o are always
//                  high, so the bus never waits for the NIC's room
//   s_axis_*       received frames without FCS. s_axis_tready_o is always high, as the wire cannot
//                  wait; tuser at tlast marks a frame that the MAC found bad; s_axis_tag_i is its id
//   m_axis_*       frames to send; tvalid and what goes with it stay until tready, and never fall
//                  within a frame
//   mac_*_i        what the MAC counts, a pulse each
//   mac_control_o  VendorControl, for the MAC: virtio_pkg::ControlBit*
//   mac_o          station address as the driver has set it, first byte on the wire in 47:40
//   congested_o    the receive store fills: a MAC may ask the other end to pause
//   now_i          time in clock cycles. The core counts none itself.
//   idle_o         nothing is in flight: with quiet inputs a clock edge changes no state
//   next_deadline_o  the time at which the core acts without being asked; all ones for never
//   trace_*        a bit and a 32-bit tag for each trace point of virtio_pkg; 0 for the MAC's
//
// No output depends on an input in the same cycle.
//
// Parameters: those of profiles.toml, and
//   Mac         station address, first byte on the wire first
//   TraceTags   0 removes the tags that follow frames through the core

module nic_core #(
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
  input  logic                     clk_i,
  input  logic                     rst_i,

  input  logic [63:0]              now_i,
  output logic                     idle_o,
  output logic [63:0]              next_deadline_o,

  input  logic [15:0]              s_axil_awaddr_i,
  input  logic                     s_axil_awvalid_i,
  output logic                     s_axil_awready_o,
  input  logic [31:0]              s_axil_wdata_i,
  input  logic [3:0]               s_axil_wstrb_i,
  input  logic                     s_axil_wvalid_i,
  output logic                     s_axil_wready_o,
  output logic [1:0]               s_axil_bresp_o,
  output logic                     s_axil_bvalid_o,
  input  logic                     s_axil_bready_i,
  input  logic [15:0]              s_axil_araddr_i,
  input  logic                     s_axil_arvalid_i,
  output logic                     s_axil_arready_o,
  output logic [31:0]              s_axil_rdata_o,
  output logic [1:0]               s_axil_rresp_o,
  output logic                     s_axil_rvalid_o,
  input  logic                     s_axil_rready_i,

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
  output logic [3:0]               m_axi_arid_o,
  output logic [63:0]              m_axi_araddr_o,
  output logic [7:0]               m_axi_arlen_o,
  output logic [2:0]               m_axi_arsize_o,
  output logic [1:0]               m_axi_arburst_o,
  output logic                     m_axi_arvalid_o,
  input  logic                     m_axi_arready_i,
  input  logic [3:0]               m_axi_rid_i,
  input  logic [8*AxiBytes-1:0]    m_axi_rdata_i,
  input  logic [1:0]               m_axi_rresp_i,
  input  logic                     m_axi_rlast_i,
  input  logic                     m_axi_rvalid_i,
  output logic                     m_axi_rready_o,

  input  logic                     msix_enable_i,
  input  logic                     msix_mask_i,
  output logic                     intx_o,

  input  logic                     s_axis_tvalid_i,
  output logic                     s_axis_tready_o,
  input  logic [8*StreamBytes-1:0] s_axis_tdata_i,
  input  logic [StreamBytes-1:0]   s_axis_tkeep_i,
  input  logic                     s_axis_tlast_i,
  input  logic                     s_axis_tuser_i,
  input  logic [31:0]              s_axis_tag_i,
  output logic                     m_axis_tvalid_o,
  input  logic                     m_axis_tready_i,
  output logic [8*StreamBytes-1:0] m_axis_tdata_o,
  output logic [StreamBytes-1:0]   m_axis_tkeep_o,
  output logic                     m_axis_tlast_o,
  output logic [31:0]              m_axis_tag_o,

  input  logic                     link_up_i,
  input  logic                     mac_rx_ok_i,
  input  logic [15:0]              mac_rx_bytes_i,
  input  logic                     mac_rx_fcs_error_i,
  input  logic                     mac_rx_undersize_i,
  input  logic                     mac_rx_oversize_i,
  input  logic                     mac_rx_code_error_i,
  input  logic                     mac_tx_ok_i,
  input  logic [15:0]              mac_tx_bytes_i,
  input  logic                     mac_tx_underrun_i,
  input  logic                     mac_rx_pause_i,
  input  logic                     mac_tx_pause_i,
  output logic [2:0]               mac_control_o,
  output logic [47:0]              mac_o,
  output logic                     congested_o,

  output logic [virtio_pkg::NumTracePoints-1:0]    trace_valid_o,
  output logic [32*virtio_pkg::NumTracePoints-1:0] trace_tag_o
);

  localparam int unsigned QueueWidth = (QueuePairs > 1) ? $clog2(QueuePairs) : 1;
  localparam int unsigned VqWidth    = $clog2(2 * QueuePairs);
  localparam int unsigned LenWidth   = nic_pkg::LenWidth;
  localparam int unsigned TagWidth   = TraceTags ? 32 : 1;

  // Clients of the AXI engines, in the order of their ids; the first ones are those of virtqueues:
  // descriptors and driver events; used elements of receive, those of transmit, device events.
  localparam int unsigned VqReaders   = 2;
  localparam int unsigned ReadDesc    = 0;
  localparam int unsigned ReadTxData  = 2;
  localparam int unsigned ReadCtrl    = 3;
  localparam int unsigned Readers     = 4;
  localparam int unsigned VqWriters   = 3;
  localparam int unsigned WriteRxUsed = 0;
  localparam int unsigned WriteTxUsed = 1;
  localparam int unsigned WriteMsix   = 3;
  localparam int unsigned WriteCtrl   = 4;
  localparam int unsigned Writers     = 5;

  ////////////////////
  // Host side      //
  ////////////////////

  logic [63:0]        features;
  logic               run, stop, hold, quiet, clear, rst;
  logic               en_valid, en_ready;
  logic [15:0]        en_queue, en_size;
  logic [63:0]        en_desc, en_driver, en_device;
  logic               kick_valid;
  logic [15:0]        kick_queue;
  logic               irq_valid, irq_ready;
  logic [15:0]        irq_queue, irq_sent_queue;
  logic               irq_sent;
  logic               err_valid;
  nic_pkg::vq_error_t err;
  logic [virtio_pkg::NumCounters-1:0] count;
  logic               msix_valid;
  logic [63:0]        msix_addr;
  logic [31:0]        msix_data;
  logic               host_idle;
  logic               qrst_valid, qrst_ready, qrst_quiet;
  logic               rx_qrst, tx_qrst, rx_qrst_quiet, tx_qrst_quiet, ctrl_qrst, ctrl_qrst_quiet;
  logic [15:0]        qrst_queue;
  logic               trace_irq_valid, trace_kick_valid;
  logic [15:0]        trace_irq_vector, trace_kick_queue;
  logic [Writers-1:0] sw_valid, sw_ready, sw_done, sw_error;

  host_regs #(
    .QueuePairs (QueuePairs),
    .StreamBytes(StreamBytes),
    .AxiBytes   (AxiBytes),
    .ClockKhz   (ClockKhz),
    .LinkMbps   (LinkMbps),
    .MaxFrame   (MaxFrame),
    .RingMax    (RingMax)
  ) u_host (
    .clk_i             (clk_i),
    .rst_i             (rst_i),
    .s_axil_awaddr_i, .s_axil_awvalid_i, .s_axil_awready_o, .s_axil_wdata_i, .s_axil_wstrb_i,
    .s_axil_wvalid_i, .s_axil_wready_o, .s_axil_bresp_o, .s_axil_bvalid_o, .s_axil_bready_i,
    .s_axil_araddr_i, .s_axil_arvalid_i, .s_axil_arready_o, .s_axil_rdata_o, .s_axil_rresp_o,
    .s_axil_rvalid_o, .s_axil_rready_i,
    .features_o        (features),
    .run_o             (run),
    .stop_o            (stop),
    .quiet_i           (quiet),
    .clear_o(clear), .cleared_i(ctrl_ready && stats_ready),
    .en_valid_o(en_valid), .en_ready_i(en_ready),
    .en_queue_o(en_queue), .en_desc_o(en_desc),
    .en_driver_o(en_driver), .en_device_o(en_device),
    .en_size_o         (en_size),
    .qrst_valid_o(qrst_valid), .qrst_ready_i(qrst_ready), .qrst_queue_o(qrst_queue),
    .kick_valid_o      (kick_valid),
    .kick_queue_o      (kick_queue),
    .irq_valid_i(irq_valid), .irq_ready_o(irq_ready), .irq_queue_i(irq_queue),
    .irq_sent_o(irq_sent), .irq_sent_queue_o(irq_sent_queue),
    .err_valid_i(err_valid), .err_i(err),
    .now_i             (now_i),
    .link_up_i         (link_up_i),
    .mac_i(mac), .mac_change_i(mac != mac_q),
    .vendor_control_o  (mac_control_o),
    .count_i           (count),
    .rx_bytes_valid_i  (mac_rx_ok_i),
    .rx_bytes_i        (mac_rx_bytes_i),
    .tx_bytes_valid_i  (mac_tx_ok_i),
    .tx_bytes_i        (mac_tx_bytes_i),
    .msix_enable_i     (msix_enable_i),
    .msix_mask_i       (msix_mask_i),
    .intx_o            (intx_o),
    .msix_wr_valid_o(msix_valid), .msix_wr_ready_i(sw_ready[WriteMsix]),
    .msix_wr_addr_o(msix_addr), .msix_wr_data_o(msix_data),
    .msix_wr_done_i(sw_done[WriteMsix]), .msix_wr_error_i(sw_error[WriteMsix]),
    .trace_irq_valid_o(trace_irq_valid), .trace_irq_vector_o(trace_irq_vector),
    .trace_kick_valid_o(trace_kick_valid), .trace_kick_queue_o(trace_kick_queue),
    .idle_o            (host_idle)
  );

  // A device reset forgets all of the datapath. Nothing is taken from a ring before DRIVER_OK.
  assign rst  = rst_i || clear;
  assign hold = stop || !run;

  // A queue that is reset belongs to one of three.
  assign ctrl_qrst  = qrst_valid && qrst_queue == 16'(2 * QueuePairs);
  assign rx_qrst    = qrst_valid && !qrst_queue[0] && !ctrl_qrst;
  assign tx_qrst    = qrst_valid && qrst_queue[0];
  assign qrst_quiet = ctrl_qrst ? ctrl_qrst_quiet : rx_qrst ? rx_qrst_quiet : tx_qrst_quiet;

  ////////////////////
  // AXI engines    //
  ////////////////////

  logic [Readers-1:0]            rd_valid, rd_ready, rsp_valid;
  logic [64*Readers-1:0]         rd_addr;
  logic [LenWidth*Readers-1:0]   rd_bytes;
  logic [8*AxiBytes-1:0]         rsp_data;
  logic                          rsp_last, rsp_error;
  logic                          fill_valid, fill_ready, fill_w_valid, fill_w_ready;
  logic                          fill_done, fill_error;
  logic [63:0]                   fill_addr;
  logic [LenWidth-1:0]           fill_bytes;
  logic [8*AxiBytes-1:0]         fill_w_data;
  logic [AxiBytes-1:0]           fill_w_strb;
  logic [64*Writers-1:0]         sw_addr;
  logic [8*AxiBytes*Writers-1:0] sw_data;
  logic [AxiBytes*Writers-1:0]   sw_strb;
  logic                          dma_idle;

  dma #(
    .AxiBytes(AxiBytes), .Readers(Readers), .Writers(Writers)
  ) u_dma (
    .clk_i(clk_i), .rst_i(rst),
    .idle_o(dma_idle),
    .rd_valid_i(rd_valid), .rd_ready_o(rd_ready), .rd_addr_i(rd_addr), .rd_bytes_i(rd_bytes),
    .rsp_valid_o(rsp_valid), .rsp_data_o(rsp_data), .rsp_last_o(rsp_last), .rsp_error_o(rsp_error),
    .wr_valid_i(fill_valid), .wr_ready_o(fill_ready),
    .wr_addr_i(fill_addr), .wr_bytes_i(fill_bytes),
    .w_valid_i(fill_w_valid), .w_ready_o(fill_w_ready),
    .w_data_i(fill_w_data), .w_strb_i(fill_w_strb),
    .done_o(fill_done), .error_o(fill_error),
    .sw_valid_i(sw_valid), .sw_ready_o(sw_ready), .sw_addr_i(sw_addr), .sw_data_i(sw_data),
    .sw_strb_i(sw_strb), .sw_done_o(sw_done), .sw_error_o(sw_error),
    .m_axi_awid_o, .m_axi_awaddr_o, .m_axi_awlen_o, .m_axi_awsize_o, .m_axi_awburst_o,
    .m_axi_awvalid_o, .m_axi_awready_i, .m_axi_wdata_o, .m_axi_wstrb_o, .m_axi_wlast_o,
    .m_axi_wvalid_o, .m_axi_wready_i, .m_axi_bid_i, .m_axi_bresp_i, .m_axi_bvalid_i,
    .m_axi_bready_o, .m_axi_arid_o, .m_axi_araddr_o, .m_axi_arlen_o, .m_axi_arsize_o,
    .m_axi_arburst_o, .m_axi_arvalid_o, .m_axi_arready_i, .m_axi_rid_i, .m_axi_rdata_i,
    .m_axi_rresp_i, .m_axi_rlast_i, .m_axi_rvalid_i, .m_axi_rready_o
  );

  // A message is 4 bytes: in every lane of the beat, written in the one of its address.
  assign sw_valid[WriteMsix]                            = msix_valid;
  assign sw_addr[64*WriteMsix +: 64]                    = msix_addr;
  assign sw_data[8*AxiBytes*WriteMsix +: 8*AxiBytes]    = {(AxiBytes / 4) {msix_data}};
  assign sw_strb[AxiBytes*WriteMsix +: AxiBytes]        =
      AxiBytes'(4'hF) << msix_addr[$clog2(AxiBytes)-1:0];

  ////////////////////
  // Virtqueues     //
  ////////////////////

  logic [QueuePairs-1:0] rx_avail, tx_avail;
  logic                  rx_en, rx_pop_valid, rx_desc_valid, rx_used_valid, rx_used_ready;
  logic                  tx_pop_valid, tx_desc_valid, tx_used_valid, tx_used_ready;
  logic                  hide, ctrl_avail, ctrl_pop, ctrl_desc_valid, ctrl_used_valid, ctrl_used_ready;
  logic [QueueWidth-1:0] rx_pop_queue, rx_used_queue, tx_pop_queue, tx_used_queue;
  nic_pkg::desc_t        rx_desc, tx_desc, ctrl_desc;
  logic [15:0]           rx_desc_index, tx_desc_index, ctrl_desc_index;
  nic_pkg::used_t        rx_used, tx_used, ctrl_used;
  logic [TagWidth-1:0]   rx_used_tag, tx_used_tag;
  logic                  vq_quiet, vq_rx_quiet, vq_idle, vq_err_valid;
  logic [63:0]           vq_deadline;
  nic_pkg::vq_error_t    vq_err;
  logic [1:0]            trace_used_valid, trace_visible_valid;
  logic [2*TagWidth-1:0] trace_used_tag, trace_visible_tag;

  virtqueues #(
    .QueuePairs(QueuePairs),
    .AxiBytes  (AxiBytes),
    .RingMax   (RingMax),
    .TagWidth  (TagWidth)
  ) u_virtqueues (
    .clk_i(clk_i), .rst_i(rst),
    .now_i(now_i), .deadline_o(vq_deadline),
    .stop_i(hold), .rx_quiet_o(vq_rx_quiet), .quiet_o(vq_quiet), .idle_o(vq_idle),
    .event_idx_i       (features[virtio_pkg::FeatureEventIdx]),
    .en_valid_i(en_valid), .en_ready_o(en_ready), .en_queue_i(en_queue), .en_desc_i(en_desc),
    .en_driver_i(en_driver), .en_device_i(en_device), .en_size_i(en_size), .rx_en_o(rx_en),
    .qrst_valid_i(qrst_valid), .qrst_quiet_i(qrst_quiet), .qrst_ready_o(qrst_ready),
    .qrst_queue_i(qrst_queue), .moderation_i(moderation),
    .kick_valid_i(kick_valid), .kick_queue_i(kick_queue),
    .hide_o(hide), .rx_avail_o(rx_avail),
    .rx_pop_valid_i(rx_pop_valid), .rx_pop_queue_i(rx_pop_queue),
    .rx_desc_valid_o(rx_desc_valid), .rx_desc_o(rx_desc), .rx_desc_index_o(rx_desc_index),
    .rx_used_valid_i(rx_used_valid), .rx_used_ready_o(rx_used_ready),
    .rx_used_queue_i(rx_used_queue), .rx_used_i(rx_used), .rx_used_tag_i(rx_used_tag),
    .tx_avail_o        (tx_avail),
    .tx_pop_valid_i(tx_pop_valid), .tx_pop_queue_i(tx_pop_queue),
    .tx_desc_valid_o(tx_desc_valid), .tx_desc_o(tx_desc), .tx_desc_index_o(tx_desc_index),
    .tx_used_valid_i(tx_used_valid), .tx_used_ready_o(tx_used_ready),
    .tx_used_queue_i(tx_used_queue), .tx_used_i(tx_used), .tx_used_tag_i(tx_used_tag),
    .ctrl_avail_o(ctrl_avail), .ctrl_pop_i(ctrl_pop),
    .ctrl_desc_valid_o(ctrl_desc_valid), .ctrl_desc_o(ctrl_desc),
    .ctrl_desc_index_o(ctrl_desc_index), .ctrl_used_valid_i(ctrl_used_valid),
    .ctrl_used_ready_o(ctrl_used_ready), .ctrl_used_i(ctrl_used),
    .irq_valid_o(irq_valid), .irq_ready_i(irq_ready), .irq_queue_o(irq_queue),
    .err_valid_o(vq_err_valid), .err_o(vq_err),
    .rd_valid_o(rd_valid[VqReaders-1:0]), .rd_ready_i(rd_ready[VqReaders-1:0]),
    .rd_addr_o(rd_addr[64*VqReaders-1:0]), .rd_bytes_o(rd_bytes[LenWidth*VqReaders-1:0]),
    .rsp_valid_i       (rsp_valid[VqReaders-1:0]),
    .rsp_data_i(rsp_data), .rsp_last_i(rsp_last), .rsp_error_i(rsp_error),
    .sw_valid_o(sw_valid[VqWriters-1:0]), .sw_ready_i(sw_ready[VqWriters-1:0]),
    .sw_addr_o(sw_addr[64*VqWriters-1:0]), .sw_data_o(sw_data[8*AxiBytes*VqWriters-1:0]),
    .sw_strb_o         (sw_strb[AxiBytes*VqWriters-1:0]),
    .sw_done_i(sw_done[VqWriters-1:0]), .sw_error_i(sw_error[VqWriters-1:0]),
    .trace_used_valid_o(trace_used_valid), .trace_used_tag_o(trace_used_tag),
    .trace_visible_valid_o(trace_visible_valid), .trace_visible_tag_o(trace_visible_tag)
  );

  ////////////////////
  // Control queue  //
  ////////////////////

  nic_pkg::rx_config_t  rx_config;
  nic_pkg::rx_table_t   rx_table;
  nic_pkg::moderation_t moderation;
  logic [47:0]          mac, mac_q;
  logic                 ctrl_quiet, ctrl_idle, ctrl_ready, ctrl_err_valid, ctrl_ok, ctrl_bad;
  logic                 announced, settle, judged, judged_ok, stat_valid, stat_done;
  logic [VqWidth-1:0]   stat_vq;
  logic [2:0]           stat_field;
  logic [63:0]          stat_value;
  logic [15:0]          settle_queue;
  nic_pkg::vq_error_t   ctrl_err;

  ctrl #(
    .AxiBytes(AxiBytes), .QueuePairs(QueuePairs), .ClockKhz(ClockKhz), .Mac(Mac)
  ) u_ctrl (
    .clk_i(clk_i), .rst_i(rst), .features_i(features), .stop_i(hold),
    .quiet_o(ctrl_quiet), .idle_o(ctrl_idle), .ready_o(ctrl_ready),
    .qrst_valid_i(ctrl_qrst), .qrst_quiet_o(ctrl_qrst_quiet),
    .avail_i(ctrl_avail), .pop_o(ctrl_pop), .desc_valid_i(ctrl_desc_valid),
    .desc_i(ctrl_desc), .desc_index_i(ctrl_desc_index),
    .used_valid_o(ctrl_used_valid), .used_ready_i(ctrl_used_ready), .used_o(ctrl_used),
    .req_valid_o(rd_valid[ReadCtrl]), .req_ready_i(rd_ready[ReadCtrl]),
    .req_addr_o     (rd_addr[64*ReadCtrl +: 64]),
    .req_bytes_o    (rd_bytes[LenWidth*ReadCtrl +: LenWidth]),
    .rsp_valid_i(rsp_valid[ReadCtrl]), .rsp_data_i(rsp_data), .rsp_error_i(rsp_error),
    .wr_valid_o(sw_valid[WriteCtrl]), .wr_ready_i(sw_ready[WriteCtrl]),
    .wr_addr_o      (sw_addr[64*WriteCtrl +: 64]),
    .wr_data_o      (sw_data[8*AxiBytes*WriteCtrl +: 8*AxiBytes]),
    .wr_strb_o      (sw_strb[AxiBytes*WriteCtrl +: AxiBytes]),
    .wr_done_i(sw_done[WriteCtrl]), .wr_error_i(sw_error[WriteCtrl]),
    .en_valid_i(en_valid && en_ready), .en_queue_i(en_queue),
    .dis_valid_i(qrst_valid && qrst_ready), .dis_queue_i(qrst_queue),
    .cfg_o(rx_config), .tbl_o(rx_table), .moderation_o(moderation), .mac_o(mac),
    .settle_o(settle), .settle_queue_o(settle_queue), .settled_i(!rx_qrst && rx_qrst_quiet),
    .announce_ack_o (announced),
    .rd_valid_o(stat_valid), .rd_vq_o(stat_vq), .rd_field_o(stat_field), .rd_done_i(stat_done),
    .rd_value_i(stat_value), .judged_o(judged), .judged_ok_o(judged_ok),
    .err_valid_o(ctrl_err_valid), .err_o(ctrl_err),
    .ok_o(ctrl_ok), .bad_o(ctrl_bad)
  );

  always_ff @(posedge clk_i) begin
    if (mac_q != mac) mac_q <= mac;
  end

  ////////////////////
  // Packets        //
  ////////////////////

  localparam int unsigned RxPoints = virtio_pkg::TraceRxWritten - virtio_pkg::TraceRxStart + 1;
  localparam int unsigned TxPoints = virtio_pkg::TraceTxEnd - virtio_pkg::TraceTxDescriptor + 1;

  logic                   rx_quiet, tx_quiet, packets_idle;
  logic                   rx_err_valid, tx_err_valid;
  nic_pkg::vq_error_t     rx_err, tx_err;
  logic                   drop_fifo, drop_disabled, drop_filter, drop_no_fit, drop_no_buffer;
  logic                   drop_reset, merged, csum_good, csum_bad, delivered, drop_bad;
  logic [63:0]            rx_deadline;
  logic                   tx_csum, tx_tso, tx_segment, given_up, tx_sent;
  logic [QueueWidth-1:0]  given_up_queue, tx_sent_queue, tx_drop_queue;
  logic [15:0]            delivered_bytes, tx_sent_bytes;
  logic [TagWidth-1:0]    tx_tag;
  logic [RxPoints-1:0]    rx_trace_valid;
  logic [32*RxPoints-1:0] rx_trace_tag;
  logic [TxPoints-1:0]    tx_trace_valid;
  logic [32*TxPoints-1:0] tx_trace_tag;

  assign mac_o           = mac;
  assign s_axis_tready_o = 1'b1;
  assign m_axis_tag_o    = 32'(tx_tag);

  nic_packets #(
    .StreamBytes(StreamBytes), .AxiBytes(AxiBytes), .QueuePairs(QueuePairs),
    .RxStoreBytes(RxStoreBytes), .TxStoreBytes(TxStoreBytes), .MaxFrame(MaxFrame),
    .TagWidth(TagWidth)
  ) u_packets (
    .clk_i, .rst_i, .clear_i(clear), .run_i(run), .stop_i(stop), .engine_quiet_i(vq_rx_quiet),
    .features_i(features), .cfg_i(rx_config), .tbl_i(rx_table), .now_i, .deadline_o(rx_deadline),
    .rx_quiet_o(rx_quiet), .tx_quiet_o(tx_quiet), .idle_o(packets_idle), .s_axis_tvalid_i,
    .s_axis_tdata_i, .s_axis_tkeep_i, .s_axis_tlast_i, .s_axis_tuser_i,
    .s_axis_tag_i(s_axis_tag_i[TagWidth-1:0]), .congested_o, .m_axis_tvalid_o, .m_axis_tready_i,
    .m_axis_tdata_o, .m_axis_tkeep_o, .m_axis_tlast_o, .m_axis_tag_o(tx_tag),
    .size_valid_i(rx_en), .size_queue_i(en_queue[1 +: QueueWidth]), .size_i(en_size),
    .rx_qrst_i(rx_qrst), .rx_qrst_quiet_o(rx_qrst_quiet), .tx_qrst_i(tx_qrst),
    .tx_qrst_quiet_o(tx_qrst_quiet), .qrst_ready_i(qrst_ready),
    .qrst_pair_i(qrst_queue[1 +: QueueWidth]), .settle_i(settle),
    .settle_queue_i(settle_queue[QueueWidth-1:0]), .rx_avail_i(rx_avail), .hide_i(hide),
    .rx_pop_valid_o(rx_pop_valid), .rx_pop_queue_o(rx_pop_queue), .rx_desc_valid_i(rx_desc_valid),
    .rx_desc_i(rx_desc), .rx_desc_index_i(rx_desc_index), .rx_used_valid_o(rx_used_valid),
    .rx_used_ready_i(rx_used_ready), .rx_used_queue_o(rx_used_queue), .rx_used_o(rx_used),
    .rx_used_tag_o(rx_used_tag), .tx_avail_i(tx_avail), .tx_pop_valid_o(tx_pop_valid),
    .tx_pop_queue_o(tx_pop_queue), .tx_desc_valid_i(tx_desc_valid), .tx_desc_i(tx_desc),
    .tx_desc_index_i(tx_desc_index), .tx_used_valid_o(tx_used_valid),
    .tx_used_ready_i(tx_used_ready), .tx_used_queue_o(tx_used_queue), .tx_used_o(tx_used),
    .tx_used_tag_o(tx_used_tag), .fill_valid_o(fill_valid), .fill_ready_i(fill_ready),
    .fill_addr_o(fill_addr), .fill_bytes_o(fill_bytes), .fill_w_valid_o(fill_w_valid),
    .fill_w_ready_i(fill_w_ready), .fill_w_data_o(fill_w_data), .fill_w_strb_o(fill_w_strb),
    .fill_done_i(fill_done), .fill_error_i(fill_error), .rd_valid_o(rd_valid[ReadTxData]),
    .rd_ready_i(rd_ready[ReadTxData]), .rd_addr_o(rd_addr[64*ReadTxData +: 64]),
    .rd_bytes_o(rd_bytes[LenWidth*ReadTxData +: LenWidth]), .rsp_valid_i(rsp_valid[ReadTxData]),
    .rsp_data_i(rsp_data), .rsp_last_i(rsp_last), .rsp_error_i(rsp_error),
    .rx_err_valid_o(rx_err_valid), .rx_err_o(rx_err), .tx_err_valid_o(tx_err_valid),
    .tx_err_o(tx_err), .drop_fifo_o(drop_fifo), .drop_disabled_o(drop_disabled),
    .drop_filter_o(drop_filter), .drop_no_fit_o(drop_no_fit), .drop_no_buffer_o(drop_no_buffer),
    .drop_reset_o(drop_reset), .merged_o(merged), .delivered_o(delivered),
    .delivered_bytes_o(delivered_bytes), .given_up_o(given_up),
    .given_up_queue_o(given_up_queue), .tx_sent_o(tx_sent),
    .tx_sent_queue_o(tx_sent_queue), .tx_sent_bytes_o(tx_sent_bytes),
    .tx_drop_queue_o(tx_drop_queue),
    .csum_good_o(csum_good), .csum_bad_o(csum_bad), .tx_drop_bad_o(drop_bad), .tx_csum_o(tx_csum),
    .tx_tso_o(tx_tso), .tx_segment_o(tx_segment), .rx_trace_valid_o(rx_trace_valid),
    .rx_trace_tag_o(rx_trace_tag), .tx_trace_valid_o(tx_trace_valid),
    .tx_trace_tag_o(tx_trace_tag)
  );

  ////////////////////
  // Errors, states //
  ////////////////////

  // The first error is recorded and stops everything; which one goes first of those that come in
  // one cycle does not matter.
  assign err_valid = vq_err_valid || rx_err_valid || tx_err_valid || ctrl_err_valid;

  always_comb begin
    err = ctrl_err;
    if (tx_err_valid) err = tx_err;
    if (rx_err_valid) err = rx_err;
    if (vq_err_valid) err = vq_err;
  end

  assign quiet  = vq_quiet && rx_quiet && tx_quiet && ctrl_quiet && dma_idle;
  always_comb begin
    idle_o = 1'b0;
    if (packets_idle && dma_idle && stats_idle && mac == mac_q) begin
      idle_o = host_idle && vq_idle && ctrl_idle;
    end
  end

  assign next_deadline_o = (vq_deadline < rx_deadline) ? vq_deadline : rx_deadline;

  // Most cycles count nothing, so that simulation looks at this alone.
  logic desc_read, used_write, counts;
  assign desc_read  = rd_valid[ReadDesc] && rd_ready[ReadDesc];
  assign used_write = (sw_valid[WriteRxUsed] && sw_ready[WriteRxUsed]) ||
                      (sw_valid[WriteTxUsed] && sw_ready[WriteTxUsed]);
  assign counts = desc_read || used_write || mac_rx_ok_i || mac_rx_fcs_error_i || mac_rx_undersize_i
                  || mac_rx_oversize_i || mac_rx_code_error_i || drop_fifo || drop_disabled ||
                  drop_no_fit || drop_reset || drop_filter || drop_no_buffer || csum_good ||
                  csum_bad || merged || delivered || mac_tx_ok_i || drop_bad || tx_csum || tx_tso ||
                  tx_segment || mac_tx_underrun_i || mac_rx_pause_i || mac_tx_pause_i || ctrl_ok ||
                  ctrl_bad;

  always_comb begin
    count = '0;
    if (counts) begin
      count[virtio_pkg::CounterRxFrames]       = mac_rx_ok_i;
      count[virtio_pkg::CounterRxFcsErrors]    = mac_rx_fcs_error_i;
      count[virtio_pkg::CounterRxUndersize]    = mac_rx_undersize_i;
      count[virtio_pkg::CounterRxOversize]     = mac_rx_oversize_i;
      count[virtio_pkg::CounterRxCodeErrors]   = mac_rx_code_error_i;
      count[virtio_pkg::CounterRxDropFifo]     = drop_fifo;
      count[virtio_pkg::CounterRxDropDisabled] = drop_disabled;
      count[virtio_pkg::CounterRxDropNoFit]    = drop_no_fit;
      count[virtio_pkg::CounterRxDropReset]    = drop_reset;
      count[virtio_pkg::CounterRxDropFilter]   = drop_filter;
      count[virtio_pkg::CounterRxDropNoBuffer] = drop_no_buffer;
      count[virtio_pkg::CounterRxCsumGood]     = csum_good;
      count[virtio_pkg::CounterRxCsumBad]      = csum_bad;
      count[virtio_pkg::CounterRxLroMerged]    = merged;
      count[virtio_pkg::CounterRxDelivered]    = delivered;
      count[virtio_pkg::CounterTxFrames]       = mac_tx_ok_i;
      count[virtio_pkg::CounterTxDropBad]      = drop_bad;
      count[virtio_pkg::CounterTxCsum]         = tx_csum;
      count[virtio_pkg::CounterTxTso]          = tx_tso;
      count[virtio_pkg::CounterTxSegments]     = tx_segment;
      count[virtio_pkg::CounterTxUnderrun]     = mac_tx_underrun_i;
      count[virtio_pkg::CounterRxPause]        = mac_rx_pause_i;
      count[virtio_pkg::CounterTxPause]        = mac_tx_pause_i;
      count[virtio_pkg::CounterCtrlCommands]   = ctrl_ok;
      count[virtio_pkg::CounterCtrlErrors]     = ctrl_bad;
      count[virtio_pkg::CounterDescReads]      = desc_read;
      count[virtio_pkg::CounterUsedWrites]     = used_write;
    end
  end

  // Where one pair is in use, a frame for which the store has no room could only have gone there.
  logic stats_ready, stats_idle;

  device_stats #(
    .QueuePairs(QueuePairs)
  ) u_stats (
    .clk_i(clk_i), .rst_i(rst), .ready_o(stats_ready), .idle_o(stats_idle),
    .rx_valid_i(delivered), .rx_queue_i(rx_used_queue), .rx_bytes_i(delivered_bytes),
    .rx_drop_i(given_up), .rx_dry_i(drop_no_buffer), .rx_drop_queue_i(given_up_queue),
    .rx_lost_i(drop_fifo && rx_config.pairs == 16'd1), .rx_lost_dry_i(!rx_avail[0]),
    .tx_valid_i(tx_sent), .tx_queue_i(tx_sent_queue), .tx_bytes_i(tx_sent_bytes),
    .tx_drop_i(drop_bad), .tx_drop_queue_i(tx_drop_queue),
    .kick_valid_i(kick_valid), .kick_queue_i(kick_queue),
    .irq_valid_i(irq_sent), .irq_queue_i(irq_sent_queue),
    .ctrl_valid_i(judged), .ctrl_good_i(judged_ok),
    .rd_valid_i(stat_valid), .rd_vq_i(stat_vq), .rd_field_i(stat_field),
    .rd_done_o(stat_done), .rd_value_o(stat_value)
  );

  ////////////////////
  // Trace          //
  ////////////////////

  logic [QueueWidth-1:0] tx_popped_q;  // queue of the descriptor that comes now

  always_ff @(posedge clk_i) begin
    if (tx_pop_valid) tx_popped_q <= tx_pop_queue;
  end

  nic_trace #(
    .TagWidth(TagWidth)
  ) u_trace (
    .rx_valid_i(rx_trace_valid), .rx_tag_i(rx_trace_tag),
    .tx_valid_i(tx_trace_valid), .tx_tag_i(tx_trace_tag),
    .used_valid_i(trace_used_valid), .used_tag_i(trace_used_tag),
    .visible_valid_i(trace_visible_valid), .visible_tag_i(trace_visible_tag),
    .rx_queue_valid_i(rx_used_valid && rx_used_ready && rx_used.first),
    .rx_queue_i(16'({rx_used_queue, 1'b0})), .tx_queue_i(16'({tx_popped_q, 1'b1})),
    .kick_valid_i(trace_kick_valid), .kick_queue_i(trace_kick_queue),
    .irq_valid_i(trace_irq_valid), .irq_vector_i(trace_irq_vector),
    .trace_valid_o, .trace_tag_o
  );

  logic unused_bits;
  assign unused_bits = ^{en_queue, kick_queue, s_axis_tag_i, announced, settle_queue};

endmodule
