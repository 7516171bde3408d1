// SPDX-License-Identifier: Apache-2.0
#include "sim/host_port/vhost_user/ring_progress.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include "nicroscope/registers.h"
#include "nicroscope/virtio.h"

namespace nicroscope::test {
namespace {

using sim::vhost_user::RingProgress;

constexpr std::size_t kSlot = sizeof(virtio::PackedDescriptor);

// A ring of eight slots in which slots 1 to 3, and 7 with 0, are chains.
struct Ring {
  Ring() {
    for (const unsigned slot : {1U, 2U, 7U}) {
      const std::uint16_t next = regs::kDescFNext;
      std::memcpy(&bytes[slot * kSlot + regs::kDescFlags], &next, sizeof next);
    }
  }
  void returns(std::size_t slot, std::size_t end) {
    progress.returns(bytes, slot * kSlot + regs::kDescLen, end * kSlot);
  }

  std::array<std::byte, 8 * kSlot> bytes{};
  RingProgress progress{8};
};

TEST(RingProgress, CountsTheChainsThatAreReturned) {
  Ring ring;
  EXPECT_EQ(ring.progress.position(), 0x8000);
  ring.returns(0, 1);
  EXPECT_EQ(ring.progress.position(), 0x8001);
  ring.returns(1, 2);
  EXPECT_EQ(ring.progress.position(), 0x8004);
  for (std::size_t slot = 4; slot < 7; ++slot) ring.returns(slot, slot + 1);
  EXPECT_EQ(ring.progress.position(), 0x8007);
  ring.returns(7, 8);
  EXPECT_EQ(ring.progress.position(), 0x0001);  // the other lap
}

TEST(RingProgress, WaitsForWhatComesLater) {
  Ring ring;
  ring.returns(1, 2);
  ring.returns(4, 5);
  EXPECT_EQ(ring.progress.position(), 0x8000);
  ring.returns(0, 1);
  EXPECT_EQ(ring.progress.position(), 0x8005);
}

TEST(RingProgress, OneWriteMayHoldSeveralElements) {
  Ring ring;
  ring.returns(0, 5);  // 0, 1 to 3, 4
  EXPECT_EQ(ring.progress.position(), 0x8005);
}

TEST(RingProgress, AChainWithoutAnEndIsTheWholeRing) {
  Ring ring;
  ring.bytes.fill(std::byte{0xff});
  ring.returns(0, 1);
  EXPECT_EQ(ring.progress.position(), 0x0000);
  ring.returns(0, 1);
  EXPECT_EQ(ring.progress.position(), 0x8000);
}

TEST(RingProgress, ARingThatIsGoneIsNotLookedAt) {
  RingProgress progress(8);
  progress.returns({}, 0, 16);
  EXPECT_EQ(progress.position(), 0x8000);
}

}  // namespace
}  // namespace nicroscope::test
