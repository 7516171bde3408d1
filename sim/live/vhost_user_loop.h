// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <poll.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/host_port/vhost_user/backend.h"
#include "sim/host_port/vhost_user/listener.h"
#include "sim/live/stop_signals.h"
#include "sim/live/tap_device.h"
#include "sim/live/tap_wire.h"
#include "sim/simulation.h"
#include "sim/wire/pcap_source.h"

namespace nicroscope::sim {

struct VhostUserLoopOptions {
  using WallTime = std::chrono::steady_clock::duration;

  TapDevice* tap = nullptr;          ///< at the wire's far end; null for none
  std::string send;                  ///< a capture to put on the wire at its times; empty for none
  bool once = false;                 ///< the end of the first client ends the run
  std::optional<WallTime> duration;  ///< of wall time
  /// Says a line to a person: who came, who went and why.
  std::function<void(const std::string& line)> say;
};

/// What a run came to.
struct VhostUserTotals {
  std::uint64_t clients = 0;
  std::uint64_t messages = 0;
  std::uint64_t kicks = 0;
  std::uint64_t calls = 0;
  std::uint64_t frames_to_nic = 0;
  std::uint64_t frames_from_nic = 0;
  std::map<std::string, std::uint64_t> nic;  ///< the NIC's own counters, those that are not 0
  std::uint64_t cycles = 0;
  std::uint64_t cycles_skipped = 0;
  double simulated_seconds = 0;
  double wall_seconds = 0;
};

/// The NIC behind a vhost-user socket, in wall time: serves one client after the other. As in
/// LiveLoop simulated time keeps up with wall time where it can, and is never ahead of it.
class VhostUserLoop {
 public:
  /// All must outlive this. Clients are accepted once run() runs.
  VhostUserLoop(Simulation& simulation, vhost_user::Listener& listener, const StopSignals& signals,
                VhostUserLoopOptions options);
  VhostUserLoop(const VhostUserLoop&) = delete;
  VhostUserLoop& operator=(const VhostUserLoop&) = delete;
  ~VhostUserLoop();

  /// Until a signal comes, the time is over, or with `once` the client has gone. Then sees frames
  /// under way to their end. Returns what went wrong, one line, empty if nothing.
  [[nodiscard]] std::string run();
  /// After run() ended well.
  [[nodiscard]] VhostUserTotals totals();

 private:
  using Clock = std::chrono::steady_clock;
  enum class Wake : std::uint8_t { nothing, stop };

  [[nodiscard]] std::string serve();
  [[nodiscard]] std::string advance(Time limit);
  [[nodiscard]] Wake poll(Clock::duration longest);
  [[nodiscard]] Time wall() const;
  [[nodiscard]] Clock::duration idle_span() const;
  void look_after_client();
  [[nodiscard]] std::string look_after_capture();
  [[nodiscard]] std::string drain();
  [[nodiscard]] std::uint64_t passed() const;

  Simulation& simulation_;
  vhost_user::Listener& listener_;
  const StopSignals& signals_;
  const VhostUserLoopOptions options_;
  vhost_user::Backend backend_;
  std::optional<TapWire> tap_wire_;
  std::unique_ptr<PcapSource> source_;
  Clock::time_point wall_start_;
  Clock::time_point last_heard_;
  Time simulated_start_{0};
  std::uint64_t heard_ = 0;  // messages and kicks
  std::uint64_t clients_ = 0;
  bool sent_ = false;  // the whole capture
  bool client_gone_ = false;
  bool busy_ = true;
  std::vector<pollfd> watched_;
};

}  // namespace nicroscope::sim
