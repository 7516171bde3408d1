// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "nicroscope/host_points.h"
#include "nicroscope/registers.h"
#include "nicroscope/trace.h"

namespace nicroscope::sim {

/// What the device and host software call a trace point, and what its argument is.
struct PointName {
  std::string_view name;
  std::string_view argument;
};

[[nodiscard]] inline PointName point_name(TracePoint point) noexcept {
  const auto number = static_cast<std::uint16_t>(point);
  if (number < regs::kTracePoints.size()) {
    const regs::TracePointInfo& info = regs::kTracePoints[number];
    return {info.name, info.tag};
  }
  if (number >= kFirstHostPoint && number - kFirstHostPoint < int{point::detail::kCount}) {
    const point::HostPointName& host =
        point::kHostPoints[static_cast<std::size_t>(number - kFirstHostPoint)];
    return {host.name, host.argument};
  }
  return {"unknown", ""};
}

[[nodiscard]] constexpr bool is_host_point(TracePoint point) noexcept {
  return static_cast<std::uint16_t>(point) >= kFirstHostPoint;
}

/// The RTL's trace point with a number of registers.h.
[[nodiscard]] constexpr TracePoint rtl_point(unsigned number) noexcept {
  return TracePoint{static_cast<std::uint16_t>(number)};
}

}  // namespace nicroscope::sim
