// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "driver/net_dim.h"
#include "driver/receive_queue.h"
#include "driver/transmit_queue.h"
#include "stack/kernel/lock/spinlock.h"

namespace nicroscope::driver {

/// A receive and a transmit virtqueue (virtio 1.2, 5.1.2: receiveq1 is virtqueue 0, transmitq1
/// virtqueue 1 and so on) with what the driver keeps beside them. The pair is there from probe to
/// remove, its queues while the device has them.
struct QueuePair {
  QueuePair(kernel::Kernel& kernel, std::uint16_t number, std::function<void()> refill)
      : index(number),
        refill_timer(kernel, std::move(refill)),
        ring_lock(kernel, "virtnet_ring_lock") {
    rx_napi.queue = tx_napi.queue = number;
  }

  [[nodiscard]] std::uint16_t rx_index() const noexcept {
    return static_cast<std::uint16_t>(2 * index);
  }
  [[nodiscard]] std::uint16_t tx_index() const noexcept {
    return static_cast<std::uint16_t>(2 * index + 1);
  }

  const std::uint16_t index;
  ReceiveStats rx_stats;
  TransmitStats tx_stats;
  std::unique_ptr<ReceiveQueue> rx;
  std::unique_ptr<TransmitQueue> tx;
  kernel::napi_struct rx_napi;
  kernel::napi_struct tx_napi;
  kernel::timer_list refill_timer;  ///< looks for memory again
  NetDim rx_dim{false};             ///< where moderation is adaptive
  NetDim tx_dim{true};
  bool rx_dim_changed = false;  ///< its new profile is to be set
  bool tx_dim_changed = false;
  std::uint64_t rx_events = 0;  ///< interrupts
  std::uint64_t tx_events = 0;
  bool polled = false;           ///< somebody empties the rings: NAPI or the handler
  kernel::spinlock_t ring_lock;  ///< Receive::interrupt: of the transmit ring
};

}  // namespace nicroscope::driver
