// SPDX-License-Identifier: Apache-2.0
#pragma once

// rx_parse on its own: frames go in as a stream with gaps, some of them are not kept, answers are
// taken slowly, and each is compared with what tests/golden says of the frame.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "Vrx_parse_harness.h"
#include "nicroscope/registers.h"
#include "sim/base/random.h"
#include "tests/golden/checksum.h"
#include "tests/golden/frame_builder.h"
#include "tests/golden/parse.h"
#include "tests/golden/rss.h"
#include "verilated.h"

namespace nicroscope::test {

using golden::Bytes;
using golden::ParsedFrame;

/// How a run is made rough, in per cent.
struct ParseRoughness {
  unsigned gap = 0;      ///< cycles without a beat, inside a frame
  unsigned lose = 0;     ///< frames that are not kept
  unsigned stall = 0;    ///< cycles in which an answer is not taken
  unsigned spacing = 0;  ///< at most so many cycles between frames
};

class ParseBench {
 public:
  using Data = std::remove_reference_t<decltype(std::declval<Vrx_parse_harness&>().s_axis_tdata_i)>;
  using Keep = std::remove_reference_t<decltype(std::declval<Vrx_parse_harness&>().s_axis_tkeep_i)>;
  static constexpr std::size_t kStreamBytes = sizeof(Data);

  explicit ParseBench(std::uint64_t seed) : random_(seed) {
    context_.randReset(2);
    context_.randSeed(static_cast<int>(seed % 1000000) + 1);
    top_ = std::make_unique<Vrx_parse_harness>(&context_);
    top_->rst_i = 1;
    top_->forget_i = 0;
    top_->s_axis_tvalid_i = 0;
    top_->info_ready_i = 0;
    top_->table_select_i = 0;
    top_->hash_types_i = 0x1ff;
    for (int i = 0; i < 3; ++i) edge();
    top_->rst_i = 0;
    edge();
  }
  ~ParseBench() { top_->final(); }
  ParseBench(const ParseBench&) = delete;
  ParseBench& operator=(const ParseBench&) = delete;

  void set_key(const golden::HashKey& key) {
    for (unsigned word = 0; word < golden::kHashKeyBytes / 4; ++word) {
      std::uint64_t data = 0;
      for (unsigned i = 0; i < 4; ++i) data = data << 8 | key[4 * word + i];
      top_->table_select_i = 4;
      top_->table_addr_i = static_cast<std::uint8_t>(word);
      top_->table_data_i = data;
      edge();
    }
    top_->table_select_i = 0;
    key_ = key;
  }
  void set_types(std::uint32_t types) {
    types_ = types;
    top_->hash_types_i = static_cast<std::uint16_t>(types);
  }

  /// Sends a frame, beat after beat; answers are taken and judged meanwhile.
  void send(const Bytes& frame, const ParseRoughness& rough) {
    const bool lose = chance(rough.lose);
    bool known = true;
    for (std::size_t at = 0; at < frame.size(); at += kStreamBytes) {
      while (at != 0 && chance(rough.gap)) cycle(rough);
      drive(frame, at);
      const bool last = at + kStreamBytes >= frame.size();
      top_->take_i = last && !lose;
      if (at == 0) {
        top_->eval();
        known = top_->room_o;
        refused_ += known ? 0 : 1;
      }
      top_->take_i = top_->take_i && known;
      if (last && known && !lose) waiting_.push_back({frame, cycle_});
      cycle(rough);
      top_->s_axis_tvalid_i = 0;
    }
    if (rough.spacing != 0) {
      for (auto wait = random_.below(rough.spacing + 1); wait != 0; --wait) cycle(rough);
    }
  }

  /// Lets everything come out.
  void drain() {
    top_->s_axis_tvalid_i = 0;
    for (int i = 0; i < 400 && !waiting_.empty(); ++i) cycle({});
    ASSERT_TRUE(waiting_.empty()) << waiting_.size() << " frames were not answered";
    for (int i = 0; i < 20; ++i) cycle({});
    ASSERT_TRUE(top_->idle_o);
  }

