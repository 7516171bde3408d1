// SPDX-License-Identifier: Apache-2.0
// Spinlocks and mutexes: who waits how long; and what the checker says beyond the table.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "stack/kernel/lock/lockdep.h"
#include "stack/kernel/lock/mutex.h"
#include "stack/kernel/lock/spinlock.h"
#include "tests/support/rig.h"

namespace nicroscope::test {
namespace {

using kernel::Cost;
using kernel::irqreturn_t;
using kernel::mutex_guard;
using kernel::spin_guard;
using kernel::spinlock_t;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

struct LockTest : ::testing::Test {
  explicit LockTest(unsigned cpus = 4) : rig(config(cpus)) {}
  static kernel::Config config(unsigned cpus) {
    kernel::Config config =
        only({{Cost::spin_lock, nanoseconds{10}}, {Cost::spin_lock_handover, nanoseconds{70}}});
    config.cpus = cpus;
    return config;
  }
  void on(unsigned cpu, std::function<void()> body) {
    rig.kernel.spawn("p" + std::to_string(cpu), std::move(body), {.cpu = cpu, .kthread = true});
  }
  [[nodiscard]] const std::vector<std::string>& errors() { return rig.kernel.lockdep().errors(); }
  [[nodiscard]] std::string only_error() {
    EXPECT_EQ(errors().size(), 1U);
    return errors().empty() ? "" : errors().front();
  }

