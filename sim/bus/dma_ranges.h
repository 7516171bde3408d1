// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include "nicroscope/host_memory.h"

namespace nicroscope::sim {

/// Which bytes the device may reach: a map from the first byte of each interval to how many mapped
/// ranges cover it in each direction. Exact to the byte; a look-up next to the last one is a
/// comparison.
class DmaRanges {
 public:
  void map(BusAddress address, std::size_t size, DmaDirection direction);
  /// Undoes one map(); false if the bytes were not mapped so.
  [[nodiscard]] bool unmap(BusAddress address, std::size_t size, DmaDirection direction);

  /// Whether the device may read the bus words (of `granule` bytes, a power of two) of
  /// [begin, end): each has to hold a byte that is mapped. A bus read has no byte enables, so the
  /// words at the ends of a buffer are read whole.
  [[nodiscard]] bool readable(BusAddress begin, BusAddress end, std::size_t granule) noexcept {
    const BusAddress mask = granule - 1;
    if ((read_hit_.begin & ~mask) <= begin && end <= ((read_hit_.end + mask) & ~mask)) return true;
    return find_readable(begin, end, mask);
  }
  /// Whether the device may write every byte of [begin, end).
  [[nodiscard]] bool writable(BusAddress begin, BusAddress end) noexcept {
    if (write_hit_.begin <= begin && end <= write_hit_.end) return true;
    return find_writable(begin, end);
  }

 private:
  struct Counts {
    std::uint32_t to_device = 0;
    std::uint32_t from_device = 0;
    bool operator==(const Counts&) const = default;
  };
  // Mapped alike throughout; nothing when begin == end.
  struct Interval {
    BusAddress begin = 1;
    BusAddress end = 0;
  };
  using Map = std::map<BusAddress, Counts>;  // each key's counts hold up to the next key

  Map::iterator split(BusAddress address);
  void merge(Map::iterator place);
  bool change(BusAddress address, std::size_t size, DmaDirection direction, bool add);
  // The widest interval around or behind `address` whose counts[member] is not 0; empty if none
  // begins before `limit`.
  Interval find(BusAddress address, BusAddress limit, std::uint32_t Counts::*member) const;
  bool find_readable(BusAddress begin, BusAddress end, BusAddress mask) noexcept;
  bool find_writable(BusAddress begin, BusAddress end) noexcept;

  Map map_{{0, Counts{}}};
  Interval read_hit_;
  Interval write_hit_;
};

}  // namespace nicroscope::sim
