// SPDX-License-Identifier: Apache-2.0
//
// crc32: the Ethernet frame check sequence (IEEE 802.3, 3.2.9), eight octets a cycle.
//
//   enable_i   takes octets_i octets (1 to 8) of data_i, lane 0 first, into the CRC. The lanes from
//              octets_i up do not matter.
//   first_i    with enable_i: these are the first octets of a frame (the CRC starts from all ones).
//   crc_o      the CRC register, reflected and not complemented, from the next cycle on. The FCS to
//              send is ~crc_o, its octet 0 first. After a good frame with its FCS, crc_o is Residue.
//
// The CRC of eight octets is linear in x = data ^ crc: the exclusive or of eleven tables, one for
// six bits of x each (one LUT6 a bit in an FPGA, eleven loads in simulation). Fewer than eight
// octets, n, go through the same tables: moved to the top of x, their lower end finds zeros, and
// what is left of the old CRC above them comes back shifted.
//
//            63                      0
//      x   = |  d[n-1] ... d[0]  | 0 |      crc' = tables(x) ^ (crc >> 8n)

module crc32 (
  input  logic        clk_i,

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

  logic [31:0] rom [Tables*Entries];

  for (genvar t = 0; t < Tables; t++) begin : g_table
    for (genvar e = 0; e < Entries; e++) begin : g_entry
      localparam logic [5:0]   Bits = e;
      localparam logic [191:0] Part = Columns[192*t +: 192];
      initial rom[t*Entries + e] = (Part[31:0]    & {32{Bits[0]}}) ^ (Part[63:32]   & {32{Bits[1]}})
                                 ^ (Part[95:64]   & {32{Bits[2]}}) ^ (Part[127:96]  & {32{Bits[3]}})
                                 ^ (Part[159:128] & {32{Bits[4]}}) ^ (Part[191:160] & {32{Bits[5]}});
    end
  end

  function automatic logic [31:0] next_crc(input logic [31:0] crc, input logic [63:0] data,
                                           input logic [3:0] octets);
    logic [63:0] x;
    logic [31:0] rest;
    x    = data ^ {32'd0, crc};
    rest = '0;
    if (!octets[3]) begin
      x    = x << {3'd0 - octets[2:0], 3'd0};
      rest = crc >> {octets[2:0], 3'd0};
    end
    next_crc = rest
        ^ rom[{4'd0, x[5:0]}]   ^ rom[{4'd1, x[11:6]}]  ^ rom[{4'd2, x[17:12]}]
        ^ rom[{4'd3, x[23:18]}] ^ rom[{4'd4, x[29:24]}] ^ rom[{4'd5, x[35:30]}]
        ^ rom[{4'd6, x[41:36]}] ^ rom[{4'd7, x[47:42]}] ^ rom[{4'd8, x[53:48]}]
        ^ rom[{4'd9, x[59:54]}] ^ rom[{4'd10, 2'd0, x[63:60]}];
  endfunction

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      crc_o <= next_crc(first_i ? '1 : crc_o, data_i, octets_i);
    end
  end

endmodule
