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
                 .mix = {.min_frame = 14, .max_frame = 1600},
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
                 .mix = {.min_frame = 60, .max_frame = 9022},
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
                 .mix = {.min_frame = 14, .max_frame = 100},
                 .chains = 400,
                 .timing = kRough});
  ASSERT_TRUE(bench.run());
  EXPECT_EQ(bench.sent(), 400U);
}

TEST_P(TxSeeds, BadChainsAreCountedAndComeBack) {
  TxBench bench({.seed = GetParam(),
                 .max_pieces = 5,
                 .mix = {.min_frame = 14, .max_frame = 9022, .bad_percent = 40},
                 .chains = 200,
                 .desc_stall = 20,
                 .timing = kRough});
  ASSERT_TRUE(bench.run());
  EXPECT_GT(bench.bad(), 50);
  EXPECT_EQ(bench.used(), 200U);
  EXPECT_EQ(static_cast<int64_t>(bench.sent()), 200 - bench.bad());
}

// Checksums to be put in and super-frames to be cut, of every layout.
TEST_P(TxSeeds, Offloads) {
  TxBench bench({.seed = GetParam(),
                 .max_pieces = 8,
                 .mix = {.offload_percent = 100, .offload = {.largest_super_frame = 20000}},
                 .chains = 400,
                 .used_stall = 30,
                 .ready_stall = 30,
                 .timing = kRough});
  ASSERT_TRUE(bench.run());
  EXPECT_GT(bench.super_frames(), 30);
  EXPECT_GT(bench.with_csum(), 300);
  EXPECT_EQ(bench.bad(), 0);
  EXPECT_EQ(bench.gaps(), 0U);
}

TEST_P(TxSeeds, SuperFramesOf64KiBInJumboSegments) {
  TxBench bench({.seed = GetParam(),
                 .max_pieces = 19,
                 .mix = {.offload_percent = 100, .offload = {.largest_frame = 9018}},
                 .chains = 60,
                 .timing = kRough});
  ASSERT_TRUE(bench.run());
  EXPECT_GT(bench.super_frames(), 5);
  EXPECT_EQ(bench.gaps(), 0U);
}

TEST_P(TxSeeds, TinySegments) {
  TxBench bench({.seed = GetParam(),
                 .max_pieces = 8,
                 .mix = {.offload_percent = 100,
                         .offload = {.largest_frame = 200, .largest_super_frame = 2000}},
                 .chains = 300,
                 .timing = kRough});
  ASSERT_TRUE(bench.run());
  EXPECT_GT(bench.super_frames(), 30);
}

TEST_P(TxSeeds, HeadersWithRoomForAHash) {
  TxBench bench({.seed = GetParam(),
                 .max_pieces = 8,
                 .mix = {.min_frame = 14,
                         .max_frame = 300,
                         .bad_percent = 5,
                         .offload_percent = 50,
                         .bad_header_percent = 20,
                         .hash = true,
                         .offload = {.largest_super_frame = 5000}},
                 .chains = 600,
                 .timing = kRough});
  ASSERT_TRUE(bench.run());
}

TEST_P(TxSeeds, BadHeadersAreCountedAndNothingIsSent) {
  TxBench bench({.seed = GetParam(),
                 .max_pieces = 4,
                 .mix = {.offload_percent = 90,
                         .bad_header_percent = 70,
                         .offload = {.largest_super_frame = 6000}},
                 .chains = 1000,
                 .timing = kRough});
  ASSERT_TRUE(bench.run());
  EXPECT_GT(bench.bad(), 100);
}

// Each feature that is not negotiated is refused.
TEST_P(TxSeeds, WhatWasNotNegotiatedIsRefused) {
  const uint32_t bits = GetParam() * 7;
  TxBench bench({.seed = GetParam(),
                 .max_pieces = 2,
                 .mix = {.offload_percent = 90,
                         .offload = {.largest_super_frame = 4000},
                         .features = {.csum = GetParam() != 1,
                                      .tso4 = (bits & 1) != 0,
                                      .tso6 = (bits & 2) != 0,
                                      .ecn = (bits & 4) != 0,
                                      .uso = (bits & 8) != 0}},
                 .chains = 400,
                 .timing = kRough});
  ASSERT_TRUE(bench.run());
  EXPECT_GT(bench.bad(), 20);
}

TEST_P(TxSeeds, QueuesTakeTurns) {
  TxBench bench({.seed = GetParam(),
                 .queues = 3,
                 .ring = 512,
                 .max_pieces = 5,
                 .mix = {.offload_percent = 40, .offload = {.largest_super_frame = 9000}},
                 .chains = 500,
                 .desc_stall = 20,
                 .timing = kRough});
  ASSERT_TRUE(bench.run());
  EXPECT_EQ(bench.bad(), 0);
}

