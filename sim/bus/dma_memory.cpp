// SPDX-License-Identifier: Apache-2.0
#include "sim/bus/dma_memory.h"

#include <algorithm>

namespace nicroscope::sim {

bool DmaMemory::attach(BusAddress begin, std::span<std::byte> bytes) {
  const std::size_t size = bytes.size();
  if (size == 0 || begin % kPage != 0 || size % kPage != 0) return false;
  if (begin + size - 1 < begin || occupied(begin, size)) return false;
  pieces_.push_back({begin, size, bytes.data()});
  return true;
}

void DmaMemory::detach(BusAddress begin) noexcept {
  std::erase_if(pieces_, [begin](const Piece& piece) { return piece.begin == begin; });
  hit_ = {};
}

bool DmaMemory::occupied(BusAddress begin, std::size_t size) const noexcept {
  return std::ranges::any_of(pieces_, [begin, size](const Piece& piece) {
    return begin <= piece.begin ? piece.begin - begin < size : begin - piece.begin < piece.size;
  });
}

std::byte* DmaMemory::find(BusAddress address) noexcept {
  for (const Piece& piece : pieces_) {
    if (address - piece.begin < piece.size) {
      hit_ = piece;
      return piece.data + (address - piece.begin);
    }
  }
  return nowhere_.data() + address % kPage;
}

}  // namespace nicroscope::sim
