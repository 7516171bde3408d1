// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "sim/scenario/scenario.h"

namespace nicroscope::cli {

/// Exit statuses of the program; also 0 for success.
inline constexpr int kRunFailed = 1;
inline constexpr int kBadInput = 2;

/// The options that every simulating subcommand takes.
struct CommonOptions {
  bool json = false;                ///< one JSON object on standard output and nothing else
  bool no_skip = false;             ///< simulate idle cycles too
  bool assertions = false;          ///< use the build with the RTL's assertions
  std::vector<std::string> assign;  ///< --set key=value, in order
  std::string profile;
  std::string seed;
  std::string wave;
  std::string pcap;
  std::string trace;

  void add_to(CLI::App& app);
  /// Applies --set, --profile and --seed over `scenario`. Throws sim::BadInput.
  void apply(sim::Scenario& scenario) const;
};

/// A subcommand adds itself to the program and says what runs when it was chosen.
using Action = std::function<int()>;

Action add_replay(CLI::App& program);
Action add_run(CLI::App& program);
Action add_tap(CLI::App& program);
Action add_bench(CLI::App& program);

}  // namespace nicroscope::cli
