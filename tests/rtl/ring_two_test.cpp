// SPDX-License-Identifier: Apache-2.0
// ring_two: both readers get every entry, in order, each at its own pace.

#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <random>

#include "Vring_two.h"
#include "verilated.h"

namespace nicroscope::test {
namespace {

constexpr std::size_t kDepth = 8;

class RingTwo : public ::testing::TestWithParam<unsigned> {
 protected:
  RingTwo() : random_(GetParam()) {
    context_.randReset(2);
    top_ = std::make_unique<Vring_two>(&context_);
    top_->wr_valid_i = 0;
    top_->first_ready_i = 0;
    top_->second_ready_i = 0;
    reset();
  }
  ~RingTwo() override {
    Verilated::threadContextp(&context_);
    top_.reset();
  }

  void reset() {
    top_->rst_i = 1;
    edge();
    top_->rst_i = 0;
    first_.clear();
    second_.clear();
  }

  // One cycle: writes if there is room, and takes what is offered and expected.
  void cycle(bool write, bool first, bool second) {
    top_->clk_i = 0;
    top_->first_ready_i = first;
    top_->second_ready_i = second;
    top_->eval();
    top_->wr_valid_i = write && top_->room_o;
    top_->wr_first_i = next_;
    top_->wr_second_i = ~next_;
    top_->eval();
    EXPECT_EQ(top_->empty_o, second_.empty());
    take(first_, top_->first_valid_o, first, top_->first_data_o);
    take(second_, top_->second_valid_o, second, ~top_->second_data_o);
    if (top_->wr_valid_i) {
      first_.push_back(next_);
      second_.push_back(next_++);
      ++written_;
    }
    edge();
  }

  void edge() {
    top_->clk_i = 0;
    top_->eval();
    top_->clk_i = 1;
    top_->eval();
  }

  void take(std::deque<uint32_t>& expected, bool valid, bool ready, uint32_t data) {
    if (!valid) return;
    ASSERT_FALSE(expected.empty());
    EXPECT_EQ(data, expected.front());
    if (ready) expected.pop_front();
  }

  std::mt19937 random_;
  VerilatedContext context_;
  std::unique_ptr<Vring_two> top_;
  std::deque<uint32_t> first_;
  std::deque<uint32_t> second_;
  uint32_t next_ = 1;
  unsigned written_ = 0;
};

TEST_P(RingTwo, ReadersGoTheirOwnWay) {
  unsigned pace[3] = {};
  for (unsigned i = 0; i < 30000; ++i) {
    if (i % 64 == 0) {
      for (unsigned& p : pace) p = static_cast<unsigned>(random_() % 5 * 25);
    }
    if (i % 5000 == 4999) reset();
    cycle(random_() % 100 < pace[0], random_() % 100 < pace[1], random_() % 100 < pace[2]);
  }
  EXPECT_GT(written_, 3000U);
}

TEST_P(RingTwo, AnEntryACycle) {
  for (unsigned i = 0; i < 1000; ++i) cycle(true, true, true);
  EXPECT_EQ(written_, 1000U);
}

// One reader that stands still lets the other have all there is, and no more is written than fits.
TEST_P(RingTwo, AReaderThatStandsStillFillsTheRing) {
  const bool first_reads = GetParam() % 2 == 0;
  for (unsigned i = 0; i < 100; ++i) cycle(true, first_reads, !first_reads);
  EXPECT_GE(written_, kDepth - 1);
  EXPECT_LE(written_, kDepth + 1);
  EXPECT_TRUE(first_reads ? first_.empty() : second_.empty());
  EXPECT_TRUE(top_->settled_o);
  for (unsigned i = 0; i < 100; ++i) cycle(false, true, true);
  EXPECT_TRUE(first_.empty() && second_.empty());
}

INSTANTIATE_TEST_SUITE_P(Seeds, RingTwo, ::testing::Range(1U, 5U));

}  // namespace
}  // namespace nicroscope::test
