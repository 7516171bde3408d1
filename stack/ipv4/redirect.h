// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>

#include "stack/core/net.h"
#include "stack/ipv4/ipv4_address.h"
#include "stack/ipv4/route.h"

namespace nicroscope::net {

class Ipv4;

/// Linux's net.ipv4.route.redirect_*.
struct redirect_parms {
  Duration load = std::chrono::milliseconds{20};         ///< between the first two, then doubling
  unsigned number = 9;                                   ///< unheeded ones before it gives up
  Duration silence = std::chrono::milliseconds{20'480};  ///< without cause: it starts afresh
};

/// ICMP redirects to senders that take the long way round (RFC 1812 4.3.3.2; Linux:
/// ip_rt_send_redirect in net/ipv4/route.c). Softirq context.
class Redirects {
 public:
  explicit Redirects(Ipv4& ipv4, const redirect_parms& parms = {}) : ipv4_(ipv4), parms_(parms) {}

  /// `skb` goes out by the device it came in, to `rt.next_hop`: tells its sender, if it is time to.
  void ip_rt_send_redirect(const sk_buff& skb, const rtable& rt);

  /// Senders that are remembered.
  [[nodiscard]] std::size_t peers() const noexcept { return peers_.size(); }

 private:
  struct Peer {
    Time last{};
    unsigned sent = 0;
  };

  Ipv4& ipv4_;
  const redirect_parms parms_;
  std::map<ipv4_address, Peer> peers_;
};

}  // namespace nicroscope::net
