// SPDX-License-Identifier: Apache-2.0
//
// rx_classify_harness: rx_classify with its structs taken apart, so that the test sets fields.

module rx_classify_harness #(
  parameter int unsigned Queues = 1,
  parameter int unsigned FlowEntries = 1024,
  localparam int unsigned QueueWidth = (Queues > 1) ? $clog2(Queues) : 1
) (
  input  logic                  clk_i,
  input  logic                  rst_i,
  output logic                  idle_o,

  // Of rx_config_t. mode_i: bit numbers CtrlRx*; overflow_i: unicast, multicast.
  input  logic [5:0]            mode_i,
  input  logic [1:0]            overflow_i,
  input  logic                  vlan_filter_i,
  input  logic [47:0]           mac_i,
  input  logic                  rss_i,
  input  logic [6:0]            rss_mask_i,
  input  logic [15:0]           rss_unclassified_i,
  input  logic [15:0]           pairs_i,

  input  logic [2:0]            tbl_select_i,
  input  logic [6:0]            tbl_addr_i,
  input  logic [48:0]           tbl_data_i,
  input  logic                  learn_valid_i,
  input  logic [15:0]           learn_symmetric_i,
  input  logic [QueueWidth-1:0] learn_queue_i,

  input  logic                  info_valid_i,
  input  logic [47:0]           dst_i,
  input  logic                  has_vlan_i,
  input  logic [11:0]           vid_i,
  input  logic [31:0]           hash_i,
  input  logic [3:0]            hash_report_i,
  input  logic [31:0]           flow_i,
  input  logic [15:0]           symmetric_i,

  output logic                  cls_valid_o,
  input  logic                  cls_ready_i,
  output logic                  cls_drop_o,
  output logic [QueueWidth-1:0] cls_queue_o,
  output logic [5:0]            bucket_o    // of mac_i
);

  nic_pkg::rx_config_t cfg;
  nic_pkg::rx_table_t  tbl;
  nic_pkg::rx_info_t   info;

  always_comb begin
    cfg = '0;
    {cfg.nobcast, cfg.nouni, cfg.nomulti, cfg.alluni, cfg.allmulti, cfg.promisc} = mode_i;
    {cfg.multi_overflow, cfg.mac_overflow} = overflow_i;
    cfg.vlan_filter      = vlan_filter_i;
    cfg.mac              = mac_i;
    cfg.rss              = rss_i;
    cfg.rss_mask         = rss_mask_i;
    cfg.rss_unclassified = rss_unclassified_i;
    cfg.pairs            = pairs_i;
    tbl.select           = tbl_select_i;
    tbl.addr             = tbl_addr_i;
    tbl.data             = tbl_data_i;
    info                 = '0;
    info.dst             = dst_i;
    info.has_vlan        = has_vlan_i;
    info.vid             = vid_i;
    info.hash            = hash_i;
    info.hash_report     = hash_report_i;
    info.flow            = flow_i;
    info.symmetric       = symmetric_i;
  end

  rx_classify #(
    .Queues     (Queues),
    .FlowEntries(FlowEntries)
  ) u_classify (
    .clk_i(clk_i), .rst_i(rst_i), .idle_o(idle_o), .cfg_i(cfg), .tbl_i(tbl),
    .learn_valid_i(learn_valid_i), .learn_symmetric_i(learn_symmetric_i),
    .learn_queue_i(learn_queue_i), .info_valid_i(info_valid_i), .info_i(info),
    .cls_valid_o(cls_valid_o), .cls_ready_i(cls_ready_i), .cls_drop_o(cls_drop_o),
    .cls_queue_o(cls_queue_o)
  );

  assign bucket_o = nic_pkg::mac_bucket(mac_i);

endmodule
