// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/context/fiber.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <vector>

#include "nicroscope/time.h"
#include "nicroscope/timeline.h"
#include "stack/kernel/lock/lockdep.h"

namespace nicroscope::kernel {

/// What kind of code runs, in the order of preemption: a higher level interrupts a lower one.
enum class Level : std::uint8_t { task, softirq, hardirq };

/// Stacks of one size, with a guard page each, kept for the next context once they are free.
class StackPool {
 public:
  static constexpr std::size_t kBytes = 256 * 1024;

  StackPool() : source_(kBytes) {}
  StackPool(const StackPool&) = delete;
  StackPool& operator=(const StackPool&) = delete;
  ~StackPool();

  [[nodiscard]] boost::context::stack_context allocate();
  void deallocate(boost::context::stack_context& stack);

 private:
  boost::context::protected_fixedsize_stack source_;
  std::vector<boost::context::stack_context> free_;
};

/// A flow of execution with a stack of its own, and what it waits for. A Cpu resumes it; it gives
/// the processor back by suspend().
class Context {
 public:
  enum class State : std::uint8_t {
    ready,     ///< can go on at once
    spending,  ///< goes on when `remaining` of processor time has passed
    spinning,  ///< keeps the processor until a device answers
    blocked,   ///< left the processor
    done,      ///< the body is through; resuming starts it again
  };

  /// `body` runs on the first resume, and again on the first one after each time that it is done.
  Context(StackPool& stacks, Level level, std::function<void()> body);
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context();

  /// Called from outside: runs until the next suspend() or the end of the body. An exception that
  /// leaves the body comes out here.
  void resume();
  /// Called from inside: back to the caller of resume().
  void suspend();
  /// Unwinds the stack, running destructors; the context is of no more use.
  void destroy();

  const Level level;
  State state = State::done;
  Duration remaining{};  ///< when spending: what is left, as of `since`
  Time since{};  ///< since when it has the processor; when spinning, kNever while it has not
  EventHandle event = EventHandle::none;  ///< the end of what it spends
  std::uint32_t value = 0;                ///< when spinning: the answer
  std::vector<held_lock> held;            ///< in the order in which it took them

 private:
  [[nodiscard]] boost::context::fiber run(boost::context::fiber&& caller);
  void enter();

  std::function<void()> body_;
  boost::context::stack_context stack_;
  boost::context::fiber fiber_;
  boost::context::fiber caller_;
  std::exception_ptr exception_;
  bool unwinding_ = false;
  const void* caller_stack_ = nullptr;  ///< for the address sanitizer: where resume() was called
  std::size_t caller_stack_bytes_ = 0;
};

}  // namespace nicroscope::kernel
