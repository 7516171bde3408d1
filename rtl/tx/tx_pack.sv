// SPDX-License-Identifier: Apache-2.0
//
// tx_pack: joins the fragments of a chain, which lie at any alignment, into the words of a frame.
//
// The chain starts with 12 bytes of virtio_net_hdr_v1. They are put at the end of a word of their own
// (it goes nowhere: nothing in it is negotiated), so that the frame starts at a word boundary
// (AxiBytes = 16):
//
//      byte 15                                0
//     [ .. . . . . . . . . . . . . . f17 f16   ]   word 1
//     [ f15 f14 ....................... f1 f0  ]   word 0
//     [ h11 h10 .......... h1 h0 | -  -  -  -  ]   header word
//
// A beat of a fragment is turned so that its first byte comes to the place where it belongs, `fill`;
// its bytes then complete the word, and those turned around the end begin the next one:
//
//     beat             [ b15 .................. b5 b4 b3 b2 b1 b0 ]     lane 5 goes to place 2
//     turned right 3   [ b2 b1 b0 b15 ................. b6 b5 b4 b3 ]
//     word             [ ^  ^  ^   ^                       |  a1 a0 ]     a: what was there
//                        next word's, where b15 is the 13th lane
//
//   rsp_*, frag_*  a beat of the fragment at the head of the queue of fragments in flight; no
//                  back-pressure. frag_ready_o comes with the fragment's last beat.
//   we_o, wdata_o  words of frames in order, one a cycle at most. A chain's last word may follow
//                  its last beat by a cycle: the next chain's first word is not written, so that
//                  the two never meet.
//   done_o         with or after the last word of a chain; once a chain.
//   idle_o         nothing in hand.
//
// Parameters:
//   AxiBytes   bytes in a beat and in a word

