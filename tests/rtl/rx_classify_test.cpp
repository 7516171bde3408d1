// SPDX-License-Identifier: Apache-2.0
// Random settings, tables and frames, against what virtio 1.2, 5.1.6.5.1 to 5.1.6.5.7 say.
#include <gtest/gtest.h>

#include <array>
#include <bitset>
#include <map>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "Vrx_classify_harness.h"
#include "nicroscope/registers.h"
#include "verilated.h"

namespace nicroscope::test {
namespace {

constexpr unsigned kQueues = QUEUE_PAIRS;
constexpr uint64_t kBroadcast = 0xffff'ffff'ffff;

struct Frame {
  uint64_t destination = 0;
  bool tagged = false;
  unsigned vid = 0;
  uint32_t hash = 0;
  unsigned report = 0;
  uint32_t flow = 0;
  uint16_t symmetric = 0;
};

struct Verdict {
  bool drop;
  unsigned queue;
};

class ClassifyBench {
 public:
  explicit ClassifyBench(uint32_t seed = 1) : random_(seed) {
    dut_->mac_i = 0x020000000001;
    dut_->pairs_i = 1;
    reset();
  }

  Vrx_classify_harness& dut() { return *dut_; }
  std::mt19937& random() { return random_; }
  unsigned below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }

  void reset() {
    dut_->rst_i = 1;
    step();
    step();
    dut_->rst_i = 0;
    dut_->info_valid_i = 0;
    flows_.clear();
    for (unsigned i = 0; i < 3000 && !idle(); ++i) step();
    EXPECT_TRUE(idle());
  }

  bool idle() {
    dut_->eval();
    return dut_->idle_o;
  }

  void step() {
    dut_->clk_i = 0;
    dut_->eval();
    dut_->clk_i = 1;
    dut_->eval();
    ++cycle_;
  }

  void table(unsigned select, unsigned addr, uint64_t data) {
    dut_->tbl_select_i = static_cast<uint8_t>(select);
    dut_->tbl_addr_i = static_cast<uint8_t>(addr);
    dut_->tbl_data_i = data;
    step();
    dut_->tbl_select_i = 0;
  }
  void address(unsigned way, uint64_t mac, bool valid) {
    const uint64_t own = dut_->mac_i;
    dut_->mac_i = mac;
    dut_->eval();
    const unsigned place = way << 6 | dut_->bucket_o;
    dut_->mac_i = own;
    table(1, place, (valid ? 1ULL << 48 : 0) | mac);
    if (valid) {
      places_[place] = mac;
    } else {
      places_.erase(place);
    }
  }
  void vlan(unsigned vid, bool in) {
    table(2, vid / 32, (in ? 1ULL << 48 : 0) | (vid % 32) << 8);
    vlans_.set(vid, in);
  }
  void rss(unsigned entry, unsigned queue) {
    table(3, entry, queue);
    rss_[entry] = queue;
  }
  void learn(uint16_t symmetric, unsigned queue) {
    dut_->learn_valid_i = 1;
    dut_->learn_symmetric_i = symmetric;
    dut_->learn_queue_i = static_cast<uint8_t>(queue);
    step();
    dut_->learn_valid_i = 0;
    if (symmetric != 0) flows_[symmetric % 1024] = {symmetric, queue};
  }
  void clear_tables() {
    for (unsigned place = 0; place < 128; ++place) table(1, place, 0);
    places_.clear();
    for (unsigned vid = 0; vid < 4096; ++vid) table(2, vid / 32, (vid % 32) << 8);
    vlans_.reset();
    for (unsigned entry = 0; entry < 128; ++entry) rss(entry, 0);
  }

  // Puts the frame at the head and takes the answer `wait` cycles after it came; the next frame can
  // follow at once.
  Verdict look(const Frame& frame, unsigned wait = 0) {
    dut_->info_valid_i = 1;
    dut_->dst_i = frame.destination;
    dut_->has_vlan_i = frame.tagged;
    dut_->vid_i = static_cast<uint16_t>(frame.vid);
    dut_->hash_i = frame.hash;
    dut_->hash_report_i = static_cast<uint8_t>(frame.report);
    dut_->flow_i = frame.flow;
    dut_->symmetric_i = frame.symmetric;
    dut_->cls_ready_i = 0;
    dut_->eval();
    EXPECT_FALSE(dut_->cls_valid_o);
    step();
    EXPECT_TRUE(dut_->cls_valid_o);
    for (unsigned i = 0; i < wait; ++i) step();
    dut_->cls_ready_i = 1;
    dut_->eval();
    EXPECT_TRUE(dut_->cls_valid_o);
    const Verdict verdict{dut_->cls_drop_o != 0, dut_->cls_queue_o};
    step();
    dut_->info_valid_i = 0;
    return verdict;
  }

