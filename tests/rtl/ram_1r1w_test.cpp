// SPDX-License-Identifier: Apache-2.0
// ram_1r1w against an array.

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <memory>
#include <random>

#include "Vram_1r1w.h"
#include "verilated.h"

namespace nicroscope::test {
namespace {

TEST(Ram1r1w, ReadsTheOldWordAndHoldsItsOutput) {
  VerilatedContext context;
  context.randReset(2);
  const auto top = std::make_unique<Vram_1r1w>(&context);
  std::mt19937 random{8};
  std::array<std::uint32_t, 64> words{};
  const auto edge = [&] {
    top->clk_i = 0;
    top->eval();
    top->clk_i = 1;
    top->eval();
  };
  top->re_i = 0;
  top->we_i = 1;
  for (std::size_t i = 0; i < words.size(); ++i) {
    words[i] = static_cast<std::uint32_t>(random());
    top->waddr_i = static_cast<std::uint8_t>(i);
    top->wdata_i = words[i];
    edge();
  }
  std::uint32_t shown = 0;
  bool known = false;
  int collisions = 0;
  for (int i = 0; i < 20000; ++i) {
    const std::uint8_t write = random() % 64;
    const std::uint8_t read = random() % 4 == 0 ? write : random() % 64;
    top->we_i = random() % 2;
    top->re_i = random() % 2;
    top->waddr_i = write;
    top->raddr_i = read;
    top->wdata_i = static_cast<std::uint32_t>(random());
    edge();
    if (top->re_i) {
      shown = words[read];
      known = true;
      collisions += top->we_i && write == read;
    }
    if (top->we_i) words[write] = top->wdata_i;
    if (known) {
      ASSERT_EQ(top->rdata_o, shown);
    }
  }
  EXPECT_GT(collisions, 100);
  top->final();
}

}  // namespace
}  // namespace nicroscope::test
