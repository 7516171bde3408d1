// SPDX-License-Identifier: Apache-2.0
#include "sim/experiment/dim.h"

#include <array>
#include <map>
#include <string>

#include "sim/experiment/changing_load.h"
#include "sim/experiment/published.h"

namespace nicroscope::sim {
namespace {

constexpr double kPublished = kVirtioDim[0].received_pps;
constexpr std::array<double, 9> kRates{100e3,      300e3, 500e3, 700e3, 900e3,
                                       kPublished, 1.2e6, 1.3e6, 1.5e6};
constexpr unsigned kCpus = 2;
constexpr unsigned kTurns = 2;  // of the load that changes

std::vector<Point> points(const Scenario& scenario, bool fewer) {
  std::vector<Point> result;
  const auto point_of = [&](const char* load, bool adaptive) {
    Point point;
    point.labels = {{"load", load}, {"rx_dim", adaptive ? "on" : "off"}};
    point.options.scenario = scenario;
    point.options.scenario.host.cpus = kCpus;
    point.options.scenario.host.adaptive_rx = adaptive;
    return point;
  };
  for (const bool adaptive : {false, true}) {
    for (const double rate : kRates) {
      if (fewer && rate != 300e3 && rate != kPublished) continue;
      Point point = point_of("datagrams", adaptive);
      point.labels["rate"] = rate;
      point.options.workload = Workload::local;
      point.options.receiver_cpu = 1;
      point.options.load.frames_per_second = rate;
      point.options.load.spacing = Spacing::poisson;
      // From where it begins to its last profile.
      point.options.warm_up = std::chrono::milliseconds{adaptive ? 60 : 5};
      point.options.window = std::chrono::milliseconds{fewer ? 10 : 20};
      result.push_back(std::move(point));
    }
  }
  Point changing = point_of("changing", true);
  changing.options.phases = changing_load(fewer);
  changing.options.warm_up = Duration{0};
  changing.options.window = turn_of(changing.options.phases) * kTurns;
  result.push_back(std::move(changing));
  return result;
}

void fill(nlohmann::json& row, const LoadResult& result) {
  row["cpu0"] = result.cpu_busy.empty() ? 0.0 : result.cpu_busy[0];
  row["frames_per_interrupt"] = result.rx_interrupts == 0
                                    ? nlohmann::json(nullptr)
                                    : nlohmann::json(static_cast<double>(result.window_sent) /
                                                     static_cast<double>(result.rx_interrupts));
  row["profile"] =
      result.dim.empty() ? nlohmann::json(nullptr) : nlohmann::json(result.dim.back().profile);
  for (const auto& [name, window] : result.phases) {
    row["turn"].push_back({{"name", name}, {"ms", 1000 * window.seconds / kTurns}});
  }
}

/// What was published beside what came of the same load.
void finish(std::vector<nlohmann::json>& rows) {
  for (nlohmann::json& row : rows) {
    if (row.value("rate", 0.0) != kPublished) continue;
    const VirtioDim& published = kVirtioDim[row["rx_dim"] == "on" ? 1 : 0];
    row["published_pps"] = published.received_pps;
    row["published_cpu"] = published.cpu;
  }
}

Plot cpu_plot(const std::vector<nlohmann::json>& rows) {
  Plot plot{"dim-cpu",
            "Small datagrams to a process, with and without net_dim",
            "received, 1000 datagrams/s",
            "CPU that takes the interrupts, % busy",
            {}};
  plot.legend_above = true;
  std::map<std::string, Series> series;
  for (const nlohmann::json& row : rows) {
    if (row["load"] != "datagrams") continue;
    const std::string name = row["rx_dim"];
    series[name].title = "rx DIM " + name;
    series[name].points.emplace_back(row["delivered_pps"].get<double>() / 1000,
                                     100 * row["cpu0"].get<double>());
  }
  for (auto& [name, line] : series) plot.series.push_back(line);
  for (const VirtioDim& published : kVirtioDim) {
    plot.series.push_back({std::string("published, rx DIM ") + (published.dim ? "on" : "off"),
                           {{published.received_pps / 1000, 100 * published.cpu}},
                           Series::Style::points,
                           {}});
  }
  return plot;
}

Plot profile_plot(const nlohmann::json& row) {
  constexpr unsigned kFirstProfile = 1;
  constexpr double kMilli = 1e-3;
  Plot plot{"dim-profile",
            "net_dim after changes of load",
            "time, ms",
            "profile of the receive queue: 0 (1 us) to 4 (256 us)",
            {}};
  plot.legend_above = true;
  plot.y_step = 1;
  Series profile{"profile", {{0, kFirstProfile}}, Series::Style::steps};
  if (const auto steps = row.find("dim"); steps != row.end()) {
    for (const nlohmann::json& step : *steps) {
      profile.points.emplace_back(kMilli * step["us"].get<double>(), step["profile"]);
    }
  }
  Series load{"load: bulk (high), request-response (0)", {}, Series::Style::steps};
  double time = 0;
  for (unsigned turn = 0; turn < kTurns; ++turn) {
    for (const nlohmann::json& phase : row["turn"]) {
      load.points.emplace_back(time, phase["name"] == kBulkPhase ? 0.5 : 0);
      time += phase["ms"].get<double>();
    }
  }
  load.points.emplace_back(time, load.points.back().second);
  profile.points.emplace_back(time, profile.points.back().second);
  plot.series = {profile, load};
  return plot;
}

std::vector<Plot> plots(const std::vector<nlohmann::json>& rows) {
  std::vector<Plot> result{cpu_plot(rows)};
  for (const nlohmann::json& row : rows) {
    if (row["load"] == "changing") result.push_back(profile_plot(row));
  }
  return result;
}

}  // namespace

Experiment dim() {
  return {
      "dim",
      "What adaptive receive moderation saves under small datagrams (virtio-net's rx DIM)",
      {"reproduces: the direction of what was published of virtio-net (Linux merge 604ca8ee7bdc: "
       "UDP of 16 bytes, 1,143,277 to 1,124,161 frames/s while the CPU falls from 100 to 83.5 %). "
       "Nothing is fitted: costs are server-2020's. Each interrupt finds what came during the "
       "last one's work; a delay makes them few, and what they took is saved. Where polling "
       "hardly ever ends, there are no interrupts left to save.",
       "resembles only: the size. There it was a virtual machine, where an interrupt costs exits "
       "to the hypervisor, and sockperf; here a host of its own whose CPU is not full at that "
       "rate: between two polls it is idle, and the way out of that is idle time, too. Datagrams "
       "have 18 bytes (what has to be stamped into them), in the same frames of 64. The sender "
       "waits for nobody, so nothing is lost before the CPU is full; there 1.7 % were.",
       "CPU 0 takes the interrupts, CPU 1 has the process; hardirq, softirq and process are of "
       "both. changing: bulk (400,000 frames/s forwarded) and request-response (one at a time, "
       "echoed by a process) in turns; dim-profile shows net_dim's steps. It decides by 64 "
       "interrupts, and on the way down from 256 us a question waits for each."},
      {"host.costs=server-2020"},
      {{"load", "load"},
       {"rx_dim", "rx DIM"},
       {"offered_pps", "offered/s", "{:.0f}"},
       {"delivered_pps", "received/s", "{:.0f}"},
       {"published_pps", "published/s", "{:.0f}"},
       {"cpu0", "CPU 0", "{:.3f}"},
       {"published_cpu", "published", "{:.3f}"},
       {"cpu_hardirq", "hardirq", "{:.3f}"},
       {"cpu_softirq", "softirq", "{:.3f}"},
       {"cpu_process", "process", "{:.3f}"},
       {"frames_per_interrupt", "frames/irq", "{:.1f}"},
       {"profile", "profile"},
       {"latency_us_median", "median us", "{:.1f}"},
       {"latency_us_p99", "99th us", "{:.1f}"},
       {"drops", "drops of the run"}},
      points,
      fill,
      finish,
      plots,
  };
}

}  // namespace nicroscope::sim
