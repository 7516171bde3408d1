// SPDX-License-Identifier: Apache-2.0
//
// Proof harness of fifo_ram: as fifo_formal; a word is in the memory or in the output stage.

module fifo_ram_formal #(
  parameter int unsigned Depth = 3
) (
  input logic       clk_i,
  input logic       rst_i,
  input logic       wr_valid_i,
  input logic [3:0] wr_data_i,
  input logic       rd_ready_i,
  input logic       mark_i        // follow the word that is written now
);

  localparam int unsigned CountWidth = $clog2(Depth + 1);

  logic                  wr_ready;
  logic                  rd_valid;
  logic [3:0]            rd_data;
  logic [CountWidth-1:0] count;

  fifo_ram #(
    .Width(4),
    .Depth(Depth)
  ) u_dut (
    .clk_i     (clk_i),
    .rst_i     (rst_i),
    .wr_valid_i(wr_valid_i),
    .wr_ready_o(wr_ready),
    .wr_data_i (wr_data_i),
    .rd_valid_o(rd_valid),
    .rd_ready_i(rd_ready_i),
    .rd_data_o (rd_data),
    .count_o   (count)
  );

  // What the induction has to know of u_dut.
  (* hierconn *) wire [1:0] \u_dut.rd_ptr_q ;
  (* hierconn *) wire [1:0] \u_dut.wr_ptr_q ;
  (* hierconn *) wire [3:0] \u_dut.u_ram.mem[0] ;
  (* hierconn *) wire [3:0] \u_dut.u_ram.mem[1] ;
  (* hierconn *) wire [3:0] \u_dut.u_ram.mem[2] ;
  (* hierconn *) wire [3:0] \u_dut.u_ram.mem[3] ;

  logic push;
  logic pop;

  assign push = wr_valid_i && wr_ready;
  assign pop  = rd_valid && rd_ready_i;

  logic       started_q = 1'b0;
  logic       follow_q;         // the marked word is inside
  logic [3:0] word_q;
  logic [2:0] ahead_q;          // words that leave before it
  logic [3:0] streak_q;         // cycles in a row with a word in and a word out
  logic       was_full_q;
  logic       stalled_q;        // in the cycle before, a word was offered and not taken
  logic [3:0] offered_q;

  logic [2:0] place;
  logic [2:0] around;
  logic [3:0] stored;

  assign place  = {1'b0, \u_dut.rd_ptr_q } + ahead_q - 3'(rd_valid);
  assign around = (place >= 3'(Depth)) ? place - 3'(Depth) : place;
  assign stored = (around == 3'd0) ? \u_dut.u_ram.mem[0]
                : (around == 3'd1) ? \u_dut.u_ram.mem[1]
                : (around == 3'd2) ? \u_dut.u_ram.mem[2] : \u_dut.u_ram.mem[3] ;

  // The write pointer as the read pointer and the words in the memory have it.
  logic [2:0] next_place;
  assign next_place = {1'b0, \u_dut.rd_ptr_q } + 3'(count) - 3'(rd_valid);

  always_ff @(posedge clk_i) begin
    started_q <= 1'b1;
    if (rst_i) begin
      follow_q   <= 1'b0;
      streak_q   <= '0;
      was_full_q <= 1'b0;
      stalled_q  <= 1'b0;
    end else begin
      if (follow_q) begin
        if (pop) begin
          ahead_q  <= ahead_q - 1'b1;
          follow_q <= ahead_q != '0;
        end
      end else if (push && mark_i) begin
        follow_q <= 1'b1;
        word_q   <= wr_data_i;
        ahead_q  <= 3'(count) - 3'(pop);
      end
      streak_q   <= (push && pop) ? streak_q + 4'(streak_q != '1) : '0;
      was_full_q <= was_full_q || count == CountWidth'(Depth);
      stalled_q  <= rd_valid && !rd_ready_i;
      offered_q  <= rd_data;
    end
  end

  always_comb begin
    // A run begins with a reset.
    m_reset_first: assume (started_q || rst_i);
  end

  always_ff @(posedge clk_i) begin
    if (started_q && !rst_i) begin
      // The marked word is what is offered when the words written before it have left.
      a_order: assert (!(follow_q && ahead_q == '0 && rd_valid) || rd_data == word_q);
      // A word that is inside is counted.
      a_counted: assert (!follow_q || ahead_q < 3'(count));
      // It stays in its place of the memory until the output stage has it.
      a_kept: assert (!follow_q || (ahead_q == '0 && rd_valid) || stored == word_q);
      // The pointers stay inside the memory, and as far apart as there are words in it.
      a_pointers: assert ({1'b0, \u_dut.rd_ptr_q } < 3'(Depth)
                          && {1'b0, \u_dut.wr_ptr_q }
                             == (next_place >= 3'(Depth) ? next_place - 3'(Depth) : next_place));
      // An offered word stays until it is taken.
      a_stable: assert (!stalled_q || (rd_valid && rd_data == offered_q));
      // Words move in and out in every one of eight cycles.
      c_throughput: cover (streak_q == 4'd8);
      // It can be filled and emptied.
      c_full_and_empty: cover (was_full_q && count == '0);
    end
  end

endmodule