  Rig rig;
};

TEST_F(LockTest, WaitersSpinAndAreServedInTheOrderOfComing) {
  spinlock_t lock(rig.kernel, "lock");
  std::vector<std::pair<unsigned, Time>> entered;
  for (const unsigned cpu : {0U, 2U, 1U, 3U}) {
    const Time when{nanoseconds{cpu == 0 ? 0 : cpu == 2 ? 100 : cpu == 1 ? 200 : 300}};
    rig.timeline.at(when, [&, cpu] {
      on(cpu, [&, cpu] {
        const spin_guard guard(lock);
        entered.emplace_back(cpu, rig.kernel.now());
        rig.kernel.spend(microseconds{1});
      });
    });
  }
  rig.timeline.run();
  const std::vector<std::pair<unsigned, Time>> expected{
      {0, nanoseconds{10}}, {2, nanoseconds{1080}}, {1, nanoseconds{2150}}, {3, nanoseconds{3220}}};
  EXPECT_EQ(entered, expected);
  EXPECT_EQ(lock.acquisitions(), 4U);
  EXPECT_EQ(lock.contentions(), 3U);
  EXPECT_EQ(lock.spun(), Duration{nanoseconds{900 + 1870 + 2840}});
  EXPECT_EQ(rig.kernel.cpu(1).time().system, Duration{nanoseconds{10 + 1870 + 70 + 1000}})
      << "spinning is the CPU's time";
  EXPECT_FALSE(lock.is_locked());
  EXPECT_TRUE(errors().empty());
}

TEST_F(LockTest, WhoSpinsTakesInterruptsUnlessTheyAreOff) {
  spinlock_t lock(rig.kernel, "lock");
  spinlock_t irq_lock(rig.kernel, "irq_lock");
  std::vector<Time> handled;
  ASSERT_TRUE(rig.kernel.irq().request_irq(
      1, "dev",
      [&](unsigned) {
        handled.push_back(rig.kernel.now());
        return irqreturn_t::IRQ_HANDLED;
      },
      1));
  on(0, [&] {
    {
      const spin_guard guard(lock);
      rig.kernel.spend(microseconds{1});
    }
    const kernel::spin_guard_irqsave guard(irq_lock);
    rig.kernel.spend(microseconds{1});
  });
  on(1, [&] {
    rig.kernel.spend(nanoseconds{100});
    { const spin_guard guard(lock); }
    rig.kernel.spend(nanoseconds{100});
    const kernel::spin_guard_irqsave guard(irq_lock);
  });
  rig.timeline.at(nanoseconds{500}, [&] { rig.kernel.irq().raise(1); });
  rig.timeline.at(nanoseconds{1500}, [&] { rig.kernel.irq().raise(1); });
  rig.timeline.run();
  EXPECT_EQ(handled, (std::vector<Time>{nanoseconds{500}, nanoseconds{2090}}));
}

TEST_F(LockTest, TrylockDoesNotWait) {
  spinlock_t lock(rig.kernel, "lock");
  std::vector<bool> got;
  on(0, [&] {
    const spin_guard guard(lock);
    rig.kernel.spend(microseconds{1});
  });
  on(1, [&] {
    rig.kernel.spend(nanoseconds{100});
    got.push_back(spin_trylock(lock));
    rig.kernel.spend(microseconds{1});
    got.push_back(spin_trylock(lock));
    if (got.back()) spin_unlock(lock);
  });
  rig.timeline.run();
  EXPECT_EQ(got, (std::vector<bool>{false, true}));
  EXPECT_TRUE(errors().empty());
}

TEST_F(LockTest, AHolderIsNotPreempted) {
  spinlock_t lock(rig.kernel, "lock");
  Time other{};
  rig.kernel.spawn("user",
                   [&] {
                     const spin_guard guard(lock);
                     rig.kernel.spend(milliseconds{10});
                   },
                   {.cpu = 0});
  rig.kernel.spawn("other", [&] { other = rig.kernel.now(); }, {.cpu = 0});
  rig.timeline.run();
  EXPECT_EQ(other, Time{milliseconds{10} + nanoseconds{10}});
}

TEST_F(LockTest, AMutexPutsItsWaitersToSleepFirstComeFirstServed) {
  kernel::mutex lock(rig.kernel, "mutex");
  std::string order;
  for (const unsigned cpu : {0U, 1U, 2U}) {
    rig.timeline.at(nanoseconds{100 * cpu}, [&, cpu] {
      on(cpu, [&, cpu] {
        const mutex_guard guard(lock);
        order += std::to_string(cpu) + "(";
        rig.kernel.usleep(microseconds{10});
        order += ")";
      });
    });
  }
  rig.timeline.run();
  EXPECT_EQ(order, "0()1()2()");
  EXPECT_EQ(lock.contentions(), 2U);
  EXPECT_EQ(rig.kernel.cpu(1).time().busy(), Duration::zero()) << "nobody spun";
  EXPECT_TRUE(errors().empty());
}

// ---- the checker

TEST_F(LockTest, SleepingWithASpinlockIsRecorded) {
  spinlock_t lock(rig.kernel, "lock");
  Time woken{};
  on(0, [&] {
    const spin_guard guard(lock);
    rig.kernel.usleep(microseconds{10});
    woken = rig.kernel.now();
  });
  rig.timeline.run();
  EXPECT_EQ(only_error().substr(0, 35), "scheduling while atomic: process p0");
  EXPECT_GT(woken, Time{microseconds{10}}) << "and the run goes on";
}

TEST_F(LockTest, SleepingWithInterruptsOrSoftirqsOffIsRecorded) {
  on(0, [&] {
    const bool flags = rig.kernel.cpu().local_irq_save();
    rig.kernel.usleep(microseconds{10});
    EXPECT_TRUE(rig.kernel.cpu().irqs_disabled());
    rig.kernel.cpu().local_irq_restore(flags);
  });
  on(1, [&] {
    rig.kernel.cpu().local_bh_disable();
    rig.kernel.usleep(microseconds{10});
    EXPECT_TRUE(rig.kernel.cpu().in_softirq());
    rig.kernel.cpu().local_bh_enable();
  });
  rig.timeline.run();
  EXPECT_EQ(errors().size(), 2U);
}

TEST_F(LockTest, ASleepingMutexInAnInterruptIsRecorded) {
  kernel::mutex lock(rig.kernel, "mutex");
  ASSERT_TRUE(rig.kernel.irq().request_irq(1, "dev", [&](unsigned) {
    const mutex_guard guard(lock);
    return irqreturn_t::IRQ_HANDLED;
  }));
  rig.kernel.irq().raise(1);
  rig.timeline.run();
  EXPECT_EQ(only_error(),
            "sleeping function called from invalid context: hard interrupt 1 calls mutex_lock");
}

TEST_F(LockTest, TakingALockTwiceIsRecordedAndNotWaitedFor) {
  spinlock_t lock(rig.kernel, "lock");
  bool through = false;
  on(0, [&] {
    const spin_guard outer(lock);
    const spin_guard inner(lock);
    through = true;
  });
  rig.timeline.run();
  EXPECT_TRUE(through);
  EXPECT_EQ(only_error(), "recursive locking: process 5 takes lock, which it holds");
  EXPECT_FALSE(lock.is_locked());
}

TEST_F(LockTest, TwoOrdersOfTwoLocksAreRecordedBeforeTheyMeet) {
  spinlock_t a(rig.kernel, "a");
  spinlock_t b(rig.kernel, "b");
  spinlock_t c(rig.kernel, "c");
  on(0, [&] {
    {
      const spin_guard first(a);
      const spin_guard second(b);
    }
    {
      const spin_guard first(b);
      const spin_guard second(c);
    }
    EXPECT_TRUE(errors().empty());
    {
      const spin_guard first(c);
      const spin_guard second(a);
    }
  });
  rig.timeline.run();
  EXPECT_EQ(only_error(),
            "circular locking dependency: process 5 takes a with c held; they were taken in the "
            "other order before");
}

TEST_F(LockTest, GivingBackWhatOneDoesNotHoldIsRecorded) {
  spinlock_t lock(rig.kernel, "lock");
  on(0, [&] {
    rig.kernel.cpu().preempt_disable();
    spin_unlock(lock);
  });
  rig.timeline.run();
  EXPECT_EQ(only_error(), "bad unlock balance: process 5 gives back lock, which it does not hold");
}

TEST_F(LockTest, ALockHeldAtTheEndOfAHandlerOrSystemCallIsRecorded) {
  spinlock_t lock(rig.kernel, "lock");
  on(0, [&] {
    const kernel::SystemCall call(rig.kernel);
    spin_lock(lock);
  });
  rig.timeline.run();
  EXPECT_EQ(only_error(), "lock held when returning to user space: lock");
}

TEST_F(LockTest, ALockThatShouldBeHeldIsAskedFor) {
  spinlock_t lock(rig.kernel, "lock");
  on(0, [&] {
    {
      const spin_guard guard(lock);
      lockdep_assert_held(lock);
    }
    EXPECT_TRUE(errors().empty());
    lockdep_assert_held(lock);
  });
  rig.timeline.run();
  EXPECT_EQ(only_error(), "lock not held: process 5 needs lock");
}

TEST_F(LockTest, SoftirqsOffInAHandlerAreRecorded) {
  spinlock_t lock(rig.kernel, "lock");
  ASSERT_TRUE(rig.kernel.irq().request_irq(1, "dev", [&](unsigned) {
    const kernel::spin_guard_bh guard(lock);
    return irqreturn_t::IRQ_HANDLED;
  }));
  rig.kernel.irq().raise(1);
  rig.timeline.run();
  EXPECT_EQ(errors(),
            (std::vector<std::string>{"spin_lock_bh in a hard interrupt: lock",
                                      "softirqs enabled with interrupts off: hard interrupt 1"}));
}

TEST_F(LockTest, LocksOfOneNameAreOneClass) {
  spinlock_t first(rig.kernel, "queue");
  spinlock_t second(rig.kernel, "queue");
  ASSERT_TRUE(rig.kernel.irq().request_irq(1, "dev", [&](unsigned) {
    const spin_guard guard(first);
    return irqreturn_t::IRQ_HANDLED;
  }));
  rig.kernel.irq().raise(1);
  on(0, [&] { const spin_guard guard(second); });
  rig.timeline.run();
  EXPECT_EQ(only_error(),
            "inconsistent {IN-HARDIRQ-W} -> {HARDIRQ-ON-W} usage: process 5 takes queue");
}

}  // namespace
}  // namespace nicroscope::test
