// SPDX-License-Identifier: Apache-2.0
// Which process has which CPU, and for how long.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/rig.h"

namespace nicroscope::test {
namespace {

using kernel::Cost;
using kernel::irqreturn_t;
using kernel::Tick;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

kernel::Config with(unsigned cpus, Tick tick = Tick::none, kernel::Config config = only({})) {
  config.cpus = cpus;
  config.tick = tick;
  return config;
}

TEST(Sched, ALongRunIsPreemptedAtTheEndOfItsShare) {
  Rig rig(only({{Cost::context_switch, microseconds{1}}}));
  Time other{};
  Time end{};
  rig.kernel.spawn("hog", [&] {
    rig.kernel.spend(milliseconds{10});
    end = rig.kernel.now();
  });
  rig.timeline.at(milliseconds{1}, [&] {
    rig.kernel.spawn("other", [&] {
      other = rig.kernel.now();
      rig.kernel.spend(milliseconds{1});
    });
  });
  rig.timeline.run();
  EXPECT_EQ(other, Time{milliseconds{3} + microseconds{1}});
  EXPECT_EQ(end, Time{milliseconds{11} + microseconds{3}});
  const kernel::CpuTime time = rig.kernel.cpu().time();
  EXPECT_EQ(time.user, Duration{milliseconds{11}});
  EXPECT_EQ(time.system, Duration{microseconds{3}}) << "three switches";
  EXPECT_EQ(rig.kernel.cpu().context_switches(), 3U);
}

TEST(Sched, AProcessThatWakesUpPreemptsAHog) {
  Rig rig(only({}));
  std::vector<Time> woken;
  rig.kernel.spawn("sleeper", [&] {
    for (int i = 0; i < 3; ++i) {
      rig.kernel.usleep(microseconds{2500});
      woken.push_back(rig.kernel.now());
    }
  });
  rig.kernel.spawn("hog", [&] { rig.kernel.spend(milliseconds{20}); });
  rig.timeline.run();
  EXPECT_EQ(woken, (std::vector<Time>{microseconds{2500}, microseconds{5000}, microseconds{7500}}));
}

TEST(Sched, TheKernelIsNotPreempted) {
  Rig rig(only({}));
  Time other{};
  rig.kernel.spawn("caller", [&] {
    const kernel::SystemCall call(rig.kernel);
    rig.kernel.spend(milliseconds{20});
  });
  rig.kernel.spawn("other", [&] { other = rig.kernel.now(); });
  rig.timeline.run();
  EXPECT_EQ(other, Time{milliseconds{20}});
}

TEST(Sched, ALoopOfSystemCallsIsPreemptedBetweenTwo) {
  Rig rig(only({}));
  Time other{};
  rig.kernel.spawn("caller", [&] {
    for (int i = 0; i < 100; ++i) {
      const kernel::SystemCall call(rig.kernel);
      rig.kernel.spend(microseconds{100});
    }
  });
  rig.kernel.spawn("other", [&] { other = rig.kernel.now(); });
  rig.timeline.run();
  EXPECT_EQ(other, Time{milliseconds{3}});
}

TEST(Sched, NiceTasksHaveLess) {
  Rig rig(only({}));
  for (const int nice : {0, 5}) {
    rig.kernel.spawn("hog" + std::to_string(nice), [&] { rig.kernel.spend(milliseconds{400}); },
                     {.nice = nice});
  }
  rig.timeline.run_until(milliseconds{400});
  // Weights 1024 and 335: the first has 75 % of the processor and is not through.
  EXPECT_FALSE(rig.kernel.cpu().idle());
  rig.timeline.run_until(milliseconds{530});
  EXPECT_EQ(rig.kernel.cpu().nr_waiting(), 1U);
  rig.timeline.run_until(milliseconds{536});
  EXPECT_EQ(rig.kernel.cpu().nr_waiting(), 0U) << "400 ms of 75.3 % are through after 531 ms";
}

TEST(Sched, ARealTimeTaskPreemptsAtOnceAndIsNotPreempted) {
  Rig rig(only({}));
  std::string order;
  rig.kernel.spawn("hog", [&] {
    rig.kernel.spend(milliseconds{5});
    order += "hog ";
  });
  rig.timeline.at(microseconds{100}, [&] {
    rig.kernel.spawn("rt",
                     [&] {
                       EXPECT_EQ(rig.kernel.now(), Time{microseconds{100}});
                       rig.kernel.spend(milliseconds{20});
                       order += "rt ";
                     },
                     {.rt_priority = 50});
  });
  rig.timeline.run();
  EXPECT_EQ(order, "rt hog ");
}

TEST(Sched, ProcessesStartOnIdleCpusAndAnIdleCpuTakesOneOver) {
  Rig rig(with(2));
  std::vector<unsigned> cpus(4);
  std::vector<Time> ends(4);
  for (std::size_t i = 0; i < 4; ++i) {
    rig.kernel.spawn("p" + std::to_string(i), [&, i] {
      rig.kernel.spend(milliseconds{i == 3 ? 7 : 1});
      cpus[i] = rig.kernel.cpu().id();
      ends[i] = rig.kernel.now();
    });
  }
  rig.timeline.run();
  EXPECT_EQ(cpus, (std::vector<unsigned>{0, 1, 0, 1}));
  EXPECT_EQ(ends[3], Time{milliseconds{8}});
}

TEST(Sched, ASleeperWakesOnItsCpuOrElseOnAnIdleOne) {
  Rig rig(with(3));
  std::vector<unsigned> cpus;
  kernel::Task& task = rig.kernel.spawn("sleeper",
                                        [&] {
                                          for (int i = 0; i < 3; ++i) {
                                            rig.kernel.cpu().block();
                                            cpus.push_back(rig.kernel.cpu().id());
                                          }
                                        },
                                        {.cpus_allowed = 0b101});
  const auto hog_and_wake = [&](unsigned cpu) {
    rig.kernel.spawn("hog", [&] { rig.kernel.spend(milliseconds{1}); }, {.cpu = cpu});
    EXPECT_TRUE(rig.kernel.wake_up_process(task));
  };
  rig.timeline.at(milliseconds{1}, [&] { EXPECT_TRUE(rig.kernel.wake_up_process(task)); });
  rig.timeline.at(milliseconds{10}, [&] { hog_and_wake(0); });
  rig.timeline.at(milliseconds{20}, [&] { hog_and_wake(2); });
  rig.timeline.run();
  EXPECT_EQ(cpus, (std::vector<unsigned>{0, 2, 0})) << "never CPU 1, which it may not use";
}

TEST(Sched, APinnedProcessStays) {
  Rig rig(with(2));
  Time end{};
  rig.kernel.spawn("hog", [&] { rig.kernel.spend(milliseconds{3}); }, {.cpu = 1});
  rig.kernel.spawn("pinned",
                   [&] {
                     rig.kernel.spend(milliseconds{3});
                     end = rig.kernel.now();
                   },
                   {.cpu = 1});
  rig.timeline.run();
  EXPECT_EQ(end, Time{milliseconds{6}});
  EXPECT_EQ(rig.kernel.cpu(0).time().busy(), Duration::zero());
}

TEST(Sched, AWakeUpWhileATimeOutIsArmedIsNotLost) {
  Rig rig(only({{Cost::mod_timer, microseconds{10}}}));
  kernel::WaitQueue queue(rig.kernel);
  bool ready = false;
  Time woken{};
  ASSERT_TRUE(rig.kernel.irq().request_irq(1, "dev", [&](unsigned) {
    ready = true;
    queue.wake_up();
    return irqreturn_t::IRQ_HANDLED;
  }));
  rig.kernel.spawn("p", [&] {
    EXPECT_TRUE(queue.wait_event_timeout([&] { return ready; }, milliseconds{100}));
    woken = rig.kernel.now();
  });
  rig.timeline.at(microseconds{5}, [&] { rig.kernel.irq().raise(1); });
  rig.timeline.run_until(milliseconds{50});
  EXPECT_EQ(woken, Time{microseconds{10}});
}

// ---- the tick

TEST(Sched, APeriodicTickCostsEachCpuEachJiffy) {
  auto config = only({{Cost::scheduler_tick, microseconds{2}},
                      {Cost::irq_entry, microseconds{1}},
                      {Cost::irq_exit, microseconds{1}}});
  config.hz = 1000;
  Rig rig(with(2, Tick::periodic, config));
  rig.timeline.run_until(milliseconds{100} + microseconds{10});
  for (const unsigned cpu : {0U, 1U}) {
    EXPECT_EQ(rig.kernel.irq().count(kernel::IrqTable::kLocalTimer, cpu), 100U);
    EXPECT_EQ(rig.kernel.cpu(cpu).time().hardirq, Duration{microseconds{400}});
  }
}

TEST(Sched, WithoutATickInIdleOnlyABusyCpuHasOne) {
  Rig rig(with(2, Tick::nohz));
  rig.timeline.at(milliseconds{21}, [&] {
    rig.kernel.spawn("p", [&] { rig.kernel.spend(milliseconds{20}); }, {.cpu = 1});
  });
  rig.timeline.run();
  EXPECT_TRUE(rig.timeline.empty());
  EXPECT_EQ(rig.kernel.irq().count(kernel::IrqTable::kLocalTimer, 0), 0U);
  EXPECT_EQ(rig.kernel.irq().count(kernel::IrqTable::kLocalTimer, 1), 5U) << "24, 28 ... 40 ms";
}

TEST(Sched, WithATickTheShareEndsAtATick) {
  auto config = only({});
  config.hz = 1000;
  Rig rig(with(1, Tick::nohz, config));
  Time other{};
  rig.timeline.at(microseconds{300}, [&] {
    rig.kernel.spawn("hog", [&] { rig.kernel.spend(milliseconds{20}); });
    rig.kernel.spawn("other", [&] { other = rig.kernel.now(); });
  });
  rig.timeline.run();
  EXPECT_EQ(other, Time{milliseconds{4}}) << "3 ms of share end at 3.3 ms";
}

TEST(Sched, ProcStatHasALineACpu) {
  Rig rig(with(2));
  rig.kernel.spawn("p", [&] { rig.kernel.spend(milliseconds{70}); }, {.cpu = 1});
  rig.timeline.run_until(milliseconds{100});
  EXPECT_EQ(rig.kernel.proc_stat(),
            "cpu  7 0 0 13 0 0 0 0 0 0\n"
            "cpu0 0 0 0 10 0 0 0 0 0 0\n"
            "cpu1 7 0 0 3 0 0 0 0 0 0\n");
}

TEST(Sched, TimeIncludesWhatIsBeingSpent) {
  Rig rig(only({}));
  rig.kernel.spawn("p", [&] { rig.kernel.spend(milliseconds{2}); });
  rig.timeline.run_until(milliseconds{1});
  EXPECT_EQ(rig.kernel.cpu().time().user, Duration{milliseconds{1}});
  EXPECT_EQ(rig.kernel.cpu().time().idle, Duration::zero());
}

}  // namespace
}  // namespace nicroscope::test
