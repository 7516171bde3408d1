// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>

#include "nicroscope/host_memory.h"

namespace nicroscope::test {

/// Pieces of host memory for the device to reach, each in a group that is closed to the device as a
/// whole: from then on an access to one of them is a fault.
class DmaArena {
 public:
  explicit DmaArena(HostMemory& memory) : memory_(memory), free_(memory.base()) {}
  DmaArena(const DmaArena&) = delete;
  DmaArena& operator=(const DmaArena&) = delete;

  /// Room that the device cannot reach yet, `offset` bytes behind a multiple of `alignment`.
  [[nodiscard]] BusAddress reserve(std::size_t bytes, std::size_t alignment = 64,
                                   std::size_t offset = 0) {
    free_ = (free_ + alignment - 1) / alignment * alignment + offset;
    const BusAddress place = free_;
    free_ += bytes;
    return place;
  }
  void map(unsigned group, BusAddress address, std::size_t bytes, DmaDirection direction) {
    memory_.dma_map(address, bytes, direction);
    mapped_[address] = {group, bytes, direction};
  }
  [[nodiscard]] BusAddress allocate(unsigned group, std::size_t bytes, DmaDirection direction,
                                    std::size_t alignment = 64, std::size_t offset = 0) {
    const BusAddress place = reserve(bytes, alignment, offset);
    map(group, place, bytes, direction);
    return place;
  }
  void unmap(BusAddress address) {
    const auto range = mapped_.find(address);
    memory_.dma_unmap(address, range->second.bytes, range->second.direction);
    mapped_.erase(range);
  }
  void release(unsigned group) {
    for (auto range = mapped_.begin(); range != mapped_.end();) {
      const auto here = range++;
      if (here->second.group == group) unmap(here->first);
    }
  }
  /// Everything is closed, and all room is free again.
  void release_all() {
    while (!mapped_.empty()) unmap(mapped_.begin()->first);
    free_ = memory_.base();
  }

  [[nodiscard]] std::span<std::byte> bytes(BusAddress address, std::size_t count) {
    return memory_.at(address, count);
  }
  template <typename T>
  [[nodiscard]] T& at(BusAddress address) {
    return *reinterpret_cast<T*>(bytes(address, sizeof(T)).data());  // NOLINT: memory as it lies
  }

 private:
  struct Range {
    unsigned group;
    std::size_t bytes;
    DmaDirection direction;
  };
  HostMemory& memory_;
  BusAddress free_;
  std::map<BusAddress, Range> mapped_;
};

}  // namespace nicroscope::test
