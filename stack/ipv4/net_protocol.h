// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "stack/core/sk_buff.h"

namespace nicroscope::net {

/// A transport above IPv4 (Linux: struct net_protocol).
class net_protocol {
 public:
  virtual ~net_protocol() = default;
  /// Takes a packet for this host: data at the transport header, the IPv4 header at ip_hdr().
  virtual void handler(skb_ptr skb) = 0;
  /// An ICMP error came back for a packet that this host sent: `skb`'s data is that packet's
  /// transport header, of which 8 bytes are linear, its network header that packet's IPv4 header.
  virtual void err_handler(sk_buff& skb, std::uint8_t type, std::uint8_t code) {
    static_cast<void>(skb);
    static_cast<void>(type);
    static_cast<void>(code);
  }
};

}  // namespace nicroscope::net
