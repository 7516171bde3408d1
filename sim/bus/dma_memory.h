// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "nicroscope/host_memory.h"
#include "sim/bus/dma_ranges.h"

namespace nicroscope::sim {

/// The memory that the device's DMA reaches, as the AXI4 memory sees it: pieces of this process's
/// memory at bus addresses, and which bytes of them are open to the device.
///
/// A piece is whole pages at a page's address, and a burst of AXI4 does not cross 4 KiB, so what
/// begins in a piece ends in it. Looking up an address in the piece that was used last costs one
/// comparison.
class DmaMemory {
 public:
  static constexpr std::size_t kPage = 4096;

  DmaMemory() = default;
  DmaMemory(const DmaMemory&) = delete;
  DmaMemory& operator=(const DmaMemory&) = delete;

  /// Lays `bytes` at `begin`, closed to the device until open(). Both are multiples of kPage, and
  /// nothing else lies there: false if that is not so, and nothing is done.
  [[nodiscard]] bool attach(BusAddress begin, std::span<std::byte> bytes);
  /// Takes the piece that begins at `begin` away; what the device may reach is not changed.
  void detach(BusAddress begin) noexcept;
  /// Something lies in [begin, begin + size).
  [[nodiscard]] bool occupied(BusAddress begin, std::size_t size) const noexcept;

  /// Which bytes the device may reach.
  [[nodiscard]] DmaRanges& ranges() noexcept { return ranges_; }
  [[nodiscard]] bool readable(BusAddress begin, BusAddress end, std::size_t granule) noexcept {
    return ranges_.readable(begin, end, granule);
  }
  [[nodiscard]] bool writable(BusAddress begin, BusAddress end) noexcept {
    return ranges_.writable(begin, end);
  }
  /// The byte at `address` and those behind it up to the next multiple of kPage. Where no piece
  /// lies (any more: an access that was let in can outlive its piece) a page that nobody looks at.
  [[nodiscard]] std::byte* pointer(BusAddress address) noexcept {
    if (address - hit_.begin < hit_.size) [[likely]] {
      return hit_.data + (address - hit_.begin);
    }
    return find(address);
  }

 private:
  struct Piece {
    BusAddress begin = 0;
    std::size_t size = 0;
    std::byte* data = nullptr;
  };

  [[nodiscard]] std::byte* find(BusAddress address) noexcept;

  Piece hit_;
  std::vector<Piece> pieces_;
  DmaRanges ranges_;
  alignas(kPage) std::array<std::byte, kPage> nowhere_{};
};

}  // namespace nicroscope::sim
