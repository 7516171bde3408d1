// SPDX-License-Identifier: Apache-2.0
// NAPI's later knobs: threaded, deferred interrupts, busy polling; and its states in the trace.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "nicroscope/host_points.h"
#include "stack/kernel/lock/lockdep.h"
#include "tests/support/rig.h"

namespace nicroscope::test {
namespace {

using kernel::Cost;
using kernel::irqreturn_t;
using kernel::napi_struct;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr unsigned kVector = 1;

/// A queue with packets, one CPU's interrupt, and a note of who polled how many.
struct Queue {
  explicit Queue(Rig& r, Duration cost = microseconds{1}) : rig(r), packet_cost(cost) {
    napi.poll = [this](int budget) { return poll(budget); };
    EXPECT_TRUE(rig.kernel.irq().request_irq(kVector, "dev", [this](unsigned) {
      ++interrupts;
      interrupts_on = false;
      rig.kernel.napi().napi_schedule(napi);
      return irqreturn_t::IRQ_HANDLED;
    }));
    rig.kernel.napi().napi_enable(napi);
  }
  void arrive(int n) {
    packets += n;
    if (interrupts_on) rig.kernel.irq().raise(kVector);
  }
  void arrive_at(Duration when, int n) {
    rig.timeline.at(when, [this, n] { arrive(n); });
  }
  int poll(int budget) {
    const kernel::Task* const task = rig.kernel.cpu().current();
    pollers.push_back(task == nullptr ? "softirq" : task->name());
    EXPECT_TRUE(rig.kernel.cpu().in_softirq());
    int done = 0;
    for (; done < budget && packets > 0; ++done) {
      --packets;
      ++delivered;
      delivered_at = rig.kernel.now();
      rig.kernel.spend(packet_cost);
    }
    if (done < budget && rig.kernel.napi().napi_complete_done(napi, done)) {
      interrupts_on = true;
      if (packets > 0) arrive(0);
    }
    return done;
  }

  Rig& rig;
  Duration packet_cost;
  napi_struct napi;
  bool interrupts_on = true;
  unsigned interrupts = 0;
  int packets = 0;
  int delivered = 0;
  Time delivered_at{};
  std::vector<std::string> pollers;
};

// ---- threaded

TEST(NapiThreaded, AKernelThreadPolls) {
  Rig rig(only({}));
  Queue queue(rig);
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
    Queue queue(rig);
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
  Queue queue(rig, Duration::zero());
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
  Queue queue(rig, Duration::zero());
  queue.napi.defer_hard_irqs = 2;
  for (int i = 0; i < 5; ++i) queue.arrive_at(microseconds{1 + 15 * i}, 1);
  rig.timeline.run();
  EXPECT_EQ(queue.interrupts, 5U);
}

TEST(NapiDeferred, DisableStopsTheTimer) {
  Rig rig(only({}));
  Queue queue(rig, Duration::zero());
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
  Queue queue(rig);
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
  Queue queue(rig);
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
  Queue queue(rig);
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
  Queue queue(rig, Duration::zero());
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
  Queue queue(rig);
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
  Queue queue(rig);
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
