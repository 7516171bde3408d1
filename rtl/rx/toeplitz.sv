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

  logic [63:0] bits;

  assign read = key[start_i ? 4'd0 : next_q];
  assign bits = {held_q, read};

  // What three bits of input add, the first of them in three[2], and `from` its place in the key.
  function automatic logic [31:0] added(input logic [33:0] from, input logic [2:0] three);
    added = (from[33:2] & {32{three[2]}}) ^ (from[32:1] & {32{three[1]}}) ^
            (from[31:0] & {32{three[0]}});
  endfunction

  // Three bits with their key bits are what one LUT takes; `keep` holds synthesis to that.
  (* keep *) logic [31:0] add_0;
  (* keep *) logic [31:0] add_1;
  (* keep *) logic [31:0] add_2;
  (* keep *) logic [31:0] add_3;
  (* keep *) logic [31:0] add_4;
  (* keep *) logic [31:0] add_5;
  (* keep *) logic [31:0] add_6;
  (* keep *) logic [31:0] add_7;
  (* keep *) logic [31:0] add_8;
  (* keep *) logic [31:0] add_9;
  (* keep *) logic [31:0] add_10;
  (* keep *) logic [31:0] high;
  (* keep *) logic [31:0] low;

  always_comb begin
    add_0  = 'x;
    add_1  = 'x;
    add_2  = 'x;
    add_3  = 'x;
    add_4  = 'x;
    add_5  = 'x;
    add_6  = 'x;
    add_7  = 'x;
    add_8  = 'x;
    add_9  = 'x;
    add_10 = 'x;
    if (step_i) begin
      add_0  = added(bits[63:30], word_i[31:29]);
      add_1  = added(bits[60:27], word_i[28:26]);
      add_2  = added(bits[57:24], word_i[25:23]);
      add_3  = added(bits[54:21], word_i[22:20]);
      add_4  = added(bits[51:18], word_i[19:17]);
      add_5  = added(bits[48:15], word_i[16:14]);
      add_6  = added(bits[45:12], word_i[13:11]);
      add_7  = added(bits[42:9], word_i[10:8]);
      add_8  = added(bits[39:6], word_i[7:5]);
      add_9  = added(bits[36:3], word_i[4:2]);
      add_10 = added(bits[33:0], {word_i[1:0], 1'b0});
    end
  end

  always_comb begin
    high = 'x;
    low  = 'x;
    if (step_i) begin
      high = add_0 ^ add_1 ^ add_2 ^ add_3 ^ add_4 ^ add_5;
      low  = add_6 ^ add_7 ^ add_8 ^ add_9 ^ add_10;
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
