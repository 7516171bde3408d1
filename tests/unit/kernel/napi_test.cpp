// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/unit/kernel/polled_queue.h"

namespace nicroscope::test {
namespace {

using kernel::irqreturn_t;
using kernel::napi_struct;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr nanoseconds kPacketCost{100};

TEST(Napi, OneInterruptThenPollsUntilThereIsNothing) {
  Rig rig(only({}));
  PolledQueue device(rig, kPacketCost);
  device.arrive(150);
  rig.timeline.run();
  EXPECT_EQ(device.delivered, 150);
  EXPECT_EQ(device.polls, (std::vector<int>{64, 64, 22}));
  EXPECT_EQ(rig.kernel.irq().count(PolledQueue::kVector), 1U);
  EXPECT_EQ(rig.kernel.napi().stat().processed, 150U);
  EXPECT_EQ(rig.kernel.napi().stat().time_squeeze, 0U);
  EXPECT_TRUE(device.interrupts_on);
}

TEST(Napi, TheBudgetEndsASoftirq) {
  Rig rig(only({}));
  std::string order;
  std::vector<napi_struct> queues(6);
  for (std::size_t i = 0; i < queues.size(); ++i) {
    queues[i].poll = [&, i, left = 100](int budget) mutable {
      const int work = std::min(left, budget);
      left -= work;
      order += std::to_string(i);
      if (work < budget) rig.kernel.napi().napi_complete_done(queues[i], work);
      return work;
    };
    rig.kernel.napi().napi_enable(queues[i]);
  }
  ASSERT_TRUE(rig.kernel.irq().request_irq(PolledQueue::kVector, "dev", [&](unsigned) {
    for (napi_struct& napi : queues) rig.kernel.napi().napi_schedule(napi);
    return irqreturn_t::IRQ_HANDLED;
  }));
  rig.kernel.irq().raise(PolledQueue::kVector);
  rig.timeline.run();
  EXPECT_EQ(rig.kernel.napi().stat().time_squeeze, 1U);
  EXPECT_EQ(rig.kernel.napi().stat().processed, 600U);
  EXPECT_EQ(order, "012345012345") << "what is left is polled before what used its weight";
}

TEST(Napi, TwoJiffiesEndASoftirq) {
  Rig rig(only({}));
  PolledQueue device(rig, microseconds{150});
  device.arrive(128);
  rig.timeline.run();
  EXPECT_EQ(device.delivered, 128);
  EXPECT_EQ(rig.kernel.napi().stat().time_squeeze, 2U);
}

TEST(Napi, ScheduledWhilePolledItIsPolledAgain) {
  Rig rig(only({}));
  napi_struct napi;
  int polls = 0;
  napi.poll = [&](int) {
    if (++polls == 1) rig.kernel.napi().napi_schedule(napi);
    const bool complete = rig.kernel.napi().napi_complete_done(napi, 0);
    EXPECT_EQ(complete, polls == 2);
    return 0;
  };
  rig.kernel.napi().napi_enable(napi);
  rig.kernel.napi().napi_schedule(napi);
  rig.timeline.run();
  EXPECT_EQ(polls, 2);
}

TEST(Napi, DisableWaitsForThePollAndKeepsItOff) {
  Rig rig(only({}));
  PolledQueue device(rig, microseconds{1});
  device.arrive(100'000);
  Time disabled_at{};
  rig.timeline.at(microseconds{500}, [&] {
    rig.kernel.spawn("ifdown", [&] {
      rig.kernel.napi().napi_disable(device.napi);
      disabled_at = rig.kernel.now();
    });
  });
  rig.timeline.run();
  EXPECT_GT(disabled_at, Time{microseconds{500}});
  EXPECT_LT(disabled_at, Time{milliseconds{4}}) << "ksoftirqd has 3 ms before a new process";
  const int delivered = device.delivered;
  device.interrupts_on = true;
  device.arrive(1);
  rig.timeline.run();
  EXPECT_EQ(device.delivered, delivered);
}

TEST(Napi, SoftnetStatIsHexadecimal) {
  Rig rig(only({}));
  PolledQueue device(rig, kPacketCost);
  device.arrive(26);
  rig.timeline.run();
  std::string expected = "0000001a";
  for (int i = 0; i < 12; ++i) expected += " 00000000";
  EXPECT_EQ(rig.kernel.napi().proc_net_softnet_stat(), expected + '\n');
}

}  // namespace
}  // namespace nicroscope::test
