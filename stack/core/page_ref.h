// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "stack/kernel/memory.h"

namespace nicroscope::net {

/// A counted reference to a block of pages that the device can reach: copying is get_page,
/// destroying put_page.
class page_ref {
 public:
  page_ref() = default;
  page_ref(const page_ref& other) noexcept : memory_(other.memory_), page_(other.page_) {
    if (page_ != nullptr) memory_->get_page(page_);
  }
  page_ref(page_ref&& other) noexcept
      : memory_(other.memory_), page_(std::exchange(other.page_, nullptr)) {}
  page_ref& operator=(page_ref other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(page_, other.page_);
    return *this;
  }
  ~page_ref() {
    if (page_ != nullptr) memory_->put_page(page_);
  }

  /// 2^order new pages; empty (false) without memory.
  [[nodiscard]] static page_ref alloc(kernel::Memory& memory, unsigned order) {
    return adopt(memory, memory.alloc_pages(order));
  }
  /// Takes over a reference that the caller holds. `page` heads its block, or is null.
  [[nodiscard]] static page_ref adopt(kernel::Memory& memory, kernel::page* page) noexcept {
    page_ref ref;
    ref.memory_ = &memory;
    ref.page_ = page;
    return ref;
  }

  [[nodiscard]] explicit operator bool() const noexcept { return page_ != nullptr; }
  [[nodiscard]] kernel::page* page() const noexcept { return page_; }
  [[nodiscard]] std::byte* address() const noexcept { return memory_->page_address(page_); }
  [[nodiscard]] std::size_t size() const noexcept { return memory_->page_bytes(page_); }
  /// Nobody else holds the block.
  [[nodiscard]] bool sole() const noexcept { return page_ != nullptr && page_->refcount == 1; }

 private:
  kernel::Memory* memory_ = nullptr;
  kernel::page* page_ = nullptr;
};

}  // namespace nicroscope::net
