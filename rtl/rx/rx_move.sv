// SPDX-License-Identifier: Apache-2.0
//
// rx_move: moves received frames, their header in front, into the segments planned for them.
//
// The frame's words follow each other at word boundaries; in front of the first stands a word that
// ends with the 12 bytes of virtio_net_hdr_v1 (AxiBytes = 16, num_buffers is its last field):
//
//      byte 15                                0
//     [ f2 f1 f0 .......... | ................ ]   word 1
//     [ ...................... f3 f2 f1 f0     ]   word 0
//     [ nb nb 0 0 0 0 0 0 0 0 0 0 | -  -  -  - ]   header word
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
//               both high.
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
  output logic                         quiet_o,

  input  logic                         plan_valid_i,
  output logic                         plan_ready_o,
  input  logic                         plan_drop_i,
  input  logic [CountWidth-1:0]        plan_segments_i,
  input  logic [CountWidth-1:0]        plan_buffers_i,
  input  logic [15:0]                  plan_len_i,

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
  localparam logic [LaneWidth-1:0] HeaderLane = LaneWidth'(AxiBytes - virtio_pkg::NetHdrBytes);

  if (AxiBytes < 16) $error("rx_move: AxiBytes must be at least 16");

  ////////////////////
  // Loader         //
  ////////////////////

  // One segment, or one frame to skip, ahead of the mover.
  logic                  next_valid_q;
  logic                  next_skip_q;
  logic                  next_first_q;        // of the frame: the header word comes in
  logic                  next_turn_q;         // its first beat is prev_q turned
  logic                  next_take_q;         // its last beat takes a word
  logic [LaneWidth-1:0]  next_offset_q;
  logic [BeatWidth-1:0]  next_beats_q;        // less one
  logic [AxiBytes-1:0]   next_first_strb_q;
  logic [AxiBytes-1:0]   next_last_strb_q;
  logic [CountWidth-1:0] next_buffers_q;

  logic [CountWidth-1:0] segment_q;           // number of the segment in its frame
  logic [LaneWidth-1:0]  position_q;          // of the segment's first byte in its word

  logic first;
  logic last;
  logic ready;      // a segment can be taken, if the bus takes the request
  logic load;
  logic next_free;

  assign first = segment_q == '0;
  assign last  = segment_q + 1'b1 == plan_segments_i;
  assign ready = plan_valid_i && seg_valid_i && next_free && !(first && stop_i);
  assign load  = ready && (plan_drop_i || req_ready_i);

  assign req_valid_o  = ready && !plan_drop_i;
  assign req_first_o  = first;
  assign req_addr_o   = seg_addr_i;
  assign req_bytes_o  = seg_bytes_i;
  assign seg_ready_o  = load;
  assign plan_ready_o = load && last;

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

      position       = first ? HeaderLane : position_q;
      lane           = seg_addr_i[LaneWidth-1:0];
      {turn, offset} = {1'b0, position} - {1'b0, lane};
      end_byte       = (LenWidth + 1)'(lane) + (LenWidth + 1)'(seg_bytes_i) - 1'b1;
      beats          = end_byte[LenWidth:LaneWidth];
      reach          = (LaneWidth + 2)'(offset) + (LaneWidth + 2)'(end_byte[LaneWidth-1:0]) + 1'b1;

      segment_q         <= last ? '0 : segment_q + 1'b1;
      position_q        <= position + seg_bytes_i[LaneWidth-1:0];
      next_valid_q      <= !plan_drop_i || last;
      next_skip_q       <= plan_drop_i;
      next_first_q      <= first;
      next_turn_q       <= turn;
      // The word that holds the next segment's first byte, or the frame's last, has to be taken.
      next_take_q       <= !(turn && beats == '0) &&
                           (last ? reach > (LaneWidth + 2)'(AxiBytes)
                                 : reach >= (LaneWidth + 2)'(AxiBytes));
      next_offset_q     <= offset;
      next_beats_q      <= plan_drop_i ? BeatWidth'((plan_len_i - 1'b1) >> LaneWidth) : beats;
      next_first_strb_q <= {AxiBytes{1'b1}} << lane;
      next_last_strb_q  <= {AxiBytes{1'b1}} >> ~end_byte[LaneWidth-1:0];
      next_buffers_q    <= plan_buffers_i;
    end else if (next_free) begin
      next_valid_q <= 1'b0;
    end
  end

  ////////////////////
  // Mover          //
  ////////////////////

  logic                  active_q;
  logic                  skip_q;
  logic                  turn_q;              // this beat is prev_q turned
  logic                  take_q;              // the last beat takes a word
  logic [LaneWidth-1:0]  offset_q;
  logic [BeatWidth-1:0]  beats_q;             // to come after this one
  logic [AxiBytes-1:0]   strb_q;              // lanes of this beat, but for the last one's end
  logic [AxiBytes-1:0]   last_strb_q;
  logic [8*AxiBytes-1:0] prev_q;
  logic                  w_valid_q;
  logic [AxiBytes-1:0]   w_strb_q;

  logic                  at_end;
  logic                  want;                // this beat takes a word
  logic                  move;
  logic                  emit;

  assign at_end    = beats_q == '0;
  assign want      = skip_q || (!turn_q && (!at_end || take_q));
  assign move      = active_q && (word_valid_i || !want) && (skip_q || !w_valid_q || w_ready_i);
  assign emit      = move && !skip_q;
  assign next_free = !next_valid_q || !active_q || (move && at_end);

  assign word_ready_o = active_q && want && (skip_q || !w_valid_q || w_ready_i);

  byte_rotate #(
    .Bytes(AxiBytes)
  ) u_rotate (
    .clk_i   (clk_i),
    .en_i    (emit),
    .turn_i  (turn_q),
    .offset_i(offset_q),
    .hi_i    (word_data_i),
    .lo_i    (prev_q),
    .data_o  (w_data_o)
  );

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      active_q <= 1'b0;
    end else if (!active_q || (move && at_end)) begin
      active_q    <= next_valid_q;
      skip_q      <= next_skip_q;
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
    if (next_valid_q && next_first_q && next_free) begin
      prev_q <= {16'(next_buffers_q), (8 * AxiBytes - 16)'(0)};
    end else if (move && want) begin
      prev_q <= word_data_i;
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      w_valid_q <= 1'b0;
    end else if (emit) begin
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
