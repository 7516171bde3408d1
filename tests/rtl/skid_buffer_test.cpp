// SPDX-License-Identifier: Apache-2.0
// skid_buffer: order, stability, registered outputs, full throughput.

#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <random>

#include "Vskid_buffer.h"
#include "verilated.h"

namespace nicroscope::test {
namespace {

class SkidBuffer : public ::testing::Test {
 protected:
  SkidBuffer() {
    context_.randReset(2);
    top_ = std::make_unique<Vskid_buffer>(&context_);
    top_->rst_i = 1;
    edge();
    top_->rst_i = 0;
  }
  ~SkidBuffer() override { top_->final(); }

  void edge() {
    top_->clk_i = 0;
    top_->eval();
    top_->clk_i = 1;
    top_->eval();
  }

  void clock(bool offer, bool take) {
    const bool valid = top_->out_valid_o;
    const bool ready = top_->in_ready_o;
    const std::uint8_t data = top_->out_data_o;
    top_->in_valid_i = offer;
    top_->in_data_i = next_;
    top_->out_ready_i = take;
    top_->clk_i = 0;
    top_->eval();
    ASSERT_EQ(top_->out_valid_o, valid) << "an output depends on an input";
    ASSERT_EQ(top_->in_ready_o, ready) << "an output depends on an input";
    ASSERT_EQ(top_->out_data_o, data) << "an output depends on an input";
    ASSERT_EQ(valid, !held_.empty());
    ASSERT_EQ(ready, held_.size() < 2);
    if (valid) {
      ASSERT_EQ(data, held_.front());
    }
    if (valid && take) {
      held_.pop_front();
      ++moved_;
    }
    if (offer && ready) held_.push_back(next_++);
    top_->clk_i = 1;
    top_->eval();
  }

  VerilatedContext context_;
  std::unique_ptr<Vskid_buffer> top_;
  std::mt19937 random_{9};
  std::deque<std::uint8_t> held_;
  std::uint8_t next_ = 0;
  int moved_ = 0;
};

TEST_F(SkidBuffer, RandomTrafficKeepsOrder) {
  for (unsigned i = 0; i < 20000; ++i) {
    const unsigned bias = i / 50 % 5;
    clock(random_() % 4 < bias, random_() % 4 < 4 - bias);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(moved_, 2000);
}

TEST_F(SkidBuffer, OneWordACycle) {
  for (int i = 0; i < 101; ++i) clock(true, true);
  EXPECT_EQ(moved_, 100);
}

}  // namespace
}  // namespace nicroscope::test
