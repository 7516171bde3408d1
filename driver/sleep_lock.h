// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "stack/kernel/kernel.h"

namespace nicroscope::driver {

/// Held by one process at a time, who may sleep meanwhile; others wait asleep.
class SleepLock {
 public:
  explicit SleepLock(kernel::Kernel& kernel) : free_(kernel) {}
  SleepLock(const SleepLock&) = delete;
  SleepLock& operator=(const SleepLock&) = delete;

  void lock() {
    free_.wait_event([this] { return !held_; });
    held_ = true;
  }
  void unlock() {
    held_ = false;
    if (free_.active()) free_.wake_up();
  }

 private:
  kernel::WaitQueue free_;
  bool held_ = false;
};

/// Holds a SleepLock while it lives.
class SleepGuard {
 public:
  explicit SleepGuard(SleepLock& lock) : lock_(lock) { lock_.lock(); }
  SleepGuard(const SleepGuard&) = delete;
  SleepGuard& operator=(const SleepGuard&) = delete;
  ~SleepGuard() noexcept(false) { lock_.unlock(); }

 private:
  SleepLock& lock_;
};

}  // namespace nicroscope::driver
