// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/experiment/load_run.h"
#include "sim/experiment/plot.h"

namespace nicroscope::sim {

/// A column of an experiment's table: a field of its points and how it reads.
struct Column {
  std::string field;  ///< "a.b" for a field of a field
  std::string title;
  std::string format = "{}";  ///< of a number: fmt's, "{:.1f}"; other values read as they are
};

/// One run of an experiment: a machine under a load, and what the point's row says besides.
struct Point {
  nlohmann::json labels;  ///< what distinguishes it: first in its row
  LoadOptions options;
};

/// A study: runs of one kind, shown together.
struct Experiment {
  std::string_view name;
  std::string_view summary;           ///< one line
  std::vector<std::string> notes;     ///< what it reproduces, what it only resembles, and why
  std::vector<std::string> settings;  ///< scenario keys, as --set has them, before a person's
  std::vector<Column> columns;
  /// The runs. `fewer`: a handful in a shorter time that still show the shape, for a test.
  std::vector<Point> (*points)(const Scenario& scenario, bool fewer);
  /// Adds to the row of a point what the table and the plots need besides what every row has.
  void (*fill)(nlohmann::json& row, const LoadResult& result) = nullptr;
  /// Works out what needs all rows.
  void (*finish)(std::vector<nlohmann::json>& rows) = nullptr;
  std::vector<Plot> (*plots)(const std::vector<nlohmann::json>& rows) = nullptr;
};

/// All that there are, by name.
[[nodiscard]] std::span<const Experiment> experiments();
[[nodiscard]] const Experiment* find_experiment(std::string_view name);

struct ExperimentOptions {
  std::vector<std::string> settings;  ///< key=value, over the experiment's own
  bool no_skip = false;
  bool assertions = false;
  bool fewer = false;
  std::optional<std::size_t> point;  ///< only this one of the sweep
  Observation observe;               ///< needs `point`
  std::function<void(std::size_t done, std::size_t all)> progress;
};

struct ExperimentReport {
  std::string problem;  ///< of the first point that failed; empty where none
  Scenario scenario;
  std::vector<nlohmann::json> rows;
  std::vector<Plot> plots;
  std::uint64_t trace_hash = 0;  ///< of all points
  std::uint64_t frames = 0;
  double wall_seconds = 0;
};

/// Runs the experiment's points one after the other. Throws BadInput.
[[nodiscard]] ExperimentReport run_experiment(const Experiment& experiment,
                                              const ExperimentOptions& options);

/// The rows as text, a line each.
[[nodiscard]] std::string table_text(std::span<const Column> columns,
                                     std::span<const nlohmann::json> rows);

}  // namespace nicroscope::sim
