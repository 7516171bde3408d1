// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/support/rig.h"

namespace nicroscope::test {
namespace {

using kernel::DmaOwner;

struct DmaTest : ::testing::Test {
  Rig rig;
  kernel::Dma& dma = rig.kernel.dma();
  kernel::Memory& memory = rig.kernel.memory();
  std::byte* buffer = static_cast<std::byte*>(memory.kmalloc(10'000));
};

TEST_F(DmaTest, AMappingOpensMemoryInItsDirectionUntilItIsUndone) {
  const auto address = dma.dma_map_single(buffer + 5, 100, DmaDirection::from_device);
  EXPECT_TRUE(rig.memory.reachable(address, 100, true));
  EXPECT_FALSE(rig.memory.reachable(address, 100, false));
  EXPECT_FALSE(rig.memory.reachable(address, 101, true));
  dma.dma_unmap_single(address, 100, DmaDirection::from_device);
  EXPECT_FALSE(rig.memory.reachable(address, 100, true));
  EXPECT_EQ(dma.mappings(), 0U);
  EXPECT_TRUE(dma.errors().empty());
}

TEST_F(DmaTest, OwnershipFollowsMapSyncAndUnmap) {
  EXPECT_EQ(dma.dma_owner(buffer, 10'000), DmaOwner::cpu);
  const auto address = dma.dma_map_single(buffer + 100, 9'000, DmaDirection::to_device);
  EXPECT_EQ(dma.dma_owner(buffer, 100), DmaOwner::cpu);
  EXPECT_EQ(dma.dma_owner(buffer, 101), DmaOwner::device);
  EXPECT_EQ(dma.dma_owner(buffer + 9'099, 1), DmaOwner::device) << "two pages on";
  EXPECT_EQ(dma.dma_owner(buffer + 9'100, 1), DmaOwner::cpu);
  dma.dma_sync_single_for_cpu(address, 9'000, DmaDirection::to_device);
  EXPECT_EQ(dma.dma_owner(buffer + 500, 1), DmaOwner::cpu);
  dma.dma_sync_single_for_device(address, 9'000, DmaDirection::to_device);
  dma.check_cpu_owns(buffer + 500, 1, "test");
  ASSERT_EQ(dma.errors().size(), 1U);
  EXPECT_NE(dma.errors()[0].find("touched while it is the device's"), std::string::npos);
  dma.dma_unmap_single(address, 9'000, DmaDirection::to_device);
  EXPECT_EQ(dma.dma_owner(buffer, 10'000), DmaOwner::cpu);
}

TEST_F(DmaTest, MisuseIsRecorded) {
  const auto address = dma.dma_map_single(buffer, 100, DmaDirection::to_device);
  dma.dma_unmap_single(address, 50, DmaDirection::to_device);
  dma.dma_unmap_single(address, 100, DmaDirection::from_device);
  dma.dma_unmap_single(address, 100, DmaDirection::to_device);
  dma.dma_unmap_single(address, 100, DmaDirection::to_device);
  dma.dma_unmap_single(0x1234, 100, DmaDirection::to_device);
  ASSERT_EQ(dma.errors().size(), 4U);
  EXPECT_NE(dma.errors()[0].find("another size or direction"), std::string::npos);
  EXPECT_NE(dma.errors()[1].find("another size or direction"), std::string::npos);
  EXPECT_NE(dma.errors()[2].find("not mapped"), std::string::npos) << "unmapped twice";
  EXPECT_NE(dma.errors()[3].find("outside"), std::string::npos);
}

TEST_F(DmaTest, OneBufferMayBeMappedTwice) {
  const auto a = dma.dma_map_single(buffer, 100, DmaDirection::to_device);
  const auto b = dma.dma_map_single(buffer, 100, DmaDirection::to_device);
  dma.dma_unmap_single(a, 100, DmaDirection::to_device);
  EXPECT_TRUE(rig.memory.reachable(b, 100, false));
  EXPECT_EQ(dma.dma_owner(buffer, 1), DmaOwner::device);
  dma.dma_unmap_single(b, 100, DmaDirection::to_device);
  EXPECT_FALSE(rig.memory.reachable(b, 100, false));
}

TEST_F(DmaTest, CoherentMemoryIsClearedAndOpenBothWays) {
  const std::size_t before = memory.outstanding();
  auto ring = dma.dma_alloc_coherent(5'000);
  ASSERT_NE(ring.cpu, nullptr);
  EXPECT_TRUE(rig.memory.reachable(ring.bus, 5'000, true));
  EXPECT_TRUE(rig.memory.reachable(ring.bus, 5'000, false));
  EXPECT_EQ(ring.cpu[4'999], std::byte{0});
  EXPECT_EQ(dma.dma_owner(ring.cpu, 10), DmaOwner::cpu);
  const auto bus = ring.bus;
  dma.dma_free_coherent(ring);
  EXPECT_FALSE(rig.memory.reachable(bus, 1, true));
  EXPECT_EQ(memory.outstanding(), before);
}

}  // namespace
}  // namespace nicroscope::test
