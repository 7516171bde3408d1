// SPDX-License-Identifier: Apache-2.0
// virtqueues at the width of dc100: four descriptors a beat, rings at odd lanes, used elements
// merged into one write, all three kinds of queues at once.
#include <gtest/gtest.h>

#include "Vvq_wide.h"
#include "Vvq_wide___024root.h"
#include "tests/rtl/vq_bench.h"

namespace nicroscope::rtl_test {
namespace {

using WideBench = Bench<Vvq_wide, 64, 16>;

DriverConfig any_driver(Random& random, unsigned queue, Events events) {
  DriverConfig config;
  config.size = static_cast<unsigned>(random.in(1, 200));
  config.total = 150;
  config.max_chain = static_cast<unsigned>(random.in(1, 6));
  config.max_burst = static_cast<unsigned>(random.in(1, 30));
  config.post_percent = static_cast<unsigned>(random.in(10, 100));
  config.reclaim_percent = static_cast<unsigned>(random.in(10, 100));
  config.pause_percent = random.chance(50) ? 30 : 0;
  config.events = events;
  config.device_writes = WideBench::side(queue) == 0;
  config.control = WideBench::side(queue) == 2;
  config.flags_first = random.chance(50);
  return config;
}

class VqWide : public ::testing::TestWithParam<int> {};

TEST_P(VqWide, EveryQueueReturnsEveryBufferInOrder) {
  WideBench bench(2000 + static_cast<std::uint64_t>(GetParam()));
  Random& random = bench.random;
  const auto events = static_cast<Events>(GetParam() % 3);
  bench.event_idx = events == Events::kEventIdx;
  bench.timing = {.read_max = random.in(1, 200),
                  .write_max = random.in(1, 200),
                  .ready_percent = static_cast<unsigned>(random.in(30, 100)),
                  .scatter = true};
  bench.client = {.pop_percent = static_cast<unsigned>(random.in(20, 100)),
                  .work_max = random.in(0, 300),
                  .used_percent = static_cast<unsigned>(random.in(20, 100)),
                  .max_group = static_cast<unsigned>(random.in(1, 5))};
  const auto first = static_cast<unsigned>(random.in(0, WideBench::kQueues - 6));
  for (unsigned q = 0; q < WideBench::kQueues; ++q) {
    if ((q >= first && q < first + 5) || q == WideBench::kControl) {
      bench.add_driver(q, any_driver(random, q, events));
      bench.run(random.in(0, 500));
    }
  }
  bench.run_to_end(2'000'000);
  for (const auto& driver : bench.drivers) {
    if (driver) {
      EXPECT_EQ(driver->reclaimed(), 150U);
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Seeds, VqWide, ::testing::Range(0, 45));

// Used elements that come close together share a write.
TEST(VqWideSpeed, UsedElementsMerge) {
  WideBench bench(41);
  bench.timing = {.read_min = 156, .read_max = 156, .write_min = 100, .write_max = 100};
  const Driver& driver = bench.add_driver(0, {.size = 256,
                                              .total = 4000,
                                              .max_chain = 1,
                                              .max_burst = 64,
                                              .post_percent = 100,
                                              .reclaim_percent = 100,
                                              .events = Events::kPoll,
                                              .device_writes = true});
  bench.run_to_end(100'000);
  EXPECT_EQ(driver.reclaimed(), 4000U);
  EXPECT_LT(bench.rx_used.requests, 2000U);
}

}  // namespace
}  // namespace nicroscope::rtl_test
