// SPDX-License-Identifier: Apache-2.0
//
// tx_gso: reads the headers of a super-frame, and makes those of each segment of them.
//
//   start_i   the virtio header's fields hold from now on, and the template (tx_template) has the
//             frame's bytes up to the transport header, with 20 bytes of TCP's or all of UDP's. Some
//             cycles later either bad_o pulses (the headers are not what gso_type says, or a segment
//             would be longer than MaxFrame) or parsed_o: hdr_len_o holds.
//   next_i    the template has all headers (the first time), or those of the segment before are not
//             needed any more; when ready_o rises the headers of the next segment stand in the
//             template, with seg_payload_o bytes to follow, seg_last_o on the last one. It stays
//             until next_i or start_i.
//   tread_*   reads of the template; tread_data_i comes in the same cycle
//   patch_*   writes to the template
//   busy_o    at work
//
// What changes from segment to segment:
//
//     IPv4   total length | identification, one more each | header checksum
//     IPv6   payload length
//     TCP    sequence number | FIN and PSH on the last alone, CWR on the first | check
//     UDP    length | check
//
// The check field of a super-frame holds the sum over the pseudo-header, with the length of all of it
// (virtio 1.2, 5.1.6.2; the driver's duty); that of a segment has the segment's length in it. The
// transport checksum proper is put in behind (tx_sum). The IPv4 checksum is made anew.
//
// Parameters:
//   AxiBytes   bytes in a template word
//   Bytes      longest headers
//   MaxFrame   longest frame, without FCS

