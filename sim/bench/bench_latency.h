// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/base/result.h"

namespace nicroscope::sim {

/// How long one frame takes through an otherwise empty NIC behind BusOptions::gen4_x16, and the
/// part of it that is the bus's alone.
struct LatencyCase {
  std::string way;  ///< from where to where
  unsigned size;    ///< bytes with FCS
  double cycles;
  /// Every access takes its latency, one waits for another only where the protocol demands it, and
  /// the NIC takes no time.
  double floor_cycles;
};

/// The ways, each with a short and a long frame:
///   receive    last word on the stream to used element visible: data and element are written one
///              after the other
///   interrupt  and to the arrival of the MSI-X message: the driver's event suppression is read
///              and the message written behind that
///   transmit   doorbell at the NIC to first word on the stream: descriptor and data are read one
///              after the other, and the whole frame has to be there
[[nodiscard]] Result<std::vector<LatencyCase>> bench_latency(const std::string& profile,
                                                             std::uint64_t seed);

}  // namespace nicroscope::sim
