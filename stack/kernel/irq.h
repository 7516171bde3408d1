// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace nicroscope::kernel {

class Kernel;

/// Linux's irqreturn_t: whether the handler's device had asked.
enum class irqreturn_t : std::uint8_t { IRQ_NONE, IRQ_HANDLED };

using irq_handler_t = std::function<irqreturn_t(unsigned vector)>;

/// The vectors of one host, their handlers and counts.
class IrqTable {
 public:
  /// The local timer's vector, behind the 2048 that a device can have.
  static constexpr unsigned kLocalTimer = 2048;

  explicit IrqTable(Kernel& kernel) : kernel_(kernel) {}
  IrqTable(const IrqTable&) = delete;
  IrqTable& operator=(const IrqTable&) = delete;

  /// False if the vector is taken or out of range. Interrupts go to CPU `cpu`. Not from a hard
  /// interrupt, nor is free_irq.
  [[nodiscard]] bool request_irq(unsigned vector, std::string name, irq_handler_t handler,
                                 unsigned cpu = 0);
  /// The handler will not run again.
  void free_irq(unsigned vector);

  /// The device's side: a message for `vector` arrived. Without handler it counts as spurious.
  void raise(unsigned vector);
  /// Runs the handler; called by the Cpu in hard-interrupt context.
  void handle(unsigned vector, unsigned cpu);

  [[nodiscard]] std::uint64_t count(unsigned vector) const;
  [[nodiscard]] std::uint64_t total() const noexcept { return total_; }
  [[nodiscard]] std::uint64_t spurious() const noexcept { return spurious_; }
  /// As /proc/interrupts: a line a vector, a column a CPU.
  [[nodiscard]] std::string proc_interrupts() const;

 private:
  struct Descriptor {
    std::string name;
    irq_handler_t handler;
    unsigned cpu = 0;
    std::vector<std::uint64_t> counts;  ///< a CPU each
  };
  [[nodiscard]] Descriptor* find(unsigned vector) noexcept;

  Kernel& kernel_;
  std::vector<Descriptor> descriptors_;
  std::uint64_t total_ = 0;
  std::uint64_t spurious_ = 0;
};

}  // namespace nicroscope::kernel
