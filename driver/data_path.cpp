// SPDX-License-Identifier: Apache-2.0
// The part of the driver that runs for each packet. After drivers/net/virtio_net.c.
#include "driver/queue_pair.h"
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

int VirtioNet::virtnet_poll(int budget) {
  QueuePair& pair = *pair_;
  net::net_device& dev = *netdev_;
  virtnet_poll_cleantx();

  int received = 0;
  while (received < budget) {
    const std::uint64_t length_errors = pair.rx.stats().length_errors;
    bool dropped = false;
    net::skb_ptr skb = pair.rx.receive(dev, &dropped);
    if (dropped) {
      ++received;
      ++dev.stats.rx_dropped;
      dev.stats.rx_length_errors += pair.rx.stats().length_errors - length_errors;
      continue;
    }
    if (!skb) break;
    ++received;
    ++dev.stats.rx_packets;
    dev.stats.rx_bytes += skb->len;
    net::eth_type_trans(*skb, dev);
    net::netif_receive_skb(std::move(skb));
  }

  if (pair.rx.wants_buffers(budget)) refill();
  if (pair.rx_vq.broken()) report_broken(pair.rx_vq);
  if (received < budget) virtqueue_napi_complete(pair.rx_napi, pair.rx_vq, received);
  return received;
}

void VirtioNet::refill() {
  QueuePair& pair = *pair_;
  bool complete = true;
  if (pair.rx.try_fill_recv(&complete)) notify(pair.rx_vq, kNoFrame);
  if (!complete) {
    kernel_.timers().mod_timer(refill_timer_, kernel_.jiffies() + kernel_.to_jiffies(kRefillRetry));
  }
}

// ---- transmit
// ------------------------------------------------------------------------------------

void VirtioNet::free_old_xmit() {
  QueuePair& pair = *pair_;
  const TransmitStats before = pair.tx.stats();
  if (pair.tx.free_old_xmit() == 0) {
    if (pair.tx_vq.broken()) report_broken(pair.tx_vq);
    return;
  }
  netdev_->stats.tx_packets += pair.tx.stats().packets - before.packets;
  netdev_->stats.tx_bytes += pair.tx.stats().bytes - before.bytes;
}

net::netdev_tx_t VirtioNet::ndo_start_xmit(net::skb_ptr& skb, net::net_device& dev) {
  kernel_.spend(kernel::cost::start_xmit);
  if (!running_) {
    net::netif_stop_queue(dev);
    return net::NETDEV_TX_BUSY;
  }
  QueuePair& pair = *pair_;
  // Free what was sent, and leave the device an interrupt for when most of the rest is.
  do {
    pair.tx_vq.disable_cb();
    free_old_xmit();
  } while (!pair.tx_vq.enable_cb_delayed());
  if (pair.tx.full() && !pair.tx_vq.broken()) {
    net::netif_stop_queue(dev);
    return net::NETDEV_TX_BUSY;
  }

  const FrameId frame = skb->frame;
  const std::uint64_t drops = pair.tx.stats().drops;
  pair.tx.xmit_skb(skb);
  dev.stats.tx_dropped += pair.tx.stats().drops - drops;
  // Stopped here, the queue is woken by the transmit interrupt.
  if (pair.tx.full()) net::netif_stop_queue(dev);
  if (pair.tx_vq.kick_prepare()) {
    pair.tx.count_kick();
    notify(pair.tx_vq, frame);
  }
  return net::NETDEV_TX_OK;
}

void VirtioNet::virtnet_poll_cleantx() {
  QueuePair& pair = *pair_;
  if (pair.tx_vq.num_free() == pair.tx_vq.size()) return;
  do {
    pair.tx_vq.disable_cb();
    free_old_xmit();
  } while (!pair.tx_vq.enable_cb_delayed());
  if (running_ && !pair.tx.full()) net::netif_wake_queue(*netdev_);
}

int VirtioNet::virtnet_poll_tx(int /*budget*/) {
  QueuePair& pair = *pair_;
  pair.tx_vq.disable_cb();
  free_old_xmit();
  if (running_ && !pair.tx.full()) net::netif_wake_queue(*netdev_);
  virtqueue_napi_complete(pair.tx_napi, pair.tx_vq, 0);
  return 0;
}

}  // namespace nicroscope::driver
