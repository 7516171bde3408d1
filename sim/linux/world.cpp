// SPDX-License-Identifier: Apache-2.0
#include "sim/linux/world.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/random.h"
#include "sim/linux/guest_failure.h"

namespace nicroscope::uml {
namespace {

// How far a stretch goes where no other guest bounds it.
constexpr Duration kLongest = std::chrono::milliseconds{100};

}  // namespace

World::World(const WorldOptions& options) : options_(options), switch_(options.network) {
  for (unsigned number = 0; number < options.guests; ++number) {
    GuestOptions guest = options.guest;
    guest.number = number;
    guest.count = options.guests;
    guest.seed = sim::mix64(options.guest.seed + number);
    sim::SimulationOptions simulation = options.simulation;
    simulation.seed += number;
    if (number == options.waved && !options.wave.file.empty()) {
      simulation.variant = sim::Variant::traced;
      simulation.wave = options.wave;
    }
    auto host = std::make_unique<Host>(guest, simulation);
    auto hash = std::make_unique<sim::HashSink>();
    host->simulation().trace().add(*hash);
    host->simulation().wire().add_sink(*hash);
    switch_.join(host->simulation().wire());
    hosts_.push_back(std::move(host));
    hashes_.push_back(std::move(hash));
  }
}

World::~World() = default;

Time World::next_event(std::size_t number) const {
  return std::min(hosts_[number]->next_event(), switch_.next_arrival(number));
}

// A frame that a guest sends reaches another after the switch's delay, and what that one makes of
// it comes back after it once more. Nothing is plugged in before `connected_from`.
void World::step() {
  check_stop(options_.guest.patience);
  std::vector<Time> next(hosts_.size());
  for (std::size_t i = 0; i < hosts_.size(); ++i) next[i] = next_event(i);
  const Time earliest = std::ranges::min(next);
  if (earliest == kNever) throw GuestFailure("every guest waits for ever, and so does the wire");
  const Duration delay = options_.network.delay;
  std::vector<Time> limits(hosts_.size());
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    Time others = hosts_.size() == 1 ? kNever : next[i] == kNever ? kNever : next[i] + 2 * delay;
    for (std::size_t j = 0; j < hosts_.size(); ++j) {
      if (j != i && next[j] != kNever) others = std::min(others, next[j] + delay);
    }
    others = std::max(others, options_.network.connected_from);
    limits[i] = std::min(others, earliest + kLongest);
  }
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    if (next[i] >= limits[i]) continue;
    switch_.release(i, limits[i]);
    hosts_[i]->advance(limits[i]);
  }
  now_ = std::max(now_, earliest);
  switch_.forward();
  if (now_ > options_.limit) throw GuestFailure("the script of guest 0 does not end");
}

void World::run() {
  while (!hosts_.front()->status()) step();
}

void World::run_until_reported(std::string_view name) {
  const Host& first = *hosts_.front();
  while (first.reported(name) == nullptr) {
    if (first.status()) {
      throw GuestFailure(fmt::format("the script of guest 0 ended with status {} before its {}",
                                     *first.status(), name));
    }
    step();
  }
}

std::uint64_t World::trace_hash() const {
  std::uint64_t hash = 0;
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    hash = sim::mix64(hash ^ hashes_[i]->value());
    for (const char c : hosts_[i]->guest().console()) {
      hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    }
  }
  return hash;
}

}  // namespace nicroscope::uml
