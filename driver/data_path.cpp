// SPDX-License-Identifier: Apache-2.0
// The part of the driver that runs for each packet. After drivers/net/virtio_net.c.
#include "driver/virtio_net.h"
#include "nicroscope/host_points.h"

namespace nicroscope::driver {

namespace {

/// How long to wait for memory before the receive ring is filled again.
constexpr Duration kRefillRetry = std::chrono::milliseconds{10};

}  // namespace

void VirtioNet::notify(Virtqueue& vq, FrameId frame) {
  kernel_.trace().emit(point::virtqueue_notify, frame, vq.index());
  pci_.notify(vq.index());
}

// ---- NAPI
// ----------------------------------------------------------------------------------------

void VirtioNet::virtqueue_napi_schedule(kernel::napi_struct& napi, Virtqueue& vq) {
  if (!kernel_.napi().napi_schedule_prep(napi)) return;
  vq.disable_cb();
  kernel_.napi().__napi_schedule(napi);
}

// Turns interrupts on before polling ends and looks once more after: a buffer that was used in
// between is seen by one or the other.
void VirtioNet::virtqueue_napi_complete(kernel::napi_struct& napi, Virtqueue& vq, int done) {
  const std::uint16_t seen = vq.enable_cb_prepare();
  if (kernel_.napi().napi_complete_done(napi, done)) {
    if (vq.poll(seen)) virtqueue_napi_schedule(napi, vq);
  } else {
    vq.disable_cb();
  }
}

// ---- receive
// -------------------------------------------------------------------------------------

// A frame was dropped: the queue's counts say why.
void VirtioNet::count_drop(const QueuePair& pair, std::uint64_t length_errors,
                           std::uint64_t frame_errors) {
  net::net_device_stats& stats = netdev_->stats;
  ++stats.rx_dropped;
  stats.rx_length_errors += pair.rx_stats.length_errors - length_errors;
  stats.rx_frame_errors += pair.rx_stats.frame_errors - frame_errors;
}

// Up to `budget` frames to the stack. Returns how many there were. In softirq context.
int VirtioNet::receive_frames(QueuePair& pair, int budget) {
  net::net_device& dev = *netdev_;
  ReceiveQueue& rx = *pair.rx;
  int received = 0;
  while (received < budget) {
    const std::uint64_t length_errors = pair.rx_stats.length_errors;
    const std::uint64_t frame_errors = pair.rx_stats.frame_errors;
    bool dropped = false;
    if (options_.head_reads == HeadReads::frame) static_cast<void>(pci_.status());
    net::skb_ptr skb = rx.receive(dev, &dropped);
    if (dropped) {
      ++received;
      count_drop(pair, length_errors, frame_errors);
      continue;
    }
    if (!skb) break;
    ++received;
    ++dev.stats.rx_packets;
    dev.stats.rx_bytes += skb->len;
    net::eth_type_trans(*skb, dev);
    net::netif_receive_skb(std::move(skb));
  }
  return received;
}

int VirtioNet::virtnet_poll(QueuePair& pair, int budget) {
  virtnet_poll_cleantx(pair);
  if (options_.head_reads == HeadReads::poll) static_cast<void>(pci_.status());
  const int received = receive_frames(pair, budget);
  ReceiveQueue& rx = *pair.rx;
  if (rx.wants_buffers(budget)) refill(pair);
  if (rx.vq().broken()) report_broken(rx.vq());
  if (received < budget) {
    virtqueue_napi_complete(pair.rx_napi, rx.vq(), received);
    if (received != 0) sample_dim(pair, false);
  }
  return received;
}

void VirtioNet::refill(QueuePair& pair) {
  bool complete = true;
  if (pair.rx->try_fill_recv(&complete)) notify(pair.rx->vq(), kNoFrame);
  if (!complete) {
    kernel_.timers().mod_timer(pair.refill_timer,
                               kernel_.jiffies() + kernel_.to_jiffies(kRefillRetry));
  }
}

// What the refill timer does: whoever empties the ring fills it, too.
void VirtioNet::try_refill(QueuePair& pair) {
  if (!running_ || !pair.polled) return;
  if (options_.receive == Receive::napi) {
    virtqueue_napi_schedule(pair.rx_napi, pair.rx->vq());
    return;
  }
  const bool enabled = kernel_.cpu().local_irq_save();
  refill(pair);
  kernel_.cpu().local_irq_restore(enabled);
}

// ---- transmit
// ------------------------------------------------------------------------------------

void VirtioNet::free_old_xmit(QueuePair& pair) {
  const TransmitQueue::Freed freed = pair.tx->free_old_xmit();
  if (freed.packets == 0) {
    if (pair.tx->vq().broken()) report_broken(pair.tx->vq());
    return;
  }
  netdev_->stats.tx_packets += freed.packets;
  netdev_->stats.tx_bytes += freed.bytes;
  net::netdev_tx_completed_queue(netdev_->tx_queue(pair.index), freed.packets, freed.bytes);
}

void VirtioNet::wake_if_room(QueuePair& pair) {
  net::netdev_queue& txq = netdev_->tx_queue(pair.index);
  if (!running_ || pair.tx->full() || !net::netif_tx_queue_stopped(txq)) return;
  ++pair.tx_stats.wake;
  net::netif_tx_wake_queue(txq);
}

net::netdev_tx_t VirtioNet::start_xmit(net::skb_ptr& skb, net::net_device& dev) {
  kernel_.spend(kernel::cost::start_xmit);
  net::netdev_queue& txq = dev.tx_queue(skb->queue_mapping);
  if (!running_) {
    net::netif_tx_stop_queue(txq);
    return net::NETDEV_TX_BUSY;
  }
  if (txq.index >= pairs_in_use_) {
    ++dev.stats.tx_dropped;
    net::kfree_skb_reason(std::move(skb), net::skb_drop_reason::DEV_READY);
    return net::NETDEV_TX_OK;
  }
  QueuePair& pair = *pairs_[txq.index];
  Virtqueue& vq = pair.tx->vq();
  // Free what was sent, and leave the device an interrupt for when most of the rest is; but for a
  // poll that is to come: it asks for one when it is through.
  do {
    vq.disable_cb();
    free_old_xmit(pair);
  } while (!pair.tx_napi.scheduled && !vq.enable_cb_delayed());
  if (pair.tx->full() && !vq.broken()) {
    ++pair.tx_stats.stopped;
    net::netif_tx_stop_queue(txq);
    return net::NETDEV_TX_BUSY;
  }

  const FrameId frame = skb->frame;
  const std::uint32_t bytes = skb->len;
  const std::uint64_t drops = pair.tx_stats.drops;
  pair.tx->xmit_skb(skb);
  if (pair.tx_stats.drops == drops) {
    net::netdev_tx_sent_queue(txq, bytes);
  } else {
    ++dev.stats.tx_dropped;
  }
  // Stopped here, the queue is woken by the transmit interrupt.
  if (pair.tx->full()) {
    ++pair.tx_stats.stopped;
    net::netif_tx_stop_queue(txq);
  }
  if (vq.kick_prepare()) {
    pair.tx->count_kick();
    notify(vq, frame);
  }
  return net::NETDEV_TX_OK;
}

// From the receive poll, whose interrupt is likely to come sooner than the transmit one. Whoever
// has the queue does the same.
void VirtioNet::virtnet_poll_cleantx(QueuePair& pair) {
  Virtqueue& vq = pair.tx->vq();
  if (vq.num_free() == vq.size()) return;
  net::netdev_queue& txq = netdev_->tx_queue(pair.index);
  if (!net::netif_tx_trylock(txq)) return;
  do {
    vq.disable_cb();
    free_old_xmit(pair);
  } while (!pair.tx_napi.scheduled && !vq.enable_cb_delayed());
  wake_if_room(pair);
  net::netif_tx_unlock(txq);
}

int VirtioNet::virtnet_poll_tx(QueuePair& pair) {
  net::netdev_queue& txq = netdev_->tx_queue(pair.index);
  net::netif_tx_lock(txq);
  pair.tx->vq().disable_cb();
  free_old_xmit(pair);
  wake_if_room(pair);
  // Under the lock: who sends leaves it to this poll to ask for an interrupt.
  virtqueue_napi_complete(pair.tx_napi, pair.tx->vq(), 0);
  net::netif_tx_unlock(txq);
  sample_dim(pair, true);
  return 0;
}

void VirtioNet::ndo_tx_timeout(net::net_device& dev, std::uint16_t queue) {
  ++pairs_[queue]->tx_stats.timeouts;
  ++dev.stats.tx_errors;
  if (options_.recovery == Recovery::reset) {
    recovery_wanted_ = true;
    config_wait_.wake_up();
  }
}

}  // namespace nicroscope::driver
