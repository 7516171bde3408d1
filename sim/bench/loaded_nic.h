// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "sim/base/result.h"
#include "sim/bench/ideal_host.h"
#include "sim/bench/traffic.h"
#include "sim/simulation.h"

namespace nicroscope::sim {

/// What a NIC is loaded with.
struct Load {
  std::string profile;
  std::uint64_t seed = 1;
  Direction direction = Direction::both;
  std::span<const unsigned> sizes;  ///< of frames, bytes with FCS, in turn
  unsigned pairs = 1;               ///< queue pairs in use
  BusOptions bus;
  bool unpaced = false;  ///< a stream without a link: frames come and go as fast as the NIC can
};

/// A NIC (the build without assertions) whose wire and rings never run dry. Without a pace no frame
/// comes that the NIC could not store: the next one comes when one has reached the host.
class LoadedNic {
 public:
  /// Throws BadInput where there is no such profile or it was not built.
  [[nodiscard]] static Result<std::unique_ptr<LoadedNic>> create(const Load& load);
  LoadedNic(const LoadedNic&) = delete;
  LoadedNic& operator=(const LoadedNic&) = delete;

  /// Ends the traffic to the NIC and waits for what is under way. Returns what went wrong: every
  /// frame has to be received or counted as lost.
  [[nodiscard]] std::string finish();
  /// Simulates that much further. Returns what went wrong, hardware or payload, empty if nothing.
  [[nodiscard]] std::string run_for(Duration duration);

  [[nodiscard]] Simulation& simulation() noexcept { return *simulation_; }
  [[nodiscard]] const Traffic& traffic() const noexcept { return traffic_; }
  /// Frames in the host's memory, and frames on the wire.
  [[nodiscard]] std::uint64_t received() const noexcept { return host_.received(); }
  [[nodiscard]] std::uint64_t sent() const noexcept { return sink_.frames(); }
  /// Frames to the NIC that did not get there, after finish().
  [[nodiscard]] std::uint64_t lost() const noexcept { return source_.sent() - host_.received(); }

 private:
  LoadedNic(std::unique_ptr<Simulation> simulation, const Load& load);

  void open_window();

  std::unique_ptr<Simulation> simulation_;
  Traffic traffic_;
  std::uint64_t window_;  // unpaced, frames under way to the host
  TrafficSource source_;
  TrafficSink sink_;
  IdealHost host_;
};

}  // namespace nicroscope::sim
