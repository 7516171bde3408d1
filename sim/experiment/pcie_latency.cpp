// SPDX-License-Identifier: Apache-2.0
#include "sim/experiment/pcie_latency.h"

#include <array>
#include <map>
#include <string>
#include <utility>

namespace nicroscope::sim {
namespace {

/// Round trips of a read, one way's latency being half of it.
constexpr std::array<unsigned, 5> kRoundTrips{250, 500, 1000, 1500, 2000};
constexpr double kOverload = 1.6e6;

std::vector<Point> points(const Scenario& scenario, bool fewer) {
  std::vector<Point> result;
  constexpr std::pair<Workload, const char*> kWays[] = {{Workload::forward, "none"},
                                                        {Workload::forward, "poll"},
                                                        {Workload::forward, "frame"},
                                                        {Workload::local, "none"},
                                                        {Workload::local, "frame"}};
  for (const auto& [workload, reads] : kWays) {
    for (const unsigned round_trip : kRoundTrips) {
      if (fewer && round_trip != 500 && round_trip != 1000) continue;
      Point point;
      point.labels = {
          {"workload", name_of(workload)}, {"register_reads", reads}, {"pcie_ns", round_trip}};
      point.options.workload = workload;
      Scenario& s = point.options.scenario = scenario;
      s.bus.read_latency_ns = round_trip;
      s.bus.register_read_ns = round_trip;
      s.bus.write_latency_ns = round_trip / 2;
      s.bus.register_write_ns = round_trip / 2;
      s.host.head_reads = reads;
      point.options.load.frames_per_second = kOverload;
      point.options.warm_up = std::chrono::milliseconds{2};
      // A process and ksoftirqd take turns of milliseconds.
      const bool turns = workload == Workload::local;
      point.options.window = std::chrono::milliseconds{fewer && !turns ? 4 : 10};
      result.push_back(std::move(point));
    }
  }
  return result;
}

void finish(std::vector<nlohmann::json>& rows) {
  constexpr double kMicrosecond = 1e6;
  constexpr double kNanosecondsPerMicrosecond = 1000;
  // Against 500 ns, as SimBricks' pair; and beside what a frame takes where nothing is read, with
  // the round trip of a read on top.
  std::map<std::string, double> base;
  std::map<std::string, double> unread;
  const auto way = [](const nlohmann::json& row) {
    return row["workload"].get<std::string>() + row["register_reads"].get<std::string>();
  };
  const auto place = [](const nlohmann::json& row) {
    return row["workload"].get<std::string>() + row["pcie_ns"].dump();
  };
  for (nlohmann::json& row : rows) {
    const double delivered = row["delivered_pps"];
    if (delivered <= 0) continue;
    row["us_per_frame"] = kMicrosecond / delivered;
    if (row["pcie_ns"] == 500) base[way(row)] = delivered;
    if (row["register_reads"] == "none") unread[place(row)] = kMicrosecond / delivered;
  }
  for (nlohmann::json& row : rows) {
    const double reference = base[way(row)];
    if (reference > 0) row["change"] = row["delivered_pps"].get<double>() / reference - 1;
    if (row["register_reads"] != "frame") continue;
    row["us_expected"] =
        unread[place(row)] + row["pcie_ns"].get<double>() / kNanosecondsPerMicrosecond;
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
    if (row["workload"] != "forward") continue;
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
       "latency doubles to 1 us; one that reads a register of the device to receive does "
       "(SimBricks, SIGCOMM 2022: 0 and -21.2 %).",
       "the arithmetic: the processor waits for a read, so a frame takes what it takes without one "
       "and the round trip besides (`expected`). A host that spends B us on a frame loses "
       "0.5 / (B + 1) when the round trip doubles from 0.5 us: SimBricks' 21.2 % where B is 1.36.",
       "resembles only: SimBricks measured TCP over a driver that reads the head once for each "
       "batch; a NAPI poll at overload has 64 frames in its batch, over which one read is nothing, "
       "so the other end is shown too: a read a frame, as where batches are small.",
       "transmit interrupts are moderated: without that, they come for every frame where the bus "
       "is fast enough to have one sent before the next."},
      {"host.tx_usecs=100", "host.tx_frames=32"},
      {{"workload", "workload"},
       {"register_reads", "reads"},
       {"pcie_ns", "PCIe ns"},
       {"offered_pps", "offered/s", "{:.0f}"},
       {"delivered_pps", "forwarded/s", "{:.0f}"},
       {"change", "against 500 ns", "{:+.4f}"},
       {"us_per_frame", "us a frame", "{:.3f}"},
       {"us_expected", "expected", "{:.3f}"},
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
