// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "nicroscope/host_points.h"
#include "sim/nic/rtl_trace.h"
#include "sim/time/event_queue.h"
#include "sim/trace/count_sink.h"
#include "sim/trace/hash_sink.h"
#include "sim/trace/life_sink.h"
#include "sim/trace/point_name.h"

namespace nicroscope::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Keep final : TraceSink {
  void on_event(const TraceEvent& event) override { events.push_back(event); }
  std::vector<TraceEvent> events;
};

struct Traced {
  explicit Traced(unsigned pairs = 1) : trace(bus, pairs) { tags.fill(999); }

  EventQueue timeline;
  TraceBus bus{timeline};
  RtlTrace trace;
  std::array<std::uint32_t, regs::kNumTracePoints> tags{};

  void rtl(Time time, unsigned point, std::uint32_t tag) {
    tags[point] = tag;
    trace.on_events(time, 1U << point, tags.data());
  }
  void rtl(Time time, unsigned point, std::uint32_t tag, unsigned queue_point, unsigned queue) {
    tags[point] = tag;
    tags[queue_point] = queue;
    trace.on_events(time, 1U << point | 1U << queue_point, tags.data());
  }
  void written(Time time, std::uint32_t tag, unsigned pair) {
    rtl(time, regs::kTraceRxWritten, tag, regs::kTraceRxQueue, 2 * pair);
  }
  void taken(Time time, std::uint32_t tag, unsigned pair) {
    rtl(time, regs::kTraceTxDescriptor, tag, regs::kTraceTxQueue, 2 * pair + 1);
  }
};

/// The frames of a point's events, in order.
std::vector<FrameId> frames_of(const Keep& keep, unsigned point) {
  std::vector<FrameId> frames;
  for (const TraceEvent& event : keep.events) {
    if (event.point == rtl_point(point)) frames.push_back(event.frame);
  }
  return frames;
}

TEST(RtlTrace, FramesKeepTheirIdsThroughTheDevice) {
  Traced traced;
  Keep keep;
  traced.bus.add(keep);
  traced.rtl(Time{10}, regs::kTraceMacRxStart, 1);
  traced.rtl(Time{20}, regs::kTraceMacRxStart, 2);
  traced.written(Time{30}, 2, 0);  // the first one was dropped
  EXPECT_EQ(traced.trace.received_frame(0, 0), 2U);
  EXPECT_EQ(traced.trace.received_frame(0, 1), kNoFrame);
  EXPECT_EQ(traced.trace.received_frame(1, 0), kNoFrame);
  traced.trace.transmitted_frame(0, 0, kFirstHostFrame);
  traced.trace.transmitted_frame(0, 1, kFirstHostFrame + 1);
  traced.taken(Time{40}, 1, 0);
  traced.taken(Time{45}, 2, 0);
  traced.rtl(Time{50}, regs::kTraceMacTxStart, 2);
  EXPECT_EQ(traced.trace.take_sent(), kFirstHostFrame + 1);
  EXPECT_EQ(traced.trace.take_sent(), kNoFrame);
  EXPECT_THAT(frames_of(keep, regs::kTraceRxQueue), ElementsAre(2U));
  EXPECT_THAT(frames_of(keep, regs::kTraceTxDescriptor),
              ElementsAre(kFirstHostFrame, kFirstHostFrame + 1));
  EXPECT_EQ(keep.events.back().time, Time{50});
}

TEST(RtlTrace, EveryQueueHasItsOwnOrder) {
  Traced traced(3);
  traced.written(Time{10}, 1, 2);
  traced.written(Time{20}, 2, 0);
  traced.written(Time{30}, 3, 2);
  EXPECT_EQ(traced.trace.received_frame(0, 0), 2U);
  EXPECT_EQ(traced.trace.received_frame(1, 0), kNoFrame);
  EXPECT_EQ(traced.trace.received_frame(2, 0), 1U);
  EXPECT_EQ(traced.trace.received_frame(2, 1), 3U);
  // A buffer that comes back unused takes a place, too.
  traced.rtl(Time{40}, regs::kTraceRxQueue, 4);
  traced.written(Time{50}, 5, 2);
  EXPECT_EQ(traced.trace.received_frame(2, 2), kNoFrame);
  EXPECT_EQ(traced.trace.received_frame(2, 3), 5U);
  // Chains are numbered over all queues.
  traced.trace.transmitted_frame(2, 0, kFirstHostFrame + 20);
  traced.trace.transmitted_frame(1, 0, kFirstHostFrame + 10);
  traced.trace.transmitted_frame(2, 1, kFirstHostFrame + 21);
  traced.taken(Time{60}, 1, 2);
  traced.taken(Time{70}, 2, 1);
  traced.taken(Time{80}, 3, 2);
  EXPECT_EQ(traced.trace.transmitted_id(1), kFirstHostFrame + 20);
  EXPECT_EQ(traced.trace.transmitted_id(2), kFirstHostFrame + 10);
  EXPECT_EQ(traced.trace.transmitted_id(3), kFirstHostFrame + 21);
  // A queue that is enabled anew begins anew, and only that one.
  traced.trace.enabled(4);
  traced.trace.enabled(5);
  traced.trace.transmitted_frame(2, 0, kFirstHostFrame + 30);
  traced.taken(Time{90}, 4, 2);
  traced.written(Time{90}, 6, 2);
  EXPECT_EQ(traced.trace.transmitted_id(4), kFirstHostFrame + 30);
  EXPECT_EQ(traced.trace.received_frame(2, 0), 6U);
  EXPECT_EQ(traced.trace.received_frame(0, 0), 2U);
}

