// SPDX-License-Identifier: Apache-2.0
#include "stack/core/net.h"

#include <algorithm>

#include "stack/core/qdisc.h"
#include "stack/core/softnet.h"

namespace nicroscope::net {

Net::Net(kernel::Kernel& kernel)
    : kernel_(kernel), skbs_(kernel), softnet_(std::make_unique<Softnet>(*this)) {
  kernel_.open_softirq(kernel::Softirq::net_tx, [this] { net_tx_action(); });
}

Net::~Net() {
  kernel_.open_softirq(kernel::Softirq::net_tx, nullptr);
  kernel::bug_on(!devices_.empty(), "a network device outlives its host");
}

bool Net::register_netdev(net_device& dev) {
  if (dev_get_by_name(dev.name()) != nullptr) return false;
  dev.net_ = this;
  dev.ifindex_ = next_ifindex_++;
  for (const auto& txq : dev.tx_) {
    txq->qdisc = std::make_unique<pfifo>();
    txq->watchdog = std::make_unique<kernel::timer_list>(
        kernel_, [&queue = *txq] { netif_tx_watchdog(queue); });
    txq->xmit_lock = std::make_unique<kernel::spinlock_t>(kernel_, "_xmit_lock");
  }
  devices_.push_back(&dev);
  return true;
}

void Net::unregister_netdev(net_device& dev) {
  dev_close(dev);
  softnet_->flush(dev);
  std::erase(devices_, &dev);
  for (const auto& txq : dev.tx_) {
    std::erase(output_queue_, txq.get());
    txq->watchdog.reset();
    txq->xmit_lock.reset();
    txq->qdisc.reset();
  }
  dev.net_ = nullptr;
}

net_device* Net::dev_get_by_index(unsigned ifindex) const noexcept {
  const auto found = std::find_if(devices_.begin(), devices_.end(),
                                  [&](const net_device* dev) { return dev->ifindex() == ifindex; });
  return found == devices_.end() ? nullptr : *found;
}

net_device* Net::dev_get_by_name(std::string_view name) const noexcept {
  const auto found = std::find_if(devices_.begin(), devices_.end(),
                                  [&](const net_device* dev) { return dev->name() == name; });
  return found == devices_.end() ? nullptr : *found;
}

void Net::dev_add_pack(packet_type& handler) {
  (handler.type() == kEthPAll ? ptype_all_ : ptype_base_).push_back(&handler);
}

void Net::dev_remove_pack(packet_type& handler) {
  std::erase(handler.type() == kEthPAll ? ptype_all_ : ptype_base_, &handler);
}

std::string Net::proc_net_dev() const {
  std::string text =
      "Inter-|   Receive                                                |  Transmit\n"
      " face |bytes    packets errs drop fifo frame compressed multicast|"
      "bytes    packets errs drop fifo colls carrier compressed\n";
  const auto column = [&](std::uint64_t value, std::size_t width) {
    const std::string digits = std::to_string(value);
    if (digits.size() < width) text.append(width - digits.size(), ' ');
    text += digits;
  };
  for (const net_device* dev : devices_) {
    const net_device_stats& s = dev->stats;
    if (dev->name().size() < 6) text.append(6 - dev->name().size(), ' ');
    text += dev->name() + ":";
    column(s.rx_bytes, 8);
    column(s.rx_packets, 8);
    column(s.rx_errors, 5);
    column(s.rx_dropped, 5);
    column(0, 5);
    column(s.rx_length_errors + s.rx_frame_errors, 6);
    column(0, 11);
    column(s.multicast, 10);
    column(s.tx_bytes, 9);
    column(s.tx_packets, 8);
    column(s.tx_errors, 5);
    column(s.tx_dropped, 5);
    column(0, 5);
    column(0, 6);
    column(0, 8);
    column(0, 11);
    text += '\n';
  }
  return text;
}

}  // namespace nicroscope::net
