// SPDX-License-Identifier: Apache-2.0
// Transmit gather and store with the read engine: see tx_bench.h for what each run checks.
#include <gtest/gtest.h>

#include "tests/rtl/support/tx_bench.h"

namespace nicroscope::test {
namespace {

constexpr AxiTiming kRough{
    .min_latency = 2, .max_latency = 200, .stall_percent = 30, .reorder = true};

class TxSeeds : public ::testing::TestWithParam<uint32_t> {};

TEST_P(TxSeeds, RandomChains) {
  TxBench bench({.seed = GetParam(),
                 .max_pieces = 6,
                 .min_frame = 14,
                 .max_frame = 1600,
                 .chains = 400,
                 .used_stall = 30,
                 .desc_stall = 30,
                 .ready_stall = 30,
                 .timing = kRough});
  ASSERT_TRUE(bench.run());
  EXPECT_EQ(bench.sent(), 400U);
  EXPECT_EQ(bench.gaps(), 0U);
}

TEST_P(TxSeeds, JumboFrames) {
  TxBench bench({.seed = GetParam(),
                 .max_pieces = 18,
                 .min_frame = 60,
                 .max_frame = 9022,
                 .chains = 100,
                 .timing = kRough});
  ASSERT_TRUE(bench.run());
  EXPECT_EQ(bench.sent(), 100U);
  EXPECT_EQ(bench.gaps(), 0U);
}

TEST_P(TxSeeds, HeaderAndFrameOverTinyFragments) {
  TxBench bench({.seed = GetParam(),
                 .ring = 1024,
                 .max_pieces = 40,
                 .min_frame = 14,
                 .max_frame = 100,
                 .chains = 400,
                 .timing = kRough});
  ASSERT_TRUE(bench.run());
  EXPECT_EQ(bench.sent(), 400U);
}

TEST_P(TxSeeds, BadChainsAreCountedAndComeBack) {
  TxBench bench({.seed = GetParam(),
                 .max_pieces = 5,
                 .min_frame = 14,
                 .max_frame = 9022,
                 .chains = 200,
                 .bad_percent = 40,
                 .desc_stall = 20,
                 .timing = kRough});
  ASSERT_TRUE(bench.run());
  EXPECT_GT(bench.bad(), 50U);
  EXPECT_EQ(bench.drop_bad(), bench.bad());
  EXPECT_EQ(bench.used(), 200U);
  EXPECT_EQ(bench.sent(), 200U - bench.bad());
}

// The same run, with and without clock edges while idle: the same events in the same cycles.
TEST_P(TxSeeds, NothingChangesWhileIdle) {
  TxConfig config{.seed = GetParam(),
                  .max_pieces = 3,
                  .min_frame = 14,
                  .max_frame = 1514,
                  .chains = 100,
                  .bad_percent = 5,
                  .pause_every = 7,
                  .pause_cycles = 5000,
                  .timing = kRough};
  TxBench slow(config);
  ASSERT_TRUE(slow.run());
  config.skip_idle = true;
  TxBench fast(config);
  ASSERT_TRUE(fast.run());
  EXPECT_EQ(slow.events(), fast.events());
  EXPECT_EQ(slow.cycle(), fast.cycle());
  EXPECT_GT(fast.skipped(), fast.cycle() / 3);
}

INSTANTIATE_TEST_SUITE_P(Seeds, TxSeeds, ::testing::Range(1U, 5U));

TEST(Tx, EveryLaneAndSize) {
  for (unsigned lane = 0; lane < TxBench::kAxi; ++lane) {
    TxBench bench({.seed = lane,
                   .min_frame = 14,
                   .max_frame = 14 + 3 * TxBench::kAxi,
                   .alignment = TxBench::kAxi,
                   .lane = lane,
                   .chains = 400});
    ASSERT_TRUE(bench.run());
    EXPECT_EQ(bench.sent(), 400U);
  }
}

TEST(Tx, ChainOfMoreDescriptorsThanAreTaken) {
  TxBench bench(
      {.ring = 1024, .max_pieces = 90, .min_frame = 1000, .max_frame = 2000, .chains = 60});
  ASSERT_TRUE(bench.run());
  EXPECT_GT(bench.bad(), 5U);
  EXPECT_EQ(bench.drop_bad(), bench.bad());
  EXPECT_EQ(bench.sent(), 60 - bench.bad());
}

// 156 cycles are 1 us at 156.25 MHz: many frames have to be in flight. On the wire a minimum frame
// takes 84 bytes' time.
TEST(Tx, LineRateOfMinimumFrames) {
  for (unsigned lane : {0U, 2U, 4U, 10U}) {
    TxBench bench({.ring = 1024,
                   .min_frame = 60,
                   .max_frame = 60,
                   .alignment = 64,
                   .lane = lane,
                   .chains = 3000,
                   .timing = {.min_latency = 156, .max_latency = 156}});
    ASSERT_TRUE(bench.run());
    const double cycles = static_cast<double>(bench.last_end() - bench.first_end()) /
                          static_cast<double>(bench.sent() - 1);
    const unsigned beats = (60 + TxBench::kStream - 1) / TxBench::kStream;
    const unsigned words = (lane % TxBench::kAxi + 72 + TxBench::kAxi - 1) / TxBench::kAxi;
    EXPECT_LE(cycles, 0.01 + std::max({beats, words, TxBench::kStream > 8 ? 4U : 1U}))
        << "lane " << lane;
  }
}

TEST(Tx, BeatsFollowEachOtherWithoutGaps) {
  TxBench bench({.min_frame = 1500,
                 .max_frame = 1500,
                 .alignment = 64,
                 .chains = 600,
                 .timing = {.min_latency = 156, .max_latency = 156}});
  ASSERT_TRUE(bench.run());
  EXPECT_EQ(bench.gaps(), 0U);
  const double cycles = static_cast<double>(bench.last_end() - bench.first_end()) /
                        static_cast<double>(bench.sent() - 1);
  EXPECT_LE(cycles, (1500 + TxBench::kStream - 1) / TxBench::kStream + 1.01);
}

TEST(Tx, StopFinishesTheFrameInHandAndStartsNone) {
  for (uint32_t seed = 1; seed < 20; ++seed) {
    TxBench bench({.seed = seed, .max_pieces = 4, .chains = 400, .timing = kRough});
    for (unsigned i = 0; i < 1500 + 37 * seed; ++i) bench.step();
    bench.model().stop_i = 1;
    for (unsigned i = 0; i < 20000 && !bench.model().quiet_o; ++i) bench.step();
    ASSERT_TRUE(bench.model().quiet_o);
    const uint64_t bursts = bench.bursts();
    const uint64_t sent = bench.sent();
    EXPECT_FALSE(bench.bus_busy());
    for (unsigned i = 0; i < 2000; ++i) bench.step();
    EXPECT_EQ(bench.bursts(), bursts);
    EXPECT_EQ(bench.sent(), sent);
    EXPECT_TRUE(bench.model().quiet_o);
  }
}

TEST(Tx, ReadErrorNamesTheFragment) {
  TxBench bench({.ring = 64, .chains = 60, .timing = kRough});
  constexpr uint64_t kNowhere = 0xdead'0000'1238;
  bench.set_wild(kNowhere);  // in the first chain, so nothing may be sent
  for (unsigned i = 0; i < 5000; ++i) {
    bench.step();
    ASSERT_FALSE(bench.model().m_axis_tvalid_o);
  }
  EXPECT_TRUE(bench.model().err_valid_o);
  EXPECT_EQ(bench.model().err_code_o, 1);
  EXPECT_EQ(bench.model().err_queue_o, 1);
  EXPECT_EQ(bench.model().err_index_o, 1);
  EXPECT_EQ(bench.model().err_addr_o, kNowhere);
  EXPECT_EQ(bench.used(), 0U);
  EXPECT_TRUE(bench.model().quiet_o);
}

}  // namespace
}  // namespace nicroscope::test
