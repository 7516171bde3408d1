// SPDX-License-Identifier: Apache-2.0
//
// virtqueues: the packed virtqueues of the device (virtio 1.2, 2.8 and 5.1.2). It fetches available
// descriptors ahead of need, gives them out in ring order, writes used elements back, and handles
// the notifications of both sides. docs/virtqueue.md is its page.
//
//                  kick                                  pop -> desc
//                   |                                       |
//   rd 0 ---> vq_fetch <-> vq_accept ------------> vq_caches (receive, transmit, control)
//                   |
//   sw 2 <--- vq_device_event
//
//   sw 0 <--- vq_used (receive) <--- used      sw 1 <--- vq_used (others) <--- used
//                   '------------------.--------------------'
//                                      | visible
//   rd 1 <--- vq_event <--- vq_moderation
//                | irq
//
//   virtqueue             towards
//   2n      receive       rx_*, queue n
//   2n + 1  transmit      tx_*, queue n
//   last    control       ctrl_*
//
//   stop      nothing new is started: no read of descriptors, no check, no write of the device
//             event area. Used elements are still taken and written, so that buffers in hand can be
//             returned. A client that waits for the rest of a chain has to give it up under stop.
//   quiet_o   no read, write or check is under way and no used element is kept back; rx_quiet_o: the
//             latter of receive.
//   idle_o    nothing to do before deadline_o: a clock edge without inputs changes no state.
//   enable    moves when en_valid_i and en_ready_o are both high. Until then nothing new is started
//             and no descriptor shown, so that all becomes quiet. The queue starts at slot 0 with
//             wrap counter 1 and reads the ring once without a kick. rx_en_o: in this cycle a receive
//             queue is enabled, the one of en_queue_i.
//   reset     qrst_valid_i stays until qrst_ready_o, and qrst_queue_i with it. Once qrst_quiet_i says
//             that no client has anything of the queue in hand, nothing new is read and no
//             descriptor shown; it stays, as clients begin nothing meanwhile. When all is quiet here
//             too, the queue is forgotten: it has no descriptors, no pending notification and moves no
//             more until it is enabled again. What other queues have stays.
//   kick      always taken; for virtqueues that exist.
//   pop       only under *_avail_o, and for receive and transmit not under hide_o; one a cycle of each.
//             *_desc_valid_o with the descriptor and its ring slot exactly one cycle later.
//   used      see vq_used; elements may come in any order. Those of the control queue go before those
//             of transmit.
//   set       moderation of a virtqueue, see vq_moderation
//   irq       irq_valid_o stays with the virtqueue until irq_ready_i.
//   error     err_valid_o rises after the first error and stays with err_o until reset; from the
//             error on it is as under stop.
//   rd, sw    clients of axi_read and axi_write. Requests stay until taken; answers are always taken,
//             in the order of the requests of each client.
//   trace     tag of a used element when its write was taken by the bus, and when it became visible;
//             index 0 for receive and 1 for transmit.
//
// Parameters:
//   QueuePairs   receive and transmit queues
//   AxiBytes     bytes in a bus beat, a power of two, 16 or more
//   RingMax      largest ring, up to 32768
//   TagWidth     bits in a trace tag
//   CacheDepth   descriptors cached for each queue, a power of two, 64 or more
//   BatchMax     descriptors read at once, half of CacheDepth at most
//   Depth        reads of descriptors under way at most

