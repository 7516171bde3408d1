// SPDX-License-Identifier: Apache-2.0
//
// axi_read: reads memory for several clients over one AXI4 manager (channels AR and R).
//
//   requests    Client c asks for req_bytes (> 0) from req_addr, any alignment. A request moves when
//               its valid and ready are both high; valid and what goes with it stay until then.
//               Clients are served in turn, a request at a time, one a cycle at best.
//   responses   Broadcast: rsp_valid_o[c] marks a beat for client c. There is no back-pressure: a
//               client asks only for what it has room for. Beats are aligned to AxiBytes, so that
//               the first one holds the byte of req_addr in lane req_addr % AxiBytes. rsp_last_o
//               marks the last beat of the request, rsp_error_o a beat answered with SLVERR or
//               DECERR. The beats of a client come in the order of its requests; clients interleave
//               in any order. Latency 1 from the R channel.
//   bus         ARID = client. Full-width INCR bursts that never cross a multiple of MaxBurstBytes.
//               Up to Outstanding bursts a client are in flight. m_axi_rready_o is always high.
//               No output depends on an input of the bus in the same cycle.
//   idle_o      nothing held and nothing in flight.
//
// Parameters:
//   AxiBytes        bytes in a beat
//   Clients         number of clients, 2 to 2**IdWidth
//   IdWidth         bits of ARID and RID
//   MaxBurstBytes   see burst_split
//   Outstanding     bursts in flight a client, a power of two

