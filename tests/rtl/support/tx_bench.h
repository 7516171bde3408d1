// SPDX-License-Identifier: Apache-2.0
// Drives tx_harness: chains from a driver, memory behind AXI, a stream that takes frames at its
// pace; checks that what leaves is what a reference makes of what the driver gave, in order, byte
// for byte, that every chain comes back once, and that none does before its bytes were read (they
// are overwritten at once), and that the counters tell what was done.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <vector>

#include "Vtx_harness.h"
#include "tests/rtl/support/axi_memory.h"
#include "tests/rtl/support/tx_frames.h"
#include "tests/rtl/support/tx_queues.h"
#include "verilated.h"

namespace nicroscope::test {

struct TxConfig {
  uint32_t seed = 1;
  unsigned queues = 1;      // from queue 1 on
  unsigned ring = 256;      // descriptors given at most
  unsigned max_pieces = 1;  // descriptors of a chain
  TxMix mix{};
  unsigned alignment = 1;  // of fragments
  unsigned lane = 0;       // first byte of a fragment, behind the alignment
  unsigned chains = 100;
  unsigned used_stall = 0;   // percent
  unsigned desc_stall = 0;   // percent
  unsigned ready_stall = 0;  // percent
  unsigned pause_every = 0;  // chains after which the driver rests
  unsigned pause_cycles = 0;
  bool skip_idle = false;  // do not clock what is idle
  AxiTiming timing{};
};

class TxBench {
 public:
  static constexpr unsigned kStream = sizeof(Vtx_harness::m_axis_tdata_o);
  static constexpr unsigned kAxi = sizeof(Vtx_harness::m_axi_rdata_i);
  static constexpr unsigned kQueues = 4;
  static constexpr uint64_t kBase = 0x7'0000'1000;
  static constexpr size_t kMaxFragments = 64;

  explicit TxBench(const TxConfig& config)
      : config_(config),
        random_(config.seed),
        frames_(config.mix, config.seed + 3),
        slot_(largest(config) + 700 + config.max_pieces * 160),
        ids_(std::max(1U, config.ring / config.max_pieces)),
        memory_(kBase, ids_ * slot_),
        read_(memory_, config.timing, config.seed + 1),
        descriptors_(kQueues, config.ring, config.desc_stall, config.seed + 2,
                     [this](unsigned queue, uint16_t id) { take(queue, id); }) {
    context_.randReset(2);
    context_.randSeed(static_cast<int>(config.seed));
    model_ = std::make_unique<Vtx_harness>(&context_);
    given_.resize(ids_);
    for (unsigned id = 0; id < ids_; ++id) free_.push_back(static_cast<uint16_t>(id));
    model_->rst_i = 1;
    model_->stop_i = 0;
    model_->features_i = features(config.mix);
    model_->qrst_valid_i = 0;
    model_->qrst_queue_i = 0;
    model_->avail_i = 0;
    model_->desc_valid_i = 0;
    model_->used_ready_i = 0;
    model_->m_axis_tready_i = 0;
    model_->m_axi_arready_i = 0;
    model_->m_axi_rvalid_i = 0;
    clock();
    clock();
    model_->rst_i = 0;
  }

  // Verilator 5.006 removes a model from the thread's context, which must be this one.
  ~TxBench() {
    Verilated::threadContextp(&context_);
    model_.reset();
  }
  TxBench(const TxBench&) = delete;
  TxBench& operator=(const TxBench&) = delete;

  // One cycle.
  void step() {
    give_chains();
    read_.drive(*model_, cycle_);
    descriptors_.drive(*model_);
    model_->used_ready_i = random_() % 100 >= config_.used_stall;
    model_->m_axis_tready_i = random_() % 100 >= config_.ready_stall;
    model_->clk_i = 0;
    model_->eval();
    const bool quiet =
        !model_->desc_valid_i && !model_->m_axi_rvalid_i && model_->avail_i == avail_before_;
    avail_before_ = model_->avail_i;
    drop_bad_ += model_->drop_bad_o;
    csum_ += model_->csum_o;
    tso_ += model_->tso_o;
    segments_ += model_->segment_o;
    note_used();
    note_beat();
    descriptors_.sample(*model_);
    read_.sample(*model_, cycle_);
    if (model_->idle_o && quiet && config_.skip_idle) {
      ++skipped_;
    } else {
      model_->clk_i = 1;
      model_->eval();
    }
    ++cycle_;
  }

