// SPDX-License-Identifier: Apache-2.0
//
// fifo_ram: first-word-fall-through FIFO over a synchronous-read memory (block RAM), for deep or
// wide queues. The ports and promises are those of fifo, but for the latency.
//
//   write port   A word moves when wr_valid_i and wr_ready_o are both high. wr_ready_o is low only
//                when Depth words are held; it does not depend on rd_ready_i.
//   read port    rd_valid_o is high while the oldest word is in the output stage and rd_data_o is
//                then that word, stable until it moves (rd_valid_o and rd_ready_i both high).
//   count_o      number of words held, the output stage included, exact.
//   latency      a word can be read two cycles after it was written at the earliest.
//   throughput   one word in and one word out every cycle.
//
//            +----------+    re    +--------------+
//   wr ----> | ram_1r1w | -------> | output stage | ----> rd
//            +----------+          +--------------+
//             stored_q words          valid_q
//
// Parameters:
//   Width   bits in a word, 1 or more
//   Depth   words held, any number from 2 up

module fifo_ram #(
  parameter int unsigned Width = 64,
  parameter int unsigned Depth = 512,
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

  if (Width < 1) $error("fifo_ram: Width must be at least 1");
  if (Depth < 2) $error("fifo_ram: Depth must be at least 2");

  localparam int unsigned PtrWidth = $clog2(Depth);
  localparam logic [PtrWidth-1:0] LastPtr = PtrWidth'(Depth - 1);

  ////////////////////
  // State          //
  ////////////////////

  logic [PtrWidth-1:0]   wr_ptr_q;
  logic [PtrWidth-1:0]   rd_ptr_q;
  logic [CountWidth-1:0] count_q;   // in the memory and in the output stage
  logic                  full_q;
  logic                  stored_q;  // the memory holds a word that the output stage has not taken
  logic                  valid_q;   // the output stage holds a word

  logic push;
  logic pop;
  logic fetch;

  assign push  = wr_valid_i && !full_q;
  assign pop   = rd_ready_i && valid_q;
  assign fetch = stored_q && (rd_ready_i || !valid_q);

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      wr_ptr_q <= '0;
      rd_ptr_q <= '0;
      count_q  <= '0;
      full_q   <= 1'b0;
      stored_q <= 1'b0;
      valid_q  <= 1'b0;
    end else if (push || pop || fetch) begin
      if (push) begin
        wr_ptr_q <= (wr_ptr_q == LastPtr) ? '0 : wr_ptr_q + 1'b1;
      end
      if (fetch) begin
        rd_ptr_q <= (rd_ptr_q == LastPtr) ? '0 : rd_ptr_q + 1'b1;
      end
      // What stays in the memory: all that is held, less the word that the output stage has.
      stored_q <= push || (count_q - CountWidth'(valid_q) > CountWidth'(fetch));
      if (push && !pop) begin
        full_q  <= count_q == CountWidth'(Depth - 1);
        count_q <= count_q + 1'b1;
      end else if (pop && !push) begin
        full_q  <= 1'b0;
        count_q <= count_q - 1'b1;
      end
      valid_q <= fetch || (valid_q && !rd_ready_i);
    end
  end

  ram_1r1w #(
    .Width(Width),
    .Depth(Depth)
  ) u_ram (
    .clk_i  (clk_i),
    .we_i   (push),
    .waddr_i(wr_ptr_q),
    .wdata_i(wr_data_i),
    .re_i   (fetch),
    .raddr_i(rd_ptr_q),
    .rdata_o(rd_data_o)
  );

  assign wr_ready_o = !full_q;
  assign rd_valid_o = valid_q;
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
      // A word that is held is in the memory or in the output stage.
      a_stored: assert (stored_q == (count_q > CountWidth'(valid_q)));
      // The output stage holds a word only if the FIFO does.
      a_valid: assert (!valid_q || count_q != '0);
      // A word is never read from the memory in the cycle that writes its place.
      a_no_collision: assert (!(push && fetch) || wr_ptr_q != rd_ptr_q);
    end
  end
`endif

endmodule
