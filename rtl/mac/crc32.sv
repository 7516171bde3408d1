// SPDX-License-Identifier: Apache-2.0
//
// crc32: the Ethernet frame check sequence (IEEE 802.3, 3.2.9), eight octets a cycle.
//
//   enable_i   takes octets_i octets (1 to 8) of data_i, lane 0 first, into the CRC. The lanes from
//              octets_i up do not matter.
//   first_i    with enable_i: these are the first octets of a frame (the CRC starts from all ones).
//   crc_o      the CRC register, reflected and not complemented: from the next cycle on after eight
//              octets, a cycle later after fewer, without enable_i in between. The FCS to send is
//              ~crc_o, its octet 0 first.
//
// The CRC of eight octets is linear in x = data ^ crc. Fewer than eight octets, n, go the same way:
// moved to the top of x, their lower end finds zeros, and what is left of the old CRC above them
// comes back shifted. The move takes a cycle of its own, as logic that moves in front of logic that
// sums would grow to a multiple of both.
//
//            63                      0
//      x   = |  d[n-1] ... d[0]  | 0 |      crc' = linear(x) ^ (crc >> 8n)
//
// Parameters:
//   Partial    0: octets_i does not count, all eight are taken
//   Parities   how x is taken: 1, each bit of the CRC as the parity of some bits of x, which is little
//              logic; 0, as the exclusive or of eleven tables, one for six bits of x each, which is
//              eleven loads in simulation and a tenth of the time. The same function: a test tries all of it.

module crc32 #(
  parameter bit Partial = 1'b1,
`ifdef SYNTHESIS
  parameter bit Parities = 1'b1
`else
  parameter bit Parities = 1'b0
`endif
) (
  input  logic        clk_i,
  input  logic        rst_i,

  input  logic        enable_i,
  input  logic        first_i,
  input  logic [63:0] data_i,
  input  logic [3:0]  octets_i,

  output logic [31:0] crc_o
);

  localparam logic [31:0] Polynomial = 32'hEDB8_8320;  // reflected
  localparam int unsigned Tables     = 11;             // of six bits each: 66 >= 64
  localparam int unsigned Entries    = 64;

  // The CRC after eight octets of which only bit i is not zero, for every i; zero beyond bit 63.
  function automatic logic [32*66-1:0] columns_of(input logic [31:0] polynomial);
    logic [31:0] column;
    columns_of = '0;
    column     = polynomial;
    for (int i = 63; i >= 0; i--) begin
      columns_of[32*i +: 32] = column;
      column = (column >> 1) ^ (column[0] ? polynomial : 32'd0);
    end
  endfunction

  localparam logic [32*66-1:0] Columns = columns_of(Polynomial);

  logic        takes;        // linear counts
  logic [31:0] old, linear;
  logic [63:0] x;

  assign old = first_i ? '1 : crc_o;

  if (Partial) begin : g_partial
    logic        late_q;   // moved_q is to be taken
    logic [63:0] moved_q;
    logic [31:0] rest_q;

    assign takes = late_q || (enable_i && octets_i[3]);
    assign x     = late_q ? moved_q : data_i ^ {32'd0, old};

    always_ff @(posedge clk_i) begin
      if (late_q) begin
        crc_o  <= linear ^ rest_q;
        late_q <= 1'b0;
      end else if (enable_i) begin
        late_q <= !octets_i[3];
        if (octets_i[3]) begin
          crc_o   <= linear;
        end else begin
          moved_q <= (data_i ^ {32'd0, old}) << {3'd0 - octets_i[2:0], 3'd0};
          rest_q  <= old >> {octets_i[2:0], 3'd0};
        end
      end
      if (rst_i) late_q <= 1'b0;
    end

`ifndef SYNTHESIS
    logic was_reset_q;

    always_ff @(posedge clk_i) begin
      was_reset_q <= rst_i;
      // Fewer than eight octets have a cycle for themselves behind them.
      a_alone: assert (rst_i || was_reset_q || !(late_q && enable_i));
    end
`endif
  end else begin : g_whole
    logic unused_bits;
    assign unused_bits = ^{octets_i, rst_i};

    assign takes = enable_i;
    assign x     = data_i ^ {32'd0, old};

    always_ff @(posedge clk_i) begin
      if (enable_i) crc_o <= linear;
    end
  end

  // In simulation nothing is looked up in cycles in which nothing is taken.
  if (Parities) begin : g_parities
    logic unused_bits;
    assign unused_bits = takes;

    for (genvar b = 0; b < 32; b++) begin : g_bit
      logic [63:0] taken;

      for (genvar i = 0; i < 64; i++) begin : g_input
        assign taken[i] = x[i] && Columns[32*i + b];
      end
      assign linear[b] = ^taken;
    end
  end else begin : g_tables
    logic [31:0] rom [Tables*Entries];

    initial begin
      for (int unsigned i = 0; i < Tables; i++) begin
        for (int unsigned e = 0; e < Entries; e++) begin
          rom[i*Entries + e] = (Columns[192*i       +: 32] & {32{e[0]}})
                             ^ (Columns[192*i +  32 +: 32] & {32{e[1]}})
                             ^ (Columns[192*i +  64 +: 32] & {32{e[2]}})
                             ^ (Columns[192*i +  96 +: 32] & {32{e[3]}})
                             ^ (Columns[192*i + 128 +: 32] & {32{e[4]}})
                             ^ (Columns[192*i + 160 +: 32] & {32{e[5]}});
        end
      end
    end

    always_comb begin
      linear = '0;
      if (takes) begin
        linear = rom[{4'd0, x[5:0]}]   ^ rom[{4'd1, x[11:6]}]  ^ rom[{4'd2, x[17:12]}]
               ^ rom[{4'd3, x[23:18]}] ^ rom[{4'd4, x[29:24]}] ^ rom[{4'd5, x[35:30]}]
               ^ rom[{4'd6, x[41:36]}] ^ rom[{4'd7, x[47:42]}] ^ rom[{4'd8, x[53:48]}]
               ^ rom[{4'd9, x[59:54]}] ^ rom[{4'd10, 2'd0, x[63:60]}];
      end
    end
  end

endmodule