  // Until all chains are back and all frames are out; false if that takes too long.
  bool run(uint64_t limit = 4'000'000) {
    while (cycle_ < limit) {
      step();
      if (used_ + lost_ == config_.chains && expected_.empty() && model_->idle_o) return settle();
      if (::testing::Test::HasFatalFailure() || failed_) return false;
    }
    return false;
  }

  // Resets a queue: what of it is not taken goes back to the driver unseen. False if the path does
  // not come to rest.
  bool reset_queue(unsigned queue, uint64_t limit = 20'000) {
    model_->qrst_queue_i = static_cast<uint8_t>(queue);
    model_->qrst_valid_i = 1;
    const uint64_t end = cycle_ + limit;
    do {
      if (cycle_ == end) return false;
      step();
    } while (!model_->qrst_quiet_o);
    for (uint16_t id : descriptors_.untouched(queue)) lose(id);
    if (descriptors_.forget(queue)) {
      const Taken half = order_.back();
      order_.pop_back();
      expect(given_[half.id], half, -1);
      ++given_up_;
      lose(half.id);
    }
    for (const Taken& each : order_) EXPECT_NE(each.queue, queue) << "a chain is still in hand";
    model_->qrst_valid_i = 0;
    return true;
  }

  Vtx_harness& model() { return *model_; }
  Memory& memory() { return memory_; }
  uint64_t cycle() const { return cycle_; }
  uint64_t used() const { return used_; }
  uint64_t sent() const { return sent_; }
  int64_t bad() const { return bad_; }
  int64_t drop_bad() const { return drop_bad_; }
  int64_t super_frames() const { return super_frames_; }
  int64_t cut() const { return cut_; }
  int64_t with_csum() const { return with_csum_; }
  uint64_t gaps() const { return gaps_; }
  uint64_t bursts() const { return read_.bursts(); }
  size_t most_in_flight() const { return read_.most_in_flight(); }
  bool bus_busy() const { return read_.busy(); }
  uint64_t first_end() const { return first_end_; }
  uint64_t last_end() const { return last_end_; }
  uint64_t lost() const { return lost_; }
  uint64_t given_up() const { return given_up_; }
  uint64_t skipped() const { return skipped_; }
  const std::vector<uint64_t>& events() const { return events_; }
  // The next chain has this fragment among its own, outside the memory.
  void set_wild(uint64_t addr) { wild_ = addr; }

 private:
  struct Frame {
    uint32_t tag;
    unsigned queue;
    golden::Bytes bytes;
  };
  struct Given {
    Chain chain;
    TxChain content;
  };
  struct Taken {
    uint16_t id;
    unsigned queue;
    uint32_t tag;
  };

  static unsigned largest(const TxConfig& config) {
    if (config.mix.bad_percent != 0) return TxFrames::kMaxSuper + 600;
    if (config.mix.super_segment != 0) return TxFrames::kMaxSuper;
    if (config.mix.offload_percent == 0) return config.mix.max_frame + 20;
    return static_cast<unsigned>(config.mix.offload.largest_super_frame) + 20 + 9200;
  }

  static uint64_t features(const TxMix& mix) {
    return uint64_t{mix.features.csum} << regs::kFeatureCsum |
           uint64_t{mix.features.tso4} << regs::kFeatureHostTso4 |
           uint64_t{mix.features.tso6} << regs::kFeatureHostTso6 |
           uint64_t{mix.features.ecn} << regs::kFeatureHostEcn |
           uint64_t{mix.features.uso} << regs::kFeatureHostUso |
           uint64_t{mix.hash} << regs::kFeatureHashReport;
  }

  unsigned between(unsigned low, unsigned high) {
    return low + static_cast<unsigned>(random_() % (high - low + 1));
  }

