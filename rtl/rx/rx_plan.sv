// SPDX-License-Identifier: Apache-2.0
//
// rx_plan: finds the buffers for a received frame before any byte of it moves.
//
// A frame and the header in front of it are one run of bytes. The planner takes descriptors until
// they hold it, cuts it into segments (one a descriptor), notes the buffers (one a chain), and then
// says how many of each there were. With VIRTIO_NET_F_MRG_RXBUF a frame takes as many buffers as it
// needs; without it exactly one.
//
//     header + frame   |<-------------------- 12 + len ------------------->|
//     segments         |  desc 0  |   desc 1    | desc 2 |  desc 3 (part)  |
//     buffers          |       chain A (NEXT)   |      chain B             |
//
//   frame in     frame_*: valid, stable until frame_ready_o, which comes with the plan. A frame with
//                frame_drop_i has no buffer to hope for and is dropped at once.
//   descriptors  popped from the virtqueue engine, one every cycle at best; a frame's last
//                descriptor costs a cycle. A descriptor is taken only while room_i is high.
//   plan out     pulses without back-pressure: seg_valid_o for a segment, buf_valid_o at the end of
//                a chain, plan_valid_o at the end of the frame (the frame_* inputs still belong to
//                it). plan_drop_o: the frame goes nowhere; the buffers that it took go back unused.
//   drops        drop_*_o pulse with the plan and say why:
//                no_fit      one buffer is too short without MRG_RXBUF, or the frame took the whole
//                            ring, or it took MaxSegments segments and wants more
//                no_buffer   frame_drop_i; or its queue ran dry in the middle of it while others are
//                            in use (several_i), and the store is short of room (short_i), or frames
//                            of others wait behind it (others_i) for Patience cycles
//                reset       its queue is being reset, and it was in hand
//   stop_i       takes no more descriptors. A frame that waits for some is left as it is.
//   qrst_*       a queue is being reset: no frame is begun, one that was begun for that queue is
//                given up. held_o: there is one.
//   blocked_o    nothing can move until an input changes.
//
// Parameters:
//   Queues        receive queues
//   MaxSegments   most segments of a frame
//   Patience      cycles, a power of two

