// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "nicroscope/time.h"

namespace nicroscope::sim {

/// A number of edges of the NIC's clock since the start of the simulation.
using Cycle = std::uint64_t;
inline constexpr Cycle kNoCycle = ~Cycle{0};

/// The NIC's clock: rising edge n is at time n * period.
class Clock {
 public:
  /// `khz` must divide 10^9, so that the period is a whole number of picoseconds.
  explicit constexpr Clock(unsigned khz) noexcept : period_(1'000'000'000 / khz) {}

  [[nodiscard]] constexpr Duration period() const noexcept { return Duration{period_}; }
  [[nodiscard]] constexpr Time time_of(Cycle cycle) const noexcept {
    return Time{static_cast<std::int64_t>(cycle) * period_};
  }
  /// The first edge at `time` or later; kNoCycle for kNever.
  [[nodiscard]] constexpr Cycle edge_at_or_after(Time time) const noexcept {
    if (time == kNever) return kNoCycle;
    if (time.count() <= 0) return 0;
    return static_cast<Cycle>((time.count() - 1) / period_ + 1);
  }
  /// How many periods hold `span`.
  [[nodiscard]] constexpr Cycle cycles_for(Duration span) const noexcept {
    return edge_at_or_after(span);
  }

 private:
  std::int64_t period_;
};

}  // namespace nicroscope::sim
