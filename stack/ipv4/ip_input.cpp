// SPDX-License-Identifier: Apache-2.0
// Linux: net/ipv4/ip_input.c.
#include "nicroscope/host_points.h"
#include "stack/ipv4/ip_options.h"
#include "stack/ipv4/ipv4.h"

namespace nicroscope::net {

Ipv4::Ipv4(Net& network, const ipv4_config& configuration)
    : packet_type(kEthPIp, nullptr),
      net(network),
      config(configuration),
      arp(
          network, fib, [this](const sk_buff& skb) { link_failure(skb); }, configuration.neigh),
      defrag(*this, configuration.frags),
      icmp(*this),
      redirects(*this),
      udp(*this) {
  net.dev_add_pack(*this);
  net.add_notifier(*this);
}

Ipv4::~Ipv4() {
  net.remove_notifier(*this);
  net.dev_remove_pack(*this);
}

void Ipv4::inet_add_protocol(std::uint8_t protocol, net_protocol& handler) {
  protocols_[protocol] = &handler;
}

bool Ipv4::add_address(net_device& dev, const ipv4_prefix& address) {
  if (!fib.inet_addr_add(dev, address)) return false;
  if (dev.is_up() && config.arp_notify) netdev_up(dev);
  return true;
}

void Ipv4::netdev_up(net_device& dev) {
  if (!config.arp_notify || (dev.features & NETIF_F_LOOPBACK) != 0) return;
  const bh_guard guard(net);
  const ipv4_address address = fib.inet_select_addr(dev, kInaddrAny);
  if (!address.is_any()) arp.arp_announce(dev, address);
}

void Ipv4::netdev_down(net_device& dev) {
  const bh_guard guard(net);
  arp.table().neigh_ifdown(dev);
}

void Ipv4::func(skb_ptr skb) {
  net.trace().emit(point::ip_rcv, skb->frame, skb->len);
  net.spend(kernel::cost::ip_rcv);
  if (skb->pkt_type == pkt_type_t::otherhost) {
    kfree_skb_reason(std::move(skb), skb_drop_reason::OTHERHOST);
    return;
  }
  net.mib.inc(mib::IpInReceives);
  net.mib.add(mib::IpExtInOctets, skb->len);

  const auto bad_header = [&](skb_drop_reason reason) {
    net.mib.inc(mib::IpInHdrErrors);
    kfree_skb_reason(std::move(skb), reason);
  };
  // RFC 1122 3.2.1.2: silently discard what is too short, of another version, or damaged.
  if (!pskb_may_pull(*skb, kIpHlen)) return bad_header(skb_drop_reason::HDR_TRUNC);
  const Ipv4View first = Ipv4View::at(skb->data);
  if (first.version() != Ipv4View::kVersion || first.header_len() < kIpHlen) {
    return bad_header(skb_drop_reason::IP_INHDR);
  }
  const unsigned header_len = first.header_len();
  if (!pskb_may_pull(*skb, header_len)) return bad_header(skb_drop_reason::HDR_TRUNC);
  const Ipv4View iph = Ipv4View::at(skb->data);
  if (!iph.checksum_ok()) {
    net.mib.inc(mib::IpExtInCsumErrors);
    return bad_header(skb_drop_reason::IP_CSUM);
  }
  const unsigned total = iph.tot_len();
  if (total > skb->len) {
    net.mib.inc(mib::IpExtInTruncatedPkts);
    kfree_skb_reason(std::move(skb), skb_drop_reason::HDR_TRUNC);
    return;
  }
  if (total < header_len) return bad_header(skb_drop_reason::IP_INHDR);
  // Ethernet pads short frames.
  if (!pskb_trim(*skb, total)) {
    net.mib.inc(mib::IpInDiscards);
    kfree_skb_reason(std::move(skb), skb_drop_reason::NOMEM);
    return;
  }
  skb_reset_network_header(*skb);
  skb->transport_header = skb->network_header + header_len;
  ip_rcv_finish(std::move(skb));
}

bool Ipv4::ip_rcv_options(const sk_buff& skb) {
  const Ipv4View iph = ip_hdr(skb);
  const std::span<const std::byte> options(skb_network_header(skb) + kIpHlen,
                                           iph.header_len() - kIpHlen);
  const ip_options parsed = ip_options_compile(options);
  if (parsed.error) {
    net.mib.inc(mib::IpInHdrErrors);
    icmp.icmp_send(skb, ICMP_TYPE_PARAMETER_PROB, 0, std::uint32_t{*parsed.error} << 24U);
    return false;
  }
  return !parsed.source_route;
}

void Ipv4::ip_rcv_finish(skb_ptr skb) {
  const Ipv4View iph = ip_hdr(*skb);
  const net_device& dev = *skb->dev;
  const bool from_loopback = (dev.features & NETIF_F_LOOPBACK) != 0;
  const ipv4_address saddr = iph.saddr();
  const ipv4_address daddr = iph.daddr();

  if (iph.header_len() > kIpHlen && !ip_rcv_options(*skb)) {
    kfree_skb_reason(std::move(skb), skb_drop_reason::IP_OPTIONS);
    return;
  }
  // Martian sources (RFC 1812 5.3.7). 0.0.0.0 may only ask for an address, by broadcast.
  const bool zero_source = saddr.is_zeronet() && !(saddr.is_any() && daddr.is_limited_broadcast());
  if (zero_source || saddr.is_multicast() || saddr.is_reserved() ||
      (!from_loopback && (saddr.is_loopback() || daddr.is_loopback())) ||
      fib.inet_addr_type(dev, saddr) == RTN_BROADCAST) {
    kfree_skb_reason(std::move(skb), skb_drop_reason::IP_INVALID_SOURCE);
    return;
  }
  if (!from_loopback && fib.is_local(saddr)) {
    kfree_skb_reason(std::move(skb), skb_drop_reason::IP_LOCAL_SOURCE);
    return;
  }
  const rtn_type type = fib.inet_addr_type(dev, daddr);
  if (type == RTN_UNICAST && sysctl.ip_forward) {
    ip_forward(std::move(skb));
    return;
  }
  // A link-layer broadcast of a unicast packet is somebody's mistake (RFC 1122 3.3.6).
  if (type == RTN_UNICAST || (type == RTN_LOCAL && skb->pkt_type != pkt_type_t::host)) {
    net.mib.inc(mib::IpInAddrErrors);
    kfree_skb_reason(std::move(skb), skb_drop_reason::IP_INADDRERRORS);
    return;
  }
  if (type == RTN_BROADCAST) skb->pkt_type = pkt_type_t::broadcast;
  if (type == RTN_MULTICAST) skb->pkt_type = pkt_type_t::multicast;
  ip_local_deliver(std::move(skb));
}

void Ipv4::ip_local_deliver(skb_ptr skb) {
  if (ip_hdr(*skb).is_fragment()) {
    skb = defrag.ip_defrag(std::move(skb));
    if (!skb) return;
  }
  const Ipv4View iph = ip_hdr(*skb);
  const std::uint8_t protocol = iph.protocol();
  net.trace().emit(point::ip_local_deliver, skb->frame, protocol);
  net.spend(kernel::cost::ip_local_deliver);
  net_protocol* const handler = protocols_[protocol];
  if (handler == nullptr) {
    net.mib.inc(mib::IpInUnknownProtos);
    icmp.icmp_send(*skb, ICMP_TYPE_DEST_UNREACH, ICMP_CODE_PROT_UNREACH, 0);
    kfree_skb_reason(std::move(skb), skb_drop_reason::IP_NOPROTO);
    return;
  }
  skb_pull(*skb, iph.header_len());
  skb_reset_transport_header(*skb);
  net.mib.inc(mib::IpInDelivers);
  handler->handler(std::move(skb));
}

}  // namespace nicroscope::net
