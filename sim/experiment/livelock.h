// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sim/experiment/experiment.h"

namespace nicroscope::sim {

/// Receive livelock and its cures (Mogul and Ramakrishnan 1996; Salim, Olsson, Kuznetsov 2001).
[[nodiscard]] Experiment livelock();

}  // namespace nicroscope::sim
