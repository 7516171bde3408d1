// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "nicroscope/time.h"
#include "sim/nic/nic.h"

namespace nicroscope::sim {

/// Simulated at a stretch before the world outside is looked at again: a few milliseconds of wall
/// time if every cycle of it has to be simulated. Idle stretches grow.
inline constexpr Duration kShortStretch = std::chrono::microseconds{20};
inline constexpr Duration kLongStretch = std::chrono::milliseconds{1};
/// The NIC's own deadlines are not the timeline's, so sleep no longer than they may be late.
inline constexpr std::chrono::milliseconds kLongestSleep{10};
/// Of a profile's longest frame, what a TAP device does not have.
inline constexpr std::size_t kFcsBytes = 4;

/// Calls advance(), which moves simulated time on and returns what went wrong. `busy` says
/// afterwards whether the NIC had anything to do, so that cycles were simulated.
template <typename Advance>
[[nodiscard]] std::string note_work(const RunCounters& counters, bool& busy, Advance&& advance) {
  const auto simulated = [&counters] { return counters.cycles - counters.cycles_skipped; };
  const std::uint64_t before = simulated();
  std::string problem = advance();
  busy = simulated() != before;
  return problem;
}

/// How long to sleep at `now` where something is due at `next`.
[[nodiscard]] inline std::chrono::steady_clock::duration sleep_until(Time now, Time next) {
  using WallTime = std::chrono::steady_clock::duration;
  if (next <= now) return WallTime::zero();
  return std::min<WallTime>(kLongestSleep, std::chrono::duration_cast<WallTime>(next - now));
}

}  // namespace nicroscope::sim
