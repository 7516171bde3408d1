// SPDX-License-Identifier: Apache-2.0
// Coalescing of received frames, and the joining of their bytes: see lro_bench.h for what is
// checked.
#include <gtest/gtest.h>

#include "tests/golden/checksum.h"
#include "tests/rtl/support/lro_bench.h"

namespace nicroscope::test {
namespace {

using golden::Bytes;
using golden::FrameMix;
using golden::L3;
using golden::Recipe;
using golden::TcpFlow;
namespace tcp = golden::tcp;

// Frames of several flows, in any order, with something else now and then.
void send_mixed(LroBench& bench, unsigned flows, unsigned frames, unsigned near_miss,
                std::size_t largest, unsigned other = 10) {
  const FrameMix mix{.largest = largest};
  std::vector<TcpFlow> sources;
  for (unsigned i = 0; i < flows; ++i) sources.emplace_back(bench.random().next(), mix, near_miss);
  for (unsigned i = 0; i < frames && !::testing::Test::HasFailure(); ++i) {
    if (bench.random().below(100) < other) {
      bench.send(golden::random_recipe(bench.random(), mix));
    } else {
      bench.send(sources[bench.random().below(flows)].next());
    }
  }
}

class LroSeeds : public ::testing::TestWithParam<std::uint64_t> {};

// Exactly what GRO does, no more and no less, with few flows and with more than there are places.
TEST_P(LroSeeds, MergesWhatGroMerges) {
  std::uint64_t merged = 0;
  for (const unsigned flows : {1U, 4U, 16U, 24U}) {
    LroBench bench({.seed = GetParam(), .exact = true});
    send_mixed(bench, flows, LroBench::kSlots - 10, 15, 1514);
    bench.drain();
    if (HasFailure()) return;
    merged += bench.merged();
  }
  EXPECT_GT(merged, 200U);
}

TEST_P(LroSeeds, MergesWhatGroMergesUnderBackPressure) {
  LroBench bench({.seed = GetParam(),
                  .head_gap = 20,
                  .frame_stall = 40,
                  .job_stall = 20,
                  .read_stall = 30,
                  .word_stall = 30,
                  .out_stall = 30,
                  .free_stall = 50,
                  .unwanted = 5,
                  .exact = false});
  send_mixed(bench, 6, 800, 15, 400);
  bench.drain();
  EXPECT_GT(bench.merged(), 100U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, LroSeeds, ::testing::Range<std::uint64_t>(1, 5));

}  // namespace
}  // namespace nicroscope::test
