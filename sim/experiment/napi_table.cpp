// SPDX-License-Identifier: Apache-2.0
#include "sim/experiment/napi_table.h"

#include <algorithm>
#include <cmath>

#include "sim/experiment/published.h"

namespace nicroscope::sim {
namespace {

constexpr double kMillion = 1e6;
constexpr unsigned kFcsBytes = 4;

std::vector<Point> points(const Scenario& scenario, bool fewer) {
  const double frames = fewer ? 2'000 : 20'000;
  std::vector<Point> result;
  for (const NapiHowto& row : kNapiHowto) {
    if (fewer && (row.size == 128 || row.size == 1440)) continue;
    Point point;
    point.labels = {{"size", row.size},
                    {"published",
                     {{"forwarded", row.forwarded},
                      {"rx_interrupts", row.rx_interrupts},
                      {"tx_interrupts", row.tx_interrupts},
                      {"polls_done", row.polls_done},
                      {"polls_not_done", row.polls_not_done}}}};
    point.options.scenario = scenario;
    point.options.load.sizes = {row.size + kFcsBytes};
    point.options.load.frames_per_second = row.offered_pps;
    point.options.load.spacing = Spacing::constant;
    point.options.warm_up = std::chrono::milliseconds{5};
    point.options.window =
        Duration{std::llround(frames / row.offered_pps * 1e12)};  // so many frames of it
    result.push_back(std::move(point));
  }
  return result;
}

void fill(nlohmann::json& row, const LoadResult& result) {
  const double offered = row["offered_pps"];
  const double scale = offered > 0 ? row["delivered_pps"].get<double>() / offered : 0;
  const double per_million =
      kMillion / static_cast<double>(std::max<std::uint64_t>(1, result.window_sent));
  row["forwarded"] = scale * kMillion;
  row["rx_per_million"] = static_cast<double>(result.rx_interrupts) * per_million;
  row["tx_per_million"] = static_cast<double>(result.tx_interrupts) * per_million;
  row["done_per_million"] = static_cast<double>(result.polls_emptied) * per_million;
  row["not_done_per_million"] = static_cast<double>(result.polls_full) * per_million;
}

std::vector<Plot> plots(const std::vector<nlohmann::json>& rows) {
  Plot plot{
      "napi-table",
      "Receive interrupts of a million frames, forwarded under NAPI",
      "frame size, bytes",
      "receive interrupts",
      {{"measured here", {}, Series::Style::line}, {"Olsson's e1000", {}, Series::Style::dashes}}};
  plot.log_y = true;
  plot.legend_above = true;
  for (const nlohmann::json& row : rows) {
    const double size = row["size"];
    plot.series[0].points.emplace_back(size, std::max(1.0, row["rx_per_million"].get<double>()));
    plot.series[1].points.emplace_back(size, row["published"]["rx_interrupts"].get<double>());
  }
  return {plot};
}

}  // namespace

Experiment napi_table() {
  return {
      "napi-table",
      "Interrupts and polls of a million forwarded frames by size, beside the NAPI_HOWTO's table",
      {"reproduces: at overload (60 to 256 bytes) next to no receive interrupts, at light load one "
       "a frame, the change between 256 and 1024 bytes.",
       "fitted: the profile's scale, by the frames forwarded at 60 bytes; transmit moderation (50 "
       "frames or 600 us), by the table's transmit interrupts. All else follows.",
       "frames come evenly: from 256 bytes on, the table's offered rates are the line's.",
       "resembles only: Olsson's e1000 may have merged interrupts by bursts of descriptors, and "
       "two "
       "interfaces "
       "shared PCI; this is one interface both ways.",
       "per million frames offered, from a shorter run."},
      {"host.costs=xeon-2002", "host.hz=100", "host.tx_usecs=600", "host.tx_frames=50"},
      {{"size", "size"},
       {"offered_pps", "offered/s", "{:.0f}"},
       {"forwarded", "forwarded", "{:.0f}"},
       {"published.forwarded", "(table)", "{:.0f}"},
       {"rx_per_million", "rx irq", "{:.0f}"},
       {"published.rx_interrupts", "(table)", "{:.0f}"},
       {"tx_per_million", "tx irq", "{:.0f}"},
       {"published.tx_interrupts", "(table)", "{:.0f}"},
       {"done_per_million", "emptied", "{:.0f}"},
       {"published.polls_done", "(table)", "{:.0f}"},
       {"not_done_per_million", "did not", "{:.0f}"},
       {"published.polls_not_done", "(table)", "{:.0f}"},
       {"drops", "drops"}},
      points,
      fill,
      nullptr,
      plots,
  };
}

}  // namespace nicroscope::sim
