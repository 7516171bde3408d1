// SPDX-License-Identifier: Apache-2.0
//
// rx_enabled: which receive queues the driver has enabled: a bit for each in a memory.
//
//   enable, disable   one queue a cycle, an enable first; not before the walk is over.
//   enabled_o         combinational: queue_i is enabled, as it stands before this cycle's change.
//   idle_o            no walk: after reset one gives every queue its 0, a queue a cycle.
//
// Parameters:
//   Queues   receive queues

module rx_enabled #(
  parameter int unsigned Queues = 2,
  localparam int unsigned QueueWidth = (Queues > 1) ? $clog2(Queues) : 1
) (
  input  logic                  clk_i,
  input  logic                  rst_i,
  output logic                  idle_o,

  input  logic                  enable_i,
  input  logic [QueueWidth-1:0] enable_queue_i,
  input  logic                  disable_i,
  input  logic [QueueWidth-1:0] disable_queue_i,

  input  logic [QueueWidth-1:0] queue_i,
  output logic                  enabled_o
);

  logic                  walk_q;
  logic [QueueWidth-1:0] walk_queue_q;
  logic                  stored;

  queue_state #(.Queues(Queues), .Width(1)) u_bits (
    .clk_i,
    .write_i       (walk_q || enable_i || disable_i),
    .write_queue_i (walk_q ? walk_queue_q : enable_i ? enable_queue_i : disable_queue_i),
    .write_data_i  (!walk_q && enable_i),
    .read_queue_i  (queue_i),
    .read_data_o   (stored)
  );

  assign enabled_o = stored && !walk_q;
  assign idle_o    = !walk_q;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      walk_q       <= 1'b1;
      walk_queue_q <= '0;
    end else if (walk_q) begin
      walk_queue_q <= walk_queue_q + 1'b1;
      walk_q       <= walk_queue_q != QueueWidth'(Queues - 1);
    end
  end

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // No queue is enabled or disabled before the walk is over.
      a_walked: assert (!walk_q || !(enable_i || disable_i));
    end
  end
`endif

endmodule
