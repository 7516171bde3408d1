// SPDX-License-Identifier: Apache-2.0
#include "stack/kernel/timer.h"

#include <algorithm>
#include <utility>

#include "stack/kernel/kernel.h"

namespace nicroscope::kernel {

// ---- the heap
// ------------------------------------------------------------------------------------

Timer::~Timer() {
  if (pending()) base_.remove(*this);
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
  if (timer.pending()) remove(timer);
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

const std::function<void()>* TimerBase::expire(std::int64_t now) {
  if (heap_.empty() || next() > now) return nullptr;
  Timer& timer = *heap_.front();
  remove(timer);
  return &timer.function_;
}

// ---- the host's timers
// ---------------------------------------------------------------------------

timer_list::timer_list(Kernel& kernel, std::function<void()> function)
    : Timer(kernel.timers().wheel_, std::move(function)) {}

hrtimer::hrtimer(Kernel& kernel, std::function<void()> function)
    : Timer(kernel.timers().precise_, std::move(function)) {}

Timers::Timers(Kernel& kernel) : kernel_(kernel) {
  kernel_.open_softirq(Softirq::timer, [this] { run_timers(); });
  (void)kernel_.irq().request_irq(IrqTable::kLocalTimer, "Local timer interrupts",
                                  [this](unsigned) {
                                    interrupt();
                                    return irqreturn_t::IRQ_HANDLED;
                                  });
}

Timers::~Timers() { kernel_.timeline().cancel(event_); }

bool Timers::mod_timer(timer_list& timer, std::uint64_t expires) {
  kernel_.spend(cost::mod_timer);
  const bool was_pending = timer.pending();
  const std::uint64_t soonest = kernel_.jiffies() + 1;
  wheel_.arm(timer, static_cast<std::int64_t>(std::max(expires, soonest)));
  program();
  return was_pending;
}

bool Timers::del_timer(timer_list& timer) { return wheel_.remove(timer); }

void Timers::hrtimer_start(hrtimer& timer, Time when) {
  kernel_.spend(cost::mod_timer);
  precise_.arm(timer, when.count());
  program();
}

bool Timers::hrtimer_cancel(hrtimer& timer) { return precise_.remove(timer); }

// A timer that was stopped leaves its interrupt armed: it then finds nothing due, as in Linux.
void Timers::program() {
  Time when = kNever;
  if (!wheel_.empty()) when = kernel_.jiffy() * wheel_.next();
  if (!precise_.empty()) when = std::min(when, Time{precise_.next()});
  if (when >= armed_) return;
  kernel_.timeline().cancel(event_);
  armed_ = when;
  event_ = kernel_.timeline().at(when, [this] {
    armed_ = kNever;
    event_ = EventHandle::none;
    kernel_.irq().raise(IrqTable::kLocalTimer);
  });
}

void Timers::interrupt() {
  while (const auto* function = precise_.expire(kernel_.now().count())) {
    kernel_.spend(cost::timer_expire);
    (*function)();
  }
  if (!wheel_.empty() && wheel_.next() <= static_cast<std::int64_t>(kernel_.jiffies())) {
    kernel_.raise_softirq(Softirq::timer);
  } else {
    program();
  }
}

void Timers::run_timers() {
  while (const auto* function = wheel_.expire(static_cast<std::int64_t>(kernel_.jiffies()))) {
    kernel_.spend(cost::timer_expire);
    (*function)();
  }
  program();
}

}  // namespace nicroscope::kernel
