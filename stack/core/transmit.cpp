// SPDX-License-Identifier: Apache-2.0
// The transmit half of net/core/dev.c and net/sched/sch_generic.c.
#include "nicroscope/host_points.h"
#include "stack/core/checksum.h"
#include "stack/core/flow_hash.h"
#include "stack/core/gso.h"
#include "stack/core/net.h"
#include "stack/core/qdisc.h"

namespace nicroscope::net {

namespace {

/// Packets that qdisc_run sends before it leaves the rest to the softirq (Linux: dev_tx_weight).
constexpr unsigned kTxWeight = 64;

/// Brings the packet into a form that the device takes. False if there was no memory.
bool validate_xmit_skb(sk_buff& skb, const net_device& dev) {
  const bool fragments_fit =
      (dev.features & NETIF_F_SG) != 0 &&
      ((dev.features & NETIF_F_FRAGLIST) != 0 || skb.shinfo->frag_list == nullptr);
  if (skb_is_nonlinear(skb) && !fragments_fit) {
    dev.net().spend(kernel::cost::copy_kernel, skb.data_len);
    if (!skb_linearize(skb)) return false;
  }
  if (skb.ip_summed == CHECKSUM_PARTIAL && (dev.features & NETIF_F_HW_CSUM) == 0) {
    return skb_checksum_help(skb);
  }
  return true;
}

/// The queue for a packet (Linux: netdev_core_pick_tx): the one of this CPU where XPS says so, else
/// by the flow.
netdev_queue& netdev_pick_tx(net_device& dev, sk_buff& skb) {
  const std::uint16_t queues = dev.real_num_tx_queues();
  std::uint16_t n = 0;
  if (queues > 1) {
    const unsigned cpu = dev.net().kernel().cpu().id();
    if (cpu < dev.xps.size() && dev.xps[cpu] < queues) {
      n = dev.xps[cpu];
    } else {
      n = static_cast<std::uint16_t>(std::uint64_t{skb_get_hash(skb)} * queues >> 32U);
    }
  }
  skb.queue_mapping = n;
  return dev.tx_queue(n);
}

/// Shows the packet to the taps and sends it. False if the device is busy; `skb` is still the
/// caller's then.
bool dev_hard_start_xmit(skb_ptr& skb, net_device& dev) {
  const FrameId frame = skb->frame;
  dev_queue_xmit_nit(*skb, dev);
  const netdev_tx_t result = dev.ops().ndo_start_xmit(skb, dev);
  kernel::bug_on(result == NETDEV_TX_OK && skb != nullptr, "a sent packet was not taken");
  kernel::bug_on(result == NETDEV_TX_BUSY && (skb == nullptr || skb->frame != frame),
                 "a refused packet was taken");
  return result == NETDEV_TX_OK;
}

bool can_send(const netdev_queue& txq) {
  return !netif_xmit_stopped(txq) && netif_carrier_ok(txq.dev);
}

/// Sends the packet or puts it back. False if the queue is to be left alone for now.
bool sch_direct_xmit(skb_ptr skb, netdev_queue& txq) {
  netif_tx_lock(txq);
  const bool sent = can_send(txq) && dev_hard_start_xmit(skb, txq.dev);
  netif_tx_unlock(txq);
  if (sent) {
    txq.trans_start = txq.dev.net().kernel().now();
    return can_send(txq);
  }
  ++txq.qdisc->requeues;
  txq.qdisc->requeue(std::move(skb));
  return false;
}

/// Through the discipline, or past it where it is empty. False if the packet was dropped.
bool dev_xmit_skb(skb_ptr skb, netdev_queue& txq) {
  net_device& dev = txq.dev;
  Qdisc& qdisc = *txq.qdisc;
  if (!validate_xmit_skb(*skb, dev)) {
    ++dev.stats.tx_dropped;
    kfree_skb_reason(std::move(skb), skb_drop_reason::NOMEM);
    return false;
  }
  if (qdisc.qlen() == 0 && !qdisc.running && can_send(txq)) {
    // Nobody waits: straight to the device (Linux: TCQ_F_CAN_BYPASS).
    qdisc.running = true;
    const bool more = sch_direct_xmit(std::move(skb), txq);
    qdisc.running = false;
    if (more && qdisc.qlen() != 0) qdisc_run(txq);
    return true;
  }
  dev.net().spend(kernel::cost::qdisc_enqueue);
  if (!qdisc.enqueue(std::move(skb))) {
    ++dev.stats.tx_dropped;
    return false;
  }
  qdisc_run(txq);
  return true;
}

}  // namespace

bool skb_checksum_help(sk_buff& skb) {
  const std::uint32_t start = skb_checksum_start_offset(skb);
  if (!skb_cow(skb, 0) || !pskb_may_pull(skb, start + skb.csum_offset + 2)) return false;
  const std::uint32_t size = skb.len - start;
  skb.dev->net().spend(kernel::cost::csum_partial, size);
  const std::uint16_t checksum = csum_fold(skb_checksum(skb, start, size, 0));
  // 0 would say "none" in UDP; its complement is as good in ones' complement.
  store_be16(skb.data + start + skb.csum_offset, checksum == 0 ? 0xffff : checksum);
  skb.ip_summed = CHECKSUM_NONE;
  return true;
}

bool pfifo::enqueue(skb_ptr skb) {
  if (queue_.size() >= limit_) {
    ++drops;
    kfree_skb_reason(std::move(skb), skb_drop_reason::QDISC_DROP);
    return false;
  }
  queue_.queue_tail(std::move(skb));
  return true;
}

void pfifo::requeue(skb_ptr skb) { queue_.queue_head(std::move(skb)); }

void dev_queue_xmit_nit(const sk_buff& skb, net_device& dev) {
  for (packet_type* tap : dev.net().ptype_all_) {
    if (tap->dev() != nullptr && tap->dev() != &dev) continue;
    if (tap->owner() != nullptr && tap->owner() == skb.sk) continue;
    skb_ptr clone = skb_clone(skb);
    if (!clone) continue;
    clone->tstamp = dev.net().kernel().now();
    clone->pkt_type = pkt_type_t::outgoing;
    skb_reset_mac_header(*clone);
    skb_pull(*clone, kEthHlen);
    skb_reset_network_header(*clone);
    tap->func(std::move(clone));
  }
}

void qdisc_run(netdev_queue& txq) {
  Qdisc& qdisc = *txq.qdisc;
  if (qdisc.running) return;
  qdisc.running = true;
  unsigned quota = kTxWeight;
  while (can_send(txq)) {
    skb_ptr skb = qdisc.dequeue();
    if (!skb || !sch_direct_xmit(std::move(skb), txq)) break;
    if (--quota == 0) {
      netif_schedule(txq);
      break;
    }
  }
  qdisc.running = false;
}

bool dev_queue_xmit(skb_ptr skb) {
  net_device& dev = *skb->dev;
  Net& net = dev.net();
  const bh_guard guard(net);
  net.trace().emit(point::dev_queue_xmit, skb->frame, skb->len);
  net.spend(kernel::cost::dev_queue_xmit);
  skb_reset_mac_header(*skb);
  if (!dev.is_up()) {
    kfree_skb_reason(std::move(skb), skb_drop_reason::DEV_DOWN);
    return false;
  }
  netdev_queue& txq = netdev_pick_tx(dev, *skb);
  if (!netif_needs_gso(*skb, dev.features)) return dev_xmit_skb(std::move(skb), txq);
  sk_buff_head segments;
  if (!skb_gso_segment(skb, segments)) {
    ++dev.stats.tx_dropped;
    kfree_skb_reason(std::move(skb), skb_drop_reason::SKB_GSO_SEG);
    return false;
  }
  bool all = true;
  while (skb_ptr segment = segments.dequeue()) all &= dev_xmit_skb(std::move(segment), txq);
  return all;
}

void netif_schedule(netdev_queue& txq) {
  if (txq.scheduled) return;
  txq.scheduled = true;
  Net& net = txq.dev.net();
  net.output_queue_.push_back(&txq);
  net.kernel().raise_softirq(kernel::Softirq::net_tx);
}

void dev_consume_skb_any(skb_ptr skb) {
  Net& net = skb->dev->net();
  if (!net.kernel().cpu().in_hardirq()) {
    consume_skb(std::move(skb));
    return;
  }
  net.completion_queue_.queue_tail(std::move(skb));
  net.kernel().raise_softirq(kernel::Softirq::net_tx);
}

void Net::net_tx_action() {
  for (std::size_t n = completion_queue_.size(); n != 0 && !completion_queue_.empty(); --n) {
    consume_skb(completion_queue_.dequeue());
  }
  for (std::size_t n = output_queue_.size(); n != 0 && !output_queue_.empty(); --n) {
    netdev_queue& txq = *output_queue_.front();
    output_queue_.pop_front();
    txq.scheduled = false;
    if (txq.dev.is_up()) qdisc_run(txq);
  }
}

}  // namespace nicroscope::net
