// SPDX-License-Identifier: Apache-2.0
#include "stack/ipv4/arp.h"

#include "nicroscope/host_points.h"
#include "stack/core/sock.h"
#include "stack/ipv4/ip_header.h"

namespace nicroscope::net {

namespace {

/// An address that a neighbour may claim.
bool is_unicast_host(ipv4_address a) {
  return !a.is_zeronet() && !a.is_loopback() && !a.is_multicast() && !a.is_reserved();
}

/// 01:00:5e and the group's last 23 bits (RFC 1112 6.4).
mac_address multicast_mac(ipv4_address group) {
  return {{0x01, 0x00, 0x5e, static_cast<std::uint8_t>(group.value >> 16U & 0x7fU),
           static_cast<std::uint8_t>(group.value >> 8U), static_cast<std::uint8_t>(group.value)}};
}

}  // namespace

Arp::Arp(Net& net, const Fib& fib, std::function<void(const sk_buff& skb)> link_failure,
         neigh_parms parms)
    : packet_type(kEthPArp, nullptr),
      net_(net),
      fib_(fib),
      link_failure_(std::move(link_failure)),
      table_(net, *this, parms) {
  net_.dev_add_pack(*this);
}

Arp::~Arp() { net_.dev_remove_pack(*this); }

void Arp::func(skb_ptr skb) {
  net_.spend(kernel::cost::arp_rcv);
  if (skb->pkt_type == pkt_type_t::otherhost) {
    kfree_skb_reason(std::move(skb), skb_drop_reason::OTHERHOST);
    return;
  }
  if (!pskb_may_pull(*skb, ArpView::kSize)) {
    kfree_skb_reason(std::move(skb), skb_drop_reason::HDR_TRUNC);
    return;
  }
  const auto arp = *ArpView::parse(skb_linear(*skb));
  net_.trace().emit(point::arp_rcv, skb->frame, arp.op());
  const mac_address sha = arp.sha();
  if (!arp.is_ipv4_over_ethernet() || (arp.op() != ARPOP_REQUEST && arp.op() != ARPOP_REPLY) ||
      sha.is_multicast() || sha.is_zero() || arp.tip().is_multicast() || arp.tip().is_loopback()) {
    kfree_skb_reason(std::move(skb), skb_drop_reason::ARP_MALFORMED);
    return;
  }
  arp_process(arp, *skb);
  consume_skb(std::move(skb));
}

void Arp::arp_process(const ArpView& arp, sk_buff& skb) {
  net_device& dev = *skb.dev;
  const ipv4_address sip = arp.sip();
  const ipv4_address tip = arp.tip();
  const mac_address sha = arp.sha();
  const bool for_us = fib_.ip_dev_find(tip) != nullptr;

  if (sip.is_any()) {
    // Somebody asks whether the address is free (RFC 5227 2.1.1).
    if (arp.op() == ARPOP_REQUEST && for_us) arp_send(ARPOP_REPLY, dev, sha, tip, sha, sip);
    return;
  }
  if (!is_unicast_host(sip) || fib_.is_local(sip)) return;
  if (arp.op() == ARPOP_REQUEST && for_us) {
    table_.neigh_event_ns(dev, sip, sha);
    arp_send(ARPOP_REPLY, dev, sha, tip, sha, sip);
    return;
  }
  // What others say updates what is known, and adds nothing (Linux: arp_accept 0).
  neighbour* const neigh = table_.neigh_lookup(dev, sip);
  if (neigh == nullptr) return;
  const bool gratuitous = sip == tip;
  const bool override =
      gratuitous || net_.kernel().now() >= neigh->updated + table_.parms().locktime;
  const bool answer = arp.op() == ARPOP_REPLY && skb.pkt_type == pkt_type_t::host;
  table_.neigh_update(*neigh, sha, answer ? NUD_REACHABLE : NUD_STALE, override);
}

void Arp::arp_send(arp_op op, net_device& dev, const mac_address& destination, ipv4_address sip,
                   const mac_address& tha, ipv4_address tip) {
  skb_ptr skb = net_.skbs().alloc_skb(NET_SKB_PAD + kEthHlen + ArpView::kSize);
  if (!skb) return;
  skb_reserve(*skb, NET_SKB_PAD + kEthHlen);
  skb->frame = net_.next_frame();
  skb_put(*skb, ArpView::kSize);
  ArpView::parse(skb_linear(*skb))->set(op, dev.dev_addr(), sip, tha, tip);
  skb_reset_network_header(*skb);
  net_.trace().emit(point::arp_xmit, skb->frame, op);
  if (!dev_hard_header(*skb, dev, destination, kEthPArp)) {
    kfree_skb_reason(std::move(skb), skb_drop_reason::NOMEM);
    return;
  }
  dev_queue_xmit(std::move(skb));
}

void Arp::solicit(neighbour& neigh, const sk_buff* skb) {
  net_device& dev = neigh.dev;
  ipv4_address source = fib_.inet_select_addr(dev, neigh.primary_key);
  if (skb != nullptr) {
    // The source of the packet that waits, if it is one that the neighbour can answer.
    const ipv4_address from = Ipv4View::at(skb_network_header(*skb)).saddr();
    if (fib_.is_local(from) && fib_.is_on_link(dev, from)) source = from;
  }
  const bool unicast = neigh.state == NUD_PROBE;
  arp_send(ARPOP_REQUEST, dev, unicast ? neigh.ha : kEthBroadcast, source,
           unicast ? neigh.ha : mac_address{}, neigh.primary_key);
}

void Arp::error_report(skb_ptr skb) {
  if (skb->sk != nullptr) sk_error_report(*skb->sk, std::errc::host_unreachable);
  link_failure_(*skb);
  kfree_skb_reason(std::move(skb), skb_drop_reason::NEIGH_FAILED);
}

void Arp::arp_announce(net_device& dev, ipv4_address address) {
  arp_send(ARPOP_REQUEST, dev, kEthBroadcast, address, mac_address{}, address);
}

bool Arp::output(skb_ptr skb, const rtable& rt) {
  std::optional<mac_address> known;
  if (rt.type == RTN_BROADCAST) known = kEthBroadcast;
  if (rt.type == RTN_MULTICAST) known = multicast_mac(rt.next_hop);
  if ((rt.dev->features & NETIF_F_LOOPBACK) != 0) known = mac_address{};
  if (!known) return table_.neigh_resolve_output(std::move(skb), *rt.dev, rt.next_hop, kEthPIp);
  net_.spend(kernel::cost::neigh_output);
  if (!dev_hard_header(*skb, *rt.dev, *known, kEthPIp)) {
    kfree_skb_reason(std::move(skb), skb_drop_reason::NOMEM);
    return false;
  }
  return dev_queue_xmit(std::move(skb));
}

}  // namespace nicroscope::net
