// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "nicroscope/time.h"
#include "nicroscope/timeline.h"

namespace nicroscope::kernel {

class Kernel;
class TimerBase;

/// A timer of either kind. Destroying it stops it.
class Timer {
 public:
  Timer(TimerBase& base, std::function<void()> function)
      : base_(base), function_(std::move(function)) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer();

  [[nodiscard]] bool pending() const noexcept { return place_ != kNowhere; }
  [[nodiscard]] std::int64_t expires() const noexcept { return expires_; }

 protected:
  friend class TimerBase;
  static constexpr std::size_t kNowhere = ~std::size_t{0};

  TimerBase& base_;
  std::function<void()> function_;
  std::int64_t expires_ = 0;
  std::uint64_t order_ = 0;  ///< ties run in the order in which they were armed
  std::size_t place_ = kNowhere;
};

/// The armed timers of one kind, soonest first. Arming and stopping allocate nothing once the list
/// has had its greatest length.
class TimerBase {
 public:
  [[nodiscard]] bool empty() const noexcept { return heap_.empty(); }
  /// Of the soonest; there must be one.
  [[nodiscard]] std::int64_t next() const noexcept { return heap_.front()->expires_; }
  void arm(Timer& timer, std::int64_t expires);
  /// False if it was not armed.
  bool remove(Timer& timer);
  /// Takes the soonest off and returns its function, if it expires at `now` or before; else null.
  [[nodiscard]] const std::function<void()>* expire(std::int64_t now);

 private:
  [[nodiscard]] bool before(std::size_t a, std::size_t b) const noexcept;
  void swap(std::size_t a, std::size_t b) noexcept;
  void up(std::size_t i) noexcept;
  void down(std::size_t i) noexcept;

  std::vector<Timer*> heap_;
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

/// The two bases of a host and the local timer that serves them. No tick when nothing is due.
class Timers {
 public:
  explicit Timers(Kernel& kernel);
  Timers(const Timers&) = delete;
  Timers& operator=(const Timers&) = delete;
  ~Timers();

  /// Arms or moves; true if it was armed. `expires` in jiffies; one that has passed means the next.
  bool mod_timer(timer_list& timer, std::uint64_t expires);
  /// True if it was armed.
  bool del_timer(timer_list& timer);
  void hrtimer_start(hrtimer& timer, Time when);
  bool hrtimer_cancel(hrtimer& timer);

 private:
  friend class timer_list;
  friend class hrtimer;

  void program();
  void interrupt();
  void run_timers();

  Kernel& kernel_;
  TimerBase wheel_;    ///< in jiffies
  TimerBase precise_;  ///< in units of Time
  Time armed_ = kNever;
  EventHandle event_ = EventHandle::none;
};

}  // namespace nicroscope::kernel
