// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>

namespace nicroscope {

/// A span of simulated time. Picoseconds hold every clock of the profiles exactly (156.25 MHz is
/// 6,400 ps) and 106 days in 63 bits.
using Duration = std::chrono::duration<std::int64_t, std::pico>;

/// A point in simulated time, counted from the start of the simulation.
using Time = Duration;

/// "Never": later than every event.
inline constexpr Time kNever = Time::max();

}  // namespace nicroscope
