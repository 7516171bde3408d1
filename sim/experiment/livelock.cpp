// SPDX-License-Identifier: Apache-2.0
#include "sim/experiment/livelock.h"

#include <algorithm>
#include <map>

namespace nicroscope::sim {
namespace {

/// Offered frames a second of the 2001 machine: three times what it can forward.
constexpr std::array<double, 16> kRates{5e3,  20e3, 30e3, 40e3,  50e3,  55e3,  60e3,  65e3,
                                        70e3, 80e3, 90e3, 100e3, 120e3, 140e3, 160e3, 180e3};
constexpr std::array<double, 4> kFewRates{20e3, 60e3, 100e3, 180e3};

std::vector<Point> points(const Scenario& scenario, bool fewer) {
  std::vector<Point> result;
  const std::span<const double> rates =
      fewer ? std::span<const double>(kFewRates) : std::span<const double>(kRates);
  for (const Workload workload : {Workload::forward, Workload::local}) {
    for (const char* const architecture : {"napi"}) {
      for (const double rate : rates) {
        Point point;
        point.labels = {{"workload", name_of(workload)}, {"architecture", architecture}};
        point.options.scenario = scenario;
        point.options.workload = workload;
        point.options.load.frames_per_second = rate;
        point.options.load.spacing = Spacing::poisson;
        point.options.warm_up = std::chrono::milliseconds{fewer ? 10 : 20};
        point.options.window = std::chrono::milliseconds{fewer ? 20 : 60};
        result.push_back(point);
      }
    }
  }
  return result;
}

std::vector<Plot> plots(const std::vector<nlohmann::json>& rows) {
  std::vector<Plot> result;
  for (const char* const workload : {"forward", "local"}) {
    Plot delivered{std::string("livelock-") + workload,
                   "",
                   "offered, 1000 frames/s",
                   "delivered, 1000 frames/s",
                   {}};
    delivered.title = std::string(workload) == "forward"
                          ? "Forwarding on a Pentium II of 2001, one CPU"
                          : "Delivery to a process on a Pentium II of 2001, one CPU";
    std::map<std::string, Series> series;
    for (const nlohmann::json& row : rows) {
      if (row["workload"] != workload) continue;
      const std::string architecture = row["architecture"];
      series[architecture].title = architecture;
      series[architecture].points.emplace_back(row["offered_pps"].get<double>() / 1000,
                                               row["delivered_pps"].get<double>() / 1000);
    }
    for (auto& [name, line] : series) delivered.series.push_back(line);
    result.push_back(std::move(delivered));
  }
  return result;
}

}  // namespace

Experiment livelock() {
  return {
      "livelock",
      "Frames offered beyond what the host can take, by receive architecture",
      {},
      {"host.costs=pentium2-2001", "host.hz=100"},
      {{"workload", "workload"},
       {"architecture", "architecture"},
       {"offered_pps", "offered/s", "{:.0f}"},
       {"delivered_pps", "delivered/s", "{:.0f}"},
       {"cpu_hardirq", "hardirq", "{:.3f}"},
       {"cpu_softirq", "softirq", "{:.3f}"},
       {"cpu_process", "process", "{:.3f}"},
       {"interrupts", "interrupts"},
       {"polls", "polls"},
       {"latency_us_median", "median us", "{:.0f}"},
       {"drops", "drops of the run"}},
      points,
      nullptr,
      nullptr,
      plots,
  };
}

}  // namespace nicroscope::sim
