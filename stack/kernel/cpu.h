// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>

#include "nicroscope/time.h"
#include "stack/kernel/context.h"
#include "stack/kernel/cost.h"
#include "stack/kernel/softirq.h"

namespace nicroscope::kernel {

class Kernel;
class Task;

/// Where a CPU's time went. What is missing from the time since the start was idle.
struct CpuTime {
  Duration user{};
  Duration system{};
  Duration softirq{};
  Duration hardirq{};
};

/// One processor: runs contexts by preemption level and lets them spend time. Between two calls of
/// spend() code takes no simulated time, so what it does is atomic; whoever interrupts does so
/// inside spend() or where interrupts are enabled again.
///
/// Everything here is called from a context of this CPU unless it says otherwise. Outside every
/// context (before the simulation starts) spending costs nothing.
class Cpu {
 public:
  Cpu(Kernel& kernel, unsigned id);
  Cpu(const Cpu&) = delete;
  Cpu& operator=(const Cpu&) = delete;
  ~Cpu();

  [[nodiscard]] unsigned id() const noexcept { return id_; }

  // ---- time
  void spend(Cost c) { spend(c, 1); }
  /// `count` units: bytes, descriptors...
  void spend(Cost c, std::uint64_t count);
  void spend(Duration d);
  /// A device register read: `start` is given what to call with the answer. The CPU waits on the
  /// spot; interrupts are taken meanwhile if they are enabled.
  [[nodiscard]] std::uint32_t wait_for_device(
      const std::function<void(std::function<void(std::uint32_t)>)>& start);

  // ---- context
  [[nodiscard]] bool in_hardirq() const noexcept { return hardirq_active_; }
  [[nodiscard]] bool in_serving_softirq() const noexcept { return serving_softirq_; }
  /// Serving a softirq or with softirqs disabled.
  [[nodiscard]] bool in_softirq() const noexcept { return serving_softirq_ || bh_disable_ != 0; }
  [[nodiscard]] bool in_interrupt() const noexcept { return in_hardirq() || in_softirq(); }
  [[nodiscard]] bool irqs_disabled() const noexcept { return !irqs_enabled_; }
  /// The process that runs or was interrupted; null when idle.
  [[nodiscard]] Task* current() const noexcept { return current_; }
  /// In a context that may block.
  [[nodiscard]] bool may_sleep() const noexcept;

  // ---- interrupts
  /// Returns whether they were enabled, for local_irq_restore.
  [[nodiscard]] bool local_irq_save() noexcept;
  void local_irq_restore(bool were_enabled);
  /// From anywhere: `vector` wants service. While it waits, further ones of it are one.
  void raise_irq(unsigned vector);

  // ---- softirqs
  void local_bh_disable() noexcept { ++bh_disable_; }
  /// Runs what is pending, if this was the last.
  void local_bh_enable();
  /// From anywhere. Runs at the end of the interrupt or in local_bh_enable(), or, raised in process
  /// context, in ksoftirqd.
  void raise_softirq(Softirq nr);
  [[nodiscard]] const std::array<std::uint64_t, kSoftirqs>& softirq_counts() const noexcept {
    return softirq_counts_;
  }

  // ---- processes (task.h has what processes call)
  /// From anywhere: puts a task at the end of the run queue.
  void enqueue(Task& task);
  /// Leaves the processor until someone calls enqueue().
  void block();
  /// Leaves the processor to the other runnable tasks.
  void yield();
  /// Another task waits for this CPU.
  [[nodiscard]] bool need_resched() const noexcept { return !run_queue_.empty(); }

  [[nodiscard]] const CpuTime& time() const noexcept { return time_; }
  [[nodiscard]] bool idle() const noexcept { return top() == nullptr && run_queue_.empty(); }
  [[nodiscard]] std::uint64_t context_switches() const noexcept { return context_switches_; }

  /// From outside: goes on with what can go on.
  void dispatch();
  /// Destroys the stacks; nothing runs on this CPU afterwards.
  void stop();

 private:
  friend class Kernel;

  [[nodiscard]] Context* top() const noexcept;
  void pause(Context* context);
  void arm(Context& context);
  void account(const Context& context, Duration elapsed) noexcept;
  [[nodiscard]] bool take_interrupt();
  [[nodiscard]] bool pick_task();
  void run(Context& context);
  void handle_irq();
  void irq_exit();
  void do_softirq();
  void ksoftirqd();
  void wake_ksoftirqd();

  Kernel& kernel_;
  const unsigned id_;
  StackPool stacks_;
  Context hardirq_;
  Context softirq_;
  Task* current_ = nullptr;
  Task* ksoftirqd_ = nullptr;
  Context* running_ = nullptr;  ///< whose code is executing right now
  std::deque<Task*> run_queue_;
  std::deque<unsigned> irq_queue_;
  std::vector<bool> irq_pending_;
  unsigned vector_ = 0;  ///< being handled
  bool from_idle_ = false;
  bool dispatching_ = false;
  bool stopped_ = false;
  bool hardirq_active_ = false;
  bool softirq_active_ = false;  ///< the softirq context has work or is at it
  bool serving_softirq_ = false;
  bool irqs_enabled_ = true;
  unsigned bh_disable_ = 0;
  std::uint32_t softirq_pending_ = 0;
  std::array<std::uint64_t, kSoftirqs> softirq_counts_{};
  std::uint64_t context_switches_ = 0;
  CpuTime time_;
};

}  // namespace nicroscope::kernel
