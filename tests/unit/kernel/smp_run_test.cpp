// SPDX-License-Identifier: Apache-2.0
// Everything at once on several CPUs: a run is decided by its inputs, and breaks no rule.
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <vector>

#include "stack/kernel/deferred/tasklet.h"
#include "stack/kernel/deferred/workqueue.h"
#include "stack/kernel/lock/lockdep.h"
#include "stack/kernel/lock/mutex.h"
#include "stack/kernel/lock/spinlock.h"
#include "tests/support/rig.h"

namespace nicroscope::test {
namespace {

using kernel::irqreturn_t;
using std::chrono::microseconds;
using std::chrono::milliseconds;

struct Hash : TraceSink {
  void on_event(const TraceEvent& e) override {
    for (const std::uint64_t v :
         {static_cast<std::uint64_t>(e.time.count()), e.arg, static_cast<std::uint64_t>(e.point)}) {
      value = (value ^ v) * 0x0000'0100'0000'01b3U;
    }
    ++events;
  }
  std::uint64_t value = 0xcbf2'9ce4'8422'2325U;
  std::uint64_t events = 0;
};

struct Outcome {
  std::uint64_t hash;
  std::uint64_t events;
  unsigned long long work;
  Duration spun;
  std::vector<std::string> errors;
};

Outcome run(unsigned seed, unsigned cpus) {
  kernel::Config config;
  config.cpus = cpus;
  config.tick = kernel::Tick::nohz;
  Rig rig(config);
  Hash hash;
  rig.trace.add(hash);
  auto& kernel = rig.kernel;
  std::mt19937 random(seed);
  kernel::spinlock_t lock(kernel, "counter");
  kernel::mutex sleeping(kernel, "config");
  kernel::shared_data data(kernel, "counter's data");
  unsigned long long work = 0;
  const auto add = [&] {  // from any context
    const kernel::spin_guard_irqsave guard(lock);
    data.access();
    kernel.spend(std::chrono::nanoseconds{200});
    ++work;
  };
  kernel::WaitQueue queue(kernel);
  unsigned long long tokens = 0;
  kernel::tasklet_struct tasklet(kernel, [&] {
    add();
    ++tokens;
    queue.wake_up();
  });
  kernel::work_struct item([&] {
    const kernel::mutex_guard guard(sleeping);
    add();
    kernel.usleep(microseconds{5});
  });
  kernel::napi_struct napi;
  napi.poll = [&](int) {
    add();
    kernel.napi().napi_complete_done(napi, 1);
    return 1;
  };
  kernel.napi().napi_enable(napi);
  for (unsigned vector = 0; vector < 4; ++vector) {
    EXPECT_TRUE(kernel.irq().request_irq(
        vector, "dev",
        [&, vector](unsigned) {
          add();
          if (vector == 0) kernel.napi().napi_schedule(napi);
          if (vector == 1) kernel.tasklets().tasklet_schedule(tasklet);
          if (vector == 2) kernel.workqueues().schedule_work(item);
          return irqreturn_t::IRQ_HANDLED;
        },
        vector % cpus));
  }
  for (unsigned i = 0; i < 6; ++i) {
    kernel.spawn("reader", [&] {
      for (;;) {
        const kernel::SystemCall call(kernel);
        if (queue.wait_event_timeout([&] { return tokens != 0; }, milliseconds{2})) --tokens;
        add();
      }
    });
    kernel.spawn("hog", [&] {
      for (;;) kernel.spend(microseconds{700});
    });
  }
  for (int i = 0; i < 3000; ++i) {
    rig.timeline.at(
        microseconds{random() % 50'000},
        [&kernel, v = static_cast<unsigned>(random() % 4), to = static_cast<unsigned>(random())] {
          if (to % 10 == 0) (void)kernel.irq().irq_set_affinity(v, kernel::cpumask_of(to % 7));
          kernel.irq().raise(v);
        });
  }
  rig.timeline.run_until(milliseconds{60});
  Outcome outcome{hash.value, hash.events, work, lock.spun(), kernel.lockdep().errors()};
  Duration sum{};
  for (unsigned cpu = 0; cpu < cpus; ++cpu) {
    EXPECT_GE(kernel.cpu(cpu).time().idle, Duration::zero());
    sum += kernel.cpu(cpu).time().busy() + kernel.cpu(cpu).time().idle;
  }
  EXPECT_EQ(sum, Duration{milliseconds{60}} * cpus) << "every moment is accounted for";
  kernel.shutdown();
  rig.trace.remove(hash);
  return outcome;
}

TEST(SmpRun, TwoRunsAreTheSameEventForEvent) {
  const Outcome first = run(1, 4);
  const Outcome second = run(1, 4);
  EXPECT_EQ(first.hash, second.hash);
  EXPECT_EQ(first.events, second.events);
  EXPECT_GT(first.events, 10'000U);
  EXPECT_NE(first.hash, run(2, 4).hash);
}

TEST(SmpRun, NoRuleIsBrokenAndLocksAreFoughtOver) {
  for (const unsigned cpus : {1U, 2U, 3U, 8U}) {
    const Outcome outcome = run(3, cpus);
    EXPECT_EQ(outcome.errors, std::vector<std::string>{}) << cpus;
    EXPECT_GT(outcome.work, 3'000U) << cpus;
    EXPECT_EQ(outcome.spun > Duration::zero(), cpus > 1) << cpus;
  }
}

}  // namespace
}  // namespace nicroscope::test
