// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "nicroscope/host_memory.h"
#include "sim/bench/packed_ring.h"
#include "sim/simulation.h"

namespace nicroscope::sim {

/// The control virtqueue of a host that is not a kernel: one command at a time (virtio 1.2,
/// 5.1.6.5).
class ControlQueue {
 public:
  static constexpr std::uint64_t kBytes = 4096;  ///< of memory that it wants
  static constexpr std::size_t kMostData = 1024;

  /// `memory` begins kBytes that the device may reach.
  ControlQueue(Simulation& simulation, BusAddress memory);

  [[nodiscard]] QueueAreas areas() const noexcept { return ring_.areas(); }
  /// Has a command carried out. Returns what went wrong, empty if nothing.
  [[nodiscard]] std::string command(std::uint8_t command_class, std::uint8_t command,
                                    std::span<const std::byte> data);

  /// RSS over UDP ports to `pairs` queue pairs in turn, with Microsoft's key.
  [[nodiscard]] std::string spread(unsigned pairs);

 private:
  Simulation& simulation_;
  BusAddress memory_;
  PackedRing ring_;
};

}  // namespace nicroscope::sim
