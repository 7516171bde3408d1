// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "nicroscope/host_points.h"
#include "tests/support/rig.h"

namespace nicroscope::test {
namespace {

using kernel::Cost;
using kernel::SystemCall;
using kernel::WaitQueue;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

TEST(Task, ProcessesRunInTheOrderInWhichTheyBecameRunnable) {
  Rig rig(only({{Cost::context_switch, nanoseconds{10}}}));
  std::string order;
  for (const char* name : {"a", "b", "c"}) {
    rig.kernel.spawn(name, [&order, &rig, name] {
      order += name;
      rig.kernel.spend(nanoseconds{100});
    });
  }
  rig.timeline.run();
  EXPECT_EQ(order, "abc");
  EXPECT_EQ(rig.kernel.now(), Time{nanoseconds{330}});
}

TEST(Task, WaitersWakeFirstComeFirst) {
  Rig rig(only({{Cost::try_to_wake_up, nanoseconds{5}}}));
  WaitQueue queue(rig.kernel);
  std::string order;
  int tokens = 0;
  for (const char* name : {"a", "b"}) {
    rig.kernel.spawn(name, [&, name] {
      const SystemCall call(rig.kernel);
      queue.wait_event([&] { return tokens > 0; });
      --tokens;
      order += name;
    });
  }
  rig.kernel.spawn("waker", [&] {
    ++tokens;
    queue.wake_up();
    ++tokens;
    queue.wake_up();
    queue.wake_up();  // nobody
  });
  rig.timeline.run();
  EXPECT_EQ(order, "ab");
  EXPECT_EQ(rig.kernel.now(), Time{nanoseconds{10}});
}

TEST(Task, AWakeUpNamesItsFrameInTheTrace) {
  struct Sink : TraceSink {
    void on_event(const TraceEvent& e) override {
      if (e.point == point::process_wake) wake = e;
      if (e.point == point::process_run) run = e;
    }
    TraceEvent wake{};
    TraceEvent run{};
  } sink;
  Rig rig;
  rig.trace.add(sink);
  WaitQueue queue(rig.kernel);
  bool ready = false;
  kernel::Task& task = rig.kernel.spawn("p", [&] { queue.wait_event([&] { return ready; }); });
  rig.timeline.run();
  ready = true;
  queue.wake_up(77);
  rig.timeline.run();
  EXPECT_EQ(sink.wake.frame, 77U);
  EXPECT_EQ(sink.wake.arg, task.pid());
  EXPECT_EQ(sink.run.frame, 77U);
  EXPECT_EQ(sink.run.arg, task.pid());
  EXPECT_GT(sink.run.time, sink.wake.time);
  EXPECT_TRUE(task.exited());
}

TEST(Task, WaitingWithTimeout) {
  Rig rig(only({}));
  WaitQueue queue(rig.kernel);
  bool ready = false;
  bool timed_out_result = true;
  Time timed_out_at{};
  bool woken_result = false;
  rig.kernel.spawn("p", [&] {
    timed_out_result = queue.wait_event_timeout([&] { return ready; }, milliseconds{10});
    timed_out_at = rig.kernel.now();
    woken_result = queue.wait_event_timeout([&] { return ready; }, milliseconds{10});
  });
  rig.timeline.at(milliseconds{18}, [&] {
    ready = true;
    queue.wake_up();
  });
  rig.timeline.run_until(milliseconds{19});
  EXPECT_FALSE(timed_out_result);
  EXPECT_EQ(timed_out_at, Time{milliseconds{16}}) << "10 ms is 3 jiffies of 4 ms, and one begun";
  EXPECT_TRUE(woken_result);
  EXPECT_FALSE(queue.active());
}

TEST(Task, SleepsLastAtLeastAsLongAsAsked) {
  Rig rig(only({}));
  Time slept{};
  Time dozed{};
  rig.kernel.spawn("p", [&] {
    rig.kernel.spend(microseconds{100});
    rig.kernel.msleep(milliseconds{20});
    slept = rig.kernel.now();
    rig.kernel.usleep(microseconds{50});
    dozed = rig.kernel.now();
  });
  rig.timeline.run();
  EXPECT_EQ(slept, Time{milliseconds{24}});
  EXPECT_EQ(dozed, Time{milliseconds{24} + microseconds{50}});
}

TEST(Task, ASystemCallCrossesBothWays) {
  Rig rig(only({{Cost::syscall_entry, nanoseconds{70}}, {Cost::syscall_exit, nanoseconds{30}}}));
  rig.kernel.spawn("p", [&] {
    const SystemCall call(rig.kernel);
    rig.kernel.spend(nanoseconds{100});
  });
  rig.timeline.run();
  EXPECT_EQ(rig.kernel.now(), Time{nanoseconds{200}});
  EXPECT_EQ(rig.kernel.cpu().time().system, Duration{nanoseconds{200}});
}

TEST(Task, UserCodeSharesTheProcessorByTimeSlices) {
  Rig rig(only({}));
  std::string order;
  for (const char* name : {"a", "b"}) {
    rig.kernel.spawn(name, [&, name] {
      for (int i = 0; i < 6; ++i) {
        rig.kernel.spend(milliseconds{1});
        order += name;
      }
    });
  }
  rig.timeline.run();
  EXPECT_EQ(order, "aabbaaabbbab");
}

using TaskDeathTest = ::testing::Test;

TEST(TaskDeathTest, SleepingInASoftirqIsABug) {
  Rig rig;
  rig.kernel.open_softirq(kernel::Softirq::tasklet, [&] { rig.kernel.msleep(milliseconds{1}); });
  rig.kernel.raise_softirq(kernel::Softirq::tasklet);
  EXPECT_DEATH(rig.timeline.run(), "sleeping in an interrupt");
}

}  // namespace
}  // namespace nicroscope::test
