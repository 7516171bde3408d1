// SPDX-License-Identifier: Apache-2.0
// Drives rx_harness: frames in on the stream, buffers from a driver, memory behind AXI; checks that
// what the driver gets is what was sent, in order, byte for byte, and that nothing else was
// written.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <vector>

#include "Vrx_harness.h"
#include "tests/rtl/support/axi_memory.h"
#include "tests/rtl/support/descriptor_source.h"
#include "verilated.h"

namespace nicroscope::test {

struct RxConfig {
  uint32_t seed = 1;
  bool mrg_rxbuf = true;
  bool hash_report = false;
  unsigned ring = 256;      // ring size and number of descriptors given at most
  unsigned min_pieces = 1;  // descriptors of a chain
  unsigned max_pieces = 1;
  unsigned min_piece = 2048;  // bytes of a descriptor
  unsigned max_piece = 2048;
  unsigned alignment = 1;  // of buffers
  unsigned frames = 100;
  unsigned min_frame = 60;
  unsigned max_frame = 1514;
  unsigned gap_cycles = 3;    // between frames, at most
  unsigned gap_percent = 0;   // of cycles without a beat within a frame
  unsigned bad_percent = 0;   // of frames with an error
  unsigned used_stall = 0;    // percent
  unsigned desc_stall = 0;    // percent
  unsigned buffers_from = 0;  // cycle from which the driver gives buffers
  unsigned pause_every = 0;   // frames after which the wire rests
  unsigned pause_cycles = 0;
  bool skip_idle = false;  // do not clock what is idle
  AxiTiming timing{};
};

class RxBench {
 public:
  static constexpr unsigned kStream = sizeof(Vrx_harness::s_axis_tdata_i);
  static constexpr unsigned kAxi = sizeof(Vrx_harness::m_axi_wdata_o);
  static constexpr uint64_t kBase = 0x12'3456'7000;

  explicit RxBench(const RxConfig& config)
      : config_(config),
        random_(config.seed),
        slot_(config.max_pieces * (config.max_piece + 80) + 64),
        chains_(config.ring / config.max_pieces),
        memory_(kBase, chains_ * slot_),
        write_(memory_, config.timing, config.seed + 1),
        descriptors_(0, config.ring, config.desc_stall, config.seed + 2) {
    context_.randReset(2);
    context_.randSeed(static_cast<int>(config.seed));
    model_ = std::make_unique<Vrx_harness>(&context_);
    given_.resize(chains_);
    for (unsigned id = 0; id < chains_; ++id) free_.push_back(static_cast<uint16_t>(id));
    model_->rst_i = 1;
    model_->clear_i = 0;
    model_->run_i = 1;
    model_->stop_i = 0;
    model_->engine_quiet_i = 1;
    model_->now_i = 0;
    model_->promisc_i = 1;
    model_->csum_i = 0;
    model_->hash_report_i = config.hash_report;
    model_->lro_i = 0;
    model_->rss_i = 0;
    model_->hash_types_i = 0;
    model_->rss_mask_i = 0;
    model_->pairs_i = 1;
    model_->tbl_select_i = 0;
    model_->size_valid_i = 0;
    model_->size_queue_i = 0;
    model_->qrst_valid_i = 0;
    model_->qrst_queue_i = 0;
    model_->s_axis_tvalid_i = 0;
    model_->avail_i = 0;
    model_->desc_valid_i = 0;
    model_->used_ready_i = 0;
    model_->m_axi_awready_i = 0;
    model_->m_axi_wready_i = 0;
    model_->m_axi_bvalid_i = 0;
    model_->mrg_rxbuf_i = config.mrg_rxbuf;
    clock();
    clock();
    model_->rst_i = 0;
    for (int i = 0; i < 16; ++i) clock();  // queues are enabled after the walk over them
    model_->size_valid_i = 1;
    model_->size_i = static_cast<uint16_t>(config.ring);
    clock();
    model_->size_valid_i = 0;
  }

