// SPDX-License-Identifier: Apache-2.0
#include "stack/ipv4/redirect.h"

#include "stack/ipv4/ipv4.h"

namespace nicroscope::net {

namespace {

/// Senders that are remembered at once.
constexpr std::size_t kMaxPeers = 1024;

}  // namespace

void Redirects::ip_rt_send_redirect(const sk_buff& skb, const rtable& rt) {
  const Time now = ipv4_.net.kernel().now();
  const ipv4_address sender = ip_hdr(skb).saddr();
  if (peers_.size() >= kMaxPeers && !peers_.contains(sender)) {
    std::erase_if(peers_,
                  [&](const auto& peer) { return now - peer.second.last > parms_.silence; });
    if (peers_.size() >= kMaxPeers) return;
  }
  Peer& peer = peers_[sender];
  if (now - peer.last > parms_.silence) peer.sent = 0;
  if (peer.sent >= parms_.number) {
    peer.last = now;  // still not heeded: the silence begins anew
    return;
  }
  if (peer.sent != 0 && now - peer.last <= parms_.load * (1U << peer.sent)) return;
  ipv4_.icmp.icmp_send(skb, ICMP_TYPE_REDIRECT, ICMP_CODE_REDIRECT_HOST, rt.next_hop.value);
  peer.last = now;
  ++peer.sent;
}

}  // namespace nicroscope::net
