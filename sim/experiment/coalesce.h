// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sim/experiment/experiment.h"

namespace nicroscope::sim {

/// Interrupt moderation by time and count.
[[nodiscard]] Experiment coalesce();

}  // namespace nicroscope::sim
