// SPDX-License-Identifier: Apache-2.0
#include "stack/kernel/deferred/workqueue.h"

#include <algorithm>
#include <string>
#include <utility>

#include "stack/kernel/kernel.h"
#include "stack/kernel/lock/lockdep.h"

namespace nicroscope::kernel {

/// The work and the workers of one CPU.
class WorkerPool {
 public:
  WorkerPool(Kernel& kernel, unsigned cpu) : through_(kernel), kernel_(kernel), cpu_(cpu) {}

  void push(work_struct& work) {
    work.pending_ = this;
    work_.push_back(&work);
    if (active_ == 0) wake_up_worker();
  }
  void remove(work_struct& work) {
    std::erase(work_, &work);
    work.pending_ = nullptr;
  }
  [[nodiscard]] std::size_t workers() const noexcept { return workers_; }

  WaitQueue through_;  ///< for the end of a piece of work

 private:
  // Counted as active from here on: further work does not wake a second one meanwhile.
  void wake_up_worker() {
    if (!idle_.empty()) {
      Task& task = *idle_.back();
      idle_.pop_back();
      ++active_;
      kernel_.spend(cost::try_to_wake_up);
      kernel_.wake_up_process(task);
    } else if (workers_ < Workqueues::kMaxWorkers) {
      ++active_;
      const std::string name = "kworker/" + std::to_string(cpu_) + ":" + std::to_string(workers_++);
      kernel_.spawn(name, [this] { worker(); }, {.cpu = cpu_, .kthread = true});
    }
  }

  void worker() {
    Task& self = *kernel_.cpu().current();
    self.set_sleep_hooks([this] { sleeping(); }, [this] { ++active_; });
    for (;;) {
      // One that was made or woken in the place of a worker that has come back leaves it the rest.
      while (active_ <= 1) {
        const auto next = std::find_if(work_.begin(), work_.end(), [](const work_struct* work) {
          return work->running_ == nullptr;  // or else it is for who runs it
        });
        if (next == work_.end()) break;
        work_struct& work = **next;
        work_.erase(next);
        work.pending_ = nullptr;
        work.running_ = this;
        kernel_.spend(cost::process_one_work);
        work.function_();
        work.running_ = nullptr;
        through_.wake_up_all();
        kernel_.cond_resched();
      }
      idle_.push_back(&self);
      self.set_sleep_hooks(nullptr, nullptr);
      --active_;
      kernel_.cpu().block();
      self.set_sleep_hooks([this] { sleeping(); }, [this] { ++active_; });
    }
  }

  // A worker blocks in the middle of its work (Linux: wq_worker_sleeping).
  void sleeping() {
    if (--active_ == 0 && !work_.empty()) wake_up_worker();
  }

  Kernel& kernel_;
  const unsigned cpu_;
  std::deque<work_struct*> work_;
  std::vector<Task*> idle_;
  unsigned workers_ = 0;
  unsigned active_ = 0;  ///< workers that run or are about to
};

delayed_work::delayed_work(Kernel& kernel, std::function<void()> function)
    : work(std::move(function)),
      timer_(kernel, [this, &kernel] { kernel.workqueues().schedule_work(work); }) {}

Workqueues::Workqueues(Kernel& kernel) : kernel_(kernel) {
  for (unsigned cpu = 0; cpu < kernel.cpus(); ++cpu) {
    pools_.push_back(std::make_unique<WorkerPool>(kernel, cpu));
  }
}

Workqueues::~Workqueues() = default;

bool Workqueues::schedule_work(work_struct& work) {
  return schedule_work_on(kernel_.cpu().id(), work);
}

bool Workqueues::schedule_work_on(unsigned cpu, work_struct& work) {
  if (work.pending_ != nullptr) return false;
  queue(cpu, work);
  return true;
}

void Workqueues::queue(unsigned cpu, work_struct& work) {
  WorkerPool& pool = work.running_ != nullptr ? *work.running_ : *pools_[cpu];
  work.pending_ = &pool;  // before time passes
  kernel_.spend(cost::queue_work);
  if (work.pending_ == &pool) pool.push(work);
}

bool Workqueues::schedule_delayed_work(delayed_work& work, Duration delay) {
  if (work.timer_.pending() || work.work.pending_ != nullptr) return false;
  mod_delayed_work(work, delay);
  return true;
}

bool Workqueues::mod_delayed_work(delayed_work& work, Duration delay) {
  const bool was_pending = work.timer_.pending() || work.work.pending_ != nullptr;
  if (work.work.pending_ != nullptr) work.work.pending_->remove(work.work);
  if (delay <= Duration::zero()) {
    kernel_.timers().del_timer(work.timer_);
    queue(kernel_.cpu().id(), work.work);
  } else {
    kernel_.timers().mod_timer(work.timer_, kernel_.jiffies() + kernel_.to_jiffies(delay));
  }
  return was_pending;
}

bool Workqueues::cancel_work_sync(work_struct& work) {
  kernel_.lockdep().might_sleep("cancel_work_sync");
  const bool was_pending = work.pending_ != nullptr;
  if (was_pending) work.pending_->remove(work);
  wait_until_through(work);
  return was_pending;
}

bool Workqueues::cancel_delayed_work_sync(delayed_work& work) {
  const bool was_armed = kernel_.timers().del_timer_sync(work.timer_);
  return cancel_work_sync(work.work) || was_armed;
}

void Workqueues::flush_work(work_struct& work) {
  kernel_.lockdep().might_sleep("flush_work");
  wait_until_through(work);
}

void Workqueues::flush_delayed_work(delayed_work& work) {
  if (kernel_.timers().del_timer_sync(work.timer_)) queue(kernel_.cpu().id(), work.work);
  flush_work(work.work);
}

void Workqueues::wait_until_through(work_struct& work) {
  if (kernel_.cpu().running() == nullptr) return;
  while (work.pending_ != nullptr || work.running_ != nullptr) {
    WorkerPool& pool = work.running_ != nullptr ? *work.running_ : *work.pending_;
    pool.through_.wait_event([&] { return work.running_ == nullptr && work.pending_ == nullptr; });
  }
}

std::size_t Workqueues::workers(unsigned cpu) const noexcept { return pools_[cpu]->workers(); }

}  // namespace nicroscope::kernel
