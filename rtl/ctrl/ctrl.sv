// SPDX-License-Identifier: Apache-2.0
//
// ctrl: carries out the commands of the control virtqueue (virtio 1.2, 5.1.6.5). docs/control.md is
// its page.
//
//     req_*, rsp_* (axi_read)
//          |
//     ctrl_chain --bytes--> ctrl_command --action--> ctrl_settings --> cfg_o, mac_o
//      ^   |    <--verdict--     | ^    '-----------> ctrl_tables ----> tbl_o
//   desc   used, wr_*            v |
//        ^                ctrl_moderation ---------------------------> moderation_o
//        | result                ^
//     ctrl_stats <-- rd_*   en_*, dis_*
//
//   features_i      the features that the driver accepted
//   ready_o         low from reset until every table has its first values (4,234 cycles)
//   stop_i          starts nothing and gives up the command in hand; quiet_o: nothing in hand
//   qrst_valid_i    the control virtqueue is being reset: likewise, but a command that changes
//                   settings is completed. qrst_quiet_o: nothing in hand
//   avail_i, pop_o, desc, used   see vq_engine; a descriptor comes in the cycle after its pop
//   req_*, rsp_*    client of axi_read; wr_* small client of axi_write
//   en_*, dis_*     virtqueues that were enabled and reset, see ctrl_moderation
//   cfg_o, tbl_o    settings and tables of the receive path. moderation_o: see ctrl_moderation
//   mac_o           station address, first byte on the wire first
//   settle_*, settled_i   see ctrl_command
//   announce_ack_o  a pulse: the driver has announced itself
//   rd_*            asks for a statistic, see device_stats; judged_*: see ctrl_chain
//   err_*           a read or a write was answered with an error; err_o.queue: virtqueue index
//   ok_o, bad_o     pulses, a command was carried out or refused
//   idle_o          a clock edge without inputs changes no state
//
// Parameters: those of nic_core.

