// SPDX-License-Identifier: Apache-2.0
#include "stack/kernel/deferred/tasklet.h"

#include <algorithm>
#include <utility>

#include "stack/kernel/bug.h"
#include "stack/kernel/kernel.h"

namespace nicroscope::kernel {

tasklet_struct::tasklet_struct(Kernel& kernel, std::function<void()> function)
    : kernel_(kernel), function_(std::move(function)) {}

Tasklets::Tasklets(Kernel& kernel) : kernel_(kernel), cpus_(kernel.cpus()) {
  for (const Softirq kind : {Softirq::tasklet, Softirq::hi}) {
    kernel_.open_softirq(kind, [this, kind] { action(kind); });
  }
}

std::deque<tasklet_struct*>& Tasklets::list(Softirq kind) noexcept {
  PerCpu& cpu = cpus_[kernel_.cpu().id()];
  return kind == Softirq::hi ? cpu.hi : cpu.normal;
}

void Tasklets::schedule(tasklet_struct& tasklet, Softirq kind) {
  if (std::exchange(tasklet.scheduled_, true)) return;
  kernel_.spend(cost::tasklet_schedule);
  list(kind).push_back(&tasklet);
  kernel_.raise_softirq(kind);
}

void Tasklets::action(Softirq kind) {
  for (std::deque<tasklet_struct*> todo = std::exchange(list(kind), {}); !todo.empty();
       todo.pop_front()) {
    tasklet_struct& tasklet = *todo.front();
    if (tasklet.disabled_ != 0) {
      list(kind).push_back(&tasklet);  // tasklet_enable raises the softirq
      continue;
    }
    // Linux puts it back and comes again at once, which keeps this CPU as busy.
    while (tasklet.running_) tasklet.through_.wait(kernel_);
    tasklet.running_ = true;
    tasklet.scheduled_ = false;
    kernel_.spend(cost::tasklet);
    kernel_.cpu().set_softirq_part(ContextId::Kind::tasklet, &tasklet);
    tasklet.function_();
    tasklet.running_ = false;
    tasklet.through_.release();
  }
}

void Tasklets::tasklet_disable(tasklet_struct& tasklet) {
  ++tasklet.disabled_;
  while (tasklet.running_ && kernel_.cpu().running() != nullptr) tasklet.through_.wait(kernel_);
}

void Tasklets::tasklet_enable(tasklet_struct& tasklet) {
  bug_on(tasklet.disabled_ == 0, "tasklet_enable without tasklet_disable");
  if (--tasklet.disabled_ != 0 || !tasklet.scheduled_) return;
  // It waits on the list of the CPU that scheduled it.
  for (unsigned id = 0; id < cpus_.size(); ++id) {
    for (const auto& [kind, waiting] :
         {std::pair{Softirq::tasklet, &cpus_[id].normal}, std::pair{Softirq::hi, &cpus_[id].hi}}) {
      if (std::find(waiting->begin(), waiting->end(), &tasklet) == waiting->end()) continue;
      kernel_.smp_call_function_single(
          id, [this, kind = kind] { kernel_.raise_softirq(kind); }, false);
      return;
    }
  }
}

void Tasklets::tasklet_kill(tasklet_struct& tasklet) {
  bug_on(!kernel_.cpu().may_sleep(), "tasklet_kill outside process context");
  while (tasklet.scheduled_ || tasklet.running_) kernel_.usleep(std::chrono::microseconds{10});
}

}  // namespace nicroscope::kernel