  // The standard's answer.
  Verdict expected(const Frame& frame) const {
    const Vrx_classify_harness& d = *dut_;
    const auto on = [&](unsigned mode) { return (d.mode_i >> mode & 1) != 0; };
    bool listed = false;
    for (const auto& [place, mac] : places_) listed = listed || mac == frame.destination;
    bool wanted = false;
    if (frame.destination == kBroadcast) {
      wanted = !on(regs::kCtrlRxNobcast);
    } else if ((frame.destination >> 40 & 1) != 0) {
      wanted = !on(regs::kCtrlRxNomulti) &&
               (on(regs::kCtrlRxAllmulti) || listed || (d.overflow_i & 2) != 0);
    } else {
      wanted = !on(regs::kCtrlRxNouni) && (on(regs::kCtrlRxAlluni) || listed ||
                                           (d.overflow_i & 1) != 0 || frame.destination == d.mac_i);
    }
    if (d.vlan_filter_i && frame.tagged && !vlans_.test(frame.vid)) wanted = false;
    const bool drop = !wanted && !on(regs::kCtrlRxPromisc);
    if (kQueues == 1) return {drop, 0};
    if (d.rss_i) {
      return {drop, frame.report == 0 ? d.rss_unclassified_i : rss_[frame.hash & d.rss_mask_i]};
    }
    const auto flow = flows_.find(frame.symmetric % 1024);
    if (frame.symmetric != 0 && flow != flows_.end() && flow->second.first == frame.symmetric &&
        flow->second.second < d.pairs_i) {
      return {drop, flow->second.second};
    }
    return {drop, static_cast<unsigned>(uint64_t{frame.flow >> 20} * d.pairs_i >> 12)};
  }

  void expect_look(const Frame& frame, unsigned wait = 0) {
    const Verdict verdict = look(frame, wait);
    const Verdict right = expected(frame);
    EXPECT_EQ(verdict.drop, right.drop);
    EXPECT_EQ(verdict.queue, right.queue);
  }

  uint64_t cycle() const { return cycle_; }

