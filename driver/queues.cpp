// SPDX-License-Identifier: Apache-2.0
// The virtqueues: made, polled, drained, resized, freed.
#include "driver/virtio_net.h"
#include "nicroscope/registers.h"
#include "stack/core/gso.h"

#include <algorithm>

namespace nicroscope::driver {

namespace {

constexpr unsigned kEthDataLen = 1500;
constexpr unsigned kVlanBytes = 4;
/// The longest frame that a device which merges may deliver: an IP packet of 65,535 bytes.
constexpr std::uint32_t kLargestMerged = 65'535 + net::kEthHlen + 2 * kVlanBytes;
constexpr std::uint16_t kControlSlots = 64;

}  // namespace

// ---- made and freed
// ------------------------------------------------------------------------------

// What was asked for, against what the device has.
std::string VirtioNet::ring_sizes() {
  rings_.rx_max = pci_.queue_max_size(0);
  rings_.tx_max = pci_.queue_max_size(1);
  rings_.rx = options_.rx_ring != 0 ? options_.rx_ring : rings_.rx_max;
  rings_.tx = options_.tx_ring != 0 ? options_.tx_ring : rings_.tx_max;
  if (rings_.rx == 0 || rings_.tx == 0) return "the device has fewer than two virtqueues";
  if (rings_.rx > rings_.rx_max || rings_.tx > rings_.tx_max) {
    return "ring sizes: 1 to " + std::to_string(rings_.rx_max) + " (receive) and 1 to " +
           std::to_string(rings_.tx_max) + " (transmit) are accepted";
  }
  return {};
}

ReceiveOptions VirtioNet::receive_options() const {
  ReceiveOptions rx;
  rx.mergeable = has(regs::kFeatureMrgRxbuf);
  rx.guest_csum = has(regs::kFeatureGuestCsum);
  rx.hash_report = has(regs::kFeatureHashReport);
  rx.buffer_offset = options_.rx_buffer_offset;
  rx.buffer_bytes = options_.rx_buffer_bytes;
  rx.copybreak = options_.rx_copybreak;
  rx.recycle = options_.page_recycling;
  rx.poll_mode = options_.receive == Receive::poll;
  const unsigned mtu = has(regs::kFeatureMtu) ? config_.mtu : kEthDataLen;
  rx.largest_frame = net::kEthHlen + 2 * kVlanBytes + mtu;
  if ((netdev_->features & net::NETIF_F_GRO_HW) != 0) rx.largest_frame = kLargestMerged;
  if (!rx.mergeable) {  // one buffer holds a whole frame (5.1.6.3.1)
    rx.buffer_bytes = std::max(rx.buffer_bytes, regs::kNetHdrHashBytes + rx.largest_frame);
  }
  return rx;
}

std::string VirtioNet::make_receive(QueuePair& pair) {
  pair.rx =
      std::make_unique<ReceiveQueue>(net_, port_, pair.index, rings_.rx,
                                     has(regs::kFeatureEventIdx), receive_options(), pair.rx_stats);
  if (!pair.rx->valid()) return "no memory for the rings";
  if (options_.receive == Receive::poll) pair.rx->vq().disable_cb();
  if (!pci_.enable_queue(pair.rx->vq(), vector_of(pair.rx_index()))) {
    return "the device refuses a queue's interrupt vector";
  }
  return {};
}

std::string VirtioNet::make_transmit(QueuePair& pair) {
  TransmitOptions options;
  if (has(regs::kFeatureHashReport)) options.header_bytes = sizeof(virtio::NetHeaderHash);
  pair.tx = std::make_unique<TransmitQueue>(net_, port_, pair.index, rings_.tx,
                                            has(regs::kFeatureEventIdx), options, pair.tx_stats);
  if (!pair.tx->valid()) return "no memory for the rings";
  if (options_.receive == Receive::poll) pair.tx->vq().disable_cb();
  if (!pci_.enable_queue(pair.tx->vq(), vector_of(pair.tx_index()))) {
    return "the device refuses a queue's interrupt vector";
  }
  return {};
}

std::string VirtioNet::make_queues() {
  for (const auto& pair : pairs_) {
    if (std::string error = make_receive(*pair); !error.empty()) return error;
    if (std::string error = make_transmit(*pair); !error.empty()) return error;
  }
  if (!has(regs::kFeatureCtrlVq)) return {};
  // 5.1.2: behind the pairs that there are, not those that are used.
  const auto index = static_cast<std::uint16_t>(2 * pairs_.size());
  const std::uint16_t slots = std::min(pci_.queue_max_size(index), kControlSlots);
  if (slots < 2) return "the device has no control virtqueue";
  control_ =
      std::make_unique<ControlQueue>(kernel_, pci_, index, slots, has(regs::kFeatureEventIdx));
  if (!control_->valid()) return "no memory for the rings";
  if (!pci_.enable_queue(control_->vq(), regs::kNoVector)) {
    return "the device does not take a control virtqueue without a vector";
  }
  return {};
}

// Only after a reset of the device, or with it off the bus.
void VirtioNet::free_queues() {
  for (const auto& pair : pairs_) {
    pair->rx.reset();
    pair->tx.reset();
  }
  control_.reset();
}

// ---- polled
// --------------------------------------------------------------------------------------

void VirtioNet::start_polling(QueuePair& pair) {
  if (std::exchange(pair.polled, true)) return;
  if (options_.receive == Receive::poll) return;
  if (options_.receive == Receive::interrupt) {
    // As below: what came before had its interrupt.
    kernel_.irq().raise(options_.first_vector + vector_of(pair.rx_index()));
    kernel_.irq().raise(options_.first_vector + vector_of(pair.tx_index()));
    return;
  }
  // Frames that came before NAPI was on had their interrupt already: look once.
  kernel_.napi().napi_enable(pair.rx_napi);
  kernel_.napi().napi_enable(pair.tx_napi);
  kernel_.cpu().local_bh_disable();
  virtqueue_napi_schedule(pair.rx_napi, pair.rx->vq());
  virtqueue_napi_schedule(pair.tx_napi, pair.tx->vq());
  kernel_.cpu().local_bh_enable();
}

void VirtioNet::stop_polling(QueuePair& pair) {
  if (!std::exchange(pair.polled, false)) return;
  kernel_.timers().del_timer(pair.refill_timer);
  if (options_.receive == Receive::poll) return;
  if (options_.receive == Receive::interrupt) {
    kernel_.irq().synchronize_irq(options_.first_vector + vector_of(pair.rx_index()));
    kernel_.irq().synchronize_irq(options_.first_vector + vector_of(pair.tx_index()));
    return;
  }
  kernel_.napi().napi_disable(pair.rx_napi);
  kernel_.napi().napi_disable(pair.tx_napi);
  kernel::bug_on(pair.rx_napi.scheduled || pair.tx_napi.scheduled,
                 "a queue that NAPI polls is about to go");
}

QueuePair& VirtioNet::poll_pair(std::uint16_t n) {
  kernel::bug_on(options_.receive != Receive::poll || !running_ || n >= pairs_in_use_,
                 "a queue that is not to be polled by a program");
  return *pairs_[n];
}

// Frames that nobody polled any more are lost.
void VirtioNet::drop_received(QueuePair& pair) {
  bool dropped = false;
  do {
    if (net::skb_ptr skb = pair.rx->receive(*netdev_, &dropped)) {
      net::kfree_skb_reason(std::move(skb), net::skb_drop_reason::DEV_DOWN);
      dropped = true;
    }
    if (dropped) ++netdev_->stats.rx_dropped;
  } while (dropped);
}

// ---- resized under traffic (2.6.1, 5.1.6.1: VIRTIO_F_RING_RESET)
// ---------------------------------------------

// Linux: virtnet_rx_resize. What the device had put into buffers goes up to the stack.
std::string VirtioNet::resize_receive(QueuePair& pair) {
  const bool used = pair.polled;
  stop_polling(pair);
  if (!pci_.reset_queue(pair.rx_index())) return "a queue does not come out of reset";
  kernel_.cpu().local_bh_disable();
  receive_frames(pair, pair.rx->vq().size());
  kernel_.cpu().local_bh_enable();
  pair.rx.reset();
  if (std::string error = make_receive(pair); !error.empty()) return error;
  // 5.1.6.5.10: an enabled queue has the moderation of its direction again.
  if (own_coalesce_[pair.index]) {
    (void)send_queue_coalesce(pair.rx_index(), queue_coalesce_[pair.index].rx);
  }
  if (!used) return {};
  refill(pair);
  start_polling(pair);
  return {};
}

// Linux: virtnet_tx_resize. What the device had not sent is lost and counted.
std::string VirtioNet::resize_transmit(QueuePair& pair) {
  net::netdev_queue& txq = netdev_->tx_queue(pair.index);
  const bool used = pair.polled;
  stop_polling(pair);
  kernel_.cpu().local_bh_disable();
  net::netif_tx_lock(txq);
  txq.drv_xoff = true;
  net::netif_tx_unlock(txq);
  kernel_.cpu().local_bh_enable();
  if (!pci_.reset_queue(pair.tx_index())) return "a queue does not come out of reset";
  free_old_xmit(pair);
  netdev_->stats.tx_dropped += pair.tx->outstanding();
  pair.tx.reset();
  if (std::string error = make_transmit(pair); !error.empty()) return error;
  if (own_coalesce_[pair.index]) {
    (void)send_queue_coalesce(pair.tx_index(), queue_coalesce_[pair.index].tx);
  }
  net::netdev_tx_reset_queue(txq);
  if (used) start_polling(pair);
  net::netif_tx_wake_queue(txq);
  return {};
}

// Stops polling, resets the device and frees what it held.
void VirtioNet::halt() {
  running_ = false;
  for (const auto& pair : pairs_) stop_polling(*pair);
  // 3.3.1: buffers are the driver's again once the device is reset, or cannot reach memory.
  if (!pci_.reset()) {
    pci_.disable();
    report({DeviceError::Kind::reset_failed, {}, "the device does not come out of reset"});
  }
  free_irqs();
  // What the device had finished is finished.
  for (const auto& pair : pairs_) {
    free_old_xmit(*pair);
    netdev_->stats.tx_dropped += pair->tx->outstanding();
    drop_received(*pair);
  }
  free_queues();
}

}  // namespace nicroscope::driver
