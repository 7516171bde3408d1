// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

#include "stack/core/net.h"
#include "stack/core/result.h"
#include "stack/ipv4/arp.h"
#include "stack/ipv4/icmp.h"
#include "stack/ipv4/ip_fragment.h"
#include "stack/ipv4/ip_header.h"
#include "stack/ipv4/net_protocol.h"
#include "stack/ipv4/redirect.h"
#include "stack/ipv4/route.h"
#include "stack/ipv4/udp.h"

namespace nicroscope::net {

struct ipv4_config {
  neigh_parms neigh;
  frag_parms frags;
  std::uint8_t default_ttl = 64;
  bool arp_notify = true;  ///< announce addresses when a device goes up
};

/// What of Linux's net.ipv4.* can be set while it runs.
struct ipv4_sysctl {
  bool ip_forward = false;     ///< pass on what is for other hosts
  bool send_redirects = true;  ///< tell senders on the link of a shorter way
  bool rp_filter = false;      ///< drop what comes from where answers would not go (RFC 3704 2.2)
};

/// How a packet is to be sent.
struct ip_tx_params {
  rtable rt;
  ipv4_address daddr;
  std::uint8_t protocol = 0;
  std::uint8_t tos = 0;
  std::uint8_t ttl = 0;        ///< 0: the default
  bool dont_fragment = false;  ///< set DF if the packet fits the MTU
};

/// Room that a packet needs before its transport header.
inline constexpr std::uint32_t kIpHeadroom = NET_SKB_PAD + kEthHlen + NET_IP_ALIGN + kIpHlen;

/// The IPv4 layer of one host (Linux: net/ipv4). Receives in softirq context:
///
///     ip_rcv -> ip_rcv_finish -> ip_local_deliver -> net_protocol::handler
///                             -> ip_forward -> ip_output
class Ipv4 final : public packet_type, private netdev_notifier {
  std::array<net_protocol*, 256> protocols_{};  // before the protocols, which register themselves

 public:
  explicit Ipv4(Net& network, const ipv4_config& config = {});
  ~Ipv4() override;

  /// ip_rcv.
  void func(skb_ptr skb) override;

  /// The handler must outlive the traffic.
  void inet_add_protocol(std::uint8_t protocol, net_protocol& handler);
  /// Null if there is none.
  [[nodiscard]] net_protocol* protocol_handler(std::uint8_t protocol) const noexcept {
    return protocols_[protocol];
  }

  /// Puts an IPv4 header before a packet whose data is at the transport header, and sends it. The
  /// packet is gone in any case; EMSGSIZE, ENOBUFS.
  Errno ip_send_skb(skb_ptr skb, const ip_tx_params& params);
  /// What a packet of `len` bytes behind the IPv4 header will be fragmented to: more than one?
  [[nodiscard]] static bool needs_fragments(const rtable& rt, std::size_t len) noexcept {
    return len + kIpHlen > rt.dev->mtu();
  }
  /// The next identification for a packet that may be fragmented.
  [[nodiscard]] std::uint16_t next_id() noexcept { return id_++; }

  /// Gives a device an address, and announces it if the device is up. False if it cannot be had.
  [[nodiscard]] bool add_address(net_device& dev, const ipv4_prefix& address);

  Net& net;
  const ipv4_config config;
  ipv4_sysctl sysctl;
  Fib fib;
  Arp arp;
  IpDefrag defrag;
  Icmp icmp;
  Redirects redirects;
  Udp udp;

 private:
  void ip_rcv_finish(skb_ptr skb);
  void ip_local_deliver(skb_ptr skb);
  void ip_forward(skb_ptr skb);
  [[nodiscard]] skb_drop_reason ip_route_input(const sk_buff& skb, rtable& rt);
  void link_failure(const sk_buff& skb);
  [[nodiscard]] bool ip_rcv_options(const sk_buff& skb);
  Errno ip_output(skb_ptr skb, const rtable& rt);
  Errno ip_finish_output2(skb_ptr skb, const rtable& rt);
  Errno ip_do_fragment(skb_ptr skb, const rtable& rt);
  void netdev_up(net_device& dev) override;
  void netdev_notify_peers(net_device& dev) override { netdev_up(dev); }
  void netdev_down(net_device& dev) override;

  std::uint16_t id_ = 1;
};

/// Linux: ip_exceeds_mtu. Of a super-frame, whether its pieces do; its headers are linear.
[[nodiscard]] bool ip_exceeds_mtu(const sk_buff& skb, unsigned mtu) noexcept;

/// The IPv4 header of a packet whose network header is set and was checked.
[[nodiscard]] inline Ipv4View ip_hdr(const sk_buff& skb) noexcept {
  return Ipv4View::at(skb_network_header(skb));
}

}  // namespace nicroscope::net
