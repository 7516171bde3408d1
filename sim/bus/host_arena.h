// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "nicroscope/host_memory.h"
#include "sim/bus/dma_memory.h"

namespace nicroscope::sim {

/// The host's memory: one arena of zeros, of which only touched pages cost anything. Other pieces
/// of memory can be laid beside it for the device (attach).
class HostArena final : public HostMemory, public DmaMemory {
 public:
  static constexpr BusAddress kBase = 0x1'0000'0000;

  /// `size` is rounded up to whole pages. Throws std::bad_alloc if there is no such room.
  explicit HostArena(std::size_t size, BusAddress base = kBase);
  ~HostArena() override;

  [[nodiscard]] BusAddress base() const noexcept override { return base_; }
  [[nodiscard]] std::span<std::byte> bytes() noexcept override { return {data_, size_}; }

  /// Both throw std::logic_error where a range is outside the arena or was not mapped so: that is a
  /// bug of the caller.
  void dma_map(BusAddress address, std::size_t size, DmaDirection direction) override;
  void dma_unmap(BusAddress address, std::size_t size, DmaDirection direction) override;

 private:
  void check(BusAddress address, std::size_t size) const;

  BusAddress base_;
  std::byte* data_;
  std::size_t size_;
};

}  // namespace nicroscope::sim
