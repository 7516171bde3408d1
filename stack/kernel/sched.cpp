// SPDX-License-Identifier: Apache-2.0
#include "stack/kernel/sched.h"

#include <algorithm>
#include <array>
#include <utility>

#include "nicroscope/host_points.h"
#include "stack/kernel/bug.h"
#include "stack/kernel/kernel.h"

// Who has the processor: real-time tasks first come first served by priority, the others by virtual
// runtime, as the completely fair scheduler of Linux 2.6.23 to 6.5 has it (kernel/sched/fair.c).

namespace nicroscope::kernel {

std::uint64_t nice_to_weight(int nice) noexcept {
  static constexpr std::array<std::uint32_t, 40> kWeights{
      88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916,  // -20
      9548,  7620,  6100,  4904,  3906,  3121,  2501,  1991,  1586,  1277,   // -10
      1024,  820,   655,   526,   423,   335,   272,   215,   172,   137,    // 0
      110,   87,    70,    56,    45,    36,    29,    23,    18,    15};    // 10
  return kWeights[static_cast<std::size_t>(std::clamp(nice, -20, 19) + 20)];
}

// ---- the run queue
// -------------------------------------------------------------------------------

void RunQueue::push(Task& task) {
  const auto behind =
      std::upper_bound(tasks_.begin(), tasks_.end(), &task, [](const Task* a, const Task* b) {
        if (a->rt_priority_ != b->rt_priority_) return a->rt_priority_ > b->rt_priority_;
        return a->vruntime_ < b->vruntime_;
      });
  tasks_.insert(behind, &task);
  weight_ += task.weight_;
}

Task& RunQueue::pop() {
  Task& task = *tasks_.front();
  tasks_.pop_front();
  weight_ -= task.weight_;
  return task;
}

Task* RunQueue::pull(unsigned cpu) {
  const auto found = std::find_if(tasks_.begin(), tasks_.end(), [&](const Task* task) {
    return (task->cpus_allowed_ & cpumask_of(cpu)) != 0;
  });
  if (found == tasks_.end()) return nullptr;
  Task* const task = *found;
  tasks_.erase(found);
  weight_ -= task->weight_;
  return task;
}

// ---- the processor's side
// ------------------------------------------------------------------------

bool Cpu::may_sleep() const noexcept {
  return running_ != nullptr && running_->level == Level::task && !in_interrupt() &&
         irqs_enabled_ && preempt_disable_ == 0;
}

// User code is what another process may interrupt: the kernel is not preemptible.
bool Cpu::may_preempt() const noexcept {
  return current_ != nullptr && current_->kernel_depth_ == 0 && !in_interrupt() && irqs_enabled_ &&
         preempt_disable_ == 0;
}

bool Cpu::need_resched() const noexcept {
  if (queue_.empty()) return false;
  return current_ == nullptr || need_resched_ || slice_left() == Duration::zero();
}

Duration Cpu::slice_left() const noexcept {
  if (queue_.empty() || kernel_.config().tick != Tick::none) return Duration::max();
  return slice_of_current() - std::min(current_->ran_, slice_of_current());
}

Duration Cpu::slice_of_current() const noexcept {
  if (queue_.first()->rt_priority_ > current_->rt_priority_) return Duration::zero();
  if (current_->rt_priority_ != 0) return Duration::max();
  const SchedTunables& sched = kernel_.config().sched;
  const Duration period =
      std::max(sched.latency, sched.min_granularity * static_cast<std::int64_t>(queue_.size() + 1));
  return period * static_cast<std::int64_t>(current_->weight_) /
         static_cast<std::int64_t>(queue_.weight() + current_->weight_);
}

void Cpu::scheduler_tick() noexcept {
  if (current_ == nullptr || queue_.empty()) return;
  if (current_->ran_ >= slice_of_current()) need_resched_ = true;
}

void Cpu::charge(Duration elapsed) noexcept {
  current_->ran_ += elapsed;
  const auto weight = static_cast<std::int64_t>(current_->weight_);
  constexpr auto kWeight0 = static_cast<std::int64_t>(kNice0Weight);
  current_->vruntime_ += weight == kWeight0 ? elapsed : elapsed * kWeight0 / weight;
}

void Cpu::update_min_vruntime() noexcept {
  Duration least = kNever;
  if (current_ != nullptr && current_->rt_priority_ == 0) least = current_->vruntime_;
  const Task* const first = queue_.first();
  if (first != nullptr && first->rt_priority_ == 0) least = std::min(least, first->vruntime_);
  if (least != kNever) min_vruntime_ = std::max(min_vruntime_, least);
}

// Virtual runtimes of two CPUs have nothing in common but how far a task is from the others.
void Cpu::adopt(Task& task) noexcept {
  if (task.cpu_ != this) task.vruntime_ += min_vruntime_ - task.cpu_->min_vruntime_;
  task.cpu_ = this;
}

void Cpu::activate(Task& task, bool is_new) {
  task.runnable_ = true;
  task.sleeping_ = false;
  update_min_vruntime();
  if (is_new) {
    task.cpu_ = this;
    task.vruntime_ = min_vruntime_;
  } else {
    // Who slept has some credit, but not all of the time that it slept.
    adopt(task);
    const Duration credit = kernel_.config().sched.latency / 2;
    task.vruntime_ = std::max(task.vruntime_, min_vruntime_ - credit);
  }
  queue_.push(task);
  if (current_ == nullptr) return;
  if (task.rt_priority_ > current_->rt_priority_ ||
      (current_->rt_priority_ == 0 &&
       current_->vruntime_ - task.vruntime_ > kernel_.config().sched.wakeup_granularity)) {
    need_resched_ = true;
  }
  pause_user();  // so that it is armed again, now with an end of its slice
}

void Cpu::pause_user() {
  if (top() == &current_->context_ && running_ == nullptr) pause(&current_->context_);
}

bool Cpu::pick_task() {
  Task* next = queue_.empty() ? kernel_.pull_task(*this) : &queue_.pop();
  if (next == nullptr) {
    if (!idling_) kernel_.timers().enter_idle(id_);
    idling_ = true;
    last_ = nullptr;
    return false;
  }
  adopt(*next);
  current_ = next;
  update_min_vruntime();
  idling_ = false;
  need_resched_ = false;
  next->ran_ = Duration::zero();
  next->switched_ = next != last_;
  last_ = next;
  if (next->switched_) {
    ++context_switches_;
    kernel_.timers().leave_idle(id_);
  }
  if (next->context_.state != Context::State::spending) {
    next->context_.state = Context::State::ready;
  } else if (next->switched_) {
    // It was preempted in user code, which goes on after the switch.
    next->switching_ = kernel_.config().costs[cost::context_switch];
    next->context_.remaining += next->switching_;
  }
  return true;
}

void Cpu::preempt() {
  queue_.push(*current_);
  current_ = nullptr;
}

void Cpu::leave_if_preempted() {
  if (may_preempt() && need_resched() && may_sleep()) yield();
}

void Cpu::preempt_enable() {
  if (stopped_) return;  // a guard on a stack that is unwound
  bug_on(preempt_disable_ == 0, "preempt_enable without preempt_disable");
  --preempt_disable_;
}

void Cpu::prepare_to_sleep() noexcept {
  if (current_ != nullptr) current_->sleeping_ = true;
}

ContextId Cpu::context_id() const noexcept {
  if (hardirq_active_) return {ContextId::Kind::irq, vector_};
  if (serving_softirq_) return softirq_id_;
  return {ContextId::Kind::user, current_ == nullptr ? 0 : current_->pid_};
}

void Cpu::current_is_running() noexcept {
  if (current_ != nullptr) current_->sleeping_ = false;
}

void Cpu::schedule() {
  bug_on(running_ == nullptr || running_->level != Level::task || serving_softirq_,
         "sleeping in an interrupt");
  Task& task = *current_;
  if (!task.sleeping_) return;
  if (task.on_sleep_) task.on_sleep_();
  if (task.sleeping_) kernel_.cpu().sleep(task);
  if (task.on_wake_) task.on_wake_();
}

void Cpu::sleep(Task& task) {
  task.runnable_ = false;
  if (may_sleep()) {
    leave(task);
  } else {
    leave_atomic(task);
  }
  const FrameId frame = std::exchange(task.wake_frame_, kNoFrame);
  kernel_.trace().emit(point::process_run, frame, kernel_.cpu().trace_arg(task.pid_));
}

// What it had switched off is on while it sleeps, for the others' sake, and off again afterwards.
void Cpu::leave_atomic(Task& task) {
  kernel_.lockdep().report("scheduling while atomic: process " + task.name_ + "/" +
                           std::to_string(task.pid_));
  const unsigned bh = std::exchange(bh_disable_, 0);
  const unsigned preempt = std::exchange(preempt_disable_, 0);
  const bool irqs = std::exchange(irqs_enabled_, true);
  leave(task);
  Cpu& now = kernel_.cpu();
  now.bh_disable_ += bh;
  now.preempt_disable_ += preempt;
  now.irqs_enabled_ = irqs;
}

void Cpu::yield() {
  bug_on(!may_sleep(),
         "yielding in an interrupt, with interrupts or softirqs off, or not preemptible");
  Task& task = *current_;
  queue_.push(task);
  leave(task);
}

// Comes back on whichever CPU has the task next.
void Cpu::leave(Task& task) {
  task.context_.state = Context::State::blocked;
  task.context_.suspend();
  if (task.switched_) task.pay_for_switch();
}

// ---- the host's side
// -----------------------------------------------------------------------------

// A CPU that has nothing to do takes over a task that waits elsewhere (newidle_balance).
Task* Kernel::pull_task(Cpu& idle) {
  Cpu* busiest = nullptr;
  for (const auto& cpu : cpus_) {
    if (cpu->current_ == nullptr || cpu->queue_.empty()) continue;
    if (busiest == nullptr || cpu->queue_.size() > busiest->queue_.size()) busiest = cpu.get();
  }
  return busiest == nullptr ? nullptr : busiest->queue_.pull(idle.id());
}

Cpu& Kernel::select_cpu(const Task& task, bool is_new) noexcept {
  const auto allowed = [&](const Cpu& cpu) {
    return (task.cpus_allowed_ & cpumask_of(cpu.id())) != 0;
  };
  const unsigned previous = task.cpu_->id();
  for (unsigned i = 0; i < cpus(); ++i) {
    Cpu& cpu = *cpus_[(previous + i) % cpus()];
    if (allowed(cpu) && cpu.idle()) return cpu;
  }
  if (allowed(*task.cpu_) && !is_new) return *task.cpu_;
  Cpu* best = nullptr;
  for (unsigned i = 0; i < cpus(); ++i) {
    Cpu& cpu = *cpus_[(previous + i) % cpus()];
    if (!allowed(cpu)) continue;
    if (best == nullptr || cpu.nr_waiting() < best->nr_waiting()) best = &cpu;
  }
  return *best;
}

bool Kernel::wake_up_process(Task& task) {
  if (task.exited_ || !task.sleeping_) return false;
  if (task.runnable_) {
    task.sleeping_ = false;  // about to sleep, and now it will not
  } else {
    place(task, false);
  }
  return true;
}

void Kernel::place(Task& task, bool is_new) {
  Cpu& target = select_cpu(task, is_new);
  const bool was_idle = target.idle();
  target.activate(task, is_new);
  const Cpu& self = cpu();
  if (&target == &self || self.running() == nullptr) {
    target.dispatch();
  } else if (was_idle || target.need_resched_) {
    target.send_reschedule();
  } else if (!target.idling_) {
    target.dispatch();
  }
}

}  // namespace nicroscope::kernel