module rx_plan #(
  parameter int unsigned Queues = 1,
  parameter int unsigned MaxSegments = 192,
  parameter int unsigned CountWidth = 8,
  parameter int unsigned Patience = 4096,
  localparam int unsigned QueueWidth = (Queues > 1) ? $clog2(Queues) : 1
) (
  input  logic                         clk_i,
  input  logic                         rst_i,
  input  logic                         stop_i,
  input  logic                         mrg_rxbuf_i,
  input  logic                         hdr_hash_i,    // the header has the hash in it, 20 bytes
  input  logic                         several_i,
  input  logic                         short_i,
  input  logic                         others_i,
  output logic                         blocked_o,

  input  logic                         size_valid_i,  // a queue is enabled with this ring size
  input  logic [QueueWidth-1:0]        size_queue_i,
  input  logic [15:0]                  size_i,

  input  logic                         qrst_valid_i,
  input  logic [QueueWidth-1:0]        qrst_queue_i,
  output logic                         held_o,

  input  logic                         frame_valid_i,
  output logic                         frame_ready_o,
  input  logic [15:0]                  frame_len_i,
  input  logic [QueueWidth-1:0]        frame_queue_i,
  input  logic                         frame_drop_i,

  input  logic [Queues-1:0]            avail_i,
  input  logic                         hide_i,        // as if no queue had descriptors
  output logic                         pop_valid_o,
  output logic [QueueWidth-1:0]        pop_queue_o,
  input  logic                         desc_valid_i,
  input  nic_pkg::desc_t               desc_i,

  input  logic                         room_i,
  output logic                         seg_valid_o,
  output logic [nic_pkg::LenWidth-1:0] seg_bytes_o,
  output logic                         first_o,       // of the frame's descriptors
  output logic                         buf_valid_o,
  output logic [nic_pkg::LenWidth-1:0] buf_bytes_o,   // written in this buffer
  output logic [15:0]                  buf_ndesc_o,
  output logic                         plan_valid_o,
  output logic                         plan_drop_o,
  output logic [CountWidth-1:0]        plan_segments_o,
  output logic [CountWidth-1:0]        plan_buffers_o,

  output logic                         drop_no_fit_o,
  output logic                         drop_no_buffer_o,
  output logic                         drop_reset_o
);

  localparam int unsigned LenWidth = nic_pkg::LenWidth;

  if (MaxSegments >= (1 << CountWidth)) $error("rx_plan: CountWidth is too small");

  ////////////////////
  // State          //
  ////////////////////

  logic                  started_q;    // a descriptor of the frame was taken
  logic [LenWidth-1:0]   left_q;       // bytes without a place
  logic [LenWidth-1:0]   buf_bytes_q;
  logic [15:0]           buf_ndesc_q;
  logic [15:0]           taken_q;      // descriptors taken for the frame
  logic [CountWidth-1:0] segments_q;
  logic [CountWidth-1:0] buffers_q;
  logic                  over_q;       // the frame wanted more than MaxSegments segments

  logic [15:0]           size_mem [Queues];

  ////////////////////
  // Giving up      //
  ////////////////////

  logic avail;
  logic reset;        // the frame is of the queue that is being reset
  logic in_hand;      // and can be given up in this cycle
  logic dry;          // the frame has some of its buffers, and its queue no more
  logic waits;        // and frames of other queues are behind it,
  logic too_long;     // since long ago
  logic give_up;
  logic give_up_reset;

  assign avail   = avail_i[frame_queue_i] && !hide_i;
  assign reset   = qrst_valid_i && qrst_queue_i == frame_queue_i;
  assign in_hand = frame_valid_i && !desc_valid_i && room_i && !stop_i;
  assign held_o  = reset && frame_valid_i && (started_q || desc_valid_i || Queues > 1);

  assign dry     = in_hand && started_q && buf_ndesc_q == '0 && !avail && several_i;

  if (Queues > 1) begin : g_patience
    localparam int unsigned TimeWidth = $clog2(Patience);

    logic [TimeWidth:0] time_q;

    assign waits    = dry && others_i;
    assign too_long = time_q[TimeWidth];

    always_ff @(posedge clk_i) begin
      if (rst_i || desc_valid_i || give_up) begin
        time_q <= '0;
      end else if (waits) begin
        time_q <= time_q + 1'b1;
      end
    end
  end else begin : g_one
    assign waits    = 1'b0;
    assign too_long = 1'b0;

    logic unused_others;
    assign unused_others = others_i;
  end

  // Among several queues a frame that was chosen but not begun would stand in the way of the others.
  assign give_up_reset = in_hand && reset && (started_q || Queues > 1);
  assign give_up       = give_up_reset ||
                         (in_hand && frame_drop_i) || (dry && (short_i || too_long));

  ////////////////////
  // Plan           //
  ////////////////////

  logic [LenWidth-1:0]   left;
  logic [LenWidth:0]     rest;       // behind the descriptor; negative if it holds more
  logic                  holds;      // all that is left
  logic                  over;
  logic                  chain_end;

  always_comb begin
    left            = '0;
    rest            = '0;
    holds           = 1'b0;
    over            = 1'b0;
    chain_end       = 1'b0;
    seg_valid_o     = 1'b0;
    seg_bytes_o     = '0;
    buf_bytes_o     = '0;
    buf_ndesc_o     = '0;
    plan_valid_o    = 1'b0;
    plan_drop_o     = 1'b0;
    plan_segments_o = '0;
    plan_buffers_o  = '0;
    if (desc_valid_i) begin
      left            = started_q ? left_q :
                        LenWidth'(frame_len_i) +
                        (hdr_hash_i ? LenWidth'(virtio_pkg::NetHdrHashBytes)
                                    : LenWidth'(virtio_pkg::NetHdrBytes));
      over            = over_q || (segments_q == CountWidth'(MaxSegments) && left != '0);
      chain_end       = (desc_i.flags & virtio_pkg::DescFNext) == '0;
      seg_valid_o     = left != '0 && !over;
      rest            = {1'b0, left} - {1'b0, desc_i.len[LenWidth-1:0]};
      holds           = rest[LenWidth] || rest == '0 || desc_i.len[31:LenWidth] != '0;
      seg_bytes_o     = holds ? left : desc_i.len[LenWidth-1:0];
      buf_bytes_o     = buf_bytes_q + seg_bytes_o;
      buf_ndesc_o     = buf_ndesc_q + 1'b1;
      plan_valid_o    = chain_end && (holds || !mrg_rxbuf_i || over ||
                                      taken_q + 1'b1 == size_mem[frame_queue_i]);
      plan_drop_o     = !holds || over;
      plan_segments_o = segments_q + CountWidth'(seg_valid_o);
      plan_buffers_o  = buffers_q + 1'b1;
    end else if (give_up) begin
      plan_valid_o    = 1'b1;
      plan_drop_o     = 1'b1;
      plan_segments_o = segments_q;
      plan_buffers_o  = buffers_q;
    end
  end

  assign first_o       = !started_q;
  assign buf_valid_o   = chain_end;
  assign frame_ready_o = plan_valid_o;

  assign drop_no_fit_o    = plan_valid_o && plan_drop_o && !give_up;
  assign drop_no_buffer_o = give_up && !give_up_reset;
  assign drop_reset_o     = give_up_reset;

  assign pop_queue_o = frame_queue_i;
  assign pop_valid_o = frame_valid_i && avail && room_i && !stop_i && !plan_valid_o && !reset &&
                       (started_q || desc_valid_i || !(qrst_valid_i || frame_drop_i));
  assign blocked_o   = !pop_valid_o && !desc_valid_i && !give_up && !waits;

  always_ff @(posedge clk_i) begin
    if (size_valid_i) begin
      size_mem[size_queue_i] <= size_i;
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      started_q   <= 1'b0;
      buf_bytes_q <= '0;
      buf_ndesc_q <= '0;
      taken_q     <= '0;
      segments_q  <= '0;
      buffers_q   <= '0;
      over_q      <= 1'b0;
    end else if (desc_valid_i || give_up) begin
      started_q   <= !plan_valid_o;
      left_q      <= holds ? '0 : rest[LenWidth-1:0];
      buf_bytes_q <= (chain_end || give_up) ? '0 : buf_bytes_o;
      buf_ndesc_q <= (chain_end || give_up) ? '0 : buf_ndesc_o;
      taken_q     <= plan_valid_o ? '0 : taken_q + 1'b1;
      segments_q  <= plan_valid_o ? '0 : plan_segments_o;
      buffers_q   <= plan_valid_o ? '0 : buffers_q + CountWidth'(chain_end);
      over_q      <= over && !plan_valid_o;
    end
  end

  logic unused_desc;
  assign unused_desc = ^{desc_i.addr, desc_i.id};

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // A descriptor comes only for a frame that is there.
      a_frame: assert (!desc_valid_i || frame_valid_i);
      // Descriptors of length zero are refused by the virtqueue engine.
      a_len: assert (!desc_valid_i || desc_i.len != '0);
      // A frame that is placed has all its segments counted.
      a_segments: assert (!plan_valid_o || plan_drop_o || plan_segments_o != '0);
      // A frame that is dropped has one reason.
      a_reason: assert (3'(drop_no_fit_o) + 3'(drop_no_buffer_o) + 3'(drop_reset_o) ==
                        3'(plan_valid_o && plan_drop_o));
    end
  end
`endif

endmodule
