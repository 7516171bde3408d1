// SPDX-License-Identifier: Apache-2.0
//
// burst_split: cuts a request for any number of bytes at any address into AXI4 INCR bursts.
//
//   request  `req_bytes_i` (> 0) bytes from `req_addr_i`; moves when valid and ready are both high.
//            req_ready_o is high while nothing is held, and in the cycle that takes the last burst.
//   burst    address, AxLEN (beats - 1) and whether it is the request's last burst; stable until it
//            moves. `burst_user_o` is the request's user word.
//   latency 1, throughput one burst a cycle, no cycle lost between requests.
//
// A burst ends at the next multiple of MaxBurstBytes, so that none is longer than that and none
// crosses 4 KiB. Only the first burst of a request can start inside a beat:
//
//   addr              boundary              boundary        end
//    |   first burst     |   middle burst      |  last burst |
//   -+---...-------------+---------------------+-------------+----
//
// Parameters:
//   AxiBytes        bytes in a beat
//   MaxBurstBytes   a power of two, more than AxiBytes, at most 4096 and at most 256 beats
//   UserWidth       bits carried beside a request

module burst_split #(
  parameter int unsigned AxiBytes = 16,
  parameter int unsigned MaxBurstBytes = 512,
  parameter int unsigned UserWidth = 1
) (
  input  logic                         clk_i,
  input  logic                         rst_i,

  input  logic                         req_valid_i,
  output logic                         req_ready_o,
  input  logic [63:0]                  req_addr_i,
  input  logic [nic_pkg::LenWidth-1:0] req_bytes_i,
  input  logic [UserWidth-1:0]         req_user_i,

  output logic                         burst_valid_o,
  input  logic                         burst_ready_i,
  output logic [63:0]                  burst_addr_o,
  output logic [7:0]                   burst_len_o,
  output logic                         burst_last_o,
  output logic [UserWidth-1:0]         burst_user_o
);

  localparam int unsigned LaneWidth = $clog2(AxiBytes);
  localparam int unsigned BurstWidth = $clog2(MaxBurstBytes);
  localparam int unsigned LenWidth = nic_pkg::LenWidth;

  if ((1 << LaneWidth) != AxiBytes) $error("burst_split: AxiBytes must be a power of two");
  if ((1 << BurstWidth) != MaxBurstBytes) $error("burst_split: MaxBurstBytes: a power of two");
  if (MaxBurstBytes > 4096 || MaxBurstBytes > 256 * AxiBytes || MaxBurstBytes <= AxiBytes)
    $error("burst_split: MaxBurstBytes is out of range");

  logic                 valid_q;
  logic [63:0]          addr_q;
  logic [LenWidth-1:0]  bytes_q;
  logic [UserWidth-1:0] user_q;

  logic [LenWidth-1:0]  room;      // bytes to the next boundary
  logic [BurstWidth:0]  end_byte;  // last byte, counted from the start of the first beat
  logic                 last;

  always_comb begin
    room     = '0;
    last     = 1'b0;
    end_byte = '0;
    if (valid_q) begin
      room     = LenWidth'(MaxBurstBytes) - LenWidth'(addr_q[BurstWidth-1:0]);
      last     = bytes_q <= room;
      end_byte = (BurstWidth + 1)'(addr_q[LaneWidth-1:0]) - 1'b1 +
                 (last ? bytes_q[BurstWidth:0] : room[BurstWidth:0]);
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      valid_q <= 1'b0;
    end else if (req_valid_i && req_ready_o) begin
      valid_q <= 1'b1;
      addr_q  <= req_addr_i;
      bytes_q <= req_bytes_i;
      user_q  <= req_user_i;
    end else if (valid_q && burst_ready_i) begin
      valid_q <= !last;
      addr_q  <= {addr_q[63:BurstWidth] + 1'b1, BurstWidth'(0)};
      bytes_q <= bytes_q - room;
    end
  end

  assign req_ready_o   = !valid_q || (burst_ready_i && last);
  assign burst_valid_o = valid_q;
  assign burst_addr_o  = addr_q;
  assign burst_len_o   = 8'(end_byte >> LaneWidth);
  assign burst_last_o  = last;
  assign burst_user_o  = user_q;

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // A request asks for at least one byte.
      a_bytes: assert (!valid_q || bytes_q != '0);
      // A burst stays inside its block of MaxBurstBytes.
      a_inside: assert (!valid_q || 32'(addr_q[BurstWidth-1:LaneWidth]) + 32'(burst_len_o) <
                        MaxBurstBytes / AxiBytes);
    end
  end
`endif

endmodule
