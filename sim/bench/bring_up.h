// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "nicroscope/host_memory.h"
#include "nicroscope/registers.h"
#include "sim/simulation.h"

namespace nicroscope::sim {

/// Where a packed virtqueue lies in memory.
struct QueueAreas {
  unsigned index;  ///< virtqueue index (virtio 1.2, 5.1.2)
  std::uint16_t size;
  BusAddress descriptors;
  BusAddress driver;  ///< driver event suppression
  BusAddress device;  ///< device event suppression
  std::uint16_t vector = regs::kNoVector;

  bool operator==(const QueueAreas&) const = default;
};

/// Takes the device from reset to DRIVER_OK (virtio 1.2, 3.1.1) for hosts that
/// are not a kernel. MSI-X is on if a queue has a vector. Runs the simulation meanwhile. Returns
/// what went wrong, empty if nothing.
[[nodiscard]] std::string bring_up(Simulation& simulation, std::uint64_t features,
                                   std::span<const QueueAreas> queues);

/// A register of BAR 0, 1, 2 or 4 bytes wide; runs the simulation until it has come back.
[[nodiscard]] std::uint32_t read_register(Simulation& simulation, std::uint32_t offset,
                                          unsigned size);

/// A counter of the vendor page (its place is regs::Counter).
[[nodiscard]] std::uint64_t read_counter(Simulation& simulation, unsigned place);

}  // namespace nicroscope::sim
