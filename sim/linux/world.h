// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "nicroscope/time.h"
#include "sim/linux/host.h"
#include "sim/linux/switch.h"
#include "sim/trace/hash_sink.h"

namespace nicroscope::uml {

struct WorldOptions {
  unsigned guests = 2;
  GuestOptions guest;  ///< number and count are set for each
  /// Of each card; its seed is the first's, the others' follow.
  sim::SimulationOptions simulation;
  unsigned waved = 0;     ///< guest whose card the waveform shows
  sim::WaveOptions wave;  ///< a file name asks for one
  SwitchOptions network;
  Time limit = std::chrono::seconds{60};  ///< simulated time after which the run has failed
};

/// Guests, each with a network card, joined by a switch. They are taken on one after the other, in
/// stretches so short that nothing that one does within a stretch can reach another within it.
class World {
 public:
  explicit World(const WorldOptions& options);
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World();

  /// Until the first guest's script has ended. Throws GuestFailure.
  void run();
  /// Until it has reported something under that name. Throws GuestFailure, also if the script ends
  /// before.
  void run_until_reported(std::string_view name);

  [[nodiscard]] std::vector<std::unique_ptr<Host>>& hosts() noexcept { return hosts_; }
  [[nodiscard]] const Switch& network() const noexcept { return switch_; }
  [[nodiscard]] Time now() const noexcept { return now_; }
  /// One number for all that happened to the cards and on the consoles.
  [[nodiscard]] std::uint64_t trace_hash() const;

 private:
  [[nodiscard]] Time next_event(std::size_t number) const;
  void step();

  WorldOptions options_;
  Switch switch_;
  std::vector<std::unique_ptr<Host>> hosts_;
  std::vector<std::unique_ptr<sim::HashSink>> hashes_;
  Time now_{0};
};

}  // namespace nicroscope::uml
