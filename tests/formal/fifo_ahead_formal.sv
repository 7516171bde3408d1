// SPDX-License-Identifier: Apache-2.0
//
// Proof harness of fifo_ahead: any inputs after a reset; one word, chosen freely, is followed through.
// That its FIFO keeps order is proved of fifo; here its words come and go by the output stage.

module fifo_ahead_formal #(
  parameter int unsigned Depth = 3
) (
  input logic       clk_i,
  input logic       rst_i,
  input logic       wr_valid_i,
  input logic [3:0] wr_data_i,
  input logic       rd_ready_i,
  input logic       mark_i        // follow the word that is written now
);

  logic       wr_ready, next_take, rd_valid, empty;
  logic [3:0] next, rd_data;

  fifo_ahead #(
    .Width(4),
    .Depth(Depth)
  ) u_dut (
    .clk_i      (clk_i),
    .rst_i      (rst_i),
    .wr_valid_i (wr_valid_i),
    .wr_ready_o (wr_ready),
    .wr_data_i  (wr_data_i),
    .next_take_o(next_take),
    .next_o     (next),
    .rd_valid_o (rd_valid),
    .rd_ready_i (rd_ready_i),
    .rd_data_o  (rd_data),
    .empty_o    (empty)
  );

  // The FIFO inside, which the induction has to know.
  (* hierconn *) wire [1:0] \u_dut.u_fifo.rd_ptr_q ;
  (* hierconn *) wire [1:0] \u_dut.u_fifo.count_q ;
  (* hierconn *) wire [3:0] \u_dut.u_fifo.mem[0] ;
  (* hierconn *) wire [3:0] \u_dut.u_fifo.mem[1] ;
  (* hierconn *) wire [3:0] \u_dut.u_fifo.mem[2] ;

  logic       push, pop;
  logic       started_q = 1'b0;
  logic       follow_q;         // the marked word is inside
  logic [3:0] word_q;
  logic [2:0] ahead_q;          // words that leave before it
  logic [2:0] held_q;
  logic       announced_q;      // the word that is read now was announced
  logic [3:0] next_q;
  logic [3:0] streak_q;         // cycles in a row with a word in and a word out

  logic [2:0] back, place;
  logic [3:0] stored;

  assign push   = wr_valid_i && wr_ready;
  assign pop    = rd_valid && rd_ready_i;
  assign back   = ahead_q - 3'(rd_valid);   // words of the FIFO before it
  assign place  = ({1'b0, \u_dut.u_fifo.rd_ptr_q } + back >= 3'(Depth))
                ? {1'b0, \u_dut.u_fifo.rd_ptr_q } + back - 3'(Depth)
                : {1'b0, \u_dut.u_fifo.rd_ptr_q } + back;
  assign stored = (place == 3'd0) ? \u_dut.u_fifo.mem[0]
                : (place == 3'd1) ? \u_dut.u_fifo.mem[1] : \u_dut.u_fifo.mem[2] ;

  always_ff @(posedge clk_i) begin
    started_q <= 1'b1;
    if (rst_i) begin
      follow_q    <= 1'b0;
      held_q      <= '0;
      announced_q <= 1'b0;
      streak_q    <= '0;
    end else begin
      if (follow_q) begin
        if (pop) begin
          ahead_q  <= ahead_q - 1'b1;
          follow_q <= ahead_q != '0;
        end
      end else if (push && mark_i) begin
        follow_q <= 1'b1;
        word_q   <= wr_data_i;
        ahead_q  <= held_q - 3'(pop);
      end
      held_q      <= held_q + 3'(push) - 3'(pop);
      announced_q <= next_take;
      next_q      <= next;
      streak_q    <= (push && pop) ? streak_q + 4'(streak_q != '1) : '0;
    end
  end

  always_comb begin
    // A run begins with a reset.
    m_reset_first: assume (started_q || rst_i);
  end

  always_ff @(posedge clk_i) begin
    if (started_q && !rst_i) begin
      // The marked word is read, unchanged, when the words written before it have left.
      a_order: assert (!(follow_q && ahead_q == '0 && rd_valid) || rd_data == word_q);
      // What was announced is read in the next cycle.
      a_next: assert (!announced_q || (rd_valid && rd_data == next_q));
      // No word is forgotten: held are as many as came and did not leave.
      a_empty: assert (empty == (held_q == '0));
      // What the cell holds.
      a_held_q: assert (held_q == 3'(\u_dut.u_fifo.count_q ) + 3'(rd_valid));
      a_counted_q: assert (!follow_q || ahead_q < held_q);
      a_kept_q: assert (!follow_q || (ahead_q == '0 && rd_valid) || stored == word_q);
      // Words move in and out in every one of eight cycles.
      c_throughput: cover (streak_q == 4'd8);
    end
  end

endmodule
