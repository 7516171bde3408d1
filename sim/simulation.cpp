// SPDX-License-Identifier: Apache-2.0
#include "sim/simulation.h"

#include <fmt/format.h>

#include "sim/base/failure.h"

namespace nicroscope::sim {

Simulation::Simulation(const SimulationOptions& options, const Profile& profile)
    : profile_(profile),
      clock_(profile.clock_khz),
      trace_(timeline_),
      arena_(options.memory_bytes, options.memory_base),
      bus_(arena_, clock_, options.bus, profile.axi_bytes, options.seed),
      rtl_trace_(trace_, profile.queue_pairs) {}

Simulation::~Simulation() = default;

Result<std::unique_ptr<Simulation>> Simulation::create(const SimulationOptions& options) {
  const auto profile = find_profile(options.profile);
  if (!profile) {
    std::string known;
    for (const Profile& each : kProfiles) known += fmt::format(" {}", each.name);
    return Error{fmt::format("no profile {}; there are{}", options.profile, known)};
  }
  if (!options.wave.file.empty() && options.variant != Variant::traced) {
    return Error{"a waveform needs the traced variant"};
  }
  std::unique_ptr<Simulation> simulation(new Simulation(options, *profile));
  auto nic = make_nic(options.profile, options.variant,
                      {.profile = simulation->profile_,
                       .clock = simulation->clock_,
                       .timeline = simulation->timeline_,
                       .bus = simulation->bus_,
                       .wire = simulation->wire_,
                       .trace = simulation->rtl_trace_,
                       .link_mbps = options.unpaced_stream ? 0 : profile->link_mbps,
                       .no_skip = options.no_skip,
                       .watchdog_cycles = options.watchdog_cycles,
                       .seed = options.seed,
                       .wave = options.wave});
  if (!nic) return Error{nic.error()};
  simulation->nic_ = std::move(*nic);
  simulation->port_ =
      std::make_unique<NicPort>(simulation->profile_, simulation->timeline_, simulation->arena_,
                                simulation->bus_, *simulation->nic_, simulation->rtl_trace_);
  return simulation;
}

Time Simulation::next_memory_access() const {
  const Time begun = bus_.next_access();
  const Time next = next_event();
  const Time first = next == kNever ? begun : std::min(begun, next + bus_.shortest_way());
  return std::max(first, timeline_.now());
}

RunResult Simulation::run_until(Time limit, const std::function<bool()>& done) {
  try {
    for (;;) {
      if (done && done()) return {RunResult::Reason::done, {}};
      switch (nic_->run(limit)) {
        case Nic::Stop::limit:
          return {RunResult::Reason::limit, {}};
        case Nic::Stop::requested:
          return {RunResult::Reason::stopped, {}};
        case Nic::Stop::events:
          break;
      }
    }
  } catch (const SimulationFailure& failure) {
    return {RunResult::Reason::failed, failure.what()};
  }
}

}  // namespace nicroscope::sim
