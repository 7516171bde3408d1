// SPDX-License-Identifier: Apache-2.0
//
// device_stats: counts for each virtqueue what virtio's device statistics ask for (virtio 1.3,
// 5.1.6.5.10), from a reset of the device on, in 64 bits each. docs/control.md says what is counted.
//
//   rx_*        a frame was given to the driver in queue rx_queue_i
//   rx_drop_*   a frame for rx_drop_queue_i was given up; rx_dry_i: because that queue had no buffers
//   rx_lost_i   one was lost that could only have gone to receive queue 0; rx_lost_dry_i likewise
//   tx_*        a frame of queue tx_queue_i is whole, and leaves; tx_drop_*: a chain of that queue was
//               dropped
//   kick_*, irq_*   a doorbell was rung, an interrupt sent; virtqueue indices, of control too, which
//               are not counted. Kicks come every other cycle at most, interrupts every third.
//   ctrl_*      a command was judged; ctrl_good_i: will be carried out
//   rd_*        asks for Stat* number rd_field_i (nic_pkg) of virtqueue rd_vq_i, until rd_done_o; the
//               value is there with it, and stays. In it is what came three cycles before rd_valid_i.
//   ready_o     low after reset until everything is 0 (16 QueuePairs cycles)
//   idle_o      nothing is counted, asked for or on its way
//
// What can come every cycle is added to small counts (stat_counts), pairs of them in a RAM for each
// kind; while one of these is half full a pointer goes over all statistics, a step every other cycle,
// and empties the small counts into those of 64 bits. A step for who asks goes first.
//
//    rx, tx           packets, bytes     \
//    rx drop, tx drop dropped, dry        +--[take]--+
//    kick, irq        kicks, interrupts   |          v
//    ctrl             commands, good     /     RAM[{virtqueue, field}] += count --> rd_value_o
//
// Parameters:
//   QueuePairs   receive and transmit pairs

