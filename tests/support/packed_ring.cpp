// SPDX-License-Identifier: Apache-2.0
#include "tests/support/packed_ring.h"

#include <utility>

namespace nicroscope::test {

PackedRing::PackedRing(DmaArena& arena, unsigned virtqueue, unsigned size, std::uint64_t seed)
    : arena_(arena),
      virtqueue_(virtqueue),
      size_(size),
      descriptors_(arena.allocate(virtqueue, size * sizeof(virtio::PackedDescriptor),
                                  DmaDirection::bidirectional, 16)),
      driver_(
          arena.allocate(virtqueue, sizeof(virtio::EventSuppression), DmaDirection::to_device, 4)),
      device_(arena.allocate(virtqueue, sizeof(virtio::EventSuppression), DmaDirection::from_device,
                             4)),
      free_slots_(size),
      chain_(size, 0) {
  for (unsigned index = 0; index < size; ++index) slot(index) = {};
  area() = {};
  arena.at<virtio::EventSuppression>(device_) = {};
  for (unsigned id = 0; id < size; ++id) free_ids_.push_back(static_cast<std::uint16_t>(id));
  sim::Random random(seed);
  for (std::size_t i = size; i > 1; --i) std::swap(free_ids_[i - 1], free_ids_[random.below(i)]);
}

std::optional<std::uint16_t> PackedRing::add(std::span<const Piece> chain) {
  if (chain.empty() || chain.size() > free_slots_ || free_ids_.empty()) return {};
  const std::uint16_t id = free_ids_.back();
  free_ids_.pop_back();
  const auto slots = static_cast<unsigned>(chain.size());
  free_slots_ -= slots;
  added_ += slots;
  chain_[id] = slots;
  const unsigned head = next_avail_;
  std::uint16_t head_flags = 0;
  for (unsigned i = 0; i < slots; ++i) {
    virtio::PackedDescriptor& entry = slot(next_avail_);
    entry.addr = chain[i].address;
    entry.len = chain[i].bytes;
    entry.id = id;
    const auto flags = static_cast<std::uint16_t>(
        (i + 1 < slots ? regs::kDescFNext : 0) | (chain[i].write ? regs::kDescFWrite : 0) |
        (avail_wrap_ ? regs::kDescFAvail : regs::kDescFUsed));
    if (i == 0) {
      head_flags = flags;
    } else {
      entry.flags = flags;
    }
    if (++next_avail_ == size_) {
      next_avail_ = 0;
      avail_wrap_ = !avail_wrap_;
      ++laps_;
    }
  }
  slot(head).flags = head_flags;  // last: from here on the device may see the chain
  return id;
}

bool PackedRing::needs_kick() {
  const unsigned added = std::exchange(added_, 0);
  const auto wanted = arena_.at<virtio::EventSuppression>(device_);
  const unsigned flags = wanted.flags & 3U;
  if (flags == regs::kEventFlagsDisable || added == 0) return false;
  if (flags != regs::kEventFlagsDesc) return true;
  unsigned event = wanted.desc & 0x7fffU;
  if (((wanted.desc >> 15U) != 0) != avail_wrap_) event -= size_;
  const auto distance = static_cast<std::uint16_t>(next_avail_ - event - 1);
  return distance < static_cast<std::uint16_t>(added);
}

bool PackedRing::has_used() {
  const std::uint16_t flags = slot(next_used_).flags;
  const bool avail = (flags & regs::kDescFAvail) != 0;
  const bool used = (flags & regs::kDescFUsed) != 0;
  return avail == used && used == used_wrap_;
}

std::optional<PackedRing::Used> PackedRing::next_used() {
  if (error_ || !has_used()) return {};
  const virtio::PackedDescriptor& entry = slot(next_used_);
  const Used used{entry.id, entry.len};
  if (used.id >= size_ || chain_[used.id] == 0) {
    error_ = true;
    return {};
  }
  const unsigned slots = std::exchange(chain_[used.id], 0);
  free_slots_ += slots;
  free_ids_.push_back(used.id);
  next_used_ += slots;
  if (next_used_ >= size_) {
    next_used_ -= size_;
    used_wrap_ = !used_wrap_;
  }
  return used;
}

void PackedRing::interrupt_at(unsigned behind) {
  unsigned place = next_used_ + behind;
  bool wrap = used_wrap_;
  if (place >= size_) {
    place -= size_;
    wrap = !wrap;
  }
  virtio::EventSuppression& driver = area();
  driver.desc = static_cast<std::uint16_t>(place | (wrap ? 0x8000U : 0U));
  driver.flags = regs::kEventFlagsDesc;
}

}  // namespace nicroscope::test
