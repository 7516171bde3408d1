// SPDX-License-Identifier: Apache-2.0
// Statistics against counters of the test's own: events at the rates that the NIC has at most, in
// one queue and in all, while they are read and afterwards.
#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <memory>
#include <random>
#include <vector>

#include "Vdevice_stats.h"
#include "verilated.h"

namespace nicroscope::test {
namespace {

constexpr unsigned kPairs = QUEUE_PAIRS;
constexpr unsigned kFields = 8;  // Stat* of nic_pkg
enum Field : unsigned { kKicks, kPackets, kBytes, kIrqs, kDrops, kDries, kCommands, kGood };

// By virtqueue and field; commands with virtqueue 0.
using Counts = std::vector<std::array<uint64_t, kFields>>;

class DeviceStatsTest : public testing::TestWithParam<uint32_t> {
 protected:
  DeviceStatsTest() : random_(GetParam()) { reset(); }

  void reset() {
    quiet();
    dut_->rst_i = 1;
    step();
    step();
    dut_->rst_i = 0;
    unsigned cycles = 0;
    while (!dut_->ready_o) {
      step();
      ASSERT_LE(++cycles, 16 * kPairs + 2);
    }
    counts_ = Counts(2 * kPairs);
  }

  void quiet() {
    Vdevice_stats& d = *dut_;
    d.rx_valid_i = d.rx_drop_i = d.rx_lost_i = d.tx_valid_i = d.tx_drop_i = 0;
    d.kick_valid_i = d.irq_valid_i = d.ctrl_valid_i = d.rd_valid_i = 0;
  }

  void step() {
    dut_->clk_i = 0;
    dut_->eval();
    dut_->clk_i = 1;
    dut_->eval();
    ++cycle_;
  }

  bool chance(unsigned percent) { return random_() % 100 < percent; }
  unsigned below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }
  // One queue for a while, then any.
  uint8_t pair() {
    return static_cast<uint8_t>((cycle_ >> 6) % 2 == 0 ? (cycle_ >> 7) % kPairs : below(kPairs));
  }

  // A frame's length: 64 bytes a cycle, and what a store held before.
  uint16_t length() {
    const auto most = static_cast<unsigned>(std::min<uint64_t>(credit_, 65535));
    const unsigned bytes = chance(1) ? most : std::min(most, 60 + below(90));
    credit_ -= bytes;
    return static_cast<uint16_t>(bytes);
  }

  // A cycle's events.
  void events() {
    Vdevice_stats& d = *dut_;
    credit_ = std::min<uint64_t>(credit_ + 64, 100000);
    const auto count = [&](unsigned virtqueue, Field field, uint64_t by = 1) {
      counts_[virtqueue][field] += by;
    };
    d.rx_valid_i = chance(70);
    if (d.rx_valid_i) {
      d.rx_queue_i = pair();
      d.rx_bytes_i = length();
      count(2 * d.rx_queue_i, kPackets);
      count(2 * d.rx_queue_i, kBytes, d.rx_bytes_i);
    }
    d.tx_valid_i = chance(70);
    if (d.tx_valid_i) {
      d.tx_queue_i = pair();
      d.tx_bytes_i = length();
      count(2 * d.tx_queue_i + 1, kPackets);
      count(2 * d.tx_queue_i + 1, kBytes, d.tx_bytes_i);
    }
    // With several queues a frame is given up every other cycle at most.
    d.rx_drop_i = (kPairs == 1 || !d.rx_drop_i) && chance(40);
    if (d.rx_drop_i) {
      d.rx_drop_queue_i = pair();
      d.rx_dry_i = chance(50);
      count(2 * d.rx_drop_queue_i, kDrops);
      count(2 * d.rx_drop_queue_i, kDries, d.rx_dry_i);
    }
    d.rx_lost_i = chance(50);
    if (d.rx_lost_i) {
      d.rx_lost_dry_i = chance(50);
      count(0, kDrops);
      count(0, kDries, d.rx_lost_dry_i);
    }
    d.tx_drop_i = chance(70);
    if (d.tx_drop_i) {
      d.tx_drop_queue_i = pair();
      count(2 * d.tx_drop_queue_i + 1, kDrops);
    }
    d.kick_valid_i = !d.kick_valid_i && chance(80);
    if (d.kick_valid_i) {
      d.kick_queue_i = static_cast<uint16_t>(below(2 * kPairs + 1));
      if (d.kick_queue_i < 2 * kPairs) count(d.kick_queue_i, kKicks);
    }
    d.irq_valid_i = cycle_ >= next_irq_ && chance(80);
    if (d.irq_valid_i) {
      next_irq_ = cycle_ + 3;
      d.irq_queue_i = static_cast<uint16_t>(below(2 * kPairs + 1));
      if (d.irq_queue_i < 2 * kPairs) count(d.irq_queue_i, kIrqs);
    }
    d.ctrl_valid_i = cycle_ % 16 == 0 && chance(50);
    if (d.ctrl_valid_i) {
      d.ctrl_good_i = chance(50);
      count(0, kCommands);
      count(0, kGood, d.ctrl_good_i);
    }
  }

