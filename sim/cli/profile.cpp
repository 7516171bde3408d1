// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "sim/calibrate/calibrate.h"
#include "sim/cli/command.h"
#include "sim/cli/json_output.h"
#include "sim/experiment/profile_check.h"
#include "stack/kernel/builtin_profiles.h"
#include "stack/kernel/cost.h"

namespace nicroscope::cli {
namespace {

using nlohmann::json;
using sim::BadInput;

struct Arguments {
  std::string name;
  std::string out;
  bool json = false;
};

kernel::CostProfile load(const std::string& name) {
  auto loaded = kernel::CostProfile::load(name);
  if (!loaded.profile) throw BadInput(loaded.error);
  return std::move(*loaded.profile);
}

int list(const Arguments& arguments) {
  json names = json::array();
  for (const kernel::BuiltinProfile& profile : kernel::kBuiltinProfiles) {
    names.push_back(profile.name);
    if (!arguments.json) fmt::print("{}\n", profile.name);
  }
  if (arguments.json) print_json({{"profiles", names}});
  return 0;
}

int show(const Arguments& arguments) {
  const kernel::CostProfile profile = load(arguments.name);
  json costs = json::object();
  for (std::size_t i = 0; i < kernel::kCosts; ++i) {
    const auto cost = static_cast<kernel::Cost>(i);
    const kernel::CostInfo& info = kernel::kCostInfo[i];
    const double ns = static_cast<double>(profile[cost].count()) / 1000;
    if (arguments.json) {
      costs[std::string(info.name)] = {
          {"ns", ns}, {"unit", info.unit}, {"source", profile.source(cost)}};
    } else {
      fmt::print("{:<24} {:>10.3f} ns a {:<10}  {}\n", info.name, ns, info.unit,
                 profile.source(cost));
    }
  }
  if (arguments.json) print_json({{"name", profile.name()}, {"costs", costs}});
  return 0;
}

int check(const Arguments& arguments) {
  static_cast<void>(load(arguments.name));
  const auto checks = sim::profile_checks(arguments.name);
  if (checks.empty()) throw BadInput(arguments.name + ": no published figures are known for it");
  json rows = json::array();
  if (!arguments.json) {
    fmt::print("{:<66} {:>12} {:>12}  {:<7} {}\n", "", "published", "predicted", "", "source");
  }
  for (const sim::ProfileCheck& one : checks) {
    const sim::LoadResult result = sim::run_load(one.run);
    if (!result.problem.empty()) {
      fmt::print(stderr, "nicroscope: {}: {}\n", one.what, result.problem);
      return kRunFailed;
    }
    const double predicted = one.predicted(result);
    rows.push_back({{"what", one.what},
                    {"published", one.published},
                    {"predicted", predicted},
                    {"fitted", one.fitted},
                    {"source", one.source}});
    if (!arguments.json) {
      fmt::print("{:<66} {:>12.6g} {:>12.6g}  {:<7} {}\n", one.what, one.published, predicted,
                 one.fitted ? "fitted" : "", one.source);
    }
  }
  const std::vector<std::string> unchecked = sim::profile_unchecked(arguments.name);
  if (arguments.json) {
    print_json({{"profile", arguments.name}, {"checks", rows}, {"unchecked", unchecked}});
    return 0;
  }
  for (const std::string& line : unchecked) fmt::print("not checked: {}\n", line);
  return 0;
}

int measure(const Arguments& arguments) {
  const auto all = sim::measure_machine();
  const std::string text =
      sim::profile_text(arguments.name.empty() ? "calibrated" : arguments.name, all);
  // What is written must be what can be read.
  const auto loaded = kernel::CostProfile::parse(text, "measured");
  if (!loaded.profile) {
    fmt::print(stderr, "nicroscope: {}\n", loaded.error);
    return kRunFailed;
  }
  if (arguments.json) {
    json rows = json::array();
    for (const sim::Measured& one : all) {
      rows.push_back({{"name", one.name},
                      {"ns", one.ns},
                      {"fastest_ns", one.low_ns},
                      {"median_ns", one.high_ns},
                      {"how", one.how}});
    }
    print_json({{"measured", rows}, {"profile", text}});
  } else if (arguments.out.empty()) {
    fmt::print("{}", text);
  }
  if (arguments.out.empty()) return 0;
  std::FILE* file = std::fopen(arguments.out.c_str(), "w");
  if (file == nullptr) throw BadInput("cannot write " + arguments.out);
  fmt::print(file, "{}", text);
  return std::fclose(file) == 0 ? 0 : kRunFailed;
}

}  // namespace

Action add_profile(CLI::App& program) {
  CLI::App* profile = program.add_subcommand("profile", "What host software costs, and on what");
  profile->require_subcommand(1);
  auto arguments = std::make_shared<Arguments>();
  const auto add = [&](const char* name, const char* text) {
    CLI::App* app = profile->add_subcommand(name, text);
    app->add_flag("--json", arguments->json, "Print one JSON object on standard output");
    return app;
  };
  CLI::App* listed = add("list", "The program's cost profiles");
  CLI::App* shown = add("show", "Every cost of a profile, and where its figure comes from");
  CLI::App* checked = add("check", "What a profile predicts, beside what was published");
  for (CLI::App* app : {shown, checked}) {
    app->add_option("name", arguments->name, "A profile of the program, or a file")->required();
  }
  CLI::App* measured = add("measure", "Measure this machine and print a profile of it (TOML)");
  measured->add_option("--out", arguments->out, "Write it to this file");
  measured->add_option("--name", arguments->name, "What the profile is called");
  return [arguments, listed, shown, checked, measured] {
    if (listed->parsed()) return list(*arguments);
    if (shown->parsed()) return show(*arguments);
    if (checked->parsed()) return check(*arguments);
    if (measured->parsed()) return measure(*arguments);
    return kBadInput;
  };
}

}  // namespace nicroscope::cli
