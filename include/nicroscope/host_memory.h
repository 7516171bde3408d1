// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace nicroscope {

/// An address as the device's DMA engine issues it.
using BusAddress = std::uint64_t;

/// As Linux's enum dma_data_direction, seen from the CPU.
enum class DmaDirection : std::uint8_t { to_device, from_device, bidirectional };

/// The memory that host software and the device share: one arena, of which byte i lies at bus
/// address base() + i. The device reaches only ranges that are mapped, in the mapped direction;
/// anything else answers DECERR and is reported.
class HostMemory {
 public:
  virtual ~HostMemory() = default;

  [[nodiscard]] virtual BusAddress base() const noexcept = 0;
  /// The CPU's view. Valid for the life of the memory.
  [[nodiscard]] virtual std::span<std::byte> bytes() noexcept = 0;

  /// Opens [address, address + size) to the device. Ranges may overlap; each is counted.
  virtual void dma_map(BusAddress address, std::size_t size, DmaDirection direction) = 0;
  /// Closes a range; the arguments are those of the dma_map that it undoes.
  virtual void dma_unmap(BusAddress address, std::size_t size, DmaDirection direction) = 0;

  /// The CPU's view of [address, address + size); empty if any of it is outside the arena.
  [[nodiscard]] std::span<std::byte> at(BusAddress address, std::size_t size) noexcept {
    const auto all = bytes();
    if (address < base() || size > all.size() || address - base() > all.size() - size) return {};
    return all.subspan(static_cast<std::size_t>(address - base()), size);
  }
};

}  // namespace nicroscope
