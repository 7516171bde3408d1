// SPDX-License-Identifier: Apache-2.0
//
// rx_move: moves received frames, their header in front, into the segments planned for them.
//
// The frame's words follow each other at word boundaries; in front of the first stands a word that
// ends with the 12 bytes of virtio_net_hdr_v1 (AxiBytes = 16, num_buffers is its last field). The 20
// bytes of virtio_net_hdr_v1_hash end a word likewise, and with AxiBytes = 16 begin in the one before:
//
//      byte 15                                0             byte 15                             0
//     [ f31 ............................. f16   ]  word 1   [ f31 .......................... f16 ]
//     [ f15 ............................. f0    ]  word 0   [ f15 .......................... f0  ]
//     [ nb nb ................. h1 h0 | - - - - ]  header   [ 0 0 hash_report hash .. nb nb ..   ]
//                                                           [ h3 h2 h1 h0 | - - - - - - - - - -  ]
//
// A segment takes the bytes from `position` on to its address. With lane = addr % AxiBytes, the beat
// that holds the segment's first byte takes the source bytes from position - lane on, the next beats
// AxiBytes further each: the offset into a pair of words is the same for all of its beats. `prev_q`
// always holds the word with the byte that is next.
//
//     position % AxiBytes >= lane:  beat = bytes [offset ..] of {next word, prev_q}
//     position % AxiBytes <  lane:  first beat = prev_q turned left, its low lanes are not written;
//                                   then as above
//
//   plan, seg   the heads of the queues of plans and segments; they move when valid and ready are
//               both high. A frame that is dropped has its segments taken, and no words.
//   hdr_hash_i  the header is virtio_net_hdr_v1_hash; constant while anything is in hand.
//   req, w      to axi_write; requests go a segment ahead of their data. w_* are registers and stay
//               until they move. One beat a cycle, no cycle lost between segments or frames.
//   word_*      the frames' words, in order, all there.
//   stop_i      starts no frame. quiet_o: none in hand.
//
// Parameters:
//   AxiBytes     bytes in a word and in a beat
//   CountWidth   bits of the number of segments and of buffers

