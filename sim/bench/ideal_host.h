// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "nicroscope/virtio.h"
#include "sim/bench/bounds.h"
#include "sim/bench/traffic.h"
#include "sim/simulation.h"

namespace nicroscope::sim {

/// A host that is infinitely fast: it refills a ring slot in the moment in which its used element
/// becomes visible, takes no interrupts and checks every byte. What it measures is the NIC and its
/// bus.
class IdealHost {
 public:
  static constexpr std::uint16_t kRingSlots = 1024;

  /// Receives, transmits or both `traffic` on the first queue pair.
  IdealHost(Simulation& simulation, const Traffic& traffic, Direction direction);
  IdealHost(const IdealHost&) = delete;
  IdealHost& operator=(const IdealHost&) = delete;

  /// Brings the device up with full rings. Returns what went wrong, empty if nothing.
  [[nodiscard]] std::string start();

  [[nodiscard]] std::uint64_t received() const noexcept { return rx_.done; }
  /// Frames whose buffers the device gave back.
  [[nodiscard]] std::uint64_t transmitted() const noexcept { return tx_.done; }
  /// The first thing that was not as it must be; empty where none.
  [[nodiscard]] std::string_view complaint() const noexcept { return complaint_; }

 private:
  struct Ring {
    virtio::PackedDescriptor* slots = nullptr;
    BusAddress descriptors = 0;
    BusAddress events = 0;  // the driver's area, then the device's
    const virtio::EventSuppression* device_events = nullptr;
    BusAddress buffers = 0;
    std::uint64_t stride = 0;  // from a buffer to the next
    std::uint16_t next = 0;    // slot that is used next
    bool wrap = true;
    std::uint64_t done = 0;    // elements used
    std::uint64_t posted = 0;  // buffers made available
  };

  [[nodiscard]] BusAddress allocate(std::uint64_t bytes);
  void lay_out(Ring& ring, std::uint64_t buffer_count, std::uint64_t buffer_bytes);
  void post_receive(std::uint16_t slot, bool wrap) noexcept;
  void post_transmit(std::uint16_t slot, bool wrap) noexcept;
  void kick(const Ring& ring, unsigned virtqueue);
  [[nodiscard]] static bool used(const Ring& ring) noexcept;
  static void advance(Ring& ring) noexcept;
  static void on_receive_ring(void* self, const VisibleWrite& write);
  static void on_transmit_ring(void* self, const VisibleWrite& write);
  void check_received(const virtio::PackedDescriptor& element);

  Simulation& simulation_;
  const Traffic& traffic_;
  const Direction direction_;
  BusAddress next_free_;
  Ring rx_;
  Ring tx_;
  std::string_view complaint_;
};

}  // namespace nicroscope::sim
