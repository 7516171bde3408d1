// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/bench/bounds.h"
#include "sim/bench/control_queue.h"
#include "sim/bench/packed_ring.h"
#include "sim/bench/traffic.h"
#include "sim/simulation.h"

namespace nicroscope::sim {

/// What an ideal host does.
struct HostOptions {
  Direction direction = Direction::both;
  unsigned pairs = 1;                   ///< queue pairs in use
  bool interrupts = false;              ///< asks for them, with a vector for each queue
  bool send_when_told = false;          ///< transmits a frame for each send_one(), not without end
  std::function<void()> on_received{};  ///< a frame was received; may be empty
};

/// A host that is infinitely fast: it refills a ring slot in the moment in which its used element
/// becomes visible and checks every byte. What it measures is the NIC and its bus.
class IdealHost {
 public:
  static constexpr std::uint16_t kRingSlots = 1024;

  /// Receives, transmits or both `traffic` on the first queue pairs: frames to send go to them in
  /// turn, and received frames are spread by RSS.
  IdealHost(Simulation& simulation, const Traffic& traffic, const HostOptions& options);
  IdealHost(const IdealHost&) = delete;
  IdealHost& operator=(const IdealHost&) = delete;

  /// Brings the device up with full rings. Returns what went wrong, empty if nothing.
  [[nodiscard]] std::string start();

  /// Sends the next frame, on the first pair.
  void send_one();

  [[nodiscard]] std::uint64_t received() const noexcept { return received_; }
  /// One more than the highest number of a frame that was received: with none lost, as many.
  [[nodiscard]] std::uint64_t reached() const noexcept { return reached_; }
  /// The first thing that was not as it must be; empty where none.
  [[nodiscard]] std::string_view complaint() const noexcept { return complaint_; }

 private:
  struct Pair {
    IdealHost* host;
    unsigned number;
    PackedRing rx;
    PackedRing tx;
    BusAddress buffers;         // of the receive ring, one a slot
    std::uint64_t posted = 0;   // frames to send made available
    std::uint64_t reached = 0;  // one more than the number of the frame received last
  };

  [[nodiscard]] BusAddress allocate(std::uint64_t bytes);
  [[nodiscard]] Pair make_pair(unsigned number);
  void write_frames();
  static void post_receive(Pair& pair, std::uint16_t id) noexcept;
  static void post_transmit(Pair& pair, std::uint16_t id) noexcept;
  static void on_receive_ring(void* pair, const VisibleWrite& write);
  static void on_transmit_ring(void* pair, const VisibleWrite& write);
  void check_received(Pair& pair, const PackedRing::Used& used);

  Simulation& simulation_;
  const Traffic& traffic_;
  const HostOptions options_;
  BusAddress next_free_;
  ControlQueue control_;
  std::uint64_t stride_;   // from a buffer to the next
  BusAddress frames_ = 0;  // what is sent, once for all
  std::vector<Pair> pairs_;
  std::uint64_t received_ = 0;
  std::uint64_t reached_ = 0;
  std::string_view complaint_;
};

}  // namespace nicroscope::sim
