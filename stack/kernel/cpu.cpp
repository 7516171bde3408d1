// SPDX-License-Identifier: Apache-2.0
#include "stack/kernel/cpu.h"

#include <algorithm>
#include <utility>

#include "nicroscope/host_points.h"
#include "stack/kernel/bug.h"
#include "stack/kernel/kernel.h"

namespace nicroscope::kernel {

CpuTime& CpuTime::operator+=(const CpuTime& other) noexcept {
  user += other.user;
  system += other.system;
  softirq += other.softirq;
  hardirq += other.hardirq;
  idle += other.idle;
  return *this;
}

CpuTime& CpuTime::operator-=(const CpuTime& other) noexcept {
  user -= other.user;
  system -= other.system;
  softirq -= other.softirq;
  hardirq -= other.hardirq;
  idle -= other.idle;
  return *this;
}

Cpu::Cpu(Kernel& kernel, unsigned id)
    : kernel_(kernel),
      id_(id),
      hardirq_(stacks_, Level::hardirq, [this] { handle_irq(); }),
      softirq_(stacks_, Level::softirq, [this] { do_softirq(); }),
      irq_pending_(IrqTable::kVectors) {}

Cpu::~Cpu() { stop(); }

void Cpu::stop() {
  stopped_ = true;
  if (Context* context = top()) pause(context);
  for (EventHandle* ipi : {&call_ipi_, &reschedule_ipi_}) {
    kernel_.timeline().cancel(std::exchange(*ipi, EventHandle::none));
  }
  hardirq_.destroy();
  softirq_.destroy();
  hardirq_active_ = softirq_active_ = serving_softirq_ = false;
  irqs_enabled_ = true;
  bh_disable_ = preempt_disable_ = 0;
  current_ = nullptr;
}

// ---- time
// ----------------------------------------------------------------------------------------

void Cpu::spend(Cost c, std::uint64_t count) {
  spend(kernel_.config().costs[c] * static_cast<std::int64_t>(count));
}

void Cpu::spend(Duration d) {
  if (running_ == nullptr || d <= Duration::zero()) return;
  Context& self = *running_;
  self.state = Context::State::spending;
  self.remaining = d;
  self.suspend();
  // User code may be on another CPU by now.
  if (self.level == Level::task) kernel_.cpu().leave_if_preempted();
}

void Cpu::spin() {
  bug_on(running_ == nullptr, "spinning outside every context");
  Context& self = *running_;
  self.state = Context::State::spinning;
  self.since = kNever;
  self.suspend();
}

void Cpu::stop_spinning(Context& context) {
  if (stopped_) return;  // whoever unwinds gives back what it had
  context.state = Context::State::ready;
  if (context.since != kNever) account(context, kernel_.now() - context.since);
  context.since = kNever;
  dispatch();
}

std::uint32_t Cpu::wait_for_device(
    const std::function<void(std::function<void(std::uint32_t)>)>& start) {
  bug_on(running_ == nullptr, "a device register is read outside every context");
  spend(cost::mmio_read);
  // After that, user code may be on another CPU; from now on it stays where it is.
  Cpu& cpu = kernel_.cpu();
  Context& self = *cpu.running_;
  self.state = Context::State::spinning;
  self.since = kNever;
  start([&cpu, context = &self](std::uint32_t value) {
    context->value = value;
    cpu.stop_spinning(*context);
  });
  if (self.state == Context::State::spinning) self.suspend();
  return self.value;
}

CpuTime Cpu::time() const noexcept {
  CpuTime sum = time_;
  if (const Context* const context = top()) {
    const bool spins = context->state == Context::State::spinning && context->since != kNever;
    if (spins || context->event != EventHandle::none) {
      split(sum, *context, kernel_.now() - context->since);
    }
  }
  sum.idle = kernel_.now() - sum.busy();
  return sum;
}

// Adds to the class that `context` runs in. Of a process that was preempted in user code and has
// the processor again, the switch comes first, which is the kernel's time. Until the processor has
// left its idle state nobody has had it: that is idle time, as in Linux.
void Cpu::split(CpuTime& sum, const Context& context, Duration elapsed) const noexcept {
  switch (context.level) {
    case Level::hardirq:
      if (!from_idle_) sum.hardirq += elapsed;
      return;
    case Level::softirq:
      sum.softirq += elapsed;
      return;
    case Level::task:
      break;
  }
  if (serving_softirq_) {
    sum.softirq += elapsed;  // ksoftirqd
  } else if (current_->kernel_depth_ != 0) {
    sum.system += elapsed;
  } else {
    const Duration switching = std::min(elapsed, current_->switching_);
    sum.system += switching;
    sum.user += elapsed - switching;
  }
}

void Cpu::account(const Context& context, Duration elapsed) noexcept {
  split(time_, context, elapsed);
  if (context.level != Level::task) return;
  current_->switching_ -= std::min(elapsed, current_->switching_);
  charge(elapsed);
}

// ---- who runs
// ------------------------------------------------------------------------------------

Context* Cpu::top() const noexcept {
  if (hardirq_active_) return const_cast<Context*>(&hardirq_);
  if (softirq_active_) return const_cast<Context*>(&softirq_);
  return current_ != nullptr ? &current_->context_ : nullptr;
}

void Cpu::pause(Context* context) {
  if (context == nullptr) return;
  if (context->state == Context::State::spinning && context->since != kNever) {
    account(*context, kernel_.now() - context->since);
    context->since = kNever;
  }
  if (context->event == EventHandle::none) return;
  kernel_.timeline().cancel(context->event);
  context->event = EventHandle::none;
  const Duration elapsed = kernel_.now() - context->since;
  context->remaining -= elapsed;
  account(*context, elapsed);
}

void Cpu::arm(Context& context) {
  context.since = kernel_.now();
  Duration part = context.remaining;
  if (context.level == Level::task && may_preempt()) part = std::min(part, slice_left());
  context.event = kernel_.timeline().after(part, [this, part] { spent(part); });
}

void Cpu::spent(Duration part) {
  Context& self = *top();
  self.event = EventHandle::none;
  self.remaining -= part;
  account(self, part);
  if (self.remaining == Duration::zero()) self.state = Context::State::ready;
  dispatch();
}

void Cpu::dispatch() {
  if (stopped_ || kernel_.dispatching_ == this) return;
  kernel_.to_dispatch_ |= cpumask_of(id_);
  if (kernel_.dispatching_ == nullptr) kernel_.dispatch();
}

void Cpu::go_on() {
  for (;;) {
    if (take_interrupt()) continue;
    Context* const context = top();
    if (context == nullptr) {
      if (!pick_task()) break;
      continue;
    }
    if (context->state == Context::State::spinning) {
      if (context->since == kNever) context->since = kernel_.now();
      break;
    }
    if (context->state == Context::State::spending) {
      if (context->event != EventHandle::none) break;
      if (context->level == Level::task && may_preempt() && need_resched()) {
        preempt();
        continue;
      }
      arm(*context);
      break;
    }
    run(*context);
  }
}

void Cpu::run(Context& context) {
  running_ = &context;
  idling_ = false;
  std::exception_ptr exception;
  try {
    context.resume();
  } catch (...) {
    exception = std::current_exception();
  }
  running_ = nullptr;
  if (context.state == Context::State::done) {
    if (!context.held.empty()) {
      kernel_.lockdep().check_none_held(context, "a handler or process ends");
    }
    switch (context.level) {
      case Level::hardirq:
        irq_exit();
        break;
      case Level::softirq:
        softirq_active_ = false;
        break;
      case Level::task:
        current_ = nullptr;
        context.destroy();
        break;
    }
  } else if (context.state == Context::State::blocked) {
    current_ = nullptr;
  }
  if (exception) std::rethrow_exception(exception);
}

// ---- interrupts
// ----------------------------------------------------------------------------------

bool Cpu::local_irq_save() noexcept {
  const bool were_enabled = irqs_enabled_;
  irqs_enabled_ = false;
  return were_enabled;
}

void Cpu::local_irq_restore(bool were_enabled) {
  irqs_enabled_ = were_enabled;
  if (were_enabled) kernel_.lockdep().interrupts_on();
  if (were_enabled && !irq_queue_.empty() && running_ != nullptr) {
    running_->state = Context::State::ready;
    running_->suspend();  // the dispatcher takes the interrupt before it comes back
  }
}

void Cpu::raise_irq(unsigned vector) {
  if (irq_pending_[vector]) return;
  irq_pending_[vector] = true;
  irq_queue_.push_back(vector);
  dispatch();
}

bool Cpu::take_interrupt() {
  if (irq_queue_.empty() || !irqs_enabled_ || hardirq_active_) return false;
  pause(top());
  from_idle_ = std::exchange(idling_, false);
  vector_ = irq_queue_.front();
  irq_queue_.pop_front();
  irq_pending_[vector_] = false;
  hardirq_active_ = true;
  irqs_enabled_ = false;
  hardirq_.state = Context::State::ready;
  return true;
}

void Cpu::handle_irq() {
  if (from_idle_) spend(cost::idle_exit);
  from_idle_ = false;
  spend(cost::irq_entry);
  const unsigned vector = vector_;
  kernel_.trace().emit(point::hardirq_enter, kNoFrame, trace_arg(vector));
  kernel_.irq().handle(vector, id_);
  kernel_.trace().emit(point::hardirq_exit, kNoFrame, trace_arg(vector));
  spend(cost::irq_exit);
}

void Cpu::irq_exit() {
  hardirq_active_ = false;
  irqs_enabled_ = true;
  if (softirq_pending_ != 0 && !in_interrupt() && !ksoftirqd_->runnable_) {
    softirq_active_ = true;
    softirq_.state = Context::State::ready;
  }
}

}  // namespace nicroscope::kernel
