// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "sim/wire/histogram.h"
#include "stack/socket/net_stack.h"

namespace nicroscope::sim {

/// A process that receives datagrams of a load in a loop, and what it got.
class UdpReceiver {
 public:
  UdpReceiver(net::NetStack& stack, std::uint16_t port) : stack_(stack), port_(port) {}
  UdpReceiver(const UdpReceiver&) = delete;
  UdpReceiver& operator=(const UdpReceiver&) = delete;

  /// Only what comes from there is received. Before start().
  void connect_to(const net::ipv4_endpoint& peer) { peer_ = peer; }
  /// Spawns the process on that CPU; it must end before this does.
  void start(unsigned cpu);
  /// Frames of the load whose due time is in [from, to) count for latencies.
  void measure(Time from, Time to) noexcept {
    from_ = from;
    to_ = to;
  }
  [[nodiscard]] bool ready() const noexcept { return ready_; }
  [[nodiscard]] std::uint64_t received() const noexcept { return received_; }
  /// From when a frame was due until the system call has returned, in nanoseconds.
  [[nodiscard]] const Histogram& latency() const noexcept { return latency_; }

 private:
  void receive();

  net::NetStack& stack_;
  const std::uint16_t port_;
  std::optional<net::ipv4_endpoint> peer_;
  bool ready_ = false;
  Time from_{0};
  Time to_ = kNever;
  std::uint64_t received_ = 0;
  Histogram latency_;
};

}  // namespace nicroscope::sim
