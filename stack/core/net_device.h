// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "stack/core/ethernet.h"
#include "stack/core/netdev_features.h"
#include "stack/core/netdev_queue.h"
#include "stack/core/sk_buff.h"

namespace nicroscope::net {

class Net;
class net_device;

/// What ndo_start_xmit did (Linux: enum netdev_tx).
enum netdev_tx_t : std::uint8_t {
  NETDEV_TX_OK,    ///< the driver took the packet
  NETDEV_TX_BUSY,  ///< it did not; the packet is still the caller's, to be tried again
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
  std::uint64_t rx_frame_errors = 0;
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
  /// Sends `skb` (from its Ethernet header on, without padding or FCS) on the transmit queue
  /// skb->queue_mapping, whose lock the caller holds. With NETDEV_TX_OK the driver has taken it out
  /// of `skb`, even if it then dropped and counted it; with NETDEV_TX_BUSY it leaves `skb` alone,
  /// and has stopped its queue or is about to wake it.
  [[nodiscard]] virtual netdev_tx_t ndo_start_xmit(skb_ptr& skb, net_device& dev) = 0;
  /// False if the device cannot carry frames of that size.
  [[nodiscard]] virtual bool ndo_change_mtu(net_device& dev, unsigned mtu) = 0;

  // ---- what a simple driver leaves out; all in process context
  /// The device's flags or address lists changed.
  virtual void ndo_set_rx_mode(net_device& /*dev*/) {}
  /// False if the device does not take the station address.
  [[nodiscard]] virtual bool ndo_set_mac_address(net_device& /*dev*/,
                                                 const mac_address& /*address*/) {
    return true;
  }
  /// Frames of VLAN `vid` are wanted, or not any more. False if the device could not be told.
  [[nodiscard]] virtual bool ndo_vlan_rx_add_vid(net_device& /*dev*/, std::uint16_t /*vid*/) {
    return true;
  }
  [[nodiscard]] virtual bool ndo_vlan_rx_kill_vid(net_device& /*dev*/, std::uint16_t /*vid*/) {
    return true;
  }
  /// The features that there would be if `wanted` were asked for: what depends on others falls.
  [[nodiscard]] virtual std::uint32_t ndo_fix_features(net_device& /*dev*/, std::uint32_t wanted) {
    return wanted;
  }
  /// Makes it so. False if the device refused; nothing changes then.
  [[nodiscard]] virtual bool ndo_set_features(net_device& /*dev*/, std::uint32_t /*features*/) {
    return true;
  }
  /// A transmit queue has been stopped for net_device::watchdog_timeo with packets waiting.
  virtual void ndo_tx_timeout(net_device& /*dev*/, std::uint16_t /*queue*/) {}
};

/// A network interface of one host.
class net_device {
 public:
  /// `ops` must outlive the device. All of its queues are in use at first.
  net_device(std::string name, mac_address address, unsigned mtu, net_device_ops& ops,
             std::uint16_t tx_queues = 1, std::uint16_t rx_queues = 1);
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
  [[nodiscard]] bool is_up() const noexcept { return up_; }

  // ---- transmit queues
  [[nodiscard]] std::uint16_t num_tx_queues() const noexcept {
    return static_cast<std::uint16_t>(tx_.size());
  }
  [[nodiscard]] netdev_queue& tx_queue(std::uint16_t n) const noexcept { return *tx_[n]; }
  /// How many are in use, from the first on; and receive queues.
  [[nodiscard]] std::uint16_t real_num_tx_queues() const noexcept { return real_tx_; }
  [[nodiscard]] std::uint16_t num_rx_queues() const noexcept { return num_rx_; }
  [[nodiscard]] std::uint16_t real_num_rx_queues() const noexcept { return real_rx_; }
  /// The discipline of the first queue.
  [[nodiscard]] Qdisc& qdisc() const noexcept { return *tx_.front()->qdisc; }

  // ---- who is listened to
  /// Promiscuous, or all multicast frames, is wanted by so many.
  [[nodiscard]] unsigned promiscuity() const noexcept { return promiscuity_; }
  [[nodiscard]] unsigned allmulti() const noexcept { return allmulti_; }
  /// Further addresses: unicast and multicast.
  [[nodiscard]] const std::vector<mac_address>& uc() const noexcept { return uc_; }
  [[nodiscard]] const std::vector<mac_address>& mc() const noexcept { return mc_; }
  [[nodiscard]] const std::vector<std::uint16_t>& vlans() const noexcept { return vlans_; }

  /// A sum of netdev_features: what is on. Set before register_netdev, then by
  /// netdev_update_features.
  std::uint32_t features = 0;
  /// What can be changed.
  std::uint32_t hw_features = 0;
  /// The transmit queue by CPU (XPS); empty: by the packet's hash.
  std::vector<std::uint16_t> xps;
  /// How long a queue may be stopped before ndo_tx_timeout; 0: for ever.
  Duration watchdog_timeo{0};
  net_device_stats stats;