// Queues are reset one after the other under traffic: nothing of a queue that is quiet is in hand,
// the others lose nothing, and the queue serves afterwards.
TEST_P(TxSeeds, ResetOfAQueue) {
  TxBench bench(
      {.seed = GetParam(),
       .queues = 3,
       .ring = 512,
       .max_pieces = 12,
       .mix = {.bad_percent = 5, .offload_percent = 40, .offload = {.largest_super_frame = 9000}},
       .chains = 1000,
       .used_stall = 10,
       .desc_stall = 50,
       .timing = kRough});
  for (unsigned i = 0; i < 25; ++i) {
    for (unsigned k = 0; k < 200 + 37 * i; ++k) bench.step();
    ASSERT_TRUE(bench.reset_queue(1 + i % 3));
  }
  EXPECT_GT(bench.lost(), 100U);
  EXPECT_GT(bench.given_up(), 0U);
  ASSERT_TRUE(bench.run());
}

// The same run, with and without clock edges while idle: the same events in the same cycles.
TEST_P(TxSeeds, NothingChangesWhileIdle) {
  TxConfig config{.seed = GetParam(),
                  .max_pieces = 3,
                  .mix = {.min_frame = 14,
                          .max_frame = 1514,
                          .bad_percent = 5,
                          .offload_percent = 30,
                          .offload = {.largest_super_frame = 3000}},
                  .chains = 100,
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

INSTANTIATE_TEST_SUITE_P(Seeds, TxSeeds, ::testing::Range(1U, 9U));

TEST(Tx, EveryLaneAndSize) {
  for (unsigned lane = 0; lane < TxBench::kAxi; ++lane) {
    TxBench bench({.seed = lane,
                   .mix = {.min_frame = 14, .max_frame = 14 + 3 * TxBench::kAxi},
                   .alignment = TxBench::kAxi,
                   .lane = lane,
                   .chains = 400});
    ASSERT_TRUE(bench.run());
    EXPECT_EQ(bench.sent(), 400U);
  }
}

TEST(Tx, ChainOfMoreDescriptorsThanAreTaken) {
  TxBench bench({.ring = 1024,
                 .max_pieces = 90,
                 .mix = {.min_frame = 1000, .max_frame = 2000},
                 .chains = 60});
  ASSERT_TRUE(bench.run());
  EXPECT_GT(bench.bad(), 5);
  EXPECT_EQ(static_cast<int64_t>(bench.sent()), 60 - bench.bad());
}

// 156 cycles are 1 us at 156.25 MHz: many frames have to be in flight. On the wire a minimum frame
// takes 84 bytes' time.
TEST(Tx, LineRateOfMinimumFrames) {
  for (unsigned lane : {0U, 2U, 4U, 10U}) {
    TxBench bench({.ring = 1024,
                   .mix = {.min_frame = 60, .max_frame = 60},
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

// A minimum frame with its header lies in two beats of a wide bus, and takes it two cycles.
TEST(Tx, MinimumFramesAtTheRateOfTheBus) {
  TxBench bench({.ring = 1024,
                 .mix = {.min_frame = 60, .max_frame = 60},
                 .alignment = 64,
                 .chains = 3000,
                 .timing = {.min_latency = 100, .max_latency = 100}});
  ASSERT_TRUE(bench.run());
  const double cycles = static_cast<double>(bench.last_end() - bench.first_end()) /
                        static_cast<double>(bench.sent() - 1);
  const unsigned beats = (60 + TxBench::kStream - 1) / TxBench::kStream;
  const unsigned words = (72 + TxBench::kAxi - 1) / TxBench::kAxi;
  EXPECT_LE(cycles, 0.02 + std::max(beats, words));
}

// Super-frames of 64 KiB in segments of 1,514 bytes: the wire takes 1,538 bytes' time for each.
TEST(Tx, SegmentsAtLineRate) {
  TxBench bench({.ring = 128,
                 .mix = {.super_segment = 1448},
                 .alignment = 64,
                 .lane = 2,
                 .chains = 40,
                 .timing = {.min_latency = 156, .max_latency = 156}});
  ASSERT_TRUE(bench.run());
  EXPECT_EQ(bench.super_frames(), 40);
  EXPECT_EQ(bench.gaps(), 0U);
  const double cycles = static_cast<double>(bench.last_end() - bench.first_end()) /
                        static_cast<double>(bench.sent() - 1);
  const double wire = 1538.0 / TxBench::kStream * (TxBench::kStream == 64 ? 1.28 : 1);
  EXPECT_LE(cycles, wire);
  RecordProperty("cycles", std::to_string(cycles));
}

TEST(Tx, BeatsFollowEachOtherWithoutGaps) {
  TxBench bench({.mix = {.min_frame = 1500, .max_frame = 1500},
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
  EXPECT_EQ(bench.model().err_queue_o, 3);
  EXPECT_EQ(bench.model().err_index_o, 1);
  EXPECT_EQ(bench.model().err_addr_o, kNowhere);
  EXPECT_EQ(bench.used(), 0U);
  EXPECT_TRUE(bench.model().quiet_o);
}

}  // namespace
}  // namespace nicroscope::test
