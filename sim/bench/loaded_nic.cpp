// SPDX-License-Identifier: Apache-2.0
#include "sim/bench/loaded_nic.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "nicroscope/registers.h"
#include "sim/bench/bring_up.h"
#include "sim/scenario/scenario.h"

namespace nicroscope::sim {
namespace {

constexpr Duration kDrain = std::chrono::microseconds{200};
constexpr std::size_t kMemory = std::size_t{512} << 20;  // rings and 9018-byte buffers of 16 pairs
constexpr std::uint64_t kStoredFrames = 256;  // that any profile's receive store has places for
// Under way at the beginning, and one more with so many that arrived: a frame in every cycle is
// more than the receive parser takes for long.
constexpr std::uint64_t kOpening = 16;
constexpr std::uint64_t kWiden = 8;
constexpr std::size_t kStoreOverhead = 64;  // of a frame in the receive store, at most

// Frames under way to the host when there is no link to pace them: half of what the receive store
// holds in bytes and in frames, so that nothing is lost however late the host gets them.
std::uint64_t window_of(const Profile& profile, const Traffic& traffic) {
  const std::uint64_t stored = profile.rx_store_bytes / (traffic.longest() + kStoreOverhead);
  return std::min(stored, kStoredFrames) / 2;
}

}  // namespace

LoadedNic::LoadedNic(std::unique_ptr<Simulation> simulation, const Load& load)
    : simulation_(std::move(simulation)),
      traffic_(load.sizes, load.pairs),
      window_(load.unpaced ? window_of(simulation_->profile(), traffic_) : 0),
      source_(traffic_, load.unpaced ? std::min(window_, kOpening) : TrafficSource::kEndless),
      sink_(traffic_, load.pairs),
      host_(*simulation_, traffic_,
            {.direction = load.direction,
             .pairs = load.pairs,
             .on_received = load.unpaced ? [this] { open_window(); } : std::function<void()>{}}) {
  simulation_->wire().add_sink(sink_);
}

Result<std::unique_ptr<LoadedNic>> LoadedNic::create(const Load& load) {
  SimulationOptions options;
  options.profile = load.profile;
  options.variant = Variant::fast;
  options.bus = load.bus;
  options.unpaced_stream = load.unpaced;
  options.seed = load.seed;
  options.memory_bytes = kMemory;
  auto simulation = Simulation::create(options);
  if (!simulation) throw BadInput(simulation.error());
  std::unique_ptr<LoadedNic> loaded(new LoadedNic(std::move(*simulation), load));
  if (std::string problem = loaded->host_.start(); !problem.empty()) return Error{problem};
  if (load.direction != Direction::tx) loaded->simulation_->wire().set_source(&loaded->source_);
  return loaded;
}

void LoadedNic::open_window() {
  source_.allow(host_.received() + std::min(window_, kOpening + host_.received() / kWiden));
  simulation_->wire().wake();
}

std::string LoadedNic::finish() {
  window_ = 0;
  source_.allow(0);
  if (std::string problem = run_for(kDrain); !problem.empty()) return problem;
  std::uint64_t counted = 0;
  for (unsigned n = 0; n < regs::kNumCounters; ++n) {
    const regs::CounterInfo& counter = regs::kCounters[n];
    if (counter.drop && counter.name.starts_with("rx_")) counted += read_counter(*simulation_, n);
  }
  if (counted != lost()) {
    return fmt::format("{} frames were lost and {} counted as lost", lost(), counted);
  }
  return {};
}

std::string LoadedNic::run_for(Duration duration) {
  const RunResult result = simulation_->run_until(simulation_->timeline().now() + duration);
  if (!result.ok()) return result.message;
  for (const std::string_view complaint : {host_.complaint(), sink_.complaint()}) {
    if (!complaint.empty()) return std::string(complaint);
  }
  if (host_.reached() > source_.sent()) return "a received frame was out of order";
  return {};
}

}  // namespace nicroscope::sim
