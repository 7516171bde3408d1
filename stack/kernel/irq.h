// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "stack/kernel/sched.h"

namespace nicroscope::kernel {

class Kernel;

/// Linux's irqreturn_t: whether the handler's device had asked.
enum class irqreturn_t : std::uint8_t { IRQ_NONE, IRQ_HANDLED };

using irq_handler_t = std::function<irqreturn_t(unsigned vector)>;

/// The vectors of one host, their handlers, affinities and counts.
class IrqTable {
 public:
  /// The local timer's vector, behind the 2048 that a device can have, and those by which CPUs
  /// interrupt each other. Each CPU has its own of these.
  static constexpr unsigned kLocalTimer = 2048;
  static constexpr unsigned kReschedule = 2049;
  static constexpr unsigned kCallFunction = 2050;
  static constexpr unsigned kVectors = 2051;

  explicit IrqTable(Kernel& kernel);
  IrqTable(const IrqTable&) = delete;
  IrqTable& operator=(const IrqTable&) = delete;
  ~IrqTable();

  /// False if the vector is taken or out of range, or there is no such CPU. Interrupts go to CPU
  /// `cpu` until irq_set_affinity. Not from a hard interrupt, nor is free_irq.
  [[nodiscard]] bool request_irq(unsigned vector, std::string name, irq_handler_t handler,
                                 unsigned cpu = 0);
  /// The handler does not run any more, on any CPU, when this returns.
  void free_irq(unsigned vector);

  /// Waits until the handler does not run any more; it may run again later.
  void synchronize_irq(unsigned vector);

  /// Which CPUs the vector may interrupt, as /proc/irq/N/smp_affinity sets it; it goes to the
  /// lowest of them. What was raised before is still handled where it went. False if the mask has
  /// no CPU of this host or nobody requested the vector.
  [[nodiscard]] bool irq_set_affinity(unsigned vector, cpumask_t mask);
  [[nodiscard]] cpumask_t irq_affinity(unsigned vector) const noexcept;
  /// Where it goes: /proc/irq/N/effective_affinity_list.
  [[nodiscard]] unsigned effective_cpu(unsigned vector) const noexcept;

  /// The device's side: a message for `vector` arrived. Without handler it counts as spurious.
  void raise(unsigned vector);
  /// Runs the handler; called by the Cpu in hard-interrupt context. A handler that runs on another
  /// CPU at the time runs once more there instead.
  void handle(unsigned vector, unsigned cpu);

  [[nodiscard]] std::uint64_t count(unsigned vector) const;
  [[nodiscard]] std::uint64_t count(unsigned vector, unsigned cpu) const;
  [[nodiscard]] std::uint64_t total() const noexcept { return total_; }
  [[nodiscard]] std::uint64_t spurious() const noexcept { return spurious_; }
  /// As /proc/interrupts: a line a vector, a column a CPU.
  [[nodiscard]] std::string proc_interrupts() const;

 private:
  struct Descriptor;
  [[nodiscard]] Descriptor* find(unsigned vector) const noexcept;

  Kernel& kernel_;
  std::vector<std::unique_ptr<Descriptor>> descriptors_;
  std::uint64_t total_ = 0;
  std::uint64_t spurious_ = 0;
};

}  // namespace nicroscope::kernel
