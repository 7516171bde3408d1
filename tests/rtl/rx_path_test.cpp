// SPDX-License-Identifier: Apache-2.0
// The receive path whole, with real frames for many queues: see rx_path_bench.h for what each run
// checks.
#include <gtest/gtest.h>

#include "tests/rtl/support/rx_path_bench.h"

namespace nicroscope::test {
namespace {

constexpr AxiTiming kRough{
    .min_latency = 2, .max_latency = 150, .stall_percent = 20, .reorder = true};
const golden::FrameMix kMix{.largest = 1514, .jumbo_percent = 1, .flows = 200};

// Room for what is sent, so that nothing is lost for want of it.
constexpr unsigned kSlow = 12 * 64 / RxPathBench::kStream;

class RxPathSeeds : public ::testing::TestWithParam<uint64_t> {};

TEST_P(RxPathSeeds, EveryQueueGetsItsFramesWithTheirVerdicts) {
  RxPathBench bench({.seed = GetParam(),
                     .gap_cycles = 8 * kSlow,
                     .bad_percent = 5,
                     .mix = kMix,
                     .timing = kRough});
  bench.send(1200);
  ASSERT_TRUE(bench.settle()) << bench.failure();
  bench.check_balance();
  EXPECT_EQ(bench.counts().no_fit + bench.counts().no_buffer + bench.counts().reset, 0U);
  EXPECT_GT(bench.counts().delivered, 1000U);
  EXPECT_GT(bench.verdicts(), 200U);
  EXPECT_GT(bench.counts().csum_good, bench.verdicts() - 1);
  EXPECT_GT(bench.counts().csum_bad, 5U);
  for (unsigned queue = 0; queue < bench.queues(); ++queue) {
    EXPECT_GT(bench.delivered(queue), 0U) << "queue " << queue;
  }
}

TEST_P(RxPathSeeds, HashesAreReported) {
  RxPathBench bench({.seed = GetParam(),
                     .hash_report = true,
                     .csum = false,
                     .buffer_bytes = 300,
                     .gap_cycles = 8 * kSlow,
                     .mix = kMix,
                     .timing = kRough});
  bench.send(1000);
  ASSERT_TRUE(bench.settle()) << bench.failure();
  bench.check_balance();
  EXPECT_GT(bench.hashes(), 500U);
}

TEST_P(RxPathSeeds, CoalescedFramesComeWhole) {
  RxPathBench bench({.seed = GetParam(),
                     .hash_report = GetParam() % 2 == 0,
                     .lro = true,
                     .ring = 200,
                     .buffer_bytes = 2048,
                     .gap_cycles = 4 * kSlow,
                     .stream_percent = 85,
                     .mix = kMix,
                     .timing = kRough});
  bench.send(1500);
  ASSERT_TRUE(bench.settle()) << bench.failure();
  bench.check_balance();
  EXPECT_GT(bench.super_frames(), 50U);
  EXPECT_EQ(bench.counts().no_fit, 0U);
}

// As fast as the stream goes: what finds no room is counted.
TEST_P(RxPathSeeds, OverloadLosesWholeFramesOnly) {
  RxPathBench bench({.seed = GetParam(),
                     .lro = GetParam() % 2 == 0,
                     .ring = 32,
                     .return_cycles = 2000,
                     .gap_cycles = 0,
                     .mix = kMix,
                     .timing = kRough});
  bench.send(3000);
  ASSERT_TRUE(bench.settle()) << bench.failure();
  bench.check_balance();
  EXPECT_GT(bench.counts().lost(), 100U);
  EXPECT_GT(bench.counts().delivered, 200U);
}

TEST_P(RxPathSeeds, FramesForOthersAreFilteredOut) {
  golden::FrameMix mix = kMix;
  mix.destinations.push_back({0x52, 0x54, 0x00, 0x99, 0x99, 0x99});
  mix.destinations.push_back({0xff, 0xff, 0xff, 0xff, 0xff, 0xff});
  mix.destinations.push_back({0x01, 0x00, 0x5e, 0x00, 0x00, 0x01});
  RxPathBench bench({.seed = GetParam(),
                     .promisc = false,
                     .gap_cycles = 10 * kSlow,
                     .mix = mix,
                     .timing = kRough});
  bench.send(1000);
  ASSERT_TRUE(bench.settle()) << bench.failure();
  bench.check_balance();
  EXPECT_GT(bench.counts().filter, 100U);
  EXPECT_GT(bench.counts().delivered, 100U);
}

TEST_P(RxPathSeeds, ResetsUnderTrafficLoseNothingUncounted) {
  RxPathBench bench({.seed = GetParam(),
                     .lro = true,
                     .return_cycles = 1000,
                     .gap_cycles = 20,
                     .bad_percent = 5,
                     .mix = kMix,
                     .timing = kRough});
  for (unsigned round = 0; round < 12; ++round) {
    bench.send(60 + 20 * round);
    bench.reset_device();
    ASSERT_EQ(bench.failure(), "");
  }
  bench.send(100);
  ASSERT_TRUE(bench.settle()) << bench.failure();
  bench.check_balance();
  EXPECT_GT(bench.counts().reset, 5U);
}

TEST_P(RxPathSeeds, QueuesAreResetUnderTraffic) {
  RxPathBench bench({.seed = GetParam(),
                     .lro = GetParam() % 2 == 0,
                     .ring = 16,
                     .buffer_bytes = 300,
                     .return_cycles = 300,
                     .gap_cycles = 30,
                     .mix = kMix,
                     .timing = kRough});
  for (unsigned round = 0; round < 40; ++round) {
    bench.send(1 + round);
    bench.reset_queue(round % bench.queues());
    ASSERT_EQ(bench.failure(), "");
  }
  ASSERT_TRUE(bench.settle()) << bench.failure();
  bench.check_balance();
  EXPECT_GT(bench.counts().delivered, 300U);
}

// The same run, with and without clock edges while idle: the same frames in the same cycles, those
// that waited for others until their time was over too.
TEST_P(RxPathSeeds, NothingChangesWhileIdle) {
  PathConfig config{.seed = GetParam(),
                    .lro = true,
                    .return_cycles = 400,
                    .gap_cycles = 20,
                    .stream_percent = 80,
                    .pause_cycles = 4000,
                    .mix = kMix,
                    .timing = kRough};
  RxPathBench slow(config);
  slow.send(500);
  ASSERT_TRUE(slow.settle()) << slow.failure();
  config.skip_idle = true;
  RxPathBench fast(config);
  fast.send(500);
  ASSERT_TRUE(fast.settle()) << fast.failure();
  EXPECT_EQ(slow.events(), fast.events());
  EXPECT_EQ(slow.cycle(), fast.cycle());
  EXPECT_GT(fast.super_frames(), 20U);
  EXPECT_GT(fast.skipped(), fast.cycle() / 3);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RxPathSeeds, ::testing::Range<uint64_t>(1, 4));

// A queue whose driver sleeps loses its own frames; the others lose none. A single queue waits for
// its buffers until the store is full.
TEST(RxPath, AQueueWithoutBuffersDoesNotHoldUpTheOthers) {
  RxPathBench bench({.gap_cycles = 10 * kSlow, .mix = kMix, .timing = kRough});
  const bool alone = bench.queues() == 1;
  bench.send(200);
  bench.starve(0, true);
  bench.send(4000);
  EXPECT_GT(alone ? bench.counts().fifo : bench.counts().no_buffer, 30U);
  EXPECT_EQ(alone ? bench.counts().no_buffer : bench.counts().fifo, 0U);
  bench.starve(0, false);
  ASSERT_TRUE(bench.settle()) << bench.failure();
  bench.check_balance();
}

// The driver of one queue leaves a frame half way through its buffers. Even with room for all in
// the store, the frames behind it for other queues come, before it wakes up again. Where there is
// no other queue, nothing is given up.
TEST(RxPath, AHalfPlannedFrameDoesNotHoldUpTheOthers) {
  uint64_t given_up = 0;
  bool alone = false;
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    RxPathBench bench({.seed = seed,
                       .ring = 12,
                       .buffer_bytes = 100,
                       .gap_cycles = 600,
                       .mix = {.largest = 400, .flows = 200},
                       .timing = kRough});
    alone = bench.queues() == 1;
    bench.send(bench.queues());
    bench.starve(0, true);
    bench.send(14 * bench.queues());
    for (unsigned cycle = 0; cycle < 6000; ++cycle) bench.step();
    std::vector<uint64_t> before;
    for (unsigned queue = 1; queue < bench.queues(); ++queue) {
      before.push_back(bench.delivered(queue));
    }
    given_up += bench.counts().no_buffer;
    bench.starve(0, false);
    ASSERT_TRUE(bench.settle()) << bench.failure();
    bench.check_balance();
    for (unsigned queue = 1; queue < bench.queues(); ++queue) {
      EXPECT_EQ(bench.delivered(queue), before[queue - 1]) << "queue " << queue;
    }
  }
  EXPECT_EQ(given_up == 0, alone);
}

// All drivers sleep: all queues lose frames, and go on when they wake up.
TEST(RxPath, AllQueuesWithoutBuffers) {
  RxPathBench bench({.gap_cycles = 2 * kSlow, .mix = kMix, .timing = kRough});
  for (unsigned round = 0; round < 5; ++round) {
    for (unsigned queue = 0; queue < bench.queues(); ++queue) bench.starve(queue, true);
    bench.send(1000);
    for (unsigned queue = 0; queue < bench.queues(); ++queue) bench.starve(queue, false);
    bench.send(100);
  }
  ASSERT_TRUE(bench.settle()) << bench.failure();
  bench.check_balance();
  EXPECT_GT(bench.counts().lost(), 500U);
}

// One queue pair of several in use: its frames wait, as with one queue.
TEST(RxPath, OnePairInUseWaits) {
  RxPathBench bench({.pairs = 1, .gap_cycles = 2 * kSlow, .mix = kMix, .timing = kRough});
  bench.send(100);
  bench.starve(0, true);
  bench.send(1000);
  EXPECT_EQ(bench.counts().no_buffer, 0U);
  EXPECT_GT(bench.counts().fifo, 100U);
  bench.starve(0, false);
  ASSERT_TRUE(bench.settle()) << bench.failure();
  bench.check_balance();
}

}  // namespace
}  // namespace nicroscope::test
