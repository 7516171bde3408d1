// SPDX-License-Identifier: Apache-2.0
#include "sim/experiment/ring_size.h"

#include <array>
#include <map>

namespace nicroscope::sim {
namespace {

constexpr std::array<unsigned, 7> kRings{16, 32, 64, 128, 256, 512, 1024};
constexpr std::array<unsigned, 3> kBursts{256, 1024, 2048};
constexpr unsigned kSize = 256;
/// About half of what the default machine forwards.
constexpr double kRate = 350e3;

std::vector<Point> points(const Scenario& scenario, bool fewer) {
  std::vector<Point> result;
  for (const unsigned burst : kBursts) {
    for (const unsigned ring : kRings) {
      if (fewer && (burst != 1024 || (ring != 16 && ring != 256 && ring != 1024))) continue;
      Point point;
      point.labels = {{"burst", burst}, {"ring", ring}};
      point.options.scenario = scenario;
      point.options.scenario.host.rx_ring = ring;
      point.options.load.frames_per_second = kRate;
      point.options.load.spacing = Spacing::bursts;
      point.options.load.sizes = {kSize};
      point.options.load.burst = burst;
      point.options.warm_up = std::chrono::milliseconds{3};
      point.options.window = std::chrono::milliseconds{fewer ? 9 : 24};
      result.push_back(std::move(point));
    }
  }
  return result;
}

void fill(nlohmann::json& row, const LoadResult& result) {
  row["loss"] = result.sent == 0
                    ? 0.0
                    : static_cast<double>(result.dropped()) / static_cast<double>(result.sent);
}

std::vector<Plot> plots(const std::vector<nlohmann::json>& rows) {
  Plot loss{"ring-size-loss",
            "Loss of bursts at half of what the host forwards",
            "receive ring, descriptors",
            "frames lost, %",
            {}};
  Plot latency{"ring-size-latency",
               "Latency of what was not lost",
               "receive ring, descriptors",
               "99th percentile, us",
               {}};
  loss.log_x = latency.log_x = true;
  loss.legend_above = latency.legend_above = true;
  std::map<unsigned, std::pair<Series, Series>> series;
  for (const nlohmann::json& row : rows) {
    const unsigned burst = row["burst"];
    auto& [lost, late] = series[burst];
    lost.title = late.title = "bursts of " + std::to_string(burst);
    lost.points.emplace_back(row["ring"], 100 * row["loss"].get<double>());
    late.points.emplace_back(row["ring"], row["latency_us_p99"]);
  }
  for (auto& [burst, lines] : series) {
    loss.series.push_back(lines.first);
    latency.series.push_back(lines.second);
  }
  return {loss, latency};
}

}  // namespace

Experiment ring_size() {
  return {
      "ring-size",
      "Loss and latency of bursts by the size of the receive ring",
      {"reproduces nothing published; what it shows is arithmetic made visible: a burst that the "
       "ring and the NIC's store do not hold is lost in part, though the mean rate is half of what "
       "the host forwards, and each descriptor more is latency for what would have been lost."},
      {},
      {{"burst", "burst"},
       {"ring", "ring"},
       {"offered_pps", "offered/s", "{:.0f}"},
       {"delivered_pps", "forwarded/s", "{:.0f}"},
       {"loss", "lost", "{:.4f}"},
       {"latency_us_median", "median us", "{:.1f}"},
       {"latency_us_p99", "99th us", "{:.1f}"},
       {"rx_interrupts", "rx irq"},
       {"cpu_softirq", "softirq", "{:.3f}"},
       {"drops", "drops of the run"}},
      points,
      fill,
      nullptr,
      plots,
  };
}

}  // namespace nicroscope::sim
