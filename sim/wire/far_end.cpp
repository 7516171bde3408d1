// SPDX-License-Identifier: Apache-2.0
#include "sim/wire/far_end.h"

#include <algorithm>

namespace nicroscope::sim {
namespace {

// Ethernet and ARP for IPv4 (RFC 826).
constexpr std::size_t kArp = 14;
constexpr std::size_t kOperation = kArp + 6;
constexpr std::size_t kSender = kArp + 8;
constexpr std::size_t kTarget = kArp + 18;
constexpr std::size_t kPair = 10;  // a hardware and a protocol address
constexpr std::size_t kArpFrame = 60;

}  // namespace

FarEnd::FarEnd(WirePort& wire, const std::array<std::uint8_t, 6>& address, unsigned flows)
    : wire_(wire), address_(address), next_(flows) {
  wire_.set_source(this);
  wire_.add_sink(*this);
}

FarEnd::~FarEnd() {
  wire_.set_source(nullptr);
  wire_.remove_sink(*this);
}

void FarEnd::set_load(FrameSource* load) noexcept {
  load_ = load;
  wire_.wake();
}

void FarEnd::measure(Time from, Time to) noexcept {
  from_ = from;
  to_ = to;
}

const WireFrame* FarEnd::peek() {
  if (held_ == Held::none && !answers_.empty()) {
    answer_ = {answers_.front(), Time{0}, WireFault::none};
    held_ = Held::answer;
  }
  if (held_ == Held::answer) return &answer_;
  const WireFrame* const frame = load_ == nullptr ? nullptr : load_->peek();
  held_ = frame == nullptr ? Held::none : Held::load;
  return frame;
}

void FarEnd::begun(Time now) {
  if (held_ == Held::load) load_->begun(now);
}

void FarEnd::pop() {
  if (held_ == Held::answer) {
    answers_.pop_front();
  } else {
    load_->pop();
  }
  held_ = Held::none;
}

void FarEnd::on_frame(const PassedFrame& frame) {
  if (frame.direction != WireDirection::from_nic) return;
  const auto stamp = Stamp::of_frame(frame.bytes);
  if (!stamp) {
    ++others_;
    answer_arp(frame.bytes);
    return;
  }
  ++returned_;
  if (on_returned_) {
    on_returned_(frame.last, *stamp);
    wire_.wake();
  }
  std::uint64_t& least = next_[stamp->sequence % next_.size()];
  if (!frame.good || stamp->sequence < least) ++misplaced_;
  least = stamp->sequence + 1;
  if (stamp->due >= from_ && stamp->due < to_) {
    latency_.add(static_cast<std::uint64_t>((frame.last - stamp->due).count() / 1000));
  }
}

void FarEnd::answer_arp(std::span<const std::byte> question) {
  if (question.size() < kTarget + kPair || Stamp::load_be(question.data() + 12, 2) != 0x0806 ||
      Stamp::load_be(question.data() + kOperation, 2) != 1) {
    return;
  }
  const std::byte* const asker = question.data() + kSender;
  const std::byte* const asked = question.data() + kTarget;
  if (std::equal(asker + 6, asker + kPair, asked + 6)) return;  // an announcement
  std::vector<std::byte> frame(kArpFrame);
  std::copy_n(asker, 6, frame.begin());
  std::copy_n(question.begin() + 12, 8, frame.begin() + 12);
  Stamp::store_be(frame.data() + kOperation, 2, 2);
  for (std::size_t i = 0; i < 6; ++i) {
    frame[6 + i] = frame[kSender + i] = std::byte{address_[i]};
  }
  std::copy_n(asked + 6, 4, frame.begin() + kSender + 6);
  std::copy_n(asker, kPair, frame.begin() + kTarget);
  answers_.push_back(std::move(frame));
  wire_.wake();
}

}  // namespace nicroscope::sim
