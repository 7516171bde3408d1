// SPDX-License-Identifier: Apache-2.0
//
// queue_table: a word for each queue, read into a register: what is wide and seldom written, as
// addresses are. Block RAM where there are many queues.
//
//   read    read_i puts the word of read_queue_i on read_data_o from the next cycle on; it stays
//           until the next read.
//   write   at the clock edge, under write_i, never in a cycle that reads the same queue. Nothing
//           is reset; a queue's enable writes first.
//
// Parameters:
//   Queues   number of queues
//   Width    bits in a word

module queue_table #(
  parameter int unsigned Queues = 1,
  parameter int unsigned Width = 64,
  localparam int unsigned QueueWidth = (Queues > 1) ? $clog2(Queues) : 1
) (
  input  logic                  clk_i,
  input  logic                  write_i,
  input  logic [QueueWidth-1:0] write_queue_i,
  input  logic [Width-1:0]      write_data_i,
  input  logic                  read_i,
  input  logic [QueueWidth-1:0] read_queue_i,
  output logic [Width-1:0]      read_data_o
);

  if (Queues == 1) begin : g_register
    logic unused_read;
    assign unused_read = ^{write_queue_i, read_i, read_queue_i};

    always_ff @(posedge clk_i) begin
      if (write_i) begin
        read_data_o <= write_data_i;
      end
    end
  end else begin : g_memory
    logic [Width-1:0] word_mem [Queues];

    always_ff @(posedge clk_i) begin
      if (write_i) begin
        word_mem[write_queue_i] <= write_data_i;
      end
    end

    always_ff @(posedge clk_i) begin
      if (read_i) begin
        read_data_o <= word_mem[read_queue_i];
      end
    end
  end

endmodule
