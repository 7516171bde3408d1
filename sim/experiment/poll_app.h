// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "driver/poll_mode.h"
#include "sim/machine/machine.h"
#include "sim/wire/histogram.h"

namespace nicroscope::sim {

/// A program in user space that has the device to itself and polls it: it passes every frame of a
/// load on to the next hop, or takes it as its own. Bursts of 32, as DPDK's examples and ixy.
class PollApp {
 public:
  /// `next_hop`: where forwarded frames go; null to consume frames.
  PollApp(Machine& machine, const std::array<std::uint8_t, 6>* next_hop);
  PollApp(const PollApp&) = delete;
  PollApp& operator=(const PollApp&) = delete;

  /// Spawns the process, which must have ended before this goes: stop().
  void start(unsigned cpu);
  /// The process ends with its burst.
  void stop() noexcept { stopped_ = true; }
  [[nodiscard]] bool ended() const noexcept { return ended_; }
  /// Frames of the load whose due time is in [from, to) count for latencies.
  void measure(Time from, Time to) noexcept {
    from_ = from;
    to_ = to;
  }
  /// Frames of the load that were consumed.
  [[nodiscard]] std::uint64_t received() const noexcept { return received_; }
  /// Frames that the transmit ring had no room for.
  [[nodiscard]] std::uint64_t no_room() const noexcept { return no_room_; }
  [[nodiscard]] const Histogram& latency() const noexcept { return latency_; }

 private:
  static constexpr std::size_t kBurst = 32;

  void poll();
  void consume(std::span<driver::mbuf> frames);
  void forward(driver::PollPort& port, std::span<driver::mbuf> frames);

  Machine& machine_;
  const std::array<std::uint8_t, 6>* next_hop_;
  bool stopped_ = false;
  bool ended_ = false;
  Time from_{0};
  Time to_ = kNever;
  std::uint64_t received_ = 0;
  std::uint64_t no_room_ = 0;
  Histogram latency_;
};

}  // namespace nicroscope::sim
