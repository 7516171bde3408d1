// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "stack/core/ethernet.h"
#include "stack/core/sk_buff.h"

namespace nicroscope::net {

class Net;
class Qdisc;
class net_device;

/// What ndo_start_xmit did (Linux: enum netdev_tx).
enum netdev_tx_t : std::uint8_t {
  NETDEV_TX_OK,    ///< the driver took the packet
  NETDEV_TX_BUSY,  ///< it did not; the packet is still the caller's, to be tried again
};

/// What the device can do (Linux: netdev_features_t).
enum netdev_features : std::uint32_t {
  NETIF_F_SG = 1U << 0U,        ///< start_xmit takes packets with fragments
  NETIF_F_HW_CSUM = 1U << 1U,   ///< start_xmit takes CHECKSUM_PARTIAL
  NETIF_F_RXCSUM = 1U << 2U,    ///< received packets may be CHECKSUM_UNNECESSARY
  NETIF_F_LOOPBACK = 1U << 4U,  ///< what it sends comes back: nobody there to ask for an address
  NETIF_F_FRAGLIST = 1U << 3U,  ///< start_xmit takes packets with a frag_list
};

/// Linux's struct rtnl_link_stats64, what this stack and its drivers count of it. Drivers count
/// what they receive, send and fail at; the stack adds multicast, rx_nohandler and its own
/// tx_dropped.
struct net_device_stats {
  std::uint64_t rx_packets = 0;
  std::uint64_t rx_bytes = 0;
  std::uint64_t rx_errors = 0;
  std::uint64_t rx_dropped = 0;
  std::uint64_t rx_length_errors = 0;
  std::uint64_t rx_nohandler = 0;
  std::uint64_t multicast = 0;
  std::uint64_t tx_packets = 0;
  std::uint64_t tx_bytes = 0;
  std::uint64_t tx_errors = 0;
  std::uint64_t tx_dropped = 0;
};

/// What a driver implements. Called in process or softirq context; never from a hard interrupt.
class net_device_ops {
 public:
  virtual ~net_device_ops() = default;

  /// Makes the device send and receive. False if it could not.
  [[nodiscard]] virtual bool ndo_open(net_device& dev) = 0;
  /// Stops it; when this returns every packet that the driver held is freed.
  virtual void ndo_stop(net_device& dev) = 0;
  /// Sends `skb` (from its Ethernet header on, without padding or FCS). With NETDEV_TX_OK the
  /// driver has taken it out of `skb`, even if it then dropped and counted it; with NETDEV_TX_BUSY
  /// it leaves `skb` alone, and has stopped its queue or is about to wake it.
  [[nodiscard]] virtual netdev_tx_t ndo_start_xmit(skb_ptr& skb, net_device& dev) = 0;
  /// False if the device cannot carry frames of that size.
  [[nodiscard]] virtual bool ndo_change_mtu(net_device& dev, unsigned mtu) = 0;
};

/// A network interface of one host.
class net_device {
 public:
  /// `ops` must outlive the device.
  net_device(std::string name, mac_address address, unsigned mtu, net_device_ops& ops);
  net_device(const net_device&) = delete;
  net_device& operator=(const net_device&) = delete;
  ~net_device();

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] const mac_address& dev_addr() const noexcept { return dev_addr_; }
  [[nodiscard]] unsigned mtu() const noexcept { return mtu_; }
  [[nodiscard]] unsigned ifindex() const noexcept { return ifindex_; }
  [[nodiscard]] net_device_ops& ops() const noexcept { return ops_; }
  /// The host's network that the device is registered with; only after register_netdev.
  [[nodiscard]] Net& net() const noexcept { return *net_; }
  [[nodiscard]] Qdisc& qdisc() const noexcept { return *qdisc_; }
  [[nodiscard]] bool is_up() const noexcept { return up_; }

  /// A sum of netdev_features; set before register_netdev.
  std::uint32_t features = 0;
  net_device_stats stats;

 private:
  friend class Net;
  friend void netif_stop_queue(net_device& dev) noexcept;
  friend void netif_wake_queue(net_device& dev);
  friend bool netif_queue_stopped(const net_device& dev) noexcept;
  friend void netif_carrier_on(net_device& dev);
  friend void netif_carrier_off(net_device& dev) noexcept;
  friend bool netif_carrier_ok(const net_device& dev) noexcept;
  friend bool dev_open(net_device& dev);
  friend void dev_close(net_device& dev);
  friend bool dev_set_mtu(net_device& dev, unsigned mtu);
  friend bool dev_set_mac_address(net_device& dev, const mac_address& address);

  std::string name_;
  mac_address dev_addr_;
  unsigned mtu_;
  unsigned ifindex_ = 0;
  bool up_ = false;
  bool queue_stopped_ = false;
  bool carrier_ = false;
  net_device_ops& ops_;
  Net* net_ = nullptr;
  std::unique_ptr<Qdisc> qdisc_;
};

// ---- for drivers -------------------------------------------------------------------------------

/// The transmit queue is full: no start_xmit until it is woken.
void netif_stop_queue(net_device& dev) noexcept;
/// There is room again: the queueing discipline runs in the NET_TX softirq.
void netif_wake_queue(net_device& dev);
[[nodiscard]] bool netif_queue_stopped(const net_device& dev) noexcept;

/// The link is up or down; without a link packets wait in the queueing discipline.
void netif_carrier_on(net_device& dev);
void netif_carrier_off(net_device& dev) noexcept;
[[nodiscard]] bool netif_carrier_ok(const net_device& dev) noexcept;

/// A packet for `size` received bytes, with NET_SKB_PAD + NET_IP_ALIGN bytes of headroom, `dev`
/// set. Null without memory (Linux: netdev_alloc_skb_ip_align).
[[nodiscard]] skb_ptr netdev_alloc_skb(net_device& dev, std::uint32_t size);

/// Takes the Ethernet header off: sets protocol, pkt_type, mac_header, and pulls 14 bytes. The
/// packet must have been checked to hold kEthHlen linear bytes. Returns the protocol that it set:
/// the EtherType, kEthP8023 for raw Novell frames or kEthP8022 for those with an LLC header.
std::uint16_t eth_type_trans(sk_buff& skb, net_device& dev);

/// Hands a received packet up (after eth_type_trans; data at the network header). Softirq context.
void netif_receive_skb(skb_ptr skb);

// ---- for everybody -----------------------------------------------------------------------------

/// Brings the interface up and down. dev_open returns false if the driver could not.
[[nodiscard]] bool dev_open(net_device& dev);
void dev_close(net_device& dev);
/// False if the driver refuses the size.
[[nodiscard]] bool dev_set_mtu(net_device& dev, unsigned mtu);

/// The station address from now on, where the device itself has no filter to be told of it. False
/// if it is a group address or zero (Linux: dev_set_mac_address, eth_prepare_mac_addr_change).
[[nodiscard]] bool dev_set_mac_address(net_device& dev, const mac_address& address);

/// Sends a packet whose data is a whole frame from the Ethernet header on, through the queueing
/// discipline of skb->dev. False if the packet was dropped (and counted).
bool dev_queue_xmit(skb_ptr skb);

/// Makes the checksum of a CHECKSUM_PARTIAL packet in software. False without memory.
[[nodiscard]] bool skb_checksum_help(sk_buff& skb);

}  // namespace nicroscope::net
