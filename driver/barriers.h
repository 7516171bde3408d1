// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>

namespace nicroscope::driver {

// The order that a ring needs, named as in Linux (include/linux/virtio_ring.h). Host code runs
// between two points of simulated time at once and the device sees its stores in program order, so
// nothing is left for them to order but the compiler; they mark the places where a machine orders.

/// Everything before is done before anything after it.
inline void virtio_mb() noexcept { std::atomic_signal_fence(std::memory_order_seq_cst); }
/// Loads before are done before loads after it.
inline void virtio_rmb() noexcept { std::atomic_signal_fence(std::memory_order_acquire); }
/// Stores before are visible before stores after it.
inline void virtio_wmb() noexcept { std::atomic_signal_fence(std::memory_order_release); }

/// Reads the flags that the device publishes a descriptor by; what it published is read after.
[[nodiscard]] inline std::uint16_t virtqueue_fetch_flags_packed(
    const volatile std::uint16_t& flags) noexcept {
  const std::uint16_t value = flags;
  virtio_rmb();
  return value;
}

/// Publishes a descriptor by its flags; what was written to it before is visible before.
inline void virtqueue_store_flags_packed(volatile std::uint16_t& flags,
                                         std::uint16_t value) noexcept {
  virtio_wmb();
  flags = value;
}

}  // namespace nicroscope::driver
