// SPDX-License-Identifier: Apache-2.0
//
// tx_plan: takes the driver's chains from the transmit queues and decides which of them are read.
//
//   descriptors  popped from the virtqueue engine, one every cycle within a chain and between the
//                chains of one queue; queues take turns, a chain at a time. A descriptor is taken
//                only while room_i is high; it comes a cycle after it was popped.
//   plan out     pulses without back-pressure: frag_valid_o for each descriptor (its address and
//                length are desc_i's), plan_valid_o at the end of the chain. plan_last_byte_o is
//                the chain's length, the header counted, less one. plan_drop_o: the chain is too short for a
//                header and an Ethernet header, longer than any super-frame, or has more than
//                MaxFragments descriptors; only its first MaxFragments are in plan_fragments_o.
//   stop_i       takes no more descriptors; a chain half taken is left as it is.
//   qrst_*       while queue qrst_queue_i is being reset no chain is begun. One of another queue is
//                taken to its end; one of that queue is given up: it is planned with plan_drop_o and
//                plan_forget_o, as its buffer must not come back.
//   blocked_o    nothing can move until an input changes.
//
// Parameters:
//   Queues         transmit queues
//   MaxFragments   most descriptors of a chain that is sent
//   CountWidth     bits of a number of fragments
//   TagWidth       bits of a tag; chains are numbered from 1