  // Asks for one value, with a cycle's events in each cycle if `busy`.
  uint64_t read(unsigned virtqueue, unsigned field, bool busy) {
    Vdevice_stats& d = *dut_;
    d.rd_valid_i = 1;
    d.rd_vq_i = static_cast<uint8_t>(virtqueue);
    d.rd_field_i = static_cast<uint8_t>(field);
    for (unsigned i = 0; i < 1000; ++i) {
      if (busy) events();
      step();
      if (d.rd_done_o) {
        d.rd_valid_i = 0;
        if (busy) events();
        step();
        return d.rd_value_o;
      }
    }
    ADD_FAILURE() << "no value of " << virtqueue << ", " << field;
    return 0;
  }

  // What was counted three cycles before the request is in the value, and nothing that comes after
  // it.
  void read_busy(unsigned virtqueue, unsigned field) {
    const uint64_t least = counts_[virtqueue][field];
    for (unsigned i = 0; i < 3; ++i) {
      events();
      step();
    }
    const uint64_t value = read(virtqueue, field, true);
    EXPECT_GE(value, least) << virtqueue << ", " << field;
    EXPECT_LE(value, counts_[virtqueue][field]) << virtqueue << ", " << field;
  }

  bool exists(unsigned virtqueue, unsigned field) {
    if (field >= kCommands) return virtqueue == 0;
    return field != kDries || virtqueue % 2 == 0;
  }

  void expect_all() {
    quiet();
    for (unsigned i = 0; !dut_->idle_o; ++i) {
      ASSERT_LT(i, 200 * kPairs + 100);
      step();
    }
    for (unsigned q = 0; q < 2 * kPairs; ++q) {
      for (unsigned f = 0; f < kFields; ++f) {
        if (exists(q, f)) {
          EXPECT_EQ(read(q, f, false), counts_[q][f]) << "virtqueue " << q << ", field " << f;
        }
      }
    }
  }

  std::mt19937 random_;
  std::unique_ptr<Vdevice_stats> dut_ = std::make_unique<Vdevice_stats>();
  Counts counts_;
  uint64_t cycle_ = 0;
  uint64_t credit_ = 0;
  uint64_t next_irq_ = 0;
};

TEST_P(DeviceStatsTest, NothingIsLost) {
  for (unsigned round = 0; round < 4; ++round) {
    for (unsigned i = 0; i < 20'000; ++i) {
      events();
      step();
    }
    expect_all();
  }
}

TEST_P(DeviceStatsTest, ReadWhileCounting) {
  for (unsigned i = 0; i < 3000; ++i) {
    const unsigned virtqueue = below(2 * kPairs);
    const unsigned field = below(kFields);
    if (exists(virtqueue, field)) read_busy(virtqueue, field);
    for (unsigned gap = below(8); gap > 0; --gap) {
      events();
      step();
    }
  }
  expect_all();
}

TEST_P(DeviceStatsTest, ResetClears) {
  for (unsigned i = 0; i < 5000; ++i) {
    events();
    step();
  }
  reset();
  expect_all();
  for (unsigned i = 0; i < 300; ++i) {
    events();
    step();
  }
  expect_all();
}

// The carry into the upper half of a counter.
TEST_P(DeviceStatsTest, BeyondThirtyTwoBits) {
  Vdevice_stats& d = *dut_;
  for (unsigned i = 0; i < 66'000; ++i) {
    d.rx_valid_i = 1;
    d.rx_queue_i = kPairs - 1;
    d.rx_bytes_i = 65535;
    step();
    d.rx_valid_i = 0;
    counts_[2 * kPairs - 2][kPackets] += 1;
    counts_[2 * kPairs - 2][kBytes] += 65535;
    for (unsigned gap = 0; gap < 100 + 20 * kPairs; ++gap) step();
  }
  EXPECT_GT(counts_[2 * kPairs - 2][kBytes], 1ULL << 32);
  expect_all();
}

INSTANTIATE_TEST_SUITE_P(Seeds, DeviceStatsTest, testing::Range(1U, 4U));

}  // namespace
}  // namespace nicroscope::test
