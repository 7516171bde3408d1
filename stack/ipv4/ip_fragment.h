// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <map>

#include "stack/core/net.h"
#include "stack/ipv4/ipv4_address.h"

namespace nicroscope::net {

class Ipv4;

/// Linux's net.ipv4.ipfrag_*.
struct frag_parms {
  Duration time = std::chrono::seconds{30};         ///< from the first fragment on
  std::size_t high_thresh = std::size_t{4} << 20U;  ///< bytes that all fragments may hold
};

/// Puts the fragments of IPv4 packets together (RFC 791 3.2, RFC 5722's rule against overlaps;
/// Linux: net/ipv4/ip_fragment.c). Softirq context.
class IpDefrag {
 public:
  IpDefrag(Ipv4& ipv4, const frag_parms& parms);
  IpDefrag(const IpDefrag&) = delete;
  IpDefrag& operator=(const IpDefrag&) = delete;

  /// Takes a fragment, data at its IPv4 header. Returns the whole packet, likewise, if this was the
  /// last of it; its fragments are one packet with a frag_list. Null otherwise.
  [[nodiscard]] skb_ptr ip_defrag(skb_ptr skb);

  /// Incomplete packets.
  [[nodiscard]] std::size_t queues() const noexcept { return queues_.size(); }
  /// Bytes that they hold.
  [[nodiscard]] std::size_t memory() const noexcept { return memory_; }

 private:
  struct Key {
    ipv4_address saddr;
    ipv4_address daddr;
    std::uint16_t id;
    std::uint8_t protocol;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  /// One packet's fragments, in order of their offset.
  struct Queue {
    sk_buff_head fragments;
    std::uint32_t len = 0;  ///< where the packet ends, as far as is known
    std::uint32_t received = 0;
    bool last_in = false;  ///< `len` is the packet's
    std::size_t memory = 0;
    Time deadline{};
  };
  using Queues = std::map<Key, Queue>;

  [[nodiscard]] Queues::iterator find(const Key& key);
  /// Adds the fragment; MAX if it was added, else why it was not. `refused`: give up the packet.
  [[nodiscard]] skb_drop_reason insert(Queue& queue, skb_ptr& skb, bool& refused);
  [[nodiscard]] skb_ptr reassemble(Queue& queue);
  void kill(Queues::iterator queue, skb_drop_reason reason);
  void evict();
  void schedule_expiry();
  void expire();

  Ipv4& ipv4_;
  const frag_parms parms_;
  Queues queues_;
  std::size_t memory_ = 0;
  kernel::timer_list timer_;
};

}  // namespace nicroscope::net
