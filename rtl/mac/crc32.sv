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
  localparam int unsigned Parts      = 11;             // of six bits each: 66 >= 64
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

  logic [31:0] old, linear;
  logic [63:0] x;

  assign old = first_i ? '1 : crc_o;

  if (Partial) begin : g_partial
    logic        late_q;   // moved_q is to be taken
    logic [63:0] moved_q;
    logic [31:0] rest_q;

    assign x = late_q ? moved_q : data_i ^ {32'd0, old};

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

    assign x = data_i ^ {32'd0, old};

    always_ff @(posedge clk_i) begin
      if (enable_i) crc_o <= linear;
    end
  end

  // What each six bits of x add.
  for (genvar t = 0; t < Parts; t++) begin : g_part
    localparam logic [191:0] Part = Columns[192*t +: 192];
    logic [5:0]  bits;
    logic [31:0] part;

    if (t == Parts - 1) begin : g_last
      assign bits = {2'd0, x[63:60]};
    end else begin : g_other
      assign bits = x[6*t +: 6];
    end

    if (Parities) begin : g_parities
      for (genvar b = 0; b < 32; b++) begin : g_bit
        assign part[b] = ^(bits & {Part[160 + b], Part[128 + b], Part[96 + b],
                                   Part[64 + b], Part[32 + b], Part[b]});
      end
    end else begin : g_table
      logic [31:0] rom [Entries];

      for (genvar e = 0; e < Entries; e++) begin : g_entry
        localparam logic [5:0] Bits = e;
        initial rom[e] = (Part[31:0]    & {32{Bits[0]}}) ^ (Part[63:32]   & {32{Bits[1]}})
                       ^ (Part[95:64]   & {32{Bits[2]}}) ^ (Part[127:96]  & {32{Bits[3]}})
                       ^ (Part[159:128] & {32{Bits[4]}}) ^ (Part[191:160] & {32{Bits[5]}});
      end

      assign part = rom[bits];
    end
  end

  assign linear = g_part[0].part ^ g_part[1].part ^ g_part[2].part ^ g_part[3].part
                ^ g_part[4].part ^ g_part[5].part ^ g_part[6].part ^ g_part[7].part
                ^ g_part[8].part ^ g_part[9].part ^ g_part[10].part;

endmodule
