// SPDX-License-Identifier: Apache-2.0
#include "driver/page_pool.h"

#include <utility>

namespace nicroscope::driver {

net::page_ref PagePool::get() {
  if (!ring_.empty() && ring_.front().sole()) {
    kernel_.spend(kernel::cost::page_pool_recycle);
    net::page_ref block = std::move(ring_.front());
    ring_.pop_front();
    ++recycled_;
    return block;
  }
  kernel_.spend(kernel::cost::alloc_pages);
  net::page_ref block = net::page_ref::alloc(kernel_.memory(), order_);
  if (!block) {
    // The oldest block is held up: perhaps another one is not.
    for (auto it = ring_.begin(); it != ring_.end(); ++it) {
      if (!it->sole()) continue;
      block = std::move(*it);
      ring_.erase(it);
      ++recycled_;
      return block;
    }
    return block;
  }
  ++allocated_;
  return block;
}

void PagePool::put(net::page_ref block) {
  if (most_ == 0) return;
  if (ring_.size() == most_) {
    kernel_.spend(kernel::cost::free_pages);
    ring_.pop_front();
  }
  ring_.push_back(std::move(block));
}

}  // namespace nicroscope::driver
