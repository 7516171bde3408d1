// SPDX-License-Identifier: Apache-2.0
// Linux: net/ipv4/ip_forward.c, and what of net/ipv4/route.c decides for it.
#include "nicroscope/host_points.h"
#include "stack/core/gso.h"
#include "stack/ipv4/ipv4.h"

namespace nicroscope::net {

// What is wrong with passing the packet on at all: MAX if nothing. Sends what RFC 1812 4.3.3 asks
// for and counts.
skb_drop_reason Ipv4::ip_route_input(const sk_buff& skb, rtable& rt) {
  const Ipv4View iph = ip_hdr(skb);
  const ipv4_address daddr = iph.daddr();
  // Neither the link's broadcast nor what was sent to the whole link is passed on (RFC 1812 5.3.4).
  if (skb.pkt_type != pkt_type_t::host) {
    net.mib.inc(mib::IpInAddrErrors);
    return skb_drop_reason::IP_INADDRERRORS;
  }
  if (daddr.is_zeronet() || daddr.is_reserved()) return skb_drop_reason::IP_INVALID_DEST;
  if (sysctl.rp_filter) {
    const auto back = fib.ip_route_forward(iph.saddr());
    if (!back || back.value().dev != skb.dev) {
      net.mib.inc(mib::IpExtIPReversePathFilter);
      return skb_drop_reason::IP_RPFILTER;
    }
  }
  const auto found = fib.ip_route_forward(daddr);
  if (!found) {
    net.mib.inc(mib::IpExtInNoRoutes);
    icmp.icmp_send(skb, ICMP_TYPE_DEST_UNREACH, ICMP_CODE_NET_UNREACH, 0);
    return skb_drop_reason::IP_INNOROUTES;
  }
  rt = found.value();
  // Directed broadcasts end here (RFC 2644).
  if (rt.type != RTN_UNICAST) {
    net.mib.inc(mib::IpInAddrErrors);
    return skb_drop_reason::IP_INADDRERRORS;
  }
  return skb_drop_reason::MAX;
}

void Ipv4::ip_forward(skb_ptr skb) {
  net.trace().emit(point::ip_forward, skb->frame, skb->len);
  net.spend(kernel::cost::ip_forward);
  rtable rt;
  if (const skb_drop_reason wrong = ip_route_input(*skb, rt); wrong != skb_drop_reason::MAX) {
    kfree_skb_reason(std::move(skb), wrong);
    return;
  }
  const Ipv4View arrived = ip_hdr(*skb);
  if (arrived.ttl() <= 1) {
    net.mib.inc(mib::IpInHdrErrors);
    icmp.icmp_send(*skb, ICMP_TYPE_TIME_EXCEEDED, ICMP_CODE_TTL, 0);
    kfree_skb_reason(std::move(skb), skb_drop_reason::IP_INHDR);
    return;
  }
  // A super-frame whose pieces are too long is not cut here: its sender hears of it in any case.
  if (ip_exceeds_mtu(*skb, rt.dev->mtu()) &&
      ((arrived.frag_off() & kIpDf) != 0 || skb_is_gso(*skb))) {
    net.mib.inc(mib::IpFragFails);
    icmp.icmp_send(*skb, ICMP_TYPE_DEST_UNREACH, ICMP_CODE_FRAG_NEEDED, rt.dev->mtu());
    kfree_skb_reason(std::move(skb), skb_drop_reason::PKT_TOO_BIG);
    return;
  }
  // The header is about to be written: nobody else may look at it.
  if (!skb_cow(*skb, kEthHlen + NET_IP_ALIGN)) {
    net.mib.inc(mib::IpInDiscards);
    kfree_skb_reason(std::move(skb), skb_drop_reason::NOMEM);
    return;
  }
  Ipv4View iph = ip_hdr(*skb);
  iph.set_ttl(static_cast<std::uint8_t>(iph.ttl() - 1));
  iph.update_check();
  // Out by the way it came, from a sender that reaches the next hop itself.
  if (rt.dev == skb->dev && sysctl.send_redirects && fib.is_on_link(*rt.dev, iph.saddr())) {
    redirects.ip_rt_send_redirect(*skb, rt);
  }
  skb->dev = rt.dev;
  net.mib.inc(mib::IpForwDatagrams);
  net.mib.add(mib::IpExtOutOctets, skb->len);
  // What can fail is counted where it does.
  static_cast<void>(ip_output(std::move(skb), rt));
}

// A packet that waited for a neighbour in vain. Its own host has learned by its socket.
void Ipv4::link_failure(const sk_buff& skb) {
  if (skb.sk != nullptr || fib.is_local(ip_hdr(skb).saddr())) return;
  icmp.icmp_send(skb, ICMP_TYPE_DEST_UNREACH, ICMP_CODE_HOST_UNREACH, 0);
}

}  // namespace nicroscope::net
