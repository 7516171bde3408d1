// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <utility>

#include "nicroscope/time.h"
#include "nicroscope/trace.h"
#include "stack/kernel/context.h"
#include "stack/kernel/cpu.h"

namespace nicroscope::kernel {

class Kernel;

/// A process or kernel thread. Made by Kernel::spawn.
class Task {
 public:
  Task(Kernel& kernel, Cpu& cpu, StackPool& stacks, std::uint32_t pid, std::string name,
       std::function<void()> function, const TaskOptions& options);
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  [[nodiscard]] std::uint32_t pid() const noexcept { return pid_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] bool exited() const noexcept { return exited_; }
  [[nodiscard]] bool in_kernel() const noexcept { return kernel_depth_ != 0; }
  /// Where it runs, or ran last.
  [[nodiscard]] Cpu& cpu() const noexcept { return *cpu_; }
  [[nodiscard]] cpumask_t cpus_allowed() const noexcept { return cpus_allowed_; }

  /// Called by the task before it leaves the processor to sleep, and after it has it back.
  void set_sleep_hooks(std::function<void()> on_sleep, std::function<void()> on_wake) {
    on_sleep_ = std::move(on_sleep);
    on_wake_ = std::move(on_wake);
  }

 private:
  friend class Cpu;
  friend class Kernel;
  friend class RunQueue;
  friend class SystemCall;
  friend class WaitQueue;

  void pay_for_switch();
  void main(const std::function<void()>& function);

  Kernel& kernel_;
  Cpu* cpu_;
  const std::uint32_t pid_;
  const std::string name_;
  const cpumask_t cpus_allowed_;
  const unsigned rt_priority_;
  const std::uint64_t weight_;
  unsigned kernel_depth_ = 0;
  bool runnable_ = false;  ///< has a CPU or waits for one
  bool sleeping_ = false;  ///< waits to be woken, or is about to
  bool switched_ = false;  ///< another had the CPU before
  bool exited_ = false;
  std::function<void()> on_sleep_;
  std::function<void()> on_wake_;
  FrameId wake_frame_ = kNoFrame;
  Duration vruntime_{};   ///< processor time that it had, by its weight (Linux: sched_entity)
  Duration ran_{};        ///< processor time since it was picked
  Duration switching_{};  ///< of what its context spends, the switch
  Context context_;
};

/// The span of a system call: crosses into the kernel, and back when it ends.
class SystemCall {
 public:
  explicit SystemCall(Kernel& kernel);
  SystemCall(const SystemCall&) = delete;
  SystemCall& operator=(const SystemCall&) = delete;
  ~SystemCall() noexcept(false);

 private:
  Kernel& kernel_;
  Task& task_;
  int exceptions_;
};

/// Processes that wait for a condition, first come, first woken (Linux: include/linux/wait.h).
class WaitQueue {
 public:
  explicit WaitQueue(Kernel& kernel) : kernel_(kernel) {}
  WaitQueue(const WaitQueue&) = delete;
  WaitQueue& operator=(const WaitQueue&) = delete;

  /// Blocks the current process until `condition` holds; looks again after each wake-up.
  template <typename Condition>
  void wait_event(Condition&& condition) {
    while (!condition()) sleep();
  }
  /// The same for at most `timeout`, in jiffies as Linux counts it. False if it ran out.
  template <typename Condition>
  [[nodiscard]] bool wait_event_timeout(Condition&& condition, Duration timeout) {
    const std::uint64_t deadline = deadline_after(timeout);
    while (!condition()) {
      if (!sleep_until(deadline)) return condition();
    }
    return true;
  }

  /// From any context. `frame` names the packet that is the reason, for the trace.
  void wake_up(FrameId frame = kNoFrame);
  void wake_up_all(FrameId frame = kNoFrame);
  [[nodiscard]] bool active() const noexcept { return !waiters_.empty(); }

 private:
  [[nodiscard]] std::uint64_t deadline_after(Duration timeout) const;
  void prepare_to_wait();
  void finish_wait();
  void sleep();
  /// False if the jiffy `deadline` has come.
  [[nodiscard]] bool sleep_until(std::uint64_t deadline);

  Kernel& kernel_;
  std::deque<Task*> waiters_;
};

}  // namespace nicroscope::kernel