 private:
  friend class Net;
  friend void netif_carrier_on(net_device& dev);
  friend void netif_carrier_off(net_device& dev) noexcept;
  friend bool netif_carrier_ok(const net_device& dev) noexcept;
  friend bool dev_open(net_device& dev);
  friend void dev_close(net_device& dev);
  friend bool dev_set_mtu(net_device& dev, unsigned mtu);
  friend bool dev_set_mac_address(net_device& dev, const mac_address& address);
  friend void netif_set_real_num_queues(net_device& dev, std::uint16_t tx, std::uint16_t rx);
  friend void dev_set_promiscuity(net_device& dev, int change);
  friend void dev_set_allmulti(net_device& dev, int change);
  friend bool dev_addr_add(net_device& dev, const mac_address& address);
  friend bool dev_addr_del(net_device& dev, const mac_address& address);
  friend bool vlan_vid_add(net_device& dev, std::uint16_t vid);
  friend bool vlan_vid_del(net_device& dev, std::uint16_t vid);
  friend bool netdev_update_features(net_device& dev, std::uint32_t wanted);

  std::string name_;
  mac_address dev_addr_;
  unsigned mtu_;
  unsigned ifindex_ = 0;
  bool up_ = false;
  bool carrier_ = false;
  net_device_ops& ops_;
  Net* net_ = nullptr;
  std::vector<std::unique_ptr<netdev_queue>> tx_;
  std::uint16_t real_tx_;
  std::uint16_t num_rx_;
  std::uint16_t real_rx_;
  unsigned promiscuity_ = 0;
  unsigned allmulti_ = 0;
  std::vector<mac_address> uc_;
  std::vector<mac_address> mc_;
  std::vector<std::uint16_t> vlans_;
};

// ---- for drivers -------------------------------------------------------------------------------

/// The same for a device of one transmit queue, or for the first of several.
inline void netif_stop_queue(net_device& dev) { netif_tx_stop_queue(dev.tx_queue(0)); }
inline void netif_wake_queue(net_device& dev) { netif_tx_wake_queue(dev.tx_queue(0)); }
[[nodiscard]] inline bool netif_queue_stopped(const net_device& dev) noexcept {
  return netif_tx_queue_stopped(dev.tx_queue(0));
}
/// All transmit queues.
void netif_tx_stop_all_queues(net_device& dev);
void netif_tx_wake_all_queues(net_device& dev);
/// Stops them all and waits until nobody sends any more. In process context.
void netif_tx_disable(net_device& dev);

/// Uses the first `tx` and `rx` queues from now on. What waits in the discipline of another is
/// dropped and counted. In process context.
void netif_set_real_num_queues(net_device& dev, std::uint16_t tx, std::uint16_t rx);

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

/// The station address from now on. False if it is a group address or zero, or if the driver
/// refuses it. In process context.
[[nodiscard]] bool dev_set_mac_address(net_device& dev, const mac_address& address);

// ---- all of these in process context
/// One more (+1) or one less (-1) wants all frames, or all multicast frames.
void dev_set_promiscuity(net_device& dev, int change);
void dev_set_allmulti(net_device& dev, int change);
/// Adds a unicast or multicast address to those that are listened to, or takes it out. False if it
/// is there already, or is not there.
[[nodiscard]] bool dev_addr_add(net_device& dev, const mac_address& address);
[[nodiscard]] bool dev_addr_del(net_device& dev, const mac_address& address);
/// Frames of a VLAN, where the device filters them. False if it is there already or is not, or if
/// the driver failed.
[[nodiscard]] bool vlan_vid_add(net_device& dev, std::uint16_t vid);
[[nodiscard]] bool vlan_vid_del(net_device& dev, std::uint16_t vid);
/// Turns features on and off, as far as they can be changed and depend on each other. False if the
/// driver failed.
[[nodiscard]] bool netdev_update_features(net_device& dev, std::uint32_t wanted);
/// Nothing that was merged may come from the device any more: it is about to be forwarded or
/// captured as it came (Linux: dev_disable_lro, dev_disable_gro_hw).
[[nodiscard]] bool dev_disable_lro(net_device& dev);

/// Sends a packet whose data is a whole frame from the Ethernet header on, through the queueing
/// discipline of skb->dev. False if the packet was dropped (and counted).
bool dev_queue_xmit(skb_ptr skb);

/// Makes the checksum of a CHECKSUM_PARTIAL packet in software. False without memory.
[[nodiscard]] bool skb_checksum_help(sk_buff& skb);

}  // namespace nicroscope::net
