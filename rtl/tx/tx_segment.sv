// SPDX-License-Identifier: Apache-2.0
//
// tx_segment: makes frames of chains: takes the virtio header off, checks it, has the checksum taken,
// and cuts super-frames into segments.
//
//     beats ---> tx_align ---> words ------------------------------> tx_store
//                 ^    |          |                                     ^
//                 |    v          +--> tx_sum --> records (checksum) ---+
//                tx_template <--> tx_gso
//
// A chain is a run of bytes; it is taken in sections, each a part of a beat a cycle:
//
//     header and frame at once                     [ header | frame                       ]
//     a header that asks for segmentation, or      [ header ]
//       does not lie whole in its first beat, goes
//       first; then the frame                               [ frame                       ]
//     or a super-frame: its headers, as far as              [ headers ][ rest ]
//       they have to be read to know how long
//       they are, then the rest of them, and the                          [ payload ][ payload ][ .. ]
//       payload of each segment
//
//   chain, beat   see tx_gather
//   word_*        to tx_store, without back-pressure; an operation is begun only while room_i, after
//                 which at most eight words and as many records follow
//   record_*      a frame is whole
//   features      what was negotiated: hdr_hash_i, csum_i, tso4_i, tso6_i, ecn_i, uso_i
//   drop_bad_o    a chain of drop_queue_o was dropped: tx_plan did not let it be read, or its header
//                 asks for what was not negotiated or cannot be done
//   csum_o        pulses with a record that has a checksum; tso_o for each super-frame; segment_o with
//                 a record of one of its segments
//   idle_o        nothing can change until an input does
//
// Parameters:
//   AxiBytes   bytes in a beat and in a word
//   Queues     transmit queues
//   MaxFrame   longest frame, without FCS
//   TagWidth   bits of a tag

