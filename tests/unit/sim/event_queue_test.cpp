// SPDX-License-Identifier: Apache-2.0
#include "sim/time/event_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "sim/base/random.h"

namespace nicroscope::sim {
namespace {

using ::testing::ElementsAre;

TEST(EventQueue, RunsByTimeAndTiesInOrder) {
  EventQueue queue;
  std::vector<int> ran;
  queue.at(Time{20}, [&] { ran.push_back(3); });
  queue.at(Time{10}, [&] { ran.push_back(1); });
  queue.at(Time{10}, [&] { ran.push_back(2); });
  queue.run_due(Time{15});
  EXPECT_THAT(ran, ElementsAre(1, 2));
  EXPECT_EQ(queue.now(), Time{15});
  EXPECT_EQ(queue.next_time(), Time{20});
  queue.run_due(Time{20});
  EXPECT_THAT(ran, ElementsAre(1, 2, 3));
  EXPECT_EQ(queue.next_time(), kNever);
}

TEST(EventQueue, NowIsTheEventsTimeWhileItRuns) {
  EventQueue queue;
  Time seen{0};
  queue.at(Time{7}, [&] { seen = queue.now(); });
  queue.run_due(Time{100});
  EXPECT_EQ(seen, Time{7});
}

TEST(EventQueue, AnEventInThePastRunsAfterThoseAlreadyDue) {
  EventQueue queue;
  std::vector<int> ran;
  queue.at(Time{10}, [&] {
    queue.at(Time{3}, [&] { ran.push_back(2); });
    ran.push_back(0);
  });
  queue.at(Time{10}, [&] { ran.push_back(1); });
  queue.run_due(Time{10});
  EXPECT_THAT(ran, ElementsAre(0, 1, 2));
}

TEST(EventQueue, CancelledEventsDoNotRunAndOldHandlesDoNoHarm) {
  EventQueue queue;
  int ran = 0;
  const EventHandle first = queue.at(Time{10}, [&] { ran += 1; });
  queue.cancel(first);
  const EventHandle second = queue.at(Time{10}, [&] { ran += 10; });
  queue.cancel(first);  // its place has a new tenant
  queue.cancel(EventHandle::none);
  queue.run_due(Time{10});
  EXPECT_EQ(ran, 10);
  queue.cancel(second);
  EXPECT_EQ(queue.size(), 0U);
}

TEST(EventQueue, AgreesWithASortedListUnderRandomUse) {
  EventQueue queue;
  Random random(7);
  struct Expected {
    Time when;
    int number;
  };
  std::vector<Expected> expected;
  std::vector<std::pair<EventHandle, int>> handles;
  std::vector<int> ran;
  for (int i = 0; i < 5000; ++i) {
    const Time when{static_cast<std::int64_t>(random.below(1000))};
    handles.emplace_back(queue.at(when, [&ran, i] { ran.push_back(i); }), i);
    expected.push_back({when, i});
    if (random.below(3) == 0) {
      const auto& [handle, number] = handles[random.below(handles.size())];
      queue.cancel(handle);
      std::erase_if(expected, [n = number](const Expected& e) { return e.number == n; });
    }
  }
  queue.run_due(Time{1000});
  std::stable_sort(expected.begin(), expected.end(),
                   [](const Expected& a, const Expected& b) { return a.when < b.when; });
  ASSERT_EQ(ran.size(), expected.size());
  for (std::size_t i = 0; i < ran.size(); ++i) EXPECT_EQ(ran[i], expected[i].number);
}

}  // namespace
}  // namespace nicroscope::sim
