// SPDX-License-Identifier: Apache-2.0
// virtqueues, the receive queue of one pair on a 16-byte bus: groups of used elements, interrupts,
// errors.
#include <gtest/gtest.h>

#include "Vvq_narrow.h"
#include "Vvq_narrow___024root.h"
#include "nicroscope/registers.h"
#include "tests/rtl/vq_bench.h"

namespace nicroscope::rtl_test {
namespace {

using RxBench = Bench<Vvq_narrow, 16, 1>;

class VqRx : public ::testing::TestWithParam<int> {};

// The driver checks that all elements of a group are there once it sees the first.
TEST_P(VqRx, AGroupBecomesVisibleAsAWhole) {
  RxBench bench(1000 + static_cast<std::uint64_t>(GetParam()));
  Random& random = bench.random;
  const auto events = static_cast<Events>(GetParam() % 3);
  bench.event_idx = events == Events::kEventIdx;
  bench.timing = {.read_max = random.in(1, 200),
                  .write_max = random.in(1, 200),
                  .ready_percent = static_cast<unsigned>(random.in(30, 100)),
                  .scatter = true};
  bench.client = {.pop_percent = 50,
                  .work_max = random.in(0, 200),
                  .used_percent = static_cast<unsigned>(random.in(5, 100)),
                  .max_group = static_cast<unsigned>(random.in(2, 6))};
  DriverConfig config;
  config.size = static_cast<unsigned>(random.in(1, 300));
  config.total = 400;
  config.max_chain = GetParam() % 2 == 0 ? 1 : 3;
  config.max_burst = static_cast<unsigned>(random.in(1, 64));
  config.reclaim_percent = static_cast<unsigned>(random.in(5, 100));
  config.events = events;
  config.device_writes = true;
  const Driver& driver = bench.add_driver(0, config);
  bench.run_to_end(2'000'000);
  EXPECT_EQ(driver.reclaimed(), 400U);
  EXPECT_EQ(bench.visible, bench.issued);
}
INSTANTIATE_TEST_SUITE_P(Seeds, VqRx, ::testing::Range(0, 60));

// Single elements leave at the rate of one in a few cycles, behind 100 cycles of write latency.
TEST(VqRxSpeed, TakesUsedElementsAtLineRate) {
  RxBench bench(21);
  bench.timing = {.read_min = 156, .read_max = 156, .write_min = 100, .write_max = 100};
  DriverConfig config{.size = 512,
                      .total = 6000,
                      .max_chain = 1,
                      .max_burst = 64,
                      .post_percent = 100,
                      .reclaim_percent = 100,
                      .events = Events::kEnable,
                      .device_writes = true};
  const Driver& driver = bench.add_driver(0, config);
  while (driver.reclaimed() < 1000 && bench.now < 100'000) {
    bench.cycle();
  }
  const Cycle start = bench.now;
  while (driver.reclaimed() < 5000 && bench.now < 200'000) {
    bench.cycle();
  }
  RecordProperty("cycles_per_4000", std::to_string(bench.now - start));
  EXPECT_LE(bench.now - start, 4000U * 4);
}

// Interrupts are few while the driver polls, and with an event index only where it asked for one.
TEST(VqRxInterrupts, FollowTheDriversWish) {
  for (const std::uint32_t wish : {0U, 1U << 16, 2U << 16 | 0x8000U | 5U}) {
    RxBench bench(22);
    bench.event_idx = true;
    bench.timing = {.read_min = 10, .read_max = 10, .write_min = 10, .write_max = 10};
    Driver& driver =
        bench.add_driver(0, {.size = 16, .total = 0, .reclaim_percent = 0, .device_writes = true});
    bench.run(200);
    bench.memory.put(RxBench::driver_addr(0), wish);
    // The driver's model is asleep and has nothing posted; post by hand, slot by slot.
    std::uint64_t before = 0;
    for (unsigned slot = 0; slot < 12; ++slot) {
      driver.interrupts = 0;
      bench.client.pop_percent = 0;
      Driver::Buffer buffer{static_cast<std::uint16_t>(slot), slot, {}};
      buffer.chain.push_back({0x1000, 64, buffer.id, kAvail | kWrite});
      bench.memory.put(RxBench::ring_addr(0) + 16 * slot, buffer.chain[0]);
      driver.offered.push_back(buffer);
      bench.kick(0);
      bench.client.pop_percent = 100;
      bench.run(200);
      const bool due = wish == 0 || (wish >> 16 == 2 && slot == 5);
      EXPECT_EQ(driver.interrupts, due ? 1U : 0U) << "wish " << wish << " slot " << slot;
      EXPECT_GT(bench.visible, before);
      before = bench.visible;
    }
  }
}

TEST(VqRxInterrupts, WithoutEventIndexTheDescFlagMeansAlways) {
  RxBench bench(23);
  Driver& driver = bench.add_driver(0, {.size = 16, .total = 0, .device_writes = true});
  bench.run(200);
  bench.memory.put<std::uint32_t>(RxBench::driver_addr(0), 2U << 16 | 0x8000U | 9U);
  Driver::Buffer buffer{1, 0, {{0x1000, 64, 1, kAvail | kWrite}}};
  bench.memory.put(RxBench::ring_addr(0), buffer.chain[0]);
  driver.offered.push_back(buffer);
  bench.kick(0);
  bench.run(200);
  EXPECT_EQ(driver.interrupts, 1U);
}

// Errors: the ring as written by a broken driver, and what the record has to say.
struct Broken {
  const char* name;
  std::vector<Descriptor> ring;
  unsigned code;
  unsigned index;
  std::uint64_t addr;
};
std::ostream& operator<<(std::ostream& out, const Broken& broken) { return out << broken.name; }

constexpr std::uint16_t kGood = kAvail | kWrite;
const std::uint64_t kRing = RxBench::ring_addr(0);

class VqErrors : public ::testing::TestWithParam<Broken> {};

TEST_P(VqErrors, StopTheEngineWithARecord) {
  const Broken& broken = GetParam();
  RxBench bench(31);
  bench.timing = {.read_min = 5,
                  .read_max = 30,
                  .write_min = 5,
                  .write_max = 30,
                  .ready_percent = 60,
                  .scatter = true};
  bench.enable(0, 4);
  for (std::size_t i = 0; i < broken.ring.size(); ++i) {
    bench.memory.put(kRing + 16 * i, broken.ring[i]);
  }
  bench.kick(0);
  bench.run(1000);
  ASSERT_TRUE(bench.model().err_valid_o);
  const auto error = bench.error();
  EXPECT_EQ(error.code, broken.code);
  EXPECT_EQ(error.queue, 0U);
  EXPECT_EQ(error.index, broken.index);
  EXPECT_EQ(error.addr, broken.addr);
  EXPECT_EQ(bench.raw.size(), broken.code == regs::kErrorChainTooLong ? 3U : broken.index);
  EXPECT_TRUE(bench.model().quiet_o);
  EXPECT_TRUE(bench.model().idle_o);
  const auto reads = bench.descriptors.requests;
  bench.kick(0);
  bench.run(300);
  EXPECT_EQ(bench.descriptors.requests, reads) << "an engine in error reads no more";
  bench.reset();
  bench.run(50);
  EXPECT_FALSE(bench.model().err_valid_o);
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, VqErrors,
    ::testing::Values(
        Broken{"zero length",
               {{0x5000, 64, 0, kGood}, {0x6000, 0, 1, kGood}},
               regs::kErrorZeroLength,
               1,
               0x6000},
        Broken{"wrong direction",
               {{0x5000, 64, 0, kGood}, {0x5100, 64, 1, kGood}, {0x7000, 64, 1, kAvail}},
               regs::kErrorWrongDirection,
               2,
               0x7000},
        Broken{"indirect", {{0x8000, 64, 0, kGood | kIndirect}}, regs::kErrorIndirect, 0, 0x8000},
        Broken{"incomplete chain",
               {{0x5000, 64, 0, kGood | kNext}, {0x5000, 64, 0, kGood | kNext}},
               regs::kErrorIncompleteChain,
               2,
               kRing + 32},
        Broken{"a chain that never ends",
               {{0x5000, 64, 0, kGood | kNext},
                {0x5000, 64, 0, kGood | kNext},
                {0x5000, 64, 0, kGood | kNext},
                {0x5000, 64, 0, kGood | kNext}},
               regs::kErrorChainTooLong,
               3,
               kRing + 48}));

// A buffer to write to may be of any length (2.8.5); no frame to read is of 128 KiB.
TEST(VqErrors, LengthsThatNoFrameHas) {
  RxBench bench(36);
  bench.enable(0, 4);
  bench.memory.put(kRing, Descriptor{0x5000, 0xffff'ffff, 0, kGood});
  bench.kick(0);
  bench.run(300);
  EXPECT_FALSE(bench.model().err_valid_o);
  ASSERT_EQ(bench.raw.size(), 1U);
  EXPECT_EQ(bench.raw[0].len, 0xffff'ffffU);
  bench.enable(1, 4);
  const std::uint64_t ring = RxBench::ring_addr(1);
  bench.memory.put(ring, Descriptor{0x6000, 0x1'ffff, 0, kAvail});
  bench.memory.put(ring + 16, Descriptor{0x7000, 0x2'0000, 1, kAvail});
  bench.kick(1);
  bench.run(300);
  ASSERT_TRUE(bench.model().err_valid_o);
  ASSERT_EQ(bench.raw.size(), 2U);
  EXPECT_EQ(bench.raw[1].len, 0x1'ffffU);
  EXPECT_EQ(bench.error().code, regs::kErrorBadLength);
  EXPECT_EQ(bench.error().queue, 1U);
  EXPECT_EQ(bench.error().index, 1U);
  EXPECT_EQ(bench.error().addr, 0x7000U);
}

TEST(VqErrors, AFailedReadOfTheRing) {
  RxBench bench(32);
  bench.enable(0, 8);
  bench.run(100);
  bench.memory.put(kRing, Descriptor{0x5000, 64, 0, kGood});
  bench.descriptors.fault = [](std::uint64_t addr) { return addr == kRing + 32; };
  bench.kick(0);
  bench.run(200);
  ASSERT_TRUE(bench.model().err_valid_o);
  EXPECT_EQ(bench.error().code, regs::kErrorDmaRead);
  EXPECT_EQ(bench.error().index, 2U);
  EXPECT_EQ(bench.error().addr, kRing + 32);
}

TEST(VqErrors, AFailedWriteOfAUsedElement) {
  RxBench bench(33);
  bench.add_driver(0, {.size = 8, .total = 20, .device_writes = true});
  bench.rx_used.fault = [](std::uint64_t addr) { return addr == kRing + 48; };
  bench.run(3000);
  ASSERT_TRUE(bench.model().err_valid_o);
  EXPECT_EQ(bench.error().code, regs::kErrorDmaWrite);
  EXPECT_EQ(bench.error().index, 3U);
  EXPECT_EQ(bench.error().addr, kRing + 48);
}

TEST(VqErrors, AFailedCheckOfTheDriversWish) {
  RxBench bench(34);
  bench.add_driver(0, {.size = 8, .total = 4, .device_writes = true});
  bench.events.fault = [](std::uint64_t) { return true; };
  bench.run(3000);
  ASSERT_TRUE(bench.model().err_valid_o);
  EXPECT_EQ(bench.error().code, regs::kErrorDmaRead);
  EXPECT_EQ(bench.error().addr, RxBench::driver_addr(0));
}

TEST(VqErrors, AFailedWriteOfTheDevicesWish) {
  RxBench bench(35);
  bench.device_events.fault = [](std::uint64_t) { return true; };
  bench.enable(0, 8);
  bench.run(300);
  ASSERT_TRUE(bench.model().err_valid_o);
  EXPECT_EQ(bench.error().code, regs::kErrorDmaWrite);
  EXPECT_EQ(bench.error().addr, RxBench::device_addr(0));
}

}  // namespace
}  // namespace nicroscope::rtl_test
