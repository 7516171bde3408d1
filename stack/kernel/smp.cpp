// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "stack/kernel/bug.h"
#include "stack/kernel/kernel.h"

// What CPUs ask of each other, by interprocessor interrupts (kernel/smp.c).

namespace nicroscope::kernel {

void Cpu::send_ipi(unsigned vector, EventHandle& in_flight) {
  if (in_flight != EventHandle::none || irq_pending_[vector] || stopped_) return;
  // Under way before the sender pays: who asks meanwhile finds it sent.
  const Duration way =
      kernel_.config().costs[cost::ipi_send] + kernel_.config().costs[cost::ipi_delivery];
  in_flight = kernel_.timeline().after(way, [this, vector, &in_flight] {
    in_flight = EventHandle::none;
    raise_irq(vector);
  });
  kernel_.spend(cost::ipi_send);
}

void Cpu::send_reschedule() { send_ipi(IrqTable::kReschedule, reschedule_ipi_); }

void Cpu::call_function(std::function<void()> function) {
  call_queue_.push_back(std::move(function));
  if (call_queue_.size() == 1) send_ipi(IrqTable::kCallFunction, call_ipi_);
}

// What is queued while this runs has an interrupt of its own.
void Cpu::flush_call_queue() {
  for (auto calls = std::exchange(call_queue_, {}); !calls.empty(); calls.pop_front()) {
    kernel_.spend(cost::smp_call_function);
    calls.front()();
  }
}

void Kernel::smp_call_function_single(unsigned id, std::function<void()> function, bool wait) {
  Cpu& self = cpu();
  Cpu& target = cpu(id);
  if (&self == &target || self.running() == nullptr) {
    const bool were_enabled = self.local_irq_save();
    function();
    self.local_irq_restore(were_enabled);
    return;
  }
  if (!wait) {
    target.call_function(std::move(function));
    return;
  }
  bug_on(self.irqs_disabled(), "waiting for another CPU with interrupts off: both may do so");
  // The caller stays on its CPU until the answer has come.
  self.preempt_disable();
  Context* waiting = nullptr;
  bool done = false;
  target.call_function([&] {
    function();
    done = true;
    if (waiting != nullptr) self.stop_spinning(*waiting);
  });
  if (!done) {
    waiting = self.running();
    self.spin();
  }
  self.preempt_enable();
}

}  // namespace nicroscope::kernel
