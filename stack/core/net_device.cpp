// SPDX-License-Identifier: Apache-2.0
// A device's state: up and down, addresses, features (Linux: net/core/dev.c, dev_addr_lists.c).
#include "stack/core/net_device.h"

#include <algorithm>

#include "stack/core/net.h"
#include "stack/core/qdisc.h"

namespace nicroscope::net {

net_device::net_device(std::string name, mac_address address, unsigned mtu, net_device_ops& ops,
                       std::uint16_t tx_queues, std::uint16_t rx_queues)
    : name_(std::move(name)),
      dev_addr_(address),
      mtu_(mtu),
      ops_(ops),
      real_tx_(tx_queues),
      num_rx_(rx_queues),
      real_rx_(rx_queues) {
  for (std::uint16_t n = 0; n < tx_queues; ++n) {
    tx_.push_back(std::make_unique<netdev_queue>(*this, n));
  }
}

net_device::~net_device() { kernel::bug_on(net_ != nullptr, "a registered device goes away"); }

// ---- up and down
// ---------------------------------------------------------------------------------

bool dev_open(net_device& dev) {
  if (dev.up_) return true;
  dev.up_ = true;
  if (!dev.ops_.ndo_open(dev)) {
    dev.up_ = false;
    return false;
  }
  for (netdev_notifier* notifier : dev.net_->notifiers_) notifier->netdev_up(dev);
  return true;
}

void dev_close(net_device& dev) {
  if (!dev.up_) return;
  for (netdev_notifier* notifier : dev.net_->notifiers_) notifier->netdev_down(dev);
  dev.up_ = false;
  {
    const bh_guard guard(*dev.net_);
    for (const auto& txq : dev.tx_) txq->qdisc->reset(skb_drop_reason::DEV_DOWN);
  }
  dev.ops_.ndo_stop(dev);
}

void netif_carrier_on(net_device& dev) {
  if (dev.carrier_) return;
  dev.carrier_ = true;
  for (const auto& txq : dev.tx_) {
    if (txq->qdisc != nullptr && txq->qdisc->qlen() != 0) netif_schedule(*txq);
  }
}

void netif_carrier_off(net_device& dev) noexcept { dev.carrier_ = false; }
bool netif_carrier_ok(const net_device& dev) noexcept { return dev.carrier_; }

bool dev_set_mtu(net_device& dev, unsigned mtu) {
  if (!dev.ops_.ndo_change_mtu(dev, mtu)) return false;
  dev.mtu_ = mtu;
  return true;
}

void netif_set_real_num_queues(net_device& dev, std::uint16_t tx, std::uint16_t rx) {
  kernel::bug_on(tx == 0 || tx > dev.num_tx_queues() || rx == 0 || rx > dev.num_rx_queues(),
                 "a device has no such number of queues");
  dev.real_tx_ = tx;
  dev.real_rx_ = rx;
  const bh_guard guard(*dev.net_);
  for (std::uint16_t n = tx; n < dev.num_tx_queues(); ++n) {
    Qdisc& qdisc = *dev.tx_queue(n).qdisc;
    dev.stats.tx_dropped += qdisc.qlen();
    qdisc.reset(skb_drop_reason::QDISC_DROP);
  }
}

// ---- who is listened to
// --------------------------------------------------------------------------

bool dev_set_mac_address(net_device& dev, const mac_address& address) {
  if (address.is_multicast() || address.is_zero()) return false;
  if (!dev.ops_.ndo_set_mac_address(dev, address)) return false;
  dev.dev_addr_ = address;
  return true;
}

void dev_set_promiscuity(net_device& dev, int change) {
  const unsigned before = dev.promiscuity_;
  dev.promiscuity_ = static_cast<unsigned>(static_cast<int>(before) + change);
  if ((before == 0) != (dev.promiscuity_ == 0)) dev.ops_.ndo_set_rx_mode(dev);
}

void dev_set_allmulti(net_device& dev, int change) {
  const unsigned before = dev.allmulti_;
  dev.allmulti_ = static_cast<unsigned>(static_cast<int>(before) + change);
  if ((before == 0) != (dev.allmulti_ == 0)) dev.ops_.ndo_set_rx_mode(dev);
}

bool dev_addr_add(net_device& dev, const mac_address& address) {
  auto& list = address.is_multicast() ? dev.mc_ : dev.uc_;
  if (std::find(list.begin(), list.end(), address) != list.end()) return false;
  list.push_back(address);
  dev.ops_.ndo_set_rx_mode(dev);
  return true;
}

bool dev_addr_del(net_device& dev, const mac_address& address) {
  auto& list = address.is_multicast() ? dev.mc_ : dev.uc_;
  if (std::erase(list, address) == 0) return false;
  dev.ops_.ndo_set_rx_mode(dev);
  return true;
}

bool vlan_vid_add(net_device& dev, std::uint16_t vid) {
  auto& list = dev.vlans_;
  if (std::find(list.begin(), list.end(), vid) != list.end()) return false;
  if (!dev.ops_.ndo_vlan_rx_add_vid(dev, vid)) return false;
  list.push_back(vid);
  return true;
}

bool vlan_vid_del(net_device& dev, std::uint16_t vid) {
  auto& list = dev.vlans_;
  if (std::find(list.begin(), list.end(), vid) == list.end()) return false;
  if (!dev.ops_.ndo_vlan_rx_kill_vid(dev, vid)) return false;
  std::erase(list, vid);
  return true;
}

// ---- features
// ------------------------------------------------------------------------------------

bool netdev_update_features(net_device& dev, std::uint32_t wanted) {
  std::uint32_t features = (dev.features & ~dev.hw_features) | (wanted & dev.hw_features);
  features = dev.ops_.ndo_fix_features(dev, features);
  if (features == dev.features) return true;
  if (!dev.ops_.ndo_set_features(dev, features)) return false;
  dev.features = features;
  return true;
}

bool dev_disable_lro(net_device& dev) {
  return netdev_update_features(dev, dev.features & ~static_cast<std::uint32_t>(NETIF_F_GRO_HW));
}

}  // namespace nicroscope::net
