// SPDX-License-Identifier: Apache-2.0
#include "sim/machine/delivery_check.h"

#include <fmt/format.h>

#include <algorithm>

namespace nicroscope::sim {

void DeliveryCheck::on_frame(const PassedFrame& frame) {
  if (frame.direction != WireDirection::to_nic) return;
  under_way_.push_back({frame.id, {frame.bytes.begin(), frame.bytes.end()}});
  ++sent_;
}

void DeliveryCheck::on_delivered(FrameId id, std::span<const std::byte> bytes) {
  ++delivered_;
  while (!under_way_.empty() && under_way_.front().id < id) under_way_.pop_front();
  if (under_way_.empty() || under_way_.front().id != id) {
    if (complaint_.empty()) {
      complaint_ = fmt::format("frame {} reached the host out of order or twice", id);
    }
    return;
  }
  if (!std::ranges::equal(bytes, under_way_.front().bytes) && complaint_.empty()) {
    complaint_ =
        fmt::format("frame {} reached the host with other bytes than it was sent with", id);
  }
  under_way_.pop_front();
}

}  // namespace nicroscope::sim
