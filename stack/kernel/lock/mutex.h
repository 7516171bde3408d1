// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "stack/kernel/task.h"

namespace nicroscope::kernel {

struct lock_class;

/// A lock for processes: who waits for it sleeps, first come, first served. Only the process that
/// took it gives it back (Linux: struct mutex, without its optimistic spinning).
class mutex {
 public:
  mutex(Kernel& kernel, std::string_view name);
  mutex(const mutex&) = delete;
  mutex& operator=(const mutex&) = delete;

  [[nodiscard]] bool is_locked() const noexcept { return owner_ != nullptr; }
  [[nodiscard]] std::uint64_t contentions() const noexcept { return contentions_; }

 private:
  friend void mutex_lock(mutex& lock);
  friend bool mutex_trylock(mutex& lock);
  friend void mutex_unlock(mutex& lock);

  Kernel& kernel_;
  lock_class& class_;
  const Task* owner_ = nullptr;
  WaitQueue waiters_;
  std::uint64_t contentions_ = 0;
};

/// In process context.
void mutex_lock(mutex& lock);
[[nodiscard]] bool mutex_trylock(mutex& lock);
void mutex_unlock(mutex& lock);

/// Holds the mutex while it lives.
class mutex_guard {
 public:
  explicit mutex_guard(mutex& lock) : lock_(lock) { mutex_lock(lock_); }
  mutex_guard(const mutex_guard&) = delete;
  mutex_guard& operator=(const mutex_guard&) = delete;
  ~mutex_guard() noexcept(false) { mutex_unlock(lock_); }

 private:
  mutex& lock_;
};

}  // namespace nicroscope::kernel
