// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sim/experiment/experiment.h"

namespace nicroscope::sim {

/// Robert Olsson's table of the kernel's NAPI_HOWTO, measured again.
[[nodiscard]] Experiment napi_table();

}  // namespace nicroscope::sim