module rx_move #(
  parameter int unsigned AxiBytes = 16,
  parameter int unsigned CountWidth = 8
) (
  input  logic                         clk_i,
  input  logic                         rst_i,
  input  logic                         stop_i,
  input  logic                         hdr_hash_i,
  output logic                         quiet_o,

  input  logic                         plan_valid_i,
  output logic                         plan_ready_o,
  input  logic                         plan_drop_i,
  input  logic [CountWidth-1:0]        plan_segments_i,
  input  logic [CountWidth-1:0]        plan_buffers_i,
  input  nic_pkg::rx_header_t          plan_header_i,

  input  logic                         seg_valid_i,
  output logic                         seg_ready_o,
  input  logic [63:0]                  seg_addr_i,
  input  logic [nic_pkg::LenWidth-1:0] seg_bytes_i,

  input  logic                         word_valid_i,
  output logic                         word_ready_o,
  input  logic [8*AxiBytes-1:0]        word_data_i,

  output logic                         req_valid_o,
  input  logic                         req_ready_i,
  output logic                         req_first_o,  // of the frame's
  output logic [63:0]                  req_addr_o,
  output logic [nic_pkg::LenWidth-1:0] req_bytes_o,
  output logic                         w_valid_o,
  input  logic                         w_ready_i,
  output logic [8*AxiBytes-1:0]        w_data_o,
  output logic [AxiBytes-1:0]          w_strb_o
);

  localparam int unsigned LenWidth = nic_pkg::LenWidth;
  localparam int unsigned LaneWidth = $clog2(AxiBytes);
  localparam int unsigned BeatWidth = LenWidth - LaneWidth + 1;
  localparam int unsigned HashBytes = virtio_pkg::NetHdrHashBytes;
  localparam logic [LaneWidth-1:0] HeaderLane = LaneWidth'(AxiBytes - virtio_pkg::NetHdrBytes);
  localparam logic [LaneWidth-1:0] HashLane = LaneWidth'(2 * AxiBytes - HashBytes);

  localparam logic [15:0] TcpCsumOffset = 16'd16;  // of the checksum in a TCP header (RFC 9293)

  if (AxiBytes < 16) $error("rx_move: AxiBytes must be at least 16");

  ////////////////////
  // Loader         //
  ////////////////////

  // One segment ahead of the mover.
  logic                   next_valid_q;
  logic                   next_first_q;        // of the frame: the header comes in
  logic                   next_turn_q;         // its first beat is prev_q turned
  logic                   next_take_q;         // its last beat takes a word
  logic [LaneWidth-1:0]   next_offset_q;
  logic [BeatWidth-1:0]   next_beats_q;        // less one
  logic [AxiBytes-1:0]    next_first_strb_q;
  logic [AxiBytes-1:0]    next_last_strb_q;
  logic [8*HashBytes-1:0] next_header_q;

  logic [CountWidth-1:0]  segment_q;           // number of the segment in its frame
  logic [LaneWidth-1:0]   position_q;          // of the segment's first byte in its word

  logic first;
  logic last;
  logic ready;      // a segment can be taken, if the bus takes the request
  logic load;
  logic discard;    // one of a frame that is dropped
  logic next_free;

  assign first   = segment_q == '0;
  assign last    = segment_q + 1'b1 == plan_segments_i;
  assign ready   = plan_valid_i && !plan_drop_i && seg_valid_i && next_free && !(first && stop_i);
  assign load    = ready && req_ready_i;
  assign discard = plan_valid_i && plan_drop_i && seg_valid_i && plan_segments_i != '0;

  assign req_valid_o  = ready;
  assign req_first_o  = first;
  assign req_addr_o   = seg_addr_i;
  assign req_bytes_o  = seg_bytes_i;
  assign seg_ready_o  = load || discard;
  assign plan_ready_o = (seg_ready_o && last) || (plan_drop_i && plan_segments_i == '0);

  // virtio_net_hdr_v1_hash (virtio 1.2, 5.1.6); its first 12 bytes are virtio_net_hdr_v1.
  logic [7:0]             flags;
  logic [7:0]             gso_type;
  logic [8*HashBytes-1:0] header;

  always_comb begin
    flags    = virtio_pkg::NetHdrFNeedsCsum;
    gso_type = virtio_pkg::NetHdrGsoTcpV4;
    header   = '0;
    if (load && first) begin
      if (plan_header_i.ip6)  gso_type = virtio_pkg::NetHdrGsoTcpV6;
      if (!plan_header_i.gso) flags = plan_header_i.data_valid ? virtio_pkg::NetHdrFDataValid : '0;
      header = {28'd0, plan_header_i.hash_report, plan_header_i.hash, 16'(plan_buffers_i),
                72'd0, flags};
      if (plan_header_i.gso) begin
        header[79:8] = {TcpCsumOffset, 9'd0, plan_header_i.csum_start, plan_header_i.gso_size,
                        9'd0, plan_header_i.hdr_len, gso_type};
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      segment_q    <= '0;
      next_valid_q <= 1'b0;
    end else if (load) begin : p_load
      logic [LaneWidth-1:0] position;
      logic [LaneWidth-1:0] lane;
      logic [LaneWidth-1:0] offset;
      logic                 turn;
      logic [LenWidth:0]    end_byte;  // last byte, from the first beat's lane 0
      logic [BeatWidth-1:0] beats;
      logic [LaneWidth+1:0] reach;     // bytes of the pair that the last beat needs

      position       = !first ? position_q : hdr_hash_i ? HashLane : HeaderLane;
      lane           = seg_addr_i[LaneWidth-1:0];
      {turn, offset} = {1'b0, position} - {1'b0, lane};
      end_byte       = (LenWidth + 1)'(lane) + (LenWidth + 1)'(seg_bytes_i) - 1'b1;
      beats          = end_byte[LenWidth:LaneWidth];
      reach          = (LaneWidth + 2)'(offset) + (LaneWidth + 2)'(end_byte[LaneWidth-1:0]) + 1'b1;

      segment_q         <= last ? '0 : segment_q + 1'b1;
      position_q        <= position + seg_bytes_i[LaneWidth-1:0];
      next_valid_q      <= 1'b1;
      next_first_q      <= first;
      next_turn_q       <= turn;
      // The word that holds the next segment's first byte, or the frame's last, has to be taken.
      next_take_q       <= !(turn && beats == '0) &&
                           (last ? reach > (LaneWidth + 2)'(AxiBytes)
                                 : reach >= (LaneWidth + 2)'(AxiBytes));
      next_offset_q     <= offset;
      next_beats_q      <= beats;
      next_first_strb_q <= {AxiBytes{1'b1}} << lane;
      next_last_strb_q  <= {AxiBytes{1'b1}} >> ~end_byte[LaneWidth-1:0];
      if (first) begin
        next_header_q <= header;
      end
    end else if (next_free || discard) begin
      if (next_free) begin
        next_valid_q <= 1'b0;
      end
      if (discard) begin
        segment_q <= last ? '0 : segment_q + 1'b1;
      end
    end
  end

  ////////////////////
  // Mover          //
  ////////////////////

  logic                  active_q;
  logic                  turn_q;              // this beat is prev_q turned
  logic                  take_q;              // the last beat takes a word
  logic [LaneWidth-1:0]  offset_q;
  logic [BeatWidth-1:0]  beats_q;             // to come after this one
  logic [AxiBytes-1:0]   strb_q;              // lanes of this beat, but for the last one's end
  logic [AxiBytes-1:0]   last_strb_q;
  logic [8*AxiBytes-1:0] prev_q;
  logic                  w_valid_q;
  logic [AxiBytes-1:0]   w_strb_q;

  logic                  begin_frame;         // the header comes in
  logic                  word_valid;
  logic [8*AxiBytes-1:0] word;                // what follows prev_q
  logic                  word_ready;
  logic                  at_end;
  logic                  want;                // this beat takes a word
  logic                  move;

  assign at_end      = beats_q == '0;
  assign want        = !turn_q && (!at_end || take_q);
  assign move        = active_q && (word_valid || !want) && (!w_valid_q || w_ready_i);
  assign next_free   = !next_valid_q || !active_q || (move && at_end);
  assign word_ready  = active_q && want && (!w_valid_q || w_ready_i);
  assign begin_frame = next_valid_q && next_first_q && next_free;

  if (AxiBytes >= HashBytes) begin : g_one_word
    assign word_valid   = word_valid_i;
    assign word         = word_data_i;
    assign word_ready_o = word_ready;

    always_ff @(posedge clk_i) begin
      if (begin_frame) begin
        prev_q <= hdr_hash_i ? {next_header_q, (8 * (AxiBytes - HashBytes))'(0)}
                             : {next_header_q[8*virtio_pkg::NetHdrBytes-1:0],
                                (8 * (AxiBytes - virtio_pkg::NetHdrBytes))'(0)};
      end else if (move && want) begin
        prev_q <= word;
      end
    end
  end else begin : g_two_words
    // The header's end goes in front of the frame's words.
    localparam int unsigned Begin = HashBytes - AxiBytes;  // bytes in the word before it
    logic                  end_valid_q;
    logic [8*AxiBytes-1:0] end_q;

    assign word_valid   = end_valid_q || word_valid_i;
    assign word         = end_valid_q ? end_q : word_data_i;
    assign word_ready_o = word_ready && !end_valid_q;

    always_ff @(posedge clk_i) begin
      if (rst_i) begin
        end_valid_q <= 1'b0;
      end else if (begin_frame && hdr_hash_i) begin
        end_valid_q <= 1'b1;
        end_q       <= next_header_q[8*HashBytes-1:8*Begin];
      end else if (word_ready) begin
        end_valid_q <= 1'b0;
      end
    end

    always_ff @(posedge clk_i) begin
      if (begin_frame) begin
        prev_q <= hdr_hash_i ? {next_header_q[8*Begin-1:0], (8 * (AxiBytes - Begin))'(0)}
                             : {next_header_q[8*virtio_pkg::NetHdrBytes-1:0],
                                (8 * (AxiBytes - virtio_pkg::NetHdrBytes))'(0)};
      end else if (move && want) begin
        prev_q <= word;
      end
    end
  end

  byte_rotate #(
    .Bytes(AxiBytes)
  ) u_rotate (
    .clk_i   (clk_i),
    .en_i    (move),
    .turn_i  (turn_q),
    .offset_i(offset_q),
    .hi_i    (word),
    .lo_i    (prev_q),
    .data_o  (w_data_o)
  );

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      active_q <= 1'b0;
    end else if (!active_q || (move && at_end)) begin
      active_q    <= next_valid_q;
      turn_q      <= next_turn_q;
      take_q      <= next_take_q;
      offset_q    <= next_offset_q;
      beats_q     <= next_beats_q;
      strb_q      <= next_first_strb_q;
      last_strb_q <= next_last_strb_q;
    end else if (move) begin
      turn_q  <= 1'b0;
      strb_q  <= '1;
      beats_q <= beats_q - 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      w_valid_q <= 1'b0;
    end else if (move) begin
      w_valid_q <= 1'b1;
      w_strb_q  <= at_end ? strb_q & last_strb_q : strb_q;
    end else if (w_ready_i) begin
      w_valid_q <= 1'b0;
    end
  end

  assign w_valid_o = w_valid_q;
  assign w_strb_o  = w_strb_q;
  assign quiet_o   = !active_q && !next_valid_q && !w_valid_q && segment_q == '0;

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // A beat that leaves writes at least one byte.
      a_strobe: assert (!w_valid_q || w_strb_q != '0);
      // A request goes with the segment that it is for.
      a_request: assert (!(req_valid_o && req_ready_i) || load);
    end
  end
`endif

endmodule
