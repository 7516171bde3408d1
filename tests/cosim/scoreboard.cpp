// SPDX-License-Identifier: Apache-2.0
#include "tests/cosim/scoreboard.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tests/cosim/random_coverage.h"

namespace nicroscope::test {

using golden::Bytes;
using golden::ParsedFrame;
using golden::View;

void Scoreboard::fail(const std::string& what, View frame) {
  if (!error_.empty()) return;
  std::string hex;
  for (std::size_t i = 0; i < frame.size() && i < 96; ++i) {
    hex += fmt::format("{:02x}", golden::get8(frame, i));
  }
  error_ =
      fmt::format("{} ({} bytes: {}{})", what, frame.size(), hex, frame.size() > 96 ? "..." : "");
}

void Scoreboard::start(Time now, const ReceiveConfig& config,
                       const golden::TransmitFeatures& transmit, unsigned pairs) {
  lose();
  first_ += configs_.size();
  configs_.assign(1, config);
  settled_.assign(1, {now, first_});
  transmit_ = transmit;
  chains_.assign(pairs, {});
  sent_by_queue_.assign(pairs + std::size_t{1}, {});
  checker_.allow_overtaking(false);
  running_ = true;
}

void Scoreboard::changing(const ReceiveConfig& config) {
  const ReceiveConfig& old = configs_.back();
  // Until all that is under way has arrived; under automatic steering, where what is sent moves a
  // flow to another queue, always.
  if (!config.steers_as(old)) checker_.allow_overtaking(true);
  if (config.steering == ReceiveConfig::Steering::automatic) checker_.allow_overtaking(true);
  configs_.push_back(config);
}

void Scoreboard::reset_done(std::optional<unsigned> virtqueue) {
  ever_lossy_ = true;
  const auto forget = [&](std::deque<Chain>& chains) {
    for (Chain& chain : chains) stale_.push_back(std::move(chain));
    chains.clear();
  };
  if (virtqueue) {
    if (*virtqueue % 2 == 1) forget(chains_.at(*virtqueue / 2));
    return;
  }
  for (auto& chains : chains_) forget(chains);
  lose();
  running_ = false;
}

// What the device was given and has not delivered is lost; what the filters had to do with it.
void Scoreboard::lose() {
  for (const auto& sent : checker_.forget()) {
    ++undelivered_;
    const ParsedFrame parsed = golden::parse(sent.bytes);
    unsigned accepted = 0;
    unsigned asked = 0;
    for (std::uint64_t n = sent.mark; n < first_ + configs_.size(); ++n) {
      ++asked;
      accepted += at(n).filter.accepts(parsed) ? 1 : 0;
    }
    filtered_least_ += accepted == 0 ? 1 : 0;
    filtered_most_ += accepted < asked ? 1 : 0;
  }
}

void Scoreboard::on_frame(const sim::PassedFrame& frame) {
  if (frame.direction == sim::WireDirection::from_nic) {
    if (!frame.good) fail("a frame with a wrong check sequence", frame.bytes);
    ++sent_;
    sent_bytes_ += frame.bytes.size();
    on_sent(frame.bytes);
    return;
  }
  ++passed_;
  if (!frame.good) {
    ++passed_bad_;
    return;
  }
  if (!running_) return;
  auto settled = settled_.rbegin();
  while (settled->from > frame.first && std::next(settled) != settled_.rend()) ++settled;
  checker_.arrived(frame.bytes, settled->number);
  const ParsedFrame parsed = golden::parse(frame.bytes);
  const bool accepted = config().filter.accepts(parsed);
  acceptable_ += accepted ? 1 : 0;
  cover_arrived(coverage_, parsed, frame.bytes.size(), config().filter, accepted);
}

void Scoreboard::received(const ReceivedFrame& frame) {
  const View bytes = frame.bytes;
  const std::string wrong = checker_.delivered(bytes, frame.header, true);
  if (!wrong.empty()) return fail("received: " + wrong, bytes);
  const auto& members = checker_.members();
  const ParsedFrame head = golden::parse(members.front().bytes);
  std::uint64_t oldest = first_ + configs_.size();
  for (const auto& member : members) oldest = std::min(oldest, std::max(member.mark, first_));
  bool one_steering = true;
  for (std::uint64_t n = oldest; n < first_ + configs_.size(); ++n) {
    one_steering = one_steering && at(n).steers_as(at(oldest));
  }
  using Aspect = ReceiveConfig::Aspect;
  for (const Aspect aspect : {Aspect::filter, Aspect::steering, Aspect::offloads}) {
    if (aspect == Aspect::steering && !one_steering) continue;
    std::string why;
    for (std::uint64_t n = oldest; n < first_ + configs_.size(); ++n) {
      why = at(n).allows(aspect, head, frame);
      if (why.empty()) break;
    }
    if (!why.empty()) return fail("received: " + why, bytes);
  }
  cover_delivered(coverage_, config(), frame, head, members.size());
}

void Scoreboard::queued(unsigned pair, const virtio::NetHeader& header, View frame) {
  auto frames = golden::segment(frame, header, transmit_);
  if (!frames) {
    ++refused_;
    ++sent_by_queue_.at(pair).refused;
    return;
  }
  const bool needs_csum = (header.flags & regs::kNetHdrFNeedsCsum) != 0;
  const bool super = header.gso_type != regs::kNetHdrGsoNone;
  offloads_ += needs_csum ? frames->size() : 0;
  super_frames_ += super ? 1 : 0;
  segments_ += super ? frames->size() : 0;
  cover_queued(coverage_, header, frame.size(), frames->size());
  std::vector<std::size_t> lengths;
  for (Bytes& each : *frames) {
    lengths.push_back(each.size());
    if (each.size() < least_frame_) each.resize(least_frame_);
  }
  const bool tcp = needs_csum && header.csum_offset == 16;
  const std::size_t check =
      tcp ? std::size_t{header.csum_start} + header.csum_offset : frame.size() + 64;
  chains_.at(pair).push_back({std::move(*frames), std::move(lengths), check});
}

void Scoreboard::on_sent(View frame) {
  for (std::size_t pair = 0; pair < chains_.size(); ++pair) {
    auto& chains = chains_[pair];
    if (chains.empty() ||
        !golden::same_frame(chains.front().frames.front(), frame, chains.front().check)) {
      continue;
    }
    Chain& chain = chains.front();
    ++sent_by_queue_[pair].frames;
    sent_by_queue_[pair].bytes += chain.lengths.front();
    chain.frames.erase(chain.frames.begin());
    chain.lengths.erase(chain.lengths.begin());
    if (chain.frames.empty()) chains.pop_front();
    return;
  }
  for (auto chain = stale_.begin(); chain != stale_.end(); ++chain) {
    const auto same = [&](const Bytes& each) {
      return golden::same_frame(each, frame, chain->check);
    };
    const auto found = std::ranges::find_if(chain->frames, same);
    if (found == chain->frames.end()) continue;
    const auto length = chain->lengths.begin() + (found - chain->frames.begin());
    ++sent_by_queue_.back().frames;
    sent_by_queue_.back().bytes += *length;
    chain->lengths.erase(chain->lengths.begin(), length + 1);
    chain->frames.erase(chain->frames.begin(), found + 1);
    if (chain->frames.empty()) stale_.erase(chain);
    return;
  }
  fail("sent: not what is next in any queue", frame);
}

std::string Scoreboard::settle() {
  lose();
  checker_.allow_overtaking(config().steering == ReceiveConfig::Steering::automatic);
  for (std::size_t pair = 0; pair < chains_.size(); ++pair) {
    if (!chains_[pair].empty() && !lossy_) {
      fail(fmt::format("transmit queue {}: {} chains did not leave", pair, chains_[pair].size()),
           chains_[pair].front().frames.front());
    }
    chains_[pair].clear();
  }
  stale_.clear();
  lossy_ = false;
  if (!settled_.empty()) {
    settled_.erase(settled_.begin(), settled_.end() - 1);
    while (first_ < settled_.front().number) {
      configs_.pop_front();
      ++first_;
    }
  }
  return error_;
}

}  // namespace nicroscope::test
