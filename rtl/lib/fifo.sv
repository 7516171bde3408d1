// SPDX-License-Identifier: Apache-2.0
//
// fifo: first-word-fall-through FIFO over an asynchronous-read memory (LUT RAM), for shallow queues.
//
//   write port   A word moves when wr_valid_i and wr_ready_o are both high. wr_ready_o is low only
//                when Depth words are held; it does not depend on rd_ready_i.
//   read port    rd_valid_o is high while a word is held and rd_data_o is then the oldest word,
//                stable until it moves. A word moves when rd_valid_o and rd_ready_i are both high.
//   count_o      number of words held, exact.
//   latency      a word can be read in the cycle after it was written.
//   throughput   one word in and one word out every cycle, except that a full FIFO takes no word in
//                the cycle that frees a place.
//
// Parameters:
//   Width   bits in a word, 1 or more
//   Depth   words held, any number from 2 up (a power of two is not needed)

module fifo #(
  parameter int unsigned Width = 8,
  parameter int unsigned Depth = 16,
  localparam int unsigned CountWidth = $clog2(Depth + 1)
) (
  input  logic                  clk_i,
  input  logic                  rst_i,

  input  logic                  wr_valid_i,
  output logic                  wr_ready_o,
  input  logic [Width-1:0]      wr_data_i,

  output logic                  rd_valid_o,
  input  logic                  rd_ready_i,
  output logic [Width-1:0]      rd_data_o,

  output logic [CountWidth-1:0] count_o
);

  if (Width < 1) $error("fifo: Width must be at least 1");
  if (Depth < 2) $error("fifo: Depth must be at least 2");

  localparam int unsigned PtrWidth = $clog2(Depth);
  localparam logic [PtrWidth-1:0] LastPtr = PtrWidth'(Depth - 1);

  ////////////////////
  // State          //
  ////////////////////

  logic [Width-1:0]      mem [Depth];
  logic [PtrWidth-1:0]   wr_ptr_q;
  logic [PtrWidth-1:0]   rd_ptr_q;
  logic [CountWidth-1:0] count_q;
  logic                  full_q;
  logic                  valid_q;

  logic push;
  logic pop;

  assign push = wr_valid_i && !full_q;
  assign pop  = rd_ready_i && valid_q;

  always_ff @(posedge clk_i) begin
    if (push) begin
      mem[wr_ptr_q] <= wr_data_i;
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      wr_ptr_q <= '0;
      rd_ptr_q <= '0;
      count_q  <= '0;
      full_q   <= 1'b0;
      valid_q  <= 1'b0;
    end else if (push || pop) begin
      if (push) begin
        wr_ptr_q <= (wr_ptr_q == LastPtr) ? '0 : wr_ptr_q + 1'b1;
      end
      if (pop) begin
        rd_ptr_q <= (rd_ptr_q == LastPtr) ? '0 : rd_ptr_q + 1'b1;
      end
      if (push && !pop) begin
        full_q  <= count_q == CountWidth'(Depth - 1);
        valid_q <= 1'b1;
        count_q <= count_q + 1'b1;
      end else if (pop && !push) begin
        full_q  <= 1'b0;
        valid_q <= count_q != CountWidth'(1);
        count_q <= count_q - 1'b1;
      end
    end
  end

  assign wr_ready_o = !full_q;
  assign rd_valid_o = valid_q;
  assign rd_data_o  = mem[rd_ptr_q];
  assign count_o    = count_q;

  ////////////////////
  // Properties     //
  ////////////////////

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // The FIFO never holds more words than it has places.
      a_count_bound: assert (32'(count_q) <= Depth);
      // It refuses words exactly when every place is taken.
      a_full: assert (full_q == (count_q == CountWidth'(Depth)));
      // It offers a word exactly when it holds one.
      a_valid: assert (valid_q == (count_q != '0));
      // The distance between the pointers, around the end, is the number of words held.
      a_pointers: assert (32'(wr_ptr_q) + (full_q || wr_ptr_q < rd_ptr_q ? Depth : 0)
                          == 32'(rd_ptr_q) + 32'(count_q));
      // The pointers stay inside the memory.
      a_pointer_bound: assert (32'(wr_ptr_q) < Depth && 32'(rd_ptr_q) < Depth);
    end
  end
`endif

endmodule
