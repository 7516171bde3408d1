// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/command.h"

namespace nicroscope::cli {

void CommonOptions::add_to(CLI::App& app) {
  app.add_flag("--json", json, "Print one JSON object and nothing else on standard output");
  app.add_option("--seed", seed, "Seed of everything random (same as --set seed=N)");
  app.add_option("--profile", profile, "NIC profile: edge10, dc25 or dc100");
  app.add_option("--set", assign, "Set a scenario key, key=value; `nicroscope keys` lists them")
      ->allow_extra_args(false);
  app.add_option("--wave", wave, "Write a waveform (FST) of the NIC to this file");
  app.add_option("--pcap", pcap, "Write what crossed the wire, both ways, to this capture");
  app.add_option("--trace", trace, "Write every trace event to this file, a line each");
  app.add_flag("--no-skip", no_skip, "Simulate every idle cycle; the trace hash stays the same");
  app.add_flag("--assertions", assertions, "Run the NIC with its assertions on (slower)");
}

void CommonOptions::apply(sim::Scenario& scenario) const {
  for (const std::string& assignment : assign) sim::set_key(assignment, scenario);
  if (!profile.empty()) sim::set_key("profile=" + profile, scenario);
  if (!seed.empty()) sim::set_key("seed=" + seed, scenario);
}

}  // namespace nicroscope::cli
