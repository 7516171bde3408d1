// SPDX-License-Identifier: Apache-2.0
//
// ctrl_moderation: keeps what the driver set for the interrupt moderation of each virtqueue (virtio
// 1.2, 5.1.6.5.10) and tells the virtqueues.
//
//   enable, disable   en_valid_i: virtqueue en_queue_i was enabled and gets the last setting of all
//             queues of its direction. dis_valid_i: dis_queue_i was reset. Both are always taken;
//             eight cycles later the next of its kind may come.
//   mod_*     a command: mod_op_i is one of CtrlNotfCoal* (TxSet, RxSet: all queues of a direction,
//             VqSet: one, VqGet: none). mod_valid_i stays until mod_done_i; mod_ok_i with it says
//             that the queue is there and enabled; packets_o and usecs_o are what VqGet found.
//             VqSet is for an enabled queue.
//   moderation_o      a write for one virtqueue; microseconds are rounded up to clock cycles
//   idle_o    a clock edge without inputs changes no state. After reset it is low until every queue
//             has been told that nothing is moderated (a cycle a queue).
//
// The settings lie in a block RAM; behind the words of the queues follow the last settings of all
// receive and of all transmit queues:
//
//   word   0 .. 2 QueuePairs - 1: {enabled, usecs, packets}    2 QueuePairs: rx    + 1: tx
//
// Everything is made of one step of three cycles: choose, read a word, write a word. Events come
// between the steps of a walk over all queues.
//
// Parameters:
//   QueuePairs   receive and transmit pairs
//   ClockKhz     clock cycles a millisecond

