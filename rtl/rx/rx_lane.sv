// SPDX-License-Identifier: Apache-2.0
//
// rx_lane: reads the headers of one frame after the other; rx_parse gives it every n-th frame.
//
//   beats in    beat_valid_i: a beat of a frame's first 128 bytes, row beat_row_i of them. The lane
//               keeps Slots frames; rx_parse gives it no more.
//   ends        last_i with the frame's last beat or after it (beat_valid_i is low then): kept_i says
//               whether the frame stays; if not, the next beats overwrite it. sum_valid_i follows for
//               each frame that stayed, in order: its length and the complement of the ones'
//               complement sum of its bytes from byte 14 on.
//   result      valid until result_ready_i, which answers result_valid_o in the same cycle; results
//               come in the order of the frames. done_slot_o is the place of the result's frame.
//   rates       a minimum-size frame takes 10 cycles at most, 6 + 8 with IPv6 addresses.
//   idle_o      a clock edge with quiet inputs changes no state
//
// Every header behind Ethernet's starts at a byte 4n + 2. So the frame is read in words of four bytes
// that start there, two of them a cycle, first byte on top:
//
//     byte of the frame    12  14      18      22      26      30      34      38
//     untagged IPv4       type |ver len|id frag|ttl sum|source |destin.|ports  |seq ...
//     L2    position 2  [    . |       ]
//     Ip4   position 4                 [       |       ]
//     Addr  position 6, 7                              [ ===== |       ]       ===== is hashed
//     L4    position 8                                                 [ ===== |       ]
//
// Each of these windows is in two neighbouring 8-byte words, of which the first is held. The L4
// checksum is right if everything from byte 14 on, less what is no part of it, and the pseudo-header
// add up to 0 (ones' complement). Addresses are in the header and in the pseudo-header, so only what
// stands between them, and padding behind the packet, is taken off.
//
// Parameters:
//   StreamBytes   bytes in a beat, 8 to 64
//   Slots         frames held, a power of two

