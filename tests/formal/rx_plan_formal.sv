// SPDX-License-Identifier: Apache-2.0
//
// Proof harness of rx_plan: whatever descriptors come, every one of them belongs to one buffer that is
// noted, and a frame that is placed has a place for each of its bytes. Few segments, so that the
// limit is met.

module rx_plan_formal #(
  parameter int unsigned MaxSegments = 3
) (
  input logic         clk_i,
  input logic         rst_i,
  input logic         stop_i,
  input logic         mrg_rxbuf_i,
  input logic         hdr_hash_i,
  input logic         several_i,
  input logic         short_i,
  input logic         qrst_valid_i,
  input logic         frame_valid_i,
  input logic [15:0]  frame_len_i,
  input logic         frame_drop_i,
  input logic         avail_i,
  input logic         hide_i,
  input logic [127:0] desc_i,
  input logic         room_i,
  input logic         size_valid_i,
  input logic [15:0]  size_i
);

  localparam int unsigned CountWidth = 4;
  localparam int unsigned LenWidth = nic_pkg::LenWidth;

  logic                  blocked, held, frame_ready, pop_valid, pop_queue;
  logic                  seg_valid, first, buf_valid, plan_valid, plan_drop;
  logic [LenWidth-1:0]   seg_bytes, buf_bytes;
  logic [15:0]           buf_ndesc;
  logic [CountWidth-1:0] plan_segments, plan_buffers;
  logic                  drop_no_fit, drop_no_buffer, drop_reset;

  logic started_q = 1'b0;
  logic desc_valid_q = 1'b0;   // one was asked for in the cycle before

  rx_plan #(
    .Queues     (1),
    .MaxSegments(MaxSegments),
    .CountWidth (CountWidth)
  ) u_dut (
    .clk_i           (clk_i),
    .rst_i           (rst_i),
    .stop_i          (stop_i),
    .mrg_rxbuf_i     (mrg_rxbuf_i),
    .hdr_hash_i      (hdr_hash_i),
    .several_i       (several_i),
    .short_i         (short_i),
    .others_i        (1'b0),
    .blocked_o       (blocked),
    .size_valid_i    (size_valid_i),
    .size_queue_i    (1'b0),
    .size_i          (size_i),
    .qrst_valid_i    (qrst_valid_i),
    .qrst_queue_i    (1'b0),
    .held_o          (held),
    .frame_valid_i   (frame_valid_i),
    .frame_ready_o   (frame_ready),
    .frame_len_i     (frame_len_i),
    .frame_queue_i   (1'b0),
    .frame_drop_i    (frame_drop_i),
    .avail_i         (avail_i), .hide_i(hide_i),
    .pop_valid_o     (pop_valid),
    .pop_queue_o     (pop_queue),
    .desc_valid_i    (desc_valid_q),
    .desc_i          (desc_i),
    .room_i          (room_i),
    .seg_valid_o     (seg_valid),
    .seg_bytes_o     (seg_bytes),
    .first_o         (first),
    .buf_valid_o     (buf_valid),
    .buf_bytes_o     (buf_bytes),
    .buf_ndesc_o     (buf_ndesc),
    .plan_valid_o    (plan_valid),
    .plan_drop_o     (plan_drop),
    .plan_segments_o (plan_segments),
    .plan_buffers_o  (plan_buffers),
    .drop_no_fit_o   (drop_no_fit),
    .drop_no_buffer_o(drop_no_buffer),
    .drop_reset_o    (drop_reset)
  );

  // What the induction has to know of u_dut.
  (* hierconn *) wire                  \u_dut.started_q ;
  (* hierconn *) wire [LenWidth-1:0]   \u_dut.left_q ;
  (* hierconn *) wire [LenWidth-1:0]   \u_dut.buf_bytes_q ;
  (* hierconn *) wire [15:0]           \u_dut.buf_ndesc_q ;
  (* hierconn *) wire [CountWidth-1:0] \u_dut.segments_q ;
  (* hierconn *) wire [CountWidth-1:0] \u_dut.buffers_q ;
  (* hierconn *) wire                  \u_dut.over_q ;

  // Of the frame in hand: descriptors taken, descriptors in buffers that were noted, segments, buffers,
  // bytes with a place, bytes of them in buffers that were noted.
  logic [15:0]         taken_q;
  logic [15:0]         noted_q;
  logic [3:0]          segments_q;
  logic [3:0]          buffers_q;
  logic [LenWidth-1:0] placed_q;
  logic [LenWidth-1:0] held_q;

  logic [15:0]         taken;
  logic [15:0]         noted;
  logic [3:0]          segments;
  logic [3:0]          buffers;
  logic [LenWidth-1:0] placed;
  logic [LenWidth-1:0] in_buffers;
  logic [LenWidth-1:0] total;

  assign taken      = taken_q + 16'(desc_valid_q);
  assign noted      = noted_q + (buf_valid ? buf_ndesc : 16'd0);
  assign segments   = segments_q + 4'(seg_valid);
  assign buffers    = buffers_q + 4'(buf_valid);
  assign placed     = placed_q + (seg_valid ? seg_bytes : '0);
  assign in_buffers = held_q + (buf_valid ? buf_bytes : '0);
  assign total      = LenWidth'(frame_len_i) + (hdr_hash_i ? LenWidth'(20) : LenWidth'(12));

  logic        waits_q;     // the frame was there in the cycle before, and stays
  logic [15:0] len_q;
  logic        hash_q;
  logic        drop_q;
  logic        mrg_q;
  logic [2:0]  streak_q;    // frames placed, one every second cycle
  logic        gap_q;

  always_ff @(posedge clk_i) begin
    started_q <= 1'b1;
    if (rst_i) begin
      desc_valid_q <= 1'b0;
      waits_q      <= 1'b0;
      taken_q      <= '0;
      noted_q      <= '0;
      segments_q   <= '0;
      buffers_q    <= '0;
      placed_q     <= '0;
      held_q       <= '0;
      streak_q     <= '0;
      gap_q        <= 1'b0;
    end else begin
      desc_valid_q <= pop_valid;
      waits_q      <= frame_valid_i && !frame_ready;
      taken_q      <= plan_valid ? '0 : taken;
      noted_q      <= plan_valid ? '0 : noted;
      segments_q   <= plan_valid ? '0 : segments;
      buffers_q    <= plan_valid ? '0 : buffers;
      placed_q     <= plan_valid ? '0 : placed;
      held_q       <= plan_valid ? '0 : in_buffers;
      gap_q        <= !plan_valid;
      streak_q     <= (plan_valid && !plan_drop) ? streak_q + 3'(streak_q != '1) :
                      gap_q ? '0 : streak_q;
    end
    len_q  <= frame_len_i;
    hash_q <= hdr_hash_i;
    drop_q <= frame_drop_i;
    mrg_q  <= mrg_rxbuf_i;
  end

  always_comb begin
    // A run begins with a reset.
    m_reset_first: assume (started_q || rst_i);
    // A frame stays until it is taken, and what was negotiated with it.
    m_frame: assume (!waits_q || (frame_valid_i && frame_len_i == len_q && hdr_hash_i == hash_q &&
                                  frame_drop_i == drop_q && mrg_rxbuf_i == mrg_q));
    // The virtqueue engine refuses descriptors of length zero, and chains longer than the ring.
    m_len: assume (desc_i[95:64] != '0);
    m_chain: assume (\u_dut.buf_ndesc_q  < 16'd8 || !desc_i[112]);
  end

  always_ff @(posedge clk_i) begin
    if (started_q && !rst_i) begin
      // Every descriptor of a frame is in a buffer that was noted, or in the chain that goes on.
      a_taken: assert (taken_q == noted_q + \u_dut.buf_ndesc_q );
      // A frame that is placed or does not fit leaves none of its descriptors out.
      a_accounted: assert (!plan_valid || drop_reset || taken == noted);
      // A plan says how many segments and buffers there were.
      a_counts: assert (!plan_valid || (plan_segments == segments && plan_buffers == buffers));
      // A frame that is placed has a place for each byte of it and its header, and no more.
      a_bytes: assert (!plan_valid || plan_drop || (placed == total && in_buffers == total));
      // A frame never has more segments than there is room for.
      a_most: assert (segments <= 4'(MaxSegments));
      // Without mergeable buffers a frame that is placed has one buffer.
      a_one: assert (!plan_valid || plan_drop || mrg_rxbuf_i || buffers == 4'd1);
      // A frame that is dropped has one reason; one that is placed none.
      a_reason: assert (3'(drop_no_fit) + 3'(drop_no_buffer) + 3'(drop_reset) ==
                        3'(plan_valid && plan_drop));
      // No descriptor is asked for that nobody waits for, nor under stop.
      a_pop: assert (!pop_valid || (frame_valid_i && avail_i && !hide_i && !stop_i && room_i));
      // What the planner keeps of the frame in hand.
      a_segments: assert (\u_dut.segments_q  == segments_q && \u_dut.buffers_q  == buffers_q);
      a_started: assert (\u_dut.started_q  == (taken_q != '0) || taken_q == '0);
      a_idle: assert (\u_dut.started_q  || (taken_q == '0 && noted_q == '0 && segments_q == '0 &&
                      buffers_q == '0 && placed_q == '0 && held_q == '0));
      a_left: assert (!\u_dut.started_q  || \u_dut.over_q  ||
                      {1'b0, \u_dut.left_q } + {1'b0, placed_q} == {1'b0, total});
      a_buffered: assert (\u_dut.over_q  ||
                          {1'b0, held_q} + {1'b0, \u_dut.buf_bytes_q } == {1'b0, placed_q});
      a_single: assert (!frame_valid_i || mrg_rxbuf_i || buffers_q == '0);
      a_some: assert (segments_q != '0 || placed_q == '0);
      a_few: assert (buffers_q <= segments_q + 4'd1 && (\u_dut.over_q  || buffers_q <= segments_q));
      a_dropped: assert (!frame_drop_i || !frame_valid_i || (!\u_dut.started_q  && !desc_valid_q));
      a_waits: assert (!(\u_dut.started_q  || desc_valid_q) || waits_q);
      // A frame over two buffers, one that does not fit, one that is given up.
      c_two: cover (plan_valid && !plan_drop && plan_buffers == 4'd2);
      c_no_fit: cover (drop_no_fit && mrg_rxbuf_i && segments == 4'(MaxSegments));
      c_no_buffer: cover (drop_no_buffer && taken_q != '0);
      c_reset: cover (drop_reset);
      // A frame every second cycle.
      c_throughput: cover (streak_q == 3'd4);
    end
  end

  logic unused_outputs;
  assign unused_outputs = ^{blocked, held, pop_queue, first};

endmodule