  /// A reset of the device in the middle of whatever there is.
  void forget() {
    top_->s_axis_tvalid_i = 0;
    top_->forget_i = 1;
    edge();
    top_->forget_i = 0;
    waiting_.clear();
    words_left_ = words_;
    key_ = {};
  }

  /// One cycle; an answer is taken unless stalled.
  void cycle(const ParseRoughness& rough) {
    top_->info_ready_i = 0;
    top_->eval();
    bool read = false;
    if (top_->info_valid_o) {
      if (waiting_.empty()) {
        ADD_FAILURE() << "an answer without a frame";
      } else if (!chance(rough.stall)) {
        read = words_left_ != 0;
        if (!read) answered();
        top_->info_ready_i = !read;
      }
    }
    top_->hdr_addr_i = static_cast<std::uint8_t>(random_.below(16));
    edge();
    top_->info_ready_i = 0;
    if (read) header();
  }

  /// Compare so many words of each header, too.
  void read_headers(unsigned words) { words_ = words_left_ = words; }

  std::size_t judged() const { return judged_; }
  std::size_t good() const { return good_; }
  std::size_t bad() const { return bad_; }
  std::size_t lro() const { return lro_; }
  std::size_t hashed() const { return hashed_; }
  std::size_t refused() const { return refused_; }
  std::uint64_t now() const { return cycle_; }
  std::uint64_t slowest() const { return slowest_; }
  Vrx_parse_harness& top() { return *top_; }
  std::uint16_t last_symmetric() const { return symmetric_; }
  std::uint32_t last_flow() const { return flow_; }
  sim::Random& random() { return random_; }

 private:
  struct Sent {
    Bytes frame;
    std::uint64_t last = 0;  ///< cycle of its last beat
  };

  bool chance(unsigned percent) { return percent != 0 && random_.below(100) < percent; }

  void edge() {
    top_->clk_i = 0;
    top_->eval();
    top_->clk_i = 1;
    top_->eval();
    ++cycle_;
  }

  void drive(const Bytes& frame, std::size_t at) {
    const std::size_t count = std::min(kStreamBytes, frame.size() - at);
    std::uint8_t beat[kStreamBytes];
    for (auto& byte : beat) byte = static_cast<std::uint8_t>(random_.next());
    std::memcpy(beat, frame.data() + at, count);
    std::memcpy(&top_->s_axis_tdata_i, beat, kStreamBytes);
    top_->s_axis_tkeep_i =
        static_cast<Keep>(count == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1);
    top_->s_axis_tlast_i = at + count == frame.size();
    top_->s_axis_tvalid_i = 1;
  }

  // A word of the header of the answer that waits has come with the last edge.
  void header() {
    const Bytes& frame = waiting_.front().frame;
    const std::size_t first = std::size_t{8} * top_->hdr_addr_i;
    const std::uint64_t data = top_->hdr_data_o;
    for (std::size_t i = 0; i < 8 && first + i < frame.size(); ++i) {
      ASSERT_EQ(data >> (8 * i) & 0xff, golden::get8(frame, first + i)) << "byte " << first + i;
    }
    --words_left_;
  }

  void answered() {
    const Sent sent = waiting_.front();
    waiting_.pop_front();
    words_left_ = words_;
    ++judged_;
    slowest_ = std::max(slowest_, cycle_ - std::max(sent.last, last_answer_));
    last_answer_ = cycle_;
    compare(sent.frame, golden::parse(sent.frame));
    if (::testing::Test::HasFailure()) {
      std::string text;
      for (const auto byte : sent.frame) {
        constexpr char digits[] = "0123456789abcdef";
        text += digits[std::to_integer<unsigned>(byte) >> 4];
        text += digits[std::to_integer<unsigned>(byte) & 15];
      }
      FAIL() << "frame " << judged_ << ", " << sent.frame.size() << " bytes: " << text;
    }
  }

