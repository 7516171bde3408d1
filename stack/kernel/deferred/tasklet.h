// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <vector>

#include "stack/kernel/spin_wait.h"

namespace nicroscope::kernel {

/// A function that an interrupt puts off to the TASKLET or HI softirq of its CPU. Scheduled again
/// before it runs, it runs once; it never runs on two CPUs at a time: the second waits (Linux:
/// include/linux/interrupt.h).
class tasklet_struct {
 public:
  tasklet_struct(Kernel& kernel, std::function<void()> function);
  tasklet_struct(const tasklet_struct&) = delete;
  tasklet_struct& operator=(const tasklet_struct&) = delete;

 private:
  friend class Tasklets;

  Kernel& kernel_;
  std::function<void()> function_;
  bool scheduled_ = false;  ///< TASKLET_STATE_SCHED
  bool running_ = false;    ///< TASKLET_STATE_RUN
  unsigned disabled_ = 0;
  SpinWait through_;
};

/// The tasklets of a host, a list of each kind on each CPU.
class Tasklets {
 public:
  explicit Tasklets(Kernel& kernel);
  Tasklets(const Tasklets&) = delete;
  Tasklets& operator=(const Tasklets&) = delete;

  /// On this CPU, soon.
  void tasklet_schedule(tasklet_struct& tasklet) { schedule(tasklet, Softirq::tasklet); }
  /// Before every other softirq.
  void tasklet_hi_schedule(tasklet_struct& tasklet) { schedule(tasklet, Softirq::hi); }
  /// It does not run until enabled as often; waits while it does, elsewhere.
  void tasklet_disable(tasklet_struct& tasklet);
  void tasklet_enable(tasklet_struct& tasklet);
  /// In process context: waits until it neither waits nor runs.
  void tasklet_kill(tasklet_struct& tasklet);

 private:
  struct PerCpu {
    std::deque<tasklet_struct*> normal;
    std::deque<tasklet_struct*> hi;
  };
  [[nodiscard]] std::deque<tasklet_struct*>& list(Softirq kind) noexcept;
  void schedule(tasklet_struct& tasklet, Softirq kind);
  void action(Softirq kind);

  Kernel& kernel_;
  std::vector<PerCpu> cpus_;
};

}  // namespace nicroscope::kernel
