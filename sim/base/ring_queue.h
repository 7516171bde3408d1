// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace nicroscope::sim {

/// A first-in-first-out queue in one block of memory that grows by doubling and never shrinks: no
/// allocation once it has reached its size.
template <typename T>
class RingQueue {
 public:
  [[nodiscard]] bool empty() const noexcept { return head_ == tail_; }
  [[nodiscard]] std::size_t size() const noexcept { return tail_ - head_; }
  [[nodiscard]] T& front() noexcept { return slots_[head_ & mask_]; }
  [[nodiscard]] const T& front() const noexcept { return slots_[head_ & mask_]; }
  [[nodiscard]] T& back() noexcept { return slots_[(tail_ - 1) & mask_]; }
  /// The element `i` places behind the front.
  [[nodiscard]] T& operator[](std::size_t i) noexcept { return slots_[(head_ + i) & mask_]; }

  T& push(T value) {
    if (size() == slots_.size()) grow();
    T& slot = slots_[tail_++ & mask_];
    slot = std::move(value);
    return slot;
  }
  void pop() noexcept { ++head_; }
  void clear() noexcept { head_ = tail_ = 0; }

 private:
  void grow() {
    std::vector<T> wider(slots_.empty() ? 16 : 2 * slots_.size());
    const std::size_t count = size();
    for (std::size_t i = 0; i < count; ++i) wider[i] = std::move((*this)[i]);
    slots_ = std::move(wider);
    mask_ = slots_.size() - 1;
    head_ = 0;
    tail_ = count;
  }

  std::vector<T> slots_;
  std::size_t mask_ = 0;
  std::size_t head_ = 0;
  std::size_t tail_ = 0;
};

}  // namespace nicroscope::sim
