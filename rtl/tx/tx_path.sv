// SPDX-License-Identifier: Apache-2.0
//
// tx_path: the way of a frame from the driver's buffers to the stream.
//
//     req_*, rsp_* (axi_read) <--> tx_gather --> tx_store --> m_axis
//                                    ^ |
//                                 desc used
//
//   stop_i         starts no chain. Whole frames in the store were returned to the driver as sent,
//                  so they leave all the same. quiet_o: no read in flight, nothing left to send.
//   desc, used, req_*, rsp_*   see tx_gather
//   m_axis_*       see tx_store
//   err_*          a read was answered with an error; err_o.queue is the virtqueue index
//   drop_bad_o     pulses for each chain that is no frame
//   trace_*        the points TxDescriptor to TxEnd of virtio_pkg, in that order
//   idle_o         a clock edge with quiet inputs changes no state
//
// Parameters: those of nic_core; MaxFrame is without FCS here.

module tx_path #(
  parameter int unsigned StreamBytes = 8,
  parameter int unsigned AxiBytes    = 16,
  parameter int unsigned Queues      = 1,
  parameter int unsigned StoreBytes  = 32768,
  parameter int unsigned MaxFrame    = 9022,
  parameter int unsigned TagWidth    = 32,
  localparam int unsigned QueueWidth = (Queues > 1) ? $clog2(Queues) : 1,
  localparam int unsigned Points     = virtio_pkg::TraceTxEnd - virtio_pkg::TraceTxDescriptor + 1
) (
  input  logic                         clk_i,
  input  logic                         rst_i,
  input  logic                         stop_i,
  output logic                         quiet_o,
  output logic                         idle_o,

  input  logic [Queues-1:0]            avail_i,
  output logic                         pop_valid_o,
  output logic [QueueWidth-1:0]        pop_queue_o,
  input  logic                         desc_valid_i,
  input  nic_pkg::desc_t               desc_i,
  input  logic [15:0]                  desc_index_i,

  output logic                         req_valid_o,
  input  logic                         req_ready_i,
  output logic [63:0]                  req_addr_o,
  output logic [nic_pkg::LenWidth-1:0] req_bytes_o,
  input  logic                         rsp_valid_i,
  input  logic [8*AxiBytes-1:0]        rsp_data_i,
  input  logic                         rsp_last_i,
  input  logic                         rsp_error_i,

  output logic                         used_valid_o,
  input  logic                         used_ready_i,
  output logic [QueueWidth-1:0]        used_queue_o,
  output nic_pkg::used_t               used_o,
  output logic [TagWidth-1:0]          used_tag_o,

  output logic                         m_axis_tvalid_o,
  input  logic                         m_axis_tready_i,
  output logic [8*StreamBytes-1:0]     m_axis_tdata_o,
  output logic [StreamBytes-1:0]       m_axis_tkeep_o,
  output logic                         m_axis_tlast_o,
  output logic [TagWidth-1:0]          m_axis_tag_o,

  output logic                         err_valid_o,
  output nic_pkg::vq_error_t           err_o,

  output logic                         drop_bad_o,

  output logic [Points-1:0]            trace_valid_o,
  output logic [32*Points-1:0]         trace_tag_o
);

  logic                  we, freed, frame_valid, frame_ready;
  logic [8*AxiBytes-1:0] wdata;
  logic [15:0]           frame_len;
  logic [TagWidth-1:0]   frame_tag;
  logic                  gather_quiet, gather_idle, store_quiet, store_idle;
  logic                  descriptor, read, stored, start, ended;
  logic [TagWidth-1:0]   descriptor_tag, read_tag, stored_tag, start_tag, ended_tag;
  nic_pkg::vq_error_t    gather_err;

  logic clk;

  clock_gate u_clock (
    .clk_i(clk_i),
    .en_i (rst_i || !idle_o),
    .clk_o(clk)
  );

  tx_gather #(
    .AxiBytes  (AxiBytes),
    .Queues    (Queues),
    .MaxFrame  (MaxFrame),
    .StoreBytes(StoreBytes),
    .TagWidth  (TagWidth)
  ) u_gather (
    .clk_i                   (clk),
    .rst_i                   (rst_i),
    .stop_i                  (stop_i),
    .quiet_o                 (gather_quiet),
    .idle_o                  (gather_idle),
    .avail_i                 (avail_i),
    .pop_valid_o             (pop_valid_o),
    .pop_queue_o             (pop_queue_o),
    .desc_valid_i            (desc_valid_i),
    .desc_i                  (desc_i),
    .desc_index_i            (desc_index_i),
    .req_valid_o             (req_valid_o),
    .req_ready_i             (req_ready_i),
    .req_addr_o              (req_addr_o),
    .req_bytes_o             (req_bytes_o),
    .rsp_valid_i             (rsp_valid_i),
    .rsp_data_i              (rsp_data_i),
    .rsp_last_i              (rsp_last_i),
    .rsp_error_i             (rsp_error_i),
    .we_o                    (we),
    .wdata_o                 (wdata),
    .word_freed_i            (freed),
    .frame_valid_o           (frame_valid),
    .frame_ready_i           (frame_ready),
    .frame_len_o             (frame_len),
    .frame_tag_o             (frame_tag),
    .used_valid_o            (used_valid_o),
    .used_ready_i            (used_ready_i),
    .used_queue_o            (used_queue_o),
    .used_o                  (used_o),
    .used_tag_o              (used_tag_o),
    .err_valid_o             (err_valid_o),
    .err_o                   (gather_err),
    .drop_bad_o              (drop_bad_o),
    .trace_descriptor_valid_o(descriptor),
    .trace_descriptor_tag_o  (descriptor_tag),
    .trace_read_valid_o      (read),
    .trace_read_tag_o        (read_tag),
    .trace_stored_valid_o    (stored),
    .trace_stored_tag_o      (stored_tag)
  );

  tx_store #(
    .StreamBytes(StreamBytes),
    .AxiBytes   (AxiBytes),
    .StoreBytes (StoreBytes),
    .TagWidth   (TagWidth)
  ) u_store (
    .clk_i              (clk),
    .rst_i              (rst_i),
    .stop_i             (1'b0),
    .quiet_o            (store_quiet),
    .idle_o             (store_idle),
    .we_i               (we),
    .wdata_i            (wdata),
    .word_freed_o       (freed),
    .frame_valid_i      (frame_valid),
    .frame_ready_o      (frame_ready),
    .frame_len_i        (frame_len),
    .frame_tag_i        (frame_tag),
    .m_axis_tvalid_o    (m_axis_tvalid_o),
    .m_axis_tready_i    (m_axis_tready_i),
    .m_axis_tdata_o     (m_axis_tdata_o),
    .m_axis_tkeep_o     (m_axis_tkeep_o),
    .m_axis_tlast_o     (m_axis_tlast_o),
    .tag_o              (m_axis_tag_o),
    .trace_start_valid_o(start),
    .trace_start_tag_o  (start_tag),
    .trace_end_valid_o  (ended),
    .trace_end_tag_o    (ended_tag)
  );

  // The store is at rest when it is idle: it stops for nothing.
  logic unused_quiet;
  assign unused_quiet = store_quiet;

  assign quiet_o = gather_quiet && store_idle;
  assign idle_o  = gather_idle && store_idle;

  always_comb begin
    err_o       = gather_err;
    err_o.queue = {gather_err.queue[14:0], 1'b1};
  end

  assign trace_valid_o = {ended, start, stored, read, descriptor};
  assign trace_tag_o   = {32'(ended_tag), 32'(start_tag), 32'(stored_tag), 32'(read_tag),
                          32'(descriptor_tag)};

endmodule