module tx_pack #(
  parameter int unsigned AxiBytes = 16,
  localparam int unsigned LaneWidth = $clog2(AxiBytes)
) (
  input  logic                         clk_i,
  input  logic                         rst_i,
  output logic                         idle_o,

  input  logic                         rsp_valid_i,
  input  logic [8*AxiBytes-1:0]        rsp_data_i,
  input  logic                         rsp_last_i,

  input  logic [LaneWidth-1:0]         frag_lane_i,   // address % AxiBytes
  input  logic [LaneWidth-1:0]         frag_end_i,    // (address + bytes - 1) % AxiBytes
  input  logic                         frag_last_i,   // the chain ends with it
  output logic                         frag_ready_o,

  output logic                         we_o,
  output logic [8*AxiBytes-1:0]        wdata_o,
  output logic                         done_o
);

  localparam logic [LaneWidth-1:0] HeaderLane = LaneWidth'(AxiBytes - virtio_pkg::NetHdrBytes);

  if (AxiBytes < 16) $error("tx_pack: AxiBytes must be at least 16");

  ////////////////////
  // Turn           //
  ////////////////////

  logic                 in_frag_q;    // the next beat is not the first of its fragment
  logic [LaneWidth-1:0] fill_q;       // bytes of the word in hand
  logic [LaneWidth-1:0] lane;
  logic [LaneWidth:0]   sum;          // bytes of the word in hand and of the beat

  always_comb begin
    lane = '0;
    sum  = '0;
    if (rsp_valid_i) begin
      lane = in_frag_q ? '0 : frag_lane_i;
      sum  = {1'b0, fill_q} + {1'b0, rsp_last_i ? frag_end_i : LaneWidth'(AxiBytes - 1)} + 1'b1 -
             {1'b0, lane};
    end
  end

  assign frag_ready_o = rsp_valid_i && rsp_last_i;

  // The beat in the second stage.
  logic                  s_valid_q;
  logic                  s_end_q;     // the chain ends with it
  logic                  s_full_q;    // it completes a word
  logic                  s_spill_q;   // and begins the next
  logic [LaneWidth-1:0]  s_fill_q;
  logic [8*AxiBytes-1:0] turned;

  byte_rotate #(
    .Bytes(AxiBytes)
  ) u_rotate (
    .clk_i   (clk_i),
    .en_i    (rsp_valid_i),
    .turn_i  (1'b1),
    .offset_i(lane - fill_q),
    .hi_i    (rsp_data_i),
    .lo_i    (rsp_data_i),
    .data_o  (turned)
  );

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      in_frag_q <= 1'b0;
      fill_q    <= HeaderLane;
      s_valid_q <= 1'b0;
    end else if (rsp_valid_i) begin
      in_frag_q <= !rsp_last_i;
      fill_q    <= (rsp_last_i && frag_last_i) ? HeaderLane : sum[LaneWidth-1:0];
      s_valid_q <= 1'b1;
      s_end_q   <= rsp_last_i && frag_last_i;
      s_full_q  <= sum[LaneWidth];
      s_spill_q <= sum[LaneWidth-1:0] != '0;
      s_fill_q  <= fill_q;
    end else begin
      s_valid_q <= 1'b0;
    end
  end

  ////////////////////
  // Merge          //
  ////////////////////

  logic                  header_q;    // the word in hand is the header's
  logic                  flush_q;     // the word in hand is the chain's last
  logic [8*AxiBytes-1:0] acc_q;       // the word in hand
  logic [8*AxiBytes-1:0] wdata_q;
  logic                  we_q;
  logic                  done_q;

  // The bits of a 64-bit word that belong to the first `fill` bytes of the whole word.
  function automatic logic [63:0] kept(input int unsigned word, input logic [LaneWidth-1:0] fill);
    if (32'(fill) >= 8 * word + 8) begin
      kept = '1;
    end else if (32'(fill) <= 8 * word) begin
      kept = '0;
    end else begin
      kept = ~(64'hffff_ffff_ffff_ffff << {fill[2:0], 3'b000});
    end
  endfunction

  function automatic logic [8*AxiBytes-1:0] merge(input logic [8*AxiBytes-1:0] old,
                                                  input logic [8*AxiBytes-1:0] news,
                                                  input logic [LaneWidth-1:0] fill);
    logic [63:0] mask;
    merge = '0;
    for (int unsigned i = 0; i < AxiBytes / 8; i++) begin
      mask = kept(i, fill);
      merge[64*i +: 64] = (old[64*i +: 64] & mask) | (news[64*i +: 64] & ~mask);
    end
  endfunction

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      header_q <= 1'b1;
      flush_q  <= 1'b0;
      we_q     <= 1'b0;
      done_q   <= 1'b0;
    end else if (s_valid_q || flush_q || we_q) begin
      we_q    <= flush_q || (s_valid_q && !header_q && (s_full_q || s_end_q));
      done_q  <= flush_q || (s_valid_q && s_end_q && !(s_full_q && s_spill_q));
      flush_q <= s_valid_q && s_end_q && s_full_q && s_spill_q;
      if (s_valid_q) begin
        header_q <= s_end_q || (header_q && !s_full_q);
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (flush_q) begin
      wdata_q <= acc_q;
    end else if (s_valid_q && (s_full_q || s_end_q)) begin
      wdata_q <= merge(acc_q, turned, s_fill_q);
    end
    if (s_valid_q) begin
      acc_q <= s_full_q ? turned : merge(acc_q, turned, s_fill_q);
    end
  end

  assign we_o    = we_q;
  assign wdata_o = wdata_q;
  assign done_o  = done_q;
  assign idle_o  = !s_valid_q && !flush_q && !we_q && !rsp_valid_i;

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // While a chain's last word leaves, the next chain has none to write.
      a_no_collision: assert (!flush_q || !s_valid_q || header_q);
      // A chain holds more than its header.
      a_header: assert (!s_valid_q || !s_end_q || !header_q || (s_full_q && s_spill_q));
    end
  end
`endif

endmodule
