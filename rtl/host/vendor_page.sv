// SPDX-License-Identifier: Apache-2.0
//
// The vendor page: what was built, the time, the record of the first error, the counters, all of them
// read only; and the control bits of the MAC, which fall with rst_i alone.
//
// Values of 64 bits are read low half first: reading the low half latches the high one, which the
// high half's address then shows (one latch for the time; the counters keep what was read last).
//
// The error record is taken with error_valid_i, with the time of that cycle, and stays until
// clear_i. An access takes two cycles, one to the low half of a counter as long as the counters need.
module vendor_page #(
  parameter int unsigned StreamBytes = 8,
  parameter int unsigned AxiBytes    = 16,
  parameter int unsigned QueuePairs  = 1,
  parameter int unsigned ClockKhz    = 156250,
  parameter int unsigned LinkMbps    = 10000,
  parameter int unsigned MaxFrame    = 9026,
  parameter int unsigned RingMax     = 1024
) (
  input  logic                clk_i,
  input  logic                rst_i,
  input  logic                clear_i,            // device reset

  input  logic                sel_i,
  input  logic                write_i,
  input  logic [11:0]         offset_i,
  input  logic [7:0]          wdata_i,            // the low byte, and its strobe
  input  logic                wstrb_i,
  output logic                ack_o,
  output logic [31:0]         rdata_o,            // 0 but for a read's ack_o

  output logic [2:0]          control_o,          // virtio_pkg::ControlBit*

  input  logic [63:0]         now_i,
  input  logic                error_valid_i,      // one cycle
  input  nic_pkg::vq_error_t  error_i,

  output logic                counter_read_o,     // one cycle
  output logic [$clog2(virtio_pkg::NumCounters)-1:0] counter_index_o,
  input  logic                counter_done_i,
  input  logic [63:0]         counter_value_i,    // from counter_done_i until that of another one

  output logic                idle_o
);

  localparam int unsigned IndexWidth = $clog2(virtio_pkg::NumCounters);
  localparam logic [11:0] CountersEnd =
      12'(32'(virtio_pkg::VendorCounters) + virtio_pkg::CounterBytes * virtio_pkg::NumCounters);

  logic [31:0]        rdata_q, now_hi_q;
  logic               wait_q, go_q, ack_q;
  logic               start;
  nic_pkg::vq_error_t error_q;
  logic [63:0]        error_cycle_q;
  logic               in_counters;
  logic [2:0]         control_q;

  assign in_counters = (offset_i >= virtio_pkg::VendorCounters && offset_i < CountersEnd);
  assign start           = sel_i && !wait_q && !go_q && !ack_q;
  assign counter_read_o  = start && in_counters && !offset_i[2] && !write_i;
  assign counter_index_o = IndexWidth'((offset_i - virtio_pkg::VendorCounters) >> 3);

  assign control_o = control_q;

  assign ack_o   = ack_q;
  assign rdata_o = rdata_q;
  assign idle_o  = !wait_q && !go_q && !ack_q;

  always_ff @(posedge clk_i) begin
    if (sel_i || !idle_o) begin
      rdata_q <= 32'h0;
      if (go_q && !write_i) begin
        case (offset_i)
          virtio_pkg::VendorMagic:        rdata_q <= virtio_pkg::MagicValue;
          virtio_pkg::VendorVersion:      rdata_q <= virtio_pkg::VersionValue;
          virtio_pkg::VendorStreamBytes:  rdata_q <= StreamBytes;
          virtio_pkg::VendorAxiBytes:     rdata_q <= AxiBytes;
          virtio_pkg::VendorQueuePairs:   rdata_q <= QueuePairs;
          virtio_pkg::VendorClockKhz:     rdata_q <= ClockKhz;
          virtio_pkg::VendorLinkMbps:     rdata_q <= LinkMbps;
          virtio_pkg::VendorMaxFrame:     rdata_q <= MaxFrame;
          virtio_pkg::VendorRingMax:      rdata_q <= RingMax;
          virtio_pkg::VendorNumCounters:  rdata_q <= virtio_pkg::NumCounters;
          virtio_pkg::VendorNowLo: begin
            rdata_q  <= now_i[31:0];
            now_hi_q <= now_i[63:32];
          end
          virtio_pkg::VendorNowHi:        rdata_q <= now_hi_q;
          virtio_pkg::VendorControl:      rdata_q <= {29'h0, control_q};
          virtio_pkg::VendorErrorCode:    rdata_q <= {24'h0, error_q.code};
          virtio_pkg::VendorErrorQueue:   rdata_q <= {16'h0, error_q.queue};
          virtio_pkg::VendorErrorIndex:   rdata_q <= {16'h0, error_q.index};
          virtio_pkg::VendorErrorAddrLo:  rdata_q <= error_q.addr[31:0];
          virtio_pkg::VendorErrorAddrHi:  rdata_q <= error_q.addr[63:32];
          virtio_pkg::VendorErrorCycleLo: rdata_q <= error_cycle_q[31:0];
          virtio_pkg::VendorErrorCycleHi: rdata_q <= error_cycle_q[63:32];
          default: begin
            if (in_counters) begin
              rdata_q <= offset_i[2] ? counter_value_i[63:32] : counter_value_i[31:0];
            end
          end
        endcase
      end
      wait_q <= (wait_q && !counter_done_i) || counter_read_o;
      go_q   <= (start && !counter_read_o) || (wait_q && counter_done_i);
      ack_q  <= go_q;
    end
    if (rst_i) begin
      wait_q  <= 1'b0;
      go_q    <= 1'b0;
      ack_q   <= 1'b0;
      rdata_q <= 32'h0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (go_q && write_i && wstrb_i && offset_i == virtio_pkg::VendorControl) begin
      control_q <= wdata_i[2:0];
    end
    if (rst_i) control_q <= 3'b000;
  end

  logic unused_bits;
  assign unused_bits = ^wdata_i[7:3];

  always_ff @(posedge clk_i) begin
    if (error_valid_i) begin
      error_q       <= error_i;
      error_cycle_q <= now_i;
    end
    if (rst_i || clear_i) begin
      error_q       <= '0;
      error_cycle_q <= 64'h0;
    end
  end

endmodule
