// SPDX-License-Identifier: Apache-2.0
// What the driver asks of the device through the control virtqueue (virtio 1.2, 5.1.6.5).
#include <algorithm>

#include "driver/virtio_net.h"
#include "nicroscope/registers.h"

namespace nicroscope::driver {

namespace {

/// Addresses that a MAC table command has room for, of both kinds together.
constexpr std::size_t kMaxAddresses = (ControlQueue::kMaxCommand - 16) / net::kEthAlen;
/// "By time alone": as many frames as the device can count to.
constexpr std::uint32_t kAnyFrames = 65'535;

std::uint64_t guest_offloads(std::uint32_t features, std::uint64_t negotiated) {
  std::uint64_t offloads = 0;
  const auto add = [&](unsigned feature) { offloads |= negotiated & std::uint64_t{1} << feature; };
  if ((features & net::NETIF_F_RXCSUM) != 0) add(regs::kFeatureGuestCsum);
  if ((features & net::NETIF_F_GRO_HW) != 0) {
    for (const unsigned feature :
         {regs::kFeatureGuestTso4, regs::kFeatureGuestTso6, regs::kFeatureGuestEcn,
          regs::kFeatureGuestUso4, regs::kFeatureGuestUso6}) {
      add(feature);
    }
  }
  return offloads;
}

ControlData& add_moderation(ControlData& data, const Moderation& moderation) {
  const bool by_time = moderation.usecs != 0 && moderation.frames == 0;
  return data.le32(by_time ? kAnyFrames : moderation.frames).le32(moderation.usecs);
}

}  // namespace

bool VirtioNet::command(std::uint8_t command_class, std::uint8_t number, const ControlData& data) {
  if (control_ == nullptr) return false;
  if (control_->send(command_class, number, data) == ControlAnswer::ok) return true;
  ++control_failures_;
  return false;
}

// The device forgot everything at its reset.
std::string VirtioNet::restore_settings() {
  if (control_ == nullptr) return {};
  const std::uint32_t changeable = net::NETIF_F_RXCSUM | net::NETIF_F_GRO_HW;
  const bool offloads = (~netdev_->features & netdev_->hw_features & changeable) != 0;
  if (mac_changed_ && !send_mac(netdev_->dev_addr())) return "the device refuses its address";
  if (!send_rx_mode()) return "the device refuses the receive mode";
  for (const std::uint16_t vid : netdev_->vlans()) {
    if (!send_vlan(regs::kCtrlVlanAdd, vid)) return "the device refuses a VLAN";
  }
  if (offloads && !send_guest_offloads(netdev_->features)) return "the device refuses offloads";
  if (!send_steering()) return "the device refuses the number of queue pairs, or RSS";
  if (!send_coalesce(false) || !send_coalesce(true)) return "the device refuses moderation";
  for (std::uint16_t n = 0; n < pairs_.size(); ++n) {
    if (!own_coalesce_[n]) continue;
    if (!send_queue_coalesce(pairs_[n]->rx_index(), queue_coalesce_[n].rx) ||
        !send_queue_coalesce(pairs_[n]->tx_index(), queue_coalesce_[n].tx)) {
      return "the device refuses a queue's moderation";
    }
  }
  return {};
}

// ---- who is listened to (5.1.6.5.1 to 5.1.6.5.3)
// -------------------------------------------------

bool VirtioNet::send_rx_mode() {
  if (!has(regs::kFeatureCtrlRx)) return true;
  const net::net_device& dev = *netdev_;
  const std::size_t addresses = dev.uc().size() + dev.mc().size();
  // More addresses than a command can have: everything comes in, and the stack looks.
  const bool many = addresses > kMaxAddresses;
  const bool promiscuous = dev.promiscuity() != 0 || (many && dev.uc().size() > kMaxAddresses / 2);
  const bool allmulti = dev.allmulti() != 0 || many;
  return command(regs::kCtrlClassRx, regs::kCtrlRxPromisc, ControlData().u8(promiscuous)) &&
         command(regs::kCtrlClassRx, regs::kCtrlRxAllmulti, ControlData().u8(allmulti)) &&
         send_mac_tables();
}

bool VirtioNet::send_mac_tables() {
  ControlData data;
  const auto add = [&data](const std::vector<net::mac_address>& list) {
    const std::size_t count = list.size() > kMaxAddresses / 2 ? 0 : list.size();
    data.le32(static_cast<std::uint32_t>(count));
    for (std::size_t i = 0; i < count; ++i) data.bytes(list[i].bytes);
  };
  add(netdev_->uc());
  add(netdev_->mc());
  return command(regs::kCtrlClassMac, regs::kCtrlMacTableSet, data);
}

void VirtioNet::ndo_set_rx_mode(net::net_device& /*dev*/) {
  const kernel::mutex_guard guard(lock_);
  if (running_) (void)send_rx_mode();
}

bool VirtioNet::send_mac(const net::mac_address& address) {
  if (!has(regs::kFeatureCtrlMacAddr)) return true;
  return command(regs::kCtrlClassMac, regs::kCtrlMacAddrSet, ControlData().bytes(address.bytes));
}

bool VirtioNet::ndo_set_mac_address(net::net_device& /*dev*/, const net::mac_address& address) {
  const kernel::mutex_guard guard(lock_);
  // A device that filters by its own address and cannot be given another one.
  if (has(regs::kFeatureCtrlRx) && !has(regs::kFeatureCtrlMacAddr)) return false;
  if (running_ && !send_mac(address)) return false;
  mac_changed_ = true;
  return true;
}

bool VirtioNet::send_vlan(std::uint8_t number, std::uint16_t vid) {
  if (!has(regs::kFeatureCtrlVlan)) return true;
  return command(regs::kCtrlClassVlan, number, ControlData().le16(vid));
}

bool VirtioNet::ndo_vlan_rx_add_vid(net::net_device& /*dev*/, std::uint16_t vid) {
  const kernel::mutex_guard guard(lock_);
  return !running_ || send_vlan(regs::kCtrlVlanAdd, vid);
}

bool VirtioNet::ndo_vlan_rx_kill_vid(net::net_device& /*dev*/, std::uint16_t vid) {
  const kernel::mutex_guard guard(lock_);
  return !running_ || send_vlan(regs::kCtrlVlanDel, vid);
}

// ---- offloads (5.1.6.5.8)
// ------------------------------------------------------------------------

bool VirtioNet::send_guest_offloads(std::uint32_t features) {
  return command(regs::kCtrlClassGuestOffloads, 0,
                 ControlData().le64(guest_offloads(features, features_)));
}

std::uint32_t VirtioNet::ndo_fix_features(net::net_device& /*dev*/, std::uint32_t wanted) {
  // Linux: netdev_fix_features. What is cut has checksums to be put in, and lies in pieces.
  constexpr std::uint32_t kForGso = net::NETIF_F_SG | net::NETIF_F_HW_CSUM;
  if ((wanted & kForGso) != kForGso) wanted &= ~net::NETIF_F_ALL_TSO;
  if ((wanted & (net::NETIF_F_TSO | net::NETIF_F_TSO6)) == 0) {
    wanted &= ~static_cast<std::uint32_t>(net::NETIF_F_TSO_ECN);
  }
  // 5.1.3.1: what is merged has a checksum that only says so.
  if ((wanted & net::NETIF_F_RXCSUM) == 0) {
    wanted &= ~static_cast<std::uint32_t>(net::NETIF_F_GRO_HW);
  }
  return wanted;
}

bool VirtioNet::ndo_set_features(net::net_device& dev, std::uint32_t features) {
  const kernel::mutex_guard guard(lock_);
  const std::uint32_t changed = dev.features ^ features;
  if ((changed & (net::NETIF_F_RXCSUM | net::NETIF_F_GRO_HW)) == 0) return true;
  return !running_ || send_guest_offloads(features);
}

// ---- queues and hashes (5.1.6.5.5 to 5.1.6.5.7)
// --------------------------------------------------

std::uint32_t VirtioNet::hash_types() const noexcept { return config_.supported_hash_types; }

bool VirtioNet::send_steering() {
  ControlData data;
  if (has(regs::kFeatureRss)) {
    data.le32(hash_types());
    data.le16(static_cast<std::uint16_t>(rss_.table.size() - 1));
    data.le16(0);  // what has no hash goes to the first queue
    for (const std::uint16_t queue : rss_.table) data.le16(queue);
    data.le16(pairs_in_use_);
    data.u8(static_cast<std::uint8_t>(rss_.key.size())).bytes(rss_.key);
    return command(regs::kCtrlClassMq, regs::kCtrlMqRssConfig, data);
  }
  if (has(regs::kFeatureMq) &&
      !command(regs::kCtrlClassMq, regs::kCtrlMqVqPairsSet, ControlData().le16(pairs_in_use_))) {
    return false;
  }
  if (!has(regs::kFeatureHashReport)) return true;
  data.le32(hash_types()).le64(0);
  data.u8(static_cast<std::uint8_t>(rss_.key.size())).bytes(rss_.key);
  return command(regs::kCtrlClassMq, regs::kCtrlMqHashConfig, data);
}

// ---- interrupt moderation (5.1.6.5.10)
// -----------------------------------------------------------

bool VirtioNet::send_coalesce(bool tx) {
  if (!has(regs::kFeatureNotfCoal)) return true;
  ControlData data;
  add_moderation(data, tx ? coalesce_.tx : coalesce_.rx);
  return command(regs::kCtrlClassNotfCoal, tx ? regs::kCtrlNotfCoalTxSet : regs::kCtrlNotfCoalRxSet,
                 data);
}

bool VirtioNet::send_queue_coalesce(std::uint16_t queue, const Moderation& moderation) {
  ControlData data;
  data.le16(queue).le16(0);
  add_moderation(data, moderation);
  return command(regs::kCtrlClassNotfCoal, regs::kCtrlNotfCoalVqSet, data);
}

}  // namespace nicroscope::driver
