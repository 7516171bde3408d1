// SPDX-License-Identifier: Apache-2.0
#include "sim/bench/traffic.h"

#include <algorithm>

#include "sim/base/random.h"

namespace nicroscope::sim {
namespace {

constexpr std::size_t kFcsBytes = 4;
constexpr std::size_t kRounds = 61;  // prime: the period does not fit rings

}  // namespace

Traffic::Traffic(std::span<const unsigned> sizes) {
  Random random(1);
  std::size_t total = 0;
  for (std::size_t i = 0; i < kRounds * sizes.size(); ++i) {
    std::vector<std::byte>& frame = frames_.emplace_back(sizes[i % sizes.size()] - kFcsBytes);
    for (std::byte& byte : frame) byte = static_cast<std::byte>(random.next());
    longest_ = std::max(longest_, frame.size());
    total += frame.size() + kFcsBytes;
  }
  mean_size_ = static_cast<double>(total) / static_cast<double>(frames_.size());
}

void TrafficSink::on_frame(const PassedFrame& frame) {
  if (frame.direction != WireDirection::from_nic) return;
  if (complaint_.empty()) {
    if (!frame.good) {
      complaint_ = "a frame left the NIC damaged";
    } else if (!std::ranges::equal(frame.bytes, traffic_.frame(frames_))) {
      complaint_ = "a frame left the NIC that was not the next one";
    }
  }
  ++frames_;
}

}  // namespace nicroscope::sim
