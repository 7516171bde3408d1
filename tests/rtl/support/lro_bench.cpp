// SPDX-License-Identifier: Apache-2.0
#include "tests/rtl/support/lro_bench.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "nicroscope/registers.h"
#include "tests/golden/checksum.h"

namespace nicroscope::test {

namespace {

using golden::Bytes;
namespace tcp = golden::tcp;

// What rx_parse calls coalescible (nic_pkg::rx_info_t).
bool coalescible(const golden::ParsedFrame& parsed) {
  constexpr std::uint8_t may = tcp::kAck | tcp::kPsh | tcp::kFin | tcp::kEce;
  return parsed.l4 == golden::L4::tcp && !parsed.fragment && !parsed.ip_options &&
         !parsed.extensions && parsed.verdict == golden::Verdict::good && parsed.payload_len != 0 &&
         (parsed.tcp_flags & ~may) == 0 && (parsed.tcp_flags & tcp::kAck) != 0 &&
         parsed.payload <= golden::kHeaderReach;
}

std::uint32_t mix(std::uint64_t value) { return static_cast<std::uint32_t>(sim::mix64(value)); }

// One number for a flow: addresses and ports, but not the VLAN.
std::uint32_t flow_number(const golden::ParsedFrame& parsed) {
  std::uint64_t number = 0;
  const auto add = [&number](std::uint64_t value) { number = sim::mix64(number ^ value); };
  for (const std::byte byte : parsed.source_address) add(std::to_integer<std::uint64_t>(byte));
  for (const std::byte byte : parsed.destination_address) add(std::to_integer<std::uint64_t>(byte));
  add(static_cast<std::uint64_t>(parsed.source_port) << 16 | parsed.destination_port);
  return static_cast<std::uint32_t>(number);
}

}  // namespace

LroBench::LroBench(const LroConfig& config) : config_(config), random_(config.seed) {
  context_.randReset(2);
  context_.randSeed(static_cast<int>(config.seed % 1000000) + 1);
  top_ = std::make_unique<Vrx_lro_harness>(&context_);
  top_->lro4_i = 1;
  top_->lro6_i = 1;
  reset();
}

void LroBench::reset() {
  top_->rst_i = 1;
  top_->hurry_i = top_->flush_i = top_->pressure_i = 0;
  top_->rec_valid_i = top_->info_valid_i = top_->cls_valid_i = 0;
  top_->frame_ready_i = top_->drop_ready_i = top_->job_valid_i = top_->read_ready_i = 0;
  top_->word_valid_i = top_->out_ready_i = top_->free_ready_i = 0;
  top_->now_i = now_;
  for (int i = 0; i < 3; ++i) edge();
  top_->rst_i = 0;
  coming_.clear();
  head_ = false;
  for (Slot& slot : slots_) slot = {};
  next_slot_ = oldest_slot_ = slots_used_ = 0;
  for (auto& queue : queues_) queue.clear();
  jobs_.clear();
  reads_.clear();
  job_on_ = word_on_ = was_frame_ = was_out_ = was_free_ = false;
  out_.clear();
  held_.clear();
  expected_.clear();
  found_.clear();
  (void)checker_.forget();
  merged_ = pulses_ = 0;
  counts_.clear();
}

void LroBench::send(const Bytes& bytes, std::uint64_t at) {
  Frame frame;
  frame.bytes = bytes;
  frame.parsed = golden::parse(bytes);
  frame.at = at;
  frame.tag = next_tag_++;
  frame.hash = mix(frame.tag);
  const std::uint32_t flow = flow_number(frame.parsed) & config_.keys;
  frame.queue = flow % kQueues;
  if (frame.parsed.l4 != golden::L4::none) {
    frame.symmetric = static_cast<std::uint16_t>(0x8000U | flow >> 16);
  }
  frame.lro = coalescible(frame.parsed);
  frame.unwanted = random_.below(100) < config_.unwanted;
  coming_.push_back(std::move(frame));
}

bool LroBench::chance(unsigned percent, unsigned what, std::uint64_t block) const {
  if (percent == 0) return false;
  return sim::mix64(config_.seed * 1000003 + tick_ / block * 64 + what) % 100 < percent;
}

void LroBench::edge() {
  top_->clk_i = 0;
  top_->eval();
  top_->clk_i = 1;
  top_->eval();
}

void LroBench::event(const char* what, std::uint64_t value) {
  events_.push_back(std::to_string(now_) + " " + what + " " + std::to_string(value));
}

void LroBench::head_came() {
  Frame& frame = coming_.front();
  head_ = true;
  head_since_ = tick_;
  head_whole_ = false;
  frame.slot = next_slot_;
  next_slot_ = (next_slot_ + 1) % kSlots;
  ++slots_used_;
  ASSERT_FALSE(slots_[frame.slot].held);
  slots_[frame.slot] = {.held = true, .given_up = false, .frame = frame, .words_read = 0};
}

void LroBench::drive_head() {
  if (!head_ && !coming_.empty() && coming_.front().at <= now_ && slots_used_ < kSlots &&
      !chance(config_.head_gap, 1)) {
    head_came();
  }
  head_whole_ = head_ && (head_whole_ || !chance(config_.head_gap, 2));
  top_->rec_valid_i = head_whole_;
  top_->info_valid_i = head_;
  top_->cls_valid_i = head_ && tick_ > head_since_;
  if (!head_) return;
  const Frame& frame = coming_.front();
  const golden::ParsedFrame& parsed = frame.parsed;
  top_->rec_slot_i = static_cast<std::uint16_t>(frame.slot);
  top_->rec_len_i = static_cast<std::uint16_t>(frame.bytes.size());
  top_->rec_tag_i = frame.tag;
  top_->hash_i = frame.hash;
  top_->hash_report_i = frame.tag & 7;
  top_->flow_i = mix(frame.symmetric);
  top_->symmetric_i = frame.symmetric;
  top_->csum_ok_i = parsed.verdict == golden::Verdict::good;
  top_->tcp_i = parsed.l4 == golden::L4::tcp;
  top_->lro_i = frame.lro;
  top_->ip6_i = parsed.l3 == golden::L3::ipv6;
  top_->l3_i = static_cast<std::uint8_t>(parsed.l3_offset & 127);
  top_->l4_i = static_cast<std::uint8_t>(parsed.l4_offset & 127);
  top_->payload_i = static_cast<std::uint8_t>(parsed.payload & 127);
  top_->payload_len_i = static_cast<std::uint16_t>(parsed.payload_len);
  top_->seq_i = parsed.seq;
  top_->tcp_flags_i = parsed.tcp_flags;
  top_->pseudo_i = 0;
  if (parsed.l4 == golden::L4::tcp) {
    top_->pseudo_i =
        golden::pseudo_sum(parsed.source_address, parsed.destination_address, golden::kTcp, 0);
  }
  top_->cls_drop_i = frame.unwanted;
  top_->cls_queue_i = static_cast<std::uint8_t>(frame.queue);
  std::uint64_t word = 0;
  for (unsigned i = 8; i > 0; --i) {
    const std::size_t at = 8 * hdr_addr_ + i - 1;
    word =
        word << 8 | (at < frame.bytes.size() ? golden::get8(frame.bytes, at) : mix(tick_) & 0xff);
  }
  top_->hdr_data_i = word;
}

void LroBench::drive() {
  top_->now_i = now_;
  top_->hurry_i = hurry_ || chance(config_.hurry, 3, 64);
  top_->flush_i = chance(config_.flush, 4, 16);
  top_->pressure_i = pressure_ || chance(config_.pressure, 5, 256);
  top_->oldest_i = static_cast<std::uint16_t>(oldest_slot_);
  drive_head();
  top_->frame_ready_i = !chance(config_.frame_stall, 6);
  top_->drop_ready_i = !chance(config_.free_stall, 7);
  if (!job_on_ && !jobs_wait && !chance(config_.job_stall, 8)) {
    const auto first = static_cast<unsigned>(sim::mix64(config_.seed + tick_) % kQueues);
    for (unsigned i = 0; i < kQueues && !job_on_; ++i) {
      auto& queue = queues_[(first + i) % kQueues];
      if (queue.empty()) continue;
      jobs_.push_back(std::move(queue.front()));
      queue.pop_front();
      jobs_.back().drop = chance(config_.drop, 9);
      job_on_ = true;
    }
  }
  top_->job_valid_i = job_on_;
  if (job_on_) {
    top_->job_frame_i = jobs_.back().bits;
    top_->job_drop_i = jobs_.back().drop;
  }
  top_->read_ready_i = reads_.size() < 2 && !chance(config_.read_stall, 10);
  if (!word_on_ && !reads_.empty() && read_at_ <= tick_ && !chance(config_.word_stall, 11)) {
    const Request& read = reads_.front();
    const Bytes& bytes = slots_[read.slot].frame.bytes;
    std::array<std::uint8_t, kAxi> word{};
    for (unsigned i = 0; i < kAxi; ++i) {
      const std::size_t at = std::size_t{read.first} * kAxi + i;
      word[i] = at < bytes.size() ? golden::get8(bytes, at) : static_cast<std::uint8_t>(mix(at));
    }
    std::memcpy(&top_->word_data_i, word.data(), kAxi);
    word_on_ = true;
  }
  top_->word_valid_i = word_on_;
  top_->out_ready_i = !chance(config_.out_stall, 12);
  top_->free_ready_i = !chance(config_.free_stall, 13);
}

// What moves with the coming edge, from settled outputs.
void LroBench::sample() {
  if (was_frame_) {
    ASSERT_TRUE(top_->frame_valid_o && top_->frame_tag_o == was_tag_);
  }
  if (was_out_) {
    ASSERT_TRUE(top_->out_valid_o);
    ASSERT_EQ(std::memcmp(was_data_.data(), &top_->out_data_o, kAxi), 0);
  }
  was_frame_ = top_->frame_valid_o && !top_->frame_ready_i;
  was_tag_ = top_->frame_tag_o;
  was_out_ = top_->out_valid_o && !top_->out_ready_i;
  was_data_.resize(kAxi);
  if (was_out_) std::memcpy(was_data_.data(), &top_->out_data_o, kAxi);

  ASSERT_EQ(top_->rec_ready_o, top_->info_ready_o);
  ASSERT_EQ(top_->rec_ready_o, top_->cls_ready_o);
  const bool taken = top_->rec_ready_o;
  if (top_->merged_o) ++pulses_;
  if (top_->free_valid_o && top_->free_ready_i) free_slot(top_->free_slot_o, false);
  if (top_->drop_valid_o && top_->drop_ready_i) {
    ASSERT_TRUE(taken);
    free_slot(top_->drop_slot_o, true);
  }
  if (top_->frame_valid_o && top_->frame_ready_i) frame_out();
  if (taken) head_taken();
  if (top_->read_valid_o && top_->read_ready_i) request();
  if (top_->job_ready_o) {
    ASSERT_TRUE(job_on_);
    job_done();
  }
  if (top_->word_valid_i && top_->word_ready_o) {
    Request& read = reads_.front();
    ++slots_[read.slot].words_read;
    ++read.first;
    word_on_ = false;
    if (--read.words == 0) {
      reads_.pop_front();
    }
  }
  if (top_->out_valid_o && top_->out_ready_i) word_out();
}

void LroBench::head_taken() {
  ASSERT_TRUE(top_->rec_valid_i && top_->cls_valid_i);
  Frame& frame = coming_.front();
  frame.taken = now_;
  slots_[frame.slot].frame.taken = now_;
  event("taken", frame.tag);
  if (frame.unwanted) {
    ASSERT_TRUE(top_->drop_valid_o);
  } else {
    checker_.arrived(frame.bytes);
    if (config_.exact) expect_taken(frame);
  }
  ++taken_;
  last_taken_ = tick_;
  coming_.pop_front();
  head_ = false;
}

void LroBench::frame_out() {
  Job job;
  std::memcpy(&job.bits, &top_->frame_o, sizeof(job.bits));
  job.len = top_->frame_len_o;
  job.gso = top_->frame_gso_o;
  job.ip6 = top_->frame_ip6_o;
  job.gso_size = top_->frame_gso_size_o;
  job.csum_start = top_->frame_csum_start_o;
  job.hdr_len = top_->frame_hdr_len_o;
  // All but the last have the same payload.
  job.count = job.gso ? (job.len - job.hdr_len + job.gso_size - 1) / job.gso_size : 1;
  const Frame& first = slots_[top_->frame_slot_o].frame;
  ASSERT_TRUE(slots_[top_->frame_slot_o].held);
  EXPECT_EQ(top_->frame_tag_o, first.tag);
  EXPECT_EQ(top_->frame_queue_o, first.queue);
  EXPECT_EQ(top_->frame_hash_o, first.hash);
  EXPECT_EQ(top_->frame_hash_report_o, first.tag & 7);
  EXPECT_EQ(top_->frame_csum_ok_o, first.parsed.verdict == golden::Verdict::good);
  EXPECT_TRUE(!job.gso || job.count > 1);
  event("frame", first.tag);
  event("count", job.count);
  longest_stay_ = std::max(longest_stay_, now_ - first.taken);
  merged_ += job.count - 1;
  counts_.push_back(job.count);
  if (config_.exact) found_.push_back({first.tag, job.count});
  queues_[first.queue].push_back(std::move(job));
}

void LroBench::request() {
  ASSERT_TRUE(job_on_ && !jobs_.back().drop);
  const unsigned slot = top_->read_slot_o;
  ASSERT_TRUE(slots_[slot].held);
  ASSERT_GT(top_->read_words_o, 0U);
  ASSERT_LE((top_->read_first_o + top_->read_words_o - 1U) * kAxi, slots_[slot].frame.bytes.size());
  if (reads_.empty()) read_at_ = tick_ + 2;
  reads_.push_back({slot, top_->read_first_o, top_->read_words_o});
}

void LroBench::job_done() {
  job_on_ = false;
  if (jobs_.back().drop) jobs_.pop_back();
}

void LroBench::word_out() {
  ASSERT_FALSE(jobs_.empty());
  std::array<std::byte, kAxi> word{};
  std::memcpy(word.data(), &top_->out_data_o, kAxi);
  out_.insert(out_.end(), word.begin(), word.end());
  ++words_;
  last_out_ = tick_;
  const Job& job = jobs_.front();
  if (out_.size() < job.len) return;
  out_.resize(job.len);
  virtio::NetHeader header{};
  if (job.gso) {
    header.flags = regs::kNetHdrFNeedsCsum;
    header.gso_type = job.ip6 ? regs::kNetHdrGsoTcpV6 : regs::kNetHdrGsoTcpV4;
    header.gso_size = static_cast<std::uint16_t>(job.gso_size);
    header.hdr_len = static_cast<std::uint16_t>(job.hdr_len);
    header.csum_start = static_cast<std::uint16_t>(job.csum_start);
    header.csum_offset = 16;
  }
  EXPECT_EQ(checker_.delivered(out_, header, true), "") << "at " << now_;
  EXPECT_EQ(checker_.members().size(), job.count);
  delivered_ += job.count;
  event("delivered", job.len);
  out_.clear();
  jobs_.pop_front();
}

void LroBench::free_slot(unsigned slot, bool dropped) {
  ASSERT_TRUE(slots_[slot].held) << "slot " << slot << " freed twice";
  event(dropped ? "unwanted" : "freed", slot);
  for (const Request& read : reads_) ASSERT_TRUE(read.slot != slot || read.words == 0);
  slots_[slot].held = false;
  while (slots_used_ != 0 && !slots_[oldest_slot_].held) {
    oldest_slot_ = (oldest_slot_ + 1) % kSlots;
    --slots_used_;
  }
}

void LroBench::expect_flush(std::size_t flow) {
  expected_.push_back(held_[flow].tags);
  held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(flow));
}

