// SPDX-License-Identifier: Apache-2.0
#include "stack/core/checksum.h"

#include <cstring>

namespace nicroscope::net {

namespace {

std::uint64_t load64(const std::byte* p) noexcept {
  std::uint64_t v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

}  // namespace

std::uint32_t csum_partial(std::span<const std::byte> bytes, std::uint32_t sum) noexcept {
  const std::byte* p = bytes.data();
  std::size_t left = bytes.size();
  // Two sums of 32-bit halves: no carry can be lost below 2^32 words.
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  for (; left >= 8; left -= 8, p += 8) {
    const std::uint64_t word = load64(p);
    low += word & 0xffff'ffffU;
    high += word >> 32U;
  }
  if (left != 0) {
    std::uint64_t word = 0;
    std::memcpy(&word, p, left);
    low += word & 0xffff'ffffU;
    high += word >> 32U;
  }
  low += high;
  low = (low & 0xffff'ffffU) + (low >> 32U);
  low = (low & 0xffff'ffffU) + (low >> 32U);
  // The words were read in the machine's order: ones' complement sums commute with byte swaps.
  const std::uint16_t native = csum_reduce(static_cast<std::uint32_t>(low));
  return csum_add(sum, __builtin_bswap16(native));
}

std::uint32_t csum_block_add(std::uint32_t sum, std::uint32_t block,
                             std::uint32_t offset) noexcept {
  const std::uint16_t reduced = csum_reduce(block);
  return csum_add(sum, (offset & 1U) != 0 ? __builtin_bswap16(reduced) : reduced);
}

std::uint32_t csum_tcpudp_nofold(std::uint32_t saddr, std::uint32_t daddr, std::uint32_t len,
                                 std::uint8_t protocol) noexcept {
  return (saddr >> 16U) + (saddr & 0xffffU) + (daddr >> 16U) + (daddr & 0xffffU) + protocol +
         (len >> 16U) + (len & 0xffffU);
}

}  // namespace nicroscope::net
