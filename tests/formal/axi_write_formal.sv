// SPDX-License-Identifier: Apache-2.0
//
// Proof harness of axi_write: the streaming client and one small one keep the rules; the bus takes
// addresses and data at its own pace, each, and answers what it took in any order of the ids.

module axi_write_formal #(
  parameter int unsigned AxiBytes = 8,
  parameter int unsigned MaxBurstBytes = 32
) (
  input logic                  clk_i,
  input logic                  rst_i,
  input logic                  req_valid_i,
  input logic [63:0]           req_addr_i,
  input logic [16:0]           req_bytes_i,
  input logic                  w_valid_i,
  input logic [8*AxiBytes-1:0] w_data_i,
  input logic [AxiBytes-1:0]   w_strb_i,
  input logic                  sw_valid_i,
  input logic [63:0]           sw_addr_i,
  input logic [8*AxiBytes-1:0] sw_data_i,
  input logic [AxiBytes-1:0]   sw_strb_i,
  input logic                  awready_i,
  input logic                  wready_i,
  input logic                  bid_i,
  input logic [1:0]            bresp_i,
  input logic                  bvalid_i,
  input logic                  mark_i          // follow the beat that is taken now
);

  localparam int unsigned Outstanding = 2;
  localparam int unsigned Beats = MaxBurstBytes / AxiBytes;

  logic                  idle, req_ready, w_ready, done, error, sw_ready, sw_done, sw_error;
  logic [3:0]            awid;
  logic [63:0]           awaddr;
  logic [7:0]            awlen;
  logic [2:0]            awsize;
  logic [1:0]            awburst;
  logic                  awvalid, wlast, wvalid, bready;
  logic [8*AxiBytes-1:0] wdata;
  logic [AxiBytes-1:0]   wstrb;

  axi_write #(
    .AxiBytes     (AxiBytes),
    .Small        (1),
    .MaxBurstBytes(MaxBurstBytes),
    .Outstanding  (Outstanding)
  ) u_dut (
    .clk_i          (clk_i),
    .rst_i          (rst_i),
    .idle_o         (idle),
    .req_valid_i    (req_valid_i),
    .req_ready_o    (req_ready),
    .req_addr_i     (req_addr_i),
    .req_bytes_i    (req_bytes_i),
    .w_valid_i      (w_valid_i),
    .w_ready_o      (w_ready),
    .w_data_i       (w_data_i),
    .w_strb_i       (w_strb_i),
    .done_o         (done),
    .error_o        (error),
    .sw_valid_i     (sw_valid_i),
    .sw_ready_o     (sw_ready),
    .sw_addr_i      (sw_addr_i),
    .sw_data_i      (sw_data_i),
    .sw_strb_i      (sw_strb_i),
    .sw_done_o      (sw_done),
    .sw_error_o     (sw_error),
    .m_axi_awid_o   (awid),
    .m_axi_awaddr_o (awaddr),
    .m_axi_awlen_o  (awlen),
    .m_axi_awsize_o (awsize),
    .m_axi_awburst_o(awburst),
    .m_axi_awvalid_o(awvalid),
    .m_axi_awready_i(awready_i),
    .m_axi_wdata_o  (wdata),
    .m_axi_wstrb_o  (wstrb),
    .m_axi_wlast_o  (wlast),
    .m_axi_wvalid_o (wvalid),
    .m_axi_wready_i (wready_i),
    .m_axi_bid_i    ({3'd0, bid_i}),
    .m_axi_bresp_i  (bresp_i),
    .m_axi_bvalid_i (bvalid_i),
    .m_axi_bready_o (bready)
  );

  // What the induction has to know of u_dut.
  (* hierconn *) wire        \u_dut.start ;
  (* hierconn *) wire        \u_dut.start_burst ;
  (* hierconn *) wire        \u_dut.burst_valid ;
  (* hierconn *) wire [63:0] \u_dut.burst_addr ;
  (* hierconn *) wire [7:0]  \u_dut.burst_len ;
  (* hierconn *) wire        \u_dut.held_valid_q ;
  (* hierconn *) wire [16:0] \u_dut.held_bytes_q ;
  (* hierconn *) wire [16:0] \u_dut.u_split.bytes_q ;
  (* hierconn *) wire        \u_dut.awid_q ;
  (* hierconn *) wire        \u_dut.aw_spare_q ;
  (* hierconn *) wire        \u_dut.aw_spare_id_q ;
  (* hierconn *) wire [63:0] \u_dut.aw_spare_addr_q ;
  (* hierconn *) wire [7:0]  \u_dut.aw_spare_len_q ;
  (* hierconn *) wire        \u_dut.w_spare_q ;
  (* hierconn *) wire        \u_dut.w_spare_last_q ;
  (* hierconn *) wire [8*AxiBytes-1:0] \u_dut.w_spare_data_q ;
  (* hierconn *) wire [AxiBytes-1:0]   \u_dut.w_spare_strb_q ;
  (* hierconn *) wire        \u_dut.in_burst_q ;
  (* hierconn *) wire [7:0]  \u_dut.beats_q ;
  (* hierconn *) wire [1:0]  \u_dut.wr_ptr_q ;
  (* hierconn *) wire [1:0]  \u_dut.rd_ptr_q ;
  (* hierconn *) wire [4:0]  \u_dut.flight_q ;
  (* hierconn *) wire        \u_dut.last_mem[0] ;
  (* hierconn *) wire        \u_dut.last_mem[1] ;
  (* hierconn *) wire        \u_dut.failed_q ;
  (* hierconn *) wire        \u_dut.answering_q ;

  logic started_q = 1'b0;
  logic aw_moves, w_moves, w_takes, sw_takes, takes;

  assign aw_moves = awvalid && awready_i;
  assign w_moves  = wvalid && wready_i;
  assign w_takes  = w_valid_i && w_ready;
  assign sw_takes = sw_valid_i && sw_ready;
  assign takes    = req_valid_i && req_ready;

  ////////////////////
  // The bus        //
  ////////////////////

  // Bursts of which one channel has everything and the other one not: lengths less one, the oldest
  // in the lowest place. At most two, of one kind.
  logic [1:0]  aw_ahead_q, w_ahead_q;
  logic [15:0] ahead_q;
  logic [7:0]  beats_q;         // beats that came of the burst that is under way
  logic [5:0]  open0_q, open1_q;   // addresses that were taken and are not answered, of each id
  logic        aw_done, w_done;

  assign aw_done = aw_moves;
  assign w_done  = w_moves && wlast;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      aw_ahead_q <= '0;
      w_ahead_q  <= '0;
      beats_q    <= '0;
      open0_q    <= '0;
      open1_q    <= '0;
    end else begin
      if (w_moves) beats_q <= wlast ? '0 : beats_q + 1'b1;
      if (aw_done && !w_done) begin
        if (w_ahead_q != '0) begin
          w_ahead_q <= w_ahead_q - 1'b1;
          ahead_q   <= ahead_q >> 8;
        end else begin
          aw_ahead_q <= aw_ahead_q + 1'b1;
          ahead_q[8*aw_ahead_q[0] +: 8] <= awlen;
        end
      end else if (w_done && !aw_done) begin
        if (aw_ahead_q != '0) begin
          aw_ahead_q <= aw_ahead_q - 1'b1;
          ahead_q    <= ahead_q >> 8;
        end else begin
          w_ahead_q <= w_ahead_q + 1'b1;
          ahead_q[8*w_ahead_q[0] +: 8] <= beats_q;
        end
      end else if (w_done && aw_done) begin
        if (aw_ahead_q == 2'd1) ahead_q[7:0]  <= awlen;
        if (w_ahead_q == 2'd1)  ahead_q[7:0]  <= beats_q;
        if (aw_ahead_q == 2'd2) ahead_q <= {awlen, ahead_q[15:8]};
        if (w_ahead_q == 2'd2)  ahead_q <= {beats_q, ahead_q[15:8]};
      end
      open0_q <= open0_q + 6'(aw_moves && awid == 4'd0) - 6'(bvalid_i && !bid_i);
      open1_q <= open1_q + 6'(aw_moves && awid == 4'd1) - 6'(bvalid_i && bid_i);
    end
  end

  // The lengths of the bursts on both channels, as the bus and the cell have them together.
  logic [2:0]  aw_count, w_count;
  logic [31:0] aw_list, w_list;
  logic [7:0]  beats;

  always_comb begin
    aw_list  = '0;
    aw_count = 3'(aw_ahead_q);
    aw_list[15:0] = (aw_ahead_q == 2'd2) ? ahead_q
                  : (aw_ahead_q == 2'd1) ? {8'd0, ahead_q[7:0]} : 16'd0;
    if (awvalid) begin
      aw_list[8*aw_count[1:0] +: 8] = awlen;
      aw_count = aw_count + 1'b1;
    end
    if (\u_dut.aw_spare_q ) begin
      aw_list[8*aw_count[1:0] +: 8] = \u_dut.aw_spare_len_q ;
      aw_count = aw_count + 1'b1;
    end
    w_list  = '0;
    w_count = 3'(w_ahead_q);
    w_list[15:0] = (w_ahead_q == 2'd2) ? ahead_q
                 : (w_ahead_q == 2'd1) ? {8'd0, ahead_q[7:0]} : 16'd0;
    beats   = beats_q;
    if (wvalid) begin
      if (wlast) begin
        w_list[8*w_count[1:0] +: 8] = beats;
        w_count = w_count + 1'b1;
      end
      beats = wlast ? '0 : beats + 1'b1;
    end
    if (\u_dut.w_spare_q ) begin
      if (\u_dut.w_spare_last_q ) begin
        w_list[8*w_count[1:0] +: 8] = beats;
        w_count = w_count + 1'b1;
      end
      beats = \u_dut.w_spare_last_q  ? '0 : beats + 1'b1;
    end
    if (\u_dut.in_burst_q ) begin
      w_list[8*w_count[1:0] +: 8] = beats + \u_dut.beats_q ;
      w_count = w_count + 1'b1;
      beats   = '0;
    end
  end

  ////////////////////
  // Clients        //
  ////////////////////

  logic [2:0] requests_q;      // streaming requests that are not done
  logic [5:0] smalls_q;        // small writes that are not done
  logic       failed_q;        // an answer since the last done was an error
  logic       b_q, b_id_q, b_error_q;

  // A beat and the burst that begins with it.
  logic                  follow_w_q, follow_aw_q;
  logic                  ahead_w_q, ahead_aw_q;       // one goes before it
  logic [9*AxiBytes-1:0] beat_q;
  logic [75:0]           burst_q;

  logic                  aw_stall_q, w_stall_q, req_stall_q, sw_stall_q, in_request_q;
  logic [75:0]           was_aw_q;
  logic [9*AxiBytes:0]   was_w_q;
  logic [80:0]           was_req_q;
  logic [9*AxiBytes+63:0] was_sw_q;
  logic [3:0]            streak_q;

  always_ff @(posedge clk_i) begin
    started_q <= 1'b1;
    if (rst_i) begin
      requests_q   <= '0;
      smalls_q     <= '0;
      failed_q     <= 1'b0;
      b_q          <= 1'b0;
      follow_w_q   <= 1'b0;
      follow_aw_q  <= 1'b0;
      aw_stall_q   <= 1'b0;
      w_stall_q    <= 1'b0;
      req_stall_q  <= 1'b0;
      sw_stall_q   <= 1'b0;
      streak_q     <= '0;
    end else begin
      requests_q <= requests_q + 3'(takes) - 3'(done);
      smalls_q   <= smalls_q + 6'(sw_takes) - 6'(sw_done);
      failed_q   <= (failed_q && !done) || (bvalid_i && !bid_i && bresp_i[1]);
      b_q        <= bvalid_i;
      if (!follow_w_q && mark_i && (w_takes || sw_takes)) begin
        follow_w_q <= 1'b1;
        ahead_w_q  <= wvalid && !wready_i;
        beat_q     <= sw_takes ? {sw_strb_i, sw_data_i} : {w_strb_i, w_data_i};
      end else if (w_moves) begin
        follow_w_q <= follow_w_q && ahead_w_q;
        ahead_w_q  <= 1'b0;
      end
      if (!follow_aw_q && mark_i && \u_dut.start ) begin
        follow_aw_q <= 1'b1;
        ahead_aw_q  <= awvalid && !awready_i;
        burst_q     <= sw_takes ? {4'd1, 8'd0, sw_addr_i}
                                : {4'd0, \u_dut.burst_len , \u_dut.burst_addr };
      end else if (aw_moves) begin
        follow_aw_q <= follow_aw_q && ahead_aw_q;
        ahead_aw_q  <= 1'b0;
      end
      aw_stall_q  <= awvalid && !awready_i;
      w_stall_q   <= wvalid && !wready_i;
      req_stall_q <= req_valid_i && !req_ready;
      sw_stall_q  <= sw_valid_i && !sw_ready;
      streak_q    <= w_moves ? streak_q + 4'(streak_q != '1) : '0;
    end
    b_id_q    <= bid_i;
    b_error_q <= bresp_i[1];
    was_aw_q  <= {awid, awlen, awaddr};
    was_w_q   <= {wlast, wstrb, wdata};
    was_req_q <= {req_bytes_i, req_addr_i};
    was_sw_q  <= {sw_strb_i, sw_data_i, sw_addr_i};
  end

  logic [1:0] ptrs;
  logic       last0, last1;

  assign ptrs  = \u_dut.wr_ptr_q  - \u_dut.rd_ptr_q ;
  assign last0 = \u_dut.rd_ptr_q [0] ? \u_dut.last_mem[1] : \u_dut.last_mem[0] ;
  assign last1 = \u_dut.rd_ptr_q [0] ? \u_dut.last_mem[0] : \u_dut.last_mem[1] ;

  always_comb begin
    // A run begins with a reset.
    m_reset_first: assume (started_q || rst_i);
    // What a client offers stays until it is taken; a request is for some bytes.
    m_req: assume (!req_stall_q || (req_valid_i && {req_bytes_i, req_addr_i} == was_req_q));
    m_sw: assume (!sw_stall_q || (sw_valid_i && {sw_strb_i, sw_data_i, sw_addr_i} == was_sw_q));
    m_bytes: assume (req_bytes_i != '0);
    // The bus answers addresses that it has taken.
    m_answer: assume (!bvalid_i || (bid_i ? open1_q != '0 : open0_q != '0));
  end

  always_ff @(posedge clk_i) begin
    if (started_q && !rst_i) begin
      // What is offered stays, unchanged, until the bus takes it.
      a_aw_stays: assert (!aw_stall_q || (awvalid && {awid, awlen, awaddr} == was_aw_q));
      a_w_stays: assert (!w_stall_q || (wvalid && {wlast, wstrb, wdata} == was_w_q));
      // Bursts are incrementing, of whole beats, with a writer's id; answers are always taken.
      a_aw_form: assert (awburst == 2'b01 && 8 << awsize == 8 * AxiBytes && bready &&
                         (!awvalid || awid < 4'd2));
      // None crosses a multiple of MaxBurstBytes, so none crosses 4 KiB.
      a_aw_block: assert (!awvalid || (awaddr % MaxBurstBytes) / AxiBytes + 64'(awlen) <
                          64'(Beats));
      // A burst has the beats that its address says, the last one marked, in the order of the
      // addresses, whichever channel is ahead.
      a_beats: assert (!w_done || aw_ahead_q == '0 || beats_q == ahead_q[7:0]);
      a_addresses: assert (!aw_moves || w_ahead_q == '0 || awlen == ahead_q[7:0]);
      a_both: assert (!(w_done && aw_moves && aw_ahead_q == '0 && w_ahead_q == '0) ||
                      beats_q == awlen);
      // Every beat of the clients goes to the bus, unchanged, in order; every burst likewise.
      a_beat: assert (!(follow_w_q && !ahead_w_q) || (wvalid && {wstrb, wdata} == beat_q));
      a_burst: assert (!(follow_aw_q && !ahead_aw_q) || (awvalid && {awid, awlen, awaddr} == burst_q));
      // A streaming request is done once, when all of its bursts are answered; with an error if one
      // of them was. A small write likewise.
      a_done: assert (!done || (requests_q != '0 && error == failed_q));
      a_sw_done: assert (sw_done == (b_q && b_id_q) && (!sw_done || (smalls_q != '0 &&
                                                                     sw_error == b_error_q)));
      // Idle is when nothing is owed.
      a_idle: assert (!idle || (requests_q == '0 && smalls_q == '0 && !awvalid && open0_q == '0 &&
                                open1_q == '0));

      // What the cell and the harness hold.
      a_lists_q: assert (aw_count == w_count && aw_list == w_list && beats == '0);
      a_in_burst_q: assert (!\u_dut.in_burst_q  ||
                            (\u_dut.w_spare_q  ? !\u_dut.w_spare_last_q  : !wvalid || !wlast));
      a_one_q: assert (aw_ahead_q == '0 || w_ahead_q == '0);
      a_few_q: assert (aw_count <= 3'd3 && aw_ahead_q <= 2'd2 && w_ahead_q <= 2'd2);
      a_order_q: assert ((!\u_dut.aw_spare_q  || awvalid) && (!\u_dut.w_spare_q  || wvalid));
      a_spare_q: assert (!\u_dut.aw_spare_q  ||
                         (\u_dut.aw_spare_addr_q  % MaxBurstBytes) / AxiBytes +
                         64'(\u_dut.aw_spare_len_q ) < 64'(Beats));
      a_split_q: assert ((!\u_dut.burst_valid  || \u_dut.u_split.bytes_q  != '0) &&
                         (!\u_dut.held_valid_q  || \u_dut.held_bytes_q  != '0));
      a_ptrs_q: assert (6'(ptrs) == open0_q + 6'(awvalid && !\u_dut.awid_q ) +
                                    6'(\u_dut.aw_spare_q  && !\u_dut.aw_spare_id_q ) && ptrs <= 2'd2 &&
                        open0_q <= 6'd2 && open1_q <= 6'd31 && smalls_q <= 6'd32);
      a_flight_q: assert (6'(\u_dut.flight_q ) == 6'(ptrs) + open1_q +
                          6'(awvalid && \u_dut.awid_q ) +
                          6'(\u_dut.aw_spare_q  && \u_dut.aw_spare_id_q ));
      a_smalls_q: assert (smalls_q == open1_q + 6'(awvalid && \u_dut.awid_q ) +
                          6'(\u_dut.aw_spare_q  && \u_dut.aw_spare_id_q ) + 6'(sw_done));
      a_requests_q: assert (requests_q == 3'(\u_dut.held_valid_q ) + 3'(\u_dut.burst_valid ) +
                            3'(ptrs > 2'd0 && last0) + 3'(ptrs > 2'd1 && last1) + 3'(done));
      a_rest_q: assert (\u_dut.burst_valid  || ptrs == 2'd0 || (ptrs == 2'd2 ? last1 : last0));
      a_failed_q: assert (done || \u_dut.failed_q  == failed_q);
      a_failing_q: assert (!done || !\u_dut.failed_q );
      a_answering_q: assert (\u_dut.answering_q  == b_q && (b_q || (!done && !sw_done)));
      a_follow_q: assert ((!follow_w_q || !ahead_w_q ||
                           (\u_dut.w_spare_q  &&
                            {\u_dut.w_spare_strb_q , \u_dut.w_spare_data_q } == beat_q)) &&
                          (!follow_aw_q || !ahead_aw_q ||
                           (\u_dut.aw_spare_q  &&
                            {3'd0, \u_dut.aw_spare_id_q , \u_dut.aw_spare_len_q ,
                             \u_dut.aw_spare_addr_q } == burst_q)));
      // A beat goes in every one of eight cycles, over the ends of bursts.
      c_throughput: cover (streak_q == 4'd8 && w_count == 3'd2);
      // The data is ahead of its address, and the address ahead of its data.
      c_data_first: cover (w_ahead_q == 2'd2);
      c_address_first: cover (aw_ahead_q != 2'd0 && aw_moves);
      c_error: cover (done && error && requests_q == 3'd1);
    end
  end

endmodule
