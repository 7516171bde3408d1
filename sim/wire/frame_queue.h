// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <vector>

#include "sim/wire/frame.h"
#include "sim/wire/wire_port.h"

namespace nicroscope::sim {

/// Frames that somebody pushes, at any time.
class FrameQueue final : public FrameSource {
 public:
  explicit FrameQueue(WirePort& wire) : wire_(wire) { wire.set_source(this); }

  void push(std::span<const std::byte> bytes, Time earliest = Time{0},
            WireFault fault = WireFault::none) {
    frames_.push_back({{bytes.begin(), bytes.end()}, {}});
    Held& held = frames_.back();
    held.frame = {held.bytes, earliest, fault};
    wire_.wake();
  }
  [[nodiscard]] std::size_t size() const noexcept { return frames_.size(); }

  [[nodiscard]] const WireFrame* peek() override {
    return frames_.empty() ? nullptr : &frames_.front().frame;
  }
  void pop() override { frames_.pop_front(); }

 private:
  struct Held {
    std::vector<std::byte> bytes;
    WireFrame frame;
  };

  WirePort& wire_;
  std::deque<Held> frames_;
};

}  // namespace nicroscope::sim
