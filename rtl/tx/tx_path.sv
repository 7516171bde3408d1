// SPDX-License-Identifier: Apache-2.0
//
// tx_path: the way of a frame from the driver's buffers to the stream.
//
//     req_*, rsp_* (axi_read) <--> tx_gather --> tx_segment --> tx_store --> m_axis
//                                    ^ |
//                                 desc used
//
//   features_i     what was negotiated; steady while the device runs
//   stop_i         starts no chain. Whole chains that were read were returned to the driver as sent,
//                  so they leave all the same. quiet_o: no read in flight, nothing left to send.
//   qrst_*         while queue qrst_queue_i is being reset no chain is begun, and one of that queue that
//                  is half taken is given up; qrst_quiet_o: no chain is in hand, so that none of
//                  its buffers will be read or returned
//   desc, used, req_*, rsp_*   see tx_gather
//   m_axis_*       see tx_store; m_axis_queue_o: the transmit queue that the frame came from
//   err_*          a read was answered with an error; err_o.queue is the virtqueue index
//   drop_*_o, csum_o, tso_o, segment_o   see tx_segment
//   sent_*         a pulse: a frame of queue sent_queue_o, of sent_bytes_o bytes, is whole. It leaves
//                  in any case.
//   trace_*        the points TxDescriptor to TxEnd of virtio_pkg, in that order; those from TxStored on
//                  once for each segment of a super-frame
//   idle_o         a clock edge with quiet inputs changes no state
//
// Parameters: those of nic_core; MaxFrame is without FCS here. StoreBytes is shared by halves between
// what was read and whole frames.

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
  input  logic [63:0]                  features_i,
  input  logic                         stop_i,
  output logic                         quiet_o,
  output logic                         idle_o,

  input  logic                         qrst_valid_i,
  input  logic [QueueWidth-1:0]        qrst_queue_i,
  output logic                         qrst_quiet_o,

  input  logic [Queues-1:0]            avail_i,
  input  logic                         hide_i,
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
  output logic [QueueWidth-1:0]        m_axis_queue_o,
  output logic [TagWidth-1:0]          m_axis_tag_o,

  output logic                         err_valid_o,
  output nic_pkg::vq_error_t           err_o,

  output logic                         sent_o,
  output logic [QueueWidth-1:0]        sent_queue_o,
  output logic [15:0]                  sent_bytes_o,
  output logic                         drop_bad_o,
  output logic [QueueWidth-1:0]        drop_queue_o,
  output logic                         csum_o,
  output logic                         tso_o,
  output logic                         segment_o,

  output logic [Points-1:0]            trace_valid_o,
  output logic [32*Points-1:0]         trace_tag_o
);

  localparam int unsigned LenWidth   = nic_pkg::LenWidth;
  localparam int unsigned LaneWidth  = $clog2(AxiBytes);
  localparam int unsigned PlaceWidth = $clog2(MaxFrame + 1);

  // A minimum frame takes a wide bus two or three cycles, and 1 us has 250 of them; more in flight would
  // only queue up in front of the descriptors.
  localparam int unsigned InFlight = 128;

  logic hdr_hash;
  logic clk;

  assign hdr_hash = features_i[virtio_pkg::FeatureHashReport];

  clock_gate u_clock (
    .clk_i(clk_i),
    .en_i (rst_i || !idle_o),
    .clk_o(clk)
  );

  ////////////////////
  // Chains         //
  ////////////////////

  logic                  chain_valid, chain_ready, chain_drop;
  logic [LenWidth-1:0]   chain_last_byte;
  logic [QueueWidth-1:0] chain_queue;
  logic [TagWidth-1:0]   chain_tag;
  logic                  beat_valid, beat_ready, beat_gso, beat_last;
  logic [8*AxiBytes-1:0] beat_data;
  logic [LaneWidth-1:0]  beat_lane, beat_end;
  logic                  gather_quiet, gather_idle, segment_idle, store_idle;
  logic                  descriptor, read, start, ended;
  logic [TagWidth-1:0]   descriptor_tag, read_tag, start_tag, ended_tag;
  nic_pkg::vq_error_t    gather_err;

  tx_gather #(
    .AxiBytes (AxiBytes),
    .Queues   (Queues),
    .BeatBytes(StoreBytes / 2),
    .Fragments(InFlight),
    .Chains   (InFlight),
    .TagWidth (TagWidth)
  ) u_gather (
    .clk_i                   (clk),
    .rst_i                   (rst_i),
    .stop_i                  (stop_i),
    .hdr_hash_i              (hdr_hash),
    .quiet_o                 (gather_quiet),
    .idle_o                  (gather_idle),
    .qrst_valid_i            (qrst_valid_i),
    .qrst_queue_i            (qrst_queue_i),
    .qrst_quiet_o            (qrst_quiet_o),
    .avail_i                 (avail_i),
    .hide_i                  (hide_i),
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
    .chain_valid_o           (chain_valid),
    .chain_ready_i           (chain_ready),
    .chain_drop_o            (chain_drop),
    .chain_last_byte_o       (chain_last_byte),
    .chain_queue_o           (chain_queue),
    .chain_tag_o             (chain_tag),
    .beat_valid_o            (beat_valid),
    .beat_ready_i            (beat_ready),
    .beat_data_o             (beat_data),
    .beat_lane_o             (beat_lane),
    .beat_end_o              (beat_end),
    .beat_gso_o              (beat_gso),
    .beat_last_o             (beat_last),
    .used_valid_o            (used_valid_o),
    .used_ready_i            (used_ready_i),
    .used_queue_o            (used_queue_o),
    .used_o                  (used_o),
    .used_tag_o              (used_tag_o),
    .err_valid_o             (err_valid_o),
    .err_o                   (gather_err),
    .trace_descriptor_valid_o(descriptor),
    .trace_descriptor_tag_o  (descriptor_tag),
    .trace_read_valid_o      (read),
    .trace_read_tag_o        (read_tag)
  );

  ////////////////////
  // Frames         //
  ////////////////////

  logic                  room, we, record_valid, record_csum;
  logic [8*AxiBytes-1:0] wdata;
  logic [PlaceWidth-1:0] record_end, record_place;
  logic [15:0]           record_value;
  logic [QueueWidth-1:0] record_queue;
  logic [TagWidth-1:0]   record_tag;

  tx_segment #(
    .AxiBytes(AxiBytes),
    .Queues  (Queues),
    .MaxFrame(MaxFrame),
    .TagWidth(TagWidth)
  ) u_segment (
    .clk_i            (clk),
    .rst_i            (rst_i),
    .idle_o           (segment_idle),
    .hdr_hash_i       (hdr_hash),
    .csum_i           (features_i[virtio_pkg::FeatureCsum]),
    .tso4_i           (features_i[virtio_pkg::FeatureHostTso4]),
    .tso6_i           (features_i[virtio_pkg::FeatureHostTso6]),
    .ecn_i            (features_i[virtio_pkg::FeatureHostEcn]),
    .uso_i            (features_i[virtio_pkg::FeatureHostUso]),
    .chain_valid_i    (chain_valid),
    .chain_ready_o    (chain_ready),
    .chain_drop_i     (chain_drop),
    .chain_last_byte_i(chain_last_byte),
    .chain_queue_i    (chain_queue),
    .chain_tag_i      (chain_tag),
    .beat_valid_i     (beat_valid),
    .beat_ready_o     (beat_ready),
    .beat_data_i      (beat_data),
    .beat_lane_i      (beat_lane),
    .beat_end_i       (beat_end),
    .beat_gso_i       (beat_gso),
    .beat_last_i      (beat_last),
    .room_i           (room),
    .we_o             (we),
    .wdata_o          (wdata),
    .record_valid_o   (record_valid),
    .record_end_o     (record_end),
    .record_queue_o   (record_queue),
    .record_tag_o     (record_tag),
    .record_csum_o    (record_csum),
    .record_place_o   (record_place),
    .record_value_o   (record_value),
    .drop_bad_o       (drop_bad_o),
    .drop_queue_o     (drop_queue_o),
    .csum_o           (csum_o),
    .tso_o            (tso_o),
    .segment_o        (segment_o)
  );

  tx_store #(
    .StreamBytes(StreamBytes),
    .AxiBytes   (AxiBytes),
    .StoreBytes (StoreBytes / 2),
    .MaxFrame   (MaxFrame),
    .Queues     (Queues),
    .TagWidth   (TagWidth)
  ) u_store (
    .clk_i              (clk),
    .rst_i              (rst_i),
    .idle_o             (store_idle),
    .room_o             (room),
    .we_i               (we),
    .wdata_i            (wdata),
    .frame_valid_i      (record_valid),
    .frame_end_i        (record_end),
    .frame_queue_i      (record_queue),
    .frame_tag_i        (record_tag),
    .frame_csum_i       (record_csum),
    .frame_place_i      (record_place),
    .frame_value_i      (record_value),
    .m_axis_tvalid_o    (m_axis_tvalid_o),
    .m_axis_tready_i    (m_axis_tready_i),
    .m_axis_tdata_o     (m_axis_tdata_o),
    .m_axis_tkeep_o     (m_axis_tkeep_o),
    .m_axis_tlast_o     (m_axis_tlast_o),
    .queue_o            (m_axis_queue_o),
    .tag_o              (m_axis_tag_o),
    .trace_start_valid_o(start),
    .trace_start_tag_o  (start_tag),
    .trace_end_valid_o  (ended),
    .trace_end_tag_o    (ended_tag)
  );

  // After an error what was read of a chain stays where it is.
  assign idle_o  = gather_idle && segment_idle && store_idle;
  assign quiet_o = gather_quiet && segment_idle && store_idle && (err_valid_o || !beat_valid);

  always_comb begin
    err_o       = gather_err;
    err_o.queue = {gather_err.queue[14:0], 1'b1};
  end

  assign sent_o       = record_valid;
  assign sent_queue_o = record_queue;
  assign sent_bytes_o = 16'(record_end) + 16'd1;

  assign trace_valid_o = {ended, start, record_valid, read, descriptor};
  assign trace_tag_o   = {32'(ended_tag), 32'(start_tag), 32'(record_tag), 32'(read_tag),
                          32'(descriptor_tag)};

  logic unused_features;
  assign unused_features = ^features_i;

endmodule
