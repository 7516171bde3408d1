// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "sim/wire/frame.h"

namespace nicroscope::sim {

/// An endless sequence of UDP datagrams in IPv4 in Ethernet whose sizes go round and whose payloads
/// are pseudo-random, made once. Frame n is the same wherever it is asked for, and each frame says
/// which of the distinct ones it is, so that any place can check what it got. Every distinct frame
/// is a flow of its own (RFC 768 source port).
class Traffic {
 public:
  /// Sizes are in bytes with FCS, 64 or more. The number of distinct frames is a multiple of
  /// `streams`, so that dealing them out to so many queues in turn comes round with them.
  explicit Traffic(std::span<const unsigned> sizes, unsigned streams = 1);

  [[nodiscard]] std::span<const std::byte> frame(std::uint64_t n) const noexcept {
    return frames_[n % frames_.size()];
  }
  /// Which of the distinct frames these bytes are; nothing where they are none.
  [[nodiscard]] std::optional<std::size_t> recognize(std::span<const std::byte> bytes) const;
  [[nodiscard]] std::size_t distinct() const noexcept { return frames_.size(); }
  [[nodiscard]] std::size_t longest() const noexcept { return longest_; }
  /// Bytes with FCS.
  [[nodiscard]] double mean_size() const noexcept { return mean_size_; }

 private:
  std::vector<std::vector<std::byte>> frames_;
  std::size_t longest_ = 0;
  double mean_size_ = 0;
};

/// Puts traffic on the wire without a gap, as many frames as it is allowed.
class TrafficSource final : public FrameSource {
 public:
  static constexpr std::uint64_t kEndless = ~std::uint64_t{0};

  TrafficSource(const Traffic& traffic, std::uint64_t allowed)
      : traffic_(traffic), allowed_(allowed) {
    load();
  }

  [[nodiscard]] const WireFrame* peek() override { return sent_ < allowed_ ? &next_ : nullptr; }
  void pop() override {
    ++sent_;
    load();
  }
  /// So many in all; no fewer than are sent.
  void allow(std::uint64_t frames) noexcept { allowed_ = std::max(frames, sent_); }
  [[nodiscard]] std::uint64_t sent() const noexcept { return sent_; }

 private:
  void load() noexcept { next_.bytes = traffic_.frame(sent_); }

  const Traffic& traffic_;
  WireFrame next_;
  std::uint64_t sent_ = 0;
  std::uint64_t allowed_;
};

/// Counts and checks the traffic that leaves the NIC: each of `streams` queues was given every
/// streams-th frame and keeps their order.
class TrafficSink final : public FrameSink {
 public:
  TrafficSink(const Traffic& traffic, unsigned streams) : traffic_(traffic), passed_(streams) {}

  void on_frame(const PassedFrame& frame) override;

  [[nodiscard]] std::uint64_t frames() const noexcept { return frames_; }
  /// The first frame that was not the one expected in its place; empty where none.
  [[nodiscard]] std::string_view complaint() const noexcept { return complaint_; }

 private:
  const Traffic& traffic_;
  std::vector<std::uint64_t> passed_;  // frames of each stream
  std::uint64_t frames_ = 0;
  std::string_view complaint_;
};

}  // namespace nicroscope::sim
