// SPDX-License-Identifier: Apache-2.0
#include "stack/kernel/irq.h"

#include <cstdio>
#include <utility>

#include "stack/kernel/bug.h"
#include "stack/kernel/kernel.h"

namespace nicroscope::kernel {

IrqTable::Descriptor* IrqTable::find(unsigned vector) noexcept {
  if (vector >= descriptors_.size() || !descriptors_[vector].handler) return nullptr;
  return &descriptors_[vector];
}

bool IrqTable::request_irq(unsigned vector, std::string name, irq_handler_t handler, unsigned cpu) {
  bug_on(kernel_.cpu().in_hardirq(), "request_irq in a hard interrupt");
  if (vector > kLocalTimer || cpu != kernel_.cpu().id() || find(vector) != nullptr) return false;
  if (vector >= descriptors_.size()) descriptors_.resize(vector + 1);
  descriptors_[vector] = {std::move(name), std::move(handler), cpu, {0}};
  return true;
}

void IrqTable::free_irq(unsigned vector) {
  bug_on(kernel_.cpu().in_hardirq(), "free_irq in a hard interrupt");
  bug_on(find(vector) == nullptr, "free_irq of a vector that nobody requested");
  descriptors_[vector] = {};
}

void IrqTable::raise(unsigned vector) {
  if (find(vector) == nullptr) {
    ++spurious_;
    return;
  }
  kernel_.cpu().raise_irq(vector);
}

void IrqTable::handle(unsigned vector, unsigned cpu) {
  Descriptor* const descriptor = find(vector);
  if (descriptor == nullptr) {  // freed between the message and now
    ++spurious_;
    return;
  }
  ++descriptor->counts[cpu];
  ++total_;
  if (descriptor->handler(vector) == irqreturn_t::IRQ_NONE) ++spurious_;
}

std::uint64_t IrqTable::count(unsigned vector) const {
  std::uint64_t sum = 0;
  if (vector < descriptors_.size()) {
    for (const std::uint64_t n : descriptors_[vector].counts) sum += n;
  }
  return sum;
}

std::string IrqTable::proc_interrupts() const {
  std::string text = "           CPU0\n";
  for (std::size_t vector = 0; vector < descriptors_.size(); ++vector) {
    const Descriptor& d = descriptors_[vector];
    if (!d.handler) continue;
    std::array<char, 64> head{};
    if (vector == kLocalTimer) {
      std::snprintf(head.data(), head.size(), "LOC: %10llu  ",
                    static_cast<unsigned long long>(d.counts[0]));
    } else {
      std::snprintf(head.data(), head.size(), "%3zu: %10llu  PCI-MSIX ", vector,
                    static_cast<unsigned long long>(d.counts[0]));
    }
    text += head.data() + d.name + '\n';
  }
  return text;
}

}  // namespace nicroscope::kernel