  // The counters at the end.
  bool settle() {
    EXPECT_EQ(drop_bad_, bad_);
    EXPECT_EQ(csum_, with_csum_);
    EXPECT_EQ(tso_, super_frames_);
    EXPECT_EQ(segments_, cut_);
    EXPECT_TRUE(model_->quiet_o);
    return true;
  }

  void log(uint64_t kind, uint64_t value) {
    events_.push_back(cycle_ << 24 | kind << 20 | (value & 0xfffff));
  }

  void clock() {
    model_->clk_i = 0;
    model_->eval();
    model_->clk_i = 1;
    model_->eval();
  }

  // Cuts `total` bytes into at most max_pieces fragments, each of at least one byte.
  std::vector<uint32_t> cut_up(uint32_t total) {
    const unsigned count = std::min(between(1, config_.max_pieces), total);
    std::vector<uint32_t> ends{total};
    while (ends.size() < count) {
      // Half of the cuts lie in the header or close behind it.
      const uint32_t near = std::min<uint32_t>(total - 1, 40);
      const uint32_t at = between(1, random_() % 2 ? near : total - 1);
      if (std::find(ends.begin(), ends.end(), at) == ends.end()) ends.push_back(at);
    }
    std::sort(ends.begin(), ends.end());
    for (size_t i = ends.size(); i-- > 1;) ends[i] -= ends[i - 1];
    return ends;
  }

  void give_chains() {
    while (!free_.empty() && given_count_ < config_.chains && cycle_ >= resume_) {
      Chain chain{.id = free_.front(), .pieces = {}};
      free_.pop_front();
      const TxChain given = frames_.next();
      uint64_t addr = kBase + chain.id * static_cast<uint64_t>(slot_);
      size_t at = 0;
      for (uint32_t len : cut_up(static_cast<uint32_t>(given.bytes.size()))) {
        addr += between(0, 40);
        addr = (addr + config_.alignment - 1) / config_.alignment * config_.alignment;
        addr += config_.lane;
        chain.pieces.push_back({addr, len});
        for (uint32_t i = 0; i < len; ++i, ++addr) memory_.at(addr) = given.bytes[at++];
      }
      if (wild_ != 0) {
        chain.pieces.push_back({wild_, 30});
        wild_ = 0;
      }
      ++given_count_;
      given_[chain.id] = {chain, given};
      descriptors_.push(1 + given_count_ % config_.queues, chain);
      if (config_.pause_every != 0 && given_count_ % config_.pause_every == 0) {
        resume_ = cycle_ + config_.pause_cycles;
      }
    }
  }

  // The device takes a chain.
  void take(unsigned queue, uint16_t id) {
    const Taken taken{.id = id, .queue = queue, .tag = ++taken_};
    order_.push_back(taken);
    expect(given_[id], taken, 1);
  }

  // What comes of a chain, or with -1 does not.
  void expect(const Given& given, const Taken& taken, int sign) {
    const auto frames = static_cast<int64_t>(given.content.frames.size());
    if (given.chain.pieces.size() > kMaxFragments || frames == 0) {
      bad_ += sign;
      return;
    }
    for (const golden::Bytes& frame : given.content.frames) {
      if (sign > 0) {
        expected_.push_back({taken.tag, taken.queue, frame});
      } else {
        expected_.pop_back();
      }
    }
    if (given.content.csum) with_csum_ += sign * frames;
    if (!given.content.super) return;
    super_frames_ += sign;
    cut_ += sign * frames;
  }

  void lose(uint16_t id) {
    ++lost_;
    free_.push_back(id);
  }

  void note_used() {
    if (!model_->used_valid_o || !model_->used_ready_i) return;
    log(1, model_->used_id_o);
    ASSERT_FALSE(order_.empty());
    const Taken taken = order_.front();
    ASSERT_EQ(model_->used_id_o, taken.id);
    order_.pop_front();
    ++used_;
    const Chain& chain = given_[taken.id].chain;
    EXPECT_EQ(model_->used_ndesc_o, chain.pieces.size());
    EXPECT_EQ(model_->used_queue_o, taken.queue);
    EXPECT_EQ(model_->used_len_o, 0U);
    EXPECT_EQ(model_->used_tag_o, taken.tag);
    EXPECT_TRUE(model_->used_first_o && model_->used_last_o);
    for (const Piece& piece : chain.pieces) {
      for (uint32_t i = 0; i < piece.len; ++i) {
        memory_.at(piece.addr + i) = static_cast<uint8_t>(~memory_.at(piece.addr + i));
      }
    }
    free_.push_back(chain.id);
  }

