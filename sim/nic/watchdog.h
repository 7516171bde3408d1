// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "sim/nic/nic.h"

namespace nicroscope::sim {

/// Notices that something has been outstanding for a number of cycles while nothing moved.
class Watchdog {
 public:
  /// `cycles` 0: never.
  explicit Watchdog(Cycle cycles) : cycles_(cycles), next_(cycles == 0 ? kNoCycle : cycles) {}

  [[nodiscard]] bool due(Cycle now) const noexcept { return now >= next_; }

  /// At the time of a check: `outstanding` says that something waits for an answer. True if it has
  /// waited since the last check and nothing moved.
  [[nodiscard]] bool expired(const RunCounters& counters, bool outstanding) noexcept {
    const std::uint64_t moved = counters.read_beats + counters.write_beats +
                                counters.frames_to_nic + counters.frames_from_nic +
                                counters.register_accesses;
    const bool stuck = outstanding && was_outstanding_ && moved == moved_;
    next_ = counters.cycles + cycles_;
    moved_ = moved;
    was_outstanding_ = outstanding;
    return stuck;
  }

 private:
  Cycle cycles_;
  Cycle next_;
  std::uint64_t moved_ = 0;
  bool was_outstanding_ = false;
};

}  // namespace nicroscope::sim
