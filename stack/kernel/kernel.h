// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "nicroscope/host_memory.h"
#include "nicroscope/time.h"
#include "nicroscope/timeline.h"
#include "nicroscope/trace.h"
#include "stack/kernel/bug.h"
#include "stack/kernel/cost.h"
#include "stack/kernel/cpu.h"
#include "stack/kernel/dma.h"
#include "stack/kernel/irq.h"
#include "stack/kernel/lock/lockdep.h"
#include "stack/kernel/memory.h"
#include "stack/kernel/napi.h"
#include "stack/kernel/softirq.h"
#include "stack/kernel/task.h"
#include "stack/kernel/timer.h"

namespace nicroscope::kernel {

class Tasklets;
class Workqueues;

/// The scheduler's tick, each jiffy on each CPU. Timers are served in time without it.
enum class Tick : std::uint8_t {
  none,     ///< there is none: a process that has had its share is preempted at that very time
  nohz,     ///< while a process has the CPU (Linux: CONFIG_NO_HZ_IDLE)
  periodic  ///< always (Linux: CONFIG_HZ_PERIODIC, and all of Linux 2.4)
};

struct Config {
  unsigned cpus = 1;  ///< 1 to kMaxCpus
  unsigned hz = 250;  ///< jiffies a second
  Tick tick = Tick::none;
  SchedTunables sched;
  int ksoftirqd_nice = 0;        ///< 19 in Linux 2.4
  unsigned netdev_budget = 300;  ///< packets a NET_RX softirq handles at most
  unsigned netdev_budget_jiffies = 2;
  CostProfile costs = CostProfile::builtin();
};

/// One simulated host: its CPUs, memory, interrupts, softirqs, timers and processes. It knows time,
/// memory and the trace by what is handed in, all of which must outlive it.
class Kernel {
 public:
  Kernel(Timeline& timeline, HostMemory& memory, TraceBus& trace, Config config = {});
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;
  ~Kernel();

  [[nodiscard]] const Config& config() const noexcept { return config_; }
  [[nodiscard]] Timeline& timeline() noexcept { return timeline_; }
  [[nodiscard]] TraceBus& trace() noexcept { return trace_; }
  [[nodiscard]] Lockdep& lockdep() noexcept { return lockdep_; }
  [[nodiscard]] Memory& memory() noexcept { return memory_; }
  [[nodiscard]] Dma& dma() noexcept { return dma_; }
  [[nodiscard]] IrqTable& irq() noexcept { return irq_; }
  [[nodiscard]] NapiCore& napi() noexcept { return napi_; }
  [[nodiscard]] Timers& timers() noexcept { return timers_; }
  [[nodiscard]] Tasklets& tasklets() noexcept { return *tasklets_; }
  [[nodiscard]] Workqueues& workqueues() noexcept { return *workqueues_; }
  /// The CPU whose code is running (Linux: smp_processor_id); outside every context CPU 0.
  [[nodiscard]] Cpu& cpu() noexcept { return dispatching_ != nullptr ? *dispatching_ : *cpus_[0]; }
  [[nodiscard]] Cpu& cpu(unsigned id) noexcept { return *cpus_[id]; }
  [[nodiscard]] const Cpu& cpu(unsigned id) const noexcept { return *cpus_[id]; }
  [[nodiscard]] unsigned cpus() const noexcept { return static_cast<unsigned>(cpus_.size()); }
  [[nodiscard]] cpumask_t cpu_possible_mask() const noexcept {
    return kAllCpus >> (kMaxCpus - cpus());
  }

  // ---- time
  [[nodiscard]] Time now() const noexcept { return timeline_.now(); }
  [[nodiscard]] std::uint64_t jiffies() const noexcept;
  [[nodiscard]] Duration jiffy() const noexcept { return jiffy_; }
  /// Rounded up.
  [[nodiscard]] std::uint64_t to_jiffies(Duration d) const noexcept;
  /// Adds or takes what cost::x costs from the running context: see Cpu.
  void spend(Cost c) { cpu().spend(c); }
  void spend(Cost c, std::uint64_t count) { cpu().spend(c, count); }
  void spend(Duration d) { cpu().spend(d); }
  /// Blocks the process for at least `d`, to the next jiffy (Linux: msleep).
  void msleep(Duration d);
  /// Blocks the process for `d` (Linux: usleep_range; hrtimer).
  void usleep(Duration d);

  // ---- softirqs
  /// Names the handler of a softirq.
  void open_softirq(Softirq nr, std::function<void()> action);
  void raise_softirq(Softirq nr) { cpu().raise_softirq(nr); }
  /// As /proc/softirqs and the CPUs' lines of /proc/stat, the latter in 1/100 s.
  [[nodiscard]] std::string proc_softirqs() const;
  [[nodiscard]] std::string proc_stat() const;

  // ---- processes (sched.cpp)
  /// A process, runnable at once; gone when `function` returns. The reference is good for the life
  /// of the kernel. It starts on an idle CPU, or the one with the shortest queue.
  Task& spawn(std::string name, std::function<void()> function, const TaskOptions& options = {});
  /// From anywhere: a process that sleeps, or is about to, is runnable again; where its last CPU is
  /// busy and another is idle, there. False if it did not sleep.
  bool wake_up_process(Task& task);
  /// In the kernel: gives the processor up if another process should have it.
  void cond_resched();

  // ---- other CPUs (smp.cpp)
  /// Runs `function` in hard-interrupt context on CPU `id`, here with interrupts off if that is
  /// this one. With `wait` the caller spins until it has run, otherwise it goes on at once.
  void smp_call_function_single(unsigned id, std::function<void()> function, bool wait);

  /// Ends every process where it stands, running the destructors on its stack, and stops the CPUs.
  /// For owners of what processes use, before they go.
  void shutdown();

 private:
  friend class Cpu;

  void dispatch();
  void place(Task& task, bool is_new);
  [[nodiscard]] Cpu& select_cpu(const Task& task, bool is_new) noexcept;
  [[nodiscard]] Task* pull_task(Cpu& idle);
  Task& make_task(std::string name, std::function<void()> function, const TaskOptions& options,
                  unsigned cpu);

  Timeline& timeline_;
  TraceBus& trace_;
  const Config config_;
  const Duration jiffy_;
  std::array<std::function<void()>, kSoftirqs> softirq_actions_;
  Lockdep lockdep_;
  Memory memory_;
  Dma dma_;
  StackPool stacks_;
  std::vector<std::unique_ptr<Cpu>> cpus_;
  Cpu* dispatching_ = nullptr;  ///< whose code runs
  cpumask_t to_dispatch_ = 0;
  IrqTable irq_;
  Timers timers_;
  NapiCore napi_;
  std::unique_ptr<Tasklets> tasklets_;
  std::unique_ptr<Workqueues> workqueues_;
  std::vector<std::unique_ptr<Task>> tasks_;
};

}  // namespace nicroscope::kernel
