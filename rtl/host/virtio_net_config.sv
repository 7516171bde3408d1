// SPDX-License-Identifier: Apache-2.0
//
// virtio_net_config (virtio 1.2, 5.1.4), read only: what the device says about itself and its link.
//
//   0x00 mac[0..3]                     0x0C speed
//   0x04 mac[4..5], status             0x10 duplex, rss_max_key_size, rss_max_indirection_table_length
//   0x08 max_virtqueue_pairs, mtu      0x14 supported_hash_types
//
// A change of link_up_i changes the status two cycles later; link_change_o is high in the cycle
// before. The address is the control queue's: change_o is high for its changes too, which the driver
// asked for and is not told of. An access takes one cycle.
module virtio_net_config #(
  parameter int unsigned QueuePairs = 1,
  parameter int unsigned Mtu        = 1500,   // bytes behind the Ethernet header
  parameter int unsigned LinkMbps   = 10000
) (
  input  logic        clk_i,
  input  logic        rst_i,

  input  logic        sel_i,
  input  logic        write_i,
  input  logic [11:0] offset_i,
  output logic        ack_o,
  output logic [31:0] rdata_o,     // 0 but for a read's ack_o

  input  logic [47:0] mac_i,         // station address, first byte on the wire in bits 47:40
  input  logic        mac_change_i,  // one cycle: it is about to change
  input  logic        link_up_i,
  output logic        link_change_o,
  output logic        change_o,      // something here is about to change
  output logic        read_o,        // one cycle: the driver reads a field

  output logic        idle_o
);

  localparam logic [31:0] HashTypes = (32'h1 << virtio_pkg::HashTypeIpv4)
                                    | (32'h1 << virtio_pkg::HashTypeTcpv4)
                                    | (32'h1 << virtio_pkg::HashTypeUdpv4)
                                    | (32'h1 << virtio_pkg::HashTypeIpv6)
                                    | (32'h1 << virtio_pkg::HashTypeTcpv6)
                                    | (32'h1 << virtio_pkg::HashTypeUdpv6);

  logic        link_sampled_q, link_q;
  logic        ack_q;
  logic [31:0] rdata_q;

  assign ack_o    = ack_q;
  assign rdata_o  = rdata_q;
  assign idle_o   = !ack_q && !link_change_o;

  assign link_change_o = (link_sampled_q != link_q);
  assign change_o      = link_change_o || mac_change_i;
  assign read_o        = sel_i && !write_i && !ack_q;

  always_ff @(posedge clk_i) begin
    link_q         <= link_sampled_q && !rst_i;
    link_sampled_q <= link_up_i && !rst_i;
  end

  always_ff @(posedge clk_i) begin
    if (sel_i || ack_q) begin
      rdata_q <= 32'h0;
      if (!ack_q && !write_i) begin
        case (offset_i)
          virtio_pkg::DeviceConfigMac:
            rdata_q <= {mac_i[23:16], mac_i[31:24], mac_i[39:32], mac_i[47:40]};
          virtio_pkg::DeviceConfigMac + 12'd4:
            rdata_q <= {link_q ? virtio_pkg::LinkStatusUp : 16'h0, mac_i[7:0], mac_i[15:8]};
          virtio_pkg::DeviceConfigMaxVirtqueuePairs:
            rdata_q <= {16'(Mtu), 16'(QueuePairs)};
          virtio_pkg::DeviceConfigSpeed:  rdata_q <= LinkMbps;
          virtio_pkg::DeviceConfigDuplex:
            rdata_q <= {16'(virtio_pkg::RssTableEntries), 8'(virtio_pkg::RssKeyBytes), 8'h1};
          virtio_pkg::DeviceConfigSupportedHashTypes: rdata_q <= HashTypes;
          default:                        rdata_q <= 32'h0;
        endcase
      end
      ack_q <= sel_i && !ack_q;
    end
    if (rst_i) begin
      ack_q   <= 1'b0;
      rdata_q <= 32'h0;
    end
  end

endmodule
