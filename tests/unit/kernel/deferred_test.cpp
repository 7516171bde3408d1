// SPDX-License-Identifier: Apache-2.0
// Tasklets, workqueues, kernel threads and completions.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "stack/kernel/deferred/completion.h"
#include "stack/kernel/deferred/kthread.h"
#include "stack/kernel/deferred/tasklet.h"
#include "stack/kernel/deferred/workqueue.h"
#include "tests/support/rig.h"

namespace nicroscope::test {
namespace {

using kernel::Cost;
using kernel::delayed_work;
using kernel::irqreturn_t;
using kernel::tasklet_struct;
using kernel::work_struct;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

kernel::Config on(unsigned cpus, kernel::Config config = only({})) {
  config.cpus = cpus;
  return config;
}

// ---- tasklets

TEST(Tasklet, RunsOnceForEachScheduling) {
  Rig rig(only({}));
  int runs = 0;
  tasklet_struct tasklet(rig.kernel, [&] {
    EXPECT_TRUE(rig.kernel.cpu().in_serving_softirq());
    if (++runs == 1) rig.kernel.tasklets().tasklet_schedule(tasklet);
  });
  ASSERT_TRUE(rig.kernel.irq().request_irq(1, "dev", [&](unsigned) {
    rig.kernel.tasklets().tasklet_schedule(tasklet);
    rig.kernel.tasklets().tasklet_schedule(tasklet);
    return irqreturn_t::IRQ_HANDLED;
  }));
  rig.kernel.irq().raise(1);
  rig.timeline.run();
  EXPECT_EQ(runs, 2) << "the two before it ran are one, the one while it ran another";
  EXPECT_EQ(rig.kernel.cpu().softirq_counts()[6], 2U);
}

TEST(Tasklet, HighOnesRunBeforeEverySoftirq) {
  Rig rig(only({}));
  std::string order;
  tasklet_struct normal(rig.kernel, [&] { order += "normal "; });
  tasklet_struct high(rig.kernel, [&] { order += "high "; });
  rig.kernel.open_softirq(kernel::Softirq::net_rx, [&] { order += "rx "; });
  ASSERT_TRUE(rig.kernel.irq().request_irq(1, "dev", [&](unsigned) {
    rig.kernel.tasklets().tasklet_schedule(normal);
    rig.kernel.raise_softirq(kernel::Softirq::net_rx);
    rig.kernel.tasklets().tasklet_hi_schedule(high);
    return irqreturn_t::IRQ_HANDLED;
  }));
  rig.kernel.irq().raise(1);
  rig.timeline.run();
  EXPECT_EQ(order, "high rx normal ");
}

TEST(Tasklet, NeverRunsOnTwoCpusAtATime) {
  Rig rig(on(2));
  std::string order;
  tasklet_struct tasklet(rig.kernel, [&] {
    order += std::to_string(rig.kernel.cpu().id()) + "(";
    rig.kernel.spend(microseconds{10});
    order += ")";
  });
  for (const unsigned cpu : {0U, 1U}) {
    ASSERT_TRUE(rig.kernel.irq().request_irq(
        cpu, "dev",
        [&](unsigned) {
          rig.kernel.tasklets().tasklet_schedule(tasklet);
          return irqreturn_t::IRQ_HANDLED;
        },
        cpu));
    rig.timeline.at(microseconds{cpu}, [&, cpu] { rig.kernel.irq().raise(cpu); });
  }
  rig.timeline.run();
  EXPECT_EQ(order, "0()1()");
  EXPECT_EQ(rig.kernel.now(), Time{microseconds{20}});
  EXPECT_EQ(rig.kernel.cpu(1).time().softirq, Duration{microseconds{19}}) << "it waited there";
}

TEST(Tasklet, DisabledItWaitsAndKilledItIsOver) {
  Rig rig(only({}));
  int runs = 0;
  tasklet_struct tasklet(rig.kernel, [&] {
    ++runs;
    rig.kernel.spend(microseconds{5});
  });
  auto& tasklets = rig.kernel.tasklets();
  tasklets.tasklet_disable(tasklet);
  tasklets.tasklet_schedule(tasklet);
  rig.timeline.run();
  EXPECT_EQ(runs, 0);
  Time killed{};
  rig.kernel.spawn("p", [&] {
    tasklets.tasklet_enable(tasklet);
    tasklets.tasklet_kill(tasklet);
    killed = rig.kernel.now();
  });
  rig.timeline.run();
  EXPECT_EQ(runs, 1);
  EXPECT_GE(killed, Time{microseconds{5}});
}

// ---- workqueues

TEST(Workqueue, WorkRunsInAKworkerWhereItMayBlock) {
  Rig rig(on(2));
  std::string names;
  work_struct work([&] {
    names += rig.kernel.cpu().current()->name();
    rig.kernel.usleep(microseconds{10});
  });
  ASSERT_TRUE(rig.kernel.irq().request_irq(
      1, "dev",
      [&](unsigned) {
        EXPECT_TRUE(rig.kernel.workqueues().schedule_work(work));
        EXPECT_FALSE(rig.kernel.workqueues().schedule_work(work)) << "pending already";
        return irqreturn_t::IRQ_HANDLED;
      },
      1));
  rig.kernel.irq().raise(1);
  rig.timeline.run();
  EXPECT_EQ(names, "kworker/1:0");
  EXPECT_EQ(rig.kernel.cpu(1).time().user, Duration::zero());
}

TEST(Workqueue, WorkQueuedWhileItRunsRunsAgainAfterwards) {
  Rig rig(on(2));
  std::string order;
  std::unique_ptr<work_struct> work;
  work = std::make_unique<work_struct>([&] {
    order += "(";
    rig.kernel.usleep(microseconds{10});
    order += ")";
  });
  rig.kernel.workqueues().schedule_work_on(0, *work);
  rig.timeline.at(microseconds{5},
                  [&] { EXPECT_TRUE(rig.kernel.workqueues().schedule_work_on(1, *work)); });
  rig.timeline.run();
  EXPECT_EQ(order, "()()") << "not on two CPUs at a time";
  EXPECT_EQ(rig.kernel.workqueues().workers(1), 0U);
}

TEST(Workqueue, WhenAWorkerBlocksAnotherGoesOn) {
  Rig rig(only({}));
  std::string order;
  work_struct slow([&] {
    order += "slow( ";
    rig.kernel.usleep(microseconds{100});
    order += ") ";
  });
  work_struct quick([&] { order += "quick "; });
  rig.kernel.workqueues().schedule_work(slow);
  rig.kernel.workqueues().schedule_work(quick);
  rig.timeline.run();
  EXPECT_EQ(order, "slow( quick ) ");
  EXPECT_EQ(rig.kernel.workqueues().workers(0), 2U);
  rig.kernel.workqueues().schedule_work(quick);
  rig.kernel.workqueues().schedule_work(slow);
  rig.timeline.run();
  EXPECT_EQ(rig.kernel.workqueues().workers(0), 2U) << "they are there already";
}

TEST(Workqueue, WorkThatKeepsTheCpuKeepsItsWorker) {
  Rig rig(only({}));
  std::string order;
  work_struct first([&] {
    rig.kernel.spend(milliseconds{20});
    order += "first ";
  });
  work_struct second([&] { order += "second "; });
  rig.kernel.workqueues().schedule_work(first);
  rig.kernel.workqueues().schedule_work(second);
  rig.timeline.run();
  EXPECT_EQ(order, "first second ");
  EXPECT_EQ(rig.kernel.workqueues().workers(0), 1U);
}

TEST(Workqueue, DelayedWorkWaitsAndCanBeMovedAndCancelled) {
  Rig rig(only({}));
  std::vector<Time> ran;
  delayed_work work(rig.kernel, [&] { ran.push_back(rig.kernel.now()); });
  auto& queues = rig.kernel.workqueues();
  EXPECT_TRUE(queues.schedule_delayed_work(work, milliseconds{8}));
  EXPECT_FALSE(queues.schedule_delayed_work(work, milliseconds{20}));
  rig.timeline.run();
  EXPECT_EQ(ran, (std::vector<Time>{milliseconds{8}}));
  EXPECT_FALSE(queues.mod_delayed_work(work, milliseconds{8}));
  EXPECT_TRUE(queues.mod_delayed_work(work, milliseconds{40}));
  rig.timeline.run();
  EXPECT_EQ(ran.back(), Time{milliseconds{48}});
  bool was_pending = false;
  queues.schedule_delayed_work(work, milliseconds{8});
  rig.kernel.spawn("p", [&] { was_pending = queues.cancel_delayed_work_sync(work); });
  rig.timeline.run();
  EXPECT_TRUE(was_pending);
  EXPECT_EQ(ran.size(), 2U);
}

TEST(Workqueue, CancelAndFlushWaitForTheEnd) {
  Rig rig(on(2));
  work_struct work([&] { rig.kernel.usleep(microseconds{100}); });
  auto& queues = rig.kernel.workqueues();
  Time cancelled{};
  Time flushed{};
  queues.schedule_work_on(0, work);
  rig.timeline.at(microseconds{10}, [&] {
    rig.kernel.spawn("p",
                     [&] {
                       EXPECT_FALSE(queues.cancel_work_sync(work));
                       cancelled = rig.kernel.now();
                       queues.schedule_work(work);
                       queues.flush_work(work);
                       flushed = rig.kernel.now();
                       EXPECT_FALSE(work.work_pending());
                     },
                     {.cpu = 1});
  });
  rig.timeline.run();
  EXPECT_EQ(cancelled, Time{microseconds{100}});
  EXPECT_EQ(flushed, Time{microseconds{200}});
}

// ---- kernel threads and completions

TEST(Kthread, StopsWhenAskedAndIsWaitedFor) {
  Rig rig(on(2));
  unsigned rounds = 0;
  Time stopped{};
  kernel::kthread thread(rig.kernel, "worker",
                         [&](kernel::kthread& self) {
                           while (!self.kthread_should_stop()) {
                             ++rounds;
                             rig.kernel.usleep(microseconds{10});
                           }
                           rig.kernel.spend(microseconds{3});
                         },
                         {.cpu = 1});
  rig.timeline.at(microseconds{35}, [&] {
    rig.kernel.spawn("rmmod", [&] {
      thread.kthread_stop();
      stopped = rig.kernel.now();
    });
  });
  rig.timeline.run();
  EXPECT_EQ(rounds, 4U);
  EXPECT_EQ(stopped, Time{microseconds{43}});
  EXPECT_TRUE(thread.task().exited());
  EXPECT_EQ(rig.kernel.cpu(1).time().system, Duration{microseconds{3}});
}

TEST(Completion, EachCompleteLetsOneGoOnAndAllLetsAll) {
  Rig rig(only({}));
  kernel::completion done(rig.kernel);
  int through = 0;
  bool timed_out = false;
  for (int i = 0; i < 3; ++i) {
    rig.kernel.spawn("p", [&] {
      done.wait_for_completion();
      ++through;
    });
  }
  rig.timeline.at(microseconds{1}, [&] { done.complete(); });
  rig.timeline.run();
  EXPECT_EQ(through, 1);
  rig.kernel.spawn("q", [&] { timed_out = !done.wait_for_completion_timeout(milliseconds{10}); });
  rig.timeline.run();
  EXPECT_TRUE(timed_out);
  done.complete_all();
  rig.timeline.run();
  EXPECT_EQ(through, 3);
  EXPECT_TRUE(done.completion_done());
}

}  // namespace
}  // namespace nicroscope::test