// GRO, with sixteen flows, and by halfwords.
void LroBench::expect_taken(const Frame& frame) {
  constexpr std::uint8_t ends = tcp::kPsh | tcp::kFin;
  const std::uint32_t key = frame.symmetric;
  const auto same = [key](const Held& held) { return held.key == key; };
  const auto found = std::ranges::find_if(held_, same);
  const bool candidate = frame.lro && frame.bytes.size() == frame.parsed.ip_end;
  const bool last = (frame.parsed.tcp_flags & ends) != 0;
  if (found != held_.end()) {
    const auto at = static_cast<std::size_t>(found - held_.begin());
    std::size_t bytes = frame.parsed.payload_len;
    for (const auto& member : found->parsed) bytes += member.payload_len;
    const std::size_t mss = found->parsed.front().payload_len;
    if (candidate && frame.parsed.payload + bytes <= 0xffff &&
        golden::joins(found->parsed, found->bytes, frame.parsed, frame.bytes).empty()) {
      found->parsed.push_back(frame.parsed);
      found->bytes.push_back(frame.bytes);
      found->tags.push_back(frame.tag);
      if (last || frame.parsed.payload_len < mss) expect_flush(at);
      return;
    }
    expect_flush(at);
  }
  if (!candidate || last || frame.parsed.payload_len % 2 != 0) {
    expected_.push_back({frame.tag});
    return;
  }
  if (held_.size() == kFlows) expect_flush(0);
  held_.push_back({key, {frame.parsed}, {frame.bytes}, {frame.tag}});
}

