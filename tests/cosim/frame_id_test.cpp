// SPDX-License-Identifier: Apache-2.0
// Ids follow frames through the RTL and the driver, whichever queues they take.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <vector>

#include "tests/cosim/driver_rig.h"
#include "tests/golden/frame_builder.h"

namespace nicroscope::test {
namespace {

using golden::Bytes;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

Bytes udp_frame(unsigned flow, unsigned number) {
  golden::Recipe recipe;
  recipe.flow = flow;
  recipe.protocol = golden::kUdp;
  recipe.payload_bytes = 18 + number % 50;
  recipe.payload_seed = number;
  return golden::build(recipe);
}

/// What the RTL said of each frame, by trace point.
struct Told final : TraceSink {
  void on_event(const TraceEvent& event) override {
    const auto point = static_cast<unsigned>(event.point);
    if (point < regs::kNumTracePoints && event.frame != kNoFrame) {
      events[point][event.frame].push_back(event);
    }
  }
  [[nodiscard]] const TraceEvent* only(unsigned point, FrameId frame) const {
    const auto& of_point = events[point];
    const auto found = of_point.find(frame);
    return found != of_point.end() && found->second.size() == 1 ? &found->second.front() : nullptr;
  }
  /// Frames that share a moment with another one of the point.
  [[nodiscard]] std::size_t together(unsigned point) const {
    std::map<Time, std::size_t> at;
    for (const auto& [frame, list] : events[point]) ++at[list.front().time];
    std::size_t sum = 0;
    for (const auto& [time, count] : at) sum += count > 1 ? count : 0;
    return sum;
  }
  std::map<FrameId, std::vector<TraceEvent>> events[regs::kNumTracePoints];
};

class FrameIds : public ::testing::TestWithParam<const char*> {
 protected:
  FrameIds() : rig(GetParam(), {}, pairs()) {
    rig.in_process([&] { EXPECT_TRUE(net::dev_disable_lro(rig.dev())); });
    rig.trace().add(told);
  }
  ~FrameIds() override { rig.trace().remove(told); }
  static unsigned pairs() { return std::string(GetParam()) == "edge10" ? 1 : 4; }

  /// Every packet that the stack saw has the id under which these bytes came over the wire, and the
  /// RTL's events of that id tell its way, once each, in order, to the queue that it was found in.
  void expect_received_ids() {
    std::set<FrameId> ids;
    std::set<unsigned> queues;
    for (const NicRig::Seen& seen : rig.seen) {
      ASSERT_TRUE(rig.came.contains(seen.frame)) << seen.frame;
      EXPECT_TRUE(rig.came[seen.frame] == seen.bytes) << seen.frame;
      EXPECT_TRUE(ids.insert(seen.frame).second) << seen.frame;
      queues.insert(seen.queue);
      const TraceEvent* last = nullptr;
      for (const unsigned point :
           {regs::kTraceRxStart, regs::kTraceRxStored, regs::kTraceRxDescriptor,
            regs::kTraceRxQueue, regs::kTraceRxUsed, regs::kTraceRxVisible}) {
        const TraceEvent* event = told.only(point, seen.frame);
        ASSERT_NE(event, nullptr) << regs::kTracePoints[point].name << " of " << seen.frame;
        if (last != nullptr) {
          EXPECT_GE(event->time, last->time);
        }
        if (point == regs::kTraceRxQueue) {
          EXPECT_EQ(event->arg, 2U * seen.queue);
        }
        last = event;
      }
    }
    EXPECT_EQ(queues.size(), pairs());
  }

  NicRig rig;
  Told told;
};

TEST_P(FrameIds, AreThoseOfTheReceivedFrames) {
  for (unsigned i = 0; i < 240; ++i) rig.receive(udp_frame(i % 40, i));
  rig.run_for(milliseconds{2});
  EXPECT_EQ(rig.seen.size(), 240U);
  expect_received_ids();
  // Where a write holds several used elements, each of its frames is told of.
  if (pairs() > 1) {
    EXPECT_GT(told.together(regs::kTraceRxVisible), 10U);
  }
}

TEST_P(FrameIds, OutliveQueuesThatChange) {
  for (unsigned i = 0; i < 1'200; ++i) rig.receive(udp_frame(i % 40, i), nanoseconds{900} * i);
  rig.in_process([&] {
    constexpr std::uint16_t kSizes[] = {64, 256};
    for (const std::uint16_t size : kSizes) {
      rig.host().usleep(microseconds{250});
      EXPECT_EQ(rig.driver().set_ringparam(size, size), "");
      if (pairs() == 1) continue;
      EXPECT_EQ(rig.driver().set_channels(2), "");
      rig.host().usleep(microseconds{100});
      EXPECT_EQ(rig.driver().set_channels(4), "");
    }
  });
  rig.run_for(milliseconds{3});
  EXPECT_GT(rig.seen.size(), 900U);
  expect_received_ids();
}

TEST_P(FrameIds, AreThoseOfTheSentFrames) {
  std::map<FrameId, Bytes> given;
  for (unsigned round = 0; round < 2; ++round) {
    // A sender on each CPU, and so on each queue.
    for (unsigned cpu = 0; cpu < pairs(); ++cpu) {
      kernel::TaskOptions options;
      options.cpu = cpu;
      rig.host().spawn(
          "sender",
          [&, cpu, round] {
            for (unsigned i = 0; i < 60; ++i) {
              const unsigned number = 1000 * round + 100 * cpu + i;
              Bytes frame = udp_frame(cpu, number);
              if (frame.size() < golden::kLeastFrame) frame.resize(golden::kLeastFrame);
              const auto size = static_cast<std::uint32_t>(frame.size());
              net::skb_ptr skb = net::netdev_alloc_skb(rig.dev(), size);
              std::memcpy(net::skb_put(*skb, size), frame.data(), size);
              skb->frame = kFirstHostFrame + 7'000 + number;
              given[skb->frame] = std::move(frame);
              (void)net::dev_queue_xmit(std::move(skb));
            }
          },
          options);
    }
    rig.run_for(milliseconds{2});
    // A ring that is made anew counts its chains anew.
    rig.in_process([&] { EXPECT_EQ(rig.driver().set_ringparam(256, 64), ""); });
  }
  ASSERT_EQ(rig.sent.size(), 120U * pairs());
  std::set<std::uint64_t> queues;
  for (std::size_t i = 0; i < rig.sent.size(); ++i) {
    const FrameId id = rig.sent_ids[i];
    ASSERT_TRUE(given.contains(id)) << id;
    EXPECT_TRUE(given[id] == rig.sent[i]) << id;
    for (const unsigned point : {regs::kTraceTxDescriptor, regs::kTraceTxQueue, regs::kTraceTxStart,
                                 regs::kTraceTxUsed, regs::kTraceTxVisible}) {
      const TraceEvent* event = told.only(point, id);
      ASSERT_NE(event, nullptr) << regs::kTracePoints[point].name << " of " << id;
      if (point == regs::kTraceTxQueue) queues.insert(event->arg);
    }
    given.erase(id);
  }
  EXPECT_EQ(queues.size(), pairs());
}

INSTANTIATE_TEST_SUITE_P(Profiles, FrameIds, ::testing::Values("edge10", "dc25"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace nicroscope::test