  // Verilator 5.006 removes a model from the thread's context, which must be this one.
  ~RxBench() {
    Verilated::threadContextp(&context_);
    model_.reset();
  }
  RxBench(const RxBench&) = delete;
  RxBench& operator=(const RxBench&) = delete;

  // One cycle.
  void step() {
    if (cycle_ >= config_.buffers_from) give_buffers();
    write_.drive(*model_, cycle_);
    descriptors_.drive(*model_);
    drive_stream();
    model_->used_ready_i = random_() % 100 >= config_.used_stall;
    model_->now_i = cycle_;
    model_->clk_i = 0;
    model_->eval();
    const bool quiet = !model_->s_axis_tvalid_i && !model_->desc_valid_i &&
                       !model_->m_axi_bvalid_i && model_->avail_i == avail_before_;
    avail_before_ = model_->avail_i;
    note_drops();
    note_used();
    descriptors_.sample(*model_);
    write_.sample(*model_, cycle_);
    if (model_->m_axi_wvalid_o && model_->m_axi_wready_i) log(2, model_->m_axi_wlast_o);
    if (model_->idle_o && quiet && config_.skip_idle) {
      ++skipped_;
    } else {
      if (model_->idle_o && quiet) ++idle_;
      model_->clk_i = 1;
      model_->eval();
    }
    ++cycle_;
  }

  // Until all frames are sent and each is delivered or counted; false if that takes too long.
  bool run(uint64_t limit = 4'000'000) {
    while (cycle_ < limit) {
      step();
      if (sent_ == config_.frames && in_beat_ == 0 && model_->idle_o &&
          expected_.size() == (dropping_ ? 1 : 0)) {
        return true;
      }
      if (::testing::Test::HasFatalFailure() || failed_) return false;
    }
    return false;
  }

  Vrx_harness& model() { return *model_; }
  Memory& memory() { return memory_; }
  uint64_t cycle() const { return cycle_; }
  uint64_t sent() const { return sent_; }
  uint64_t delivered() const { return delivered_; }
  uint64_t bad() const { return bad_; }
  uint64_t drop_fifo() const { return drop_fifo_; }
  uint64_t drop_disabled() const { return drop_disabled_; }
  uint64_t drop_no_fit() const { return drop_no_fit_; }
  uint64_t drop_reset() const { return drop_reset_; }
  uint64_t most_buffers() const { return most_buffers_; }
  uint64_t first_delivery() const { return first_delivery_; }
  uint64_t last_delivery() const { return last_delivery_; }
  uint64_t skipped() const { return skipped_; }
  uint64_t idle() const { return idle_; }
  uint64_t beats() const { return write_.beats(); }
  bool bus_busy() const { return write_.busy(); }
  const std::vector<uint64_t>& events() const { return events_; }
  void set_pause(bool pause) { pause_ = pause; }

 private:
  struct Frame {
    uint32_t tag;
    std::vector<uint8_t> bytes;
    bool bad;
    bool refused;
  };

