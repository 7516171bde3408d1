// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/result.h"
#include "sim/bench/bounds.h"

namespace nicroscope::sim {

/// How fast the simulation runs, in processor time, at full load with every payload checked.
struct SimCase {
  Direction direction;
  unsigned size;                  ///< bytes without FCS
  double frames_per_wall_second;  ///< both directions summed for Direction::both
  double cycles_per_wall_second;
  double score;                              ///< yardstick_score, taken in turns with the case
  std::optional<double> ratio_to_reference;  ///< frames per score, against reference.h
  std::string_view reference;                ///< whose figure that is
};

/// Runs every case for about `seconds` of processor time each.
[[nodiscard]] Result<std::vector<SimCase>> bench_sim(const std::string& profile, std::uint64_t seed,
                                                     double seconds);

}  // namespace nicroscope::sim
