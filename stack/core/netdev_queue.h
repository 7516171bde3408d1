// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "nicroscope/time.h"
#include "stack/core/dql.h"

namespace nicroscope::kernel {
class spinlock_t;
class timer_list;
}  // namespace nicroscope::kernel

namespace nicroscope::net {

class Qdisc;
class net_device;

/// A transmit queue of a device (Linux: struct netdev_queue), with its queueing discipline, its
/// lock and its byte limit.
struct netdev_queue {
  netdev_queue(net_device& device, std::uint16_t number);
  netdev_queue(const netdev_queue&) = delete;
  netdev_queue& operator=(const netdev_queue&) = delete;
  ~netdev_queue();

  net_device& dev;
  const std::uint16_t index;
  std::unique_ptr<Qdisc> qdisc;  ///< while the device is registered
  bool drv_xoff = false;         ///< the driver has no room
  bool stack_xoff = false;       ///< the byte limit is reached
  bool scheduled = false;        ///< on the list of the NET_TX softirq
  Time trans_start{};            ///< when the driver last took a packet
  std::uint64_t timeouts = 0;    ///< that the watchdog found
  dql limit;                     ///< in bytes; not in use where limit.enabled is false
  std::unique_ptr<kernel::timer_list> watchdog;  ///< as the discipline
  /// Who sends, or frees what was sent, has it; as the discipline.
  std::unique_ptr<kernel::spinlock_t> xmit_lock;
};

/// No start_xmit until it is woken: the driver has no room.
void netif_tx_stop_queue(netdev_queue& txq);
/// There is room again: the queueing discipline runs in the NET_TX softirq.
void netif_tx_wake_queue(netdev_queue& txq);
[[nodiscard]] inline bool netif_tx_queue_stopped(const netdev_queue& txq) noexcept {
  return txq.drv_xoff;
}
/// By the driver or by the byte limit.
[[nodiscard]] inline bool netif_xmit_stopped(const netdev_queue& txq) noexcept {
  return txq.drv_xoff || txq.stack_xoff;
}

/// What the queue's timer does: tells the driver of a queue that stands still.
void netif_tx_watchdog(netdev_queue& txq);

/// One at a time sends on a queue or frees what it sent. Softirqs are off. Spins while another CPU
/// is at it.
void netif_tx_lock(netdev_queue& txq);
/// False if another CPU is at it.
[[nodiscard]] bool netif_tx_trylock(netdev_queue& txq);
void netif_tx_unlock(netdev_queue& txq);

// ---- byte queue limits (Linux: netdev_tx_sent_queue and so on)
// -----------------------------------

/// The driver gave the device `bytes`: the queue stops if that reaches the limit.
void netdev_tx_sent_queue(netdev_queue& txq, std::uint32_t bytes);
/// The device is done with `packets` of `bytes`: the limit adapts, and the queue goes on if there
/// is room below it.
void netdev_tx_completed_queue(netdev_queue& txq, unsigned packets, std::uint32_t bytes);
/// The device was reset: nothing is outstanding.
void netdev_tx_reset_queue(netdev_queue& txq);

}  // namespace nicroscope::net
