// SPDX-License-Identifier: Apache-2.0
//
// rx_lro_finish: describes a flow that is flushed as one frame. Combinational; frame_o is 0 without
// valid_i.
//
// A frame alone goes as it came. Several get, as Linux's GRO would give them, a virtio_net_hdr of TCP
// segmentation and new header fields:
//
//   IPv4 tot_len    the whole packet, and the header checksum changed by the difference (RFC 1624)
//   IPv6 payload_len
//   TCP flags       those of the first frame, with PSH and FIN of the last
//   TCP check       the sum of the pseudo header with the new length, not inverted: what
//                   VIRTIO_NET_HDR_F_NEEDS_CSUM asks for
//
//   tags_i   VLAN tags: 01 for one, 10 for two
//   len_i    bytes, all of it; hdr_len_i: of the headers; gso_size_i: of the first frame's payload
//   check_i, flags_i   IPv4 header checksum, and doff and flags, of the first frame
//   pseudo_i ones' complement sum of addresses and protocol
//   psh_i, fin_i   flags of the last frame

module rx_lro_finish (
  input  logic                          valid_i,
  input  logic [15:0]                   len_i,
  input  logic [15:0]                   count_i,
  input  logic [nic_pkg::SlotWidth-1:0] slot_i,
  input  logic [31:0]                   hash_i,
  input  logic [3:0]                    hash_report_i,
  input  logic                          ip6_i,
  input  logic [1:0]                    tags_i,
  input  logic [6:0]                    hdr_len_i,
  input  logic [15:0]                   gso_size_i,
  input  logic [15:0]                   pseudo_i,
  input  logic [15:0]                   check_i,
  input  logic [15:0]                   flags_i,
  input  logic                          psh_i,
  input  logic                          fin_i,
  output nic_pkg::rx_frame_t            frame_o
);

  logic [5:0]  l3;        // in halfwords
  logic [5:0]  l4;
  logic [15:0] tcp_len;   // header and payload
  logic [15:0] grown;     // payload behind the first frame's
  logic [16:0] check;
  logic [16:0] pseudo;

  always_comb begin
    l3      = '0;
    l4      = '0;
    tcp_len = '0;
    grown   = '0;
    check   = '0;
    pseudo  = '0;
    frame_o = '0;
    if (valid_i) begin
      l3      = 6'd7 + {3'd0, tags_i, 1'b0};
      l4      = l3 + (ip6_i ? 6'd20 : 6'd10);
      tcp_len = len_i - {9'd0, l4, 1'b0};
      grown   = len_i - 16'(hdr_len_i) - gso_size_i;
      check   = {1'b0, ~check_i} + {1'b0, grown};
      pseudo  = {1'b0, pseudo_i} + {1'b0, tcp_len};

      frame_o.len          = len_i;
      frame_o.count        = count_i;
      frame_o.slot         = slot_i;
      frame_o.hash         = hash_i;
      frame_o.hash_report  = hash_report_i;
      frame_o.csum_ok      = 1'b1;
      frame_o.gso          = count_i != 16'd1;
      frame_o.ip6          = ip6_i;
      frame_o.gso_size     = gso_size_i;
      frame_o.csum_start   = {l4, 1'b0};
      frame_o.hdr_len      = hdr_len_i;
      frame_o.patch0.place = l3 + (ip6_i ? 6'd2 : 6'd1);
      frame_o.patch0.value = ip6_i ? tcp_len : tcp_len + 16'd20;
      // IPv6 has no header checksum: the same once more.
      frame_o.patch1.place = l3 + (ip6_i ? 6'd2 : 6'd5);
      frame_o.patch1.value = ip6_i ? tcp_len : ~(check[15:0] + 16'(check[16]));
      frame_o.patch2.place = l4 + 6'd6;
      frame_o.patch2.value = flags_i | {12'd0, psh_i, 2'd0, fin_i};
      frame_o.patch3.place = l4 + 6'd8;
      frame_o.patch3.value = pseudo[15:0] + 16'(pseudo[16]);
    end
  end

endmodule
