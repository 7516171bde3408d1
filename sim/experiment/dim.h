// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sim/experiment/experiment.h"

namespace nicroscope::sim {

/// What net_dim does to the processor that takes the interrupts.
[[nodiscard]] Experiment dim();

}  // namespace nicroscope::sim
