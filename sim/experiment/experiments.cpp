// SPDX-License-Identifier: Apache-2.0
#include "sim/experiment/experiment.h"
#include "sim/experiment/livelock.h"

namespace nicroscope::sim {

std::span<const Experiment> experiments() {
  static const std::vector<Experiment> all{livelock()};
  return all;
}

}  // namespace nicroscope::sim
