// SPDX-License-Identifier: Apache-2.0
#include "tests/golden/checksum.h"

namespace nicroscope::golden {

namespace {
std::uint16_t fold(std::uint64_t sum) {
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}
}  // namespace

std::uint16_t ones_sum(View bytes, std::uint32_t start) {
  std::uint64_t sum = start;
  std::size_t at = 0;
  for (; at + 1 < bytes.size(); at += 2) sum += get16(bytes, at);
  if (at < bytes.size()) sum += std::uint64_t{get8(bytes, at)} << 8;
  return fold(sum);
}

std::uint16_t ones_add(std::uint16_t a, std::uint16_t b) { return fold(std::uint64_t{a} + b); }

std::uint16_t pseudo_sum(View source, View destination, std::uint8_t protocol,
                         std::uint32_t length) {
  std::uint64_t sum = protocol;
  sum += length >> 16;
  sum += length & 0xffff;
  sum += ones_sum(source);
  sum += ones_sum(destination);
  return fold(sum);
}

}  // namespace nicroscope::golden
