// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <set>

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
  if (!profile.empty()) sim::set_key("profile=" + profile, scenario, "--profile");
  if (!seed.empty()) sim::set_key("seed=" + seed, scenario, "--seed");
}

CLI::Validator whole_number(std::uint64_t most) {
  const auto check = [most](const std::string& text) -> std::string {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc{} && end == text.data() + text.size() && value <= most) return {};
    return fmt::format("'{}' is not accepted; it takes a whole number from 0 to {}", text, most);
  };
  return {check, ""};
}

void refuse_same_files(std::initializer_list<std::string> names) {
  std::set<std::string> seen;
  for (const std::string& name : names) {
    if (!name.empty() && !seen.insert(name).second) {
      throw sim::BadInput(fmt::format("{}: two outputs cannot be the same file", name));
    }
  }
}

void refuse_unwritable(const std::string& name) {
  std::FILE* file = std::fopen(name.c_str(), "ab");
  if (file == nullptr) {
    throw sim::BadInput(fmt::format("cannot write {}: {}", name, std::strerror(errno)));
  }
  std::fclose(file);
}

}  // namespace nicroscope::cli
