// SPDX-License-Identifier: Apache-2.0
#include "tests/support/coverage.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace nicroscope::test {

void Coverage::declare(const std::string& cross, std::vector<Axis> axes, Required required) {
  Cross& made = crosses_[cross];
  made.axes = std::move(axes);
  std::vector<Bin> bins{{}};
  for (const Axis& axis : made.axes) {
    std::vector<Bin> longer;
    for (const Bin& bin : bins) {
      for (const std::string& value : axis.values) {
        longer.push_back(bin);
        longer.back().push_back(value);
      }
    }
    bins = std::move(longer);
  }
  for (const Bin& bin : bins) {
    made.bins[bin] = 0;
    made.required[bin] = required(bin);
  }
}

void Coverage::hit(const std::string& cross, const Bin& bin) {
  const auto found = crosses_.find(cross);
  if (found == crosses_.end() || !found->second.bins.contains(bin)) {
    throw std::logic_error(fmt::format("no bin {} in cross {}", fmt::join(bin, "/"), cross));
  }
  ++found->second.bins[bin];
}

std::string Coverage::name_of(const Cross& cross, const Bin& bin) {
  std::string text;
  for (std::size_t i = 0; i < bin.size(); ++i) {
    text += fmt::format("{}{}={}", i == 0 ? "" : " ", cross.axes[i].name, bin[i]);
  }
  return text;
}

std::vector<Coverage::Bin> Coverage::missing_of(const Cross& cross) {
  std::vector<Bin> bins;
  for (const auto& [bin, count] : cross.bins) {
    if (count == 0 && cross.required.at(bin)) bins.push_back(bin);
  }
  return bins;
}

std::vector<std::string> Coverage::missing() const {
  std::vector<std::string> out;
  for (const auto& [name, cross] : crosses_) {
    if (!cross.expected) continue;
    for (const Bin& bin : missing_of(cross)) out.push_back(name + ": " + name_of(cross, bin));
  }
  return out;
}

std::string Coverage::report() const {
  std::string text = fmt::format("{:<14} {:>9} {:>7} {:>12}\n", "cross", "required", "met", "hits");
  for (const auto& [name, cross] : crosses_) {
    std::uint64_t required = 0;
    std::uint64_t hits = 0;
    for (const auto& [bin, count] : cross.bins) {
      required += cross.required.at(bin) ? 1 : 0;
      hits += count;
    }
    const auto missing = missing_of(cross);
    text += fmt::format("{:<14} {:>9} {:>7} {:>12}{}\n", name, required, required - missing.size(),
                        hits, cross.expected ? "" : "  (not expected)");
    if (!cross.expected) continue;
    for (const Bin& bin : missing) text += "    not met: " + name_of(cross, bin) + "\n";
  }
  return text;
}

std::string Coverage::json() const {
  nlohmann::ordered_json out = nlohmann::ordered_json::array();
  for (const auto& [name, cross] : crosses_) {
    nlohmann::ordered_json bins = nlohmann::ordered_json::array();
    for (const auto& [bin, count] : cross.bins) {
      bins.push_back({{"bin", bin}, {"required", cross.required.at(bin)}, {"hits", count}});
    }
    std::vector<std::string> axes;
    for (const Axis& axis : cross.axes) axes.push_back(axis.name);
    out.push_back({{"cross", name}, {"axes", axes}, {"expected", cross.expected}, {"bins", bins}});
  }
  return out.dump(1);
}

}  // namespace nicroscope::test
