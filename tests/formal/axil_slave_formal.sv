// SPDX-License-Identifier: Apache-2.0
//
// Proof harness of axil_slave: a manager that keeps the rules of AXI4-Lite and is free otherwise,
// and registers that answer an access whenever they like.

module axil_slave_formal #(
  parameter int unsigned AddrWidth = 4
) (
  input logic                 clk_i,
  input logic                 rst_i,
  input logic [AddrWidth-1:0] awaddr_i,
  input logic                 awvalid_i,
  input logic [31:0]          wdata_i,
  input logic [3:0]           wstrb_i,
  input logic                 wvalid_i,
  input logic                 bready_i,
  input logic [AddrWidth-1:0] araddr_i,
  input logic                 arvalid_i,
  input logic                 rready_i,
  input logic                 ack_i,
  input logic [31:0]          rdata_i
);

  logic                 awready, wready, bvalid, arready, rvalid, valid, write, idle;
  logic [1:0]           bresp, rresp;
  logic [31:0]          rdata, wdata;
  logic [3:0]           wstrb;
  logic [AddrWidth-1:0] addr;

  axil_slave #(
    .AddrWidth(AddrWidth)
  ) u_dut (
    .clk_i           (clk_i),
    .rst_i           (rst_i),
    .s_axil_awaddr_i (awaddr_i),
    .s_axil_awvalid_i(awvalid_i),
    .s_axil_awready_o(awready),
    .s_axil_wdata_i  (wdata_i),
    .s_axil_wstrb_i  (wstrb_i),
    .s_axil_wvalid_i (wvalid_i),
    .s_axil_wready_o (wready),
    .s_axil_bresp_o  (bresp),
    .s_axil_bvalid_o (bvalid),
    .s_axil_bready_i (bready_i),
    .s_axil_araddr_i (araddr_i),
    .s_axil_arvalid_i(arvalid_i),
    .s_axil_arready_o(arready),
    .s_axil_rdata_o  (rdata),
    .s_axil_rresp_o  (rresp),
    .s_axil_rvalid_o (rvalid),
    .s_axil_rready_i (rready_i),
    .reg_valid_o     (valid),
    .reg_write_o     (write),
    .reg_addr_o      (addr),
    .reg_wdata_o     (wdata),
    .reg_wstrb_o     (wstrb),
    .reg_ack_i       (ack_i),
    .reg_rdata_i     (rdata_i),
    .idle_o          (idle)
  );

  // What the induction has to know of u_dut.
  (* hierconn *) wire [AddrWidth-1:0] \u_dut.aw_addr_q ;
  (* hierconn *) wire [AddrWidth-1:0] \u_dut.ar_addr_q ;
  (* hierconn *) wire [31:0]          \u_dut.w_data_q ;
  (* hierconn *) wire [3:0]           \u_dut.w_strb_q ;

  logic                 started_q = 1'b0;
  logic                 aw_q, w_q, ar_q;      // an address, data, is accepted and not acted on
  logic [AddrWidth-1:0] aw_addr_q, ar_addr_q;
  logic [31:0]          w_data_q, read_q;
  logic [3:0]           w_strb_q;
  logic                 acting_q;             // an access was under way in the cycle before
  logic                 acting_write_q;
  logic [AddrWidth-1:0] acting_addr_q;
  logic [31:0]          acting_wdata_q;
  logic [3:0]           acting_wstrb_q;
  logic                 b_q, r_q;             // an access was answered, and its response not taken
  logic [1:0]           passed_write_q;       // reads that went before a write that could go
  logic [1:0]           passed_read_q;
  logic                 aw_stall_q, w_stall_q, ar_stall_q, b_stall_q, r_stall_q;
  logic [AddrWidth-1:0] was_awaddr_q, was_araddr_q;
  logic [35:0]          was_w_q;
  logic [2:0]           done_q;
  logic                 begins;

  assign begins = valid && !acting_q;

  always_ff @(posedge clk_i) begin
    started_q <= 1'b1;
    if (rst_i) begin
      aw_q           <= 1'b0;
      w_q            <= 1'b0;
      ar_q           <= 1'b0;
      acting_q       <= 1'b0;
      b_q            <= 1'b0;
      r_q            <= 1'b0;
      passed_write_q <= '0;
      passed_read_q  <= '0;
      aw_stall_q     <= 1'b0;
      w_stall_q      <= 1'b0;
      ar_stall_q     <= 1'b0;
      b_stall_q      <= 1'b0;
      r_stall_q      <= 1'b0;
      done_q         <= '0;
    end else begin
      aw_q <= (aw_q && !(begins && write)) || (awvalid_i && awready);
      w_q  <= (w_q && !(begins && write)) || (wvalid_i && wready);
      ar_q <= (ar_q && !(begins && !write)) || (arvalid_i && arready);
      if (awvalid_i && awready) aw_addr_q <= awaddr_i;
      if (arvalid_i && arready) ar_addr_q <= araddr_i;
      if (wvalid_i && wready) begin
        w_data_q <= wdata_i;
        w_strb_q <= wstrb_i;
      end
      acting_q       <= valid && !ack_i;
      acting_write_q <= write;
      acting_addr_q  <= addr;
      acting_wdata_q <= wdata;
      acting_wstrb_q <= wstrb;
      b_q <= (b_q && !bready_i) || (ack_i && write);
      r_q <= (r_q && !rready_i) || (ack_i && !write);
      if (ack_i && !write) read_q <= rdata_i;
      if (begins && write) passed_write_q <= '0;
      else if (begins && aw_q && w_q && !b_q) passed_write_q <= passed_write_q + 1'b1;
      if (begins && !write) passed_read_q <= '0;
      else if (begins && ar_q && !r_q) passed_read_q <= passed_read_q + 1'b1;
      aw_stall_q   <= awvalid_i && !awready;
      w_stall_q    <= wvalid_i && !wready;
      ar_stall_q   <= arvalid_i && !arready;
      b_stall_q    <= bvalid && !bready_i;
      r_stall_q    <= rvalid && !rready_i;
      was_awaddr_q <= awaddr_i;
      was_araddr_q <= araddr_i;
      was_w_q      <= {wdata_i, wstrb_i};
      done_q       <= done_q + 3'(done_q != '1 && ((bvalid && bready_i) || (rvalid && rready_i)));
    end
  end

  always_comb begin
    // A run begins with a reset.
    m_reset_first: assume (started_q || rst_i);
    // The manager keeps what it offers until it is taken.
    m_aw: assume (!aw_stall_q || (awvalid_i && awaddr_i == was_awaddr_q));
    m_w: assume (!w_stall_q || (wvalid_i && {wdata_i, wstrb_i} == was_w_q));
    m_ar: assume (!ar_stall_q || (arvalid_i && araddr_i == was_araddr_q));
    // Registers answer accesses and nothing else.
    m_ack: assume (!ack_i || valid);
  end

  always_ff @(posedge clk_i) begin
    if (started_q && !rst_i) begin
      // A response that was not taken stays, with its data; every response is OKAY.
      a_b_stays: assert (!b_stall_q || bvalid);
      a_r_stays: assert (!r_stall_q || rvalid);
      a_okay: assert (bresp == 2'b00 && rresp == 2'b00);
      // There is a write response exactly for a write that the registers have answered, a read
      // response likewise, and it carries what they said.
      a_b: assert (bvalid == b_q);
      a_r: assert (rvalid == r_q && (!rvalid || rdata == read_q));
      // A write begins with an address and data, a read with an address, and it is theirs.
      a_write: assert (!(begins && write)
                       || (aw_q && w_q && addr == {aw_addr_q[AddrWidth-1:2], 2'b00}
                           && wdata == w_data_q && wstrb == w_strb_q));
      a_read: assert (!(begins && !write) || (ar_q && addr == {ar_addr_q[AddrWidth-1:2], 2'b00}));
      // An access stays as it is until it is answered.
      a_access: assert (!acting_q || (valid && write == acting_write_q && addr == acting_addr_q
                                      && (!write || (wdata == acting_wdata_q
                                                     && wstrb == acting_wstrb_q))));
      // No access whose response would find the one before it.
      a_room: assert (!valid || !(write ? b_q : r_q));
      // What can go waits for at most one access of the other kind.
      a_turns_write: assert (passed_write_q <= 2'd1);
      a_turns_read: assert (passed_read_q <= 2'd1);
      // And what waited for the other kind has its turn next.
      a_last: assert ((passed_write_q == '0 || (aw_q && w_q && !b_q && (!write || begins)))
                      && (passed_read_q == '0 || (ar_q && !r_q && (write || begins))));
      // Addresses and data are taken whenever there is room for one.
      a_ready: assert (awready == !(aw_q && !(begins && write))
                       && wready == !(w_q && !(begins && write))
                       && arready == !(ar_q && !(begins && !write)));
      // Idle is when nothing is accepted that was not answered and taken.
      a_idle: assert (idle == !(aw_q || w_q || ar_q || valid || b_q || r_q));
      // What the harness and the cell hold is the same.
      a_same: assert ((!(aw_q && !(begins && write)) || \u_dut.aw_addr_q == aw_addr_q)
                      && (!(ar_q && !(begins && !write)) || \u_dut.ar_addr_q == ar_addr_q)
                      && (!(w_q && !(begins && write))
                          || (\u_dut.w_data_q == w_data_q && \u_dut.w_strb_q == w_strb_q)));
      // Accesses of both kinds are answered, one after the other.
      c_done: cover (done_q == 3'd3 && bvalid && rvalid);
    end
  end

endmodule
