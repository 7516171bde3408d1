// SPDX-License-Identifier: Apache-2.0
#include "sim/bench/bounds.h"

#include <algorithm>

#include "nicroscope/virtio.h"

namespace nicroscope::sim {
namespace {

constexpr double kFcsBytes = 4;
constexpr double kPreambleAndGapBytes = 8 + 12;

constexpr unsigned beats(unsigned bytes, unsigned width) { return (bytes + width - 1) / width; }

}  // namespace

double link_bound(const Profile& profile, double size) {
  return profile.link_mbps * 1e6 / ((size + kPreambleAndGapBytes) * 8);
}

double datapath_bound(const Profile& profile, Direction direction, unsigned size, unsigned pairs) {
  const auto frame = size - static_cast<unsigned>(kFcsBytes);
  const double stream = beats(frame, profile.stream_bytes);
  const double data =
      beats(frame + static_cast<unsigned>(sizeof(virtio::NetHeader)), profile.axi_bytes);
  const double descriptor =
      static_cast<double>(sizeof(virtio::PackedDescriptor)) / profile.axi_bytes;
  const double used = pairs == 1 ? descriptor : 1;

  double read = 0;   // beats on AXI's R channel
  double write = 0;  // and on its W channel
  if (direction != Direction::tx) {
    read += descriptor;
    write += data + used;
  }
  if (direction != Direction::rx) {
    read += data + descriptor;
    write += used;
  }
  return profile.clock_khz * 1e3 / std::max({stream, read, write});
}

}  // namespace nicroscope::sim
