// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <vector>

#include "nicroscope/virtio.h"
#include "sim/bench/bring_up.h"
#include "sim/simulation.h"

namespace nicroscope::sim {

/// The driver's side of a packed virtqueue (virtio 1.2, 2.8) for hosts that are not a kernel.
class PackedRing {
 public:
  struct Buffer {
    BusAddress address;
    std::uint32_t length;
    bool device_writes;
  };
  struct Used {
    std::uint16_t id;
    std::uint32_t length;
  };

  /// Memory that a ring of so many slots takes, a multiple of a cache line.
  [[nodiscard]] static std::uint64_t bytes(std::uint16_t slots) noexcept;

  /// `memory` begins bytes(slots) that the device may reach. The device is asked for interrupts or
  /// for none.
  PackedRing(Simulation& simulation, BusAddress memory, unsigned virtqueue, std::uint16_t slots,
             bool interrupts);

  /// Its vector is its virtqueue's index if it wants interrupts.
  [[nodiscard]] QueueAreas areas() const noexcept;
  [[nodiscard]] std::uint16_t free_slots() const noexcept { return free_; }

  /// Makes a chain available; there have to be free slots for it, and `id` must not be in use.
  void add(std::span<const Buffer> chain, std::uint16_t id) noexcept;
  void add(const Buffer& buffer, std::uint16_t id) noexcept { add({&buffer, 1}, id); }
  /// The next chain that the device gave back.
  [[nodiscard]] std::optional<Used> take() noexcept;
  /// Rings the doorbell unless the device said that it looks by itself.
  void kick();
  /// Has `hook(context, ...)` run after each write of the device to the ring.
  void watch(void (*hook)(void*, const VisibleWrite&), void* context);

 private:
  Simulation& simulation_;
  BusAddress memory_;
  unsigned virtqueue_;
  std::uint16_t size_;
  bool interrupts_;
  virtio::PackedDescriptor* slots_;
  const virtio::EventSuppression* device_events_;
  std::vector<std::uint16_t> chain_slots_;  // by id
  std::uint16_t free_;
  std::uint16_t next_available_ = 0;
  std::uint16_t next_used_ = 0;
  bool available_wrap_ = true;
  bool used_wrap_ = true;
};

}  // namespace nicroscope::sim
