// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <poll.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/live/control_socket.h"
#include "sim/live/stop_signals.h"
#include "sim/live/tap_device.h"
#include "sim/live/tap_wire.h"
#include "sim/machine/machine.h"
#include "stack/core/packet_tap.h"

namespace nicroscope::sim {

/// What crossed between a TAP device and the host behind the NIC. frames_in is frames_delivered and
/// drops, frames_out is frames_returned and drops_out.
struct LiveTotals {
  std::uint64_t frames_in = 0;                       ///< that the kernel sent
  std::uint64_t frames_delivered = 0;                ///< of these, what the host's tap saw
  std::map<std::string, std::uint64_t> drops;        ///< of the rest, by reason
  std::uint64_t frames_out = 0;                      ///< that the NIC sent
  std::uint64_t frames_returned = 0;                 ///< of these, what the kernel took
  std::map<std::string, std::uint64_t> drops_out;    ///< of the rest, by reason
  std::map<std::string, std::uint64_t> stack_drops;  ///< delivered, then dropped by the stack
  net::udp_echo_counters echo;
  std::uint64_t interrupts = 0;
  std::uint64_t polls = 0;
  std::uint64_t cycles = 0;
  std::uint64_t cycles_skipped = 0;
  double simulated_seconds = 0;
  double wall_seconds = 0;
};

/// Runs a booted machine against a TAP device. Simulated time keeps up with wall time as long as
/// the NIC is idle; while it works, time passes as fast as it can be simulated, and what is then
/// behind is made up for in the next idle stretch. Never ahead of wall time.
class LiveLoop {
 public:
  using WallTime = std::chrono::steady_clock::duration;

  /// Before machine.boot(), so that what the host announces is heard. All must outlive this.
  /// `control` is served while the loop runs; null for none.
  LiveLoop(Machine& machine, TapDevice& device, const StopSignals& signals,
           ControlSocket* control = nullptr);
  LiveLoop(const LiveLoop&) = delete;
  LiveLoop& operator=(const LiveLoop&) = delete;
  ~LiveLoop();

  /// With the machine booted: until a signal comes or `duration` of wall time is over; then takes
  /// no more frames and sees those under way to their end. Returns what went wrong, one line, empty
  /// if nothing.
  [[nodiscard]] std::string run(std::optional<WallTime> duration);

  /// After run() ended well.
  [[nodiscard]] LiveTotals totals();

 private:
  struct Wake {
    bool frame = false;
    bool command = false;
    bool stop = false;
  };

  [[nodiscard]] Time wall() const;
  [[nodiscard]] std::string advance(Time limit);
  [[nodiscard]] WallTime idle_span() const;
  [[nodiscard]] Wake poll(WallTime longest);
  [[nodiscard]] std::string drain();

  Machine& machine_;
  Simulation& simulation_;
  TapDevice& device_;
  const StopSignals& signals_;
  ControlSocket* const control_;
  TapWire wire_;
  net::PacketTap tap_;
  std::chrono::steady_clock::time_point wall_start_;
  Time simulated_start_{0};
  std::uint64_t delivered_ = 0;
  std::vector<pollfd> watched_;
  bool busy_ = true;  ///< the last advance had cycles to simulate
};

}  // namespace nicroscope::sim
