// SPDX-License-Identifier: Apache-2.0
// Drives ctrl_harness: a driver's chains, memory that answers when it likes, and shadows of the
// tables that the device fills. Reads and writes outside of the chain in hand fail the test.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <bitset>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <vector>

#include "Vctrl_harness.h"
#include "tests/rtl/ctrl_model.h"
#include "tests/rtl/support/axi_memory.h"
#include "verilated.h"

namespace nicroscope::test {

class CtrlBench {
 public:
  static constexpr unsigned kAxi = sizeof(Vctrl_harness::rsp_data_i);
  static constexpr unsigned kPairs = QUEUE_PAIRS;
  static constexpr uint64_t kBase = 0x7'1234'0ff0;
  static constexpr size_t kMostBytes = 65536;  // of a descriptor

  struct Timing {
    unsigned min_latency = 1;
    unsigned max_latency = 1;
    unsigned stall = 0;       // percent, of requests and of the used queue
    unsigned desc_stall = 0;  // percent, of descriptors
  };
  struct Chain {
    std::vector<uint8_t> bytes;       // device-readable
    std::vector<uint32_t> reads{};    // lengths of the readable descriptors; one for the rest
    std::vector<uint32_t> writes{1};  // lengths of the writable ones
    uint32_t late = 0;                // length of a readable one behind these, 0 for none
  };
  struct Used {
    uint32_t len;
    uint16_t id;
    uint16_t ndesc;
  };

  explicit CtrlBench(uint32_t seed = 1) : random_(seed), memory_(size_t{1} << 18) { reset(); }

  Vctrl_harness& dut() { return *dut_; }
  Timing& timing() { return timing_; }
  void features(uint64_t value) { dut_->features_i = value; }
  uint64_t features() const { return dut_->features_i; }
  std::mt19937& random() { return random_; }

  // Forgets everything, as nic_core does after a reset of the device.
  void reset() {
    dut_->rst_i = 1;
    ring_.clear();
    popped_.reset();
    reads_.clear();
    writes_.clear();
    used_.clear();
    asked_ = false;
    judged_ = 0;
    judged_good_ = 0;
    step();
    step();
    dut_->rst_i = 0;
    keys_.fill(0);
    step();
  }

  void until_ready() {
    while (!dut_->ready_o) step();
  }

  // Puts a chain into memory and the ring. Pieces lie at any alignment, apart from one another.
  void post(const Chain& chain) {
    std::ranges::fill(memory_, Byte{});
    uint64_t at = 0;
    std::vector<Descriptor> descriptors;
    const auto place = [&](uint32_t length, bool write) {
      at += random_() % 40 + 1;
      ASSERT_LT(at + length, memory_.size());
      descriptors.push_back({kBase + at, length, write});
      for (uint32_t i = 0; i < length; ++i) memory_[at + i].access = write ? kWrite : kRead;
      at += length;
    };
    size_t next = 0;
    auto put = [&](uint32_t length) {
      place(length, false);
      for (uint32_t i = 0; i < length; ++i) memory_[at - length + i].value = chain.bytes[next++];
    };
    for (const uint32_t length : chain.reads) put(length);
    while (next < chain.bytes.size()) {
      put(static_cast<uint32_t>(std::min<size_t>(chain.bytes.size() - next, kMostBytes)));
    }
    written_order_.clear();
    for (const uint32_t length : chain.writes) {
      place(length, true);
      for (uint32_t i = 0; i < length; ++i) written_order_.push_back(at - length + i);
    }
    if (chain.late != 0) place(chain.late, false);
    for (size_t i = 0; i < descriptors.size(); ++i) {
      descriptors[i].next = i + 1 < descriptors.size();
      descriptors[i].id = static_cast<uint16_t>(i + 1 < descriptors.size() ? random_() : ++id_);
      descriptors[i].index = index_++;
      ring_.push_back(descriptors[i]);
    }
    posted_ = static_cast<uint16_t>(descriptors.size());
  }

  // The bytes that the device wrote: from the first writable one on, none left out.
  std::vector<uint8_t> answer() {
    std::vector<uint8_t> bytes;
    bool open = true;
    for (const uint64_t at : written_order_) {
      EXPECT_TRUE(open || !memory_[at].written) << "a byte of the answer was left out";
      open = open && memory_[at].written;
      if (open) bytes.push_back(memory_[at].value);
    }
    return bytes;
  }

  // Has the chain carried out: the answer's bytes.
  std::vector<uint8_t> run(const Chain& chain) {
    post(chain);
    finish();
    return answer();
  }