TEST(RtlTrace, AWriteOfSeveralElementsTellsOfEach) {
  Traced traced(2);
  Keep keep;
  traced.bus.add(keep);
  for (const std::uint32_t tag : {1, 2, 3}) traced.written(Time{10 * tag}, tag, 0);
  traced.written(Time{40}, 4, 1);
  traced.rtl(Time{50}, regs::kTraceRxUsed, 3);
  traced.rtl(Time{60}, regs::kTraceRxUsed, 4);
  EXPECT_THAT(frames_of(keep, regs::kTraceRxUsed), ElementsAre(1U, 2U, 3U, 4U));
  traced.rtl(Time{70}, regs::kTraceRxVisible, 3);
  EXPECT_THAT(frames_of(keep, regs::kTraceRxVisible), ElementsAre(1U, 2U, 3U));
  EXPECT_EQ(keep.events.back().time, Time{70});
  traced.rtl(Time{80}, regs::kTraceRxVisible, 4);
  EXPECT_THAT(frames_of(keep, regs::kTraceRxVisible), ElementsAre(1U, 2U, 3U, 4U));
  // A write that failed is never told of as visible; a chain that was given up, as written.
  traced.written(Time{90}, 5, 0);
  traced.written(Time{90}, 6, 1);
  traced.rtl(Time{100}, regs::kTraceRxUsed, 5);
  traced.rtl(Time{100}, regs::kTraceRxUsed, 6);
  traced.rtl(Time{110}, regs::kTraceRxVisible, 6);
  EXPECT_EQ(frames_of(keep, regs::kTraceRxVisible).back(), 6U);
  EXPECT_EQ(frames_of(keep, regs::kTraceRxVisible).size(), 5U);
  traced.taken(Time{120}, 1, 0);
  traced.trace.transmitted_frame(1, 0, kFirstHostFrame);
  traced.taken(Time{130}, 2, 1);
  traced.rtl(Time{140}, regs::kTraceTxUsed, 2);
  EXPECT_THAT(frames_of(keep, regs::kTraceTxUsed), ElementsAre(kFirstHostFrame));
}

TEST(RtlTrace, CountsStayRightWhileNobodyWatches) {
  Traced traced;
  traced.written(Time{10}, 7, 0);
  EXPECT_EQ(traced.trace.received_frame(0, 0), 7U);
  traced.trace.restart();
  EXPECT_EQ(traced.trace.received_frame(0, 0), kNoFrame);
}

TEST(HashSink, EverythingCounts) {
  const auto hash = [](Time time, TracePoint point, FrameId frame, std::uint64_t arg) {
    HashSink sink;
    sink.on_event({time, point, frame, arg});
    return sink.value();
  };
  const std::uint64_t one = hash(Time{1}, TracePoint{2}, 3, 4);
  EXPECT_EQ(one, hash(Time{1}, TracePoint{2}, 3, 4));
  EXPECT_NE(one, hash(Time{2}, TracePoint{2}, 3, 4));
  EXPECT_NE(one, hash(Time{1}, TracePoint{3}, 3, 4));
  EXPECT_NE(one, hash(Time{1}, TracePoint{2}, 4, 4));
  EXPECT_NE(one, hash(Time{1}, TracePoint{2}, 3, 5));
  std::vector<std::byte> bytes(61);
  HashSink a;
  a.on_frame({WireDirection::to_nic, 1, bytes, Time{1}, Time{2}, true});
  bytes[60] = std::byte{1};
  HashSink b;
  b.on_frame({WireDirection::to_nic, 1, bytes, Time{1}, Time{2}, true});
  EXPECT_NE(a.value(), b.value());
}

TEST(LifeSink, FollowsOneFrameThroughTheInterruptToItsProcess) {
  LifeSink life(5);
  CountSink counts;
  std::int64_t time = 0;
  const auto emit = [&](TracePoint point, FrameId frame) {
    const TraceEvent event{Time{time += 6400}, point, frame, 0};
    life.on_event(event);
    counts.on_event(event);
  };
  emit(rtl_point(regs::kTraceMacRxStart), 4);
  emit(rtl_point(regs::kTraceMacRxStart), 5);
  emit(point::hardirq_enter, kNoFrame);  // before the frame is visible: of another
  emit(rtl_point(regs::kTraceRxVisible), 5);
  emit(rtl_point(regs::kTraceMsix), kNoFrame);
  emit(point::hardirq_enter, kNoFrame);
  emit(point::softirq_enter, kNoFrame);
  emit(point::napi_poll, kNoFrame);
  emit(point::eth_type_trans, 4);
  emit(point::eth_type_trans, 5);
  emit(point::udp_rcv, 5);
  emit(point::sock_def_readable, 5);
  emit(point::process_wake, kNoFrame);
  emit(point::process_run, kNoFrame);
  emit(point::sys_recvfrom_return, kNoFrame);
  emit(point::process_run, kNoFrame);
  std::vector<std::string> stages;
  for (const TraceEvent& event : life.events()) {
    stages.emplace_back(point_name(event.point).name);
  }
  EXPECT_THAT(stages,
              ElementsAre("MacRxStart", "RxVisible", "Msix", "hardirq_enter", "softirq_enter",
                          "napi_poll", "eth_type_trans", "udp_rcv", "sock_def_readable",
                          "process_wake", "process_run", "sys_recvfrom_return"));
  EXPECT_EQ(counts.count(point::hardirq_enter), 2U);
  const std::string table = life_table(life.events(), Clock(156'250));
  EXPECT_THAT(table, HasSubstr("sys_recvfrom_return"));
}

}  // namespace
}  // namespace nicroscope::sim
