// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

#include "stack/kernel/memory.h"
#include "tests/support/rig.h"

namespace nicroscope::test {
namespace {

using kernel::kPageSize;
using kernel::Memory;
using kernel::page;

TEST(Memory, PagesSplitAndMergeAgain) {
  VectorMemory arena(8U << 20U);
  Memory memory(arena);
  const std::size_t all = memory.pages_free();
  EXPECT_EQ(all, 2048U);
  std::vector<page*> blocks;
  for (unsigned order = 0; order <= 9; ++order) blocks.push_back(memory.alloc_pages(order));
  EXPECT_EQ(memory.pages_free(), all - 1023);
  for (page* p : blocks) memory.put_page(p);
  EXPECT_EQ(memory.pages_free(), all);
  page* const big = memory.alloc_pages(10);
  page* const big2 = memory.alloc_pages(10);
  EXPECT_NE(big, nullptr);
  EXPECT_NE(big2, nullptr) << "everything merged";
  EXPECT_EQ(memory.alloc_pages(0), nullptr) << "running out is no accident";
  memory.put_page(big);
  memory.put_page(big2);
  EXPECT_EQ(memory.outstanding(), 0U);
}

TEST(Memory, TheLastReferenceFreesABlock) {
  VectorMemory arena(1U << 20U);
  Memory memory(arena);
  page* const block = memory.alloc_pages(3);
  std::byte* const inside = memory.page_address(block) + 5 * kPageSize + 17;
  EXPECT_EQ(memory.virt_to_head_page(inside), block);
  memory.get_page(block + 5);
  memory.put_page(block);
  EXPECT_EQ(memory.outstanding(), 1U);
  memory.put_page(memory.virt_to_head_page(inside));
  EXPECT_EQ(memory.outstanding(), 0U);
}

TEST(Memory, ObjectsDoNotOverlap) {
  VectorMemory arena(4U << 20U);
  Memory memory(arena);
  std::mt19937 random(7);
  struct Object {
    std::byte* p;
    std::size_t size;
    int fill;
  };
  std::vector<Object> objects;
  const auto check = [](const Object& o) {
    return std::all_of(o.p, o.p + o.size, [&](std::byte b) { return b == std::byte(o.fill); });
  };
  for (int i = 0; i < 20'000; ++i) {
    if (random() % 2 == 0 || objects.empty()) {
      const std::size_t size = random() % 20 == 0 ? random() % 20'000 : random() % 2'500;
      auto* const p = static_cast<std::byte*>(memory.kmalloc(size));
      if (p == nullptr) continue;
      ASSERT_GE(memory.ksize(p), size);
      ASSERT_EQ(memory.virt_to_bus(p) % 32, 0U);
      std::memset(p, i % 256, size);
      objects.push_back({p, size, i % 256});
    } else {
      const std::size_t n = random() % objects.size();
      ASSERT_TRUE(check(objects[n]));
      memory.kfree(objects[n].p);
      objects[n] = objects.back();
      objects.pop_back();
    }
    ASSERT_EQ(memory.outstanding(), objects.size());
  }
  for (const Object& o : objects) {
    ASSERT_TRUE(check(o));
    memory.kfree(o.p);
  }
  EXPECT_EQ(memory.outstanding(), 0U);
  EXPECT_GE(memory.pages_free() + Memory::kSizes.size(), memory.pages_total());
}

TEST(Memory, AddressesDependOnTheCallsAlone) {
  const auto run = [] {
    VectorMemory arena(4U << 20U);
    Memory memory(arena);
    std::vector<BusAddress> addresses;
    std::mt19937 random(3);
    std::vector<void*> live;
    for (int i = 0; i < 1000; ++i) {
      if (random() % 3 != 0 || live.empty()) {
        live.push_back(memory.kmalloc(random() % 5000));
        addresses.push_back(memory.virt_to_bus(live.back()));
      } else {
        memory.kfree(live[live.size() / 2]);
        live.erase(live.begin() + static_cast<std::ptrdiff_t>(live.size() / 2));
      }
    }
    return addresses;
  };
  EXPECT_EQ(run(), run());
}

TEST(Memory, BusAddressesTranslateBothWays) {
  VectorMemory arena(1U << 20U);
  Memory memory(arena);
  auto* const p = static_cast<std::byte*>(memory.kmalloc(100));
  EXPECT_EQ(memory.bus_to_virt(memory.virt_to_bus(p)), p);
  EXPECT_EQ(memory.bus_to_virt(0), nullptr);
  EXPECT_EQ(memory.bus_to_virt(arena.base() + (1U << 20U)), nullptr);
}

TEST(MemoryDeathTest, FreeingTwiceIsABug) {
  VectorMemory arena(1U << 20U);
  Memory memory(arena);
  void* const keep = memory.kmalloc(100);
  void* const p = memory.kmalloc(100);
  memory.kfree(p);
  EXPECT_DEATH(memory.kfree(p), "kfree of what is free");
  memory.kfree(keep);
}

}  // namespace
}  // namespace nicroscope::test