module tx_plan #(
  parameter int unsigned Queues = 1,
  parameter int unsigned MaxFragments = 64,
  parameter int unsigned CountWidth = 7,
  parameter int unsigned TagWidth = 32,
  localparam int unsigned QueueWidth = (Queues > 1) ? $clog2(Queues) : 1,
  localparam int unsigned LenWidth = nic_pkg::LenWidth
) (
  input  logic                  clk_i,
  input  logic                  rst_i,
  input  logic                  stop_i,
  input  logic                  hdr_hash_i,       // the header has 20 bytes and not 12
  output logic                  blocked_o,

  input  logic                  qrst_valid_i,
  input  logic [QueueWidth-1:0] qrst_queue_i,

  input  logic [Queues-1:0]     avail_i,
  input  logic                  hide_i,           // as if no queue had descriptors
  output logic                  pop_valid_o,
  output logic [QueueWidth-1:0] pop_queue_o,
  input  logic                  desc_valid_i,
  input  nic_pkg::desc_t        desc_i,

  input  logic                  room_i,
  output logic                  started_o,        // a chain is half taken
  output logic                  frag_valid_o,
  output logic                  plan_valid_o,
  output logic                  plan_drop_o,
  output logic                  plan_forget_o,
  output logic [LenWidth-1:0]   plan_last_byte_o,
  output logic [15:0]           plan_ndesc_o,
  output logic [CountWidth-1:0] plan_fragments_o,
  output logic [QueueWidth-1:0] plan_queue_o,
  output logic [TagWidth-1:0]   plan_tag_o
);

  // An IP packet of 65,535 bytes behind an Ethernet header and two VLAN tags.
  localparam int unsigned EthHeaderBytes = 14;
  localparam int unsigned MaxSuperFrame = 65535 + EthHeaderBytes + 8;

  if (MaxFragments >= (1 << CountWidth)) $error("tx_plan: CountWidth is too small");

  logic [LenWidth-1:0] header_bytes;
  logic [LenWidth-1:0] min_chain;
  logic [LenWidth-1:0] max_chain;

  assign header_bytes = hdr_hash_i ? LenWidth'(virtio_pkg::NetHdrHashBytes)
                                   : LenWidth'(virtio_pkg::NetHdrBytes);
  assign min_chain    = header_bytes + LenWidth'(EthHeaderBytes);
  assign max_chain    = header_bytes + LenWidth'(MaxSuperFrame);

  ////////////////////
  // Choice of queue//
  ////////////////////

  logic [QueueWidth-1:0] queue_q;       // of the descriptor that was popped last
  logic [QueueWidth-1:0] turn;
  logic                  started_q;     // a chain is half taken
  logic                  chain_end;
  logic                  in_chain;
  logic                  any;
  logic                  resetting;     // the chain in hand is of the queue that is being reset
  logic                  give_up;

  assign chain_end = (desc_i.flags & virtio_pkg::DescFNext) == '0;
  assign in_chain  = desc_valid_i ? !chain_end : started_q;
  assign resetting = qrst_valid_i && qrst_queue_i == queue_q;
  assign give_up   = resetting && started_q && !desc_valid_i;

  if (Queues == 1) begin : g_one_queue
    assign turn = '0;
    assign any  = avail_i[0];
  end else if (Queues <= 16) begin : g_turns
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
  end else begin : g_many_turns
    arbiter_wide #(
      .N(Queues)
    ) u_turns (
      .clk_i    (clk_i),
      .rst_i    (rst_i),
      .request_i(avail_i),
      .advance_i(pop_valid_o && !in_chain),
      .index_o  (turn),
      .valid_o  (any)
    );
  end

  assign pop_queue_o = in_chain ? queue_q : turn;
  assign pop_valid_o = room_i && !stop_i && !hide_i &&
                       (in_chain ? avail_i[queue_q] && !resetting : any && !qrst_valid_i);
  assign blocked_o   = !pop_valid_o && !desc_valid_i && !give_up;
  assign started_o   = started_q;

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

  logic                  long_q;       // longer than a super-frame can be
  logic                  over_q;       // more descriptors than MaxFragments
  logic [LenWidth-1:0]   total_q;
  logic [15:0]           ndesc_q;
  logic [CountWidth-1:0] fragments_q;
  logic [TagWidth-1:0]   tag_q;        // of the chain before

  logic                  over;
  logic                  too_long;
  logic [LenWidth:0]     total;

  // A sum that has passed max_chain stays marked; until then it fits.
  assign total            = {1'b0, total_q} + {1'b0, desc_i.len[LenWidth-1:0]};
  assign too_long         = long_q || total > {1'b0, max_chain};
  assign over             = over_q || fragments_q == CountWidth'(MaxFragments);
  assign frag_valid_o     = desc_valid_i && !over;
  assign plan_valid_o     = give_up || (desc_valid_i && chain_end);
  assign plan_drop_o      = give_up || too_long || over || total < {1'b0, min_chain};
  assign plan_ndesc_o     = ndesc_q + 1'b1;
  assign plan_fragments_o = fragments_q + CountWidth'(frag_valid_o);
  assign plan_forget_o    = give_up;
  assign plan_last_byte_o = total[LenWidth-1:0] - 1'b1;
  assign plan_queue_o     = queue_q;
  assign plan_tag_o       = tag_q + 1'b1;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      started_q   <= 1'b0;
      long_q      <= 1'b0;
      over_q      <= 1'b0;
      total_q     <= '0;
      ndesc_q     <= '0;
      fragments_q <= '0;
      tag_q       <= '0;
    end else if (desc_valid_i || give_up) begin
      started_q   <= !plan_valid_o;
      long_q      <= too_long && !plan_valid_o;
      over_q      <= over && !plan_valid_o;
      total_q     <= plan_valid_o ? '0 : total[LenWidth-1:0];
      ndesc_q     <= plan_valid_o ? '0 : plan_ndesc_o;
      fragments_q <= plan_valid_o ? '0 : plan_fragments_o;
      if (plan_valid_o) begin
        tag_q <= plan_tag_o;
      end
    end
  end

  logic unused_desc;
  assign unused_desc = ^{desc_i.addr, desc_i.id, desc_i.len[31:LenWidth]};

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // Descriptors of length zero, and those of 128 KiB and more, are refused by the virtqueue
      // engine.
      a_len: assert (!desc_valid_i || (desc_i.len != '0 && desc_i.len[31:LenWidth] == '0));
      // A chain that is sent has all its fragments counted.
      a_fragments: assert (!plan_valid_o || plan_drop_o || 16'(plan_fragments_o) == plan_ndesc_o);
      // What is given up was begun.
      a_give_up: assert (!give_up || started_q);
    end
  end
`endif

endmodule
