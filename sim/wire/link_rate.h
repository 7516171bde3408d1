// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nicroscope/time.h"

namespace nicroscope::sim {

/// How long a byte takes on a link of so many Mbit/s; no time at all where that is 0.
[[nodiscard]] constexpr Duration byte_time(unsigned link_mbps) noexcept {
  return Duration{link_mbps == 0 ? 0 : 8'000'000 / link_mbps};
}

}  // namespace nicroscope::sim
