// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/support/rig.h"

namespace nicroscope::test {
namespace {

using kernel::hrtimer;
using kernel::timer_list;
using std::chrono::microseconds;
using std::chrono::milliseconds;

TEST(Timer, RunsInSoftirqContextAtItsJiffy) {
  Rig rig(only({}));
  Time at{};
  timer_list timer(rig.kernel, [&] {
    EXPECT_TRUE(rig.kernel.cpu().in_serving_softirq());
    at = rig.kernel.now();
  });
  EXPECT_FALSE(rig.kernel.timers().mod_timer(timer, 5));
  EXPECT_TRUE(timer.pending());
  rig.timeline.run();
  EXPECT_EQ(at, Time{milliseconds{20}});
  EXPECT_FALSE(timer.pending());
}

TEST(Timer, CanBeMovedBothWaysAndStopped) {
  Rig rig(only({}));
  std::string order;
  timer_list a(rig.kernel, [&] { order += "a" + std::to_string(rig.kernel.jiffies()) + " "; });
  timer_list b(rig.kernel, [&] { order += "b" + std::to_string(rig.kernel.jiffies()) + " "; });
  timer_list c(rig.kernel, [&] { order += "c "; });
  auto& timers = rig.kernel.timers();
  timers.mod_timer(a, 3);
  timers.mod_timer(b, 4);
  timers.mod_timer(c, 5);
  EXPECT_TRUE(timers.mod_timer(a, 7));
  EXPECT_TRUE(timers.mod_timer(b, 2));
  EXPECT_TRUE(timers.del_timer(c));
  EXPECT_FALSE(timers.del_timer(c));
  rig.timeline.run();
  EXPECT_EQ(order, "b2 a7 ");
}

TEST(Timer, ItsFunctionMayArmItAgain) {
  Rig rig(only({}));
  std::vector<std::uint64_t> ticks;
  std::unique_ptr<timer_list> timer;
  timer = std::make_unique<timer_list>(rig.kernel, [&] {
    ticks.push_back(rig.kernel.jiffies());
    if (ticks.size() < 4) rig.kernel.timers().mod_timer(*timer, rig.kernel.jiffies() + 2);
  });
  rig.kernel.timers().mod_timer(*timer, 1);
  rig.timeline.run();
  EXPECT_EQ(ticks, (std::vector<std::uint64_t>{1, 3, 5, 7}));
}

TEST(Timer, HighResolutionTimersRunInHardInterruptContextAtTheirTime) {
  Rig rig(only({}));
  Time at{};
  hrtimer timer(rig.kernel, [&] {
    EXPECT_TRUE(rig.kernel.cpu().in_hardirq());
    at = rig.kernel.now();
  });
  hrtimer stopped(rig.kernel, [&] { ADD_FAILURE(); });
  rig.kernel.timers().hrtimer_start(stopped, microseconds{5});
  rig.kernel.timers().hrtimer_start(timer, microseconds{7});
  EXPECT_TRUE(rig.kernel.timers().hrtimer_cancel(stopped));
  rig.timeline.run();
  EXPECT_EQ(at, Time{microseconds{7}});
}

TEST(Timer, ManyRunInOrder) {
  Rig rig(only({}));
  std::mt19937 random(1);
  std::vector<std::pair<std::uint64_t, int>> expected;
  std::vector<std::pair<std::uint64_t, int>> got;
  std::vector<std::unique_ptr<timer_list>> timers;
  for (int i = 0; i < 500; ++i) {
    timers.push_back(std::make_unique<timer_list>(
        rig.kernel, [&, i] { got.emplace_back(rig.kernel.jiffies(), i); }));
    const std::uint64_t when = 1 + random() % 40;
    rig.kernel.timers().mod_timer(*timers.back(), when);
    if (random() % 4 == 0) {
      timers.back().reset();
    } else {
      expected.emplace_back(when, i);
    }
  }
  std::stable_sort(expected.begin(), expected.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  rig.timeline.run();
  EXPECT_EQ(got, expected);
}

}  // namespace
}  // namespace nicroscope::test
