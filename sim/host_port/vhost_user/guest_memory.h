// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "nicroscope/host_memory.h"
#include "sim/bus/dma_memory.h"
#include "sim/host_port/vhost_user/mapped_file.h"
#include "sim/host_port/vhost_user/message.h"

namespace nicroscope::sim::vhost_user {

/// A client's memory: its regions lie at their guest-physical addresses on the device's bus, open
/// in both directions. The device's accesses go straight into the client's pages.
class GuestMemory {
 public:
  explicit GuestMemory(DmaMemory& memory) noexcept : memory_(memory) {}
  GuestMemory(const GuestMemory&) = delete;
  GuestMemory& operator=(const GuestMemory&) = delete;
  ~GuestMemory() { clear(); }

  /// Takes the place of the regions there were; the files are those of `regions`, in order. Returns
  /// why not, empty if it was done. Then nothing has changed.
  ///
  /// The old mappings stay until release(), as the bus may be in the middle of them.
  [[nodiscard]] std::string set(std::span<const MemoryRegion> regions,
                                std::span<const Descriptor> files);
  /// No regions any more.
  void clear() noexcept;
  /// The bus is idle: what is not needed any more can go.
  void release() noexcept { old_.clear(); }

  /// The bus address of [user, user + size) of the client's process, which must lie in one region.
  [[nodiscard]] std::optional<BusAddress> bus_address(std::uint64_t user,
                                                      std::uint64_t size) const noexcept;
  /// That memory, from here; empty if any of it is outside a region.
  [[nodiscard]] std::span<const std::byte> at(BusAddress address,
                                              std::uint64_t size) const noexcept;
  /// The client has made one of its files shorter than its region.
  [[nodiscard]] bool truncated() const noexcept;

 private:
  struct Region {
    MemoryRegion place;
    std::unique_ptr<MappedFile> file;
  };

  void lay(bool there);

  DmaMemory& memory_;
  std::vector<Region> regions_;
  std::vector<Region> old_;
};

}  // namespace nicroscope::sim::vhost_user
