// SPDX-License-Identifier: Apache-2.0
#include "sim/live/tap_wire.h"

#include <algorithm>

namespace nicroscope::sim {
namespace {

constexpr std::size_t kShortest = 60;  // without FCS

}  // namespace

const WireFrame* TapWire::peek() {
  while (!held_ && open_) {
    const auto length = device_.read(buffer_);
    if (!length) return nullptr;
    ++frames_in_;
    if (*length > longest_) {
      ++too_long_;
      continue;
    }
    const std::size_t padded = std::max(*length, kShortest);
    std::fill(buffer_.begin() + static_cast<std::ptrdiff_t>(*length),
              buffer_.begin() + static_cast<std::ptrdiff_t>(padded), std::byte{0});
    frame_.bytes = {buffer_.data(), padded};
    held_ = true;
  }
  return held_ ? &frame_ : nullptr;
}

void TapWire::on_frame(const PassedFrame& frame) {
  if (frame.direction != WireDirection::from_nic) return;
  if (!frame.good) {
    ++damaged_;
    return;
  }
  switch (device_.write(frame.bytes)) {
    case TapDevice::Written::taken:
      ++frames_out_;
      break;
    case TapDevice::Written::interface_down:
      ++interface_down_;
      break;
    case TapDevice::Written::refused:
      ++refused_;
      break;
  }
}

std::map<std::string, std::uint64_t> TapWire::drops_out() const {
  std::map<std::string, std::uint64_t> drops;
  if (damaged_ != 0) drops["wire_damaged"] = damaged_;
  if (interface_down_ != 0) drops["tap_down"] = interface_down_;
  if (refused_ != 0) drops["tap_refused"] = refused_;
  return drops;
}

}  // namespace nicroscope::sim
