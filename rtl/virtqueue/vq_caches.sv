// SPDX-License-Identifier: Apache-2.0
//
// vq_caches: the descriptors that were fetched and not yet taken: a vq_cache each for the receive
// queues, the transmit queues and the control queue.
//
//   enable, insert, look, wait, wake   by virtqueue index, see vq_cache. freed_o: the queue that is
//            looked at gives a row back in this cycle.
//   avail, pop, desc   by pair for receive and transmit, one of each a cycle; see vq_cache.
//   popped_o  a descriptor that was popped is being given out.
//
// The control queue has a cache of its own because the rows of the others then fill their block RAM to
// the last place, with a power of two of pairs; one row more would double it, or put a choice behind
// every bit of it.
//
// Parameters:
//   QueuePairs  receive and transmit queues
//   AxiBytes    bytes in a bus beat, 16 for each lane
//   Rows        rows for each queue, a power of two
//   SlotWidth   bits of a ring slot's number

module vq_caches #(
  parameter int unsigned QueuePairs = 1,
  parameter int unsigned AxiBytes = 16,
  parameter int unsigned Rows = 64,
  parameter int unsigned SlotWidth = 15,
  localparam int unsigned QueueWidth = (QueuePairs > 1) ? $clog2(QueuePairs) : 1,
  localparam int unsigned VqWidth = $clog2(2 * QueuePairs + 1),
  localparam int unsigned Lanes = AxiBytes / 16,
  localparam int unsigned LaneWidth = (Lanes > 1) ? $clog2(Lanes) : 1,
  localparam int unsigned RowWidth = $clog2(Rows)
) (
  input  logic                  clk_i,
  input  logic                  rst_i,

  input  logic                  en_valid_i,
  input  logic [VqWidth-1:0]    en_queue_i,

  input  logic                  insert_valid_i,
  input  logic [VqWidth-1:0]    insert_queue_i,
  input  logic [8*AxiBytes-1:0] insert_data_i,
  input  logic [LaneWidth-1:0]  insert_first_i,
  input  logic [LaneWidth-1:0]  insert_last_i,
  input  logic [SlotWidth-1:0]  insert_slot_i,

  input  logic [VqWidth-1:0]    look_queue_i,
  output logic [RowWidth:0]     look_head_o,
  output logic [RowWidth:0]     look_tail_o,
  output logic                  look_freed_o,
  input  logic                  wait_set_i,
  output logic                  wake_valid_o,
  input  logic                  wake_ready_i,
  output logic [VqWidth-1:0]    wake_queue_o,

  output logic [QueuePairs-1:0] rx_avail_o,
  input  logic                  rx_pop_valid_i,
  input  logic [QueueWidth-1:0] rx_pop_queue_i,
  output logic                  rx_desc_valid_o,
  output nic_pkg::desc_t        rx_desc_o,
  output logic [15:0]           rx_desc_index_o,

  output logic [QueuePairs-1:0] tx_avail_o,
  input  logic                  tx_pop_valid_i,
  input  logic [QueueWidth-1:0] tx_pop_queue_i,
  output logic                  tx_desc_valid_o,
  output nic_pkg::desc_t        tx_desc_o,
  output logic [15:0]           tx_desc_index_o,

  output logic                  ctrl_avail_o,
  input  logic                  ctrl_pop_i,
  output logic                  ctrl_desc_valid_o,
  output nic_pkg::desc_t        ctrl_desc_o,
  output logic [15:0]           ctrl_desc_index_o,

  output logic                  popped_o
);

  // The control queue comes last: with a power of two of pairs it alone has the highest bit.
  localparam logic [VqWidth-1:0] Control = VqWidth'(2 * QueuePairs);
  localparam bit                 Even    = (QueuePairs & (QueuePairs - 1)) == 0;

  ////////////////////
  // Whose it is    //
  ////////////////////

  logic                  en_ctrl, en_rx, en_tx;
  logic                  insert_ctrl, insert_rx, insert_tx;
  logic                  look_ctrl, look_rx, look_tx;
  logic [QueueWidth-1:0] en_pair, insert_pair, look_pair;
  logic [RowWidth:0]     rx_head, rx_tail, tx_head, tx_tail, ctrl_head, ctrl_tail;
  logic                  rx_freed, tx_freed, ctrl_freed;
  logic                  rx_wake, tx_wake, ctrl_wake;
  logic [QueueWidth-1:0] rx_wake_queue, tx_wake_queue;
  logic                  unused_ctrl_queue;

  assign en_ctrl     = Even ? en_queue_i[VqWidth-1] : en_queue_i == Control;
  assign en_rx       = !en_ctrl && !en_queue_i[0];
  assign en_tx       = !en_ctrl && en_queue_i[0];
  assign en_pair     = en_queue_i[1 +: QueueWidth];
  assign insert_ctrl = Even ? insert_queue_i[VqWidth-1] : insert_queue_i == Control;
  assign insert_rx   = !insert_ctrl && !insert_queue_i[0];
  assign insert_tx   = !insert_ctrl && insert_queue_i[0];
  assign insert_pair = insert_queue_i[1 +: QueueWidth];
  assign look_ctrl   = Even ? look_queue_i[VqWidth-1] : look_queue_i == Control;
  assign look_rx     = !look_ctrl && !look_queue_i[0];
  assign look_tx     = !look_ctrl && look_queue_i[0];
  assign look_pair   = look_queue_i[1 +: QueueWidth];

  assign look_head_o  = look_ctrl ? ctrl_head : look_rx ? rx_head : tx_head;
  assign look_tail_o  = look_ctrl ? ctrl_tail : look_rx ? rx_tail : tx_tail;
  assign look_freed_o = look_ctrl ? ctrl_freed
                      : look_rx   ? rx_freed && rx_pop_queue_i == look_pair
                                  : tx_freed && tx_pop_queue_i == look_pair;

  assign wake_valid_o = rx_wake || tx_wake || ctrl_wake;
  assign wake_queue_o = rx_wake ? VqWidth'({rx_wake_queue, 1'b0})
                      : tx_wake ? VqWidth'({tx_wake_queue, 1'b1}) : Control;
  assign popped_o     = rx_desc_valid_o || tx_desc_valid_o || ctrl_desc_valid_o;

  ////////////////////
  // Caches         //
  ////////////////////

  vq_cache #(
    .Queues(QueuePairs), .AxiBytes(AxiBytes), .Rows(Rows), .SlotWidth(SlotWidth)
  ) u_rx (
    .clk_i, .rst_i,
    .en_valid_i(en_valid_i && en_rx), .en_queue_i(en_pair),
    .insert_valid_i(insert_valid_i && insert_rx), .insert_queue_i(insert_pair),
    .insert_data_i, .insert_first_i, .insert_last_i, .insert_slot_i,
    .look_queue_i(look_pair), .look_head_o(rx_head), .look_tail_o(rx_tail),
    .avail_o(rx_avail_o), .pop_valid_i(rx_pop_valid_i), .pop_queue_i(rx_pop_queue_i),
    .freed_o(rx_freed),
    .wait_set_i(wait_set_i && look_rx), .wait_queue_i(look_pair),
    .wake_valid_o(rx_wake), .wake_ready_i, .wake_queue_o(rx_wake_queue),
    .desc_valid_o(rx_desc_valid_o), .desc_o(rx_desc_o), .desc_index_o(rx_desc_index_o)
  );

  vq_cache #(
    .Queues(QueuePairs), .AxiBytes(AxiBytes), .Rows(Rows), .SlotWidth(SlotWidth)
  ) u_tx (
    .clk_i, .rst_i,
    .en_valid_i(en_valid_i && en_tx), .en_queue_i(en_pair),
    .insert_valid_i(insert_valid_i && insert_tx), .insert_queue_i(insert_pair),
    .insert_data_i, .insert_first_i, .insert_last_i, .insert_slot_i,
    .look_queue_i(look_pair), .look_head_o(tx_head), .look_tail_o(tx_tail),
    .avail_o(tx_avail_o), .pop_valid_i(tx_pop_valid_i), .pop_queue_i(tx_pop_queue_i),
    .freed_o(tx_freed),
    .wait_set_i(wait_set_i && look_tx), .wait_queue_i(look_pair),
    .wake_valid_o(tx_wake), .wake_ready_i(wake_ready_i && !rx_wake), .wake_queue_o(tx_wake_queue),
    .desc_valid_o(tx_desc_valid_o), .desc_o(tx_desc_o), .desc_index_o(tx_desc_index_o)
  );

  vq_cache #(
    .Queues(1), .AxiBytes(AxiBytes), .Rows(Rows), .SlotWidth(SlotWidth)
  ) u_ctrl (
    .clk_i, .rst_i,
    .en_valid_i(en_valid_i && en_ctrl), .en_queue_i('0),
    .insert_valid_i(insert_valid_i && insert_ctrl), .insert_queue_i('0),
    .insert_data_i, .insert_first_i, .insert_last_i, .insert_slot_i,
    .look_queue_i('0), .look_head_o(ctrl_head), .look_tail_o(ctrl_tail),
    .avail_o(ctrl_avail_o), .pop_valid_i(ctrl_pop_i), .pop_queue_i('0),
    .freed_o(ctrl_freed),
    .wait_set_i(wait_set_i && look_ctrl), .wait_queue_i('0),
    .wake_valid_o(ctrl_wake), .wake_ready_i(wake_ready_i && !rx_wake && !tx_wake),
    .wake_queue_o(unused_ctrl_queue),
    .desc_valid_o(ctrl_desc_valid_o), .desc_o(ctrl_desc_o), .desc_index_o(ctrl_desc_index_o)
  );

endmodule
