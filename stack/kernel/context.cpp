// SPDX-License-Identifier: Apache-2.0
#include "stack/kernel/context.h"

#include <boost/context/detail/exception.hpp>
#include <utility>

namespace nicroscope::kernel {

namespace {

/// The stack allocator that Boost.Context wants: copied by value, so it refers to the pool.
struct Pooled {
  StackPool* pool;
  boost::context::stack_context allocate() { return pool->allocate(); }
  void deallocate(boost::context::stack_context& stack) { pool->deallocate(stack); }
};

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
      std::allocator_arg, Pooled{&stacks},
      [this](boost::context::fiber&& caller) { return run(std::move(caller)); });
}

Context::~Context() { destroy(); }

void Context::resume() {
  fiber_ = std::move(fiber_).resume();
  if (exception_) std::rethrow_exception(std::exchange(exception_, nullptr));
}

void Context::suspend() { caller_ = std::move(caller_).resume(); }

void Context::destroy() { fiber_ = {}; }

boost::context::fiber Context::run(boost::context::fiber&& caller) {
  caller_ = std::move(caller);
  for (;;) {
    try {
      body_();
    } catch (const boost::context::detail::forced_unwind&) {
      throw;
    } catch (...) {
      exception_ = std::current_exception();
    }
    state = State::done;
    suspend();
  }
}

}  // namespace nicroscope::kernel