  void finish() {
    for (unsigned i = 0; used_.empty() && i < 4'000'000; ++i) step();
    ASSERT_FALSE(used_.empty()) << "the chain did not come back";
    const Used used = used_.front();
    used_.pop_front();
    EXPECT_EQ(used.id, id_);
    EXPECT_EQ(used.ndesc, posted_);
    EXPECT_EQ(used.len, answer().size());
    EXPECT_TRUE(used_.empty());
    for (unsigned i = 0; i < 4; ++i) step();  // what is told comes a cycle later
  }

  void step() {
    Vctrl_harness& d = *dut_;
    d.clk_i = 0;
    drive();
    d.eval();
    sample();
    d.clk_i = 1;
    d.eval();
    ++cycle_;
  }

  void enable(unsigned queue) {
    dut_->en_valid_i = 1;
    dut_->en_queue_i = static_cast<uint16_t>(queue);
    step();
    dut_->en_valid_i = 0;
    for (unsigned i = 0; i < 8; ++i) step();
  }

  void disable(unsigned queue) {
    dut_->dis_valid_i = 1;
    dut_->dis_queue_i = static_cast<uint16_t>(queue);
    step();
    dut_->dis_valid_i = 0;
    for (unsigned i = 0; i < 8; ++i) step();
  }

  // What the device told the receive path and the virtqueues.
  std::set<uint64_t> addresses() const {
    std::set<uint64_t> found;
    for (const auto& [place, address] : places_) {
      EXPECT_EQ(place & 63, bucket_of(address));
      found.insert(address);
    }
    return found;
  }
  const std::bitset<4096>& vlans() const { return vlans_; }
  const std::array<uint8_t, 40>& key() const { return keys_; }
  uint16_t rss(unsigned entry) const { return rss_[entry]; }
  struct Told {
    uint32_t packets = 0xffffffff;
    uint32_t cycles = 0xffffffff;
    friend bool operator==(const Told&, const Told&) = default;
  };
  const std::vector<Told>& told() const { return told_; }
  unsigned announcements() const { return announcements_; }
  // What is counted of a virtqueue, for the device to ask for.
  std::vector<ControlModel::Statistics>& statistics() { return statistics_; }
  unsigned ok() const { return ok_; }
  unsigned bad() const { return bad_; }
  uint64_t cycle() const { return cycle_; }
  bool busy() const { return !reads_.empty() || !writes_.empty(); }
  bool used() const { return !used_.empty(); }
  void forget_ring() { ring_.clear(); }
  size_t ring() const { return ring_.size(); }
  void fail_reads() { fail_reads_ = true; }
  void fail_writes() { fail_writes_ = true; }

 private:
  enum Access : uint8_t { kNone, kRead, kWrite };
  struct Byte {
    uint8_t value = 0;
    Access access = kNone;
    bool written = false;
  };
  struct Descriptor {
    uint64_t addr;
    uint32_t len;
    bool write;
    bool next = false;
    uint16_t id = 0;
    uint16_t index = 0;
  };
  struct Read {
    uint64_t addr;
    uint64_t due;
  };

  bool stall() { return random_() % 100 < timing_.stall; }
  uint64_t due() {
    return cycle_ + timing_.min_latency +
           random_() % (timing_.max_latency - timing_.min_latency + 1);
  }

  void drive() {
    Vctrl_harness& d = *dut_;
    // A descriptor that was shown as available stays so.
    if (!ring_.empty() && !shown_) shown_ = random_() % 100 >= timing_.desc_stall;
    d.avail_i = shown_ && !ring_.empty();
    d.desc_valid_i = popped_.has_value();
    if (popped_) {
      d.desc_addr_i = popped_->addr;
      d.desc_len_i = popped_->len;
      d.desc_id_i = popped_->id;
      d.desc_flags_i = static_cast<uint16_t>((popped_->write ? 2 : 0) | (popped_->next ? 1 : 0) |
                                             (random_() % 2 != 0 ? 0x8080 : 0));
      d.desc_index_i = popped_->index;
    }
    d.req_ready_i = !stall();
    d.wr_ready_i = !stall();
    d.used_ready_i = !stall();
    d.rsp_valid_i = !reads_.empty() && reads_.front().due <= cycle_;
    d.rsp_error_i = 0;
    if (d.rsp_valid_i) {
      std::vector<uint8_t> beat(kAxi);
      const uint64_t from = reads_.front().addr / kAxi * kAxi;
      for (unsigned i = 0; i < kAxi; ++i) {
        const uint64_t at = from + i - kBase;
        beat[i] = at < memory_.size() && memory_[at].access == kRead
                      ? memory_[at].value
                      : static_cast<uint8_t>(random_());
      }
      set_port(d.rsp_data_i, beat.data(), kAxi);
      d.rsp_error_i = fail_reads_;
      reads_.pop_front();
    }
    asked_ = asked_ && d.rd_valid_o;
    d.rd_done_i = asked_ && asked_until_ <= cycle_;
    if (d.rd_done_i) {
      d.rd_value_i = statistic(d.rd_vq_o, d.rd_field_o);
      asked_ = false;
    }
    d.wr_done_i = !writes_.empty() && writes_.front() <= cycle_;
    d.wr_error_i = d.wr_done_i && fail_writes_;
    if (d.wr_done_i) writes_.pop_front();
  }

