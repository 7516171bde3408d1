// SPDX-License-Identifier: Apache-2.0
//
// Doorbells (virtio 1.2, 4.1.4.4 and 4.1.5.2): a write to the word of a virtqueue kicks it.
//
// The virtqueue is taken from the address, not from the data. kick_valid_o is high for one cycle, in
// the cycle in which the write is acknowledged. Reads give 0; doorbells of queues that do not exist,
// and those rung before the features are agreed on or during a reset, do nothing.
module notify #(
  parameter int unsigned Queues = 2
) (
  input  logic        clk_i,
  input  logic        rst_i,

  input  logic        sel_i,
  input  logic        write_i,
  input  logic [13:0] offset_i,
  output logic        ack_o,

  input  logic        accept_i,      // the driver may ring
  output logic        kick_valid_o,
  output logic [15:0] kick_queue_o,

  output logic        idle_o
);

  if (4 * Queues > virtio_pkg::BarNotifyBytes) begin : g_bad_queues
    $error("notify: the doorbells do not fit into their region");
  end

  logic        ack_q, kick_q;
  logic [15:0] queue_q;

  assign ack_o        = ack_q;
  assign kick_valid_o = kick_q;
  assign kick_queue_o = queue_q;
  assign idle_o       = !ack_q;

  always_ff @(posedge clk_i) begin
    if (sel_i || ack_q) begin
      ack_q  <= sel_i && !ack_q;
      kick_q <= sel_i && !ack_q && write_i && accept_i && offset_i[13:2] < 12'(Queues);
      if (sel_i && !ack_q) queue_q <= {4'h0, offset_i[13:2]};
    end
    if (rst_i) begin
      ack_q  <= 1'b0;
      kick_q <= 1'b0;
    end
  end

  logic unused_bits;
  assign unused_bits = ^offset_i[1:0];

endmodule
