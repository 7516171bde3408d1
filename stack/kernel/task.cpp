// SPDX-License-Identifier: Apache-2.0
#include "stack/kernel/task.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "nicroscope/host_points.h"
#include "stack/kernel/bug.h"
#include "stack/kernel/kernel.h"

namespace nicroscope::kernel {

Task::Task(Kernel& kernel, Cpu& cpu, StackPool& stacks, std::uint32_t pid, std::string name,
           std::function<void()> function, const TaskOptions& options)
    : kernel_(kernel),
      cpu_(&cpu),
      pid_(pid),
      name_(std::move(name)),
      cpus_allowed_(options.cpu ? cpumask_of(*options.cpu) : options.cpus_allowed),
      rt_priority_(options.rt_priority),
      weight_(nice_to_weight(options.nice)),
      kernel_depth_(options.kthread ? 1 : 0),
      context_(stacks, Level::task, [this, f = std::move(function)] { main(f); }) {}

// In the kernel, whatever the task does otherwise.
void Task::pay_for_switch() {
  ++kernel_depth_;
  kernel_.spend(cost::context_switch);
  --kernel_depth_;
}

void Task::main(const std::function<void()>& function) {
  pay_for_switch();
  kernel_.trace().emit(point::process_run, kNoFrame, kernel_.cpu().trace_arg(pid_));
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
  if (std::uncaught_exceptions() == exceptions_) {
    kernel_.lockdep().check_none_held(task_.context_, "returning to user space");
    kernel_.spend(cost::syscall_exit);
  }
  --task_.kernel_depth_;
  if (std::uncaught_exceptions() == exceptions_) kernel_.cpu().leave_if_preempted();
}

// ---- WaitQueue
// -----------------------------------------------------------------------------------

void WaitQueue::prepare_to_wait() {
  Cpu& cpu = kernel_.cpu();
  bug_on(cpu.current() == nullptr || cpu.in_hardirq() || cpu.in_serving_softirq(),
         "sleeping in an interrupt");
  waiters_.push_back(cpu.current());
  cpu.prepare_to_sleep();
}

// Whoever was woken for another reason leaves the queue by itself.
void WaitQueue::finish_wait() {
  if (!waiters_.empty()) std::erase(waiters_, kernel_.cpu().current());
}

void WaitQueue::sleep() {
  prepare_to_wait();
  kernel_.cpu().schedule();
  finish_wait();
}

std::uint64_t WaitQueue::deadline_after(Duration timeout) const {
  return kernel_.jiffies() + kernel_.to_jiffies(timeout) + 1;
}

bool WaitQueue::sleep_until(std::uint64_t deadline) {
  if (kernel_.jiffies() >= deadline) return false;
  prepare_to_wait();  // before time passes: a wake-up from now on is not lost
  Task& task = *kernel_.cpu().current();
  timer_list timer(kernel_, [this, &task] {
    std::erase(waiters_, &task);
    kernel_.wake_up_process(task);
  });
  kernel_.timers().mod_timer(timer, deadline);
  kernel_.cpu().schedule();
  finish_wait();
  kernel_.timers().del_timer_sync(timer);
  return true;
}

void WaitQueue::wake_up(FrameId frame) {
  if (waiters_.empty()) return;
  Task& task = *waiters_.front();
  waiters_.pop_front();
  task.wake_frame_ = frame;
  kernel_.spend(cost::try_to_wake_up);
  kernel_.trace().emit(point::process_wake, frame, kernel_.cpu().trace_arg(task.pid_));
  kernel_.wake_up_process(task);
}

void WaitQueue::wake_up_all(FrameId frame) {
  for (std::size_t n = waiters_.size(); n != 0 && !waiters_.empty(); --n) wake_up(frame);
}

}  // namespace nicroscope::kernel
