// SPDX-License-Identifier: Apache-2.0
//
// queue_state: a word for each queue, with one write port and Reads read ports.
//
//   read    combinational: the word of each read queue as it stands before this cycle's write.
//   write   at the clock edge, under write_i. Nothing is reset; a queue's enable writes first.
//
// A memory (LUT RAM) where there are several queues and a plain register for one alone, which is
// also what simulates fastest: a simulator pays for each write port of a memory in every cycle. Where
// there is one queue more than fills the LUTs of a memory, its word is a register too.
//
// Parameters:
//   Queues   number of queues
//   Width    bits in a word
//   Reads    number of read ports

module queue_state #(
  parameter int unsigned Queues = 1,
  parameter int unsigned Width = 16,
  parameter int unsigned Reads = 1,
  localparam int unsigned QueueWidth = (Queues > 1) ? $clog2(Queues) : 1
) (
  input  logic                        clk_i,
  input  logic                        write_i,
  input  logic [QueueWidth-1:0]       write_queue_i,
  input  logic [Width-1:0]            write_data_i,
  input  logic [Reads*QueueWidth-1:0] read_queue_i,
  output logic [Reads*Width-1:0]      read_data_o
);

  localparam int unsigned LutDepth = 64;
  localparam int unsigned Most = Queues - 1;
  localparam bit          OneMore = Most >= LutDepth && (Most & (Most - 1)) == 0;

  if (Queues == 1) begin : g_register
    logic [Width-1:0] word_q;
    logic             unused_queues;

    assign unused_queues = ^{write_queue_i, read_queue_i};
    assign read_data_o   = {Reads{word_q}};

    always_ff @(posedge clk_i) begin
      if (write_i) begin
        word_q <= write_data_i;
      end
    end
  end

  if (OneMore) begin : g_last
    logic [Width-1:0] word_mem [Most];
    logic [Width-1:0] last_q;

    for (genvar i = 0; i < Reads; i++) begin : g_read
      assign read_data_o[Width*i +: Width] =
          read_queue_i[QueueWidth*i + QueueWidth - 1]
              ? last_q : word_mem[read_queue_i[QueueWidth*i +: QueueWidth - 1]];
    end

    always_ff @(posedge clk_i) begin
      if (write_i && write_queue_i[QueueWidth-1]) begin
        last_q <= write_data_i;
      end
      if (write_i && !write_queue_i[QueueWidth-1]) begin
        word_mem[write_queue_i[QueueWidth-2:0]] <= write_data_i;
      end
    end
  end

  if (Queues > 1 && !OneMore) begin : g_memory
    logic [Width-1:0] word_mem [Queues];

    for (genvar i = 0; i < Reads; i++) begin : g_read
      assign read_data_o[Width*i +: Width] =
          word_mem[read_queue_i[QueueWidth*i +: QueueWidth]];
    end

    always_ff @(posedge clk_i) begin
      if (write_i) begin
        word_mem[write_queue_i] <= write_data_i;
      end
    end
  end

endmodule