  static uint8_t canary(uint64_t addr) { return static_cast<uint8_t>(addr * 37 + 11); }
  unsigned between(unsigned low, unsigned high) {
    return low + static_cast<unsigned>(random_() % (high - low + 1));
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

  void give_buffers() {
    while (!free_.empty()) {
      Chain chain{.id = free_.front(), .pieces = {}};
      free_.pop_front();
      uint64_t addr = kBase + chain.id * static_cast<uint64_t>(slot_);
      const unsigned pieces = between(config_.min_pieces, config_.max_pieces);
      for (unsigned i = 0; i < pieces; ++i) {
        addr += between(1, 64);
        addr = (addr + config_.alignment - 1) / config_.alignment * config_.alignment;
        chain.pieces.push_back({addr, between(config_.min_piece, config_.max_piece)});
        memory_.set_open(addr, chain.pieces.back().len, true);
        addr += chain.pieces.back().len;
      }
      const uint64_t slot = kBase + chain.id * static_cast<uint64_t>(slot_);
      for (unsigned i = 0; i < slot_; ++i) memory_.at(slot + i) = canary(slot + i);
      given_[chain.id] = chain;
      order_.push_back(chain.id);
      descriptors_.push(chain);
    }
  }

  void drive_stream() {
    model_->s_axis_tvalid_i = 0;
    if (in_beat_ == 0) {
      if (pause_ || sent_ == config_.frames) return;
      if (gap_ > 0) {
        --gap_;
        return;
      }
      start_frame();
    } else if (random_() % 100 < config_.gap_percent) {
      return;
    }
    Frame& frame = expected_.back();
    const size_t at = (in_beat_ - 1) * static_cast<size_t>(kStream);
    const size_t count = std::min<size_t>(kStream, frame.bytes.size() - at);
    const bool last = at + count == frame.bytes.size();
    std::vector<uint8_t> data(kStream);
    std::copy_n(frame.bytes.begin() + static_cast<std::ptrdiff_t>(at), count, data.begin());
    for (size_t i = count; i < kStream; ++i) data[i] = static_cast<uint8_t>(random_());
    set_port(model_->s_axis_tdata_i, data.data(), kStream);
    const uint64_t keep = count == 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1;
    set_port(model_->s_axis_tkeep_i, reinterpret_cast<const uint8_t*>(&keep), kStream / 8);
    model_->s_axis_tvalid_i = 1;
    model_->s_axis_tlast_i = last;
    model_->s_axis_tuser_error_i = last && frame.bad;
    model_->tag_i = frame.tag;
    ++in_beat_;
    if (!last) return;
    in_beat_ = 0;
    ++sent_;
    ended_ = true;
    gap_ = between(0, config_.gap_cycles);
    if (config_.pause_every != 0 && sent_ % config_.pause_every == 0) gap_ = config_.pause_cycles;
  }

  void start_frame() {
    Frame frame{.tag = ++tag_,
                .bytes = {},
                .bad = random_() % 100 < config_.bad_percent,
                .refused = !model_->run_i || model_->stop_i};
    frame.bytes.resize(between(config_.min_frame, config_.max_frame));
    for (uint8_t& byte : frame.bytes) byte = static_cast<uint8_t>(random_());
    expected_.push_back(std::move(frame));
    in_beat_ = 1;
  }

  // The cycle after a frame's last beat says whether it was dropped.
  void note_drops() {
    EXPECT_TRUE(!model_->drop_fifo_o || ended_before_);
    EXPECT_TRUE(!model_->drop_disabled_o || ended_before_);
    if (ended_before_) {
      auto frame = expected_.end() - (in_beat_ != 0 || ended_ ? 2 : 1);
      if (frame->bad) {
        EXPECT_FALSE(model_->drop_fifo_o || model_->drop_disabled_o);
        ++bad_;
      }
      EXPECT_EQ(model_->drop_disabled_o, frame->refused && !frame->bad);
      drop_fifo_ += model_->drop_fifo_o;
      drop_disabled_ += model_->drop_disabled_o;
      if (frame->bad || model_->drop_fifo_o || model_->drop_disabled_o) expected_.erase(frame);
    }
    ended_before_ = ended_;
    ended_ = false;
    drop_no_fit_ += model_->drop_no_fit_o;
    drop_reset_ += model_->drop_reset_o;
    delivered_ += model_->delivered_o;
  }

  void note_used() {
    if (!model_->used_valid_o || !model_->used_ready_i) return;
    log(1, model_->used_id_o);
    ASSERT_FALSE(order_.empty());
    ASSERT_EQ(model_->used_id_o, order_.front());
    order_.pop_front();
    const Chain& chain = given_[model_->used_id_o];
    EXPECT_EQ(model_->used_ndesc_o, chain.pieces.size());
    EXPECT_EQ(model_->used_queue_o, 0);
    while (!expected_.empty() && dropping_ && expected_.front().tag != model_->used_tag_o) {
      expected_.pop_front();
      dropping_ = false;
    }
    ASSERT_FALSE(expected_.empty());
    ASSERT_EQ(model_->used_tag_o, expected_.front().tag);
    if (model_->used_len_o == 0) {
      EXPECT_TRUE(model_->used_first_o && model_->used_last_o);
      dropping_ = true;
      recycle(chain);
      return;
    }
    dropping_ = false;
    EXPECT_EQ(model_->used_first_o, group_.empty());
    take(chain, model_->used_len_o);
    group_.push_back(chain.id);
    if (!model_->used_last_o) return;
    check_frame();
    most_buffers_ = std::max<uint64_t>(most_buffers_, group_.size());
    for (uint16_t id : group_) recycle(given_[id]);
    group_.clear();
    bytes_.clear();
    expected_.pop_front();
    if (first_delivery_ == 0) first_delivery_ = cycle_;
    last_delivery_ = cycle_;
  }

  // What was written into a buffer, and that no more was.
  void take(const Chain& chain, uint32_t len) {
    ASSERT_LE(len, chain.bytes());
    for (const Piece& piece : chain.pieces) {
      for (uint32_t i = 0; i < piece.len; ++i) {
        if (len > 0) {
          bytes_.push_back(memory_.at(piece.addr + i));
          --len;
        } else if (memory_.at(piece.addr + i) != canary(piece.addr + i)) {
          failed_ = true;
          FAIL() << "written behind the end of the data";
        }
      }
    }
  }

  void check_frame() {
    std::vector<uint8_t> want(config_.hash_report ? 20 : 12);
    want[10] = static_cast<uint8_t>(group_.size());
    want[11] = static_cast<uint8_t>(group_.size() >> 8);
    want.insert(want.end(), expected_.front().bytes.begin(), expected_.front().bytes.end());
    if (bytes_ != want) {
      failed_ = true;
      ASSERT_EQ(bytes_.size(), want.size());
      const auto [got, exp] = std::mismatch(bytes_.begin(), bytes_.end(), want.begin());
      FAIL() << "frame " << expected_.front().tag << " of " << expected_.front().bytes.size()
             << " bytes differs at byte " << got - bytes_.begin() << ": " << +*got << " for "
             << +*exp;
    }
  }

  void recycle(const Chain& chain) {
    for (const Piece& piece : chain.pieces) memory_.set_open(piece.addr, piece.len, false);
    free_.push_back(chain.id);
  }

  RxConfig config_;
  std::mt19937 random_;
  unsigned slot_;
  unsigned chains_;
  Memory memory_;
  AxiWriteMemory<Vrx_harness, kAxi> write_;
  DescriptorSource<Vrx_harness> descriptors_;
  VerilatedContext context_;
  std::unique_ptr<Vrx_harness> model_;

  std::vector<Chain> given_;  // by id
  std::deque<uint16_t> free_;
  std::deque<uint16_t> order_;  // ids in the order in which they were given
  std::deque<Frame> expected_;
  std::vector<uint16_t> group_;
  std::vector<uint8_t> bytes_;
  std::vector<uint64_t> events_;
  size_t in_beat_ = 0;  // the next beat of the frame that is being sent, from 1; 0: none
  unsigned gap_ = 0;
  uint32_t tag_ = 0;
  bool ended_ = false;
  bool ended_before_ = false;
  bool dropping_ = false;
  bool failed_ = false;
  bool pause_ = false;
  uint32_t avail_before_ = 0;
  uint64_t cycle_ = 0;
  uint64_t sent_ = 0;
  uint64_t bad_ = 0;
  uint64_t delivered_ = 0;
  uint64_t drop_fifo_ = 0;
  uint64_t drop_disabled_ = 0;
  uint64_t drop_no_fit_ = 0;
  uint64_t drop_reset_ = 0;
  uint64_t most_buffers_ = 0;
  uint64_t first_delivery_ = 0;
  uint64_t last_delivery_ = 0;
  uint64_t skipped_ = 0;
  uint64_t idle_ = 0;
};

}  // namespace nicroscope::test
