// SPDX-License-Identifier: Apache-2.0
//
// The counters of the vendor page: event counters in a RAM, byte counters in registers.
//
// A counter is read two cycles after read_i, read_index_i holding on for one. They are 0 after reset
// and go on over device resets. The two byte counters stand in the place of their event inputs,
// which are not used.
module counters (
  input  logic                               clk_i,
  input  logic                               rst_i,

  input  logic [virtio_pkg::NumCounters-1:0] count_i,          // one event each
  input  logic                               rx_bytes_valid_i,
  input  logic [15:0]                        rx_bytes_i,
  input  logic                               tx_bytes_valid_i,
  input  logic [15:0]                        tx_bytes_i,

  input  logic                               read_i,
  input  logic [7:0]                         read_index_i,     // of a counter that exists
  output logic [63:0]                        read_value_o,

  output logic                               idle_o
);

  localparam int unsigned Counters = virtio_pkg::NumCounters;
  localparam int unsigned IndexWidth = $clog2(Counters);

  logic [Counters-1:0] events;
  logic [63:0]         event_value;
  logic                events_idle;
  logic [63:0]         rx_bytes_q, tx_bytes_q;
  logic                read_q;

  always_comb begin
    events = count_i;
    events[virtio_pkg::CounterRxBytes] = 1'b0;
    events[virtio_pkg::CounterTxBytes] = 1'b0;
  end

  event_counters #(.Counters(Counters)) u_events (
    .clk_i,
    .rst_i,
    .count_i      (events),
    .read_i,
    .read_index_i (read_index_i[IndexWidth-1:0]),
    .read_value_o (event_value),
    .idle_o       (events_idle)
  );

  assign idle_o = events_idle && !read_q;

  always_ff @(posedge clk_i) begin
    if (rx_bytes_valid_i) rx_bytes_q <= rx_bytes_q + 64'(rx_bytes_i);
    if (rst_i) rx_bytes_q <= 64'h0;
  end

  always_ff @(posedge clk_i) begin
    if (tx_bytes_valid_i) tx_bytes_q <= tx_bytes_q + 64'(tx_bytes_i);
    if (rst_i) tx_bytes_q <= 64'h0;
  end

  always_ff @(posedge clk_i) begin
    read_q <= read_i && !rst_i;
    if (read_q) begin
      read_value_o <= event_value;
      if (read_index_i == 8'(virtio_pkg::CounterRxBytes)) read_value_o <= rx_bytes_q;
      if (read_index_i == 8'(virtio_pkg::CounterTxBytes)) read_value_o <= tx_bytes_q;
    end
  end

endmodule
