// SPDX-License-Identifier: Apache-2.0
// Linux: include/linux/virtio_net.h.
#include "driver/offload.h"

#include "nicroscope/registers.h"
#include "stack/core/ethernet.h"
#include "stack/core/gso.h"

namespace nicroscope::driver {

namespace {

constexpr std::uint32_t kTcpHlen = 20;
constexpr std::uint32_t kUdpHlen = 8;

}  // namespace

virtio::NetHeader virtio_net_hdr_from_skb(const net::sk_buff& skb) {
  virtio::NetHeader header{};
  if (skb.ip_summed == net::CHECKSUM_PARTIAL) {
    header.flags = regs::kNetHdrFNeedsCsum;
    header.csum_start = static_cast<std::uint16_t>(net::skb_checksum_start_offset(skb));
    header.csum_offset = skb.csum_offset;
  }
  if (!net::skb_is_gso(skb)) return header;
  const auto headers = net::skb_find_headers(skb);
  if (!headers) return header;
  header.gso_type = skb.shinfo->gso_type;
  header.gso_size = skb.shinfo->gso_size;
  header.hdr_len = static_cast<std::uint16_t>(headers->payload);
  return header;
}

bool virtio_net_hdr_to_skb(net::sk_buff& skb, const virtio::NetHeader& header) {
  const std::uint8_t kind = header.gso_type & static_cast<std::uint8_t>(~regs::kNetHdrGsoEcn);
  if ((header.flags & regs::kNetHdrFNeedsCsum) != 0) {
    // 5.1.6.4.2: the checksum is not in the packet yet; whoever sends it on puts it in.
    const std::uint32_t start = header.csum_start;
    const std::uint32_t needed = start + header.csum_offset + 2;
    if (start < net::kEthHlen || !net::pskb_may_pull(skb, needed)) return false;
    skb.ip_summed = net::CHECKSUM_PARTIAL;
    skb.csum_start = net::skb_headroom(skb) + start;
    skb.csum_offset = header.csum_offset;
    skb.transport_header = skb.csum_start;
  } else if ((header.flags & regs::kNetHdrFDataValid) != 0) {
    skb.ip_summed = net::CHECKSUM_UNNECESSARY;
  }
  if (kind == regs::kNetHdrGsoNone) return true;

  // hdr_len is not to be relied on (5.1.6.4.2): the packet is looked at.
  const auto headers = net::skb_find_headers(skb);
  const bool known = kind == regs::kNetHdrGsoTcpV4 || kind == regs::kNetHdrGsoTcpV6 ||
                     kind == regs::kNetHdrGsoUdpL4;
  if (!known || !headers || header.gso_size == 0) return false;
  if (headers->tcp != (kind != regs::kNetHdrGsoUdpL4)) return false;
  if (headers->tcp && headers->ipv6 != (kind == regs::kNetHdrGsoTcpV6)) return false;
  if (headers->payload - headers->transport < (headers->tcp ? kTcpHlen : kUdpHlen)) return false;
  if (!net::pskb_may_pull(skb, headers->payload)) return false;
  skb.shinfo->gso_type = header.gso_type;
  skb.shinfo->gso_size = header.gso_size;
  net::skb_gso_count_segs(skb, headers->payload);
  // A frame of one segment is none that was merged.
  if (skb.shinfo->gso_segs <= 1) {
    skb.shinfo->gso_type = net::SKB_GSO_NONE;
    skb.shinfo->gso_size = 0;
    skb.shinfo->gso_segs = 0;
  }
  return true;
}

void virtio_skb_set_hash(net::sk_buff& skb, const virtio::NetHeaderHash& header) {
  switch (header.hash_report) {
    case regs::kHashReportTcpv4:
    case regs::kHashReportUdpv4:
    case regs::kHashReportTcpv6:
    case regs::kHashReportUdpv6:
    case regs::kHashReportTcpv6Ex:
    case regs::kHashReportUdpv6Ex:
      skb.l4_hash = true;
      break;
    case regs::kHashReportIpv4:
    case regs::kHashReportIpv6:
    case regs::kHashReportIpv6Ex:
      skb.l4_hash = false;
      break;
    default:
      return;
  }
  skb.hash = header.hash_value[0] | std::uint32_t{header.hash_value[1]} << 16U;
}

}  // namespace nicroscope::driver
