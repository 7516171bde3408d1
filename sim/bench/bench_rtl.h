// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/base/result.h"
#include "sim/bench/bounds.h"

namespace nicroscope::sim {

/// What the RTL carries in simulated time against an ideal host, with 1 us of read latency.
struct RtlCase {
  Direction direction;
  std::string size;          ///< bytes with FCS, or "mix"
  double frames_per_second;  ///< both directions summed for Direction::both
  double link_bound;         ///< likewise
  double datapath_bound;
  double ratio;  ///< of the slower direction to the lower one of its bounds
};

/// Runs every case of a profile. Fails if a frame was lost, damaged or out of place.
[[nodiscard]] Result<std::vector<RtlCase>> bench_rtl(const std::string& profile,
                                                     std::uint64_t seed);

}  // namespace nicroscope::sim
