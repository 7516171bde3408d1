// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/base/result.h"

namespace nicroscope::sim {

/// Bulk TCP at an MTU of 1500 through one queue pair behind BusOptions::gen4_x16: what the host has
/// to do for it, with segmentation (sent) or coalescing (received) and without.
struct OffloadCase {
  std::string way;  ///< "tx" or "rx"
  bool offload;
  unsigned flows;           ///< segments of the flows alternate
  double payload_gbps;      ///< 10^9 bits a second
  double link_gbps;         ///< payload that the link carries at its rate
  double ratio;             ///< of the two
  double frames_per_mbyte;  ///< of the host, for 10^6 bytes of payload
  double descriptors_per_mbyte;
  double interrupts_per_mbyte;  ///< asked for at every used element, no moderation
};

/// Fails where a byte is wrong, missing or out of order.
[[nodiscard]] Result<std::vector<OffloadCase>> bench_offload(const std::string& profile,
                                                             std::uint64_t seed);

}  // namespace nicroscope::sim
