// SPDX-License-Identifier: Apache-2.0
//
// rx_lro: coalesces received TCP segments of a flow into one frame (large receive offload), by the
// rules of Linux's GRO. docs/receive-coalescing.md is its page.
//
//   head      the frame at the head of the receive path, in four parts that belong together: rec_*
//             (its place in the store), info_* and hdr_* (what the parser found, and its header),
//             cls_* (whether it is wanted, and its queue). They are taken in one cycle, with
//             rec_ready_o, info_ready_o and cls_ready_o high together. hdr_data_i is the 8-byte
//             word hdr_addr_o of the head's header, a cycle later, its first byte in 7:0.
//   frame     a frame, or several in one, for frame_queue_o; moves when valid and ready are both
//             high, stable until then. The frames of a flow leave in the order in which they came.
//   free      the slot of a frame that is not wanted; moves when valid and ready are both high. It
//             may go away before it has moved.
//   link      for rx_join: the slot that follows link_slot_i in a coalesced frame, a cycle after
//             link_re_i; link_next_o stays until the next one.
//
//   lro4_i, lro6_i   coalesce TCP over IPv4, over IPv6
//   hurry_i      there is a backlog: the head is not compared with anything, its flow is flushed
//                and it goes as it came
//   flush_i      every flow is flushed and none is started
//   pressure_i   the store runs short: flushes the oldest flow if it holds the store's oldest slot,
//                oldest_i
//   now_i        time in clock cycles
//   deadline_o   when the oldest flow's time is over; all ones if there is none. wake_o: it is over.
//   merged_o     pulses for each frame that was appended to another
//   empty_o      no frame is held here
//   idle_o       with quiet inputs a clock edge changes no state, as long as wake_o is low
//
// A frame passes in two cycles if nothing is to be compared or copied; else one cycle comes on top for
// each 8 bytes of its headers, and for a flow flushed on its behalf two if it has one frame, twelve
// if it has several. A flow of one frame whose time is over is on frame_* three cycles later if nothing
// else is in hand.
//
// Parameters:
//   Queues      receive queues
//   Flows       flows at once, a power of two
//   Frames      slots of the store
//   LroCycles   how long a frame is held at most
//   TagWidth    bits of a tag