  void compare(const Bytes& frame, const ParsedFrame& parsed) {
    if (frame.size() >= 14) {
      std::uint64_t dst = 0;
      for (const auto byte : parsed.destination) dst = dst << 8 | byte;
      ASSERT_EQ(top_->dst_o, dst);
    }
    ASSERT_EQ(top_->has_vlan_o, parsed.tagged());
    if (parsed.tagged()) {
      ASSERT_EQ(top_->vid_o, parsed.vid());
    }

    const std::string wrong = golden::judge_verdict(parsed, top_->csum_ok_o, top_->csum_bad_o);
    ASSERT_TRUE(wrong.empty()) << wrong;
    good_ += top_->csum_ok_o;
    bad_ += top_->csum_bad_o;

    symmetric_ = top_->symmetric_o;
    flow_ = top_->flow_o;
    if (parsed.hash_required && !parsed.final_unknown && parsed.routing_address.empty()) {
      const auto hash = golden::frame_hash(parsed, types_, key_);
      ASSERT_EQ(top_->hash_report_o, hash.report);
      ASSERT_EQ(top_->hash_o, hash.value);
      ASSERT_EQ(flow_, golden::flow_hash(parsed, key_));
      ASSERT_EQ(symmetric_ != 0, parsed.l4 != golden::L4::none);
      hashed_ += hash.report != 0;
    }

    const bool reach = parsed.payload < 128;
    if (top_->tcp_o) {
      ASSERT_TRUE(parsed.l4 == golden::L4::tcp && reach);
      ASSERT_EQ(top_->ip6_o, parsed.l3 == golden::L3::ipv6);
      ASSERT_EQ(top_->l3_o, parsed.l3_offset);
      ASSERT_EQ(top_->l4_o, parsed.l4_offset);
      ASSERT_EQ(top_->payload_o, parsed.payload);
      ASSERT_EQ(top_->payload_len_o, parsed.payload_len);
      ASSERT_EQ(top_->seq_o, parsed.seq);
      ASSERT_EQ(top_->tcp_flags_o, parsed.tcp_flags);
      const auto pseudo =
          golden::pseudo_sum(parsed.source_address, parsed.destination_address, golden::kTcp, 0);
      ASSERT_EQ(top_->pseudo_o % 0xffff, pseudo % 0xffff);
    } else {
      ASSERT_FALSE(parsed.l4 == golden::L4::tcp && reach && parsed.hash_required);
    }
    lro_ += top_->lro_o;
    if (top_->lro_o) {
      ASSERT_TRUE(parsed.mergeable || frame.size() > parsed.ip_end);
    }
    constexpr unsigned kFlags =
        golden::tcp::kAck | golden::tcp::kPsh | golden::tcp::kFin | golden::tcp::kEce;
    if (parsed.mergeable && reach && (parsed.tcp_flags & ~kFlags) == 0 &&
        (parsed.tcp_flags & golden::tcp::kAck) != 0) {
      ASSERT_TRUE(top_->lro_o);
    }
  }

  VerilatedContext context_;
  std::unique_ptr<Vrx_parse_harness> top_;
  sim::Random random_;
  std::deque<Sent> waiting_;
  golden::HashKey key_{};
  std::uint32_t types_ = 0x1ff;
  std::uint64_t cycle_ = 0;
  std::uint64_t slowest_ = 0;
  std::uint64_t last_answer_ = 0;
  unsigned words_ = 0;
  unsigned words_left_ = 0;  ///< of the header of the answer that waits
  std::size_t judged_ = 0;
  std::size_t good_ = 0;
  std::size_t bad_ = 0;
  std::size_t lro_ = 0;
  std::size_t hashed_ = 0;
  std::size_t refused_ = 0;
  std::uint16_t symmetric_ = 0;
  std::uint32_t flow_ = 0;
};

}  // namespace nicroscope::test
