// SPDX-License-Identifier: Apache-2.0
// Pause frames (IEEE 802.3 annex 31B) through mac_xgmii, and its loopback.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <vector>

#include "Vmac_xgmii.h"
#include "nicroscope/registers.h"
#include "tests/rtl/support/xgmii.h"
#include "verilated.h"

namespace nicroscope::test {
namespace {

constexpr std::uint64_t kStation = 0x02'11'22'33'44'55;
constexpr std::uint64_t kControl = 0x01'80'C2'00'00'01;
constexpr unsigned kCyclesAQuantum = 8;  // 512 bit times, 64 bits a cycle
constexpr unsigned kPauseRx = 1u << regs::kControlBitPauseRx;
constexpr unsigned kPauseTx = 1u << regs::kControlBitPauseTx;
constexpr unsigned kLoopback = 1u << regs::kControlBitLoopback;

void put_mac(Bytes& octets, std::uint64_t mac) {
  for (int shift = 40; shift >= 0; shift -= 8) {
    octets.push_back(static_cast<std::uint8_t>(mac >> shift));
  }
}

Bytes pause_frame(std::uint64_t to, std::uint64_t from, unsigned quanta, unsigned opcode = 1,
                  unsigned type = 0x8808) {
  Bytes octets;
  put_mac(octets, to);
  put_mac(octets, from);
  for (unsigned half : {type, opcode, quanta}) {
    octets.push_back(static_cast<std::uint8_t>(half >> 8));
    octets.push_back(static_cast<std::uint8_t>(half));
  }
  octets.resize(60);
  return octets;
}

class MacPause : public ::testing::Test {
 protected:
  MacPause() {
    context_.randReset(2);
    top_ = std::make_unique<Vmac_xgmii>(&context_);
    top_->link_up_i = 1;
    top_->control_i = 0;
    top_->mac_i = kStation;
    top_->congested_i = 0;
    top_->rst_i = 1;
    for (int i = 0; i < 3; ++i) clock();
    top_->rst_i = 0;
    clock();
  }
  ~MacPause() override {
    top_->final();
    Verilated::threadContextp(&context_);
  }

  /// On the wire, at the earliest.
  void arrive(Bytes octets, bool good_fcs = true) {
    XgmiiEncoder encoder;
    append_fcs(octets);
    if (!good_fcs) octets.back() ^= 1;
    encoder.preamble();
    encoder.data(octets);
    encoder.control(kTerminate);
    encoder.idle(12);
    for (const XgmiiWord& word : encoder.words()) wire_.push_back(word);
  }
  void send(Bytes octets) { queue_.push_back(std::move(octets)); }
  Bytes frame(std::size_t size) {
    Bytes result(size);
    std::generate(result.begin(), result.end(),
                  [&] { return static_cast<std::uint8_t>(random_()); });
    result[12] = 0x12;  // no type that means anything
    return result;
  }

