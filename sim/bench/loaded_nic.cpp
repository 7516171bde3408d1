// SPDX-License-Identifier: Apache-2.0
#include "sim/bench/loaded_nic.h"

#include <string_view>
#include <utility>

#include "sim/scenario/scenario.h"

namespace nicroscope::sim {

LoadedNic::LoadedNic(std::unique_ptr<Simulation> simulation, Direction direction,
                     std::span<const unsigned> sizes)
    : simulation_(std::move(simulation)),
      traffic_(sizes),
      source_(traffic_),
      sink_(traffic_),
      host_(*simulation_, traffic_, direction) {
  simulation_->wire().add_sink(sink_);
}

Result<std::unique_ptr<LoadedNic>> LoadedNic::create(const std::string& profile, std::uint64_t seed,
                                                     Direction direction,
                                                     std::span<const unsigned> sizes) {
  SimulationOptions options;
  options.profile = profile;
  options.variant = Variant::fast;
  options.bus = BusOptions::ideal();
  options.seed = seed;
  auto simulation = Simulation::create(options);
  if (!simulation) throw BadInput(simulation.error());
  std::unique_ptr<LoadedNic> loaded(new LoadedNic(std::move(*simulation), direction, sizes));
  if (std::string problem = loaded->host_.start(); !problem.empty()) return Error{problem};
  if (direction != Direction::tx) loaded->simulation_->wire().set_source(&loaded->source_);
  return loaded;
}

std::string LoadedNic::run_for(Duration duration) {
  const RunResult result = simulation_->run_until(simulation_->timeline().now() + duration);
  if (!result.ok()) return result.message;
  for (const std::string_view complaint : {host_.complaint(), sink_.complaint()}) {
    if (!complaint.empty()) return std::string(complaint);
  }
  return {};
}

}  // namespace nicroscope::sim
