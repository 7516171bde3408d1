// SPDX-License-Identifier: Apache-2.0
//
// mac_tx: a stream of frames to 64-bit XGMII (IEEE 802.3 clause 46), with preamble, padding to 60
// octets, FCS and inter-frame gap.
//
//   s_axis_*     tkeep counts from lane 0 and is full but for the last word. Once a frame has
//                started a word is taken every cycle: if tvalid is low then, the frame is cut off
//                with an error and a terminate symbol, counted in tx_underrun_o, and its remaining
//                words are taken and thrown away. So whoever sends stores whole frames.
//                s_axis_tready_o is decoded from registers; it is low between frames, also while
//                the first word of the next one is there.
//   tag_i        number of the frame, read when its first word is offered.
//   xgmii_tx*    registers. A frame starts in lane 0 or lane 4. Between frames that wait for
//                nothing else the gap is 12 octets on average, terminate symbol included, never
//                less than 9: the deficit idle count of 46.3.1.4. A frame that comes later than
//                that starts in lane 0.
//   ready_o      registered: a frame whose first word is offered in this cycle starts in it; one that
//                is offered in other cycles has not started, and may be withdrawn.
//   latency      the start symbol leaves four cycles after the first word was offered.
//   throughput   link rate: 84 octets of wire for every frame of 60 octets or fewer.
//   pulses       tx_ok_o with tx_bytes_o, the octets sent without FCS, padding included;
//                tx_underrun_o. Each for one cycle, when the frame's end leaves.
//   trace        start and end pulse in the cycle in which the start or terminate symbol leaves; end
//                a cycle early if a frame that started in lane 4 ends in lanes 0 to 3.
//   idle_o       no frame in hand and idle characters going out; without tvalid no register
//                changes.
//
// Words are made as if every frame started in lane 0 and then moved up by half a word if not:
//
//     front -> word_q -> sum_word_q -> out_word_q -> canon, shifted -> xgmii
//         (crc32 takes it)         (crc is final when this has the last word)
//
//     last word with n octets d, FCS f, terminate T, idle i:
//       n = 2:   i T f f f f d d                    n = 6:   f f d d d d d d    i i i i i T f f
//
// Parameters:
//   TagWidth   bits in a frame's tag

