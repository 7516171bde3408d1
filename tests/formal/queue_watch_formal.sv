// SPDX-License-Identifier: Apache-2.0
//
// Proof harness of queue_watch, three queues in its form for many: any writes and choices; one queue,
// chosen freely, is watched.

module queue_watch_formal #(
  parameter int unsigned Few = 2
) (
  input logic       clk_i,
  input logic       rst_i,
  input logic       write_i,
  input logic [1:0] write_queue_i,
  input logic [3:0] write_data_i,
  input logic       select_i,
  input logic [1:0] select_queue_i
);

  (* anyconst *) logic [1:0] who;

  logic [3:0] data;

  queue_watch #(
    .Queues(3),
    .Width (4),
    .Few   (Few)
  ) u_dut (
    .clk_i         (clk_i),
    .write_i       (write_i),
    .write_queue_i (write_queue_i),
    .write_data_i  (write_data_i),
    .select_i      (select_i),
    .select_queue_i(select_queue_i),
    .data_o        (data)
  );

  // What the induction has to know of u_dut.
  (* hierconn *) wire [3:0] \u_dut.g_many.u_words.mem[0] ;
  (* hierconn *) wire [3:0] \u_dut.g_many.u_words.mem[1] ;
  (* hierconn *) wire [3:0] \u_dut.g_many.u_words.mem[2] ;
  (* hierconn *) wire [1:0] \u_dut.queue_q ;

  logic       started_q = 1'b0;
  logic       written_q;      // the queue has a word
  logic [3:0] word_q;         // the last one
  logic       watched_q;      // the queue is looked at
  logic [2:0] changes_q;      // writes to it in a row, while it is

  logic [3:0] stored;         // the word of the queue in the memory

  assign stored = (who == 2'd0) ? \u_dut.g_many.u_words.mem[0]
                : (who == 2'd1) ? \u_dut.g_many.u_words.mem[1] : \u_dut.g_many.u_words.mem[2] ;

  always_ff @(posedge clk_i) begin
    started_q <= 1'b1;
    if (rst_i) begin
      written_q <= 1'b0;
      watched_q <= 1'b0;
      changes_q <= '0;
    end else begin
      if (write_i && write_queue_i == who) begin
        written_q <= 1'b1;
        word_q    <= write_data_i;
      end
      if (select_i) watched_q <= select_queue_i == who;
      changes_q <= (watched_q && write_i && write_queue_i == who) ? changes_q + 3'(changes_q != '1)
                                                                  : '0;
    end
  end

  always_comb begin
    // A run begins with a reset.
    m_reset_first: assume (started_q || rst_i);
    // There are three queues.
    m_exists: assume (who != 2'd3 && write_queue_i != 2'd3 && select_queue_i != 2'd3);
    // A reset chooses nothing and writes nothing.
    m_reset_quiet: assume (!rst_i || (!write_i && !select_i));
  end

  always_ff @(posedge clk_i) begin
    if (started_q && !rst_i) begin
      // What shows is the word that was written to the queue last.
      a_last: assert (!(watched_q && written_q) || data == word_q);
      // What the cell holds.
      a_stored_q: assert (!written_q || stored == word_q);
      a_queue_q: assert (!watched_q || \u_dut.queue_q == who);
      // It may change in every cycle.
      c_changes: cover (changes_q == 3'd3);
    end
  end

endmodule
