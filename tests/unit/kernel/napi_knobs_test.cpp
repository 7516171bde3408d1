// SPDX-License-Identifier: Apache-2.0
// NAPI's later knobs: threaded, deferred interrupts, busy polling; and its states in the trace.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "nicroscope/host_points.h"
#include "stack/kernel/lock/lockdep.h"
#include "tests/unit/kernel/polled_queue.h"

namespace nicroscope::test {
namespace {

using kernel::Cost;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// ---- threaded

TEST(NapiThreaded, AKernelThreadPolls) {
  Rig rig(only({}));
  PolledQueue queue(rig);
  rig.kernel.napi().napi_set_threaded(queue.napi, true, "napi/eth0-1");
  queue.arrive(150);
  rig.timeline.run();
  EXPECT_EQ(queue.delivered, 150);
  EXPECT_EQ(queue.pollers, (std::vector<std::string>(3, "napi/eth0-1")));
  EXPECT_EQ(rig.kernel.cpu().softirq_counts()[3], 0U) << "no NET_RX softirq";
  EXPECT_EQ(queue.interrupts, 1U);
  EXPECT_EQ(rig.kernel.cpu().time().system, Duration{microseconds{150}});
  rig.kernel.napi().napi_set_threaded(queue.napi, false, "");
  queue.pollers.clear();
  queue.arrive(1);
  rig.timeline.run();
  EXPECT_EQ(queue.pollers, (std::vector<std::string>{"softirq"}));
}

TEST(NapiThreaded, ItSharesTheCpuWithProcesses) {
  for (const bool threaded : {false, true}) {
    Rig rig(only({}));
    PolledQueue queue(rig);
    if (threaded) rig.kernel.napi().napi_set_threaded(queue.napi, true, "napi/eth0-1");
    rig.kernel.spawn("hog", [&] { rig.kernel.spend(milliseconds{100}); });
    queue.arrive(1'000'000);
    rig.timeline.run_until(milliseconds{24});
    const Duration user = rig.kernel.cpu().time().user;
    EXPECT_GE(user, Duration{milliseconds{9}}) << threaded;
    EXPECT_LE(user, Duration{milliseconds{15}}) << threaded;
    rig.kernel.shutdown();
  }
}

// ---- deferred interrupts

TEST(NapiDeferred, ATimerPollsInThePlaceOfInterrupts) {
  Rig rig(only({}));
  PolledQueue queue(rig, Duration::zero());
  queue.napi.defer_hard_irqs = 2;
  queue.napi.gro_flush_timeout = microseconds{20};
  for (int i = 0; i < 10; ++i) queue.arrive_at(microseconds{1 + 15 * i}, 1);
  rig.timeline.run();
  EXPECT_EQ(queue.delivered, 10);
  EXPECT_EQ(queue.interrupts, 1U) << "the rest were found by the timer";
  EXPECT_EQ(queue.delivered_at, Time{microseconds{141}}) << "7 periods of 20 us from 1 us on";
  EXPECT_TRUE(queue.interrupts_on);
  EXPECT_EQ(queue.pollers.size(), 10U) << "one, 7 with packets, and 2 without";
}

TEST(NapiDeferred, WithoutATimeoutItHasNoEffect) {
  Rig rig(only({}));
  PolledQueue queue(rig, Duration::zero());
  queue.napi.defer_hard_irqs = 2;
  for (int i = 0; i < 5; ++i) queue.arrive_at(microseconds{1 + 15 * i}, 1);
  rig.timeline.run();
  EXPECT_EQ(queue.interrupts, 5U);
}

TEST(NapiDeferred, DisableStopsTheTimer) {
  Rig rig(only({}));
  PolledQueue queue(rig, Duration::zero());
  queue.napi.defer_hard_irqs = 100;
  queue.napi.gro_flush_timeout = microseconds{20};
  queue.arrive(1);
  rig.timeline.run_until(microseconds{50});
  rig.kernel.spawn("ifdown", [&] { rig.kernel.napi().napi_disable(queue.napi); });
  rig.timeline.run();
  EXPECT_LT(rig.kernel.now(), Time{microseconds{200}}) << "nothing runs any more";
}

// ---- busy polling

TEST(NapiBusyPoll, AProcessPollsWithoutInterrupts) {
  Rig rig(only({{Cost::cpu_relax, nanoseconds{100}}}));
  PolledQueue queue(rig);
  for (int i = 0; i < 5; ++i) queue.arrive_at(microseconds{10 + 10 * i}, 1);
  rig.kernel.spawn("reader",
                   [&] {
                     rig.kernel.napi().napi_busy_loop(queue.napi.napi_id,
                                                      [&] { return queue.delivered == 4; });
                   },
                   {.kthread = true});
  rig.timeline.run();
  EXPECT_EQ(queue.delivered, 5);
  EXPECT_EQ(queue.interrupts, 2U) << "for the first, as they were on, and for the last, when "
                                     "nobody polled any more";
  EXPECT_EQ(queue.pollers.front(), "reader");
  EXPECT_EQ(queue.pollers.back(), "softirq");
}

TEST(NapiBusyPoll, ItTakesEightPacketsATurnAndLooksOnceWithoutACondition) {
  Rig rig(only({}));
  PolledQueue queue(rig);
  queue.interrupts_on = false;
  queue.packets = 20;
  rig.kernel.spawn("reader",
                   [&] { rig.kernel.napi().napi_busy_loop(queue.napi.napi_id, nullptr); });
  rig.timeline.run_until(nanoseconds{15'500});
  EXPECT_EQ(queue.pollers.size(), 2U) << "a turn, and the last look before it stops";
  EXPECT_EQ(queue.delivered, 16);
  rig.timeline.run();
  EXPECT_EQ(queue.pollers.size(), 3U);
  EXPECT_EQ(queue.delivered, 20) << "the softirq takes the rest";
}

TEST(NapiBusyPoll, WhatTheSoftirqPollsTheProcessLeavesAlone) {
  Rig rig([] {
    kernel::Config config = only({{Cost::cpu_relax, nanoseconds{100}}});
    config.cpus = 2;
    return config;
  }());
  PolledQueue queue(rig);
  queue.arrive(40);
  rig.kernel.spawn("reader",
                   [&] {
                     rig.kernel.napi().napi_busy_loop(queue.napi.napi_id,
                                                      [&] { return queue.delivered == 40; });
                   },
                   {.cpu = 1});
  rig.timeline.run();
  EXPECT_EQ(queue.pollers[0], "softirq");
  EXPECT_EQ(queue.delivered, 40);
  EXPECT_TRUE(queue.interrupts_on);
}

TEST(NapiBusyPoll, PreferredItKeepsInterruptsOffWhileTheProcessComesAgain) {
  Rig rig(only({{Cost::cpu_relax, nanoseconds{100}}}));
  PolledQueue queue(rig, Duration::zero());
  queue.napi.defer_hard_irqs = 1;
  queue.napi.gro_flush_timeout = microseconds{100};
  for (int i = 0; i < 20; ++i) queue.arrive_at(microseconds{10 * i}, 1);
  rig.kernel.spawn("reader", [&] {
    for (int i = 0; i < 10; ++i) {
      rig.kernel.napi().napi_busy_loop(queue.napi.napi_id, nullptr, true);
      rig.kernel.usleep(microseconds{20});
    }
  });
  rig.timeline.run();
  EXPECT_EQ(queue.delivered, 20);
  EXPECT_EQ(queue.interrupts, 1U) << "the first packet's, before the process began";
}

TEST(NapiBusyPoll, ADisabledInstanceIsLetGo) {
  Rig rig([] {
    kernel::Config config = only({{Cost::cpu_relax, nanoseconds{100}}});
    config.cpus = 2;
    return config;
  }());
  PolledQueue queue(rig);
  bool through = false;
  Time disabled{};
  rig.kernel.spawn("reader",
                   [&] {
                     rig.kernel.napi().napi_busy_loop(queue.napi.napi_id, [] { return false; });
                     through = true;
                   },
                   {.cpu = 1});
  rig.timeline.at(microseconds{50}, [&] {
    rig.kernel.spawn("ifdown",
                     [&] {
                       rig.kernel.napi().napi_disable(queue.napi);
                       disabled = rig.kernel.now();
                     },
                     {.cpu = 0});
  });
  rig.timeline.run_until(milliseconds{1});
  EXPECT_TRUE(through);
  EXPECT_LE(disabled, Time{microseconds{80}});
  EXPECT_NE(disabled, Time{});
}

// ---- the trace

TEST(NapiState, EachTransitionIsAnEvent) {
  struct Sink : TraceSink {
    void on_event(const TraceEvent& e) override {
      if (e.point == point::napi_state) states.push_back(static_cast<unsigned>(e.arg >> 16U));
    }
    std::vector<unsigned> states;
  } sink;
  constexpr unsigned kSched = 1;
  constexpr unsigned kMissed = 2;
  constexpr unsigned kDisable = 4;
  Rig rig(only({}));
  rig.trace.add(sink);
  PolledQueue queue(rig);
  queue.arrive(1);
  rig.timeline.run_until(nanoseconds{500});
  rig.kernel.napi().napi_schedule(queue.napi);
  rig.timeline.run();
  rig.kernel.spawn("ifdown", [&] { rig.kernel.napi().napi_disable(queue.napi); });
  rig.timeline.run();
  EXPECT_EQ(sink.states, (std::vector<unsigned>{0, kSched, kSched | kMissed, kSched, 0, kDisable}));
}

}  // namespace
}  // namespace nicroscope::test
