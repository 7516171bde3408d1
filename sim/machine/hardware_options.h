// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sim/scenario/scenario.h"
#include "sim/simulation.h"

namespace nicroscope::sim {

/// What a scenario says of the NIC and its bus: profile, bus.*, seed, watchdog_cycles.
[[nodiscard]] SimulationOptions hardware_options(const Scenario& scenario);

}  // namespace nicroscope::sim