 private:
  std::unique_ptr<Vrx_classify_harness> dut_ = std::make_unique<Vrx_classify_harness>();
  std::mt19937 random_;
  uint64_t cycle_ = 0;
  std::map<unsigned, uint64_t> places_;
  std::bitset<4096> vlans_;
  std::array<unsigned, 128> rss_{};
  std::map<unsigned, std::pair<uint16_t, unsigned>> flows_;
};

TEST(RxClassifyTest, OneFrameEveryTwoCycles) {
  ClassifyBench bench;
  const uint64_t before = bench.cycle();
  for (unsigned i = 0; i < 100; ++i) bench.look({.destination = kBroadcast});
  EXPECT_EQ(bench.cycle() - before, 200U);
}

// Promiscuous mode lets everything in, whatever else is set.
TEST(RxClassifyTest, Promiscuous) {
  ClassifyBench bench;
  bench.clear_tables();
  bench.dut().vlan_filter_i = 1;
  bench.dut().mode_i = 0x38;
  for (const uint64_t destination : {kBroadcast, uint64_t{0x333300000001}, uint64_t{0x02}}) {
    EXPECT_TRUE(bench.look({.destination = destination}).drop);
  }
  bench.dut().mode_i = 0x39;
  for (const uint64_t destination : {kBroadcast, uint64_t{0x333300000001}, uint64_t{0x02}}) {
    EXPECT_FALSE(bench.look({.destination = destination, .tagged = true, .vid = 5}).drop);
  }
}

// Each suppressed kind, and no other.
TEST(RxClassifyTest, Modes) {
  ClassifyBench bench;
  bench.clear_tables();
  constexpr uint64_t kGroup = 0x01005e000001;
  constexpr uint64_t kOther = 0x020000000002;
  constexpr uint64_t kOwn = 0x020000000001;
  struct Row {
    unsigned mode;
    bool broadcast, group, other, own;  // let in
  };
  for (const Row& row :
       {Row{0x00, true, false, false, true}, Row{0x02, true, true, false, true},
        Row{0x04, true, false, true, true}, Row{0x0a, true, false, false, true},
        Row{0x14, true, false, false, false}, Row{0x26, false, true, true, true}}) {
    bench.dut().mode_i = static_cast<uint8_t>(row.mode);
    EXPECT_EQ(!bench.look({.destination = kBroadcast}).drop, row.broadcast) << row.mode;
    EXPECT_EQ(!bench.look({.destination = kGroup}).drop, row.group) << row.mode;
    EXPECT_EQ(!bench.look({.destination = kOther}).drop, row.other) << row.mode;
    EXPECT_EQ(!bench.look({.destination = kOwn}).drop, row.own) << row.mode;
  }
}

TEST(RxClassifyTest, LearnsFlows) {
  ClassifyBench bench;
  bench.clear_tables();
  bench.dut().mode_i = 1;
  bench.dut().pairs_i = kQueues;
  bench.learn(0x1234, kQueues - 1);
  const Frame frame{.destination = 1, .flow = 0, .symmetric = 0x1234};
  EXPECT_EQ(bench.look(frame).queue, kQueues - 1);
  // Another flow of the same entry is not taken for it.
  EXPECT_EQ(bench.look({.destination = 1, .flow = 0, .symmetric = 0x1634}).queue, 0U);
  // A pair that is out of use gets no frames.
  bench.dut().pairs_i = static_cast<uint16_t>(kQueues - 1);
  EXPECT_EQ(bench.look(frame).queue, 0U);
  bench.dut().pairs_i = kQueues;
  EXPECT_EQ(bench.look(frame).queue, kQueues - 1);
  // A reset forgets it.
  bench.reset();
  EXPECT_EQ(bench.look(frame).queue, 0U);
}

// Every pair in use gets its share of unknown flows.
TEST(RxClassifyTest, SpreadsFlows) {
  ClassifyBench bench;
  bench.dut().mode_i = 1;
  for (const unsigned pairs : {1U, 2U, 3U, kQueues - 1, kQueues}) {
    if (pairs == 0 || pairs > kQueues) continue;
    bench.dut().pairs_i = static_cast<uint16_t>(pairs);
    std::vector<unsigned> hits(kQueues);
    const unsigned frames = 40 * pairs;
    for (unsigned i = 0; i < frames; ++i) {
      const Frame frame{.destination = 1, .flow = static_cast<uint32_t>(bench.random()())};
      const unsigned queue = bench.look(frame).queue;
      ASSERT_LT(queue, pairs);
      ++hits[queue];
    }
    for (unsigned q = 0; q < pairs; ++q) EXPECT_GT(hits[q], 10U) << q << " of " << pairs;
  }
}

class RxClassifyRandomTest : public testing::TestWithParam<uint32_t> {};

TEST_P(RxClassifyRandomTest, Frames) {
  ClassifyBench bench(GetParam());
  Vrx_classify_harness& d = bench.dut();
  bench.clear_tables();
  std::vector<uint64_t> macs;
  for (unsigned i = 0; i < 40; ++i) {
    macs.push_back((uint64_t{bench.random()()} << 16 | bench.below(1 << 16)) & kBroadcast);
  }
  const auto any = [&]() -> uint64_t {
    switch (bench.below(6)) {
      case 0:
        return kBroadcast;
      case 1:
        return d.mac_i;
      default:
        return macs[bench.below(40)] ^ (bench.below(4) == 0 ? uint64_t{1} << bench.below(48) : 0);
    }
  };
  for (unsigned i = 0; i < 20'000; ++i) {
    switch (bench.below(12)) {
      case 0:
        d.mode_i = bench.below(4) == 0 ? 1 : static_cast<uint8_t>(bench.below(64) & ~1U);
        d.overflow_i = bench.below(4) == 0 ? static_cast<uint8_t>(bench.below(4)) : 0;
        d.vlan_filter_i = bench.below(2) != 0;
        d.mac_i = macs[bench.below(40)] & ~(1ULL << 40);
        break;
      case 1:
        d.rss_i = bench.below(2) != 0;
        d.rss_mask_i = static_cast<uint8_t>((1U << bench.below(8)) - 1);
        d.rss_unclassified_i = static_cast<uint16_t>(bench.below(kQueues));
        d.pairs_i = static_cast<uint16_t>(bench.below(kQueues) + 1);
        break;
      case 2:
        bench.address(bench.below(2), macs[bench.below(40)], bench.below(3) != 0);
        break;
      case 3:
        bench.vlan(bench.below(8) * 500, bench.below(3) != 0);
        break;
      case 4:
        bench.rss(bench.below(128), bench.below(kQueues));
        break;
      case 5:
        bench.learn(static_cast<uint16_t>(bench.below(64) * 1021), bench.below(kQueues));
        break;
      case 6:
        bench.step();
        break;
      default:
        bench.expect_look({.destination = any(),
                           .tagged = bench.below(2) != 0,
                           .vid = bench.below(8) * 500,
                           .hash = static_cast<uint32_t>(bench.random()()),
                           .report = bench.below(10),
                           .flow = static_cast<uint32_t>(bench.random()()),
                           .symmetric = static_cast<uint16_t>(bench.below(64) * 1021)},
                          bench.below(4) == 0 ? bench.below(5) : 0);
    }
    if (testing::Test::HasFailure()) FAIL() << "at " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RxClassifyRandomTest, testing::Range(1U, 5U));

}  // namespace
}  // namespace nicroscope::test
