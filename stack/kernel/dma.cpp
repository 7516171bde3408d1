// SPDX-License-Identifier: Apache-2.0
#include "stack/kernel/dma.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

namespace nicroscope::kernel {

Dma::Dma(Memory& memory) : memory_(memory), first_(memory.pages_total(), kNil) {}

std::size_t Dma::page_of(dma_addr_t address) const noexcept {
  return static_cast<std::size_t>((address - memory_.arena().base()) >> kPageShift);
}

void Dma::error(const char* who, dma_addr_t address, std::size_t size, const char* what) {
  std::array<char, 160> text{};
  std::snprintf(text.data(), text.size(), "%s: [0x%llx, +%zu): %s", who,
                static_cast<unsigned long long>(address), size, what);
  errors_.emplace_back(text.data());
}

// ---- streaming
// -----------------------------------------------------------------------------------

dma_addr_t Dma::dma_map_single(const void* cpu, std::size_t size, DmaDirection dir) {
  const dma_addr_t address = memory_.virt_to_bus(cpu);
  if (size == 0 || memory_.arena().at(address, size).empty()) {
    error("dma_map_single", address, size, "outside the kernel's memory");
    return address;
  }
  std::uint32_t node = free_;
  if (node != kNil) {
    free_ = nodes_[node].next;
  } else {
    node = static_cast<std::uint32_t>(nodes_.size());
    nodes_.emplace_back();
  }
  std::uint32_t& list = first_[page_of(address)];
  nodes_[node] = {address, size, dir, DmaOwner::device, list};
  list = node;
  longest_ = std::max(longest_, page_of(address + size - 1) - page_of(address));
  ++mappings_;
  memory_.arena().dma_map(address, size, dir);
  return address;
}

std::uint32_t* Dma::find(dma_addr_t address, std::size_t size, DmaDirection dir, const char* who) {
  if (memory_.bus_to_virt(address) == nullptr) {
    error(who, address, size, "outside the kernel's memory");
    return nullptr;
  }
  std::uint32_t* link = &first_[page_of(address)];
  bool near = false;
  while (*link != kNil) {
    const Node& node = nodes_[*link];
    if (node.address == address) {
      if (node.size == size && node.direction == dir) return link;
      near = true;
    }
    link = &nodes_[*link].next;
  }
  error(who, address, size, near ? "mapped with another size or direction" : "not mapped");
  return nullptr;
}

void Dma::dma_unmap_single(dma_addr_t address, std::size_t size, DmaDirection dir) {
  std::uint32_t* const link = find(address, size, dir, "dma_unmap_single");
  if (link == nullptr) return;
  const std::uint32_t node = *link;
  *link = nodes_[node].next;
  nodes_[node].next = free_;
  free_ = node;
  --mappings_;
  memory_.arena().dma_unmap(address, size, dir);
}

void Dma::set_owner(dma_addr_t address, std::size_t size, DmaDirection dir, DmaOwner owner,
                    const char* who) {
  std::uint32_t* const link = find(address, size, dir, who);
  if (link == nullptr) return;
  if (nodes_[*link].owner == owner) {
    error(who, address, size, "synced already");
    return;
  }
  nodes_[*link].owner = owner;
}

void Dma::dma_sync_single_for_cpu(dma_addr_t address, std::size_t size, DmaDirection dir) {
  set_owner(address, size, dir, DmaOwner::cpu, "dma_sync_single_for_cpu");
}

void Dma::dma_sync_single_for_device(dma_addr_t address, std::size_t size, DmaDirection dir) {
  set_owner(address, size, dir, DmaOwner::device, "dma_sync_single_for_device");
}

// ---- coherent
// ------------------------------------------------------------------------------------

CoherentBuffer Dma::dma_alloc_coherent(std::size_t size) {
  unsigned order = 0;
  while (kPageSize << order < size && order <= kMaxOrder) ++order;
  page* const p = memory_.alloc_pages(order);
  if (p == nullptr) return {};
  CoherentBuffer buffer{memory_.page_address(p), 0, kPageSize << order};
  buffer.bus = memory_.virt_to_bus(buffer.cpu);
  std::memset(buffer.cpu, 0, buffer.size);
  memory_.arena().dma_map(buffer.bus, buffer.size, DmaDirection::bidirectional);
  return buffer;
}

void Dma::dma_free_coherent(CoherentBuffer& buffer) {
  if (buffer.cpu == nullptr) return;
  memory_.arena().dma_unmap(buffer.bus, buffer.size, DmaDirection::bidirectional);
  memory_.put_page(memory_.virt_to_head_page(buffer.cpu));
  buffer = {};
}

// ---- ownership
// -----------------------------------------------------------------------------------

DmaOwner Dma::dma_owner(const void* cpu, std::size_t size) const noexcept {
  const dma_addr_t address = memory_.virt_to_bus(cpu);
  const std::size_t last = page_of(address + std::max<std::size_t>(size, 1) - 1);
  if (last >= first_.size()) return DmaOwner::cpu;
  std::size_t i = page_of(address);
  i -= std::min(i, longest_);
  for (; i <= last; ++i) {
    for (std::uint32_t node = first_[i]; node != kNil; node = nodes_[node].next) {
      const Node& n = nodes_[node];
      if (n.owner == DmaOwner::device && n.address < address + size &&
          address < n.address + n.size) {
        return DmaOwner::device;
      }
    }
  }
  return DmaOwner::cpu;
}

void Dma::check_cpu_owns(const void* cpu, std::size_t size, const char* who) {
  if (dma_owner(cpu, size) == DmaOwner::device) {
    error(who, memory_.virt_to_bus(cpu), size, "touched while it is the device's");
  }
}

}  // namespace nicroscope::kernel
