// SPDX-License-Identifier: Apache-2.0
//
// tx_template: the headers of a super-frame, from which those of its segments are made.
//
//   word       we_i writes a whole word.
//   halfword   patch_i replaces the two bytes at 2 * patch_place_i, the first in patch_value_i[15:8].
//              Not together with we_i.
//   read       data_o is the word at addr_i in the same cycle, as long as read_i is high; it is
//              anything otherwise.
//
//     halfword      3    2    1    0     (WordBytes = 8)
//     word 0     [ .. | .. | .. | .. ]
//     word 1     [place 7|.| .. | .. ]
//
// Parameters:
//   WordBytes   bytes in a word, 2 or more
//   Bytes       longest headers

module tx_template #(
  parameter int unsigned WordBytes = 2,
  parameter int unsigned Bytes = 256,
  localparam int unsigned AddrWidth = $clog2(Bytes / WordBytes),
  localparam int unsigned PlaceWidth = $clog2(Bytes / 2)
) (
  input  logic                   clk_i,

  input  logic                   we_i,
  input  logic [AddrWidth-1:0]   waddr_i,
  input  logic [8*WordBytes-1:0] wdata_i,

  input  logic                   patch_i,
  input  logic [PlaceWidth-1:0]  patch_place_i,
  input  logic [15:0]            patch_value_i,

  input  logic                   read_i,
  input  logic [AddrWidth-1:0]   addr_i,
  output logic [8*WordBytes-1:0] data_o
);

  localparam int unsigned Banks = WordBytes / 2;
  localparam int unsigned BankWidth = $clog2(Banks);

  logic                 write;
  logic [AddrWidth-1:0] addr;

  assign write = we_i || patch_i;
  assign addr  = we_i ? waddr_i : patch_place_i[PlaceWidth-1:BankWidth];

  for (genvar b = 0; b < Banks; b++) begin : g_bank
    (* ram_style = "distributed" *)
    logic [15:0] mem [Bytes / WordBytes];
    logic        patched;

    if (Banks == 1) begin : g_only
      assign patched = 1'b1;
    end else begin : g_one_of
      assign patched = patch_place_i[BankWidth-1:0] == BankWidth'(b);
    end

    always_ff @(posedge clk_i) begin
      if (write && (we_i || patched)) begin
        mem[addr] <= we_i ? wdata_i[16*b +: 16] : {patch_value_i[7:0], patch_value_i[15:8]};
      end
    end

    assign data_o[16*b +: 16] = read_i ? mem[addr_i] : 'x;
  end

endmodule
