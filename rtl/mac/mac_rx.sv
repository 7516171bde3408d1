// SPDX-License-Identifier: Apache-2.0
//
// mac_rx: 64-bit XGMII (IEEE 802.3 clause 46) to a stream of frames without preamble and FCS.
//
//   xgmii_rx*    A frame may start in lane 0 or lane 4, one octet after the one before it. While
//                no frame is received every word that has no start symbol is ignored.
//   loop_*       With loop_i high, loop_txd_i and loop_txc_i are received in place of xgmii_rx*.
//   link_up_i    While it is low no frame starts.
//   m_axis_*     All registers; a word a cycle, no ready: it must be taken. tkeep counts from lane
//                0 and is full but for the last word. Every frame that has put out a word ends with
//                tlast, whatever comes from the wire. tuser_error_o, valid with tlast, marks a frame
//                to discard. A frame that breaks off before it has 5 octets puts out nothing.
//   tag_o        Number of the frame, the first after reset being 1, constant during the frame.
//                Every start symbol counts, so frames that put out nothing leave gaps.
//   pulses       Exactly one of rx_ok_o and the four errors, for one cycle, for every frame;
//                rx_bytes_o is the frame's length without FCS beside rx_ok_o.
//                  code       wrong preamble, or a control character before the terminate symbol,
//                             a new start symbol included. The frame ends there.
//                  oversize   more than MaxFrame octets. The frame ends there, the rest is ignored.
//                  undersize  fewer than 64 octets
//                  fcs        wrong frame check sequence
//                The first that fits counts.
//   pause_*      With pause_enable_i, frames to the MAC control address or to mac_i whose type and
//                opcode say PAUSE (annex 31B) put out no word. A good one pulses pause_valid_o in
//                place of rx_ok_o, pause_quanta_o beside it.
//   trace        trace_start_valid_o pulses in the cycle after a start symbol, with the frame's tag.
//   idle_o       no frame in hand; with idle characters coming in no register changes.
//   latency      a word leaves four cycles after its last octet was on xgmii_rxd_i.
//
// A frame that starts in lane 4 is moved by half a word, so that the octet after the preamble is in
// lane 0 whatever the start:
//
//             lane  7  6  5  4 | 3  2  1  0
//     word w        p  p  p  S | .  .  .  .       S start, p preamble and delimiter, d data
//     word w+1      d3 d2 d1 d0| p  p  p  p
//     word w+2      d11 ...  d8| d7 d6 d5 d4      first aligned word: d7 ... d0
//
// Whether a word holds payload or FCS is known only when the word after it has come; so a word waits
// in held_q for the one behind it:
//
//     decode -> word_q -> held_q -> beat_q -> m_axis     crc_q is final when beat_q has the last word
//
// Parameters:
//   TagWidth   bits in a frame's tag
//   MaxFrame   longest frame, in octets with FCS, 64 to 65,528

