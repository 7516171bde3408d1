// SPDX-License-Identifier: Apache-2.0
#include "stack/kernel/cpu.h"

#include "nicroscope/host_points.h"
#include "stack/kernel/bug.h"
#include "stack/kernel/kernel.h"

namespace nicroscope::kernel {

Cpu::Cpu(Kernel& kernel, unsigned id)
    : kernel_(kernel),
      id_(id),
      hardirq_(stacks_, Level::hardirq, [this] { handle_irq(); }),
      softirq_(stacks_, Level::softirq, [this] { do_softirq(); }),
      irq_pending_(IrqTable::kLocalTimer + 1) {}

Cpu::~Cpu() { stop(); }

void Cpu::stop() {
  stopped_ = true;
  if (Context* context = top()) pause(context);
  hardirq_.destroy();
  softirq_.destroy();
  hardirq_active_ = softirq_active_ = serving_softirq_ = false;
  irqs_enabled_ = true;
  bh_disable_ = 0;
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
  Task* const task = current_;
  if (self.level == Level::task && task->kernel_depth_ == 0 && need_resched() &&
      kernel_.now() >= task->slice_end_ && may_sleep()) {
    yield();
  }
}

std::uint32_t Cpu::wait_for_device(
    const std::function<void(std::function<void(std::uint32_t)>)>& start) {
  bug_on(running_ == nullptr, "a device register is read outside every context");
  spend(cost::mmio_read);
  Context& self = *running_;
  self.state = Context::State::spinning;
  self.since = kNever;
  start([this, context = &self](std::uint32_t value) {
    context->value = value;
    context->state = Context::State::ready;
    if (context->since != kNever) account(*context, kernel_.now() - context->since);
    dispatch();
  });
  if (self.state == Context::State::spinning) self.suspend();
  return self.value;
}

void Cpu::account(const Context& context, Duration elapsed) noexcept {
  switch (context.level) {
    case Level::hardirq:
      time_.hardirq += elapsed;
      break;
    case Level::softirq:
      time_.softirq += elapsed;
      break;
    case Level::task:
      if (serving_softirq_) {
        time_.softirq += elapsed;  // ksoftirqd
      } else if (current_->kernel_depth_ != 0) {
        time_.system += elapsed;
      } else {
        time_.user += elapsed;
      }
      break;
  }
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
  context.event = kernel_.timeline().after(context.remaining, [this] {
    Context& self = *top();
    account(self, self.remaining);
    self.event = EventHandle::none;
    self.state = Context::State::ready;
    dispatch();
  });
}

void Cpu::dispatch() {
  if (dispatching_ || stopped_) return;
  dispatching_ = true;
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
      if (context->event == EventHandle::none) arm(*context);
      break;
    }
    run(*context);
  }
  dispatching_ = false;
}

void Cpu::run(Context& context) {
  running_ = &context;
  std::exception_ptr exception;
  try {
    context.resume();
  } catch (...) {
    exception = std::current_exception();
  }
  running_ = nullptr;
  if (context.state == Context::State::done) {
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
  if (exception) {
    dispatching_ = false;
    std::rethrow_exception(exception);
  }
}

bool Cpu::pick_task() {
  if (run_queue_.empty()) return false;
  current_ = run_queue_.front();
  run_queue_.pop_front();
  current_->context_.state = Context::State::ready;
  current_->slice_end_ = kernel_.now() + kernel_.config().time_slice;
  ++context_switches_;
  return true;
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
  Context* const interrupted = top();
  pause(interrupted);
  from_idle_ = interrupted == nullptr && run_queue_.empty();
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
  spend(cost::irq_entry);
  const unsigned vector = vector_;
  kernel_.trace().emit(point::hardirq_enter, kNoFrame, vector);
  kernel_.irq().handle(vector, id_);
  kernel_.trace().emit(point::hardirq_exit, kNoFrame, vector);
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
