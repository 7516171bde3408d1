// SPDX-License-Identifier: Apache-2.0
#include "sim/bench/bench_sim.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/bench/loaded_nic.h"
#include "sim/bench/reference.h"
#include "sim/bench/yardstick.h"

namespace nicroscope::sim {
namespace {

constexpr unsigned kSizes[] = {60, 1500};
constexpr unsigned kFcsBytes = 4;
constexpr Duration kWarmUp = std::chrono::microseconds{50};
constexpr Duration kSlice = std::chrono::microseconds{20};
// NIC and yardstick run in turns, so that what else the machine does slows down both alike.
constexpr double kTurnSeconds = 0.01;
constexpr double kScoreSeconds = 0.01;

struct Speed {
  double frames;  // a second
  double cycles;
  double score;  // the mean of all turns
};

Result<Speed> run_case(const std::string& profile, std::uint64_t seed, Direction direction,
                       unsigned size, double seconds) {
  const unsigned wire_size = size + kFcsBytes;
  auto loaded = LoadedNic::create({.profile = profile,
                                   .seed = seed,
                                   .direction = direction,
                                   .sizes = {&wire_size, 1},
                                   .bus = BusOptions::ideal(),
                                   .unpaced = true});
  if (!loaded) return Error{loaded.error()};
  LoadedNic& nic = **loaded;
  std::string problem = nic.run_for(kWarmUp);

  const auto frames = [&] { return nic.received() + nic.sent(); };
  const auto cycles = [&] { return nic.simulation().counters().cycles; };
  const std::uint64_t frames_before = frames();
  const Cycle cycles_before = cycles();
  double elapsed = 0;
  double scores = 0;
  unsigned turns = 0;
  while (problem.empty() && elapsed < seconds) {
    const double begin = processor_seconds();
    double turn = 0;
    while (problem.empty() && turn < std::min(kTurnSeconds, seconds)) {
      problem = nic.run_for(kSlice);
      turn = processor_seconds() - begin;
    }
    elapsed += turn;
    scores += yardstick_score(kScoreSeconds);
    ++turns;
  }
  const Speed speed{static_cast<double>(frames() - frames_before) / elapsed,
                    static_cast<double>(cycles() - cycles_before) / elapsed, scores / turns};
  if (problem.empty()) problem = nic.finish();
  if (problem.empty() && nic.lost() != 0) {
    problem = fmt::format("{} frames were lost", nic.lost());
  }
  if (!problem.empty()) return Error{fmt::format("{} {}: {}", name_of(direction), size, problem)};
  return speed;
}

}  // namespace

Result<std::vector<SimCase>> bench_sim(const std::string& profile, std::uint64_t seed,
                                       double seconds) {
  std::vector<SimCase> rows;
  for (const Direction direction : {Direction::rx, Direction::tx, Direction::both}) {
    for (const unsigned size : kSizes) {
      auto speed = run_case(profile, seed, direction, size, seconds);
      if (!speed) return Error{speed.error()};
      SimCase row{direction, size, speed->frames, speed->cycles, speed->score, std::nullopt, {}};
      if (const auto reference = speed_reference(profile, name_of(direction), size)) {
        row.ratio_to_reference = speed->frames / speed->score / reference->frames_per_score;
        row.reference = reference->source;
      }
      rows.push_back(row);
    }
  }
  return rows;
}

}  // namespace nicroscope::sim
