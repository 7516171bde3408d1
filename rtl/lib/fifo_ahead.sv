// SPDX-License-Identifier: Apache-2.0
//
// fifo_ahead: a fifo with an output stage, which says what the stage takes next. So whoever looks
// something up by the oldest word can begin a cycle earlier.
//
//   write      see fifo; a word shows two cycles later.
//   read       rd_valid_o with rd_data_o, registered, until rd_ready_i. One word a cycle.
//   next_o     the word that the stage takes at this clock edge, under next_take_o.
//   empty_o    no word is held.
//
// Parameters:
//   Width   bits in a word
//   Depth   words, any number from 2 up, and one more in the output stage

module fifo_ahead #(
  parameter int unsigned Width = 8,
  parameter int unsigned Depth = 16
) (
  input  logic             clk_i,
  input  logic             rst_i,

  input  logic             wr_valid_i,
  output logic             wr_ready_o,
  input  logic [Width-1:0] wr_data_i,

  output logic             next_take_o,
  output logic [Width-1:0] next_o,

  output logic             rd_valid_o,
  input  logic             rd_ready_i,
  output logic [Width-1:0] rd_data_o,
  output logic             empty_o
);

  logic                       stored;
  logic                       valid_q;
  logic [Width-1:0]           data_q;
  logic [$clog2(Depth+1)-1:0] unused_count;

  fifo #(.Width(Width), .Depth(Depth)) u_fifo (
    .clk_i,
    .rst_i,
    .wr_valid_i,
    .wr_ready_o,
    .wr_data_i,
    .rd_valid_o (stored),
    .rd_ready_i (next_take_o),
    .rd_data_o  (next_o),
    .count_o    (unused_count)
  );

  assign next_take_o = stored && (!valid_q || rd_ready_i);
  assign rd_valid_o  = valid_q;
  assign rd_data_o   = data_q;
  assign empty_o     = !stored && !valid_q;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      valid_q <= 1'b0;
    end else if (next_take_o || rd_ready_i) begin
      valid_q <= next_take_o;
    end
  end

  always_ff @(posedge clk_i) begin
    if (next_take_o) begin
      data_q <= next_o;
    end
  end

`ifndef SYNTHESIS
  logic             was_waiting_q;
  logic [Width-1:0] was_data_q;

  always_ff @(posedge clk_i) begin
    was_waiting_q <= !rst_i && valid_q && !rd_ready_i;
    was_data_q    <= data_q;
    if (!rst_i) begin
      // A word that was not taken stays as it is.
      a_stable: assert (!was_waiting_q || (valid_q && data_q == was_data_q));
    end
  end
`endif

endmodule