module ctrl #(
  parameter int unsigned AxiBytes   = 16,
  parameter int unsigned QueuePairs = 1,
  parameter int unsigned ClockKhz   = 156250,
  parameter logic [47:0] Mac        = 48'h02_00_00_00_00_01,
  localparam int unsigned VqWidth   = $clog2(2 * QueuePairs)
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
  input  nic_pkg::desc_t               desc_i,
  input  logic [15:0]                  desc_index_i,
  output logic                         used_valid_o,
  input  logic                         used_ready_i,
  output nic_pkg::used_t               used_o,

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

  output nic_pkg::rx_config_t          cfg_o,
  output nic_pkg::rx_table_t           tbl_o,
  output nic_pkg::moderation_t         moderation_o,
  output logic [47:0]                  mac_o,
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
  output nic_pkg::vq_error_t           err_o,
  output logic                         ok_o,
  output logic                         bad_o
);

  localparam int unsigned IndexWidth = $clog2(2 * QueuePairs + 1);

  logic        clk;
  logic        chain_idle, command_idle, moderation_idle, stats_idle, walking;
  logic        start, apply, byte_valid, byte_ready, ended, refuse, done, long;
  logic [7:0]  octet;
  logic [1:0]  overflow;
  ctrl_pkg::action_t action;
  logic        mod_valid, mod_done, mod_ok, settle;
  logic [1:0]  mod_op;
  logic [15:0] mod_queue, mod_packets, mod_usecs, packets, usecs;

  logic        over, few;
  logic        result, query, res_begin, res_some, res_valid, res_ready, res_last;
  logic [7:0]  res_byte;
  logic        store, list_full;
  logic [IndexWidth-1:0] store_vq;

  assign idle_o = chain_idle && command_idle && !walking && moderation_idle && stats_idle &&
                  !moderation_o.valid;

  clock_gate u_clock (
    .clk_i(clk_i),
    .en_i (rst_i || !idle_o || en_valid_i || dis_valid_i),
    .clk_o(clk)
  );

  ctrl_chain #(
    .AxiBytes  (AxiBytes),
    .QueueIndex(16'(2 * QueuePairs))
  ) u_chain (
    .clk_i       (clk),
    .rst_i       (rst_i),
    .ready_i     (ready_o),
    .stop_i      (stop_i),
    .qrst_i      (qrst_valid_i),
    .quiet_o     (quiet_o),
    .idle_o      (chain_idle),
    .avail_i     (avail_i),
    .pop_o       (pop_o),
    .desc_valid_i(desc_valid_i),
    .desc_i      (desc_i),
    .desc_index_i(desc_index_i),
    .used_valid_o(used_valid_o),
    .used_ready_i(used_ready_i),
    .used_o      (used_o),
    .req_valid_o (req_valid_o),
    .req_ready_i (req_ready_i),
    .req_addr_o  (req_addr_o),
    .req_bytes_o (req_bytes_o),
    .rsp_valid_i (rsp_valid_i),
    .rsp_data_i  (rsp_data_i),
    .rsp_error_i (rsp_error_i),
    .wr_valid_o  (wr_valid_o),
    .wr_ready_i  (wr_ready_i),
    .wr_addr_o   (wr_addr_o),
    .wr_data_o   (wr_data_o),
    .wr_strb_o   (wr_strb_o),
    .wr_done_i   (wr_done_i),
    .wr_error_i  (wr_error_i),
    .start_o     (start),
    .apply_o     (apply),
    .byte_valid_o(byte_valid),
    .byte_ready_i(byte_ready),
    .byte_o      (octet),
    .end_o       (ended),
    .refuse_i    (refuse),
    .done_i      (done),
    .long_i      (long),
    .data_i      ({16'd0, usecs, 16'd0, packets}),
    .res_i       (result),
    .res_need_i  (query),
    .res_begin_o (res_begin),
    .res_some_i  (res_some),
    .res_valid_i (res_valid),
    .res_ready_o (res_ready),
    .res_byte_i  (res_byte),
    .res_last_i  (res_last),
    .over_o      (over),
    .judged_o    (judged_o),
    .judged_ok_o (judged_ok_o),
    .err_valid_o (err_valid_o),
    .err_o       (err_o),
    .ok_o        (ok_o),
    .bad_o       (bad_o)
  );

  assign qrst_quiet_o = quiet_o;

  ctrl_command #(
    .QueuePairs(QueuePairs)
  ) u_command (
    .clk_i        (clk),
    .rst_i        (rst_i),
    .idle_o       (command_idle),
    .features_i   (features_i),
    .start_i      (start),
    .apply_i      (apply),
    .byte_valid_i (byte_valid),
    .byte_ready_o (byte_ready),
    .byte_i       (octet),
    .end_i        (ended),
    .refuse_o     (refuse),
    .done_o       (done),
    .long_o       (long),
    .result_o     (result),
    .query_o      (query),
    .store_o      (store),
    .store_vq_o   (store_vq),
    .list_full_i  (list_full),
    .few_o        (few),
    .action_o     (action),
    .walking_i    (walking),
    .mod_valid_o  (mod_valid),
    .mod_op_o     (mod_op),
    .mod_queue_o  (mod_queue),
    .mod_packets_o(mod_packets),
    .mod_usecs_o  (mod_usecs),
    .mod_done_i   (mod_done),
    .mod_ok_i     (mod_ok),
    .pairs_i       (cfg_o.pairs),
    .settle_o      (settle),
    .settle_queue_o(settle_queue_o),
    .settled_i     (settled_i)
  );

  ctrl_stats #(
    .QueuePairs(QueuePairs)
  ) u_stats (
    .clk_i     (clk),
    .rst_i     (rst_i),
    .idle_o    (stats_idle),
    .few_i     (few),
    .start_i   (start),
    .store_i   (store),
    .store_vq_i(store_vq),
    .full_o    (list_full),
    .query_i   (query),
    .begin_i   (res_begin),
    .clear_i   (over),
    .some_o    (res_some),
    .valid_o   (res_valid),
    .byte_o    (res_byte),
    .last_o    (res_last),
    .next_i    (res_ready),
    .rd_valid_o(rd_valid_o),
    .rd_vq_o   (rd_vq_o),
    .rd_field_o(rd_field_o),
    .rd_done_i (rd_done_i),
    .rd_value_i(rd_value_i)
  );

  ctrl_settings #(
    .QueuePairs(QueuePairs),
    .Mac       (Mac)
  ) u_settings (
    .clk_i         (clk),
    .rst_i         (rst_i),
    .features_i    (features_i),
    .action_i      (action),
    .overflow_i    (overflow),
    .cfg_o         (cfg_o),
    .announce_ack_o(announce_ack_o)
  );

  ctrl_tables u_tables (
    .clk_i     (clk),
    .rst_i     (rst_i),
    .action_i  (action),
    .tbl_o     (tbl_o),
    .overflow_o(overflow),
    .walking_o (walking),
    .ready_o   (ready_o)
  );

  ctrl_moderation #(
    .QueuePairs(QueuePairs),
    .ClockKhz  (ClockKhz)
  ) u_moderation (
    .clk_i        (clk),
    .rst_i        (rst_i),
    .idle_o       (moderation_idle),
    .en_valid_i   (en_valid_i),
    .en_queue_i   (en_queue_i),
    .dis_valid_i  (dis_valid_i),
    .dis_queue_i  (dis_queue_i),
    .mod_valid_i  (mod_valid),
    .mod_op_i     (mod_op),
    .mod_queue_i  (mod_queue),
    .mod_packets_i(mod_packets),
    .mod_usecs_i  (mod_usecs),
    .mod_done_o   (mod_done),
    .mod_ok_o     (mod_ok),
    .packets_o    (packets),
    .usecs_o      (usecs),
    .moderation_o (moderation_o)
  );

  assign mac_o    = cfg_o.mac;
  assign settle_o = settle && !stop_i;

endmodule