module axi_read #(
  parameter int unsigned AxiBytes = 16,
  parameter int unsigned Clients = 5,
  parameter int unsigned IdWidth = 4,
  parameter int unsigned MaxBurstBytes = 512,
  parameter int unsigned Outstanding = 64
) (
  input  logic                                 clk_i,
  input  logic                                 rst_i,
  output logic                                 idle_o,

  input  logic [Clients-1:0]                   req_valid_i,
  output logic [Clients-1:0]                   req_ready_o,
  input  logic [64*Clients-1:0]                req_addr_i,
  input  logic [nic_pkg::LenWidth*Clients-1:0] req_bytes_i,

  output logic [Clients-1:0]                   rsp_valid_o,
  output logic [8*AxiBytes-1:0]                rsp_data_o,
  output logic                                 rsp_last_o,
  output logic                                 rsp_error_o,

  output logic [IdWidth-1:0]                   m_axi_arid_o,
  output logic [63:0]                          m_axi_araddr_o,
  output logic [7:0]                           m_axi_arlen_o,
  output logic [2:0]                           m_axi_arsize_o,
  output logic [1:0]                           m_axi_arburst_o,
  output logic                                 m_axi_arvalid_o,
  input  logic                                 m_axi_arready_i,
  input  logic [IdWidth-1:0]                   m_axi_rid_i,
  input  logic [8*AxiBytes-1:0]                m_axi_rdata_i,
  input  logic [1:0]                           m_axi_rresp_i,
  input  logic                                 m_axi_rlast_i,
  input  logic                                 m_axi_rvalid_i,
  output logic                                 m_axi_rready_o
);

  localparam int unsigned LenWidth = nic_pkg::LenWidth;
  localparam int unsigned ClientWidth = $clog2(Clients);
  localparam int unsigned SlotWidth = $clog2(Outstanding);
  localparam int unsigned PtrWidth = SlotWidth + 1;
  localparam int unsigned FlightWidth = $clog2(Clients * Outstanding + 1);

  if (Clients < 2 || Clients > (1 << IdWidth)) $error("axi_read: Clients is out of range");
  if ((1 << SlotWidth) != Outstanding) $error("axi_read: Outstanding must be a power of two");

  // It needs a clock while something moves on one of its sides, not while it waits for memory.
  logic clk;
  logic moves;

  clock_gate u_clock (
    .clk_i(clk_i),
    .en_i (rst_i || moves || req_valid_i != '0 || m_axi_rvalid_i),
    .clk_o(clk)
  );

  ////////////////////
  // Requests       //
  ////////////////////

  logic [ClientWidth-1:0] grant_index;
  logic [Clients-1:0]     grant;
  logic                   grant_valid;
  logic                   split_ready;
  logic [63:0]            grant_addr;
  logic [LenWidth-1:0]    grant_bytes;

  arbiter_rr #(
    .N(Clients)
  ) u_arbiter (
    .clk_i        (clk),
    .rst_i        (rst_i),
    .request_i    (req_valid_i),
    .advance_i    (split_ready),
    .grant_o      (grant),
    .grant_index_o(grant_index),
    .grant_valid_o(grant_valid)
  );

  // Chosen by the number, not by the one-hot grant: four addresses then fit in a LUT for each bit.
  assign grant_addr  = req_addr_i[64*grant_index +: 64];
  assign grant_bytes = req_bytes_i[LenWidth*grant_index +: LenWidth];

  assign req_ready_o = split_ready ? grant : '0;

  logic                   burst_valid;
  logic                   burst_ready;
  logic [63:0]            burst_addr;
  logic [7:0]             burst_len;
  logic                   burst_last;
  logic [ClientWidth-1:0] burst_client;

  burst_split #(
    .AxiBytes     (AxiBytes),
    .MaxBurstBytes(MaxBurstBytes),
    .UserWidth    (ClientWidth)
  ) u_split (
    .clk_i        (clk),
    .rst_i        (rst_i),
    .req_valid_i  (grant_valid),
    .req_ready_o  (split_ready),
    .req_addr_i   (grant_addr),
    .req_bytes_i  (grant_bytes),
    .req_user_i   (grant_index),
    .burst_valid_o(burst_valid),
    .burst_ready_i(burst_ready),
    .burst_addr_o (burst_addr),
    .burst_len_o  (burst_len),
    .burst_last_o (burst_last),
    .burst_user_o (burst_client)
  );

  ////////////////////
  // Address channel//
  ////////////////////

  // For each client a ring of one bit a burst in flight: is it the last of its request?
  logic                         last_mem [(1 << ClientWidth) * Outstanding];
  logic [PtrWidth*Clients-1:0]  wr_ptr_q;
  logic [PtrWidth*Clients-1:0]  rd_ptr_q;
  logic [FlightWidth-1:0]       flight_q;

  logic [PtrWidth-1:0]    wr_ptr;
  logic [PtrWidth-1:0]    rd_ptr;
  logic                   room;
  logic                   issue;
  logic                   arvalid_q;
  logic [ClientWidth-1:0] arid_q;
  logic [63:0]            araddr_q;
  logic [7:0]             arlen_q;
  logic                   spare_valid_q;  // a second place, so that nothing here waits for the
  logic [ClientWidth-1:0] spare_id_q;     // bus's ready in the same cycle
  logic [63:0]            spare_addr_q;
  logic [7:0]             spare_len_q;

  assign wr_ptr      = wr_ptr_q[PtrWidth*burst_client +: PtrWidth];
  assign rd_ptr      = rd_ptr_q[PtrWidth*burst_client +: PtrWidth];
  assign room        = (wr_ptr - rd_ptr) != PtrWidth'(Outstanding);
  assign burst_ready = room && !spare_valid_q;
  assign issue       = burst_valid && burst_ready;

  always_ff @(posedge clk) begin
    if (rst_i) begin
      arvalid_q     <= 1'b0;
      spare_valid_q <= 1'b0;
    end else if (issue) begin
      if (!arvalid_q || m_axi_arready_i) begin
        arvalid_q <= 1'b1;
        arid_q    <= burst_client;
        araddr_q  <= burst_addr;
        arlen_q   <= burst_len;
      end else begin
        spare_valid_q <= 1'b1;
        spare_id_q    <= burst_client;
        spare_addr_q  <= burst_addr;
        spare_len_q   <= burst_len;
      end
    end else if (arvalid_q && m_axi_arready_i) begin
      arvalid_q     <= spare_valid_q;
      spare_valid_q <= 1'b0;
      arid_q        <= spare_id_q;
      araddr_q      <= spare_addr_q;
      arlen_q       <= spare_len_q;
    end
  end

  always_ff @(posedge clk) begin
    if (rst_i) begin
      wr_ptr_q <= '0;
    end else if (issue) begin
      // Written out, so that synthesis finds an enable for each.
      for (int unsigned c = 0; c < Clients; c++) begin
        if (32'(burst_client) == c) wr_ptr_q[PtrWidth*c +: PtrWidth] <= wr_ptr + 1'b1;
      end
    end
  end

  always_ff @(posedge clk) begin
    if (issue) begin
      last_mem[{burst_client, wr_ptr[SlotWidth-1:0]}] <= burst_last;
    end
  end

  assign m_axi_arvalid_o = arvalid_q;
  assign m_axi_arid_o    = IdWidth'(arid_q);
  assign m_axi_araddr_o  = araddr_q;
  assign m_axi_arlen_o   = arlen_q;
  assign m_axi_arsize_o  = 3'($clog2(AxiBytes));
  assign m_axi_arburst_o = 2'b01;  // INCR

  ////////////////////
  // Read data      //
  ////////////////////

  logic [Clients-1:0]     rsp_valid_q;
  logic [8*AxiBytes-1:0]  rsp_data_q;
  logic                   rsp_last_q;
  logic                   rsp_error_q;
  logic                   burst_end;

  assign burst_end = m_axi_rvalid_i && m_axi_rlast_i;

  always_ff @(posedge clk) begin
    if (rst_i) begin
      rsp_valid_q <= '0;
      rd_ptr_q    <= '0;
    end else if (m_axi_rvalid_i) begin : p_beat
      logic [ClientWidth-1:0] client;
      logic [PtrWidth-1:0]    slot;
      client      = m_axi_rid_i[ClientWidth-1:0];
      slot        = rd_ptr_q[PtrWidth*client +: PtrWidth];
      rsp_valid_q <= Clients'(1) << client;
      rsp_data_q  <= m_axi_rdata_i;
      rsp_last_q  <= m_axi_rlast_i && last_mem[{client, slot[SlotWidth-1:0]}];
      rsp_error_q <= m_axi_rresp_i[1];
      if (m_axi_rlast_i) begin
        for (int unsigned c = 0; c < Clients; c++) begin
          if (32'(client) == c) rd_ptr_q[PtrWidth*c +: PtrWidth] <= slot + 1'b1;
        end
      end
    end else begin
      rsp_valid_q <= '0;
    end
  end

  always_ff @(posedge clk) begin
    if (rst_i) begin
      flight_q <= '0;
    end else if (issue != burst_end) begin
      flight_q <= issue ? flight_q + 1'b1 : flight_q - 1'b1;
    end
  end

  assign rsp_valid_o    = rsp_valid_q;
  assign rsp_data_o     = rsp_data_q;
  assign rsp_last_o     = rsp_last_q;
  assign rsp_error_o    = rsp_error_q;
  assign m_axi_rready_o = 1'b1;
  assign moves          = burst_valid || arvalid_q || rsp_valid_q != '0;
  assign idle_o         = flight_q == '0 && !burst_valid && rsp_valid_q == '0;

  logic unused_inputs;
  assign unused_inputs = ^{m_axi_rid_i, m_axi_rresp_i[0]};

`ifndef SYNTHESIS
  logic [ClientWidth-1:0] rid;
  assign rid = m_axi_rid_i[ClientWidth-1:0];

  always_ff @(posedge clk) begin
    if (!rst_i) begin
      // Data comes only for a client that has a burst in flight.
      a_expected: assert (!m_axi_rvalid_i || (32'(m_axi_rid_i) < Clients &&
                          rd_ptr_q[PtrWidth*rid +: PtrWidth] !=
                          wr_ptr_q[PtrWidth*rid +: PtrWidth]));
      // The second place is used only behind the first.
      a_order: assert (!spare_valid_q || arvalid_q);
      // No burst crosses 4 KiB.
      a_page: assert (!arvalid_q || (32'(araddr_q[11:0]) & ~(AxiBytes - 1)) +
                      (32'(arlen_q) + 1) * AxiBytes <= 4096);
    end
  end
`endif

endmodule
