// SPDX-License-Identifier: Apache-2.0
#include "sim/machine/hardware_options.h"

namespace nicroscope::sim {

SimulationOptions hardware_options(const Scenario& scenario) {
  SimulationOptions options;
  options.profile = scenario.profile;
  options.seed = scenario.seed;
  options.watchdog_cycles = scenario.watchdog_cycles;
  const Scenario::Bus& bus = scenario.bus;
  options.bus.timing = bus.timing == "ideal" ? BusTiming::ideal : BusTiming::pcie;
  options.bus.adversary = bus.adversary;
  options.bus.generation = bus.generation;
  options.bus.lanes = bus.lanes;
  options.bus.read_latency = std::chrono::nanoseconds{bus.read_latency_ns};
  options.bus.read_jitter = std::chrono::nanoseconds{bus.read_jitter_ns};
  options.bus.write_latency = std::chrono::nanoseconds{bus.write_latency_ns};
  options.bus.register_read = std::chrono::nanoseconds{bus.register_read_ns};
  options.bus.register_write = std::chrono::nanoseconds{bus.register_write_ns};
  return options;
}

}  // namespace nicroscope::sim
