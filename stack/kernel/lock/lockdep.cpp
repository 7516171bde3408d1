// SPDX-License-Identifier: Apache-2.0
#include "stack/kernel/lock/lockdep.h"

#include <algorithm>
#include <utility>

#include "stack/kernel/kernel.h"

namespace nicroscope::kernel {

Lockdep::Lockdep(Kernel& kernel) : kernel_(kernel) {}
Lockdep::~Lockdep() = default;

lock_class& Lockdep::find_class(std::string_view name) {
  if (const auto found = by_name_.find(name); found != by_name_.end()) {
    return *classes_[found->second];
  }
  by_name_.emplace(name, classes_.size());
  classes_.push_back(std::make_unique<lock_class>());
  classes_.back()->name = name;
  classes_.back()->index = static_cast<std::uint32_t>(classes_.size() - 1);
  return *classes_.back();
}

std::vector<const lock_class*> Lockdep::classes() const {
  std::vector<const lock_class*> list;
  for (const auto& lock : classes_) list.push_back(lock.get());
  return list;
}

void Lockdep::report(const std::string& what) {
  if (errors_.size() < kMaxErrors) errors_.push_back(what);
}

ContextId Lockdep::context() const noexcept { return kernel_.cpu().context_id(); }

std::string Lockdep::describe(const ContextId& context) const {
  switch (context.kind) {
    case ContextId::Kind::irq:
      return "hard interrupt " + std::to_string(context.id);
    case ContextId::Kind::softirq:
      return "softirq " + std::string(kSoftirqNames[context.id]);
    case ContextId::Kind::tasklet:
      return "a tasklet";
    case ContextId::Kind::timer:
      return "a timer";
    case ContextId::Kind::user:
      break;
  }
  return "process " + std::to_string(context.id);
}

std::vector<held_lock>& Lockdep::held_locks() const noexcept {
  return kernel_.cpu().running()->held;
}

// ---- taking and giving back
// ----------------------------------------------------------------------

// What may come while the running context holds a lock.
unsigned Lockdep::enabled() const noexcept {
  const Cpu& cpu = kernel_.cpu();
  if (cpu.in_hardirq() || cpu.irqs_disabled()) return 0;
  return cpu.in_softirq() ? kHardirqOn : kHardirqOn | kSoftirqOn;
}

void Lockdep::try_acquire(lock_class& lock) {
  if (kernel_.cpu().running() != nullptr) mark(lock, enabled());
}

void Lockdep::acquire(lock_class& lock, const void* instance) {
  const Cpu& cpu = kernel_.cpu();
  if (cpu.running() == nullptr) return;
  unsigned now = enabled();
  if (cpu.in_hardirq()) {
    now |= kInHardirq;
  } else if (cpu.in_serving_softirq()) {
    now |= kInSoftirq;
  }
  mark(lock, now);
  for (const held_lock& other : held_locks()) {
    if (other.instance == instance) {
      report("recursive locking: " + describe(context()) + " takes " + lock.name +
             ", which it holds");
    } else if (other.lock == &lock) {
      report("recursive locking: " + describe(context()) + " takes a second lock of class " +
             lock.name);
    } else {
      order(*other.lock, lock);
    }
  }
}

void Lockdep::acquired(lock_class& lock, const void* instance, bool irqs_were_on) {
  ++lock.acquisitions;
  if (kernel_.cpu().running() == nullptr) return;
  held_locks().push_back({instance, &lock, irqs_were_on});
}

held_lock Lockdep::release(lock_class& lock, const void* instance) {
  held_lock found{instance, &lock, true};
  if (kernel_.cpu().running() == nullptr) return found;
  auto& held = held_locks();
  const auto last = std::find_if(held.rbegin(), held.rend(),
                                 [&](const held_lock& h) { return h.instance == instance; });
  if (last == held.rend()) {
    report("bad unlock balance: " + describe(context()) + " gives back " + lock.name +
           ", which it does not hold");
    return found;
  }
  found = *last;
  held.erase(std::next(last).base());
  return found;
}

bool Lockdep::held(const void* instance) const noexcept {
  if (kernel_.cpu().running() == nullptr) return false;
  const auto& locks = held_locks();
  return std::any_of(locks.begin(), locks.end(),
                     [&](const held_lock& h) { return h.instance == instance; });
}

void Lockdep::assert_held(lock_class& lock, const void* instance) {
  if (kernel_.cpu().running() == nullptr || held(instance)) return;
  report("lock not held: " + describe(context()) + " needs " + lock.name);
}

void Lockdep::check_none_held(Context& context, std::string_view when) {
  if (context.held.empty()) return;
  report("lock held when " + std::string(when) + ": " + context.held.front().lock->name);
  context.held.clear();
}

void Lockdep::might_sleep(std::string_view what) {
  const Cpu& cpu = kernel_.cpu();
  if (cpu.running() == nullptr || cpu.may_sleep()) return;
  report("sleeping function called from invalid context: " + describe(context()) + " calls " +
         std::string(what));
}

// ---- what may deadlock
// ---------------------------------------------------------------------------

void Lockdep::interrupts_on() {
  if (kernel_.cpu().running() == nullptr) return;
  for (const held_lock& lock : held_locks()) mark(*lock.lock, enabled());
}

// A lock that is taken in an interrupt must never be held where that interrupt may come.
void Lockdep::mark(lock_class& lock, unsigned now) {
  const unsigned was = lock.usage;
  const unsigned fresh = now & ~was;
  if (fresh == 0) return;
  lock.usage |= fresh;
  bool consistent = true;
  for (const Interrupt& irq : kInterrupts) {
    const unsigned both = irq.in | irq.on;
    if ((was & both) == both || (lock.usage & both) != both) continue;
    const std::string in_text = "{IN-" + std::string(irq.name) + "-W}";
    const std::string on_text = "{" + std::string(irq.name) + "-ON-W}";
    const bool in_first = (was & irq.in) != 0;
    report("inconsistent " + (in_first ? in_text : on_text) + " -> " +
           (in_first ? on_text : in_text) + " usage: " + describe(context()) + " takes " +
           lock.name);
    consistent = false;
  }
  if (consistent) check_inversion(lock, fresh);
}

// Two CPUs: one has the unsafe lock, and an interrupt there wants the safe one; the other has the
// safe one and waits for the unsafe one. That needs a chain from a lock that is taken in the
// interrupt (safe) to one that is held with it on (unsafe). Here the chain was there before.
void Lockdep::check_inversion(const lock_class& lock, unsigned fresh) {
  for (const Interrupt& irq : kInterrupts) {
    const lock_class* other = nullptr;
    if ((fresh & irq.in) != 0) other = behind(lock, irq.on);
    if ((fresh & irq.on) != 0) other = before(lock, irq.in);
    if (other == nullptr) continue;
    const bool safe = (fresh & irq.in) != 0;
    report("possible irq lock inversion dependency: " + describe(context()) + " makes " +
           lock.name + " " + irq.name + (safe ? "-safe, and " : "-unsafe, and ") + other->name +
           (safe ? ", which is not, was taken with it held" : ", which is safe, was held with it"));
  }
}

void Lockdep::order(lock_class& first, lock_class& second) {
  if (first.taken_before.size() < classes_.size()) first.taken_before.resize(classes_.size());
  if (first.taken_before[second.index]) return;
  first.taken_before[second.index] = true;
  if (reaches(second, first)) {
    report("circular locking dependency: " + describe(context()) + " takes " + second.name +
           " with " + first.name + " held; they were taken in the other order before");
  }
  check_order(first, second);
}

// As check_inversion(), of a link of the chain that is new.
void Lockdep::check_order(const lock_class& first, const lock_class& second) {
  for (const Interrupt& irq : kInterrupts) {
    const lock_class* const safe = before(first, irq.in);
    const lock_class* const unsafe = behind(second, irq.on);
    if (safe == nullptr || unsafe == nullptr) continue;
    const std::string name(irq.name);
    report(name + "-safe -> " + name + "-unsafe lock order: " + describe(context()) + " takes " +
           second.name + " with " + first.name + " held; " + safe->name + " is safe and " +
           unsafe->name + " is not");
  }
}

const lock_class* Lockdep::before(const lock_class& to, unsigned usage) const {
  for (const auto& lock : classes_) {
    if ((lock->usage & usage) != 0 && reaches(*lock, to)) return lock.get();
  }
  return nullptr;
}

const lock_class* Lockdep::behind(const lock_class& from, unsigned usage) const {
  for (const auto& lock : classes_) {
    if ((lock->usage & usage) != 0 && reaches(from, *lock)) return lock.get();
  }
  return nullptr;
}

bool Lockdep::reaches(const lock_class& from, const lock_class& to) const {
  std::vector<bool> seen(classes_.size());
  std::vector<std::size_t> open{from.index};
  while (!open.empty()) {
    const std::size_t at = open.back();
    open.pop_back();
    if (at == to.index) return true;
    if (seen[at]) continue;
    seen[at] = true;
    const auto& next = classes_[at]->taken_before;
    for (std::size_t i = 0; i < next.size(); ++i) {
      if (next[i]) open.push_back(i);
    }
  }
  return false;
}

// ---- what may race
// -------------------------------------------------------------------------------

shared_data::shared_data(Kernel& kernel, std::string name)
    : kernel_(kernel), name_(std::move(name)) {}

void shared_data::access() {
  const Context* const running = kernel_.cpu().running();
  if (running == nullptr || reported_) return;
  Access now{kernel_.lockdep().context(), {}};
  for (const held_lock& lock : running->held) now.locks.push_back(lock.instance);
  Access* own = nullptr;
  for (Access& other : accesses_) {
    const bool same = other.context == now.context;
    if (same) own = &other;
    if (same && now.context.kind != ContextId::Kind::softirq) continue;
    const bool common = std::any_of(now.locks.begin(), now.locks.end(), [&](const void* lock) {
      return std::find(other.locks.begin(), other.locks.end(), lock) != other.locks.end();
    });
    if (common) continue;
    kernel_.lockdep().report("data race: " + kernel_.lockdep().describe(other.context) + " and " +
                             kernel_.lockdep().describe(now.context) + " use " + name_ +
                             " without a common lock");
    reported_ = true;
    return;
  }
  // One that runs on several CPUs is at odds with itself as soon as it has no lock.
  if (own == nullptr && now.context.kind == ContextId::Kind::softirq && now.locks.empty()) {
    kernel_.lockdep().report("data race: " + kernel_.lockdep().describe(now.context) + " uses " +
                             name_ + " without a lock, and may run on several CPUs");
    reported_ = true;
    return;
  }
  if (own == nullptr) {
    accesses_.push_back(std::move(now));
  } else {
    std::erase_if(own->locks, [&](const void* lock) {
      return std::find(now.locks.begin(), now.locks.end(), lock) == now.locks.end();
    });
  }
}

}  // namespace nicroscope::kernel
