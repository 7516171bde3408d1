// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nicroscope/time.h"

namespace nicroscope::sim {

/// A part of simulated time that is watched. Its ends may be set while the simulation runs, until
/// time has passed them.
struct TimeWindow {
  Time from{0};
  Time to = kNever;  ///< the first moment that is not in it

  [[nodiscard]] bool holds(Time time) const noexcept { return time >= from && time < to; }
};

}  // namespace nicroscope::sim
