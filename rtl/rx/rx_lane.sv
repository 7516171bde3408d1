// SPDX-License-Identifier: Apache-2.0
//
// rx_lane: reads the headers of one frame after the other; rx_parse gives it every n-th frame.
//
//   beats in    beat_valid_i: a beat of the first 128 bytes of frame put_slot_i, row beat_row_i. The lane
//               keeps Slots frames; rx_parse gives it no more.
//   ends        last_i one cycle after the frame's last beat: kept_i says whether the frame stays; if
//               not, the next one takes its place. sum_valid_i follows for
//               each frame that stayed, in order: its length and the complement of the ones'
//               complement sum of its bytes from byte 14 on.
//   result      valid until result_ready_i, which answers result_valid_o in the same cycle; results
//               come in the order of the frames. done_slot_o is the place of the result's frame.
//   rates       a frame takes 6 cycles with UDP over IPv4 and 7 with TCP, 5 more over IPv6, 4 at most
//               for padding; tags, options and extension headers a cycle for each 4 or 8 bytes
//   idle_o      a clock edge with quiet inputs changes no state
//
// Every header behind Ethernet's starts at a byte 4n + 2. So the frame is read in words of four bytes
// that start there, two of them a cycle, first byte on top:
//
//     byte of the frame    12    14      18      22      26      30      34      38
//     untagged IPv4        type |ver len|id frag|ttl sum|source |destin.|ports  |seq ...
//     L2    position 3     prev [       |       ]
//     Ip4   position 5                          [       |       ]
//     Addr  position 6, 7                               [ ===== |       ]       ===== is hashed
//     L4    position 8                                          [ ===== |       ]
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
  input  logic [SlotWidth-1:0]     put_slot_i,
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

  output logic                     active_o,
  output logic                     idle_o
);

  localparam logic [7:0] HopByHop       = 8'd0;
  localparam logic [7:0] Tcp            = 8'd6;
  localparam logic [7:0] Udp            = 8'd17;
  localparam logic [7:0] Routing        = 8'd43;
  localparam logic [7:0] Fragment       = 8'd44;
  localparam logic [7:0] Authentication = 8'd51;
  localparam logic [7:0] Destination    = 8'd60;

  // The first window, and the last one that lies in the first 128 bytes.
  localparam logic [4:0] FirstPosition = 5'd3;
  localparam logic [4:0] LastPosition  = 5'd29;

  localparam logic [3:0] Idle   = 4'd0;
  localparam logic [3:0] L2     = 4'd1;  // ethertype, and a tag or two words of the IP header
  localparam logic [3:0] Ip4    = 4'd2;  // third word of the IPv4 header
  localparam logic [3:0] Addr   = 4'd3;  // a word of an address each
  localparam logic [3:0] Ext    = 4'd4;  // first 8 bytes of an IPv6 extension header
  localparam logic [3:0] Skip   = 4'd5;  // the rest of it, or IPv4 options
  localparam logic [3:0] L4     = 4'd6;
  localparam logic [3:0] TcpEnd = 4'd7;  // data offset and flags
  localparam logic [3:0] End    = 4'd8;  // waits for length and sum
  localparam logic [3:0] Pad    = 4'd9;  // what is behind the IP packet

  ////////////////////
  // The window     //
  ////////////////////

  logic [3:0]           state_q;
  logic [4:0]           pos_q;     // word that the window begins with: byte 4 * pos_q + 2
  logic [63:0]          held_q;    // the 8-byte word in which that byte is
  logic [SlotWidth:0]   get_q;     // frame that is read
  logic [SlotWidth:0]   read_get;
  logic [3:0]           read_word;
  logic [63:0]          read;      // the 8-byte word behind it, first byte on top
  logic [4:0]           have;      // 8-byte words of the frame at get_q that are there
  logic [4:0]           next_have; // of the one that is read from
  logic                 running;
  logic                 lost;      // the frame at get_q will not stay
  logic                 next_here; // the next frame may begin
  logic                 here;      // the window is there, or the frame ends prior it
  logic                 summed;    // length and sum are there
  logic                 padded;
  logic [15:0]          frame_len;
  logic [15:0]          rest;
  logic [16:0]          end_q;     // byte behind the IP packet
  logic [6:0]           pad_from;  // the same behind byte 2, of a short frame
  logic [SlotWidth-1:0] slot_q;    // frame that the result is about
  logic [47:0]          dst;
  logic                 frames_idle;
  logic                 ports_q;
  (* keep *)
  logic [63:0]          window;
  logic [15:0]          prior;    // the two bytes in front of it

  assign running  = state_q != Idle;
  assign padded   = ports_q && end_q < {1'b0, frame_len} && frame_len <= 16'd128;
  assign pad_from = end_q[6:0] - 7'd2;

  always_comb begin
    read_get  = get_q;
    read_word = pos_q[4:1] + 4'd1;
    if (!running) begin
      read_word = 4'd1;
    end else if (state_q == End) begin
      if (padded) begin
        read_word = pad_from[6:3];
      end else begin
        read_get  = get_q + 1'b1;
        read_word = 4'd1;
      end
    end
  end

  rx_lane_frames #(
    .StreamBytes(StreamBytes),
    .Slots      (Slots)
  ) u_frames (
    .clk_i       (clk_i),
    .forget_i    (forget_i),
    .beat_valid_i(beat_valid_i),
    .put_slot_i  (put_slot_i),
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
    .read_get_i  (read_get),
    .read_word_i (read_word),
    .read_o      (read),
    .read_have_o (next_have),
    .dst_slot_i  (slot_q),
    .dst_o       (dst),
    .idle_o      (frames_idle)
  );

  assign here      = have > 5'(pos_q[4:1]) + 5'd1;
  assign next_here = next_have > 5'd1;
  assign window    = pos_q[0] ? {held_q[15:0], read[63:16]} : {held_q[47:0], read[63:48]};
  assign prior    = pos_q[0] ? held_q[31:16] : held_q[63:48];

  ////////////////////
  // What it says   //
  ////////////////////

  logic [1:0]  tags_q;
  logic [11:0] vid_q;
  logic        ip4_q;
  logic        ip6_q;
  logic [3:0]  ihl_q;
  logic [15:0] ip_len_q;
  logic [7:0]  next_q;       // protocol, next header
  logic        cut_q;        // a fragment
  logic        ext_q;        // an IPv6 extension header was there
  logic        blind_q;      // the packet's last destination is not in the IPv6 header
  logic [5:0]  left_q;       // words of addresses, or to be skipped
  logic [16:0] l4_len_q;     // negative: the packet ends prior it
  logic        pad_first_q;

  logic        tag;
  logic        is4;
  logic        is6;
  logic        over;
  logic        ports;
  logic        cut;          // a fragment header says so
  logic [5:0]  ext_words;    // behind the first two; 62 and more are out of reach
  logic        skip_two;
  logic        one;          // the window moves by one word, not two
  logic [7:0]  pad_left;     // bytes from the window to the frame's end
  logic        pad_last;
  logic [7:0]  keep;         // bytes of the window that are padding
  logic [63:0] taken;        // what is added up

  // What stands behind a header of the address or an extension: `number` says what it is.
  function automatic logic [3:0] after(input logic may_extend, input logic [7:0] number);
    after = L4;
    if (may_extend && (number == HopByHop || number == Routing || number == Fragment ||
                       number == Authentication || number == Destination)) begin
      after = Ext;
    end
  endfunction

  assign over     = pos_q > LastPosition;
  assign skip_two = left_q > 6'd1;
  assign ports    = (next_q == Tcp || next_q == Udp) && !cut_q && !over;

  // Added up are addresses, and in the other sum what the L4 checksum does not cover, or covers
  // beyond the packet.
  always_comb begin
    tag       = 1'b0;
    is4       = 1'b0;
    is6       = 1'b0;
    cut       = 1'b0;
    ext_words = 'x;
    one       = 1'b0;
    pad_left  = 'x;
    pad_last  = 1'b0;
    keep      = 'x;
    taken     = '0;
    case (state_q)
      L2: begin
        tag   = (prior == 16'h8100 || prior == 16'h88a8) && !tags_q[1];
        is4   = prior == 16'h0800 && window[63:60] == 4'd4;
        is6   = prior == 16'h86dd && window[63:60] == 4'd6;
        one   = tag;
        taken = {window[63:32], tag ? 32'd0 : window[31:0]};
      end
      Ip4: begin
        one   = 1'b1;
        taken = {window[63:32], 32'd0};
      end
      Addr: begin
        one   = 1'b1;
        taken = {window[63:32], 32'd0};
      end
      Ext: begin
        cut       = next_q == Fragment && (window[47:35] != '0 || window[32]);
        ext_words = (next_q == Authentication) ? window[53:48] : {window[52:48], 1'b0};
        if (next_q == Fragment) begin
          ext_words = '0;
        end else if (window[55:53] != '0) begin
          ext_words = 6'd62;
        end
        taken = window;
      end
      Skip: begin
        one   = !skip_two;
        taken = {window[63:32], skip_two ? window[31:0] : 32'd0};
      end
      L4:  taken = {48'd0, 8'hff, ~next_q};
      End: taken = {rest, ~l4_len_q[15:0], 32'd0};
      Pad: begin
        pad_left = frame_len[7:0] - {1'b0, pos_q, 2'b10};
        pad_last = pad_left <= 8'd8;
        keep     = (pad_first_q ? 8'hff >> pad_from[1:0] : 8'hff) &
                   (pad_last ? ~(8'hff >> pad_left[3:0]) : 8'hff);
        taken    = window & {{8{keep[7]}}, {8{keep[6]}}, {8{keep[5]}}, {8{keep[4]}},
                             {8{keep[3]}}, {8{keep[2]}}, {8{keep[1]}}, {8{keep[0]}}};
      end
      default: taken = '0;
    endcase
  end

  ////////////////////
  // Walk           //
  ////////////////////

  logic        free;         // the result has a place
  logic        leave;        // the frame is read; its result is made in the next two cycles
  logic        load;
  logic [31:0] hash;

  assign leave = free && ((state_q == End && summed && !padded) || (state_q == Pad && pad_last));
  assign load  = !running ? next_here : (state_q == End) ? summed :
                 here && (pos_q[0] || !one) && !pad_last;

  toeplitz u_toeplitz (
    .clk_i   (clk_i),
    .forget_i(forget_i),
    .key_i   (table_i),
    .start_i (state_q == L2),
    .step_i  (here && (state_q == Addr || state_q == L4)),
    .word_i  (window[63:32]),
    .hash_o  (hash)
  );

  logic        first;        // L2 of the outermost header
  logic [16:0] add_high;
  logic [16:0] add_low;
  logic [17:0] add;
  logic [22:0] sum;
  logic [22:0] sum_q;        // carries are added at the end
  logic [22:0] tag_sum_q;    // of the tags among it
  logic [20:0] addr_sum_q;
  logic [22:0] ip_sum_q;     // of the IPv4 header
  logic [16:0] pseudo_q;
  logic [4:0]  l4_q;         // position of the L4 header
  logic [31:0] ports_word_q;
  logic [31:0] seq_q;        // of TCP; length and checksum of UDP
  logic [3:0]  offset_q;
  logic [7:0]  flags_q;
  logic [31:0] addr_hash_q;
  logic [16:0] payload_len_q;
  logic        fits_q;
  logic        exact_q;
  logic        short_q;
  logic        tagged_q;

  assign first    = state_q == L2 && tags_q == '0;
  assign add_high = {1'b0, taken[63:48]} + {1'b0, taken[47:32]};
  assign add_low  = {1'b0, taken[31:16]} + {1'b0, taken[15:0]};
  assign add      = {1'b0, add_high} + {1'b0, add_low};
  assign sum      = first ? '0 : sum_q;

  always_ff @(posedge clk_i) begin
    if (load) begin
      held_q <= read;
    end
  end

  always_ff @(posedge clk_i) begin
    if (forget_i || lost) begin
      state_q <= Idle;
    end else if (!running) begin
      pos_q  <= FirstPosition;
      tags_q <= '0;
      if (next_here) begin
        state_q <= L2;
      end
    end else if (state_q == End) begin
      if (summed && (padded || free)) begin
        state_q       <= padded ? Pad : next_here ? L2 : Idle;
        pos_q         <= padded ? pad_from[6:2] : FirstPosition;
        tags_q        <= padded ? tags_q : '0;
        pad_first_q   <= 1'b1;
        sum_q         <= sum_q + 23'(add);
        pseudo_q      <= 17'(addr_sum_q[15:0]) + 17'(addr_sum_q[20:16]) + 17'(next_q);
        payload_len_q <= l4_len_q - 17'({offset_q, 2'b00});
        fits_q        <= end_q <= {1'b0, frame_len};
        exact_q       <= end_q == {1'b0, frame_len};
        short_q       <= frame_len <= 16'd128;
        tagged_q      <= frame_len >= 16'd18;
      end
    end else if (state_q == Pad) begin
      if (!pad_last || free) begin
        pos_q       <= pos_q + 5'd2;
        sum_q       <= sum_q + 23'(add);
        pad_first_q <= 1'b0;
        if (pad_last) begin
          state_q <= Idle;
        end
      end
    end else if (here) begin
      if (!over) begin
        pos_q <= pos_q + (one ? 5'd1 : 5'd2);
      end
      if (state_q != Addr) begin
        sum_q <= sum + 23'(add);
      end
      case (state_q)
        L2: begin
          ip_len_q  <= is6 ? window[31:16] : window[47:32];
          ihl_q     <= window[59:56];
          ip4_q     <= is4;
          ip6_q     <= is6;
          next_q    <= window[15:8];
          left_q    <= is6 ? 6'd8 : 6'd2;
          cut_q     <= is4 && window[13:0] != '0;
          ext_q     <= 1'b0;
          blind_q   <= 1'b0;
          ports_q   <= 1'b0;
          tag_sum_q <= sum;
          if (tag) begin
            tags_q <= tags_q + 2'd1;
            if (first) begin
              vid_q <= window[59:48];
            end
          end else begin
            state_q <= is4 ? Ip4 : is6 ? Addr : End;
          end
        end
        Ip4: begin
          state_q <= Addr;
          next_q  <= window[55:48];
        end
        Addr: begin
          addr_sum_q <= ((left_q == (ip6_q ? 6'd8 : 6'd2)) ? '0 : addr_sum_q) + 21'(add_high);
          end_q      <= 17'(ip_len_q) + (ip6_q ? 17'd40 : 17'd0) +
                        (tags_q[1] ? 17'd22 : tags_q[0] ? 17'd18 : 17'd14);
          left_q     <= left_q - 6'd1;
          if (left_q == 6'd1) begin
            state_q <= after(ip6_q, next_q);
            if (ip4_q && ihl_q > 4'd5) begin
              state_q <= Skip;
              left_q  <= 6'(ihl_q) - 6'd5;
            end
          end
        end
        Ext: begin
          state_q <= over ? L4 : (ext_words != '0) ? Skip : after(!cut, window[63:56]);
          left_q  <= ext_words;
          next_q  <= window[63:56];
          cut_q   <= cut;
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
            state_q <= after(ip6_q, next_q);
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
          ip_sum_q     <= sum_q - tag_sum_q + 23'(addr_sum_q);
        end
        TcpEnd: begin
          state_q  <= End;
          offset_q <= window[31:28];
          flags_q  <= window[23:16];
        end
        default: state_q <= Idle;
      endcase
    end
  end

  always_ff @(posedge clk_i) begin
    if (forget_i) begin
      get_q <= '0;
    end else if (leave) begin
      get_q <= get_q + 1'b1;
    end
  end

  ////////////////////
  // Result         //
  ////////////////////

  logic making;

  rx_lane_result #(
    .SlotWidth(SlotWidth)
  ) u_result (
    .clk_i         (clk_i),
    .forget_i      (forget_i),
    .hash_types_i  (hash_types_i),
    .leave_i       (leave),
    .slot_i        (get_q[SlotWidth-1:0]),
    .tags_i        (tags_q),
    .vid_i         (vid_q),
    .tagged_i      (tagged_q),
    .ip4_i         (ip4_q),
    .ip6_i         (ip6_q),
    .ihl_i         (ihl_q),
    .ext_i         (ext_q),
    .blind_i       (blind_q),
    .next_i        (next_q),
    .ports_i       (ports_q),
    .fits_i        (fits_q),
    .exact_i       (exact_q),
    .short_i       (short_q),
    .l4_len_i      (l4_len_q),
    .payload_len_i (payload_len_q),
    .sum_i         (sum_q),
    .ip_sum_i      (ip_sum_q),
    .pseudo_i      (pseudo_q),
    .l4_i          (l4_q),
    .ports_word_i  (ports_word_q),
    .seq_i         (seq_q),
    .offset_i      (offset_q),
    .flags_i       (flags_q),
    .hash_i        (hash),
    .addr_hash_i   (addr_hash_q),
    .slot_o        (slot_q),
    .dst_i         (dst),
    .free_o        (free),
    .making_o      (making),
    .result_valid_o(result_valid_o),
    .result_ready_i(result_ready_i),
    .result_o      (result_o),
    .result_slot_o (result_slot_o)
  );

  assign active_o = running || making || next_here;
  assign idle_o   = !running && !making && !result_valid_o && frames_idle;

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!forget_i) begin
      // A frame is left when its length is known.
      a_left: assert (!leave || summed);
      // The window of padding begins in the frame.
      a_pad: assert (state_q != Pad || pad_left != '0);
    end
  end
`endif

endmodule
