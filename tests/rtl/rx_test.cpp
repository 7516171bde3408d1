// SPDX-License-Identifier: Apache-2.0
// Receive store and fill with the write engine: see rx_bench.h for what each run checks.
#include <gtest/gtest.h>

#include "tests/rtl/support/rx_bench.h"

namespace nicroscope::test {
namespace {

constexpr AxiTiming kRough{
    .min_latency = 2, .max_latency = 150, .stall_percent = 30, .reorder = true};

class RxSeeds : public ::testing::TestWithParam<uint32_t> {};

TEST_P(RxSeeds, RandomFramesIntoRandomBuffers) {
  RxBench bench({.seed = GetParam(),
                 .max_pieces = 3,
                 .min_piece = 64,
                 .max_piece = 700,
                 .frames = 300,
                 .min_frame = 1,
                 .max_frame = 1600,
                 .gap_cycles = 500,
                 .gap_percent = 10,
                 .bad_percent = 10,
                 .used_stall = 30,
                 .desc_stall = 30,
                 .timing = kRough});
  ASSERT_TRUE(bench.run());
  EXPECT_EQ(bench.sent(), bench.delivered() + bench.drop_fifo() + bench.bad());
  EXPECT_GT(bench.delivered(), 100U);
  EXPECT_GT(bench.bad(), 5U);
  EXPECT_GT(bench.most_buffers(), 3U);
}

TEST_P(RxSeeds, JumboFramesIntoSmallBuffers) {
  RxBench bench({.seed = GetParam(),
                 .min_piece = 64,
                 .max_piece = 80,
                 .frames = 40,
                 .min_frame = 5000,
                 .max_frame = 9022,
                 .gap_cycles = 10000,
                 .timing = kRough});
  ASSERT_TRUE(bench.run());
  EXPECT_EQ(bench.sent(), bench.delivered() + bench.drop_fifo());
  EXPECT_GT(bench.most_buffers(), 90U);
}

TEST_P(RxSeeds, HeaderOverTinyDescriptors) {
  RxBench bench({.seed = GetParam(),
                 .max_pieces = 8,
                 .min_piece = 1,
                 .max_piece = 20,
                 .frames = 200,
                 .min_frame = 1,
                 .max_frame = 200,
                 .gap_cycles = 300,
                 .desc_stall = 20,
                 .timing = kRough});
  ASSERT_TRUE(bench.run());
  EXPECT_EQ(bench.sent(), bench.delivered() + bench.drop_fifo());
  EXPECT_GT(bench.delivered(), 100U);
}

TEST_P(RxSeeds, OneBufferAFrameWithoutMergeableBuffers) {
  RxBench bench({.seed = GetParam(),
                 .mrg_rxbuf = false,
                 .min_pieces = 2,
                 .max_pieces = 4,
                 .min_piece = 100,
                 .max_piece = 600,
                 .frames = 300,
                 .max_frame = 1514,
                 .gap_cycles = 400,
                 .timing = kRough});
  ASSERT_TRUE(bench.run());
  EXPECT_EQ(bench.sent(), bench.delivered() + bench.drop_fifo() + bench.drop_no_fit());
  EXPECT_EQ(bench.most_buffers(), 1U);
  EXPECT_GT(bench.drop_no_fit(), 20U);
  EXPECT_GT(bench.delivered(), 100U);
}

TEST_P(RxSeeds, FrameThatNeedsMoreThanTheRing) {
  RxBench bench({.seed = GetParam(),
                 .ring = 5,
                 .min_piece = 64,
                 .max_piece = 300,
                 .frames = 150,
                 .max_frame = 1514,
                 .gap_cycles = 2000,
                 .timing = kRough});
  ASSERT_TRUE(bench.run());
  EXPECT_EQ(bench.sent(), bench.delivered() + bench.drop_fifo() + bench.drop_no_fit());
  EXPECT_GT(bench.drop_no_fit(), 20U);
  EXPECT_GT(bench.delivered(), 40U);
}

TEST_P(RxSeeds, FrameThatNeedsTooManySegments) {
  RxBench bench({.seed = GetParam(),
                 .ring = 1024,
                 .max_pieces = 4,
                 .min_piece = 8,
                 .max_piece = 40,
                 .frames = 40,
                 .min_frame = 60,
                 .max_frame = 9022,
                 .gap_cycles = 8000,
                 .timing = kRough});
  ASSERT_TRUE(bench.run());
  EXPECT_EQ(bench.sent(), bench.delivered() + bench.drop_fifo() + bench.drop_no_fit());
  EXPECT_GT(bench.drop_no_fit(), 5U);
  EXPECT_GT(bench.delivered(), 5U);
}

// The same run, with and without clock edges while idle: the same events in the same cycles.
TEST_P(RxSeeds, NothingChangesWhileIdle) {
  RxConfig config{.seed = GetParam(),
                  .min_piece = 64,
                  .max_piece = 2000,
                  .frames = 100,
                  .max_frame = 1514,
                  .gap_cycles = 200,
                  .bad_percent = 5,
                  .buffers_from = 20000,
                  .pause_every = 7,
                  .pause_cycles = 3000,
                  .timing = kRough};
  RxBench slow(config);
  ASSERT_TRUE(slow.run());
  config.skip_idle = true;
  RxBench fast(config);
  ASSERT_TRUE(fast.run());
  EXPECT_EQ(slow.events(), fast.events());
  EXPECT_EQ(slow.cycle(), fast.cycle());
  EXPECT_GT(fast.skipped(), fast.cycle() / 3);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RxSeeds, ::testing::Range(1U, 5U));

TEST(Rx, EveryAlignmentAndSize) {
  for (unsigned alignment : {1U, 2U, 4U, 16U, 64U}) {
    RxBench bench({.seed = alignment,
                   .alignment = alignment,
                   .frames = 600,
                   .min_frame = 60,
                   .max_frame = 190,
                   .gap_cycles = 60});
    ASSERT_TRUE(bench.run());
    EXPECT_EQ(bench.delivered(), 600U);
    EXPECT_EQ(bench.most_buffers(), 1U);
  }
}

TEST(Rx, WithoutBuffersTheStoreFillsAndDropsAreCounted) {
  RxBench bench({.frames = 200, .min_frame = 1000, .max_frame = 1514, .buffers_from = 60000});
  ASSERT_TRUE(bench.run());
  EXPECT_EQ(bench.sent(), bench.delivered() + bench.drop_fifo());
  EXPECT_GT(bench.drop_fifo(), 50U);
  EXPECT_GE(bench.delivered(), 20U);
}

TEST(Rx, RefusesFramesWhileDisabled) {
  RxBench bench({.frames = 100, .gap_cycles = 20, .bad_percent = 20});
  bench.model().run_i = 0;
  while (bench.sent() < 50) bench.step();
  EXPECT_EQ(bench.delivered(), 0U);
  bench.model().run_i = 1;
  ASSERT_TRUE(bench.run());
  EXPECT_GT(bench.drop_disabled(), 30U);
  EXPECT_EQ(bench.sent(), bench.delivered() + bench.drop_disabled() + bench.bad());
}

// The device is reset and started again while a refused frame passes by: its rest is no frame.
TEST(Rx, AFrameThatOutlastsAResetStaysRefused) {
  RxBench bench({.frames = 20, .min_frame = 4000, .max_frame = 4100});
  bench.model().run_i = 0;
  while (bench.sent() < 3) bench.step();
  for (int i = 0; i < 12; ++i) bench.step();
  ASSERT_TRUE(bench.model().s_axis_tvalid_i);
  bench.model().clear_i = 1;
  bench.step();
  bench.model().clear_i = 0;
  for (int i = 0; i < 20; ++i) bench.step();  // the walk over the queues, 16 at most
  bench.model().size_valid_i = 1;             // the queue is enabled again
  bench.step();
  bench.model().size_valid_i = 0;
  bench.model().run_i = 1;
  ASSERT_TRUE(bench.run());
  EXPECT_EQ(bench.drop_disabled(), 4U);
  EXPECT_EQ(bench.delivered(), 16U);
}

// 84 byte times a frame on a wire whose rate is the link's: nothing may be lost, and the answers of
// the writes take long.
TEST(Rx, LineRateOfMinimumFrames) {
  constexpr unsigned kFrames = 3000;
  RxBench bench({.alignment = 64,
                 .frames = kFrames,
                 .min_frame = 60,
                 .max_frame = 60,
                 .gap_cycles = 0,
                 .timing = {.min_latency = 100, .max_latency = 100}});
  ASSERT_TRUE(bench.run());
  EXPECT_EQ(bench.sent(), kFrames);
  const double cycles = static_cast<double>(bench.last_delivery() - bench.first_delivery()) /
                        static_cast<double>(bench.delivered() - 1);
  std::printf("cycles a frame: %.3f, dropped %u\n", cycles,
              static_cast<unsigned>(bench.drop_fifo()));
  // Frames come as fast as the stream's width allows, which at 64 bytes is one a cycle: more than
  // the bus can take. There what is held is that each one is delivered or counted.
  EXPECT_EQ(bench.sent(), bench.delivered() + bench.drop_fifo());
  const double bound = RxBench::kStream == 8 ? 8.01 : RxBench::kStream == 16 ? 4.01 : 2.01;
  EXPECT_LE(cycles, bound);
}

// The bound of the datapath itself: the store is full, memory answers at once.
TEST(Rx, BeatsFollowEachOtherWithoutGaps) {
  RxBench bench({.alignment = 64,
                 .frames = 400,
                 .min_frame = 1500,
                 .max_frame = 1500,
                 .gap_cycles = 0,
                 .timing = {.min_latency = 1, .max_latency = 1}});
  ASSERT_TRUE(bench.run());
  const double cycles = static_cast<double>(bench.last_delivery() - bench.first_delivery()) /
                        static_cast<double>(bench.delivered() - 1);
  EXPECT_LE(cycles, (1500.0 + 7) / RxBench::kStream + 2);
}

TEST(Rx, StopFinishesTheFrameInHandAndCountsTheOthers) {
  for (uint32_t seed = 1; seed < 20; ++seed) {
    RxBench bench({.seed = seed,
                   .min_piece = 64,
                   .max_piece = 400,
                   .frames = 400,
                   .max_frame = 1514,
                   .timing = kRough});
    for (unsigned i = 0; i < 1500 + 37 * seed; ++i) bench.step();
    bench.model().stop_i = 1;
    for (unsigned i = 0; i < 20000 && !bench.model().quiet_o; ++i) bench.step();
    ASSERT_TRUE(bench.model().quiet_o);
    const uint64_t beats = bench.beats();
    ASSERT_FALSE(bench.bus_busy());
    for (unsigned i = 0; i < 2000; ++i) bench.step();
    EXPECT_EQ(bench.beats(), beats);
    EXPECT_TRUE(bench.model().quiet_o);
    bench.set_pause(true);
    for (unsigned i = 0; i < 2000; ++i) bench.step();
    EXPECT_GT(bench.drop_reset(), 0U);
    EXPECT_EQ(bench.sent(),
              bench.delivered() + bench.drop_fifo() + bench.drop_disabled() + bench.drop_reset());
  }
}

TEST(Rx, WriteErrorNamesTheBuffer) {
  RxBench bench({.frames = 0});
  // One more buffer than the bench knows, outside the memory: the bench would not expect it used.
  auto& model = bench.model();
  AxiTiming timing;
  Memory nowhere(0, 16);
  AxiWriteMemory<Vrx_harness, RxBench::kAxi> bus(nowhere, timing, 1);
  const auto step = [&](uint64_t cycle) {
    bus.drive(model, cycle);
    model.used_ready_i = 1;
    model.clk_i = 0;
    model.eval();
    EXPECT_FALSE(model.used_valid_o);
    bus.sample(model, cycle);
    model.clk_i = 1;
    model.eval();
  };
  model.s_axis_tvalid_i = 1;
  model.s_axis_tlast_i = 1;
  model.s_axis_tuser_error_i = 0;
  const uint8_t keep = 0x3f;
  std::memset(static_cast<void*>(&model.s_axis_tkeep_i), 0, RxBench::kStream / 8);
  std::memcpy(static_cast<void*>(&model.s_axis_tkeep_i), &keep, 1);
  step(0);
  model.s_axis_tvalid_i = 0;
  model.avail_i = 1;
  uint64_t cycle = 1;
  for (bool popped = false; !popped && cycle < 50; ++cycle) {
    model.clk_i = 0;
    model.eval();
    popped = model.pop_valid_o;
    step(cycle);
  }
  model.avail_i = 0;
  model.desc_valid_i = 1;
  model.desc_addr_i = 0xdead'0000'1230;
  model.desc_len_i = 2048;
  model.desc_id_i = 9;
  model.desc_flags_i = 0;
  model.desc_index_i = 77;
  step(cycle++);
  model.desc_valid_i = 0;
  for (unsigned i = 0; i < 60; ++i) step(cycle++);
  EXPECT_TRUE(model.err_valid_o);
  EXPECT_EQ(model.err_code_o, 2);
  EXPECT_EQ(model.err_queue_o, 0);
  EXPECT_EQ(model.err_index_o, 77);
  EXPECT_EQ(model.err_addr_o, 0xdead'0000'1230U);
  EXPECT_FALSE(model.quiet_o);
  model.stop_i = 1;
  for (unsigned i = 0; i < 10; ++i) step(cycle++);
  EXPECT_TRUE(model.quiet_o);
}

}  // namespace
}  // namespace nicroscope::test
