// SPDX-License-Identifier: Apache-2.0
// The transmit half of net/core/dev.c and net/sched/sch_generic.c.
#include "nicroscope/host_points.h"
#include "stack/core/checksum.h"
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

bool can_send(const net_device& dev) { return !netif_queue_stopped(dev) && netif_carrier_ok(dev); }

/// Sends the packet or puts it back. False if the device is to be left alone for now.
bool sch_direct_xmit(skb_ptr skb, net_device& dev) {
  if (can_send(dev) && dev_hard_start_xmit(skb, dev)) return can_send(dev);
  ++dev.qdisc().requeues;
  dev.qdisc().requeue(std::move(skb));
  return false;
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

void qdisc_run(net_device& dev) {
  Qdisc& qdisc = dev.qdisc();
  if (qdisc.running) return;
  qdisc.running = true;
  unsigned quota = kTxWeight;
  while (can_send(dev)) {
    skb_ptr skb = qdisc.dequeue();
    if (!skb || !sch_direct_xmit(std::move(skb), dev)) break;
    if (--quota == 0) {
      netif_schedule(dev);
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
  if (!validate_xmit_skb(*skb, dev)) {
    ++dev.stats.tx_dropped;
    kfree_skb_reason(std::move(skb), skb_drop_reason::NOMEM);
    return false;
  }

  Qdisc& qdisc = dev.qdisc();
  if (qdisc.qlen() == 0 && !qdisc.running && can_send(dev)) {
    // Nobody waits: straight to the device (Linux: TCQ_F_CAN_BYPASS).
    qdisc.running = true;
    const bool more = sch_direct_xmit(std::move(skb), dev);
    qdisc.running = false;
    if (more && qdisc.qlen() != 0) qdisc_run(dev);
    return true;
  }
  net.spend(kernel::cost::qdisc_enqueue);
  if (!qdisc.enqueue(std::move(skb))) {
    ++dev.stats.tx_dropped;
    return false;
  }
  qdisc_run(dev);
  return true;
}

void netif_schedule(net_device& dev) {
  Qdisc& qdisc = dev.qdisc();
  if (qdisc.scheduled) return;
  qdisc.scheduled = true;
  dev.net().output_queue_.push_back(&dev);
  dev.net().kernel().raise_softirq(kernel::Softirq::net_tx);
}

void Net::net_tx_action() {
  for (std::size_t n = output_queue_.size(); n != 0; --n) {
    net_device& dev = *output_queue_.front();
    output_queue_.pop_front();
    dev.qdisc().scheduled = false;
    if (dev.is_up()) qdisc_run(dev);
  }
}

void netif_stop_queue(net_device& dev) noexcept { dev.queue_stopped_ = true; }

void netif_wake_queue(net_device& dev) {
  if (!dev.queue_stopped_) return;
  dev.queue_stopped_ = false;
  if (dev.qdisc_ != nullptr && dev.qdisc_->qlen() != 0) netif_schedule(dev);
}

bool netif_queue_stopped(const net_device& dev) noexcept { return dev.queue_stopped_; }

void netif_carrier_on(net_device& dev) {
  if (dev.carrier_) return;
  dev.carrier_ = true;
  if (dev.qdisc_ != nullptr && dev.qdisc_->qlen() != 0) netif_schedule(dev);
}

void netif_carrier_off(net_device& dev) noexcept { dev.carrier_ = false; }
bool netif_carrier_ok(const net_device& dev) noexcept { return dev.carrier_; }

}  // namespace nicroscope::net
