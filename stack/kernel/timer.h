// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "nicroscope/time.h"
#include "nicroscope/timeline.h"

namespace nicroscope::kernel {

class Kernel;
class SpinWait;
class TimerBase;
class Timers;

/// A timer of either kind. It runs on the CPU that armed it. Destroying it stops it, and waits if
/// another CPU is running it.
class Timer {
 public:
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer();

  [[nodiscard]] bool pending() const noexcept { return place_ != kNowhere; }
  [[nodiscard]] std::int64_t expires() const noexcept { return expires_; }

 protected:
  friend class TimerBase;
  friend class Timers;
  static constexpr std::size_t kNowhere = ~std::size_t{0};

  Timer(Kernel& kernel, std::function<void()> function);

  Timers& timers_;
  TimerBase* base_ = nullptr;  ///< where it was armed last
  std::function<void()> function_;
  std::int64_t expires_ = 0;
  std::uint64_t order_ = 0;  ///< ties run in the order in which they were armed
  std::size_t place_ = kNowhere;
};

/// The armed timers of one kind on one CPU, soonest first. Arming and stopping allocate nothing
/// once the list has had its greatest length.
class TimerBase {
 public:
  [[nodiscard]] bool empty() const noexcept { return heap_.empty(); }
  /// Of the soonest; there must be one.
  [[nodiscard]] std::int64_t next() const noexcept { return heap_.front()->expires_; }
  [[nodiscard]] bool due(std::int64_t now) const noexcept { return !empty() && next() <= now; }
  void arm(Timer& timer, std::int64_t expires);
  /// False if it was not armed.
  bool remove(Timer& timer);
  [[nodiscard]] const Timer* first() const noexcept { return heap_.front(); }
  /// Takes the soonest off and calls it; there must be one.
  void run_first();
  /// Its function is running.
  [[nodiscard]] const Timer* running() const noexcept { return running_; }
  /// It is gone, perhaps by its own function.
  void forget(const Timer& timer) noexcept {
    if (running_ == &timer) running_ = nullptr;
  }

 private:
  [[nodiscard]] bool before(std::size_t a, std::size_t b) const noexcept;
  void swap(std::size_t a, std::size_t b) noexcept;
  void up(std::size_t i) noexcept;
  void down(std::size_t i) noexcept;

  std::vector<Timer*> heap_;
  const Timer* running_ = nullptr;
  std::uint64_t order_ = 0;
};

/// Runs its function in softirq context (TIMER) at a jiffy (Linux: include/linux/timer.h).
class timer_list : public Timer {
 public:
  timer_list(Kernel& kernel, std::function<void()> function);
};

/// Runs its function in hard-interrupt context at a time (Linux: include/linux/hrtimer.h).
class hrtimer : public Timer {
 public:
  hrtimer(Kernel& kernel, std::function<void()> function);
};

/// The timers of a host: two bases a CPU, and the local timer that serves them and makes the
/// scheduler's tick, if the host has one.
class Timers {
 public:
  explicit Timers(Kernel& kernel);
  Timers(const Timers&) = delete;
  Timers& operator=(const Timers&) = delete;
  ~Timers();

  /// Arms or moves, to the CPU of the caller; true if it was armed. `expires` in jiffies; one that
  /// has passed means the next.
  bool mod_timer(timer_list& timer, std::uint64_t expires);
  /// True if it was armed. Its function may still be running on another CPU...
  bool del_timer(timer_list& timer);
  void hrtimer_start(hrtimer& timer, Time when);
  bool hrtimer_try_to_cancel(hrtimer& timer);
  /// ...and with these it is not: the caller spins until it is through. Not from the function
  /// itself.
  bool del_timer_sync(timer_list& timer);
  bool hrtimer_cancel(hrtimer& timer);

  /// The CPU starts or ends idling: the tick follows.
  void enter_idle(unsigned cpu);
  void leave_idle(unsigned cpu);

 private:
  friend class Timer;

  struct PerCpu {
    TimerBase wheel;    ///< in jiffies
    TimerBase precise;  ///< in units of Time
    Time tick = kNever;
    Time armed = kNever;
    EventHandle event = EventHandle::none;
  };

  void program(unsigned cpu);
  void interrupt(unsigned cpu);
  void run_timers();
  void wait_until_through(const Timer& timer);
  [[nodiscard]] Time next_tick() const noexcept;

  Kernel& kernel_;
  std::vector<PerCpu> cpus_;
  std::unique_ptr<SpinWait> through_;  ///< who waits until a function is through
};

}  // namespace nicroscope::kernel