module tx_segment #(
  parameter int unsigned AxiBytes = 16,
  parameter int unsigned Queues = 1,
  parameter int unsigned MaxFrame = 9022,
  parameter int unsigned TagWidth = 32,
  localparam int unsigned QueueWidth = (Queues > 1) ? $clog2(Queues) : 1,
  localparam int unsigned LaneWidth = $clog2(AxiBytes),
  localparam int unsigned LenWidth = nic_pkg::LenWidth,
  localparam int unsigned PlaceWidth = $clog2(MaxFrame + 1)
) (
  input  logic                  clk_i,
  input  logic                  rst_i,
  output logic                  idle_o,

  input  logic                  hdr_hash_i,
  input  logic                  csum_i,
  input  logic                  tso4_i,
  input  logic                  tso6_i,
  input  logic                  ecn_i,
  input  logic                  uso_i,

  input  logic                  chain_valid_i,
  output logic                  chain_ready_o,
  input  logic                  chain_drop_i,
  input  logic [LenWidth-1:0]   chain_last_byte_i,
  input  logic [QueueWidth-1:0] chain_queue_i,
  input  logic [TagWidth-1:0]   chain_tag_i,

  input  logic                  beat_valid_i,
  output logic                  beat_ready_o,
  input  logic [8*AxiBytes-1:0] beat_data_i,
  input  logic [LaneWidth-1:0]  beat_lane_i,
  input  logic [LaneWidth-1:0]  beat_end_i,
  input  logic                  beat_gso_i,
  input  logic                  beat_last_i,

  input  logic                  room_i,
  output logic                  we_o,
  output logic [8*AxiBytes-1:0] wdata_o,
  output logic                  record_valid_o,
  output logic [PlaceWidth-1:0] record_end_o,
  output logic [QueueWidth-1:0] record_queue_o,
  output logic [TagWidth-1:0]   record_tag_o,
  output logic                  record_csum_o,
  output logic [PlaceWidth-1:0] record_place_o,
  output logic [15:0]           record_value_o,

  output logic                  drop_bad_o,
  output logic [QueueWidth-1:0] drop_queue_o,
  output logic                  csum_o,
  output logic                  tso_o,
  output logic                  segment_o
);

  // The longest headers of a super-frame, and how much of the transport header is read first.
  localparam int unsigned HeaderBytes = 256;
  localparam int unsigned HeaderWidth = $clog2(HeaderBytes);
  localparam int unsigned HalfWidth = HeaderWidth - 1;
  // A bus of 64 bytes leaves few cycles to a segment; else headers come two bytes a cycle.
  localparam int unsigned TemplateBytes = (AxiBytes >= 64) ? 32 : 2;
  localparam int unsigned TemplateLane = $clog2(TemplateBytes);
  localparam int unsigned TemplateWidth = HeaderWidth - TemplateLane;
  localparam int unsigned TcpBytes = 20;
  localparam int unsigned UdpBytes = 8;
  localparam int unsigned TcpCheck = 16;
  localparam int unsigned UdpCheck = 6;

  localparam logic [3:0] Chain   = 4'd0;   // the first part of a chain
  localparam logic [3:0] Frame   = 4'd1;
  localparam logic [3:0] Header  = 4'd2;   // the virtio header alone
  localparam logic [3:0] Decide  = 4'd3;
  localparam logic [3:0] Head    = 4'd4;   // headers, to be read
  localparam logic [3:0] Start   = 4'd5;
  localparam logic [3:0] Parse   = 4'd6;
  localparam logic [3:0] Rest    = 4'd7;   // the rest of them
  localparam logic [3:0] Settle  = 4'd8;
  localparam logic [3:0] Segment = 4'd9;   // a segment's headers are made
  localparam logic [3:0] Emit    = 4'd10;  // and sent
  localparam logic [3:0] Payload = 4'd11;
  localparam logic [3:0] Skip    = 4'd12;  // of a chain that is dropped

  logic [3:0]            state_q;
  logic [LenWidth-1:0]   left_q;     // bytes of the section, less one
  logic [LaneWidth-1:0]  lane_q;     // where the rest of the beat starts
  logic                  part_q;     // a part of the beat was taken
  logic [LaneWidth-1:0]  fill_q;     // bytes of the word in hand
  logic [1:0]            hdr_q;      // words of virtio header to be completed
  logic [LenWidth-1:0]   end_q;      // last byte of the chain's frame
  logic [QueueWidth-1:0] queue_q;
  logic [TagWidth-1:0]   tag_q;

  // Of the chain whose bytes are turned, a cycle behind.
  logic [LenWidth-1:0]   t_end_q;
  logic [QueueWidth-1:0] t_queue_q;
  logic [TagWidth-1:0]   t_tag_q;

  // Of the chain whose header came last.
  logic                  hdr_done;
  logic                  h_csum;
  logic [7:0]            h_gso;
  logic [15:0]           h_gso_size;
  logic [15:0]           h_start;
  logic [15:0]           h_offset;
  logic [LenWidth-1:0]   h_end_q;    // last byte of the frame
  logic [QueueWidth-1:0] h_queue_q;
  logic [TagWidth-1:0]   h_tag_q;
  logic                  h_super_q;  // it is cut

  // ---- Sections

  logic [LenWidth-1:0]   header_bytes;
  logic [LaneWidth-1:0]  header_fill;
  logic [1:0]            header_words;
  logic                  takes;      // the state is one that takes bytes of beats
  logic                  headers;    // which go to the template
  logic                  emit_q;     // the state is Emit
  logic                  emit;       // bytes of headers are taken from the template
  logic                  take;
  logic                  starts;
  logic [LenWidth-1:0]   left;
  logic [LaneWidth-1:0]  lane;
  logic [LaneWidth-1:0]  held;       // bytes of the beat, less one
  logic [LaneWidth-1:0]  most;       // bytes that can be taken, less one
  logic [LenWidth:0]     rest;       // negative where the section ends
  logic                  done;       // it does
  logic [LaneWidth-1:0]  count;      // bytes taken, less one
  logic [LaneWidth:0]    sum;
  logic                  full;
  logic                  hdr_word;
  logic [HeaderWidth-1:0] pos_q;     // bytes of headers taken
  logic [LaneWidth-1:0]  tmpl_fill;  // bytes of the template's word in hand
  logic [LaneWidth-1:0]  tmpl_room;  // bytes that it lacks, less one
  logic                  tmpl_full;

  assign tmpl_fill = LaneWidth'(pos_q[TemplateLane-1:0]);
  assign tmpl_room = tmpl_fill ^ LaneWidth'(TemplateBytes - 1);
  assign tmpl_full = count == tmpl_room || done;

  assign header_bytes = hdr_hash_i ? LenWidth'(virtio_pkg::NetHdrHashBytes)
                                   : LenWidth'(virtio_pkg::NetHdrBytes);
  assign header_fill  = LaneWidth'(0) - header_bytes[LaneWidth-1:0];
  assign header_words = (hdr_hash_i && AxiBytes < virtio_pkg::NetHdrHashBytes) ? 2'd2 : 2'd1;

  assign starts = state_q == Chain;

  always_comb begin
    case (state_q)
      Chain:   takes = chain_valid_i && !chain_drop_i;
      Frame, Header, Head, Rest, Payload, Skip: takes = 1'b1;
      default: takes = 1'b0;
    endcase
  end

  assign headers = state_q == Head || state_q == Rest;
  assign emit    = emit_q && room_i;
  assign take    = takes && beat_valid_i && room_i;

  always_comb begin
    left     = left_q;
    hdr_word = hdr_q != '0;
    if (starts) begin
      left     = beat_gso_i ? header_bytes - 1'b1 : chain_last_byte_i;
      hdr_word = 1'b1;
    end
    lane = part_q ? lane_q : beat_lane_i;
    held = beat_end_i - lane;
    most = held;
    if (emit_q) begin
      lane = '0;
      most = LaneWidth'(TemplateBytes - 1);
    end else if (headers && held > tmpl_room) begin
      most = tmpl_room;
    end
    rest  = {1'b0, left} + {{(LenWidth + 1 - LaneWidth){1'b1}}, ~most};  // left - most - 1
    done  = state_q == Skip ? beat_last_i : rest[LenWidth];
    count = rest[LenWidth] ? left[LaneWidth-1:0] : most;
    sum   = {1'b0, fill_q} - ~{1'b0, count};                               // fill + count + 1
  end

  assign full         = sum[LaneWidth];
  assign beat_ready_o = take && (state_q == Skip || count == held);

  // ---- Judgement

  // Holds from the cycle after hdr_done on.
  logic [16:0] h_place;
  logic        h_fits;       // the checksum's place is in the frame
  logic        bad_frame;    // as a frame that is not cut
  logic        udp;
  logic        tcp4;
  logic        tcp6;
  logic        bad_super;    // as one that is
  logic [8:0]  head_end;     // last byte of the headers that are read first

  assign h_place   = {1'b0, h_start} + {1'b0, h_offset};
  assign h_fits    = h_place < h_end_q;
  assign bad_frame = (h_csum && (!csum_i || !h_fits)) || h_end_q >= LenWidth'(MaxFrame);
  assign udp       = h_gso[6:0] == virtio_pkg::NetHdrGsoUdpL4[6:0];
  assign tcp4      = h_gso[6:0] == virtio_pkg::NetHdrGsoTcpV4[6:0];
  assign tcp6      = h_gso[6:0] == virtio_pkg::NetHdrGsoTcpV6[6:0];
  assign head_end  = {1'b0, h_start[7:0]} + (udp ? 9'(UdpBytes - 1) : 9'(TcpBytes - 1));

  // The headers of a super-frame start with those of Ethernet and IP, which tx_gso looks for.
  always_comb begin
    bad_super = !h_csum || !csum_i;
    if (!((tcp4 && tso4_i) || (tcp6 && tso6_i) || (udp && uso_i && !h_gso[7])) ||
        (h_gso[7] && !ecn_i) || h_gso_size == '0) begin
      bad_super = 1'b1;
    end
    if (h_offset != (udp ? 16'(UdpCheck) : 16'(TcpCheck)) || h_start[0] || h_start[15:8] != '0 ||
        head_end[8] || LenWidth'(head_end) >= h_end_q) begin
      bad_super = 1'b1;
    end
  end

  // ---- Control

  logic                     align_busy;   // bytes are on their way
  logic                     align_turning;
  logic                     sum_busy;
  logic                     gso_bad;
  logic                     gso_parsed;
  logic                     gso_ready;
  logic                     gso_busy;
  logic                     gso_start;
  logic                     gso_next;
  logic                     segment_go;
  logic [HalfWidth:0]       gso_hdr_half;
  logic [LenWidth-1:0]      gso_hdr;
  logic [5:0]               gso_options;
  logic [15:0]              seg_end;      // last byte of the segment's payload
  logic                     seg_last;
  logic                     last_q;       // the segment in hand is the last
  logic                     chain_dropped;    // a chain that was not read
  logic                     chain_ends;   // one that was
  logic                     skips;        // the chain is not what it should be

  assign gso_hdr    = LenWidth'({gso_hdr_half, 1'b0});
  // The frame in hand has begun to leave tx_align, so that h_end_q is free.
  assign segment_go = state_q == Segment && gso_ready && !align_turning;
  assign gso_start  = state_q == Start && !align_busy;
  assign gso_next   = (state_q == Settle && !align_busy) || (emit && done);
  assign skips      = state_q == Decide && !align_busy && h_gso != '0 && bad_super;
  assign chain_dropped  = starts && chain_valid_i && chain_drop_i && !align_busy;

  always_comb begin
    case (state_q)
      Chain:       chain_ends = take && done && !beat_gso_i;
      Frame, Skip: chain_ends = take && done;
      Payload:     chain_ends = take && done && last_q;
      default:     chain_ends = 1'b0;
    endcase
  end

  assign chain_ready_o = chain_dropped || (starts && take);

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      state_q <= Chain;
      part_q  <= 1'b0;
      emit_q  <= 1'b0;
      fill_q  <= LaneWidth'(AxiBytes - virtio_pkg::NetHdrBytes);
    end else begin
      if (take) begin
        part_q <= !beat_ready_o;
        lane_q <= lane + count + 1'b1;
      end
      if (take || emit) begin
        left_q <= rest[LenWidth-1:0];
        pos_q  <= pos_q + HeaderWidth'(count) + 1'b1;
        hdr_q  <= (starts ? header_words : hdr_q) - 2'(full && hdr_word);
      end
      if (chain_ends || (starts && !take)) begin
        fill_q <= header_fill;
      end else if (headers) begin
        if (take) fill_q <= sum[LaneWidth-1:0] & LaneWidth'(TemplateBytes - 1);
      end else if (take || emit) begin
        fill_q <= sum[LaneWidth-1:0];
      end
      case (state_q)
        Chain: if (take) begin
          end_q   <= chain_last_byte_i - header_bytes;
          queue_q <= chain_queue_i;
          tag_q   <= chain_tag_i;
          if (beat_gso_i) begin
            state_q <= done ? Decide : Header;
          end else begin
            state_q <= done ? Chain : Frame;
          end
        end
        Frame, Skip: if (take && done) begin
          state_q <= Chain;
        end
        Header: if (take && done) begin
          state_q <= Decide;
        end
        Decide: if (!align_busy) begin
          fill_q <= '0;
          pos_q  <= '0;
          left_q <= h_end_q;
          if (h_gso == '0 || bad_super) begin
            state_q <= (h_gso == '0) ? Frame : Skip;
          end else begin
            left_q  <= LenWidth'(head_end);
            state_q <= Head;
          end
        end
        Head: if (take && done) begin
          state_q <= Start;
        end
        Start: if (!align_busy) begin
          state_q <= Parse;
        end
        Parse: begin
          left_q <= LenWidth'(gso_options);
          if (gso_bad) begin
            state_q <= Skip;
          end else if (gso_parsed) begin
            state_q <= (&gso_options) ? Settle : Rest;
          end
        end
        Rest: if (take && done) begin
          state_q <= Settle;
        end
        Settle: if (!align_busy) begin
          state_q <= Segment;
        end
        Segment: if (segment_go) begin
          left_q  <= gso_hdr - 1'b1;
          fill_q  <= '0;
          pos_q   <= '0;
          last_q  <= seg_last;
          emit_q  <= 1'b1;
          state_q <= Emit;
        end
        Emit: if (emit && done) begin
          left_q  <= LenWidth'(seg_end);
          emit_q  <= 1'b0;
          state_q <= Payload;
        end
        default: if (take && done) begin  // Payload
          state_q <= last_q ? Chain : Segment;
        end
      endcase
    end
  end

  always_ff @(posedge clk_i) begin
    if (align_turning) begin
      t_end_q   <= end_q;
      t_queue_q <= queue_q;
      t_tag_q   <= tag_q;
    end
    if (hdr_done) begin
      h_end_q   <= t_end_q;
      h_queue_q <= t_queue_q;
      h_tag_q   <= t_tag_q;
      h_super_q <= 1'b0;
    end else if (segment_go) begin
      h_end_q   <= gso_hdr + LenWidth'(seg_end);
      h_super_q <= 1'b1;
    end
  end

  // ---- Datapath

  logic                     header_only;
  logic [8*AxiBytes-1:0]    data;
  logic                     tmpl_we;
  logic [8*TemplateBytes-1:0] tmpl_data;
  logic                     gso_read;
  logic [TemplateWidth-1:0] gso_addr;
  logic [8*TemplateBytes-1:0] template_data;
  logic                     patch;
  logic [HalfWidth-1:0]     patch_place;
  logic [15:0]              patch_value;
  logic                     frame_begins;
  logic                     word_valid;
  logic                     word_last;
  logic [8*AxiBytes-1:0]    word;
  logic [TemplateWidth-1:0] turn_q;       // template word of the operation that turns
  logic [TemplateWidth-1:0] write_q;      // template word that is written

  assign header_only = starts ? beat_gso_i : state_q == Header;

  always_comb begin
    data = beat_data_i;
    if (emit_q) begin
      data[8*TemplateBytes-1:0] = template_data;
    end
  end

  tx_align #(
    .AxiBytes     (AxiBytes),
    .TemplateBytes(TemplateBytes)
  ) u_align (
    .clk_i            (clk_i),
    .rst_i            (rst_i),
    .hdr_hash_i       (hdr_hash_i),
    .turning_o        (align_turning),
    .busy_o           (align_busy),
    .take_i           (emit || (take && state_q != Skip)),
    .data_i           (data),
    .offset_i         (lane - fill_q),
    .fill_i           (fill_q),
    .low_i            (sum[LaneWidth-1:0]),
    .full_i           (full && !headers),
    .end_i            (done && !header_only && !headers && !emit_q),
    .hdr_i            (hdr_word),
    .tmpl_i           (headers && tmpl_full),
    .tmpl_we_o        (tmpl_we),
    .tmpl_data_o      (tmpl_data),
    .begin_o          (frame_begins),
    .word_valid_o     (word_valid),
    .word_last_o      (word_last),
    .word_o           (word),
    .hdr_done_o       (hdr_done),
    .hdr_csum_o       (h_csum),
    .hdr_gso_o        (h_gso),
    .hdr_gso_size_o   (h_gso_size),
    .hdr_csum_start_o (h_start),
    .hdr_csum_offset_o(h_offset)
  );

  // A word of headers that is not complete is written again by the next section.
  always_ff @(posedge clk_i) begin
    if (take && headers) begin
      turn_q <= pos_q[HeaderWidth-1:TemplateLane];
    end
    if (align_turning) begin
      write_q <= turn_q;
    end
  end

  // Cutting is rare: its part of the clock stands still otherwise.
  logic gso_clk;

  clock_gate u_gso_clock (
    .clk_i(clk_i),
    .en_i (rst_i || gso_busy || gso_start || gso_next || gso_parsed || gso_bad ||
           tmpl_we),
    .clk_o(gso_clk)
  );

  tx_template #(
    .WordBytes(TemplateBytes),
    .Bytes    (HeaderBytes)
  ) u_template (
    .clk_i        (gso_clk),
    .we_i         (tmpl_we),
    .waddr_i      (write_q),
    .wdata_i      (tmpl_data),
    .patch_i      (patch),
    .patch_place_i(patch_place),
    .patch_value_i(patch_value),
    .read_i       (emit_q || gso_read),
    .addr_i       (emit_q ? pos_q[HeaderWidth-1:TemplateLane] : gso_addr),
    .data_o       (template_data)
  );

  tx_gso #(
    .WordBytes(TemplateBytes),
    .Bytes    (HeaderBytes),
    .MaxFrame (MaxFrame)
  ) u_gso (
    .clk_i          (gso_clk),
    .rst_i          (rst_i),
    .busy_o         (gso_busy),
    .start_i        (gso_start),
    .udp_i          (udp),
    .ip4_i          (!tcp6),
    .ip6_i          (!tcp4),
    .gso_size_i     (h_gso_size),
    .csum_start_i   (h_start[HalfWidth:1]),
    .last_byte_i    (h_end_q),
    .bad_o          (gso_bad),
    .parsed_o       (gso_parsed),
    .hdr_len_o      (gso_hdr_half),
    .options_o      (gso_options),
    .next_i         (gso_next),
    .ready_o        (gso_ready),
    .seg_last_byte_o(seg_end),
    .seg_last_o     (seg_last),
    .tread_o        (gso_read),
    .tread_addr_o   (gso_addr),
    .tread_data_i   (template_data),
    .patch_o        (patch),
    .patch_place_o  (patch_place),
    .patch_value_o  (patch_value)
  );

  // ---- Frames

  localparam int unsigned CarryWidth = 1 + PlaceWidth + QueueWidth + TagWidth;

  logic f_bad_q;        // of the frame whose words are passing
  logic record_super;

  always_ff @(posedge clk_i) begin
    if (frame_begins) begin
      f_bad_q <= bad_frame && !h_super_q;
    end
  end

  assign we_o    = word_valid && !f_bad_q;
  assign wdata_o = word;

  tx_sum #(
    .AxiBytes(AxiBytes),
    .MaxFrame(MaxFrame),
    .Carry   (CarryWidth)
  ) u_sum (
    .clk_i         (clk_i),
    .rst_i         (rst_i),
    .busy_o        (sum_busy),
    .begin_i       (frame_begins),
    .csum_i        (h_csum),
    .never_zero_i  (h_offset == 16'(UdpCheck) || !h_super_q),
    .start_i       (h_start[PlaceWidth-1:0]),
    .place_i       (h_place[PlaceWidth-1:0]),
    .carry_i       ({h_super_q, h_end_q[PlaceWidth-1:0], h_queue_q, h_tag_q}),
    .word_valid_i  (we_o),
    .word_last_i   (word_last),
    .word_i        (word),
    .record_valid_o(record_valid_o),
    .record_csum_o (record_csum_o),
    .record_place_o(record_place_o),
    .record_value_o(record_value_o),
    .record_carry_o({record_super, record_end_o, record_queue_o, record_tag_o})
  );

  assign drop_bad_o = chain_dropped || skips || (state_q == Parse && gso_bad) ||
                      (frame_begins && bad_frame && !h_super_q);
  assign drop_queue_o = chain_dropped ? chain_queue_i : h_queue_q;
  assign csum_o       = record_valid_o && record_csum_o;
  assign tso_o        = state_q == Parse && gso_parsed;
  assign segment_o    = record_valid_o && record_super;

  always_comb begin
    idle_o = 1'b0;
    if (!align_busy && !sum_busy && !take && !emit) begin
      case (state_q)
        Chain:   idle_o = !(chain_valid_i && chain_drop_i) && fill_q == header_fill;
        Frame, Header, Head, Rest, Emit, Payload, Skip: idle_o = !gso_busy;
        default: idle_o = 1'b0;
      endcase
    end
  end

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // A frame is dropped in one way.
      a_drop: assert (32'(chain_dropped) + 32'(skips) + 32'(state_q == Parse && gso_bad) +
                      32'(frame_begins && bad_frame && !h_super_q) <= 1);
      // The template's two writers take turns.
      a_writers: assert (!(tmpl_we && patch));
    end
  end
`endif

endmodule
