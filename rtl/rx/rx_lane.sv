// SPDX-License-Identifier: Apache-2.0
//
// rx_lane: reads the headers of one frame after the other; rx_parse gives it every n-th frame.
//
//   beats in    beat_valid_i: a beat of the first 128 bytes of frame put_slot_i, row beat_row_i. The lane
//               keeps Slots frames; rx_parse gives it no more.
//   ends        last_i one cycle after the frame's last beat: kept_i says whether the frame stays; if not,
//               the next one takes its place. sum_valid_i follows for each frame that stayed, in order:
//               its length and the complement of the ones' complement sum of its bytes from byte 14 on.
//   result      valid until result_ready_i, which answers result_valid_o in the same cycle; results
//               come in the order of the frames. done_slot_o is the place of the result's frame.
//   rates       a frame takes 6 cycles with UDP over IPv4 and 7 with TCP, 5 more over IPv6, 4 at most
//               for padding; tags, options and extension headers a cycle for each 4 or 8 bytes
//   active_o    an edge of the clock changes something even with quiet inputs
//   idle_o      no frame is held
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
// A step is one block with variables of its own, so that simulation pays for a lane only when it moves.
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

  localparam int unsigned Words     = StreamBytes / 8;
  localparam int unsigned PlaceWidth = SlotWidth + 4;

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

  // ---- Frames
  if (StreamBytes * Rows != 128 || StreamBytes < 8 || Rows < 2) begin : g_bytes
    $error("rx_lane: StreamBytes: 8, 16, 32 or 64");
  end
  if ((1 << SlotWidth) != Slots) $error("rx_lane: Slots: a power of two");

  // Places of frames, with a bit more, so that they also tell rounds apart.
  logic [SlotWidth:0] put_q;     // frame that is coming in
  logic [SlotWidth:0] summed_q;  // first frame whose sum has not come
  logic [SlotWidth:0] get_q;     // frame that is read
  logic [4:0]         have_q;    // 8-byte words of the frame that is coming in

  logic [8*StreamBytes-1:0] mem [Slots * Rows];  // a beat a word, so that it can be a RAM
  logic [47:0] dst [Slots];
  logic [31:0] sums [Slots];     // length, complement of the sum

  always_ff @(posedge clk_i) begin
    if (beat_valid_i) begin
      mem[{put_slot_i, beat_row_i}] <= beat_data_i;
    end
  end

  always_ff @(posedge clk_i) begin
    if (beat_valid_i && beat_row_i == '0) begin
      dst[put_slot_i] <= {beat_data_i[7:0], beat_data_i[15:8], beat_data_i[23:16],
                          beat_data_i[31:24], beat_data_i[39:32], beat_data_i[47:40]};
    end
  end

  always_ff @(posedge clk_i) begin
    if (sum_valid_i) begin
      sums[summed_q[SlotWidth-1:0]] <= {sum_len_i, sum_rest_i};
    end
  end

  always_ff @(posedge clk_i) begin
    if (forget_i) begin
      put_q    <= '0;
      summed_q <= '0;
      have_q   <= '0;
    end else if (beat_valid_i || last_i || sum_valid_i) begin
      if (last_i && kept_i) begin
        put_q <= put_q + 1'b1;
      end
      if (beat_valid_i) begin
        have_q <= ((beat_row_i == '0) ? 5'd0 : have_q) + 5'(Words);
      end else if (last_i) begin
        have_q <= '0;
      end
      if (sum_valid_i) begin
        summed_q <= summed_q + 1'b1;
      end
    end
  end

  // ---- Walk
  logic [3:0]           state_q;
  logic [4:0]           pos_q;        // word that the window begins with: byte 4 * pos_q + 2
  logic [63:0]          held_q;       // the 8-byte word in which that byte is, first byte on top
  logic [1:0]           tags_q;
  logic [11:0]          vid_q;
  logic                 ip4_q;
  logic                 ip6_q;
  logic [3:0]           ihl_q;
  logic [15:0]          ip_len_q;
  logic [7:0]           next_q;       // protocol, next header
  logic                 cut_q;        // a fragment
  logic                 ext_q;        // an IPv6 extension header was there
  logic                 blind_q;      // the packet's last destination is not in the IPv6 header
  logic [5:0]           left_q;       // words of addresses, or to be skipped
  logic [16:0]          end_q;        // byte behind the IP packet
  logic                 pad_first_q;
  logic [22:0]          sum_q;        // carries are added at the end
  logic [22:0]          tag_sum_q;    // of the tags among it
  logic [20:0]          addr_sum_q;
  logic [22:0]          ip_sum_q;     // of the IPv4 header
  logic [16:0]          pseudo_q;
  logic [4:0]           l4_q;         // position of the L4 header
  logic                 ports_q;      // TCP or UDP, within reach
  logic [16:0]          l4_len_q;     // negative: the packet ends before it
  logic [31:0]          ports_word_q;
  logic [31:0]          seq_q;        // of TCP; length and checksum of UDP
  logic [3:0]           offset_q;
  logic [7:0]           flags_q;
  logic [16:0]          payload_len_q;
  logic                 fits_q;
  logic                 exact_q;
  logic                 short_q;
  logic                 tagged_q;
  logic                 hash_step_q;
  logic                 hash_ports_q; // the word is the ports
  logic [31:0]          hash_word_q;
  logic [31:0]          addr_hash_q;
  logic [31:0]          hash;
  logic                 left_frame_q; // a frame was left: its result is to be made
  logic [SlotWidth-1:0] left_slot_q;
  logic [1:0]           left_tags_q;
  logic [11:0]          left_vid_q;

  logic                 whole;        // the frame at get_q has ended
  logic                 lost;         // it will not stay
  logic                 free;         // the result has a place
  logic                 moves;

  assign whole = get_q != put_q;
  assign lost  = last_i && !kept_i && !whole;

  // A frame is begun when enough of it is there for the walk not to have to wait.
  always_comb begin
    case (state_q)
      Idle:    moves = whole || (have_q > 5'd3 && !lost);
      End:     moves = get_q != summed_q && free;
      Pad:     moves = 1'b1;
      default: moves = whole || have_q > 5'(pos_q[4:1]) + 5'd1;
    endcase
  end

  // What stands behind a header of the address or an extension: `number` says what it is.
  function automatic logic [3:0] after(input logic may_extend, input logic [7:0] number);
    after = L4;
    if (may_extend && (number == HopByHop || number == Routing || number == Fragment ||
                       number == Authentication || number == Destination)) begin
      after = Ext;
    end
  endfunction

  // ---- A step
  // Worked out only for a step; `keep` keeps synthesis from mixing the nets with what is behind them.
  logic [SlotWidth:0]   next_get;
  logic [15:0]          frame_len;
  logic [15:0]          rest;
  logic                 padded;
  logic [6:0]           pad_from;  // byte behind a short packet, less 2
  logic [7:0]           pad_left;  // bytes from the window to the frame's end
  logic                 pad_last;
  logic [SlotWidth+3:0] place;
  logic [63:0]          read;
  logic [63:0]          word;      // the one behind held_q
  (* keep *)
  logic [63:0]          window;
  logic [15:0]          prior;     // the two bytes in front of it
  logic                 tag;
  logic                 over;
  logic                 one;       // the window moves by one word, not two
  (* keep *)
  logic [7:0]           mask;      // bytes of it that are added up
  (* keep *)
  logic [63:0]          taken;
  (* keep *)
  logic [16:0]          add_high;
  (* keep *)
  logic [16:0]          add_low;
  (* keep *)
  logic [17:0]          add;

  always_comb begin
    next_get  = 'x;
    frame_len = 'x;
    rest      = 'x;
    padded    = 'x;
    pad_from  = 'x;
    place     = 'x;
    read      = 'x;
    word      = 'x;
    window    = 'x;
    prior     = 'x;
    over      = 'x;
    if (moves) begin
      next_get          = get_q + 1'b1;
      {frame_len, rest} = sums[get_q[SlotWidth-1:0]];
      padded            = ports_q && end_q < {1'b0, frame_len} && frame_len <= 16'd128;
      pad_from          = end_q[6:0] - 7'd2;

      place = {get_q[SlotWidth-1:0], pos_q[4:1] + 4'd1};
      if (state_q == Idle) begin
        place[3:0] = 4'd1;
      end else if (state_q == End) begin
        place = padded ? {get_q[SlotWidth-1:0], pad_from[6:3]} : {next_get[SlotWidth-1:0], 4'd1};
      end
      read   = mem[place[PlaceWidth-1:4-RowWidth]][64*(32'(place) & (Words - 1)) +: 64];
      word   = {read[7:0], read[15:8], read[23:16], read[31:24],
                read[39:32], read[47:40], read[55:48], read[63:56]};
      window = pos_q[0] ? {held_q[15:0], word[63:16]} : {held_q[47:0], word[63:48]};
      prior  = pos_q[0] ? held_q[31:16] : held_q[63:48];
      over   = pos_q > LastPosition;
    end
  end

  always_comb begin
    tag      = 1'b0;
    one      = 1'b0;
    mask     = '0;
    pad_left = 'x;
    pad_last = 1'b0;
    if (moves) begin
      case (state_q)
        L2: begin
          tag  = (prior == 16'h8100 || prior == 16'h88a8) && !tags_q[1];
          one  = tag;
          mask = {4'hf, {4{!tag}}};
        end
        Ip4, Addr: begin
          one  = 1'b1;
          mask = 8'hf0;
        end
        Ext: mask = 8'hff;
        Skip: begin
          one  = left_q == 6'd1;
          mask = {4'hf, {4{!one}}};
        end
        Pad: begin
          pad_left = frame_len[7:0] - {1'b0, pos_q, 2'b10};
          pad_last = pad_left <= 8'd8;
          mask     = (pad_first_q ? 8'hff >> pad_from[1:0] : 8'hff) &
                     (pad_last ? ~(8'hff >> pad_left[3:0]) : 8'hff);
        end
        default: mask = '0;
      endcase
    end
  end

  // At the end, with the complement of the pseudo-header's numbers, everything adds up to 0.
  always_comb begin
    taken = 'x;
    if (moves) begin
      taken = window & {{8{mask[7]}}, {8{mask[6]}}, {8{mask[5]}}, {8{mask[4]}},
                        {8{mask[3]}}, {8{mask[2]}}, {8{mask[1]}}, {8{mask[0]}}};
      if (state_q == End) begin
        taken = {rest, ~l4_len_q[15:0], 16'd0, 8'hff, ~next_q};
      end
    end
  end

  always_comb begin
    add_high = 'x;
    add_low  = 'x;
    if (moves) begin
      add_high = {1'b0, taken[63:48]} + {1'b0, taken[47:32]};
      add_low  = {1'b0, taken[31:16]} + {1'b0, taken[15:0]};
    end
  end

  assign add = {1'b0, add_high} + {1'b0, add_low};

  always_ff @(posedge clk_i) begin : walk
    logic        load;
    logic        leave;
    logic [5:0]  ext_words; // behind the first two; 62 and more are out of reach
    logic        cut;
    logic [22:0] base;

    hash_step_q  <= 1'b0;
    hash_ports_q <= 1'b0;
    left_frame_q <= 1'b0;
    if (hash_ports_q) begin
      addr_hash_q <= hash;
    end

    if (forget_i) begin
      state_q <= Idle;
      get_q   <= '0;
    end else if (lost) begin
      state_q <= Idle;
    end else if (moves) begin
      load  = state_q == Idle || state_q == End;
      leave = (state_q == End && !padded) || pad_last;
      base  = (state_q == L2 && tags_q == '0) ? '0 : sum_q;

      case (state_q)
        Idle: begin
          state_q <= L2;
          tags_q  <= '0;
        end

        L2: begin
          if (tag) begin
            tags_q <= tags_q + 2'd1;
            if (tags_q == '0) begin
              vid_q <= window[59:48];
            end
          end else begin
            state_q <= End;
          end
          ip4_q     <= 1'b0;
          ip6_q     <= 1'b0;
          ports_q   <= 1'b0;
          cut_q     <= 1'b0;
          ext_q     <= 1'b0;
          blind_q   <= 1'b0;
          ihl_q     <= window[59:56];
          tag_sum_q <= base;
          if (prior == 16'h0800 && window[63:60] == 4'd4) begin
            state_q  <= Ip4;
            ip4_q    <= 1'b1;
            ip_len_q <= window[47:32];
            cut_q    <= window[13:0] != '0;
            left_q   <= 6'd2;
          end
          if (prior == 16'h86dd && window[63:60] == 4'd6) begin
            state_q  <= Addr;
            ip6_q    <= 1'b1;
            ip_len_q <= window[31:16];
            next_q   <= window[15:8];
            left_q   <= 6'd8;
          end
        end

        Ip4: begin
          state_q <= Addr;
          next_q  <= window[55:48];
        end

        Addr: begin
          hash_step_q <= 1'b1;
          hash_word_q <= window[63:32];
          end_q       <= 17'(ip_len_q) + (ip6_q ? 17'd40 : 17'd0) +
                         (tags_q[1] ? 17'd22 : tags_q[0] ? 17'd18 : 17'd14);
          left_q      <= left_q - 6'd1;
          if (left_q == 6'd1) begin
            state_q <= after(ip6_q, next_q);
            if (ip4_q && ihl_q > 4'd5) begin
              state_q <= Skip;
              left_q  <= 6'(ihl_q) - 6'd5;
            end
          end
        end

        Ext: begin
          cut       = next_q == Fragment && (window[47:35] != '0 || window[32]);
          ext_words = (next_q == Authentication) ? window[53:48] : {window[52:48], 1'b0};
          if (next_q == Fragment) begin
            ext_words = '0;
          end else if (window[55:53] != '0) begin
            ext_words = 6'd62;
          end
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
          state_q      <= End;
          l4_q         <= pos_q;
          l4_len_q     <= end_q - 17'({pos_q, 2'b10});
          ports_word_q <= window[63:32];
          seq_q        <= window[31:0];
          ip_sum_q     <= sum_q - tag_sum_q + 23'(addr_sum_q);
          hash_step_q  <= 1'b1;
          hash_ports_q <= 1'b1;
          hash_word_q  <= window[63:32];
          if (!cut_q && !over) begin
            ports_q <= next_q == Tcp || next_q == Udp;
            if (next_q == Tcp) begin
              state_q <= TcpEnd;
            end
          end
        end

        TcpEnd: begin
          state_q  <= End;
          offset_q <= window[31:28];
          flags_q  <= window[23:16];
        end

        End: begin
          state_q       <= Pad;
          pad_first_q   <= 1'b1;
          pseudo_q      <= 17'(addr_sum_q[15:0]) + 17'(addr_sum_q[20:16]) + 17'(next_q);
          payload_len_q <= l4_len_q - 17'({offset_q, 2'b00});
          fits_q        <= end_q <= {1'b0, frame_len};
          exact_q       <= end_q == {1'b0, frame_len};
          short_q       <= frame_len <= 16'd128;
          tagged_q      <= frame_len >= 16'd18;
          if (!padded) begin
            state_q <= (next_get != put_q || (have_q > 5'd3 && !(last_i && !kept_i))) ? L2 : Idle;
          end
        end

        Pad: begin
          pad_first_q <= 1'b0;
          if (pad_last) begin
            state_q <= Idle;
          end
        end

        default: state_q <= Idle;
      endcase

      if (state_q == Addr) begin
        addr_sum_q <= ((left_q == (ip6_q ? 6'd8 : 6'd2)) ? '0 : addr_sum_q) + 21'(add_high);
      end else begin
        sum_q <= 23'(add) + base;
      end

      if (load || pos_q[0] || !one) begin
        held_q <= word;
      end
      if (state_q == End && padded) begin
        pos_q <= pad_from[6:2];
      end else if (load) begin
        pos_q <= FirstPosition;
      end else if (!over) begin
        pos_q <= pos_q + (one ? 5'd1 : 5'd2);
      end

      if (leave) begin
        left_frame_q <= 1'b1;
        get_q        <= next_get;
        tags_q       <= '0;
        left_slot_q  <= get_q[SlotWidth-1:0];
        left_tags_q  <= tags_q;
        left_vid_q   <= vid_q;
      end
    end
  end

  toeplitz u_toeplitz (
    .clk_i   (clk_i),
    .forget_i(forget_i),
    .key_i   (table_i),
    .start_i (state_q == L2),
    .step_i  (hash_step_q),
    .word_i  (hash_word_q),
    .hash_o  (hash)
  );

  // ---- Result
  logic making;

  rx_lane_result #(
    .SlotWidth(SlotWidth)
  ) u_result (
    .clk_i         (clk_i),
    .forget_i      (forget_i),
    .hash_types_i  (hash_types_i),
    .left_i        (left_frame_q),
    .slot_i        (left_slot_q),
    .tags_i        (left_tags_q),
    .vid_i         (left_vid_q),
    .dst_i         (dst[left_slot_q]),
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
    .making_o      (making),
    .result_valid_o(result_valid_o),
    .result_ready_i(result_ready_i),
    .result_o      (result_o),
    .result_slot_o (result_slot_o)
  );

  assign free     = !making && !result_valid_o;
  assign active_o = moves || hash_step_q || making;
  assign idle_o   = state_q == Idle && !hash_step_q && !making && !result_valid_o && !whole &&
                    have_q == '0;

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!forget_i) begin
      // There is never one frame more than there are places.
      a_slots: assert ((put_q - get_q) <= (SlotWidth + 1)'(Slots));
      // A sum is for a frame that has ended.
      a_sum: assert (!sum_valid_i || summed_q != put_q);
      // Sums come for frames that have not been left behind.
      a_order: assert ((put_q - summed_q) <= (put_q - get_q));
    end
  end
`endif

endmodule