module mac_rx #(
  parameter int unsigned TagWidth = 32,
  parameter int unsigned MaxFrame = 9022
) (
  input  logic                clk_i,
  input  logic                rst_i,

  input  logic [63:0]         xgmii_rxd_i,
  input  logic [7:0]          xgmii_rxc_i,
  input  logic                loop_i,
  input  logic [63:0]         loop_txd_i,
  input  logic [7:0]          loop_txc_i,
  input  logic                link_up_i,
  input  logic                pause_enable_i,
  input  logic [47:0]         mac_i,           // station address, first octet on the wire in 47:40

  output logic                m_axis_tvalid_o,
  output logic [63:0]         m_axis_tdata_o,
  output logic [7:0]          m_axis_tkeep_o,
  output logic                m_axis_tlast_o,
  output logic                tuser_error_o,
  output logic [TagWidth-1:0] tag_o,

  output logic                rx_ok_o,
  output logic [15:0]         rx_bytes_o,
  output logic                rx_fcs_error_o,
  output logic                rx_undersize_o,
  output logic                rx_oversize_o,
  output logic                rx_code_error_o,
  output logic                pause_valid_o,
  output logic [15:0]         pause_quanta_o,

  output logic                trace_start_valid_o,
  output logic [TagWidth-1:0] trace_start_tag_o,

  output logic                idle_o
);

  if (MaxFrame < 64 || MaxFrame > 65528) $error("mac_rx: MaxFrame must be 64 to 65528");

  localparam logic [7:0]  Start     = 8'hFB;
  localparam logic [7:0]  Terminate = 8'hFD;
  localparam logic [55:0] Preamble  = 56'hD5_5555_5555_5555;  // what follows the start symbol

  // What a frame for MAC control begins with: address 01-80-C2-00-00-01; type 8808, opcode 0001.
  localparam logic [47:0] ControlMac  = 48'h01_00_00_C2_80_01;
  localparam logic [31:0] PauseOpcode = 32'h01_00_08_88;

  // The CRC after a good FCS; and the same after 1 to 7 octets of zero behind it.
  localparam logic [31:0] Residue = 32'hDEBB_20E3;

  function automatic logic [255:0] residues_of(input logic [31:0] residue);
    logic [31:0] crc;
    residues_of = '0;
    crc         = residue;
    for (int i = 0; i < 8; i++) begin
      residues_of[32*i +: 32] = crc;
      for (int j = 0; j < 8; j++) crc = (crc >> 1) ^ (crc[0] ? 32'hEDB8_8320 : 32'd0);
    end
  endfunction

  localparam logic [255:0] Residues = residues_of(Residue);

  localparam logic [12:0] MaxWords = 13'(MaxFrame / 8);

  ////////////////////
  // Decode, align  //
  ////////////////////

  typedef enum logic [1:0] {
    Hunt,      // no frame
    HalfWay,   // the first half of a preamble has come, in lanes 4 to 7
    InFrame,
    Poisoned   // a frame began with a wrong preamble
  } state_e;

  typedef enum logic [1:0] {
    None,
    Data,      // eight octets of a frame
    Last,      // word_octets_q octets, 0 to 7, before the terminate symbol; zeros from there on
    Abort      // the frame ends here as an error; nothing of this word counts
  } kind_e;

  typedef enum logic [1:0] {
    Good,      // unless the FCS is wrong
    Code,
    Oversize,
    Undersize
  } verdict_e;

  state_e              state_q;
  logic                shift_q;        // the frame started in lane 4
  logic                first_q;        // no word of the frame has come
  logic [31:0]         upper_data_q;   // lanes 4 to 7 of the word before
  logic [3:0]          upper_ctrl_q;
  logic [12:0]         words_q;        // full words of the frame so far
  logic [TagWidth-1:0] start_tag_q;

  kind_e               kind_q;
  logic [63:0]         word_q;
  logic [2:0]          word_octets_q;
  logic                word_first_q;
  verdict_e            word_verdict_q;
  logic [15:0]         word_length_q;  // of the whole frame, without FCS; with Last
  logic [TagWidth-1:0] word_tag_q;

  // All bits of the lanes of which mask has a bit.
  function automatic logic [63:0] lanes(input logic [7:0] mask);
    lanes = {{8{mask[7]}}, {8{mask[6]}}, {8{mask[5]}}, {8{mask[4]}},
             {8{mask[3]}}, {8{mask[2]}}, {8{mask[1]}}, {8{mask[0]}}};
  endfunction

  // Number of octets before the first control character.
  function automatic logic [2:0] octets_before(input logic [7:0] ctrl);
    casez (ctrl)
      8'b???????1: octets_before = 3'd0;
      8'b??????10: octets_before = 3'd1;
      8'b?????100: octets_before = 3'd2;
      8'b????1000: octets_before = 3'd3;
      8'b???10000: octets_before = 3'd4;
      8'b??100000: octets_before = 3'd5;
      8'b?1000000: octets_before = 3'd6;
      default:     octets_before = 3'd7;
    endcase
  endfunction

  always_ff @(posedge clk_i) begin : decode
    logic [63:0] data;
    logic [7:0]  ctrl;
    logic [2:0]  octets;
    logic [15:0] length;
    logic        starts_low;
    logic        starts_high;
    logic        free;     // a start symbol in this word starts a frame
    logic [7:0]  at;       // the first control character
    logic [63:0] rxd;      // what is received
    logic [7:0]  rxc;
    rxd         = loop_i ? loop_txd_i : xgmii_rxd_i;
    rxc         = loop_i ? loop_txc_i : xgmii_rxc_i;
    starts_low  = link_up_i && rxc[0] && rxd[7:0] == Start;
    starts_high = link_up_i && rxc[4] && rxd[39:32] == Start;
    if (rst_i) begin
      state_q             <= Hunt;
      kind_q              <= None;
      start_tag_q         <= '0;
      trace_start_valid_o <= 1'b0;
    end else if (state_q != Hunt || kind_q != None || trace_start_valid_o
                 || starts_low || starts_high) begin
      data   = rxd;
      ctrl   = rxc;
      octets = '0;
      length = '0;
      at     = '0;
      free   = 1'b1;
      kind_q <= None;

      case (state_q)
        InFrame: begin
          if (shift_q) begin
            data = {rxd[31:0], upper_data_q};
            ctrl = {rxc[3:0], upper_ctrl_q};
          end
          word_q       <= data;
          word_first_q <= first_q;
          word_tag_q   <= start_tag_q;
          if (ctrl == '0 && !(shift_q && starts_high)) begin
            first_q <= 1'b0;
            words_q <= words_q + 1'b1;
            if (words_q == MaxWords) begin
              kind_q         <= Abort;
              word_verdict_q <= Oversize;
              state_q        <= Hunt;
            end else begin
              kind_q <= Data;
              free   = 1'b0;
            end
          end else begin
            octets        = octets_before(ctrl);
            at            = 8'(data >> {octets, 3'd0});
            length        = {words_q, octets};
            word_octets_q <= octets;
            word_q        <= data & lanes((ctrl - 8'd1) & ~ctrl);
            word_length_q <= length - 16'd4;
            state_q       <= Hunt;
            if (ctrl == '0 || at != Terminate) begin
              kind_q         <= Abort;
              word_verdict_q <= Code;
            end else begin
              kind_q         <= Last;
              word_verdict_q <= (length > 16'(MaxFrame)) ? Oversize
                              : (length < 16'd64)        ? Undersize : Good;
            end
          end
        end

        HalfWay: begin
          if (rxc[3:0] != '0 || rxd[31:0] != Preamble[55:24] || starts_high) begin
            kind_q         <= Abort;
            word_verdict_q <= Code;
            word_first_q   <= 1'b1;
            state_q        <= Hunt;
          end else begin
            state_q <= InFrame;
            free    = 1'b0;
          end
        end

        Poisoned: begin
          kind_q         <= Abort;
          word_verdict_q <= Code;
          word_first_q   <= 1'b1;
          state_q        <= Hunt;
        end

        default: ;
      endcase

      trace_start_valid_o <= free && (starts_low || starts_high);
      if (free && (starts_low || starts_high)) begin
        start_tag_q <= start_tag_q + 1'b1;
        first_q     <= 1'b1;
        words_q     <= '0;
        if (starts_low) begin
          shift_q <= 1'b0;
          state_q <= (rxc == 8'h01 && rxd[63:8] == Preamble) ? InFrame : Poisoned;
        end else begin
          shift_q <= 1'b1;
          state_q <= (rxc[7:4] == 4'h1 && rxd[63:40] == Preamble[23:0])
                   ? HalfWay : Poisoned;
        end
      end
      upper_data_q <= rxd[63:32];
      upper_ctrl_q <= rxc[7:4];
    end
  end

  ////////////////////
  // Hold, check    //
  ////////////////////

  logic [31:0] crc;
  logic        takes;

  assign takes = kind_q == Data || (kind_q == Last && word_octets_q != '0);

  crc32 #(
    .Partial(1'b0)
  ) u_crc32 (
    .clk_i   (clk_i),
    .rst_i   (rst_i),
    .enable_i(takes),
    .first_i (word_first_q),
    .data_i  (word_q),
    .octets_i(4'd8),
    .crc_o   (crc)
  );

  logic                held_valid_q;
  logic [63:0]         held_q;
  logic [TagWidth-1:0] held_tag_q;
  logic                tail_q;        // held_q is the last word of its frame
  logic [7:0]          tail_keep_q;

  logic                beat_valid_q;
  logic                beat_tail_q;   // its frame was judged in the cycle before
  logic                beat_last_q;
  logic [63:0]         beat_q;
  logic [7:0]          beat_keep_q;
  logic [TagWidth-1:0] beat_tag_q;
  logic                end_q;         // a frame ended: judge it
  verdict_e            end_verdict_q;
  logic [2:0]          end_zeros_q;   // octets of zero that the CRC took behind the frame
  logic                end_pause_q;   // the frame is a pause frame
  logic [15:0]         end_length_q;

  logic        held_first_q;  // held_q is the first word of its frame
  logic        pause_q;       // held_q is of a pause frame, and not its first word
  logic        is_pause;      // held_q and word_q are the first words of one
  logic        quanta_next_q; // the next word is the third of a pause frame
  logic [15:0] quanta_q;

  always_comb begin
    is_pause = 1'b0;
    if (pause_enable_i && kind_q == Data && held_valid_q && held_first_q && !word_first_q) begin
      is_pause = word_q[63:32] == PauseOpcode
              && (held_q[47:0] == ControlMac
                  || held_q[47:0] == {mac_i[7:0], mac_i[15:8], mac_i[23:16],
                                      mac_i[31:24], mac_i[39:32], mac_i[47:40]});
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      held_valid_q  <= 1'b0;
      tail_q        <= 1'b0;
      beat_valid_q  <= 1'b0;
      end_q         <= 1'b0;
      pause_q       <= 1'b0;
      quanta_next_q <= 1'b0;
    end else if (kind_q != None || tail_q || beat_valid_q || end_q) begin
      beat_valid_q <= held_valid_q && (kind_q != None || tail_q) && !is_pause && !pause_q;
      beat_q       <= held_q;
      beat_tag_q   <= held_tag_q;
      beat_keep_q  <= '1;
      beat_tail_q  <= tail_q;
      beat_last_q  <= 1'b0;
      tail_q       <= 1'b0;
      end_q        <= 1'b0;

      if (tail_q) begin
        held_valid_q <= 1'b0;
        beat_keep_q  <= tail_keep_q;
        beat_last_q  <= 1'b1;
      end
      if (kind_q != None) begin
        held_q       <= word_q;
        held_valid_q <= kind_q == Data;
        held_tag_q   <= word_tag_q;
        held_first_q <= word_first_q;
        pause_q       <= (pause_q || is_pause) && !word_first_q;
        quanta_next_q <= is_pause;
        if (quanta_next_q) quanta_q <= {word_q[7:0], word_q[15:8]};
        if (kind_q != Data) begin
          end_q         <= 1'b1;
          end_verdict_q <= word_verdict_q;
          end_length_q  <= word_length_q;
          end_zeros_q   <= 3'd0 - word_octets_q;
          end_pause_q   <= pause_q && !word_first_q;
          if (kind_q == Last && word_octets_q > 3'd4) begin
            held_valid_q <= 1'b1;
            tail_q       <= 1'b1;
            tail_keep_q  <= 8'h0F >> (4'd8 - {1'b0, word_octets_q});
          end else if (!tail_q) begin
            beat_last_q <= 1'b1;
            if (kind_q == Last) begin
              beat_keep_q <= 8'hFF >> (3'd4 - word_octets_q);
            end
          end
        end
      end
    end
  end

  ////////////////////
  // Put out        //
  ////////////////////

  logic judged_q;  // a pulse is out
  logic bad_q;     // the judgement, for a tail that leaves a cycle later

  always_ff @(posedge clk_i) begin : put_out
    logic bad;
    if (rst_i) begin
      m_axis_tvalid_o <= 1'b0;
      m_axis_tlast_o  <= 1'b0;
      judged_q        <= 1'b0;
      rx_ok_o         <= 1'b0;
      rx_fcs_error_o  <= 1'b0;
      rx_undersize_o  <= 1'b0;
      rx_oversize_o   <= 1'b0;
      rx_code_error_o <= 1'b0;
      pause_valid_o   <= 1'b0;
    end else if (beat_valid_q || end_q || m_axis_tvalid_o || judged_q) begin
      bad             = 1'b0;
      judged_q        <= end_q;
      rx_ok_o         <= 1'b0;
      rx_fcs_error_o  <= 1'b0;
      rx_undersize_o  <= 1'b0;
      rx_oversize_o   <= 1'b0;
      rx_code_error_o <= 1'b0;
      pause_valid_o   <= 1'b0;
      if (end_q) begin
        bad = end_verdict_q != Good || crc != Residues[{end_zeros_q, 5'd0} +: 32];
        bad_q           <= bad;
        rx_ok_o         <= !bad && !end_pause_q;
        pause_valid_o   <= !bad && end_pause_q;
        pause_quanta_o  <= quanta_q;
        rx_fcs_error_o  <= end_verdict_q == Good && bad;
        rx_undersize_o  <= end_verdict_q == Undersize;
        rx_oversize_o   <= end_verdict_q == Oversize;
        rx_code_error_o <= end_verdict_q == Code;
        rx_bytes_o      <= end_length_q;
      end
      m_axis_tvalid_o <= beat_valid_q;
      m_axis_tlast_o  <= beat_valid_q && beat_last_q;
      if (beat_valid_q) begin
        m_axis_tdata_o <= beat_q;
        m_axis_tkeep_o <= beat_keep_q;
        tuser_error_o  <= beat_tail_q ? bad_q : bad;
        tag_o          <= beat_tag_q;
      end
    end
  end

  assign trace_start_tag_o = start_tag_q;

  assign idle_o = state_q == Hunt && kind_q == None && !trace_start_valid_o && !tail_q
               && !beat_valid_q && !end_q && !m_axis_tvalid_o && !judged_q;

  ////////////////////
  // Properties     //
  ////////////////////

`ifndef SYNTHESIS
  logic open_q;  // a frame has put out a word and not its last one

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      open_q <= 1'b0;
    end else begin
      if (m_axis_tvalid_o) begin
        open_q <= !m_axis_tlast_o;
      end
      // A frame puts out a word every cycle until its last.
      a_no_bubble: assert (!open_q || m_axis_tvalid_o);
      // Only the last word of a frame is not full.
      a_full_words: assert (!m_axis_tvalid_o || m_axis_tlast_o || m_axis_tkeep_o == '1);
      // No word is empty, and its octets count from lane 0.
      a_keep: assert (!m_axis_tvalid_o || (m_axis_tkeep_o[0]
                      && (m_axis_tkeep_o & (m_axis_tkeep_o + 8'd1)) == '0));
      // A frame is counted once: at most one of the pulses is high.
      a_one_pulse: assert (3'(rx_ok_o) + 3'(rx_fcs_error_o) + 3'(rx_undersize_o)
                           + 3'(rx_oversize_o) + 3'(rx_code_error_o) + 3'(pause_valid_o) <= 3'd1);
      // A pause frame is known before its first word could leave.
      a_pause_in_time: assert (!is_pause || !pause_q);
      // Only a good frame ends without the error mark.
      a_good_is_ok: assert (!(rx_ok_o && m_axis_tvalid_o && m_axis_tlast_o && tuser_error_o));
      // A held word never waits: the word behind it, or its own end, is there.
      a_held_moves: assert (!held_valid_q || kind_q != None || tail_q);
    end
  end
`endif

endmodule
