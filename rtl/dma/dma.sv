// SPDX-License-Identifier: Apache-2.0
//
// dma: the NIC's AXI4 manager, both engines of it.
//
//   rd_*, rsp_*    clients of axi_read
//   wr_*, w_*, done_o, error_o   the streaming client of axi_write, that of received data
//   sw_*           clients of axi_write for single beats: the first two write used elements, the others
//                  have the same four bytes in all words of their beat
//   m_axi_*        the bus
//   idle_o         nothing held and nothing in flight
//
// Parameters:
//   AxiBytes   bytes in a beat
//   Readers    clients of axi_read
//   Writers    clients of axi_write for single beats

module dma #(
  parameter int unsigned AxiBytes = 16,
  parameter int unsigned Readers  = 6,
  parameter int unsigned Writers  = 6
) (
  input  logic                                 clk_i,
  input  logic                                 rst_i,
  output logic                                 idle_o,

  input  logic [Readers-1:0]                   rd_valid_i,
  output logic [Readers-1:0]                   rd_ready_o,
  input  logic [64*Readers-1:0]                rd_addr_i,
  input  logic [nic_pkg::LenWidth*Readers-1:0] rd_bytes_i,
  output logic [Readers-1:0]                   rsp_valid_o,
  output logic [8*AxiBytes-1:0]                rsp_data_o,
  output logic                                 rsp_last_o,
  output logic                                 rsp_error_o,

  input  logic                                 wr_valid_i,
  output logic                                 wr_ready_o,
  input  logic [63:0]                          wr_addr_i,
  input  logic [nic_pkg::LenWidth-1:0]         wr_bytes_i,
  input  logic                                 w_valid_i,
  output logic                                 w_ready_o,
  input  logic [8*AxiBytes-1:0]                w_data_i,
  input  logic [AxiBytes-1:0]                  w_strb_i,
  output logic                                 done_o,
  output logic                                 error_o,

  input  logic [Writers-1:0]                   sw_valid_i,
  output logic [Writers-1:0]                   sw_ready_o,
  input  logic [64*Writers-1:0]                sw_addr_i,
  input  logic [8*AxiBytes*Writers-1:0]        sw_data_i,
  input  logic [AxiBytes*Writers-1:0]          sw_strb_i,
  output logic [Writers-1:0]                   sw_done_o,
  output logic [Writers-1:0]                   sw_error_o,

  output logic [3:0]                           m_axi_awid_o,
  output logic [63:0]                          m_axi_awaddr_o,
  output logic [7:0]                           m_axi_awlen_o,
  output logic [2:0]                           m_axi_awsize_o,
  output logic [1:0]                           m_axi_awburst_o,
  output logic                                 m_axi_awvalid_o,
  input  logic                                 m_axi_awready_i,
  output logic [8*AxiBytes-1:0]                m_axi_wdata_o,
  output logic [AxiBytes-1:0]                  m_axi_wstrb_o,
  output logic                                 m_axi_wlast_o,
  output logic                                 m_axi_wvalid_o,
  input  logic                                 m_axi_wready_i,
  input  logic [3:0]                           m_axi_bid_i,
  input  logic [1:0]                           m_axi_bresp_i,
  input  logic                                 m_axi_bvalid_i,
  output logic                                 m_axi_bready_o,
  output logic [3:0]                           m_axi_arid_o,
  output logic [63:0]                          m_axi_araddr_o,
  output logic [7:0]                           m_axi_arlen_o,
  output logic [2:0]                           m_axi_arsize_o,
  output logic [1:0]                           m_axi_arburst_o,
  output logic                                 m_axi_arvalid_o,
  input  logic                                 m_axi_arready_i,
  input  logic [3:0]                           m_axi_rid_i,
  input  logic [8*AxiBytes-1:0]                m_axi_rdata_i,
  input  logic [1:0]                           m_axi_rresp_i,
  input  logic                                 m_axi_rlast_i,
  input  logic                                 m_axi_rvalid_i,
  output logic                                 m_axi_rready_o
);

  // At 250 MHz a wide bus begins a short read every two or three cycles, and one may take 250.
  localparam int unsigned ReadsInFlight = (AxiBytes >= 64) ? 256 : 64;

  logic read_idle, write_idle;

  assign idle_o = read_idle && write_idle;

  axi_read #(
    .AxiBytes   (AxiBytes),
    .Clients    (Readers),
    .Outstanding(ReadsInFlight)
  ) u_read (
    .clk_i(clk_i), .rst_i(rst_i),
    .idle_o          (read_idle),
    .req_valid_i(rd_valid_i), .req_ready_o(rd_ready_o),
    .req_addr_i(rd_addr_i), .req_bytes_i(rd_bytes_i),
    .rsp_valid_o, .rsp_data_o, .rsp_last_o, .rsp_error_o,
    .m_axi_arid_o, .m_axi_araddr_o, .m_axi_arlen_o, .m_axi_arsize_o, .m_axi_arburst_o,
    .m_axi_arvalid_o, .m_axi_arready_i, .m_axi_rid_i, .m_axi_rdata_i, .m_axi_rresp_i,
    .m_axi_rlast_i, .m_axi_rvalid_i, .m_axi_rready_o
  );

  axi_write #(
    .AxiBytes(AxiBytes),
    .Small   (Writers),
    .Elements(2)
  ) u_write (
    .clk_i(clk_i), .rst_i(rst_i),
    .idle_o          (write_idle),
    .req_valid_i(wr_valid_i), .req_ready_o(wr_ready_o),
    .req_addr_i(wr_addr_i), .req_bytes_i(wr_bytes_i),
    .w_valid_i, .w_ready_o, .w_data_i, .w_strb_i, .done_o, .error_o,
    .sw_valid_i, .sw_ready_o, .sw_addr_i, .sw_data_i, .sw_strb_i, .sw_done_o, .sw_error_o,
    .m_axi_awid_o, .m_axi_awaddr_o, .m_axi_awlen_o, .m_axi_awsize_o, .m_axi_awburst_o,
    .m_axi_awvalid_o, .m_axi_awready_i, .m_axi_wdata_o, .m_axi_wstrb_o, .m_axi_wlast_o,
    .m_axi_wvalid_o, .m_axi_wready_i, .m_axi_bid_i, .m_axi_bresp_i, .m_axi_bvalid_i,
    .m_axi_bready_o
  );

endmodule
