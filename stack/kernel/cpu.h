// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "nicroscope/time.h"
#include "stack/kernel/context.h"
#include "stack/kernel/cost.h"
#include "stack/kernel/sched.h"
#include "stack/kernel/softirq.h"

namespace nicroscope::kernel {

class Kernel;
class Task;

/// Where a CPU's time went since the start, as /proc/stat splits it.
struct CpuTime {
  Duration user{};
  Duration system{};
  Duration softirq{};
  Duration hardirq{};
  Duration idle{};

  [[nodiscard]] Duration busy() const noexcept { return user + system + softirq + hardirq; }
  CpuTime& operator+=(const CpuTime& other) noexcept;
  CpuTime& operator-=(const CpuTime& other) noexcept;
};

/// One processor: runs contexts by preemption level and lets them spend time. Between two calls of
/// spend() code takes no simulated time, so what it does is atomic; whoever interrupts does so
/// inside spend() or where interrupts are enabled again, and so do the other CPUs.
///
/// Everything here is called from a context of this CPU unless it says otherwise. A process may be
/// on another CPU after every call that lets time pass: ask Kernel::cpu() again, or use the
/// functions of Kernel. Outside every context (before the simulation starts, or in an event of the
/// simulator) spending costs nothing.
class Cpu {
 public:
  Cpu(Kernel& kernel, unsigned id);
  Cpu(const Cpu&) = delete;
  Cpu& operator=(const Cpu&) = delete;
  ~Cpu();

  [[nodiscard]] unsigned id() const noexcept { return id_; }
  /// The argument of a trace event of this CPU: its number is in the bits from 32 up.
  [[nodiscard]] std::uint64_t trace_arg(std::uint64_t value) const noexcept {
    return value | std::uint64_t{id_} << 32U;
  }

  // ---- time
  void spend(Cost c) { spend(c, 1); }
  /// `count` units: bytes, descriptors...
  void spend(Cost c, std::uint64_t count);
  void spend(Duration d);
  /// A device register read: `start` is given what to call with the answer. The CPU waits on the
  /// spot; interrupts are taken meanwhile if they are enabled.
  [[nodiscard]] std::uint32_t wait_for_device(
      const std::function<void(std::function<void(std::uint32_t)>)>& start);

  // ---- spinning
  /// The context whose code runs; null outside every context of this CPU.
  [[nodiscard]] Context* running() const noexcept { return running_; }
  /// Waits on the spot until stop_spinning(); interrupts are taken meanwhile if they are enabled.
  void spin();
  /// From anywhere: lets a context of this CPU that spins go on.
  void stop_spinning(Context& context);

  // ---- context
  [[nodiscard]] bool in_hardirq() const noexcept { return hardirq_active_; }
  [[nodiscard]] bool in_serving_softirq() const noexcept { return serving_softirq_; }
  /// Serving a softirq or with softirqs disabled.
  [[nodiscard]] bool in_softirq() const noexcept { return serving_softirq_ || bh_disable_ != 0; }
  [[nodiscard]] bool in_interrupt() const noexcept { return in_hardirq() || in_softirq(); }
  [[nodiscard]] bool irqs_disabled() const noexcept { return !irqs_enabled_; }
  /// The process that runs or was interrupted; null when idle.
  [[nodiscard]] Task* current() const noexcept { return current_; }
  /// Which handler, softirq or process runs, for the lock checker.
  [[nodiscard]] ContextId context_id() const noexcept;
  /// What runs until set again is a tasklet or a timer, by its address; a softirq by default.
  void set_softirq_part(ContextId::Kind kind, const void* part) noexcept;
  /// In a context that may block.
  [[nodiscard]] bool may_sleep() const noexcept;

  /// The process keeps the processor until it is enabled again (Linux: preempt_disable, get_cpu).
  void preempt_disable() noexcept { ++preempt_disable_; }
  void preempt_enable();

  // ---- interrupts
  /// Returns whether they were enabled, for local_irq_restore.
  [[nodiscard]] bool local_irq_save() noexcept;
  void local_irq_restore(bool were_enabled);
  /// From anywhere: `vector` wants service. While it waits, further ones of it are one.
  void raise_irq(unsigned vector);

  // ---- other CPUs (smp.cpp)
  /// From a context of another CPU, which pays for the sending: `function` runs here in
  /// hard-interrupt context. Several that wait share one interrupt.
  void call_function(std::function<void()> function);
  /// From a context of another CPU: this one looks at its run queue (Linux: smp_send_reschedule).
  void send_reschedule();

