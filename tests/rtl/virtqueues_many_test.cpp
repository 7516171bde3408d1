// SPDX-License-Identifier: Apache-2.0
// virtqueues with 64 pairs: state of queues in block RAM, the last queue's beside the others',
// small caches.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "Vvq_many.h"
#include "Vvq_many___024root.h"
#include "tests/rtl/vq_bench.h"

namespace nicroscope::rtl_test {
namespace {

using ManyBench = Bench<Vvq_many, 64, 64>;

DriverConfig any_driver(Random& random, unsigned queue, Events events) {
  return {.size = static_cast<unsigned>(random.in(1, 200)),
          .total = 100,
          .max_chain = static_cast<unsigned>(random.in(1, 6)),
          .max_burst = static_cast<unsigned>(random.in(1, 30)),
          .post_percent = static_cast<unsigned>(random.in(10, 100)),
          .reclaim_percent = static_cast<unsigned>(random.in(10, 100)),
          .pause_percent = random.chance(50) ? 30U : 0U,
          .events = events,
          .device_writes = ManyBench::side(queue) == 0,
          .control = ManyBench::side(queue) == 2,
          .flags_first = random.chance(50)};
}

class VqMany : public ::testing::TestWithParam<int> {};

// The control queue, the pair next to it, and some anywhere.
TEST_P(VqMany, EveryQueueReturnsEveryBufferInOrder) {
  ManyBench bench(7000 + static_cast<std::uint64_t>(GetParam()));
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
  std::set<unsigned> used{ManyBench::kControl, ManyBench::kControl - 1, ManyBench::kControl - 2};
  while (used.size() < 8) {
    used.insert(static_cast<unsigned>(random.in(0, ManyBench::kQueues - 1)));
  }
  for (const unsigned q : used) {
    bench.add_driver(q, any_driver(random, q, events));
    bench.run(random.in(0, 500));
  }
  bench.run_to_end(2'000'000);
  for (const unsigned q : used) {
    EXPECT_EQ(bench.drivers[q]->reclaimed(), 100U) << "queue " << q;
  }
}
INSTANTIATE_TEST_SUITE_P(Seeds, VqMany, ::testing::Range(0, 12));

class VqManySpeed : public ::testing::TestWithParam<unsigned> {};

// A cache of 64 descriptors behind a microsecond of read latency (250 cycles): with one batch of 32
// under way a descriptor would take 8 cycles.
TEST_P(VqManySpeed, OneQueueHasTwoBatchesUnderWay) {
  const unsigned queue = GetParam();
  ManyBench bench(61);
  bench.timing = {.read_min = 250, .read_max = 250, .write_min = 100, .write_max = 100};
  bench.check_idle = false;
  bench.add_driver(queue, {.size = 1024,
                           .total = 100'000,
                           .max_chain = 1,
                           .max_burst = 64,
                           .post_percent = 100,
                           .reclaim_percent = 100,
                           .events = Events::kPoll,
                           .device_writes = ManyBench::side(queue) == 0,
                           .accesses = 8});
  bench.run(20'000);
  const std::uint64_t before = bench.popped;
  const Cycle cycles = 20'000;
  bench.run(cycles);
  const double each = static_cast<double>(cycles) / static_cast<double>(bench.popped - before);
  RecordProperty("cycles_per_descriptor", std::to_string(each));
  EXPECT_LE(each, 5.5);
}
INSTANTIATE_TEST_SUITE_P(Queues, VqManySpeed, ::testing::Values(0U, 1U, 126U, 127U));

}  // namespace
}  // namespace nicroscope::rtl_test
