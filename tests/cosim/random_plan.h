// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "nicroscope/profiles.h"
#include "sim/base/random.h"
#include "sim/bus/bus_options.h"
#include "tests/support/net_agent.h"

namespace nicroscope::test {

/// A driver of the random cosimulation, and what it does to the device.
struct RandomPlan {
  AgentPlan agent;
  bool kind = false;        ///< room for everything: not a frame may be lost
  std::size_t largest = 0;  ///< frame to receive
  unsigned jumbo_percent = 0;
  unsigned load_percent = 0;  ///< of the link, on the average
};

/// Features with what they need (virtio 1.2, 5.1.3.1): takes away those without.
[[nodiscard]] std::uint64_t consistent(std::uint64_t features);

/// `slow_bus`: nothing is said of how much gets through.
[[nodiscard]] RandomPlan random_plan(sim::Random& random, std::uint64_t offered,
                                     const Profile& profile, bool slow_bus);

/// In one line.
[[nodiscard]] std::string describe(const RandomPlan& plan);

[[nodiscard]] sim::BusOptions random_bus(sim::Random& random);

}  // namespace nicroscope::test
