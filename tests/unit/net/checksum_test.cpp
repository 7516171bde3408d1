// SPDX-License-Identifier: Apache-2.0
#include "stack/core/checksum.h"

#include <gtest/gtest.h>

#include "tests/unit/net/frames.h"

namespace nicroscope::test {
namespace {

using namespace net;

Bytes random_bytes(Random& random, std::size_t n) {
  Bytes b(n);
  for (std::byte& byte : b) byte = static_cast<std::byte>(random() & 0xffU);
  return b;
}

TEST(ChecksumTest, ExampleOfRfc1071) {
  Bytes b;
  put32(b, 0x0001'f203);
  put32(b, 0xf4f5'f6f7);
  EXPECT_EQ(csum_reduce(csum_partial(b, 0)), 0xddf2);
}

TEST(ChecksumTest, EqualsTheNaiveSumAtEverySizeAndAlignment) {
  Random random(1);
  const Bytes b = random_bytes(random, 1600);
  for (std::size_t size = 0; size < 200; ++size) {
    for (std::size_t at = 0; at < 8; ++at) {
      ASSERT_EQ(csum_fold(csum_partial(std::span(b).subspan(at, size), 0)),
                naive_checksum(slice(b, at, size)));
    }
  }
  const Bytes ones(65535, std::byte{0xff});
  EXPECT_EQ(csum_fold(csum_partial(ones, 0xffff'ffff)), naive_checksum(ones));
}

TEST(ChecksumTest, BlocksAtOddOffsetsAddUp) {
  Random random(2);
  for (int i = 0; i < 500; ++i) {
    const Bytes b = random_bytes(random, 1 + random() % 300);
    std::uint32_t sum = 0;
    for (std::size_t at = 0; at < b.size();) {
      const std::size_t n = std::min<std::size_t>(1 + random() % 40, b.size() - at);
      sum = csum_block_add(sum, csum_partial(std::span(b).subspan(at, n), 0),
                           static_cast<std::uint32_t>(at));
      at += n;
    }
    ASSERT_EQ(csum_fold(sum), naive_checksum(b));
  }
}

TEST(ChecksumTest, ReplacedWordKeepsTheChecksumRight) {
  Random random(3);
  for (int i = 0; i < 500; ++i) {
    Bytes b = random_bytes(random, 40);
    set16(b, 10, 0);
    set16(b, 10, naive_checksum(b));
    const auto from = static_cast<std::uint16_t>(get16(b, 20));
    const auto to = static_cast<std::uint16_t>(random());
    const auto check = static_cast<std::uint16_t>(get16(b, 10));
    set16(b, 20, to);
    set16(b, 10, csum_replace2(check, from, to));
    ASSERT_EQ(naive_checksum(b), 0U);
  }
}

}  // namespace
}  // namespace nicroscope::test
