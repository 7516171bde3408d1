// SPDX-License-Identifier: Apache-2.0
// vq_moderation against a model of virtio 1.2, 5.1.6.5.10: what is due becomes due, for a reason,
// and in time, whether time passes cycle by cycle or jumps while the module is idle.
#include <gtest/gtest.h>
#include <verilated.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <memory>

#include "Vvq_moderation.h"
#include "tests/rtl/vq_memory.h"

namespace nicroscope::rtl_test {
namespace {

constexpr unsigned kQueues = 9;
constexpr Cycle kNever = ~0ULL;
constexpr Cycle kEarly = 8 * (kQueues + 1) + 16;

struct Buffers {
  unsigned queue = 0;
  unsigned count = 0;
  std::uint16_t pos = 0;
  std::uint16_t slots = 0;
  bool operator==(const Buffers&) const = default;
};

struct Queue {
  unsigned packets = 0;
  std::uint64_t cycles = 0;
  std::uint64_t waiting = 0;  // buffers returned and not yet due
  Cycle first = 0;            // when the first of them was returned
  bool changed = false;       // settings were written while they waited

  [[nodiscard]] Cycle deadline() const {
    return waiting != 0 && !changed ? first + cycles : kNever;
  }
};

class Moderation {
  VerilatedContext context_;

 public:
  explicit Moderation(std::uint64_t seed) : random(seed) {
    context_.randReset(2);
    context_.randSeed(static_cast<int>(seed + 1));
    model = std::make_unique<Vvq_moderation>(&context_);
    model->en_valid_i = model->visible_valid_i = 0;
    model->set_i[2] = 0;
    model->rst_i = 1;
    now = random.chance(50) ? random.in(0, 1U << 20) : 0x1'ffff'f000ULL;
    for (int i = 0; i < 2; ++i) {
      edge();
    }
    model->rst_i = 0;
    for (unsigned i = 0; i < kQueues + 2; ++i) {
      edge();
    }
  }
  ~Moderation() { model->final(); }
  Moderation(const Moderation&) = delete;
  Moderation& operator=(const Moderation&) = delete;

  void set(unsigned queue, unsigned packets, std::uint32_t cycles) {
    model->set_i[0] = cycles;
    model->set_i[1] = queue << 16 | packets;
    model->set_i[2] = 1;
    set_ = true;
    cycle();
    model->set_i[2] = 0;
    set_ = false;
    queues[queue].packets = packets;
    queues[queue].cycles = cycles;
    last_set_ = now;
    for (Queue& q : queues) {
      q.changed = q.changed || q.waiting != 0;
    }
  }

  void cycle() {
    model->visible_valid_i = !offered.empty();
    if (!offered.empty()) {
      const Buffers& b = offered.front();
      model->visible_queue_i = static_cast<std::uint8_t>(b.queue);
      model->visible_count_i = static_cast<std::uint8_t>(b.count);
      model->visible_pos_i = b.pos;
      model->visible_slots_i = b.slots;
    }
    // Taken in every second cycle at least.
    model->touch_ready_i = !was_ready_ || random.chance(70);
    was_ready_ = model->touch_ready_i;
    model->now_i = now;
    model->clk_i = 0;
    model->eval();
    look();
    const bool taken = model->visible_valid_i && model->visible_ready_o;
    if (model->idle_o && offered.empty() && !set_) {
      ++idle;
      EXPECT_LE(model->deadline_o, earliest());
    }
    edge();
    if (taken) {
      arrive(offered.front());
      offered.pop_front();
    }
    ++now;
  }

  // Time goes to the deadline, or on to a moment before it, if nothing is to be done until then.
  void jump() {
    model->visible_valid_i = 0;
    model->now_i = now;
    model->clk_i = 0;
    model->eval();
    if (model->idle_o && offered.empty() && model->deadline_o > now) {
      const Cycle end = std::min<Cycle>(model->deadline_o, now + (1U << 24));
      now = random.chance(50) ? end : random.in(now, end);
      ++jumps;
    }
  }

  Random random;
  std::unique_ptr<Vvq_moderation> model;
  std::array<Queue, kQueues> queues;
  std::deque<Buffers> offered;
  std::deque<Buffers> passed;  // taken and not yet seen at the other side
  Cycle now = 0;
  std::uint64_t idle = 0;
  std::uint64_t jumps = 0;
  std::array<std::uint64_t, kQueues> dues{};
  std::uint64_t by_time = 0;
  std::uint64_t by_count = 0;

 private:
  [[nodiscard]] Cycle earliest() const {
    Cycle when = kNever;
    for (const Queue& q : queues) {
      when = std::min(when, q.deadline());
    }
    return when;
  }
  void edge() {
    model->clk_i = 0;
    model->eval();
    model->clk_i = 1;
    model->eval();
  }

  void arrive(const Buffers& b) {
    Queue& q = queues[b.queue];
    if (q.waiting == 0) {
      q.first = now;
      q.changed = false;
    }
    q.waiting += b.count;
    passed.push_back(b);
    surely_due_ = q.packets == 0 || q.cycles == 0 || q.waiting >= q.packets;
    maybe_due_ = q.cycles <= kEarly;
  }

