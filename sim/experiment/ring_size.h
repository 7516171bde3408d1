// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sim/experiment/experiment.h"

namespace nicroscope::sim {

/// What a larger receive ring buys and costs under bursts.
[[nodiscard]] Experiment ring_size();

}  // namespace nicroscope::sim
