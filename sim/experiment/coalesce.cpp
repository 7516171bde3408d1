// SPDX-License-Identifier: Apache-2.0
#include "sim/experiment/coalesce.h"

#include <array>
#include <map>

namespace nicroscope::sim {
namespace {

constexpr std::array<unsigned, 4> kUsecs{8, 32, 64, 128};
constexpr std::array<unsigned, 3> kFrames{8, 32, 128};

/// What comes in.
struct Kind {
  const char* name;
  void (*set)(LoadOptions& options);
};
constexpr std::array<Kind, 3> kKinds{{
    {"bulk",
     [](LoadOptions& options) {
       options.workload = Workload::forward;
       options.load.spacing = Spacing::poisson;
       options.load.frames_per_second = 400e3;
     }},
    {"request-response",
     [](LoadOptions& options) {
       options.workload = Workload::echo;
       options.load.outstanding = 1;
     }},
    {"bursts",
     [](LoadOptions& options) {
       options.workload = Workload::local;
       options.load.spacing = Spacing::bursts;
       options.load.burst = 64;
       options.load.frames_per_second = 100e3;
     }},
}};

std::vector<Point> points(const Scenario& scenario, bool fewer) {
  std::vector<Point> result;
  for (const Kind& kind : kKinds) {
    const auto add = [&](unsigned usecs, unsigned frames) {
      Point point;
      point.labels = {{"load", kind.name},
                      {"setting", usecs == 0 ? "none" : "fixed"},
                      {"usecs", usecs},
                      {"frames", frames}};
      kind.set(point.options);
      point.options.scenario = scenario;
      Scenario::Host& host = point.options.scenario.host;
      host.rx_usecs = host.tx_usecs = usecs;
      host.rx_frames = host.tx_frames = frames;
      point.options.warm_up = std::chrono::milliseconds{3};
      point.options.window = std::chrono::milliseconds{fewer ? 4 : 12};
      result.push_back(std::move(point));
    };
    add(0, 0);
    for (const unsigned usecs : kUsecs) {
      for (const unsigned frames : kFrames) {
        if (!fewer || (usecs != 8 && usecs != 64 && frames == 32)) add(usecs, frames);
      }
    }
  }
  return result;
}

void fill(nlohmann::json& row, const LoadResult& result) {
  const double delivered = row["delivered_pps"];
  const double seconds = 1e6 * result.cpu.busy();
  row["cpu_us_per_frame"] = delivered > 0 ? seconds / delivered : 0.0;
  row["frames_per_interrupt"] = result.interrupts == 0
                                    ? nlohmann::json(nullptr)
                                    : nlohmann::json(static_cast<double>(result.window_sent) /
                                                     static_cast<double>(result.interrupts));
}

std::vector<Plot> plots(const std::vector<nlohmann::json>& rows) {
  std::vector<Plot> result;
  for (const Kind& kind : kKinds) {
    Plot plot{std::string("coalesce-") + kind.name,
              std::string("Latency against processor time: ") + kind.name,
              "median latency, us",
              "processor time a frame, us",
              {}};
    plot.log_x = plot.legend_above = true;
    std::map<std::string, Series> series;
    for (const nlohmann::json& row : rows) {
      if (row["load"] != kind.name) continue;
      std::string title = row["setting"];
      if (title == "fixed")
        title = std::to_string(row["frames"].get<unsigned>()) + " frames, 8 to 128 us";
      Series& line = series[title];
      line.title = title;
      line.style = row["setting"] == "fixed" ? Series::Style::line : Series::Style::points;
      line.points.emplace_back(row["latency_us_median"], row["cpu_us_per_frame"]);
    }
    for (auto& [title, line] : series) plot.series.push_back(line);
    result.push_back(std::move(plot));
  }
  return result;
}

}  // namespace

Experiment coalesce() {
  return {
      "coalesce",
      "Interrupt moderation: latency against processor time, for three loads",
      {"reproduces: what every vendor's manual says without figures; a delay that saves interrupts "
       "under bulk is pure loss for one request at a time. The plots are the frontier between the "
       "two.",
       "the loads: bulk is 400,000 frames/s forwarded; request-response one datagram on the way at "
       "once, echoed by a process; bursts 64 frames at once to a process, 100,000/s on the "
       "average.",
       "moderation is the NIC's (VIRTIO_NET_F_NOTF_COAL), the same for receive and transmit."},
      {},
      {{"load", "load"},
       {"setting", "moderation"},
       {"usecs", "us"},
       {"frames", "frames"},
       {"delivered_pps", "delivered/s", "{:.0f}"},
       {"interrupts", "interrupts"},
       {"frames_per_interrupt", "frames/irq", "{:.1f}"},
       {"cpu_us_per_frame", "CPU us/frame", "{:.3f}"},
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