module mac_tx #(
  parameter int unsigned TagWidth = 32
) (
  input  logic                clk_i,
  input  logic                rst_i,

  input  logic                s_axis_tvalid_i,
  output logic                s_axis_tready_o,
  input  logic [63:0]         s_axis_tdata_i,
  input  logic [7:0]          s_axis_tkeep_i,
  input  logic                s_axis_tlast_i,
  input  logic [TagWidth-1:0] tag_i,
  output logic                ready_o,

  output logic [63:0]         xgmii_txd_o,
  output logic [7:0]          xgmii_txc_o,

  output logic                tx_ok_o,
  output logic [15:0]         tx_bytes_o,
  output logic                tx_underrun_o,

  output logic                trace_start_valid_o,
  output logic [TagWidth-1:0] trace_start_tag_o,
  output logic                trace_end_valid_o,
  output logic [TagWidth-1:0] trace_end_tag_o,

  output logic                idle_o
);

  localparam logic [63:0] IdleWord     = 64'h0707_0707_0707_0707;
  localparam logic [63:0] PreambleWord = 64'hD555_5555_5555_55FB;
  localparam logic [63:0] ErrorWord    = 64'h0707_0707_0707_FDFE;
  localparam logic [63:0] EndWord      = 64'hFDFD_FDFD_FDFD_FDFD;
  localparam logic [12:0] LastPadWord = 13'd7;  // 60 octets: seven full words and four octets

  ////////////////////
  // Front          //
  ////////////////////

  typedef enum logic [2:0] {
    Ready,    // a frame may start now
    Payload,  // takes a word
    Pad,      // makes up for a short frame
    Gap,      // lets wait_q cycles pass
    Drain     // throws away the rest of a frame that was cut off
  } state_e;

  typedef enum logic [2:0] {
    None,
    Preamble,
    Data,     // eight octets
    Last,     // octets_q octets, 1 to 8; idle characters above them, or what the FCS will hide
    Cut       // error symbol and terminate symbol
  } kind_e;

  state_e              state_q;
  logic [1:0]          wait_q;
  logic [1:0]          deficit_q;   // octets by which the gaps so far were shorter than 12 each
  logic                next_high_q; // the earliest start is in lane 4
  logic [12:0]         words_q;     // full words of the frame so far
  logic [15:0]         length_q;

  kind_e               kind_q;
  logic [63:0]         word_q;
  logic [3:0]          octets_q;
  logic                high_q;      // the frame started in lane 4
  logic [TagWidth-1:0] tag_q;

  // All bits of the lanes of which mask has a bit.
  function automatic logic [63:0] lanes(input logic [7:0] mask);
    lanes = {{8{mask[7]}}, {8{mask[6]}}, {8{mask[5]}}, {8{mask[4]}},
             {8{mask[3]}}, {8{mask[2]}}, {8{mask[1]}}, {8{mask[0]}}};
  endfunction

  function automatic logic [3:0] octets_of(input logic [7:0] keep);
    casez (keep)
      8'b1???????: octets_of = 4'd8;
      8'b01??????: octets_of = 4'd7;
      8'b001?????: octets_of = 4'd6;
      8'b0001????: octets_of = 4'd5;
      8'b00001???: octets_of = 4'd4;
      8'b000001??: octets_of = 4'd3;
      8'b0000001?: octets_of = 4'd2;
      default:     octets_of = 4'd1;
    endcase
  endfunction

  assign s_axis_tready_o = state_q == Payload || state_q == Drain;
  assign ready_o         = state_q == Ready;

  always_ff @(posedge clk_i) begin : front
    logic       ends;    // the word made now is the last one
    logic [3:0] octets;  // in it, with padding
    logic [7:0] keep;    // their lanes
    logic [2:0] lane;    // of the terminate symbol, for a start in lane 0
    logic       longer;  // the gap is more than 12 octets
    logic [1:0] halves;  // half words by which the gap ends after lane 4 of the next word
    if (rst_i) begin
      state_q     <= Ready;
      kind_q      <= None;
      word_q      <= IdleWord;
      deficit_q   <= '0;
      next_high_q <= 1'b0;
      wait_q      <= '0;
    end else if (state_q != Ready || s_axis_tvalid_i || kind_q != None || next_high_q
                 || deficit_q != '0) begin
      ends   = 1'b0;
      octets = 4'd8;
      keep   = '1;
      lane   = '0;
      longer = 1'b0;
      halves = '0;
      kind_q <= None;
      word_q <= IdleWord;

      case (state_q)
        Ready: begin
          next_high_q <= 1'b0;
          if (s_axis_tvalid_i) begin
            kind_q  <= Preamble;
            word_q  <= PreambleWord;
            high_q  <= next_high_q;
            tag_q   <= tag_i;
            words_q <= '0;
            state_q <= Payload;
          end else begin
            deficit_q <= '0;
          end
        end

        Payload: begin
          words_q <= words_q + 1'b1;
          if (!s_axis_tvalid_i) begin
            kind_q  <= Cut;
            word_q  <= ErrorWord;
            state_q <= Drain;
          end else begin
            kind_q <= Data;
            word_q <= s_axis_tdata_i;
            if (s_axis_tlast_i) begin
              keep   = s_axis_tkeep_i;
              octets = octets_of(s_axis_tkeep_i);
              word_q <= s_axis_tdata_i & lanes(s_axis_tkeep_i);
              if (words_q < LastPadWord) begin
                state_q <= Pad;
              end else begin
                ends = 1'b1;
                if (words_q == LastPadWord) begin
                  keep = s_axis_tkeep_i | 8'h0F;
                  if (octets < 4'd4) octets = 4'd4;
                end
                word_q <= (s_axis_tdata_i & lanes(s_axis_tkeep_i)) | (IdleWord & ~lanes(keep));
              end
            end
          end
        end

        Pad: begin
          words_q <= words_q + 1'b1;
          kind_q  <= Data;
          word_q  <= '0;
          if (words_q == LastPadWord) begin
            ends   = 1'b1;
            octets = 4'd4;
            word_q <= IdleWord & ~lanes(8'h0F);
          end
        end

        Gap: begin
          wait_q <= wait_q - 1'b1;
          if (wait_q == 2'd1) begin
            state_q <= Ready;
          end
        end

        default: begin  // Drain
          if (s_axis_tvalid_i && s_axis_tlast_i) begin
            deficit_q <= '0;
            wait_q    <= 2'd2;
            state_q   <= Gap;
          end
        end
      endcase

      if (ends) begin
        kind_q   <= Last;
        octets_q <= octets;
        length_q <= {words_q, 3'd0} + 16'(octets);
        // Four octets of FCS on: the terminate symbol is in this word, or in the next if four
        // octets or more are taken. The earliest start, 12 octets on, is moved down to lane 0 or 4
        // while the deficit stays below four, else up.
        lane        = octets[2:0] ^ 3'd4;
        longer      = 3'(deficit_q) + 3'(lane[1:0]) > 3'd3;
        halves      = 2'(lane[2]) + 2'(high_q) + 2'(longer);
        deficit_q   <= deficit_q + lane[1:0];  // less four, that is modulo four, if longer
        next_high_q <= !halves[0];
        wait_q      <= 2'(halves[1]) + 2'(halves[0]) + 2'(octets[3:2] != '0);
        state_q     <= Gap;
        if (halves == '0 && octets[3:2] == '0) begin
          state_q <= Ready;
        end
      end
    end
  end

  ////////////////////
  // Sum            //
  ////////////////////

  kind_e               sum_kind_q;
  logic [63:0]         sum_word_q;
  logic [3:0]          sum_octets_q;
  logic                sum_high_q;
  logic [TagWidth-1:0] sum_tag_q;
  logic                first_q;     // the next word is the first of its frame
  kind_e               out_kind_q;
  logic [63:0]         out_word_q;
  logic [3:0]          out_octets_q;
  logic                out_high_q;
  logic [TagWidth-1:0] out_tag_q;
  logic [31:0]         crc;

  crc32 u_crc32 (
    .clk_i   (clk_i),
    .rst_i   (rst_i),
    .enable_i(kind_q == Data || kind_q == Last),
    .first_i (first_q),
    .data_i  (word_q),
    .octets_i((kind_q == Last) ? octets_q : 4'd8),
    .crc_o   (crc)
  );

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      sum_kind_q <= None;
      sum_word_q <= IdleWord;
      out_kind_q <= None;
      out_word_q <= IdleWord;
    end else if (kind_q != None || sum_kind_q != None || out_kind_q != None) begin
      sum_kind_q <= kind_q;
      sum_word_q <= word_q;
      first_q    <= kind_q == Preamble;
      out_kind_q <= sum_kind_q;
      out_word_q <= sum_word_q;
      if (sum_kind_q == Preamble) begin
        out_high_q <= sum_high_q;
        out_tag_q  <= sum_tag_q;
      end
      if (sum_kind_q == Last) begin
        out_octets_q <= sum_octets_q;
      end
      if (kind_q == Preamble) begin
        sum_high_q <= high_q;
        sum_tag_q  <= tag_q;
      end
      if (kind_q == Last) begin
        sum_octets_q <= octets_q;
      end
    end
  end

  ////////////////////
  // Put out        //
  ////////////////////

  logic        tail_q;      // part of the FCS, and the terminate symbol, are still to come
  logic [1:0]  trailing_q;  // cycles until hold_*_q and the outputs are idle again
  logic [31:0] hold_data_q; // the upper half of the word before, for a start in lane 4
  logic [3:0]  hold_ctrl_q;

  always_ff @(posedge clk_i) begin : put_out
    logic [63:0] canon;
    logic [7:0]  ctrl;
    logic        sent;
    logic [31:0] turned;  // the FCS, turned so that it fits whatever four lanes it gets
    logic [7:0]  fcs_at;  // its lanes in this word
    logic [7:0]  end_at;  // the terminate symbol's
    if (rst_i) begin
      tail_q              <= 1'b0;
      trailing_q          <= '0;
      hold_data_q         <= IdleWord[31:0];
      hold_ctrl_q         <= '1;
      xgmii_txd_o         <= IdleWord;
      xgmii_txc_o         <= '1;
      tx_ok_o             <= 1'b0;
      tx_underrun_o       <= 1'b0;
      trace_start_valid_o <= 1'b0;
      trace_end_valid_o   <= 1'b0;
    end else if (out_kind_q != None || trailing_q != '0) begin
      canon      = out_word_q;
      ctrl       = '1;
      sent       = tail_q;
      turned     = '0;
      fcs_at     = '0;
      end_at     = '0;
      tail_q     <= 1'b0;
      trailing_q <= 2'd2;

      if (out_kind_q == Last || tail_q) begin
        case (out_octets_q[1:0])
          2'd0:    turned = ~crc;
          2'd1:    turned = ~{crc[23:0], crc[31:24]};
          2'd2:    turned = ~{crc[15:0], crc[31:16]};
          default: turned = ~{crc[7:0], crc[31:8]};
        endcase
        fcs_at = tail_q ? 8'h0F >> (4'd8 - out_octets_q) : 8'h0F << out_octets_q;
        end_at = tail_q ? 8'h10 >> (4'd8 - out_octets_q) : 8'h10 << out_octets_q;
        canon  = (out_word_q & ~lanes(fcs_at | end_at)) | (lanes(fcs_at) & {turned, turned})
               | (lanes(end_at) & EndWord);
      end

      case (out_kind_q)
        Preamble: ctrl = 8'h01;
        Data:     ctrl = '0;
        Last: begin
          ctrl   = 8'hF0 << out_octets_q;
          sent   = out_octets_q < 4'd4;
          tail_q <= out_octets_q >= 4'd4;
        end
        Cut: ;
        default: begin
          if (tail_q) begin
            ctrl = ~fcs_at;
          end else begin
            trailing_q <= trailing_q - 1'b1;
          end
        end
      endcase

      if (out_high_q) begin
        xgmii_txd_o <= {canon[31:0], hold_data_q};
        xgmii_txc_o <= {ctrl[3:0], hold_ctrl_q};
        hold_data_q <= canon[63:32];
        hold_ctrl_q <= ctrl[7:4];
      end else begin
        xgmii_txd_o <= canon;
        xgmii_txc_o <= ctrl;
      end

      trace_start_valid_o <= out_kind_q == Preamble;
      trace_end_valid_o   <= sent || out_kind_q == Cut;
      tx_ok_o             <= sent;
      tx_underrun_o       <= out_kind_q == Cut;
      if (out_kind_q == Preamble) begin
        trace_start_tag_o <= out_tag_q;
      end
      if (sent || out_kind_q == Cut) begin
        trace_end_tag_o <= out_tag_q;
        tx_bytes_o      <= length_q;
      end
    end
  end

  assign idle_o = state_q == Ready && !next_high_q && deficit_q == '0 && kind_q == None
               && sum_kind_q == None && out_kind_q == None && trailing_q == '0;

  ////////////////////
  // Properties     //
  ////////////////////

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // The sender fills every word of a frame but the last.
      a_full_words: assert (!(s_axis_tvalid_i && s_axis_tready_o) || s_axis_tlast_i
                            || s_axis_tkeep_i == '1);
      // The sender offers no empty word, and the octets count from lane 0.
      a_keep: assert (!(s_axis_tvalid_i && s_axis_tready_o) || (s_axis_tkeep_i[0]
                      && (s_axis_tkeep_i & (s_axis_tkeep_i + 8'd1)) == '0));
      // A frame that starts in lane 0 finds the other lane's last half word gone.
      a_hold_empty: assert (!(out_kind_q == Preamble && !out_high_q) || hold_ctrl_q == '1);
      // The rest of an FCS goes out before anything else.
      a_tail: assert (!tail_q || out_kind_q == None);
      // Idle means idle on the wire.
      a_idle_wire: assert (!idle_o || (xgmii_txd_o == IdleWord && xgmii_txc_o == '1));
    end
  end
`endif

endmodule
