// SPDX-License-Identifier: Apache-2.0
//
// axi_write: writes memory over one AXI4 manager (channels AW, W and B) for a client that streams
// (packet data) and for several that write single beats (used elements, messages).
//
//   streaming client   req_*: req_bytes (> 0) to req_addr, any alignment; two requests may be
//                      queued ahead of their data. w_*: the data, in beats aligned to AxiBytes with
//                      their strobes, ceil((req_addr % AxiBytes + req_bytes) / AxiBytes) a request.
//                      A client that has sent the first beat of a request sends the others without
//                      waiting for anything but w_ready_o. done_o pulses once a request, in their
//                      order, when all of its bursts are answered; error_o with it says that one was
//                      answered with SLVERR or DECERR. AWID 0.
//   small clients      sw_*[i]: one beat with its strobes, the data in the lanes of its address.
//                      sw_done_o[i] (with sw_error_o[i]) pulses once a beat, in order. AWID 1 + i.
//   all                valid and what goes with it stay until ready. Writers are served in turn, a
//                      burst at a time; one beat a cycle, no cycle lost between bursts.
//   bus                AW and the first W beat of a burst are offered in the same cycle, each stays
//                      until it is taken. m_axi_bready_o is always high. No output depends on an input of the
//                      bus in the same cycle.
//   idle_o             nothing held and nothing in flight.
//
// Parameters:
//   AxiBytes        bytes in a beat
//   Small           number of small clients, 1 to 2**IdWidth - 1
//   IdWidth         bits of AWID and BID
//   MaxBurstBytes   see burst_split
//   Outstanding     streaming bursts in flight, a power of two
//   Elements        0: a small client may write any bytes of its beat. Else the first Elements of them
//                   write used elements' ends alone, the upper eight of every 16 bytes, and the others
//                   have the same four bytes in all words of the beat: that makes little of the choice
//                   between so many wide words. At least 2, a power of two, less than Small.