module rx_lro #(
  parameter int unsigned Queues = 1,
  parameter int unsigned Flows = 16,
  parameter int unsigned Frames = 512,
  parameter int unsigned LroCycles = 5000,
  parameter int unsigned TagWidth = 32,
  localparam int unsigned QueueWidth = (Queues > 1) ? $clog2(Queues) : 1,
  localparam int unsigned SlotWidth = nic_pkg::SlotWidth
) (
  input  logic                  clk_i,
  input  logic                  rst_i,
  input  logic [63:0]           now_i,
  input  logic                  lro4_i,
  input  logic                  lro6_i,
  input  logic                  hurry_i,
  input  logic                  flush_i,
  input  logic                  pressure_i,
  input  logic [SlotWidth-1:0]  oldest_i,
  output logic [63:0]           deadline_o,
  output logic                  wake_o,
  output logic                  empty_o,
  output logic                  idle_o,
  output logic                  merged_o,

  input  logic                  rec_valid_i,
  output logic                  rec_ready_o,
  input  logic [SlotWidth-1:0]  rec_slot_i,
  input  logic [15:0]           rec_len_i,
  input  logic [TagWidth-1:0]   rec_tag_i,

  input  logic                  info_valid_i,
  output logic                  info_ready_o,
  input  nic_pkg::rx_info_t     info_i,
  output logic [3:0]            hdr_addr_o,
  input  logic [63:0]           hdr_data_i,

  input  logic                  cls_valid_i,
  output logic                  cls_ready_o,
  input  logic                  cls_drop_i,
  input  logic [QueueWidth-1:0] cls_queue_i,

  output logic                  frame_valid_o,
  input  logic                  frame_ready_i,
  output nic_pkg::rx_frame_t    frame_o,
  output logic [QueueWidth-1:0] frame_queue_o,
  output logic [TagWidth-1:0]   frame_tag_o,

  output logic                  free_valid_o,
  input  logic                  free_ready_i,
  output logic [SlotWidth-1:0]  free_slot_o,

  input  logic                  link_re_i,
  input  logic [SlotWidth-1:0]  link_slot_i,
  output logic [SlotWidth-1:0]  link_next_o
);

  localparam int unsigned FlowWidth = $clog2(Flows);

  if (Flows < 2 || (1 << FlowWidth) != Flows) $error("rx_lro: Flows must be a power of two");
  if (Frames > (1 << SlotWidth)) $error("rx_lro: Frames is more than a slot number can tell");

  localparam logic [2:0] Idle    = 3'd0;
  localparam logic [2:0] Decide  = 3'd1;
  localparam logic [2:0] Compare = 3'd2;  // with the flow's header, word by word
  localparam logic [2:0] Start   = 3'd3;  // a flow: its header is copied, word by word
  localparam logic [2:0] Flush   = 3'd4;

  logic [2:0]           state_q;
  logic                 back_q;   // after Flush the head is decided on again
  logic                 looked_q; // a flow with the head's key was looked for
  logic [FlowWidth-1:0] flow_q;
  logic [3:0]           word_q;   // of the header, whose bytes are there
  logic                 read_q;   // the flow that is to be flushed was read
  logic                 psh_q;    // the last frame appended had PSH, FIN
  logic                 fin_q;

  logic                 deciding, comparing, starting, flushing;

  assign deciding  = state_q == Decide;
  assign comparing = state_q == Compare;
  assign starting  = state_q == Start;
  assign flushing  = state_q == Flush;

  ////////////////////
  // Head           //
  ////////////////////

  logic go;         // all parts of the head are there
  logic ends;       // PSH or FIN: nothing may be appended to it
  logic single;     // no flow begins with it
  logic candidate;

  assign go   = deciding && rec_valid_i && cls_valid_i;
  assign ends = info_i.tcp_flags[3] || info_i.tcp_flags[0];

  // rx_join moves halfwords: a flow of segments with an odd length is left alone.
  assign single = ends || info_i.payload_len[0];

  // A frame with bytes behind the IP packet is none: GRO would take them for payload.
  assign candidate = info_i.lro && (info_i.ip6 ? lro6_i : lro4_i) && !hurry_i && !flush_i &&
                     rec_len_i == 16'(info_i.payload) + info_i.payload_len;

  logic drop, pass, start, append, compared, started, finished, out_free, flushed, take;

  assign drop    = go && cls_drop_i;
  assign pass    = go && !cls_drop_i && !hit && (!candidate || single) && out_free;
  assign start   = go && !cls_drop_i && !hit && candidate && !single;
  assign append  = comparing && compared;
  assign started = starting && last_word;
  assign flushed = flushing && read_q && out_free && (!several || finished);
  assign take    = (drop && free_ready_i) || pass || append || started;

  assign rec_ready_o  = take;
  assign info_ready_o = take;
  assign cls_ready_o  = take;
  assign free_valid_o = drop;
  assign free_slot_o  = rec_slot_i;
  assign merged_o     = append;

  ////////////////////
  // Flows          //
  ////////////////////

  logic                 look;
  logic                 found;
  logic                 hit;      // hit_flow may be the head's flow
  logic [FlowWidth-1:0] hit_flow;
  logic [FlowWidth-1:0] flow;     // that is read
  logic                 any, full;
  logic [FlowWidth-1:0] oldest, unused_flow;
  logic [SlotWidth-1:0] oldest_slot;
  logic                 press;   // the oldest flow has to go, whatever the time
  logic                 expire;

  rx_lro_table #(
    .Flows (Flows),
    .Cycles(LroCycles)
  ) u_table (
    .clk_i        (clk_i),
    .rst_i        (rst_i),
    .now_i        (now_i),
    .look_i       (look),
    .key_i        (info_i.symmetric[11:0] ^ info_i.flow[11:0]),
    .hit_o        (found),
    .hit_flow_o   (hit_flow),
    .ask_i        ((deciding && info_i.lro) || starting),
    .any_o        (any),
    .full_o       (full),
    .free_flow_o  (unused_flow),
    .oldest_flow_o(oldest),
    .oldest_slot_o(oldest_slot),
    .deadline_o   (deadline_o),
    .wake_o       (wake_o),
    .add_i        (started),
    .add_slot_i   (rec_slot_i),
    .remove_i     (flushed),
    .remove_flow_i(flow_q)
  );

  assign hit    = looked_q && found;
  assign flow   = deciding ? hit_flow : flow_q;
  assign look   = state_q == Idle && info_valid_i && any && !expire;
  assign press  = any && (flush_i || (pressure_i && oldest_slot == oldest_i));
  assign expire = wake_o || press;

  ////////////////////
  // Headers        //
  ////////////////////

  logic [3:0]  next_word;
  logic        last_word;
  logic        same;
  logic [63:0] flow_header;
  logic        step;      // word by word
  logic [15:0] id;
  logic        df;
  logic        evil;      // the reserved bit, which GRO takes for a fragment's
  logic [15:0] check;
  logic [15:0] flags;

  assign step       = comparing || starting;
  assign next_word  = step ? word_q + 1'b1 : 4'd0;
  assign last_word  = word_q == 4'((info_i.payload - 1'b1) >> 3);
  assign hdr_addr_o = next_word;

  ram_1r1w #(
    .Width(64),
    .Depth(16 * Flows)
  ) u_headers (
    .clk_i  (clk_i),
    .we_i   (starting),
    .waddr_i({flow_q, word_q}),
    .wdata_i(hdr_data_i),
    .re_i   (comparing || (deciding && hit)),
    .raddr_i({flow, next_word}),
    .rdata_o(flow_header)
  );

  rx_lro_match u_match (
    .clk_i    (clk_i),
    .step_i   (step),
    .word_i   (word_q),
    .l3_i     (info_i.l3),
    .ip6_i    (info_i.ip6),
    .payload_i(info_i.payload),
    .head_i   (hdr_data_i),
    .flow_i   (flow_header),
    .same_o   (same),
    .id_o     (id),
    .df_o     (df),
    .evil_o   (evil),
    .check_o  (check),
    .flags_o  (flags)
  );

  ////////////////////
  // Flow state     //
  ////////////////////

  // What the first frame of a flow says.
  localparam int unsigned FirstWidth = 16 + SlotWidth + QueueWidth + 36 + 48 + 2 + 7 + 1 + TagWidth;
  // What every frame changes.
  localparam int unsigned RunWidth = 32 + 16 + 1 + SlotWidth + 16 + 2;

  logic read_flow;

  // How the IPv4 identification goes on: by one; not at all; one of the two, the second frame tells.
  localparam logic [1:0] IdCounts = 2'd0;
  localparam logic [1:0] IdStays  = 2'd1;
  localparam logic [1:0] IdOpen   = 2'd2;

  logic [15:0]           gso_size, pseudo, first_check, first_flags;
  logic [SlotWidth-1:0]  first_slot;
  logic [QueueWidth-1:0] first_queue;
  logic [31:0]           first_hash;
  logic [3:0]            first_hash_report;
  logic [1:0]            tags;
  logic [6:0]            hdr_len;
  logic                  ip6;
  logic [TagWidth-1:0]   first_tag;

  logic [31:0]           next_seq;
  logic [15:0]           len;
  logic                  several;
  logic [SlotWidth-1:0]  last_slot;
  logic [15:0]           last_id;
  logic [1:0]            id_rule;

  // They are read for a flow that may be the head's, and for one that is to be flushed.
  assign read_flow = (deciding && hit) || (flushing && !read_q);

  ram_1r1w #(
    .Width(FirstWidth),
    .Depth(Flows)
  ) u_first (
    .clk_i  (clk_i),
    .we_i   (started),
    .waddr_i(flow_q),
    .wdata_i({info_i.payload_len, info_i.pseudo, check, flags, rec_slot_i, cls_queue_i, info_i.hash,
              info_i.hash_report, info_i.l3[4] && info_i.l3[2], info_i.l3[4] && !info_i.l3[2],
              info_i.payload, info_i.ip6, rec_tag_i}),
    .re_i   (read_flow),
    .raddr_i(flow),
    .rdata_o({gso_size, pseudo, first_check, first_flags, first_slot, first_queue, first_hash,
              first_hash_report, tags, hdr_len, ip6, first_tag})
  );

  ram_1r1w #(
    .Width(RunWidth),
    .Depth(Flows)
  ) u_run (
    .clk_i  (clk_i),
    .we_i   (started || append),
    .waddr_i(flow_q),
    .wdata_i({info_i.seq + 32'(info_i.payload_len), sum_len[15:0], append, rec_slot_i, id,
              next_rule}),
    .re_i   (read_flow),
    .raddr_i(flow),
    .rdata_o({next_seq, len, several, last_slot, last_id, id_rule})
  );

  logic [16:0] sum_len;
  logic        fits;
  logic [15:0] id_step;
  logic        id_fits;

  assign sum_len = {1'b0, starting ? 16'(info_i.payload) : len} + {1'b0, info_i.payload_len};
  assign fits    = info_i.seq == next_seq && info_i.payload_len <= gso_size && !sum_len[16];
  assign id_step = id - last_id;
  assign id_fits = ip6 || (!evil && ((id_step == 16'd0 && id_rule != IdCounts) ||
                                     (id_step == 16'd1 && id_rule != IdStays)));

  assign compared = last_word && same && fits && id_fits && !hurry_i;

  logic [1:0] next_rule;

  always_comb begin
    next_rule = id_rule;
    if (starting) begin
      next_rule = df ? IdOpen : IdCounts;
    end else if (id_rule == IdOpen) begin
      next_rule = id_step[0] ? IdCounts : IdStays;
    end
  end

  ram_1r1w #(
    .Width(SlotWidth),
    .Depth(Frames)
  ) u_link (
    .clk_i  (clk_i),
    .we_i   (append),
    .waddr_i(last_slot[$clog2(Frames)-1:0]),
    .wdata_i(rec_slot_i),
    .re_i   (link_re_i),
    .raddr_i(link_slot_i[$clog2(Frames)-1:0]),
    .rdata_o(link_next_o)
  );

  ////////////////////
  // Control        //
  ////////////////////

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      state_q <= Idle;
      read_q  <= 1'b0;
    end else begin
      case (state_q)
        Idle: begin
          if (expire) begin
            back_q  <= 1'b0;
            psh_q   <= 1'b0;
            fin_q   <= 1'b0;
            flow_q  <= oldest;
            state_q <= Flush;
          end else if (info_valid_i) begin
            looked_q <= any;
            state_q  <= Decide;
          end
        end
        Decide: begin
          back_q <= 1'b1;
          psh_q  <= 1'b0;
          fin_q  <= 1'b0;
          word_q <= '0;
          if (take) begin
            state_q <= Idle;
          end else if (go && !drop && hit) begin
            looked_q <= 1'b0;
            flow_q   <= hit_flow;
            state_q  <= candidate ? Compare : Flush;
          end else if (start) begin
            flow_q  <= full ? oldest : unused_flow;
            state_q <= full ? Flush : Start;
          end
        end
        Compare: begin
          word_q <= next_word;
          psh_q  <= append && info_i.tcp_flags[3];
          fin_q  <= append && info_i.tcp_flags[0];
          if (append) begin
            back_q  <= 1'b0;
            state_q <= (ends || info_i.payload_len != gso_size) ? Flush : Idle;
          end else if (!same || !fits || hurry_i || last_word) begin
            state_q <= Flush;
          end
        end
        Start: begin
          word_q <= next_word;
          if (last_word) begin
            state_q <= Idle;
          end
        end
        default: begin  // Flush
          read_q <= !flushed;
          if (flushed) begin
            state_q <= back_q ? Decide : Idle;
          end
        end
      endcase
    end
  end

  ////////////////////
  // Output         //
  ////////////////////

  logic                  valid_q;
  logic [15:0]           len_q;
  logic [SlotWidth-1:0]  slot_q;
  logic [31:0]           hash_q;
  logic [3:0]            hash_report_q;
  logic                  csum_ok_q;
  logic                  gso_q;
  logic                  ip6_q;
  logic [15:0]           gso_size_q;
  logic [6:0]            hdr_len_q;
  logic [QueueWidth-1:0] queue_q;
  logic [TagWidth-1:0]   tag_q;
  nic_pkg::patch_t       patch0, patch1, patch2, patch3;
  logic [6:0]            csum_start;

  // The fields are made when the frame before has gone, and stay until the next one is flushed.
  rx_lro_finish u_finish (
    .clk_i       (clk_i),
    .rst_i       (rst_i),
    .run_i       (flushing && read_q && several && out_free),
    .done_o      (finished),
    .len_i       (len),
    .ip6_i       (ip6),
    .tags_i      (tags),
    .hdr_len_i   (hdr_len),
    .gso_size_i  (gso_size),
    .pseudo_i    (pseudo),
    .check_i     (first_check),
    .flags_i     (first_flags),
    .psh_i       (psh_q),
    .fin_i       (fin_q),
    .patch0_o    (patch0),
    .patch1_o    (patch1),
    .patch2_o    (patch2),
    .patch3_o    (patch3),
    .csum_start_o(csum_start)
  );

  assign out_free = !valid_q || frame_ready_i;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      valid_q <= 1'b0;
    end else if (pass || flushed) begin
      valid_q       <= 1'b1;
      len_q         <= pass ? rec_len_i : len;
      slot_q        <= pass ? rec_slot_i : first_slot;
      hash_q        <= pass ? info_i.hash : first_hash;
      hash_report_q <= pass ? info_i.hash_report : first_hash_report;
      csum_ok_q     <= !pass || info_i.csum_ok;
      gso_q         <= !pass && several;
      ip6_q         <= ip6;
      gso_size_q    <= gso_size;
      hdr_len_q     <= hdr_len;
      queue_q       <= pass ? cls_queue_i : first_queue;
      tag_q         <= pass ? rec_tag_i : first_tag;
    end else if (frame_ready_i) begin
      valid_q <= 1'b0;
    end
  end

  assign frame_valid_o = valid_q;
  always_comb begin
    frame_o.len         = len_q;
    frame_o.slot        = slot_q;
    frame_o.hash        = hash_q;
    frame_o.hash_report = hash_report_q;
    frame_o.csum_ok     = csum_ok_q;
    frame_o.gso         = gso_q;
    frame_o.ip6         = ip6_q;
    frame_o.gso_size    = gso_size_q;
    frame_o.csum_start  = csum_start;
    frame_o.hdr_len     = hdr_len_q;
    frame_o.patch0      = patch0;
    frame_o.patch1      = patch1;
    frame_o.patch2      = patch2;
    frame_o.patch3      = patch3;
  end

  assign frame_queue_o = queue_q;
  assign frame_tag_o   = tag_q;
  assign empty_o       = !any && state_q == Idle && !valid_q;
  assign idle_o        = state_q == Idle && !valid_q && !info_valid_i && !press;

  logic unused_bits;
  assign unused_bits = ^{info_i.dst, info_i.has_vlan, info_i.vid, info_i.flow[31:12], info_i.tcp,
                         info_i.symmetric[15:12], info_i.csum_bad, info_i.l4, link_slot_i, last_slot};

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // The parts of the head come and stay together.
      a_head: assert (state_q == Idle || flushing || info_valid_i);
      // Only what the parser calls coalescible is compared or copied, and its header is whole.
      a_lro: assert (!step || (info_i.tcp && info_i.lro && info_i.payload >= 7'd54));
      // A coalesced frame is longer than its first.
      a_grown: assert (!flushed || !several || len > 16'(hdr_len) + gso_size);
      // What is offered stays until it is taken.
      a_take: assert (!take || (rec_valid_i && cls_valid_i && info_valid_i));
    end
  end
`endif

endmodule