module virtqueues #(
  parameter int unsigned QueuePairs = 1,
  parameter int unsigned AxiBytes = 16,
  parameter int unsigned RingMax = 1024,
  parameter int unsigned TagWidth = 32,
  parameter int unsigned CacheDepth = (QueuePairs > 16 || AxiBytes < 32) ? 64 : 256,
  parameter int unsigned BatchMax = (CacheDepth < 256) ? 32 : 64,
  parameter int unsigned Depth = (AxiBytes < 64) ? 8 : 16,
  localparam int unsigned QueueWidth = (QueuePairs > 1) ? $clog2(QueuePairs) : 1,
  localparam int unsigned Readers = 2,
  localparam int unsigned Writers = 3
) (
  input  logic                                 clk_i,
  input  logic                                 rst_i,
  input  logic [63:0]                          now_i,
  output logic [63:0]                          deadline_o,

  input  logic                                 stop_i,
  output logic                                 rx_quiet_o,
  output logic                                 quiet_o,
  output logic                                 idle_o,
  input  logic                                 event_idx_i,

  input  logic                                 en_valid_i,
  output logic                                 en_ready_o,
  input  logic [15:0]                          en_queue_i,
  input  logic [63:0]                          en_desc_i,
  input  logic [63:0]                          en_driver_i,
  input  logic [63:0]                          en_device_i,
  input  logic [15:0]                          en_size_i,
  output logic                                 rx_en_o,

  input  logic                                 qrst_valid_i,
  input  logic                                 qrst_quiet_i,
  output logic                                 qrst_ready_o,
  input  logic [15:0]                          qrst_queue_i,

  input  nic_pkg::moderation_t                 moderation_i,

  input  logic                                 kick_valid_i,
  input  logic [15:0]                          kick_queue_i,

  output logic                                 hide_o,
  output logic [QueuePairs-1:0]                rx_avail_o,
  input  logic                                 rx_pop_valid_i,
  input  logic [QueueWidth-1:0]                rx_pop_queue_i,
  output logic                                 rx_desc_valid_o,
  output nic_pkg::desc_t                       rx_desc_o,
  output logic [15:0]                          rx_desc_index_o,
  input  logic                                 rx_used_valid_i,
  output logic                                 rx_used_ready_o,
  input  logic [QueueWidth-1:0]                rx_used_queue_i,
  input  nic_pkg::used_t                       rx_used_i,
  input  logic [TagWidth-1:0]                  rx_used_tag_i,

  output logic [QueuePairs-1:0]                tx_avail_o,
  input  logic                                 tx_pop_valid_i,
  input  logic [QueueWidth-1:0]                tx_pop_queue_i,
  output logic                                 tx_desc_valid_o,
  output nic_pkg::desc_t                       tx_desc_o,
  output logic [15:0]                          tx_desc_index_o,
  input  logic                                 tx_used_valid_i,
  output logic                                 tx_used_ready_o,
  input  logic [QueueWidth-1:0]                tx_used_queue_i,
  input  nic_pkg::used_t                       tx_used_i,
  input  logic [TagWidth-1:0]                  tx_used_tag_i,

  output logic                                 ctrl_avail_o,
  input  logic                                 ctrl_pop_i,
  output logic                                 ctrl_desc_valid_o,
  output nic_pkg::desc_t                       ctrl_desc_o,
  output logic [15:0]                          ctrl_desc_index_o,
  input  logic                                 ctrl_used_valid_i,
  output logic                                 ctrl_used_ready_o,
  input  nic_pkg::used_t                       ctrl_used_i,

  output logic                                 irq_valid_o,
  input  logic                                 irq_ready_i,
  output logic [15:0]                          irq_queue_o,

  output logic                                 err_valid_o,
  output nic_pkg::vq_error_t                   err_o,

  output logic [Readers-1:0]                   rd_valid_o,
  input  logic [Readers-1:0]                   rd_ready_i,
  output logic [64*Readers-1:0]                rd_addr_o,
  output logic [nic_pkg::LenWidth*Readers-1:0] rd_bytes_o,
  input  logic [Readers-1:0]                   rsp_valid_i,
  input  logic [8*AxiBytes-1:0]                rsp_data_i,
  input  logic                                 rsp_last_i,
  input  logic                                 rsp_error_i,

  output logic [Writers-1:0]                   sw_valid_o,
  input  logic [Writers-1:0]                   sw_ready_i,
  output logic [64*Writers-1:0]                sw_addr_o,
  output logic [8*AxiBytes*Writers-1:0]        sw_data_o,
  output logic [AxiBytes*Writers-1:0]          sw_strb_o,
  input  logic [Writers-1:0]                   sw_done_i,
  input  logic [Writers-1:0]                   sw_error_i,

  output logic [1:0]                           trace_used_valid_o,
  output logic [2*TagWidth-1:0]                trace_used_tag_o,
  output logic [1:0]                           trace_visible_valid_o,
  output logic [2*TagWidth-1:0]                trace_visible_tag_o
);

  if (AxiBytes < 16 || (AxiBytes & (AxiBytes - 1)) != 0) begin : g_bad_axi_bytes
    $error("virtqueues: AxiBytes must be a power of two, 16 or more");
  end
  if (CacheDepth < 64 || (CacheDepth & (CacheDepth - 1)) != 0) begin : g_bad_cache_depth
    $error("virtqueues: CacheDepth must be a power of two, 64 or more");
  end
  if (RingMax < 1 || RingMax > 32768) begin : g_bad_ring_max
    $error("virtqueues: RingMax must be 1 to 32768");
  end

  localparam int unsigned LenWidth  = nic_pkg::LenWidth;
  localparam int unsigned Lanes     = AxiBytes / 16;
  localparam int unsigned LaneWidth = (Lanes > 1) ? $clog2(Lanes) : 1;
  localparam int unsigned Rows      = CacheDepth / Lanes;
  localparam int unsigned RowWidth  = $clog2(Rows);
  localparam int unsigned SlotWidth = (RingMax > 128) ? $clog2(RingMax) : 7;  // of a batch at least

  localparam int unsigned ReadDesc   = 0;
  localparam int unsigned ReadEvent  = 1;
  localparam int unsigned WriteRx    = 0;
  localparam int unsigned WriteTx    = 1;
  localparam int unsigned WriteEvent = 2;

  // All queues by their virtqueue index; those of the two caches by half of it.
  localparam int unsigned Queues   = 2 * QueuePairs + 1;
  localparam int unsigned VqWidth  = $clog2(Queues);
  localparam int unsigned TxQueues = QueuePairs + 1;
  localparam int unsigned TxWidth  = $clog2(TxQueues);
  localparam logic [VqWidth-1:0] Control   = VqWidth'(2 * QueuePairs);
  localparam logic [TxWidth-1:0] ControlTx = TxWidth'(QueuePairs);

  ////////////////////
  // Control        //
  ////////////////////

  logic               failing;       // there was an error
  logic               halt;          // start nothing new
  logic               halt_fetch;
  logic               pause;         // show no descriptors
  logic               en;
  logic               dis;
  logic               fresh;         // a queue is enabled or forgotten
  logic               still;         // nothing of any queue is under way
  logic [VqWidth-1:0] en_queue;
  logic [SlotWidth:0] en_size;
  logic               en_receive;
  logic               en_rx;         // for the parts that serve receive, and the others
  logic               en_tx;
  logic               pops;
  logic               fetch_quiet, fetch_idle, fetch_moves;
  logic               device_quiet, device_empty, device_moves;
  logic               rx_used_quiet, rx_used_moves;
  logic               tx_used_quiet, tx_used_moves;
  logic               moderation_idle;
  logic               event_quiet, event_empty, event_idle, event_moves;
  logic               seeking;
  logic               touch_valid;
  logic               popped;        // a descriptor is being given out
  logic               clk;

  assign halt       = stop_i || failing || en_valid_i;
  // Before a queue is reset, chains of other queues that are half taken are taken to their end.
  assign pause      = en_valid_i || (qrst_valid_i && qrst_quiet_i);
  assign halt_fetch = halt || pause;

  assign pops       = rx_pop_valid_i || tx_pop_valid_i || ctrl_pop_i;
  assign still      = fetch_quiet && rx_used_quiet && tx_used_quiet && event_quiet && !touch_valid &&
                      !pops && !rx_used_valid_i && !tx_used_valid_i && !ctrl_used_valid_i;
  assign en_ready_o = still && device_quiet;
  assign en         = en_valid_i && en_ready_o;
  assign dis        = qrst_valid_i && qrst_quiet_i && !en_valid_i && still && device_empty &&
                      event_empty;
  assign qrst_ready_o = dis;

  assign fresh      = en || dis;
  assign en_queue   = en ? en_queue_i[VqWidth-1:0] : qrst_queue_i[VqWidth-1:0];
  assign en_size    = en_size_i[SlotWidth:0];
  assign en_receive = !en_queue[0] && en_queue != Control;
  assign en_rx      = fresh && en_receive;
  assign en_tx      = fresh && !en_receive;
  assign rx_en_o    = en && en_receive;

  assign quiet_o    = fetch_quiet && device_quiet && rx_used_quiet && tx_used_quiet && event_quiet;
  assign rx_quiet_o = rx_used_quiet;
  assign idle_o     = fetch_idle && (device_empty || (device_quiet && halt)) && rx_used_quiet &&
                      tx_used_quiet && moderation_idle && event_idle && !popped && !seeking;

  // While it only waits, for a kick, a response or a time, it needs no clock.
  clock_gate u_clock (
    .clk_i,
    .en_i  (rst_i || en_valid_i || qrst_valid_i || kick_valid_i || pops || rx_used_valid_i ||
            tx_used_valid_i || ctrl_used_valid_i || rsp_valid_i != '0 || sw_done_i != '0 ||
            moderation_i.valid || popped || fetch_moves || device_moves ||
            rx_used_moves || tx_used_moves || !moderation_idle || event_moves || seeking),
    .clk_o (clk)
  );

  ////////////////////
  // Descriptors    //
  ////////////////////

  logic [VqWidth-1:0]   look_queue, look_next, batch_queue, batch_next;
  logic [VqWidth-1:0]   wake_queue, job_queue, armed_queue, seek_queue;
  logic [RowWidth:0]    look_head, look_tail;
  logic [SlotWidth:0]   look_pos;
  logic                 look_chain, look_epoch, look_again, look_freed;
  logic [LaneWidth-1:0] insert_first, insert_last;
  logic                 look_take, batch_take, wait_set, wake_valid, wake_ready;
  logic [SlotWidth:0]   batch_pos;
  logic [14:0]          seek_index;
  logic [SlotWidth-1:0] insert_slot;
  logic [6:0]           batch_count, end_run, end_more;
  logic                 batch_epoch, batch_late, batch_sure;
  logic                 insert_valid, end_valid, end_live, end_chain;
  logic                 job_valid, job_enable, armed_valid, armed_ready, armed_enable;
  logic                 seek_slot, seek_event;
  logic                 accept_err_valid, accept_err_slot;
  logic [7:0]           accept_err_code;
  logic [15:0]          accept_err_index;
  logic [63:0]          accept_err_addr, device_addr;

  vq_fetch #(
    .Queues(Queues), .AxiBytes(AxiBytes), .Rows(Rows), .BatchMax(BatchMax), .Depth(Depth),
    .SlotWidth(SlotWidth)
  ) u_fetch (
    .clk_i(clk), .rst_i,
    .halt_i(halt_fetch), .quiet_o(fetch_quiet), .idle_o(fetch_idle), .moves_o(fetch_moves),
    .en_valid_i(en), .dis_valid_i(dis), .en_queue_i(en_queue),
    .en_desc_i, .en_size_i(en_size),
    .kick_valid_i, .kick_queue_i(kick_queue_i[VqWidth-1:0]),
    .look_take_o(look_take), .look_next_o(look_next),
    .look_queue_o(look_queue), .look_head_i(look_head), .look_tail_i(look_tail),
    .look_pos_i(look_pos), .look_chain_i(look_chain), .look_epoch_i(look_epoch),
    .look_again_i(look_again), .look_freed_i(look_freed),
    .wait_set_o(wait_set),
    .wake_valid_i(wake_valid), .wake_ready_o(wake_ready), .wake_queue_i(wake_queue),
    .batch_take_o(batch_take), .batch_next_o(batch_next),
    .batch_queue_o(batch_queue), .batch_pos_o(batch_pos), .batch_count_o(batch_count),
    .batch_epoch_o(batch_epoch), .batch_late_o(batch_late), .batch_sure_o(batch_sure),
    .end_valid_i(end_valid), .end_live_i(end_live), .end_run_i(end_run), .end_more_i(end_more),
    .end_chain_i(end_chain),
    .job_valid_o(job_valid), .job_enable_o(job_enable), .job_queue_o(job_queue),
    .armed_valid_i(armed_valid), .armed_ready_o(armed_ready),
    .armed_enable_i(armed_enable), .armed_queue_i(armed_queue),
    .ask_valid_i(seek_slot), .ask_queue_i(seek_queue), .ask_slot_i(seek_index[SlotWidth-1:0]),
    .drd_req_valid_o(rd_valid_o[ReadDesc]), .drd_req_ready_i(rd_ready_i[ReadDesc]),
    .drd_req_addr_o(rd_addr_o[64*ReadDesc +: 64]),
    .drd_req_bytes_o(rd_bytes_o[LenWidth*ReadDesc +: LenWidth])
  );

  vq_accept #(
    .QueuePairs(QueuePairs), .AxiBytes(AxiBytes), .Depth(Depth), .SlotWidth(SlotWidth)
  ) u_accept (
    .clk_i(clk), .rst_i,
    .en_valid_i(fresh), .en_queue_i(en_queue), .en_lane_i(en_desc_i[4 +: LaneWidth]),
    .en_size_i(en_size),
    .rsp_valid_i(rsp_valid_i[ReadDesc]), .rsp_data_i, .rsp_last_i, .rsp_error_i,
    .batch_take_i(batch_take), .batch_next_i(batch_next),
    .batch_queue_i(batch_queue), .batch_pos_i(batch_pos), .batch_count_i(batch_count),
    .batch_epoch_i(batch_epoch), .batch_late_i(batch_late), .batch_sure_i(batch_sure),
    .insert_valid_o(insert_valid), .insert_first_o(insert_first), .insert_last_o(insert_last),
    .insert_slot_o(insert_slot),
    .end_valid_o(end_valid), .end_live_o(end_live), .end_run_o(end_run), .end_more_o(end_more),
    .end_chain_o(end_chain),
    .look_take_i(look_take), .look_next_i(look_next), .look_pos_o(look_pos), .look_chain_o(look_chain),
    .look_epoch_o(look_epoch), .look_again_o(look_again),
    .err_valid_o(accept_err_valid), .err_code_o(accept_err_code), .err_index_o(accept_err_index),
    .err_slot_o(accept_err_slot), .err_addr_o(accept_err_addr)
  );

  // Given only where it counts, so that simulation does not copy it in every cycle.
  logic [8*AxiBytes-1:0] rx_used_data, tx_used_data, event_data;

  always_comb begin
    sw_data_o = 'x;
    if (sw_valid_o[WriteRx])    sw_data_o[8*AxiBytes*WriteRx +: 8*AxiBytes]    = rx_used_data;
    if (sw_valid_o[WriteTx])    sw_data_o[8*AxiBytes*WriteTx +: 8*AxiBytes]    = tx_used_data;
    if (sw_valid_o[WriteEvent]) sw_data_o[8*AxiBytes*WriteEvent +: 8*AxiBytes] = event_data;
  end

  vq_device_event #(
    .Queues(Queues), .AxiBytes(AxiBytes)
  ) u_device_event (
    .clk_i(clk), .rst_i,
    .halt_i(halt), .quiet_o(device_quiet), .empty_o(device_empty), .moves_o(device_moves),
    .en_valid_i(en), .en_queue_i(en_queue), .en_device_i,
    .job_valid_i(job_valid), .job_enable_i(job_enable), .job_queue_i(job_queue),
    .armed_valid_o(armed_valid), .armed_ready_i(armed_ready),
    .armed_enable_o(armed_enable), .armed_queue_o(armed_queue), .addr_o(device_addr),
    .dwr_valid_o(sw_valid_o[WriteEvent]), .dwr_ready_i(sw_ready_i[WriteEvent]),
    .dwr_addr_o(sw_addr_o[64*WriteEvent +: 64]),
    .dwr_data_o(event_data),
    .dwr_strb_o(sw_strb_o[AxiBytes*WriteEvent +: AxiBytes]),
    .dwr_done_i(sw_done_i[WriteEvent])
  );

  ////////////////////
  // Caches         //
  ////////////////////

  logic ctrl_avail;

  vq_caches #(
    .QueuePairs(QueuePairs), .AxiBytes(AxiBytes), .Rows(Rows), .SlotWidth(SlotWidth)
  ) u_caches (
    .clk_i(clk), .rst_i,
    .en_valid_i(fresh), .en_queue_i(en_queue),
    .insert_valid_i(insert_valid), .insert_queue_i(batch_queue), .insert_data_i(rsp_data_i),
    .insert_first_i(insert_first), .insert_last_i(insert_last), .insert_slot_i(insert_slot),
    .look_queue_i(look_queue), .look_head_o(look_head), .look_tail_o(look_tail),
    .look_freed_o(look_freed), .wait_set_i(wait_set),
    .wake_valid_o(wake_valid), .wake_ready_i(wake_ready), .wake_queue_o(wake_queue),
    .rx_avail_o, .rx_pop_valid_i, .rx_pop_queue_i,
    .rx_desc_valid_o, .rx_desc_o, .rx_desc_index_o,
    .tx_avail_o, .tx_pop_valid_i, .tx_pop_queue_i,
    .tx_desc_valid_o, .tx_desc_o, .tx_desc_index_o,
    .ctrl_avail_o(ctrl_avail), .ctrl_pop_i,
    .ctrl_desc_valid_o, .ctrl_desc_o, .ctrl_desc_index_o,
    .popped_o(popped)
  );

  assign hide_o       = pause;
  assign ctrl_avail_o = !pause && ctrl_avail;

  ////////////////////
  // Used           //
  ////////////////////

  logic                  rx_visible_valid, rx_visible_ready, tx_visible_valid, tx_visible_ready;
  logic [QueueWidth-1:0] rx_visible_queue, rx_err_queue;
  logic [TxWidth-1:0]    tx_visible_queue, tx_err_queue;
  logic [2:0]            rx_visible_count, tx_visible_count;
  logic [SlotWidth:0]    rx_visible_pos, rx_visible_slots, tx_visible_pos, tx_visible_slots;
  logic                  rx_err_valid, tx_err_valid, tx_used_ready;
  logic [15:0]           rx_err_index, tx_err_index;

  vq_used #(
    .Queues(QueuePairs), .AxiBytes(AxiBytes), .Groups(1'b1), .TagWidth(TagWidth),
    .WriteDepth((AxiBytes < 64) ? 32 : 64), .SlotWidth(SlotWidth)
  ) u_rx_used (
    .clk_i(clk), .rst_i,
    .quiet_o(rx_used_quiet), .moves_o(rx_used_moves),
    .en_valid_i(en_rx), .en_queue_i(en_queue[1 +: QueueWidth]), .en_desc_i, .en_size_i(en_size),
    .used_valid_i(rx_used_valid_i), .used_ready_o(rx_used_ready_o),
    .used_queue_i(rx_used_queue_i), .used_i(rx_used_i), .used_tag_i(rx_used_tag_i),
    .uwr_valid_o(sw_valid_o[WriteRx]), .uwr_ready_i(sw_ready_i[WriteRx]),
    .uwr_addr_o(sw_addr_o[64*WriteRx +: 64]),
    .uwr_data_o(rx_used_data),
    .uwr_strb_o(sw_strb_o[AxiBytes*WriteRx +: AxiBytes]),
    .uwr_done_i(sw_done_i[WriteRx]), .uwr_error_i(sw_error_i[WriteRx]),
    .visible_valid_o(rx_visible_valid), .visible_ready_i(rx_visible_ready),
    .visible_queue_o(rx_visible_queue), .visible_count_o(rx_visible_count),
    .visible_pos_o(rx_visible_pos), .visible_slots_o(rx_visible_slots),
    .trace_used_valid_o(trace_used_valid_o[0]), .trace_used_tag_o(trace_used_tag_o[0 +: TagWidth]),
    .trace_visible_valid_o(trace_visible_valid_o[0]),
    .trace_visible_tag_o(trace_visible_tag_o[0 +: TagWidth]),
    .err_valid_o(rx_err_valid), .err_queue_o(rx_err_queue), .err_index_o(rx_err_index)
  );

  vq_used #(
    .Queues(TxQueues), .AxiBytes(AxiBytes), .Groups(1'b0), .Traced(QueuePairs), .TagWidth(TagWidth),
    .WriteDepth((AxiBytes < 64) ? 32 : 64), .SlotWidth(SlotWidth)
  ) u_tx_used (
    .clk_i(clk), .rst_i,
    .quiet_o(tx_used_quiet), .moves_o(tx_used_moves),
    .en_valid_i(en_tx), .en_queue_i(TxWidth'(en_queue[VqWidth-1:1])), .en_desc_i, .en_size_i(en_size),
    .used_valid_i(tx_used_valid_i || ctrl_used_valid_i), .used_ready_o(tx_used_ready),
    .used_queue_i(ctrl_used_valid_i ? ControlTx : TxWidth'(tx_used_queue_i)),
    .used_i(ctrl_used_valid_i ? ctrl_used_i : tx_used_i), .used_tag_i(tx_used_tag_i),
    .uwr_valid_o(sw_valid_o[WriteTx]), .uwr_ready_i(sw_ready_i[WriteTx]),
    .uwr_addr_o(sw_addr_o[64*WriteTx +: 64]),
    .uwr_data_o(tx_used_data),
    .uwr_strb_o(sw_strb_o[AxiBytes*WriteTx +: AxiBytes]),
    .uwr_done_i(sw_done_i[WriteTx]), .uwr_error_i(sw_error_i[WriteTx]),
    .visible_valid_o(tx_visible_valid), .visible_ready_i(tx_visible_ready),
    .visible_queue_o(tx_visible_queue), .visible_count_o(tx_visible_count),
    .visible_pos_o(tx_visible_pos), .visible_slots_o(tx_visible_slots),
    .trace_used_valid_o(trace_used_valid_o[1]),
    .trace_used_tag_o(trace_used_tag_o[TagWidth +: TagWidth]),
    .trace_visible_valid_o(trace_visible_valid_o[1]),
    .trace_visible_tag_o(trace_visible_tag_o[TagWidth +: TagWidth]),
    .err_valid_o(tx_err_valid), .err_queue_o(tx_err_queue), .err_index_o(tx_err_index)
  );

  assign tx_used_ready_o   = tx_used_ready && !ctrl_used_valid_i;
  assign ctrl_used_ready_o = tx_used_ready;

  ////////////////////
  // Interrupts     //
  ////////////////////

  logic               take_rx, visible_ready, touch_ready, touch_visible, touch_due, event_err_valid;
  logic [VqWidth-1:0] tx_visible_index, tx_err_index_queue, visible_queue, touch_queue, irq_queue;
  logic [VqWidth-1:0] event_err_queue;
  logic [SlotWidth:0] touch_pos, touch_slots;

  // Those of transmit wait for those of receive; each side has at most one in two cycles.
  assign take_rx          = rx_visible_valid;
  assign rx_visible_ready = visible_ready;
  assign tx_visible_ready = visible_ready && !take_rx;
  assign tx_visible_index = (tx_visible_queue == ControlTx) ? Control
                                                            : VqWidth'({tx_visible_queue, 1'b1});
  assign visible_queue    = take_rx ? VqWidth'({rx_visible_queue, 1'b0}) : tx_visible_index;

  vq_moderation #(
    .Queues(Queues), .SlotWidth(SlotWidth)
  ) u_moderation (
    .clk_i(clk), .rst_i, .now_i, .deadline_o, .idle_o(moderation_idle),
    .en_valid_i(fresh), .en_queue_i(en_queue), .set_i(moderation_i),
    .visible_valid_i(rx_visible_valid || tx_visible_valid), .visible_ready_o(visible_ready),
    .visible_queue_i(visible_queue),
    .visible_count_i(take_rx ? rx_visible_count : tx_visible_count),
    .visible_pos_i(take_rx ? rx_visible_pos : tx_visible_pos),
    .visible_slots_i(take_rx ? rx_visible_slots : tx_visible_slots),
    .touch_valid_o(touch_valid), .touch_ready_i(touch_ready), .touch_queue_o(touch_queue),
    .touch_visible_o(touch_visible), .touch_due_o(touch_due), .touch_pos_o(touch_pos),
    .touch_slots_o(touch_slots)
  );

  vq_event #(
    .Queues(Queues), .AxiBytes(AxiBytes), .SlotWidth(SlotWidth)
  ) u_event (
    .clk_i(clk), .rst_i,
    .halt_i(halt), .quiet_o(event_quiet), .empty_o(event_empty), .idle_o(event_idle),
    .moves_o(event_moves), .event_idx_i,
    .en_valid_i(fresh), .en_queue_i(en_queue), .en_driver_i, .en_size_i(en_size),
    .touch_valid_i(touch_valid), .touch_ready_o(touch_ready), .touch_queue_i(touch_queue),
    .touch_visible_i(touch_visible), .touch_due_i(touch_due), .touch_pos_i(touch_pos),
    .touch_slots_i(touch_slots),
    .ask_valid_i(seek_event), .ask_queue_i(seek_queue),
    .erd_req_valid_o(rd_valid_o[ReadEvent]), .erd_req_ready_i(rd_ready_i[ReadEvent]),
    .erd_req_addr_o(rd_addr_o[64*ReadEvent +: 64]),
    .erd_req_bytes_o(rd_bytes_o[LenWidth*ReadEvent +: LenWidth]),
    .erd_rsp_valid_i(rsp_valid_i[ReadEvent]), .rsp_data_i, .rsp_error_i,
    .irq_valid_o, .irq_ready_i, .irq_queue_o(irq_queue),
    .err_valid_o(event_err_valid), .err_queue_o(event_err_queue)
  );

  assign irq_queue_o = 16'(irq_queue);

  ////////////////////
  // Errors         //
  ////////////////////

  assign tx_err_index_queue = (tx_err_queue == ControlTx) ? Control
                                                          : VqWidth'({tx_err_queue, 1'b1});

  vq_errors #(
    .QueueWidth(VqWidth)
  ) u_errors (
    .clk_i(clk), .rst_i,
    .accept_valid_i(accept_err_valid), .accept_code_i(accept_err_code),
    .accept_queue_i(batch_queue), .accept_index_i(accept_err_index),
    .accept_slot_i(accept_err_slot), .accept_addr_i(accept_err_addr),
    .rx_used_valid_i(rx_err_valid), .rx_used_queue_i(VqWidth'({rx_err_queue, 1'b0})),
    .rx_used_index_i(rx_err_index),
    .tx_used_valid_i(tx_err_valid), .tx_used_queue_i(tx_err_index_queue),
    .tx_used_index_i(tx_err_index),
    .event_valid_i(event_err_valid), .event_queue_i(event_err_queue),
    .device_valid_i(sw_done_i[WriteEvent] && sw_error_i[WriteEvent]),
    .device_queue_i(armed_queue), .device_addr_i(device_addr),
    .seek_slot_o(seek_slot), .seek_event_o(seek_event), .seek_queue_o(seek_queue),
    .seek_index_o(seek_index),
    .slot_busy_i(rd_valid_o[ReadDesc]), .slot_addr_i(rd_addr_o[64*ReadDesc +: 64]),
    .event_busy_i(rd_valid_o[ReadEvent]), .event_addr_i(rd_addr_o[64*ReadEvent +: 64]),
    .failing_o(failing), .busy_o(seeking), .err_valid_o, .err_o
  );

  logic unused_bits;
  assign unused_bits = ^{seek_index, en_size_i, en_queue_i, kick_queue_i, qrst_queue_i, en_queue};

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // Nothing that is hidden is taken.
      a_hidden: assert (!pause || !pops);
      // Enables, resets and kicks name virtqueues that exist.
      a_enable_exists: assert (!en_valid_i || 32'(en_queue_i) < Queues);
      a_reset_exists: assert (!qrst_valid_i || 32'(qrst_queue_i) < Queues);
      a_kick_exists: assert (!kick_valid_i || 32'(kick_queue_i) < Queues);
    end
  end
`endif

endmodule
