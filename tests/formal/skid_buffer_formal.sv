// SPDX-License-Identifier: Apache-2.0
//
// Proof harness of skid_buffer: any inputs after a reset; one word, chosen freely, is followed.

module skid_buffer_formal #(
  parameter int unsigned Width = 4
) (
  input logic             clk_i,
  input logic             rst_i,
  input logic             in_valid_i,
  input logic [Width-1:0] in_data_i,
  input logic             out_ready_i,
  input logic             mark_i        // follow the word that is written now
);

  logic       in_ready;
  logic       out_valid;
  logic [Width-1:0] out_data;

  skid_buffer #(
    .Width(Width)
  ) u_dut (
    .clk_i      (clk_i),
    .rst_i      (rst_i),
    .in_valid_i (in_valid_i),
    .in_ready_o (in_ready),
    .in_data_i  (in_data_i),
    .out_valid_o(out_valid),
    .out_ready_i(out_ready_i),
    .out_data_o (out_data)
  );

  // What the induction has to know of u_dut.
  (* hierconn *) wire [Width-1:0] \u_dut.skid_data_q ;

  logic push;
  logic pop;

  assign push = in_valid_i && in_ready;
  assign pop  = out_valid && out_ready_i;

  logic       started_q = 1'b0;
  logic [1:0] held_q;           // words that went in and have not come out
  logic       follow_q;         // the marked word is inside
  logic       behind_q;         // behind another one
  logic [Width-1:0] word_q;
  logic [3:0] streak_q;         // cycles in a row with a word in and a word out
  logic       stalled_q;        // in the cycle before, a word was offered and not taken
  logic [Width-1:0] offered_q;

  always_ff @(posedge clk_i) begin
    started_q <= 1'b1;
    if (rst_i) begin
      held_q    <= '0;
      follow_q  <= 1'b0;
      streak_q  <= '0;
      stalled_q <= 1'b0;
    end else begin
      held_q <= held_q + 2'(push) - 2'(pop);
      if (follow_q) begin
        if (pop) begin
          behind_q <= 1'b0;
          follow_q <= behind_q;
        end
      end else if (push && mark_i) begin
        follow_q <= 1'b1;
        word_q   <= in_data_i;
        behind_q <= held_q != 2'(pop);
      end
      streak_q  <= (push && pop) ? streak_q + 4'(streak_q != '1) : '0;
      stalled_q <= out_valid && !out_ready_i;
      offered_q <= out_data;
    end
  end

  always_comb begin
    // A run begins with a reset.
    m_reset_first: assume (started_q || rst_i);
  end

  always_ff @(posedge clk_i) begin
    if (started_q && !rst_i) begin
      // A word is offered exactly when one is held; a word is taken exactly when fewer than two are.
      a_count: assert (held_q <= 2'd2 && out_valid == (held_q != '0)
                       && in_ready == (held_q != 2'd2));
      // The marked word is offered, unchanged, when the one before it has left.
      a_order: assert (!(follow_q && !behind_q) || (out_valid && out_data == word_q));
      // Behind another word it waits in the second place.
      a_kept: assert (!(follow_q && behind_q) || (held_q == 2'd2 && \u_dut.skid_data_q == word_q));
      // An offered word stays until it is taken.
      a_stable: assert (!stalled_q || (out_valid && out_data == offered_q));
      // Words move in and out in every one of eight cycles.
      c_throughput: cover (streak_q == 4'd8);
      // Both places can be taken.
      c_full: cover (held_q == 2'd2);
    end
  end

endmodule
