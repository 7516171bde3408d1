// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nicroscope/trace.h"
#include "sim/time/time_window.h"

namespace nicroscope::sim {

/// Passes on the events of a part of the time.
class EventWindow final : public TraceSink {
 public:
  /// Both must outlive this.
  EventWindow(TraceSink& sink, const TimeWindow& window) : sink_(sink), window_(window) {}
  void on_event(const TraceEvent& event) override {
    if (window_.holds(event.time)) sink_.on_event(event);
  }

 private:
  TraceSink& sink_;
  const TimeWindow& window_;
};

}  // namespace nicroscope::sim