  void note_beat() {
    if (!model_->m_axis_tvalid_o) {
      if (!bytes_.empty() && last_ready_) ++gaps_;
      last_ready_ = true;
      return;
    }
    last_ready_ = model_->m_axis_tready_i;
    if (!model_->m_axis_tready_i) return;
    const std::vector<uint8_t> data = port_bytes(model_->m_axis_tdata_o, kStream);
    uint64_t keep = 0;
    const auto keep_bytes = port_bytes(model_->m_axis_tkeep_o, kStream / 8);
    std::copy(keep_bytes.begin(), keep_bytes.end(), reinterpret_cast<uint8_t*>(&keep));
    const auto count = static_cast<unsigned>(std::popcount(keep));
    EXPECT_EQ(std::countr_one(keep), static_cast<int>(count));
    EXPECT_TRUE(model_->m_axis_tlast_o || count == kStream);
    for (unsigned i = 0; i < count; ++i) bytes_.push_back(static_cast<std::byte>(data[i]));
    if (!model_->m_axis_tlast_o) return;
    log(2, bytes_.size());
    ASSERT_FALSE(expected_.empty());
    ASSERT_EQ(model_->tag_o, expected_.front().tag);
    EXPECT_EQ(model_->queue_o, expected_.front().queue);
    if (bytes_ != expected_.front().bytes) {
      failed_ = true;
      ASSERT_EQ(bytes_.size(), expected_.front().bytes.size());
      const auto [got, want] =
          std::mismatch(bytes_.begin(), bytes_.end(), expected_.front().bytes.begin());
      FAIL() << "frame " << expected_.front().tag << " of " << bytes_.size()
             << " bytes differs at byte " << got - bytes_.begin() << ": "
             << std::to_integer<int>(*got) << " for " << std::to_integer<int>(*want);
    }
    expected_.pop_front();
    bytes_.clear();
    ++sent_;
    if (first_end_ == 0) first_end_ = cycle_;
    last_end_ = cycle_;
  }

  TxConfig config_;
  std::mt19937 random_;
  TxFrames frames_;
  unsigned slot_;
  unsigned ids_;
  Memory memory_;
  AxiReadMemory<Vtx_harness, kAxi> read_;
  TxQueues<Vtx_harness> descriptors_;
  VerilatedContext context_;
  std::unique_ptr<Vtx_harness> model_;

  std::vector<Given> given_;  // by id
  std::deque<uint16_t> free_;
  std::deque<Taken> order_;  // in hand, in the order in which they were taken
  std::deque<Frame> expected_;
  golden::Bytes bytes_;  // of the frame that is leaving
  std::vector<uint64_t> events_;
  uint32_t given_count_ = 0;
  uint32_t taken_ = 0;
  uint64_t lost_ = 0;
  uint64_t given_up_ = 0;
  uint64_t wild_ = 0;
  bool failed_ = false;
  bool last_ready_ = true;
  uint8_t avail_before_ = 0;
  uint64_t cycle_ = 0;
  uint64_t resume_ = 0;
  uint64_t used_ = 0;
  uint64_t sent_ = 0;
  int64_t bad_ = 0;
  int64_t drop_bad_ = 0;
  int64_t csum_ = 0;
  int64_t tso_ = 0;
  int64_t segments_ = 0;
  int64_t super_frames_ = 0;
  int64_t cut_ = 0;
  int64_t with_csum_ = 0;
  uint64_t gaps_ = 0;
  uint64_t first_end_ = 0;
  uint64_t last_end_ = 0;
  uint64_t skipped_ = 0;
};

}  // namespace nicroscope::test
