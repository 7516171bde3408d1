// SPDX-License-Identifier: Apache-2.0
//
// Counters of 64 bits, in a RAM: of events, and two of bytes.
//
// Events are added to small counts at once, so any number of them may come in a cycle. While one of
// the counts is half full, or while a counter is to be read, a pointer goes round and empties one a
// cycle into the RAM. A count of 6 bits cannot overflow: it is half full after 32 events, and its turn
// comes within 31 cycles. Nor can the 22 bits of a byte count: half of that are 32 lengths of 65,535.
//
//   count_i   --> [event_counts] --\
//   a_bytes_i --> [bytes] ----------+-[turn]--> RAM[turn] += count --> read_value_o
//   b_bytes_i --> [bytes] ---------/
//
// Without events, and with no count half full, nothing changes. What is read is exact: the counter's
// count is emptied with it. The counters are 0 after reset: the pointer goes round once and clears the
// RAM first.
//
// Parameters:
//   Counters   2 to 31
//   BytesA, BytesB   the two byte counters; their bits of count_i are not used
module event_counters #(
  parameter int unsigned Counters = 19,
  parameter int unsigned BytesA = 0,
  parameter int unsigned BytesB = 1,
  localparam int unsigned IndexWidth = $clog2(Counters)
) (
  input  logic                  clk_i,
  input  logic                  rst_i,

  input  logic [Counters-1:0]   count_i,      // one event each
  input  logic                  a_valid_i,
  input  logic [15:0]           a_bytes_i,
  input  logic                  b_valid_i,
  input  logic [15:0]           b_bytes_i,

  input  logic                  read_i,       // one cycle; none before the last one is done
  input  logic [IndexWidth-1:0] read_index_i, // below Counters; holds until done
  output logic                  read_done_o,  // one cycle: read_value_o is there, and stays
  output logic [63:0]           read_value_o,

  output logic                  idle_o
);

  if (Counters < 2 || Counters > 31) begin : g_bad_counters
    $error("event_counters: Counters must be 2 to 31");
  end

  localparam int unsigned BytesWidth = 22;
  localparam logic [IndexWidth-1:0] LastTurn = IndexWidth'(Counters - 1);

  logic [63:0]           value_q [Counters];
  logic [BytesWidth-1:0] a_q, b_q;
  logic [IndexWidth-1:0] turn_q;
  logic                  init_q, reading_q;
  logic                  round;               // the pointer goes round
  logic                  take, half;
  logic [6:0]            events;
  logic [BytesWidth-1:0] count;               // what the turn's counter gets
  logic [63:0]           value, sum;

  assign round  = init_q || reading_q || half || a_q[BytesWidth-1] || b_q[BytesWidth-1];
  assign idle_o = !round && !read_done_o;

  assign take = round && !init_q;

  event_counts #(.Counters(Counters)) u_counts (
    .clk_i,
    .rst_i,
    .count_i,
    .take_i  (take),
    .turn_i  (turn_q),
    .count_o (events),
    .half_o  (half)
  );

  always_ff @(posedge clk_i) begin
    if (a_valid_i || round) begin
      a_q <= ((take && turn_q == IndexWidth'(BytesA)) ? '0 : a_q)
           + (a_valid_i ? BytesWidth'(a_bytes_i) : '0);
    end
    if (rst_i) a_q <= '0;
  end

  always_ff @(posedge clk_i) begin
    if (b_valid_i || round) begin
      b_q <= ((take && turn_q == IndexWidth'(BytesB)) ? '0 : b_q)
           + (b_valid_i ? BytesWidth'(b_bytes_i) : '0);
    end
    if (rst_i) b_q <= '0;
  end

  always_comb begin
    value = '0;
    count = BytesWidth'(events);
    if (take) begin
      value = value_q[turn_q];
      if (turn_q == IndexWidth'(BytesA)) count = a_q;
      if (turn_q == IndexWidth'(BytesB)) count = b_q;
    end
  end

  assign sum = value + 64'(count);

  always_ff @(posedge clk_i) begin
    if (round) begin
      value_q[turn_q] <= sum;
    end
  end

  always_ff @(posedge clk_i) begin
    if (read_i || round || read_done_o) begin
      read_done_o <= 1'b0;
      if (read_i) reading_q <= 1'b1;
      if (reading_q && !init_q && turn_q == read_index_i) begin
        reading_q    <= 1'b0;
        read_done_o  <= 1'b1;
        read_value_o <= sum;
      end
      if (round) begin
        init_q <= init_q && turn_q != LastTurn;
        turn_q <= (turn_q == LastTurn) ? '0 : turn_q + 1'b1;
      end
    end
    if (rst_i) begin
      init_q      <= 1'b1;
      turn_q      <= '0;
      reading_q   <= 1'b0;
      read_done_o <= 1'b0;
    end
  end

`ifndef SYNTHESIS
  logic was_reset_q;

  always_ff @(posedge clk_i) begin
    was_reset_q <= rst_i;
    if (!rst_i && !was_reset_q) begin
      // The turn is a counter's.
      turn_exists: assert (turn_q <= LastTurn);
      // Counters that are read exist, and are read one after the other.
      read_exists: assert (!reading_q || read_index_i <= LastTurn);
      read_alone: assert (!read_i || !reading_q);
      // The bits of the byte counters are not used.
      bytes_apart: assert (!count_i[BytesA] && !count_i[BytesB]);
    end
  end
`endif

endmodule
