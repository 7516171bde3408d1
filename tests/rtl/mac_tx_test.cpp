// SPDX-License-Identifier: Apache-2.0
// mac_tx: what leaves is what IEEE 802.3 says, at link rate to the octet.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <vector>

#include "Vmac_tx.h"
#include "tests/rtl/support/xgmii.h"
#include "verilated.h"

namespace nicroscope::test {
namespace {

class MacTx : public ::testing::Test {
 protected:
  MacTx() {
    context_.randReset(2);
    top_ = std::make_unique<Vmac_tx>(&context_);
    reset();
  }
  ~MacTx() override { top_->final(); }

  void reset() {
    top_->rst_i = 1;
    top_->s_axis_tvalid_i = 0;
    for (int i = 0; i < 3; ++i) edge();
    top_->rst_i = 0;
    tags_sent_ = starts_ = ends_ = 0;
  }

  void edge() {
    top_->clk_i = 0;
    top_->eval();
    top_->clk_i = 1;
    top_->eval();
  }

  /// One cycle: offers the next word of the queue unless `withhold`.
  void clock(bool withhold = false) {
    const bool offer = !queue_.empty() && !withhold;
    top_->s_axis_tvalid_i = offer;
    if (offer) {
      const Bytes& frame = queue_.front();
      const std::size_t left = frame.size() - offset_;
      const std::size_t octets = std::min<std::size_t>(left, 8);
      std::uint64_t data = random_() * 0x9e3779b97f4a7c15u;  // unused lanes hold anything
      for (std::size_t i = 0; i < octets; ++i) {
        data &= ~(std::uint64_t{0xff} << (8 * i));
        data |= std::uint64_t{frame[offset_ + i]} << (8 * i);
      }
      top_->s_axis_tdata_i = data;
      top_->s_axis_tkeep_i = static_cast<std::uint8_t>(0xff >> (8 - octets));
      top_->s_axis_tlast_i = left <= 8;
      top_->tag_i = tags_sent_ + 1;
    }
    top_->clk_i = 0;
    top_->eval();
    const bool taken = offer && top_->s_axis_tready_o;
    top_->clk_i = 1;
    top_->eval();
    if (taken) {
      offset_ += 8;
      if (offset_ >= queue_.front().size()) {
        queue_.pop_front();
        offset_ = 0;
        ++tags_sent_;
      }
    }
    decoder_.word({top_->xgmii_txd_o, top_->xgmii_txc_o});
    if (top_->trace_start_valid_o) {
      EXPECT_EQ(top_->trace_start_tag_o, ++starts_);
    }
    if (top_->trace_end_valid_o) {
      EXPECT_EQ(top_->trace_end_tag_o, ++ends_);
    }
    EXPECT_EQ(top_->trace_end_valid_o, top_->tx_ok_o || top_->tx_underrun_o);
    if (top_->tx_ok_o) ok_bytes_.push_back(top_->tx_bytes_o);
    underruns_ += top_->tx_underrun_o;
  }

  void send(Bytes frame) { queue_.push_back(std::move(frame)); }

  void drain() {
    std::size_t patience = 20;
    for (const Bytes& frame : queue_) patience += frame.size() / 8 + 20;
    while (!queue_.empty() && patience-- > 0) clock();
    ASSERT_TRUE(queue_.empty()) << "the transmitter hangs";
    for (int i = 0; i < 20; ++i) clock();
    EXPECT_TRUE(top_->idle_o);
    EXPECT_FALSE(decoder_.in_frame());
    EXPECT_EQ(decoder_.strays(), underruns_);  // the terminate symbol behind an error symbol
  }

  Bytes frame(std::size_t size) {
    Bytes result(size);
    std::generate(result.begin(), result.end(),
                  [&] { return static_cast<std::uint8_t>(random_()); });
    return result;
  }

  static Bytes padded(Bytes octets) {
    octets.resize(std::max<std::size_t>(octets.size(), 60));
    return octets;
  }

  void expect_good(const std::vector<WireFrame>& seen, const std::vector<Bytes>& sent) {
    ASSERT_EQ(seen.size(), sent.size());
    ASSERT_EQ(ok_bytes_.size(), sent.size());
    for (std::size_t i = 0; i < seen.size(); ++i) {
      ASSERT_TRUE(seen[i].preamble_good) << "frame " << i;
      ASSERT_TRUE(seen[i].terminated) << "frame " << i;
      ASSERT_TRUE(seen[i].fcs_good()) << "frame " << i << " of " << sent[i].size();
      ASSERT_EQ(seen[i].payload(), padded(sent[i])) << "frame " << i;
      ASSERT_EQ(ok_bytes_[i], padded(sent[i]).size());
    }
  }

