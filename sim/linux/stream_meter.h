// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>

#include "nicroscope/time.h"
#include "sim/wire/frame.h"

namespace nicroscope::uml {

/// Watches the TCP payload that comes to a card (IPv4, no VLAN), from one port's connections on:
/// how long it takes, on the wire and of wall time. What rate a stream has come to is that of its
/// second half: the first has the start of TCP in it. What comes when all that is expected has
/// come, such as iperf3's exchange of results, is only counted.
class StreamMeter final : public sim::FrameSink {
 public:
  /// `bytes`: how many are expected; `port`: to which they go.
  StreamMeter(std::uint64_t bytes, std::uint16_t port) : expected_(bytes), port_(port) {}

  void on_frame(const sim::PassedFrame& frame) override;

  /// Payload that has come.
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  /// Of the second half of the bytes that are expected, Gbit/s of simulated time; 0 if they have
  /// not come.
  [[nodiscard]] double gbps() const noexcept;
  /// Wall seconds for a simulated second, from the first to the last payload.
  [[nodiscard]] double wall_seconds_per_simulated() const noexcept;

 private:
  using Wall = std::chrono::steady_clock;

  const std::uint64_t expected_;
  const std::uint16_t port_;
  std::uint64_t bytes_ = 0;
  std::uint64_t bytes_at_half_ = 0;
  std::uint64_t bytes_at_last_ = 0;
  Time first_{0};
  Time half_{0};
  Time last_{0};
  Wall::time_point wall_first_;
  Wall::time_point wall_last_;
};

}  // namespace nicroscope::uml
