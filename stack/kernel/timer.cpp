// SPDX-License-Identifier: Apache-2.0
#include "stack/kernel/timer.h"

#include <algorithm>
#include <utility>

#include "stack/kernel/bug.h"
#include "stack/kernel/kernel.h"
#include "stack/kernel/spin_wait.h"

namespace nicroscope::kernel {

// ---- the heap
// ------------------------------------------------------------------------------------

Timer::Timer(Kernel& kernel, std::function<void()> function)
    : timers_(kernel.timers()), function_(std::move(function)) {}

Timer::~Timer() {
  if (base_ == nullptr) return;
  base_->remove(*this);
  timers_.wait_until_through(*this);
  base_->forget(*this);
}

bool TimerBase::before(std::size_t a, std::size_t b) const noexcept {
  const Timer& x = *heap_[a];
  const Timer& y = *heap_[b];
  return x.expires_ != y.expires_ ? x.expires_ < y.expires_ : x.order_ < y.order_;
}

void TimerBase::swap(std::size_t a, std::size_t b) noexcept {
  std::swap(heap_[a], heap_[b]);
  heap_[a]->place_ = a;
  heap_[b]->place_ = b;
}

void TimerBase::up(std::size_t i) noexcept {
  while (i != 0 && before(i, (i - 1) / 2)) {
    swap(i, (i - 1) / 2);
    i = (i - 1) / 2;
  }
}

void TimerBase::down(std::size_t i) noexcept {
  for (;;) {
    std::size_t least = i;
    for (std::size_t child = 2 * i + 1; child <= 2 * i + 2 && child < heap_.size(); ++child) {
      if (before(child, least)) least = child;
    }
    if (least == i) return;
    swap(i, least);
    i = least;
  }
}

void TimerBase::arm(Timer& timer, std::int64_t expires) {
  if (timer.pending()) timer.base_->remove(timer);
  timer.base_ = this;
  timer.expires_ = expires;
  timer.order_ = order_++;
  timer.place_ = heap_.size();
  heap_.push_back(&timer);
  up(timer.place_);
}

bool TimerBase::remove(Timer& timer) {
  if (!timer.pending()) return false;
  const std::size_t place = timer.place_;
  if (place + 1 != heap_.size()) swap(place, heap_.size() - 1);
  heap_.pop_back();
  timer.place_ = Timer::kNowhere;
  if (place < heap_.size()) {
    up(place);
    down(place);
  }
  return true;
}

void TimerBase::run_first() {
  Timer& timer = *heap_.front();
  remove(timer);
  running_ = &timer;
  timer.function_();
  running_ = nullptr;
}

// ---- the host's timers
// ---------------------------------------------------------------------------

timer_list::timer_list(Kernel& kernel, std::function<void()> function)
    : Timer(kernel, std::move(function)) {}

hrtimer::hrtimer(Kernel& kernel, std::function<void()> function)
    : Timer(kernel, std::move(function)) {}

Timers::Timers(Kernel& kernel)
    : kernel_(kernel), cpus_(kernel.cpus()), through_(std::make_unique<SpinWait>()) {
  kernel_.open_softirq(Softirq::timer, [this] { run_timers(); });
  const bool free =
      kernel_.irq().request_irq(IrqTable::kLocalTimer, "Local timer interrupts", [this](unsigned) {
        interrupt(kernel_.cpu().id());
        return irqreturn_t::IRQ_HANDLED;
      });
  bug_on(!free, "the local timer's vector is taken");
  if (kernel_.config().tick != Tick::periodic) return;
  for (unsigned cpu = 0; cpu < kernel_.cpus(); ++cpu) {
    cpus_[cpu].tick = next_tick();
    program(cpu);
  }
}

Timers::~Timers() {
  for (const PerCpu& cpu : cpus_) kernel_.timeline().cancel(cpu.event);
}

bool Timers::mod_timer(timer_list& timer, std::uint64_t expires) {
  kernel_.spend(cost::mod_timer);
  const bool was_pending = timer.pending();
  const std::uint64_t soonest = kernel_.jiffies() + 1;
  const unsigned cpu = kernel_.cpu().id();
  cpus_[cpu].wheel.arm(timer, static_cast<std::int64_t>(std::max(expires, soonest)));
  program(cpu);
  return was_pending;
}

bool Timers::del_timer(timer_list& timer) {
  return timer.base_ != nullptr && timer.base_->remove(timer);
}

void Timers::hrtimer_start(hrtimer& timer, Time when) {
  kernel_.spend(cost::mod_timer);
  const unsigned cpu = kernel_.cpu().id();
  cpus_[cpu].precise.arm(timer, when.count());
  program(cpu);
}

bool Timers::hrtimer_try_to_cancel(hrtimer& timer) {
  return timer.base_ != nullptr && timer.base_->remove(timer);
}

bool Timers::del_timer_sync(timer_list& timer) {
  bool was_pending = del_timer(timer);
  wait_until_through(timer);
  was_pending |= del_timer(timer);  // its function may have armed it again
  return was_pending;
}

bool Timers::hrtimer_cancel(hrtimer& timer) {
  bool was_pending = hrtimer_try_to_cancel(timer);
  wait_until_through(timer);
  was_pending |= hrtimer_try_to_cancel(timer);
  return was_pending;
}

// Called on the CPU that runs it (by the function itself, or by who interrupted it) there is
// nothing to wait for.
void Timers::wait_until_through(const Timer& timer) {
  const TimerBase* const base = timer.base_;
  Cpu& self = kernel_.cpu();
  const PerCpu& own = cpus_[self.id()];
  if (base == &own.wheel || base == &own.precise || self.running() == nullptr) return;
  while (base != nullptr && base->running() == &timer) through_->wait(kernel_);
}

// ---- the local timer
// -----------------------------------------------------------------------------

Time Timers::next_tick() const noexcept {
  return kernel_.jiffy() * static_cast<std::int64_t>(kernel_.jiffies() + 1);
}

void Timers::enter_idle(unsigned cpu) {
  if (kernel_.config().tick != Tick::nohz) return;
  cpus_[cpu].tick = kNever;
  kernel_.timeline().cancel(std::exchange(cpus_[cpu].event, EventHandle::none));
  cpus_[cpu].armed = kNever;
  program(cpu);
}

void Timers::leave_idle(unsigned cpu) {
  if (kernel_.config().tick != Tick::nohz || cpus_[cpu].tick != kNever) return;
  cpus_[cpu].tick = next_tick();
  program(cpu);
}

// A timer that was stopped leaves its interrupt armed: it then finds nothing due, as in Linux. What
// is due on the wheel already is the softirq's.
void Timers::program(unsigned id) {
  PerCpu& cpu = cpus_[id];
  Time when = cpu.tick;
  if (!cpu.wheel.empty() && !cpu.wheel.due(static_cast<std::int64_t>(kernel_.jiffies()))) {
    when = std::min(when, Time{kernel_.jiffy() * cpu.wheel.next()});
  }
  if (!cpu.precise.empty()) when = std::min(when, Time{cpu.precise.next()});
  if (when >= cpu.armed) return;
  kernel_.timeline().cancel(cpu.event);
  cpu.armed = when;
  cpu.event = kernel_.timeline().at(when, [this, id] {
    cpus_[id].armed = kNever;
    cpus_[id].event = EventHandle::none;
    kernel_.cpu(id).raise_irq(IrqTable::kLocalTimer);
  });
}

void Timers::interrupt(unsigned id) {
  PerCpu& cpu = cpus_[id];
  if (cpu.tick <= kernel_.now()) {
    kernel_.spend(cost::scheduler_tick);
    kernel_.cpu().scheduler_tick();
    cpu.tick = next_tick();
  }
  while (cpu.precise.due(kernel_.now().count())) {
    kernel_.spend(cost::timer_expire);
    if (cpu.precise.due(kernel_.now().count())) cpu.precise.run_first();
    through_->release();
  }
  if (cpu.wheel.due(static_cast<std::int64_t>(kernel_.jiffies()))) {
    kernel_.raise_softirq(Softirq::timer);
  }
  program(id);
}

void Timers::run_timers() {
  const unsigned id = kernel_.cpu().id();
  TimerBase& wheel = cpus_[id].wheel;
  while (wheel.due(static_cast<std::int64_t>(kernel_.jiffies()))) {
    kernel_.spend(cost::timer_expire);
    if (!wheel.due(static_cast<std::int64_t>(kernel_.jiffies()))) break;
    kernel_.cpu().set_softirq_part(ContextId::Kind::timer, wheel.first());
    wheel.run_first();
    through_->release();
  }
  program(id);
}

}  // namespace nicroscope::kernel