  void sample() {
    Vctrl_harness& d = *dut_;
    popped_.reset();
    if (d.rst_i) return;
    if (d.pop_o) {
      ASSERT_TRUE(d.avail_i);
      popped_ = ring_.front();
      ring_.pop_front();
      shown_ = false;
    }
    if (d.req_valid_o && d.req_ready_i) {
      EXPECT_TRUE(reads_.empty());
      ASSERT_GE(d.req_bytes_o, 1U);
      EXPECT_EQ(d.req_addr_o / 16, (d.req_addr_o + d.req_bytes_o - 1) / 16);
      for (uint64_t i = 0; i < d.req_bytes_o; ++i) {
        const uint64_t at = d.req_addr_o + i - kBase;
        ASSERT_LT(at, memory_.size());
        ASSERT_EQ(memory_[at].access, kRead) << "at " << at;
      }
      reads_.push_back({d.req_addr_o, due()});
    }
    if (d.wr_valid_o && d.wr_ready_i) sample_write();
    if (d.rd_valid_o && !d.rd_done_i && !asked_) {
      asked_ = true;
      asked_until_ = due();
    }
    judged_ += d.judged_o;
    judged_good_ += d.judged_o && d.judged_ok_o;
    if (d.used_valid_o && d.used_ready_i) {
      EXPECT_FALSE(busy());
      EXPECT_EQ(d.used_group_o, 3);
      used_.push_back({d.used_len_o, d.used_id_o, d.used_ndesc_o});
    }
    ok_ += d.ok_o;
    bad_ += d.bad_o;
    announcements_ += d.announce_ack_o;
    sample_tables();
  }

  void sample_write() {
    Vctrl_harness& d = *dut_;
    EXPECT_LT(writes_.size(), 15U);
    const uint64_t strobes = d.wr_strb_o;
    ASSERT_EQ(std::popcount(strobes), 1);
    const unsigned lane = static_cast<unsigned>(std::countr_zero(strobes));
    EXPECT_EQ(d.wr_addr_o % kAxi, 0U);
    const uint64_t at = d.wr_addr_o + lane - kBase;
    ASSERT_LT(at, memory_.size());
    ASSERT_EQ(memory_[at].access, kWrite);
    EXPECT_FALSE(memory_[at].written);
    memory_[at].value = port_bytes(d.wr_data_o, kAxi)[lane];
    memory_[at].written = true;
    writes_.push_back(std::max(due(), writes_.empty() ? 0 : writes_.back() + 1));
  }

  uint64_t statistic(unsigned virtqueue, unsigned field) const {
    const ControlModel::Statistics& s = statistics_.at(virtqueue);
    switch (field) {
      case 0:
        return s.notifications;
      case 1:
        return s.packets;
      case 2:
        return s.bytes;
      case 3:
        return s.interrupts;
      case 4:
        return s.drops;
      case 5:
        EXPECT_EQ(virtqueue % 2, 0U);
        return s.overruns;
      default:
        EXPECT_EQ(virtqueue, 0U);
        return field == 6 ? judged_ : judged_good_;
    }
  }

  void sample_tables() {
    const Vctrl_harness& d = *dut_;
    switch (d.tbl_select_o) {
      case 1:
        if ((d.tbl_data_o >> 48 & 1) != 0) {
          places_[d.tbl_addr_o] = d.tbl_data_o & 0xffff'ffff'ffff;
        } else {
          places_.erase(d.tbl_addr_o);
        }
        break;
      case 2:
        vlans_.set(d.tbl_addr_o * 32U + (d.tbl_data_o >> 8 & 31), (d.tbl_data_o >> 48 & 1) != 0);
        break;
      case 3:
        rss_[d.tbl_addr_o] = static_cast<uint16_t>(d.tbl_data_o & 0xff);
        break;
      case 4:
        ASSERT_LT(d.tbl_addr_o, 10U);
        for (unsigned i = 0; i < 4; ++i) {
          keys_[4U * d.tbl_addr_o + i] = static_cast<uint8_t>(d.tbl_data_o >> (24 - 8 * i));
        }
        break;
      default:
        EXPECT_EQ(d.tbl_select_o, 0);
    }
    if (d.mod_valid_o) {
      ASSERT_LT(d.mod_queue_o, told_.size());
      told_[d.mod_queue_o] = {d.mod_packets_o, d.mod_cycles_o};
    }
  }

