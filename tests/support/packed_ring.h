// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "nicroscope/registers.h"
#include "nicroscope/virtio.h"
#include "sim/base/random.h"
#include "tests/support/dma_arena.h"

namespace nicroscope::test {

/// A descriptor of a chain.
struct Piece {
  BusAddress address;
  std::uint32_t bytes;
  bool write;  ///< by the device
};

/// The driver's half of a packed virtqueue (virtio 1.2, 2.8), with buffer ids in no order, so that
/// a device which takes a slot for an id is found out. Its memory belongs to the group of its
/// number.
class PackedRing {
 public:
  struct Used {
    std::uint16_t id;
    std::uint32_t len;
  };

  PackedRing(DmaArena& arena, unsigned virtqueue, unsigned size, std::uint64_t seed);

  [[nodiscard]] unsigned virtqueue() const noexcept { return virtqueue_; }
  [[nodiscard]] unsigned size() const noexcept { return size_; }
  [[nodiscard]] unsigned room() const noexcept { return free_slots_; }
  [[nodiscard]] unsigned outstanding() const noexcept {
    return size_ - static_cast<unsigned>(free_ids_.size());
  }
  [[nodiscard]] BusAddress descriptors() const noexcept { return descriptors_; }
  [[nodiscard]] BusAddress driver_area() const noexcept { return driver_; }
  [[nodiscard]] BusAddress device_area() const noexcept { return device_; }

  /// Makes a chain available and says its id; nothing where there is no room.
  std::optional<std::uint16_t> add(std::span<const Piece> chain);
  /// Whether the device wants to be notified of what was added since this was asked last
  /// (2.8.14 and 2.8.21.3.1).
  [[nodiscard]] bool needs_kick();

  [[nodiscard]] bool has_used();
  /// The next used element. `error` is set where its id was not outstanding.
  std::optional<Used> next_used();
  [[nodiscard]] bool error() const noexcept { return error_; }

  void interrupts_off() { area().flags = regs::kEventFlagsDisable; }
  void interrupts_on() { area().flags = regs::kEventFlagsEnable; }
  /// At the used element `behind` slots behind the next one (VIRTIO_F_EVENT_IDX).
  void interrupt_at(unsigned behind);

  /// Laps of the ring so far.
  [[nodiscard]] unsigned laps() const noexcept { return laps_; }

 private:
  [[nodiscard]] virtio::PackedDescriptor& slot(unsigned index) {
    return arena_.at<virtio::PackedDescriptor>(descriptors_ +
                                               index * sizeof(virtio::PackedDescriptor));
  }
  [[nodiscard]] virtio::EventSuppression& area() {
    return arena_.at<virtio::EventSuppression>(driver_);
  }

  DmaArena& arena_;
  unsigned virtqueue_;
  unsigned size_;
  BusAddress descriptors_;
  BusAddress driver_;
  BusAddress device_;
  unsigned next_avail_ = 0;
  bool avail_wrap_ = true;
  unsigned added_ = 0;  // slots since the last needs_kick
  unsigned next_used_ = 0;
  bool used_wrap_ = true;
  unsigned free_slots_;
  std::vector<std::uint16_t> free_ids_;
  std::vector<unsigned> chain_;  // slots of the chain with this id, 0: not outstanding
  unsigned laps_ = 0;
  bool error_ = false;
};

}  // namespace nicroscope::test
