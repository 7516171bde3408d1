// SPDX-License-Identifier: Apache-2.0
//
// mac_pause: pause frames (IEEE 802.3 annex 31B), in front of mac_tx.
//
//   received  pause_valid_i brings the quanta of a good pause frame. For that many times 512 bit times,
//             8 cycles of 8 octets, no frame of s_axis starts; the one that is going out is not held
//             up. A later pause frame counts instead of an earlier one, 0 lets go at once. So do
//             rx_enable_i and link_up_i when they fall.
//   sent      While congested_i is high and tx_enable_i too, the other end is asked to pause: a frame
//             with 0xFFFF quanta when it rises and again every 2^18 cycles, half of that time; one
//             with 0 when it falls. They go before frames of s_axis, and are not held up themselves.
//   s_axis_*  frames to send, as mac_tx wants them. With nothing to hold up or send, everything
//             passes in the same cycle.
//   m_axis_*  to mac_tx, with ready_i, its ready_o; m_axis_pause_o marks frames made here.
//   idle_o    a clock edge with quiet inputs changes nothing. While the other end has asked for a
//             pause, or was asked for one, the time runs and this is low.
//
//   s_axis --------> [hold] --->|\
//   pause_valid_i -> [timer]    | |--> m_axis        a frame, once it has started, keeps the way
//   congested_i ---> [3 words]->|/

module mac_pause (
  input  logic        clk_i,
  input  logic        rst_i,

  input  logic        rx_enable_i,
  input  logic        tx_enable_i,
  input  logic        link_up_i,
  input  logic        congested_i,
  input  logic [47:0] mac_i,          // station address, first octet on the wire in 47:40

  input  logic        pause_valid_i,
  input  logic [15:0] pause_quanta_i,

  input  logic        s_axis_tvalid_i,
  output logic        s_axis_tready_o,
  input  logic [63:0] s_axis_tdata_i,
  input  logic [7:0]  s_axis_tkeep_i,
  input  logic        s_axis_tlast_i,

  input  logic        ready_i,        // a frame offered now starts now
  output logic        m_axis_tvalid_o,
  input  logic        m_axis_tready_i,
  output logic [63:0] m_axis_tdata_o,
  output logic [7:0]  m_axis_tkeep_o,
  output logic        m_axis_tlast_o,
  output logic        m_axis_pause_o,

  output logic        idle_o
);

  localparam int unsigned TimerWidth   = 19;  // 65,535 quanta
  localparam int unsigned RefreshWidth = 19;

  logic [TimerWidth-1:0]   timer_q;    // cycles for which nothing may start
  logic [RefreshWidth-1:0] refresh_q;  // cycles since the other end was asked to pause
  logic                    told_q;     // it was asked to, and not to go on yet
  logic                    mine_q;     // the frame that goes out is made here
  logic [1:0]              word_q;     // of it
  logic                    want, due, hold, mine;

  ////////////////////
  // Received       //
  ////////////////////

  assign hold = timer_q != '0;

  always_ff @(posedge clk_i) begin
    if (pause_valid_i || hold) begin
      timer_q <= timer_q - 1'b1;
      if (pause_valid_i) timer_q <= {pause_quanta_i, 3'd0};
      if (!rx_enable_i || !link_up_i) timer_q <= '0;
    end
    if (rst_i) timer_q <= '0;
  end

  ////////////////////
  // Sent           //
  ////////////////////

  assign want = congested_i && tx_enable_i;
  assign due  = want != told_q || (told_q && refresh_q[RefreshWidth-1]);
  assign mine = ready_i ? due : mine_q;

  always_ff @(posedge clk_i) begin
    if (told_q || due || mine_q) begin
      if (told_q && !refresh_q[RefreshWidth-1]) refresh_q <= refresh_q + 1'b1;
      if (mine_q && m_axis_tready_i) word_q <= word_q + 1'b1;
      if (ready_i) begin
        mine_q <= due;
        word_q <= 2'd0;
        if (due) begin
          told_q    <= want;
          refresh_q <= '0;
        end
      end
    end
    if (rst_i) begin
      told_q    <= 1'b0;
      mine_q    <= 1'b0;
      word_q    <= 2'd0;
      refresh_q <= '0;
    end
  end

  ////////////////////
  // The way out    //
  ////////////////////

  //   word    7      6      5      4      3      2      1      0      octet
  //     0   | source 47:32  | 01     00     00     C2     80     01 |
  //     1   | 01     00     08     88   | source 31:0               |
  //     2   |                                       | quanta        |
  always_comb begin
    m_axis_tvalid_o = s_axis_tvalid_i && !(ready_i && hold);
    m_axis_tdata_o  = s_axis_tdata_i;
    m_axis_tkeep_o  = s_axis_tkeep_i;
    m_axis_tlast_o  = s_axis_tlast_i;
    if (mine) begin
      m_axis_tvalid_o = 1'b1;
      m_axis_tkeep_o  = '1;
      m_axis_tlast_o  = 1'b0;
      case (word_q)
        2'd0:    m_axis_tdata_o = {mac_i[39:32], mac_i[47:40], 48'h01_00_00_C2_80_01};
        2'd1:    m_axis_tdata_o = {32'h01_00_08_88,
                                   mac_i[7:0], mac_i[15:8], mac_i[23:16], mac_i[31:24]};
        default: begin
          m_axis_tdata_o = {48'd0, {16{told_q}}};
          m_axis_tkeep_o = 8'h03;
          m_axis_tlast_o = 1'b1;
        end
      endcase
    end
  end

  assign s_axis_tready_o = m_axis_tready_i && !mine;
  assign m_axis_pause_o  = mine;
  assign idle_o          = !hold && !told_q && !due && !mine_q;

`ifndef SYNTHESIS
  logic was_reset_q;

  always_ff @(posedge clk_i) begin
    was_reset_q <= rst_i;
    if (!rst_i && !was_reset_q) begin
      // While the timer runs no frame of the core's starts.
      a_held: assert (!(hold && ready_i && m_axis_tvalid_o && !m_axis_pause_o));
      // A frame made here has three words.
      a_three_words: assert (!(mine && m_axis_tready_i && word_q == 2'd3));
    end
  end
`endif

endmodule
