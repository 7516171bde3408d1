// SPDX-License-Identifier: Apache-2.0
// Queues that are reset one by one while the others go on (virtio 1.2, 2.6.1).
#include <gtest/gtest.h>

#include "Vvq_dc25.h"
#include "Vvq_dc25___024root.h"
#include "tests/rtl/vq_bench.h"

namespace nicroscope::rtl_test {
namespace {

using ResetBench = Bench<Vvq_dc25, 32, 4>;

class VqReset : public ::testing::TestWithParam<int> {};

DriverConfig any_driver(Random& random, unsigned queue, Events events) {
  DriverConfig config;
  config.size = static_cast<unsigned>(random.in(1, 200));
  config.total = 400;
  config.max_chain = static_cast<unsigned>(random.in(1, 6));
  config.max_burst = static_cast<unsigned>(random.in(1, 30));
  config.post_percent = static_cast<unsigned>(random.in(10, 100));
  config.reclaim_percent = static_cast<unsigned>(random.in(10, 100));
  config.events = events;
  config.device_writes = ResetBench::side(queue) == 0;
  config.control = ResetBench::side(queue) == 2;
  config.flags_first = true;
  return config;
}

// Between its reset and its enable nothing of a queue's memory is read or written; what the others
// have in hand comes back.
TEST_P(VqReset, OneQueueIsForgottenAndTheOthersGoOn) {
  ResetBench bench(5000 + static_cast<std::uint64_t>(GetParam()));
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
  for (unsigned q = 0; q < ResetBench::kQueues; ++q) {
    bench.add_driver(q, any_driver(random, q, events));
    if (random.chance(50)) {
      bench.moderate(q, static_cast<unsigned>(random.in(0, 20)),
                     static_cast<unsigned>(random.in(1, 3000)));
    }
  }
  for (int round = 0; round < 12 && !HasFatalFailure(); ++round) {
    const auto q = static_cast<unsigned>(random.in(0, ResetBench::kQueues - 1));
    bench.run(random.in(1, 1500));
    bench.reset_queue(q);
    std::uint64_t touched = 0;
    auto watch = [&](std::uint64_t addr) {
      const std::uint64_t beat = addr / 32 * 32;
      const std::uint64_t ring = ResetBench::ring_addr(q);
      touched += beat + 32 > ring && beat < ring + 16 * 200;
      return false;
    };
    bench.descriptors.fault = bench.rx_used.fault = bench.tx_used.fault = watch;
    const auto device = bench.memory.get<std::uint32_t>(ResetBench::device_addr(q));
    bench.memory.put<std::uint32_t>(ResetBench::device_addr(q), ~device);
    auto driver = std::move(bench.drivers[q]);
    bench.run(random.in(1, 1500));
    EXPECT_EQ(bench.memory.get<std::uint32_t>(ResetBench::device_addr(q)), ~device);
    EXPECT_EQ(touched, 0U) << "queue " << q << " is used after its reset";
    bench.descriptors.fault = bench.rx_used.fault = bench.tx_used.fault = nullptr;
    bench.drivers[q] = std::move(driver);
    bench.restart(q);
  }
  bench.run_to_end(2'000'000);
  for (const auto& driver : bench.drivers) {
    EXPECT_EQ(driver->reclaimed(), 400U);
  }
}
INSTANTIATE_TEST_SUITE_P(Seeds, VqReset, ::testing::Range(0, 60));

}  // namespace
}  // namespace nicroscope::rtl_test
