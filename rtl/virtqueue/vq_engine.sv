// SPDX-License-Identifier: Apache-2.0
//
// vq_engine: the packed virtqueues of one direction (virtio 1.2, 2.8). It fetches available
// descriptors ahead of need, gives them out in ring order, writes used elements back, and handles
// the notifications of both sides. One engine serves all receive queues, another all transmit
// queues. docs/virtqueue.md is its page.
//
//                    kick                             pop -> desc
//                     |                                  |
//     drd_* ---> vq_fetch <-> vq_accept ------------> vq_cache
//                     |
//     dwr_* <--- vq_device_event
//
//     uwr_* <--- vq_used <--- used
//                     | visible
//     erd_* ---> vq_event ---> irq
//
//   stop      nothing new is started: no read of descriptors, no check, no write of the device
//             event area. Used elements are still taken and written, so that buffers in hand can be
//             returned. A client that waits for the rest of a chain has to give it up under stop.
//   quiet_o   no read, write or check is under way and no used element is kept back.
//   idle_o    quiet, nothing to start, no interrupt waiting: a clock edge without inputs changes
//             no state.
//   enable    moves when en_valid_i and en_ready_o are both high; while en_valid_i is high nothing
//             new is started, and en_ready_o comes when all is quiet. The queue starts at slot 0
//             with wrap counter 1 and reads the ring once without a kick.
//   kick      always taken.
//   pop       see vq_cache: pop only under avail_o, desc_valid_o exactly one cycle later.
//   used      see vq_used. Elements may come in any order; the engine
//             writes them as they come.
//   irq       see vq_event. irq_queue_o is the engine's queue number.
//   error     err_valid_o rises with the first error and stays with err_o until reset; the engine
//             behaves as under stop from then on. err_o.queue is the virtqueue index: twice the
//             queue number, plus one for transmit (virtio 1.2, 5.1.2).
//   reads     drd_* (descriptors) and erd_* (driver event area): requests stay until taken; answers
//             are always taken, in order of the requests of each.
//   writes    uwr_* (used) and dwr_* (device event area): a beat-aligned address, one beat with
//             strobes; done in order of the writes of each.
//   trace     tag of a used element when its write was taken by the bus, and when it was answered.
//
// Parameters:
//   Queues        number of queues
//   AxiBytes      bytes in a bus beat, a power of two, 16 or more
//   DeviceWrites  1 for receive (device writes buffers), 0 for transmit
//   ControlQueue  the last queue is the control virtqueue: its chains may have device-writable
//                 descriptors behind the others, its virtqueue index is twice its number, and it
//                 is not traced
//   CacheDepth    descriptors cached for each queue, a power of two, 64 or more
//   RingMax       largest ring, up to 32768
//   TagWidth      bits in a trace tag
//   StrictChains  see vq_accept

