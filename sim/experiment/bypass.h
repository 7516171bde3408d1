// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sim/experiment/experiment.h"

namespace nicroscope::sim {

/// Forwarding without the kernel: a program in user space that polls the device.
[[nodiscard]] Experiment bypass();

}  // namespace nicroscope::sim
