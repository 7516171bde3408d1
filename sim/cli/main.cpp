// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/cli/command.h"
#include "sim/cli/json_output.h"

namespace nicroscope::cli {
namespace {

Action add_keys(CLI::App& program) {
  program.add_subcommand("keys", "List the scenario keys, what each takes, and its default");
  return [] {
    for (const sim::ScenarioKey& key : sim::scenario_keys(sim::Scenario{})) {
      fmt::print("{:<24} {:<14} {}\n", key.name, key.value, key.accepted);
    }
    return 0;
  };
}

int run(int argc, char** argv) {
  CLI::App program{"A NIC in SystemVerilog, simulated cycle by cycle with its driver and a stack"};
  program.require_subcommand(1);
  program.set_help_all_flag("--help-all", "Help of every subcommand");

  std::vector<std::pair<CLI::App*, Action>> actions;
  for (Action (*add)(CLI::App&) : {add_run, add_replay, add_tap, add_vhost_user, add_linux,
                                   add_ethtool, add_bench, add_experiment, add_profile, add_keys}) {
    Action action = add(program);
    actions.emplace_back(program.get_subcommands({}).back(), std::move(action));
  }
  try {
    program.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return program.exit(help);
  } catch (const CLI::CallForAllHelp& help) {
    return program.exit(help);
  } catch (const CLI::ParseError& error) {
    std::string problem = error.what();
    if (program.get_subcommands().empty()) {
      if (argc > 1 && *argv[1] != '-') problem = fmt::format("no subcommand '{}'", argv[1]);
      problem += "; accepted are";
      for (const auto& [command, action] : actions) problem += ' ' + command->get_name();
    }
    fmt::print(stderr, "nicroscope: {}\n", problem);
    return kBadInput;
  }
  const std::span<char*> arguments(argv, static_cast<std::size_t>(argc));
  if (std::ranges::any_of(arguments,
                          [](const char* a) { return std::string_view(a) == "--json"; })) {
    reserve_standard_output();
  }
  for (const auto& [command, action] : actions) {
    if (command->parsed()) return action();
  }
  return kBadInput;
}

}  // namespace
}  // namespace nicroscope::cli

int main(int argc, char** argv) {
  using namespace nicroscope;
  try {
    return cli::run(argc, argv);
  } catch (const sim::BadInput& error) {
    fmt::print(stderr, "nicroscope: {}\n", error.what());
    return cli::kBadInput;
  } catch (const std::exception& error) {
    fmt::print(stderr, "nicroscope: {}\n", error.what());
    return cli::kRunFailed;
  }
}
