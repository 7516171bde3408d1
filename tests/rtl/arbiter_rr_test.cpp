// SPDX-License-Identifier: Apache-2.0
// arbiter_rr with five requesters against a pointer that counts.

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <memory>
#include <random>

#include "Varbiter_rr.h"
#include "verilated.h"

namespace nicroscope::test {
namespace {

constexpr unsigned kRequesters = 5;

TEST(ArbiterRr, GrantsTheFirstFromThePointerAndStarvesNobody) {
  VerilatedContext context;
  context.randReset(2);
  const auto top = std::make_unique<Varbiter_rr>(&context);
  std::mt19937 random{10};
  const auto edge = [&] {
    top->clk_i = 0;
    top->eval();
    top->clk_i = 1;
    top->eval();
  };
  top->rst_i = 1;
  edge();
  top->rst_i = 0;
  unsigned pointer = 0;
  std::array<unsigned, kRequesters> waited{};
  std::array<unsigned, kRequesters> granted{};
  for (int i = 0; i < 20000; ++i) {
    const std::uint8_t request = random() % (1u << kRequesters);
    top->request_i = request;
    top->advance_i = random() % 2;
    top->clk_i = 0;
    top->eval();
    ASSERT_EQ(top->grant_valid_o, request != 0);
    if (request == 0) {
      ASSERT_EQ(top->grant_o, 0);
      ASSERT_EQ(top->grant_index_o, 0);
    } else {
      unsigned want = pointer;
      while (((request >> want) & 1) == 0) want = (want + 1) % kRequesters;
      ASSERT_EQ(top->grant_o, 1u << want);
      ASSERT_EQ(top->grant_index_o, want);
      if (top->advance_i) {
        pointer = (want + 1) % kRequesters;
        ++granted[want];
        for (unsigned r = 0; r < kRequesters; ++r) {
          const bool waits = ((request >> r) & 1) != 0 && r != want;
          waited[r] = waits ? waited[r] + 1 : 0;
          ASSERT_LT(waited[r], kRequesters);
        }
      }
    }
    for (unsigned r = 0; r < kRequesters; ++r) {
      if (((request >> r) & 1) == 0) waited[r] = 0;
    }
    top->clk_i = 1;
    top->eval();
  }
  for (unsigned count : granted) EXPECT_GT(count, 1000u);
  top->final();
}

}  // namespace
}  // namespace nicroscope::test
