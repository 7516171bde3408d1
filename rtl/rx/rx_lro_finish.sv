// SPDX-License-Identifier: Apache-2.0
//
// rx_lro_finish: makes the header fields that several frames get as one, those that Linux's GRO would
// give them:
//
//   IPv4 tot_len    the whole packet; and the header checksum, changed by the difference (RFC 1624)
//   IPv6 payload_len
//   TCP flags       those of the first frame, with PSH and FIN of the last
//   TCP check       the sum of the pseudo header with the new length, not inverted: what
//                   VIRTIO_NET_HDR_F_NEEDS_CSUM asks for
//
//   run_i    one step of the work. All inputs stay until done_o, which comes with the last step; from
//            the next cycle on patch*_o are the fields, until the work begins anew. patch1_o has no
//            meaning with IPv6.
//   len_i    bytes of the frame, hdr_len_i: of its headers, gso_size_i: of the first one's payload
//   tags_i   VLAN tags: 01 for one, 10 for two
//   check_i, flags_i   IPv4 header checksum, and doff and flags, of the first frame
//   pseudo_i ones' complement sum of addresses and protocol
//   psh_i, fin_i   flags of the last frame
//
// Everything is ones' complement sums, one addition a cycle; a step that adds nothing takes the carry
// in. With l3, l4 the places of the headers, and -x the complement of x:
//
//   step        0      1      2      3      4      5      6      7      8      9      10
//   IPv4       len    -l3    tot    -20  pseudo  check   len  -hdr_len -gso  -check  check
//   IPv6       len    -l4    len     0   pseudo  check

module rx_lro_finish (
  input  logic            clk_i,
  input  logic            rst_i,

  input  logic            run_i,
  output logic            done_o,

  input  logic [15:0]     len_i,
  input  logic            ip6_i,
  input  logic [1:0]      tags_i,
  input  logic [6:0]      hdr_len_i,
  input  logic [15:0]     gso_size_i,
  input  logic [15:0]     pseudo_i,
  input  logic [15:0]     check_i,
  input  logic [15:0]     flags_i,
  input  logic            psh_i,
  input  logic            fin_i,

  output nic_pkg::patch_t patch0_o,
  output nic_pkg::patch_t patch1_o,
  output nic_pkg::patch_t patch2_o,
  output nic_pkg::patch_t patch3_o,
  output logic [6:0]      csum_start_o
);

  logic [3:0]  step_q;
  logic [15:0] acc_q;
  logic        carry_q;

  assign done_o = run_i && step_q == (ip6_i ? 4'd5 : 4'd10);

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      step_q <= '0;
    end else if (run_i) begin : p_step
      logic [5:0]  l3;   // in halfwords
      logic [5:0]  l4;
      logic [15:0] addend;
      logic        load;
      logic [16:0] sum;

      l3   = 6'd7 + {3'd0, tags_i, 1'b0};
      l4   = l3 + (ip6_i ? 6'd20 : 6'd10);
      load = step_q == 4'd0 || step_q == 4'd6;
      case (step_q)
        4'd0, 4'd6: addend = len_i;
        4'd1:       addend = ~{9'd0, ip6_i ? l4 : l3, 1'b0};
        4'd3:       addend = ip6_i ? 16'd0 : ~16'd20;
        4'd4:       addend = pseudo_i;
        4'd7:       addend = ~{9'd0, hdr_len_i};
        4'd8:       addend = ~gso_size_i;
        4'd9:       addend = ~check_i;
        default:    addend = '0;
      endcase
      sum = {1'b0, load ? 16'd0 : acc_q} + {1'b0, addend} + 17'(!load && carry_q);

      step_q           <= done_o ? '0 : step_q + 1'b1;
      {carry_q, acc_q} <= sum;
      case (step_q)
        4'd2:    patch0_o.value <= sum[15:0];
        4'd5:    patch3_o.value <= sum[15:0];
        4'd10:   patch1_o.value <= ~sum[15:0];
        default: patch2_o.value <= flags_i | {12'd0, psh_i, 2'd0, fin_i};
      endcase
      patch0_o.place <= l3 + (ip6_i ? 6'd2 : 6'd1);
      patch1_o.place <= l3 + 6'd5;
      patch2_o.place <= l4 + 6'd6;
      patch3_o.place <= l4 + 6'd8;
      csum_start_o   <= {l4, 1'b0};
    end
  end

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // The last addition of a sum leaves no carry.
      a_carry: assert (!carry_q || !(step_q == 4'd3 || step_q == 4'd6));
    end
  end
`endif

endmodule
