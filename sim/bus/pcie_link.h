// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "nicroscope/time.h"
#include "sim/bus/bus_options.h"

namespace nicroscope::sim {

/// One PCIe link: how long packets take in each direction. All times are picoseconds.
///
/// A packet costs its payload and what goes around it (PCI Express Base 5.0, 2.2 and 4.2: framing
/// 4, header of 4 words towards memory or 3 in a completion, LCRC 4) at the raw rate after line
/// coding.
class PcieLink {
 public:
  static constexpr unsigned kRequestOverhead = 24;     // framing, 4-word header, LCRC
  static constexpr unsigned kCompletionOverhead = 20;  // framing, 3-word header, LCRC

  explicit PcieLink(const BusOptions& options);

  /// When a packet of `bytes` in all that is ready at `now` has left the NIC's side.
  std::int64_t send_up(std::int64_t now, unsigned bytes) noexcept {
    return up_free_ = start(now, up_free_) + cost(bytes);
  }
  /// The same for a packet from the host.
  std::int64_t send_down(std::int64_t now, unsigned bytes) noexcept {
    return down_free_ = start(now, down_free_) + cost(bytes);
  }
  /// How long the packets that were handed over still take to leave the NIC's side.
  [[nodiscard]] std::int64_t up_backlog(std::int64_t now) const noexcept {
    return up_free_ > now ? up_free_ - now : 0;
  }
  /// Bytes per second in one direction.
  [[nodiscard]] double bytes_per_second() const noexcept { return 1e15 / static_cast<double>(fs_); }

 private:
  static std::int64_t start(std::int64_t now, std::int64_t free) noexcept {
    return now > free ? now : free;
  }
  [[nodiscard]] std::int64_t cost(unsigned bytes) const noexcept { return bytes * fs_ / 1000; }

  std::int64_t fs_;  // femtoseconds a byte
  std::int64_t up_free_ = 0;
  std::int64_t down_free_ = 0;
};

}  // namespace nicroscope::sim
