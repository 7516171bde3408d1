// SPDX-License-Identifier: Apache-2.0
// The driver's half of a ring, against a device's half of a few lines.
#include "tests/support/packed_ring.h"

#include <gtest/gtest.h>

#include "tests/support/rig.h"

namespace nicroscope::test {
namespace {

// Returns chains at once, as a device would.
struct Device {
  DmaArena& arena;
  PackedRing& ring;
  unsigned next = 0;
  bool wrap = true;

  virtio::PackedDescriptor& slot(unsigned index) {
    return arena.at<virtio::PackedDescriptor>(ring.descriptors() + 16 * index);
  }
  bool return_one() {
    virtio::PackedDescriptor& head = slot(next);
    const bool avail = (head.flags & regs::kDescFAvail) != 0;
    const bool used = (head.flags & regs::kDescFUsed) != 0;
    if (avail == used || avail != wrap) return false;
    unsigned slots = 1;
    std::uint16_t id = head.id;
    for (unsigned at = next; (slot(at).flags & regs::kDescFNext) != 0; ++slots) {
      at = (at + 1) % ring.size();
      id = slot(at).id;
    }
    head.id = id;
    head.len = 5;
    head.flags = wrap ? regs::kDescFAvail | regs::kDescFUsed : 0;
    next += slots;
    if (next >= ring.size()) {
      next -= ring.size();
      wrap = !wrap;
    }
    return true;
  }
};

TEST(PackedRing, ManyLapsOfChainsOfAnyLength) {
  for (const unsigned size : {1U, 7U, 8U, 33U}) {
    VectorMemory memory(1 << 20);
    DmaArena arena(memory);
    PackedRing ring(arena, 3, size, size);
    Device device{arena, ring};
    sim::Random random(size);
    std::vector<std::uint16_t> sent;
    std::size_t returned = 0;
    for (unsigned round = 0; round < 2000; ++round) {
      const std::vector<Piece> chain(1 + random.below(std::min(size, 5U)), Piece{64, 10, false});
      if (const auto id = ring.add(chain)) sent.push_back(*id);
      if (random.below(2) == 0) device.return_one();
      while (const auto used = ring.next_used()) {
        ASSERT_EQ(used->id, sent.at(returned++));
        EXPECT_EQ(used->len, 5U);
      }
      ASSERT_FALSE(ring.error());
    }
    EXPECT_GT(returned, 500U);
    EXPECT_GT(ring.laps(), 20U);
  }
}

TEST(PackedRing, FindsAnIdThatIsNotOutstanding) {
  VectorMemory memory(1 << 20);
  DmaArena arena(memory);
  PackedRing ring(arena, 0, 8, 1);
  Device device{arena, ring};
  const Piece piece{64, 10, false};
  const auto id = ring.add({&piece, 1});
  ASSERT_TRUE(id);
  device.return_one();
  device.slot(0).id = static_cast<std::uint16_t>(*id + 1) % 8;
  EXPECT_FALSE(ring.next_used());
  EXPECT_TRUE(ring.error());
}

TEST(PackedRing, KicksAsTheDeviceAsks) {
  VectorMemory memory(1 << 20);
  DmaArena arena(memory);
  PackedRing ring(arena, 0, 8, 1);
  auto& wanted = arena.at<virtio::EventSuppression>(ring.device_area());
  const Piece piece{64, 10, false};
  EXPECT_FALSE(ring.needs_kick()) << "nothing was added";
  (void)ring.add({&piece, 1});
  EXPECT_TRUE(ring.needs_kick());
  wanted.flags = regs::kEventFlagsDisable;
  (void)ring.add({&piece, 1});
  EXPECT_FALSE(ring.needs_kick());
  wanted = {.desc = 0x8000 | 3, .flags = regs::kEventFlagsDesc};
  (void)ring.add({&piece, 1});
  EXPECT_FALSE(ring.needs_kick()) << "slot 2 is not slot 3";
  (void)ring.add({&piece, 1});
  EXPECT_TRUE(ring.needs_kick());
  (void)ring.add({&piece, 1});
  EXPECT_FALSE(ring.needs_kick()) << "slot 3 is passed";
}

TEST(DmaArena, ClosesAGroup) {
  VectorMemory memory(1 << 20);
  DmaArena arena(memory);
  const BusAddress one = arena.allocate(1, 100, DmaDirection::to_device);
  const BusAddress two = arena.allocate(2, 100, DmaDirection::from_device, 64, 7);
  EXPECT_EQ(two % 64, 7U);
  EXPECT_TRUE(memory.reachable(one, 100, false));
  EXPECT_FALSE(memory.reachable(one, 101, false));
  arena.release(1);
  EXPECT_FALSE(memory.reachable(one, 1, false));
  EXPECT_TRUE(memory.reachable(two, 100, true));
  arena.release_all();
  EXPECT_EQ(memory.ranges(), 0U);
}

}  // namespace
}  // namespace nicroscope::test
