// SPDX-License-Identifier: Apache-2.0
//
// The host side of the NIC: the registers behind AXI4-Lite, and the interrupts.
//
//                 +-----------------------------------------------------------+
//   AXI4-Lite --> | axil_slave --> virtio_common --> features, run, stop, en_* |
//                 |            --> virtio_net_config <-- link                  |
//                 |            --> notify --> kick_*                           |
//                 |            --> vendor_page <-- errors, counters <-- count_i|
//                 |            --> interrupts <-- irq_*                        |
//                 |            --> msix --> msix_wr_*                          |
//                 +-----------------------------------------------------------+
//
// Registers: docs/registers.md. A word that is no register reads as 0 and ignores writes; every
// answer is OKAY. One access at a time.
//
// Towards the datapath:
//   run_o       the driver is ready (DRIVER_OK) and nothing is wrong.
//   stop_o      start nothing new: the driver asked for a reset, gave up, or an error was met.
//   clear_o     one cycle, after the datapath was quiet_i for 8 cycles under stop_o: forget all.
//               cleared_i falls in the next cycle if that takes longer; the driver sees the end of the
//               reset when it is high again.
//   en_*        hand-over of an enabled virtqueue; valid holds until ready or stop_o.
//   qrst_*      reset of an enabled virtqueue; valid holds until ready: nothing of it is in hand any
//               more, and no interrupt of it will come. Other queues go on.
//   kick_*      doorbells, one cycle each; always accepted by the receiver.
//               Queue numbers on these ports are those of a device with all pairs in use: the control
//               queue is the last one.
//   irq_*       per engine (0 receive, 1 transmit), holds until ready. irq_sent_*: an interrupt of a
//               virtqueue goes out; no more than one in three cycles.
//   mac_i       station address as the control queue has set it; mac_change_i is high for a cycle
//               when it changes.
//   vendor_control_o  bits for the MAC, virtio_pkg::ControlBit*; a device reset leaves them.
//   err_*       level until clear_o; the first is recorded and sets DEVICE_NEEDS_RESET. A failed
//               interrupt message is recorded too, with queue 0xFFFF and the vector as index.
//   count_i     events, one cycle each; the places of interrupts, doorbells and the two byte counters
//               are not used, as this block counts these itself.
//
// features_o, stop_o and run_o are registered. No output depends on an input in the same cycle but
// through ready/valid pairs. idle_o: a clock edge with quiet inputs changes nothing here.
module host_regs #(
  parameter int unsigned QueuePairs  = 1,
  parameter int unsigned StreamBytes = 8,
  parameter int unsigned AxiBytes    = 16,
  parameter int unsigned ClockKhz    = 156250,
  parameter int unsigned LinkMbps    = 10000,
  parameter int unsigned MaxFrame    = 9026,       // with FCS and two VLAN tags
  parameter int unsigned RingMax     = 1024
) (
  input  logic               clk_i,
  input  logic               rst_i,

  input  logic [15:0]        s_axil_awaddr_i,
  input  logic               s_axil_awvalid_i,
  output logic               s_axil_awready_o,
  input  logic [31:0]        s_axil_wdata_i,
  input  logic [3:0]         s_axil_wstrb_i,
  input  logic               s_axil_wvalid_i,
  output logic               s_axil_wready_o,
  output logic [1:0]         s_axil_bresp_o,
  output logic               s_axil_bvalid_o,
  input  logic               s_axil_bready_i,
  input  logic [15:0]        s_axil_araddr_i,
  input  logic               s_axil_arvalid_i,
  output logic               s_axil_arready_o,
  output logic [31:0]        s_axil_rdata_o,
  output logic [1:0]         s_axil_rresp_o,
  output logic               s_axil_rvalid_o,
  input  logic               s_axil_rready_i,

  output logic [63:0]        features_o,
  output logic               run_o,
  output logic               stop_o,
  input  logic               quiet_i,
  output logic               clear_o,
  input  logic               cleared_i,

  output logic               en_valid_o,
  input  logic               en_ready_i,
  output logic [15:0]        en_queue_o,
  output logic [63:0]        en_desc_o,
  output logic [63:0]        en_driver_o,
  output logic [63:0]        en_device_o,
  output logic [15:0]        en_size_o,

  output logic               qrst_valid_o,
  input  logic               qrst_ready_i,
  output logic [15:0]        qrst_queue_o,

  output logic               kick_valid_o,
  output logic [15:0]        kick_queue_o,

  input  logic               irq_valid_i,
  output logic               irq_ready_o,
  input  logic [15:0]        irq_queue_i,
  output logic               irq_sent_o,
  output logic [15:0]        irq_sent_queue_o,

  input  logic               err_valid_i,
  input  nic_pkg::vq_error_t err_i,

  input  logic [63:0]        now_i,
  input  logic               link_up_i,
  input  logic [47:0]        mac_i,
  input  logic               mac_change_i,
  output logic [2:0]         vendor_control_o,

  input  logic [virtio_pkg::NumCounters-1:0] count_i,
  input  logic               rx_bytes_valid_i,
  input  logic [15:0]        rx_bytes_i,
  input  logic               tx_bytes_valid_i,
  input  logic [15:0]        tx_bytes_i,

  input  logic               msix_enable_i,
  input  logic               msix_mask_i,
  output logic               intx_o,
  output logic               msix_wr_valid_o,
  input  logic               msix_wr_ready_i,
  output logic [63:0]        msix_wr_addr_o,
  output logic [31:0]        msix_wr_data_o,
  input  logic               msix_wr_done_i,
  input  logic               msix_wr_error_i,

  output logic               trace_irq_valid_o,
  output logic [15:0]        trace_irq_vector_o,
  output logic               trace_kick_valid_o,
  output logic [15:0]        trace_kick_queue_o,

  output logic               idle_o
);

  if (QueuePairs < 1 || QueuePairs > 256) begin : g_bad_pairs
    $error("host_regs: QueuePairs must be 1 to 256");
  end

  localparam int unsigned Queues     = 2 * QueuePairs + 1;   // one for control commands
  localparam int unsigned NumVectors = Queues + 1;      // one a virtqueue, one for the configuration
  localparam int unsigned Mtu        = MaxFrame - 26;   // less Ethernet header, FCS, two VLAN tags

  logic        reg_valid, reg_write, reg_ack;
  logic [15:0] reg_addr;
  logic [31:0] reg_wdata, reg_rdata;
  logic [3:0]  reg_wstrb;
  logic [3:0]  page;

  logic        sel_common, sel_isr, sel_config, sel_vendor, sel_notify, sel_table, sel_pba;
  logic        sel_nothing;
  logic        common_ack, isr_ack, config_ack, vendor_ack, notify_ack, msix_ack;
  logic [31:0] common_rdata, isr_rdata, config_rdata, vendor_rdata, msix_rdata;
  logic        axil_idle, common_idle, interrupts_idle, config_idle, vendor_idle, notify_idle;
  logic        msix_idle, counters_idle, core_idle;

  logic        features_ok, driver_ok;
  logic        config_change, config_read, link_change;
  logic        qrst_hold, interrupts_settled;
  logic        err_valid, err_taken;
  nic_pkg::vq_error_t err_record;
  logic        few_pairs;
  logic        msix_enable, msix_settled, msix_quiet, msix_failed;
  logic [15:0] msix_failed_vector;
  logic [63:0] msix_failed_addr;
  logic        lookup, raised;
  logic [15:0] lookup_queue, lookup_vector, config_vector;
  logic        msg_valid, msg_ready;
  logic [15:0] msg_vector;
  logic        counter_read, counter_done;
  logic [$clog2(virtio_pkg::NumCounters)-1:0] counter_index;
  logic [63:0] counter_value;
  logic [virtio_pkg::NumCounters-1:0] count;

  //////////////////////////////////////////////////////////////////////////////////////////////////
  // Clock
  //////////////////////////////////////////////////////////////////////////////////////////////////

  // All but the counters stands still between accesses and interrupts. Where a level from outside
  // changes, an edge takes it over; a reset that waits for the datapath is not idle.
  logic       clk;
  logic [2:0] levels_q;

  always_ff @(posedge clk_i) begin
    levels_q <= {msix_enable_i, msix_mask_i, link_up_i};
  end

  clock_gate u_clock (
    .clk_i,
    .en_i  (rst_i || !core_idle || s_axil_awvalid_i || s_axil_wvalid_i || s_axil_arvalid_i ||
            irq_valid_i || err_valid_i || msix_wr_done_i ||
            mac_change_i || levels_q != {msix_enable_i, msix_mask_i, link_up_i}),
    .clk_o (clk)
  );

  //////////////////////////////////////////////////////////////////////////////////////////////////
  // Register bus
  //////////////////////////////////////////////////////////////////////////////////////////////////

  axil_slave #(.AddrWidth(16)) u_axil (
    .clk_i       (clk),
    .rst_i,
    .s_axil_awaddr_i,
    .s_axil_awvalid_i,
    .s_axil_awready_o,
    .s_axil_wdata_i,
    .s_axil_wstrb_i,
    .s_axil_wvalid_i,
    .s_axil_wready_o,
    .s_axil_bresp_o,
    .s_axil_bvalid_o,
    .s_axil_bready_i,
    .s_axil_araddr_i,
    .s_axil_arvalid_i,
    .s_axil_arready_o,
    .s_axil_rdata_o,
    .s_axil_rresp_o,
    .s_axil_rvalid_o,
    .s_axil_rready_i,
    .reg_valid_o (reg_valid),
    .reg_write_o (reg_write),
    .reg_addr_o  (reg_addr),
    .reg_wdata_o (reg_wdata),
    .reg_wstrb_o (reg_wstrb),
    .reg_ack_i   (reg_ack),
    .reg_rdata_i (reg_rdata),
    .idle_o      (axil_idle)
  );

  // The block that an access is for, one-hot, from the cycle after reg_valid to that of the
  // acknowledge.
  assign page = reg_addr[15:12];

  always_ff @(posedge clk) begin
    if (reg_valid) begin
      sel_common  <= !reg_ack && page == virtio_pkg::BarCommon[15:12];
      sel_isr     <= !reg_ack && page == virtio_pkg::BarIsr[15:12];
      sel_config  <= !reg_ack && page == virtio_pkg::BarDeviceConfig[15:12];
      sel_vendor  <= !reg_ack && page == virtio_pkg::BarVendor[15:12];
      sel_notify  <= !reg_ack && page[3:2] == virtio_pkg::BarNotify[15:14];
      sel_table   <= !reg_ack && page[3:2] == virtio_pkg::BarMsixTable[15:14];
      sel_pba     <= !reg_ack && page == virtio_pkg::BarMsixPba[15:12];
      sel_nothing <= !reg_ack && page > virtio_pkg::BarMsixPba[15:12];
    end
    if (rst_i) begin
      sel_common  <= 1'b0;
      sel_isr     <= 1'b0;
      sel_config  <= 1'b0;
      sel_vendor  <= 1'b0;
      sel_notify  <= 1'b0;
      sel_table   <= 1'b0;
      sel_pba     <= 1'b0;
      sel_nothing <= 1'b0;
    end
  end

  // Every block keeps its rdata at 0 but in a read's acknowledge.
  assign reg_ack   = common_ack || isr_ack || config_ack || vendor_ack || notify_ack || msix_ack
                  || sel_nothing;
  assign reg_rdata = common_rdata | isr_rdata | config_rdata | vendor_rdata | msix_rdata;

  //////////////////////////////////////////////////////////////////////////////////////////////////
  // Blocks
  //////////////////////////////////////////////////////////////////////////////////////////////////

  virtio_common #(.Queues(Queues), .NumVectors(NumVectors), .RingMax(RingMax)) u_common (
    .clk_i           (clk),
    .rst_i,
    .sel_i           (sel_common),
    .write_i         (reg_write),
    .offset_i        (reg_addr[11:0]),
    .wdata_i         (reg_wdata),
    .wstrb_i         (reg_wstrb),
    .ack_o           (common_ack),
    .rdata_o         (common_rdata),
    .features_o,
    .run_o,
    .stop_o,
    .quiet_i         (quiet_i && msix_quiet && interrupts_idle),
    .clear_o,
    .settled_i       (msix_settled && cleared_i),
    .features_ok_o   (features_ok),
    .driver_ok_o     (driver_ok),
    .err_valid_i     (err_valid),
    .err_taken_o     (err_taken),
    .config_change_i (config_change),
    .config_read_i   (config_read),
    .config_vector_o (config_vector),
    .en_valid_o,
    .en_ready_i,
    .en_queue_o,
    .en_desc_o,
    .en_driver_o,
    .en_device_o,
    .en_size_o,
    .qrst_valid_o,
    .qrst_ready_i,
    .qrst_queue_o,
    .qrst_hold_o     (qrst_hold),
    .qrst_settled_i  (interrupts_settled && msix_quiet),
    .lookup_i        (lookup),
    .lookup_queue_i  (lookup_queue),
    .lookup_vector_o (lookup_vector),
    .idle_o          (common_idle)
  );

  virtio_net_config #(
    .QueuePairs(QueuePairs), .Mtu(Mtu), .LinkMbps(LinkMbps)
  ) u_config (
    .clk_i         (clk),
    .rst_i,
    .sel_i         (sel_config),
    .write_i       (reg_write),
    .offset_i      (reg_addr[11:0]),
    .ack_o         (config_ack),
    .rdata_o       (config_rdata),
    .mac_i,
    .mac_change_i,
    .link_up_i,
    .link_change_o (link_change),
    .change_o      (config_change),
    .read_o        (config_read),
    .idle_o        (config_idle)
  );

  notify #(.Queues(Queues)) u_notify (
    .clk_i        (clk),
    .rst_i,
    .sel_i        (sel_notify),
    .write_i      (reg_write),
    .offset_i     (reg_addr[13:0]),
    .ack_o        (notify_ack),
    .accept_i     (features_ok && !stop_o),
    .kick_valid_o,
    .kick_queue_o,
    .idle_o       (notify_idle)
  );

  interrupts u_interrupts (
    .clk_i           (clk),
    .rst_i,
    .clear_i         (clear_o),
    .hold_i          (qrst_hold),
    .settled_o       (interrupts_settled),
    .irq_valid_i,
    .irq_ready_o,
    .irq_queue_i,
    .config_event_i  (driver_ok && (link_change || err_taken)),
    .config_vector_i (config_vector),
    .lookup_o        (lookup),
    .lookup_queue_o  (lookup_queue),
    .lookup_vector_i (lookup_vector),
    .msix_enable_i   (msix_enable),
    .msg_valid_o     (msg_valid),
    .msg_ready_i     (msg_ready),
    .msg_vector_o    (msg_vector),
    .intx_o,
    .raised_o        (raised),
    .sent_o          (irq_sent_o),
    .sent_queue_o    (irq_sent_queue_o),
    .sel_i           (sel_isr),
    .write_i         (reg_write),
    .offset_i        (reg_addr[11:0]),
    .ack_o           (isr_ack),
    .rdata_o         (isr_rdata),
    .idle_o          (interrupts_idle)
  );

  msix #(.NumVectors(NumVectors)) u_msix (
    .clk_i           (clk),
    .rst_i,
    .clear_i         (clear_o),
    .settled_o       (msix_settled),
    .enable_i        (msix_enable_i),
    .mask_i          (msix_mask_i),
    .enable_o        (msix_enable),
    .sel_table_i     (sel_table),
    .sel_pba_i       (sel_pba),
    .write_i         (reg_write),
    .offset_i        (reg_addr[13:0]),
    .wdata_i         (reg_wdata),
    .wstrb_i         (reg_wstrb),
    .ack_o           (msix_ack),
    .rdata_o         (msix_rdata),
    .msg_valid_i     (msg_valid),
    .msg_ready_o     (msg_ready),
    .msg_vector_i    (msg_vector),
    .wr_valid_o      (msix_wr_valid_o),
    .wr_ready_i      (msix_wr_ready_i),
    .wr_addr_o       (msix_wr_addr_o),
    .wr_data_o       (msix_wr_data_o),
    .wr_done_i       (msix_wr_done_i),
    .wr_error_i      (msix_wr_error_i),
    .issued_o        (trace_irq_valid_o),
    .issued_vector_o (trace_irq_vector_o),
    .failed_o        (msix_failed),
    .failed_vector_o (msix_failed_vector),
    .failed_addr_o   (msix_failed_addr),
    .quiet_o         (msix_quiet),
    .idle_o          (msix_idle)
  );

  vendor_page #(
    .StreamBytes(StreamBytes), .AxiBytes(AxiBytes), .QueuePairs(QueuePairs), .ClockKhz(ClockKhz),
    .LinkMbps(LinkMbps), .MaxFrame(MaxFrame), .RingMax(RingMax)
  ) u_vendor (
    .clk_i           (clk),
    .rst_i,
    .clear_i         (clear_o),
    .sel_i           (sel_vendor),
    .write_i         (reg_write),
    .offset_i        (reg_addr[11:0]),
    .wdata_i         (reg_wdata[7:0]),
    .wstrb_i         (reg_wstrb[0]),
    .ack_o           (vendor_ack),
    .rdata_o         (vendor_rdata),
    .control_o       (vendor_control_o),
    .now_i,
    .error_valid_i   (err_taken),
    .error_i         (err_record),
    .counter_read_o  (counter_read),
    .counter_index_o (counter_index),
    .counter_done_i  (counter_done),
    .counter_value_i (counter_value),
    .idle_o          (vendor_idle)
  );

  event_counters #(
    .Counters(virtio_pkg::NumCounters),
    .BytesA(virtio_pkg::CounterRxBytes), .BytesB(virtio_pkg::CounterTxBytes)
  ) u_counters (
    .clk_i,
    .rst_i,
    .count_i      (count),
    .a_valid_i    (rx_bytes_valid_i),
    .a_bytes_i    (rx_bytes_i),
    .b_valid_i    (tx_bytes_valid_i),
    .b_bytes_i    (tx_bytes_i),
    .read_i       (counter_read),
    .read_index_i (counter_index),
    .read_done_o  (counter_done),
    .read_value_o (counter_value),
    .idle_o       (counters_idle)
  );

  //////////////////////////////////////////////////////////////////////////////////////////////////
  // Between the blocks
  //////////////////////////////////////////////////////////////////////////////////////////////////

  // Where only one pair is agreed on, the control queue comes behind it (virtio 1.2, 5.1.2): to the
  // driver it is virtqueue 2, to the rest of the NIC the last one all the same. virtio_common
  // exchanges the two; the error record has the driver's number.
  assign few_pairs = !features_o[virtio_pkg::FeatureMq] && !features_o[virtio_pkg::FeatureRss];

  assign err_valid = err_valid_i || msix_failed;

  always_comb begin
    err_record = '0;
    if (err_taken) begin
      err_record = err_i;
      if (few_pairs && err_i.queue == 16'(Queues - 1)) err_record.queue = 16'd2;
      if (!err_valid_i) begin
        err_record.code  = virtio_pkg::ErrorDmaWrite;
        err_record.queue = 16'hffff;
        err_record.index = msix_failed_vector;
        err_record.addr  = msix_failed_addr;
      end
    end
  end

  always_comb begin
    count = count_i;
    count[virtio_pkg::CounterInterrupts] = trace_irq_valid_o || raised;
    count[virtio_pkg::CounterDoorbells]  = kick_valid_o;
    count[virtio_pkg::CounterRxBytes]    = 1'b0;
    count[virtio_pkg::CounterTxBytes]    = 1'b0;
  end

  assign trace_kick_valid_o = kick_valid_o;
  assign trace_kick_queue_o = kick_queue_o;

  assign core_idle = axil_idle && common_idle && config_idle && notify_idle && interrupts_idle
                  && msix_idle && vendor_idle && !err_taken;
  assign idle_o    = core_idle && counters_idle;

endmodule
