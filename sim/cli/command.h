// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <initializer_list>
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

/// Accepts whole numbers from 0 to `most` for an option (CLI11 takes -1 for the largest one).
[[nodiscard]] CLI::Validator whole_number(std::uint64_t most);

/// Throws sim::BadInput where two of the files that a run is to write are the same. Empty: none.
void refuse_same_files(std::initializer_list<std::string> names);
/// Throws sim::BadInput where the file cannot be written.
void refuse_unwritable(const std::string& name);

/// Calls `function`, which simulates and writes the waveform `wave` (empty: none) while it does.
/// Bad input leaves no waveform; a run that fails does, for one to see why.
template <typename Function>
auto with_waveform(const std::string& wave, Function&& function) {
  if (!wave.empty()) refuse_unwritable(wave);
  try {
    return function();
  } catch (const sim::BadInput&) {
    if (!wave.empty()) std::remove(wave.c_str());
    throw;
  }
}

/// A subcommand adds itself to the program and says what runs when it was chosen.
using Action = std::function<int()>;

Action add_replay(CLI::App& program);
Action add_run(CLI::App& program);
Action add_tap(CLI::App& program);
Action add_vhost_user(CLI::App& program);
Action add_ethtool(CLI::App& program);
Action add_linux(CLI::App& program);
Action add_bench(CLI::App& program);
Action add_experiment(CLI::App& program);
Action add_profile(CLI::App& program);

}  // namespace nicroscope::cli