// A flow may be flushed before the frame that was the reason is taken.
void LroBench::compare() {
  for (; !found_.empty() && !expected_.empty(); found_.pop_front(), expected_.pop_front()) {
    ASSERT_EQ(expected_.front().front(), found_.front().first);
    ASSERT_EQ(expected_.front().size(), found_.front().second) << "frame " << found_.front().first;
  }
}

void LroBench::cycle() {
  drive();
  top_->clk_i = 0;
  top_->eval();
  // The outputs that tell of the head depend on what was just driven.
  sample();
  compare();
  hdr_addr_ = top_->hdr_addr_o;
  top_->clk_i = 1;
  top_->eval();
  ++tick_;
  if (!config_.exact) ++now_;
}

void LroBench::run(std::uint64_t cycles) {
  for (std::uint64_t i = 0; i < cycles && !::testing::Test::HasFatalFailure(); ++i) cycle();
}

bool LroBench::quiet() const {
  if (!top_->idle_o || !top_->join_idle_o || head_ || job_on_ || !jobs_.empty()) return false;
  for (const auto& queue : queues_) {
    if (!queue.empty()) return false;
  }
  return true;
}

void LroBench::drain() {
  std::uint64_t still = 0;
  while (!coming_.empty() || !quiet() || !top_->empty_o) {
    if (::testing::Test::HasFailure()) return;
    if (config_.exact && coming_.empty() && quiet()) {
      now_ = top_->deadline_o;  // the flows that are left, one after the other
      while (!held_.empty()) expect_flush(0);
    }
    if (config_.skip_idle && quiet()) {
      std::uint64_t next = top_->deadline_o;
      if (!coming_.empty()) next = std::min(next, std::max(coming_.front().at, now_));
      if (next > now_) {
        skipped_ += next - now_;
        tick_ += next - now_;
        now_ = next;
      }
    }
    const std::uint64_t before = taken_ + words_ + counts_.size();
    cycle();
    still = before == taken_ + words_ + counts_.size() ? still + 1 : 0;
    ASSERT_LT(still, 100000U) << "nothing moves";
  }
  EXPECT_EQ(top_->deadline_o, ~std::uint64_t{0});
  EXPECT_EQ(pulses_, merged_);
  EXPECT_TRUE(expected_.empty() && found_.empty());
  EXPECT_EQ(slots_used_, 0U) << "slots were not freed";
}

}  // namespace nicroscope::test
