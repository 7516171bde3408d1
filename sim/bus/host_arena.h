// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "nicroscope/host_memory.h"
#include "sim/bus/dma_ranges.h"

namespace nicroscope::sim {

/// The host's memory: one arena of zeros, of which only touched pages cost anything.
class HostArena final : public HostMemory {
 public:
  static constexpr BusAddress kBase = 0x1'0000'0000;

  /// `size` is rounded up to whole pages. Throws std::bad_alloc if there is no such room.
  explicit HostArena(std::size_t size);
  ~HostArena() override;
  HostArena(const HostArena&) = delete;
  HostArena& operator=(const HostArena&) = delete;

  [[nodiscard]] BusAddress base() const noexcept override { return kBase; }
  [[nodiscard]] std::span<std::byte> bytes() noexcept override { return {data_, size_}; }

  /// Both throw std::logic_error where a range is outside the arena or was not mapped so: that is a
  /// bug of the caller.
  void dma_map(BusAddress address, std::size_t size, DmaDirection direction) override;
  void dma_unmap(BusAddress address, std::size_t size, DmaDirection direction) override;

  // ---- the device's side
  [[nodiscard]] bool readable(BusAddress begin, BusAddress end, std::size_t granule) noexcept {
    return ranges_.readable(begin, end, granule);
  }
  [[nodiscard]] bool writable(BusAddress begin, BusAddress end) noexcept {
    return ranges_.writable(begin, end);
  }
  /// The byte at `address`, which must be in the arena.
  [[nodiscard]] std::byte* pointer(BusAddress address) noexcept {
    return data_ + (address - kBase);
  }

 private:
  void check(BusAddress address, std::size_t size) const;

  std::byte* data_;
  std::size_t size_;
  DmaRanges ranges_;
};

}  // namespace nicroscope::sim
