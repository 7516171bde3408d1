// SPDX-License-Identifier: Apache-2.0
#include "stack/kernel/context.h"

#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

namespace nicroscope::kernel {

namespace {

/// Thrown through a stack that is given up, so that its destructors run.
struct Unwind {};

/// The stack allocator that Boost.Context wants: copied by value, so it refers to the pool.
struct Pooled {
  StackPool* pool;
  boost::context::stack_context* allocated;

  boost::context::stack_context allocate() { return *allocated = pool->allocate(); }
  void deallocate(boost::context::stack_context& stack) { pool->deallocate(stack); }
};

// The address sanitizer has to be told of every change of stacks.
#if defined(__SANITIZE_ADDRESS__)
void leave_stack(void** fake, const void* bottom, std::size_t size) {
  __sanitizer_start_switch_fiber(fake, bottom, size);
}
void arrive_on_stack(void* fake, const void** old_bottom, std::size_t* old_size) {
  __sanitizer_finish_switch_fiber(fake, old_bottom, old_size);
}
#else
void leave_stack(void** /*fake*/, const void* /*bottom*/, std::size_t /*size*/) {}
void arrive_on_stack(void* /*fake*/, const void** /*bottom*/, std::size_t* /*size*/) {}
#endif

}  // namespace

StackPool::~StackPool() {
  for (auto& stack : free_) source_.deallocate(stack);
}

boost::context::stack_context StackPool::allocate() {
  if (free_.empty()) return source_.allocate();
  auto stack = free_.back();
  free_.pop_back();
  return stack;
}

void StackPool::deallocate(boost::context::stack_context& stack) { free_.push_back(stack); }

Context::Context(StackPool& stacks, Level l, std::function<void()> body)
    : level(l), body_(std::move(body)) {
  fiber_ = boost::context::fiber(
      std::allocator_arg, Pooled{&stacks, &stack_},
      [this](boost::context::fiber&& caller) { return run(std::move(caller)); });
}

Context::~Context() { destroy(); }

void Context::enter() {
  void* fake = nullptr;
  leave_stack(&fake, static_cast<const std::byte*>(stack_.sp) - stack_.size, stack_.size);
  fiber_ = std::move(fiber_).resume();
  arrive_on_stack(fake, nullptr, nullptr);
}

void Context::resume() {
  enter();
  if (exception_) std::rethrow_exception(std::exchange(exception_, nullptr));
}

void Context::suspend() {
  void* fake = nullptr;
  leave_stack(&fake, caller_stack_, caller_stack_bytes_);
  caller_ = std::move(caller_).resume();
  arrive_on_stack(fake, &caller_stack_, &caller_stack_bytes_);
  if (unwinding_) throw Unwind{};
}

void Context::destroy() {
  if (!fiber_) return;
  unwinding_ = true;
  enter();
}

boost::context::fiber Context::run(boost::context::fiber&& caller) {
  caller_ = std::move(caller);
  arrive_on_stack(nullptr, &caller_stack_, &caller_stack_bytes_);
  try {
    while (!unwinding_) {
      try {
        body_();
      } catch (const Unwind&) {
        throw;
      } catch (...) {
        exception_ = std::current_exception();
      }
      state = State::done;
      suspend();
    }
  } catch (const Unwind&) {
    // Everything on this stack is gone.
  }
  leave_stack(nullptr, caller_stack_, caller_stack_bytes_);
  return std::move(caller_);
}

}  // namespace nicroscope::kernel
