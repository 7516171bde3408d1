// SPDX-License-Identifier: Apache-2.0
// The way before NAPI (Receive::interrupt), as drivers of Linux 2.4 had it: the interrupt handler
// itself empties the rings, queues each frame by netif_rx and frees what was sent.
#include "driver/virtio_net.h"
#include "nicroscope/host_points.h"
#include "stack/core/softnet.h"

namespace nicroscope::driver {

// Frames until the ring is empty, or there were max_interrupt_work of them: then the next interrupt
// follows at once, as with a line that is still asserted.
bool VirtioNet::receive_interrupt(QueuePair& pair, unsigned vector) {
  if (!pair.polled) return false;
  net::net_device& dev = *netdev_;
  ReceiveQueue& rx = *pair.rx;
  Virtqueue& vq = rx.vq();
  if (!vq.more_used()) {
    if (vq.broken()) report_broken(vq);
    return vq.broken();
  }
  vq.disable_cb();
  unsigned left = options_.max_interrupt_work;
  do {
    while (left != 0 && vq.more_used()) {
      --left;
      const std::uint64_t length_errors = pair.rx_stats.length_errors;
      const std::uint64_t frame_errors = pair.rx_stats.frame_errors;
      bool dropped = false;
      net::skb_ptr skb = rx.receive(dev, &dropped);
      if (dropped) count_drop(pair, length_errors, frame_errors);
      if (!skb) continue;
      ++dev.stats.rx_packets;
      dev.stats.rx_bytes += skb->len;
      net::eth_type_trans(*skb, dev);
      if (net::netif_rx(std::move(skb)) == net::NET_RX_DROP) ++dev.stats.rx_dropped;
    }
    if (rx.wants_buffers(static_cast<int>(options_.max_interrupt_work))) refill(pair);
  } while (!vq.enable_cb() && left != 0);
  if (vq.broken()) report_broken(vq);
  if (vq.more_used()) kernel_.irq().raise(options_.first_vector + vector);
  return true;
}

bool VirtioNet::transmit_interrupt(QueuePair& pair) {
  if (!pair.polled) return false;
  const kernel::spin_guard lock(pair.ring_lock);
  Virtqueue& vq = pair.tx->vq();
  if (!vq.more_used() && !vq.broken()) return false;
  do {
    vq.disable_cb();
    free_old_xmit(pair);
  } while (!vq.enable_cb_delayed());
  wake_if_room(pair);
  return true;
}

net::netdev_tx_t VirtioNet::ndo_start_xmit(net::skb_ptr& skb, net::net_device& dev) {
  switch (options_.receive) {
    case Receive::napi:
      return start_xmit(skb, dev);
    case Receive::interrupt: {
      const kernel::spin_guard_irqsave lock(pairs_[skb->queue_mapping]->ring_lock);
      return start_xmit(skb, dev);
    }
    case Receive::poll:  // the ring is another program's
      ++dev.stats.tx_dropped;
      net::kfree_skb_reason(std::move(skb), net::skb_drop_reason::DEV_READY);
      return net::NETDEV_TX_OK;
  }
  return net::NETDEV_TX_BUSY;
}

}  // namespace nicroscope::driver
