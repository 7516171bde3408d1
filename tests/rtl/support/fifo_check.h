// SPDX-License-Identifier: Apache-2.0
#pragma once

// What fifo and fifo_ram promise alike, checked against a std::deque on a Verilated model of
// either.

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <random>

#include "verilated.h"

namespace nicroscope::test {

/// Drives a FIFO of 32-bit words and checks every cycle.
template <typename Model>
class FifoCheck {
 public:
  explicit FifoCheck(std::size_t depth) : depth_(depth) {
    context_.randReset(2);
    top_ = std::make_unique<Model>(&context_);
    top_->rst_i = 1;
    top_->wr_valid_i = 0;
    top_->rd_ready_i = 0;
    for (int i = 0; i < 2; ++i) edge();
    top_->rst_i = 0;
  }
  ~FifoCheck() { top_->final(); }
  FifoCheck(const FifoCheck&) = delete;
  FifoCheck& operator=(const FifoCheck&) = delete;

  std::size_t held() const { return words_.size(); }
  std::size_t moved() const { return moved_; }
  bool offers() const { return top_->rd_valid_o; }

  /// One cycle in which a word is offered and one is asked for, as told.
  void clock(bool write, bool read) {
    const auto data = static_cast<std::uint32_t>(random_());
    top_->wr_valid_i = write;
    top_->wr_data_i = data;
    top_->rd_ready_i = !read;
    top_->clk_i = 0;
    top_->eval();
    const bool ready = top_->wr_ready_o;
    top_->rd_ready_i = read;
    top_->eval();
    ASSERT_EQ(top_->wr_ready_o, ready) << "wr_ready_o depends on rd_ready_i";
    ASSERT_EQ(ready, words_.size() < depth_);
    ASSERT_EQ(top_->count_o, words_.size());
    if (top_->rd_valid_o) {
      ASSERT_FALSE(words_.empty());
      ASSERT_EQ(top_->rd_data_o, words_.front());
    } else {
      ASSERT_FALSE(offered_) << "an offered word was taken back";
    }
    const bool push = write && ready;
    const bool pop = read && top_->rd_valid_o;
    offered_ = top_->rd_valid_o && !pop;
    if (pop) {
      words_.pop_front();
      ++moved_;
    }
    if (push) words_.push_back(data);
    top_->clk_i = 1;
    top_->eval();
  }

  /// Random traffic whose balance changes, so that it runs full and empty.
  void traffic(int cycles) {
    for (int i = 0; i < cycles && !::testing::Test::HasFatalFailure(); ++i) {
      const unsigned bias = static_cast<unsigned>(i / 64) % 5;
      clock(random_() % 4 < bias, random_() % 4 < 4 - bias);
    }
  }

  /// Fills it, empties it, and streams through it; `latency` is from write to read.
  void promises(std::size_t latency) {
    for (std::size_t i = 0; i < 3 * depth_; ++i) clock(true, false);
    EXPECT_EQ(held(), depth_);
    for (std::size_t i = 0; i < depth_; ++i) clock(false, true);
    EXPECT_EQ(held(), 0u) << "not one word a cycle out of a full FIFO";
    clock(true, false);
    for (std::size_t i = 1; i < latency; ++i) {
      EXPECT_FALSE(offers());
      clock(false, false);
    }
    EXPECT_TRUE(offers()) << "later than promised";
    // With more than `latency` words inside, one goes in and one comes out every cycle.
    while (held() < latency + 1) clock(true, false);
    const std::size_t before = moved();
    for (int i = 0; i < 100; ++i) clock(true, true);
    EXPECT_EQ(moved() - before, 100u);
  }

 private:
  void edge() {
    top_->clk_i = 0;
    top_->eval();
    top_->clk_i = 1;
    top_->eval();
  }

  std::size_t depth_;
  VerilatedContext context_;
  std::unique_ptr<Model> top_;
  std::mt19937 random_{7};
  std::deque<std::uint32_t> words_;
  std::size_t moved_ = 0;
  bool offered_ = false;
};

}  // namespace nicroscope::test
