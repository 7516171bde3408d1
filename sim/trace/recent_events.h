// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "nicroscope/trace.h"

namespace nicroscope::sim {

/// Remembers the last events, so that a frame's life can be told once it has turned out to be the
/// interesting one.
class RecentEvents final : public TraceSink {
 public:
  static constexpr std::size_t kRemembered = 1U << 14U;

  void on_event(const TraceEvent& event) override {
    if (events_.size() < kRemembered) {
      events_.push_back(event);
    } else {
      events_[next_] = event;
      next_ = (next_ + 1) % kRemembered;
    }
  }

  /// Shows `sink` what is remembered, oldest first.
  void replay_to(TraceSink& sink) const {
    for (std::size_t i = 0; i < events_.size(); ++i) {
      sink.on_event(events_[(next_ + i) % events_.size()]);
    }
  }

 private:
  std::vector<TraceEvent> events_;
  std::size_t next_ = 0;
};

}  // namespace nicroscope::sim
