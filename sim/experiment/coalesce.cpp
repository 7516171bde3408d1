// SPDX-License-Identifier: Apache-2.0
#include "sim/experiment/coalesce.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include "sim/experiment/changing_load.h"

namespace nicroscope::sim {
namespace {

constexpr std::array<unsigned, 4> kUsecs{8, 32, 64, 128};
constexpr std::array<unsigned, 3> kFrames{8, 32, 128};
constexpr const char* kMix = "mix";

/// What comes in.
struct Kind {
  const char* name;
  void (*set)(LoadOptions& options, bool fewer);
};
constexpr std::array<Kind, 4> kKinds{{
    {kBulkPhase,
     [](LoadOptions& options, bool /*fewer*/) {
       options.workload = Workload::forward;
       options.load.spacing = Spacing::poisson;
       options.load.frames_per_second = kBulkRate;
     }},
    {kRequestPhase,
     [](LoadOptions& options, bool /*fewer*/) {
       options.workload = Workload::echo;
       options.load.outstanding = 1;
     }},
    {"bursts",
     [](LoadOptions& options, bool /*fewer*/) {
       options.workload = Workload::local;
       options.load.spacing = Spacing::bursts;
       options.load.burst = 64;
       options.load.frames_per_second = 100e3;
     }},
    {kMix, [](LoadOptions& options, bool fewer) { options.phases = changing_load(fewer); }},
}};

/// Measured is what is there once it has adapted; of the mix, whole turns, adapting included.
void set_times(LoadOptions& options, bool adaptive, bool fewer) {
  using std::chrono::milliseconds;
  options.warm_up = adaptive ? milliseconds{60} : milliseconds{3};
  options.window = fewer ? milliseconds{4} : milliseconds{12};
  if (adaptive && !fewer) options.window = milliseconds{30};
  if (options.phases.empty()) return;
  const Duration turn = turn_of(options.phases);
  options.warm_up = turn;
  options.window = turn;
}

std::vector<Point> points(const Scenario& scenario, bool fewer) {
  std::vector<Point> result;
  for (const Kind& kind : kKinds) {
    const auto add = [&](const char* setting, unsigned usecs, unsigned frames) {
      const bool adaptive = std::string_view(setting) == "adaptive";
      Point point;
      point.labels = {
          {"load", kind.name}, {"setting", setting}, {"usecs", usecs}, {"frames", frames}};
      if (adaptive) point.labels["usecs"] = point.labels["frames"] = nullptr;
      point.options.scenario = scenario;
      kind.set(point.options, fewer);
      set_times(point.options, adaptive, fewer);
      Scenario::Host& host = point.options.scenario.host;
      host.rx_usecs = host.tx_usecs = usecs;
      host.rx_frames = host.tx_frames = frames;
      host.adaptive_rx = host.adaptive_tx = adaptive;
      result.push_back(std::move(point));
    };
    add("none", 0, 0);
    for (const unsigned usecs : kUsecs) {
      for (const unsigned frames : kFrames) {
        if (!fewer || (usecs != 8 && usecs != 64 && frames == 32)) add("fixed", usecs, frames);
      }
    }
    add("adaptive", 0, 0);
  }
  return result;
}

const WindowResult& phase_of(const LoadResult& result, const char* name) {
  for (const auto& [phase, window] : result.phases) {
    if (phase == name) return window;
  }
  return result;
}

// Of the mix, the latency is that of the questions and the processor's time that of the bulk: each
// is what its phase is about.
void fill(nlohmann::json& row, const LoadResult& result) {
  const WindowResult& bulk = phase_of(result, kBulkPhase);
  const WindowResult& request = phase_of(result, kRequestPhase);
  const double cost = bulk.delivered_pps > 0 ? 1e6 * bulk.cpu.busy() / bulk.delivered_pps : 0.0;
  row["cpu"] = result.cpu.busy();
  row["cpu_us_per_frame"] = cost;
  row["frames_per_cpu_second"] = cost > 0 ? 1e6 / cost : 0.0;
  row["latency_us_median"] = request.latency_us_median;
  row["latency_us_p99"] = request.latency_us_p99;
  row["frames_per_interrupt"] = result.interrupts == 0
                                    ? nlohmann::json(nullptr)
                                    : nlohmann::json(static_cast<double>(result.window_sent) /
                                                     static_cast<double>(result.interrupts));
}

/// Marks what no other setting beats: better in latency or in frames for a second of a CPU, worse
/// in neither. What is within a hundredth is the same.
void finish(std::vector<nlohmann::json>& rows) {
  const auto beats = [](const nlohmann::json& a, const nlohmann::json& b) {
    constexpr double kSame = 1.01;
    const double late_a = a["latency_us_median"];
    const double late_b = b["latency_us_median"];
    const double rate_a = a["frames_per_cpu_second"];
    const double rate_b = b["frames_per_cpu_second"];
    return late_a <= late_b * kSame && rate_a * kSame >= rate_b &&
           (late_a * kSame < late_b || rate_a > rate_b * kSame);
  };
  for (nlohmann::json& row : rows) {
    const bool beaten = std::ranges::any_of(rows, [&](const nlohmann::json& other) {
      return other["load"] == row["load"] && beats(other, row);
    });
    row["on_frontier"] = !beaten;
    row["frontier"] = beaten ? "" : "*";
  }
}

std::string name_of(const nlohmann::json& row) {
  if (row["setting"] != "fixed") return row["setting"];
  return fmt::format("{}us/{}", row["usecs"].get<unsigned>(), row["frames"].get<unsigned>());
}

Plot frontier_plot(const std::vector<nlohmann::json>& rows, const std::string& load) {
  const bool mix = load == kMix;
  Plot plot{"coalesce-" + load,
            mix ? "Latency against throughput: bulk and request-response in turns"
                : "Latency against throughput: " + load,
            mix ? "median latency of the questions, us" : "median latency, us",
            std::string("frames for a second of a CPU") + (mix ? ", in bulk" : "") + ", 1000",
            {}};
  plot.log_x = plot.legend_above = true;
  std::vector<const nlohmann::json*> frontier;
  Series fixed{"fixed", {}, Series::Style::points};
  std::map<std::string, Series> other;
  const auto place = [](const nlohmann::json& row) {
    return std::pair{row["latency_us_median"].get<double>(),
                     row["frames_per_cpu_second"].get<double>() / 1000};
  };
  for (const nlohmann::json& row : rows) {
    if (row["load"] != load) continue;
    if (row["on_frontier"].get<bool>()) frontier.push_back(&row);
    const std::string setting = row["setting"];
    if (setting == "fixed") {
      fixed.points.push_back(place(row));
    } else {
      other[setting] = {setting, {place(row)}, Series::Style::points};
    }
  }
  std::ranges::sort(frontier, {}, [&](const nlohmann::json* row) { return place(*row); });
  Series edge{"the frontier: us/frames", {}, Series::Style::dashes};
  for (const nlohmann::json* row : frontier) {
    edge.points.push_back(place(*row));
    edge.names.push_back(name_of(*row));
  }
  plot.series = {edge, fixed};
  for (auto& [name, series] : other) plot.series.push_back(series);
  return plot;
}

std::vector<Plot> plots(const std::vector<nlohmann::json>& rows) {
  std::vector<Plot> result;
  for (const Kind& kind : kKinds) result.push_back(frontier_plot(rows, kind.name));
  return result;
}

}  // namespace

Experiment coalesce() {
  return {
      "coalesce",
      "Interrupt moderation: latency against throughput, fixed and adaptive, for four loads",
      {"reproduces: what every vendor's manual says without figures; a delay that saves "
       "interrupts under bulk is pure loss for one request at a time. A fixed setting is good in "
       "one phase of the mix; net_dim (adaptive) finds each phase's, at the price of the time "
       "that it takes to.",
       "the loads: bulk is 400,000 frames/s forwarded; request-response one datagram on the way "
       "at once, echoed by a process; bursts 64 frames at once to a process, 100,000/s on the "
       "average; mix is bulk for 40 ms and request-response for 100 ms, in turns: its latency is "
       "that of the questions, its CPU us/frame that of the bulk, everything else of both.",
       "throughput is what a busy CPU would do: frames for a second of its time. * is on the "
       "frontier: no other setting has both lower latency and more throughput.",
       "moderation is the NIC's (VIRTIO_NET_F_NOTF_COAL), the same for receive and transmit; "
       "adaptive sets both by net_dim, queue by queue (VIRTIO_NET_F_VQ_NOTF_COAL), and is "
       "measured once it has settled, but for the mix."},
      {},
      {{"load", "load"},
       {"setting", "moderation"},
       {"usecs", "us"},
       {"frames", "frames"},
       {"frontier", "frontier"},
       {"delivered_pps", "delivered/s", "{:.0f}"},
       {"interrupts", "interrupts"},
       {"frames_per_interrupt", "frames/irq", "{:.1f}"},
       {"cpu", "CPU", "{:.3f}"},
       {"cpu_us_per_frame", "CPU us/frame", "{:.3f}"},
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
