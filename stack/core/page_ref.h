// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace nicroscope::kernel {
class Memory;
}

namespace nicroscope::net {

/// Memory that several owners share: struct page (or a compound one) with its count.
struct page_block {
  kernel::Memory* memory;
  std::byte* address;
  std::uint32_t size;
  std::uint32_t refcount;
};

/// A counted reference to pages that the device can reach: copying is get_page, destroying is
/// put_page, and the last one gives the memory back.
class page_ref {
 public:
  page_ref() = default;
  page_ref(const page_ref& other) noexcept : block_(other.block_) {
    if (block_ != nullptr) ++block_->refcount;
  }
  page_ref(page_ref&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  page_ref& operator=(page_ref other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~page_ref() {
    if (block_ != nullptr && --block_->refcount == 0) release(block_);
  }

  /// `size` bytes of kernel memory; empty (false) if there are none.
  [[nodiscard]] static page_ref alloc(kernel::Memory& memory, std::uint32_t size);

  [[nodiscard]] explicit operator bool() const noexcept { return block_ != nullptr; }
  [[nodiscard]] std::byte* address() const noexcept { return block_->address; }
  [[nodiscard]] std::uint32_t size() const noexcept { return block_->size; }
  /// Linux: page_count.
  [[nodiscard]] std::uint32_t count() const noexcept { return block_->refcount; }
  [[nodiscard]] bool same_page(const page_ref& other) const noexcept {
    return block_ == other.block_;
  }

 private:
  explicit page_ref(page_block* block) noexcept : block_(block) {}
  static void release(page_block* block) noexcept;

  page_block* block_ = nullptr;
};

}  // namespace nicroscope::net