module tx_gso #(
  parameter int unsigned AxiBytes = 16,
  parameter int unsigned Bytes = 256,
  parameter int unsigned MaxFrame = 9022,
  localparam int unsigned LenWidth = nic_pkg::LenWidth,
  localparam int unsigned AddrWidth = $clog2(Bytes / AxiBytes),
  localparam int unsigned PlaceWidth = $clog2(Bytes / 2)
) (
  input  logic                  clk_i,
  input  logic                  rst_i,
  output logic                  busy_o,

  input  logic                  start_i,
  input  logic [7:0]            gso_i,          // gso_type, without ECN
  input  logic [15:0]           gso_size_i,
  input  logic [PlaceWidth-1:0] csum_start_i,   // in halfwords
  input  logic [LenWidth-1:0]   len_i,          // of the super-frame
  output logic                  bad_o,
  output logic                  parsed_o,
  output logic [PlaceWidth:0]   hdr_len_o,      // in halfwords

  input  logic                  next_i,
  output logic                  ready_o,
  output logic [15:0]           seg_payload_o,
  output logic                  seg_last_o,

  output logic                  tread_o,
  output logic [AddrWidth-1:0]  tread_addr_o,
  input  logic [8*AxiBytes-1:0] tread_data_i,
  output logic                  patch_o,
  output logic [PlaceWidth-1:0] patch_place_o,
  output logic [15:0]           patch_value_o
);

  localparam int unsigned BankWidth = $clog2(AxiBytes / 2);

  // Places of fields in halfwords, from the start of their header.
  localparam int unsigned EthType   = 6;
  localparam int unsigned Ip4Len    = 1;
  localparam int unsigned Ip4Id     = 2;
  localparam int unsigned Ip4Proto  = 4;
  localparam int unsigned Ip4Check  = 5;
  localparam int unsigned Ip6Len    = 2;
  localparam int unsigned Ip6Words  = 20;
  localparam int unsigned TcpSeq    = 2;
  localparam int unsigned TcpFlags  = 6;
  localparam int unsigned TcpCheck  = 8;
  localparam int unsigned UdpLen    = 2;
  localparam int unsigned UdpCheck  = 3;
  localparam int unsigned UdpWords  = 4;

  localparam logic [15:0] FlagFin = 16'h0001;
  localparam logic [15:0] FlagPsh = 16'h0008;
  localparam logic [15:0] FlagCwr = 16'h0080;

  localparam logic [4:0] Idle    = 5'd0;
  // Reading
  localparam logic [4:0] Type    = 5'd1;   // Ethernet type, VLAN tags skipped
  localparam logic [4:0] Version = 5'd2;
  localparam logic [4:0] Ip4     = 5'd3;   // the rest of the IPv4 header is summed
  localparam logic [4:0] SeqHigh = 5'd4;
  localparam logic [4:0] SeqLow  = 5'd5;
  localparam logic [4:0] Flags   = 5'd6;
  localparam logic [4:0] Check   = 5'd7;
  localparam logic [4:0] Length  = 5'd8;   // the check field without the length of the whole
  localparam logic [4:0] Judge   = 5'd9;
  // Writing
  localparam logic [4:0] Wait    = 5'd10;
  localparam logic [4:0] Part    = 5'd11;  // how much goes into this segment
  localparam logic [4:0] PutLen  = 5'd12;
  localparam logic [4:0] PutId   = 5'd13;
  localparam logic [4:0] AddId   = 5'd14;
  localparam logic [4:0] PutSum  = 5'd15;
  localparam logic [4:0] PutHigh = 5'd16;  // sequence number, or UDP length
  localparam logic [4:0] PutLow  = 5'd17;
  localparam logic [4:0] PutFlag = 5'd18;
  localparam logic [4:0] PutTcp  = 5'd19;
  localparam logic [4:0] Ready   = 5'd20;

  logic [4:0]            state_q;
  logic [PlaceWidth-1:0] place_q;    // halfword that is read
  logic [PlaceWidth-1:0] l3_q;       // IP header
  logic                  ip6_q;
  logic                  udp;
  logic [15:0]           acc_q;
  logic [15:0]           ip_sum_q;   // of the IPv4 header, but for what changes
  logic [15:0]           ip_base_q;  // the IP length field, without payload
  logic [15:0]           check_q;    // the check field, without the payload's length
  logic [15:0]           id_q;
  logic [31:0]           seq_q;
  logic [15:0]           flags_q;
  logic                  first_q;
  logic [PlaceWidth:0]   hdr_len_q;
  logic [LenWidth-1:0]   left_q;     // payload not yet given to a segment
  logic [15:0]           part_q;     // payload of the segment
  logic                  last_q;

  assign udp = gso_i == virtio_pkg::NetHdrGsoUdpL4;

  ////////////////////
  // Read           //
  ////////////////////

  logic [15:0]           value;      // the halfword at place_q
  logic [PlaceWidth-1:0] offset;     // place_q in the IP header
  logic [PlaceWidth:0]   ip4_end;    // where the IPv4 header ends by its own length
  logic [PlaceWidth:0]   ip6_end;

  assign tread_o      = state_q != Idle && state_q <= Check;
  assign tread_addr_o = place_q[PlaceWidth-1:BankWidth];

  always_comb begin
    value   = '0;
    offset  = '0;
    ip4_end = '0;
    ip6_end = '0;
    if (tread_o) begin
      value   = {tread_data_i[16*place_q[BankWidth-1:0] +: 8],
                 tread_data_i[16*place_q[BankWidth-1:0] + 8 +: 8]};
      offset  = place_q - l3_q;
      ip4_end = {1'b0, l3_q} + (PlaceWidth + 1)'({value[11:8], 1'b0});
      ip6_end = {1'b0, l3_q} + (PlaceWidth + 1)'(Ip6Words);
    end
  end

  // Sums in ones' complement.
  logic [15:0] add_a;
  logic [15:0] add_b;
  logic [16:0] add_carry;
  logic [15:0] add;

  always_comb begin
    add_a = acc_q;
    add_b = value;
    case (state_q)
      Length: begin
        add_a = check_q;
        add_b = ~(len_i[15:0] - 16'({csum_start_i, 1'b0}));
      end
      Judge: begin
        add_a = acc_q;
        add_b = 16'({hdr_len_q, 1'b0}) - 16'({csum_start_i, 1'b0});
      end
      PutLen: begin
        add_a = ip_base_q;
        add_b = part_q;
      end
      PutId: begin
        add_a = acc_q;
        add_b = ip_sum_q;
      end
      AddId: begin
        add_a = acc_q;
        add_b = id_q;
      end
      PutHigh: begin
        add_a = 16'(2 * UdpWords);
        add_b = part_q;
      end
      PutTcp: begin
        add_a = check_q;
        add_b = part_q;
      end
      default: ;
    endcase
    add_carry = {1'b0, add_a} + {1'b0, add_b};
    add       = add_carry[15:0] + 16'(add_carry[16]);
  end

  ////////////////////
  // Steps          //
  ////////////////////

  logic                  known;      // the Ethernet type is one of IP
  logic                  vlan_tag;
  logic [LenWidth-1:0]   hdr_bytes;
  logic [15:0]           most;       // payload of the longest segment
  logic                  fits;

  assign known     = value == 16'h0800 || value == 16'h86dd;
  assign vlan_tag    = value == 16'h8100 || value == 16'h88a8;
  assign hdr_bytes = LenWidth'({hdr_len_q, 1'b0});
  assign most      = left_q < LenWidth'(gso_size_i) ? left_q[15:0] : gso_size_i;
  assign fits      = LenWidth'(most) + hdr_bytes <= LenWidth'(MaxFrame);

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      state_q  <= Idle;
      bad_o    <= 1'b0;
      parsed_o <= 1'b0;
    end else begin
      bad_o    <= 1'b0;
      parsed_o <= 1'b0;
      case (state_q)
        Idle: if (start_i) begin
          state_q <= Type;
          place_q <= PlaceWidth'(EthType);
          first_q <= 1'b1;
        end
        Type: begin
          l3_q    <= place_q + 1'b1;
          ip6_q   <= value == 16'h86dd;
          place_q <= place_q + (vlan_tag ? PlaceWidth'(2) : PlaceWidth'(1));
          state_q <= vlan_tag ? Type : Version;
          if ((!known && !vlan_tag) || place_q >= csum_start_i) begin
            bad_o   <= 1'b1;
            state_q <= Idle;
          end
        end
        Version: begin
          acc_q   <= value;
          place_q <= place_q + 1'b1;
          state_q <= Ip4;
          if (ip6_q) begin
            place_q <= csum_start_i + (udp ? PlaceWidth'(UdpCheck) : PlaceWidth'(TcpSeq));
            state_q <= udp ? Check : SeqHigh;
            if (value[15:12] != 4'd6 || ip6_end > {1'b0, csum_start_i} ||
                gso_i == virtio_pkg::NetHdrGsoTcpV4) begin
              bad_o   <= 1'b1;
              state_q <= Idle;
            end
          end else if (value[15:12] != 4'd4 || value[11:8] < 4'd5 ||
                       ip4_end != {1'b0, csum_start_i} ||
                       gso_i == virtio_pkg::NetHdrGsoTcpV6) begin
            bad_o   <= 1'b1;
            state_q <= Idle;
          end
        end
        Ip4: begin
          place_q <= place_q + 1'b1;
          if (offset == PlaceWidth'(Ip4Id)) begin
            id_q <= value;
          end else if (offset != PlaceWidth'(Ip4Len) && offset != PlaceWidth'(Ip4Check)) begin
            acc_q <= add;
          end
          if (place_q + 1'b1 == csum_start_i) begin
            ip_sum_q <= add;
            place_q  <= csum_start_i + (udp ? PlaceWidth'(UdpCheck) : PlaceWidth'(TcpSeq));
            state_q  <= udp ? Check : SeqHigh;
          end
          if (offset == PlaceWidth'(Ip4Proto) && value[7:0] != (udp ? 8'd17 : 8'd6)) begin
            bad_o   <= 1'b1;
            state_q <= Idle;
          end
        end
        SeqHigh: begin
          seq_q[31:16] <= value;
          place_q      <= place_q + 1'b1;
          state_q      <= SeqLow;
        end
        SeqLow: begin
          seq_q[15:0] <= value;
          place_q     <= csum_start_i + PlaceWidth'(TcpFlags);
          state_q     <= Flags;
        end
        Flags: begin
          flags_q <= value;
          place_q <= csum_start_i + PlaceWidth'(TcpCheck);
          state_q <= Check;
        end
        Check: begin
          check_q   <= value;
          hdr_len_q <= {1'b0, csum_start_i} +
                       (udp ? (PlaceWidth + 1)'(UdpWords)
                            : (PlaceWidth + 1)'({flags_q[15:12], 1'b0}));
          state_q   <= Length;
        end
        Length: begin
          acc_q     <= add;
          ip_base_q <= 16'({hdr_len_q, 1'b0}) -
                       16'({8'(l3_q) + (ip6_q ? 8'(Ip6Words) : 8'd0), 1'b0});
          left_q    <= len_i - hdr_bytes;
          state_q   <= Judge;
        end
        Judge: begin
          check_q  <= add;
          parsed_o <= 1'b1;
          state_q  <= Wait;
          if (hdr_bytes >= len_i || hdr_bytes >= LenWidth'(Bytes) || !fits ||
              (!udp && flags_q[15:12] < 4'd5)) begin
            parsed_o <= 1'b0;
            bad_o    <= 1'b1;
            state_q  <= Idle;
          end
        end
        Wait: if (next_i) begin
          state_q <= Part;
        end
        Part: begin
          part_q  <= most;
          last_q  <= left_q <= LenWidth'(gso_size_i);
          left_q  <= left_q - LenWidth'(most);
          state_q <= PutLen;
        end
        PutLen: begin
          acc_q   <= add;
          state_q <= ip6_q ? PutHigh : PutId;
        end
        PutId: begin
          acc_q   <= add;
          state_q <= AddId;
        end
        AddId: begin
          acc_q   <= add;
          id_q    <= id_q + 1'b1;
          state_q <= PutSum;
        end
        PutSum:  state_q <= PutHigh;
        PutHigh: state_q <= udp ? PutTcp : PutLow;
        PutLow: begin
          seq_q   <= seq_q + 32'(part_q);
          state_q <= PutFlag;
        end
        PutFlag: begin
          first_q <= 1'b0;
          state_q <= PutTcp;
        end
        PutTcp:  state_q <= Ready;
        default: begin  // Ready
          if (next_i) begin
            state_q <= last_q ? Idle : Part;
          end
        end
      endcase
    end
  end

  // What is written where.
  logic put_udp_len;
  assign put_udp_len = state_q == PutHigh && udp;

  always_comb begin
    patch_o       = 1'b0;
    patch_place_o = csum_start_i;
    patch_value_o = '0;
    case (state_q)
      PutLen: begin
        patch_o       = 1'b1;
        patch_place_o = l3_q + (ip6_q ? PlaceWidth'(Ip6Len) : PlaceWidth'(Ip4Len));
        patch_value_o = add;
      end
      PutId: begin
        patch_o       = 1'b1;
        patch_place_o = l3_q + PlaceWidth'(Ip4Id);
        patch_value_o = id_q;
      end
      PutSum: begin
        patch_o       = 1'b1;
        patch_place_o = l3_q + PlaceWidth'(Ip4Check);
        patch_value_o = ~acc_q;
      end
      PutHigh: begin
        patch_o       = 1'b1;
        patch_place_o = csum_start_i + PlaceWidth'(TcpSeq);
        patch_value_o = put_udp_len ? add : seq_q[31:16];
      end
      PutLow: begin
        patch_o       = 1'b1;
        patch_place_o = csum_start_i + PlaceWidth'(TcpSeq + 1);
        patch_value_o = seq_q[15:0];
      end
      PutFlag: begin
        patch_o       = 1'b1;
        patch_place_o = csum_start_i + PlaceWidth'(TcpFlags);
        patch_value_o = flags_q & ~(last_q ? 16'h0 : FlagFin | FlagPsh) &
                        ~(first_q ? 16'h0 : FlagCwr);
      end
      PutTcp: begin
        patch_o       = 1'b1;
        patch_place_o = csum_start_i + (udp ? PlaceWidth'(UdpCheck) : PlaceWidth'(TcpCheck));
        patch_value_o = add;
      end
      default: ;
    endcase
  end

  assign busy_o        = state_q != Idle && state_q != Wait && state_q != Ready;
  assign hdr_len_o     = hdr_len_q;
  assign ready_o       = state_q == Ready;
  assign seg_payload_o = part_q;
  assign seg_last_o    = last_q;

  if (UdpLen != TcpSeq) $error("tx_gso: one step writes both");

endmodule
