// SPDX-License-Identifier: Apache-2.0
#include "sim/bus/host_arena.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <vector>

#include "sim/base/random.h"

namespace nicroscope::sim {
namespace {

constexpr BusAddress kBase = HostArena::kBase;

TEST(HostArena, OnlyMappedBytesAreWritable) {
  HostArena arena(1 << 20);
  EXPECT_FALSE(arena.writable(kBase, kBase + 1));
  arena.dma_map(kBase + 100, 50, DmaDirection::from_device);
  EXPECT_TRUE(arena.writable(kBase + 100, kBase + 150));
  EXPECT_FALSE(arena.writable(kBase + 99, kBase + 150));
  EXPECT_FALSE(arena.writable(kBase + 100, kBase + 151));
  EXPECT_FALSE(arena.readable(kBase + 100, kBase + 150, 16));
  arena.dma_unmap(kBase + 100, 50, DmaDirection::from_device);
  EXPECT_FALSE(arena.writable(kBase + 100, kBase + 150));
}

TEST(HostArena, ReadsMayTakeTheWholeWordsAtTheEndsOfABuffer) {
  HostArena arena(1 << 20);
  arena.dma_map(kBase + 100, 50, DmaDirection::to_device);
  EXPECT_TRUE(arena.readable(kBase + 96, kBase + 160, 16));
  EXPECT_FALSE(arena.readable(kBase + 80, kBase + 160, 16));
  EXPECT_FALSE(arena.readable(kBase + 96, kBase + 176, 16));
}

TEST(HostArena, RangesThatOverlapAreCounted) {
  HostArena arena(1 << 20);
  arena.dma_map(kBase, 200, DmaDirection::bidirectional);
  arena.dma_map(kBase + 100, 200, DmaDirection::from_device);
  EXPECT_TRUE(arena.writable(kBase, kBase + 300));
  arena.dma_unmap(kBase, 200, DmaDirection::bidirectional);
  EXPECT_FALSE(arena.writable(kBase + 99, kBase + 101));
  EXPECT_TRUE(arena.writable(kBase + 100, kBase + 300));
  EXPECT_FALSE(arena.readable(kBase, kBase + 16, 16));
}

TEST(HostArena, MisuseIsABugOfTheCaller) {
  HostArena arena(8192);
  EXPECT_THROW(arena.dma_map(kBase + 8000, 200, DmaDirection::to_device), std::logic_error);
  EXPECT_THROW(arena.dma_map(kBase - 1, 2, DmaDirection::to_device), std::logic_error);
  EXPECT_THROW(arena.dma_unmap(kBase, 16, DmaDirection::to_device), std::logic_error);
}

TEST(HostArena, AgreesWithAnArrayOfCountsUnderRandomUse) {
  constexpr std::size_t kSize = 4096;
  HostArena arena(kSize);
  Random random(11);
  struct Range {
    BusAddress address;
    std::size_t size;
    DmaDirection direction;
  };
  std::vector<Range> mapped;
  std::array<int, kSize> read{};
  std::array<int, kSize> write{};
  const auto count = [&](const Range& range, int change) {
    for (std::size_t i = 0; i < range.size; ++i) {
      const std::size_t at = range.address - kBase + i;
      if (range.direction != DmaDirection::from_device) read[at] += change;
      if (range.direction != DmaDirection::to_device) write[at] += change;
    }
  };
  for (int step = 0; step < 20'000; ++step) {
    if (mapped.size() < 30 && random.below(2) == 0) {
      const std::size_t begin = random.below(kSize - 300);
      const Range range{kBase + begin, 1 + random.below(300),
                        static_cast<DmaDirection>(random.below(3))};
      arena.dma_map(range.address, range.size, range.direction);
      count(range, 1);
      mapped.push_back(range);
    } else if (!mapped.empty()) {
      const std::size_t which = random.below(mapped.size());
      const Range range = mapped[which];
      arena.dma_unmap(range.address, range.size, range.direction);
      count(range, -1);
      mapped.erase(mapped.begin() + static_cast<std::ptrdiff_t>(which));
    }
    const std::size_t begin = random.below(kSize - 200);
    const std::size_t end = begin + 1 + random.below(200);
    bool may_write = true;
    for (std::size_t i = begin; i < end; ++i) may_write = may_write && write[i] > 0;
    ASSERT_EQ(arena.writable(kBase + begin, kBase + end), may_write) << step;
    bool may_read = true;
    for (std::size_t word = begin / 16 * 16; word < end; word += 16) {
      bool any = false;
      for (std::size_t i = word; i < word + 16; ++i) any = any || read[i] > 0;
      may_read = may_read && any;
    }
    ASSERT_EQ(arena.readable(kBase + begin, kBase + (end + 15) / 16 * 16, 16), may_read) << step;
  }
}

TEST(HostArena, OtherMemoryCanLieBesideIt) {
  HostArena arena(1 << 20);
  alignas(4096) static std::array<std::byte, 3 * 4096> other{};
  const BusAddress place = kBase - 0x10'0000;
  EXPECT_FALSE(arena.attach(place + 1, other));
  EXPECT_FALSE(arena.attach(place, std::span(other).first(100)));
  EXPECT_FALSE(arena.attach(kBase - 4096, other));          // its end is in the arena
  EXPECT_FALSE(arena.attach(kBase + (1 << 19), other));     // all of it is
  EXPECT_FALSE(arena.attach(0 - BusAddress{4096}, other));  // its end is nowhere
  ASSERT_TRUE(arena.attach(place, other));
  EXPECT_FALSE(arena.attach(place + 8192, other));
  EXPECT_FALSE(arena.readable(place, place + 64, 64));
  arena.ranges().map(place, other.size(), DmaDirection::bidirectional);
  EXPECT_TRUE(arena.readable(place + 4032, place + 4160, 64));
  EXPECT_FALSE(arena.writable(place, place + other.size() + 1));

  EXPECT_EQ(arena.pointer(place + 5000), &other[5000]);
  EXPECT_EQ(arena.pointer(kBase + 7), &arena.bytes()[7]);
  arena.detach(place);
  std::byte* const nowhere = arena.pointer(place + 4096 + 100);
  EXPECT_NE(nowhere, &other[4196]);
  std::fill_n(nowhere, 4096 - 100, std::byte{1});  // harms nobody
  EXPECT_EQ(arena.pointer(kBase + 7), &arena.bytes()[7]);
}

}  // namespace
}  // namespace nicroscope::sim
