// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <utility>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include "stack/kernel/bug.h"
#include "stack/kernel/builtin_profiles.h"
#include "stack/kernel/cost.h"

namespace nicroscope::kernel {

namespace {

constexpr double kPicosecondsPerNanosecond = 1000.0;

std::optional<Cost> find_cost(std::string_view name) {
  for (std::size_t i = 0; i < kCosts; ++i) {
    if (kCostInfo[i].name == name) return static_cast<Cost>(i);
  }
  return std::nullopt;
}

/// Reads one `name = { ns = ..., source = "..." }`. Returns what is wrong, or nothing.
std::string read_cost(CostProfile& profile, std::string_view name, const toml::node& node) {
  const std::string key = "costs." + std::string(name);
  const auto which = find_cost(name);
  if (!which) {
    return key + ": unknown key; the costs are listed in stack/kernel/costs.def";
  }
  const toml::table* const table = node.as_table();
  if (table == nullptr) return key + ": must be { ns = ..., source = \"...\" }";
  for (const auto& [field, value] : *table) {
    if (field != "ns" && field != "source") {
      return key + "." + std::string(field.str()) + ": unknown key; ns and source are accepted";
    }
  }
  const auto ns = (*table)["ns"].value<double>();
  const auto source = (*table)["source"].value<std::string>();
  constexpr double kMaximumNs =
      static_cast<double>(CostProfile::kMaximum.count()) / kPicosecondsPerNanosecond;
  if (!ns || !(*ns >= 0.0 && *ns <= kMaximumNs)) {
    return key + ".ns: must be a number from 0 to 1000000 (1 ms)";
  }
  if (!source || source->empty()) return key + ".source: must say where the figure comes from";
  profile.set(*which, Duration{std::llround(*ns * kPicosecondsPerNanosecond)}, *source);
  return {};
}

/// Reads `scale = { factor = ..., source = "..." }`: every figure of the base, so many times.
std::string read_scale(CostProfile& profile, const toml::node& node) {
  const toml::table* const table = node.as_table();
  const auto factor = table == nullptr ? std::nullopt : (*table)["factor"].value<double>();
  const auto source = table == nullptr ? std::nullopt : (*table)["source"].value<std::string>();
  if (!factor || !source || table->size() != 2 || source->empty() ||
      !(*factor > 0.0 && *factor <= CostProfile::kMaximumScale)) {
    return "scale: must be { factor = a number over 0, at most 100, source = \"...\" }";
  }
  for (std::size_t i = 0; i < kCosts; ++i) {
    const auto which = static_cast<Cost>(i);
    const auto scaled = static_cast<double>(profile[which].count()) * *factor;
    profile.set(which, std::min(Duration{std::llround(scaled)}, CostProfile::kMaximum), *source);
  }
  return {};
}

std::string_view builtin_text(std::string_view name) {
  const auto found = std::ranges::find(kBuiltinProfiles, name, &BuiltinProfile::name);
  return found == kBuiltinProfiles.end() ? std::string_view{} : found->text;
}

}  // namespace

CostProfile::Loaded CostProfile::parse(std::string_view text, std::string_view where,
                                       const CostProfile& base) {
  const auto fail = [&](const std::string& what) {
    return Loaded{std::nullopt, std::string(where) + ": " + what};
  };
  const toml::parse_result result = toml::parse(text);
  if (!result) {
    return fail("line " + std::to_string(result.error().source().begin.line) + ": " +
                std::string(result.error().description()));
  }
  CostProfile profile = base;
  if (const toml::node* const scale = result.table().get("scale"); scale != nullptr) {
    if (std::string error = read_scale(profile, *scale); !error.empty()) return fail(error);
  }
  for (const auto& [key, value] : result.table()) {
    if (key == "name" && value.is_string()) {
      profile.name_ = **value.as_string();
    } else if (key == "costs" && value.is_table()) {
      for (const auto& [name, node] : *value.as_table()) {
        if (std::string error = read_cost(profile, name.str(), node); !error.empty()) {
          return fail(error);
        }
      }
    } else if (key != "scale") {
      return fail(std::string(key.str()) +
                  ": unknown key; name = \"...\", scale and [costs] are accepted");
    }
  }
  return {std::move(profile), {}};
}

CostProfile::Loaded CostProfile::load(const std::string& path) {
  if (const std::string_view text = builtin_text(path); !text.empty()) {
    return path == "default" ? Loaded{builtin(), {}} : parse(text, path);
  }
  std::ifstream file(path);
  if (!file) {
    std::string known;
    for (const BuiltinProfile& profile : kBuiltinProfiles) {
      known += (known.empty() ? "" : ", ") + std::string(profile.name);
    }
    return {std::nullopt, path + ": cannot be read; profiles of the program are " + known};
  }
  std::ostringstream text;
  text << file.rdbuf();
  return parse(text.str(), path);
}

const CostProfile& CostProfile::builtin() {
  static const CostProfile profile = [] {
    Loaded loaded =
        parse(builtin_text("default"), "stack/kernel/profiles/default.toml", CostProfile{});
    bug_on(!loaded.profile, loaded.error.c_str());
    for (std::size_t i = 0; i < kCosts; ++i) {
      bug_on(loaded.profile->sources_[i].empty(),
             "a cost of costs.def is missing in stack/kernel/profiles/default.toml");
    }
    return *loaded.profile;
  }();
  return profile;
}

CostProfile CostProfile::free() {
  CostProfile profile;
  profile.name_ = "free";
  return profile;
}

}  // namespace nicroscope::kernel
