// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "stack/core/net.h"
#include "stack/ipv4/neighbour.h"
#include "stack/ipv4/route.h"

namespace nicroscope::net {

/// ar$op (RFC 826).
enum arp_op : std::uint16_t { ARPOP_REQUEST = 1, ARPOP_REPLY = 2 };

/// An ARP packet for IPv4 over Ethernet (RFC 826): hardware and protocol type, their address
/// lengths, the operation; sender's hardware and protocol address, target's likewise.
class ArpView {
 public:
  static constexpr unsigned kSize = 28;
  static constexpr std::uint16_t kHardwareEthernet = 1;

  /// Nothing if there are fewer than 28 bytes.
  [[nodiscard]] static std::optional<ArpView> parse(std::span<std::byte> bytes) noexcept {
    if (bytes.size() < kSize) return std::nullopt;
    return ArpView(bytes.data());
  }
  /// The types and lengths are those of IPv4 over Ethernet.
  [[nodiscard]] bool is_ipv4_over_ethernet() const noexcept {
    return load_be16(p_) == kHardwareEthernet && load_be16(p_ + 2) == kEthPIp &&
           p_[4] == std::byte{kEthAlen} && p_[5] == std::byte{4};
  }
  [[nodiscard]] std::uint16_t op() const noexcept { return load_be16(p_ + 6); }
  [[nodiscard]] mac_address sha() const noexcept { return mac_address::load(p_ + 8); }
  [[nodiscard]] ipv4_address sip() const noexcept { return ipv4_address::load(p_ + 14); }
  [[nodiscard]] mac_address tha() const noexcept { return mac_address::load(p_ + 18); }
  [[nodiscard]] ipv4_address tip() const noexcept { return ipv4_address::load(p_ + 24); }

  void set(arp_op op, const mac_address& sha, ipv4_address sip, const mac_address& tha,
           ipv4_address tip) noexcept {
    store_be16(p_, kHardwareEthernet);
    store_be16(p_ + 2, kEthPIp);
    p_[4] = std::byte{kEthAlen};
    p_[5] = std::byte{4};
    store_be16(p_ + 6, op);
    sha.store(p_ + 8);
    sip.store(p_ + 14);
    tha.store(p_ + 18);
    tip.store(p_ + 24);
  }

 private:
  explicit ArpView(std::byte* p) noexcept : p_(p) {}
  std::byte* p_;
};

/// Address resolution (Linux: net/ipv4/arp.c): answers for this host's addresses, keeps the
/// neighbour table, and takes IPv4 packets over the last step to the device.
class Arp final : public packet_type, private neigh_ops {
 public:
  /// `link_failure` is told of packets whose next hop does not answer (Linux: dst_link_failure).
  Arp(Net& net, const Fib& fib, std::function<void(const sk_buff& skb)> link_failure,
      neigh_parms parms);
  ~Arp() override;

  /// arp_rcv.
  void func(skb_ptr skb) override;

  /// Sends an IPv4 packet to its next hop; broadcast and multicast addresses need no asking. False
  /// if it was dropped. Softirqs are disabled.
  bool output(skb_ptr skb, const rtable& rt);

  /// Tells the link this host's addresses on the device (a gratuitous request, RFC 5227 2.3).
  void arp_announce(net_device& dev, ipv4_address address);

  [[nodiscard]] neigh_table& table() noexcept { return table_; }

 private:
  void arp_process(const ArpView& arp, sk_buff& skb);
  void arp_send(arp_op op, net_device& dev, const mac_address& destination, ipv4_address sip,
                const mac_address& tha, ipv4_address tip);
  void solicit(neighbour& neigh, const sk_buff* skb) override;
  void error_report(skb_ptr skb) override;

  Net& net_;
  const Fib& fib_;
  std::function<void(const sk_buff& skb)> link_failure_;
  neigh_table table_;
};

}  // namespace nicroscope::net
