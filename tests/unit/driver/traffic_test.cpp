// SPDX-License-Identifier: Apache-2.0
// Frames both ways, over ring sizes, buffer sizes and features.
#include <gtest/gtest.h>

#include <random>
#include <tuple>

#include "tests/unit/driver/driver_rig.h"

namespace nicroscope::test {
namespace {

using std::chrono::microseconds;

struct Case {
  const char* name;
  std::uint16_t ring;
  std::uint32_t buffer_bytes;
  std::uint32_t buffer_offset;
  bool mergeable;
  bool event_idx;
};

void PrintTo(const Case& test, std::ostream* out) { *out << test.name; }

class Traffic : public ::testing::TestWithParam<Case> {
 protected:
  static driver::Options options() {
    driver::Options o;
    o.rx_ring = o.tx_ring = GetParam().ring;
    o.rx_buffer_bytes = GetParam().buffer_bytes;
    o.rx_buffer_offset = GetParam().buffer_offset;
    o.mergeable = GetParam().mergeable;
    o.event_idx = GetParam().event_idx;
    return o;
  }
  static ModelOptions model() {
    ModelOptions o;
    o.event_idx_kicks = GetParam().event_idx;
    return o;
  }
  /// The largest frame that the ring's buffers can hold.
  static std::size_t largest() {
    if (!GetParam().mergeable) return 9'014;
    return std::min<std::size_t>(9'014,
                                 std::size_t{GetParam().ring} * GetParam().buffer_bytes - 12);
  }
  DriverRig rig{options(), model()};
};

TEST_P(Traffic, ReceivedFramesReachTheTapWholeAndInOrder) {
  ASSERT_TRUE(rig.up());
  std::mt19937 random(11);
  std::vector<Frame> frames;
  for (unsigned i = 0; i < 1'000; ++i) {
    const std::size_t most =
        random() % 10 == 0 ? largest() : std::min<std::size_t>(largest(), 1'514);
    frames.push_back(make_frame(14 + random() % (most - 13), i));
    rig.timeline.at(rig.timeline.now() + microseconds{i * (random() % 3)},
                    [this, frame = frames.back()] { rig.device.receive(frame); });
  }
  rig.timeline.run();
  // Frames that were scheduled at random times arrive in the order of those.
  ASSERT_EQ(rig.tap.frames.size(), frames.size());
  std::sort(frames.begin(), frames.end());
  std::vector<Frame> got = rig.tap.frames;
  std::sort(got.begin(), got.end());
  EXPECT_TRUE(got == frames) << "byte for byte";
  for (std::size_t i = 0; i < rig.tap.ids.size(); ++i) ASSERT_EQ(rig.tap.ids[i], i + 1);
  EXPECT_EQ(rig.device.waiting(), 0U);
  EXPECT_EQ(rig.driver.netdev().stats.rx_packets, frames.size());
  EXPECT_EQ(rig.driver.netdev().stats.rx_dropped, 0U);
  EXPECT_LE(rig.kernel.irq().count(1), 1'000U);
  rig.down();
  rig.expect_nothing_held();
}

TEST_P(Traffic, SentPacketsReachTheWireWholeAndInOrder) {
  ASSERT_TRUE(rig.up());
  std::mt19937 random(12);
  std::vector<Frame> frames;
  rig.in_process([&] {
    for (unsigned i = 0; i < 1'000; ++i) {
      const std::size_t size = 14 + random() % (random() % 10 == 0 ? 9'000 : 1'500);
      frames.push_back(make_frame(size, i));
      net::skb_ptr skb =
          rig.packet(size, i, random() % 3 == 0 ? 64 : 2'048, 600 + random() % 3'000);
      // Half of them shared with somebody, so that their headroom cannot be used.
      net::skb_ptr clone = random() % 2 == 0 ? net::skb_clone(*skb) : nullptr;
      skb->dev = &rig.driver.netdev();
      while (rig.net.skbs().live() > 200) rig.kernel.usleep(microseconds{50});
      net::dev_queue_xmit(std::move(skb));
      if (clone) net::consume_skb(std::move(clone));
    }
  });
  ASSERT_EQ(rig.sent.size(), frames.size());
  for (std::size_t i = 0; i < frames.size(); ++i) ASSERT_TRUE(rig.sent[i] == frames[i]) << i;
  for (std::uint64_t i = 0; i < frames.size(); ++i) {
    ASSERT_EQ(rig.device.sent_frames().at(i), kFirstHostFrame + i) << "named for the trace";
  }
  EXPECT_EQ(rig.tap.outgoing, frames.size());
  rig.down();
  EXPECT_EQ(rig.driver.netdev().stats.tx_packets, frames.size());
  EXPECT_EQ(rig.driver.netdev().stats.tx_dropped, 0U);
  rig.expect_nothing_held();
}

TEST_P(Traffic, BothWaysAtOnce) {
  ASSERT_TRUE(rig.up());
  constexpr unsigned kFrames = 2'000;
  for (unsigned i = 0; i < kFrames; ++i) {
    rig.timeline.after(microseconds{i / 2},
                       [this, i] { rig.device.receive(make_frame(60 + i % 100, i)); });
  }
  rig.in_process([&] {
    for (unsigned i = 0; i < kFrames; ++i) {
      net::skb_ptr skb = rig.packet(60 + i % 200, i, 2'048, 1);
      skb->dev = &rig.driver.netdev();
      while (rig.net.skbs().live() > 300) rig.kernel.usleep(microseconds{50});
      net::dev_queue_xmit(std::move(skb));
    }
  });
  EXPECT_EQ(rig.tap.frames.size(), kFrames);
  EXPECT_EQ(rig.sent.size(), kFrames);
  rig.down();
  rig.expect_nothing_held();
}

INSTANTIATE_TEST_SUITE_P(Rings, Traffic,
                         ::testing::Values(Case{"usual", 256, 1'536, 0, true, true},
                                           Case{"without_event_index", 256, 1'536, 0, true, false},
                                           Case{"one_buffer_a_frame", 64, 1'536, 0, false, true},
                                           Case{"small_buffers", 256, 64, 0, true, true},
                                           Case{"odd_places", 37, 333, 13, true, true},
                                           Case{"one_slot", 1, 2'000, 1, true, true},
                                           Case{"one_slot_without_event_index", 1, 2'000, 0, true,
                                                false},
                                           Case{"two_slots", 2, 1'536, 63, true, true},
                                           Case{"three_slots", 3, 5'000, 0, true, false}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Transmit, AFullRingStopsTheQueueAndTheInterruptWakesIt) {
  driver::Options options;
  options.tx_ring = 32;
  ModelOptions model;
  model.work_delay = microseconds{20};
  DriverRig rig(options, model);
  ASSERT_TRUE(rig.up());
  bool stopped = false;
  rig.in_process([&] {
    for (unsigned i = 0; i < 200; ++i) {
      net::skb_ptr skb = rig.packet(100, i, 2'048, 1);
      skb->dev = &rig.driver.netdev();
      net::dev_queue_xmit(std::move(skb));
      stopped = stopped || netif_queue_stopped(rig.driver.netdev());
    }
  });
  EXPECT_TRUE(stopped);
  EXPECT_EQ(rig.sent.size(), 200U);
  EXPECT_FALSE(netif_queue_stopped(rig.driver.netdev()));
  EXPECT_GT(rig.kernel.irq().count(2), 0U);
  EXPECT_LT(rig.kernel.irq().count(2), 60U) << "not one for each packet";
}

TEST(Receive, KicksAreSuppressedWhileTheDeviceRuns) {
  DriverRig rig;
  ASSERT_TRUE(rig.up());
  for (unsigned i = 0; i < 2'000; ++i) {
    rig.timeline.after(std::chrono::nanoseconds{500} * i,
                       [&rig, i] { rig.device.receive(make_frame(60, i)); });
  }
  rig.timeline.run();
  EXPECT_EQ(rig.tap.frames.size(), 2'000U);
  EXPECT_LT(rig.device.counter(regs::kCounterDoorbells), 20U);
  EXPECT_LT(rig.kernel.irq().count(1), 1'000U);
}

TEST(Receive, RunningOutOfMemoryIsTriedAgain) {
  DriverRig rig;
  ASSERT_TRUE(rig.up());
  // Takes all pages, then lets traffic use up the ring.
  std::vector<kernel::page*> taken;
  while (kernel::page* const p = rig.kernel.memory().alloc_pages(0)) taken.push_back(p);
  for (unsigned i = 0; i < 600; ++i) {
    rig.timeline.after(microseconds{i}, [&rig, i] { rig.device.receive(make_frame(60, i)); });
  }
  rig.timeline.run_until(rig.timeline.now() + std::chrono::milliseconds{50});
  EXPECT_LT(rig.tap.frames.size(), 600U);
  EXPECT_GT(rig.driver.receive_stats().refill_failures, 0U);
  for (kernel::page* p : taken) rig.kernel.memory().put_page(p);
  rig.timeline.run();
  EXPECT_EQ(rig.tap.frames.size() + rig.driver.netdev().stats.rx_dropped, 600U);
  EXPECT_EQ(rig.device.waiting(), 0U);
}

TEST(Receive, ARunIsDecidedByItsInputs) {
  const auto run = [] {
    struct Hash : TraceSink {
      void on_event(const TraceEvent& e) override {
        for (const std::uint64_t v :
             {static_cast<std::uint64_t>(e.time.count()),
              std::uint64_t{static_cast<std::uint16_t>(e.point)}, std::uint64_t{e.frame}, e.arg}) {
          value = (value ^ v) * 0x100'0000'01B3;
        }
        ++events;
      }
      std::uint64_t value = 0xCBF2'9CE4'8422'2325;
      std::uint64_t events = 0;
    } hash;
    DriverRig rig;
    rig.trace.add(hash);
    EXPECT_TRUE(rig.up());
    for (unsigned i = 0; i < 300; ++i) {
      rig.timeline.after(microseconds{i}, [&rig, i] { rig.device.receive(make_frame(60 + i, i)); });
    }
    rig.timeline.run();
    EXPECT_GT(hash.events, 1'000U);
    return hash.value;
  };
  EXPECT_EQ(run(), run());
}

}  // namespace
}  // namespace nicroscope::test
