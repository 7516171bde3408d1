// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "stack/core/mib.h"
#include "stack/core/net_device.h"
#include "stack/core/skb_allocator.h"
#include "stack/kernel/kernel.h"

namespace nicroscope::net {

class Softnet;

/// Receives packets of one Ethernet protocol, or of all (Linux: struct packet_type).
class packet_type {
 public:
  /// `type`: an EtherType, kEthP8022, kEthP8023, or kEthPAll for a tap, which sees received
  /// packets before any protocol and transmitted ones before the driver. `dev`: null for every one.
  packet_type(std::uint16_t type, net_device* dev) : type_(type), dev_(dev) {}
  packet_type(const packet_type&) = delete;
  packet_type& operator=(const packet_type&) = delete;
  virtual ~packet_type() = default;

  /// `skb`: data at the network header; the frame's header before it at skb_mac_header(). Takes it,
  /// and frees it when done; its data may be shared with other handlers.
  virtual void func(skb_ptr skb) = 0;

  [[nodiscard]] std::uint16_t type() const noexcept { return type_; }
  [[nodiscard]] net_device* dev() const noexcept { return dev_; }
  /// The socket behind a tap, which does not see what it sends itself; null if there is none.
  [[nodiscard]] virtual const sock* owner() const noexcept { return nullptr; }

 private:
  const std::uint16_t type_;
  net_device* const dev_;
};

/// Told when a device goes up or down (Linux: a netdevice notifier).
class netdev_notifier {
 public:
  virtual ~netdev_notifier() = default;
  virtual void netdev_up(net_device& dev) = 0;
  virtual void netdev_down(net_device& dev) = 0;
  /// The neighbours are to be told where this host is (Linux: NETDEV_NOTIFY_PEERS).
  virtual void netdev_notify_peers(net_device& /*dev*/) {}
};

/// The device layer of one host (Linux: struct net and net/core/dev.c).
class Net {
 public:
  explicit Net(kernel::Kernel& kernel);
  Net(const Net&) = delete;
  Net& operator=(const Net&) = delete;
  /// Devices must have been unregistered.
  ~Net();

  [[nodiscard]] kernel::Kernel& kernel() noexcept { return kernel_; }
  [[nodiscard]] TraceBus& trace() noexcept { return kernel_.trace(); }
  [[nodiscard]] skb_allocator& skbs() noexcept { return skbs_; }
  [[nodiscard]] Softnet& softnet() noexcept { return *softnet_; }
  void spend(kernel::Cost cost, std::uint64_t count = 1) { kernel_.spend(cost, count); }

  /// Names a frame that this host makes.
  [[nodiscard]] FrameId next_frame() noexcept { return next_frame_++; }

  /// Names a socket for the trace, from 1.
  [[nodiscard]] std::uint32_t next_socket() noexcept { return ++sockets_; }

  // ---- devices
  /// Gives it an ifindex, from 1. False if the name is taken.
  [[nodiscard]] bool register_netdev(net_device& dev);
  /// Takes it down first.
  void unregister_netdev(net_device& dev);
  [[nodiscard]] const std::vector<net_device*>& devices() const noexcept { return devices_; }
  /// Null if there is none.
  [[nodiscard]] net_device* dev_get_by_index(unsigned ifindex) const noexcept;
  [[nodiscard]] net_device* dev_get_by_name(std::string_view name) const noexcept;
  /// As /proc/net/dev.
  [[nodiscard]] std::string proc_net_dev() const;
  void add_notifier(netdev_notifier& notifier) { notifiers_.push_back(&notifier); }
  /// For drivers: the host may have moved to another place of the network.
  void notify_peers(net_device& dev) {
    for (netdev_notifier* notifier : notifiers_) notifier->netdev_notify_peers(dev);
  }
  void remove_notifier(netdev_notifier& notifier) { std::erase(notifiers_, &notifier); }

  // ---- handlers
  /// The handler must outlive the host's traffic or be removed.
  void dev_add_pack(packet_type& handler);
  void dev_remove_pack(packet_type& handler);

  /// Hands a packet to the handlers of skb->protocol alone (Linux: after a decapsulation).
  void deliver_ptype(skb_ptr skb);

  Mib mib;

 private:
  friend void __netif_receive_skb(skb_ptr skb);
  friend void dev_queue_xmit_nit(const sk_buff& skb, net_device& dev);
  friend void netif_schedule(netdev_queue& txq);
  friend void dev_consume_skb_any(skb_ptr skb);
  friend bool dev_open(net_device& dev);
  friend void dev_close(net_device& dev);

  void net_tx_action();

  kernel::Kernel& kernel_;
  skb_allocator skbs_;
  std::unique_ptr<Softnet> softnet_;
  FrameId next_frame_ = kFirstHostFrame;
  std::uint32_t sockets_ = 0;
  unsigned next_ifindex_ = 1;
  std::vector<net_device*> devices_;
  std::vector<netdev_notifier*> notifiers_;
  std::vector<packet_type*> ptype_all_;
  std::vector<packet_type*> ptype_base_;
  std::deque<netdev_queue*> output_queue_;
  sk_buff_head completion_queue_;  ///< sent packets that an interrupt could not free
};

/// Softirqs are off while it lives: process context shares data with the receive path.
class bh_guard {
 public:
  explicit bh_guard(Net& net) : cpu_(net.kernel().cpu()) { cpu_.local_bh_disable(); }
  bh_guard(const bh_guard&) = delete;
  bh_guard& operator=(const bh_guard&) = delete;
  ~bh_guard() noexcept(false) { cpu_.local_bh_enable(); }

 private:
  kernel::Cpu& cpu_;
};

/// Shows a packet that is about to be transmitted to the taps.
void dev_queue_xmit_nit(const sk_buff& skb, net_device& dev);
/// Lets the NET_TX softirq run the queue's discipline.
void netif_schedule(netdev_queue& txq);

}  // namespace nicroscope::net
