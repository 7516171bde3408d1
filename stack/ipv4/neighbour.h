// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "stack/core/net.h"
#include "stack/ipv4/ipv4_address.h"

namespace nicroscope::net {

/// What is known of a neighbour's hardware address (RFC 4861 7.3.2, which Linux follows for ARP).
///
///     NONE -> INCOMPLETE -> REACHABLE -> STALE -> DELAY -> PROBE -> FAILED
///                 |             ^                   |        |
///                 +-> FAILED    +---- an answer ----+--------+
enum nud_state : std::uint8_t {
  NUD_NONE,
  NUD_INCOMPLETE,  ///< asked, no answer yet: packets wait
  NUD_REACHABLE,   ///< answered lately
  NUD_STALE,       ///< answered some time ago: used, and then asked again
  NUD_DELAY,       ///< used while stale; the upper layers may yet confirm it
  NUD_PROBE,       ///< asked again, by unicast
  NUD_FAILED,      ///< did not answer
};
[[nodiscard]] std::string_view to_string(nud_state state) noexcept;

/// Linux's defaults (net/ipv4/arp.c: arp_tbl). Reachable time is not randomised here.
struct neigh_parms {
  Duration reachable_time = std::chrono::seconds{30};
  Duration retrans_time = std::chrono::seconds{1};
  Duration delay_probe_time = std::chrono::seconds{5};
  Duration gc_staletime = std::chrono::seconds{60};
  Duration locktime = std::chrono::seconds{1};  ///< an answer holds against others for so long
  unsigned mcast_probes = 3;
  unsigned ucast_probes = 3;
  std::size_t unres_qlen = 101;   ///< packets that wait for one neighbour
  std::size_t gc_thresh3 = 1024;  ///< entries
};

/// One neighbour.
struct neighbour {
  neighbour(kernel::Kernel& kernel, net_device& device, ipv4_address key,
            std::function<void()> timer_function)
      : dev(device), primary_key(key), timer(kernel, std::move(timer_function)) {}

  net_device& dev;
  const ipv4_address primary_key;
  nud_state state = NUD_NONE;
  mac_address ha;       ///< valid from REACHABLE on, and in FAILED what it was
  unsigned probes = 0;  ///< sent without an answer
  Time confirmed{};
  Time updated{};
  Time used{};
  sk_buff_head arp_queue;
  kernel::timer_list timer;
};

/// How a table asks, and whom it tells (Linux: struct neigh_ops).
class neigh_ops {
 public:
  virtual ~neigh_ops() = default;
  /// Asks for the address. `skb` is a packet that waits for it, or null.
  virtual void solicit(neighbour& neigh, const sk_buff* skb) = 0;
  /// The neighbour of a waiting packet did not answer. Takes the packet.
  virtual void error_report(skb_ptr skb) = 0;
};

/// The neighbours of one protocol (Linux: net/core/neighbour.c). Softirqs are disabled in all
/// calls.
class neigh_table {
 public:
  neigh_table(Net& net, neigh_ops& ops, neigh_parms parms = {});
  neigh_table(const neigh_table&) = delete;
  neigh_table& operator=(const neigh_table&) = delete;

  /// Null if it is not known.
  [[nodiscard]] neighbour* neigh_lookup(const net_device& dev, ipv4_address key) const;
  /// Finds or makes it. Null if the table is full of entries in use.
  [[nodiscard]] neighbour* neigh_create(net_device& dev, ipv4_address key);

  /// Puts an Ethernet header before the packet and sends it to `next_hop`, or queues it until the
  /// address is known. False if it was dropped.
  bool neigh_resolve_output(skb_ptr skb, net_device& dev, ipv4_address next_hop,
                            std::uint16_t protocol);

  /// Takes what was heard of the neighbour: `state` is NUD_REACHABLE or NUD_STALE. Without
  /// `override` a different address is not taken from an answer while the old one is valid.
  void neigh_update(neighbour& neigh, const mac_address& ha, nud_state state, bool override);
  /// A neighbour asked us, which shows its address, though not that we reach it.
  void neigh_event_ns(net_device& dev, ipv4_address key, const mac_address& ha);

  /// Forgets the neighbours of a device that went down.
  void neigh_ifdown(const net_device& dev);

  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  [[nodiscard]] const neigh_parms& parms() const noexcept { return parms_; }
  /// As `ip neigh`: a line a neighbour.
  [[nodiscard]] std::string text() const;

 private:
  using Key = std::pair<unsigned, ipv4_address>;  ///< ifindex, address

  void timer_handler(neighbour& neigh);
  void probe(neighbour& neigh);
  void invalidate(neighbour& neigh);
  void arm(neighbour& neigh, Duration delay);
  void enter(neighbour& neigh, nud_state state);
  void schedule_gc();
  void collect();
  bool send(skb_ptr skb, net_device& dev, const mac_address& ha, std::uint16_t protocol);

  Net& net_;
  neigh_ops& ops_;
  const neigh_parms parms_;
  std::map<Key, std::unique_ptr<neighbour>> entries_;
  kernel::timer_list gc_timer_;
};

/// Puts an Ethernet header before the packet, which has the headroom or is given it. False without
/// memory.
[[nodiscard]] bool dev_hard_header(sk_buff& skb, net_device& dev, const mac_address& destination,
                                   std::uint16_t protocol);

}  // namespace nicroscope::net