  void clock() {
    const XgmiiWord word = wire_.empty() ? XgmiiWord{} : wire_.front();
    if (!wire_.empty()) wire_.pop_front();
    top_->xgmii_rxd_i = word.data;
    top_->xgmii_rxc_i = word.control;
    top_->s_axis_tvalid_i = !queue_.empty();
    if (!queue_.empty()) {
      const Bytes& octets = queue_.front();
      const std::size_t count = std::min<std::size_t>(octets.size() - offset_, 8);
      std::uint64_t data = 0;
      for (std::size_t i = 0; i < count; ++i) {
        data |= std::uint64_t{octets[offset_ + i]} << (8 * i);
      }
      top_->s_axis_tdata_i = data;
      top_->s_axis_tkeep_i = static_cast<std::uint8_t>(0xff >> (8 - count));
      top_->s_axis_tlast_i = octets.size() - offset_ <= 8;
      top_->tag_i = ++tags_;
    }
    top_->clk_i = 0;
    top_->eval();
    const bool taken = !queue_.empty() && top_->s_axis_tready_o;
    top_->clk_i = 1;
    top_->eval();
    ++cycle_;
    if (taken) {
      offset_ += 8;
      if (offset_ >= queue_.front().size()) {
        queue_.pop_front();
        offset_ = 0;
      }
    }
    const std::size_t before = decoder_.frames().size();
    decoder_.word({top_->xgmii_txd_o, top_->xgmii_txc_o});
    if (decoder_.frames().size() != before) {
      EXPECT_TRUE(decoder_.frames().back().fcs_good());
      EXPECT_TRUE(decoder_.frames().back().preamble_good);
    }
    if (top_->m_axis_tvalid_o) {
      for (unsigned lane = 0; lane < 8 && ((top_->m_axis_tkeep_o >> lane) & 1) != 0; ++lane) {
        current_.push_back(static_cast<std::uint8_t>(top_->m_axis_tdata_o >> (8 * lane)));
      }
      if (top_->m_axis_tlast_o) {
        if (!top_->tuser_error_o) received_.push_back(current_);
        current_.clear();
      }
    }
    rx_ok_ += top_->rx_ok_o;
    rx_bad_ += top_->rx_fcs_error_o;
    tx_ok_ += top_->tx_ok_o;
    tx_pause_ += top_->tx_pause_o;
    tx_starts_ += top_->trace_tx_start_valid_o;
    tx_ends_ += top_->trace_tx_end_valid_o;
    if (top_->rx_pause_o) {
      ++rx_pause_;
      paused_at_ = cycle_;
    }
  }
  void run(std::size_t cycles) {
    for (std::size_t i = 0; i < cycles; ++i) clock();
  }
  bool quiet() const { return queue_.empty() && wire_.empty() && top_->idle_o; }
  void settle(std::size_t limit = 700000) {
    for (std::size_t i = 0; i < limit && !quiet(); ++i) clock();
    EXPECT_TRUE(quiet());
    run(4);
  }
  /// Cycle in which a frame's start symbol left, by its place on the wire.
  std::uint64_t start_of(const WireFrame& seen) const { return seen.start / 8 + 1; }

