// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "nicroscope/time.h"

namespace nicroscope::kernel {

class Task;

/// A set of CPUs, a bit each (Linux: struct cpumask).
using cpumask_t = std::uint64_t;
inline constexpr unsigned kMaxCpus = 64;
inline constexpr cpumask_t kAllCpus = ~cpumask_t{0};
[[nodiscard]] constexpr cpumask_t cpumask_of(unsigned cpu) noexcept { return cpumask_t{1} << cpu; }

/// How a task is scheduled; what Kernel::spawn takes.
struct TaskOptions {
  std::optional<unsigned> cpu{};  ///< the only one that it may run on
  cpumask_t cpus_allowed = kAllCpus;
  int nice = 0;              ///< -20 to 19
  unsigned rt_priority = 0;  ///< 1 to 99: SCHED_FIFO, before every other; 0: SCHED_OTHER
  bool kthread = false;      ///< runs in the kernel: not preempted, its time is system time
};

/// The weight of a nice level in shares of the processor (kernel/sched/core.c:
/// sched_prio_to_weight): 10 % more or less processor time a level.
[[nodiscard]] std::uint64_t nice_to_weight(int nice) noexcept;
inline constexpr std::uint64_t kNice0Weight = 1024;

/// Linux's sysctl_sched_*, for one CPU (kernel/sched/fair.c of 4.x to 6.5).
struct SchedTunables {
  /// In this time each runnable task runs once...
  Duration latency = std::chrono::milliseconds{6};
  /// ...but each for no less than this.
  Duration min_granularity = std::chrono::microseconds{750};
  /// A task that wakes up preempts one that is ahead of it by more than this.
  Duration wakeup_granularity = std::chrono::milliseconds{1};
};

/// The tasks that wait for one CPU, in the order in which they will have it: real-time ones by
/// priority, then the others by virtual runtime; first come, first served among equals.
class RunQueue {
 public:
  [[nodiscard]] bool empty() const noexcept { return tasks_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return tasks_.size(); }
  [[nodiscard]] const Task* first() const noexcept {
    return tasks_.empty() ? nullptr : tasks_.front();
  }
  /// The sum of what waits.
  [[nodiscard]] std::uint64_t weight() const noexcept { return weight_; }

  void push(Task& task);
  /// There must be one.
  Task& pop();
  /// Takes the first that may run on `cpu` elsewhere; null if there is none.
  [[nodiscard]] Task* pull(unsigned cpu);

 private:
  std::deque<Task*> tasks_;
  std::uint64_t weight_ = 0;
};

}  // namespace nicroscope::kernel
