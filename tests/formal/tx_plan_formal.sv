// SPDX-License-Identifier: Apache-2.0
//
// Proof harness of tx_plan, two queues: any descriptors, any pauses, stops and queue resets. Few
// fragments, so that the limit is met.

module tx_plan_formal #(
  parameter int unsigned MaxFragments = 3
) (
  input logic         clk_i,
  input logic         rst_i,
  input logic         stop_i,
  input logic         hdr_hash_i,
  input logic         qrst_valid_i,
  input logic         qrst_queue_i,
  input logic [1:0]   avail_i,
  input logic         hide_i,
  input logic [127:0] desc_i,
  input logic         room_i
);

  localparam int unsigned CountWidth = 3;

  logic                  blocked, pop_valid, pop_queue, started, frag_valid, plan_valid, plan_drop;
  logic                  plan_forget, plan_queue;
  logic [16:0]           plan_last_byte;
  logic [15:0]           plan_ndesc;
  logic [CountWidth-1:0] plan_fragments;
  logic [3:0]            plan_tag;

  logic started_q = 1'b0;
  logic desc_valid_q;          // one was asked for in the cycle before

  tx_plan #(
    .Queues      (2),
    .MaxFragments(MaxFragments),
    .CountWidth  (CountWidth),
    .TagWidth    (4)
  ) u_dut (
    .clk_i           (clk_i),
    .rst_i           (rst_i),
    .stop_i          (stop_i),
    .hdr_hash_i      (hdr_hash_i),
    .blocked_o       (blocked),
    .qrst_valid_i    (qrst_valid_i),
    .qrst_queue_i    (qrst_queue_i),
    .avail_i         (avail_i), .hide_i(hide_i),
    .pop_valid_o     (pop_valid),
    .pop_queue_o     (pop_queue),
    .desc_valid_i    (desc_valid_q),
    .desc_i          (desc_i),
    .room_i          (room_i),
    .started_o       (started),
    .frag_valid_o    (frag_valid),
    .plan_valid_o    (plan_valid),
    .plan_drop_o     (plan_drop),
    .plan_forget_o   (plan_forget),
    .plan_last_byte_o(plan_last_byte),
    .plan_ndesc_o    (plan_ndesc),
    .plan_fragments_o(plan_fragments),
    .plan_queue_o    (plan_queue),
    .plan_tag_o      (plan_tag)
  );

  // What the induction has to know of u_dut.
  (* hierconn *) wire                  \u_dut.queue_q ;
  (* hierconn *) wire                  \u_dut.long_q ;
  (* hierconn *) wire                  \u_dut.over_q ;
  (* hierconn *) wire [16:0]           \u_dut.total_q ;
  (* hierconn *) wire [15:0]           \u_dut.ndesc_q ;
  (* hierconn *) wire [CountWidth-1:0] \u_dut.fragments_q ;
  (* hierconn *) wire [3:0]            \u_dut.tag_q ;

  // Of the chain in hand: its queue, descriptors, bytes (up to a million), fragments that were told of.
  logic        queue_q;
  logic [7:0]  ndesc_q;
  logic [19:0] total_q;
  logic [7:0]  frags_q;
  logic [3:0]  tag_q;          // chains planned
  logic        hash_q;
  logic [3:0]  streak_q;
  logic [1:0]  ends_q;

  logic [7:0]  ndesc, frags;
  logic [20:0] sum;
  logic [19:0] total;
  logic        ends;
  logic [19:0] header;

  assign header = hdr_hash_i ? 20'd20 : 20'd12;
  assign ends   = desc_valid_q && !desc_i[112];
  assign ndesc  = ndesc_q + 8'(desc_valid_q);
  assign frags  = frags_q + 8'(frag_valid);
  assign sum    = {1'b0, total_q} + (desc_valid_q ? {4'd0, desc_i[80:64]} : 21'd0);
  assign total  = sum[20] ? '1 : sum[19:0];

  always_ff @(posedge clk_i) begin
    started_q <= 1'b1;
    if (rst_i) begin
      desc_valid_q <= 1'b0;
      ndesc_q      <= '0;
      total_q      <= '0;
      frags_q      <= '0;
      tag_q        <= '0;
      streak_q     <= '0;
      ends_q       <= '0;
    end else begin
      desc_valid_q <= pop_valid;
      ndesc_q      <= plan_valid ? '0 : ndesc;
      total_q      <= plan_valid ? '0 : total;
      frags_q      <= plan_valid ? '0 : frags;
      tag_q        <= tag_q + 4'(plan_valid);
      streak_q     <= desc_valid_q ? streak_q + 4'(streak_q != '1) : '0;
      ends_q       <= {ends_q[0], ends};
      if (pop_valid) queue_q <= pop_queue;
    end
    hash_q <= hdr_hash_i;
  end

  always_comb begin
    // A run begins with a reset.
    m_reset_first: assume (started_q || rst_i);
    // What was negotiated stays.
    m_hash: assume (!started_q || hdr_hash_i == hash_q);
    // The virtqueue engine refuses descriptors of length zero and from 128 KiB on, and chains longer
    // than the ring.
    m_len: assume (desc_i[95:64] != '0 && desc_i[95:81] == '0);
    m_chain: assume (ndesc_q < 8'd20 || !desc_i[112]);
  end

  always_ff @(posedge clk_i) begin
    if (started_q && !rst_i) begin
      // A chain is planned exactly when its last descriptor comes, or when it is given up.
      a_plan: assert (plan_valid == (ends || plan_forget));
      // Every descriptor of it is counted, and goes back with it; all are of its queue.
      a_counted: assert (!ends || 8'(plan_ndesc) == ndesc);
      a_queue: assert (!plan_valid || plan_queue == queue_q);
      a_same: assert (!pop_valid || (ndesc == '0 || ends) || pop_queue == queue_q);
      // Each of the first MaxFragments is told of as a fragment, and no other.
      a_frags: assert (frag_valid == (desc_valid_q && ndesc <= 8'(MaxFragments)));
      a_fragments: assert (!plan_valid || 8'(plan_fragments) == frags);
      // It is sent if it has a header and an Ethernet header, no more than a super-frame and no more
      // than MaxFragments descriptors; else it is dropped.
      a_drop: assert (!ends || plan_drop == (total < header + 20'd14 || total > header + 20'd65557 ||
                                             ndesc > 8'(MaxFragments)));
      a_bytes: assert (!plan_valid || plan_drop || {3'd0, plan_last_byte} == total - 20'd1);
      // Only a chain that was begun, of the queue that is being reset, is given up, as a whole.
      a_forget: assert (!plan_forget || (plan_drop && ndesc_q != '0 && !desc_valid_q && qrst_valid_i &&
                                         qrst_queue_i == queue_q));
      // While a queue is being reset none of its descriptors is taken, and no chain is begun.
      a_reset: assert (!pop_valid || !qrst_valid_i ||
                       (ndesc != '0 && !ends && pop_queue != qrst_queue_i));
      // No descriptor is asked for that is not there, or without room, or under stop.
      a_pop: assert (!pop_valid || (avail_i[pop_queue] && !hide_i && room_i && !stop_i));
      // Chains have numbers one after the other.
      a_tag: assert (plan_tag == tag_q + 4'd1);

      // What the cell holds.
      a_started_q: assert (started == (ndesc_q != '0));
      a_queue_q: assert ((ndesc_q == '0 && !desc_valid_q) || \u_dut.queue_q  == queue_q);
      a_counts_q: assert (\u_dut.ndesc_q  == {8'd0, ndesc_q} && ndesc_q <= 8'd21 && frags_q <= ndesc_q &&
                          8'(\u_dut.fragments_q ) == frags_q && \u_dut.tag_q  == tag_q);
      a_frags_q: assert (frags_q == ((ndesc_q > 8'(MaxFragments)) ? 8'(MaxFragments) : ndesc_q));
      a_over_q: assert (\u_dut.over_q  == (ndesc_q > 8'(MaxFragments)));
      a_total_q: assert (\u_dut.long_q  ? total_q > header + 20'd65557
                                        : (20'(\u_dut.total_q ) == total_q &&
                                           total_q <= header + 20'd65557));
      // Descriptors in every one of six cycles, over the ends of chains; one given up; one too long.
      c_throughput: cover (streak_q == 4'd6 && ends_q != 2'b00);
      c_forget: cover (plan_forget && ndesc_q == 8'd2);
      c_over: cover (ends && plan_drop && ndesc == 8'(MaxFragments) + 8'd1 && total < 20'd1000);
    end
  end

  logic unused_outputs;
  assign unused_outputs = blocked;

endmodule
