// SPDX-License-Identifier: Apache-2.0
//
// rx_parse_harness: rx_parse with its structs taken apart, so that the test reads fields.

module rx_parse_harness #(
  parameter int unsigned StreamBytes = 8,
  parameter int unsigned Lanes = (StreamBytes <= 8) ? 1 : (StreamBytes <= 16) ? 2 : 6,
  parameter int unsigned Slots = 4
) (
  input  logic                     clk_i,
  input  logic                     rst_i,
  input  logic                     forget_i,

  input  logic [8:0]               hash_types_i,
  input  logic [2:0]               table_select_i,
  input  logic [6:0]               table_addr_i,
  input  logic [48:0]              table_data_i,

  input  logic                     s_axis_tvalid_i,
  input  logic [8*StreamBytes-1:0] s_axis_tdata_i,
  input  logic [StreamBytes-1:0]   s_axis_tkeep_i,
  input  logic                     s_axis_tlast_i,
  input  logic                     take_i,
  output logic                     room_o,

  output logic                     info_valid_o,
  input  logic                     info_ready_i,
  output logic [47:0]              dst_o,
  output logic                     has_vlan_o,
  output logic [11:0]              vid_o,
  output logic [31:0]              hash_o,
  output logic [3:0]               hash_report_o,
  output logic [31:0]              flow_o,
  output logic [15:0]              symmetric_o,
  output logic                     csum_ok_o,
  output logic                     csum_bad_o,
  output logic                     tcp_o,
  output logic                     lro_o,
  output logic                     ip6_o,
  output logic [6:0]               l3_o,
  output logic [6:0]               l4_o,
  output logic [6:0]               payload_o,
  output logic [15:0]              payload_len_o,
  output logic [31:0]              seq_o,
  output logic [7:0]               tcp_flags_o,
  output logic [15:0]              pseudo_o,
  input  logic [3:0]               hdr_addr_i,
  output logic [63:0]              hdr_data_o,

  output logic                     idle_o
);

  nic_pkg::rx_table_t table_write;
  nic_pkg::rx_info_t  info;

  assign table_write.select = table_select_i;
  assign table_write.addr   = table_addr_i;
  assign table_write.data   = table_data_i;

  assign dst_o         = info.dst;
  assign has_vlan_o    = info.has_vlan;
  assign vid_o         = info.vid;
  assign hash_o        = info.hash;
  assign hash_report_o = info.hash_report;
  assign flow_o        = info.flow;
  assign symmetric_o   = info.symmetric;
  assign csum_ok_o     = info.csum_ok;
  assign csum_bad_o    = info.csum_bad;
  assign tcp_o         = info.tcp;
  assign lro_o         = info.lro;
  assign ip6_o         = info.ip6;
  assign l3_o          = info.l3;
  assign l4_o          = info.l4;
  assign payload_o     = info.payload;
  assign payload_len_o = info.payload_len;
  assign seq_o         = info.seq;
  assign tcp_flags_o   = info.tcp_flags;
  assign pseudo_o      = info.pseudo;

  rx_parse #(
    .StreamBytes(StreamBytes),
    .Lanes      (Lanes),
    .Slots      (Slots)
  ) u_parse (
    .clk_i          (clk_i),
    .rst_i          (rst_i),
    .forget_i       (forget_i),
    .hash_types_i   (hash_types_i),
    .table_i        (table_write),
    .s_axis_tvalid_i(s_axis_tvalid_i),
    .s_axis_tdata_i (s_axis_tdata_i),
    .s_axis_tkeep_i (s_axis_tkeep_i),
    .s_axis_tlast_i (s_axis_tlast_i),
    .take_i         (take_i),
    .room_o         (room_o),
    .info_valid_o   (info_valid_o),
    .info_ready_i   (info_ready_i),
    .info_o         (info),
    .hdr_addr_i     (hdr_addr_i),
    .hdr_data_o     (hdr_data_o),
    .idle_o         (idle_o)
  );

endmodule
