// SPDX-License-Identifier: Apache-2.0
#include "sim/bus/host_arena.h"

#include <sys/mman.h>

#include <new>
#include <stdexcept>

namespace nicroscope::sim {

HostArena::HostArena(std::size_t size, BusAddress base)
    : base_(base), size_((size + kPage - 1) / kPage * kPage) {
  void* memory = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  data_ = static_cast<std::byte*>(memory);
  if (!attach(base_, bytes())) throw std::logic_error("an arena begins at a page's address");
}

HostArena::~HostArena() { ::munmap(data_, size_); }

void HostArena::dma_map(BusAddress address, std::size_t size, DmaDirection direction) {
  check(address, size);
  ranges().map(address, size, direction);
}

void HostArena::dma_unmap(BusAddress address, std::size_t size, DmaDirection direction) {
  check(address, size);
  if (!ranges().unmap(address, size, direction)) {
    throw std::logic_error("dma_unmap of a range that is not mapped in this direction");
  }
}

void HostArena::check(BusAddress address, std::size_t size) const {
  if (address < base_ || size > size_ || address - base_ > size_ - size) {
    throw std::logic_error("DMA range outside the host's memory");
  }
}

}  // namespace nicroscope::sim
