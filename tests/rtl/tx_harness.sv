// SPDX-License-Identifier: Apache-2.0
//
// tx_harness: axi_read and tx_path as nic_core joins them, for tests. Structs are taken apart so that
// the test reads fields.

module tx_harness #(
  parameter int unsigned StreamBytes = 8,
  parameter int unsigned AxiBytes = 16,
  parameter int unsigned StoreBytes = 32768,
  parameter int unsigned Queues = 4,
  localparam int unsigned QueueWidth = (Queues > 1) ? $clog2(Queues) : 1
) (
  input  logic                     clk_i,
  input  logic                     rst_i,
  input  logic [63:0]              features_i,
  input  logic                     stop_i,
  output logic                     quiet_o,
  output logic                     idle_o,
  input  logic                     qrst_valid_i,
  input  logic [QueueWidth-1:0]    qrst_queue_i,
  output logic                     qrst_quiet_o,

  input  logic [Queues-1:0]        avail_i,
  output logic                     pop_valid_o,
  output logic [QueueWidth-1:0]    pop_queue_o,
  input  logic                     desc_valid_i,
  input  logic [63:0]              desc_addr_i,
  input  logic [31:0]              desc_len_i,
  input  logic [15:0]              desc_id_i,
  input  logic [15:0]              desc_flags_i,
  input  logic [15:0]              desc_index_i,

  output logic                     used_valid_o,
  input  logic                     used_ready_i,
  output logic [QueueWidth-1:0]    used_queue_o,
  output logic [15:0]              used_id_o,
  output logic [31:0]              used_len_o,
  output logic [15:0]              used_ndesc_o,
  output logic                     used_first_o,
  output logic                     used_last_o,
  output logic [31:0]              used_tag_o,

  output logic                     err_valid_o,
  output logic [7:0]               err_code_o,
  output logic [15:0]              err_queue_o,
  output logic [15:0]              err_index_o,
  output logic [63:0]              err_addr_o,
  output logic                     sent_o,
  output logic [QueueWidth-1:0]    sent_queue_o,
  output logic [15:0]              sent_bytes_o,
  output logic                     drop_bad_o,
  output logic [QueueWidth-1:0]    drop_queue_o,
  output logic                     csum_o,
  output logic                     tso_o,
  output logic                     segment_o,

  output logic                     m_axis_tvalid_o,
  input  logic                     m_axis_tready_i,
  output logic [8*StreamBytes-1:0] m_axis_tdata_o,
  output logic [StreamBytes-1:0]   m_axis_tkeep_o,
  output logic                     m_axis_tlast_o,
  output logic [QueueWidth-1:0]    queue_o,
  output logic [31:0]              tag_o,

  output logic [3:0]               m_axi_arid_o,
  output logic [63:0]              m_axi_araddr_o,
  output logic [7:0]               m_axi_arlen_o,
  output logic [2:0]               m_axi_arsize_o,
  output logic [1:0]               m_axi_arburst_o,
  output logic                     m_axi_arvalid_o,
  input  logic                     m_axi_arready_i,
  input  logic [3:0]               m_axi_rid_i,
  input  logic [8*AxiBytes-1:0]    m_axi_rdata_i,
  input  logic [1:0]               m_axi_rresp_i,
  input  logic                     m_axi_rlast_i,
  input  logic                     m_axi_rvalid_i,
  output logic                     m_axi_rready_o,

  output logic [4:0]               trace_valid_o,  // descriptor, read, stored, start, end
  output logic [159:0]             trace_tag_o
);

  localparam int unsigned Clients = 5;
  localparam int unsigned Payload = 4;
  localparam int unsigned LenWidth = nic_pkg::LenWidth;

  logic                read_idle;
  logic                path_idle;
  logic                req_valid;
  logic [Clients-1:0]  req_ready;
  logic [63:0]         req_addr;
  logic [LenWidth-1:0] req_bytes;
  logic [Clients-1:0]  rsp_valid;
  logic [8*AxiBytes-1:0] rsp_data;
  logic                rsp_last;
  logic                rsp_error;
  nic_pkg::desc_t      desc;
  nic_pkg::used_t      used;
  nic_pkg::vq_error_t  err;
  logic                unused_clients;

  assign idle_o         = read_idle && path_idle;
  assign unused_clients = ^{req_ready[Payload-1:0], rsp_valid[Payload-1:0]};

  axi_read #(
    .AxiBytes(AxiBytes),
    .Clients (Clients)
  ) u_read (
    .clk_i          (clk_i),
    .rst_i          (rst_i),
    .idle_o         (read_idle),
    .req_valid_i    ({req_valid, Payload'(0)}),
    .req_ready_o    (req_ready),
    .req_addr_i     ({req_addr, (64 * Payload)'(0)}),
    .req_bytes_i    ({req_bytes, (LenWidth * Payload)'(0)}),
    .rsp_valid_o    (rsp_valid),
    .rsp_data_o     (rsp_data),
    .rsp_last_o     (rsp_last),
    .rsp_error_o    (rsp_error),
    .m_axi_arid_o   (m_axi_arid_o),
    .m_axi_araddr_o (m_axi_araddr_o),
    .m_axi_arlen_o  (m_axi_arlen_o),
    .m_axi_arsize_o (m_axi_arsize_o),
    .m_axi_arburst_o(m_axi_arburst_o),
    .m_axi_arvalid_o(m_axi_arvalid_o),
    .m_axi_arready_i(m_axi_arready_i),
    .m_axi_rid_i    (m_axi_rid_i),
    .m_axi_rdata_i  (m_axi_rdata_i),
    .m_axi_rresp_i  (m_axi_rresp_i),
    .m_axi_rlast_i  (m_axi_rlast_i),
    .m_axi_rvalid_i (m_axi_rvalid_i),
    .m_axi_rready_o (m_axi_rready_o)
  );

  always_comb begin
    desc.flags = desc_flags_i;
    desc.id    = desc_id_i;
    desc.len   = desc_len_i;
    desc.addr  = desc_addr_i;
  end

  tx_path #(
    .StreamBytes(StreamBytes),
    .AxiBytes   (AxiBytes),
    .Queues     (Queues),
    .StoreBytes (StoreBytes)
  ) u_path (
    .clk_i          (clk_i),
    .rst_i          (rst_i),
    .features_i     (features_i),
    .stop_i         (stop_i),
    .quiet_o        (quiet_o),
    .idle_o         (path_idle),
    .qrst_valid_i   (qrst_valid_i),
    .qrst_queue_i   (qrst_queue_i),
    .qrst_quiet_o   (qrst_quiet_o),
    .avail_i        (avail_i), .hide_i(1'b0),
    .pop_valid_o    (pop_valid_o),
    .pop_queue_o    (pop_queue_o),
    .desc_valid_i   (desc_valid_i),
    .desc_i         (desc),
    .desc_index_i   (desc_index_i),
    .req_valid_o    (req_valid),
    .req_ready_i    (req_ready[Payload]),
    .req_addr_o     (req_addr),
    .req_bytes_o    (req_bytes),
    .rsp_valid_i    (rsp_valid[Payload]),
    .rsp_data_i     (rsp_data),
    .rsp_last_i     (rsp_last),
    .rsp_error_i    (rsp_error),
    .used_valid_o   (used_valid_o),
    .used_ready_i   (used_ready_i),
    .used_queue_o   (used_queue_o),
    .used_o         (used),
    .used_tag_o     (used_tag_o),
    .m_axis_tvalid_o(m_axis_tvalid_o),
    .m_axis_tready_i(m_axis_tready_i),
    .m_axis_tdata_o (m_axis_tdata_o),
    .m_axis_tkeep_o (m_axis_tkeep_o),
    .m_axis_tlast_o (m_axis_tlast_o),
    .m_axis_queue_o (queue_o),
    .m_axis_tag_o   (tag_o),
    .err_valid_o    (err_valid_o),
    .err_o          (err),
    .sent_o         (sent_o),
    .sent_queue_o   (sent_queue_o),
    .sent_bytes_o   (sent_bytes_o),
    .drop_bad_o     (drop_bad_o),
    .drop_queue_o   (drop_queue_o),
    .csum_o         (csum_o),
    .tso_o          (tso_o),
    .segment_o      (segment_o),
    .trace_valid_o  (trace_valid_o),
    .trace_tag_o    (trace_tag_o)
  );

  assign used_id_o    = used.id;
  assign used_len_o   = used.len;
  assign used_ndesc_o = used.ndesc;
  assign used_first_o = used.first;
  assign used_last_o  = used.last;
  assign err_code_o   = err.code;
  assign err_queue_o  = err.queue;
  assign err_index_o  = err.index;
  assign err_addr_o   = err.addr;

endmodule
