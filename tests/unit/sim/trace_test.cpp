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

using ::testing::HasSubstr;

struct Keep final : TraceSink {
  void on_event(const TraceEvent& event) override { events.push_back(event); }
  std::vector<TraceEvent> events;
};

struct Traced {
  EventQueue timeline;
  TraceBus bus{timeline};
  RtlTrace trace{bus, 1};
  std::array<std::uint32_t, regs::kNumTracePoints> tags{};

  void rtl(Time time, unsigned point, std::uint32_t tag) {
    tags[point] = tag;
    trace.on_events(time, 1U << point, tags.data());
  }
};

TEST(RtlTrace, FramesKeepTheirIdsThroughTheDevice) {
  Traced traced;
  Keep keep;
  traced.bus.add(keep);
  traced.rtl(Time{10}, regs::kTraceMacRxStart, 1);
  traced.rtl(Time{20}, regs::kTraceMacRxStart, 2);
  traced.rtl(Time{30}, regs::kTraceRxUsed, 2);  // the first one was dropped
  EXPECT_EQ(traced.trace.received_frame(0, 0), 2U);
  EXPECT_EQ(traced.trace.received_frame(0, 1), kNoFrame);
  traced.trace.transmitted_frame(0, 0, kFirstHostFrame);
  traced.trace.transmitted_frame(0, 1, kFirstHostFrame + 1);
  traced.rtl(Time{40}, regs::kTraceTxDescriptor, 1);
  traced.rtl(Time{50}, regs::kTraceMacTxStart, 2);
  EXPECT_EQ(traced.trace.take_sent(), kFirstHostFrame + 1);
  EXPECT_EQ(traced.trace.take_sent(), kNoFrame);
  ASSERT_EQ(keep.events.size(), 5U);
  EXPECT_EQ(keep.events[2].frame, 2U);
  EXPECT_EQ(keep.events[3].frame, kFirstHostFrame);
  EXPECT_EQ(keep.events[4].time, Time{50});
}

TEST(RtlTrace, CountsStayRightWhileNobodyWatches) {
  Traced traced;
  traced.rtl(Time{10}, regs::kTraceRxUsed, 7);
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
  EXPECT_THAT(stages, ::testing::ElementsAre("MacRxStart", "RxVisible", "Msix", "hardirq_enter",
                                             "softirq_enter", "napi_poll", "eth_type_trans",
                                             "udp_rcv", "sock_def_readable", "process_wake",
                                             "process_run", "sys_recvfrom_return"));
  EXPECT_EQ(counts.count(point::hardirq_enter), 2U);
  const std::string table = life_table(life.events(), Clock(156'250));
  EXPECT_THAT(table, HasSubstr("sys_recvfrom_return"));
}

}  // namespace
}  // namespace nicroscope::sim
