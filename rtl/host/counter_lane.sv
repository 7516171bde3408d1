// SPDX-License-Identifier: Apache-2.0
//
// Up to 12 event counters of 64 bits, in a RAM.
//
// Events are added to narrow fields at once, so any number of them may come in a cycle. While a
// field is half full a pointer goes round and empties one field a cycle into the RAM. A field of 5
// bits cannot overflow: it is half full after 16 events, and its turn comes within 12 cycles.
//
//   count_i --> | f11 | ... | f1 | f0 |  --[turn]--> RAM[turn] += field
//
// Without events, and with no field half full, nothing changes. What is read is the RAM's value and
// the field's. The counters are 0 after reset: for 12 cycles the pointer clears the RAM first.
module counter_lane #(
  parameter int unsigned Counters = 12
) (
  input  logic                clk_i,
  input  logic                rst_i,

  input  logic [Counters-1:0] count_i,      // one event each

  input  logic                read_i,
  input  logic [3:0]          read_index_i,
  output logic [63:0]         read_value_o, // from the next cycle on

  output logic                idle_o
);

  if (Counters < 2 || Counters > 12) begin : g_bad_counters
    $error("counter_lane: Counters must be 2 to 12");
  end

  localparam int unsigned FieldBits  = 5;
  localparam int unsigned FieldsBits = FieldBits * Counters;

  logic [63:0]           value_q [Counters];
  logic [FieldsBits-1:0] fields_q, events, halves;
  logic [FieldBits-1:0]  field;
  logic [31:0]           place;
  logic [3:0]            turn_q;
  logic                  init_q;

  assign halves = {Counters{1'b1, (FieldBits - 1)'(0)}};
  assign idle_o = !init_q && (fields_q & halves) == '0;

  // One bit of count_i at the foot of each field.
  for (genvar i = 0; i < Counters; i++) begin : g_event
    assign events[FieldBits*i +: FieldBits] = FieldBits'(count_i[i]);
  end

  always_comb begin
    place = 32'd0;
    field = '0;
    if (!idle_o) begin
      place = FieldBits * 32'(turn_q);
      field = FieldBits'(fields_q >> place);
    end
  end

  always_ff @(posedge clk_i) begin
    if (!idle_o) begin
      value_q[turn_q] <= init_q ? 64'h0 : value_q[turn_q] + 64'(field);
      fields_q <= fields_q - (init_q ? '0 : (FieldsBits'(field) << place)) + events;
      init_q   <= init_q && turn_q != 4'(Counters - 1);
      turn_q   <= (turn_q == 4'(Counters - 1)) ? 4'd0 : turn_q + 4'd1;
    end else if (count_i != '0) begin
      fields_q <= fields_q + events;
    end
    if (rst_i) begin
      fields_q <= '0;
      init_q   <= 1'b1;
      turn_q   <= 4'd0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (read_i) begin
      read_value_o <= value_q[read_index_i] +
                      64'(FieldBits'(fields_q >> (FieldBits * 32'(read_index_i))));
    end
  end

`ifndef SYNTHESIS
  logic was_reset_q;

  always_ff @(posedge clk_i) begin
    was_reset_q <= rst_i;
    if (!rst_i && !was_reset_q) begin
      // The turn is a counter's.
      turn_exists: assert (turn_q < 4'(Counters));
      // Counters that are read exist.
      read_exists: assert (!read_i || read_index_i < 4'(Counters));
    end
  end
`endif

endmodule
