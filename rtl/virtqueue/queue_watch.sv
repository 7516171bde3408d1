// SPDX-License-Identifier: Apache-2.0
//
// queue_watch: a word for each queue, of which one queue's is looked at: state that changes in every
// cycle, of a queue that is known one cycle before.
//
//   select   at the clock edge, under select_i: select_queue_i is the queue that is looked at.
//   data_o   from the next cycle on its word, as it stands before this cycle's write; it follows the
//            writes to that queue.
//   write    at the clock edge, under write_i. Nothing is reset; a queue's enable writes first.
//
// Few queues are LUT RAM, which is read in the cycle itself. Many are block RAM: what is written to the
// queue while it is looked at, or just then, is kept beside it.
//
// Parameters:
//   Queues   number of queues
//   Width    bits in a word
//   Few      so many queues or less are LUT RAM: a LUT is a RAM of 64 bits

module queue_watch #(
  parameter int unsigned Queues = 3,
  parameter int unsigned Width = 16,
  parameter int unsigned Few = 64,
  localparam int unsigned QueueWidth = (Queues > 1) ? $clog2(Queues) : 1
) (
  input  logic                  clk_i,
  input  logic                  write_i,
  input  logic [QueueWidth-1:0] write_queue_i,
  input  logic [Width-1:0]      write_data_i,
  input  logic                  select_i,
  input  logic [QueueWidth-1:0] select_queue_i,
  output logic [Width-1:0]      data_o
);

  logic [QueueWidth-1:0] queue_q;     // the one that is looked at

  always_ff @(posedge clk_i) begin
    if (select_i) begin
      queue_q <= select_queue_i;
    end
  end

  if (Queues <= Few) begin : g_few
    queue_state #(.Queues(Queues), .Width(Width)) u_word (
      .clk_i,
      .write_i,
      .write_queue_i,
      .write_data_i,
      .read_queue_i (queue_q),
      .read_data_o  (data_o)
    );
  end else begin : g_many
    logic [Width-1:0] stored;
    logic [Width-1:0] newer_q;        // what was written to the queue since it was read
    logic             is_newer_q;
    logic             hit;

    assign hit    = write_i && write_queue_i == (select_i ? select_queue_i : queue_q);
    assign data_o = is_newer_q ? newer_q : stored;

    ram_1r1w #(.Width(Width), .Depth(Queues)) u_words (
      .clk_i,
      .we_i    (write_i),
      .waddr_i (write_queue_i),
      .wdata_i (write_data_i),
      .re_i    (select_i),
      .raddr_i (select_queue_i),
      .rdata_o (stored)
    );

    always_ff @(posedge clk_i) begin
      if (select_i || hit) begin
        is_newer_q <= hit;
      end
      if (hit) begin
        newer_q <= write_data_i;
      end
    end
  end

endmodule
