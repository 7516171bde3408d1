// SPDX-License-Identifier: Apache-2.0
//
// rx_classify: decides of a received frame whether the driver wants it and which queue pair gets it
// (virtio 1.2, 5.1.6.5.1 to 5.1.6.5.7). docs/control.md is its page.
//
//   info      the frame at the head of the parser. It is looked up when it appears, and it stays
//             there until its answer is taken.
//   cls       the answer, a cycle after the head appeared; it stays until cls_ready_i, which takes
//             the head away from info in the same cycle. So a frame takes two cycles.
//
//                    ___       ___       ___       ___
//             clk __|   |_____|   |_____|   |_____|   |___
//             info   X  frame a          X  frame b
//             cls_valid_o     ___________             ____
//                    ________|    a      |___________|  b
//             cls_ready_i        ________
//
//   cls_drop_o    no filter lets the frame in
//   cls_queue_o   its queue pair; 0 when there is nothing to tell frames apart
//   cfg_i     settings; a change holds from the next answer on
//   tbl_i     writes into the tables: TableMac, TableVlan and TableRss of nic_pkg
//   learn_*   a frame of this flow (`symmetric` of rx_info_t, 0 for none) leaves by this transmit
//             queue: automatic steering sends the answers to the receive queue of that pair
//   idle_o    a clock edge changes no state, but for tbl_i and learn_*, which need the clock at any
//             time. After reset it is low until the learned flows are forgotten (FlowEntries
//             cycles); until then nothing is learned or known.
//
// Tables (block RAM, read when a head appears):
//
//   addresses   64 buckets x 2 ways, the place {way, mac_bucket(address)}
//   VLANs       4,096 bits
//   RSS         128 queue pairs
//   flows       FlowEntries x {known, rest of the symmetric hash, queue pair}
//
// Parameters:
//   Queues        queue pairs; with one there is no table of flows and none of RSS
//   FlowEntries   flows that automatic steering knows, a power of two, 64 to 32768

