// SPDX-License-Identifier: Apache-2.0
//
// AXI4-Lite subordinate in front of the register blocks.
//
// Turns the five AXI4-Lite channels into one register access at a time:
//
//   AW, W --> [aw] [w] --\                          /--> [b] --> B
//                         +--> access ... ack -----+
//   AR -----> [ar] ------/     (reg_*)              \--> [r] --> R
//
// AXI4-Lite side. AW and W are accepted in any order, each one ahead of the other if it likes; every
// ready is registered and does not depend on its valid. B and R hold until taken. The answer is
// always OKAY. When a read and a write wait together they take turns. One access takes at least
// four cycles from the last address or data beat to its answer.
//
// Register side. reg_valid_o and everything beside it hold until the cycle in which reg_ack_i is
// high, and fall after it; reg_rdata_i counts in that cycle. Every block acknowledges every access
// addressed to it.
module axil_slave #(
  parameter int unsigned AddrWidth = 16   // bytes that the register space spans, as a power of two
) (
  input  logic                 clk_i,
  input  logic                 rst_i,

  input  logic [AddrWidth-1:0] s_axil_awaddr_i,
  input  logic                 s_axil_awvalid_i,
  output logic                 s_axil_awready_o,
  input  logic [31:0]          s_axil_wdata_i,
  input  logic [3:0]           s_axil_wstrb_i,
  input  logic                 s_axil_wvalid_i,
  output logic                 s_axil_wready_o,
  output logic [1:0]           s_axil_bresp_o,
  output logic                 s_axil_bvalid_o,
  input  logic                 s_axil_bready_i,
  input  logic [AddrWidth-1:0] s_axil_araddr_i,
  input  logic                 s_axil_arvalid_i,
  output logic                 s_axil_arready_o,
  output logic [31:0]          s_axil_rdata_o,
  output logic [1:0]           s_axil_rresp_o,
  output logic                 s_axil_rvalid_o,
  input  logic                 s_axil_rready_i,

  output logic                 reg_valid_o,
  output logic                 reg_write_o,
  output logic [AddrWidth-1:0] reg_addr_o,    // of the word: the low two bits are 0
  output logic [31:0]          reg_wdata_o,
  output logic [3:0]           reg_wstrb_o,
  input  logic                 reg_ack_i,
  input  logic [31:0]          reg_rdata_i,

  output logic                 idle_o
);

  logic                 aw_full_q, w_full_q, ar_full_q;
  logic [AddrWidth-1:0] aw_addr_q, ar_addr_q;
  logic [31:0]          w_data_q;
  logic [3:0]           w_strb_q;
  logic                 b_valid_q, r_valid_q;
  logic [31:0]          r_data_q;
  logic                 busy_q, write_q;
  logic [AddrWidth-1:0] addr_q;
  logic [31:0]          wdata_q;
  logic [3:0]           wstrb_q;
  logic                 start_write, start_read;

  assign s_axil_awready_o = !aw_full_q;
  assign s_axil_wready_o  = !w_full_q;
  assign s_axil_arready_o = !ar_full_q;
  assign s_axil_bvalid_o  = b_valid_q;
  assign s_axil_bresp_o   = 2'b00;
  assign s_axil_rvalid_o  = r_valid_q;
  assign s_axil_rdata_o   = r_data_q;
  assign s_axil_rresp_o   = 2'b00;

  assign reg_valid_o = busy_q;
  assign reg_write_o = write_q;
  assign reg_addr_o  = addr_q;
  assign reg_wdata_o = wdata_q;
  assign reg_wstrb_o = wstrb_q;

  assign idle_o = !(aw_full_q || w_full_q || ar_full_q || b_valid_q || r_valid_q || busy_q);

  always_comb begin
    start_write = 1'b0;
    start_read  = 1'b0;
    if (!idle_o && !busy_q) begin
      start_write = aw_full_q && w_full_q && !b_valid_q;
      start_read  = ar_full_q && !r_valid_q && !start_write;
    end
  end

  // Registers are read above where they are written, and reset comes last: no shadow copies are
  // needed in simulation.
  always_ff @(posedge clk_i) begin
    if (!idle_o || s_axil_awvalid_i || s_axil_wvalid_i || s_axil_arvalid_i) begin
      // One access at a time. The response to one of a kind holds up the next of that kind, so that
      // they take turns.
      if (busy_q) begin
        if (reg_ack_i && !write_q) r_data_q <= reg_rdata_i;
      end else if (start_write) begin
        addr_q  <= {aw_addr_q[AddrWidth-1:2], 2'b00};
        wdata_q <= w_data_q;
        wstrb_q <= w_strb_q;
      end else if (start_read) begin
        addr_q <= {ar_addr_q[AddrWidth-1:2], 2'b00};
      end
      b_valid_q <= (b_valid_q && !s_axil_bready_i) || (reg_ack_i && write_q);
      r_valid_q <= (r_valid_q && !s_axil_rready_i) || (reg_ack_i && !write_q);
      busy_q    <= (busy_q && !reg_ack_i) || start_write || start_read;
      write_q   <= (write_q && !start_read) || start_write;

      // Take what the manager offers.
      if (!aw_full_q) aw_addr_q <= s_axil_awaddr_i;
      if (!ar_full_q) ar_addr_q <= s_axil_araddr_i;
      if (!w_full_q) begin
        w_data_q <= s_axil_wdata_i;
        w_strb_q <= s_axil_wstrb_i;
      end
      aw_full_q <= (aw_full_q && !start_write) || (s_axil_awvalid_i && !aw_full_q);
      w_full_q  <= (w_full_q && !start_write) || (s_axil_wvalid_i && !w_full_q);
      ar_full_q <= (ar_full_q && !start_read) || (s_axil_arvalid_i && !ar_full_q);
    end
    if (rst_i) begin
      aw_full_q <= 1'b0;
      w_full_q  <= 1'b0;
      ar_full_q <= 1'b0;
      b_valid_q <= 1'b0;
      r_valid_q <= 1'b0;
      busy_q    <= 1'b0;
      write_q   <= 1'b0;
    end
  end

  // Accesses are of whole words, so the low address bits say nothing that the strobes do not.
  logic unused_bits;
  assign unused_bits = ^{aw_addr_q[1:0], ar_addr_q[1:0]};

`ifndef SYNTHESIS
  logic        was_b_q, was_r_q, was_reset_q;
  logic [31:0] was_rdata_q;

  always_ff @(posedge clk_i) begin
    was_reset_q <= rst_i;
    was_b_q     <= b_valid_q && !s_axil_bready_i;
    was_r_q     <= r_valid_q && !s_axil_rready_i;
    was_rdata_q <= r_data_q;
    if (!rst_i && !was_reset_q) begin
      // A write response that was not taken stays.
      b_holds: assert (!was_b_q || b_valid_q);
      // A read response that was not taken stays, its data with it.
      r_holds: assert (!was_r_q || (r_valid_q && r_data_q == was_rdata_q));
      // An acknowledge answers an access.
      ack_answers: assert (!reg_ack_i || busy_q);
    end
  end
`endif

endmodule