module rx_lane #(
  parameter int unsigned StreamBytes = 8,
  parameter int unsigned Slots = 4,
  localparam int unsigned Rows = 128 / StreamBytes,
  localparam int unsigned RowWidth = $clog2(Rows),
  localparam int unsigned SlotWidth = $clog2(Slots)
) (
  input  logic                     clk_i,
  input  logic                     forget_i,

  input  logic [8:0]               hash_types_i,
  input  nic_pkg::rx_table_t       table_i,

  input  logic                     beat_valid_i,
  input  logic [RowWidth-1:0]      beat_row_i,
  input  logic [8*StreamBytes-1:0] beat_data_i,
  input  logic                     last_i,
  input  logic                     kept_i,
  input  logic                     sum_valid_i,
  input  logic [15:0]              sum_len_i,
  input  logic [15:0]              sum_rest_i,

  output logic                     result_valid_o,
  input  logic                     result_ready_i,
  output nic_pkg::rx_info_t        result_o,
  output logic [SlotWidth-1:0]     result_slot_o,

  output logic                     idle_o
);

  localparam logic [7:0] HopByHop       = 8'd0;
  localparam logic [7:0] Tcp            = 8'd6;
  localparam logic [7:0] Udp            = 8'd17;
  localparam logic [7:0] Routing        = 8'd43;
  localparam logic [7:0] Fragment       = 8'd44;
  localparam logic [7:0] Authentication = 8'd51;
  localparam logic [7:0] Destination    = 8'd60;

  // The last position whose window lies in the first 128 bytes.
  localparam logic [4:0] LastPosition = 5'd29;

  localparam logic [3:0] Idle   = 4'd0;
  localparam logic [3:0] L2     = 4'd1;  // ethertype, tags, first word of the IP header
  localparam logic [3:0] Ip4    = 4'd2;
  localparam logic [3:0] Ip6    = 4'd3;
  localparam logic [3:0] Addr   = 4'd4;  // a word of an address each
  localparam logic [3:0] Ext    = 4'd5;  // first 8 bytes of an IPv6 extension header
  localparam logic [3:0] Skip   = 4'd6;  // the rest of it, or IPv4 options
  localparam logic [3:0] L4     = 4'd7;
  localparam logic [3:0] TcpEnd = 4'd8;  // data offset and flags
  localparam logic [3:0] End    = 4'd9;  // waits for length and sum
  localparam logic [3:0] Pad    = 4'd10; // what is behind the IP packet
  localparam logic [3:0] Done   = 4'd11; // waits for the place of the result

  ////////////////////
  // The window     //
  ////////////////////

  logic [3:0]           state_q;
  logic [4:0]           pos_q;     // word that the window begins with: byte 4 * pos_q + 2
  logic [47:0]          held_q;    // bytes 2 to 7 of the 8-byte word in which that byte is
  logic [SlotWidth:0]   get_q;     // frame that is read
  logic [SlotWidth:0]   next_get;
  logic [SlotWidth:0]   read_get;
  logic [3:0]           read_word;
  logic [63:0]          read;      // first byte on top
  (* keep *)
  logic [63:0]          window;
  logic [4:0]           have;      // words of the frame at get_q that are there
  logic [4:0]           next_have; // of the one to begin with
  logic                 running;
  logic                 lost;      // the frame at get_q will not stay
  logic                 next_here;
  logic                 here;      // the window is there, or the frame ends before it
  logic                 summed;    // length and sum are there
  logic [15:0]          frame_len;
  logic [15:0]          rest;
  logic [16:0]          end_q;     // byte behind the IP packet
  logic [6:0]           pad_from;  // the same behind byte 2, of a short frame
  logic [SlotWidth-1:0] slot_q;    // frame that the result is about
  logic [47:0]          dst;
  logic                 frames_idle;

  assign running   = state_q != Idle;
  assign next_get  = get_q + 1'b1;
  assign read_get  = (state_q == Done) ? next_get : get_q;
  assign next_here = next_have > 5'd1;
  assign here      = have > 5'(pos_q[4:1]) + 5'd1;
  assign pad_from  = end_q[6:0] - 7'd2;

  always_comb begin
    read_word = pos_q[4:1] + 4'd1;
    if (state_q == Idle || state_q == Done) begin
      read_word = 4'd1;
    end else if (state_q == End) begin
      read_word = pad_from[6:3];
    end
  end

  rx_lane_frames #(
    .StreamBytes(StreamBytes),
    .Slots      (Slots)
  ) u_frames (
    .clk_i       (clk_i),
    .forget_i    (forget_i),
    .beat_valid_i(beat_valid_i),
    .beat_row_i  (beat_row_i),
    .beat_data_i (beat_data_i),
    .last_i      (last_i),
    .kept_i      (kept_i),
    .sum_valid_i (sum_valid_i),
    .sum_len_i   (sum_len_i),
    .sum_rest_i  (sum_rest_i),
    .get_i       (get_q),
    .have_o      (have),
    .lost_o      (lost),
    .summed_o    (summed),
    .len_o       (frame_len),
    .rest_o      (rest),
    .read_i      (1'b1),
    .read_get_i  (read_get),
    .read_word_i (read_word),
    .read_o      (read),
    .read_have_o (next_have),
    .dst_slot_i  (slot_q),
    .dst_o       (dst),
    .idle_o      (frames_idle)
  );

  assign window = pos_q[0] ? {held_q[15:0], read[63:16]} : {held_q, read[63:48]};

  ////////////////////
  // What it says   //
  ////////////////////

  logic        tag;
  logic        is4;
  logic        is6;
  logic        over;
  logic        ports;
  logic        skip_two;
  logic [5:0]  ext_words;  // behind the first two; 62 and more are out of reach
  logic [3:0]  after;      // what comes behind a header of the address or an extension
  logic [7:0]  after_next; // its number
  logic        after_cut;  // it is not there in whole: a fragment
  logic        pad_first_q;
  logic [7:0]  keep_from;
  logic [7:0]  keep_to;
  logic [7:0]  pad_left;
  logic        pad_last;
  logic [63:0] taken;

  logic [1:0]  tags_q;
  logic [11:0] vid_q;
  logic        ip4_q;
  logic        ip6_q;
  logic [3:0]  ihl_q;
  logic [15:0] ip_len_q;
  logic [7:0]  next_q;     // protocol, next header
  logic        cut_q;      // a fragment
  logic        ext_q;      // an IPv6 extension header was there
  logic        blind_q;    // the packet's last destination is not in the IPv6 header
  logic [5:0]  left_q;     // words of addresses, or to be skipped

  always_comb begin
    tag        = 1'b0;
    is4        = 1'b0;
    is6        = 1'b0;
    after_next = next_q;
    after_cut  = cut_q;
    ext_words  = '0;
    if (state_q == L2) begin
      tag = (window[47:32] == 16'h8100 || window[47:32] == 16'h88a8) && !tags_q[1];
      is4 = window[47:32] == 16'h0800 && window[31:28] == 4'd4;
      is6 = window[47:32] == 16'h86dd && window[31:28] == 4'd6;
    end else if (state_q == Ext) begin
      after_next = window[63:56];
      ext_words  = (next_q == Authentication) ? window[53:48] : {window[52:48], 1'b0};
      if (window[55:53] != '0) begin
        ext_words = 6'd62;
      end
      if (next_q == Fragment) begin
        ext_words = '0;
        after_cut = window[47:35] != '0 || window[32];
      end
    end
  end

  assign over     = pos_q > LastPosition;
  assign skip_two = left_q > 6'd1;
  assign ports    = (next_q == Tcp || next_q == Udp) && !cut_q && !over;

  always_comb begin
    after = L4;
    if (ip6_q && !after_cut &&
        (after_next == HopByHop || after_next == Routing || after_next == Fragment ||
         after_next == Authentication || after_next == Destination)) begin
      after = Ext;
    end
  end

  // Bytes of the window that are behind the packet.
  assign pad_left  = frame_len[7:0] - {1'b0, pos_q, 2'b10};
  assign pad_last  = pad_left <= 8'd8;
  assign keep_from = pad_first_q ? 8'hff >> pad_from[1:0] : 8'hff;
  assign keep_to   = pad_last ? ~(8'hff >> pad_left[3:0]) : 8'hff;

  // What is added up: addresses, and what the L4 checksum does not cover.
  always_comb begin
    taken = '0;
    case (state_q)
      L2:       taken = {32'd0, window[31:0]};
      Ip4, Ext: taken = window;
      Ip6:      taken = {window[63:32], 32'd0};
      Addr:     taken = {window[63:32], 32'd0};
      Skip:     taken = {window[63:32], skip_two ? window[31:0] : 32'd0};
      Pad:      taken = window & {{8{keep_from[7] && keep_to[7]}}, {8{keep_from[6] && keep_to[6]}},
                                  {8{keep_from[5] && keep_to[5]}}, {8{keep_from[4] && keep_to[4]}},
                                  {8{keep_from[3] && keep_to[3]}}, {8{keep_from[2] && keep_to[2]}},
                                  {8{keep_from[1] && keep_to[1]}}, {8{keep_from[0] && keep_to[0]}}};
      default:  taken = '0;
    endcase
  end

  ////////////////////
  // Walk           //
  ////////////////////

  logic        done;      // the frame's result is made in the next cycle
  logic        judge_q;   // that cycle
  logic        valid_q;
  logic        hash_step;
  logic [31:0] hash;

  assign done      = state_q == Done && !judge_q && (!valid_q || result_ready_i);
  assign hash_step = here && (state_q == Addr || state_q == L4);

  toeplitz u_toeplitz (
    .clk_i   (clk_i),
    .forget_i(forget_i),
    .key_i   (table_i),
    .start_i (state_q == L2),
    .step_i  (hash_step),
    .word_i  (window[63:32]),
    .hash_o  (hash)
  );

  logic        one;        // the window moves by one word, not two
  logic        load;
  logic [16:0] add_high;
  logic [16:0] add_low;
  logic [17:0] add;
  logic [6:0]  l3;
  logic [15:0] not_len;
  logic [22:0] sum_q;      // of what was taken; carries are added at the end
  logic [22:0] tag_sum_q;  // of the tags among it
  logic [20:0] addr_sum_q;
  logic [4:0]  l4_q;       // position of the L4 header
  logic        ports_q;
  logic [16:0] l4_len_q;   // negative: the packet ends before it
  logic [31:0] ports_word_q;
  logic [31:0] seq_q;      // of TCP; length and checksum of UDP
  logic [3:0]  offset_q;
  logic [7:0]  flags_q;
  logic [31:0] addr_hash_q;
  logic [22:0] ip_check_q;
  logic [16:0] ends_check_q;
  logic [16:0] pseudo_q;
  logic [16:0] payload_len_q;
  logic        fits_q;
  logic        exact_q;
  logic        short_q;
  logic        tagged_q;

  assign one  = (state_q == L2 && tag) || state_q == Ip6 || state_q == Addr ||
                (state_q == Skip && !skip_two);
  assign load = (state_q == Idle || state_q == Done) ? next_here :
                (state_q == End) ? summed : (here && (pos_q[0] || !one));
  assign add_high = {1'b0, taken[63:48]} + {1'b0, taken[47:32]};
  assign add_low  = {1'b0, taken[31:16]} + {1'b0, taken[15:0]};
  assign add      = {1'b0, add_high} + {1'b0, add_low};
  assign l3       = tags_q[1] ? 7'd22 : tags_q[0] ? 7'd18 : 7'd14;
  assign not_len  = ~l4_len_q[15:0];

  always_ff @(posedge clk_i) begin
    if (load) begin
      held_q <= read[47:0];
    end
  end

  always_ff @(posedge clk_i) begin
    if (forget_i || lost) begin
      state_q <= Idle;
    end else if (state_q == Idle || state_q == Done) begin
      if (state_q == Idle || done) begin
        state_q <= next_here ? L2 : Idle;
        pos_q   <= 5'd2;
        tags_q  <= '0;
        sum_q   <= '0;
      end
    end else if (state_q == End) begin
      if (summed) begin
        state_q       <= (ports_q && end_q < {1'b0, frame_len} && frame_len <= 16'd128) ? Pad : Done;
        pos_q         <= pad_from[6:2];
        pad_first_q   <= 1'b1;
        ip_check_q    <= sum_q - tag_sum_q + 23'(addr_sum_q);
        ends_check_q  <= 17'(rest) + 17'(not_len);
        pseudo_q      <= 17'(addr_sum_q[15:0]) + 17'(addr_sum_q[20:16]) + 17'(next_q);
        payload_len_q <= l4_len_q - 17'({offset_q, 2'b00});
        fits_q        <= end_q <= {1'b0, frame_len};
        exact_q       <= end_q == {1'b0, frame_len};
        short_q       <= frame_len <= 16'd128;
        tagged_q      <= frame_len >= 16'd18;
      end
    end else if (state_q == Pad || here) begin
      if (!over) begin
        pos_q <= pos_q + (one ? 5'd1 : 5'd2);
      end
      if (state_q != Addr) begin
        sum_q <= sum_q + 23'(add);
      end
      case (state_q)
        L2: begin
          ip_len_q  <= window[15:0];
          ihl_q     <= window[27:24];
          ip4_q     <= is4;
          ip6_q     <= is6;
          tag_sum_q <= sum_q;
          ports_q   <= 1'b0;
          if (tag) begin
            tags_q <= tags_q + 2'd1;
            if (tags_q == '0) begin
              vid_q <= window[27:16];
            end
          end else begin
            state_q <= is4 ? Ip4 : is6 ? Ip6 : End;
          end
        end
        Ip4: begin
          state_q    <= Addr;
          next_q     <= window[23:16];
          left_q     <= 6'd2;
          cut_q      <= window[45:32] != '0;
          ext_q      <= 1'b0;
          blind_q    <= 1'b0;
          addr_sum_q <= '0;
        end
        Ip6: begin
          state_q    <= Addr;
          ip_len_q   <= window[63:48];
          next_q     <= window[47:40];
          left_q     <= 6'd8;
          cut_q      <= 1'b0;
          ext_q      <= 1'b0;
          blind_q    <= 1'b0;
          addr_sum_q <= '0;
        end
        Addr: begin
          addr_sum_q <= addr_sum_q + 21'(add_high);
          end_q      <= 17'(ip_len_q) + 17'(l3) + (ip6_q ? 17'd40 : 17'd0);
          left_q     <= left_q - 6'd1;
          if (left_q == 6'd1) begin
            state_q <= after;
            if (ip4_q && ihl_q > 4'd5) begin
              state_q <= Skip;
              left_q  <= 6'(ihl_q) - 6'd5;
            end
          end
        end
        Ext: begin
          state_q <= over ? L4 : (ext_words == '0) ? after : Skip;
          left_q  <= ext_words;
          next_q  <= after_next;
          cut_q   <= after_cut;
          ext_q   <= 1'b1;
          if (next_q == Routing && window[39:32] != '0) begin
            blind_q <= 1'b1;
          end
        end
        Skip: begin
          left_q <= left_q - 6'd2;
          if (over) begin
            state_q <= L4;
          end else if (left_q <= 6'd2) begin
            state_q <= after;
          end
        end
        L4: begin
          state_q      <= (ports && next_q == Tcp) ? TcpEnd : End;
          l4_q         <= pos_q;
          ports_q      <= ports;
          l4_len_q     <= end_q - 17'({pos_q, 2'b10});
          ports_word_q <= window[63:32];
          seq_q        <= window[31:0];
          addr_hash_q  <= hash;
        end
        TcpEnd: begin
          state_q  <= End;
          offset_q <= window[31:28];
          flags_q  <= window[23:16];
        end
        Pad: begin
          pad_first_q <= 1'b0;
          if (pad_last) begin
            state_q <= Done;
          end
        end
        default: state_q <= Idle;
      endcase
    end
  end

  always_ff @(posedge clk_i) begin
    if (forget_i) begin
      get_q <= '0;
    end else if (done) begin
      get_q <= next_get;
    end
  end

  ////////////////////
  // Result         //
  ////////////////////

  logic        sane;
  logic        tcp;
  logic        udp;
  logic [7:0]  payload;
  logic        reach;
  logic        whole;      // every byte that the L4 checksum covers was seen
  logic [3:0]  report;
  logic        with_ports;

  always_comb begin
    sane    = 1'b0;
    tcp     = 1'b0;
    udp     = 1'b0;
    whole   = 1'b0;
    if (state_q == Done) begin
      sane  = fits_q && ((ip4_q && ihl_q >= 4'd5) || ip6_q) && !l4_len_q[16];
      tcp   = sane && ports_q && next_q == Tcp && offset_q >= 4'd5 && !payload_len_q[16];
      udp   = sane && ports_q && next_q == Udp && seq_q[31:16] >= 16'd8 &&
              seq_q[31:16] <= l4_len_q[15:0];
      whole = (exact_q || short_q) && !blind_q &&
              (tcp || (udp && seq_q[31:16] == l4_len_q[15:0] && seq_q[15:0] != '0));
    end
  end

  assign payload = {1'b0, l4_q, 2'b10} + {2'b00, offset_q, 2'b00};
  assign reach   = !payload[7];

  rx_hash_type u_hash_type (
    .hash_types_i(hash_types_i),
    .ip4_i       (sane && ip4_q),
    .ip6_i       (sane && ip6_q),
    .ext_i       (ext_q),
    .tcp_i       (tcp),
    .udp_i       (udp),
    .report_o    (report),
    .ports_o     (with_ports)
  );

  logic        tagged_out_q;
  logic [11:0] vid_out_q;
  logic [6:0]  l3_out_q;
  logic        ip4_out_q;
  logic        ip6_out_q;
  logic        ports_out_q;  // TCP or UDP
  logic        tcp_out_q;
  logic        whole_out_q;
  logic        plain_out_q;  // may be coalesced if the checksums are right
  logic [3:0]  report_out_q;
  logic        with_ports_q;
  logic [23:0] l4_check_q;

  logic [15:0] mix;        // the same for both directions
  logic [16:0] ip_folded;
  logic [16:0] l4_folded;
  logic        ip_right;
  logic        l4_right;

  assign mix       = pseudo_q[15:0] ^ ports_word_q[31:16] ^ ports_word_q[15:0];
  assign ip_folded = 17'(ip_check_q[15:0]) + 17'(ip_check_q[22:16]);
  assign l4_folded = 17'(l4_check_q[15:0]) + 17'(l4_check_q[23:16]);
  assign ip_right  = ip6_out_q || ip_folded == 17'h0ffff;
  assign l4_right  = l4_folded == 17'h0ffff && ip_right;

  // The walker may be in its next frame's L2 while the result is made: what L2 changes is kept here.
  always_ff @(posedge clk_i) begin
    if (forget_i) begin
      judge_q <= 1'b0;
      valid_q <= 1'b0;
    end else if (done || judge_q || (valid_q && result_ready_i)) begin
      judge_q <= done;
      valid_q <= judge_q || (valid_q && !result_ready_i);
      if (done) begin
        tagged_out_q <= tags_q != '0 && tagged_q;
        vid_out_q    <= vid_q;
        l3_out_q     <= l3;
        ip4_out_q    <= sane && ip4_q;
        ip6_out_q    <= sane && ip6_q;
        ports_out_q  <= tcp || udp;
        tcp_out_q    <= tcp && reach;
        whole_out_q  <= whole;
        plain_out_q  <= tcp && whole && reach && !ext_q && (ip6_q || ihl_q == 4'd5) &&
                        payload_len_q != '0 && (flags_q & 8'ha6) == '0 && flags_q[4];
        report_out_q <= report;
        with_ports_q <= with_ports;
        l4_check_q   <= 24'(sum_q) + 24'(ends_check_q) + 24'({8'hff, ~next_q});
        slot_q       <= get_q[SlotWidth-1:0];
      end
      if (judge_q) begin
        result_o.dst         <= dst;
        result_o.has_vlan    <= tagged_out_q;
        result_o.vid         <= vid_out_q;
        result_o.hash        <= (report_out_q == '0) ? '0 : with_ports_q ? hash : addr_hash_q;
        result_o.hash_report <= report_out_q;
        result_o.flow        <= ports_out_q ? hash : '0;
        result_o.symmetric   <= ports_out_q ? {1'b1, mix[14:1], mix[0] ^ mix[15]} : '0;
        result_o.csum_ok     <= whole_out_q && l4_right;
        result_o.csum_bad    <= (ip4_out_q && !ip_right) || (whole_out_q && !l4_right);
        result_o.tcp         <= tcp_out_q;
        result_o.lro         <= plain_out_q && l4_right;
        result_o.ip6         <= ip6_out_q;
        result_o.l3          <= l3_out_q;
        result_o.l4          <= {l4_q, 2'b10};
        result_o.payload     <= payload[6:0];
        result_o.payload_len <= payload_len_q[15:0];
        result_o.seq         <= seq_q;
        result_o.tcp_flags   <= flags_q;
        result_o.pseudo      <= pseudo_q[15:0] + 16'(pseudo_q[16]);
        result_slot_o        <= slot_q;
      end
    end
  end

  assign result_valid_o = valid_q;
  assign idle_o         = !running && !judge_q && !valid_q && frames_idle;

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!forget_i) begin
      // A result is made of a frame whose length is known.
      a_done: assert (state_q != Done || summed);
      // The verdict is one, or none.
      a_verdict: assert (!valid_q || !(result_o.csum_ok && result_o.csum_bad));
      // An answer is for a result.
      a_ready: assert (!result_ready_i || valid_q);
    end
  end
`endif

endmodule
