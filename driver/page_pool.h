// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "stack/core/page_ref.h"
#include "stack/kernel/kernel.h"

namespace nicroscope::driver {

/// Blocks of pages for receive buffers that come back to where they were taken from (Linux:
/// net/core/page_pool.c, in the manner of drivers that keep a ring of pages and look at the oldest
/// one's reference count). A block is used again once nobody but the pool holds it.
class PagePool {
 public:
  /// `blocks`: so many are kept at most; 0: none, each is a new one.
  PagePool(kernel::Kernel& kernel, unsigned order, std::size_t blocks)
      : kernel_(kernel), order_(order), most_(blocks) {}

  /// A block. Empty without memory.
  [[nodiscard]] net::page_ref get();
  /// Nothing more is carved from the block; buffers of it are still about.
  void put(net::page_ref block);

  [[nodiscard]] std::uint64_t recycled() const noexcept { return recycled_; }
  [[nodiscard]] std::uint64_t allocated() const noexcept { return allocated_; }

 private:
  kernel::Kernel& kernel_;
  const unsigned order_;
  const std::size_t most_;
  std::deque<net::page_ref> ring_;  ///< oldest first
  std::uint64_t recycled_ = 0;
  std::uint64_t allocated_ = 0;
};

}  // namespace nicroscope::driver
