// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "sim/base/failure.h"
#include "sim/time/clock.h"

namespace nicroscope::sim {

/// Holds an AXI manager to the rule that what it offers stays offered, unchanged, until it is taken
/// (AMBA AXI A3.2.1). Costs nothing in a cycle in which nothing is held up.
template <std::size_t Bytes>
class Stalled {
 public:
  explicit Stalled(std::string_view channel) : channel_(channel) {}

  [[nodiscard]] bool active() const noexcept { return active_; }

  /// The manager offers `payload`, and it is not taken in this cycle.
  void hold(const std::array<std::byte, Bytes>& payload) noexcept {
    payload_ = payload;
    active_ = true;
  }
  /// In the cycle after: what it offers now.
  void check(Cycle now, bool valid, const std::array<std::byte, Bytes>& payload) {
    active_ = false;
    if (valid && payload == payload_) return;
    throw SimulationFailure(fmt::format("AXI {}: {} while it waited to be taken, cycle {}",
                                        channel_, valid ? "changed" : "withdrawn", now));
  }

 private:
  std::string_view channel_;
  std::array<std::byte, Bytes> payload_{};
  bool active_ = false;
};

}  // namespace nicroscope::sim
