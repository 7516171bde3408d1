// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>

#include "stack/kernel/task.h"

namespace nicroscope::kernel {

/// Something that is to be done, and who waits for it (Linux: include/linux/completion.h).
class completion {
 public:
  explicit completion(Kernel& kernel) : queue_(kernel) {}

  /// In process context: until it is done. Each complete() lets one go on.
  void wait_for_completion() {
    queue_.wait_event([this] { return done_ != 0; });
    take();
  }
  /// False if the time ran out.
  [[nodiscard]] bool wait_for_completion_timeout(Duration timeout) {
    if (!queue_.wait_event_timeout([this] { return done_ != 0; }, timeout)) return false;
    take();
    return true;
  }
  /// From any context.
  void complete() {
    if (done_ != kAll) ++done_;
    queue_.wake_up();
  }
  /// All go on, now and later.
  void complete_all() {
    done_ = kAll;
    queue_.wake_up_all();
  }
  void reinit_completion() noexcept { done_ = 0; }
  [[nodiscard]] bool completion_done() const noexcept { return done_ != 0; }

 private:
  static constexpr std::uint32_t kAll = std::numeric_limits<std::uint32_t>::max();

  void take() noexcept {
    if (done_ != kAll) --done_;
  }

  WaitQueue queue_;
  std::uint32_t done_ = 0;
};

}  // namespace nicroscope::kernel
