// SPDX-License-Identifier: Apache-2.0
#include "sim/bench/bench_rtl.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "sim/bench/loaded_nic.h"

namespace nicroscope::sim {
namespace {

constexpr unsigned kMostPairs = 16;  // for which the host has memory
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

RtlCase run_case(const Load& load, const std::string& label) {
  const Direction direction = load.direction;
  RtlCase row{.direction = direction,
              .size = label,
              .pairs = load.pairs,
              .frames_per_second = 0,
              .link_bound = 0,
              .datapath_bound = 0,
              .ratio = std::numeric_limits<double>::max(),
              .lost = 0,
              .problem = {}};
  auto loaded = LoadedNic::create(load);
  if (!loaded) {
    row.problem = loaded.error();
    row.ratio = 0;
    return row;
  }
  LoadedNic& nic = **loaded;
  EventQueue& timeline = nic.simulation().timeline();

  Meter rx;
  Meter tx;
  const Time begin = timeline.now();
  while (timeline.now() < begin + kWarmUp + kWindow && row.problem.empty()) {
    row.problem = nic.run_for(kStep);
    rx.note(nic.received(), timeline.now() - begin);
    tx.note(nic.sent(), timeline.now() - begin);
  }

  const Profile& p = nic.simulation().profile();
  double datapath = 0;  // seconds a frame, for the mix's mean
  for (const unsigned size : load.sizes)
    datapath += 1 / datapath_bound(p, direction, size, load.pairs);
  datapath = static_cast<double>(load.sizes.size()) / datapath;
  const double link = link_bound(p, nic.traffic().mean_size());
  const double bound = std::min(link, datapath);
  const auto add = [&](const Meter& meter) {
    row.frames_per_second += meter.rate();
    row.link_bound += link;
    row.datapath_bound += datapath;
    row.ratio = std::min(row.ratio, meter.rate() / bound);
  };
  if (direction != Direction::tx) add(rx);
  if (direction != Direction::rx) add(tx);
  if (direction == Direction::tx || !row.problem.empty()) return row;

  row.problem = nic.finish();
  row.lost = nic.lost();
  if (row.problem.empty() && row.lost != 0 && link <= datapath) {
    row.problem = fmt::format("{} frames lost that the bus could have carried", row.lost);
  }
  return row;
}

}  // namespace

std::vector<std::string> bench_rtl_sizes() {
  std::vector<std::string> names;
  for (const unsigned size : kSizes) names.push_back(fmt::format("{}", size));
  names.emplace_back("mix");
  return names;
}

std::vector<RtlCase> bench_rtl(const std::string& profile, std::uint64_t seed,
                               const std::vector<std::string>& sizes) {
  const auto wanted = [&](const std::string& size) {
    return sizes.empty() || std::ranges::find(sizes, size) != sizes.end();
  };
  std::vector<RtlCase> rows;
  const auto known = find_profile(profile);
  const unsigned all = known ? std::min(known->queue_pairs, kMostPairs) : 1;
  Load load{.profile = profile, .seed = seed, .sizes = {}, .bus = BusOptions::gen4_x16()};
  for (const unsigned pairs : {1U, all}) {
    if (!rows.empty() && pairs == 1) break;  // one is all
    load.pairs = pairs;
    for (const Direction direction : {Direction::rx, Direction::tx, Direction::both}) {
      load.direction = direction;
      for (const unsigned& size : kSizes) {
        const std::string name = fmt::format("{}", size);
        load.sizes = {&size, 1};
        if (wanted(name)) rows.push_back(run_case(load, name));
      }
      load.sizes = kMix;
      if (wanted("mix")) rows.push_back(run_case(load, "mix"));
    }
  }
  return rows;
}

}  // namespace nicroscope::sim