module ctrl_moderation #(
  parameter int unsigned QueuePairs = 1,
  parameter int unsigned ClockKhz = 156250
) (
  input  logic                 clk_i,
  input  logic                 rst_i,
  output logic                 idle_o,

  input  logic                 en_valid_i,
  input  logic [15:0]          en_queue_i,
  input  logic                 dis_valid_i,
  input  logic [15:0]          dis_queue_i,

  input  logic                 mod_valid_i,
  input  logic [1:0]           mod_op_i,
  input  logic [15:0]          mod_queue_i,
  input  logic [15:0]          mod_packets_i,
  input  logic [15:0]          mod_usecs_i,
  output logic                 mod_done_o,
  output logic                 mod_ok_o,
  output logic [15:0]          packets_o,
  output logic [15:0]          usecs_o,

  output nic_pkg::moderation_t moderation_o
);

  localparam int unsigned Queues = 2 * QueuePairs;
  localparam int unsigned Words = Queues + 2;
  localparam int unsigned WordWidth = $clog2(Words);

  // Cycles a microsecond in units of 2**-FractionWidth, rounded up: a fraction only where the clock
  // is not a whole number of MHz.
  localparam int unsigned FractionWidth = (ClockKhz % 1000 == 0) ? 0 : 10;
  localparam int unsigned Scale = ((ClockKhz << FractionWidth) + 999) / 1000;
  localparam int unsigned CyclesWidth = 26;

  if (QueuePairs < 1 || QueuePairs > 256) $error("ctrl_moderation: QueuePairs must be 1 to 256");
  if (ClockKhz > 1000000) $error("ctrl_moderation: ClockKhz must be at most 1,000,000");

  localparam logic [1:0] StClear = 2'd0;
  localparam logic [1:0] StPick  = 2'd1;
  localparam logic [1:0] StRead  = 2'd2;
  localparam logic [1:0] StWrite = 2'd3;

  localparam logic [2:0] JobEnable  = 3'd0;
  localparam logic [2:0] JobDisable = 3'd1;
  localparam logic [2:0] JobAll     = 3'd2;
  localparam logic [2:0] JobSet     = 3'd3;
  localparam logic [2:0] JobGet     = 3'd4;

  ////////////////////
  // Jobs           //
  ////////////////////

  logic [1:0]           state_q;
  logic [2:0]           job_q;
  logic                 en_q, dis_q;          // waiting
  logic [WordWidth-1:0] en_queue_q, dis_queue_q;
  logic [WordWidth-1:0] from_q;               // word to read
  logic [WordWidth-1:0] to_q;                 // word to write
  logic [WordWidth-2:0] walk_q;               // pair whose queue is next where all are set
  logic                 done_q, ok_q;
  logic [15:0]          packets_q, usecs_q;
  logic                 all;
  logic                 exists;
  logic                 last;                 // of a walk

  assign all    = mod_op_i == virtio_pkg::CtrlNotfCoalTxSet[1:0] ||
                  mod_op_i == virtio_pkg::CtrlNotfCoalRxSet[1:0];
  assign exists = mod_queue_i < 16'(Queues);
  assign last   = walk_q == (WordWidth - 1)'(QueuePairs);

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      state_q <= StClear;
      job_q   <= JobDisable;
      to_q    <= '0;
      walk_q  <= '0;
      en_q    <= 1'b0;
      dis_q   <= 1'b0;
      done_q  <= 1'b0;
    end else if (en_valid_i || dis_valid_i || !idle_o) begin
      done_q <= 1'b0;
      case (state_q)
        StClear: begin
          to_q <= to_q + 1'b1;
          if (to_q == WordWidth'(Words - 1)) state_q <= StPick;
        end
        StPick: begin
          if (dis_q) begin
            job_q   <= JobDisable;
            to_q    <= dis_queue_q;
            state_q <= StRead;
          end else if (en_q) begin
            job_q   <= JobEnable;
            from_q  <= WordWidth'(Queues) + WordWidth'(en_queue_q[0]);
            to_q    <= en_queue_q;
            state_q <= StRead;
          end else if (mod_valid_i && !done_q) begin
            if (all) begin
              job_q   <= JobAll;
              from_q  <= {walk_q, mod_op_i != virtio_pkg::CtrlNotfCoalRxSet[1:0]};
              to_q    <= {walk_q, mod_op_i != virtio_pkg::CtrlNotfCoalRxSet[1:0]};
              state_q <= StRead;
            end else if (exists) begin
              job_q   <= (mod_op_i == virtio_pkg::CtrlNotfCoalVqSet[1:0]) ? JobSet : JobGet;
              from_q  <= mod_queue_i[WordWidth-1:0];
              to_q    <= mod_queue_i[WordWidth-1:0];
              state_q <= StRead;
            end else begin
              done_q <= 1'b1;
              ok_q   <= 1'b0;
            end
          end
        end
        StRead: state_q <= StWrite;
        default: begin   // StWrite
          state_q <= StPick;
          case (job_q)
            JobEnable:  en_q  <= 1'b0;
            JobDisable: dis_q <= 1'b0;
            JobAll: begin
              walk_q <= last ? '0 : walk_q + 1'b1;
              done_q <= last;
              ok_q   <= 1'b1;
            end
            default: begin
              done_q <= 1'b1;
              ok_q   <= stored_enabled;
            end
          endcase
        end
      endcase
      // The control virtqueue is not moderated.
      if (en_valid_i && en_queue_i < 16'(Queues)) begin
        en_q       <= 1'b1;
        en_queue_q <= en_queue_i[WordWidth-1:0];
      end
      if (dis_valid_i && dis_queue_i < 16'(Queues)) begin
        dis_q       <= 1'b1;
        dis_queue_q <= dis_queue_i[WordWidth-1:0];
      end
    end
  end

  assign mod_done_o = done_q;
  assign mod_ok_o   = ok_q;
  assign packets_o  = packets_q;
  assign usecs_o    = usecs_q;
  assign idle_o     = state_q == StPick && !dis_q && !en_q && !mod_valid_i && !done_q;

  ////////////////////
  // Words          //
  ////////////////////

  logic        enabled, stored_enabled;
  logic [15:0] packets, stored_packets;
  logic [15:0] usecs, stored_usecs;
  logic        write;

  assign write = state_q == StClear || (state_q == StWrite && job_q != JobGet);

  // What is written; nothing but zeros where a queue is cleared or disabled.
  always_comb begin
    enabled = 1'b0;
    packets = '0;
    usecs   = '0;
    if (state_q == StWrite && job_q != JobDisable) begin
      enabled = job_q == JobEnable || stored_enabled;
      packets = (job_q == JobEnable) ? stored_packets : mod_packets_i;
      usecs   = (job_q == JobEnable) ? stored_usecs : mod_usecs_i;
    end
  end

  ram_1r1w #(.Width(33), .Depth(Words)) u_words (
    .clk_i  (clk_i),
    .we_i   (write),
    .waddr_i(to_q),
    .wdata_i({enabled, usecs, packets}),
    .re_i   (state_q == StRead),
    .raddr_i(from_q),
    .rdata_o({stored_enabled, stored_usecs, stored_packets})
  );

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      packets_q <= '0;
      usecs_q   <= '0;
    end else if (state_q == StWrite && job_q == JobGet) begin
      packets_q <= stored_packets;
      usecs_q   <= stored_usecs;
    end
  end

  ////////////////////
  // Telling        //
  ////////////////////

  logic                                 told_q;
  logic [WordWidth-1:0]                 told_queue_q;
  logic [15:0]                          told_packets_q;
  logic [15:0]                          told_usecs_q;
  logic [CyclesWidth+FractionWidth-1:0] cycles;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      told_q <= 1'b0;
    end else if (write || told_q) begin
      told_q <= write && to_q < WordWidth'(Queues);
      if (write) begin
        told_queue_q   <= to_q;
        told_packets_q <= packets;
        told_usecs_q   <= usecs;
      end
    end
  end

  assign cycles = (CyclesWidth + FractionWidth)'(told_usecs_q) *
                  (CyclesWidth + FractionWidth)'(Scale) +
                  (CyclesWidth + FractionWidth)'((1 << FractionWidth) - 1);

  always_comb begin
    moderation_o.valid   = told_q;
    moderation_o.queue   = 16'(told_queue_q);
    moderation_o.packets = told_packets_q;
    moderation_o.cycles  = 32'(cycles[FractionWidth +: CyclesWidth]);
  end

  logic unused_bits;
  assign unused_bits = ^cycles;

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // An event of a queue is dealt with before the next one of its kind comes.
      a_events: assert (!(en_valid_i && en_q) && !(dis_valid_i && dis_q));
      // A command asks for as long as it takes.
      a_command: assert (state_q == StClear || !(state_q == StRead && job_q != JobEnable &&
                                                 job_q != JobDisable) || mod_valid_i);
    end
  end
`endif

endmodule
