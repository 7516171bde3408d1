// SPDX-License-Identifier: Apache-2.0
#include "sim/experiment/bypass.h"

#include <array>
#include <string>

namespace nicroscope::sim {
namespace {

constexpr std::array<double, 8> kRates{250e3, 500e3, 750e3, 1e6, 1.5e6, 2e6, 3e6, 5e6};
constexpr std::array<const char*, 2> kWays{"napi", "poll"};

std::vector<Point> points(const Scenario& scenario, bool fewer) {
  std::vector<Point> result;
  for (const char* const way : kWays) {
    for (const double rate : kRates) {
      if (fewer && rate != 500e3 && rate != 5e6) continue;
      Point point;
      point.labels = {{"way", way}};
      point.options.scenario = scenario;
      point.options.scenario.host.receive = way;
      point.options.load.frames_per_second = rate;
      point.options.load.spacing = Spacing::poisson;
      point.options.warm_up = std::chrono::milliseconds{2};
      point.options.window = std::chrono::milliseconds{fewer ? 2 : 5};
      result.push_back(std::move(point));
    }
  }
  return result;
}

void fill(nlohmann::json& row, const LoadResult& result) {
  row["cpu"] = result.cpu.busy();
  row["ns_per_frame"] =
      result.delivered_pps > 0 ? 1e9 * result.cpu.busy() / result.delivered_pps : 0.0;
}

std::vector<Plot> plots(const std::vector<nlohmann::json>& rows) {
  Plot delivered{"bypass-forwarded",
                 "Forwarding by the kernel and by a program that polls",
                 "offered, 1000 frames/s",
                 "forwarded, 1000 frames/s",
                 {}};
  Plot latency{"bypass-latency",
               "Latency of forwarding, until the ring is full",
               "offered, 1000 frames/s",
               "median latency, us",
               {}};
  latency.log_y = true;
  delivered.legend_above = latency.legend_above = true;
  for (const char* const way : kWays) {
    Series rate{std::string(way), {}, Series::Style::line};
    Series late = rate;
    for (const nlohmann::json& row : rows) {
      if (row["way"] != way) continue;
      const double offered = row["offered_pps"].get<double>() / 1000;
      rate.points.emplace_back(offered, row["delivered_pps"].get<double>() / 1000);
      late.points.emplace_back(offered, row["latency_us_median"]);
    }
    delivered.series.push_back(std::move(rate));
    latency.series.push_back(std::move(late));
  }
  return {delivered, latency};
}

}  // namespace

Experiment bypass() {
  return {
      "bypass",
      "A program in user space that polls the NIC, beside NAPI and the kernel's router",
      {"reproduces: the order of things; a program that owns the NIC forwards several times what "
       "the "
       "kernel does, at lower latency, with a CPU that is busy whatever the load.",
       "resembles only: ixy (2019) forwards over 25,000,000 frames/s with one core of 3.0 GHz. The "
       "ring "
       "costs here are the kernel driver's own estimates, and the program reads and writes every "
       "header, "
       "so it is slower than that by what those figures say."},
      {},
      {{"way", "way"},
       {"offered_pps", "offered/s", "{:.0f}"},
       {"delivered_pps", "forwarded/s", "{:.0f}"},
       {"cpu", "CPU", "{:.3f}"},
       {"ns_per_frame", "ns/frame", "{:.0f}"},
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
