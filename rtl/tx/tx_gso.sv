// SPDX-License-Identifier: Apache-2.0
//
// tx_gso: reads the headers of a super-frame, and makes those of each segment of them.
//
//   start_i   the virtio header's fields hold from now on, and the template (tx_template) has the
//             frame's bytes up to the transport header, with 20 bytes of TCP's or all of UDP's. Some
//             cycles later either bad_o pulses (the headers are not what gso_type says, or a segment
//             would be longer than MaxFrame) or parsed_o: hdr_len_o and options_o hold.
//   next_i    the template has all headers (the first time), or those of the segment before are not
//             needed any more; when ready_o rises the headers of the next segment stand in the
//             template, with seg_last_byte_o and one bytes to follow, seg_last_o on the last one. It
//             stays until next_i.
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
// Each state reads or writes one halfword, at place_q. Lengths are held less one.
//
// Parameters:
//   WordBytes   bytes in a template word
//   Bytes       headers are shorter than that
//   MaxFrame    longest frame, without FCS

module tx_gso #(
  parameter int unsigned WordBytes = 2,
  parameter int unsigned Bytes = 256,
  parameter int unsigned MaxFrame = 9022,
  localparam int unsigned LenWidth = nic_pkg::LenWidth,
  localparam int unsigned AddrWidth = $clog2(Bytes / WordBytes),
  localparam int unsigned PlaceWidth = $clog2(Bytes / 2)
) (
  input  logic                  clk_i,
  input  logic                  rst_i,
  output logic                  busy_o,

  input  logic                  start_i,
  input  logic                  udp_i,
  input  logic                  ip4_i,            // gso_type allows IPv4
  input  logic                  ip6_i,            // and IPv6
  input  logic [15:0]           gso_size_i,
  input  logic [PlaceWidth-1:0] csum_start_i,     // in halfwords
  input  logic [LenWidth-1:0]   last_byte_i,      // of the super-frame
  output logic                  bad_o,
  output logic                  parsed_o,
  output logic [PlaceWidth:0]   hdr_len_o,        // in halfwords
  output logic [5:0]            options_o,        // bytes of TCP options, less one: all ones for none

  input  logic                  next_i,
  output logic                  ready_o,
  output logic [15:0]           seg_last_byte_o,  // of the segment's payload
  output logic                  seg_last_o,

  output logic                  tread_o,
  output logic [AddrWidth-1:0]  tread_addr_o,
  input  logic [8*WordBytes-1:0] tread_data_i,
  output logic                  patch_o,
  output logic [PlaceWidth-1:0] patch_place_o,
  output logic [15:0]           patch_value_o
);

  localparam int unsigned BankWidth = $clog2(WordBytes / 2);

  // Places of fields in halfwords: the Ethernet type, and others in their headers.
  localparam int unsigned EthType  = 6;
  localparam int unsigned Ip4Len   = 1;
  localparam int unsigned Ip4Id    = 2;
  localparam int unsigned Ip4Proto = 4;
  localparam int unsigned Ip4Check = 5;
  localparam int unsigned Ip6Len   = 2;
  localparam int unsigned Ip6Words = 20;
  localparam int unsigned TcpSeq   = 2;
  localparam int unsigned TcpFlags = 6;
  localparam int unsigned TcpCheck = 8;
  localparam logic [5:0] FixedBytes = 6'd21;  // of TCP's header, and one
  localparam int unsigned UdpLen   = 2;
  localparam int unsigned UdpCheck = 3;
  localparam int unsigned UdpWords = 4;

  localparam logic [5:0] NoOptions = 6'h3f;

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
  // Reckoning
  localparam logic [4:0] Strip   = 5'd8;   // the headers from the length
  localparam logic [4:0] Base    = 5'd9;   // the length from the check field
  localparam logic [4:0] Judge   = 5'd10;
  // Writing
  localparam logic [4:0] Wait    = 5'd11;
  localparam logic [4:0] PutLen  = 5'd12;
  localparam logic [4:0] PutId   = 5'd13;
  localparam logic [4:0] AddId   = 5'd14;
  localparam logic [4:0] PutSum  = 5'd15;
  localparam logic [4:0] PutHigh = 5'd16;  // sequence number, or UDP length
  localparam logic [4:0] PutLow  = 5'd17;
  localparam logic [4:0] PutFlag = 5'd18;
  localparam logic [4:0] PutTcp  = 5'd19;
  localparam logic [4:0] Part    = 5'd20;  // how much goes into the next segment
  localparam logic [4:0] Ready   = 5'd21;

  logic [4:0]            state_q;
  logic [PlaceWidth-1:0] place_q;
  logic [PlaceWidth-1:0] l3_q;       // IP header
  logic [2:0]            ip_place_q; // place_q in it, up to 7
  logic                  ip6_q;
  logic [15:0]           acc_q;
  logic [15:0]           ip_sum_q;   // of the IPv4 header, but for what changes
  logic [PlaceWidth+1:0] ip_base_q;  // the IP length field, without payload
  logic [15:0]           check_q;    // the check field, without the payload's length
  logic [15:0]           id_q;
  logic [31:0]           seq_q;
  logic [15:0]           flags_q;
  logic                  first_q;
  logic [PlaceWidth:0]   hdr_len_q;
  logic [LenWidth-1:0]   left_q;     // payload not yet given to a segment, less one
  logic [15:0]           part_q;     // payload of the segment, less one
  logic                  last_q;

  ////////////////////
  // Reckoning      //
  ////////////////////

  logic [15:0]           value;      // the halfword at place_q
  logic [PlaceWidth:0]   ip_end;     // where the IP header ends by itself

  assign tread_o      = state_q != Idle && state_q <= Check;
  assign tread_addr_o = place_q[PlaceWidth-1:BankWidth];

  logic [15:0] half;

  if (WordBytes == 2) begin : g_half
    assign half = tread_data_i;
  end else begin : g_word
    assign half = tread_data_i[16*place_q[BankWidth-1:0] +: 16];
  end

  assign value  = {half[7:0], half[15:8]};
  assign ip_end = {1'b0, l3_q} + (ip6_q ? (PlaceWidth + 1)'(Ip6Words)
                                        : (PlaceWidth + 1)'({value[11:8], 1'b0}));

  // Sums in ones' complement; lengths never carry out.
  logic [15:0] add_a;
  logic [15:0] add_b;
  logic [16:0] add_carry;
  logic [15:0] add;

  always_comb begin
    case (state_q)
      PutLen:       add_a = 16'(ip_base_q);
      Judge:        add_a = 16'({hdr_len_q, 1'b0});
      PutHigh:      add_a = 16'(2 * UdpWords + 1);
      Base, PutTcp: add_a = check_q;
      default:      add_a = acc_q;
    endcase
    case (state_q)
      PutLen, Judge, PutHigh, PutTcp: add_b = part_q;
      Base:    add_b = ~left_q[15:0];
      PutId:   add_b = ip_sum_q;
      AddId:   add_b = id_q;
      default: add_b = value;
    endcase
    add_carry = {1'b0, add_a} + {1'b0, add_b};
    add       = add_carry[15:0] + 16'(add_carry[16]);
  end

  // What is left behind the headers, or behind another segment; negative behind the last one.
  logic [LenWidth-1:0] minuend;
  logic [LenWidth-1:0] subtrahend;
  logic [LenWidth:0]   less;

  assign minuend    = state_q == Strip ? last_byte_i : left_q;
  assign subtrahend = state_q == Strip ? LenWidth'({hdr_len_q, 1'b0}) : LenWidth'(gso_size_i);
  assign less       = {1'b0, minuend} - {1'b0, subtrahend};

  // The place of the next state.
  logic [PlaceWidth-1:0] from;
  logic [PlaceWidth-1:0] step;
  logic [PlaceWidth-1:0] place;
  logic                  vlan_tag;
  logic                  ip4_last;   // the IPv4 header ends here

  assign vlan_tag = value == 16'h8100 || value == 16'h88a8;
  assign place    = from + step;
  assign ip4_last = place_q + 1'b1 == csum_start_i;

  always_comb begin
    from = place_q;
    step = PlaceWidth'(1);
    case (state_q)
      Idle: begin
        from = '0;
        step = PlaceWidth'(EthType);
      end
      Type: step = vlan_tag ? PlaceWidth'(2) : PlaceWidth'(1);
      Version, Ip4: if (ip6_q || (state_q == Ip4 && ip4_last)) begin
        from = csum_start_i;
        step = udp_i ? PlaceWidth'(UdpCheck) : PlaceWidth'(TcpSeq);
      end
      SeqLow, PutLow: step = PlaceWidth'(TcpFlags - TcpSeq - 1);
      Flags, PutFlag: step = PlaceWidth'(TcpCheck - TcpFlags);
      Wait, Ready: begin
        from = l3_q;
        step = ip6_q ? PlaceWidth'(Ip6Len) : PlaceWidth'(Ip4Len);
      end
      PutLen: if (ip6_q) begin
        from = csum_start_i;
        step = PlaceWidth'(TcpSeq);
      end
      PutId: step = PlaceWidth'(Ip4Check - Ip4Id);
      AddId: step = '0;
      PutSum: begin
        from = csum_start_i;
        step = PlaceWidth'(TcpSeq);
      end
      default: ;
    endcase
  end

  ////////////////////
  // Steps          //
  ////////////////////

  logic wrong;       // the headers are not what they should be

  always_comb begin
    case (state_q)
      Type:    wrong = !vlan_tag && value != 16'h0800 && value != 16'h86dd;
      Version: wrong = ip6_q ? value[15:12] != 4'd6 || !ip6_i || ip_end > {1'b0, csum_start_i}
                             : value[15:12] != 4'd4 || !ip4_i || value[11:8] < 4'd5 ||
                               ip_end != {1'b0, csum_start_i};
      Ip4:     wrong = ip_place_q == 3'(Ip4Proto) && value[7:0] != (udp_i ? 8'd17 : 8'd6);
      Flags:   wrong = value[15:12] < 4'd5;
      Judge:   wrong = hdr_len_q[PlaceWidth] || left_q[LenWidth-1] || add_carry >= 17'(MaxFrame);
      default: wrong = 1'b0;
    endcase
    if (state_q == Type && place_q >= csum_start_i) begin
      wrong = 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      state_q  <= Idle;
      bad_o    <= 1'b0;
      parsed_o <= 1'b0;
    end else begin
      bad_o    <= wrong;
      parsed_o <= state_q == Judge && !wrong;
      place_q  <= place;
      case (state_q)
        Idle: begin
          first_q <= 1'b1;
          if (start_i) state_q <= Type;
        end
        Type: begin
          l3_q       <= place;
          ip6_q      <= value == 16'h86dd;
          ip_place_q <= 3'd1;
          if (!vlan_tag) state_q <= Version;
        end
        Version: begin
          acc_q   <= value;
          state_q <= !ip6_q ? Ip4 : udp_i ? Check : SeqHigh;
        end
        Ip4: begin
          if (ip_place_q != '1) ip_place_q <= ip_place_q + 1'b1;
          if (ip_place_q == 3'(Ip4Id)) begin
            id_q <= value;
          end else if (ip_place_q != 3'(Ip4Len) && ip_place_q != 3'(Ip4Check)) begin
            acc_q <= add;
          end
          ip_sum_q <= add;
          if (ip4_last) state_q <= udp_i ? Check : SeqHigh;
        end
        SeqHigh: begin
          seq_q[31:16] <= value;
          state_q      <= SeqLow;
        end
        SeqLow: begin
          seq_q[15:0] <= value;
          state_q     <= Flags;
        end
        Flags: begin
          flags_q <= value;
          state_q <= Check;
        end
        Check: begin
          check_q   <= value;
          hdr_len_q <= {1'b0, csum_start_i} +
                       (udp_i ? (PlaceWidth + 1)'(UdpWords)
                              : (PlaceWidth + 1)'({flags_q[15:12], 1'b0}));
          state_q   <= Strip;
        end
        Strip: begin
          left_q  <= less[LenWidth-1:0];
          state_q <= Base;
        end
        Base: begin
          check_q   <= add;
          ip_base_q <= {hdr_len_q - {1'b0, l3_q} - (ip6_q ? (PlaceWidth + 1)'(Ip6Words) : '0), 1'b1};
          part_q    <= less[LenWidth] ? left_q[15:0] : gso_size_i - 1'b1;
          last_q    <= less[LenWidth];
          state_q   <= Judge;
        end
        Judge: state_q <= Wait;
        Wait: if (next_i) begin
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
        PutHigh: state_q <= udp_i ? PutTcp : PutLow;
        PutLow: begin
          seq_q   <= seq_q - ~{16'h0, part_q};  // + part_q + 1
          state_q <= PutFlag;
        end
        PutFlag: begin
          first_q <= 1'b0;
          state_q <= PutTcp;
        end
        PutTcp:  state_q <= Ready;
        Ready: if (next_i) begin
          left_q  <= less[LenWidth-1:0];
          state_q <= last_q ? Idle : Part;
        end
        default: begin  // Part
          part_q  <= less[LenWidth] ? left_q[15:0] : gso_size_i - 1'b1;
          last_q  <= less[LenWidth];
          place_q <= place_q;
          state_q <= PutLen;
        end
      endcase
      if (wrong) state_q <= Idle;
    end
  end

  // What is written.
  always_comb begin
    patch_o       = 1'b1;
    patch_value_o = add;
    case (state_q)
      PutLen, PutTcp: ;
      PutId:   patch_value_o = id_q;
      PutSum:  patch_value_o = ~acc_q;
      PutHigh: if (!udp_i) patch_value_o = seq_q[31:16];
      PutLow:  patch_value_o = seq_q[15:0];
      PutFlag: patch_value_o = flags_q & ~(last_q ? 16'h0 : FlagFin | FlagPsh) &
                               ~(first_q ? 16'h0 : FlagCwr);
      default: patch_o = 1'b0;
    endcase
  end

  assign patch_place_o   = place_q;
  assign busy_o          = state_q != Idle && state_q != Wait && state_q != Ready;
  assign hdr_len_o       = hdr_len_q;
  assign options_o       = udp_i ? NoOptions : {flags_q[15:12], 2'b00} - FixedBytes;
  assign ready_o         = state_q == Ready;
  assign seg_last_byte_o = part_q;
  assign seg_last_o      = last_q;

  if (UdpLen != TcpSeq || UdpCheck != TcpSeq + 1) $error("tx_gso: one step writes both");

endmodule
