// SPDX-License-Identifier: Apache-2.0
#include "stack/core/netdev_queue.h"

#include "stack/core/net.h"
#include "stack/core/qdisc.h"
#include "stack/kernel/lock/spinlock.h"

namespace nicroscope::net {

namespace {

void arm_watchdog(netdev_queue& txq) {
  if (txq.watchdog == nullptr || txq.watchdog->pending()) return;
  if (txq.dev.watchdog_timeo == Duration{0}) return;
  kernel::Kernel& kernel = txq.dev.net().kernel();
  kernel.timers().mod_timer(*txq.watchdog,
                            kernel.jiffies() + kernel.to_jiffies(txq.dev.watchdog_timeo));
}

void schedule_if_waiting(netdev_queue& txq) {
  if (txq.qdisc != nullptr && txq.qdisc->qlen() != 0) netif_schedule(txq);
}

}  // namespace

netdev_queue::netdev_queue(net_device& device, std::uint16_t number) : dev(device), index(number) {}

netdev_queue::~netdev_queue() = default;

// ---- stop and wake
// -------------------------------------------------------------------------------

void netif_tx_stop_queue(netdev_queue& txq) {
  txq.drv_xoff = true;
  arm_watchdog(txq);
}

void netif_tx_wake_queue(netdev_queue& txq) {
  if (!txq.drv_xoff) return;
  txq.drv_xoff = false;
  schedule_if_waiting(txq);
}

void netif_tx_stop_all_queues(net_device& dev) {
  for (std::uint16_t n = 0; n < dev.num_tx_queues(); ++n) dev.tx_queue(n).drv_xoff = true;
}

void netif_tx_wake_all_queues(net_device& dev) {
  for (std::uint16_t n = 0; n < dev.num_tx_queues(); ++n) netif_tx_wake_queue(dev.tx_queue(n));
}

void netif_tx_disable(net_device& dev) {
  netif_tx_stop_all_queues(dev);
  for (std::uint16_t n = 0; n < dev.num_tx_queues(); ++n) {
    const netdev_queue& txq = dev.tx_queue(n);
    while (txq.xmit_lock->is_locked() || (txq.qdisc != nullptr && txq.qdisc->running)) {
      dev.net().kernel().usleep(std::chrono::microseconds{1});
    }
  }
}

// Armed when a queue is stopped, it looks once in watchdog_timeo until the queue goes on: nothing
// is paid while queues run.
void netif_tx_watchdog(netdev_queue& txq) {
  net_device& dev = txq.dev;
  if (!dev.is_up() || !netif_carrier_ok(dev) || !netif_xmit_stopped(txq)) return;
  if (dev.net().kernel().now() - txq.trans_start >= dev.watchdog_timeo) {
    ++txq.timeouts;
    dev.ops().ndo_tx_timeout(dev, txq.index);
  }
  arm_watchdog(txq);
}

void netif_tx_lock(netdev_queue& txq) { spin_lock(*txq.xmit_lock); }
bool netif_tx_trylock(netdev_queue& txq) { return spin_trylock(*txq.xmit_lock); }
void netif_tx_unlock(netdev_queue& txq) { spin_unlock(*txq.xmit_lock); }

// ---- byte queue limits
// ---------------------------------------------------------------------------

// The order matters on a machine: stop, then look again, lest a completion between the two be
// missed. Host code here is atomic between two points of time; it is written in that order anyway.
void netdev_tx_sent_queue(netdev_queue& txq, std::uint32_t bytes) {
  if (!txq.limit.enabled) return;
  txq.limit.queued(bytes);
  if (txq.limit.avail() >= 0) return;
  txq.stack_xoff = true;
  arm_watchdog(txq);
  if (txq.limit.avail() >= 0) txq.stack_xoff = false;
}

void netdev_tx_completed_queue(netdev_queue& txq, unsigned packets, std::uint32_t bytes) {
  if (!txq.limit.enabled || packets == 0) return;
  txq.limit.completed(bytes, txq.dev.net().kernel().now());
  if (txq.limit.avail() < 0 || !txq.stack_xoff) return;
  txq.stack_xoff = false;
  schedule_if_waiting(txq);
}

void netdev_tx_reset_queue(netdev_queue& txq) {
  txq.stack_xoff = false;
  txq.limit.reset(txq.dev.net().kernel().now());
}

}  // namespace nicroscope::net
