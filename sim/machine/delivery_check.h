// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "nicroscope/trace.h"
#include "sim/wire/frame.h"

namespace nicroscope::sim {

/// Holds what the wire sent against what the host's tap saw: the same bytes, in the same order,
/// with holes only. Remembers the frames under way alone.
class DeliveryCheck final : public FrameSink {
 public:
  void on_frame(const PassedFrame& frame) override;
  /// The host's tap saw `bytes` as frame `id`.
  void on_delivered(FrameId id, std::span<const std::byte> bytes);

  [[nodiscard]] std::uint64_t sent() const noexcept { return sent_; }
  [[nodiscard]] std::uint64_t delivered() const noexcept { return delivered_; }
  /// Sent, and neither seen nor overtaken by a later one.
  [[nodiscard]] std::size_t under_way() const noexcept { return under_way_.size(); }
  /// The first thing that was wrong, one line; empty where none.
  [[nodiscard]] const std::string& complaint() const noexcept { return complaint_; }

 private:
  struct Sent {
    FrameId id;
    std::vector<std::byte> bytes;
  };

  std::deque<Sent> under_way_;
  std::uint64_t sent_ = 0;
  std::uint64_t delivered_ = 0;
  std::string complaint_;
};

}  // namespace nicroscope::sim
