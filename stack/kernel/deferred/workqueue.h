// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "stack/kernel/task.h"
#include "stack/kernel/timer.h"

namespace nicroscope::kernel {

class WorkerPool;

/// A function that runs later in process context, where it may block (Linux:
/// include/linux/workqueue.h). Queued again before it begins, it runs once; it never runs on two
/// CPUs at a time. Its owner cancels it before it goes;
/// the function itself must not destroy it.
class work_struct {
 public:
  explicit work_struct(std::function<void()> function) : function_(std::move(function)) {}
  work_struct(const work_struct&) = delete;
  work_struct& operator=(const work_struct&) = delete;

  [[nodiscard]] bool work_pending() const noexcept { return pending_ != nullptr; }

 private:
  friend class WorkerPool;
  friend class Workqueues;

  std::function<void()> function_;
  WorkerPool* pending_ = nullptr;  ///< in whose list it is
  WorkerPool* running_ = nullptr;  ///< who runs it
};

/// One that a timer queues.
class delayed_work {
 public:
  delayed_work(Kernel& kernel, std::function<void()> function);

  work_struct work;

 private:
  friend class Workqueues;
  timer_list timer_;
};

/// The workers of a host: kworker/N:M, a pool for each CPU. As in Linux (its concurrency-managed
/// workqueues) one worker of a pool runs at a time; when it blocks with work left, another one goes
/// on, and is made if there is none.
class Workqueues {
 public:
  static constexpr unsigned kMaxWorkers = 16;  ///< of a pool; further work waits

  explicit Workqueues(Kernel& kernel);
  Workqueues(const Workqueues&) = delete;
  Workqueues& operator=(const Workqueues&) = delete;
  ~Workqueues();

  /// From any context. On this CPU, or where it is running now. False if it was pending.
  bool schedule_work(work_struct& work);
  bool schedule_work_on(unsigned cpu, work_struct& work);
  /// After `delay`, in jiffies. False if it was pending.
  bool schedule_delayed_work(delayed_work& work, Duration delay);
  /// The same, moved if it was pending; true then.
  bool mod_delayed_work(delayed_work& work, Duration delay);

  /// In process context: takes it back, and waits if it runs; true if it was pending. Not from the
  /// work itself.
  bool cancel_work_sync(work_struct& work);
  bool cancel_delayed_work_sync(delayed_work& work);
  /// In process context: until it neither waits nor runs.
  void flush_work(work_struct& work);
  void flush_delayed_work(delayed_work& work);

  /// Workers of a CPU that exist.
  [[nodiscard]] std::size_t workers(unsigned cpu) const noexcept;

 private:
  void queue(unsigned cpu, work_struct& work);
  void wait_until_through(work_struct& work);

  Kernel& kernel_;
  std::vector<std::unique_ptr<WorkerPool>> pools_;
};

}  // namespace nicroscope::kernel