  // ---- softirqs
  void local_bh_disable() noexcept { ++bh_disable_; }
  /// Runs what is pending, if this was the last.
  void local_bh_enable();
  /// Runs at the end of the interrupt or in local_bh_enable(), or, raised in process context, in
  /// ksoftirqd.
  void raise_softirq(Softirq nr);
  [[nodiscard]] const std::array<std::uint64_t, kSoftirqs>& softirq_counts() const noexcept {
    return softirq_counts_;
  }

  // ---- processes (task.h has what processes call; sched.cpp)
  /// Leaves the processor, unless the process was woken since prepare_to_sleep().
  void prepare_to_sleep() noexcept;
  /// Takes that back (Linux: __set_current_state(TASK_RUNNING)).
  void current_is_running() noexcept;
  void schedule();
  /// Leaves the processor until somebody wakes the process.
  void block() {
    prepare_to_sleep();
    schedule();
  }
  /// Gives the processor to a task that has more right to it, if there is one.
  void yield();
  /// Another task should have this CPU.
  [[nodiscard]] bool need_resched() const noexcept;
  /// User code gives the processor up if it should.
  void leave_if_preempted();
  /// At each tick: sees whether the running process has had its share.
  void scheduler_tick() noexcept;
  /// Tasks that wait for this CPU.
  [[nodiscard]] std::size_t nr_waiting() const noexcept { return queue_.size(); }

  /// Until now, what is being spent included.
  [[nodiscard]] CpuTime time() const noexcept;
  /// Nothing runs, and nothing waits.
  [[nodiscard]] bool idle() const noexcept { return top() == nullptr && queue_.empty(); }
  [[nodiscard]] std::uint64_t context_switches() const noexcept { return context_switches_; }

  /// From anywhere: goes on with what can go on; from the code of another CPU, once that has come
  /// to rest.
  void dispatch();
  /// Destroys the stacks; nothing runs on this CPU afterwards.
  void stop();

 private:
  friend class Kernel;
  friend class Timers;

  [[nodiscard]] Context* top() const noexcept;
  void go_on();
  void pause(Context* context);
  void arm(Context& context);
  void spent(Duration part);
  void account(const Context& context, Duration elapsed) noexcept;
  void split(CpuTime& sum, const Context& context, Duration elapsed) const noexcept;
  [[nodiscard]] bool take_interrupt();
  void run(Context& context);
  void handle_irq();
  void irq_exit();
  void do_softirq();
  void ksoftirqd();
  void wake_ksoftirqd();

  // ---- the scheduler
  /// Puts a task in the run queue; it is looked at when this CPU is next dispatched.
  void activate(Task& task, bool is_new);
  void adopt(Task& task) noexcept;
  [[nodiscard]] bool pick_task();
  void preempt();
  void sleep(Task& task);
  void leave(Task& task);
  void leave_atomic(Task& task);
  void pause_user();
  [[nodiscard]] bool may_preempt() const noexcept;
  [[nodiscard]] Duration slice_left() const noexcept;
  [[nodiscard]] Duration slice_of_current() const noexcept;
  void charge(Duration elapsed) noexcept;
  void update_min_vruntime() noexcept;

  // ---- other CPUs
  void send_ipi(unsigned vector, EventHandle& in_flight);
  void flush_call_queue();

  Kernel& kernel_;
  const unsigned id_;
  StackPool stacks_;
  Context hardirq_;
  Context softirq_;
  Task* current_ = nullptr;
  Task* last_ = nullptr;  ///< who had the processor before; null after idling
  Task* ksoftirqd_ = nullptr;
  Context* running_ = nullptr;  ///< whose code is executing right now
  RunQueue queue_;
  Duration min_vruntime_{};
  bool need_resched_ = false;
  std::deque<unsigned> irq_queue_;
  std::vector<bool> irq_pending_;
  unsigned vector_ = 0;     ///< being handled
  bool idling_ = true;      ///< nothing to do since the last dispatch
  bool from_idle_ = false;  ///< an interrupt is there, and the idle state not yet left
  bool stopped_ = false;
  bool hardirq_active_ = false;
  bool softirq_active_ = false;  ///< the softirq context has work or is at it
  bool serving_softirq_ = false;
  bool irqs_enabled_ = true;
  unsigned bh_disable_ = 0;
  unsigned preempt_disable_ = 0;
  std::uint32_t softirq_pending_ = 0;
  ContextId softirq_id_;  ///< what of the softirqs is being served
  std::array<std::uint64_t, kSoftirqs> softirq_counts_{};
  std::uint64_t context_switches_ = 0;
  CpuTime time_;
  std::deque<std::function<void()>> call_queue_;
  EventHandle call_ipi_ = EventHandle::none;
  EventHandle reschedule_ipi_ = EventHandle::none;
};

}  // namespace nicroscope::kernel
