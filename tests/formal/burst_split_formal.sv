// SPDX-License-Identifier: Apache-2.0
//
// Proof harness of burst_split: any requests, with any pauses, after a reset.

module burst_split_formal #(
  parameter int unsigned AxiBytes = 16,
  parameter int unsigned MaxBurstBytes = 512
) (
  input logic        clk_i,
  input logic        rst_i,
  input logic        req_valid_i,
  input logic [63:0] req_addr_i,
  input logic [16:0] req_bytes_i,
  input logic [1:0]  req_user_i,
  input logic        burst_ready_i
);

  localparam int unsigned LaneWidth = $clog2(AxiBytes);

  logic        req_ready, burst_valid, burst_last;
  logic [63:0] burst_addr;
  logic [7:0]  burst_len;
  logic [1:0]  burst_user;

  burst_split #(
    .AxiBytes     (AxiBytes),
    .MaxBurstBytes(MaxBurstBytes),
    .UserWidth    (2)
  ) u_dut (
    .clk_i        (clk_i),
    .rst_i        (rst_i),
    .req_valid_i  (req_valid_i),
    .req_ready_o  (req_ready),
    .req_addr_i   (req_addr_i),
    .req_bytes_i  (req_bytes_i),
    .req_user_i   (req_user_i),
    .burst_valid_o(burst_valid),
    .burst_ready_i(burst_ready_i),
    .burst_addr_o (burst_addr),
    .burst_len_o  (burst_len),
    .burst_last_o (burst_last),
    .burst_user_o (burst_user)
  );

  // What the induction has to know of u_dut.
  (* hierconn *) wire [16:0] \u_dut.bytes_q ;

  logic        started_q = 1'b0;
  logic        held_q;         // a request has bytes in no burst yet
  logic [63:0] next_q;         // the first of them
  logic [16:0] left_q;         // how many
  logic [1:0]  user_q;
  logic        stall_q;        // a burst was offered in the cycle before, and not taken
  logic [73:0] was_burst_q;
  logic [3:0]  streak_q;       // bursts in a row of cycles

  logic [73:0] burst;
  logic [63:0] start;          // of the first beat
  logic [63:0] stop;           // behind the last beat
  logic [16:0] covered;        // bytes of the request that the burst can hold

  assign burst   = {burst_user, burst_len, burst_addr};
  assign start   = {burst_addr[63:LaneWidth], LaneWidth'(0)};
  assign stop    = start + (64'(burst_len) + 64'd1) * AxiBytes;
  assign covered = 17'(stop - burst_addr);

  always_ff @(posedge clk_i) begin
    started_q <= 1'b1;
    if (rst_i) begin
      held_q   <= 1'b0;
      stall_q  <= 1'b0;
      streak_q <= '0;
    end else begin
      if (req_valid_i && req_ready) begin
        held_q <= 1'b1;
        next_q <= req_addr_i;
        left_q <= req_bytes_i;
        user_q <= req_user_i;
      end else if (burst_valid && burst_ready_i) begin
        held_q <= covered < left_q;
        next_q <= stop;
        left_q <= left_q - covered;
      end
      stall_q     <= burst_valid && !burst_ready_i;
      was_burst_q <= burst;
      streak_q    <= (burst_valid && burst_ready_i) ? streak_q + 4'(streak_q != '1) : '0;
    end
  end

  always_comb begin
    // A run begins with a reset.
    m_reset_first: assume (started_q || rst_i);
    // A request is for at least one byte.
    m_bytes: assume (req_bytes_i != '0);
  end

  always_ff @(posedge clk_i) begin
    if (started_q && !rst_i) begin
      // A burst is offered exactly while bytes of a request are in none.
      a_valid: assert (burst_valid == held_q);
      // It begins with the first of them, and carries the request's word.
      a_next: assert (!burst_valid || (burst_addr == next_q && burst_user == user_q));
      // It stays inside a block of MaxBurstBytes, and so inside 4 KiB.
      a_block: assert (!burst_valid || (start ^ (stop - 64'd1)) < 64'(MaxBurstBytes));
      // All bursts but the last one end with such a block; the last one's last beat has the last byte.
      a_end: assert (!burst_valid || burst_last || (stop % MaxBurstBytes == 0 && covered < left_q));
      a_last: assert (!burst_valid || !burst_last ||
                      (covered >= left_q && covered - left_q < 17'(AxiBytes)));
      // A burst that was not taken stays as it is.
      a_stays: assert (!stall_q || (burst_valid && burst == was_burst_q));
      // A request is taken with the last burst of the one before.
      a_ready: assert (req_ready == (!held_q || (burst_ready_i && burst_last)));
      // What the cell holds.
      a_bytes_q: assert (!held_q || (\u_dut.bytes_q  == left_q && left_q != '0));
      // Bursts go in every one of four cycles, over the end of a request.
      c_throughput: cover (streak_q == 4'd4 && $past(burst_last, 2) && !$past(burst_last, 3));
      // A request in three bursts.
      c_three: cover (streak_q == 4'd2 && burst_last && !$past(burst_last) && !$past(burst_last, 2));
    end
  end

endmodule
