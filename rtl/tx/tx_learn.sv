// SPDX-License-Identifier: Apache-2.0
//
// tx_learn: sees from which queue the frames of a flow are sent, so that its received frames can be
// steered to the same pair (virtio 1.2, 5.1.6.5.6: automatic receive steering).
//
//   enable_i    sampled at a frame's first beat; low: nobody wants to know, and the frame is not looked at
//   m_axis_*    the stream that leaves the core, with its queue; watched only. A frame that comes while
//               the parser is busy is not learned from.
//   learn_*     a pulse: the flow whose hash is learn_symmetric_o (as in nic_pkg::rx_info_t) uses
//               learn_queue_o
//   idle_o      a clock edge with quiet inputs changes no state
//
// Parameters: those of nic_core.

module tx_learn #(
  parameter int unsigned StreamBytes = 16,
  parameter int unsigned Queues      = 4,
  localparam int unsigned QueueWidth = (Queues > 1) ? $clog2(Queues) : 1
) (
  input  logic                     clk_i,
  input  logic                     rst_i,
  input  logic                     enable_i,

  input  logic                     m_axis_tvalid_i,
  input  logic                     m_axis_tready_i,
  input  logic [8*StreamBytes-1:0] m_axis_tdata_i,
  input  logic [StreamBytes-1:0]   m_axis_tkeep_i,
  input  logic                     m_axis_tlast_i,
  input  logic [QueueWidth-1:0]    m_axis_queue_i,

  output logic                     learn_valid_o,
  output logic [15:0]              learn_symmetric_o,
  output logic [QueueWidth-1:0]    learn_queue_o,

  output logic                     idle_o
);

  localparam int unsigned Slots = 2;

  logic                moves;
  logic                looks;        // a beat of a frame that is looked at
  logic                looks_q;
  logic                in_frame_q;
  logic                taken_q;      // the frame that is passing by is learned from
  logic                room, take;
  logic                info_valid;
  nic_pkg::rx_info_t   info;
  logic [63:0]         unused_hdr;
  logic                parse_idle;
  logic                clk;
  logic                queue_ready, queue_valid;
  logic [$clog2(Slots+1)-1:0] unused_count;

  assign moves = m_axis_tvalid_i && m_axis_tready_i;
  assign looks = moves && (in_frame_q ? looks_q : enable_i);
  assign take  = looks && m_axis_tlast_i && (in_frame_q ? taken_q : room);

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      in_frame_q <= 1'b0;
    end else if (moves) begin
      in_frame_q <= !m_axis_tlast_i;
      if (!in_frame_q) taken_q <= room;
      if (!in_frame_q) looks_q <= enable_i;
    end
  end

  // With nothing looked at and no frame in hand, parser and queues stand still.
  clock_gate u_clock (
    .clk_i(clk_i),
    .en_i (rst_i || looks || !parse_idle),
    .clk_o(clk)
  );

  rx_parse #(
    .StreamBytes(StreamBytes),
    .Lanes      (1),
    .Slots      (Slots)
  ) u_parse (
    .clk_i          (clk), .rst_i,
    .forget_i       (1'b0),
    .hash_types_i   ('0),
    .table_i        ('0),
    .s_axis_tvalid_i(looks), .s_axis_tdata_i(m_axis_tdata_i), .s_axis_tkeep_i(m_axis_tkeep_i),
    .s_axis_tlast_i (m_axis_tlast_i),
    .take_i         (take),
    .room_o         (room),
    .info_valid_o(info_valid), .info_ready_i(1'b1), .info_o(info),
    .hdr_addr_i     ('0),
    .hdr_data_o     (unused_hdr),
    .idle_o         (parse_idle)
  );

  fifo #(
    .Width(QueueWidth),
    .Depth(Slots)
  ) u_queues (
    .clk_i     (clk), .rst_i,
    .wr_valid_i(take), .wr_ready_o(queue_ready), .wr_data_i(m_axis_queue_i),
    .rd_valid_o(queue_valid), .rd_ready_i(info_valid), .rd_data_o(learn_queue_o),
    .count_o   (unused_count)
  );

  // 0 is the hash of what has no flow.
  assign learn_valid_o     = info_valid && info.symmetric != '0;
  assign learn_symmetric_o = info.symmetric;
  assign idle_o            = parse_idle && !in_frame_q;

  logic unused_info;
  assign unused_info = ^info;

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // What the parser knows of has its queue waiting, and a place for it.
      a_queue: assert ((!info_valid || queue_valid) && (!take || queue_ready));
    end
  end
`endif

endmodule
