// SPDX-License-Identifier: Apache-2.0
// The checker's rules of two locks and an interrupt (Documentation/locking/lockdep-design.rst): a
// lock that an interrupt takes, held while one is taken that the interrupt may find taken.
#include <gtest/gtest.h>

#include <regex>
#include <string>
#include <vector>

#include "stack/kernel/lock/lockdep.h"
#include "stack/kernel/lock/spinlock.h"
#include "tests/support/rig.h"

namespace nicroscope::test {
namespace {

using kernel::irqreturn_t;
using kernel::spin_guard;
using kernel::spin_guard_bh;
using kernel::spin_guard_irqsave;
using kernel::spinlock_t;

struct LockOrderTest : ::testing::Test {
  LockOrderTest() {
    rig.kernel.open_softirq(kernel::Softirq::hi, [this] { in_softirq(); });
    EXPECT_TRUE(rig.kernel.irq().request_irq(1, "dev", [this](unsigned) {
      in_hardirq();
      return irqreturn_t::IRQ_HANDLED;
    }));
  }
  void hardirq(std::function<void()> body) {
    in_hardirq = std::move(body);
    rig.kernel.irq().raise(1);
    rig.timeline.run();
  }
  void softirq(std::function<void()> body) {
    in_softirq = std::move(body);
    hardirq([this] { rig.kernel.raise_softirq(kernel::Softirq::hi); });
  }
  void process(std::function<void()> body) {
    rig.kernel.spawn("p", std::move(body), {.kthread = true});
    rig.timeline.run();
  }
  /// Takes one with the other held, interrupts off.
  void take_both(spinlock_t& first, spinlock_t& second) {
    process([&] {
      const spin_guard_irqsave outer(first);
      const spin_guard inner(second);
    });
  }
  template <typename Guard>
  void take(spinlock_t& lock) {
    process([&] { const Guard guard(lock); });
  }
  [[nodiscard]] const std::vector<std::string>& errors() { return rig.kernel.lockdep().errors(); }
  [[nodiscard]] std::string only_error() {
    EXPECT_EQ(errors().size(), 1U);
    static const std::regex number("process [0-9]+");
    return errors().empty() ? "" : std::regex_replace(errors().front(), number, "process");
  }

