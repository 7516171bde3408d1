// SPDX-License-Identifier: Apache-2.0
#include "sim/experiment/rss.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>

namespace nicroscope::sim {
namespace {

constexpr std::array<unsigned, 4> kCpus{1, 2, 4, 8};
constexpr std::array<unsigned, 3> kFlows{1, 4, 64};
/// More than a CPU forwards, and a little less than what a CPU delivers to its process.
constexpr double kForwardPerCpu = 1.8e6;
constexpr double kLocalPerCpu = 700e3;
/// To one process: more than its CPU takes, and so little that the CPUs sleep in between.
constexpr double kBusy = 1e6;
constexpr double kQuiet = 50e3;
constexpr unsigned kFlowTable = 4096;
constexpr double kFull = 0.97;  // of a CPU's time

/// How frames come to CPUs.
struct Steering {
  const char* name;
  bool rss;  ///< a queue pair for each CPU
  bool rps;
  bool rfs;
};
constexpr Steering kNone{"none", false, false, false};
constexpr Steering kRps{"RPS", false, true, false};
constexpr Steering kRfs{"RFS", false, true, true};
constexpr Steering kRss{"RSS", true, false, false};
constexpr Steering kRssRfs{"RSS+RFS", true, true, true};

Point make_point(const Scenario& scenario, const char* part, const Steering& steering,
                 unsigned cpus, unsigned flows, bool fewer) {
  Point point;
  point.labels = {{"part", part},
                  {"steering", steering.name},
                  {"cpus", cpus},
                  {"flows", flows},
                  {"irq", steering.rss ? "each its own" : "CPU 0"}};
  point.options.scenario = scenario;
  Scenario::Host& host = point.options.scenario.host;
  host.cpus = cpus;
  host.queue_pairs = steering.rss ? cpus : 1;
  // Without the CPU that takes the interrupts, as scaling.rst advises for high rates.
  if (steering.rps) host.rps_cpus = fmt::format("{:x}", cpus == 1 ? 1U : (1U << cpus) - 2);
  if (steering.rfs) host.rps_flow_cnt = host.rps_sock_flow_entries = kFlowTable;
  point.options.load.flows = flows;
  point.options.load.spacing = Spacing::poisson;
  point.options.warm_up = std::chrono::milliseconds{1};
  point.options.window = std::chrono::milliseconds{fewer ? 2 : 4};
  return point;
}

Point forward(const Scenario& scenario, const Steering& steering, unsigned cpus, unsigned flows,
              bool fewer) {
  Point point = make_point(scenario, "forward", steering, cpus, flows, fewer);
  point.options.load.frames_per_second = kForwardPerCpu * cpus;
  return point;
}

/// A process on each CPU, each with a flow of its own.
Point local(const Scenario& scenario, const Steering& steering, unsigned cpus, bool fewer) {
  Point point = make_point(scenario, "local", steering, cpus, cpus, fewer);
  point.options.workload = Workload::local;
  point.options.receivers = cpus;
  point.options.connected = true;
  point.options.load.frames_per_second = kLocalPerCpu * cpus;
  return point;
}

/// One process on CPU 0; the interrupt there or on CPU 1.
Point one_process(const Scenario& scenario, bool same, double rate, bool fewer) {
  Point point = make_point(scenario, "one process", kNone, 3, 1, fewer);
  point.labels["irq"] = same ? "the process's CPU" : "another CPU";
  point.options.workload = Workload::local;
  point.options.scenario.host.irq_cpus = same ? "0" : "1";
  point.options.load.frames_per_second = rate;
  point.options.window = std::chrono::milliseconds{fewer ? 4 : 10};
  return point;
}

/// One process on CPU 0, the interrupt on CPU 1, and the protocols on CPU 2, or where RFS says.
Point one_steered(const Scenario& scenario, const Steering& steering, bool fewer) {
  Point point = one_process(scenario, false, kQuiet, fewer);
  point.labels["steering"] = steering.name;
  Scenario::Host& host = point.options.scenario.host;
  host.rps_cpus = "4";
  if (steering.rfs) host.rps_flow_cnt = host.rps_sock_flow_entries = kFlowTable;
  point.options.connected = true;
  return point;
}

std::vector<Point> points(const Scenario& scenario, bool fewer) {
  std::vector<Point> result;
  const auto cpus_of = [&](unsigned cpus) { return !fewer || cpus == 1 || cpus == 4; };
  for (const unsigned cpus : kCpus) {
    if (cpus_of(cpus)) result.push_back(forward(scenario, kNone, cpus, kFlows.back(), fewer));
  }
  for (const Steering& steering : {kRps, kRss}) {
    for (const unsigned flows : kFlows) {
      for (const unsigned cpus : kCpus) {
        if (!cpus_of(cpus) || (fewer && (cpus == 1 || flows == 4))) continue;
        result.push_back(forward(scenario, steering, cpus, flows, fewer));
      }
    }
  }
  // Every vector on one CPU, whatever the NIC spreads.
  Point all_on_one = forward(scenario, kRss, 4, kFlows.back(), fewer);
  all_on_one.labels["irq"] = "all on CPU 0";
  all_on_one.options.scenario.host.irq_cpus = "0";
  result.push_back(std::move(all_on_one));
  for (const Steering& steering : {kNone, kRps, kRfs, kRss, kRssRfs}) {
    for (const unsigned cpus : kCpus) {
      const bool steered = steering.rss || steering.rps;
      if ((cpus == 1 && steered) || (fewer && cpus != 4)) continue;
      result.push_back(local(scenario, steering, cpus, fewer));
    }
  }
  for (const double rate : {kQuiet, kBusy}) {
    for (const bool same : {true, false}) {
      result.push_back(one_process(scenario, same, rate, fewer));
    }
  }
  for (const Steering& steering : {kRps, kRfs}) {
    result.push_back(one_steered(scenario, steering, fewer));
  }
  return result;
}

/// What keeps more from being delivered.
std::string limit_of(const LoadResult& result) {
  if (result.delivered_pps > 0.98 * result.offered_pps) return "the load";
  const auto full = std::ranges::count_if(result.cpu_busy, [](double b) { return b > kFull; });
  if (full == 0) return "not the CPUs";
  if (static_cast<std::size_t>(full) == result.cpu_busy.size()) return "all CPUs";
  return fmt::format("{} of {} CPUs", full, result.cpu_busy.size());
}

void fill(nlohmann::json& row, const LoadResult& result) {
  std::string text;
  for (const double busy : result.cpu_busy) {
    text += fmt::format("{}{:.0f}", text.empty() ? "" : " ", 100 * busy);
  }
  row["busy"] = text;
  row["limit"] = limit_of(result);
}

std::vector<Plot> plots(const std::vector<nlohmann::json>& rows) {
  std::vector<Plot> result;
  for (const std::string part : {"forward", "local"}) {
    const bool forwards = part == "forward";
    Plot plot{"rss-" + part,
              forwards ? "Forwarding by several CPUs, offered more than they can"
                       : "A process and a flow for each CPU, 700,000 datagrams/s each",
              "CPUs",
              forwards ? "forwarded, million frames/s" : "received, million datagrams/s",
              {}};
    plot.legend_above = true;
    std::vector<std::string> order;
    std::map<std::string, Series> series;
    double one = forwards ? 0 : kLocalPerCpu / 1e6;
    for (const nlohmann::json& row : rows) {
      if (row["part"] != part || row["irq"] == "all on CPU 0") continue;
      std::string title = row["steering"];
      if (forwards && title != kNone.name) {
        title +=
            fmt::format(", {} flow{}", row["flows"].get<unsigned>(), row["flows"] == 1 ? "" : "s");
      }
      const double rate = row["delivered_pps"].get<double>() / 1e6;
      if (forwards && title == kNone.name && row["cpus"] == 1) one = rate;
      if (!series.contains(title)) order.push_back(title);
      series[title].title = title;
      series[title].points.emplace_back(row["cpus"], rate);
    }
    for (const std::string& title : order) plot.series.push_back(series[title]);
    Series ideal{forwards ? "one CPU's, times CPUs" : "offered", {}, Series::Style::dots};
    for (const unsigned cpus : kCpus) ideal.points.emplace_back(cpus, one * cpus);
    plot.series.push_back(std::move(ideal));
    result.push_back(std::move(plot));
  }
  return result;
}

}  // namespace

Experiment rss() {
  return {
      "rss",
      "Several CPUs: RSS, RPS and RFS, one flow and many, and where the interrupt goes",
      {"reproduces (Documentation/networking/scaling.rst, which has no figures): RSS scales with "
       "the CPUs while there are flows to spread; one flow stays on one CPU, and few collide in "
       "the hash, whoever computes it; RPS spreads what one queue received, until the CPU that "
       "takes all of it in is full; several queues are worth nothing while one CPU gets their "
       "interrupts.",
       "forward is offered 1,800,000 frames/s for each CPU; local 700,000 datagrams/s for each "
       "process, one on each CPU with a connected socket for its flow; one process is on CPU 0 "
       "of three, with 50,000/s or 1,000,000/s. RPS leaves CPU 0 out where there are others.",
       "limit: what keeps more from being delivered; \"k of n CPUs\" is the unevenness of the "
       "hash, or the one queue. 14,400,000 frames/s are a tenth of what the link carries.",
       "resembles only: caches are not simulated. A packet that is handled on another CPU than "
       "its reader's costs the interrupt between them and the wake-up, but no cache misses. So "
       "the model understates what a bad place costs under load; of what RFS is for it shows the "
       "wake-up that is saved (one process) and not the caches."},
      {"profile=dc100", "host.costs=server-2020", "bus.generation=4", "bus.lanes=16",
       "host.netdev_max_backlog=1000", "host.backlog_throttle=false"},
      {{"part", "part"},
       {"steering", "steering"},
       {"cpus", "CPUs"},
       {"flows", "flows"},
       {"irq", "interrupts to"},
       {"offered_pps", "offered/s", "{:.0f}"},
       {"delivered_pps", "delivered/s", "{:.0f}"},
       {"limit", "limit"},
       {"busy", "busy %, each CPU"},
       {"interrupts", "interrupts"},
       {"latency_us_median", "median us", "{:.1f}"},
       {"latency_us_p99", "99th us", "{:.1f}"},
       {"drops", "drops of the run"}},
      points,
      fill,
      nullptr,
      plots,
  };
}

}  // namespace nicroscope::sim
