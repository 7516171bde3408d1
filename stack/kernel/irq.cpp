// SPDX-License-Identifier: Apache-2.0
#include "stack/kernel/irq.h"

#include <array>
#include <bit>
#include <cstdio>
#include <string_view>
#include <utility>

#include "stack/kernel/bug.h"
#include "stack/kernel/kernel.h"
#include "stack/kernel/spin_wait.h"

namespace nicroscope::kernel {

namespace {

struct Internal {
  unsigned vector;
  std::string_view symbol;
};
constexpr std::array<Internal, 3> kInternals{{{IrqTable::kLocalTimer, "LOC"},
                                              {IrqTable::kReschedule, "RES"},
                                              {IrqTable::kCallFunction, "CAL"}}};

template <typename... Values>
void print(std::string& text, const char* format, Values... values) {
  std::array<char, 48> piece{};
  std::snprintf(piece.data(), piece.size(), format, values...);
  text += piece.data();
}

}  // namespace

struct IrqTable::Descriptor {
  std::string name;
  irq_handler_t handler;
  cpumask_t affinity = 0;
  std::vector<std::uint64_t> counts;  ///< a CPU each
  bool in_progress = false;
  bool again = false;  ///< came while in progress
  unsigned cpu = 0;    ///< where it goes
  SpinWait through;    ///< who waits for the end of what is in progress
};

IrqTable::IrqTable(Kernel& kernel) : kernel_(kernel) {}
IrqTable::~IrqTable() = default;

IrqTable::Descriptor* IrqTable::find(unsigned vector) const noexcept {
  return vector < descriptors_.size() ? descriptors_[vector].get() : nullptr;
}

bool IrqTable::request_irq(unsigned vector, std::string name, irq_handler_t handler, unsigned cpu) {
  bug_on(kernel_.cpu().in_hardirq(), "request_irq in a hard interrupt");
  if (vector >= kVectors || cpu >= kernel_.cpus() || find(vector) != nullptr) return false;
  if (vector >= descriptors_.size()) descriptors_.resize(vector + 1);
  descriptors_[vector] = std::make_unique<Descriptor>();
  Descriptor& descriptor = *descriptors_[vector];
  descriptor.name = std::move(name);
  descriptor.handler = std::move(handler);
  descriptor.affinity = cpumask_of(cpu);
  descriptor.cpu = cpu;
  descriptor.counts.resize(kernel_.cpus());
  return true;
}

void IrqTable::free_irq(unsigned vector) {
  bug_on(kernel_.cpu().in_hardirq(), "free_irq in a hard interrupt");
  Descriptor* const descriptor = find(vector);
  bug_on(descriptor == nullptr, "free_irq of a vector that nobody requested");
  synchronize_irq(vector);
  descriptors_[vector].reset();
}

void IrqTable::synchronize_irq(unsigned vector) {
  Descriptor* const descriptor = find(vector);
  while (descriptor->in_progress && kernel_.cpu().running() != nullptr) {
    descriptor->through.wait(kernel_);
  }
}

bool IrqTable::irq_set_affinity(unsigned vector, cpumask_t mask) {
  Descriptor* const descriptor = find(vector);
  const cpumask_t possible = mask & kernel_.cpu_possible_mask();
  if (descriptor == nullptr || vector >= kLocalTimer || possible == 0) return false;
  descriptor->affinity = mask;
  descriptor->cpu = static_cast<unsigned>(std::countr_zero(possible));
  return true;
}

cpumask_t IrqTable::irq_affinity(unsigned vector) const noexcept {
  const Descriptor* const descriptor = find(vector);
  return descriptor == nullptr ? 0 : descriptor->affinity;
}

unsigned IrqTable::effective_cpu(unsigned vector) const noexcept {
  const Descriptor* const descriptor = find(vector);
  return descriptor == nullptr ? 0 : descriptor->cpu;
}

void IrqTable::raise(unsigned vector) {
  const Descriptor* const descriptor = find(vector);
  if (descriptor == nullptr) {
    ++spurious_;
    return;
  }
  kernel_.cpu(descriptor->cpu).raise_irq(vector);
}

void IrqTable::handle(unsigned vector, unsigned cpu) {
  Descriptor* const descriptor = find(vector);
  if (descriptor == nullptr) {  // freed between the message and now
    ++spurious_;
    return;
  }
  ++descriptor->counts[cpu];
  ++total_;
  if (vector >= kLocalTimer) {  // every CPU has its own
    descriptor->handler(vector);
    return;
  }
  if (descriptor->in_progress) {
    descriptor->again = true;
    return;
  }
  descriptor->in_progress = true;
  do {
    descriptor->again = false;
    if (descriptor->handler(vector) == irqreturn_t::IRQ_NONE) ++spurious_;
  } while (descriptor->again);
  descriptor->in_progress = false;
  descriptor->through.release();
}

std::uint64_t IrqTable::count(unsigned vector) const {
  std::uint64_t sum = 0;
  if (const Descriptor* const descriptor = find(vector)) {
    for (const std::uint64_t n : descriptor->counts) sum += n;
  }
  return sum;
}

std::uint64_t IrqTable::count(unsigned vector, unsigned cpu) const {
  const Descriptor* const descriptor = find(vector);
  return descriptor != nullptr && cpu < kernel_.cpus() ? descriptor->counts[cpu] : 0;
}

// kernel/irq/proc.c: show_interrupts; arch/x86/kernel/irq.c: arch_show_interrupts.
std::string IrqTable::proc_interrupts() const {
  std::string text(11, ' ');
  for (unsigned cpu = 0; cpu < kernel_.cpus(); ++cpu) print(text, "CPU%-8u", cpu);
  text += '\n';
  const auto counts = [&](const Descriptor& descriptor) {
    for (const std::uint64_t n : descriptor.counts) {
      print(text, "%10llu ", static_cast<unsigned long long>(n));
    }
  };
  for (unsigned vector = 0; vector < kLocalTimer; ++vector) {
    const Descriptor* const descriptor = find(vector);
    if (descriptor == nullptr) continue;
    print(text, "%3u: ", vector);
    counts(*descriptor);
    print(text, " PCI-MSIX %3u-edge    ", vector);
    text += "  " + descriptor->name + '\n';
  }
  for (const Internal& internal : kInternals) {
    const Descriptor& descriptor = *find(internal.vector);
    text += internal.symbol;
    text += ": ";
    counts(descriptor);
    text += "  " + descriptor.name + '\n';
  }
  return text;
}

}  // namespace nicroscope::kernel
