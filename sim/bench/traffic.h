// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "sim/wire/frame.h"

namespace nicroscope::sim {

/// An endless sequence of frames whose sizes go round and whose contents are pseudo-random, made
/// once. Frame n is the same wherever it is asked for, so that any place can check what it got.
class Traffic {
 public:
  /// Sizes are in bytes with FCS, 64 or more.
  explicit Traffic(std::span<const unsigned> sizes);

  [[nodiscard]] std::span<const std::byte> frame(std::uint64_t n) const noexcept {
    return frames_[n % frames_.size()];
  }
  [[nodiscard]] std::size_t distinct() const noexcept { return frames_.size(); }
  [[nodiscard]] std::size_t longest() const noexcept { return longest_; }
  /// Bytes with FCS.
  [[nodiscard]] double mean_size() const noexcept { return mean_size_; }

 private:
  std::vector<std::vector<std::byte>> frames_;
  std::size_t longest_ = 0;
  double mean_size_ = 0;
};

/// Puts traffic on the wire without a gap.
class TrafficSource final : public FrameSource {
 public:
  explicit TrafficSource(const Traffic& traffic) : traffic_(traffic) { load(); }

  [[nodiscard]] const WireFrame* peek() override { return &next_; }
  void pop() override {
    ++sent_;
    load();
  }

 private:
  void load() noexcept { next_.bytes = traffic_.frame(sent_); }

  const Traffic& traffic_;
  WireFrame next_;
  std::uint64_t sent_ = 0;
};

/// Counts and checks the traffic that leaves the NIC.
class TrafficSink final : public FrameSink {
 public:
  explicit TrafficSink(const Traffic& traffic) : traffic_(traffic) {}

  void on_frame(const PassedFrame& frame) override;

  [[nodiscard]] std::uint64_t frames() const noexcept { return frames_; }
  /// The first frame that was not the one expected in its place; empty where none.
  [[nodiscard]] std::string_view complaint() const noexcept { return complaint_; }

 private:
  const Traffic& traffic_;
  std::uint64_t frames_ = 0;
  std::string_view complaint_;
};

}  // namespace nicroscope::sim
