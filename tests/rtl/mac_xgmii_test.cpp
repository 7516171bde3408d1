// SPDX-License-Identifier: Apache-2.0
// mac_xgmii: both directions at once at link rate, and idle cycles that may be left out.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <vector>

#include "Vmac_xgmii.h"
#include "tests/rtl/support/xgmii.h"
#include "verilated.h"

namespace nicroscope::test {
namespace {

/// A MAC whose transmitter is wired to its receiver.
class Loop {
 public:
  Loop() {
    context_.randReset(2);
    top_ = std::make_unique<Vmac_xgmii>(&context_);
    top_->link_up_i = 1;
    top_->control_i = 0;
    top_->congested_i = 0;
    top_->rst_i = 1;
    top_->xgmii_rxd_i = XgmiiWord{}.data;
    top_->xgmii_rxc_i = XgmiiWord{}.control;
    for (int i = 0; i < 3; ++i) edge();
    top_->rst_i = 0;
  }
  ~Loop() {
    top_->final();
    // Verilator 5.006 takes a model down through the thread's current context, which may be gone.
    Verilated::threadContextp(&context_);
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void send(Bytes octets) { queue_.push_back(std::move(octets)); }
  bool sending() const { return !queue_.empty(); }
  bool idle() const { return top_->idle_o && wire_ == XgmiiWord{}; }

  void clock() {
    top_->xgmii_rxd_i = wire_.data;
    top_->xgmii_rxc_i = wire_.control;
    top_->s_axis_tvalid_i = sending();
    if (sending()) {
      const Bytes& frame = queue_.front();
      const std::size_t octets = std::min<std::size_t>(frame.size() - offset_, 8);
      std::uint64_t data = 0;
      for (std::size_t i = 0; i < octets; ++i) {
        data |= std::uint64_t{frame[offset_ + i]} << (8 * i);
      }
      top_->s_axis_tdata_i = data;
      top_->s_axis_tkeep_i = static_cast<std::uint8_t>(0xff >> (8 - octets));
      top_->s_axis_tlast_i = frame.size() - offset_ <= 8;
      top_->tag_i = 0;
    }
    const bool taken = sending() && top_->s_axis_tready_o;
    edge();
    if (taken) {
      offset_ += 8;
      if (offset_ >= queue_.front().size()) {
        queue_.pop_front();
        offset_ = 0;
      }
    }
    wire_ = {top_->xgmii_txd_o, top_->xgmii_txc_o};
    if (top_->m_axis_tvalid_o) {
      for (unsigned lane = 0; lane < 8 && ((top_->m_axis_tkeep_o >> lane) & 1) != 0; ++lane) {
        current_.push_back(static_cast<std::uint8_t>(top_->m_axis_tdata_o >> (8 * lane)));
      }
      if (top_->m_axis_tlast_o) {
        EXPECT_FALSE(top_->tuser_error_o);
        received.push_back(std::move(current_));
        current_.clear();
      }
    }
    good += top_->rx_ok_o;
    // Everything that a cycle shows, while it shows something.
    if (!idle()) {
      seen.push_back({top_->xgmii_txd_o, top_->xgmii_txc_o, top_->m_axis_tvalid_o,
                      top_->m_axis_tvalid_o ? top_->m_axis_tdata_o : 0, top_->rx_ok_o,
                      top_->tx_ok_o, top_->trace_rx_start_valid_o, top_->trace_tx_end_valid_o,
                      top_->idle_o});
    }
  }

  std::vector<Bytes> received;
  std::size_t good = 0;
  std::vector<std::vector<std::uint64_t>> seen;

 private:
  void edge() {
    top_->clk_i = 0;
    top_->eval();
    top_->clk_i = 1;
    top_->eval();
  }

  VerilatedContext context_;
  std::unique_ptr<Vmac_xgmii> top_;
  XgmiiWord wire_;
  std::deque<Bytes> queue_;
  std::size_t offset_ = 0;
  Bytes current_;
};

Bytes random_frame(std::mt19937& random, std::size_t size) {
  Bytes result(size);
  std::generate(result.begin(), result.end(), [&] { return static_cast<std::uint8_t>(random()); });
  return result;
}

TEST(MacXgmii, WhatIsSentIsReceivedAtEverySize) {
  Loop loop;
  std::mt19937 random{3};
  std::vector<Bytes> sent;
  for (std::size_t size = 60; size <= 1518; ++size) sent.push_back(random_frame(random, size));
  sent.push_back(random_frame(random, 9018));
  for (const Bytes& octets : sent) loop.send(octets);
  for (std::size_t i = 0; i < 400000 && (loop.sending() || !loop.idle()); ++i) loop.clock();
  EXPECT_EQ(loop.received, sent);
  EXPECT_EQ(loop.good, sent.size());
}

TEST(MacXgmii, LinkRateBothWaysAtOnce) {
  for (std::size_t size : {60u, 61u, 124u, 1514u}) {
    Loop loop;
    std::mt19937 random{4};
    constexpr std::size_t kFrames = 800;
    for (std::size_t i = 0; i < kFrames; ++i) loop.send(random_frame(random, size));
    std::size_t cycles = 0;
    while (loop.sending()) {
      loop.clock();
      ++cycles;
    }
    const std::size_t octets = kFrames * (size + 24);
    EXPECT_LE(cycles, octets / 8 + 8) << size;
  }
}

// While idle_o is high a clock edge changes no state: leaving such edges out changes nothing.
TEST(MacXgmii, IdleCyclesMayBeLeftOut) {
  Loop slow;
  Loop fast;
  std::mt19937 random{5};
  for (int burst = 0; burst < 300; ++burst) {
    for (auto frames = 1 + random() % 3; frames > 0; --frames) {
      const Bytes octets = random_frame(random, 60 + random() % 80);
      slow.send(octets);
      fast.send(octets);
    }
    while (fast.sending() || !fast.idle()) fast.clock();
    while (slow.sending() || !slow.idle()) slow.clock();
    for (auto idle = random() % 40; idle > 0; --idle) {
      slow.clock();
      ASSERT_TRUE(slow.idle());
    }
  }
  EXPECT_EQ(slow.seen, fast.seen);
  EXPECT_EQ(slow.received, fast.received);
}

}  // namespace
}  // namespace nicroscope::test
