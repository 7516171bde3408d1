// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "stack/kernel/deferred/completion.h"
#include "stack/kernel/kernel.h"

namespace nicroscope::kernel {

/// A kernel thread that can be asked to end (Linux: include/linux/kthread.h). Its owner stops it
/// before it goes, or shuts the kernel down.
class kthread {
 public:
  /// Starts it (kthread_run). `function` is given the thread, to ask kthread_should_stop().
  kthread(Kernel& kernel, std::string name, std::function<void(kthread&)> function,
          TaskOptions options = {})
      : state_(std::make_shared<State>(kernel)), kernel_(kernel) {
    options.kthread = true;
    state_->task = &kernel.spawn(
        std::move(name),
        [this, state = state_, f = std::move(function)] {
          f(*this);
          state->exited.complete_all();
        },
        options);
  }
  kthread(const kthread&) = delete;
  kthread& operator=(const kthread&) = delete;

  [[nodiscard]] bool kthread_should_stop() const noexcept { return state_->should_stop; }
  /// In process context: asks it to end, wakes it, and waits until it has.
  void kthread_stop() {
    state_->should_stop = true;
    kernel_.wake_up_process(*state_->task);
    state_->exited.wait_for_completion();
  }
  [[nodiscard]] Task& task() const noexcept { return *state_->task; }

 private:
  struct State {
    explicit State(Kernel& kernel) : exited(kernel) {}
    Task* task = nullptr;
    bool should_stop = false;
    completion exited;
  };
  std::shared_ptr<State> state_;
  Kernel& kernel_;
};

}  // namespace nicroscope::kernel
