// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "nicroscope/registers.h"

namespace nicroscope::driver {

/// Slots in use, and the most that there can be.
struct RingSettings {
  std::uint16_t rx = 0;
  std::uint16_t tx = 0;
  std::uint16_t rx_max = 0;
  std::uint16_t tx_max = 0;
};

/// One queue's interrupt moderation (virtio 1.2, 5.1.6.5.10): an interrupt when `usecs` have passed
/// since the first frame or there are `frames` of them. 0: without delay.
struct Moderation {
  std::uint32_t usecs = 0;
  std::uint32_t frames = 0;
  friend bool operator==(const Moderation&, const Moderation&) = default;
};

/// What ethtool -C sets.
struct CoalesceSettings {
  Moderation rx;
  Moderation tx;
  bool adaptive_rx = false;  ///< by net_dim, queue by queue
  bool adaptive_tx = false;
};

/// What ethtool -X sets.
struct RssSettings {
  std::vector<std::uint16_t> table;  ///< queue pairs; a power of two of them
  std::array<std::uint8_t, regs::kRssKeyBytes> key{};
};

/// What ethtool -A sets.
struct PauseSettings {
  bool rx = false;
  bool tx = false;
};

}  // namespace nicroscope::driver
