// SPDX-License-Identifier: Apache-2.0
#include "sim/bench/bench_rtl.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <span>

#include "sim/bench/loaded_nic.h"

namespace nicroscope::sim {
namespace {

constexpr unsigned kSizes[] = {64, 65, 128, 129, 256, 512, 1024, 1518, 9018};
// The simple Internet mix: seven short, four middle, one long.
constexpr unsigned kMix[] = {64, 64, 594, 64, 64, 594, 64, 1518, 64, 594, 64, 594};

constexpr Duration kWarmUp = std::chrono::microseconds{100};
constexpr Duration kWindow = std::chrono::microseconds{2000};
constexpr Duration kStep = std::chrono::nanoseconds{500};  // between looks at the counts

struct Flow {
  std::uint64_t frames;
  Time time;
};

/// Frames a second of one direction between its first frame after the warm-up and its last.
class Meter {
 public:
  void note(std::uint64_t frames, Time now) {
    if (frames == last_.frames) return;
    last_ = {frames, now};
    if (now >= kWarmUp && first_.frames == 0) first_ = last_;
  }
  [[nodiscard]] double rate() const {
    const double seconds = std::chrono::duration<double>(last_.time - first_.time).count();
    return seconds > 0 ? static_cast<double>(last_.frames - first_.frames) / seconds : 0;
  }

 private:
  Flow first_{0, Time{0}};
  Flow last_{0, Time{0}};
};

Result<RtlCase> run_case(const std::string& profile, std::uint64_t seed, Direction direction,
                         std::span<const unsigned> sizes, std::string label) {
  auto loaded = LoadedNic::create(profile, seed, direction, sizes);
  if (!loaded) return Error{loaded.error()};
  LoadedNic& nic = **loaded;
  EventQueue& timeline = nic.simulation().timeline();

  Meter rx;
  Meter tx;
  const Time begin = timeline.now();
  while (timeline.now() < begin + kWarmUp + kWindow) {
    if (const std::string problem = nic.run_for(kStep); !problem.empty()) {
      return Error{fmt::format("{} {}: {}", name_of(direction), label, problem)};
    }
    rx.note(nic.received(), timeline.now() - begin);
    tx.note(nic.sent(), timeline.now() - begin);
  }

  const Profile& p = nic.simulation().profile();
  double datapath = 0;  // seconds a frame, for the mix's mean
  for (const unsigned size : sizes) datapath += 1 / datapath_bound(p, direction, size);
  datapath = static_cast<double>(sizes.size()) / datapath;
  const double link = link_bound(p, nic.traffic().mean_size());
  const double bound = std::min(link, datapath);
  RtlCase row{direction, std::move(label), 0, 0, 0, std::numeric_limits<double>::max()};
  const auto add = [&](const Meter& meter) {
    row.frames_per_second += meter.rate();
    row.link_bound += link;
    row.datapath_bound += datapath;
    row.ratio = std::min(row.ratio, meter.rate() / bound);
  };
  if (direction != Direction::tx) add(rx);
  if (direction != Direction::rx) add(tx);
  return row;
}

}  // namespace

Result<std::vector<RtlCase>> bench_rtl(const std::string& profile, std::uint64_t seed) {
  std::vector<RtlCase> rows;
  for (const Direction direction : {Direction::rx, Direction::tx, Direction::both}) {
    for (const unsigned& size : kSizes) {
      auto row = run_case(profile, seed, direction, {&size, 1}, fmt::format("{}", size));
      if (!row) return Error{row.error()};
      rows.push_back(*row);
    }
    auto row = run_case(profile, seed, direction, kMix, "mix");
    if (!row) return Error{row.error()};
    rows.push_back(*row);
  }
  return rows;
}

}  // namespace nicroscope::sim
