// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace nicroscope::sim::vhost_user {

/// Where a device is in a packed ring (virtio 1.2, 2.8), found by looking at what it writes there:
/// the slot of the first descriptor that it has not returned, with its wrap counter. A device that
/// returns buffers in the order of the ring can be stopped there and go on there.
///
/// A used element takes the place of a chain's first descriptor and does not say how long the chain
/// was; the descriptors that it replaces do.
class RingProgress {
 public:
  /// Slot in bits 0 to 14, wrap counter in bit 15: slot 0 of a new ring.
  static constexpr std::uint16_t kStart = 0x8000;

  explicit RingProgress(std::size_t slots) : chains_(slots) {}

  /// Bytes [begin, end) of `ring` are about to become used elements, of buffers that follow each
  /// other. Writes may come in another order than that of the ring.
  void returns(std::span<const std::byte> ring, std::size_t begin, std::size_t end);
  [[nodiscard]] std::uint16_t position() const noexcept { return position_; }

 private:
  [[nodiscard]] std::size_t chain(std::span<const std::byte> ring, std::size_t slot) const;

  std::vector<std::uint16_t>
      chains_;  // descriptors of a chain that was returned, at its first slot
  std::uint16_t position_ = kStart;
};

}  // namespace nicroscope::sim::vhost_user
