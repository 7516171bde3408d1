// SPDX-License-Identifier: Apache-2.0
//
// rx_lro_match: compares the headers of a received frame with those that its flow began with, 8
// bytes a cycle, and keeps the fields that change.
//
//   step_i   word word_i of both headers is on head_i and flow_i, its first byte in 7:0. Words come
//            from 0 up.
//   same_o   they are equal, in the same cycle, but for the bytes behind the TCP header (payload_i) and
//            for what may differ (marked):
//
//       IPv4   ver ihl tos [tot_len] [id] frag_off ttl protocol [check] saddr daddr
//       IPv6   ver class flow [payload_len] nexthdr hop_limit saddr daddr
//       TCP    source dest [seq] ack_seq doff flags(but CWR, PSH, FIN) window [check] [urg_ptr] options
//
//   id_o, df_o, evil_o, check_o   identification, DF, reserved bit and header checksum of IPv4;
//            flags_o: doff and flags of TCP; all as numbers. They hold in the cycle of the frame's last
//            header word.
//
// Headers begin at l3_i, 14, 18 or 22, with neither IPv4 options nor IPv6 extension headers. A
// field is told by its halfword counted from l3_i.

module rx_lro_match (
  input  logic        clk_i,

  input  logic        step_i,
  input  logic [3:0]  word_i,
  input  logic [6:0]  l3_i,
  input  logic        ip6_i,
  input  logic [6:0]  payload_i,
  input  logic [63:0] head_i,
  input  logic [63:0] flow_i,

  output logic        same_o,
  output logic [15:0] id_o,
  output logic        df_o,
  output logic        evil_o,
  output logic [15:0] check_o,
  output logic [15:0] flags_o
);

  // CWR, PSH and FIN in the second byte of the flags' halfword.
  localparam logic [15:0] FlagsIgnored = 16'h8900;

  logic       phase;      // l3_i is 6 behind a word's begin, else 2
  logic [3:0] base;       // the word with the first byte of the IP header
  logic [3:0] from_base;
  logic       last;

  assign phase     = l3_i[2];
  assign base      = {3'd0, l3_i[4]} + 4'd1;
  assign from_base = word_i - base;
  assign last      = word_i == 4'((payload_i - 1'b1) >> 3);

  logic [5:0]  field;  // halfwords from l3_i on
  logic [63:0] mask;

  always_comb begin
    field  = '0;
    mask   = '1;
    same_o = 1'b1;
    if (step_i) begin
      for (int unsigned j = 0; j < 4; j++) begin
        field = {from_base, 2'(j)} - (phase ? 6'd3 : 6'd1);
        if (ip6_i) begin
          if (field == 6'd2 || field == 6'd22 || field == 6'd23 ||
              field == 6'd28 || field == 6'd29) begin
            mask[16*j +: 16] = 16'h0000;
          end
          if (field == 6'd26) mask[16*j +: 16] = ~FlagsIgnored;
        end else begin
          if (field == 6'd1 || field == 6'd2 || field == 6'd5 || field == 6'd12 ||
              field == 6'd13 || field == 6'd18 || field == 6'd19) begin
            mask[16*j +: 16] = 16'h0000;
          end
          if (field == 6'd16) mask[16*j +: 16] = ~FlagsIgnored;
        end
        if (last && payload_i[2:1] != 2'd0 && 2'(j) >= payload_i[2:1]) begin
          mask[16*j +: 16] = 16'h0000;
        end
      end
      same_o = ((head_i ^ flow_i) & mask) == '0;
    end
  end

  logic [15:0] half_id, half_check, half_flags;

  assign half_id    = phase ? head_i[31:16] : head_i[63:48];
  assign half_check = phase ? head_i[15:0] : head_i[47:32];
  assign half_flags = (phase != ip6_i) ? head_i[63:48] : head_i[31:16];

  always_ff @(posedge clk_i) begin
    if (step_i) begin
      if (from_base == {3'd0, phase}) begin
        id_o <= {half_id[7:0], half_id[15:8]};
      end
      if (from_base == 4'd1) begin
        {evil_o, df_o} <= phase ? head_i[39:38] : head_i[7:6];
      end
      if (from_base == 4'd1 + {3'd0, phase}) begin
        check_o <= {half_check[7:0], half_check[15:8]};
      end
      if (from_base == (ip6_i ? 4'd6 + {3'd0, phase} : 4'd4)) begin
        flags_o <= {half_flags[7:0], half_flags[15:8]};
      end
    end
  end

  logic unused_bits;
  assign unused_bits = ^{l3_i[6:5], l3_i[3], l3_i[1:0], payload_i[0]};

endmodule
