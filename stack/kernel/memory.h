// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "nicroscope/host_memory.h"

namespace nicroscope::kernel {

inline constexpr unsigned kPageShift = 12;
inline constexpr std::size_t kPageSize = std::size_t{1} << kPageShift;
/// The largest block is 2^10 pages, 4 MiB (Linux: MAX_ORDER).
inline constexpr unsigned kMaxOrder = 10;

/// Describes a page of the arena. A block of pages is known by its first.
struct page {
  enum class Use : std::uint8_t { none, free, block, slab, tail };
  Use use = Use::none;
  std::uint8_t order = 0;       ///< of the block that it heads
  std::uint8_t slab_class = 0;  ///< Use::slab
  std::uint16_t in_use = 0;     ///< Use::slab: objects handed out
  std::uint32_t refcount = 0;   ///< Use::block
  std::uint32_t head = 0;       ///< Use::tail: index of the block's first page
  std::uint32_t prev = 0;       ///< on a list of free blocks or of slabs with room
  std::uint32_t next = 0;
};

/// The kernel's memory: a buddy allocator of pages and slabs of objects over the arena that the
/// device reaches by DMA. Addresses depend on the order of calls alone. Nothing here spends
/// simulated time: callers know the context and spend cost::kmalloc and so on.
class Memory {
 public:
  /// kmalloc's sizes (Linux: kmalloc_info).
  static constexpr std::array<std::uint32_t, 10> kSizes{32,  64,  96,   128,  192,
                                                        256, 512, 1024, 2048, 4096};

  explicit Memory(HostMemory& arena);
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  // ---- pages
  /// 2^order pages, holding one reference. Null without memory.
  [[nodiscard]] page* alloc_pages(unsigned order);
  /// One more reference, one less; the last frees the block. Any page of the block will do.
  void get_page(page* p) noexcept;
  void put_page(page* p) noexcept;
  [[nodiscard]] std::byte* page_address(const page* p) const noexcept;
  [[nodiscard]] std::size_t page_bytes(const page* p) const noexcept {
    return kPageSize << p->order;
  }
  /// The first page of the block that holds `address`.
  [[nodiscard]] page* virt_to_head_page(const void* address) noexcept;

  // ---- objects
  /// At least `size` bytes, aligned to 32 at least; over 4096 it takes whole pages. Null without
  /// memory. Not cleared.
  [[nodiscard]] void* kmalloc(std::size_t size);
  /// Null is ignored. What was not handed out is a bug.
  void kfree(void* object) noexcept;
  /// The bytes that kmalloc really gave.
  [[nodiscard]] std::size_t ksize(const void* object) noexcept;

  // ---- addresses
  [[nodiscard]] BusAddress virt_to_bus(const void* address) const noexcept;
  /// Null outside the arena.
  [[nodiscard]] std::byte* bus_to_virt(BusAddress address) const noexcept;
  [[nodiscard]] HostMemory& arena() noexcept { return arena_; }

  // ---- accounts
  [[nodiscard]] std::size_t pages_total() const noexcept { return pages_.size(); }
  [[nodiscard]] std::size_t pages_free() const noexcept { return pages_free_; }
  /// Objects and blocks that were handed out and not freed: 0 after a clean shutdown.
  [[nodiscard]] std::size_t outstanding() const noexcept { return outstanding_; }

 private:
  static constexpr std::uint32_t kNil = ~std::uint32_t{0};

  [[nodiscard]] std::uint32_t index_of(const page* p) const noexcept;
  [[nodiscard]] std::uint32_t index_of(const void* address) const noexcept;
  [[nodiscard]] std::uint32_t head_of(std::uint32_t i) const noexcept;
  void list_push(std::uint32_t& head, std::uint32_t i) noexcept;
  void list_remove(std::uint32_t& head, std::uint32_t i) noexcept;
  [[nodiscard]] std::uint32_t take_block(unsigned order) noexcept;
  void give_block(std::uint32_t i, unsigned order) noexcept;
  [[nodiscard]] bool new_slab(unsigned slab_class) noexcept;

  HostMemory& arena_;
  std::byte* const start_;
  std::vector<page> pages_;
  std::vector<std::array<std::uint64_t, 2>> slab_used_;  ///< a bit an object, a row a page
  std::array<std::uint32_t, kMaxOrder + 1> free_;
  std::array<std::uint32_t, kSizes.size()> partial_;
  std::size_t pages_free_ = 0;
  std::size_t outstanding_ = 0;
};

}  // namespace nicroscope::kernel
