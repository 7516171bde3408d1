// SPDX-License-Identifier: Apache-2.0
//
// vq_device_event: writes the device event suppression structures, by which the driver learns
// whether it has to kick (virtio 1.2, 2.8.14). vq_fetch asks for ENABLE before a queue goes to sleep
// and for DISABLE when the device polls it on its own.
//
//   job      pulse: write ENABLE or DISABLE for job_queue_i. A queue has one job at a time, from
//            this pulse until its answer was taken.
//   armed    armed_valid_o stays with the job until armed_ready_i, once the write's response has
//            come: whatever is read from the ring from then on was sampled with kicks as written.
//   write    dwr_valid_o stays with its payload until dwr_ready_i; one write in flight at a time.
//            dwr_addr_o is beat-aligned; addr_o is the address of the structure written last, for the
//            error record.
//
// Parameters:
//   Queues    number of queues
//   AxiBytes  bytes in a bus beat

module vq_device_event #(
  parameter int unsigned Queues = 3,
  parameter int unsigned AxiBytes = 16,
  localparam int unsigned QueueWidth = $clog2(Queues)
) (
  input  logic                  clk_i,
  input  logic                  rst_i,
  input  logic                  halt_i,    // start nothing new
  output logic                  quiet_o,   // no write under way
  output logic                  empty_o,   // quiet, and no job waits
  output logic                  moves_o,   // an edge may change something without an input

  input  logic                  en_valid_i,
  input  logic [QueueWidth-1:0] en_queue_i,
  input  logic [63:0]           en_device_i,

  input  logic                  job_valid_i,
  input  logic                  job_enable_i,
  input  logic [QueueWidth-1:0] job_queue_i,
  output logic                  armed_valid_o,
  input  logic                  armed_ready_i,
  output logic                  armed_enable_o,
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

  localparam logic [1:0] StateIdle  = 2'd0;
  localparam logic [1:0] StateWrite = 2'd1;  // the request waits for the bus
  localparam logic [1:0] StateWait  = 2'd2;  // for the response
  localparam logic [1:0] StateTell  = 2'd3;  // for whoever asked

  ////////////////////
  // State          //
  ////////////////////

  logic [1:0]                  state_q;
  logic                        enable_q;
  logic [QueueWidth-1:0]       queue_q;

  logic                        job_valid;
  logic                        job_room;
  logic                        job_enable;
  logic [QueueWidth-1:0]       job_queue;
  logic                        start;
  logic [$clog2(Queues+1)-1:0] unused_count;

  fifo #(.Width(QueueWidth + 1), .Depth(Queues)) u_jobs (
    .clk_i,
    .rst_i,
    .wr_valid_i (job_valid_i),
    .wr_ready_o (job_room),
    .wr_data_i  ({job_enable_i, job_queue_i}),
    .rd_valid_o (job_valid),
    .rd_ready_i (start),
    .rd_data_o  ({job_enable, job_queue}),
    .count_o    (unused_count)
  );

  queue_table #(.Queues(Queues), .Width(64)) u_device (
    .clk_i,
    .write_i       (en_valid_i),
    .write_queue_i (en_queue_i),
    .write_data_i  (en_device_i),
    .read_i        (start),
    .read_queue_i  (job_queue),
    .read_data_o   (addr_o)
  );

  assign start = job_valid && state_q == StateIdle && !halt_i;

  always_ff @(posedge clk_i) begin
    if (start) begin
      queue_q  <= job_queue;
      enable_q <= job_enable;
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      state_q <= StateIdle;
    end else begin
      case (state_q)
        StateIdle:  if (start) state_q <= StateWrite;
        StateWrite: if (dwr_ready_i) state_q <= StateWait;
        StateWait:  if (dwr_done_i) state_q <= StateTell;
        default:    if (armed_ready_i) state_q <= StateIdle;
      endcase
    end
  end

  assign armed_valid_o  = state_q == StateTell;
  assign armed_enable_o = enable_q;
  assign armed_queue_o  = queue_q;

  assign dwr_valid_o = state_q == StateWrite;
  assign dwr_addr_o  = {addr_o[63:OffsetWidth], {OffsetWidth{1'b0}}};
  assign dwr_data_o  = {(AxiBytes / 4){enable_q ? {virtio_pkg::EventFlagsEnable, 16'd0}
                                                : {virtio_pkg::EventFlagsDisable, 16'd0}}};
  assign dwr_strb_o  = AxiBytes'(4'hf) << {addr_o[OffsetWidth-1:2], 2'b00};

  assign quiet_o = state_q == StateIdle;
  assign empty_o = quiet_o && !job_valid;
  assign moves_o = start || state_q == StateWrite || state_q == StateTell;

  ////////////////////
  // Properties     //
  ////////////////////

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // A response comes only for a write that was taken.
      a_done_expected: assert (!dwr_done_i || state_q == StateWait);
      // Every queue has a place for its job.
      a_job_room: assert (!job_valid_i || job_room);
    end
  end
`endif

endmodule