module rx_classify #(
  parameter int unsigned Queues = 1,
  parameter int unsigned FlowEntries = 1024,
  localparam int unsigned QueueWidth = (Queues > 1) ? $clog2(Queues) : 1
) (
  input  logic                  clk_i,
  input  logic                  rst_i,
  output logic                  idle_o,

  input  nic_pkg::rx_config_t   cfg_i,
  input  nic_pkg::rx_table_t    tbl_i,

  input  logic                  learn_valid_i,
  input  logic [15:0]           learn_symmetric_i,
  input  logic [QueueWidth-1:0] learn_queue_i,

  input  logic                  info_valid_i,
  input  nic_pkg::rx_info_t     info_i,

  output logic                  cls_valid_o,
  input  logic                  cls_ready_i,
  output logic                  cls_drop_o,
  output logic [QueueWidth-1:0] cls_queue_o
);

  if (Queues < 1 || Queues > 256) $error("rx_classify: Queues must be 1 to 256");

  ////////////////////
  // Head           //
  ////////////////////

  logic valid_q;   // the tables were read for the head
  logic look;

  assign look        = info_valid_i && !valid_q;
  assign cls_valid_o = valid_q;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      valid_q <= 1'b0;
    end else if (look || (valid_q && cls_ready_i)) begin
      valid_q <= look;
    end
  end

  ////////////////////
  // Filters        //
  ////////////////////

  logic        write_mac;
  logic        write_vlan;
  logic [48:0] way0;
  logic [48:0] way1;
  logic        vlan;
  logic [5:0]  bucket;

  assign write_mac  = tbl_i.select == nic_pkg::TableMac;
  assign write_vlan = tbl_i.select == nic_pkg::TableVlan;
  assign bucket     = nic_pkg::mac_bucket(look ? info_i.dst : 48'd0);

  ram_1r1w #(.Width(49), .Depth(64)) u_way0 (
    .clk_i  (clk_i),
    .we_i   (write_mac && !tbl_i.addr[6]),
    .waddr_i(tbl_i.addr[5:0]),
    .wdata_i(tbl_i.data),
    .re_i   (look),
    .raddr_i(bucket),
    .rdata_o(way0)
  );

  ram_1r1w #(.Width(49), .Depth(64)) u_way1 (
    .clk_i  (clk_i),
    .we_i   (write_mac && tbl_i.addr[6]),
    .waddr_i(tbl_i.addr[5:0]),
    .wdata_i(tbl_i.data),
    .re_i   (look),
    .raddr_i(bucket),
    .rdata_o(way1)
  );

  ram_1r1w #(.Width(1), .Depth(4096)) u_vlans (
    .clk_i  (clk_i),
    .we_i   (write_vlan),
    .waddr_i({tbl_i.addr, tbl_i.data[12:8]}),
    .wdata_i(tbl_i.data[48]),
    .re_i   (look),
    .raddr_i(info_i.vid),
    .rdata_o(vlan)
  );

  logic listed;      // in the table of addresses
  logic wanted;      // by its address

  // A suppressed kind of frame is out whatever else lets it in, but for promiscuous mode.
  always_comb begin
    listed     = 1'b0;
    wanted     = 1'b0;
    cls_drop_o = 1'b0;
    if (valid_q && !cfg_i.promisc) begin
      listed = way0 == {1'b1, info_i.dst} || way1 == {1'b1, info_i.dst};
      if (info_i.dst == '1) begin
        wanted = !cfg_i.nobcast;
      end else if (info_i.dst[40]) begin
        wanted = !cfg_i.nomulti && (cfg_i.allmulti || cfg_i.multi_overflow || listed);
      end else begin
        wanted = !cfg_i.nouni && (cfg_i.alluni || cfg_i.mac_overflow || listed ||
                                  info_i.dst == cfg_i.mac);
      end
      cls_drop_o = !wanted || (cfg_i.vlan_filter && info_i.has_vlan && !vlan);
    end
  end

  ////////////////////
  // Steering       //
  ////////////////////

  if (Queues == 1) begin : g_one_queue
    logic unused_steering;

    assign unused_steering = ^{learn_valid_i, learn_symmetric_i, learn_queue_i};
    assign cls_queue_o     = '0;
    assign idle_o          = !info_valid_i || (valid_q && !cls_ready_i);
  end else begin : g_steering
    localparam int unsigned FlowWidth = $clog2(FlowEntries);
    localparam int unsigned RestWidth = 16 - FlowWidth;
    localparam int unsigned EntryWidth = 1 + RestWidth + QueueWidth;

    if ((1 << FlowWidth) != FlowEntries || FlowEntries < 64 || FlowEntries > 32768) begin : g_bad
      $error("rx_classify: FlowEntries must be a power of two, 64 to 32768");
    end

    logic                  forgetting_q;
    logic [FlowWidth-1:0]  forget_q;      // entry that is being forgotten
    logic                  flow_write;
    logic [EntryWidth-1:0] flow;
    logic [QueueWidth-1:0] rss_queue;
    logic                  known;
    logic [QueueWidth:0]   pairs;
    logic [QueueWidth-1:0] spread;

    always_ff @(posedge clk_i) begin
      if (rst_i) begin
        forgetting_q <= 1'b1;
        forget_q     <= '0;
      end else if (forgetting_q) begin
        forgetting_q <= forget_q != '1;
        forget_q     <= forget_q + 1'b1;
      end
    end

    assign flow_write = forgetting_q || (learn_valid_i && learn_symmetric_i != '0);

    ram_1r1w #(.Width(EntryWidth), .Depth(FlowEntries)) u_flows (
      .clk_i  (clk_i),
      .we_i   (flow_write),
      .waddr_i(forgetting_q ? forget_q : learn_symmetric_i[FlowWidth-1:0]),
      .wdata_i({!forgetting_q, learn_symmetric_i[15:FlowWidth], learn_queue_i}),
      .re_i   (look),
      .raddr_i(info_i.symmetric[FlowWidth-1:0]),
      .rdata_o(flow)
    );

    ram_1r1w #(.Width(QueueWidth), .Depth(128)) u_rss (
      .clk_i  (clk_i),
      .we_i   (tbl_i.select == nic_pkg::TableRss),
      .waddr_i(tbl_i.addr),
      .wdata_i(tbl_i.data[QueueWidth-1:0]),
      .re_i   (look),
      .raddr_i(info_i.hash[6:0] & cfg_i.rss_mask),
      .rdata_o(rss_queue)
    );

    assign pairs = cfg_i.pairs[QueueWidth:0];

    // A flow that is not known goes where its hash falls among the pairs in use.
    always_comb begin
      known       = 1'b0;
      spread      = '0;
      cls_queue_o = '0;
      if (valid_q && cfg_i.rss) begin
        cls_queue_o = (info_i.hash_report == virtio_pkg::HashReportNone[3:0]) ?
                      cfg_i.rss_unclassified[QueueWidth-1:0] : rss_queue;
      end else if (valid_q) begin
        known       = !forgetting_q && info_i.symmetric != '0 && flow[EntryWidth-1] &&
                      flow[QueueWidth +: RestWidth] == info_i.symmetric[15:FlowWidth] &&
                      {1'b0, flow[QueueWidth-1:0]} < pairs;
        spread      = QueueWidth'(((QueueWidth + 13)'(info_i.flow[31:20]) *
                                   (QueueWidth + 13)'(pairs)) >> 12);
        cls_queue_o = known ? flow[QueueWidth-1:0] : spread;
      end
    end

    assign idle_o = !forgetting_q && (!info_valid_i || (valid_q && !cls_ready_i));
  end

  logic unused_inputs;
  assign unused_inputs = ^{cfg_i, tbl_i, info_i};

`ifndef SYNTHESIS
  logic was_reset_q;

  always_ff @(posedge clk_i) begin
    was_reset_q <= rst_i;
    if (!rst_i && !was_reset_q) begin
      // An answer belongs to a head that is still there.
      a_head: assert (!valid_q || info_valid_i);
      // No frame goes to a pair that does not exist.
      a_queue: assert (!valid_q || 32'(cls_queue_o) < Queues);
    end
  end
`endif

endmodule
