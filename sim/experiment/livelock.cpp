// SPDX-License-Identifier: Apache-2.0
#include "sim/experiment/livelock.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>

namespace nicroscope::sim {
namespace {

/// Offered frames a second of the 2001 machine: three times what it forwards with interrupts.
constexpr std::array<double, 14> kRates{10e3, 20e3, 30e3,  40e3,  50e3,  60e3,  70e3,
                                        80e3, 90e3, 100e3, 120e3, 140e3, 160e3, 180e3};
constexpr std::array<double, 4> kFewRates{20e3, 60e3, 100e3, 180e3};
constexpr std::array<Workload, 2> kWorkloads{Workload::forward, Workload::local};
constexpr std::array<const char*, 3> kArchitectures{"interrupt", "napi", "poll"};

std::vector<Point> points(const Scenario& scenario, bool fewer) {
  std::vector<Point> result;
  const std::span<const double> rates =
      fewer ? std::span<const double>(kFewRates) : std::span<const double>(kRates);
  for (const Workload workload : kWorkloads) {
    for (const char* const architecture : kArchitectures) {
      for (const double rate : rates) {
        Point point;
        point.labels = {{"workload", name_of(workload)}, {"architecture", architecture}};
        point.options.scenario = scenario;
        point.options.scenario.host.receive = architecture;
        point.options.workload = workload;
        point.options.load.frames_per_second = rate;
        point.options.load.spacing = Spacing::poisson;
        point.options.warm_up = std::chrono::milliseconds{10};
        point.options.window = std::chrono::milliseconds{fewer ? 20 : 40};
        result.push_back(point);
      }
    }
  }
  return result;
}

std::string series_of(const nlohmann::json& row) {
  return row["workload"].get<std::string>() + "/" + row["architecture"].get<std::string>();
}

double busy(const nlohmann::json& row) {
  return row["cpu_hardirq"].get<double>() + row["cpu_softirq"].get<double>() +
         row["cpu_process"].get<double>();
}

/// Useful processor time: what the delivered frames would have taken at the load at which this
/// architecture spends least on each.
void finish(std::vector<nlohmann::json>& rows) {
  std::map<std::string, double> least;  // CPU seconds a delivered frame
  for (const nlohmann::json& row : rows) {
    const double delivered = row["delivered_pps"];
    if (delivered <= 0) continue;
    const double each = busy(row) / delivered;
    const auto [entry, fresh] = least.emplace(series_of(row), each);
    if (!fresh) entry->second = std::min(entry->second, each);
  }
  for (nlohmann::json& row : rows) {
    row["cpu_useful"] = least[series_of(row)] * row["delivered_pps"].get<double>();
  }
}

Plot delivered_plot(const std::vector<nlohmann::json>& rows, Workload workload) {
  const std::string name(name_of(workload));
  Plot plot{"livelock-" + name,
            workload == Workload::forward ? "Forwarding: offered and delivered, one CPU of 2001"
                                          : "Delivery to a process: one CPU of 2001",
            "offered, 1000 frames/s",
            "delivered, 1000 frames/s",
            {}};
  Series ideal{"all that is offered", {}, Series::Style::dashes};
  for (const char* const architecture : kArchitectures) {
    Series series{architecture, {}, Series::Style::line};
    for (const nlohmann::json& row : rows) {
      if (row["workload"] != name || row["architecture"] != architecture) continue;
      series.points.emplace_back(row["offered_pps"].get<double>() / 1000,
                                 row["delivered_pps"].get<double>() / 1000);
    }
    plot.series.push_back(std::move(series));
  }
  const double top = kRates[7] / 1000;
  ideal.points = {{0, 0}, {top, top}};
  plot.series.push_back(std::move(ideal));
  plot.legend_above = true;
  return plot;
}

Plot cpu_plot(const std::vector<nlohmann::json>& rows, Workload workload,
              const char* architecture) {
  const std::string name(name_of(workload));
  Plot plot{"livelock-cpu-" + name + "-" + architecture,
            "Where the processor's time goes: " + name + ", " + architecture,
            "offered, 1000 frames/s",
            "share of the CPU, %",
            {{"hard interrupts", {}},
             {"softirqs", {}},
             {"processes", {}},
             {"useful", {}, Series::Style::dashes}}};
  for (const nlohmann::json& row : rows) {
    if (row["workload"] != name || row["architecture"] != architecture) continue;
    const double offered = row["offered_pps"].get<double>() / 1000;
    std::size_t line = 0;
    for (const char* const share : {"cpu_hardirq", "cpu_softirq", "cpu_process", "cpu_useful"}) {
      plot.series[line++].points.emplace_back(offered, 100 * row[share].get<double>());
    }
  }
  plot.legend_above = true;
  return plot;
}

std::vector<Plot> plots(const std::vector<nlohmann::json>& rows) {
  std::vector<Plot> result;
  for (const Workload workload : kWorkloads) {
    result.push_back(delivered_plot(rows, workload));
    for (const char* const architecture : kArchitectures) {
      result.push_back(cpu_plot(rows, workload, architecture));
    }
  }
  return result;
}

}  // namespace

Experiment livelock() {
  return {
      "livelock",
      "Frames offered beyond what the host can take, by receive architecture",
      {"reproduces: with an interrupt a frame and netif_rx's backlog, forwarding rises to a peak "
       "near "
       "60,000 frames/s and then collapses to nothing as interrupts take the whole CPU; with NAPI "
       "it "
       "saturates and stays (Guffens 2003, after Salim, Olsson and Kuznetsov 2001; Mogul and "
       "Ramakrishnan 1996 for delivery to a process).",
       "fitted: the profile's scale, by the 60,000. The height of NAPI's plateau, the place at "
       "which "
       "nothing is left, and all of the delivery to a process follow.",
       "resembles only: the NIC is this one, on PCI Express and a link of 10 Gbit/s, not a Tulip "
       "on PCI "
       "and one of 100 Mbit/s; a router has one interface. poll is a program in user space that "
       "owns the "
       "NIC, of which there was none in 2001: its CPU is always busy, and it does less for a "
       "frame.",
       "to be seen: delivered to a process under NAPI there is a dip before the plateau, where "
       "softirqs at the end of interrupts, each short enough to come to its end, leave the process "
       "too little; past it ksoftirqd has them and shares (docs/experiments.md).",
       "useful: the time that the delivered frames would have taken where each took least."},
      {"host.costs=pentium2-2001", "host.hz=100", "host.max_interrupt_work=1"},
      {{"workload", "workload"},
       {"architecture", "architecture"},
       {"offered_pps", "offered/s", "{:.0f}"},
       {"delivered_pps", "delivered/s", "{:.0f}"},
       {"cpu_hardirq", "hardirq", "{:.3f}"},
       {"cpu_softirq", "softirq", "{:.3f}"},
       {"cpu_process", "process", "{:.3f}"},
       {"cpu_useful", "useful", "{:.3f}"},
       {"rx_interrupts", "rx irq"},
       {"tx_interrupts", "tx irq"},
       {"polls", "polls"},
       {"latency_us_median", "median us", "{:.0f}"},
       {"drops", "drops of the run"}},
      points,
      nullptr,
      finish,
      plots,
  };
}

}  // namespace nicroscope::sim
