// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "nicroscope/profiles.h"

namespace nicroscope::sim {

enum class Direction { rx, tx, both };

[[nodiscard]] constexpr std::string_view name_of(Direction direction) {
  switch (direction) {
    case Direction::rx:
      return "rx";
    case Direction::tx:
      return "tx";
    case Direction::both:
      return "both";
  }
  return "";
}

/// Frames a second each way that the link carries: `size` bytes with FCS, 8 of preamble and 12 of
/// inter-frame gap (IEEE 802.3 4.4.2).
[[nodiscard]] double link_bound(const Profile& profile, double size);

/// Frames a second each way that the buses carry when every beat is used: the stream's words, and
/// on AXI the frame's data behind its 12-byte header in an aligned buffer, its descriptor (four to
/// a 64-byte beat) and its used element. Elements of one queue lie side by side and share a beat
/// likewise; where frames go to several queues in turn, each has a beat of its own. `size` is in
/// bytes with FCS.
[[nodiscard]] double datapath_bound(const Profile& profile, Direction direction, unsigned size,
                                    unsigned pairs);

}  // namespace nicroscope::sim
