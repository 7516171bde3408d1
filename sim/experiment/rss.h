// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sim/experiment/experiment.h"

namespace nicroscope::sim {

/// Receive side scaling, receive packet steering, and the affinity of interrupts.
[[nodiscard]] Experiment rss();

}  // namespace nicroscope::sim