module axi_write #(
  parameter int unsigned AxiBytes = 16,
  parameter int unsigned Small = 5,
  parameter int unsigned Elements = 0,
  parameter int unsigned IdWidth = 4,
  parameter int unsigned MaxBurstBytes = 512,
  parameter int unsigned Outstanding = 64
) (
  input  logic                         clk_i,
  input  logic                         rst_i,
  output logic                         idle_o,

  input  logic                         req_valid_i,
  output logic                         req_ready_o,
  input  logic [63:0]                  req_addr_i,
  input  logic [nic_pkg::LenWidth-1:0] req_bytes_i,
  input  logic                         w_valid_i,
  output logic                         w_ready_o,
  input  logic [8*AxiBytes-1:0]        w_data_i,
  input  logic [AxiBytes-1:0]          w_strb_i,
  output logic                         done_o,
  output logic                         error_o,

  input  logic [Small-1:0]             sw_valid_i,
  output logic [Small-1:0]             sw_ready_o,
  input  logic [64*Small-1:0]          sw_addr_i,
  input  logic [8*AxiBytes*Small-1:0]  sw_data_i,
  input  logic [AxiBytes*Small-1:0]    sw_strb_i,
  output logic [Small-1:0]             sw_done_o,
  output logic [Small-1:0]             sw_error_o,

  output logic [IdWidth-1:0]           m_axi_awid_o,
  output logic [63:0]                  m_axi_awaddr_o,
  output logic [7:0]                   m_axi_awlen_o,
  output logic [2:0]                   m_axi_awsize_o,
  output logic [1:0]                   m_axi_awburst_o,
  output logic                         m_axi_awvalid_o,
  input  logic                         m_axi_awready_i,
  output logic [8*AxiBytes-1:0]        m_axi_wdata_o,
  output logic [AxiBytes-1:0]          m_axi_wstrb_o,
  output logic                         m_axi_wlast_o,
  output logic                         m_axi_wvalid_o,
  input  logic                         m_axi_wready_i,
  input  logic [IdWidth-1:0]           m_axi_bid_i,
  input  logic [1:0]                   m_axi_bresp_i,
  input  logic                         m_axi_bvalid_i,
  output logic                         m_axi_bready_o
);

  localparam int unsigned LenWidth = nic_pkg::LenWidth;
  localparam int unsigned Writers = Small + 1;
  localparam int unsigned WriterWidth = $clog2(Writers);
  localparam int unsigned SlotWidth = $clog2(Outstanding);
  localparam int unsigned FlightWidth = SlotWidth + 4;
  localparam int unsigned SmallWidth = (Small > 1) ? $clog2(Small) : 1;
  localparam int unsigned ElementWidth = (Elements > 1) ? $clog2(Elements) : 1;

  if (Small < 1 || Writers > (1 << IdWidth)) $error("axi_write: Small is out of range");
  if ((1 << SlotWidth) != Outstanding) $error("axi_write: Outstanding must be a power of two");
  if (Elements != 0 && (Elements < 2 || Elements >= Small || (1 << ElementWidth) != Elements))
    $error("axi_write: Elements is out of range");

  // It needs a clock while something moves on one of its sides, not while it waits for memory.
  logic clk;
  logic moves;

  clock_gate u_clock (
    .clk_i(clk_i),
    .en_i (rst_i || moves || req_valid_i || w_valid_i || sw_valid_i != '0 || m_axi_bvalid_i),
    .clk_o(clk)
  );

  ////////////////////
  // Requests       //
  ////////////////////

  logic                held_valid_q;
  logic [63:0]         held_addr_q;
  logic [LenWidth-1:0] held_bytes_q;
  logic                split_ready;
  logic                burst_valid;
  logic                burst_ready;
  logic [63:0]         burst_addr;
  logic [7:0]          burst_len;
  logic                burst_last;

  // One request ahead of the one that is being split.
  always_ff @(posedge clk) begin
    if (rst_i) begin
      held_valid_q <= 1'b0;
    end else if (req_valid_i && req_ready_o) begin
      held_valid_q <= 1'b1;
      held_addr_q  <= req_addr_i;
      held_bytes_q <= req_bytes_i;
    end else if (split_ready) begin
      held_valid_q <= 1'b0;
    end
  end

  assign req_ready_o = !held_valid_q || split_ready;

  logic unused_user;

  burst_split #(
    .AxiBytes     (AxiBytes),
    .MaxBurstBytes(MaxBurstBytes),
    .UserWidth    (1)
  ) u_split (
    .clk_i        (clk),
    .rst_i        (rst_i),
    .req_valid_i  (held_valid_q),
    .req_ready_o  (split_ready),
    .req_addr_i   (held_addr_q),
    .req_bytes_i  (held_bytes_q),
    .req_user_i   (1'b0),
    .burst_valid_o(burst_valid),
    .burst_ready_i(burst_ready),
    .burst_addr_o (burst_addr),
    .burst_len_o  (burst_len),
    .burst_last_o (burst_last),
    .burst_user_o (unused_user)
  );

  ////////////////////
  // Sequencer      //
  ////////////////////

  logic                   awvalid_q;
  logic [WriterWidth-1:0] awid_q;
  logic [63:0]            awaddr_q;
  logic [7:0]             awlen_q;
  logic                   wvalid_q;
  logic                   wlast_q;
  logic [8*AxiBytes-1:0]  wdata_q;
  logic [AxiBytes-1:0]    wstrb_q;

  // A second place on each channel, so that nothing here waits for the bus's ready in the same cycle.
  logic                   aw_spare_q;
  logic [WriterWidth-1:0] aw_spare_id_q;
  logic [63:0]            aw_spare_addr_q;
  logic [7:0]             aw_spare_len_q;
  logic                   w_spare_q;
  logic                   w_spare_last_q;
  logic [8*AxiBytes-1:0]  w_spare_data_q;
  logic [AxiBytes-1:0]    w_spare_strb_q;

  logic                   in_burst_q;  // a streaming burst has beats to come
  logic [7:0]             beats_q;     // how many, less one

  logic                   last_mem [Outstanding];  // of a burst in flight: last of its request
  logic [SlotWidth:0]     wr_ptr_q;
  logic [SlotWidth:0]     rd_ptr_q;
  logic [FlightWidth-1:0] flight_q;

  logic [Writers-1:0]     request;
  logic [Writers-1:0]     grant;
  logic [WriterWidth-1:0] grant_index;
  logic                   grant_valid;
  logic [SmallWidth-1:0]  writer;       // the granted small client
  logic                   can_start;
  logic                   start;
  logic                   start_burst;
  logic                   beat;

  assign can_start = !w_spare_q && !aw_spare_q && !in_burst_q && flight_q != '1;
  assign request   = {sw_valid_i, burst_valid && w_valid_i &&
                                  (wr_ptr_q - rd_ptr_q) != (SlotWidth + 1)'(Outstanding)};

  arbiter_rr #(
    .N(Writers)
  ) u_arbiter (
    .clk_i        (clk),
    .rst_i        (rst_i),
    .request_i    (request),
    .advance_i    (can_start),
    .grant_o      (grant),
    .grant_index_o(grant_index),
    .grant_valid_o(grant_valid)
  );

  assign writer      = SmallWidth'(grant_index - 1'b1);
  assign start       = can_start && grant_valid;
  assign start_burst = can_start && grant[0];
  assign burst_ready = start_burst;
  assign w_ready_o   = start_burst || (!w_spare_q && in_burst_q);
  assign beat        = w_valid_i && w_ready_o;
  assign sw_ready_o  = can_start ? grant[Small:1] : '0;

  always_ff @(posedge clk) begin
    if (rst_i) begin
      awvalid_q  <= 1'b0;
      aw_spare_q <= 1'b0;
    end else if (start) begin : p_address
      logic [63:0] addr;
      addr = grant[0] ? burst_addr : sw_addr_i[64*writer +: 64];
      if (!awvalid_q || m_axi_awready_i) begin
        awvalid_q <= 1'b1;
        awid_q    <= grant_index;
        awlen_q   <= grant[0] ? burst_len : 8'd0;
        awaddr_q  <= addr;
      end else begin
        aw_spare_q      <= 1'b1;
        aw_spare_id_q   <= grant_index;
        aw_spare_len_q  <= grant[0] ? burst_len : 8'd0;
        aw_spare_addr_q <= addr;
      end
    end else if (awvalid_q && m_axi_awready_i) begin
      awvalid_q  <= aw_spare_q;
      aw_spare_q <= 1'b0;
      awid_q     <= aw_spare_id_q;
      awlen_q    <= aw_spare_len_q;
      awaddr_q   <= aw_spare_addr_q;
    end
  end

  always_ff @(posedge clk) begin
    if (rst_i) begin
      wr_ptr_q   <= '0;
      in_burst_q <= 1'b0;
    end else if (beat) begin
      in_burst_q <= in_burst_q ? beats_q != '0 : burst_len != '0;
      beats_q    <= (in_burst_q ? beats_q : burst_len) - 1'b1;
      if (start_burst) begin
        wr_ptr_q <= wr_ptr_q + 1'b1;
      end
    end
  end

  always_ff @(posedge clk) begin
    if (start_burst) begin
      last_mem[wr_ptr_q[SlotWidth-1:0]] <= burst_last;
    end
  end

  always_ff @(posedge clk) begin
    if (rst_i) begin
      wvalid_q  <= 1'b0;
      w_spare_q <= 1'b0;
    end else if (beat || start) begin
      if (!wvalid_q || m_axi_wready_i) begin
        wvalid_q <= 1'b1;
      end else begin
        w_spare_q <= 1'b1;
      end
    end else if (wvalid_q && m_axi_wready_i) begin
      wvalid_q  <= w_spare_q;
      w_spare_q <= 1'b0;
    end
  end

  logic [8*AxiBytes*((Elements == 0) ? 1 : Elements)-1:0] elements;

  assign elements = sw_data_i[8*AxiBytes*((Elements == 0) ? 1 : Elements)-1:0];

  always_ff @(posedge clk) begin
    if (beat || start) begin : p_data
      logic [8*AxiBytes-1:0] data;
      logic [AxiBytes-1:0]   strb;
      logic                  last;
      logic [31:0]           word;
      word = '0;
      data = w_data_i;
      strb = w_strb_i;
      last = in_burst_q ? beats_q == '0 : burst_len == '0;
      if (!beat) begin
        last = 1'b1;
        strb = sw_strb_i[AxiBytes*writer +: AxiBytes];
        if (Elements == 0) begin
          data = sw_data_i[8*AxiBytes*writer +: 8*AxiBytes];
        end else begin
          data = elements[8*AxiBytes*writer[ElementWidth-1:0] +: 8*AxiBytes];
          word = sw_data_i[8*AxiBytes*writer +: 32];
          for (int unsigned i = 0; i < AxiBytes / 16; i++) begin
            data[128*i +: 64] = {2{word}};
            if (32'(writer) + 1 > Elements) data[128*i + 64 +: 64] = {2{word}};
          end
        end
      end
      if (!wvalid_q || m_axi_wready_i) begin
        wdata_q <= data;
        wstrb_q <= strb;
        wlast_q <= last;
      end else begin
        w_spare_data_q <= data;
        w_spare_strb_q <= strb;
        w_spare_last_q <= last;
      end
    end else if (w_spare_q && m_axi_wready_i) begin
      wdata_q <= w_spare_data_q;
      wstrb_q <= w_spare_strb_q;
      wlast_q <= w_spare_last_q;
    end
  end

  assign m_axi_awvalid_o = awvalid_q;
  assign m_axi_awid_o    = IdWidth'(awid_q);
  assign m_axi_awaddr_o  = awaddr_q;
  assign m_axi_awlen_o   = awlen_q;
  assign m_axi_awsize_o  = 3'($clog2(AxiBytes));
  assign m_axi_awburst_o = 2'b01;  // INCR
  assign m_axi_wvalid_o  = wvalid_q;
  assign m_axi_wdata_o   = wdata_q;
  assign m_axi_wstrb_o   = wstrb_q;
  assign m_axi_wlast_o   = wlast_q;

  ////////////////////
  // Responses      //
  ////////////////////

  logic             done_q;
  logic             error_q;
  logic             failed_q;  // a burst of the request that is being answered had an error
  logic [Small-1:0] sw_done_q;
  logic [Small-1:0] sw_error_q;
  logic             answering_q;

  always_ff @(posedge clk) begin
    if (rst_i) begin
      done_q      <= 1'b0;
      failed_q    <= 1'b0;
      sw_done_q   <= '0;
      answering_q <= 1'b0;
      rd_ptr_q    <= '0;
    end else if (m_axi_bvalid_i || answering_q) begin
      answering_q <= m_axi_bvalid_i;
      done_q      <= 1'b0;
      sw_done_q   <= '0;
      if (m_axi_bvalid_i) begin
        if (m_axi_bid_i == '0) begin
          rd_ptr_q <= rd_ptr_q + 1'b1;
          done_q   <= last_mem[rd_ptr_q[SlotWidth-1:0]];
          error_q  <= failed_q || m_axi_bresp_i[1];
          failed_q <= (failed_q || m_axi_bresp_i[1]) && !last_mem[rd_ptr_q[SlotWidth-1:0]];
        end else begin
          sw_done_q  <= Small'(1) << (m_axi_bid_i - 1'b1);
          sw_error_q <= m_axi_bresp_i[1] ? '1 : '0;
        end
      end
    end
  end

  always_ff @(posedge clk) begin
    if (rst_i) begin
      flight_q <= '0;
    end else if (start != m_axi_bvalid_i) begin
      flight_q <= start ? flight_q + 1'b1 : flight_q - 1'b1;
    end
  end

  assign done_o         = done_q;
  assign error_o        = error_q;
  assign sw_done_o      = sw_done_q;
  assign sw_error_o     = sw_error_q;
  assign m_axi_bready_o = 1'b1;
  assign moves          = held_valid_q || awvalid_q || wvalid_q || answering_q;
  assign idle_o         = flight_q == '0 && !held_valid_q && !burst_valid && !answering_q;

  logic unused_inputs;
  assign unused_inputs = ^{m_axi_bresp_i[0], sw_data_i, elements};

`ifndef SYNTHESIS
  always_ff @(posedge clk) begin
    if (!rst_i) begin
      // An answer comes only while a write is in flight.
      a_expected: assert (!m_axi_bvalid_i || (flight_q != '0 && 32'(m_axi_bid_i) < Writers));
      // An answer with the streaming client's id belongs to a burst of it.
      a_streaming: assert (!m_axi_bvalid_i || m_axi_bid_i != '0 || wr_ptr_q != rd_ptr_q);
      // The second places are used only behind the first.
      a_order: assert ((!aw_spare_q || awvalid_q) && (!w_spare_q || wvalid_q));
      // No burst crosses 4 KiB.
      a_page: assert (!awvalid_q || (32'(awaddr_q[11:0]) & ~(AxiBytes - 1)) +
                      (32'(awlen_q) + 1) * AxiBytes <= 4096);
    end
  end
`endif

endmodule
