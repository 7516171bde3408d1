// SPDX-License-Identifier: Apache-2.0
//
// rx_hash_type: which hash a frame gets (virtio 1.2, 5.1.6.4.3.2 to 5.1.6.4.3.4): the most specific of
// those that are enabled and that the frame has the fields for.
//
//   ip4_i, ip6_i   a sound IP header; ext_i: IPv6 extension headers behind it
//   tcp_i, udp_i   a sound TCP or UDP header, and not a fragment
//   report_o       virtio_pkg::HashReport*, HashReportNone for no hash
//   ports_o        the hash is over addresses and ports

module rx_hash_type (
  input  logic [8:0] hash_types_i,
  input  logic       ip4_i,
  input  logic       ip6_i,
  input  logic       ext_i,
  input  logic       tcp_i,
  input  logic       udp_i,
  output logic [3:0] report_o,
  output logic       ports_o
);

  always_comb begin
    report_o = virtio_pkg::HashReportNone[3:0];
    ports_o  = 1'b0;
    if (ip4_i) begin
      if (tcp_i && hash_types_i[virtio_pkg::HashTypeTcpv4]) begin
        report_o = virtio_pkg::HashReportTcpv4[3:0];
        ports_o  = 1'b1;
      end else if (udp_i && hash_types_i[virtio_pkg::HashTypeUdpv4]) begin
        report_o = virtio_pkg::HashReportUdpv4[3:0];
        ports_o  = 1'b1;
      end else if (hash_types_i[virtio_pkg::HashTypeIpv4]) begin
        report_o = virtio_pkg::HashReportIpv4[3:0];
      end
    end else if (ip6_i) begin
      if (ext_i && tcp_i && hash_types_i[virtio_pkg::HashTypeTcpEx]) begin
        report_o = virtio_pkg::HashReportTcpv6Ex[3:0];
        ports_o  = 1'b1;
      end else if (ext_i && udp_i && hash_types_i[virtio_pkg::HashTypeUdpEx]) begin
        report_o = virtio_pkg::HashReportUdpv6Ex[3:0];
        ports_o  = 1'b1;
      end else if (ext_i && hash_types_i[virtio_pkg::HashTypeIpEx]) begin
        report_o = virtio_pkg::HashReportIpv6Ex[3:0];
      end else if (tcp_i && hash_types_i[virtio_pkg::HashTypeTcpv6]) begin
        report_o = virtio_pkg::HashReportTcpv6[3:0];
        ports_o  = 1'b1;
      end else if (udp_i && hash_types_i[virtio_pkg::HashTypeUdpv6]) begin
        report_o = virtio_pkg::HashReportUdpv6[3:0];
        ports_o  = 1'b1;
      end else if (hash_types_i[virtio_pkg::HashTypeIpv6]) begin
        report_o = virtio_pkg::HashReportIpv6[3:0];
      end
    end
  end

endmodule
