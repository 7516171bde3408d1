// SPDX-License-Identifier: Apache-2.0
#include "stack/kernel/lock/spinlock.h"

#include "stack/kernel/kernel.h"
#include "stack/kernel/lock/lockdep.h"

namespace nicroscope::kernel {

spinlock_t::spinlock_t(Kernel& kernel, std::string_view name)
    : kernel_(kernel), class_(kernel.lockdep().find_class(name)) {}

// The caller has seen to interrupts, softirqs and preemption.
void spinlock_t::take(bool irqs_were_on) {
  kernel_.lockdep().acquire(class_, this);
  const bool recursive = locked_ && kernel_.lockdep().held(this);
  kernel_.spend(cost::spin_lock);
  ++acquisitions_;
  Cpu& cpu = kernel_.cpu();
  if (!locked_ || recursive || cpu.running() == nullptr) {
    locked_ = true;
  } else {
    ++contentions_;
    ++class_.contentions;
    const Time since = kernel_.now();
    waiting_.emplace_back(&cpu, cpu.running());
    cpu.spin();  // until give() hands the lock over
    spun_ += kernel_.now() - since;
    kernel_.spend(cost::spin_lock_handover);
  }
  kernel_.lockdep().acquired(class_, this, irqs_were_on);
}

// Returns whether interrupts were on when it was taken.
bool spinlock_t::give() {
  const held_lock noted = kernel_.lockdep().release(class_, this);
  if (kernel_.lockdep().held(this)) return noted.irqs_were_on;  // it was taken twice
  if (waiting_.empty()) {
    locked_ = false;
  } else {
    const auto [cpu, context] = waiting_.front();
    waiting_.pop_front();
    cpu->stop_spinning(*context);
  }
  return noted.irqs_were_on;
}

void spin_lock(spinlock_t& lock) {
  Cpu& cpu = lock.kernel_.cpu();
  cpu.preempt_disable();
  lock.take(!cpu.irqs_disabled());
}

void spin_unlock(spinlock_t& lock) {
  lock.give();
  lock.kernel_.cpu().preempt_enable();
}

bool spin_trylock(spinlock_t& lock) {
  Cpu& cpu = lock.kernel_.cpu();
  cpu.preempt_disable();
  lock.kernel_.spend(cost::spin_lock);
  if (lock.locked_) {
    cpu.preempt_enable();
    return false;
  }
  lock.locked_ = true;
  ++lock.acquisitions_;
  lock.kernel_.lockdep().try_acquire(lock.class_);
  lock.kernel_.lockdep().acquired(lock.class_, &lock, !cpu.irqs_disabled());
  return true;
}

void spin_lock_bh(spinlock_t& lock) {
  Cpu& cpu = lock.kernel_.cpu();
  if (cpu.running() != nullptr && cpu.in_hardirq()) {
    lock.kernel_.lockdep().report("spin_lock_bh in a hard interrupt: " + lock.class_.name);
  }
  cpu.local_bh_disable();
  lock.take(!cpu.irqs_disabled());
}

void spin_unlock_bh(spinlock_t& lock) {
  lock.give();
  lock.kernel_.cpu().local_bh_enable();
}

void spin_lock_irq(spinlock_t& lock) {
  Cpu& cpu = lock.kernel_.cpu();
  const bool were_on = cpu.local_irq_save();
  if (!were_on && cpu.running() != nullptr) {
    lock.kernel_.lockdep().report(
        "spin_lock_irq with interrupts off: " + lock.kernel_.lockdep().describe(cpu.context_id()) +
        " takes " + lock.class_.name + ", and spin_unlock_irq would enable them");
  }
  cpu.preempt_disable();
  lock.take(were_on);
}

// Where interrupts had been off they stay off, or what follows would not be what was asked about.
void spin_unlock_irq(spinlock_t& lock) {
  const bool were_on = lock.give();
  lock.kernel_.cpu().preempt_enable();
  lock.kernel_.cpu().local_irq_restore(were_on);
}

bool spin_lock_irqsave(spinlock_t& lock) {
  Cpu& cpu = lock.kernel_.cpu();
  const bool flags = cpu.local_irq_save();
  cpu.preempt_disable();
  lock.take(flags);
  return flags;
}

void spin_unlock_irqrestore(spinlock_t& lock, bool flags) {
  lock.give();
  lock.kernel_.cpu().preempt_enable();
  lock.kernel_.cpu().local_irq_restore(flags);
}

void lockdep_assert_held(const spinlock_t& lock) {
  lock.kernel_.lockdep().assert_held(lock.class_, &lock);
}

}  // namespace nicroscope::kernel
