// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/rig.h"

namespace nicroscope::test {
namespace {

using kernel::Cost;
using kernel::irqreturn_t;
using kernel::Softirq;
using std::chrono::microseconds;
using std::chrono::nanoseconds;

TEST(Softirq, RunsAtTheEndOfTheInterruptInOrderOfPriority) {
  Rig rig(only({}));
  std::string order;
  rig.kernel.open_softirq(Softirq::net_rx, [&] {
    EXPECT_TRUE(rig.kernel.cpu().in_serving_softirq());
    EXPECT_FALSE(rig.kernel.cpu().irqs_disabled());
    order += "rx ";
  });
  rig.kernel.open_softirq(Softirq::net_tx, [&] { order += "tx "; });
  ASSERT_TRUE(rig.kernel.irq().request_irq(1, "dev", [&](unsigned) {
    rig.kernel.raise_softirq(Softirq::net_rx);
    rig.kernel.raise_softirq(Softirq::net_tx);
    order += "irq ";
    return irqreturn_t::IRQ_HANDLED;
  }));
  rig.kernel.spawn("p", [&] {
    rig.kernel.spend(nanoseconds{100});
    order += "process ";
  });
  rig.timeline.at(nanoseconds{50}, [&] { rig.kernel.irq().raise(1); });
  rig.timeline.run();
  EXPECT_EQ(order, "irq tx rx process ");
}

TEST(Softirq, AnInterruptPreemptsASoftirq) {
  Rig rig(only({}));
  std::string order;
  rig.kernel.open_softirq(Softirq::tasklet, [&] {
    order += "[";
    rig.kernel.spend(nanoseconds{100});
    order += "]";
  });
  ASSERT_TRUE(rig.kernel.irq().request_irq(1, "dev", [&](unsigned) {
    order += "!";
    rig.kernel.raise_softirq(Softirq::tasklet);
    return irqreturn_t::IRQ_HANDLED;
  }));
  rig.timeline.at(nanoseconds{10}, [&] { rig.kernel.irq().raise(1); });
  rig.timeline.at(nanoseconds{50}, [&] { rig.kernel.irq().raise(1); });
  rig.timeline.run();
  EXPECT_EQ(order, "![!][]");
  EXPECT_EQ(rig.kernel.cpu().softirq_counts()[6], 2U);
}

TEST(Softirq, BottomHalvesDisabledWaitForTheirEnabling) {
  Rig rig(only({}));
  std::string order;
  rig.kernel.open_softirq(Softirq::net_tx, [&] { order += "tx "; });
  rig.kernel.spawn("p", [&] {
    auto& cpu = rig.kernel.cpu();
    cpu.local_bh_disable();
    cpu.local_bh_disable();
    rig.kernel.raise_softirq(Softirq::net_tx);
    rig.kernel.spend(nanoseconds{100});
    cpu.local_bh_enable();
    order += "still ";
    cpu.local_bh_enable();
    order += "after ";
  });
  rig.timeline.run();
  EXPECT_EQ(order, "still tx after ");
}

TEST(Softirq, RaisedByAProcessKsoftirqdRunsIt) {
  Rig rig(only({}));
  std::string order;
  rig.kernel.open_softirq(Softirq::net_tx, [&] { order += rig.kernel.cpu().current()->name(); });
  rig.kernel.spawn("p", [&] {
    rig.kernel.raise_softirq(Softirq::net_tx);
    order += "p ";
  });
  rig.timeline.run();
  EXPECT_EQ(order, "p ksoftirqd/0");
}

TEST(Softirq, WhatKsoftirqdHasTakenOverIsLeftToIt) {
  Rig rig(only({}));
  std::string order;
  rig.kernel.open_softirq(Softirq::net_rx,
                          [&] { order += rig.kernel.cpu().current()->name() + " "; });
  rig.kernel.spawn("p", [&] {
    rig.kernel.cpu().local_bh_disable();
    rig.kernel.raise_softirq(Softirq::net_rx);
    rig.kernel.cpu().local_bh_enable();
    rig.kernel.raise_softirq(Softirq::net_rx);  // wakes ksoftirqd
    rig.kernel.cpu().local_bh_disable();
    rig.kernel.cpu().local_bh_enable();
    order += "end ";
  });
  rig.timeline.run();
  EXPECT_EQ(order, "p end ksoftirqd/0 ");
}

TEST(Softirq, OneThatWillNotEndIsLeftToKsoftirqdAndProcessesGetTheirTurn) {
  Rig rig(only({}));
  unsigned in_interrupt = 0;
  unsigned in_thread = 0;
  Time process_done{};
  rig.kernel.open_softirq(Softirq::net_rx, [&] {
    auto* const current = rig.kernel.cpu().current();
    ++(current != nullptr && current->name() == "ksoftirqd/0" ? in_thread : in_interrupt);
    rig.kernel.spend(microseconds{10});
    if (rig.kernel.now() < microseconds{5000}) rig.kernel.raise_softirq(Softirq::net_rx);
  });
  ASSERT_TRUE(rig.kernel.irq().request_irq(1, "dev", [&](unsigned) {
    rig.kernel.raise_softirq(Softirq::net_rx);
    return irqreturn_t::IRQ_HANDLED;
  }));
  rig.kernel.irq().raise(1);
  rig.timeline.at(microseconds{1000},
                  [&] { rig.kernel.spawn("p", [&] { process_done = rig.kernel.now(); }); });
  rig.timeline.run();
  EXPECT_EQ(in_interrupt, kernel::kMaxSoftirqRestart);
  EXPECT_GT(in_thread, 400U);
  EXPECT_EQ(process_done, Time{microseconds{3100}}) << "ksoftirqd has 3 ms from 0.1 ms on";
}

TEST(Softirq, AProcessThatWakesUpIsAheadOfABusyKsoftirqd) {
  Rig rig(only({}));
  rig.kernel.open_softirq(Softirq::net_rx, [&] {
    rig.kernel.spend(microseconds{10});
    if (rig.kernel.now() < microseconds{9000}) rig.kernel.raise_softirq(Softirq::net_rx);
  });
  std::vector<Time> woken;
  rig.kernel.spawn("p", [&] {
    for (int i = 0; i < 4; ++i) {
      rig.kernel.usleep(microseconds{1605});
      woken.push_back(rig.kernel.now());
    }
  });
  rig.kernel.raise_softirq(Softirq::net_rx);
  rig.timeline.run();
  ASSERT_EQ(woken.size(), 4U);
  EXPECT_EQ(woken[0], Time{microseconds{1610}}) << "at the end of the pass that was running";
  EXPECT_EQ(woken[3], Time{microseconds{6440}});
}

TEST(Softirq, ProcSoftirqsNamesThemAll) {
  Rig rig;
  const std::string text = rig.kernel.proc_softirqs();
  EXPECT_NE(text.find("NET_RX:          0\n"), std::string::npos) << text;
  EXPECT_NE(text.find("RCU:          0\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace nicroscope::test
