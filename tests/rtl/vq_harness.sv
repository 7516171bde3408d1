// SPDX-License-Identifier: Apache-2.0
// virtqueues with its three clients side by side: 0 receive, 1 transmit, 2 control. Queues go by
// their virtqueue index.

module vq_harness #(
  parameter int unsigned QueuePairs = 1,
  parameter int unsigned AxiBytes = 16,
  parameter int unsigned RingMax = 1024,
  localparam int unsigned Queues = 2 * QueuePairs + 1,
  localparam int unsigned QueueWidth = (QueuePairs > 1) ? $clog2(QueuePairs) : 1
) (
  input  logic                    clk_i,
  input  logic                    rst_i,
  input  logic [63:0]             now_i,
  output logic [63:0]             deadline_o,
  input  logic                    stop_i,
  output logic                    quiet_o,
  output logic                    idle_o,
  input  logic                    event_idx_i,
  input  logic                    en_valid_i,
  output logic                    en_ready_o,
  input  logic [15:0]             en_queue_i,
  input  logic [63:0]             en_desc_i,
  input  logic [63:0]             en_driver_i,
  input  logic [63:0]             en_device_i,
  input  logic [15:0]             en_size_i,
  output logic                    rx_en_o,
  input  logic                    qrst_valid_i,
  input  logic                    qrst_quiet_i,
  output logic                    qrst_ready_o,
  input  logic [15:0]             qrst_queue_i,
  input  logic                    set_valid_i,
  input  logic [15:0]             set_queue_i,
  input  logic [15:0]             set_packets_i,
  input  logic [31:0]             set_cycles_i,
  input  logic                    kick_valid_i,
  input  logic [15:0]             kick_queue_i,
  output logic [Queues-1:0]       avail_o,
  input  logic [2:0]              pop_valid_i,
  input  logic [2*16-1:0]         pop_queue_i,
  output logic [2:0]              desc_valid_o,
  output logic [3*128-1:0]        desc_o,
  output logic [3*32-1:0]         desc_index_o,
  input  logic [2:0]              used_valid_i,
  output logic [2:0]              used_ready_o,
  input  logic [2*16-1:0]         used_queue_i,
  input  logic [3*96-1:0]         used_i,
  input  logic [2*32-1:0]         used_tag_i,
  output logic                    irq_valid_o,
  input  logic                    irq_ready_i,
  output logic [15:0]             irq_queue_o,
  output logic                    err_valid_o,
  output nic_pkg::vq_error_t      err_o,
  output logic [1:0]              rd_valid_o,
  input  logic [1:0]              rd_ready_i,
  output logic [2*64-1:0]         rd_addr_o,
  output logic [2*32-1:0]         rd_bytes_o,
  input  logic [1:0]              rsp_valid_i,
  input  logic [8*AxiBytes-1:0]   rsp_data_i,
  input  logic                    rsp_last_i,
  input  logic                    rsp_error_i,
  output logic [2:0]              sw_valid_o,
  input  logic [2:0]              sw_ready_i,
  output logic [3*64-1:0]         sw_addr_o,
  output logic [3*8*AxiBytes-1:0] sw_data_o,
  output logic [3*AxiBytes-1:0]   sw_strb_o,
  input  logic [2:0]              sw_done_i,
  input  logic [2:0]              sw_error_i,
  output logic [1:0]              trace_used_valid_o,
  output logic [1:0]              trace_visible_valid_o
);

  logic [QueuePairs-1:0] rx_avail, tx_avail;
  logic                  hide, ctrl_avail;
  logic [63:0]           used_tag, visible_tag;
  logic [33:0]           rd_bytes;
  logic                  rx_quiet, unused;
  nic_pkg::used_t        rx_used, tx_used, ctrl_used;

  assign rx_used   = used_i[65:0];
  assign tx_used   = used_i[96 +: 66];
  assign ctrl_used = used_i[192 +: 66];
  assign rd_bytes_o = {15'd0, rd_bytes[33:17], 15'd0, rd_bytes[16:0]};
  assign unused = ^{used_tag, visible_tag, rx_quiet, pop_queue_i, used_queue_i, used_i,
                    rx_desc_index, tx_desc_index, ctrl_desc_index};

  for (genvar i = 0; i < QueuePairs; i++) begin : g_avail
    assign avail_o[2*i +: 2] = hide ? 2'b00 : {tx_avail[i], rx_avail[i]};
  end
  assign avail_o[2*QueuePairs] = ctrl_avail;

  logic [15:0] rx_desc_index, tx_desc_index, ctrl_desc_index;
  assign desc_index_o = {16'd0, ctrl_desc_index, 16'd0, tx_desc_index, 16'd0, rx_desc_index};

  virtqueues #(
    .QueuePairs(QueuePairs),
    .AxiBytes(AxiBytes),
    .RingMax(RingMax)
  ) u_dut (
    .clk_i, .rst_i, .now_i, .deadline_o, .stop_i, .rx_quiet_o(rx_quiet), .quiet_o, .idle_o,
    .event_idx_i, .en_valid_i, .en_ready_o, .en_queue_i, .en_desc_i, .en_driver_i, .en_device_i,
    .en_size_i, .rx_en_o, .qrst_valid_i, .qrst_quiet_i, .qrst_ready_o, .qrst_queue_i,
    .moderation_i({set_valid_i, set_queue_i, set_packets_i, set_cycles_i}),
    .kick_valid_i, .kick_queue_i,
    .hide_o(hide), .rx_avail_o(rx_avail), .rx_pop_valid_i(pop_valid_i[0]),
    .rx_pop_queue_i(pop_queue_i[1 +: QueueWidth]), .rx_desc_valid_o(desc_valid_o[0]),
    .rx_desc_o(desc_o[0 +: 128]), .rx_desc_index_o(rx_desc_index),
    .rx_used_valid_i(used_valid_i[0]), .rx_used_ready_o(used_ready_o[0]),
    .rx_used_queue_i(used_queue_i[1 +: QueueWidth]), .rx_used_i(rx_used),
    .rx_used_tag_i(used_tag_i[31:0]),
    .tx_avail_o(tx_avail), .tx_pop_valid_i(pop_valid_i[1]),
    .tx_pop_queue_i(pop_queue_i[17 +: QueueWidth]), .tx_desc_valid_o(desc_valid_o[1]),
    .tx_desc_o(desc_o[128 +: 128]), .tx_desc_index_o(tx_desc_index),
    .tx_used_valid_i(used_valid_i[1]), .tx_used_ready_o(used_ready_o[1]),
    .tx_used_queue_i(used_queue_i[17 +: QueueWidth]), .tx_used_i(tx_used),
    .tx_used_tag_i(used_tag_i[63:32]),
    .ctrl_avail_o(ctrl_avail), .ctrl_pop_i(pop_valid_i[2]), .ctrl_desc_valid_o(desc_valid_o[2]),
    .ctrl_desc_o(desc_o[256 +: 128]), .ctrl_desc_index_o(ctrl_desc_index),
    .ctrl_used_valid_i(used_valid_i[2]), .ctrl_used_ready_o(used_ready_o[2]),
    .ctrl_used_i(ctrl_used),
    .irq_valid_o, .irq_ready_i, .irq_queue_o, .err_valid_o, .err_o,
    .rd_valid_o, .rd_ready_i, .rd_addr_o, .rd_bytes_o(rd_bytes),
    .rsp_valid_i, .rsp_data_i, .rsp_last_i, .rsp_error_i,
    .sw_valid_o, .sw_ready_i, .sw_addr_o, .sw_data_o, .sw_strb_o, .sw_done_i, .sw_error_i,
    .trace_used_valid_o, .trace_used_tag_o(used_tag),
    .trace_visible_valid_o, .trace_visible_tag_o(visible_tag)
  );

endmodule
