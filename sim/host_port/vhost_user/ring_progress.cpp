// SPDX-License-Identifier: Apache-2.0
#include "sim/host_port/vhost_user/ring_progress.h"

#include <cstring>

#include "nicroscope/registers.h"
#include "nicroscope/virtio.h"

namespace nicroscope::sim::vhost_user {
namespace {

constexpr std::size_t kSlotBytes = sizeof(virtio::PackedDescriptor);
constexpr std::uint16_t kWrap = RingProgress::kStart;

}  // namespace

// Descriptors in the chain that begins at `slot`; never more than the ring has.
std::size_t RingProgress::chain(std::span<const std::byte> ring, std::size_t slot) const {
  std::size_t length = 1;
  for (; length < chains_.size(); ++length) {
    std::uint16_t flags = 0;
    std::memcpy(&flags, &ring[slot * kSlotBytes + regs::kDescFlags], sizeof flags);
    if ((flags & regs::kDescFNext) == 0) break;
    slot = (slot + 1) % chains_.size();
  }
  return length;
}

void RingProgress::returns(std::span<const std::byte> ring, std::size_t begin, std::size_t end) {
  if (ring.size() < chains_.size() * kSlotBytes) return;
  for (std::size_t slot = begin / kSlotBytes; slot < chains_.size() && slot * kSlotBytes < end;) {
    const std::size_t length = chain(ring, slot);
    chains_[slot] = static_cast<std::uint16_t>(length);
    slot += length;
  }
  std::size_t slot = position_ & ~kWrap;
  while (const std::uint16_t length = chains_[slot]) {
    chains_[slot] = 0;
    slot += length;
    if (slot < chains_.size()) continue;
    slot -= chains_.size();
    position_ ^= kWrap;
  }
  position_ = static_cast<std::uint16_t>((position_ & kWrap) | slot);
}

}  // namespace nicroscope::sim::vhost_user
