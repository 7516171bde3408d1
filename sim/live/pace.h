// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>

#include "nicroscope/time.h"

namespace nicroscope::sim {

/// Simulated at a stretch before the world outside is looked at again: a few milliseconds of wall
/// time if every cycle of it has to be simulated. Idle stretches grow.
inline constexpr Duration kShortStretch = std::chrono::microseconds{20};
inline constexpr Duration kLongStretch = std::chrono::milliseconds{1};
/// The NIC's own deadlines are not the timeline's, so sleep no longer than they may be late.
inline constexpr std::chrono::milliseconds kLongestSleep{10};
/// Of a profile's longest frame, what a TAP device does not have.
inline constexpr std::size_t kFcsBytes = 4;

}  // namespace nicroscope::sim