module vq_engine #(
  parameter int unsigned Queues = 1,
  parameter int unsigned AxiBytes = 16,
  parameter bit DeviceWrites = 1'b0,
  parameter bit ControlQueue = 1'b0,
  parameter int unsigned CacheDepth = 64,
  parameter int unsigned RingMax = 1024,
  parameter int unsigned TagWidth = 32,
  parameter bit StrictChains = 1'b0,
  localparam int unsigned QueueWidth = (Queues > 1) ? $clog2(Queues) : 1
) (
  input  logic                  clk_i,
  input  logic                  rst_i,

  input  logic                  stop_i,
  output logic                  quiet_o,
  output logic                  idle_o,
  input  logic                  event_idx_i,

  input  logic                  en_valid_i,
  output logic                  en_ready_o,
  input  logic [QueueWidth-1:0] en_queue_i,
  input  logic [63:0]           en_desc_i,
  input  logic [63:0]           en_driver_i,
  input  logic [63:0]           en_device_i,
  input  logic [15:0]           en_size_i,

  input  logic                  kick_valid_i,
  input  logic [QueueWidth-1:0] kick_queue_i,

  output logic [Queues-1:0]     avail_o,
  input  logic                  pop_valid_i,
  input  logic [QueueWidth-1:0] pop_queue_i,
  output logic                  desc_valid_o,
  output nic_pkg::desc_t        desc_o,
  output logic [15:0]           desc_index_o,

  input  logic                  used_valid_i,
  output logic                  used_ready_o,
  input  logic [QueueWidth-1:0] used_queue_i,
  input  nic_pkg::used_t        used_i,
  input  logic [TagWidth-1:0]   used_tag_i,

  output logic                  irq_valid_o,
  input  logic                  irq_ready_i,
  output logic [QueueWidth-1:0] irq_queue_o,

  output logic                  err_valid_o,
  output nic_pkg::vq_error_t    err_o,

  output logic                  drd_req_valid_o,
  input  logic                  drd_req_ready_i,
  output logic [63:0]           drd_req_addr_o,
  output logic [16:0]           drd_req_bytes_o,
  input  logic                  drd_rsp_valid_i,
  output logic                  erd_req_valid_o,
  input  logic                  erd_req_ready_i,
  output logic [63:0]           erd_req_addr_o,
  output logic [16:0]           erd_req_bytes_o,
  input  logic                  erd_rsp_valid_i,
  input  logic [8*AxiBytes-1:0] rsp_data_i,
  input  logic                  rsp_last_i,
  input  logic                  rsp_error_i,

  output logic                  uwr_valid_o,
  input  logic                  uwr_ready_i,
  output logic [63:0]           uwr_addr_o,
  output logic [8*AxiBytes-1:0] uwr_data_o,
  output logic [AxiBytes-1:0]   uwr_strb_o,
  input  logic                  uwr_done_i,
  input  logic                  uwr_error_i,
  output logic                  dwr_valid_o,
  input  logic                  dwr_ready_i,
  output logic [63:0]           dwr_addr_o,
  output logic [8*AxiBytes-1:0] dwr_data_o,
  output logic [AxiBytes-1:0]   dwr_strb_o,
  input  logic                  dwr_done_i,
  input  logic                  dwr_error_i,

  output logic                  trace_used_valid_o,
  output logic [TagWidth-1:0]   trace_used_tag_o,
  output logic                  trace_visible_valid_o,
  output logic [TagWidth-1:0]   trace_visible_tag_o
);

  if (AxiBytes < 16 || (AxiBytes & (AxiBytes - 1)) != 0) begin : g_bad_axi_bytes
    $error("vq_engine: AxiBytes must be a power of two, 16 or more");
  end
  if (CacheDepth < 64 || (CacheDepth & (CacheDepth - 1)) != 0) begin : g_bad_cache_depth
    $error("vq_engine: CacheDepth must be a power of two, 64 or more");
  end
  if (RingMax < 1 || RingMax > 32768) begin : g_bad_ring_max
    $error("vq_engine: RingMax must be 1 to 32768");
  end

  localparam int unsigned Lanes = AxiBytes / 16;
  localparam int unsigned LaneWidth = (Lanes > 1) ? $clog2(Lanes) : 1;
  localparam int unsigned Rows = CacheDepth / Lanes;
  localparam int unsigned RowWidth = $clog2(Rows);

  ////////////////////
  // Control        //
  ////////////////////

  logic               error_q;
  nic_pkg::vq_error_t err_q;
  logic               halt;
  logic               en_valid;

  logic fetch_quiet;
  logic fetch_idle;
  logic device_quiet;
  logic device_idle;
  logic used_quiet;
  logic event_quiet;
  logic event_idle;
  logic fetch_moves;
  logic device_moves;
  logic used_moves;
  logic event_moves;
  logic clk;

  assign halt       = stop_i || error_q || en_valid_i;
  assign en_ready_o = quiet_o && !pop_valid_i && !used_valid_i;
  assign en_valid   = en_valid_i && en_ready_o;
  assign quiet_o    = fetch_quiet && device_quiet && used_quiet && event_quiet;
  assign idle_o     = fetch_idle && device_idle && used_quiet && event_idle && !desc_valid_o;

  // While it only waits, for a kick or a response, it needs no clock.
  clock_gate u_clock (
    .clk_i,
    .en_i  (rst_i || en_valid_i || kick_valid_i || pop_valid_i || used_valid_i ||
            drd_rsp_valid_i || erd_rsp_valid_i || uwr_done_i || dwr_done_i || desc_valid_o ||
            fetch_moves || device_moves || used_moves || event_moves),
    .clk_o (clk)
  );

  ////////////////////
  // Available      //
  ////////////////////

  logic [QueueWidth-1:0] look_queue;
  logic [RowWidth:0]     look_head;
  logic [RowWidth:0]     look_tail;
  logic [15:0]           look_pos;
  logic                  look_chain;
  logic                  freed;
  logic [QueueWidth-1:0] batch_queue;
  logic [14:0]           batch_slot;
  logic [5:0]            batch_count;
  logic                  batch_late;
  logic                  batch_stale;
  logic [63:0]           batch_base;
  logic                  end_valid;
  logic [5:0]            end_taken;
  logic                  end_chain;
  logic                  insert_valid;
  logic [LaneWidth-1:0]  insert_first;
  logic [LaneWidth-1:0]  insert_last;
  logic [Queues-1:0]     armed;
  logic                  armed_done;
  logic [QueueWidth-1:0] armed_queue;
  logic [63:0]           device_addr;
  logic                  arm_valid;
  logic                  disarm_valid;

  vq_fetch #(
    .Queues   (Queues),
    .AxiBytes (AxiBytes),
    .Rows     (Rows)
  ) u_fetch (
    .clk_i           (clk),
    .rst_i,
    .halt_i          (halt),
    .quiet_o         (fetch_quiet),
    .idle_o          (fetch_idle),
    .moves_o         (fetch_moves),
    .en_valid_i      (en_valid),
    .en_queue_i,
    .en_desc_i,
    .en_size_i,
    .kick_valid_i,
    .kick_queue_i,
    .look_queue_o    (look_queue),
    .look_head_i     (look_head),
    .look_tail_i     (look_tail),
    .freed_i         (freed),
    .freed_queue_i   (pop_queue_i),
    .look_pos_i      (look_pos),
    .look_chain_i    (look_chain),
    .batch_queue_o   (batch_queue),
    .batch_slot_o    (batch_slot),
    .batch_count_o   (batch_count),
    .batch_late_o    (batch_late),
    .batch_stale_o   (batch_stale),
    .batch_base_o    (batch_base),
    .end_valid_i     (end_valid),
    .end_taken_i     (end_taken),
    .end_chain_i     (end_chain),
    .armed_i         (armed),
    .armed_done_i    (armed_done),
    .armed_queue_i   (armed_queue),
    .arm_valid_o     (arm_valid),
    .disarm_valid_o  (disarm_valid),
    .drd_req_valid_o,
    .drd_req_ready_i,
    .drd_req_addr_o,
    .drd_req_bytes_o
  );

  logic        accept_err_valid;
  logic [7:0]  accept_err_code;
  logic [15:0] accept_err_index;
  logic [63:0] accept_err_addr;

  vq_accept #(
    .Queues       (Queues),
    .AxiBytes     (AxiBytes),
    .DeviceWrites (DeviceWrites),
    .ControlQueue (ControlQueue),
    .StrictChains (StrictChains)
  ) u_accept (
    .clk_i           (clk),
    .rst_i,
    .en_valid_i     (en_valid),
    .en_queue_i,
    .en_size_i,
    .rsp_valid_i    (drd_rsp_valid_i),
    .rsp_data_i,
    .rsp_last_i,
    .rsp_error_i,
    .batch_queue_i  (batch_queue),
    .batch_slot_i   (batch_slot),
    .batch_count_i  (batch_count),
    .batch_late_i   (batch_late),
    .batch_stale_i  (batch_stale),
    .batch_base_i   (batch_base),
    .insert_valid_o (insert_valid),
    .insert_first_o (insert_first),
    .insert_last_o  (insert_last),
    .end_valid_o    (end_valid),
    .end_taken_o    (end_taken),
    .end_chain_o    (end_chain),
    .look_queue_i   (look_queue),
    .pos_o          (look_pos),
    .chain_o        (look_chain),
    .err_valid_o    (accept_err_valid),
    .err_code_o     (accept_err_code),
    .err_index_o    (accept_err_index),
    .err_addr_o     (accept_err_addr)
  );

  vq_cache #(
    .Queues   (Queues),
    .AxiBytes (AxiBytes),
    .Rows     (Rows)
  ) u_cache (
    .clk_i           (clk),
    .rst_i,
    .en_valid_i     (en_valid),
    .en_queue_i,
    .en_size_i,
    .insert_valid_i (insert_valid),
    .insert_queue_i (batch_queue),
    .insert_data_i  (rsp_data_i),
    .insert_first_i (insert_first),
    .insert_last_i  (insert_last),
    .look_queue_i   (look_queue),
    .look_head_o    (look_head),
    .look_tail_o    (look_tail),
    .avail_o,
    .pop_valid_i,
    .pop_queue_i,
    .freed_o        (freed),
    .desc_valid_o,
    .desc_o,
    .desc_index_o
  );

  vq_device_event #(
    .Queues   (Queues),
    .AxiBytes (AxiBytes)
  ) u_device_event (
    .clk_i           (clk),
    .rst_i,
    .halt_i         (halt),
    .quiet_o        (device_quiet),
    .idle_o         (device_idle),
    .moves_o        (device_moves),
    .en_valid_i     (en_valid),
    .en_queue_i,
    .en_device_i,
    .arm_valid_i    (arm_valid),
    .disarm_valid_i (disarm_valid),
    .ask_queue_i    (batch_queue),
    .armed_o        (armed),
    .armed_done_o   (armed_done),
    .armed_queue_o  (armed_queue),
    .addr_o         (device_addr),
    .dwr_valid_o,
    .dwr_ready_i,
    .dwr_addr_o,
    .dwr_data_o,
    .dwr_strb_o,
    .dwr_done_i
  );

  ////////////////////
  // Used           //
  ////////////////////

  logic                  visible_valid;
  logic [QueueWidth-1:0] visible_queue;
  logic [15:0]           visible_pos;
  logic [15:0]           visible_slots;
  logic                  used_err_valid;
  logic [QueueWidth-1:0] used_err_queue;
  logic [15:0]           used_err_index;
  logic [63:0]           used_err_addr;
  logic                  event_err_valid;
  logic [QueueWidth-1:0] event_err_queue;
  logic [63:0]           event_err_addr;

  vq_used #(
    .Queues       (Queues),
    .AxiBytes     (AxiBytes),
    .ControlQueue (ControlQueue),
    .TagWidth     (TagWidth)
  ) u_used (
    .clk_i           (clk),
    .rst_i,
    .quiet_o         (used_quiet),
    .moves_o         (used_moves),
    .en_valid_i      (en_valid),
    .en_queue_i,
    .en_desc_i,
    .en_size_i,
    .used_valid_i,
    .used_ready_o,
    .used_queue_i,
    .used_i,
    .used_tag_i,
    .uwr_valid_o,
    .uwr_ready_i,
    .uwr_addr_o,
    .uwr_data_o,
    .uwr_strb_o,
    .uwr_done_i,
    .uwr_error_i,
    .visible_valid_o (visible_valid),
    .visible_queue_o (visible_queue),
    .visible_pos_o   (visible_pos),
    .visible_slots_o (visible_slots),
    .trace_used_valid_o,
    .trace_used_tag_o,
    .trace_visible_valid_o,
    .trace_visible_tag_o,
    .err_valid_o     (used_err_valid),
    .err_queue_o     (used_err_queue),
    .err_index_o     (used_err_index),
    .err_addr_o      (used_err_addr)
  );

  vq_event #(
    .Queues   (Queues),
    .AxiBytes (AxiBytes)
  ) u_event (
    .clk_i           (clk),
    .rst_i,
    .halt_i          (halt),
    .quiet_o         (event_quiet),
    .idle_o          (event_idle),
    .moves_o         (event_moves),
    .event_idx_i,
    .en_valid_i      (en_valid),
    .en_queue_i,
    .en_driver_i,
    .en_size_i,
    .visible_valid_i (visible_valid),
    .visible_queue_i (visible_queue),
    .visible_pos_i   (visible_pos),
    .visible_slots_i (visible_slots),
    .erd_req_valid_o,
    .erd_req_ready_i,
    .erd_req_addr_o,
    .erd_req_bytes_o,
    .erd_rsp_valid_i,
    .rsp_data_i,
    .rsp_error_i,
    .irq_valid_o,
    .irq_ready_i,
    .irq_queue_o,
    .err_valid_o     (event_err_valid),
    .err_queue_o     (event_err_queue),
    .err_addr_o      (event_err_addr)
  );

  ////////////////////
  // Errors         //
  ////////////////////

  logic dwr_err_valid;

  assign dwr_err_valid = dwr_done_i && dwr_error_i;

  function automatic logic [15:0] virtqueue(input logic [QueueWidth-1:0] queue);
    virtqueue = 16'({queue, !DeviceWrites && !(ControlQueue && 32'(queue) == Queues - 1)});
  endfunction

  always_ff @(posedge clk) begin
    if (rst_i) begin
      error_q <= 1'b0;
      err_q   <= '0;
    end else if (!error_q &&
                 (accept_err_valid || used_err_valid || event_err_valid || dwr_err_valid)) begin
      error_q <= 1'b1;
      if (accept_err_valid) begin
        err_q.code  <= accept_err_code;
        err_q.queue <= virtqueue(batch_queue);
        err_q.index <= accept_err_index;
        err_q.addr  <= accept_err_addr;
      end else if (used_err_valid) begin
        err_q.code  <= virtio_pkg::ErrorDmaWrite;
        err_q.queue <= virtqueue(used_err_queue);
        err_q.index <= used_err_index;
        err_q.addr  <= used_err_addr;
      end else if (event_err_valid) begin
        err_q.code  <= virtio_pkg::ErrorDmaRead;
        err_q.queue <= virtqueue(event_err_queue);
        err_q.index <= '0;
        err_q.addr  <= event_err_addr;
      end else begin
        err_q.code  <= virtio_pkg::ErrorDmaWrite;
        err_q.queue <= virtqueue(armed_queue);
        err_q.index <= '0;
        err_q.addr  <= device_addr;
      end
    end
  end

  assign err_valid_o = error_q;
  assign err_o       = err_q;

endmodule