  Rig rig{only({})};
  std::function<void()> in_hardirq = [] {};
  std::function<void()> in_softirq = [] {};
  spinlock_t safe{rig.kernel, "ring"};  // what the interrupt takes
  spinlock_t middle{rig.kernel, "table"};
  spinlock_t unsafe{rig.kernel, "list"};  // held with the interrupt on
};

TEST_F(LockOrderTest, AnUnsafeLockUnderASafeOneIsRecorded) {
  hardirq([&] { const spin_guard guard(safe); });
  take<spin_guard>(unsafe);
  EXPECT_TRUE(errors().empty());
  take_both(safe, unsafe);
  EXPECT_EQ(only_error(),
            "HARDIRQ-safe -> HARDIRQ-unsafe lock order: process takes list with ring held; "
            "ring is safe and list is not");
}

TEST_F(LockOrderTest, SoIsOneThatBecomesUnsafeLater) {
  take_both(safe, unsafe);
  hardirq([&] { const spin_guard guard(safe); });
  EXPECT_TRUE(errors().empty());
  take<spin_guard>(unsafe);
  EXPECT_EQ(only_error(),
            "possible irq lock inversion dependency: process makes list HARDIRQ-unsafe, and "
            "ring, which is safe, was held with it");
}

TEST_F(LockOrderTest, AndOneThatBecomesSafeLater) {
  take_both(safe, unsafe);
  take<spin_guard>(unsafe);
  EXPECT_TRUE(errors().empty());
  hardirq([&] { const spin_guard guard(safe); });
  EXPECT_EQ(only_error(),
            "possible irq lock inversion dependency: hard interrupt 1 makes ring HARDIRQ-safe, "
            "and list, which is not, was taken with it held");
}

TEST_F(LockOrderTest, AChainIsAsBadAsALink) {
  hardirq([&] { const spin_guard guard(safe); });
  take<spin_guard>(unsafe);
  take_both(middle, unsafe);
  EXPECT_TRUE(errors().empty());
  take_both(safe, middle);
  EXPECT_EQ(only_error(),
            "HARDIRQ-safe -> HARDIRQ-unsafe lock order: process takes table with ring held; "
            "ring is safe and list is not");
}

TEST_F(LockOrderTest, AChainIsFoundFromItsMiddle) {
  take_both(safe, middle);
  take<spin_guard>(unsafe);
  hardirq([&] { const spin_guard guard(safe); });
  EXPECT_TRUE(errors().empty());
  take_both(middle, unsafe);
  EXPECT_EQ(only_error().substr(0, 40), "HARDIRQ-safe -> HARDIRQ-unsafe lock orde");
}

TEST_F(LockOrderTest, ASoftirqIsAnInterrupt) {
  softirq([&] { const spin_guard guard(safe); });
  take<spin_guard>(unsafe);
  EXPECT_TRUE(errors().empty());
  process([&] {
    const spin_guard_bh outer(safe);
    const spin_guard inner(unsafe);
  });
  EXPECT_EQ(only_error(),
            "SOFTIRQ-safe -> SOFTIRQ-unsafe lock order: process takes list with ring held; "
            "ring is safe and list is not");
}

TEST_F(LockOrderTest, WhatIsSafeEverywhereIsAccepted) {
  hardirq([&] {
    const spin_guard outer(safe);
    const spin_guard inner(middle);
  });
  take_both(safe, middle);
  take<spin_guard_irqsave>(middle);
  // A lock that softirqs take may be held where interrupts are on, and over one that they take.
  softirq([&] {
    const spin_guard outer(unsafe);
    const spin_guard_irqsave inner(safe);
  });
  process([&] {
    const spin_guard_bh outer(unsafe);
    const spin_guard_irqsave inner(safe);
  });
  EXPECT_EQ(errors(), std::vector<std::string>{});
}

TEST_F(LockOrderTest, AnUnsafeLockOverASafeOneIsAccepted) {
  hardirq([&] { const spin_guard guard(safe); });
  process([&] {
    const spin_guard outer(unsafe);
    const spin_guard_irqsave inner(safe);
  });
  EXPECT_EQ(errors(), std::vector<std::string>{});
}

TEST_F(LockOrderTest, WhoEnablesInterruptsMakesWhatItHoldsUnsafe) {
  hardirq([&] { const spin_guard guard(safe); });
  process([&] {
    const bool flags = rig.kernel.cpu().local_irq_save();
    {
      const spin_guard guard(safe);
      EXPECT_TRUE(errors().empty());
      rig.kernel.cpu().local_irq_restore(flags);
    }
  });
  EXPECT_EQ(only_error(),
            "inconsistent {IN-HARDIRQ-W} -> {HARDIRQ-ON-W} usage: process takes ring");
}

TEST_F(LockOrderTest, AndSoftirqs) {
  softirq([&] { const spin_guard guard(safe); });
  process([&] {
    rig.kernel.cpu().local_bh_disable();
    const spin_guard guard(safe);
    EXPECT_TRUE(errors().empty());
    rig.kernel.cpu().local_bh_enable();
  });
  EXPECT_EQ(only_error(),
            "inconsistent {IN-SOFTIRQ-W} -> {SOFTIRQ-ON-W} usage: process takes ring");
}

TEST_F(LockOrderTest, TryingIsSafeInAnInterruptAndNotInAProcess) {
  const auto try_it = [](spinlock_t& lock) {
    if (spin_trylock(lock)) spin_unlock(lock);
  };
  take<spin_guard>(unsafe);
  hardirq([&] { try_it(unsafe); });  // it does not wait for whom it interrupted
  EXPECT_EQ(errors(), std::vector<std::string>{});
  hardirq([&] { const spin_guard guard(safe); });
  process([&] { try_it(safe); });
  EXPECT_EQ(only_error(),
            "inconsistent {IN-HARDIRQ-W} -> {HARDIRQ-ON-W} usage: process takes ring");
}

TEST_F(LockOrderTest, TryingMakesNoOrder) {
  hardirq([&] { const spin_guard guard(safe); });
  process([&] {
    const spin_guard guard(unsafe);
    const spin_guard_irqsave other(safe);
  });
  process([&] {
    const spin_guard_irqsave outer(safe);
    if (spin_trylock(unsafe)) spin_unlock(unsafe);
  });
  EXPECT_EQ(errors(), std::vector<std::string>{});
}

}  // namespace
}  // namespace nicroscope::test
