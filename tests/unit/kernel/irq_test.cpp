// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/support/rig.h"

namespace nicroscope::test {
namespace {

using kernel::Cost;
using kernel::irqreturn_t;
using std::chrono::nanoseconds;

TEST(Irq, VectorsAreRequestedOnce) {
  Rig rig;
  auto& irq = rig.kernel.irq();
  const auto handler = [](unsigned) { return irqreturn_t::IRQ_HANDLED; };
  EXPECT_TRUE(irq.request_irq(5, "a", handler));
  EXPECT_FALSE(irq.request_irq(5, "b", handler));
  irq.free_irq(5);
  EXPECT_TRUE(irq.request_irq(5, "b", handler));
  EXPECT_FALSE(irq.request_irq(1'000'000, "c", handler));
}

TEST(Irq, AMessageWithoutHandlerIsSpurious) {
  Rig rig;
  rig.kernel.irq().raise(7);
  rig.timeline.run();
  EXPECT_EQ(rig.kernel.irq().spurious(), 1U);
  EXPECT_EQ(rig.kernel.irq().total(), 0U);
}

TEST(Irq, MessagesThatWaitAreOneAndNoneIsLost) {
  Rig rig(only({}));
  unsigned handled = 0;
  ASSERT_TRUE(rig.kernel.irq().request_irq(5, "dev", [&](unsigned) {
    ++handled;
    if (handled == 1) rig.kernel.irq().raise(5);  // arrives while the handler runs
    rig.kernel.spend(nanoseconds{10});
    return irqreturn_t::IRQ_HANDLED;
  }));
  rig.kernel.spawn("p", [&] {
    const bool flags = rig.kernel.cpu().local_irq_save();
    rig.kernel.irq().raise(5);
    rig.kernel.irq().raise(5);
    rig.kernel.cpu().local_irq_restore(flags);
  });
  rig.timeline.run();
  EXPECT_EQ(handled, 2U);
  EXPECT_EQ(rig.kernel.irq().count(5), 2U);
}

TEST(Irq, ProcInterruptsShowsNamesAndCounts) {
  Rig rig(only({}));
  ASSERT_TRUE(rig.kernel.irq().request_irq(1, "virtio0-input.0",
                                           [](unsigned) { return irqreturn_t::IRQ_HANDLED; }));
  for (int i = 0; i < 3; ++i) {
    rig.kernel.irq().raise(1);
    rig.timeline.run();
  }
  const std::string text = rig.kernel.irq().proc_interrupts();
  EXPECT_NE(text.find("  1:          3  PCI-MSIX   1-edge      virtio0-input.0\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("LOC:          0   Local timer interrupts\n"), std::string::npos) << text;
}

TEST(Irq, LeavingIdleTakesTimeThatIsIdle) {
  Rig rig(only({{Cost::idle_exit, nanoseconds{1000}}, {Cost::irq_entry, nanoseconds{100}}}));
  Time first{};
  Time second{};
  ASSERT_TRUE(rig.kernel.irq().request_irq(1, "dev", [&](unsigned) {
    (first == Time{} ? first : second) = rig.kernel.now();
    return irqreturn_t::IRQ_HANDLED;
  }));
  rig.timeline.at(nanoseconds{700}, [&] { EXPECT_EQ(rig.kernel.cpu().time().busy(), Duration{}); });
  rig.kernel.irq().raise(1);
  rig.timeline.run();
  EXPECT_EQ(first, Time{nanoseconds{1100}});
  EXPECT_EQ(rig.kernel.cpu().time().idle, Duration{nanoseconds{1000}});
  EXPECT_EQ(rig.kernel.cpu().time().hardirq, Duration{nanoseconds{100}});
  rig.kernel.spawn("busy", [&] { rig.kernel.spend(nanoseconds{10'000}); });
  rig.timeline.after(nanoseconds{400}, [&] { rig.kernel.irq().raise(1); });
  rig.timeline.run();
  EXPECT_EQ(second, Time{nanoseconds{1600}});
  EXPECT_EQ(rig.kernel.cpu().time().hardirq, Duration{nanoseconds{200}});
}

}  // namespace
}  // namespace nicroscope::test
