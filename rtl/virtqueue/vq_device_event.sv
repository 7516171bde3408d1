// SPDX-License-Identifier: Apache-2.0
//
// vq_device_event: writes the device event suppression structures, by which the driver learns
// whether it has to kick (virtio 1.2, 2.8.14). It writes ENABLE before a queue goes to sleep and
// DISABLE when the device polls a queue on its own.
//
//   arm      pulse: write ENABLE. Once the write's response has come, armed_done_o pulses for the
//            queue, and whatever is read from the ring after that was sampled with kicks on.
//   disarm   pulse: write DISABLE; nobody waits for it. Only for a queue whose armed_o bit is high.
//   armed_o  bit q is high while memory says ENABLE and no DISABLE is asked for or under way.
//   enable   a queue starts unarmed with an arm pending, so memory need not hold ENABLE beforehand.
//   write    *_valid_o stays with its payload until *_ready_i; one write in flight at a time, so
//            writes to one structure never pass each other.
//   addr_o   address of the structure written last, for the error record.
//
// Parameters:
//   Queues    number of queues
//   AxiBytes  bytes in a bus beat

module vq_device_event #(
  parameter int unsigned Queues = 1,
  parameter int unsigned AxiBytes = 16,
  localparam int unsigned QueueWidth = (Queues > 1) ? $clog2(Queues) : 1
) (
  input  logic                  clk_i,
  input  logic                  rst_i,
  input  logic                  halt_i,   // start nothing new
  output logic                  quiet_o,  // no write under way
  output logic                  idle_o,   // quiet, and nothing to start
  output logic                  moves_o,  // an edge may change something without an input

  input  logic                  en_valid_i,
  input  logic [QueueWidth-1:0] en_queue_i,
  input  logic [63:0]           en_device_i,

  input  logic                  arm_valid_i,
  input  logic                  disarm_valid_i,
  input  logic [QueueWidth-1:0] ask_queue_i,
  output logic [Queues-1:0]     armed_o,
  output logic                  armed_done_o,
  output logic [QueueWidth-1:0] armed_queue_o,
  output logic [63:0]           addr_o,

  output logic                  dwr_valid_o,
  input  logic                  dwr_ready_i,
  output logic [63:0]           dwr_addr_o,
  output logic [8*AxiBytes-1:0] dwr_data_o,
  output logic [AxiBytes-1:0]   dwr_strb_o,
  input  logic                  dwr_done_i
);

  localparam int unsigned OffsetWidth = $clog2(AxiBytes);

  ////////////////////
  // State          //
  ////////////////////

  logic [Queues-1:0]     arm_q;       // ENABLE is to be written
  logic [Queues-1:0]     disarm_q;    // DISABLE is to be written
  logic [Queues-1:0]     armed_q;     // memory says ENABLE
  logic                  valid_q;     // request waits for the bus
  logic                  wait_q;      // request taken, response not yet here
  logic                  enable_q;    // the write under way says ENABLE
  logic [QueueWidth-1:0] queue_q;
  logic [63:0]           addr_q;

  logic [Queues-1:0]     want;
  logic                  start;
  logic [QueueWidth-1:0] pick;
  logic                  pick_valid;
  logic [Queues-1:0]     unused_grant;
  logic [63:0]           pick_addr;

  assign want  = arm_q | disarm_q;
  assign start = pick_valid && !valid_q && !wait_q && !halt_i;

  arbiter_rr #(.N(Queues)) u_pick (
    .clk_i,
    .rst_i,
    .request_i     (want),
    .advance_i     (start),
    .grant_o       (unused_grant),
    .grant_index_o (pick),
    .grant_valid_o (pick_valid)
  );

  queue_state #(.Queues(Queues), .Width(64)) u_device (
    .clk_i,
    .write_i       (en_valid_i),
    .write_queue_i (en_queue_i),
    .write_data_i  (en_device_i),
    .read_queue_i  (pick),
    .read_data_o   (pick_addr)
  );

  always_ff @(posedge clk_i) begin
    if (start) begin
      addr_q   <= pick_addr;
      queue_q  <= pick;
      enable_q <= !disarm_q[pick];
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      arm_q    <= '0;
      disarm_q <= '0;
      armed_q  <= '0;
      valid_q  <= 1'b0;
      wait_q   <= 1'b0;
    end else begin
      if (start) begin
        valid_q <= 1'b1;
        // A DISABLE that is owed goes first: the ENABLE that follows it is the last word.
        if (disarm_q[pick]) begin
          disarm_q[pick] <= 1'b0;
          armed_q[pick]  <= 1'b0;
        end else begin
          arm_q[pick] <= 1'b0;
        end
      end
      if (valid_q && dwr_ready_i) begin
        valid_q <= 1'b0;
        wait_q  <= 1'b1;
      end
      if (dwr_done_i) begin
        wait_q <= 1'b0;
        if (enable_q) begin
          armed_q[queue_q] <= 1'b1;
        end
      end
      if (arm_valid_i) begin
        arm_q[ask_queue_i] <= 1'b1;
      end
      if (disarm_valid_i) begin
        disarm_q[ask_queue_i] <= 1'b1;
      end
      if (en_valid_i) begin
        arm_q[en_queue_i]    <= 1'b1;
        disarm_q[en_queue_i] <= 1'b0;
        armed_q[en_queue_i]  <= 1'b0;
      end
    end
  end

  assign armed_o       = armed_q & ~disarm_q;
  assign armed_done_o  = dwr_done_i && enable_q;
  assign armed_queue_o = queue_q;

  assign dwr_valid_o = valid_q;
  assign dwr_addr_o  = {addr_q[63:OffsetWidth], {OffsetWidth{1'b0}}};
  assign addr_o      = addr_q;
  assign dwr_data_o  = {(AxiBytes / 4){enable_q ? {virtio_pkg::EventFlagsEnable, 16'd0}
                                                : {virtio_pkg::EventFlagsDisable, 16'd0}}};
  assign dwr_strb_o  = AxiBytes'(4'hf) << {addr_q[OffsetWidth-1:2], 2'b00};

  assign quiet_o = !valid_q && !wait_q;
  assign idle_o  = quiet_o && (halt_i || want == '0);
  assign moves_o = start || valid_q;

  ////////////////////
  // Properties     //
  ////////////////////

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // A response comes only for a write that was taken.
      a_done_expected: assert (!dwr_done_i || wait_q);
      // DISABLE is asked for only while memory says ENABLE.
      a_disarm_armed: assert (!disarm_valid_i || armed_o[ask_queue_i]);
      // An owed DISABLE is owed to a queue whose memory says ENABLE.
      a_disarm_owed: assert ((disarm_q & ~armed_q) == '0);
    end
  end
`endif

endmodule
