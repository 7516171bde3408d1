// SPDX-License-Identifier: Apache-2.0
//
// ring_two: a queue with two readers, which take the same entries each at its own pace.
//
//                          +--> first  (first_*)      what the first reader needs of an entry
//     write (wr_*) --> ring
//                          +--> second (second_*)     what the second needs; neither waits for the
//                                                     other
//
//   write      wr_valid_i: an entry goes in, with no back-pressure but room_o.
//   room_o     at least two entries can still be written. So whoever looks at it a cycle before it
//              writes needs no other care.
//   readers    valid and data are stable until the entry moves (valid and ready both high); one
//              entry a cycle each, at the earliest two cycles after it was written.
//   settled_o  no entry is on its way to a reader: what is held waits at both outputs.
//   empty_o    nothing is held for the second reader.
//
// Parameters:
//   FirstWidth, SecondWidth   bits of an entry that each reader gets
//   Depth                     entries held, a power of two, besides one in each output

module ring_two #(
  parameter int unsigned FirstWidth = 32,
  parameter int unsigned SecondWidth = 32,
  parameter int unsigned Depth = 64
) (
  input  logic                   clk_i,
  input  logic                   rst_i,

  input  logic                   wr_valid_i,
  input  logic [FirstWidth-1:0]  wr_first_i,
  input  logic [SecondWidth-1:0] wr_second_i,
  output logic                   room_o,
  output logic                   settled_o,
  output logic                   empty_o,

  output logic                   first_valid_o,
  input  logic                   first_ready_i,
  output logic [FirstWidth-1:0]  first_data_o,

  output logic                   second_valid_o,
  input  logic                   second_ready_i,
  output logic [SecondWidth-1:0] second_data_o
);

  localparam int unsigned PtrWidth = $clog2(Depth);

  if ((1 << PtrWidth) != Depth || Depth < 4) $error("ring_two: Depth: a power of two, >= 4");

  logic [PtrWidth:0] wr_ptr_q;
  logic [PtrWidth:0] first_ptr_q;
  logic [PtrWidth:0] second_ptr_q;
  logic              first_valid_q;
  logic              second_valid_q;
  logic              first_fetch;
  logic              second_fetch;

  assign first_fetch  = wr_ptr_q != first_ptr_q && (!first_valid_q || first_ready_i);
  assign second_fetch = wr_ptr_q != second_ptr_q && (!second_valid_q || second_ready_i);

  ram_1r1w #(
    .Width(FirstWidth),
    .Depth(Depth)
  ) u_first (
    .clk_i  (clk_i),
    .we_i   (wr_valid_i),
    .waddr_i(wr_ptr_q[PtrWidth-1:0]),
    .wdata_i(wr_first_i),
    .re_i   (first_fetch),
    .raddr_i(first_ptr_q[PtrWidth-1:0]),
    .rdata_o(first_data_o)
  );

  ram_1r1w #(
    .Width(SecondWidth),
    .Depth(Depth)
  ) u_second (
    .clk_i  (clk_i),
    .we_i   (wr_valid_i),
    .waddr_i(wr_ptr_q[PtrWidth-1:0]),
    .wdata_i(wr_second_i),
    .re_i   (second_fetch),
    .raddr_i(second_ptr_q[PtrWidth-1:0]),
    .rdata_o(second_data_o)
  );

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      wr_ptr_q <= '0;
    end else if (wr_valid_i) begin
      wr_ptr_q <= wr_ptr_q + 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      first_ptr_q   <= '0;
      first_valid_q <= 1'b0;
    end else if (first_fetch) begin
      first_ptr_q   <= first_ptr_q + 1'b1;
      first_valid_q <= 1'b1;
    end else if (first_ready_i) begin
      first_valid_q <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      second_ptr_q   <= '0;
      second_valid_q <= 1'b0;
    end else if (second_fetch) begin
      second_ptr_q   <= second_ptr_q + 1'b1;
      second_valid_q <= 1'b1;
    end else if (second_ready_i) begin
      second_valid_q <= 1'b0;
    end
  end

  assign first_valid_o  = first_valid_q;
  assign second_valid_o = second_valid_q;
  assign settled_o      = !first_fetch && !second_fetch;
  assign empty_o        = wr_ptr_q == second_ptr_q && !second_valid_q;
  assign room_o         = (wr_ptr_q - first_ptr_q) <= (PtrWidth + 1)'(Depth - 2) &&
                          (wr_ptr_q - second_ptr_q) <= (PtrWidth + 1)'(Depth - 2);

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // An entry that is written has its place.
      a_room: assert (!wr_valid_i || ((wr_ptr_q - first_ptr_q) < (PtrWidth + 1)'(Depth) &&
                                      (wr_ptr_q - second_ptr_q) < (PtrWidth + 1)'(Depth)));
      // No reader is further than the writer, nor behind by more than the ring holds.
      a_order: assert ((wr_ptr_q - first_ptr_q) <= (PtrWidth + 1)'(Depth) &&
                       (wr_ptr_q - second_ptr_q) <= (PtrWidth + 1)'(Depth));
    end
  end
`endif

endmodule
