// SPDX-License-Identifier: Apache-2.0
//
// mac_xgmii: Ethernet MAC for 64-bit XGMII, full duplex: mac_rx and mac_tx side by side, with pause
// frames between them.
//
//   xgmii_rxd --->|\                          pause quanta
//                 | |--> mac_rx --> m_axis         |
//            +--->|/ loopback                      v
//            |                                 mac_pause <-- s_axis
//   xgmii_txd <-[idle]-+--- mac_tx <---------------+
//
//   m_axis_*, tag_o    received frames, see mac_rx: a word a cycle, no ready, tlast always comes
//   s_axis_*, tag_i    frames to send, see mac_tx: whole frames, a word a cycle once started
//   rx_*, tx_*         pulses to count, one for every frame: pause frames that were obeyed or made
//                      here count as such and as nothing else
//   control_i          a bit each of virtio_pkg::ControlBit*: loopback, pause obeyed, pause sent. In
//                      loopback the wire is left idle, and the link counts as up.
//   congested_i        see mac_pause
//   trace_*            pulses with the frame's tag
//   link_up_i          from the PHY. While it is low no frame is received; sending goes on, so that
//                      the queues drain.
//   idle_o             no frame in hand either way. With idle characters coming in and nothing to
//                      send, a clock edge changes no register then.
//
// No output depends on an input in the same cycle.
//
// Parameters:
//   TagWidth   bits in a frame's tag
//   MaxFrame   longest frame received, in octets with FCS, 64 to 65,528