  VerilatedContext context_;
  std::unique_ptr<Vmac_xgmii> top_;
  std::mt19937 random_{7};
  std::deque<XgmiiWord> wire_;
  std::deque<Bytes> queue_;
  std::size_t offset_ = 0;
  std::uint32_t tags_ = 0;
  XgmiiDecoder decoder_;
  Bytes current_;
  std::vector<Bytes> received_;
  std::uint64_t cycle_ = 0;
  std::uint64_t paused_at_ = 0;
  unsigned rx_ok_ = 0, rx_bad_ = 0, rx_pause_ = 0;
  unsigned tx_ok_ = 0, tx_pause_ = 0, tx_starts_ = 0, tx_ends_ = 0;
};

TEST_F(MacPause, StopsTheTransmitterForTheTimeAskedAndNoLonger) {
  top_->control_i = kPauseRx;
  for (unsigned quanta : {1u, 2u, 40u, 1000u}) {
    for (std::uint64_t to : {kControl, kStation}) {
      settle();
      decoder_.take();
      for (int i = 0; i < 30; ++i) send(frame(200));
      const unsigned before = rx_pause_;
      const std::size_t ok_before = rx_ok_;
      arrive(pause_frame(to, 0x06'00'00'00'00'01, quanta));
      while (rx_pause_ == before) clock();
      const std::uint64_t from = paused_at_;
      settle();
      const std::vector<WireFrame> seen = decoder_.take();
      ASSERT_EQ(seen.size(), 30u);
      // A frame that had started when the timer did goes on; its start symbol leaves within six
      // cycles. The next one starts when the time is over.
      std::uint64_t first = 0;
      for (const WireFrame& one : seen) {
        EXPECT_EQ(one.octets.size(), 204u);
        if (start_of(one) <= from + 6) continue;
        if (first == 0) first = start_of(one);
      }
      EXPECT_GE(first, from + kCyclesAQuantum * quanta);
      EXPECT_LE(first, std::max(from + kCyclesAQuantum * quanta + 8, from + 30)) << quanta;
      EXPECT_EQ(rx_ok_, ok_before);
    }
  }
  EXPECT_TRUE(received_.empty()) << "a pause frame is not for the host";
}

TEST_F(MacPause, ALaterFrameCountsInsteadOfAnEarlierOne) {
  top_->control_i = kPauseRx;
  arrive(pause_frame(kControl, 1, 0xFFFF));
  while (rx_pause_ == 0) clock();
  clock();  // an edge takes the quanta over
  send(frame(60));
  run(2000);
  EXPECT_TRUE(decoder_.frames().empty());
  EXPECT_FALSE(top_->idle_o);
  arrive(pause_frame(kControl, 1, 100));
  while (rx_pause_ == 1) clock();
  run(kCyclesAQuantum * 100);
  EXPECT_TRUE(decoder_.frames().empty());
  run(30);
  EXPECT_EQ(decoder_.frames().size(), 1u);
  arrive(pause_frame(kControl, 1, 0xFFFF));
  while (rx_pause_ == 2) clock();
  clock();
  send(frame(60));
  arrive(pause_frame(kControl, 1, 0));
  run(50);
  EXPECT_EQ(decoder_.frames().size(), 2u) << "0 lets go at once";
}

TEST_F(MacPause, TheControlBitOrTheLinkLetGo) {
  for (bool link : {false, true}) {
    top_->control_i = kPauseRx;
    const unsigned before = rx_pause_;
    arrive(pause_frame(kControl, 1, 0xFFFF));
    while (rx_pause_ == before) clock();
    clock();
    decoder_.take();
    send(frame(60));
    run(500);
    EXPECT_TRUE(decoder_.frames().empty());
    if (link) {
      top_->link_up_i = 0;
    } else {
      top_->control_i = 0;
    }
    run(30);
    EXPECT_EQ(decoder_.frames().size(), 1u);
    top_->link_up_i = 1;
  }
}

TEST_F(MacPause, OnlyAGoodPauseFrameIsOne) {
  top_->control_i = kPauseRx;
  Bytes untagged = pause_frame(kControl, 1, 0xFFFF);
  const std::vector<Bytes> others = {
      pause_frame(kControl + 1, 1, 0xFFFF),         // another address
      pause_frame(kStation ^ 1, 1, 0xFFFF),         //
      pause_frame(~0ull, 1, 0xFFFF),                // broadcast
      pause_frame(kControl, 1, 0xFFFF, 2),          // another opcode
      pause_frame(kControl, 1, 0xFFFF, 0x0101),     //
      pause_frame(kControl, 1, 0xFFFF, 1, 0x8809),  // another type
      pause_frame(kControl, 1, 0xFFFF, 1, 0x0888),  //
  };
  for (const Bytes& octets : others) arrive(octets);
  settle();
  EXPECT_EQ(received_, others) << "these are the host's";
  EXPECT_EQ(rx_pause_, 0u);
  arrive(untagged, false);
  settle();
  EXPECT_EQ(rx_bad_, 1u);
  EXPECT_EQ(rx_pause_, 0u);
  for (std::size_t size : {14u, 16u, 18u, 20u, 59u}) {
    arrive(Bytes(untagged.begin(), untagged.begin() + static_cast<std::ptrdiff_t>(size)));
  }
  settle();
  EXPECT_EQ(rx_pause_, 0u) << "too short";
  // What comes right behind one is looked at on its own.
  arrive(untagged, false);
  const Bytes next = frame(60);
  arrive(next);
  settle();
  EXPECT_EQ(received_.back(), next);
  top_->control_i = kPauseTx;
  arrive(untagged);
  settle();
  EXPECT_EQ(received_.back(), untagged) << "nobody obeys, so it is a frame like any other";
  EXPECT_EQ(rx_pause_, 0u);
}

TEST_F(MacPause, AFullStoreAsksForAPauseAndThenForItsEnd) {
  top_->control_i = kPauseTx;
  top_->congested_i = 1;
  run(40);
  ASSERT_EQ(decoder_.frames().size(), 1u);
  EXPECT_EQ(decoder_.frames()[0].payload(), pause_frame(kControl, kStation, 0xFFFF));
  EXPECT_FALSE(top_->idle_o);
  run((1u << 18) - 60);
  EXPECT_EQ(decoder_.frames().size(), 1u);
  run(60);
  ASSERT_EQ(decoder_.frames().size(), 2u) << "again, before the time is over";
  EXPECT_EQ(decoder_.frames()[1].payload(), pause_frame(kControl, kStation, 0xFFFF));
  top_->congested_i = 0;
  run(40);
  ASSERT_EQ(decoder_.frames().size(), 3u);
  EXPECT_EQ(decoder_.frames()[2].payload(), pause_frame(kControl, kStation, 0));
  EXPECT_TRUE(top_->idle_o);
  EXPECT_EQ(tx_pause_, 3u);
  EXPECT_EQ(tx_ok_ + tx_starts_ + tx_ends_, 0u) << "they are no frames of the core's";
  // With the bit off nobody is asked; taking it away ends what was asked.
  top_->control_i = 0;
  top_->congested_i = 1;
  run(100);
  EXPECT_EQ(decoder_.frames().size(), 3u);
  EXPECT_TRUE(top_->idle_o);
  top_->control_i = kPauseTx;
  run(40);
  top_->control_i = 0;
  run(40);
  ASSERT_EQ(decoder_.frames().size(), 5u);
  EXPECT_EQ(decoder_.frames()[4].payload(), pause_frame(kControl, kStation, 0));
}

TEST_F(MacPause, AsksThoughItIsPausedItself) {
  top_->control_i = kPauseRx | kPauseTx;
  arrive(pause_frame(kControl, 1, 500));
  while (rx_pause_ == 0) clock();
  clock();  // an edge takes the quanta over
  send(frame(60));
  top_->congested_i = 1;
  run(40);
  ASSERT_EQ(decoder_.frames().size(), 1u);
  EXPECT_EQ(decoder_.frames()[0].payload(), pause_frame(kControl, kStation, 0xFFFF));
  run(kCyclesAQuantum * 500);
  EXPECT_EQ(decoder_.frames().size(), 2u);
  EXPECT_EQ(tx_ok_, 1u);
}

// Frames both ways, pauses asked for and obeyed at random: all that was sent arrives once, in
// order.
TEST_F(MacPause, NothingIsLostOrTornAmongRandomPauses) {
  top_->control_i = kPauseRx | kPauseTx;
  std::vector<Bytes> out, in;
  unsigned asked = 0;
  for (int round = 0; round < 3000; ++round) {
    if (queue_.size() < 8) {
      out.push_back(frame(60 + random_() % 120));
      send(out.back());
    }
    if (wire_.size() < 64) {
      if (random_() % 4 == 0) {
        arrive(pause_frame(random_() % 2 ? kControl : kStation, 3, random_() % 16));
        ++asked;
      } else {
        in.push_back(frame(60 + random_() % 120));
        arrive(in.back());
      }
    }
    if (random_() % 8 == 0) top_->congested_i = !top_->congested_i;
    run(random_() % 24);
  }
  top_->congested_i = 0;
  settle();
  EXPECT_EQ(received_, in);
  EXPECT_EQ(rx_pause_, asked);
  EXPECT_EQ(rx_ok_, in.size());
  EXPECT_EQ(tx_ok_, out.size());
  EXPECT_EQ(tx_starts_, out.size());
  std::vector<Bytes> seen;
  std::optional<Bytes> last_pause;
  unsigned pauses = 0;
  for (const WireFrame& one : decoder_.take()) {
    const Bytes octets = one.payload();
    if (octets[12] != 0x88) {
      seen.push_back(octets);
      continue;
    }
    ++pauses;
    // On and off take turns.
    EXPECT_TRUE(!last_pause || *last_pause != octets);
    last_pause = octets;
  }
  EXPECT_EQ(seen, out);
  EXPECT_EQ(pauses, tx_pause_);
  EXPECT_GT(pauses, 50u);
  EXPECT_EQ(*last_pause, pause_frame(kControl, kStation, 0));
}

TEST_F(MacPause, LoopbackKeepsTheWireIdle) {
  top_->control_i = kLoopback;
  top_->link_up_i = 0;
  std::vector<Bytes> out;
  for (std::size_t size = 60; size < 200; ++size) {
    out.push_back(frame(size));
    send(out.back());
    arrive(frame(100));  // what the wire brings is not heard
  }
  settle();
  EXPECT_EQ(received_, out);
  EXPECT_TRUE(decoder_.frames().empty());
  EXPECT_EQ(decoder_.strays(), 0u);
  top_->control_i = 0;
  top_->link_up_i = 1;
  send(out[0]);
  arrive(out[1]);
  settle();
  EXPECT_EQ(decoder_.frames().size(), 1u);
  EXPECT_EQ(received_.back(), out[1]);
}

// While idle_o is high a clock edge changes nothing: leaving such edges out changes nothing.
TEST_F(MacPause, IdleMeansNothingIsAsked) {
  top_->control_i = kPauseRx | kPauseTx;
  arrive(pause_frame(kControl, 1, 3));
  std::size_t busy = 0;
  while (rx_pause_ == 0) clock();
  while (!top_->idle_o) {
    clock();
    ++busy;
  }
  EXPECT_GE(busy, 3 * kCyclesAQuantum);
  EXPECT_LE(busy, 3 * kCyclesAQuantum + 4);
}

}  // namespace
}  // namespace nicroscope::test
