// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "tests/golden/bytes.h"

namespace nicroscope::golden {

/// The ones' complement sum of `bytes` as 16-bit numbers in network order (RFC 1071), a last odd
/// byte being the upper half of a number; folded to 16 bits, not inverted.
[[nodiscard]] std::uint16_t ones_sum(View bytes, std::uint32_t start = 0);

/// Ones' complement addition of two folded sums.
[[nodiscard]] std::uint16_t ones_add(std::uint16_t a, std::uint16_t b);

/// The Internet checksum: the inverted sum.
[[nodiscard]] inline std::uint16_t internet_checksum(View bytes, std::uint32_t start = 0) {
  return static_cast<std::uint16_t>(~ones_sum(bytes, start));
}

/// The sum of a TCP or UDP pseudo-header (RFC 793 3.1 and RFC 8200 8.1: with addresses of 4 or 16
/// bytes they come to the same), folded, not inverted.
[[nodiscard]] std::uint16_t pseudo_sum(View source, View destination, std::uint8_t protocol,
                                       std::uint32_t length);

}  // namespace nicroscope::golden