  std::unique_ptr<Vctrl_harness> dut_ = [] {
    auto dut = std::make_unique<Vctrl_harness>();
    dut->settled_i = 1;
    return dut;
  }();
  std::mt19937 random_;
  Timing timing_;
  std::vector<Byte> memory_;
  std::deque<Descriptor> ring_;
  bool shown_ = false;
  std::optional<Descriptor> popped_;
  std::deque<Read> reads_;
  std::deque<uint64_t> writes_;
  std::deque<Used> used_;
  std::vector<uint64_t> written_order_;
  uint16_t id_ = 0;
  uint16_t index_ = 0;
  uint16_t posted_ = 0;
  uint64_t cycle_ = 0;
  unsigned ok_ = 0;
  unsigned bad_ = 0;
  unsigned announcements_ = 0;
  std::vector<ControlModel::Statistics> statistics_{2 * kPairs};
  uint64_t judged_ = 0;
  uint64_t judged_good_ = 0;
  bool asked_ = false;
  uint64_t asked_until_ = 0;
  bool fail_reads_ = false;
  bool fail_writes_ = false;
  std::map<unsigned, uint64_t> places_;
  std::bitset<4096> vlans_ = ~std::bitset<4096>{};
  std::array<uint16_t, 128> rss_{};
  std::array<uint8_t, 40> keys_{};
  std::vector<Told> told_ = std::vector<Told>(2 * kPairs);
};

// Settings and tables are those of the model.
inline void expect_state(CtrlBench& bench, const ControlModel& model) {
  Vctrl_harness& d = bench.dut();
  const auto has = [&](unsigned bit) { return (bench.features() >> bit & 1) != 0; };
  EXPECT_EQ(d.mode_o, model.mode.to_ulong());
  EXPECT_EQ(d.mac_o, model.mac);
  EXPECT_EQ(d.overflow_o, (model.multicast_overflow ? 2 : 0) | (model.unicast_overflow ? 1 : 0));
  EXPECT_EQ(bench.addresses(), model.addresses);
  EXPECT_EQ(d.vlan_filter_o, has(regs::kFeatureCtrlVlan));
  EXPECT_EQ(bench.vlans(), model.vlans);
  EXPECT_EQ(d.rss_o, model.rss);
  EXPECT_EQ(d.hash_types_o, model.hash_types);
  EXPECT_EQ(bench.key(), model.key);
  EXPECT_EQ(d.pairs_o, model.rss ? CtrlBench::kPairs : model.pairs);
  if (model.rss) {
    EXPECT_EQ(d.rss_mask_o + 1U, model.table.size());
    EXPECT_EQ(d.rss_unclassified_o, model.unclassified);
    for (unsigned i = 0; i < model.table.size(); ++i) EXPECT_EQ(bench.rss(i), model.table[i]);
  }
  const bool csum = has(regs::kFeatureGuestCsum) && model.csum;
  EXPECT_EQ(d.csum_o, csum);
  EXPECT_EQ(d.lro4_o, csum && has(regs::kFeatureGuestTso4) && model.tso4);
  EXPECT_EQ(d.lro6_o, csum && has(regs::kFeatureGuestTso6) && model.tso6);
  EXPECT_EQ(d.hash_report_o, has(regs::kFeatureHashReport));
  EXPECT_EQ(d.mrg_rxbuf_o, has(regs::kFeatureMrgRxbuf));
  EXPECT_EQ(bench.announcements(), model.announcements);
  for (unsigned q = 0; q < model.moderation.size(); ++q) {
    const uint64_t usecs = model.moderation[q].usecs;
    const uint64_t exact = (usecs * CLOCK_KHZ + 999) / 1000;
    const CtrlBench::Told told = bench.told()[q];
    EXPECT_EQ(told.packets, model.moderation[q].packets) << "virtqueue " << q;
    // Rounded up; a clock that is no multiple of 125 kHz may cost one cycle in a thousand usecs.
    EXPECT_GE(told.cycles, exact);
    EXPECT_LE(told.cycles, exact + (CLOCK_KHZ % 125 != 0 ? 1 + usecs / 1000 : 0));
  }
}

}  // namespace nicroscope::test