module mac_xgmii #(
  parameter int unsigned TagWidth = 32,
  parameter int unsigned MaxFrame = 9022
) (
  input  logic                clk_i,
  input  logic                rst_i,

  input  logic [63:0]         xgmii_rxd_i,
  input  logic [7:0]          xgmii_rxc_i,
  output logic [63:0]         xgmii_txd_o,
  output logic [7:0]          xgmii_txc_o,
  input  logic                link_up_i,
  input  logic [2:0]          control_i,
  input  logic [47:0]         mac_i,       // station address, first octet on the wire in 47:40
  input  logic                congested_i,

  output logic                m_axis_tvalid_o,
  output logic [63:0]         m_axis_tdata_o,
  output logic [7:0]          m_axis_tkeep_o,
  output logic                m_axis_tlast_o,
  output logic                tuser_error_o,
  output logic [TagWidth-1:0] tag_o,

  input  logic                s_axis_tvalid_i,
  output logic                s_axis_tready_o,
  input  logic [63:0]         s_axis_tdata_i,
  input  logic [7:0]          s_axis_tkeep_i,
  input  logic                s_axis_tlast_i,
  input  logic [TagWidth-1:0] tag_i,

  output logic                rx_ok_o,
  output logic [15:0]         rx_bytes_o,
  output logic                rx_fcs_error_o,
  output logic                rx_undersize_o,
  output logic                rx_oversize_o,
  output logic                rx_code_error_o,
  output logic                rx_pause_o,
  output logic                tx_ok_o,
  output logic [15:0]         tx_bytes_o,
  output logic                tx_underrun_o,
  output logic                tx_pause_o,

  output logic                trace_rx_start_valid_o,
  output logic [TagWidth-1:0] trace_rx_start_tag_o,
  output logic                trace_tx_start_valid_o,
  output logic [TagWidth-1:0] trace_tx_start_tag_o,
  output logic                trace_tx_end_valid_o,
  output logic [TagWidth-1:0] trace_tx_end_tag_o,

  output logic                idle_o
);

  localparam logic [63:0] IdleWord = 64'h0707_0707_0707_0707;

  logic              rx_idle, tx_idle, pause_idle;
  logic              loopback, link_up;
  logic [63:0]       txd;
  logic [7:0]        txc;
  logic [15:0]       pause_quanta;
  logic              ready, tx_valid, tx_ready, tx_last, tx_pause;
  logic [63:0]       tx_data;
  logic [7:0]        tx_keep;
  logic              tx_ok, tx_start, tx_end, start_is_pause, end_is_pause;

  assign loopback    = control_i[virtio_pkg::ControlBitLoopback];
  assign link_up     = link_up_i || loopback;
  assign xgmii_txd_o = loopback ? IdleWord : txd;
  assign xgmii_txc_o = loopback ? '1 : txc;

  mac_rx #(
    .TagWidth(TagWidth),
    .MaxFrame(MaxFrame)
  ) u_rx (
    .clk_i              (clk_i),
    .rst_i              (rst_i),
    .xgmii_rxd_i        (xgmii_rxd_i),
    .xgmii_rxc_i        (xgmii_rxc_i),
    .loop_i             (loopback),
    .loop_txd_i         (txd),
    .loop_txc_i         (txc),
    .link_up_i          (link_up),
    .pause_enable_i     (control_i[virtio_pkg::ControlBitPauseRx]),
    .mac_i              (mac_i),
    .m_axis_tvalid_o    (m_axis_tvalid_o),
    .m_axis_tdata_o     (m_axis_tdata_o),
    .m_axis_tkeep_o     (m_axis_tkeep_o),
    .m_axis_tlast_o     (m_axis_tlast_o),
    .tuser_error_o      (tuser_error_o),
    .tag_o              (tag_o),
    .rx_ok_o            (rx_ok_o),
    .rx_bytes_o         (rx_bytes_o),
    .rx_fcs_error_o     (rx_fcs_error_o),
    .rx_undersize_o     (rx_undersize_o),
    .rx_oversize_o      (rx_oversize_o),
    .rx_code_error_o    (rx_code_error_o),
    .pause_valid_o      (rx_pause_o),
    .pause_quanta_o     (pause_quanta),
    .trace_start_valid_o(trace_rx_start_valid_o),
    .trace_start_tag_o  (trace_rx_start_tag_o),
    .idle_o             (rx_idle)
  );

  mac_pause u_pause (
    .clk_i          (clk_i),
    .rst_i          (rst_i),
    .rx_enable_i    (control_i[virtio_pkg::ControlBitPauseRx]),
    .tx_enable_i    (control_i[virtio_pkg::ControlBitPauseTx]),
    .link_up_i      (link_up),
    .congested_i    (congested_i),
    .mac_i          (mac_i),
    .pause_valid_i  (rx_pause_o),
    .pause_quanta_i (pause_quanta),
    .s_axis_tvalid_i(s_axis_tvalid_i),
    .s_axis_tready_o(s_axis_tready_o),
    .s_axis_tdata_i (s_axis_tdata_i),
    .s_axis_tkeep_i (s_axis_tkeep_i),
    .s_axis_tlast_i (s_axis_tlast_i),
    .ready_i        (ready),
    .m_axis_tvalid_o(tx_valid),
    .m_axis_tready_i(tx_ready),
    .m_axis_tdata_o (tx_data),
    .m_axis_tkeep_o (tx_keep),
    .m_axis_tlast_o (tx_last),
    .m_axis_pause_o (tx_pause),
    .idle_o         (pause_idle)
  );

  // A bit above the tag follows the frames made by mac_pause: they count apart, and have no tag.
  mac_tx #(
    .TagWidth(TagWidth + 1)
  ) u_tx (
    .clk_i              (clk_i),
    .rst_i              (rst_i),
    .s_axis_tvalid_i    (tx_valid),
    .s_axis_tready_o    (tx_ready),
    .s_axis_tdata_i     (tx_data),
    .s_axis_tkeep_i     (tx_keep),
    .s_axis_tlast_i     (tx_last),
    .tag_i              ({tx_pause, tag_i}),
    .ready_o            (ready),
    .xgmii_txd_o        (txd),
    .xgmii_txc_o        (txc),
    .tx_ok_o            (tx_ok),
    .tx_bytes_o         (tx_bytes_o),
    .tx_underrun_o      (tx_underrun_o),
    .trace_start_valid_o(tx_start),
    .trace_start_tag_o  ({start_is_pause, trace_tx_start_tag_o}),
    .trace_end_valid_o  (tx_end),
    .trace_end_tag_o    ({end_is_pause, trace_tx_end_tag_o}),
    .idle_o             (tx_idle)
  );

  // The tag of the frame's end is there together with what counts the frame.
  assign tx_ok_o                = tx_ok && !end_is_pause;
  assign tx_pause_o             = tx_ok && end_is_pause;
  assign trace_tx_start_valid_o = tx_start && !start_is_pause;
  assign trace_tx_end_valid_o   = tx_end && !end_is_pause;

  assign idle_o = rx_idle && tx_idle && pause_idle;

endmodule
