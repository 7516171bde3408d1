// SPDX-License-Identifier: Apache-2.0
// Several CPUs: what runs where, and what one costs the other.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "nicroscope/host_points.h"
#include "tests/support/rig.h"

namespace nicroscope::test {
namespace {

using kernel::Cost;
using kernel::irqreturn_t;
using kernel::Softirq;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr unsigned kVector = 3;

kernel::Config on(unsigned cpus, kernel::Config config = only({})) {
  config.cpus = cpus;
  return config;
}

TEST(Smp, CpusSpendTimeSideBySide) {
  Rig rig(on(2));
  std::string order;
  for (const unsigned cpu : {0U, 1U}) {
    rig.kernel.spawn("p",
                     [&, cpu] {
                       EXPECT_EQ(rig.kernel.cpu().id(), cpu);
                       rig.kernel.spend(nanoseconds{100 + cpu});
                       order += std::to_string(rig.kernel.cpu().id());
                     },
                     {.cpu = cpu});
  }
  rig.timeline.run();
  EXPECT_EQ(order, "01");
  EXPECT_EQ(rig.kernel.now(), Time{nanoseconds{101}});
  EXPECT_EQ(rig.kernel.cpu(0).time().user, Duration{nanoseconds{100}});
  EXPECT_EQ(rig.kernel.cpu(0).time().idle, Duration{nanoseconds{1}});
  EXPECT_EQ(rig.kernel.cpu(1).time().user, Duration{nanoseconds{101}});
  EXPECT_EQ(rig.kernel.cpu().id(), 0U) << "outside every context";
}

TEST(Smp, WhatAnotherCpuIsToDoWaitsUntilThisOneRests) {
  Rig rig(on(2));
  std::string order;
  ASSERT_TRUE(rig.kernel.irq().request_irq(
      kVector, "dev",
      [&](unsigned) {
        order += "irq" + std::to_string(rig.kernel.cpu().id()) + " ";
        return irqreturn_t::IRQ_HANDLED;
      },
      1));
  rig.kernel.spawn("p",
                   [&] {
                     rig.kernel.spend(nanoseconds{10});
                     rig.kernel.irq().raise(kVector);
                     order += "p ";
                     rig.kernel.spend(nanoseconds{1});
                     order += "p ";
                   },
                   {.cpu = 0});
  rig.timeline.run();
  EXPECT_EQ(order, "p irq1 p ");
}

TEST(Smp, AnInterruptGoesToTheLowestCpuOfItsMask) {
  Rig rig(on(4));
  std::vector<unsigned> cpus;
  auto& irq = rig.kernel.irq();
  ASSERT_TRUE(irq.request_irq(kVector, "virtio0-input.0", [&](unsigned) {
    cpus.push_back(rig.kernel.cpu().id());
    return irqreturn_t::IRQ_HANDLED;
  }));
  irq.raise(kVector);
  EXPECT_TRUE(irq.irq_set_affinity(kVector, 0xc));
  EXPECT_EQ(irq.irq_affinity(kVector), 0xcU);
  EXPECT_EQ(irq.effective_cpu(kVector), 2U);
  irq.raise(kVector);
  EXPECT_FALSE(irq.irq_set_affinity(kVector, 0xf0)) << "no such CPU";
  EXPECT_FALSE(irq.irq_set_affinity(9, 1)) << "no such vector";
  rig.timeline.run();
  EXPECT_EQ(cpus, (std::vector<unsigned>{0, 2}));
  EXPECT_EQ(irq.proc_interrupts(),
            "           CPU0       CPU1       CPU2       CPU3       \n"
            "  3:          1          0          1          0  PCI-MSIX   3-edge      "
            "virtio0-input.0\n"
            "LOC:          0          0          0          0   Local timer interrupts\n"
            "RES:          0          0          0          0   Rescheduling interrupts\n"
            "CAL:          0          0          0          0   Function call interrupts\n");
}

TEST(Smp, AHandlerRunsOnOneCpuAtATime) {
  Rig rig(on(2));
  std::string order;
  auto& irq = rig.kernel.irq();
  ASSERT_TRUE(irq.request_irq(kVector, "dev", [&](unsigned) {
    order += std::to_string(rig.kernel.cpu().id()) + "(";
    rig.kernel.spend(nanoseconds{100});
    order += ")";
    return irqreturn_t::IRQ_HANDLED;
  }));
  irq.raise(kVector);
  rig.timeline.at(nanoseconds{10}, [&] {
    EXPECT_TRUE(irq.irq_set_affinity(kVector, 2));
    irq.raise(kVector);
  });
  rig.timeline.run();
  EXPECT_EQ(order, "0()0()") << "the first CPU does it again";
  EXPECT_EQ(irq.count(kVector, 1), 1U) << "where it was taken";
}

TEST(Smp, FreeIrqWaitsForTheHandlerOnAnotherCpu) {
  Rig rig(on(2));
  Time freed{};
  ASSERT_TRUE(rig.kernel.irq().request_irq(kVector, "dev", [&](unsigned) {
    rig.kernel.spend(nanoseconds{100});
    return irqreturn_t::IRQ_HANDLED;
  }));
  rig.kernel.irq().raise(kVector);
  rig.kernel.spawn("rmmod",
                   [&] {
                     rig.kernel.irq().free_irq(kVector);
                     freed = rig.kernel.now();
                   },
                   {.cpu = 1});
  rig.timeline.run();
  EXPECT_EQ(freed, Time{nanoseconds{100}});
}

TEST(Smp, ASoftirqRunsWhereItWasRaised) {
  Rig rig(on(2));
  std::vector<unsigned> cpus;
  rig.kernel.open_softirq(Softirq::net_rx, [&] {
    cpus.push_back(rig.kernel.cpu().id());
    rig.kernel.spend(nanoseconds{100});
  });
  for (const unsigned cpu : {1U, 0U}) {
    ASSERT_TRUE(rig.kernel.irq().request_irq(
        cpu, "dev",
        [&](unsigned) {
          rig.kernel.raise_softirq(Softirq::net_rx);
          return irqreturn_t::IRQ_HANDLED;
        },
        cpu));
    rig.kernel.irq().raise(cpu);
  }
  rig.timeline.run();
  EXPECT_EQ(cpus, (std::vector<unsigned>{1, 0}));
  EXPECT_EQ(rig.kernel.now(), Time{nanoseconds{100}}) << "at the same time";
  const std::string text = rig.kernel.proc_softirqs();
  EXPECT_EQ(text.substr(0, text.find('\n') + 1), "                    CPU0       CPU1       \n");
  EXPECT_NE(text.find("      NET_RX:          1          1\n"), std::string::npos) << text;
}

TEST(Smp, EachCpuHasItsKsoftirqd) {
  Rig rig(on(2));
  std::string names;
  rig.kernel.open_softirq(Softirq::tasklet,
                          [&] { names += rig.kernel.cpu().current()->name() + " "; });
  for (const unsigned cpu : {0U, 1U}) {
    rig.kernel.spawn("p", [&] { rig.kernel.raise_softirq(Softirq::tasklet); }, {.cpu = cpu});
  }
  rig.timeline.run();
  EXPECT_EQ(names, "ksoftirqd/0 ksoftirqd/1 ");
}

TEST(Smp, ATimerRunsOnTheCpuThatArmedIt) {
  Rig rig(on(2));
  std::string order;
  kernel::timer_list timer(rig.kernel,
                           [&] { order += "t" + std::to_string(rig.kernel.cpu().id()) + " "; });
  kernel::hrtimer precise(rig.kernel,
                          [&] { order += "h" + std::to_string(rig.kernel.cpu().id()) + " "; });
  rig.kernel.timers().mod_timer(timer, 1);
  rig.kernel.spawn("p",
                   [&] {
                     rig.kernel.timers().mod_timer(timer, 2);
                     rig.kernel.timers().hrtimer_start(precise, microseconds{5});
                   },
                   {.cpu = 1});
  rig.timeline.run();
  EXPECT_EQ(order, "h1 t1 ");
  EXPECT_EQ(rig.kernel.now(), Time{milliseconds{8}});
}

TEST(Smp, DelTimerSyncWaitsForTheFunctionOnAnotherCpu) {
  Rig rig(on(2));
  Time begun{};
  Time stopped{};
  kernel::timer_list timer(rig.kernel, [&] { rig.kernel.spend(microseconds{30}); });
  rig.kernel.timers().mod_timer(timer, 1);
  rig.timeline.at(milliseconds{4} + microseconds{10}, [&] {
    rig.kernel.spawn("p",
                     [&] {
                       begun = rig.kernel.now();
                       EXPECT_FALSE(rig.kernel.timers().del_timer(timer));
                       EXPECT_EQ(rig.kernel.now(), begun);
                       EXPECT_FALSE(rig.kernel.timers().del_timer_sync(timer));
                       stopped = rig.kernel.now();
                     },
                     {.cpu = 1});
  });
  rig.timeline.run();
  EXPECT_EQ(begun, Time{milliseconds{4} + microseconds{10}});
  EXPECT_EQ(stopped, Time{milliseconds{4} + microseconds{30}});
}

TEST(Smp, AWakeUpOnAnotherCpuTakesAnInterruptAndItsCosts) {
  Rig rig(on(2, only({{Cost::try_to_wake_up, nanoseconds{400}},
                      {Cost::ipi_send, nanoseconds{80}},
                      {Cost::ipi_delivery, nanoseconds{500}},
                      {Cost::idle_exit, nanoseconds{2000}},
                      {Cost::irq_entry, nanoseconds{450}},
                      {Cost::irq_exit, nanoseconds{250}},
                      {Cost::context_switch, nanoseconds{1200}}})));
  kernel::WaitQueue queue(rig.kernel);
  bool ready = false;
  Time woken{};
  Time waker_done{};
  rig.kernel.spawn("sleeper",
                   [&] {
                     queue.wait_event([&] { return ready; });
                     woken = rig.kernel.now();
                   },
                   {.cpu = 1});
  rig.timeline.run();
  const Time start = rig.kernel.now() + microseconds{10};
  rig.timeline.at(start, [&] {
    rig.kernel.spawn("waker",
                     [&] {
                       ready = true;
                       queue.wake_up();
                       waker_done = rig.kernel.now();
                     },
                     {.cpu = 0, .kthread = true});
  });
  rig.timeline.run();
  EXPECT_EQ(waker_done - start, Duration{nanoseconds{1200 + 400 + 80}});
  EXPECT_EQ(woken - waker_done, Duration{nanoseconds{500 + 2000 + 450 + 250 + 1200}});
  EXPECT_EQ(rig.kernel.irq().count(kernel::IrqTable::kReschedule, 1), 1U);
  EXPECT_EQ(rig.kernel.irq().count(kernel::IrqTable::kReschedule, 0), 0U);
}

TEST(Smp, AFunctionCallRunsInAnInterruptOfTheOtherCpu) {
  Rig rig(on(2, only({{Cost::ipi_send, nanoseconds{80}},
                      {Cost::ipi_delivery, nanoseconds{500}},
                      {Cost::smp_call_function, nanoseconds{40}}})));
  std::vector<Time> ran;
  Time waited{};
  const auto function = [&] {
    EXPECT_EQ(rig.kernel.cpu().id(), 1U);
    EXPECT_TRUE(rig.kernel.cpu().in_hardirq());
    ran.push_back(rig.kernel.now());
    rig.kernel.spend(nanoseconds{5});
  };
  bool here = false;
  rig.kernel.spawn("p",
                   [&] {
                     rig.kernel.smp_call_function_single(1, function, false);
                     rig.kernel.smp_call_function_single(1, function, false);
                     EXPECT_EQ(rig.kernel.now(), Time{nanoseconds{80}})
                         << "the second needs no interrupt";
                     rig.kernel.smp_call_function_single(1, function, true);
                     waited = rig.kernel.now();
                     rig.kernel.smp_call_function_single(
                         0, [&] { here = rig.kernel.cpu().irqs_disabled(); }, true);
                   },
                   {.cpu = 0});
  rig.timeline.run();
  EXPECT_EQ(ran, (std::vector<Time>{nanoseconds{620}, nanoseconds{665}, nanoseconds{710}}));
  EXPECT_EQ(waited, Time{nanoseconds{715}});
  EXPECT_TRUE(here);
  EXPECT_EQ(rig.kernel.irq().count(kernel::IrqTable::kCallFunction), 1U);
}

TEST(Smp, CpusThatCallEachOtherDoNotWaitForever) {
  Rig rig(on(2, only({{Cost::ipi_send, nanoseconds{80}}, {Cost::ipi_delivery, nanoseconds{500}}})));
  unsigned done = 0;
  for (const unsigned cpu : {0U, 1U}) {
    rig.kernel.spawn("p",
                     [&, cpu] {
                       rig.kernel.smp_call_function_single(
                           1 - cpu, [&] { ++done; }, true);
                     },
                     {.cpu = cpu});
  }
  rig.timeline.run();
  EXPECT_EQ(done, 2U);
  EXPECT_TRUE(rig.kernel.cpu(0).idle());
  EXPECT_TRUE(rig.kernel.cpu(1).idle());
}

TEST(Smp, NapiIsPolledWhereItWasScheduled) {
  Rig rig(on(2));
  kernel::napi_struct napi;
  std::vector<unsigned> cpus;
  napi.poll = [&](int) {
    cpus.push_back(rig.kernel.cpu().id());
    rig.kernel.napi().napi_complete_done(napi, 5);
    return 5;
  };
  rig.kernel.napi().napi_enable(napi);
  ASSERT_TRUE(rig.kernel.irq().request_irq(
      kVector, "dev",
      [&](unsigned) {
        rig.kernel.napi().napi_schedule(napi);
        return irqreturn_t::IRQ_HANDLED;
      },
      1));
  rig.kernel.irq().raise(kVector);
  rig.timeline.run();
  EXPECT_EQ(cpus, (std::vector<unsigned>{1}));
  EXPECT_EQ(rig.kernel.napi().stat(1).processed, 5U);
  EXPECT_EQ(rig.kernel.napi().stat(0).processed, 0U);
  EXPECT_EQ(rig.kernel.napi().stat().processed, 5U);
  std::string zeros;
  for (int i = 0; i < 11; ++i) zeros += "00000000 ";
  EXPECT_EQ(rig.kernel.napi().proc_net_softnet_stat(),
            "00000000 " + zeros + "00000000\n00000005 " + zeros + "00000001\n");
}

TEST(Smp, AnEventNamesItsCpu) {
  struct Sink : TraceSink {
    void on_event(const TraceEvent& e) override {
      if (e.point == point::hardirq_enter) arg = e.arg;
    }
    std::uint64_t arg = 0;
  } sink;
  Rig rig(on(2));
  rig.trace.add(sink);
  ASSERT_TRUE(rig.kernel.irq().request_irq(
      kVector, "dev", [](unsigned) { return irqreturn_t::IRQ_HANDLED; }, 1));
  rig.kernel.irq().raise(kVector);
  rig.timeline.run();
  EXPECT_EQ(sink.arg, kVector | 1ULL << 32U);
}

}  // namespace
}  // namespace nicroscope::test
