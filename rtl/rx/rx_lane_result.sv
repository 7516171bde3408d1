// SPDX-License-Identifier: Apache-2.0
//
// rx_lane_result: judges what rx_lane has read of a frame and puts the answer together.
//
//   left_i     the lane was left by a frame in the last cycle; given only while there is no result and
//              none is made. What is told of the frame is looked at in this cycle, when the next frame's
//              ethertype may be read, and from pseudo_i to flags_i and addr_hash_i again in the next one.
//   result     valid from the third cycle on, until result_ready_i
//   making_o   a result is on its way
//
//     cycle    0         1          2         3
//     walk     leave     L2         ...
//     result             lengths    sums      valid

module rx_lane_result #(
  parameter int unsigned SlotWidth = 2
) (
  input  logic                 clk_i,
  input  logic                 forget_i,

  input  logic [8:0]           hash_types_i,

  input  logic                 left_i,
  input  logic [SlotWidth-1:0] slot_i,         // this one, tags_i, vid_i and dst_i: both times
  input  logic [1:0]           tags_i,
  input  logic [11:0]          vid_i,
  input  logic [47:0]          dst_i,
  input  logic                 tagged_i,       // long enough for a tag
  input  logic                 ip4_i,
  input  logic                 ip6_i,
  input  logic [3:0]           ihl_i,
  input  logic                 ext_i,          // IPv6 extension headers
  input  logic                 blind_i,        // the pseudo-header is not known
  input  logic [7:0]           next_i,         // L4 protocol
  input  logic                 ports_i,        // TCP or UDP, not a fragment, within reach
  input  logic                 fits_i,         // the packet ends in the frame
  input  logic                 exact_i,        // and nothing follows it
  input  logic                 short_i,        // what follows was looked at
  input  logic [16:0]          l4_len_i,       // bytes of the packet from the L4 header on
  input  logic [16:0]          payload_len_i,  // the same without a TCP header
  input  logic [22:0]          sum_i,          // 0 (ones' complement) if the L4 checksum is right
  input  logic [22:0]          ip_sum_i,       // 0 if the IPv4 header's is
  input  logic [16:0]          pseudo_i,
  input  logic [4:0]           l4_i,           // place of the L4 header, less 2, in words
  input  logic [31:0]          ports_word_i,
  input  logic [31:0]          seq_i,          // TCP: sequence number; UDP: length and checksum
  input  logic [3:0]           offset_i,
  input  logic [7:0]           flags_i,
  input  logic [31:0]          hash_i,         // over addresses and ports
  input  logic [31:0]          addr_hash_i,    // over addresses

  output logic                 making_o,
  output logic                 result_valid_o,
  input  logic                 result_ready_i,
  output nic_pkg::rx_info_t    result_o,
  output logic [SlotWidth-1:0] result_slot_o
);

  localparam logic [7:0] Tcp = 8'd6;

  // Flags with which a segment may be coalesced: ACK, which it must have, PSH, FIN and ECE.
  localparam logic [7:0] MergeFlags = 8'h59;
  localparam logic [7:0] Ack        = 8'h10;

  logic sums_q;  // cycle 2
  logic valid_q;

  ////////////////////
  // Lengths        //
  ////////////////////

  logic        sane;        // a sound IP header, and the whole packet
  logic        tcp;
  logic        udp;
  logic        whole;       // every byte that the L4 checksum covers was seen
  logic [7:0]  payload;
  logic        reach;
  logic [3:0]  report;
  logic        with_ports;

  always_comb begin
    sane    = 1'b0;
    tcp     = 1'b0;
    udp     = 1'b0;
    whole   = 1'b0;
    payload = 'x;
    reach   = 'x;
    if (left_i) begin
      sane    = fits_i && ((ip4_i && ihl_i >= 4'd5) || ip6_i) && !l4_len_i[16];
      tcp     = sane && ports_i && next_i == Tcp && offset_i >= 4'd5 && !payload_len_i[16];
      udp     = sane && ports_i && next_i != Tcp && seq_i[31:16] >= 16'd8 &&
                seq_i[31:16] <= l4_len_i[15:0];
      whole   = (exact_i || short_i) && !blind_i &&
                (tcp || (udp && seq_i[31:16] == l4_len_i[15:0] && seq_i[15:0] != '0));
      payload = {1'b0, l4_i, 2'b10} + {2'b00, offset_i, 2'b00};
      reach   = !payload[7];
    end
  end

  rx_hash_type u_hash_type (
    .hash_types_i(hash_types_i),
    .ip4_i       (sane && ip4_i),
    .ip6_i       (sane && ip6_i),
    .ext_i       (ext_i),
    .tcp_i       (tcp),
    .udp_i       (udp),
    .report_o    (report),
    .ports_o     (with_ports)
  );

  logic                 tagged_q;
  logic                 ip4_q;
  logic                 ip6_q;
  logic                 ports_q;
  logic                 tcp_q;
  logic                 whole_q;
  logic                 plain_q;    // may be coalesced if the checksums are right
  logic [3:0]           report_q;
  logic                 hashed_q;
  logic                 with_ports_q;
  logic [31:0]          hash_q;
  logic [6:0]           payload_q;
  logic [22:0]          sum_q;

  always_ff @(posedge clk_i) begin
    if (left_i) begin
      tagged_q     <= tags_i != '0 && tagged_i;
      ip4_q        <= sane && ip4_i;
      ip6_q        <= sane && ip6_i;
      ports_q      <= tcp || udp;
      tcp_q        <= tcp && reach;
      whole_q      <= whole;
      plain_q      <= tcp && whole && reach && !ext_i && (ip6_i || ihl_i == 4'd5) &&
                      payload_len_i != '0 && (flags_i & ~MergeFlags) == '0 && (flags_i & Ack) != '0;
      report_q     <= report;
      hashed_q     <= report != '0;
      with_ports_q <= with_ports;
      hash_q       <= hash_i;
      payload_q    <= payload[6:0];
      sum_q        <= sum_i;
    end
  end

  ////////////////////
  // Sums           //
  ////////////////////

  logic [15:0] mix;        // the same for both directions
  logic [16:0] ip_folded;
  logic [16:0] l4_folded;
  logic        ip_right;
  logic        l4_right;

  always_comb begin
    mix       = 'x;
    ip_folded = 'x;
    l4_folded = 'x;
    ip_right  = 'x;
    l4_right  = 'x;
    if (sums_q) begin
      mix       = pseudo_i[15:0] ^ ports_word_i[31:16] ^ ports_word_i[15:0];
      ip_folded = 17'(ip_sum_i[15:0]) + 17'(ip_sum_i[22:16]);
      l4_folded = 17'(sum_q[15:0]) + 17'(sum_q[22:16]);
      ip_right  = ip6_q || ip_folded == 17'h0ffff;
      l4_right  = ip_right && l4_folded == 17'h0ffff;
    end
  end

  always_ff @(posedge clk_i) begin
    if (forget_i) begin
      sums_q  <= 1'b0;
      valid_q <= 1'b0;
    end else begin
      sums_q  <= left_i;
      valid_q <= sums_q || (valid_q && !result_ready_i);
    end
  end

  always_ff @(posedge clk_i) begin
    if (sums_q) begin
      result_slot_o        <= slot_i;
      result_o.dst         <= dst_i;
      result_o.has_vlan    <= tagged_q;
      result_o.vid         <= vid_i;
      result_o.hash        <= !hashed_q ? '0 : with_ports_q ? hash_q : addr_hash_i;
      result_o.hash_report <= report_q;
      result_o.flow        <= ports_q ? hash_q : '0;
      result_o.symmetric   <= ports_q ? {1'b1, mix[14:1], mix[0] ^ mix[15]} : '0;
      result_o.csum_ok     <= whole_q && l4_right;
      result_o.csum_bad    <= (ip4_q && !ip_right) || (whole_q && !l4_right);
      result_o.tcp         <= tcp_q;
      result_o.lro         <= plain_q && l4_right;
      result_o.ip6         <= ip6_q;
      result_o.l3          <= tags_i[1] ? 7'd22 : tags_i[0] ? 7'd18 : 7'd14;
      result_o.l4          <= {l4_i, 2'b10};
      result_o.payload     <= payload_q;
      result_o.payload_len <= payload_len_i[15:0];
      result_o.seq         <= seq_i;
      result_o.tcp_flags   <= flags_i;
      result_o.pseudo      <= pseudo_i[15:0] + 16'(pseudo_i[16]);
    end
  end

  assign making_o       = left_i || sums_q;
  assign result_valid_o = valid_q;

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!forget_i) begin
      // An answer is not made while another one waits.
      a_place: assert (!making_o || !valid_q);
      // The verdict is one, or none.
      a_verdict: assert (!valid_q || !(result_o.csum_ok && result_o.csum_bad));
      // An answer is taken only where there is one.
      a_ready: assert (!result_ready_i || valid_q);
    end
  end
`endif

endmodule
