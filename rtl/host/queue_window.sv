// SPDX-License-Identifier: Apache-2.0
//
// The queue fields of the common configuration (virtio 1.2, 4.1.4.3), behind queue_select.
//
// Eight 32-bit words a queue lie in one RAM, so that queues cost memory and not flip-flops. The word
// number is bits 4:2 of the register's offset, 0x18 to 0x37:
//
//   word     0       1        2         3          4         5         6              7
//        | desc_lo desc_hi driver_lo driver_hi device_lo device_hi {vector, size} {-, enable} |
//
// The vectors lie in a second RAM too, with a read port of its own for the interrupts.
//
// An access takes three cycles. Writes that the specification does not allow change nothing: a size
// of 0 or above RingMax, anything but the vector of an enabled queue, a queue that does not exist. A
// vector that does not exist reads back as NO_VECTOR. Writing 1 to queue_enable hands the queue over
// on en_*, valid until ready, and is acknowledged after that; the hand-over is given up on stop_i.
// Address bits that the alignment of the parts has as 0 (2.8.10.1) are handed over as 0.
//
// Queue reset (2.6.1). Writing 1 to queue_reset is acknowledged at once; then, behind the accesses:
//
//   enabled: qrst_valid_o          qrst_hold_o until        the queue's eight words
//   until qrst_ready_i         ->  its interrupts are   ->  get their reset values   ->  done
//                                  out (qrst_settled_i)
//
// qrst_busy_o says for queue_i whether that is still under way. One queue is reset at a time: the
// write for another one waits, unless the device stops, which only a device reset ends.
//
// After reset and after clear_i a walk over the RAM gives every queue its reset values; accesses
// wait for it (8 cycles a queue).
module queue_window #(
  parameter int unsigned Queues     = 2,
  parameter int unsigned NumVectors = 3,
  parameter int unsigned RingMax    = 1024
) (
  input  logic        clk_i,
  input  logic        rst_i,
  input  logic        clear_i,
  output logic        settled_o,       // no walk under way

  // One access, held until the cycle of ack_o.
  input  logic        sel_i,
  input  logic        write_i,
  input  logic [2:0]  word_i,
  input  logic [15:0] queue_i,         // queue_select
  input  logic [31:0] wdata_i,
  input  logic [3:0]  wstrb_i,
  input  logic        reset_i,         // the access writes 1 to queue_reset; word_i does not count
  output logic        ack_o,
  output logic [31:0] rdata_o,         // 0 but for a read's ack_o

  input  logic        may_enable_i,    // features are agreed on
  input  logic        may_reset_i,     // RING_RESET is one of them
  input  logic        stop_i,
  output logic        en_valid_o,
  input  logic        en_ready_i,
  output logic [15:0] en_queue_o,
  output logic [63:0] en_desc_o,
  output logic [63:0] en_driver_o,
  output logic [63:0] en_device_o,
  output logic [15:0] en_size_o,

  output logic        qrst_valid_o,    // holds until ready: forget this queue
  input  logic        qrst_ready_i,    // nothing of it is in hand any more
  output logic [15:0] qrst_queue_o,
  output logic        qrst_hold_o,     // no new interrupt may start
  input  logic        qrst_settled_i,  // no interrupt is under way
  output logic        qrst_busy_o,     // queue_i is being reset

  // Vector of a queue, one cycle after lookup_i; kept until the next one.
  input  logic        lookup_i,
  input  logic [15:0] lookup_queue_i,
  output logic [15:0] lookup_vector_o,

  output logic        idle_o
);

  if (Queues < 2 || Queues > 513) begin : g_bad_queues
    $error("queue_window: Queues must be 2 to 513");
  end
  if (RingMax < 2 || RingMax > 32768) begin : g_bad_ring
    $error("queue_window: RingMax must be 2 to 32768");
  end

  localparam int unsigned QueueWidth = $clog2(Queues);
  localparam int unsigned AddrWidth  = QueueWidth + 3;

  localparam logic [2:0] WordSize   = 3'd6;   // {vector, size}
  localparam logic [2:0] WordEnable = 3'd7;

  localparam logic [2:0] StWalk     = 3'd0;   // write reset values
  localparam logic [2:0] StIdle     = 3'd1;   // fetch WordEnable when an access comes
  localparam logic [2:0] StFetch    = 3'd2;   // enable known; fetch the word
  localparam logic [2:0] StAccess   = 3'd3;   // word known; answer
  localparam logic [2:0] StGather   = 3'd4;   // read words 0 to 6 for the hand-over
  localparam logic [2:0] StHandOver = 3'd5;   // en_valid_o

  logic [2:0]           state_q;
  logic [AddrWidth-1:0] walk_q;               // queue and word of the walk; word of the gathering
  logic                 enabled_q;
  logic                 qrst_q;               // a queue is being reset
  logic                 walk_last;
  logic                 ack_q;
  logic [31:0]          rdata_q;
  logic                 we_q, vector_we_q;
  logic [AddrWidth-1:0] waddr_q;
  logic [31:0]          wdata_q;
  logic                 re;
  logic [2:0]           rword;
  logic [31:0]          ram_rdata, merged;
  logic                 exists, start;
  logic [15:0]          size, vector;

  assign ack_o     = ack_q;
  assign rdata_o   = rdata_q;
  assign settled_o = (state_q != StWalk);
  assign idle_o    = (state_q == StIdle) && !ack_q && !we_q && !qrst_q;
  assign exists    = (queue_i < 16'(Queues));

  assign qrst_hold_o = qrst_q && !qrst_valid_o;
  assign qrst_busy_o = qrst_q && qrst_queue_o == queue_i;
  assign walk_last   = qrst_q ? walk_q[2:0] == 3'd7 : walk_q == AddrWidth'(8 * Queues - 1);

  // A write lands in the cycle of we_q, and its word is not read in that cycle.
  assign start = state_q == StIdle && sel_i && !ack_q && !we_q && !(qrst_hold_o && qrst_settled_i);
  assign re    = start || state_q == StFetch || state_q == StGather;
  assign rword = (state_q == StIdle) ? WordEnable : (state_q == StGather) ? walk_q[2:0] : word_i;

  ram_1r1w #(.Width(32), .Depth(8 * Queues)) u_words (
    .clk_i,
    .we_i    (we_q),
    .waddr_i (waddr_q),
    .wdata_i (wdata_q),
    .re_i    (re),
    .raddr_i ({queue_i[QueueWidth-1:0], rword}),
    .rdata_o (ram_rdata)
  );

  ram_1r1w #(.Width(16), .Depth(Queues)) u_vectors (
    .clk_i,
    .we_i    (vector_we_q),
    .waddr_i (waddr_q[AddrWidth-1:3]),
    .wdata_i (wdata_q[31:16]),
    .re_i    (lookup_i),
    .raddr_i (lookup_queue_i[QueueWidth-1:0]),
    .rdata_o (lookup_vector_o)
  );

  // What a write leaves in the word that was read.
  always_comb begin
    merged = 32'h0;
    size   = 16'h0;
    vector = 16'h0;
    if (state_q == StAccess) begin
      merged = {wstrb_i[3] ? wdata_i[31:24] : ram_rdata[31:24],
                wstrb_i[2] ? wdata_i[23:16] : ram_rdata[23:16],
                wstrb_i[1] ? wdata_i[15:8]  : ram_rdata[15:8],
                wstrb_i[0] ? wdata_i[7:0]   : ram_rdata[7:0]};
      size   = merged[15:0];
      vector = merged[31:16];
      if (enabled_q || size == 16'd0 || size > 16'(RingMax)) size = ram_rdata[15:0];
      if (vector >= 16'(NumVectors)) vector = virtio_pkg::NoVector;
    end
  end

  always_ff @(posedge clk_i) begin
    if (sel_i || !idle_o) begin
      ack_q       <= 1'b0;
      rdata_q     <= 32'h0;
      we_q        <= 1'b0;
      vector_we_q <= 1'b0;
      if (qrst_ready_i) qrst_valid_o <= 1'b0;
      case (state_q)
        StWalk: begin
          we_q        <= 1'b1;
          vector_we_q <= (walk_q[2:0] == WordSize);
          waddr_q     <= walk_q;
          wdata_q     <= (walk_q[2:0] == WordSize) ? {virtio_pkg::NoVector, 16'(RingMax)} : 32'h0;
          walk_q      <= walk_q + 1'b1;
          if (walk_last) begin
            state_q <= StIdle;
            qrst_q  <= 1'b0;
          end
        end
        StIdle: begin
          if (qrst_hold_o && qrst_settled_i) begin
            state_q <= StWalk;
            walk_q  <= {qrst_queue_o[QueueWidth-1:0], 3'd0};
          end else if (start) begin
            if (exists) state_q <= StFetch;
            else        ack_q   <= 1'b1;
          end
        end
        StFetch: begin
          enabled_q <= ram_rdata[0];
          state_q   <= StAccess;
        end
        StAccess: begin
          state_q <= StIdle;
          ack_q   <= 1'b1;
          waddr_q <= {queue_i[QueueWidth-1:0], word_i};
          if (reset_i) begin
            if (!qrst_q && may_reset_i && !stop_i) begin
              qrst_q       <= 1'b1;
              qrst_valid_o <= enabled_q;
              qrst_queue_o <= queue_i;
            end else if (qrst_q && !qrst_busy_o && !stop_i) begin
              ack_q <= 1'b0;                   // another queue's turn: come again
            end
          end else if (!write_i) begin
            rdata_q <= (word_i == WordEnable) ? {queue_i, 15'h0, enabled_q} : ram_rdata;
          end else if (word_i == WordSize) begin
            we_q        <= 1'b1;
            vector_we_q <= 1'b1;
            wdata_q     <= {vector, size};
          end else if (word_i != WordEnable) begin
            we_q    <= !enabled_q;
            wdata_q <= merged;
          end else if (merged[15:0] == 16'd1 && !enabled_q && may_enable_i && !stop_i) begin
            state_q <= StGather;
            ack_q   <= 1'b0;
            walk_q  <= '0;
          end
        end
        StGather: begin
          // ram_rdata is the word before the one that is being read.
          walk_q <= walk_q + 1'b1;
          case (walk_q[2:0])
            3'd1:    en_desc_o[31:0]    <= {ram_rdata[31:4], 4'h0};
            3'd2:    en_desc_o[63:32]   <= ram_rdata;
            3'd3:    en_driver_o[31:0]  <= {ram_rdata[31:2], 2'b00};
            3'd4:    en_driver_o[63:32] <= ram_rdata;
            3'd5:    en_device_o[31:0]  <= {ram_rdata[31:2], 2'b00};
            3'd6:    en_device_o[63:32] <= ram_rdata;
            3'd7:    en_size_o          <= ram_rdata[15:0];
            default: en_queue_o         <= queue_i;
          endcase
          if (walk_q[2:0] == 3'd7) begin
            state_q    <= StHandOver;
            en_valid_o <= 1'b1;
          end
        end
        default: begin
          if (en_ready_i || stop_i) begin
            en_valid_o <= 1'b0;
            we_q       <= en_ready_i;
            waddr_q    <= {queue_i[QueueWidth-1:0], WordEnable};
            wdata_q    <= 32'h1;
            ack_q      <= 1'b1;
            state_q    <= StIdle;
          end
        end
      endcase
    end
    if (rst_i || clear_i) begin
      state_q     <= StWalk;
      walk_q      <= '0;
      ack_q       <= 1'b0;
      rdata_q     <= 32'h0;
      we_q        <= 1'b0;
      vector_we_q <= 1'b0;
      en_valid_o  <= 1'b0;
      qrst_valid_o <= 1'b0;
      qrst_q      <= 1'b0;
    end
  end

  logic unused_bits;
  assign unused_bits = ^lookup_queue_i[15:QueueWidth];

`ifndef SYNTHESIS
  logic        was_reset_q, was_en_q, was_qrst_q;
  logic [15:0] was_qrst_queue_q;

  always_ff @(posedge clk_i) begin
    was_reset_q <= rst_i || clear_i;
    was_en_q    <= en_valid_o && !en_ready_i && !stop_i;
    was_qrst_q  <= qrst_valid_o && !qrst_ready_i;
    was_qrst_queue_q <= qrst_queue_o;
    if (!rst_i && !was_reset_q) begin
      // A hand-over that was not taken stays.
      en_holds: assert (!was_en_q || en_valid_o);
      // The queue that is handed over is the one that queue_select shows, and has a size.
      en_sane: assert (!en_valid_o || (en_queue_o == queue_i && exists && en_size_o != 16'd0));
      // A reset that was not taken stays, for the same queue.
      qrst_holds: assert (!was_qrst_q || (qrst_valid_o && qrst_queue_o == was_qrst_queue_q));
      // Vectors are looked up for queues that exist.
      lookup_exists: assert (!lookup_i || lookup_queue_i < 16'(Queues));
    end
  end
`endif

endmodule
