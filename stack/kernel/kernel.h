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
#include "stack/kernel/memory.h"
#include "stack/kernel/napi.h"
#include "stack/kernel/softirq.h"
#include "stack/kernel/task.h"
#include "stack/kernel/timer.h"

namespace nicroscope::kernel {

struct Config {
  unsigned hz = 250;             ///< jiffies a second
  unsigned netdev_budget = 300;  ///< packets a NET_RX softirq handles at most
  unsigned netdev_budget_jiffies = 2;
  Duration time_slice = std::chrono::milliseconds{3};  ///< of user code while others wait
  CostProfile costs = CostProfile::builtin();
};

/// One simulated host: its CPU, memory, interrupts, softirqs, timers and processes. It knows time,
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
  [[nodiscard]] Memory& memory() noexcept { return memory_; }
  [[nodiscard]] Dma& dma() noexcept { return dma_; }
  [[nodiscard]] IrqTable& irq() noexcept { return irq_; }
  [[nodiscard]] NapiCore& napi() noexcept { return napi_; }
  [[nodiscard]] Timers& timers() noexcept { return timers_; }
  /// The CPU whose code is running (Linux: smp_processor_id).
  [[nodiscard]] Cpu& cpu() noexcept { return cpu_; }

  // ---- time
  [[nodiscard]] Time now() const noexcept { return timeline_.now(); }
  [[nodiscard]] std::uint64_t jiffies() const noexcept;
  [[nodiscard]] Duration jiffy() const noexcept { return jiffy_; }
  /// Rounded up.
  [[nodiscard]] std::uint64_t to_jiffies(Duration d) const noexcept;
  /// Adds or takes what cost::x costs from the running context: see Cpu.
  void spend(Cost c) { cpu_.spend(c); }
  void spend(Cost c, std::uint64_t count) { cpu_.spend(c, count); }
  void spend(Duration d) { cpu_.spend(d); }
  /// Blocks the process for at least `d`, to the next jiffy (Linux: msleep).
  void msleep(Duration d);
  /// Blocks the process for `d` (Linux: usleep_range; hrtimer).
  void usleep(Duration d);

  // ---- softirqs
  /// Names the handler of a softirq.
  void open_softirq(Softirq nr, std::function<void()> action);
  void raise_softirq(Softirq nr) { cpu_.raise_softirq(nr); }
  [[nodiscard]] std::string proc_softirqs() const;

  // ---- processes
  /// A process, runnable at once; gone when `function` returns. The reference is good for the life
  /// of the kernel.
  Task& spawn(std::string name, std::function<void()> function);
  /// Ends every process where it stands, running the destructors on its stack, and stops the CPU.
  /// For owners of what processes use, before they go.
  void shutdown();

 private:
  friend class Cpu;

  Timeline& timeline_;
  TraceBus& trace_;
  const Config config_;
  const Duration jiffy_;
  std::array<std::function<void()>, kSoftirqs> softirq_actions_;
  Memory memory_;
  Dma dma_;
  StackPool stacks_;
  Cpu cpu_;
  IrqTable irq_;
  Timers timers_;
  NapiCore napi_;
  std::vector<std::unique_ptr<Task>> tasks_;
};

}  // namespace nicroscope::kernel
