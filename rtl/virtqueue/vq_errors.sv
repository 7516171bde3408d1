// SPDX-License-Identifier: Apache-2.0
//
// vq_errors: keeps the first error of the virtqueues and finds the address that belongs to it.
//
//   accept    a descriptor: its code, ring slot and address, or accept_slot_i for the slot's own one
//   rx_used, tx_used   the write of a used element failed: the address of its slot
//   event     the driver's event structure could not be read: its address
//   device    the device's event structure could not be written: its address is given
//
//   failing_o  from the error on. The rest must come to a stop then; only so the address is found.
//   ask        seek_slot_o, seek_event_o: see vq_fetch and vq_event, *_busy_i: their request waits
//   err_*      valid, and stays, once the record is whole
//   busy_o     an edge may change something without an input

module vq_errors #(
  parameter int unsigned QueueWidth = 2
) (
  input  logic                  clk_i,
  input  logic                  rst_i,

  input  logic                  accept_valid_i,
  input  logic [7:0]            accept_code_i,
  input  logic [QueueWidth-1:0] accept_queue_i,
  input  logic [15:0]           accept_index_i,
  input  logic                  accept_slot_i,
  input  logic [63:0]           accept_addr_i,
  input  logic                  rx_used_valid_i,
  input  logic [QueueWidth-1:0] rx_used_queue_i,
  input  logic [15:0]           rx_used_index_i,
  input  logic                  tx_used_valid_i,
  input  logic [QueueWidth-1:0] tx_used_queue_i,
  input  logic [15:0]           tx_used_index_i,
  input  logic                  event_valid_i,
  input  logic [QueueWidth-1:0] event_queue_i,
  input  logic                  device_valid_i,
  input  logic [QueueWidth-1:0] device_queue_i,
  input  logic [63:0]           device_addr_i,

  output logic                  seek_slot_o,
  output logic                  seek_event_o,
  output logic [QueueWidth-1:0] seek_queue_o,
  output logic [14:0]           seek_index_o,
  input  logic                  slot_busy_i,
  input  logic [63:0]           slot_addr_i,
  input  logic                  event_busy_i,
  input  logic [63:0]           event_addr_i,

  output logic                  failing_o,
  output logic                  busy_o,
  output logic                  err_valid_o,
  output nic_pkg::vq_error_t    err_o
);

  localparam logic [1:0] StateNone  = 2'd0;
  localparam logic [1:0] StateSlot  = 2'd1;  // the address of a slot is to be found
  localparam logic [1:0] StateEvent = 2'd2;  // that of the driver's structure
  localparam logic [1:0] StateWhole = 2'd3;

  logic [1:0]            state_q;
  logic                  asked_q;
  logic [7:0]            code_q;
  logic [QueueWidth-1:0] queue_q;
  logic [15:0]           index_q;
  logic [63:0]           addr_q;

  logic        used_valid;
  logic        busy;
  logic [1:0]  source;      // of the address, whenever it is taken
  logic [63:0] addr;

  assign used_valid = rx_used_valid_i || tx_used_valid_i;
  assign source     = {state_q != StateNone, (state_q == StateNone) ? !accept_valid_i
                                                                    : state_q == StateEvent};

  // A request in the cycle after means that one was made instead of the answer: ask again.
  assign busy       = (state_q == StateSlot) ? slot_busy_i : event_busy_i;

  always_comb begin
    case (source)
      2'd0:    addr = accept_addr_i;
      2'd1:    addr = device_addr_i;
      2'd2:    addr = slot_addr_i;
      default: addr = event_addr_i;
    endcase
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      state_q <= StateNone;
      asked_q <= 1'b0;
    end else if (state_q == StateNone) begin
      if (accept_valid_i) begin
        state_q <= accept_slot_i ? StateSlot : StateWhole;
        code_q  <= accept_code_i;
        queue_q <= accept_queue_i;
        index_q <= accept_index_i;
      end else if (used_valid) begin
        state_q <= StateSlot;
        code_q  <= virtio_pkg::ErrorDmaWrite;
        queue_q <= rx_used_valid_i ? rx_used_queue_i : tx_used_queue_i;
        index_q <= rx_used_valid_i ? rx_used_index_i : tx_used_index_i;
      end else if (event_valid_i) begin
        state_q <= StateEvent;
        code_q  <= virtio_pkg::ErrorDmaRead;
        queue_q <= event_queue_i;
        index_q <= '0;
      end else if (device_valid_i) begin
        state_q <= StateWhole;
        code_q  <= virtio_pkg::ErrorDmaWrite;
        queue_q <= device_queue_i;
        index_q <= '0;
      end
    end else if (state_q != StateWhole) begin
      asked_q <= !asked_q && !busy;
      if (asked_q && !busy) begin
        state_q <= StateWhole;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if ((state_q == StateNone && (accept_valid_i || device_valid_i)) || busy_o) begin
      addr_q <= addr;
    end
  end

  assign seek_slot_o  = state_q == StateSlot && !asked_q;
  assign seek_event_o = state_q == StateEvent && !asked_q;
  assign seek_queue_o = queue_q;
  assign seek_index_o = index_q[14:0];

  assign failing_o   = state_q != StateNone;
  assign busy_o      = state_q == StateSlot || state_q == StateEvent;
  assign err_valid_o = state_q == StateWhole;
  assign err_o       = {code_q, 16'(queue_q), index_q, addr_q};

endmodule
