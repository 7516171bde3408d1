// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <vector>

#include "sim/wire/frame.h"

namespace nicroscope::sim {

/// The far end of the NIC's wire: one source of frames to the NIC, any number of sinks that see
/// frames both ways. Frames to the NIC get ids 1, 2, 3...
class WirePort {
 public:
  /// `source` must outlive the port or be replaced; null takes it away.
  void set_source(FrameSource* source) noexcept {
    source_ = source;
    wake();
  }
  void add_sink(FrameSink& sink) { sinks_.push_back(&sink); }
  void remove_sink(FrameSink& sink) { std::erase(sinks_, &sink); }
  /// While it is held no further frame is asked for; one that was asked for before still comes.
  void hold(bool held) noexcept {
    held_ = held;
    wake();
  }
  /// The source has a frame again.
  void wake() noexcept { awake_ = true; }

  // ---- the NIC's side
  [[nodiscard]] bool awake() const noexcept { return awake_; }
  [[nodiscard]] const WireFrame* next() {
    const WireFrame* frame = source_ == nullptr || held_ ? nullptr : source_->peek();
    if (frame == nullptr) awake_ = false;
    return frame;
  }
  /// The frame of next() starts in the clock cycle at `now`. Its id.
  [[nodiscard]] FrameId begin(Time now) {
    source_->begun(now);
    return ++last_id_;
  }
  [[nodiscard]] FrameId last_id() const noexcept { return last_id_; }
  void passed_to_nic(FrameId id, const WireFrame& frame, Time first, Time last) {
    report({WireDirection::to_nic, id, frame.bytes, first, last, frame.fault == WireFault::none});
    source_->pop();
  }
  void passed_from_nic(FrameId id, std::span<const std::byte> bytes, Time first, Time last,
                       bool good) {
    report({WireDirection::from_nic, id, bytes, first, last, good});
  }

 private:
  void report(const PassedFrame& frame) {
    for (FrameSink* sink : sinks_) sink->on_frame(frame);
  }

  FrameSource* source_ = nullptr;
  std::vector<FrameSink*> sinks_;
  FrameId last_id_ = 0;
  bool held_ = false;
  bool awake_ = false;
};

}  // namespace nicroscope::sim
