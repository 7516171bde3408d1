// SPDX-License-Identifier: Apache-2.0
//
// mac_xgmii: Ethernet MAC for 64-bit XGMII, full duplex: mac_rx and mac_tx side by side.
//
//   m_axis_*, tag_o    received frames, see mac_rx: a word a cycle, no ready, tlast always comes
//   s_axis_*, tag_i    frames to send, see mac_tx: whole frames, a word a cycle once started
//   rx_*, tx_*         pulses to count, one for every frame
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
  output logic                tx_ok_o,
  output logic [15:0]         tx_bytes_o,
  output logic                tx_underrun_o,

  output logic                trace_rx_start_valid_o,
  output logic [TagWidth-1:0] trace_rx_start_tag_o,
  output logic                trace_tx_start_valid_o,
  output logic [TagWidth-1:0] trace_tx_start_tag_o,
  output logic                trace_tx_end_valid_o,
  output logic [TagWidth-1:0] trace_tx_end_tag_o,

  output logic                idle_o
);

  logic rx_idle;
  logic tx_idle;

  mac_rx #(
    .TagWidth(TagWidth),
    .MaxFrame(MaxFrame)
  ) u_rx (
    .clk_i              (clk_i),
    .rst_i              (rst_i),
    .xgmii_rxd_i        (xgmii_rxd_i),
    .xgmii_rxc_i        (xgmii_rxc_i),
    .link_up_i          (link_up_i),
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
    .trace_start_valid_o(trace_rx_start_valid_o),
    .trace_start_tag_o  (trace_rx_start_tag_o),
    .idle_o             (rx_idle)
  );

  mac_tx #(
    .TagWidth(TagWidth)
  ) u_tx (
    .clk_i              (clk_i),
    .rst_i              (rst_i),
    .s_axis_tvalid_i    (s_axis_tvalid_i),
    .s_axis_tready_o    (s_axis_tready_o),
    .s_axis_tdata_i     (s_axis_tdata_i),
    .s_axis_tkeep_i     (s_axis_tkeep_i),
    .s_axis_tlast_i     (s_axis_tlast_i),
    .tag_i              (tag_i),
    .xgmii_txd_o        (xgmii_txd_o),
    .xgmii_txc_o        (xgmii_txc_o),
    .tx_ok_o            (tx_ok_o),
    .tx_bytes_o         (tx_bytes_o),
    .tx_underrun_o      (tx_underrun_o),
    .trace_start_valid_o(trace_tx_start_valid_o),
    .trace_start_tag_o  (trace_tx_start_tag_o),
    .trace_end_valid_o  (trace_tx_end_valid_o),
    .trace_end_tag_o    (trace_tx_end_tag_o),
    .idle_o             (tx_idle)
  );

  assign idle_o = rx_idle && tx_idle;

endmodule
