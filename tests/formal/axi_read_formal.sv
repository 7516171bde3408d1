// SPDX-License-Identifier: Apache-2.0
//
// Proof harness of axi_read: two clients that keep the rules, and a memory that answers the bursts of
// an id in order and is free otherwise, as AXI4 lets it. One client, chosen freely, is watched, and of
// it one request.

module axi_read_formal #(
  parameter int unsigned AxiBytes = 8,
  parameter int unsigned MaxBurstBytes = 16
) (
  input logic                  clk_i,
  input logic                  rst_i,
  input logic [1:0]            req_valid_i,
  input logic [127:0]          req_addr_i,
  input logic [33:0]           req_bytes_i,
  input logic                  arready_i,
  input logic                  rid_i,
  input logic [8*AxiBytes-1:0] rdata_i,
  input logic [1:0]            rresp_i,
  input logic                  rvalid_i,
  input logic                  mark_i          // follow the request that is taken now
);

  localparam int unsigned Outstanding = 2;
  localparam int unsigned Beats = MaxBurstBytes / AxiBytes;
  localparam int unsigned MaxBytes = 8 * AxiBytes - 1;
  localparam int unsigned LaneWidth = $clog2(AxiBytes);
  localparam int unsigned CountWidth = 6;     // of beats; requests are short

  logic                  idle, rsp_last, rsp_error, arvalid, rready, rlast;
  logic [1:0]            req_ready, rsp_valid, arburst;
  logic [8*AxiBytes-1:0] rsp_data;
  logic [3:0]            arid;
  logic [63:0]           araddr;
  logic [7:0]            arlen;
  logic [2:0]            arsize;

  axi_read #(
    .AxiBytes     (AxiBytes),
    .Clients      (2),
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
    .rsp_valid_o    (rsp_valid),
    .rsp_data_o     (rsp_data),
    .rsp_last_o     (rsp_last),
    .rsp_error_o    (rsp_error),
    .m_axi_arid_o   (arid),
    .m_axi_araddr_o (araddr),
    .m_axi_arlen_o  (arlen),
    .m_axi_arsize_o (arsize),
    .m_axi_arburst_o(arburst),
    .m_axi_arvalid_o(arvalid),
    .m_axi_arready_i(arready_i),
    .m_axi_rid_i    ({3'd0, rid_i}),
    .m_axi_rdata_i  (rdata_i),
    .m_axi_rresp_i  (rresp_i),
    .m_axi_rlast_i  (rlast),
    .m_axi_rvalid_i (rvalid_i),
    .m_axi_rready_o (rready)
  );

  // What the induction has to know of u_dut.
  (* hierconn *) wire        \u_dut.spare_valid_q ;
  (* hierconn *) wire        \u_dut.spare_id_q ;
  (* hierconn *) wire [7:0]  \u_dut.spare_len_q ;
  (* hierconn *) wire [63:0] \u_dut.spare_addr_q ;
  (* hierconn *) wire        \u_dut.arid_q ;
  (* hierconn *) wire [3:0]  \u_dut.wr_ptr_q ;
  (* hierconn *) wire [3:0]  \u_dut.rd_ptr_q ;
  (* hierconn *) wire [2:0]  \u_dut.flight_q ;
  (* hierconn *) wire        \u_dut.last_mem[0] ;
  (* hierconn *) wire        \u_dut.last_mem[1] ;
  (* hierconn *) wire        \u_dut.last_mem[2] ;
  (* hierconn *) wire        \u_dut.last_mem[3] ;
  (* hierconn *) wire        \u_dut.u_split.valid_q ;
  (* hierconn *) wire [63:0] \u_dut.u_split.addr_q ;
  (* hierconn *) wire [16:0] \u_dut.u_split.bytes_q ;
  (* hierconn *) wire        \u_dut.u_split.user_q ;

  (* anyconst *) logic who;

  logic started_q = 1'b0;

  ////////////////////
  // Memory         //
  ////////////////////

  // For each id the bursts that the bus has taken: how many, and the beats less one of the older and of
  // the newer one that are still to come.
  logic [3:0]  taken_q;     // two bits an id
  logic [15:0] older_q, newer_q;
  logic        ar_moves;

  assign ar_moves = arvalid && arready_i;
  assign rlast    = older_q[8*rid_i +: 8] == '0;

  for (genvar i = 0; i < 2; i++) begin : g_memory
    logic push, pop;
    assign push = ar_moves && arid == 4'(i);
    assign pop  = rvalid_i && rlast && rid_i == 1'(i);

    always_ff @(posedge clk_i) begin
      if (rst_i) begin
        taken_q[2*i +: 2] <= '0;
      end else begin
        taken_q[2*i +: 2] <= taken_q[2*i +: 2] + 2'(push) - 2'(pop);
        if (pop) begin
          older_q[8*i +: 8] <= newer_q[8*i +: 8];
        end else if (rvalid_i && rid_i == 1'(i)) begin
          older_q[8*i +: 8] <= older_q[8*i +: 8] - 1'b1;
        end
        if (push) begin
          if (taken_q[2*i +: 2] == 2'(pop)) older_q[8*i +: 8] <= arlen;
          else                              newer_q[8*i +: 8] <= arlen;
        end
      end
    end
  end

  ////////////////////
  // Watched client //
  ////////////////////

  function automatic logic [CountWidth-1:0] beats_of(input logic [63:0] addr,
                                                     input logic [16:0] bytes);
    beats_of = (CountWidth'(addr[LaneWidth-1:0]) + CountWidth'(bytes) +
                CountWidth'(AxiBytes - 1)) >> LaneWidth;
  endfunction

  logic                  takes;       // a request of it
  logic                  answered;    // a beat for it
  logic [CountWidth-1:0] asked;       // beats of the request that is taken
  logic [CountWidth-1:0] owed_q;      // beats of all its requests that have not come
  logic [1:0]            requests_q;  // requests whose last beat has not come
  logic                  follow_q;
  logic [CountWidth-1:0] before_q;    // beats of requests before the followed one
  logic [CountWidth-1:0] through_q;   // and of it

  assign takes    = req_valid_i[who] && req_ready[who];
  assign answered = rsp_valid[who];
  assign asked    = beats_of(who ? req_addr_i[127:64] : req_addr_i[63:0],
                             who ? req_bytes_i[33:17] : req_bytes_i[16:0]);

  logic                  ar_stall_q;
  logic [75:0]           was_ar_q;
  logic                  r_q, r_id_q, r_error_q;
  logic [8*AxiBytes-1:0] r_data_q;
  logic [1:0]            req_stall_q;
  logic [127:0]          was_addr_q;
  logic [33:0]           was_bytes_q;
  logic [2:0]            streak_q;

  always_ff @(posedge clk_i) begin
    started_q <= 1'b1;
    if (rst_i) begin
      owed_q      <= '0;
      requests_q  <= '0;
      follow_q    <= 1'b0;
      ar_stall_q  <= 1'b0;
      r_q         <= 1'b0;
      req_stall_q <= '0;
      streak_q    <= '0;
    end else begin
      owed_q     <= owed_q + (takes ? asked : '0) - CountWidth'(answered);
      requests_q <= requests_q + 2'(takes) - 2'(answered && rsp_last);
      if (takes && mark_i && !follow_q) begin
        follow_q  <= 1'b1;
        before_q  <= owed_q - CountWidth'(answered);
        through_q <= owed_q - CountWidth'(answered) + asked;
      end else if (follow_q && answered) begin
        follow_q  <= through_q != CountWidth'(1);
        before_q  <= before_q - CountWidth'(before_q != '0);
        through_q <= through_q - 1'b1;
      end
      ar_stall_q  <= arvalid && !arready_i;
      r_q         <= rvalid_i;
      req_stall_q <= req_valid_i & ~req_ready;
      streak_q    <= (ar_moves && rvalid_i) ? streak_q + 3'(streak_q != '1) : '0;
    end
    was_ar_q    <= {arid, arlen, araddr};
    r_id_q      <= rid_i;
    r_error_q   <= rresp_i[1];
    r_data_q    <= rdata_i;
    was_addr_q  <= req_addr_i;
    was_bytes_q <= req_bytes_i;
  end

  ////////////////////
  // Its bursts     //
  ////////////////////

  // In order: those that the bus has taken (two at most), those that wait for it, the splitter's.
  logic [1:0]            taken, ptrs;
  logic                  ar_mine, spare_mine, split_mine;
  logic [CountWidth-1:0] len0, len1;       // beats of the first and the second one
  logic                  last0, last1;     // it is the last of its request
  logic [1:0]            rd_ptr, wr_ptr;
  logic [CountWidth-1:0] sum0, sum1, sum2; // beats up to each, behind the splitter's rest
  logic                  out;              // a beat in the output register

  assign taken      = taken_q[2*who +: 2];
  assign ar_mine    = arvalid && \u_dut.arid_q  == who;
  assign spare_mine = \u_dut.spare_valid_q  && \u_dut.spare_id_q  == who;
  assign split_mine = \u_dut.u_split.valid_q  && \u_dut.u_split.user_q  == who;
  assign wr_ptr     = who ? \u_dut.wr_ptr_q [3:2] : \u_dut.wr_ptr_q [1:0];
  assign rd_ptr     = who ? \u_dut.rd_ptr_q [3:2] : \u_dut.rd_ptr_q [1:0];
  assign ptrs       = wr_ptr - rd_ptr;
  assign out        = rsp_valid[who];
  assign last0      = who ? (rd_ptr[0] ? \u_dut.last_mem[3] : \u_dut.last_mem[2] )
                          : (rd_ptr[0] ? \u_dut.last_mem[1] : \u_dut.last_mem[0] );
  assign last1      = who ? (rd_ptr[0] ? \u_dut.last_mem[2] : \u_dut.last_mem[3] )
                          : (rd_ptr[0] ? \u_dut.last_mem[0] : \u_dut.last_mem[1] );

  always_comb begin
    len0 = '0;
    len1 = '0;
    if (taken != 2'd0) begin
      len0 = CountWidth'(older_q[8*who +: 8]) + 1'b1;
    end else if (ar_mine) begin
      len0 = CountWidth'(arlen) + 1'b1;
    end else if (spare_mine) begin
      len0 = CountWidth'(\u_dut.spare_len_q ) + 1'b1;
    end
    if (taken == 2'd2) begin
      len1 = CountWidth'(newer_q[8*who +: 8]) + 1'b1;
    end else if (taken == 2'd1) begin
      if (ar_mine)         len1 = CountWidth'(arlen) + 1'b1;
      else if (spare_mine) len1 = CountWidth'(\u_dut.spare_len_q ) + 1'b1;
    end else if (ar_mine && spare_mine) begin
      len1 = CountWidth'(\u_dut.spare_len_q ) + 1'b1;
    end
  end

  assign sum0 = CountWidth'(out) + len0;
  assign sum1 = sum0 + len1;
  assign sum2 = sum1 + (split_mine ? beats_of(\u_dut.u_split.addr_q , \u_dut.u_split.bytes_q ) : '0);

  always_comb begin
    // A run begins with a reset.
    m_reset_first: assume (started_q || rst_i);
    // A request stays until it is taken, and is for some bytes.
    m_stays: assume ((req_stall_q & ~req_valid_i) == 2'b00 &&
                     (!req_stall_q[0] || (req_addr_i[63:0] == was_addr_q[63:0] &&
                                          req_bytes_i[16:0] == was_bytes_q[16:0])) &&
                     (!req_stall_q[1] || (req_addr_i[127:64] == was_addr_q[127:64] &&
                                          req_bytes_i[33:17] == was_bytes_q[33:17])));
    m_bytes: assume ((!req_valid_i[0] || req_bytes_i[16:0] != '0) &&
                     (!req_valid_i[1] || req_bytes_i[33:17] != '0));
    // No request is longer than MaxBytes (burst_split is proved for all lengths).
    m_short: assume (req_bytes_i[16:0] <= 17'(MaxBytes) && req_bytes_i[33:17] <= 17'(MaxBytes));
    // Data comes for bursts that the bus has taken.
    m_data: assume (!rvalid_i || taken_q[2*rid_i +: 2] != '0);
  end

  always_ff @(posedge clk_i) begin
    if (started_q && !rst_i) begin
      // A burst that is offered stays, unchanged, until the bus takes it.
      a_ar_stays: assert (!ar_stall_q || (arvalid && {arid, arlen, araddr} == was_ar_q));
      // Bursts are incrementing, of whole beats, with a client's id; data is always taken.
      a_ar_form: assert (arburst == 2'b01 && 8 << arsize == 8 * AxiBytes && rready &&
                         (!arvalid || arid < 4'd2));
      // None crosses a multiple of MaxBurstBytes, so none crosses 4 KiB.
      a_ar_block: assert (!arvalid || (araddr % MaxBurstBytes) / AxiBytes + 64'(arlen) <
                          64'(MaxBurstBytes / AxiBytes));
      // What the bus answers comes out a cycle later, for the client that it is for.
      a_response: assert (rsp_valid == (r_q ? 2'b01 << r_id_q : 2'b00) &&
                          (!r_q || (rsp_data == r_data_q && rsp_error == r_error_q)));
      // A client gets the beats that it asked for, in order of its requests, and no others: the last
      // beat of a request, and only that, is marked.
      a_owed: assert (!answered || (owed_q != '0 && requests_q != '0));
      a_last: assert (!(follow_q && answered && before_q == '0) ||
                      rsp_last == (through_q == CountWidth'(1)));
      a_before: assert (!(follow_q && answered && before_q == CountWidth'(1)) || rsp_last);
      // Idle is when nothing is owed, to any client.
      a_idle: assert (!idle || (owed_q == '0 && requests_q == '0 && !arvalid));
      // No more bursts of a client are in flight than there may be.
      a_flight: assert (2'(\u_dut.wr_ptr_q [1:0] - \u_dut.rd_ptr_q [1:0]) <= 2'(Outstanding) &&
                        2'(\u_dut.wr_ptr_q [3:2] - \u_dut.rd_ptr_q [3:2]) <= 2'(Outstanding));

      // What the cell holds of the watched client.
      a_order_q: assert (!\u_dut.spare_valid_q  || arvalid);
      a_ptrs_q: assert (3'(2'(\u_dut.wr_ptr_q [1:0] - \u_dut.rd_ptr_q [1:0])) ==
                        3'(taken_q[1:0]) + 3'(arvalid && !\u_dut.arid_q ) +
                        3'(\u_dut.spare_valid_q  && !\u_dut.spare_id_q ) &&
                        3'(2'(\u_dut.wr_ptr_q [3:2] - \u_dut.rd_ptr_q [3:2])) ==
                        3'(taken_q[3:2]) + 3'(arvalid && \u_dut.arid_q ) +
                        3'(\u_dut.spare_valid_q  && \u_dut.spare_id_q ));
      a_sum_q: assert (owed_q == sum2);
      a_requests_q: assert (requests_q == 2'(out && rsp_last) + 2'(ptrs > 2'd0 && last0) +
                                          2'(ptrs > 2'd1 && last1) + 2'(split_mine));
      // What does not end its request is followed by the rest of it.
      a_beats_q: assert ((taken_q[1:0] == 2'd0 || older_q[7:0] < 8'(Beats)) &&
                         (taken_q[3:2] == 2'd0 || older_q[15:8] < 8'(Beats)) &&
                         (taken_q[1:0] != 2'd2 || newer_q[7:0] < 8'(Beats)) &&
                         (taken_q[3:2] != 2'd2 || newer_q[15:8] < 8'(Beats)));
      a_rest_q: assert (split_mine || (ptrs == 2'd2 ? last1 : ptrs == 2'd1 ? last0 : !out || rsp_last));
      a_flight_q: assert (\u_dut.flight_q  == 3'(2'(\u_dut.wr_ptr_q [1:0] - \u_dut.rd_ptr_q [1:0])) +
                                             3'(2'(\u_dut.wr_ptr_q [3:2] - \u_dut.rd_ptr_q [3:2])));
      a_split_q: assert (!\u_dut.u_split.valid_q  || (\u_dut.u_split.bytes_q  != '0 &&
                         \u_dut.u_split.bytes_q  <= 17'(MaxBytes)));
      a_spare_q: assert (!\u_dut.spare_valid_q  ||
                         (\u_dut.spare_addr_q  % MaxBurstBytes) / AxiBytes +
                         64'(\u_dut.spare_len_q ) < 64'(MaxBurstBytes / AxiBytes));
      // The ends of bursts that are ends of requests are where the followed request begins and ends.
      a_follow_q: assert (!follow_q || (before_q < through_q && through_q <= sum2));
      a_mark0_q: assert (!follow_q || ptrs == 2'd0 ||
                         ((sum0 <= before_q || sum0 >= through_q || !last0) &&
                          ((sum0 != before_q && sum0 != through_q) || last0)));
      a_mark1_q: assert (!follow_q || ptrs != 2'd2 ||
                         ((sum1 <= before_q || sum1 >= through_q || !last1) &&
                          ((sum1 != before_q && sum1 != through_q) || last1)));
      a_out_q: assert (!follow_q || !out ||
                       ((before_q != '0 || through_q == CountWidth'(1) || !rsp_last) &&
                        ((before_q != CountWidth'(1) && through_q != CountWidth'(1)) || rsp_last)));
      // Both ends lie on ends of bursts.
      a_ends_q: assert (!follow_q ||
                        ((through_q == sum2 || (ptrs == 2'd2 && through_q == sum1) ||
                          (ptrs != 2'd0 && through_q == sum0) || (out && through_q == CountWidth'(1))) &&
                         (before_q == '0 || (ptrs != 2'd0 && before_q == sum0) ||
                          (ptrs == 2'd2 && before_q == sum1) || (out && before_q == CountWidth'(1)))));
      // Bursts go and data comes in every one of four cycles.
      c_throughput: cover (streak_q == 3'd4);
      // A followed request of three bursts behind another one.
      c_follow: cover (follow_q && before_q == '0 && through_q == CountWidth'(3) && sum2 > through_q);
      c_idle: cover (idle && $past(answered && rsp_last));
    end
  end

endmodule
