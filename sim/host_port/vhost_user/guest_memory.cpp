// SPDX-License-Identifier: Apache-2.0
#include "sim/host_port/vhost_user/guest_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "sim/bus/axi_memory.h"

namespace nicroscope::sim::vhost_user {
namespace {

constexpr std::uint64_t kMost = ~std::uint64_t{0};

bool overlap(std::uint64_t a, std::uint64_t a_size, std::uint64_t b, std::uint64_t b_size) {
  return a <= b ? b - a < a_size : a - b < b_size;
}

bool fits(std::uint64_t begin, std::uint64_t size) { return size <= kMost - begin; }

// What is wrong with the table by itself.
std::string check(std::span<const MemoryRegion> regions) {
  for (std::size_t i = 0; i < regions.size(); ++i) {
    const MemoryRegion& region = regions[i];
    const auto refuse = [&](const char* why) {
      return fmt::format("memory region {} ({} bytes at {:#x}): {}", i, region.size, region.guest,
                         why);
    };
    if (region.size == 0) return refuse("it is empty");
    if ((region.guest | region.size | region.offset) % DmaMemory::kPage != 0) {
      return refuse("address, size and offset are not all multiples of 4096");
    }
    if (!fits(region.guest, region.size) || !fits(region.user, region.size) ||
        !fits(region.offset, region.size)) {
      return refuse("it goes beyond the last address");
    }
    if (overlap(region.guest, region.size, AxiMemory::kMsiBase, AxiMemory::kMsiBytes)) {
      return refuse("interrupt messages go there");
    }
    for (const MemoryRegion& other : regions.first(i)) {
      if (overlap(region.guest, region.size, other.guest, other.size)) {
        return refuse("it overlaps another one");
      }
    }
  }
  return {};
}

}  // namespace

std::string GuestMemory::set(std::span<const MemoryRegion> regions,
                             std::span<const Descriptor> files) {
  if (regions.size() != files.size()) {
    return fmt::format("{} memory regions with {} file descriptors", regions.size(), files.size());
  }
  if (std::string problem = check(regions); !problem.empty()) return problem;
  std::vector<Region> next;
  for (std::size_t i = 0; i < regions.size(); ++i) {
    auto file = MappedFile::map(files[i], regions[i].offset + regions[i].size);
    if (!file) return fmt::format("memory region {}: {}", i, file.error());
    next.push_back({regions[i], std::move(*file)});
  }
  lay(false);
  for (const MemoryRegion& region : regions) {
    if (memory_.occupied(region.guest, region.size)) {
      lay(true);
      return fmt::format("a memory region at {:#x}: the device's own memory lies there",
                         region.guest);
    }
  }
  std::ranges::move(regions_, std::back_inserter(old_));
  regions_ = std::move(next);
  lay(true);
  return {};
}

// Puts the regions onto the bus, or takes them away.
void GuestMemory::lay(bool there) {
  for (const Region& region : regions_) {
    const MemoryRegion& place = region.place;
    if (there) {
      const auto bytes = region.file->bytes().subspan(place.offset, place.size);
      if (memory_.attach(place.guest, bytes)) {
        memory_.ranges().map(place.guest, place.size, DmaDirection::bidirectional);
      }
    } else {
      static_cast<void>(
          memory_.ranges().unmap(place.guest, place.size, DmaDirection::bidirectional));
      memory_.detach(place.guest);
    }
  }
}

void GuestMemory::clear() noexcept {
  lay(false);
  regions_.clear();
  old_.clear();
}

std::optional<BusAddress> GuestMemory::bus_address(std::uint64_t user,
                                                   std::uint64_t size) const noexcept {
  for (const Region& region : regions_) {
    const std::uint64_t offset = user - region.place.user;
    if (offset < region.place.size && size <= region.place.size - offset) {
      return region.place.guest + offset;
    }
  }
  return std::nullopt;
}

std::span<const std::byte> GuestMemory::at(BusAddress address, std::uint64_t size) const noexcept {
  for (const Region& region : regions_) {
    const std::uint64_t offset = address - region.place.guest;
    if (offset < region.place.size && size <= region.place.size - offset) {
      return region.file->bytes().subspan(region.place.offset + offset, size);
    }
  }
  return {};
}

bool GuestMemory::truncated() const noexcept {
  return std::ranges::any_of(regions_,
                             [](const Region& region) { return region.file->truncated(); });
}

}  // namespace nicroscope::sim::vhost_user