  void look() {
    if (model->touch_valid_o && !(shown_ && !shown_taken_)) {
      const unsigned queue = model->touch_queue_o;
      ASSERT_LT(queue, kQueues);
      Queue& q = queues[queue];
      if (model->touch_visible_o) {
        ASSERT_FALSE(passed.empty());
        EXPECT_EQ(passed.front().queue, queue);
        EXPECT_EQ(passed.front().pos, model->touch_pos_o);
        EXPECT_EQ(passed.front().slots, model->touch_slots_o);
        EXPECT_TRUE(model->touch_due_o || !surely_due_) << "queue " << queue;
        EXPECT_TRUE(!model->touch_due_o || surely_due_ || maybe_due_) << "queue " << queue;
        passed.pop_front();
        by_count += model->touch_due_o;
      } else {
        EXPECT_TRUE(model->touch_due_o);
        EXPECT_NE(q.waiting, 0U) << "queue " << queue << " is due for nothing";
        EXPECT_TRUE(q.changed || q.first < last_set_ + kEarly || now + kEarly >= q.deadline())
            << "queue " << queue << " is due " << q.deadline() - now << " cycles early";
        ++by_time;
      }
      if (model->touch_due_o) {
        q.waiting = 0;
        ++dues[queue];
      }
    }
    shown_ = model->touch_valid_o;
    shown_taken_ = model->touch_ready_i;
    for (const Queue& q : queues) {
      EXPECT_TRUE(q.changed || now <= q.deadline()) << "too late";
    }
  }

  bool was_ready_ = true;
  Cycle last_set_ = 0;
  bool set_ = false;
  bool shown_ = false;
  bool shown_taken_ = false;
  bool surely_due_ = false;
  bool maybe_due_ = false;
};

class VqModeration : public ::testing::TestWithParam<int> {};

TEST_P(VqModeration, NothingIsLostOrLate) {
  Moderation bench(static_cast<std::uint64_t>(GetParam()));
  Random& random = bench.random;
  const unsigned rate = static_cast<unsigned>(random.in(1, 60));
  const std::uint64_t longest = random.chance(50) ? 400 : 20'000;
  for (int i = 0; i < 40'000 && !HasFailure(); ++i) {
    if (random.chance(rate) && bench.offered.size() < 4) {
      bench.offered.push_back({static_cast<unsigned>(random.in(0, kQueues - 1)),
                               static_cast<unsigned>(random.in(1, 4)),
                               static_cast<std::uint16_t>(random.in(0, 65535)),
                               static_cast<std::uint16_t>(random.in(1, 100))});
    }
    if (i % 4000 < 20 && random.chance(50)) {
      bench.set(static_cast<unsigned>(random.in(0, kQueues - 1)),
                random.chance(30) ? 0 : static_cast<unsigned>(random.in(1, 40)),
                random.chance(20) ? 0 : static_cast<std::uint32_t>(random.in(1, longest)));
    }
    bench.cycle();
    if (random.chance(5)) {
      bench.jump();
    }
  }
  EXPECT_GT(bench.by_time, 10U);
  EXPECT_GT(bench.by_count, 10U);
  EXPECT_GT(bench.idle, 10U);
}
INSTANTIATE_TEST_SUITE_P(Seeds, VqModeration, ::testing::Range(0, 40));

TEST(VqModerationRules, WithoutSettingsEachBufferIsDueAtOnce) {
  Moderation bench(100);
  for (unsigned i = 0; i < 20; ++i) {
    bench.offered.push_back({i % kQueues, 1, 1, 1});
  }
  for (int i = 0; i < 100; ++i) {
    bench.cycle();
  }
  EXPECT_EQ(bench.by_count, 20U);
  EXPECT_EQ(bench.model->deadline_o, kNever);
}

// "When the device has max_usecs = 0 or max_packets = 0, the notification conditions are met after
// every packet received/sent."
TEST(VqModerationRules, WithOneSettingEachBufferIsDueAtOnce) {
  for (const bool count : {false, true}) {
    Moderation bench(101);
    bench.set(3, count ? 5 : 0, count ? 0 : 1'000'000);
    for (unsigned i = 0; i < 12; ++i) {
      bench.offered.push_back({3, 1, 1, 1});
    }
    for (int i = 0; i < 60; ++i) {
      bench.cycle();
    }
    EXPECT_EQ(bench.by_count, 12U);
    EXPECT_EQ(bench.dues[3], 12U);
    EXPECT_EQ(bench.model->deadline_o, kNever);
    EXPECT_TRUE(bench.model->idle_o);
  }
}

// "The device needs to check if the new notification conditions are met and send a notification if
// so" when they change.
TEST(VqModerationRules, NewSettingsHoldForWhatWaits) {
  Moderation bench(102);
  bench.set(2, 15, 1'000'000);
  for (unsigned i = 0; i < 10; ++i) {
    bench.offered.push_back({2, 1, 1, 1});
  }
  for (int i = 0; i < 100; ++i) {
    bench.cycle();
  }
  EXPECT_EQ(bench.dues[2], 0U);
  bench.set(2, 8, 1'000'000);
  for (int i = 0; i < 20; ++i) {
    bench.cycle();
  }
  EXPECT_EQ(bench.dues[2], 1U);
}

TEST(VqModerationRules, TheLongestTimeIsKept) {
  Moderation bench(103);
  bench.set(1, 2, 0x3ff'ffff);
  bench.offered.push_back({1, 1, 1, 1});
  for (int i = 0; i < 20; ++i) {
    bench.cycle();
  }
  EXPECT_EQ(bench.dues[1], 0U);
  EXPECT_GT(bench.model->deadline_o, bench.now + 0x3ff'0000);
  bench.now = bench.model->deadline_o - 1;
  bench.cycle();
  EXPECT_EQ(bench.dues[1], 0U);
  for (int i = 0; i < 20; ++i) {
    bench.cycle();
  }
  EXPECT_EQ(bench.dues[1], 1U);
}

}  // namespace
}  // namespace nicroscope::rtl_test
