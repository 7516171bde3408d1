// SPDX-License-Identifier: Apache-2.0
#include "stack/kernel/memory.h"

#include <algorithm>
#include <bit>

#include "stack/kernel/bug.h"

namespace nicroscope::kernel {

namespace {

unsigned objects_in_slab(unsigned slab_class) {
  return static_cast<unsigned>(kPageSize) / Memory::kSizes[slab_class];
}

unsigned order_for(std::size_t size) {
  const std::size_t pages = (size + kPageSize - 1) >> kPageShift;
  return static_cast<unsigned>(std::bit_width(std::max<std::size_t>(pages, 1) - 1));
}

}  // namespace

Memory::Memory(HostMemory& arena) : arena_(arena), start_(arena.bytes().data()) {
  free_.fill(kNil);
  partial_.fill(kNil);
  const auto total = static_cast<std::uint32_t>(arena.bytes().size() >> kPageShift);
  pages_.resize(total);
  slab_used_.resize(total);
  // From the end, so that the lowest addresses come first off the lists.
  std::uint32_t end = total;
  while (end != 0) {
    unsigned order = kMaxOrder;
    while ((end & ((1U << order) - 1)) != 0) --order;
    end -= 1U << order;
    give_block(end, order);
  }
}

// ---- places
// --------------------------------------------------------------------------------------

std::uint32_t Memory::index_of(const page* p) const noexcept {
  return static_cast<std::uint32_t>(p - pages_.data());
}

std::uint32_t Memory::index_of(const void* address) const noexcept {
  const auto offset = static_cast<const std::byte*>(address) - start_;
  const auto index = static_cast<std::size_t>(offset) >> kPageShift;
  bug_on(offset < 0 || index >= pages_.size(), "an address outside the kernel's memory");
  return static_cast<std::uint32_t>(index);
}

std::uint32_t Memory::head_of(std::uint32_t i) const noexcept {
  return pages_[i].use == page::Use::tail ? pages_[i].head : i;
}

std::byte* Memory::page_address(const page* p) const noexcept {
  return start_ + (std::size_t{index_of(p)} << kPageShift);
}

page* Memory::virt_to_head_page(const void* address) noexcept {
  return &pages_[head_of(index_of(address))];
}

BusAddress Memory::virt_to_bus(const void* address) const noexcept {
  const auto offset = static_cast<const std::byte*>(address) - start_;
  return arena_.base() + static_cast<BusAddress>(offset);
}

std::byte* Memory::bus_to_virt(BusAddress address) const noexcept {
  if (address < arena_.base()) return nullptr;
  const BusAddress offset = address - arena_.base();
  return offset < pages_.size() << kPageShift ? start_ + offset : nullptr;
}

// ---- lists
// ---------------------------------------------------------------------------------------

void Memory::list_push(std::uint32_t& head, std::uint32_t i) noexcept {
  pages_[i].prev = kNil;
  pages_[i].next = head;
  if (head != kNil) pages_[head].prev = i;
  head = i;
}

void Memory::list_remove(std::uint32_t& head, std::uint32_t i) noexcept {
  const page& p = pages_[i];
  if (p.next != kNil) pages_[p.next].prev = p.prev;
  if (p.prev != kNil) {
    pages_[p.prev].next = p.next;
  } else {
    head = p.next;
  }
}

// ---- pages
// ---------------------------------------------------------------------------------------

std::uint32_t Memory::take_block(unsigned order) noexcept {
  unsigned from = order;
  while (from <= kMaxOrder && free_[from] == kNil) ++from;
  if (from > kMaxOrder) return kNil;
  const std::uint32_t i = free_[from];
  list_remove(free_[from], i);
  while (from != order) {  // give the upper halves back
    --from;
    const std::uint32_t buddy = i + (1U << from);
    pages_[buddy].use = page::Use::free;
    pages_[buddy].order = static_cast<std::uint8_t>(from);
    list_push(free_[from], buddy);
  }
  pages_[i].order = static_cast<std::uint8_t>(order);
  for (std::uint32_t t = 1; t < 1U << order; ++t) {
    pages_[i + t].use = page::Use::tail;
    pages_[i + t].head = i;
  }
  pages_free_ -= std::size_t{1} << order;
  return i;
}

void Memory::give_block(std::uint32_t i, unsigned order) noexcept {
  pages_free_ += std::size_t{1} << order;
  for (std::uint32_t t = 1; t < 1U << order; ++t) pages_[i + t].use = page::Use::none;
  while (order < kMaxOrder) {
    const std::uint32_t buddy = i ^ (1U << order);
    if (buddy >= pages_.size() || pages_[buddy].use != page::Use::free ||
        pages_[buddy].order != order) {
      break;
    }
    list_remove(free_[order], buddy);
    pages_[std::max(i, buddy)].use = page::Use::none;
    i = std::min(i, buddy);
    ++order;
  }
  pages_[i].use = page::Use::free;
  pages_[i].order = static_cast<std::uint8_t>(order);
  list_push(free_[order], i);
}

page* Memory::alloc_pages(unsigned order) {
  if (order > kMaxOrder) return nullptr;
  const std::uint32_t i = take_block(order);
  if (i == kNil) return nullptr;
  pages_[i].use = page::Use::block;
  pages_[i].refcount = 1;
  ++outstanding_;
  return &pages_[i];
}

void Memory::get_page(page* p) noexcept {
  page& head = pages_[head_of(index_of(p))];
  bug_on(head.use != page::Use::block, "get_page of a page that is not allocated");
  ++head.refcount;
}

void Memory::put_page(page* p) noexcept {
  const std::uint32_t i = head_of(index_of(p));
  page& head = pages_[i];
  bug_on(head.use != page::Use::block, "put_page of a page that is not allocated");
  if (--head.refcount != 0) return;
  --outstanding_;
  give_block(i, head.order);
}

// ---- objects
// -------------------------------------------------------------------------------------

bool Memory::new_slab(unsigned slab_class) noexcept {
  const std::uint32_t i = take_block(0);
  if (i == kNil) return false;
  pages_[i].use = page::Use::slab;
  pages_[i].slab_class = static_cast<std::uint8_t>(slab_class);
  pages_[i].in_use = 0;
  slab_used_[i] = {};
  list_push(partial_[slab_class], i);
  return true;
}

void* Memory::kmalloc(std::size_t size) {
  if (size > kSizes.back()) {
    page* const p = alloc_pages(order_for(size));
    return p == nullptr ? nullptr : page_address(p);
  }
  unsigned c = 0;
  while (kSizes[c] < size) ++c;
  if (partial_[c] == kNil && !new_slab(c)) return nullptr;
  const std::uint32_t i = partial_[c];
  auto& used = slab_used_[i];
  const unsigned word = ~used[0] != 0 ? 0U : 1U;
  const auto bit = static_cast<unsigned>(std::countr_one(used[word]));
  used[word] |= std::uint64_t{1} << bit;
  if (++pages_[i].in_use == objects_in_slab(c)) list_remove(partial_[c], i);
  ++outstanding_;
  return start_ + (std::size_t{i} << kPageShift) + std::size_t{word * 64 + bit} * kSizes[c];
}

void Memory::kfree(void* object) noexcept {
  if (object == nullptr) return;
  const std::uint32_t i = index_of(object);
  page& p = pages_[i];
  const auto offset =
      static_cast<std::size_t>(static_cast<std::byte*>(object) - start_) & (kPageSize - 1);
  if (p.use == page::Use::block) {
    bug_on(offset != 0, "kfree of the inside of an object");
    put_page(&p);
    return;
  }
  bug_on(p.use != page::Use::slab, "kfree of what is not allocated");
  const unsigned c = p.slab_class;
  const auto n = static_cast<unsigned>(offset / kSizes[c]);
  const std::uint64_t mask = std::uint64_t{1} << (n % 64);
  bug_on(offset % kSizes[c] != 0, "kfree of the inside of an object");
  bug_on((slab_used_[i][n / 64] & mask) == 0, "kfree of what is free");
  slab_used_[i][n / 64] &= ~mask;
  --outstanding_;
  if (p.in_use-- == objects_in_slab(c)) list_push(partial_[c], i);
  // One empty slab is kept, so that a lone object does not take and give a page each time.
  if (p.in_use == 0 && (p.next != kNil || p.prev != kNil)) {
    list_remove(partial_[c], i);
    give_block(i, 0);
  }
}

std::size_t Memory::ksize(const void* object) noexcept {
  const page& p = pages_[index_of(object)];
  return p.use == page::Use::slab ? kSizes[p.slab_class] : page_bytes(&p);
}

}  // namespace nicroscope::kernel