module device_stats #(
  parameter int unsigned QueuePairs = 1,
  localparam int unsigned QueueWidth = (QueuePairs > 1) ? $clog2(QueuePairs) : 1,
  localparam int unsigned VqWidth = $clog2(2 * QueuePairs)
) (
  input  logic                  clk_i,
  input  logic                  rst_i,
  output logic                  ready_o,
  output logic                  idle_o,

  input  logic                  rx_valid_i,
  input  logic [QueueWidth-1:0] rx_queue_i,
  input  logic [15:0]           rx_bytes_i,
  input  logic                  rx_drop_i,
  input  logic                  rx_dry_i,
  input  logic [QueueWidth-1:0] rx_drop_queue_i,
  input  logic                  rx_lost_i,
  input  logic                  rx_lost_dry_i,
  input  logic                  tx_valid_i,
  input  logic [QueueWidth-1:0] tx_queue_i,
  input  logic [15:0]           tx_bytes_i,
  input  logic                  tx_drop_i,
  input  logic [QueueWidth-1:0] tx_drop_queue_i,
  input  logic                  kick_valid_i,
  input  logic [15:0]           kick_queue_i,
  input  logic                  irq_valid_i,
  input  logic [15:0]           irq_queue_i,
  input  logic                  ctrl_valid_i,
  input  logic                  ctrl_good_i,

  input  logic                  rd_valid_i,
  input  logic [VqWidth-1:0]    rd_vq_i,
  input  logic [2:0]            rd_field_i,
  output logic                  rd_done_o,
  output logic [63:0]           rd_value_o
);

  if (QueuePairs < 1 || QueuePairs > 256) $error("device_stats: QueuePairs must be 1 to 256");

  // The pointer's way takes 32 QueuePairs cycles, and a few more where a count is being added to; a
  // count that is half full just after its turn waits for two of them. Meanwhile there are at most
  // 64 bytes a cycle, and what was in flight before.
  localparam int unsigned EventWidth = $clog2(64 * QueuePairs) + 2;
  // Frames come so often that rounds would be frequent with no more.
  localparam int unsigned FrameWidth = (QueuePairs > 1) ? EventWidth + 2 : EventWidth;
  localparam int unsigned BytesWidth = (QueuePairs > 16) ? 24 : (QueuePairs > 1) ? 22 : 20;
  localparam int unsigned AddrWidth = VqWidth + 3;
  localparam int unsigned LostWidth = 3;

  ////////////////////
  // Small counts   //
  ////////////////////

  localparam int unsigned Kinds  = 6;
  localparam int unsigned Rx     = 0;
  localparam int unsigned Tx     = 1;
  localparam int unsigned RxDrop = 2;
  localparam int unsigned TxDrop = 3;
  localparam int unsigned Signal = 4;
  localparam int unsigned Ctrl   = 5;

  logic [Kinds-1:0]      take, ready, half, idle;
  logic                  take_b;
  logic                  init_q;
  logic [AddrWidth-1:0]  addr;          // the statistic of the step
  logic [QueueWidth-1:0] pair;
  logic [BytesWidth-1:0] rx_count, tx_count;
  logic [EventWidth-1:0] rx_drop_count, tx_drop_count, signal_count, ctrl_count;

  assign pair = QueueWidth'(addr >> 4);

  // In most cycles nothing is counted, and in most others only frames are.
  logic clk, rx_clk, tx_clk, rest_idle;

  clock_gate u_clock (
    .clk_i(clk_i),
    .en_i (rst_i || !rest_idle || half != '0 || rx_drop_i || rx_lost_i || tx_drop_i || kick_valid_i ||
           irq_valid_i || ctrl_valid_i),
    .clk_o(clk)
  );

  clock_gate u_rx_clock (
    .clk_i(clk_i),
    .en_i (rst_i || rx_valid_i || !idle[Rx] || init_q || round_q || rd_valid_i),
    .clk_o(rx_clk)
  );

  clock_gate u_tx_clock (
    .clk_i(clk_i),
    .en_i (rst_i || tx_valid_i || !idle[Tx] || init_q || round_q || rd_valid_i),
    .clk_o(tx_clk)
  );

  stat_counts #(
    .Places(QueuePairs), .AWidth(FrameWidth), .BWidth(BytesWidth)
  ) u_rx (
    .clk_i(rx_clk), .rst_i(rst_i), .clear_i(init_q),
    .add_i(rx_valid_i), .add_place_i(rx_queue_i), .add_a_i(1'b1), .add_b_i(rx_bytes_i),
    .take_i(take[Rx]), .take_b_i(take_b), .take_place_i(pair),
    .take_ready_o(ready[Rx]), .count_o(rx_count), .half_o(half[Rx]), .idle_o(idle[Rx])
  );

  stat_counts #(
    .Places(QueuePairs), .AWidth(FrameWidth), .BWidth(BytesWidth)
  ) u_tx (
    .clk_i(tx_clk), .rst_i(rst_i), .clear_i(init_q),
    .add_i(tx_valid_i), .add_place_i(tx_queue_i), .add_a_i(1'b1), .add_b_i(tx_bytes_i),
    .take_i(take[Tx]), .take_b_i(take_b), .take_place_i(pair),
    .take_ready_o(ready[Tx]), .count_o(tx_count), .half_o(half[Tx]), .idle_o(idle[Tx])
  );

  // Frames that were lost before they had a queue wait for a cycle in which the count of queue 0 can
  // be added to.
  logic [LostWidth-1:0] lost_q, lost_dry_q;
  logic [LostWidth:0]   drops, dries;
  logic                 with_lost;

  assign with_lost = !rx_drop_i || rx_drop_queue_i == '0;
  assign drops     = (LostWidth + 1)'(rx_drop_i) + (with_lost ? {1'b0, lost_q} : '0);
  assign dries     = (LostWidth + 1)'(rx_drop_i && rx_dry_i) +
                     (with_lost ? {1'b0, lost_dry_q} : '0);

  always_ff @(posedge clk) begin
    if (rst_i) begin
      lost_q     <= '0;
      lost_dry_q <= '0;
    end else if (rx_lost_i || lost_q != '0) begin
      lost_q     <= (with_lost ? '0 : lost_q) + LostWidth'(rx_lost_i);
      lost_dry_q <= (with_lost ? '0 : lost_dry_q) + LostWidth'(rx_lost_i && rx_lost_dry_i);
    end
  end

  stat_counts #(
    .Places(QueuePairs), .AWidth(EventWidth), .BWidth(EventWidth), .AddA(LostWidth + 1),
    .AddB(LostWidth + 1)
  ) u_rx_drop (
    .clk_i(clk), .rst_i(rst_i), .clear_i(init_q),
    .add_i(rx_drop_i || lost_q != '0), .add_place_i(rx_drop_i ? rx_drop_queue_i : '0),
    .add_a_i(drops), .add_b_i(dries),
    .take_i(take[RxDrop]), .take_b_i(take_b), .take_place_i(pair),
    .take_ready_o(ready[RxDrop]), .count_o(rx_drop_count), .half_o(half[RxDrop]),
    .idle_o(idle[RxDrop])
  );

  stat_counts #(
    .Places(QueuePairs), .AWidth(EventWidth), .BWidth(1), .AddB(1)
  ) u_tx_drop (
    .clk_i(clk), .rst_i(rst_i), .clear_i(init_q),
    .add_i(tx_drop_i), .add_place_i(tx_drop_queue_i), .add_a_i(1'b1), .add_b_i(1'b0),
    .take_i(take[TxDrop]), .take_b_i(1'b0), .take_place_i(pair),
    .take_ready_o(ready[TxDrop]), .count_o(tx_drop_count), .half_o(half[TxDrop]),
    .idle_o(idle[TxDrop])
  );

  // Interrupts give way to doorbells.
  logic               kick;
  logic               irq_q;
  logic [VqWidth-1:0] irq_vq_q;

  assign kick = kick_valid_i && kick_queue_i < 16'(2 * QueuePairs);

  always_ff @(posedge clk) begin
    if (rst_i) begin
      irq_q <= 1'b0;
    end else if (irq_valid_i || irq_q) begin
      irq_q <= (irq_valid_i && irq_queue_i < 16'(2 * QueuePairs)) || (irq_q && kick);
      if (irq_valid_i) irq_vq_q <= irq_queue_i[VqWidth-1:0];
    end
  end

  stat_counts #(
    .Places(2 * QueuePairs), .AWidth(EventWidth), .BWidth(EventWidth), .AddB(1)
  ) u_signal (
    .clk_i(clk), .rst_i(rst_i), .clear_i(init_q),
    .add_i(kick || irq_q), .add_place_i(kick ? kick_queue_i[VqWidth-1:0] : irq_vq_q),
    .add_a_i(kick), .add_b_i(!kick),
    .take_i(take[Signal]), .take_b_i(take_b), .take_place_i(addr[AddrWidth-1:3]),
    .take_ready_o(ready[Signal]), .count_o(signal_count), .half_o(half[Signal]),
    .idle_o(idle[Signal])
  );

  stat_counts #(
    .Places(1), .AWidth(EventWidth), .BWidth(EventWidth), .AddB(1)
  ) u_ctrl (
    .clk_i(clk), .rst_i(rst_i), .clear_i(init_q),
    .add_i(ctrl_valid_i), .add_place_i('0), .add_a_i(1'b1), .add_b_i(ctrl_good_i),
    .take_i(take[Ctrl]), .take_b_i(take_b), .take_place_i('0),
    .take_ready_o(ready[Ctrl]), .count_o(ctrl_count), .half_o(half[Ctrl]), .idle_o(idle[Ctrl])
  );

  ////////////////////
  // Steps          //
  ////////////////////

  logic                 want_q;        // a count is half full
  logic                 round_q;       // the pointer moves
  logic [AddrWidth-1:0] ptr_q;
  logic                 add_q;         // second cycle of a step
  logic                 asked_q;       // it is for who asks
  logic [AddrWidth-1:0] addr_q;
  logic                 done_q;
  logic                 asks, step, go;
  logic [2:0]           field;

  assign asks  = rd_valid_i && !done_q;
  assign addr  = (asks && !init_q) ? {rd_vq_i, rd_field_i} : ptr_q;
  assign field = addr[2:0];
  assign step  = (asks || round_q) && !add_q && !init_q;

  // Not every place has all: of transmit, dropped is dropped; commands lie with virtqueue 0.
  always_comb begin
    take   = '0;
    take_b = 1'b0;
    go     = 1'b0;
    if (step) begin
      case (field)
        nic_pkg::StatKicks:   take[Signal] = 1'b1;
        nic_pkg::StatIrqs:    take[Signal] = 1'b1;
        nic_pkg::StatPackets: take[addr[3] ? Tx : Rx] = 1'b1;
        nic_pkg::StatBytes:   take[addr[3] ? Tx : Rx] = 1'b1;
        nic_pkg::StatDrops:   take[addr[3] ? TxDrop : RxDrop] = 1'b1;
        nic_pkg::StatDries:   take[RxDrop] = !addr[3];
        default:              take[Ctrl] = addr[AddrWidth-1:3] == '0;
      endcase
      go     = (take & ~ready) == '0;
      take_b = field == nic_pkg::StatIrqs || field == nic_pkg::StatBytes ||
               field == nic_pkg::StatDries || field == nic_pkg::StatGood;
      if (!go) take = '0;
    end
  end

  always_ff @(posedge clk) begin
    if (rst_i) begin
      init_q  <= 1'b1;
      want_q  <= 1'b0;
      round_q <= 1'b0;
      ptr_q   <= '0;
      add_q   <= 1'b0;
      done_q  <= 1'b0;
    end else if (init_q || half != '0 || want_q || round_q || asks || add_q || done_q) begin
      add_q  <= go;
      done_q <= add_q && asked_q;
      if (go) begin
        asked_q <= asks;
        addr_q  <= addr;
      end
      if (init_q || (go && !asks)) begin
        ptr_q <= ptr_q + 1'b1;
        if (ptr_q == '1) begin
          init_q  <= 1'b0;
          round_q <= 1'b0;
        end
      end
      want_q <= half != '0;
      if (want_q && !round_q) round_q <= 1'b1;
      if (want_q && round_q)  want_q  <= 1'b1;
    end
  end

  ////////////////////
  // Values         //
  ////////////////////

  logic [BytesWidth-1:0] count;
  logic [63:0]           stored, sum;

  always_comb begin
    count = '0;
    sum   = '0;
    if (add_q) begin
      case (addr_q[2:0])
        nic_pkg::StatKicks, nic_pkg::StatIrqs: count = BytesWidth'(signal_count);
        nic_pkg::StatPackets, nic_pkg::StatBytes: count = addr_q[3] ? tx_count : rx_count;
        nic_pkg::StatDrops: count = addr_q[3] ? BytesWidth'(tx_drop_count) : BytesWidth'(rx_drop_count);
        nic_pkg::StatDries: count = addr_q[3] ? '0 : BytesWidth'(rx_drop_count);
        default: count = (addr_q[AddrWidth-1:3] == '0) ? BytesWidth'(ctrl_count) : '0;
      endcase
      sum = stored + 64'(count);
    end
  end

  ram_1r1w #(.Width(64), .Depth(16 * QueuePairs)) u_values (
    .clk_i  (clk),
    .we_i   (init_q || add_q),
    .waddr_i(init_q ? ptr_q : addr_q),
    .wdata_i(sum),
    .re_i   (go),
    .raddr_i(addr),
    .rdata_o(stored)
  );

  always_ff @(posedge clk) begin
    if (add_q && asked_q) rd_value_o <= sum;
  end

  assign rd_done_o = done_q;
  assign ready_o   = !init_q;
  assign rest_idle = !(init_q || want_q || round_q || add_q || done_q || rd_valid_i || irq_q) &&
                     lost_q == '0 && idle[RxDrop] && idle[TxDrop] && idle[Signal] && idle[Ctrl];
  assign idle_o    = rest_idle && idle[Rx] && idle[Tx] && half == '0;

`ifndef SYNTHESIS
  logic kick_q;
  logic was_reset_q;

  always_ff @(posedge clk_i) begin
    kick_q      <= kick;
    was_reset_q <= rst_i;
    if (!rst_i && !was_reset_q) begin
      // Doorbells come every other cycle at most, and interrupts leave them the time to be counted.
      a_kicks: assert (!kick || !kick_q);
      a_irqs: assert (!irq_valid_i || !irq_q || !kick);
      // Frames that were lost are counted before there are too many.
      a_lost: assert (!rx_lost_i || with_lost || lost_q != '1);
    end
  end
`endif

endmodule
