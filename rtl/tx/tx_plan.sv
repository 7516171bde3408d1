// SPDX-License-Identifier: Apache-2.0
//
// tx_plan: takes the driver's chains from the transmit queues and decides what becomes of them.
//
//   descriptors  popped from the virtqueue engine, one every cycle within a chain and between the
//                chains of one queue; queues take turns, a chain at a time. A descriptor is taken
//                only while room_i is high.
//   plan out     pulses without back-pressure: frag_valid_o for each descriptor (its address and
//                length are desc_i's), plan_valid_o at the end of the chain. plan_len_o is the
//                frame's length, the header not counted. plan_drop_o: the chain is too short for a
//                header and an Ethernet header, longer than a frame can be, or has more than
//                MaxFragments descriptors; only its first MaxFragments are in plan_fragments_o.
//   stop_i       takes no more descriptors; a chain half taken is left as it is.
//   blocked_o    nothing can move until an input changes.
//
// Parameters:
//   Queues         transmit queues
//   MaxFrame       longest frame, without FCS, in bytes
//   MaxFragments   most descriptors of a chain that is sent
//   TagWidth       bits of a tag; chains are numbered from 1

module tx_plan #(
  parameter int unsigned Queues = 1,
  parameter int unsigned MaxFrame = 9022,
  parameter int unsigned MaxFragments = 64,
  parameter int unsigned CountWidth = 7,
  parameter int unsigned TagWidth = 32,
  localparam int unsigned QueueWidth = (Queues > 1) ? $clog2(Queues) : 1
) (
  input  logic                  clk_i,
  input  logic                  rst_i,
  input  logic                  stop_i,
  output logic                  blocked_o,

  input  logic [Queues-1:0]     avail_i,
  output logic                  pop_valid_o,
  output logic [QueueWidth-1:0] pop_queue_o,
  input  logic                  desc_valid_i,
  input  nic_pkg::desc_t        desc_i,

  input  logic                  room_i,
  output logic                  first_o,          // of the chain's descriptors
  output logic                  frag_valid_o,
  output logic                  plan_valid_o,
  output logic                  plan_drop_o,
  output logic [15:0]           plan_len_o,
  output logic [15:0]           plan_ndesc_o,
  output logic [CountWidth-1:0] plan_fragments_o,
  output logic [QueueWidth-1:0] plan_queue_o,
  output logic [TagWidth-1:0]   plan_tag_o
);

  localparam int unsigned EthHeaderBytes = 14;
  localparam int unsigned MinChain = virtio_pkg::NetHdrBytes + EthHeaderBytes;
  localparam int unsigned MaxChain = virtio_pkg::NetHdrBytes + MaxFrame;
  localparam int unsigned TotalWidth = $clog2(MaxChain + 1) + 1;

  if (TotalWidth > 16) $error("tx_plan: MaxFrame is too large");
  if (MaxFragments >= (1 << CountWidth)) $error("tx_plan: CountWidth is too small");

  ////////////////////
  // Choice of queue//
  ////////////////////

  logic [QueueWidth-1:0] queue_q;       // of the descriptor that was popped last
  logic [QueueWidth-1:0] turn;
  logic                  in_chain_q;    // the last descriptor seen has NEXT
  logic                  chain_end;
  logic                  in_chain;
  logic                  any;

  assign chain_end = (desc_i.flags & virtio_pkg::DescFNext) == '0;
  assign in_chain  = desc_valid_i ? !chain_end : in_chain_q;

  if (Queues == 1) begin : g_one_queue
    assign turn = '0;
    assign any  = avail_i[0];
  end else begin : g_turns
    logic [Queues-1:0] unused_grant;

    arbiter_rr #(
      .N(Queues)
    ) u_turns (
      .clk_i        (clk_i),
      .rst_i        (rst_i),
      .request_i    (avail_i),
      .advance_i    (pop_valid_o && !in_chain),
      .grant_o      (unused_grant),
      .grant_index_o(turn),
      .grant_valid_o(any)
    );
  end

  assign pop_queue_o = in_chain ? queue_q : turn;
  assign pop_valid_o = room_i && !stop_i && (in_chain ? avail_i[queue_q] : any);
  assign blocked_o   = !pop_valid_o && !desc_valid_i;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      queue_q <= '0;
    end else if (pop_valid_o) begin
      queue_q <= pop_queue_o;
    end
  end

  ////////////////////
  // Chain          //
  ////////////////////

  logic                  started_q;
  logic                  long_q;       // longer than a frame can be
  logic                  over_q;       // more descriptors than MaxFragments
  logic [TotalWidth-1:0] total_q;
  logic [15:0]           ndesc_q;
  logic [CountWidth-1:0] fragments_q;
  logic [TagWidth-1:0]   tag_q;        // of the chain before

  logic                  over;
  logic                  too_long;
  logic [TotalWidth-1:0] total;

  // A sum that has passed MaxChain stays marked; until then it fits in TotalWidth bits.
  always_comb begin
    over             = 1'b0;
    too_long         = 1'b0;
    total            = '0;
    frag_valid_o     = 1'b0;
    plan_valid_o     = 1'b0;
    plan_drop_o      = 1'b0;
    plan_len_o       = '0;
    plan_ndesc_o     = '0;
    plan_fragments_o = '0;
    if (desc_valid_i) begin
      total            = total_q + desc_i.len[TotalWidth-1:0];
      too_long         = long_q || desc_i.len > 32'(MaxChain) || total > TotalWidth'(MaxChain);
      over             = over_q || fragments_q == CountWidth'(MaxFragments);
      frag_valid_o     = !over;
      plan_valid_o     = chain_end;
      plan_drop_o      = too_long || over || total < TotalWidth'(MinChain);
      plan_len_o       = 16'(total) - 16'(virtio_pkg::NetHdrBytes);
      plan_ndesc_o     = ndesc_q + 1'b1;
      plan_fragments_o = fragments_q + CountWidth'(!over);
    end
  end

  assign first_o      = !started_q;
  assign plan_queue_o = queue_q;
  assign plan_tag_o   = tag_q + 1'b1;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      in_chain_q  <= 1'b0;
      started_q   <= 1'b0;
      long_q      <= 1'b0;
      over_q      <= 1'b0;
      total_q     <= '0;
      ndesc_q     <= '0;
      fragments_q <= '0;
      tag_q       <= '0;
    end else if (desc_valid_i) begin
      in_chain_q  <= !chain_end;
      started_q   <= !chain_end;
      long_q      <= too_long && !chain_end;
      over_q      <= over && !chain_end;
      total_q     <= chain_end ? '0 : total;
      ndesc_q     <= chain_end ? '0 : plan_ndesc_o;
      fragments_q <= chain_end ? '0 : plan_fragments_o;
      if (chain_end) begin
        tag_q <= plan_tag_o;
      end
    end
  end

  logic unused_desc;
  assign unused_desc = ^{desc_i.addr, desc_i.id};

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // Descriptors of length zero are refused by the virtqueue engine.
      a_len: assert (!desc_valid_i || desc_i.len != '0);
      // A chain that is sent has all its fragments counted.
      a_fragments: assert (!plan_valid_o || plan_drop_o || 16'(plan_fragments_o) == plan_ndesc_o);
    end
  end
`endif

endmodule
