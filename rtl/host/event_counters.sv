// SPDX-License-Identifier: Apache-2.0
//
// Event counters of 64 bits, in a RAM.
//
// Events are added to small counts at once, so any number of them may come in a cycle. While one of
// the counts is half full, a pointer goes round and empties one a cycle into the RAM. A count of 6
// bits cannot overflow: it is half full after 32 events, and its turn comes within 31 cycles.
//
//   count_i --> | c30 | ... | c1 | c0 |  --[turn]--> RAM[turn] += c[turn]
//
// The counts lie in planes, one for each of their bits, so that all are counted up together.
//
// Without events, and with no count half full, nothing changes. What is read is the RAM's value and
// the count. The counters are 0 after reset: the pointer goes round once and clears the RAM first.
//
// Parameters:
//   Counters   2 to 31
module event_counters #(
  parameter int unsigned Counters = 19,
  localparam int unsigned IndexWidth = $clog2(Counters)
) (
  input  logic                  clk_i,
  input  logic                  rst_i,

  input  logic [Counters-1:0]   count_i,      // one event each

  input  logic                  read_i,
  input  logic [IndexWidth-1:0] read_index_i, // below Counters
  output logic [63:0]           read_value_o, // from the next cycle on

  output logic                  idle_o
);

  if (Counters < 2 || Counters > 31) begin : g_bad_counters
    $error("event_counters: Counters must be 2 to 31");
  end

  localparam logic [IndexWidth-1:0] LastTurn = IndexWidth'(Counters - 1);

  logic [63:0]           value_q [Counters];
  logic [Counters-1:0]   bit0_q, bit1_q, bit2_q, bit3_q, bit4_q, bit5_q;
  logic [IndexWidth-1:0] turn_q;
  logic                  init_q;

  assign idle_o = !init_q && bit5_q == '0;

  always_ff @(posedge clk_i) begin : p_count
    logic [Counters-1:0] keep;
    logic [Counters-1:0] carry;
    if (!idle_o || count_i != '0) begin
      keep   = (idle_o || init_q) ? '1 : ~(Counters'(1) << turn_q);
      carry  = count_i;
      bit0_q <= (bit0_q & keep) ^ carry;
      carry  = bit0_q & keep & carry;
      bit1_q <= (bit1_q & keep) ^ carry;
      carry  = bit1_q & keep & carry;
      bit2_q <= (bit2_q & keep) ^ carry;
      carry  = bit2_q & keep & carry;
      bit3_q <= (bit3_q & keep) ^ carry;
      carry  = bit3_q & keep & carry;
      bit4_q <= (bit4_q & keep) ^ carry;
      carry  = bit4_q & keep & carry;
      bit5_q <= (bit5_q & keep) ^ carry;
    end
    if (rst_i) begin
      bit0_q <= '0;
      bit1_q <= '0;
      bit2_q <= '0;
      bit3_q <= '0;
      bit4_q <= '0;
      bit5_q <= '0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!idle_o) begin
      value_q[turn_q] <= init_q ? 64'd0
                       : value_q[turn_q] + 64'({bit5_q[turn_q], bit4_q[turn_q], bit3_q[turn_q],
                                                bit2_q[turn_q], bit1_q[turn_q], bit0_q[turn_q]});
    end
  end

  always_ff @(posedge clk_i) begin
    if (!idle_o) begin
      init_q <= init_q && turn_q != LastTurn;
      turn_q <= (turn_q == LastTurn) ? '0 : turn_q + 1'b1;
    end
    if (rst_i) begin
      init_q <= 1'b1;
      turn_q <= '0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (read_i) begin
      read_value_o <= value_q[read_index_i] +
                      64'({bit5_q[read_index_i], bit4_q[read_index_i], bit3_q[read_index_i],
                           bit2_q[read_index_i], bit1_q[read_index_i], bit0_q[read_index_i]});
    end
  end

`ifndef SYNTHESIS
  logic was_reset_q;

  always_ff @(posedge clk_i) begin
    was_reset_q <= rst_i;
    if (!rst_i && !was_reset_q) begin
      // The turn is a counter's.
      turn_exists: assert (turn_q <= LastTurn);
      // Counters that are read exist.
      read_exists: assert (!read_i || read_index_i <= LastTurn);
      // No count overflows.
      no_overflow: assert ((count_i & bit0_q & bit1_q & bit2_q & bit3_q & bit4_q & bit5_q) == '0);
    end
  end
`endif

endmodule
