// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "nicroscope/registers.h"

namespace nicroscope::sim {

/// Of an interface's statistics, why frames from the wire did not reach the host's taps: the NIC's
/// drop counters for receive and the driver's own, those that are not 0.
[[nodiscard]] inline std::map<std::string, std::uint64_t> receive_drops(
    const std::map<std::string, std::uint64_t>& statistics) {
  std::map<std::string, std::uint64_t> drops;
  const auto take = [&](const std::string& name) {
    const auto found = statistics.find(name);
    if (found != statistics.end() && found->second != 0) drops[name] = found->second;
  };
  for (const regs::CounterInfo& counter : regs::kCounters) {
    if (counter.drop && counter.name.starts_with("rx_")) take(std::string(counter.name));
  }
  take("rx_queue_0_drops");
  return drops;
}

}  // namespace nicroscope::sim
