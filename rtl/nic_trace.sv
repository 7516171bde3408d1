// SPDX-License-Identifier: Apache-2.0
//
// nic_trace: puts what the blocks tell of a frame's way at its trace point of virtio_pkg. Combinational.
// The points of the MAC stay 0.
//
//   rx_*, tx_*   points RxStart to RxWritten and TxDescriptor to TxEnd, in their order, 32-bit tags
//   used_*, visible_*   of the virtqueues; index 0 is receive and 1 transmit
//   rx_queue_*   the virtqueue of a frame whose first used element is given to be written
//   tx_queue_i   that of the chain of which TxDescriptor tells
//   kick_*, irq_*       doorbells and interrupt messages

module nic_trace #(
  parameter int unsigned TagWidth = 32,
  localparam int unsigned RxPoints = virtio_pkg::TraceRxWritten - virtio_pkg::TraceRxStart + 1,
  localparam int unsigned TxPoints = virtio_pkg::TraceTxEnd - virtio_pkg::TraceTxDescriptor + 1
) (
  input  logic [RxPoints-1:0]    rx_valid_i,
  input  logic [32*RxPoints-1:0] rx_tag_i,
  input  logic [TxPoints-1:0]    tx_valid_i,
  input  logic [32*TxPoints-1:0] tx_tag_i,
  input  logic [1:0]             used_valid_i,
  input  logic [2*TagWidth-1:0]  used_tag_i,
  input  logic [1:0]             visible_valid_i,
  input  logic [2*TagWidth-1:0]  visible_tag_i,
  input  logic                   rx_queue_valid_i,
  input  logic [15:0]            rx_queue_i,
  input  logic [15:0]            tx_queue_i,
  input  logic                   kick_valid_i,
  input  logic [15:0]            kick_queue_i,
  input  logic                   irq_valid_i,
  input  logic [15:0]            irq_vector_i,

  output logic [virtio_pkg::NumTracePoints-1:0]    trace_valid_o,
  output logic [32*virtio_pkg::NumTracePoints-1:0] trace_tag_o
);

  always_comb begin
    trace_valid_o = '0;
    trace_valid_o[virtio_pkg::TraceRxStart +: RxPoints]      = rx_valid_i;
    trace_valid_o[virtio_pkg::TraceTxDescriptor +: TxPoints] = tx_valid_i;
    trace_valid_o[virtio_pkg::TraceRxUsed]    = used_valid_i[0];
    trace_valid_o[virtio_pkg::TraceRxVisible] = visible_valid_i[0];
    trace_valid_o[virtio_pkg::TraceTxUsed]    = used_valid_i[1];
    trace_valid_o[virtio_pkg::TraceTxVisible] = visible_valid_i[1];
    trace_valid_o[virtio_pkg::TraceKick]      = kick_valid_i;
    trace_valid_o[virtio_pkg::TraceMsix]      = irq_valid_i;
    trace_valid_o[virtio_pkg::TraceRxQueue]   = rx_queue_valid_i;
    trace_valid_o[virtio_pkg::TraceTxQueue]   = tx_valid_i[0];
  end

  always_comb begin
    trace_tag_o = 'x;
    if (rx_valid_i != '0 || tx_valid_i != '0 || used_valid_i != '0 || visible_valid_i != '0 ||
        rx_queue_valid_i || kick_valid_i || irq_valid_i) begin
      trace_tag_o[32*virtio_pkg::TraceRxStart +: 32*RxPoints]      = rx_tag_i;
      trace_tag_o[32*virtio_pkg::TraceTxDescriptor +: 32*TxPoints] = tx_tag_i;
      trace_tag_o[32*virtio_pkg::TraceRxUsed +: 32]    = 32'(used_tag_i[0 +: TagWidth]);
      trace_tag_o[32*virtio_pkg::TraceRxVisible +: 32] = 32'(visible_tag_i[0 +: TagWidth]);
      trace_tag_o[32*virtio_pkg::TraceTxUsed +: 32]    = 32'(used_tag_i[TagWidth +: TagWidth]);
      trace_tag_o[32*virtio_pkg::TraceTxVisible +: 32] = 32'(visible_tag_i[TagWidth +: TagWidth]);
      trace_tag_o[32*virtio_pkg::TraceKick +: 32]      = 32'(kick_queue_i);
      trace_tag_o[32*virtio_pkg::TraceMsix +: 32]      = 32'(irq_vector_i);
      trace_tag_o[32*virtio_pkg::TraceRxQueue +: 32]   = 32'(rx_queue_i);
      trace_tag_o[32*virtio_pkg::TraceTxQueue +: 32]   = 32'(tx_queue_i);
    end
  end

endmodule
