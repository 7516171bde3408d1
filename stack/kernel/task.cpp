// SPDX-License-Identifier: Apache-2.0
#include "stack/kernel/task.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "nicroscope/host_points.h"
#include "stack/kernel/bug.h"
#include "stack/kernel/kernel.h"

namespace nicroscope::kernel {

// ---- the process half of Cpu
// ---------------------------------------------------------------------

bool Cpu::may_sleep() const noexcept {
  return running_ != nullptr && running_->level == Level::task && !in_interrupt() && irqs_enabled_;
}

void Cpu::enqueue(Task& task) {
  if (task.runnable_ || task.exited_) return;
  task.runnable_ = true;
  run_queue_.push_back(&task);
  dispatch();
}

void Cpu::block() {
  bug_on(!may_sleep(), "sleeping in an interrupt, or with interrupts or softirqs off");
  Task& task = *current_;
  task.runnable_ = false;
  task.context_.state = Context::State::blocked;
  task.context_.suspend();
  spend(cost::context_switch);
  const FrameId frame = std::exchange(task.wake_frame_, kNoFrame);
  kernel_.trace().emit(point::process_run, frame, task.pid_);
}

void Cpu::yield() {
  bug_on(!may_sleep(), "yielding in an interrupt, or with interrupts or softirqs off");
  Task& task = *current_;
  run_queue_.push_back(&task);
  task.context_.state = Context::State::blocked;
  task.context_.suspend();
  spend(cost::context_switch);
}

// ---- Task
// ----------------------------------------------------------------------------------------

Task::Task(Kernel& kernel, Cpu& cpu, StackPool& stacks, std::uint32_t pid, std::string name,
           std::function<void()> function)
    : kernel_(kernel),
      cpu_(cpu),
      pid_(pid),
      name_(std::move(name)),
      context_(stacks, Level::task, [this, f = std::move(function)] { main(f); }) {}

void Task::main(const std::function<void()>& function) {
  cpu_.spend(cost::context_switch);
  kernel_.trace().emit(point::process_run, kNoFrame, pid_);
  try {
    function();
  } catch (...) {
    runnable_ = false;
    exited_ = true;
    throw;
  }
  runnable_ = false;
  exited_ = true;
}

// ---- SystemCall
// ----------------------------------------------------------------------------------

SystemCall::SystemCall(Kernel& kernel)
    : kernel_(kernel), task_(*kernel.cpu().current()), exceptions_(std::uncaught_exceptions()) {
  ++task_.kernel_depth_;
  kernel_.spend(cost::syscall_entry);
}

SystemCall::~SystemCall() noexcept(false) {
  // A stack that is unwound has no more time to spend.
  if (std::uncaught_exceptions() == exceptions_) kernel_.spend(cost::syscall_exit);
  --task_.kernel_depth_;
}

// ---- WaitQueue
// -----------------------------------------------------------------------------------

void WaitQueue::sleep() {
  Cpu& cpu = kernel_.cpu();
  bug_on(!cpu.may_sleep(), "sleeping in an interrupt, or with interrupts or softirqs off");
  waiters_.push_back(cpu.current());
  cpu.block();
}

std::uint64_t WaitQueue::deadline_after(Duration timeout) const {
  return kernel_.jiffies() + kernel_.to_jiffies(timeout) + 1;
}

bool WaitQueue::sleep_until(std::uint64_t deadline) {
  if (kernel_.jiffies() >= deadline) return false;
  Task& task = *kernel_.cpu().current();
  timer_list timer(kernel_, [this, &task] {
    std::erase(waiters_, &task);
    task.cpu_.enqueue(task);
  });
  kernel_.timers().mod_timer(timer, deadline);
  sleep();
  return true;
}

void WaitQueue::wake_up(FrameId frame) {
  if (waiters_.empty()) return;
  Task& task = *waiters_.front();
  waiters_.pop_front();
  kernel_.spend(cost::try_to_wake_up);
  kernel_.trace().emit(point::process_wake, frame, task.pid_);
  task.wake_frame_ = frame;
  task.cpu_.enqueue(task);
}

void WaitQueue::wake_up_all(FrameId frame) {
  for (std::size_t n = waiters_.size(); n != 0 && !waiters_.empty(); --n) wake_up(frame);
}

}  // namespace nicroscope::kernel
