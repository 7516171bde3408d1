// SPDX-License-Identifier: Apache-2.0
//
// Proof harness of mac_pause: any frames of the core's, any pause frames from the wire, any
// congestion, in front of a transmitter that is ready between frames and takes words in them.

module mac_pause_formal (
  input logic        clk_i,
  input logic        rst_i,
  input logic        rx_enable_i,
  input logic        tx_enable_i,
  input logic        link_up_i,
  input logic        congested_i,
  input logic        pause_valid_i,
  input logic [15:0] pause_quanta_i,
  input logic        s_axis_tvalid_i,
  input logic [63:0] s_axis_tdata_i,
  input logic [7:0]  s_axis_tkeep_i,
  input logic        s_axis_tlast_i,
  input logic        takes_i,   // the transmitter takes a word of the frame
  input logic        again_i    // it is ready for the next one
);

  localparam logic [47:0] Mac = 48'h02_11_22_33_44_55;

  logic        s_ready, m_valid, m_last, m_pause, idle;
  logic [63:0] m_data;
  logic [7:0]  m_keep;

  // The transmitter: a frame offered while it is ready starts and is taken word by word.
  logic in_frame_q, ready_q, m_ready, ends;

  assign m_ready = in_frame_q && takes_i;
  assign ends    = m_ready && m_valid && m_last;

  mac_pause u_dut (
    .clk_i          (clk_i),
    .rst_i          (rst_i),
    .rx_enable_i    (rx_enable_i),
    .tx_enable_i    (tx_enable_i),
    .link_up_i      (link_up_i),
    .congested_i    (congested_i),
    .mac_i          (Mac),
    .pause_valid_i  (pause_valid_i),
    .pause_quanta_i (pause_quanta_i),
    .s_axis_tvalid_i(s_axis_tvalid_i),
    .s_axis_tready_o(s_ready),
    .s_axis_tdata_i (s_axis_tdata_i),
    .s_axis_tkeep_i (s_axis_tkeep_i),
    .s_axis_tlast_i (s_axis_tlast_i),
    .ready_i        (ready_q),
    .m_axis_tvalid_o(m_valid),
    .m_axis_tready_i(m_ready),
    .m_axis_tdata_o (m_data),
    .m_axis_tkeep_o (m_keep),
    .m_axis_tlast_o (m_last),
    .m_axis_pause_o (m_pause),
    .idle_o         (idle)
  );

  // What the induction has to know of u_dut.
  (* hierconn *) wire [18:0] \u_dut.timer_q ;
  (* hierconn *) wire [18:0] \u_dut.refresh_q ;
  (* hierconn *) wire        \u_dut.told_q ;
  (* hierconn *) wire        \u_dut.mine_q ;
  (* hierconn *) wire [1:0]  \u_dut.word_q ;

  logic        started_q = 1'b0;
  logic [18:0] left_q;     // cycles of the pause that was asked for last
  logic        asked_q;    // the other end was asked to pause, not to go on since
  logic [18:0] age_q;      // cycles since it was asked, up to 2^18
  logic        kind_q;     // the frame that goes out is a pause frame
  logic        quanta_q;   // and asks for a pause
  logic [1:0]  words_q;    // words of it that were taken
  logic        resumed_q;

  always_ff @(posedge clk_i) begin
    started_q <= 1'b1;
    if (rst_i) begin
      in_frame_q <= 1'b0;
      ready_q    <= 1'b1;
      left_q     <= '0;
      asked_q    <= 1'b0;
      age_q      <= '0;
      kind_q     <= 1'b0;
      words_q    <= '0;
      resumed_q  <= 1'b0;
    end else begin
      if (ready_q && m_valid) begin
        in_frame_q <= 1'b1;
        ready_q    <= 1'b0;
        kind_q     <= m_pause;
        quanta_q   <= congested_i && tx_enable_i;
        words_q    <= '0;
      end else if (ends) begin
        in_frame_q <= 1'b0;
      end else if (!in_frame_q) begin
        ready_q    <= ready_q || again_i;
      end
      if (m_ready && m_valid && m_pause) words_q <= words_q + 1'b1;

      if (pause_valid_i) left_q <= {pause_quanta_i, 3'd0};
      else if (left_q != '0) left_q <= left_q - 1'b1;
      if (!rx_enable_i || !link_up_i) left_q <= '0;

      if (ready_q && m_pause) begin
        asked_q   <= congested_i && tx_enable_i;
        age_q     <= '0;
        resumed_q <= resumed_q || (asked_q && !(congested_i && tx_enable_i));
      end else if (asked_q && age_q != 19'h40000) begin
        age_q <= age_q + 1'b1;
      end
    end
  end

  always_comb begin
    // A run begins with a reset.
    m_reset_first: assume (started_q || rst_i);
    // Nobody tells of a pause frame that the receiver does not look for.
    m_enabled: assume (!pause_valid_i || rx_enable_i);
    // A frame of the core's that has started has its words ready.
    m_whole: assume (!(in_frame_q && !kind_q) || s_axis_tvalid_i);
  end

  always_ff @(posedge clk_i) begin
    if (started_q && !rst_i) begin
      // While the pause asked for lasts, no frame of the core's starts.
      a_paused: assert (!(left_q != '0 && ready_q && m_valid && !m_pause));
      // When it is over, and no pause frame has to go, what the core offers starts.
      a_not_longer: assert (!(left_q == '0 && ready_q && s_axis_tvalid_i && !m_pause) || m_valid);
      // A frame of the core's that has started goes on, unchanged, to its end.
      a_unchanged: assert (!(in_frame_q && !kind_q)
                           || (m_valid && !m_pause && m_data == s_axis_tdata_i
                               && m_keep == s_axis_tkeep_i && m_last == s_axis_tlast_i
                               && s_ready == m_ready));
      // Nothing is taken from the core while a pause frame goes out, or between frames.
      a_apart: assert (!s_ready || (in_frame_q && !kind_q));
      // A pause frame has three words: addresses, type and opcode, and the time that fits.
      a_first: assert (!(in_frame_q && kind_q && words_q == 2'd0)
                       || (m_valid && !m_last && m_data == 64'h1102_0100_00C2_8001));
      a_second: assert (!(in_frame_q && kind_q && words_q == 2'd1)
                        || (m_valid && !m_last && m_data == 64'h0100_0888_5544_3322));
      a_third: assert (!(in_frame_q && kind_q && words_q == 2'd2)
                       || (m_valid && m_last && m_keep == 8'h03
                           && m_data == {48'd0, {16{quanta_q}}}));
      a_three: assert (!(in_frame_q && kind_q) || words_q != 2'd3);
      // The other end is told at the first chance: of congestion, of its end, and again before the
      // time that it was told is over.
      a_told: assert (!ready_q || m_pause == ((congested_i && tx_enable_i) != asked_q
                                              || (asked_q && age_q == 19'h40000)));
      // Idle means that no time runs and nobody waits.
      a_idle: assert (!idle || (left_q == '0 && !asked_q && !(congested_i && tx_enable_i)));
      // What the harness and the cell count is the same.
      a_same: assert (left_q == \u_dut.timer_q && asked_q == \u_dut.told_q
                      && (!asked_q || age_q == \u_dut.refresh_q )
                      && \u_dut.refresh_q <= 19'h40000
                      && (!in_frame_q || (kind_q == \u_dut.mine_q && !ready_q))
                      && (!(in_frame_q && kind_q)
                          || (words_q == \u_dut.word_q && quanta_q == \u_dut.told_q )));
      // A pause ends, and frames go again; the other end is told to pause and to go on.
      c_over: cover (resumed_q && ready_q && m_valid && !m_pause && left_q == '0);
      c_held: cover (ready_q && s_axis_tvalid_i && left_q == 19'd1);
    end
  end

endmodule
