// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "nicroscope/trace.h"
#include "sim/time/clock.h"

namespace nicroscope::sim {

/// Collects the life of one frame: its own events, and those that carry it along without naming it:
/// the interrupt, the softirq and the poll that fetch it, the process that it wakes.
class LifeSink final : public TraceSink {
 public:
  explicit LifeSink(FrameId frame) : frame_(frame) {}

  void on_event(const TraceEvent& event) override;
  [[nodiscard]] const std::vector<TraceEvent>& events() const noexcept { return events_; }
  [[nodiscard]] FrameId frame() const noexcept { return frame_; }

 private:
  enum class Carrier { none, interrupt, process };

  [[nodiscard]] static bool carries(Carrier carrier, TracePoint point) noexcept;

  FrameId frame_;
  std::vector<TraceEvent> events_;
  std::vector<TraceEvent> carried_;  // may turn out not to be on the frame's way
  Carrier carrier_ = Carrier::none;
};

/// A table with a line an event: stage, where, time, cycle, and what has passed since the event
/// before.
[[nodiscard]] std::string life_table(const std::vector<TraceEvent>& events, const Clock& clock);

}  // namespace nicroscope::sim
