// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sim/experiment/experiment.h"

namespace nicroscope::sim {

/// What the latency of the bus costs a driver, and one that reads registers to receive.
[[nodiscard]] Experiment pcie_latency();

}  // namespace nicroscope::sim
