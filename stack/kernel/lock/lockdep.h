// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace nicroscope::kernel {

class Context;
class Kernel;
struct lock_class;

/// What kind of code runs, as the table of the Unreliable Guide to Locking has it.
struct ContextId {
  enum class Kind : std::uint8_t { irq, softirq, tasklet, timer, user };
  Kind kind = Kind::user;
  std::uint64_t id = 0;  ///< vector, softirq, tasklet, timer or process

  friend bool operator==(const ContextId&, const ContextId&) = default;
};

/// A lock that a flow of execution holds.
struct held_lock {
  const void* instance;
  lock_class* lock;
  bool irqs_were_on;  ///< for spin_unlock_irq
};

/// What the checker knows of all locks of one name.
struct lock_class {
  std::string name;
  std::uint32_t index = 0;
  unsigned usage = 0;              ///< Lockdep::Usage
  std::vector<bool> taken_before;  ///< by index: this one was held when that one was taken
  std::uint64_t acquisitions = 0;
  std::uint64_t contentions = 0;
};

/// Refuses what may deadlock or race, when it is done for the first time, and not only in the run
/// in which it does (Linux: kernel/locking/lockdep.c; Rusty Russell's Unreliable Guide to Locking,
/// Table of Minimum Requirements). What it finds is recorded; whoever runs the simulation takes a
/// record for a failure. Code outside every context is not checked.
class Lockdep {
 public:
  explicit Lockdep(Kernel& kernel);
  Lockdep(const Lockdep&) = delete;
  Lockdep& operator=(const Lockdep&) = delete;
  ~Lockdep();

  /// The class of all locks with that name.
  [[nodiscard]] lock_class& find_class(std::string_view name);

  /// Before the running context takes a lock that it has to wait for.
  void acquire(lock_class& lock, const void* instance);
  /// It took one that it would not have waited for: that may be done in any order and in any
  /// context, but an interrupt may come while it is held.
  void try_acquire(lock_class& lock);
  /// It has it.
  void acquired(lock_class& lock, const void* instance, bool irqs_were_on);
  /// It gives it back; returns what was noted with it. Recorded if it does not hold it.
  held_lock release(lock_class& lock, const void* instance);
  /// The running context holds it.
  [[nodiscard]] bool held(const void* instance) const noexcept;
  /// Recorded if it does not (Linux: lockdep_assert_held).
  void assert_held(lock_class& lock, const void* instance);
  /// The context is through, or goes back to user mode: recorded if it holds a lock.
  void check_none_held(Context& context, std::string_view when);
  /// Interrupts or softirqs are on again in the running context, whatever it holds.
  void interrupts_on();
  /// Recorded if the running context may not block (Linux: might_sleep).
  void might_sleep(std::string_view what);

  void report(const std::string& what);
  [[nodiscard]] const std::vector<std::string>& errors() const noexcept { return errors_; }
  /// All classes, in the order in which they were made.
  [[nodiscard]] std::vector<const lock_class*> classes() const;

  /// "hard interrupt 3", "softirq NET_RX", "process name/pid"...
  [[nodiscard]] std::string describe(const ContextId& context) const;
  [[nodiscard]] ContextId context() const noexcept;

 private:
  enum Usage : unsigned {
    kInHardirq = 1,  ///< taken in a hard interrupt
    kHardirqOn = 2,  ///< held with hard interrupts enabled
    kInSoftirq = 4,  ///< taken in a softirq
    kSoftirqOn = 8,  ///< held with softirqs enabled
  };
  /// A kind of interrupt and its two usages.
  struct Interrupt {
    const char* name;
    unsigned in;
    unsigned on;
  };
  static constexpr std::array<Interrupt, 2> kInterrupts{
      {{"HARDIRQ", kInHardirq, kHardirqOn}, {"SOFTIRQ", kInSoftirq, kSoftirqOn}}};
  static constexpr std::size_t kMaxErrors = 100;

  [[nodiscard]] unsigned enabled() const noexcept;
  void mark(lock_class& lock, unsigned now);
  void check_inversion(const lock_class& lock, unsigned fresh);
  void order(lock_class& first, lock_class& second);
  void check_order(const lock_class& first, const lock_class& second);
  [[nodiscard]] bool reaches(const lock_class& from, const lock_class& to) const;
  /// The first class that was used so and from which there is a chain to `to`.
  [[nodiscard]] const lock_class* before(const lock_class& to, unsigned usage) const;
  /// The first class that was used so and to which there is a chain from `from`.
  [[nodiscard]] const lock_class* behind(const lock_class& from, unsigned usage) const;
  [[nodiscard]] std::vector<held_lock>& held_locks() const noexcept;

  Kernel& kernel_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
  std::vector<std::unique_ptr<lock_class>> classes_;
  std::vector<std::string> errors_;
};

/// Data that several contexts use: says with which locks. Recorded are two contexts that may run at
/// the same time and have no lock in common (the lockset algorithm of Savage et al., "Eraser",
/// 1997). A handler, a tasklet, a timer and a process are never at odds with themselves; a softirq
/// is, on another CPU.
class shared_data {
 public:
  shared_data(Kernel& kernel, std::string name);

  /// The running context reads or writes it.
  void access();

 private:
  struct Access {
    ContextId context;
    std::vector<const void*> locks;
  };
  Kernel& kernel_;
  const std::string name_;
  std::vector<Access> accesses_;
  bool reported_ = false;
};

}  // namespace nicroscope::kernel
