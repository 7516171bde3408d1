// SPDX-License-Identifier: Apache-2.0
// crc32: the form for synthesis and the form for simulation are the same function, and it is
// zlib's.

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <random>

#include "Vcrc32_harness.h"
#include "verilated.h"

namespace nicroscope::test {
namespace {

class Crc32 : public ::testing::Test {
 protected:
  Crc32() {
    context_.randReset(2);
    top_ = std::make_unique<Vcrc32_harness>(&context_);
    top_->enable_i = 0;
    top_->rst_i = 1;
    clock();
    top_->rst_i = 0;
    clock();
  }
  ~Crc32() override { top_->final(); }

  void clock() {
    top_->clk_i = 0;
    top_->eval();
    top_->clk_i = 1;
    top_->eval();
  }
  void take(std::uint64_t data, unsigned octets, bool first) {
    top_->enable_i = 1;
    top_->first_i = first;
    top_->data_i = data;
    top_->octets_i = octets & 0xF;
    clock();
    top_->enable_i = 0;
    if (octets != 8) clock();
  }

  VerilatedContext context_;
  std::unique_ptr<Vcrc32_harness> top_;
};

// The sum is the exclusive or of eleven functions of six bits each: all values of all of them are
// all that there is to compare.
TEST_F(Crc32, BothFormsAreTheSameFunction) {
  for (unsigned part = 0; part < 11; ++part) {
    for (std::uint64_t bits = 0; bits < 64; ++bits) {
      // First octets meet a remainder of all ones, which the data takes back here.
      take((bits << (6 * part)) ^ 0xFFFF'FFFF, 8, true);
      ASSERT_EQ(top_->tables_o, top_->parities_o) << part << " " << bits;
      ASSERT_EQ(top_->whole_tables_o, top_->whole_parities_o) << part << " " << bits;
      ASSERT_EQ(top_->tables_o, top_->whole_tables_o) << part << " " << bits;
    }
  }
}

TEST_F(Crc32, IsThatOfEthernet) {
  std::mt19937_64 random{1};
  for (int round = 0; round < 3000; ++round) {
    const std::size_t size = 1 + random() % 80;
    std::array<std::uint8_t, 80> octets{};
    for (auto& octet : octets) octet = static_cast<std::uint8_t>(random());
    for (std::size_t at = 0; at < size; at += 8) {
      std::uint64_t word = random();  // the lanes above the last octet hold anything
      const std::size_t count = std::min<std::size_t>(size - at, 8);
      for (std::size_t i = 0; i < count; ++i) {
        word &= ~(0xFFull << (8 * i));
        word |= std::uint64_t{octets[at + i]} << (8 * i);
      }
      take(word, static_cast<unsigned>(count), at == 0);
    }
    const auto expected = static_cast<std::uint32_t>(
        crc32(crc32(0, nullptr, 0), octets.data(), static_cast<uInt>(size)));
    ASSERT_EQ(~top_->tables_o, expected) << size;
    ASSERT_EQ(~top_->parities_o, expected) << size;
    if (size % 8 == 0) {
      ASSERT_EQ(~top_->whole_tables_o, expected);
      ASSERT_EQ(~top_->whole_parities_o, expected);
    }
  }
}

}  // namespace
}  // namespace nicroscope::test
