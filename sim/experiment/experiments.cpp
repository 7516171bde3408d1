// SPDX-License-Identifier: Apache-2.0
#include "sim/experiment/bypass.h"
#include "sim/experiment/coalesce.h"
#include "sim/experiment/dim.h"
#include "sim/experiment/experiment.h"
#include "sim/experiment/livelock.h"
#include "sim/experiment/napi_table.h"
#include "sim/experiment/pcie_latency.h"
#include "sim/experiment/ring_size.h"
#include "sim/experiment/rss.h"

namespace nicroscope::sim {

std::span<const Experiment> experiments() {
  static const std::vector<Experiment> all{livelock(),     napi_table(), coalesce(), ring_size(),
                                           pcie_latency(), bypass(),     rss(),      dim()};
  return all;
}

}  // namespace nicroscope::sim