  VerilatedContext context_;
  std::unique_ptr<Vmac_tx> top_;
  std::mt19937 random_{2};
  std::deque<Bytes> queue_;
  std::size_t offset_ = 0;
  XgmiiDecoder decoder_;
  std::uint32_t tags_sent_ = 0;
  std::uint32_t starts_ = 0;
  std::uint32_t ends_ = 0;
  std::vector<std::size_t> ok_bytes_;
  std::size_t underruns_ = 0;
};

TEST_F(MacTx, EverySizeBackToBack) {
  std::vector<Bytes> sent;
  for (std::size_t size = 1; size <= 1600; ++size) sent.push_back(frame(size));
  for (std::size_t size = 8990; size <= 9022; ++size) sent.push_back(frame(size));
  for (const Bytes& octets : sent) send(octets);
  drain();
  expect_good(decoder_.frames(), sent);
  EXPECT_EQ(starts_, sent.size());
  EXPECT_EQ(ends_, sent.size());
}

TEST_F(MacTx, EverySizeAlone) {
  std::vector<Bytes> sent;
  for (std::size_t size = 1; size <= 200; ++size) {
    sent.push_back(frame(size));
    send(sent.back());
    drain();
  }
  for (const WireFrame& seen : decoder_.frames()) EXPECT_EQ(seen.start % 8, 0u);
  expect_good(decoder_.frames(), sent);
}

// Every gap is 9 to 15 octets, and never has the link lost or gained more than three octets.
TEST_F(MacTx, DeficitIdleCountKeepsTheAverageGapAtTwelve) {
  for (std::size_t size = 60; size < 76; ++size) {
    reset();
    decoder_.take();
    constexpr std::size_t kFrames = 64;
    for (std::size_t i = 0; i < kFrames; ++i) send(frame(size));
    drain();
    const std::vector<WireFrame> seen = decoder_.take();
    ASSERT_EQ(seen.size(), kFrames);
    std::size_t ideal = seen[0].start;
    for (std::size_t i = 1; i < kFrames; ++i) {
      const std::size_t gap = seen[i].start - seen[i - 1].terminate;
      EXPECT_GE(gap, 9u);
      EXPECT_LE(gap, 15u);
      ideal += 8 + size + 4 + 12;
      EXPECT_LE(seen[i].start, ideal) << "size " << size << " frame " << i;
      EXPECT_GE(seen[i].start + 3, ideal) << "size " << size << " frame " << i;
    }
  }
}

TEST_F(MacTx, MixedSizesKeepTheAverageToo) {
  std::size_t ideal = 0;
  std::vector<Bytes> sent;
  for (int i = 0; i < 3000; ++i) {
    sent.push_back(frame(1 + random_() % 300));
    send(sent.back());
  }
  drain();
  expect_good(decoder_.frames(), sent);
  const auto& seen = decoder_.frames();
  ideal = seen[0].start;
  for (std::size_t i = 1; i < seen.size(); ++i) {
    ideal += padded(sent[i - 1]).size() + 24;
    ASSERT_LE(seen[i].start, ideal) << "frame " << i;
    ASSERT_GE(seen[i].start + 3, ideal) << "frame " << i;
  }
}

TEST_F(MacTx, FramesThatComeLateKeepAFullGap) {
  std::vector<Bytes> sent;
  for (int i = 0; i < 2000; ++i) {
    sent.push_back(frame(60 + random_() % 16));
    send(sent.back());
    while (!queue_.empty()) clock();
    for (auto wait = random_() % 6; wait > 0; --wait) clock();
  }
  drain();
  expect_good(decoder_.frames(), sent);
  for (std::size_t i = 1; i < sent.size(); ++i) {
    const std::size_t gap = decoder_.frames()[i].start - decoder_.frames()[i - 1].terminate;
    ASSERT_GE(gap, 9u) << "frame " << i;
  }
}

TEST_F(MacTx, UnderrunCutsTheFrameAndTheNextOneIsWhole) {
  for (std::size_t at = 0; at < 12; ++at) {
    for (std::size_t pause : {1u, 2u, 7u}) {
      reset();
      decoder_.take();
      ok_bytes_.clear();
      const std::size_t before = underruns_;
      const std::vector<Bytes> sent{frame(100), frame(97)};
      for (const Bytes& octets : sent) send(octets);
      while (offset_ != 8 * at || !top_->s_axis_tready_o) clock();
      for (std::size_t i = 0; i < pause; ++i) clock(true);
      drain();
      const auto seen = decoder_.take();
      ASSERT_EQ(seen.size(), 2u);
      EXPECT_EQ(underruns_, before + 1);
      EXPECT_FALSE(seen[0].terminated);  // an error symbol ended it
      EXPECT_EQ(seen[0].octets.size(), 8 * at);
      EXPECT_GE(seen[1].start - seen[0].terminate, 12u);
      ASSERT_TRUE(seen[1].terminated);
      EXPECT_TRUE(seen[1].fcs_good());
      EXPECT_EQ(seen[1].payload(), sent[1]);
      EXPECT_EQ(ok_bytes_, std::vector<std::size_t>{97});
    }
  }
}

TEST_F(MacTx, FuzzedPausesNeverHangIt) {
  for (int i = 0; i < 400; ++i) send(frame(1 + random_() % 200));
  std::size_t cycles = 0;
  while (!queue_.empty()) {
    clock(random_() % 16 == 0);
    ASSERT_LT(++cycles, 100000u);
  }
  drain();
  EXPECT_EQ(decoder_.frames().size(), 400u);
  EXPECT_EQ(underruns_ + ok_bytes_.size(), 400u);
  std::size_t good = 0;
  for (const WireFrame& seen : decoder_.frames()) good += seen.terminated && seen.fcs_good();
  EXPECT_EQ(good, ok_bytes_.size());
}

}  // namespace
}  // namespace nicroscope::test
