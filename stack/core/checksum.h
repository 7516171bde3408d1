// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace nicroscope::net {

// The Internet checksum (RFC 1071). A running sum is a number whose 16-bit ones' complement value
// counts: the first byte of a pair is its high byte, whatever the machine.

/// Adds the ones' complement sum of `bytes`, padded with a zero byte to an even length, to `sum`.
[[nodiscard]] std::uint32_t csum_partial(std::span<const std::byte> bytes,
                                         std::uint32_t sum) noexcept;

[[nodiscard]] inline std::uint32_t csum_add(std::uint32_t a, std::uint32_t b) noexcept {
  const std::uint32_t sum = a + b;
  return sum + (sum < a ? 1U : 0U);
}

/// Adds the sum of a block that starts `offset` bytes behind the start of what `sum` covers.
[[nodiscard]] std::uint32_t csum_block_add(std::uint32_t sum, std::uint32_t block,
                                           std::uint32_t offset) noexcept;

/// The sum in 16 bits.
[[nodiscard]] inline std::uint16_t csum_reduce(std::uint32_t sum) noexcept {
  sum = (sum & 0xffffU) + (sum >> 16U);
  sum = (sum & 0xffffU) + (sum >> 16U);
  return static_cast<std::uint16_t>(sum);
}
/// The checksum: the sum's complement. 0 over bytes that include their own right checksum.
[[nodiscard]] inline std::uint16_t csum_fold(std::uint32_t sum) noexcept {
  return static_cast<std::uint16_t>(~csum_reduce(sum));
}

/// The sum of the IPv4 pseudo header of TCP and UDP (RFC 768, RFC 793 3.1). Addresses in host
/// order.
[[nodiscard]] std::uint32_t csum_tcpudp_nofold(std::uint32_t saddr, std::uint32_t daddr,
                                               std::uint32_t len, std::uint8_t protocol) noexcept;

/// The checksum after a 16-bit word changed (RFC 1624, equation 3).
[[nodiscard]] inline std::uint16_t csum_replace2(std::uint16_t checksum, std::uint16_t from,
                                                 std::uint16_t to) noexcept {
  const auto kept = static_cast<std::uint32_t>(static_cast<std::uint16_t>(~checksum));
  const auto removed = static_cast<std::uint32_t>(static_cast<std::uint16_t>(~from));
  return csum_fold(kept + removed + to);
}

}  // namespace nicroscope::net
