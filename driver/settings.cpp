// SPDX-License-Identifier: Apache-2.0
// What a person changes while the interface is up or down.
#include <algorithm>
#include <bit>

#include "driver/features.h"
#include "driver/virtio_net.h"
#include "nicroscope/registers.h"

namespace nicroscope::driver {

namespace {

/// What one queue's moderation can be (docs/control.md).
constexpr std::uint32_t kMostModeration = 65'535;

bool in_range(const Moderation& m) {
  return m.usecs <= kMostModeration && m.frames <= kMostModeration;
}

}  // namespace

// ---- queue pairs
// ---------------------------------------------------------------------------------

std::string VirtioNet::set_channels(std::uint16_t pairs) {
  const kernel::mutex_guard guard(lock_);
  if (pairs == 0 || pairs > pairs_.size()) {
    return "1 to " + std::to_string(pairs_.size()) + " queue pairs are accepted";
  }
  if (pairs > 1 && !has(regs::kFeatureMq) && !has(regs::kFeatureRss)) {
    return "the device does not use several queue pairs";
  }
  if (pairs == pairs_in_use_) return {};
  const std::uint16_t before = pairs_in_use_;
  const std::vector<std::uint16_t> table = rss_.table;
  // 5.1.6.5.5.1: a queue has buffers before frames are sent to it.
  if (running_) {
    for (std::uint16_t n = before; n < pairs; ++n) {
      if (!pairs_[n]->polled) refill(*pairs_[n]);
      start_polling(*pairs_[n]);
    }
  }
  pairs_in_use_ = pairs;
  rss_.table = default_table(static_cast<unsigned>(rss_.table.size()), pairs);
  if (pairs < before) leave_transmit_queues(pairs, before);
  if (running_ && !send_steering()) {
    pairs_in_use_ = before;
    rss_.table = table;
    net::netif_set_real_num_queues(*netdev_, before, before);
    return "the device refuses the number of queue pairs";
  }
  // What is under way on a pair that is left is still polled; nothing new goes there.
  net::netif_set_real_num_queues(*netdev_, pairs, pairs);
  set_affinity();
  return {};
}

// 5.1.6.5.6.1: nothing is queued there from when the command is made available. Who picked such a
// queue before either has its lock now, or finds in start_xmit that it is not in use.
void VirtioNet::leave_transmit_queues(std::uint16_t pairs, std::uint16_t before) {
  net::netif_set_real_num_queues(*netdev_, pairs, pairs);
  for (std::uint16_t n = pairs; n < before; ++n) {
    const net::bh_guard guard(netdev_->net());
    net::netif_tx_lock(netdev_->tx_queue(n));
    net::netif_tx_unlock(netdev_->tx_queue(n));
  }
}

std::string VirtioNet::set_rxfh(const RssSettings& rss) {
  const kernel::mutex_guard guard(lock_);
  if (!has(regs::kFeatureRss)) return "the device has no RSS";
  const std::size_t most = config_.rss_max_indirection_table_length;
  if (!std::has_single_bit(rss.table.size()) || rss.table.size() > most) {
    return "a table of up to " + std::to_string(most) + " entries, a power of two, is accepted";
  }
  if (std::any_of(rss.table.begin(), rss.table.end(),
                  [this](std::uint16_t queue) { return queue >= pairs_in_use_; })) {
    return "queue pairs 0 to " + std::to_string(pairs_in_use_ - 1) + " are in use";
  }
  const RssSettings before = rss_;
  rss_ = rss;
  if (running_ && !send_steering()) {
    rss_ = before;
    return "the device refuses the indirection table";
  }
  return {};
}

// ---- rings
// ---------------------------------------------------------------------------------------

std::string VirtioNet::set_ringparam(std::uint16_t rx, std::uint16_t tx) {
  const kernel::mutex_guard guard(lock_);
  if (rx == 0 || tx == 0 || rx > rings_.rx_max || tx > rings_.tx_max) {
    return "1 to " + std::to_string(rings_.rx_max) + " (receive) and 1 to " +
           std::to_string(rings_.tx_max) + " (transmit) slots are accepted";
  }
  const RingSettings before = rings_;
  if (rx == rings_.rx && tx == rings_.tx) return {};
  rings_.rx = rx;
  rings_.tx = tx;
  if (!running_) return {};
  if (!has(regs::kFeatureRingReset)) {
    stop();
    return open() ? std::string{} : "the interface does not come up again";
  }
  for (const auto& pair : pairs_) {
    std::string error;
    if (rx != before.rx) error = resize_receive(*pair);
    if (error.empty() && tx != before.tx) error = resize_transmit(*pair);
    if (!error.empty()) {
      // A queue is missing: only a reset of the device brings it back.
      stop();
      return open() ? std::string{} : error;
    }
  }
  return {};
}

// ---- interrupt moderation
// ------------------------------------------------------------------------

std::string VirtioNet::set_coalesce(const CoalesceSettings& settings) {
  const kernel::mutex_guard guard(lock_);
  if (!in_range(settings.rx) || !in_range(settings.tx)) return "0 to 65535 are accepted";
  if (!has(regs::kFeatureNotfCoal)) return "the device does not moderate interrupts";
  if ((settings.adaptive_rx || settings.adaptive_tx) && !has(regs::kFeatureVqNotfCoal)) {
    return "adaptive moderation needs that of single queues";
  }
  const CoalesceSettings before = std::exchange(coalesce_, settings);
  if (running_ && (!send_coalesce(false) || !send_coalesce(true))) {
    coalesce_ = before;
    return "the device refuses the moderation";
  }
  std::fill(own_coalesce_.begin(), own_coalesce_.end(), false);
  std::fill(queue_coalesce_.begin(), queue_coalesce_.end(), settings);
  forget_dim();
  return {};
}

std::string VirtioNet::set_queue_coalesce(std::uint16_t pair, const CoalesceSettings& settings) {
  const kernel::mutex_guard guard(lock_);
  if (pair >= pairs_.size()) return "there is no such queue";
  if (!in_range(settings.rx) || !in_range(settings.tx)) return "0 to 65535 are accepted";
  if (!has(regs::kFeatureVqNotfCoal)) return "the device does not moderate queues one by one";
  if (running_ && (!send_queue_coalesce(pairs_[pair]->rx_index(), settings.rx) ||
                   !send_queue_coalesce(pairs_[pair]->tx_index(), settings.tx))) {
    return "the device refuses the moderation";
  }
  queue_coalesce_[pair] = settings;
  own_coalesce_[pair] = true;
  forget_dim();
  return {};
}

// ---- pause frames
// --------------------------------------------------------------------------------

PauseSettings VirtioNet::pauseparam() {
  const std::uint32_t control = pci_.vendor_control();
  return {(control >> regs::kControlBitPauseRx & 1U) != 0,
          (control >> regs::kControlBitPauseTx & 1U) != 0};
}

std::string VirtioNet::set_pauseparam(const PauseSettings& settings) {
  const kernel::mutex_guard guard(lock_);
  if (!pci_.has_vendor_page()) return "the device has no pause frames";
  std::uint32_t control = pci_.vendor_control();
  control &= ~(1U << regs::kControlBitPauseRx | 1U << regs::kControlBitPauseTx);
  if (settings.rx) control |= 1U << regs::kControlBitPauseRx;
  if (settings.tx) control |= 1U << regs::kControlBitPauseTx;
  pci_.set_vendor_control(control);
  return {};
}

}  // namespace nicroscope::driver
