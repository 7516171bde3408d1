// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <string_view>
#include <utility>

#include "nicroscope/time.h"

namespace nicroscope::kernel {

class Context;
class Cpu;
class Kernel;
struct lock_class;

/// A lock for what is short: who waits for it spins, in the order of coming (a ticket lock), and
/// its CPU does nothing else but take interrupts, if they are enabled. Which of the functions below
/// a context needs is what the locking table says; Lockdep records who takes a weaker one.
class spinlock_t {
 public:
  /// Locks of one name are one class for Lockdep.
  spinlock_t(Kernel& kernel, std::string_view name);
  spinlock_t(const spinlock_t&) = delete;
  spinlock_t& operator=(const spinlock_t&) = delete;

  [[nodiscard]] bool is_locked() const noexcept { return locked_; }
  [[nodiscard]] std::uint64_t acquisitions() const noexcept { return acquisitions_; }
  /// Of these, how many found it taken, and how long they all spun.
  [[nodiscard]] std::uint64_t contentions() const noexcept { return contentions_; }
  [[nodiscard]] Duration spun() const noexcept { return spun_; }

 private:
  friend void spin_lock(spinlock_t& lock);
  friend bool spin_trylock(spinlock_t& lock);
  friend void spin_unlock(spinlock_t& lock);
  friend void spin_lock_bh(spinlock_t& lock);
  friend void spin_unlock_bh(spinlock_t& lock);
  friend void spin_lock_irq(spinlock_t& lock);
  friend void spin_unlock_irq(spinlock_t& lock);
  friend bool spin_lock_irqsave(spinlock_t& lock);
  friend void spin_unlock_irqrestore(spinlock_t& lock, bool flags);
  friend bool spin_is_held(const spinlock_t& lock);
  friend void lockdep_assert_held(const spinlock_t& lock);

  void take(bool irqs_were_on);
  bool give();

  Kernel& kernel_;
  lock_class& class_;
  bool locked_ = false;
  std::deque<std::pair<Cpu*, Context*>> waiting_;
  std::uint64_t acquisitions_ = 0;
  std::uint64_t contentions_ = 0;
  Duration spun_{};
};

void spin_lock(spinlock_t& lock);
void spin_unlock(spinlock_t& lock);
/// True if it took it; does not wait.
[[nodiscard]] bool spin_trylock(spinlock_t& lock);
/// With softirqs off on this CPU.
void spin_lock_bh(spinlock_t& lock);
void spin_unlock_bh(spinlock_t& lock);
/// With interrupts off on this CPU, where they are known to be on.
void spin_lock_irq(spinlock_t& lock);
void spin_unlock_irq(spinlock_t& lock);
/// With interrupts off; what is returned says how they were.
[[nodiscard]] bool spin_lock_irqsave(spinlock_t& lock);
void spin_unlock_irqrestore(spinlock_t& lock, bool flags);
void lockdep_assert_held(const spinlock_t& lock);

/// Holds the lock while it lives.
class spin_guard {
 public:
  explicit spin_guard(spinlock_t& lock) : lock_(lock) { spin_lock(lock_); }
  spin_guard(const spin_guard&) = delete;
  spin_guard& operator=(const spin_guard&) = delete;
  ~spin_guard() { spin_unlock(lock_); }

 private:
  spinlock_t& lock_;
};

class spin_guard_bh {
 public:
  explicit spin_guard_bh(spinlock_t& lock) : lock_(lock) { spin_lock_bh(lock_); }
  spin_guard_bh(const spin_guard_bh&) = delete;
  spin_guard_bh& operator=(const spin_guard_bh&) = delete;
  ~spin_guard_bh() noexcept(false) { spin_unlock_bh(lock_); }

 private:
  spinlock_t& lock_;
};

class spin_guard_irqsave {
 public:
  explicit spin_guard_irqsave(spinlock_t& lock) : lock_(lock), flags_(spin_lock_irqsave(lock)) {}
  spin_guard_irqsave(const spin_guard_irqsave&) = delete;
  spin_guard_irqsave& operator=(const spin_guard_irqsave&) = delete;
  ~spin_guard_irqsave() noexcept(false) { spin_unlock_irqrestore(lock_, flags_); }

 private:
  spinlock_t& lock_;
  const bool flags_;
};

}  // namespace nicroscope::kernel
