// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>

namespace nicroscope::sim {

/// The simulated hardware did what it never may (an AXI rule broken, an assertion, no progress).
/// Simulation::run_until turns it into a failed run.
class SimulationFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace nicroscope::sim
