// SPDX-License-Identifier: Apache-2.0
#include "stack/kernel/lock/mutex.h"

#include "stack/kernel/kernel.h"
#include "stack/kernel/lock/lockdep.h"

namespace nicroscope::kernel {

mutex::mutex(Kernel& kernel, std::string_view name)
    : kernel_(kernel), class_(kernel.lockdep().find_class(name)), waiters_(kernel) {}

void mutex_lock(mutex& lock) {
  Kernel& kernel = lock.kernel_;
  kernel.lockdep().might_sleep("mutex_lock");
  kernel.lockdep().acquire(lock.class_, &lock);
  kernel.spend(cost::mutex_lock);
  const Task* const self = kernel.cpu().current();
  if (lock.owner_ != nullptr && lock.owner_ != self) {
    ++lock.contentions_;
    ++lock.class_.contentions;
    lock.waiters_.wait_event([&] { return lock.owner_ == nullptr; });
  }
  lock.owner_ = self;
  kernel.lockdep().acquired(lock.class_, &lock, true);
}

bool mutex_trylock(mutex& lock) {
  Kernel& kernel = lock.kernel_;
  kernel.spend(cost::mutex_lock);
  if (lock.owner_ != nullptr) return false;
  if (kernel.cpu().in_interrupt()) {
    kernel.lockdep().report("mutex_trylock in an interrupt: " + lock.class_.name);
  }
  lock.owner_ = kernel.cpu().current();
  kernel.lockdep().try_acquire(lock.class_);
  kernel.lockdep().acquired(lock.class_, &lock, true);
  return true;
}

void mutex_unlock(mutex& lock) {
  Kernel& kernel = lock.kernel_;
  kernel.lockdep().release(lock.class_, &lock);
  if (kernel.lockdep().held(&lock)) return;  // it was taken twice
  lock.owner_ = nullptr;
  if (lock.waiters_.active()) lock.waiters_.wake_up();
}

}  // namespace nicroscope::kernel
