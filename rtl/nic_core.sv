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

  output logic [virtio_pkg::NumTracePoints-1:0]    trace_valid_o,
  output logic [32*virtio_pkg::NumTracePoints-1:0] trace_tag_o
);

  localparam int unsigned QueueWidth = (QueuePairs > 1) ? $clog2(QueuePairs) : 1;
  localparam int unsigned LenWidth   = nic_pkg::LenWidth;
  localparam int unsigned TagWidth   = TraceTags ? 32 : 1;
  localparam int unsigned FcsBytes   = 4;

  // Clients of the AXI engines, in the order of their ids.
  localparam int unsigned ReadRxDesc  = 0;
  localparam int unsigned ReadRxEvent = 1;
  localparam int unsigned ReadTxDesc  = 2;
  localparam int unsigned ReadTxEvent = 3;
  localparam int unsigned ReadTxData  = 4;
  localparam int unsigned Readers     = 5;
  localparam int unsigned WriteRxUsed  = 0;
  localparam int unsigned WriteRxEvent = 1;
  localparam int unsigned WriteTxUsed  = 2;
  localparam int unsigned WriteTxEvent = 3;
  localparam int unsigned WriteMsix    = 4;
  localparam int unsigned Writers      = 5;

  // Index 0 is the receive engine and 1 the transmit engine wherever both stand side by side.
  localparam int unsigned Rx = 0;
  localparam int unsigned Tx = 1;

  ////////////////////
  // Host side      //
  ////////////////////

  logic [63:0]        features;
  logic               run, stop, hold, quiet, clear, rst;
  logic               en_valid, en_ready;
  logic [1:0]         engine_en_ready;
  logic [15:0]        en_queue, en_size;
  logic [63:0]        en_desc, en_driver, en_device;
  logic               kick_valid;
  logic [15:0]        kick_queue;
  logic [1:0]         irq_valid, irq_ready;
  logic [31:0]        irq_queue;
  logic               err_valid;
  nic_pkg::vq_error_t err;
  logic [virtio_pkg::NumCounters-1:0] count;
  logic               msix_valid;
  logic [63:0]        msix_addr;
  logic [31:0]        msix_data;
  logic               host_idle;
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
    .RingMax    (RingMax),
    .Mac        (Mac)
  ) u_host (
    .clk_i             (clk_i),
    .rst_i             (rst_i),
    .s_axil_awaddr_i(s_axil_awaddr_i), .s_axil_awvalid_i(s_axil_awvalid_i),
    .s_axil_awready_o(s_axil_awready_o), .s_axil_wdata_i(s_axil_wdata_i),
    .s_axil_wstrb_i(s_axil_wstrb_i), .s_axil_wvalid_i(s_axil_wvalid_i),
    .s_axil_wready_o(s_axil_wready_o), .s_axil_bresp_o(s_axil_bresp_o),
    .s_axil_bvalid_o(s_axil_bvalid_o), .s_axil_bready_i(s_axil_bready_i),
    .s_axil_araddr_i(s_axil_araddr_i), .s_axil_arvalid_i(s_axil_arvalid_i),
    .s_axil_arready_o(s_axil_arready_o), .s_axil_rdata_o(s_axil_rdata_o),
    .s_axil_rresp_o(s_axil_rresp_o), .s_axil_rvalid_o(s_axil_rvalid_o),
    .s_axil_rready_i   (s_axil_rready_i),
    .features_o        (features),
    .run_o             (run),
    .stop_o            (stop),
    .quiet_i           (quiet),
    .clear_o           (clear),
    .en_valid_o(en_valid), .en_ready_i(en_ready),
    .en_queue_o(en_queue), .en_desc_o(en_desc),
    .en_driver_o(en_driver), .en_device_o(en_device),
    .en_size_o         (en_size),
    .kick_valid_o      (kick_valid),
    .kick_queue_o      (kick_queue),
    .irq_valid_i       (irq_valid),
    .irq_ready_o       (irq_ready),
    .irq_queue_i       (irq_queue),
    .err_valid_i(err_valid), .err_i(err),
    .now_i             (now_i),
    .link_up_i         (link_up_i),
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
  assign rst      = rst_i || clear;
  assign hold     = stop || !run;
  assign en_ready = engine_en_ready[en_queue[0]];

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
  logic                          read_idle, write_idle;

  axi_read #(
    .AxiBytes(AxiBytes),
    .Clients (Readers)
  ) u_read (
    .clk_i          (clk_i),
    .rst_i          (rst),
    .idle_o         (read_idle),
    .req_valid_i(rd_valid), .req_ready_o(rd_ready),
    .req_addr_i(rd_addr), .req_bytes_i(rd_bytes),
    .rsp_valid_o    (rsp_valid),
    .rsp_data_o     (rsp_data),
    .rsp_last_o     (rsp_last),
    .rsp_error_o    (rsp_error),
    .m_axi_arid_o(m_axi_arid_o), .m_axi_araddr_o(m_axi_araddr_o),
    .m_axi_arlen_o(m_axi_arlen_o), .m_axi_arsize_o(m_axi_arsize_o),
    .m_axi_arburst_o(m_axi_arburst_o), .m_axi_arvalid_o(m_axi_arvalid_o),
    .m_axi_arready_i(m_axi_arready_i), .m_axi_rid_i(m_axi_rid_i),
    .m_axi_rdata_i(m_axi_rdata_i), .m_axi_rresp_i(m_axi_rresp_i),
    .m_axi_rlast_i(m_axi_rlast_i), .m_axi_rvalid_i(m_axi_rvalid_i),
    .m_axi_rready_o (m_axi_rready_o)
  );

  axi_write #(
    .AxiBytes(AxiBytes),
    .Small   (Writers)
  ) u_write (
    .clk_i          (clk_i),
    .rst_i          (rst),
    .idle_o         (write_idle),
    .req_valid_i(fill_valid), .req_ready_o(fill_ready),
    .req_addr_i(fill_addr), .req_bytes_i(fill_bytes),
    .w_valid_i(fill_w_valid), .w_ready_o(fill_w_ready),
    .w_data_i(fill_w_data), .w_strb_i(fill_w_strb),
    .done_o         (fill_done),
    .error_o        (fill_error),
    .sw_valid_i     (sw_valid),
    .sw_ready_o     (sw_ready),
    .sw_addr_i      (sw_addr),
    .sw_data_i      (sw_data),
    .sw_strb_i      (sw_strb),
    .sw_done_o      (sw_done),
    .sw_error_o     (sw_error),
    .m_axi_awid_o(m_axi_awid_o), .m_axi_awaddr_o(m_axi_awaddr_o),
    .m_axi_awlen_o(m_axi_awlen_o), .m_axi_awsize_o(m_axi_awsize_o),
    .m_axi_awburst_o(m_axi_awburst_o), .m_axi_awvalid_o(m_axi_awvalid_o),
    .m_axi_awready_i(m_axi_awready_i), .m_axi_wdata_o(m_axi_wdata_o),
    .m_axi_wstrb_o(m_axi_wstrb_o), .m_axi_wlast_o(m_axi_wlast_o),
    .m_axi_wvalid_o(m_axi_wvalid_o), .m_axi_wready_i(m_axi_wready_i),
    .m_axi_bid_i(m_axi_bid_i), .m_axi_bresp_i(m_axi_bresp_i),
    .m_axi_bvalid_i(m_axi_bvalid_i), .m_axi_bready_o(m_axi_bready_o)
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

  localparam int unsigned DescWidth = nic_pkg::DescWidth;
  localparam int unsigned UsedWidth = nic_pkg::UsedWidth;
  localparam int unsigned ErrWidth  = nic_pkg::ErrorWidth;

  logic [2*QueuePairs-1:0] avail;
  logic [1:0]              pop_valid, desc_valid, used_valid, used_ready;
  logic [2*QueueWidth-1:0] pop_queue, used_queue, engine_irq_queue;
  logic [2*DescWidth-1:0]  desc;
  logic [2*16-1:0]         desc_index;
  logic [2*UsedWidth-1:0]  used;
  logic [2*TagWidth-1:0]   used_tag, trace_used_tag, trace_visible_tag;
  logic [1:0]              engine_quiet, engine_idle, engine_err_valid;
  logic [1:0]              trace_used_valid, trace_visible_valid;
  logic [2*ErrWidth-1:0]   engine_err;

  for (genvar d = 0; d < 2; d++) begin : g_queues
    localparam int unsigned ReadDesc   = (d == Rx) ? ReadRxDesc : ReadTxDesc;
    localparam int unsigned ReadEvent  = (d == Rx) ? ReadRxEvent : ReadTxEvent;
    localparam int unsigned WriteUsed  = (d == Rx) ? WriteRxUsed : WriteTxUsed;
    localparam int unsigned WriteEvent = (d == Rx) ? WriteRxEvent : WriteTxEvent;

    // Virtqueue 2n receives and 2n + 1 transmits (virtio 1.2, 5.1.2).
    vq_engine #(
      .Queues      (QueuePairs),
      .AxiBytes    (AxiBytes),
      .DeviceWrites(d == Rx),
      .StrictChains(1'b1),
      .RingMax     (RingMax),
      .TagWidth    (TagWidth)
    ) u_engine (
      .clk_i                (clk_i),
      .rst_i                (rst),
      .stop_i               (hold),
      .quiet_o              (engine_quiet[d]),
      .idle_o               (engine_idle[d]),
      .event_idx_i          (features[virtio_pkg::FeatureEventIdx]),
      .en_valid_i           (en_valid && en_queue[0] == 1'(d)),
      .en_ready_o           (engine_en_ready[d]),
      .en_queue_i           (en_queue[1 +: QueueWidth]),
      .en_desc_i            (en_desc),
      .en_driver_i          (en_driver),
      .en_device_i          (en_device),
      .en_size_i            (en_size),
      .kick_valid_i         (kick_valid && kick_queue[0] == 1'(d)),
      .kick_queue_i         (kick_queue[1 +: QueueWidth]),
      .avail_o              (avail[QueuePairs*d +: QueuePairs]),
      .pop_valid_i          (pop_valid[d]),
      .pop_queue_i          (pop_queue[QueueWidth*d +: QueueWidth]),
      .desc_valid_o         (desc_valid[d]),
      .desc_o               (desc[DescWidth*d +: DescWidth]),
      .desc_index_o         (desc_index[16*d +: 16]),
      .used_valid_i         (used_valid[d]),
      .used_ready_o         (used_ready[d]),
      .used_queue_i         (used_queue[QueueWidth*d +: QueueWidth]),
      .used_i               (used[UsedWidth*d +: UsedWidth]),
      .used_tag_i           (used_tag[TagWidth*d +: TagWidth]),
      .irq_valid_o          (irq_valid[d]),
      .irq_ready_i          (irq_ready[d]),
      .irq_queue_o          (engine_irq_queue[QueueWidth*d +: QueueWidth]),
      .err_valid_o          (engine_err_valid[d]),
      .err_o                (engine_err[ErrWidth*d +: ErrWidth]),
      .drd_req_valid_o      (rd_valid[ReadDesc]),
      .drd_req_ready_i      (rd_ready[ReadDesc]),
      .drd_req_addr_o       (rd_addr[64*ReadDesc +: 64]),
      .drd_req_bytes_o      (rd_bytes[LenWidth*ReadDesc +: LenWidth]),
      .drd_rsp_valid_i      (rsp_valid[ReadDesc]),
      .erd_req_valid_o      (rd_valid[ReadEvent]),
      .erd_req_ready_i      (rd_ready[ReadEvent]),
      .erd_req_addr_o       (rd_addr[64*ReadEvent +: 64]),
      .erd_req_bytes_o      (rd_bytes[LenWidth*ReadEvent +: LenWidth]),
      .erd_rsp_valid_i      (rsp_valid[ReadEvent]),
      .rsp_data_i           (rsp_data),
      .rsp_last_i           (rsp_last),
      .rsp_error_i          (rsp_error),
      .uwr_valid_o          (sw_valid[WriteUsed]),
      .uwr_ready_i          (sw_ready[WriteUsed]),
      .uwr_addr_o           (sw_addr[64*WriteUsed +: 64]),
      .uwr_data_o           (sw_data[8*AxiBytes*WriteUsed +: 8*AxiBytes]),
      .uwr_strb_o           (sw_strb[AxiBytes*WriteUsed +: AxiBytes]),
      .uwr_done_i           (sw_done[WriteUsed]),
      .uwr_error_i          (sw_error[WriteUsed]),
      .dwr_valid_o          (sw_valid[WriteEvent]),
      .dwr_ready_i          (sw_ready[WriteEvent]),
      .dwr_addr_o           (sw_addr[64*WriteEvent +: 64]),
      .dwr_data_o           (sw_data[8*AxiBytes*WriteEvent +: 8*AxiBytes]),
      .dwr_strb_o           (sw_strb[AxiBytes*WriteEvent +: AxiBytes]),
      .dwr_done_i           (sw_done[WriteEvent]),
      .dwr_error_i          (sw_error[WriteEvent]),
      .trace_used_valid_o   (trace_used_valid[d]),
      .trace_used_tag_o     (trace_used_tag[TagWidth*d +: TagWidth]),
      .trace_visible_valid_o(trace_visible_valid[d]),
      .trace_visible_tag_o  (trace_visible_tag[TagWidth*d +: TagWidth])
    );

    assign irq_queue[16*d +: 16] =
        {(15)'(engine_irq_queue[QueueWidth*d +: QueueWidth]), 1'(d)};
  end

  ////////////////////
  // Packets        //
  ////////////////////

  localparam int unsigned RxPoints = virtio_pkg::TraceRxWritten - virtio_pkg::TraceRxStart + 1;
  localparam int unsigned TxPoints = virtio_pkg::TraceTxEnd - virtio_pkg::TraceTxDescriptor + 1;

  logic                   rx_quiet, rx_idle, tx_quiet, tx_idle;
  logic                   rx_err_valid, tx_err_valid;
  nic_pkg::vq_error_t     rx_err, tx_err;
  logic                   drop_fifo, drop_disabled, drop_no_fit, drop_reset, delivered, drop_bad;
  logic [TagWidth-1:0]    tx_tag;
  logic [RxPoints-1:0]    rx_trace_valid;
  logic [32*RxPoints-1:0] rx_trace_tag;
  logic [TxPoints-1:0]    tx_trace_valid;
  logic [32*TxPoints-1:0] tx_trace_tag;

  assign s_axis_tready_o = 1'b1;
  assign m_axis_tag_o    = 32'(tx_tag);

  rx_path #(
    .StreamBytes(StreamBytes),
    .AxiBytes   (AxiBytes),
    .Queues     (QueuePairs),
    .StoreBytes (RxStoreBytes),
    .TagWidth   (TagWidth)
  ) u_rx (
    .clk_i(clk_i), .rst_i(rst_i), .clear_i(clear),
    .run_i          (run),
    .stop_i         (stop),
    .engine_quiet_i (engine_quiet[Rx]),
    .mrg_rxbuf_i    (features[virtio_pkg::FeatureMrgRxbuf]),
    .quiet_o        (rx_quiet),
    .idle_o         (rx_idle),
    .s_axis_tvalid_i(s_axis_tvalid_i), .s_axis_tdata_i(s_axis_tdata_i),
    .s_axis_tkeep_i(s_axis_tkeep_i), .s_axis_tlast_i(s_axis_tlast_i),
    .s_axis_tuser_i (s_axis_tuser_i),
    .s_axis_tag_i   (s_axis_tag_i[TagWidth-1:0]),
    .size_valid_i   (en_valid && en_ready && !en_queue[0]),
    .size_queue_i   (en_queue[1 +: QueueWidth]),
    .size_i         (en_size),
    .avail_i        (avail[QueuePairs*Rx +: QueuePairs]),
    .pop_valid_o    (pop_valid[Rx]),
    .pop_queue_o    (pop_queue[QueueWidth*Rx +: QueueWidth]),
    .desc_valid_i   (desc_valid[Rx]),
    .desc_i         (desc[DescWidth*Rx +: DescWidth]),
    .desc_index_i   (desc_index[16*Rx +: 16]),
    .req_valid_o(fill_valid), .req_ready_i(fill_ready),
    .req_addr_o(fill_addr), .req_bytes_o(fill_bytes),
    .w_valid_o(fill_w_valid), .w_ready_i(fill_w_ready),
    .w_data_o(fill_w_data), .w_strb_o(fill_w_strb),
    .done_i         (fill_done),
    .error_i        (fill_error),
    .used_valid_o   (used_valid[Rx]),
    .used_ready_i   (used_ready[Rx]),
    .used_queue_o   (used_queue[QueueWidth*Rx +: QueueWidth]),
    .used_o         (used[UsedWidth*Rx +: UsedWidth]),
    .used_tag_o     (used_tag[TagWidth*Rx +: TagWidth]),
    .err_valid_o(rx_err_valid), .err_o(rx_err),
    .drop_fifo_o    (drop_fifo),
    .drop_disabled_o(drop_disabled),
    .drop_no_fit_o  (drop_no_fit),
    .drop_reset_o   (drop_reset),
    .delivered_o    (delivered),
    .trace_valid_o(rx_trace_valid), .trace_tag_o(rx_trace_tag)
  );

  tx_path #(
    .StreamBytes(StreamBytes),
    .AxiBytes   (AxiBytes),
    .Queues     (QueuePairs),
    .StoreBytes (TxStoreBytes),
    .MaxFrame   (MaxFrame - FcsBytes),
    .TagWidth   (TagWidth)
  ) u_tx (
    .clk_i          (clk_i),
    .rst_i          (rst),
    .stop_i         (hold),
    .quiet_o        (tx_quiet),
    .idle_o         (tx_idle),
    .avail_i        (avail[QueuePairs*Tx +: QueuePairs]),
    .pop_valid_o    (pop_valid[Tx]),
    .pop_queue_o    (pop_queue[QueueWidth*Tx +: QueueWidth]),
    .desc_valid_i   (desc_valid[Tx]),
    .desc_i         (desc[DescWidth*Tx +: DescWidth]),
    .desc_index_i   (desc_index[16*Tx +: 16]),
    .req_valid_o(rd_valid[ReadTxData]), .req_ready_i(rd_ready[ReadTxData]),
    .req_addr_o     (rd_addr[64*ReadTxData +: 64]),
    .req_bytes_o    (rd_bytes[LenWidth*ReadTxData +: LenWidth]),
    .rsp_valid_i    (rsp_valid[ReadTxData]),
    .rsp_data_i     (rsp_data),
    .rsp_last_i     (rsp_last),
    .rsp_error_i    (rsp_error),
    .used_valid_o   (used_valid[Tx]),
    .used_ready_i   (used_ready[Tx]),
    .used_queue_o   (used_queue[QueueWidth*Tx +: QueueWidth]),
    .used_o         (used[UsedWidth*Tx +: UsedWidth]),
    .used_tag_o     (used_tag[TagWidth*Tx +: TagWidth]),
    .m_axis_tvalid_o(m_axis_tvalid_o), .m_axis_tready_i(m_axis_tready_i),
    .m_axis_tdata_o(m_axis_tdata_o), .m_axis_tkeep_o(m_axis_tkeep_o),
    .m_axis_tlast_o(m_axis_tlast_o), .m_axis_tag_o(tx_tag),
    .err_valid_o(tx_err_valid), .err_o(tx_err),
    .drop_bad_o     (drop_bad),
    .trace_valid_o(tx_trace_valid), .trace_tag_o(tx_trace_tag)
  );

  ////////////////////
  // Errors, states //
  ////////////////////

  // The first error is recorded and stops everything; which one goes first of those that come in
  // one cycle does not matter.
  assign err_valid = (|engine_err_valid) || rx_err_valid || tx_err_valid;

  always_comb begin
    err = tx_err;
    if (rx_err_valid)         err = rx_err;
    if (engine_err_valid[Tx]) err = engine_err[ErrWidth*Tx +: ErrWidth];
    if (engine_err_valid[Rx]) err = engine_err[ErrWidth*Rx +: ErrWidth];
  end

  assign quiet  = (&engine_quiet) && rx_quiet && tx_quiet && read_idle && write_idle;
  always_comb begin
    idle_o = 1'b0;
    if (rx_idle && tx_idle && read_idle && write_idle) idle_o = host_idle && (&engine_idle);
  end

  // There is no timer yet.
  assign next_deadline_o = '1;

  always_comb begin
    count = '0;
    count[virtio_pkg::CounterRxFrames]       = mac_rx_ok_i;
    count[virtio_pkg::CounterRxFcsErrors]    = mac_rx_fcs_error_i;
    count[virtio_pkg::CounterRxUndersize]    = mac_rx_undersize_i;
    count[virtio_pkg::CounterRxOversize]     = mac_rx_oversize_i;
    count[virtio_pkg::CounterRxCodeErrors]   = mac_rx_code_error_i;
    count[virtio_pkg::CounterRxDropFifo]     = drop_fifo;
    count[virtio_pkg::CounterRxDropDisabled] = drop_disabled;
    count[virtio_pkg::CounterRxDropNoFit]    = drop_no_fit;
    count[virtio_pkg::CounterRxDropReset]    = drop_reset;
    count[virtio_pkg::CounterRxDelivered]    = delivered;
    count[virtio_pkg::CounterTxFrames]       = mac_tx_ok_i;
    count[virtio_pkg::CounterTxDropBad]      = drop_bad;
    count[virtio_pkg::CounterTxUnderrun]     = mac_tx_underrun_i;
    count[virtio_pkg::CounterDescReads]      = (rd_valid[ReadRxDesc] && rd_ready[ReadRxDesc]) ||
                                               (rd_valid[ReadTxDesc] && rd_ready[ReadTxDesc]);
    count[virtio_pkg::CounterUsedWrites]     = (sw_valid[WriteRxUsed] && sw_ready[WriteRxUsed]) ||
                                               (sw_valid[WriteTxUsed] && sw_ready[WriteTxUsed]);
  end

  ////////////////////
  // Trace          //
  ////////////////////

  always_comb begin
    trace_valid_o = '0;
    trace_valid_o[virtio_pkg::TraceRxStart +: RxPoints]      = rx_trace_valid;
    trace_valid_o[virtio_pkg::TraceTxDescriptor +: TxPoints] = tx_trace_valid;
    trace_valid_o[virtio_pkg::TraceRxUsed]    = trace_used_valid[Rx];
    trace_valid_o[virtio_pkg::TraceRxVisible] = trace_visible_valid[Rx];
    trace_valid_o[virtio_pkg::TraceTxUsed]    = trace_used_valid[Tx];
    trace_valid_o[virtio_pkg::TraceTxVisible] = trace_visible_valid[Tx];
    trace_valid_o[virtio_pkg::TraceKick]      = trace_kick_valid;
    trace_valid_o[virtio_pkg::TraceMsix]      = trace_irq_valid;
  end

  always_comb begin
    trace_tag_o = '0;
    trace_tag_o[32*virtio_pkg::TraceRxStart +: 32*RxPoints]      = rx_trace_tag;
    trace_tag_o[32*virtio_pkg::TraceTxDescriptor +: 32*TxPoints] = tx_trace_tag;
    trace_tag_o[32*virtio_pkg::TraceRxUsed +: 32]    = 32'(trace_used_tag[TagWidth*Rx +: TagWidth]);
    trace_tag_o[32*virtio_pkg::TraceRxVisible +: 32] =
        32'(trace_visible_tag[TagWidth*Rx +: TagWidth]);
    trace_tag_o[32*virtio_pkg::TraceTxUsed +: 32]    = 32'(trace_used_tag[TagWidth*Tx +: TagWidth]);
    trace_tag_o[32*virtio_pkg::TraceTxVisible +: 32] =
        32'(trace_visible_tag[TagWidth*Tx +: TagWidth]);
    trace_tag_o[32*virtio_pkg::TraceKick +: 32]      = 32'(trace_kick_queue);
    trace_tag_o[32*virtio_pkg::TraceMsix +: 32]      = 32'(trace_irq_vector);
  end

  logic unused_bits;
  assign unused_bits = ^{en_queue, kick_queue, s_axis_tag_i};

endmodule
