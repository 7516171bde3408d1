// SPDX-License-Identifier: Apache-2.0
//
// virtio_pci_common_cfg (virtio 1.2, 4.1.4.3): the fields that are not a queue's, and the way to
// those that are.
//
//   0x00 device_feature_select        0x10 config_msix_vector, num_queues
//   0x04 device_feature               0x14 device_status, config_generation, queue_select
//   0x08 driver_feature_select        0x18 to 0x37 queue_window
//   0x0C driver_feature               0x38 queue_notify_data, queue_reset
//
// Virtqueue 2n receives, 2n + 1 transmits, and the last one is for control commands (5.1.2). A driver
// that took neither MQ nor RSS knows one pair only, so for it the control queue has number 2: the two
// change places behind queue_select, and queue_notify_off says where the doorbell is. Every other
// number of a virtqueue inside the device is that of the full set.
//
// An access takes one cycle, one to a queue field as long as queue_window takes. While a device
// reset is under way reads are answered and writes are ignored; the driver sees that by the status.
// Where it cannot, the status having been 0 before, accesses wait for the end of the reset: such a
// device has no queues, so that is soon.
module virtio_common #(
  parameter int unsigned Queues     = 2,
  parameter int unsigned NumVectors = 3,
  parameter int unsigned RingMax    = 1024
) (
  input  logic        clk_i,
  input  logic        rst_i,

  input  logic        sel_i,
  input  logic        write_i,
  input  logic [11:0] offset_i,
  input  logic [31:0] wdata_i,
  input  logic [3:0]  wstrb_i,
  output logic        ack_o,
  output logic [31:0] rdata_o,            // 0 but for a read's ack_o

  output logic [63:0] features_o,
  output logic        run_o,
  output logic        stop_o,
  input  logic        quiet_i,
  output logic        clear_o,
  input  logic        settled_i,          // the other blocks have done what clear_o asks for
  output logic        features_ok_o,      // FEATURES_OK is set, and no reset is under way
  output logic        driver_ok_o,        // DRIVER_OK is set, and no reset is under way
  input  logic        err_valid_i,
  output logic        err_taken_o,

  input  logic        config_change_i,    // one cycle: the device configuration changes
  input  logic        config_read_i,      // one cycle: the driver reads of it
  output logic [15:0] config_vector_o,

  output logic        en_valid_o,
  input  logic        en_ready_i,
  output logic [15:0] en_queue_o,
  output logic [63:0] en_desc_o,
  output logic [63:0] en_driver_o,
  output logic [63:0] en_device_o,
  output logic [15:0] en_size_o,

  output logic        qrst_valid_o,
  input  logic        qrst_ready_i,
  output logic [15:0] qrst_queue_o,
  output logic        qrst_hold_o,        // no new interrupt may start
  input  logic        qrst_settled_i,     // no interrupt is under way

  input  logic        lookup_i,
  input  logic [15:0] lookup_queue_i,
  output logic [15:0] lookup_vector_o,

  output logic        idle_o
);

  // First and last word of the queue fields, and the word of two registers that share one.
  localparam logic [11:0] WindowFirst = virtio_pkg::CommonQueueSize;
  localparam logic [11:0] WindowLast  = virtio_pkg::CommonQueueDevice + 12'd4;

  logic        in_window, window_sel, window_ack, window_settled, window_idle;
  logic        ask_reset, resetting_queue;
  logic [15:0] virtqueue;                 // that queue_select shows
  logic [31:0] window_rdata;
  logic        access, write, hold;
  logic        ack_q;
  logic [31:0] rdata_q;
  logic [15:0] config_vector_q, queue_select_q;
  logic [7:0]  generation_q;
  logic        changed_q;                 // since the driver read of the device configuration
  logic [7:0]  status;
  logic        resetting, state_idle;
  logic [31:0] device_feature_select, device_feature, driver_feature_select, driver_feature;
  logic [15:0] asked_vector;

  assign ask_reset  = sel_i && write_i && offset_i == virtio_pkg::CommonQueueNotifyData
                   && wstrb_i[3:2] == 2'b11 && wdata_i[31:16] == 16'd1;
  assign in_window  = (sel_i && offset_i >= WindowFirst && offset_i <= WindowLast) || ask_reset;
  assign hold       = resetting && status == 8'h0;
  assign window_sel = sel_i && in_window && !ack_q && !hold;
  assign access     = sel_i && !in_window && !ack_q && !hold;
  assign write      = access && write_i && !resetting;

  assign ack_o           = ack_q || window_ack;
  assign rdata_o         = rdata_q | window_rdata;
  assign config_vector_o = config_vector_q;
  assign features_ok_o   = !resetting && |(status & virtio_pkg::StatusFeaturesOk);
  assign driver_ok_o     = !resetting && |(status & virtio_pkg::StatusDriverOk);
  assign idle_o          = !ack_q && window_idle && state_idle;

  always_comb begin
    asked_vector = 16'h0;
    if (write) begin
      asked_vector = {wstrb_i[1] ? wdata_i[15:8] : config_vector_q[15:8],
                      wstrb_i[0] ? wdata_i[7:0]  : config_vector_q[7:0]};
    end
  end

  if (Queues > 3) begin : g_pairs
    localparam logic [15:0] ControlQueue = 16'(Queues - 1);

    always_comb begin
      virtqueue = queue_select_q;
      if (!features_o[virtio_pkg::FeatureMq] && !features_o[virtio_pkg::FeatureRss]) begin
        if (queue_select_q == 16'd2)        virtqueue = ControlQueue;
        if (queue_select_q == ControlQueue) virtqueue = 16'd2;
      end
    end
  end else begin : g_pair
    assign virtqueue = queue_select_q;
  end

  device_state #(.Offered(virtio_pkg::FeaturesOffered)) u_state (
    .clk_i,
    .rst_i,
    .write_i                 (write),
    .offset_i,
    .wdata_i,
    .wstrb_i,
    .device_feature_select_o (device_feature_select),
    .device_feature_o        (device_feature),
    .driver_feature_select_o (driver_feature_select),
    .driver_feature_o        (driver_feature),
    .status_o                (status),
    .features_o,
    .run_o,
    .stop_o,
    .resetting_o             (resetting),
    .quiet_i,
    .clear_o,
    .settled_i               (settled_i && window_settled),
    .err_valid_i,
    .err_taken_o,
    .idle_o                  (state_idle)
  );

  queue_window #(.Queues(Queues), .NumVectors(NumVectors), .RingMax(RingMax)) u_queues (
    .clk_i,
    .rst_i,
    .clear_i      (clear_o),
    .settled_o    (window_settled),
    .sel_i        (window_sel),
    .write_i      (write_i && !resetting),
    .word_i       (offset_i[4:2]),
    .queue_i      (virtqueue),
    .wdata_i,
    .wstrb_i,
    .ack_o        (window_ack),
    .rdata_o      (window_rdata),
    .reset_i      (ask_reset),
    .may_enable_i (features_ok_o),
    .may_reset_i  (features_ok_o && features_o[virtio_pkg::FeatureRingReset]),
    .stop_i       (stop_o),
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
    .qrst_hold_o,
    .qrst_settled_i,
    .qrst_busy_o  (resetting_queue),
    .lookup_i,
    .lookup_queue_i,
    .lookup_vector_o,
    .idle_o       (window_idle)
  );

  always_ff @(posedge clk_i) begin
    if (access || ack_q) begin
      ack_q   <= access;
      rdata_q <= 32'h0;
      if (access && !write_i) begin
        case (offset_i)
          virtio_pkg::CommonDeviceFeatureSelect: rdata_q <= device_feature_select;
          virtio_pkg::CommonDeviceFeature:       rdata_q <= device_feature;
          virtio_pkg::CommonDriverFeatureSelect: rdata_q <= driver_feature_select;
          virtio_pkg::CommonDriverFeature:       rdata_q <= driver_feature;
          virtio_pkg::CommonConfigMsixVector:    rdata_q <= {16'(Queues), config_vector_q};
          virtio_pkg::CommonDeviceStatus:        rdata_q <= {queue_select_q, generation_q, status};
          // Without NOTIF_CONFIG_DATA the doorbell takes the virtqueue's number.
          virtio_pkg::CommonQueueNotifyData:     rdata_q <= {15'h0, resetting_queue,
                                                             queue_select_q};
          default:                               rdata_q <= 32'h0;
        endcase
      end
    end
    if (rst_i) begin
      ack_q   <= 1'b0;
      rdata_q <= 32'h0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (write) begin
      if (offset_i == virtio_pkg::CommonConfigMsixVector) begin
        config_vector_q <= (asked_vector < 16'(NumVectors)) ? asked_vector : virtio_pkg::NoVector;
      end
      if (offset_i == virtio_pkg::CommonDeviceStatus) begin
        if (wstrb_i[2]) queue_select_q[7:0]  <= wdata_i[23:16];
        if (wstrb_i[3]) queue_select_q[15:8] <= wdata_i[31:24];
      end
    end
    if (rst_i || clear_o) begin
      config_vector_q <= virtio_pkg::NoVector;
      queue_select_q  <= 16'h0;
    end
  end

  // The generation goes on over device resets: a driver must never see an old one with new fields. It
  // moves with the first read after a change and not with the change, or 256 changes that no driver
  // has looked at would bring the old one back. What is read in the cycle of a change may be old or
  // new: that read counts as one after it, and so does the next.
  always_ff @(posedge clk_i) begin
    if (config_change_i || config_read_i) begin
      changed_q <= config_change_i;
      if (config_read_i && (changed_q || config_change_i)) generation_q <= generation_q + 8'h1;
    end
    if (rst_i) begin
      changed_q    <= 1'b0;
      generation_q <= 8'h0;
    end
  end

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // A configuration vector that is shown exists.
      vector_exists: assert (config_vector_q < 16'(NumVectors)
                             || config_vector_q == virtio_pkg::NoVector);
    end
  end
`endif

endmodule
