// SPDX-License-Identifier: Apache-2.0
#include "tests/golden/toeplitz.h"

#include <cassert>

namespace nicroscope::golden {

const HashKey& verification_key() {
  static constexpr HashKey kKey = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
                                   0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
                                   0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30,
                                   0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};
  return kKey;
}

std::uint32_t toeplitz(const HashKey& key, View input) {
  assert(input.size() + 4 <= key.size());
  const auto key_bit = [&](std::size_t number) -> std::uint32_t {
    return key[number / 8] >> (7 - number % 8) & 1;
  };
  std::uint32_t hash = 0;
  std::uint32_t window = 0;
  for (std::size_t bit = 0; bit < 32; ++bit) window = window << 1 | key_bit(bit);
  for (std::size_t bit = 0; bit < input.size() * 8; ++bit) {
    if ((get8(input, bit / 8) >> (7 - bit % 8) & 1) != 0) hash ^= window;
    window <<= 1;
    if (bit + 32 < kHashKeyBytes * 8) window |= key_bit(bit + 32);
  }
  return hash;
}

}  // namespace nicroscope::golden
