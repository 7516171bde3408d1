// SPDX-License-Identifier: Apache-2.0
#include "sim/experiment/pcie_latency.h"

#include <array>
#include <map>

namespace nicroscope::sim {
namespace {

/// Round trips of a read, one way's latency being half of it.
constexpr std::array<unsigned, 5> kRoundTrips{250, 500, 1000, 1500, 2000};
constexpr double kOverload = 1.6e6;

std::vector<Point> points(const Scenario& scenario, bool fewer) {
  std::vector<Point> result;
  for (const char* const reads : {"none", "poll", "frame"}) {
    for (const unsigned round_trip : kRoundTrips) {
      if (fewer && round_trip != 500 && round_trip != 1000) continue;
      Point point;
      point.labels = {{"register_reads", reads}, {"pcie_ns", round_trip}};
      Scenario& s = point.options.scenario = scenario;
      s.bus.read_latency_ns = round_trip;
      s.bus.register_read_ns = round_trip;
      s.bus.write_latency_ns = round_trip / 2;
      s.bus.register_write_ns = round_trip / 2;
      s.host.head_reads = reads;
      point.options.load.frames_per_second = kOverload;
      point.options.warm_up = std::chrono::milliseconds{2};
      point.options.window = std::chrono::milliseconds{fewer ? 4 : 10};
      result.push_back(std::move(point));
    }
  }
  return result;
}

void finish(std::vector<nlohmann::json>& rows) {
  // Against 500 ns, as SimBricks' pair.
  std::map<std::string, double> base;
  for (const nlohmann::json& row : rows) {
    if (row["pcie_ns"] == 500) base[row["register_reads"]] = row["delivered_pps"];
  }
  for (nlohmann::json& row : rows) {
    const double reference = base[row["register_reads"]];
    if (reference > 0) row["change"] = row["delivered_pps"].get<double>() / reference - 1;
  }
}

std::vector<Plot> plots(const std::vector<nlohmann::json>& rows) {
  Plot plot{"pcie-latency",
            "Frames forwarded at overload by PCIe's round trip",
            "PCIe read round trip, ns",
            "forwarded, 1000 frames/s",
            {}};
  plot.legend_above = true;
  std::map<std::string, Series> series;
  for (const nlohmann::json& row : rows) {
    const std::string head = row["register_reads"];
    series[head].title =
        head == "none" ? "used ring in memory (virtio)" : "a register read every " + head;
    series[head].points.emplace_back(row["pcie_ns"], row["delivered_pps"].get<double>() / 1000);
  }
  for (auto& [head, line] : series) plot.series.push_back(line);
  return {plot};
}

}  // namespace

Experiment pcie_latency() {
  return {
      "pcie-latency",
      "Frames forwarded at overload by PCIe latency, with and without a register read to receive",
      {"reproduces: a driver that finds what was received in memory loses nothing when PCIe "
       "latency "
       "doubles to 1 us; one that reads a register of the device to receive does (SimBricks, "
       "SIGCOMM "
       "2022: 0 and -21.2 %).",
       "resembles only: SimBricks measured TCP over a driver that reads the head once for each "
       "batch; "
       "a NAPI poll at overload has 64 frames in its batch, over which one read is nothing, so the "
       "other end is shown too: a read a frame, as where batches are small.",
       "transmit interrupts are moderated: without that, they come for every frame where the bus "
       "is "
       "fast enough to have one sent before the next."},
      {"host.tx_usecs=100", "host.tx_frames=32"},
      {{"register_reads", "reads"},
       {"pcie_ns", "PCIe ns"},
       {"offered_pps", "offered/s", "{:.0f}"},
       {"delivered_pps", "forwarded/s", "{:.0f}"},
       {"change", "against 500 ns", "{:+.4f}"},
       {"polls", "polls"},
       {"latency_us_median", "median us", "{:.1f}"},
       {"cpu_hardirq", "hardirq", "{:.3f}"},
       {"cpu_softirq", "softirq", "{:.3f}"},
       {"drops", "drops of the run"}},
      points,
      nullptr,
      finish,
      plots,
  };
}

}  // namespace nicroscope::sim
