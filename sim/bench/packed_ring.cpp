// SPDX-License-Identifier: Apache-2.0
#include "sim/bench/packed_ring.h"

#include "nicroscope/registers.h"

namespace nicroscope::sim {
namespace {

constexpr std::uint64_t kLine = 64;
constexpr std::uint16_t kUsedBits = regs::kDescFAvail | regs::kDescFUsed;

constexpr std::uint64_t descriptor_bytes(std::uint16_t slots) {
  return (slots * sizeof(virtio::PackedDescriptor) + kLine - 1) / kLine * kLine;
}

}  // namespace

std::uint64_t PackedRing::bytes(std::uint16_t slots) noexcept {
  return descriptor_bytes(slots) + kLine;
}

PackedRing::PackedRing(Simulation& simulation, BusAddress memory, unsigned virtqueue,
                       std::uint16_t slots, bool interrupts)
    : simulation_(simulation),
      memory_(memory),
      virtqueue_(virtqueue),
      size_(slots),
      interrupts_(interrupts),
      chain_slots_(slots),
      free_(slots) {
  const auto whole = simulation.memory().at(memory, bytes(slots));
  slots_ = reinterpret_cast<virtio::PackedDescriptor*>(whole.data());  // NOLINT
  auto* events = reinterpret_cast<virtio::EventSuppression*>(          // NOLINT
      whole.data() + descriptor_bytes(slots));
  events[0].flags = interrupts ? regs::kEventFlagsEnable : regs::kEventFlagsDisable;
  device_events_ = &events[1];
}

QueueAreas PackedRing::areas() const noexcept {
  const BusAddress events = memory_ + descriptor_bytes(size_);
  return {virtqueue_,
          size_,
          memory_,
          events,
          events + sizeof(virtio::EventSuppression),
          interrupts_ ? static_cast<std::uint16_t>(virtqueue_) : regs::kNoVector};
}

void PackedRing::add(std::span<const Buffer> chain, std::uint16_t id) noexcept {
  chain_slots_[id] = static_cast<std::uint16_t>(chain.size());
  free_ = static_cast<std::uint16_t>(free_ - chain.size());
  for (std::size_t i = 0; i < chain.size(); ++i) {
    unsigned flags = available_wrap_ ? regs::kDescFAvail : regs::kDescFUsed;
    if (i + 1 != chain.size()) flags |= regs::kDescFNext;
    if (chain[i].device_writes) flags |= regs::kDescFWrite;
    slots_[next_available_] = {.addr = chain[i].address,
                               .len = chain[i].length,
                               .id = id,
                               .flags = static_cast<std::uint16_t>(flags)};
    if (++next_available_ == size_) {
      next_available_ = 0;
      available_wrap_ = !available_wrap_;
    }
  }
}

std::optional<PackedRing::Used> PackedRing::take() noexcept {
  const virtio::PackedDescriptor& slot = slots_[next_used_];
  if (free_ == size_ || (slot.flags & kUsedBits) != (used_wrap_ ? kUsedBits : 0)) {
    return std::nullopt;
  }
  const Used used{slot.id, slot.len};
  const std::uint16_t taken = chain_slots_[used.id % size_];
  free_ = static_cast<std::uint16_t>(free_ + taken);
  next_used_ = static_cast<std::uint16_t>(next_used_ + taken);
  if (next_used_ >= size_) {
    next_used_ = static_cast<std::uint16_t>(next_used_ - size_);
    used_wrap_ = !used_wrap_;
  }
  return used;
}

void PackedRing::kick() {
  if (device_events_->flags == regs::kEventFlagsDisable) return;
  simulation_.port().bar_write(regs::kBarNotify + virtqueue_ * regs::kNotifyMultiplier, 4,
                               virtqueue_);
}

void PackedRing::watch(void (*hook)(void*, const VisibleWrite&), void* context) {
  simulation_.bus().add_write_hook({.begin = memory_,
                                    .end = memory_ + descriptor_bytes(size_),
                                    .call = hook,
                                    .context = context});
}

}  // namespace nicroscope::sim
