// SPDX-License-Identifier: Apache-2.0
//
// Device status, feature negotiation and device reset (virtio 1.2, 2.1, 2.2, 2.4, 3.1.1, 4.1.4.3).
//
//   status: ACKNOWLEDGE, DRIVER, FEATURES_OK, DRIVER_OK, FAILED by the driver; bits only get set,
//   and all of them fall when 0 is written. FEATURES_OK stays 0 when what the driver accepted is
//   not acceptable; DRIVER_OK stays 0 without FEATURES_OK. NEEDS_RESET by the device.
//
//   reset, after the driver wrote 0:
//
//     write 0    Drain: stop_o, until            Clear: clear_o    Settle: until       status 0
//     ---------> the datapath has been quiet ->  for one cycle  -> the others have -->
//                for SettleCycles                                  cleared their RAM
//
// The status reads as it was until the reset is complete (4.1.4.3.1), so a driver that waits for 0
// knows that the device will not touch its memory again.
module device_state #(
  parameter logic [63:0] Offered      = 64'h0,  // features that the device offers
  parameter int unsigned SettleCycles = 8       // quiet cycles that end the drain
) (
  input  logic        clk_i,
  input  logic        rst_i,

  // One-cycle writes to the common configuration; bytes without a strobe keep their value.
  input  logic        write_i,
  input  logic [11:0] offset_i,
  input  logic [31:0] wdata_i,
  input  logic [3:0]  wstrb_i,

  output logic [31:0] device_feature_select_o,
  output logic [31:0] device_feature_o,
  output logic [31:0] driver_feature_select_o,
  output logic [31:0] driver_feature_o,
  output logic [7:0]  status_o,

  output logic [63:0] features_o,      // what the driver accepted; frozen by FEATURES_OK
  output logic        run_o,           // DRIVER_OK, nothing wrong, no reset under way
  output logic        stop_o,          // start nothing new
  output logic        resetting_o,     // writes other than to device_status are ignored
  input  logic        quiet_i,         // nothing of the device is under way on the bus
  output logic        clear_o,         // one cycle: forget everything of the driver's
  input  logic        settled_i,       // every RAM that clear_o clears has its reset values

  input  logic        err_valid_i,     // level, until clear_o: a block met an error and stopped
  output logic        err_taken_o,     // one cycle: NEEDS_RESET is being set for it

  output logic        idle_o
);

  localparam int unsigned SettleWidth = $clog2(SettleCycles + 1);

  localparam logic [1:0] ResetIdle   = 2'd0;
  localparam logic [1:0] ResetDrain  = 2'd1;
  localparam logic [1:0] ResetClear  = 2'd2;
  localparam logic [1:0] ResetSettle = 2'd3;

  logic [1:0]             reset_q;
  logic [SettleWidth-1:0] settle_q;
  logic [7:0]             status_q;
  logic [31:0]            feature_select_q, driver_select_q;
  logic [31:0]            driver_lo_q, driver_hi_q;
  logic                   beyond_q;   // the driver accepted a bit above 63
  logic                   run_q, stop_q, clear_q;
  logic                   changed_q;  // the status, in the cycle before
  logic                   needs_reset, broken, reset_done;
  logic [7:0]             asked;      // status bits that this write asks for
  logic                   acceptable, features_ok, ask_status, ask_reset;

  assign device_feature_select_o = feature_select_q;
  assign driver_feature_select_o = driver_select_q;
  assign device_feature_o = (feature_select_q == 32'd0) ? Offered[31:0]
                          : (feature_select_q == 32'd1) ? Offered[63:32] : 32'd0;
  assign driver_feature_o = (driver_select_q == 32'd0) ? driver_lo_q
                          : (driver_select_q == 32'd1) ? driver_hi_q : 32'd0;
  assign status_o    = status_q;
  assign features_o  = {driver_hi_q, driver_lo_q};
  assign run_o       = run_q;
  assign stop_o      = stop_q;
  assign clear_o     = clear_q;
  assign resetting_o = (reset_q != ResetIdle);

  assign needs_reset = |(status_q & virtio_pkg::StatusNeedsReset);
  assign err_taken_o = err_valid_i && !needs_reset && !resetting_o;
  assign idle_o      = !resetting_o && !changed_q;

  feature_rules #(.Offered(Offered)) u_rules (
    .features_i   (features_o),
    .acceptable_o (acceptable)
  );

  // What a write asks for.
  always_comb begin
    asked       = 8'h00;
    features_ok = 1'b0;
    ask_status  = 1'b0;
    ask_reset   = 1'b0;
    if (write_i && !resetting_o) begin
      ask_status  = offset_i == virtio_pkg::CommonDeviceStatus && wstrb_i[0];
      ask_reset   = ask_status && wdata_i[7:0] == 8'h00;
      features_ok = !beyond_q && acceptable;
      asked = wdata_i[7:0] & (virtio_pkg::StatusAcknowledge | virtio_pkg::StatusDriver
                            | virtio_pkg::StatusFailed);
      if (|(status_q & virtio_pkg::StatusFeaturesOk)
          || (features_ok && |(wdata_i[7:0] & virtio_pkg::StatusFeaturesOk))) begin
        asked = asked | (wdata_i[7:0] & (virtio_pkg::StatusFeaturesOk
                                       | virtio_pkg::StatusDriverOk));
      end
      if (!ask_status) asked = 8'h00;
    end
  end

  // The registers that the driver writes.
  always_ff @(posedge clk_i) begin
    if (write_i && !resetting_o) begin
      if (offset_i == virtio_pkg::CommonDriverFeature
          && (status_q & virtio_pkg::StatusFeaturesOk) == 8'h00) begin
        for (int unsigned b = 0; b < 4; b++) begin
          if (wstrb_i[b]) begin
            if (driver_select_q == 32'd0) begin
              driver_lo_q[8*b +: 8] <= wdata_i[8*b +: 8];
            end else if (driver_select_q == 32'd1) begin
              driver_hi_q[8*b +: 8] <= wdata_i[8*b +: 8];
            end else if (wdata_i[8*b +: 8] != 8'h0) begin
              beyond_q <= 1'b1;
            end
          end
        end
      end
      for (int unsigned b = 0; b < 4; b++) begin
        if (wstrb_i[b] && offset_i == virtio_pkg::CommonDeviceFeatureSelect) begin
          feature_select_q[8*b +: 8] <= wdata_i[8*b +: 8];
        end
        if (wstrb_i[b] && offset_i == virtio_pkg::CommonDriverFeatureSelect) begin
          driver_select_q[8*b +: 8] <= wdata_i[8*b +: 8];
        end
      end
    end
    if (rst_i || clear_q) begin
      feature_select_q <= 32'd0;
      driver_select_q  <= 32'd0;
      driver_lo_q      <= 32'd0;
      driver_hi_q      <= 32'd0;
      beyond_q         <= 1'b0;
    end
  end

  // Status; run_q and stop_q follow it a cycle later.
  always_ff @(posedge clk_i) begin
    if (write_i || err_taken_o || !idle_o) begin
      if (changed_q) begin
        run_q  <= |(status_q & virtio_pkg::StatusDriverOk) && !broken;
        stop_q <= broken;
      end
      changed_q <= (ask_status && !ask_reset) || err_taken_o;
      status_q  <= status_q | asked | (err_taken_o ? virtio_pkg::StatusNeedsReset : 8'h00);
      if (ask_reset) begin
        run_q     <= 1'b0;
        stop_q    <= 1'b1;
        changed_q <= 1'b0;
      end
      if (reset_done) begin
        status_q <= 8'h00;
        stop_q   <= 1'b0;
      end
    end
    if (rst_i) begin
      changed_q <= 1'b0;
      status_q  <= 8'h00;
      run_q     <= 1'b0;
      stop_q    <= 1'b0;
    end
  end

  // Reset.
  always_ff @(posedge clk_i) begin
    if (ask_reset || resetting_o) begin
      clear_q <= 1'b0;
      case (reset_q)
        ResetIdle: reset_q <= ResetDrain;
        ResetDrain: begin
          settle_q <= quiet_i ? settle_q + 1'b1 : '0;
          if (quiet_i && settle_q == SettleWidth'(SettleCycles)) begin
            settle_q <= '0;
            reset_q  <= ResetClear;
            clear_q  <= 1'b1;
          end
        end
        ResetClear: reset_q <= ResetSettle;
        default: begin
          // settled_i needs a cycle to fall after clear_o.
          settle_q <= SettleWidth'(!reset_done);
          if (reset_done) reset_q <= ResetIdle;
        end
      endcase
    end
    if (rst_i) begin
      clear_q  <= 1'b0;
      reset_q  <= ResetIdle;
      settle_q <= '0;
    end
  end

  assign broken     = |(status_q & (virtio_pkg::StatusNeedsReset | virtio_pkg::StatusFailed));
  assign reset_done = reset_q == ResetSettle && settle_q != '0 && settled_i;

`ifndef SYNTHESIS
  logic was_reset_q, was_quiet_q;

  always_ff @(posedge clk_i) begin
    was_reset_q <= rst_i;
    was_quiet_q <= quiet_i;
    if (!rst_i && !was_reset_q) begin
      // A device that runs has agreed on features.
      run_agreed: assert (!run_q || |(status_q & virtio_pkg::StatusFeaturesOk));
      // A device that runs is not asked to stop.
      run_or_stop: assert (!(run_q && stop_q));
      // The datapath is cleared only after it has been quiet.
      clear_quiet: assert (!clear_q || was_quiet_q);
      // The device never takes features that it does not offer.
      offered_only: assert ((status_q & virtio_pkg::StatusFeaturesOk) == 8'h00
                            || ((features_o & ~Offered) == 64'h0 && !beyond_q));
    end
  end
`endif

endmodule
