// SPDX-License-Identifier: Apache-2.0
//
// toeplitz: the Toeplitz hash (virtio 1.2, 5.1.6.4.3; RSS), 32 bits of input a cycle.
//
//   start_i   begins a hash: hash_o is 0 and the key's first word is at hand in the next cycle
//   step_i    takes word_i, its first bit in bit 31; not together with start_i. At most nine words
//             follow a start, the 36 bytes of two IPv6 addresses and two ports.
//   hash_o    over the words so far, from the next cycle on
//   key_i     a write of four key bytes into one of ten words. Until the last word has been written
//             the key is all zeros, and so is every hash; forget_i brings that state back.
//   idle      nothing changes without start_i, step_i, a write or forget_i
//
// Every set bit of the input adds the 32 key bits that begin at its own place:
//
//     key     [ word k            | word k + 1        ]
//     bit 31  [ ................. ]
//     bit 30    [ ................. ]
//     bit 0                       [ ................. ]

module toeplitz (
  input  logic                clk_i,
  input  logic                forget_i,

  input  nic_pkg::rx_table_t  key_i,

  input  logic                start_i,
  input  logic                step_i,
  input  logic [31:0]         word_i,
  output logic [31:0]         hash_o
);

  localparam int unsigned KeyWords = 10;

  logic [31:0] key [16];
  logic [31:0] held_q;   // word k
  logic [3:0]  next_q;   // k + 1
  logic        keyed_q;
  logic [31:0] read;

  logic write;
  logic unused_key;

  assign write      = key_i.select == nic_pkg::TableKey;
  assign unused_key = ^{key_i.addr[6:4], key_i.data[48:32]};

  always_ff @(posedge clk_i) begin
    if (write) begin
      key[key_i.addr[3:0]] <= key_i.data[31:0];
    end
  end

  always_ff @(posedge clk_i) begin
    if (forget_i) begin
      keyed_q <= 1'b0;
    end else if (write && key_i.addr[3:0] == 4'(KeyWords - 1)) begin
      keyed_q <= 1'b1;
    end
  end

  // Three bits with their key bits are what one LUT takes; `keep` holds synthesis to that.
  (* keep *)
  logic [11*32-1:0] threes;
  (* keep *)
  logic [31:0]      high;
  (* keep *)
  logic [31:0]      low;
  logic [63:0]      bits;

  assign read = key[start_i ? 4'd0 : next_q];

  always_comb begin
    bits   = 'x;
    threes = 'x;
    if (step_i) begin
      bits = {held_q, read};
      for (int unsigned i = 0; i < 10; i++) begin
        threes[32*i +: 32] = (bits[3*i + 1 +: 32] & {32{word_i[3*i]}}) ^
                             (bits[3*i + 2 +: 32] & {32{word_i[3*i + 1]}}) ^
                             (bits[3*i + 3 +: 32] & {32{word_i[3*i + 2]}});
      end
      threes[320 +: 32] = (bits[31 +: 32] & {32{word_i[30]}}) ^
                          (bits[32 +: 32] & {32{word_i[31]}});
    end
  end

  always_comb begin
    high = 'x;
    low  = 'x;
    if (step_i) begin
      high = threes[192 +: 32] ^ threes[224 +: 32] ^ threes[256 +: 32] ^ threes[288 +: 32] ^
             threes[320 +: 32];
      low  = threes[0 +: 32] ^ threes[32 +: 32] ^ threes[64 +: 32] ^ threes[96 +: 32] ^
             threes[128 +: 32] ^ threes[160 +: 32];
    end
  end

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      hash_o <= '0;
      held_q <= read;
      next_q <= 4'd1;
    end else if (step_i) begin
      if (keyed_q) begin
        hash_o <= hash_o ^ high ^ low;
      end
      held_q <= read;
      next_q <= next_q + 4'd1;
    end
  end

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!forget_i) begin
      // A word has no place in the hash while another one begins.
      a_one: assert (!(start_i && step_i));
    end
  end
`endif

endmodule
