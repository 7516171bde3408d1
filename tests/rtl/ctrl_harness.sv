// SPDX-License-Identifier: Apache-2.0
//
// ctrl_harness: ctrl with its structs taken apart, so that the test reads fields.

module ctrl_harness #(
  parameter int unsigned AxiBytes = 16,
  parameter int unsigned QueuePairs = 1,
  parameter int unsigned ClockKhz = 156250,
  localparam int unsigned VqWidth = $clog2(2 * QueuePairs)
) (
  input  logic                         clk_i,
  input  logic                         rst_i,
  input  logic                         stop_i,
  output logic                         quiet_o,
  output logic                         idle_o,
  output logic                         ready_o,
  input  logic [63:0]                  features_i,
  input  logic                         qrst_valid_i,
  output logic                         qrst_quiet_o,

  input  logic                         avail_i,
  output logic                         pop_o,
  input  logic                         desc_valid_i,
  input  logic [63:0]                  desc_addr_i,
  input  logic [31:0]                  desc_len_i,
  input  logic [15:0]                  desc_id_i,
  input  logic [15:0]                  desc_flags_i,
  input  logic [15:0]                  desc_index_i,
  output logic                         used_valid_o,
  input  logic                         used_ready_i,
  output logic [31:0]                  used_len_o,
  output logic [15:0]                  used_id_o,
  output logic [15:0]                  used_ndesc_o,
  output logic [1:0]                   used_group_o,    // first, last

  output logic                         req_valid_o,
  input  logic                         req_ready_i,
  output logic [63:0]                  req_addr_o,
  output logic [nic_pkg::LenWidth-1:0] req_bytes_o,
  input  logic                         rsp_valid_i,
  input  logic [8*AxiBytes-1:0]        rsp_data_i,
  input  logic                         rsp_error_i,
  output logic                         wr_valid_o,
  input  logic                         wr_ready_i,
  output logic [63:0]                  wr_addr_o,
  output logic [8*AxiBytes-1:0]        wr_data_o,
  output logic [AxiBytes-1:0]          wr_strb_o,
  input  logic                         wr_done_i,
  input  logic                         wr_error_i,

  input  logic                         en_valid_i,
  input  logic [15:0]                  en_queue_i,
  input  logic                         dis_valid_i,
  input  logic [15:0]                  dis_queue_i,

  // Of rx_config_t. mode_o: bit numbers CtrlRx*; overflow_o: unicast, multicast.
  output logic [5:0]                   mode_o,
  output logic [1:0]                   overflow_o,
  output logic                         vlan_filter_o,
  output logic [47:0]                  mac_o,
  output logic                         rss_o,
  output logic [8:0]                   hash_types_o,
  output logic [6:0]                   rss_mask_o,
  output logic [15:0]                  rss_unclassified_o,
  output logic [15:0]                  pairs_o,
  output logic                         csum_o,
  output logic                         lro4_o,
  output logic                         lro6_o,
  output logic                         hash_report_o,
  output logic                         mrg_rxbuf_o,

  output logic [2:0]                   tbl_select_o,
  output logic [6:0]                   tbl_addr_o,
  output logic [48:0]                  tbl_data_o,
  output logic                         mod_valid_o,
  output logic [15:0]                  mod_queue_o,
  output logic [15:0]                  mod_packets_o,
  output logic [31:0]                  mod_cycles_o,
  output logic                         settle_o,
  output logic [15:0]                  settle_queue_o,
  input  logic                         settled_i,
  output logic                         announce_ack_o,

  output logic                         rd_valid_o,
  output logic [VqWidth-1:0]           rd_vq_o,
  output logic [2:0]                   rd_field_o,
  input  logic                         rd_done_i,
  input  logic [63:0]                  rd_value_i,
  output logic                         judged_o,
  output logic                         judged_ok_o,

  output logic                         err_valid_o,
  output logic [7:0]                   err_code_o,
  output logic [15:0]                  err_queue_o,
  output logic [15:0]                  err_index_o,
  output logic [63:0]                  err_addr_o,
  output logic                         ok_o,
  output logic                         bad_o
);

  nic_pkg::desc_t       desc;
  nic_pkg::used_t       used;
  nic_pkg::rx_config_t  cfg;
  nic_pkg::rx_table_t   tbl;
  nic_pkg::moderation_t moderation;
  nic_pkg::vq_error_t   err;
  logic [47:0]          mac;

  always_comb begin
    desc.addr  = desc_addr_i;
    desc.len   = desc_len_i;
    desc.id    = desc_id_i;
    desc.flags = desc_flags_i;
  end

  ctrl #(
    .AxiBytes  (AxiBytes),
    .QueuePairs(QueuePairs),
    .ClockKhz  (ClockKhz)
  ) u_ctrl (
    .clk_i(clk_i), .rst_i(rst_i), .stop_i(stop_i), .quiet_o(quiet_o), .idle_o(idle_o),
    .ready_o(ready_o), .features_i(features_i),
    .qrst_valid_i(qrst_valid_i), .qrst_quiet_o(qrst_quiet_o),
    .avail_i(avail_i), .pop_o(pop_o), .desc_valid_i(desc_valid_i), .desc_i(desc),
    .desc_index_i(desc_index_i),
    .used_valid_o(used_valid_o), .used_ready_i(used_ready_i), .used_o(used),
    .req_valid_o(req_valid_o), .req_ready_i(req_ready_i),
    .req_addr_o(req_addr_o), .req_bytes_o(req_bytes_o),
    .rsp_valid_i(rsp_valid_i), .rsp_data_i(rsp_data_i), .rsp_error_i(rsp_error_i),
    .wr_valid_o(wr_valid_o), .wr_ready_i(wr_ready_i), .wr_addr_o(wr_addr_o),
    .wr_data_o(wr_data_o), .wr_strb_o(wr_strb_o), .wr_done_i(wr_done_i), .wr_error_i(wr_error_i),
    .en_valid_i(en_valid_i), .en_queue_i(en_queue_i),
    .dis_valid_i(dis_valid_i), .dis_queue_i(dis_queue_i),
    .cfg_o(cfg), .tbl_o(tbl), .moderation_o(moderation), .mac_o(mac),
    .settle_o(settle_o), .settle_queue_o(settle_queue_o), .settled_i(settled_i),
    .announce_ack_o(announce_ack_o),
    .rd_valid_o(rd_valid_o), .rd_vq_o(rd_vq_o), .rd_field_o(rd_field_o),
    .rd_done_i(rd_done_i), .rd_value_i(rd_value_i),
    .judged_o(judged_o), .judged_ok_o(judged_ok_o),
    .err_valid_o(err_valid_o), .err_o(err), .ok_o(ok_o), .bad_o(bad_o)
  );

  assign used_len_o   = used.len;
  assign used_id_o    = used.id;
  assign used_ndesc_o = used.ndesc;
  assign used_group_o = {used.first, used.last};

  assign mode_o             = {cfg.nobcast, cfg.nouni, cfg.nomulti, cfg.alluni, cfg.allmulti,
                               cfg.promisc};
  assign overflow_o         = {cfg.multi_overflow, cfg.mac_overflow};
  assign vlan_filter_o      = cfg.vlan_filter;
  assign mac_o              = (mac == cfg.mac) ? mac : '0;
  assign rss_o              = cfg.rss;
  assign hash_types_o       = cfg.hash_types;
  assign rss_mask_o         = cfg.rss_mask;
  assign rss_unclassified_o = cfg.rss_unclassified;
  assign pairs_o            = cfg.pairs;
  assign csum_o             = cfg.csum;
  assign lro4_o             = cfg.lro4;
  assign lro6_o             = cfg.lro6;
  assign hash_report_o      = cfg.hash_report;
  assign mrg_rxbuf_o        = cfg.mrg_rxbuf;

  assign tbl_select_o  = tbl.select;
  assign tbl_addr_o    = tbl.addr;
  assign tbl_data_o    = tbl.data;
  assign mod_valid_o   = moderation.valid;
  assign mod_queue_o   = moderation.queue;
  assign mod_packets_o = moderation.packets;
  assign mod_cycles_o  = moderation.cycles;

  assign err_code_o  = err.code;
  assign err_queue_o = err.queue;
  assign err_index_o = err.index;
  assign err_addr_o  = err.addr;

endmodule
