// SPDX-License-Identifier: Apache-2.0
// Contexts of one CPU: how they spend time and preempt each other.
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "tests/support/rig.h"

namespace nicroscope::test {
namespace {

using kernel::Cost;
using kernel::irqreturn_t;
using std::chrono::nanoseconds;

constexpr unsigned kVector = 3;

TEST(Context, SpendingTakesSimulatedTime) {
  Rig rig(only({{Cost::copy_user, nanoseconds{2}}}));
  Time end{};
  rig.kernel.spawn("p", [&] {
    rig.kernel.spend(nanoseconds{100});
    rig.kernel.spend(Cost::copy_user, 50);
    end = rig.kernel.now();
  });
  rig.timeline.run();
  EXPECT_EQ(end, Time{nanoseconds{200}});
  EXPECT_EQ(rig.kernel.cpu().time().user, Duration{nanoseconds{200}});
  EXPECT_TRUE(rig.kernel.cpu().idle());
  EXPECT_TRUE(rig.timeline.empty()) << "an idle CPU schedules nothing";
}

TEST(Context, SpendingOutsideEveryContextIsFree) {
  Rig rig;
  rig.kernel.spend(nanoseconds{100});
  EXPECT_EQ(rig.kernel.now(), Time{});
}

TEST(Context, AnInterruptPreemptsAndTheRestIsSpentAfterwards) {
  Rig rig(only({{Cost::irq_entry, nanoseconds{10}}, {Cost::irq_exit, nanoseconds{5}}}));
  Time handled{};
  Time end{};
  ASSERT_TRUE(rig.kernel.irq().request_irq(kVector, "dev", [&](unsigned) {
    EXPECT_TRUE(rig.kernel.cpu().in_hardirq());
    rig.kernel.spend(nanoseconds{20});
    handled = rig.kernel.now();
    return irqreturn_t::IRQ_HANDLED;
  }));
  rig.kernel.spawn("p", [&] {
    rig.kernel.spend(nanoseconds{100});
    end = rig.kernel.now();
  });
  rig.timeline.at(nanoseconds{40}, [&] { rig.kernel.irq().raise(kVector); });
  rig.timeline.run();
  EXPECT_EQ(handled, Time{nanoseconds{70}});
  EXPECT_EQ(end, Time{nanoseconds{135}});
  EXPECT_EQ(rig.kernel.cpu().time().hardirq, Duration{nanoseconds{35}});
  EXPECT_EQ(rig.kernel.cpu().time().user, Duration{nanoseconds{100}});
}

TEST(Context, InterruptsDoNotNest) {
  Rig rig(only({}));
  std::string order;
  for (const unsigned vector : {1U, 2U}) {
    ASSERT_TRUE(rig.kernel.irq().request_irq(vector, "dev", [&](unsigned v) {
      order += std::to_string(v) + "(";
      rig.kernel.spend(nanoseconds{50});
      order += ")";
      return irqreturn_t::IRQ_HANDLED;
    }));
    rig.timeline.at(nanoseconds{10} * vector, [&, vector] { rig.kernel.irq().raise(vector); });
  }
  rig.timeline.run();
  EXPECT_EQ(order, "1()2()");
  EXPECT_EQ(rig.kernel.now(), Time{nanoseconds{110}});
}

TEST(Context, LocalIrqSaveHoldsInterruptsOffUntilRestored) {
  Rig rig(only({}));
  Time handled{};
  ASSERT_TRUE(rig.kernel.irq().request_irq(kVector, "dev", [&](unsigned) {
    handled = rig.kernel.now();
    return irqreturn_t::IRQ_HANDLED;
  }));
  Time after{};
  rig.kernel.spawn("p", [&] {
    kernel::Cpu& cpu = rig.kernel.cpu();
    const bool outer = cpu.local_irq_save();
    const bool inner = cpu.local_irq_save();
    rig.kernel.spend(nanoseconds{100});
    cpu.local_irq_restore(inner);
    EXPECT_TRUE(cpu.irqs_disabled());
    rig.kernel.spend(nanoseconds{100});
    EXPECT_EQ(handled, Time{});
    cpu.local_irq_restore(outer);
    EXPECT_EQ(handled, Time{nanoseconds{200}}) << "taken on the spot";
    after = rig.kernel.now();
  });
  rig.timeline.at(nanoseconds{40}, [&] { rig.kernel.irq().raise(kVector); });
  rig.timeline.run();
  EXPECT_EQ(after, Time{nanoseconds{200}});
}

TEST(Context, ADeviceReadBlocksTheCpuButNotItsInterrupts) {
  Rig rig(only({{Cost::mmio_read, nanoseconds{3}}}));
  Time handled{};
  ASSERT_TRUE(rig.kernel.irq().request_irq(kVector, "dev", [&](unsigned) {
    rig.kernel.spend(nanoseconds{10});
    handled = rig.kernel.now();
    return irqreturn_t::IRQ_HANDLED;
  }));
  std::uint32_t value = 0;
  Time read_at{};
  Time other_at{};
  rig.kernel.spawn("reader", [&] {
    value = rig.kernel.cpu().wait_for_device(
        [&](auto done) { rig.timeline.after(nanoseconds{500}, [done] { done(42); }); });
    read_at = rig.kernel.now();
  });
  rig.kernel.spawn("other", [&] { other_at = rig.kernel.now(); });
  rig.timeline.at(nanoseconds{100}, [&] { rig.kernel.irq().raise(kVector); });
  rig.timeline.run();
  EXPECT_EQ(value, 42U);
  EXPECT_EQ(handled, Time{nanoseconds{110}});
  EXPECT_EQ(read_at, Time{nanoseconds{503}});
  EXPECT_EQ(other_at, Time{nanoseconds{503}}) << "the processor was not given away";
  EXPECT_EQ(rig.kernel.cpu().time().user, Duration{nanoseconds{493}}) << "the rest was the irq";
}

TEST(Context, ADeviceMayAnswerWhileAnInterruptRuns) {
  Rig rig(only({}));
  ASSERT_TRUE(rig.kernel.irq().request_irq(kVector, "dev", [&](unsigned) {
    rig.kernel.spend(nanoseconds{1000});
    return irqreturn_t::IRQ_HANDLED;
  }));
  Time read_at{};
  rig.kernel.spawn("reader", [&] {
    (void)rig.kernel.cpu().wait_for_device(
        [&](auto done) { rig.timeline.after(nanoseconds{500}, [done] { done(1); }); });
    read_at = rig.kernel.now();
  });
  rig.timeline.at(nanoseconds{100}, [&] { rig.kernel.irq().raise(kVector); });
  rig.timeline.run();
  EXPECT_EQ(read_at, Time{nanoseconds{1100}});
}

TEST(Context, AnExceptionComesOutOfTheTimeline) {
  Rig rig(only({}));
  rig.kernel.spawn("p", [&] {
    rig.kernel.spend(nanoseconds{10});
    throw std::runtime_error("told you");
  });
  EXPECT_THROW(rig.timeline.run(), std::runtime_error);
  bool ran = false;
  rig.kernel.spawn("q", [&] { ran = true; });
  rig.timeline.run();
  EXPECT_TRUE(ran) << "the CPU goes on";
}

TEST(Context, ShutdownRunsTheDestructorsOfBlockedProcesses) {
  bool destroyed = false;
  struct Guard {
    bool& flag;
    ~Guard() { flag = true; }
  };
  {
    Rig rig;
    kernel::WaitQueue queue(rig.kernel);
    rig.kernel.spawn("p", [&] {
      const kernel::SystemCall call(rig.kernel);
      const Guard guard{destroyed};
      queue.wait_event([] { return false; });
    });
    rig.timeline.run();
    EXPECT_FALSE(destroyed);
    rig.kernel.shutdown();
    EXPECT_TRUE(destroyed);
  }
}

}  // namespace
}  // namespace nicroscope::test
