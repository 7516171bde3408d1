// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

#include "nicroscope/host_points.h"
#include "nicroscope/trace.h"

namespace nicroscope::sim {

/// How often each trace point was passed.
class CountSink final : public TraceSink {
 public:
  void on_event(const TraceEvent& event) override {
    const auto number = static_cast<std::uint16_t>(event.point);
    if (number < counts_.size()) ++counts_[number];
  }
  [[nodiscard]] std::uint64_t count(TracePoint point) const noexcept {
    const auto number = static_cast<std::uint16_t>(point);
    return number < counts_.size() ? counts_[number] : 0;
  }

 private:
  std::array<std::uint64_t, kFirstHostPoint + point::detail::kCount> counts_{};
};

}  // namespace nicroscope::sim
