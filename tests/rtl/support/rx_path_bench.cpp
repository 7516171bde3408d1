// SPDX-License-Identifier: Apache-2.0
#include "tests/rtl/support/rx_path_bench.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "nicroscope/registers.h"
#include "nicroscope/virtio.h"

namespace nicroscope::test {

namespace {

constexpr unsigned kTableRss = 3;  // nic_pkg::TableRss
constexpr unsigned kTableKey = 4;
constexpr size_t kRssEntries = 64;
constexpr uint64_t kMac = 0x5254'0012'3456;
constexpr uint64_t kPatience = 400'000;

// The classifier forgets its flows, the queues their lists.
constexpr unsigned kStartCycles = 2000;

uint8_t canary(uint64_t addr) { return static_cast<uint8_t>(addr * 37 + 11); }

}  // namespace

RxPathBench::RxPathBench(const PathConfig& config) : config_(config), random_(config.seed) {
  context_.randReset(2);
  context_.randSeed(static_cast<int>(config.seed % 1'000'000) + 1);
  model_ = std::make_unique<Vrx_harness>(&context_);
  model_->clk_i = 0;
  model_->eval();
  queues_ = model_->queues_o;
  pairs_ = config.pairs == 0 ? queues_ : config.pairs;
  slot_ = config.buffer_bytes + 128;
  memory_ = std::make_unique<Memory>(kBase, size_t{slot_} * config.ring * queues_);
  write_ = std::make_unique<AxiWriteMemory<Vrx_harness, kAxi>>(
      *memory_, config.timing, static_cast<uint32_t>(config.seed + 1));
  lines_ = std::vector<Line>(queues_);
  for (unsigned i = 0; i < config.streams; ++i) {
    golden::FrameMix mix = config.mix;
    mix.destinations = {mix.destinations.front()};
    streams_.emplace_back(config.seed * 100 + i, mix, 10);
  }
  rss_.hash_types = 0x1ff;
  rss_.key = golden::verification_key();
  rss_.table.clear();
  for (size_t i = 0; i < kRssEntries; ++i) {
    rss_.table.push_back(static_cast<uint16_t>((i * 7 + config.seed) % pairs_));
  }
  rss_.unclassified = 0;
  filter_.promisc = config.promisc;
  for (unsigned i = 0; i < 6; ++i) {
    filter_.mac[i] = static_cast<uint8_t>(kMac >> (8 * (5 - i)));
  }
  model_->rst_i = 1;
  model_->clear_i = 0;
  model_->stop_i = 0;
  model_->run_i = 0;
  model_->engine_quiet_i = 1;
  model_->qrst_valid_i = 0;
  model_->s_axis_tvalid_i = 0;
  model_->avail_i = 0;
  model_->desc_valid_i = 0;
  model_->used_ready_i = 1;
  model_->m_axi_awready_i = 0;
  model_->m_axi_wready_i = 0;
  model_->m_axi_bvalid_i = 0;
  model_->size_valid_i = 0;
  model_->tbl_select_i = 0;
  model_->mac_i = kMac;
  model_->promisc_i = config.promisc;
  model_->csum_i = config.csum;
  model_->hash_report_i = config.hash_report;
  model_->mrg_rxbuf_i = config.mrg_rxbuf;
  model_->lro_i = config.lro;
  model_->rss_i = 1;
  model_->hash_types_i = static_cast<uint16_t>(rss_.hash_types);
  model_->rss_mask_i = kRssEntries - 1;
  model_->pairs_i = static_cast<uint16_t>(pairs_);
  quiet_clock();
  quiet_clock();
  model_->rst_i = 0;
  configure();
  counts_ = {};  // registers start at random
  model_->run_i = 1;
}

// Verilator 5.006 removes a model from the thread's context, which must be this one.
RxPathBench::~RxPathBench() {
  Verilated::threadContextp(&context_);
  model_.reset();
}

// A cycle in which nothing comes in and nothing is taken.
void RxPathBench::quiet_clock() {
  const bool valid = model_->s_axis_tvalid_i;
  model_->s_axis_tvalid_i = 0;
  model_->desc_valid_i = 0;
  model_->used_ready_i = 0;
  model_->m_axi_awready_i = 0;
  model_->m_axi_wready_i = 0;
  model_->m_axi_bvalid_i = 0;
  std::memset(static_cast<void*>(&model_->avail_i), 0, sizeof(model_->avail_i));
  model_->clk_i = 0;
  model_->eval();
  note_counts();
  model_->clk_i = 1;
  model_->eval();
  model_->s_axis_tvalid_i = valid;
}

// The tables and the queues.
void RxPathBench::configure() {
  for (unsigned word = 0; word < golden::kHashKeyBytes / 4; ++word) {
    uint64_t data = 0;
    for (unsigned i = 0; i < 4; ++i) data = data << 8 | rss_.key[4 * word + i];
    model_->tbl_select_i = kTableKey;
    model_->tbl_addr_i = static_cast<uint8_t>(word);
    model_->tbl_data_i = data;
    quiet_clock();
  }
  for (size_t i = 0; i < kRssEntries; ++i) {
    model_->tbl_select_i = kTableRss;
    model_->tbl_addr_i = static_cast<uint8_t>(i);
    model_->tbl_data_i = rss_.table[i];
    quiet_clock();
  }
  model_->tbl_select_i = 0;
  for (unsigned queue = 0; queue < queues_; ++queue) set_up_queue(queue);
  for (unsigned i = 0; i < kStartCycles; ++i) quiet_clock();
}

void RxPathBench::set_up_queue(unsigned queue) {
  Line& line = lines_[queue];
  for (const uint16_t id : line.given) {
    memory_->set_open(line.buffers[id].addr, line.buffers[id].len, false);
  }
  line.given.clear();
  line.waiting.clear();
  line.idle.clear();
  line.group.clear();
  line.bytes.clear();
  line.buffers.resize(config_.ring);
  for (unsigned id = 0; id < config_.ring; ++id) {
    line.buffers[id] = {.addr = kBase + uint64_t{slot_} * (queue * config_.ring + id),
                        .len = 0,
                        .id = static_cast<uint16_t>(id)};
    line.idle.emplace_back(0, static_cast<uint16_t>(id));
  }
  model_->size_valid_i = 1;
  model_->size_queue_i = static_cast<uint8_t>(queue);
  model_->size_i = static_cast<uint16_t>(config_.ring);
  quiet_clock();
  model_->size_valid_i = 0;
}

void RxPathBench::fail(const std::string& why) {
  if (failure_.empty()) failure_ = "cycle " + std::to_string(cycle_) + ": " + why;
}

void RxPathBench::give_buffers() {
  for (Line& line : lines_) {
    while (!line.starved && !line.idle.empty() && line.idle.front().first <= cycle_) {
      const uint16_t id = line.idle.front().second;
      line.idle.pop_front();
      Buffer& buffer = line.buffers[id];
      const uint64_t place = kBase + (buffer.addr - kBase) / slot_ * slot_;
      const unsigned least = config_.buffer_bytes / 3;
      buffer.addr = place + random_.below(64);
      buffer.len = least + static_cast<uint32_t>(random_.below(config_.buffer_bytes - least + 1));
      for (unsigned i = 0; i < slot_; ++i) memory_->at(place + i) = canary(place + i);
      memory_->set_open(buffer.addr, buffer.len, true);
      line.given.push_back(id);
      line.waiting.push_back(id);
    }
  }
}

void RxPathBench::step() {
  give_buffers();
  write_->drive(*model_, cycle_);
  model_->now_i = cycle_;
  model_->desc_valid_i = popped_ >= 0;
  if (popped_ >= 0) {
    model_->desc_addr_i = popped_buffer_.addr;
    model_->desc_len_i = popped_buffer_.len;
    model_->desc_id_i = popped_buffer_.id;
    model_->desc_flags_i = 0;
    model_->desc_index_i = popped_buffer_.id;
  }
  uint32_t avail = 0;
  for (unsigned queue = 0; queue < queues_; ++queue) {
    avail |= uint32_t{!lines_[queue].waiting.empty()} << queue;
  }
  std::memcpy(static_cast<void*>(&model_->avail_i), &avail, sizeof(model_->avail_i));
  const bool quiet = avail == avail_ && popped_ < 0;
  avail_ = avail;
  drive_stream();
  model_->used_ready_i = random_.below(8) != 0;
  model_->clk_i = 0;
  model_->eval();
  note_counts();
  note_used();
  popped_ = -1;
  if (model_->pop_valid_o) {
    popped_ = model_->pop_queue_o;
    Line& line = lines_[static_cast<unsigned>(popped_)];
    if (line.waiting.empty()) {
      fail("a descriptor was taken that is not there");
    } else {
      popped_buffer_ = line.buffers[line.waiting.front()];
      line.waiting.pop_front();
    }
  }
  write_->sample(*model_, cycle_);
  if (config_.skip_idle && quiet && model_->idle_o && !model_->s_axis_tvalid_i &&
      !model_->m_axi_bvalid_i && cycle_ < model_->deadline_o) {
    ++skipped_;
  } else {
    model_->clk_i = 1;
    model_->eval();
  }
  ++cycle_;
}

void RxPathBench::next_frame() {
  const bool stream = !streams_.empty() && random_.below(100) < config_.stream_percent;
  golden::ParsedFrame parsed;
  do {
    frame_ = golden::build(stream ? streams_[random_.below(streams_.size())].next()
                                  : golden::random_recipe(random_, config_.mix));
    parsed = golden::parse(frame_);
    // The device knows nothing of addresses in extension headers (IPv6 mobility).
  } while (!parsed.hash_required || parsed.final_unknown || !parsed.routing_address.empty());
  frame_bad_ = random_.below(100) < config_.bad_percent;
  at_ = 0;
  sending_ = true;
  ++tag_;
  const bool refused = !model_->run_i || model_->stop_i;
  if (frame_bad_) {
    ++counts_.bad;
  } else if (!refused && filter_.accepts(parsed)) {
    lines_[golden::rss_queue(parsed, rss_)].checker.arrived(frame_);
  }
}

void RxPathBench::drive_stream() {
  model_->s_axis_tvalid_i = 0;
  if (!sending_) {
    if (to_send_ == 0) return;
    if (gap_ > 0) {
      --gap_;
      return;
    }
    next_frame();
  }
  const size_t count = std::min<size_t>(kStream, frame_.size() - at_);
  std::array<uint8_t, kStream> data{};
  std::memcpy(data.data(), frame_.data() + at_, count);
  set_port(model_->s_axis_tdata_i, data.data(), kStream);
  const uint64_t keep = count == 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1;
  set_port(model_->s_axis_tkeep_i, reinterpret_cast<const uint8_t*>(&keep), kStream / 8);
  at_ += count;
  const bool last = at_ == frame_.size();
  model_->s_axis_tvalid_i = 1;
  model_->s_axis_tlast_i = last;
  model_->s_axis_tuser_error_i = last && frame_bad_;
  model_->tag_i = tag_;
  if (!last) return;
  sending_ = false;
  ++sent_;
  --to_send_;
  gap_ = static_cast<unsigned>(random_.below(config_.gap_cycles + 1));
  if (sent_ % 8 == 0) gap_ += static_cast<unsigned>(random_.below(config_.pause_cycles + 1));
}

void RxPathBench::note_counts() {
  counts_.fifo += model_->drop_fifo_o;
  counts_.disabled += model_->drop_disabled_o;
  counts_.filter += model_->drop_filter_o;
  counts_.no_fit += model_->drop_no_fit_o;
  counts_.no_buffer += model_->drop_no_buffer_o;
  counts_.reset += model_->drop_reset_o;
  counts_.merged += model_->merged_o;
  counts_.delivered += model_->delivered_o;
  counts_.csum_good += model_->csum_good_o;
  counts_.csum_bad += model_->csum_bad_o;
}

void RxPathBench::note_used() {
  if (!model_->used_valid_o || !model_->used_ready_i) return;
  const unsigned queue = model_->used_queue_o;
  Line& line = lines_.at(queue);
  const uint16_t id = model_->used_id_o;
  if (line.given.empty() || line.given.front() != id) return fail("not the oldest buffer");
  line.given.pop_front();
  const Buffer& buffer = line.buffers[id];
  const uint32_t len = model_->used_len_o;
  if (len > buffer.len || model_->used_ndesc_o != 1) return fail("a wrong used element");
  if (model_->used_first_o != line.group.empty()) fail("first without a first");
  for (uint32_t i = 0; i < buffer.len; ++i) {
    const uint8_t byte = memory_->at(buffer.addr + i);
    if (i < len) {
      line.bytes.push_back(static_cast<std::byte>(byte));
    } else if (byte != canary(buffer.addr + i)) {
      return fail("written behind the end of the data");
    }
  }
  memory_->set_open(buffer.addr, buffer.len, false);
  line.idle.emplace_back(cycle_ + random_.below(config_.return_cycles + 1), id);
  line.group.push_back(id);
  if (!model_->used_last_o) return;
  events_.push_back(cycle_ << 24 | uint64_t{queue} << 16 | (line.bytes.size() & 0xffff));
  if (len != 0) finish_group(queue);
  line.group.clear();
  line.bytes.clear();
}

// A whole frame has come to the driver.
void RxPathBench::finish_group(unsigned queue) {
  Line& line = lines_[queue];
  const size_t header_bytes = config_.hash_report ? 20 : 12;
  if (line.bytes.size() < header_bytes + 14) return fail("too short");
  virtio::NetHeader header;
  std::memcpy(&header, line.bytes.data(), sizeof header);
  const golden::View frame = golden::View(line.bytes).subspan(header_bytes);
  if (header.num_buffers != line.group.size()) return fail("wrong num_buffers");
  const std::string wrong = line.checker.delivered(frame, header, config_.lro);
  if (!wrong.empty()) return fail("queue " + std::to_string(queue) + ": " + wrong);
  ++line.delivered;
  const golden::ParsedFrame parsed = golden::parse(frame);
  if (header.gso_type == regs::kNetHdrGsoNone) {
    const bool good = (header.flags & regs::kNetHdrFDataValid) != 0;
    verdicts_ += good;
    if (good && parsed.verdict != golden::Verdict::good) fail("called valid, and is not");
    if (!good && config_.csum && parsed.verdict_required &&
        parsed.verdict == golden::Verdict::good) {
      fail("valid, and not called so");
    }
    if (good && !config_.csum) fail("a verdict that nobody asked for");
  }
  if (!config_.hash_report) return;
  uint32_t value = 0;
  uint32_t report = 0;
  std::memcpy(&value, line.bytes.data() + 12, 4);
  std::memcpy(&report, line.bytes.data() + 16, 4);
  const golden::FrameHash hash = golden::frame_hash(parsed, rss_.hash_types, rss_.key);
  if (value != hash.value || report != hash.report) {
    fail("hash " + std::to_string(value) + " of type " + std::to_string(report) + " for " +
         std::to_string(hash.value) + " of type " + std::to_string(hash.report));
  }
  hashes_ += report != 0;
}

void RxPathBench::send(unsigned frames) {
  to_send_ += frames;
  while ((to_send_ != 0 || sending_) && failure_.empty()) step();
}

bool RxPathBench::settle() {
  const uint64_t limit = cycle_ + kPatience;
  for (unsigned still = 0; cycle_ < limit && failure_.empty();) {
    step();
    still = model_->idle_o && !write_->busy() && model_->deadline_o == ~uint64_t{0} ? still + 1 : 0;
    if (still > config_.return_cycles + 10) return true;
  }
  return false;
}

void RxPathBench::check_balance() {
  EXPECT_EQ(sent_, counts_.all());
  uint64_t frames = 0;
  uint64_t merged = 0;
  for (const Line& line : lines_) {
    frames += line.checker.frames();
    merged += line.checker.merged();
  }
  EXPECT_EQ(frames, counts_.delivered + merged);
  // A coalesced frame that is dropped counts once, and its others as merged.
  EXPECT_LE(merged, counts_.merged);
  if (counts_.lost() == 0) {
    EXPECT_EQ(merged, counts_.merged);
  }
  if (config_.promisc) {
    EXPECT_EQ(counts_.filter, 0U);
  }
}

void RxPathBench::starve(unsigned queue, bool on) { lines_.at(queue).starved = on; }

void RxPathBench::reset_queue(unsigned queue) {
  model_->qrst_valid_i = 1;
  model_->qrst_queue_i = static_cast<uint8_t>(queue);
  const uint64_t limit = cycle_ + kPatience;
  do {
    step();
    if (cycle_ > limit) return fail("the queue does not come to rest");
    if (popped_ == static_cast<int>(queue)) fail("a descriptor of a queue that is being reset");
  } while ((!model_->qrst_quiet_o || popped_ >= 0) && failure_.empty());
  if (!lines_[queue].group.empty()) fail("half a frame was returned");
  set_up_queue(queue);
  model_->qrst_valid_i = 0;
}

void RxPathBench::reset_device() {
  model_->stop_i = 1;
  const uint64_t limit = cycle_ + kPatience;
  do {
    step();
    if (cycle_ > limit) return fail("the device does not come to rest");
  } while ((!model_->quiet_o || write_->busy()) && failure_.empty());
  model_->clear_i = 1;
  step();
  model_->clear_i = 0;
  popped_ = -1;
  for (unsigned queue = 0; queue < queues_; ++queue) {
    if (!lines_[queue].group.empty()) fail("half a frame was returned");
  }
  configure();
  model_->stop_i = 0;
}

uint64_t RxPathBench::super_frames() const {
  uint64_t total = 0;
  for (const Line& line : lines_) total += line.checker.super_frames();
  return total;
}

}  // namespace nicroscope::test
