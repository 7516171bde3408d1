// SPDX-License-Identifier: Apache-2.0
#include "sim/experiment/experiment.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/random.h"

namespace nicroscope::sim {
namespace {

void add_window(nlohmann::json& row, const WindowResult& result) {
  row["offered_pps"] = result.offered_pps;
  row["delivered_pps"] = result.delivered_pps;
  row["cpu_hardirq"] = result.cpu.hardirq;
  row["cpu_softirq"] = result.cpu.softirq;
  row["cpu_process"] = result.cpu.process;
  row["cpu_busy"] = result.cpu_busy;
  row["interrupts"] = result.interrupts;
  row["rx_interrupts"] = result.rx_interrupts;
  row["tx_interrupts"] = result.tx_interrupts;
  row["polls"] = result.polls;
  row["polls_emptied"] = result.polls_emptied;
  row["polls_full"] = result.polls_full;
  row["latency_us_median"] = result.latency_us_median;
  row["latency_us_p99"] = result.latency_us_p99;
}

/// What every row has, and, where there are any, the load's phases and what net_dim set.
nlohmann::json row_of(const Point& point, const LoadResult& result) {
  nlohmann::json row = point.labels;
  add_window(row, result);
  for (const auto& [name, window] : result.phases) add_window(row["phases"][name], window);
  for (const DimStep& step : result.dim) {
    row["dim"].push_back({{"us", std::chrono::duration<double, std::micro>(step.time).count()},
                          {"virtqueue", step.virtqueue},
                          {"profile", step.profile}});
  }
  row["sent"] = result.sent;
  row["delivered"] = result.delivered;
  row["drops"] = result.drops;
  row["dropped"] = result.dropped();
  row["trace_hash"] = fmt::format("{:016x}", result.trace_hash);
  return row;
}

const nlohmann::json* field_of(const nlohmann::json& row, std::string_view path) {
  const std::size_t dot = path.find('.');
  const auto found = row.find(path.substr(0, dot));
  if (found == row.end()) return nullptr;
  return dot == std::string_view::npos ? &*found : field_of(*found, path.substr(dot + 1));
}

std::string cell(const nlohmann::json* value, const std::string& format) {
  if (value == nullptr || value->is_null()) return "-";
  if (value->is_string()) return value->get<std::string>();
  if (value->is_object()) {  // counts by name
    std::string text;
    for (const auto& [name, count] : value->items()) {
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count.dump(), name);
    }
    return text.empty() ? "-" : text;
  }
  if (value->is_number_integer() && format == "{}") return value->dump();
  return fmt::format(fmt::runtime(format), value->get<double>());
}

}  // namespace

const Experiment* find_experiment(std::string_view name) {
  const auto all = experiments();
  const auto found = std::ranges::find(all, name, &Experiment::name);
  return found == all.end() ? nullptr : &*found;
}

ExperimentReport run_experiment(const Experiment& experiment, const ExperimentOptions& options) {
  ExperimentReport report;
  for (const std::string& setting : experiment.settings) set_key(setting, report.scenario);
  for (const std::string& setting : options.settings) set_key(setting, report.scenario);
  std::vector<Point> points = experiment.points(report.scenario, options.fewer);
  if (options.point) {
    if (*options.point >= points.size()) {
      throw BadInput(fmt::format("--point {}: {} has the points 0 to {}", *options.point,
                                 experiment.name, points.size() - 1));
    }
    points = {points[*options.point]};
    points.front().options.observe = options.observe;
  }
  for (Point& point : points) {
    point.options.no_skip = options.no_skip;
    point.options.assertions = options.assertions;
    const LoadResult result = run_load(point.options);
    report.rows.push_back(row_of(point, result));
    if (experiment.fill != nullptr) experiment.fill(report.rows.back(), result);
    report.trace_hash = mix64(report.trace_hash ^ result.trace_hash);
    report.frames += result.sent;
    report.wall_seconds += result.wall_seconds;
    if (!result.problem.empty()) {
      report.problem = fmt::format("{}: {}", point.labels.dump(), result.problem);
      return report;
    }
    if (options.progress) options.progress(report.rows.size(), points.size());
  }
  if (options.point) return report;
  if (experiment.finish != nullptr) experiment.finish(report.rows);
  if (experiment.plots != nullptr) report.plots = experiment.plots(report.rows);
  return report;
}

std::string table_text(std::span<const Column> columns, std::span<const nlohmann::json> rows) {
  std::vector<std::vector<std::string>> cells;
  std::vector<std::string>& titles = cells.emplace_back();
  for (const Column& column : columns) titles.push_back(column.title);
  for (const nlohmann::json& row : rows) {
    std::vector<std::string>& line = cells.emplace_back();
    for (const Column& column : columns) {
      line.push_back(cell(field_of(row, column.field), column.format));
    }
  }
  std::vector<std::size_t> widths(columns.size());
  std::vector<bool> left(columns.size());
  for (std::size_t c = 0; c < columns.size(); ++c) {
    for (const auto& line : cells) widths[c] = std::max(widths[c], line[c].size());
    const nlohmann::json* first = rows.empty() ? nullptr : field_of(rows[0], columns[c].field);
    left[c] = first != nullptr && (first->is_string() || first->is_object());
  }
  std::string text;
  for (const auto& line : cells) {
    std::string written;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      written += c == 0 ? "" : "  ";
      written += left[c] ? fmt::format("{:<{}}", line[c], widths[c])
                         : fmt::format("{:>{}}", line[c], widths[c]);
    }
    written.erase(written.find_last_not_of(' ') + 1);
    text += written + '\n';
  }
  return text;
}

}  // namespace nicroscope::sim
