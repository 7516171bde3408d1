// SPDX-License-Identifier: Apache-2.0
// virtqueues, the transmit queue of one pair on a 16-byte bus: every buffer once and in order,
// notifications both ways, sleep, stop, start again, speed.
#include <gtest/gtest.h>

#include "Vvq_narrow.h"
#include "Vvq_narrow___024root.h"
#include "tests/rtl/vq_bench.h"

namespace nicroscope::rtl_test {
namespace {

using TxBench = Bench<Vvq_narrow, 16, 1>;
constexpr unsigned kTx = 1;

Timing unkind(Random& random) {
  Timing t;
  t.read_max = random.in(1, 200);
  t.write_max = random.in(1, 200);
  t.ready_percent = static_cast<unsigned>(random.in(30, 100));
  t.scatter = true;
  return t;
}

ClientConfig any_client(Random& random) {
  ClientConfig c;
  c.pop_percent = static_cast<unsigned>(random.in(10, 100));
  c.work_max = random.in(0, 300);
  c.used_percent = static_cast<unsigned>(random.in(10, 100));
  return c;
}

DriverConfig any_driver(Random& random, Events events) {
  static constexpr unsigned kSizes[] = {1, 2, 3, 5, 8, 17, 33, 64, 100, 256, 1000, 1024};
  DriverConfig d;
  d.size = kSizes[random.in(0, std::size(kSizes) - 1)];
  d.total = random.in(50, 600);
  d.max_chain = static_cast<unsigned>(random.in(1, 12));
  d.max_burst = static_cast<unsigned>(random.in(1, 40));
  d.post_percent = static_cast<unsigned>(random.in(5, 100));
  d.reclaim_percent = static_cast<unsigned>(random.in(5, 100));
  d.pause_percent = random.chance(50) ? 50 : 0;
  d.events = events;
  return d;
}

class VqTx : public ::testing::TestWithParam<int> {};

TEST_P(VqTx, ReturnsEveryBufferOnceAndInOrder) {
  TxBench bench(static_cast<std::uint64_t>(GetParam()));
  const auto events = static_cast<Events>(GetParam() % 3);
  bench.event_idx = events == Events::kEventIdx;
  bench.timing = unkind(bench.random);
  bench.client = any_client(bench.random);
  const Driver& driver = bench.add_driver(kTx, any_driver(bench.random, events));
  bench.run_to_end(2'000'000);
  bench.run(2000);
  EXPECT_EQ(driver.reclaimed(), driver.config().total);
  EXPECT_EQ(bench.visible, driver.reclaimed());
  EXPECT_EQ(bench.issued, driver.reclaimed());
  EXPECT_GT(bench.idle_edges, 1000U);
  if (events == Events::kPoll) {
    EXPECT_EQ(driver.interrupts, 0U);
  }
}
INSTANTIATE_TEST_SUITE_P(Seeds, VqTx, ::testing::Range(0, 90));

// The race between going to sleep and a buffer that is posted meanwhile: one buffer at a time, so
// that the engine goes to sleep after each, and every distance in time between the two.
TEST(VqTxSleep, NoKickIsLost) {
  TxBench bench(7);
  bench.timing = {.read_min = 20,
                  .read_max = 60,
                  .write_min = 10,
                  .write_max = 40,
                  .ready_percent = 100,
                  .scatter = true};
  DriverConfig config{.size = 16,
                      .total = 6000,
                      .max_chain = 1,
                      .max_burst = 6,
                      .post_percent = 25,
                      .reclaim_percent = 100,
                      .pause_percent = 0,
                      .kick_delay = 100};
  const Driver& driver = bench.add_driver(kTx, config);
  bench.run_to_end(3'000'000);
  EXPECT_EQ(driver.reclaimed(), 6000U);
  EXPECT_GT(driver.kicks, 50U);
  EXPECT_LT(driver.kicks, 6000U);
}

// At line rate the driver is ahead of the device, which finds full batches and needs no kicks.
TEST(VqTxSleep, KicksAreOffWhileTheDevicePolls) {
  TxBench bench(8);
  bench.timing = {.read_min = 156, .read_max = 156, .write_min = 100, .write_max = 100};
  bench.client.pop_percent = 10;
  DriverConfig config{.size = 256,
                      .total = 5000,
                      .max_chain = 1,
                      .max_burst = 16,
                      .post_percent = 100,
                      .reclaim_percent = 100,
                      .events = Events::kPoll};
  const Driver& driver = bench.add_driver(kTx, config);
  bench.run_to_end(200'000);
  EXPECT_EQ(driver.reclaimed(), 5000U);
  EXPECT_LT(driver.kicks, 20U);
}

TEST(VqTxSleep, AnEmptyRingIsReadOnceAndThenLeftAlone) {
  TxBench bench(9);
  bench.add_driver(kTx, {.size = 64, .total = 0});
  bench.run(500);
  EXPECT_TRUE(bench.model().idle_o);
  EXPECT_EQ(bench.descriptors.requests, 1U);
  EXPECT_EQ(bench.device_events.requests, 1U);
  bench.run(5000);
  EXPECT_EQ(bench.descriptors.requests, 1U);
}

TEST(VqTxLatency, AKickIsFollowedByAReadAtOnce) {
  TxBench bench(10);
  bench.add_driver(kTx, {.size = 64, .total = 0});
  bench.run(500);
  ASSERT_TRUE(bench.model().idle_o);
  bench.drivers[kTx]->more(1);
  const std::uint64_t before = bench.descriptors.requests;
  Cycle kicked = 0;
  while (bench.descriptors.requests == before && bench.now < 2000) {
    bench.cycle([&] {
      if (bench.model().kick_valid_i) {
        kicked = bench.now;
      }
    });
  }
  EXPECT_LE(bench.now - 1 - kicked, 4U);
  bench.run_to_end(2000);
}

// One microsecond of read latency at 156.25 MHz; what counts is one descriptor in 10 cycles.
TEST(VqTxSpeed, SuppliesDescriptorsBehindAMicrosecondOfLatency) {
  TxBench bench(11);
  bench.timing = {.read_min = 156, .read_max = 156, .write_min = 100, .write_max = 100};
  DriverConfig config{.size = 256,
                      .total = 6000,
                      .max_chain = 1,
                      .max_burst = 32,
                      .post_percent = 100,
                      .reclaim_percent = 100,
                      .events = Events::kPoll};
  const Driver& driver = bench.add_driver(kTx, config);
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

TEST(VqTxStop, StopsReadingAndGoesOn) {
  TxBench bench(12);
  bench.timing = unkind(bench.random);
  DriverConfig config{.size = 64, .total = 3000, .max_chain = 3, .events = Events::kEnable};
  const Driver& driver = bench.add_driver(kTx, config);
  for (int round = 0; round < 20; ++round) {
    bench.run(bench.random.in(1, 1500));
    bench.stop = true;
    bench.run(3000);
    EXPECT_TRUE(bench.model().quiet_o);
    const auto reads = bench.descriptors.requests;
    bench.run(500);
    EXPECT_EQ(bench.descriptors.requests, reads);
    bench.stop = false;
  }
  bench.run_to_end(1'000'000);
  EXPECT_EQ(driver.reclaimed(), 3000U);
}

TEST(VqTxStop, AQueueStartsAgainFromNothing) {
  TxBench bench(13);
  bench.timing = unkind(bench.random);
  DriverConfig config{.size = 37, .total = 100, .max_chain = 4};
  bench.add_driver(kTx, config);
  for (int round = 0; round < 5; ++round) {
    bench.run_to_end(500'000);
    EXPECT_EQ(bench.drivers[kTx]->reclaimed(), 100U);
    bench.restart(kTx);
  }
  bench.run_to_end(500'000);
}

TEST(VqTxStop, ResetForgetsEverything) {
  TxBench bench(14);
  bench.timing = unkind(bench.random);
  bench.add_driver(kTx, {.size = 64, .total = 400, .max_chain = 4});
  bench.run(2500);
  bench.stop = true;
  bench.run(5000);
  ASSERT_TRUE(bench.model().quiet_o);
  bench.reset();
  bench.stop = false;
  bench.restart(kTx);
  bench.run_to_end(500'000);
  EXPECT_EQ(bench.drivers[kTx]->reclaimed(), 400U);
}

}  // namespace
}  // namespace nicroscope::rtl_test
