// SPDX-License-Identifier: Apache-2.0
// What virtqueues supply at the width of dc100 behind a microsecond of read latency (250 cycles).
// A frame of minimum size takes 2.25 beats of the bus, so that is the time for a descriptor and a
// used element. What belongs to a chain is read twice, and takes more beats of data.
#include <gtest/gtest.h>

#include <string>

#include "Vvq_wide.h"
#include "Vvq_wide___024root.h"
#include "tests/rtl/vq_bench.h"

namespace nicroscope::rtl_test {
namespace {

using WideBench = Bench<Vvq_wide, 64, 16>;

struct Load {
  const char* name;
  std::vector<unsigned> queues;
  unsigned chain = 1;
};
std::ostream& operator<<(std::ostream& out, const Load& load) { return out << load.name; }

class VqSpeed : public ::testing::TestWithParam<Load> {};

// Drivers that post and reclaim without pause, in as few accesses as the model has.
TEST_P(VqSpeed, SuppliesDescriptorsFasterThanTheBusTakesFrames) {
  const Load& load = GetParam();
  WideBench bench(60);
  bench.timing = {.read_min = 250, .read_max = 250, .write_min = 100, .write_max = 100};
  bench.check_idle = false;
  for (const unsigned q : load.queues) {
    bench.add_driver(q, {.size = 1024,
                         .total = 100'000,
                         .max_chain = load.chain,
                         .min_chain = load.chain,
                         .max_burst = 64,
                         .post_percent = 100,
                         .reclaim_percent = 100,
                         .events = Events::kPoll,
                         .device_writes = WideBench::side(q) == 0,
                         .accesses = 8});
  }
  bench.run(20'000);
  const std::uint64_t before = bench.popped;
  const Cycle cycles = 20'000;
  bench.run(cycles);
  const double each = static_cast<double>(cycles) / static_cast<double>(bench.popped - before);
  RecordProperty("cycles_per_descriptor", std::to_string(each));
  EXPECT_LE(each, load.chain == 1 ? 2.0 : 3.1);
}

std::vector<unsigned> every(unsigned step, unsigned from) {
  std::vector<unsigned> queues;
  for (unsigned q = from; q < 32; q += step) {
    queues.push_back(q);
  }
  return queues;
}

INSTANTIATE_TEST_SUITE_P(Loads, VqSpeed,
                         ::testing::Values(Load{"one receive queue", {0}},
                                           Load{"one transmit queue", {1}},
                                           Load{"one transmit queue, chains of 2", {1}, 2},
                                           Load{"one transmit queue, chains of 19", {1}, 19},
                                           Load{"sixteen receive queues", every(2, 0)},
                                           Load{"sixteen transmit queues", every(2, 1)},
                                           Load{"one pair", {0, 1}},
                                           Load{"sixteen pairs", every(1, 0)}));

}  // namespace
}  // namespace nicroscope::rtl_test
