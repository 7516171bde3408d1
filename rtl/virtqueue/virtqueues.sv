// SPDX-License-Identifier: Apache-2.0
//
// virtqueues: all virtqueues of the device (virtio 1.2, 5.1.2), and which engine serves which.
//
//   virtqueue             served by             towards
//   2n      receive       engine Rx, queue n    rx_*
//   2n + 1  transmit      engine Tx, queue n    tx_*
//   last    control       engine Tx, last queue ctrl_*
//
//   stop, enable, kick, pop, used, irq, error, trace   see vq_engine; enable, kick, irq and error
//             speak of virtqueue indices. A kick or an enable goes to a virtqueue that exists.
//   rx_en_o   a receive queue is enabled in this cycle, the one of en_queue_i
//   ctrl_*    as tx_*, for one queue. In a cycle with ctrl_pop_i no transmit queue shows a
//             descriptor; a used element of the control queue goes before one of transmit.
//   rd_*, sw_*   clients of axi_read and axi_write in the order of Read* and Write* below
//
// Parameters:
//   QueuePairs   receive and transmit queues
//   AxiBytes, RingMax, TagWidth   see vq_engine

module virtqueues #(
  parameter int unsigned QueuePairs = 1,
  parameter int unsigned AxiBytes = 16,
  parameter int unsigned RingMax = 1024,
  parameter int unsigned TagWidth = 32,
  localparam int unsigned QueueWidth = (QueuePairs > 1) ? $clog2(QueuePairs) : 1,
  localparam int unsigned Clients = 4
) (
  input  logic                                 clk_i,
  input  logic                                 rst_i,

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

  input  logic                                 kick_valid_i,
  input  logic [15:0]                          kick_queue_i,

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

  // Index 0 is receive and 1 transmit.
  output logic [1:0]                           irq_valid_o,
  input  logic [1:0]                           irq_ready_i,
  output logic [2*16-1:0]                      irq_queue_o,

  output logic                                 err_valid_o,
  output nic_pkg::vq_error_t                   err_o,

  output logic [Clients-1:0]                   rd_valid_o,
  input  logic [Clients-1:0]                   rd_ready_i,
  output logic [64*Clients-1:0]                rd_addr_o,
  output logic [nic_pkg::LenWidth*Clients-1:0] rd_bytes_o,
  input  logic [Clients-1:0]                   rsp_valid_i,
  input  logic [8*AxiBytes-1:0]                rsp_data_i,
  input  logic                                 rsp_last_i,
  input  logic                                 rsp_error_i,

  output logic [Clients-1:0]                   sw_valid_o,
  input  logic [Clients-1:0]                   sw_ready_i,
  output logic [64*Clients-1:0]                sw_addr_o,
  output logic [8*AxiBytes*Clients-1:0]        sw_data_o,
  output logic [AxiBytes*Clients-1:0]          sw_strb_o,
  input  logic [Clients-1:0]                   sw_done_i,
  input  logic [Clients-1:0]                   sw_error_i,

  output logic [1:0]                           trace_used_valid_o,
  output logic [2*TagWidth-1:0]                trace_used_tag_o,
  output logic [1:0]                           trace_visible_valid_o,
  output logic [2*TagWidth-1:0]                trace_visible_tag_o
);

  localparam int unsigned LenWidth  = nic_pkg::LenWidth;
  localparam int unsigned DescWidth = nic_pkg::DescWidth;
  localparam int unsigned UsedWidth = nic_pkg::UsedWidth;
  localparam int unsigned ErrWidth  = nic_pkg::ErrorWidth;

  localparam int unsigned Rx = 0;
  localparam int unsigned Tx = 1;

  // Clients: what the engines read and write, descriptors and driver events, used elements and
  // device events.
  localparam int unsigned ReadDesc   = 0;
  localparam int unsigned ReadEvent  = 1;
  localparam int unsigned WriteUsed  = 0;
  localparam int unsigned WriteEvent = 1;

  // The transmit engine has the control queue behind the others.
  localparam int unsigned TxQueues = QueuePairs + 1;
  localparam int unsigned TxWidth  = $clog2(TxQueues);
  localparam logic [15:0] ControlIndex = 16'(2 * QueuePairs);
  localparam logic [TxWidth-1:0] Control = TxWidth'(QueuePairs);

  logic [1:0]            engine_quiet, engine_idle, engine_en, engine_en_ready, engine_kick;
  logic [2*QueuePairs:0] avail;
  logic [1:0]            pop_valid, desc_valid, used_valid, used_ready;
  logic [2*TxWidth-1:0]  pop_queue, used_queue;
  logic [2*DescWidth-1:0] desc;
  logic [2*16-1:0]       desc_index;
  logic [2*UsedWidth-1:0] used;
  logic [2*TagWidth-1:0] used_tag;
  logic [1:0]            engine_err_valid;
  logic [2*ErrWidth-1:0] engine_err;
  logic                  ctrl_popped_q;

  ////////////////////
  // Which engine   //
  ////////////////////

  logic en_tx, kick_tx;

  assign en_tx       = en_queue_i[0] || en_queue_i == ControlIndex;
  assign kick_tx     = kick_queue_i[0] || kick_queue_i == ControlIndex;
  assign engine_en   = {en_valid_i && en_tx, en_valid_i && !en_tx};
  assign engine_kick = {kick_valid_i && kick_tx, kick_valid_i && !kick_tx};
  assign en_ready_o  = engine_en_ready[en_tx];
  assign rx_en_o     = engine_en[Rx] && engine_en_ready[Rx];

  ////////////////////
  // Receive        //
  ////////////////////

  assign rx_avail_o      = avail[QueuePairs-1:0];
  assign rx_desc_valid_o = desc_valid[Rx];
  assign rx_desc_o       = desc[DescWidth*Rx +: DescWidth];
  assign rx_desc_index_o = desc_index[16*Rx +: 16];
  assign rx_used_ready_o = used_ready[Rx];
  assign rx_quiet_o      = engine_quiet[Rx];

  /////////////////////////
  // Transmit and control//
  /////////////////////////

  assign tx_avail_o        = ctrl_pop_i ? '0 : avail[QueuePairs +: QueuePairs];
  assign ctrl_avail_o      = avail[2*QueuePairs];
  assign pop_valid         = {tx_pop_valid_i || ctrl_pop_i, rx_pop_valid_i};
  assign pop_queue         = {ctrl_pop_i ? Control : TxWidth'(tx_pop_queue_i),
                              TxWidth'(rx_pop_queue_i)};
  assign tx_desc_valid_o   = desc_valid[Tx] && !ctrl_popped_q;
  assign tx_desc_o         = desc[DescWidth*Tx +: DescWidth];
  assign tx_desc_index_o   = desc_index[16*Tx +: 16];
  assign ctrl_desc_valid_o = desc_valid[Tx] && ctrl_popped_q;
  assign ctrl_desc_o       = desc[DescWidth*Tx +: DescWidth];
  assign ctrl_desc_index_o = desc_index[16*Tx +: 16];

  assign used_valid        = {tx_used_valid_i || ctrl_used_valid_i, rx_used_valid_i};
  assign used_queue        = {ctrl_used_valid_i ? Control : TxWidth'(tx_used_queue_i),
                              TxWidth'(rx_used_queue_i)};
  assign used              = {ctrl_used_valid_i ? ctrl_used_i : tx_used_i, rx_used_i};
  assign used_tag          = {tx_used_tag_i, rx_used_tag_i};
  assign tx_used_ready_o   = used_ready[Tx] && !ctrl_used_valid_i;
  assign ctrl_used_ready_o = used_ready[Tx];

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      ctrl_popped_q <= 1'b0;
    end else if (pop_valid[Tx]) begin
      ctrl_popped_q <= ctrl_pop_i;
    end
  end

  ////////////////////
  // Engines        //
  ////////////////////

  for (genvar d = 0; d < 2; d++) begin : g_engine
    localparam int unsigned Queues = (d == Tx) ? TxQueues : QueuePairs;
    localparam int unsigned Width  = (Queues > 1) ? $clog2(Queues) : 1;
    localparam int unsigned Read   = 2 * d + ReadDesc;
    localparam int unsigned Check  = 2 * d + ReadEvent;
    localparam int unsigned Write  = 2 * d + WriteUsed;
    localparam int unsigned Event  = 2 * d + WriteEvent;

    logic [Width-1:0] irq_queue;

    vq_engine #(
      .Queues      (Queues),
      .AxiBytes    (AxiBytes),
      .DeviceWrites(d == Rx),
      .ControlQueue(d == Tx),
      .StrictChains(1'b1),
      .RingMax     (RingMax),
      .TagWidth    (TagWidth)
    ) u_engine (
      .clk_i                (clk_i),
      .rst_i                (rst_i),
      .stop_i               (stop_i),
      .quiet_o              (engine_quiet[d]),
      .idle_o               (engine_idle[d]),
      .event_idx_i          (event_idx_i),
      .en_valid_i           (engine_en[d]),
      .en_ready_o           (engine_en_ready[d]),
      .en_queue_i           (en_queue_i[1 +: Width]),
      .en_desc_i            (en_desc_i),
      .en_driver_i          (en_driver_i),
      .en_device_i          (en_device_i),
      .en_size_i            (en_size_i),
      .kick_valid_i         (engine_kick[d]),
      .kick_queue_i         (kick_queue_i[1 +: Width]),
      .avail_o              (avail[QueuePairs*d +: Queues]),
      .pop_valid_i          (pop_valid[d]),
      .pop_queue_i          (pop_queue[TxWidth*d +: Width]),
      .desc_valid_o         (desc_valid[d]),
      .desc_o               (desc[DescWidth*d +: DescWidth]),
      .desc_index_o         (desc_index[16*d +: 16]),
      .used_valid_i         (used_valid[d]),
      .used_ready_o         (used_ready[d]),
      .used_queue_i         (used_queue[TxWidth*d +: Width]),
      .used_i               (used[UsedWidth*d +: UsedWidth]),
      .used_tag_i           (used_tag[TagWidth*d +: TagWidth]),
      .irq_valid_o          (irq_valid_o[d]),
      .irq_ready_i          (irq_ready_i[d]),
      .irq_queue_o          (irq_queue),
      .err_valid_o          (engine_err_valid[d]),
      .err_o                (engine_err[ErrWidth*d +: ErrWidth]),
      .drd_req_valid_o      (rd_valid_o[Read]),
      .drd_req_ready_i      (rd_ready_i[Read]),
      .drd_req_addr_o       (rd_addr_o[64*Read +: 64]),
      .drd_req_bytes_o      (rd_bytes_o[LenWidth*Read +: LenWidth]),
      .drd_rsp_valid_i      (rsp_valid_i[Read]),
      .erd_req_valid_o      (rd_valid_o[Check]),
      .erd_req_ready_i      (rd_ready_i[Check]),
      .erd_req_addr_o       (rd_addr_o[64*Check +: 64]),
      .erd_req_bytes_o      (rd_bytes_o[LenWidth*Check +: LenWidth]),
      .erd_rsp_valid_i      (rsp_valid_i[Check]),
      .rsp_data_i           (rsp_data_i),
      .rsp_last_i           (rsp_last_i),
      .rsp_error_i          (rsp_error_i),
      .uwr_valid_o          (sw_valid_o[Write]),
      .uwr_ready_i          (sw_ready_i[Write]),
      .uwr_addr_o           (sw_addr_o[64*Write +: 64]),
      .uwr_data_o           (sw_data_o[8*AxiBytes*Write +: 8*AxiBytes]),
      .uwr_strb_o           (sw_strb_o[AxiBytes*Write +: AxiBytes]),
      .uwr_done_i           (sw_done_i[Write]),
      .uwr_error_i          (sw_error_i[Write]),
      .dwr_valid_o          (sw_valid_o[Event]),
      .dwr_ready_i          (sw_ready_i[Event]),
      .dwr_addr_o           (sw_addr_o[64*Event +: 64]),
      .dwr_data_o           (sw_data_o[8*AxiBytes*Event +: 8*AxiBytes]),
      .dwr_strb_o           (sw_strb_o[AxiBytes*Event +: AxiBytes]),
      .dwr_done_i           (sw_done_i[Event]),
      .dwr_error_i          (sw_error_i[Event]),
      .trace_used_valid_o   (trace_used_valid_o[d]),
      .trace_used_tag_o     (trace_used_tag_o[TagWidth*d +: TagWidth]),
      .trace_visible_valid_o(trace_visible_valid_o[d]),
      .trace_visible_tag_o  (trace_visible_tag_o[TagWidth*d +: TagWidth])
    );

    if (d == Tx) begin : g_tx_index
      assign irq_queue_o[16*d +: 16] = (irq_queue == Control) ? ControlIndex
                                                              : 16'({irq_queue, 1'b1});
    end else begin : g_rx_index
      assign irq_queue_o[16*d +: 16] = 16'({irq_queue, 1'b0});
    end
  end

  assign quiet_o = &engine_quiet;
  assign idle_o  = &engine_idle;

  // The first error is recorded and stops everything; which one goes first of two that come in one
  // cycle does not matter.
  assign err_valid_o = |engine_err_valid;
  assign err_o       = engine_err_valid[Rx] ? engine_err[ErrWidth*Rx +: ErrWidth]
                                            : engine_err[ErrWidth*Tx +: ErrWidth];

  logic unused_bits;
  assign unused_bits = ^{en_queue_i, kick_queue_i, pop_queue, used_queue};

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // Transmit takes nothing in a cycle in which control does.
      a_one_pop: assert (!(ctrl_pop_i && tx_pop_valid_i));
      // Enables and kicks name virtqueues that exist.
      a_enable_exists: assert (!en_valid_i || en_queue_i <= ControlIndex);
      a_kick_exists: assert (!kick_valid_i || kick_queue_i <= ControlIndex);
    end
  end
`endif

endmodule
