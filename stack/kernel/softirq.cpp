// SPDX-License-Identifier: Apache-2.0
#include "stack/kernel/softirq.h"

#include <bit>
#include <utility>

#include "nicroscope/host_points.h"
#include "stack/kernel/bug.h"
#include "stack/kernel/kernel.h"

// The softirq half of Cpu, after kernel/softirq.c.

namespace nicroscope::kernel {

void Cpu::raise_softirq(Softirq nr) {
  softirq_pending_ |= 1U << static_cast<unsigned>(nr);
  // In an interrupt or with softirqs off, whoever ends that state runs it.
  if (!in_interrupt()) wake_ksoftirqd();
}

void Cpu::local_bh_enable() {
  if (stopped_) return;  // a guard on a stack that is unwound
  bug_on(bh_disable_ == 0, "local_bh_enable without local_bh_disable");
  --bh_disable_;
  if (running_ != nullptr && (in_hardirq() || irqs_disabled())) {
    kernel_.lockdep().report("softirqs enabled with interrupts off: " +
                             kernel_.lockdep().describe(context_id()));
    return;
  }
  if (in_interrupt()) return;
  kernel_.lockdep().interrupts_on();
  // What ksoftirqd has taken over it does at its own rate (Linux: ksoftirqd_running).
  if (softirq_pending_ == 0 || ksoftirqd_->runnable_) return;
  if (running_ == nullptr) {
    wake_ksoftirqd();
    return;
  }
  softirq_active_ = true;
  softirq_.state = Context::State::ready;
  running_->state = Context::State::ready;
  running_->suspend();  // the dispatcher runs the softirq context first
}

void Cpu::do_softirq() {
  const Time deadline = kernel_.now() + kMaxSoftirqTime;
  unsigned restarts = kMaxSoftirqRestart;
  serving_softirq_ = true;
  do {
    spend(cost::softirq_entry);
    std::uint32_t pending = std::exchange(softirq_pending_, 0);
    while (pending != 0) {
      const auto nr = static_cast<unsigned>(std::countr_zero(pending));
      pending &= pending - 1;
      ++softirq_counts_[nr];
      kernel_.trace().emit(point::softirq_enter, kNoFrame, trace_arg(nr));
      softirq_id_ = {ContextId::Kind::softirq, nr};
      if (kernel_.softirq_actions_[nr]) kernel_.softirq_actions_[nr]();
      kernel_.trace().emit(point::softirq_exit, kNoFrame, trace_arg(nr));
    }
  } while (softirq_pending_ != 0 && --restarts != 0 && kernel_.now() < deadline && !need_resched());
  serving_softirq_ = false;
  if (softirq_pending_ != 0) wake_ksoftirqd();
}

void Cpu::set_softirq_part(ContextId::Kind kind, const void* part) noexcept {
  softirq_id_ = {kind, reinterpret_cast<std::uintptr_t>(part)};
}

void Cpu::wake_ksoftirqd() { kernel_.wake_up_process(*ksoftirqd_); }

void Cpu::ksoftirqd() {
  for (;;) {
    prepare_to_sleep();
    if (softirq_pending_ == 0) schedule();
    current_->sleeping_ = false;
    while (softirq_pending_ != 0) {
      do_softirq();
      if (need_resched()) yield();
    }
  }
}

}  // namespace nicroscope::kernel
