// SPDX-License-Identifier: Apache-2.0
#include "sim/bus/dma_ranges.h"

#include <iterator>

namespace nicroscope::sim {

void DmaRanges::map(BusAddress address, std::size_t size, DmaDirection direction) {
  if (size != 0) change(address, size, direction, true);
}

bool DmaRanges::unmap(BusAddress address, std::size_t size, DmaDirection direction) {
  read_hit_ = {};
  write_hit_ = {};
  return size == 0 || change(address, size, direction, false);
}

// Makes `address` the beginning of an interval of its own.
DmaRanges::Map::iterator DmaRanges::split(BusAddress address) {
  auto place = std::prev(map_.upper_bound(address));
  if (place->first == address) return place;
  return map_.emplace_hint(std::next(place), address, place->second);
}

// Joins an interval to the one before it if they are mapped alike.
void DmaRanges::merge(Map::iterator place) {
  if (place == map_.end() || place == map_.begin()) return;
  if (std::prev(place)->second == place->second) map_.erase(place);
}

bool DmaRanges::change(BusAddress address, std::size_t size, DmaDirection direction, bool add) {
  const auto first = split(address);
  const auto last = split(address + size);
  const bool to_device = direction != DmaDirection::from_device;
  const bool from_device = direction != DmaDirection::to_device;
  bool ok = true;
  for (auto place = first; place != last; ++place) {
    if (add) {
      place->second.to_device += to_device;
      place->second.from_device += from_device;
    } else if ((to_device && place->second.to_device == 0) ||
               (from_device && place->second.from_device == 0)) {
      ok = false;
    } else {
      place->second.to_device -= to_device;
      place->second.from_device -= from_device;
    }
  }
  merge(last);
  merge(first);
  return ok;
}

DmaRanges::Interval DmaRanges::find(BusAddress address, BusAddress limit,
                                    std::uint32_t Counts::*member) const {
  auto place = std::prev(map_.upper_bound(address));
  while (place != map_.end() && place->second.*member == 0) {
    ++place;
    if (place == map_.end() || place->first >= limit) return {};
  }
  if (place == map_.end()) return {};
  auto begin = place;
  while (begin != map_.begin() && std::prev(begin)->second.*member != 0) --begin;
  while (place != map_.end() && place->second.*member != 0) ++place;
  return {begin->first, place == map_.end() ? ~BusAddress{0} : place->first};
}

bool DmaRanges::find_readable(BusAddress begin, BusAddress end, BusAddress mask) noexcept {
  BusAddress position = begin & ~mask;
  while (position < end) {
    const Interval hit = find(position, position + mask + 1, &Counts::to_device);
    if (hit.begin >= hit.end) return false;
    read_hit_ = hit;
    position = (hit.end + mask) & ~mask;
  }
  return true;
}

bool DmaRanges::find_writable(BusAddress begin, BusAddress end) noexcept {
  const Interval hit = find(begin, begin + 1, &Counts::from_device);
  if (hit.begin > begin || hit.end < end || hit.begin >= hit.end) return false;
  write_hit_ = hit;
  return true;
}

}  // namespace nicroscope::sim
