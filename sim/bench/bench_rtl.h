// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/bench/bounds.h"

namespace nicroscope::sim {

/// What the RTL carries in simulated time against an ideal host behind BusOptions::gen4_x16.
struct RtlCase {
  Direction direction;
  std::string size;          ///< bytes with FCS, or "mix"
  unsigned pairs;            ///< queue pairs in use
  double frames_per_second;  ///< both directions summed for Direction::both
  double link_bound;         ///< likewise
  double datapath_bound;
  double ratio;        ///< of the slower direction to the lower one of its bounds
  std::uint64_t lost;  ///< frames for which there was no room, as counted
  /// What went wrong: a frame damaged, out of place, lost without being counted, or lost although
  /// the bus carries what the link does. Empty if nothing.
  std::string problem;
};

/// The sizes that are measured, as in RtlCase::size.
[[nodiscard]] std::vector<std::string> bench_rtl_sizes();

/// Runs the cases of a profile for `sizes`, all of bench_rtl_sizes() if empty, with one queue pair
/// and with all of them.
[[nodiscard]] std::vector<RtlCase> bench_rtl(const std::string& profile, std::uint64_t seed,
                                             const std::vector<std::string>& sizes);

}  // namespace nicroscope::sim
