// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <vector>

#include "sim/experiment/load_run.h"

namespace nicroscope::sim {

inline constexpr const char* kBulkPhase = "bulk";
inline constexpr const char* kRequestPhase = "request-response";
inline constexpr double kBulkRate = 400e3;

/// A load that changes between bulk to be forwarded and one question at a time to the echo server.
/// net_dim needs 64 interrupts for a step, and in the second phase a question waits for each: from
/// its slowest profile to its fastest takes it about 55 ms.
inline std::vector<LoadPhase> changing_load(bool fewer) {
  LoadPhase bulk{kBulkPhase, Workload::forward, {}};
  bulk.load.spacing = Spacing::poisson;
  bulk.load.frames_per_second = kBulkRate;
  bulk.load.length = std::chrono::milliseconds{40};
  LoadPhase request{kRequestPhase, Workload::echo, {}};
  request.load.outstanding = 1;
  request.load.length = std::chrono::milliseconds{fewer ? 60 : 100};
  return {bulk, request};
}

/// One turn of all phases.
inline Duration turn_of(const std::vector<LoadPhase>& phases) {
  Duration sum{0};
  for (const LoadPhase& phase : phases) sum += phase.load.length;
  return sum;
}

}  // namespace nicroscope::sim
