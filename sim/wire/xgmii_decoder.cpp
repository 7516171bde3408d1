// SPDX-License-Identifier: Apache-2.0
#include "sim/wire/xgmii_decoder.h"

#include <algorithm>

#include "sim/wire/fcs.h"

namespace nicroscope::sim {

using namespace xgmii;  // NOLINT: the symbols' names

void XgmiiDecoder::sample_lanes(Cycle now, std::uint64_t data, std::uint8_t control) {
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    const auto symbol = static_cast<std::uint8_t>(data >> (8 * lane));
    if (((control >> lane) & 1) == 0) {
      if (!in_frame_) continue;
      if (length_ < buffer_.size()) {
        buffer_[length_++] = std::byte{symbol};
      } else {
        error_ = true;
      }
    } else if (symbol == kStart) {
      if (in_frame_) finish(time_of(now, lane), false);
      in_frame_ = true;
      error_ = false;
      length_ = 0;
      first_ = time_of(now, lane);
    } else if (in_frame_ && symbol == kTerminate) {
      finish(time_of(now, lane), true);
    } else if (in_frame_ && symbol == kIdle) {
      finish(time_of(now, lane), false);
    } else if (in_frame_) {
      error_ = true;
    }
  }
}

// `closed`: by a terminate symbol.
void XgmiiDecoder::finish(Time last, bool closed) {
  in_frame_ = false;
  ++frames_;
  const FrameId id = trace_.take_sent();
  constexpr std::size_t kOpening = kPreambleBytes - 1;  // the start symbol is not in the buffer
  if (length_ < kOpening + kFcsBytes) {
    wire_.passed_from_nic(id, {}, first_, last, false);
    return;
  }
  const bool opening_good = std::all_of(buffer_.begin(), buffer_.begin() + kOpening - 1,
                                        [](std::byte b) { return b == std::byte{kPreamble}; }) &&
                            buffer_[kOpening - 1] == std::byte{kStartOfFrame};
  const std::span frame(buffer_.data() + kOpening, length_ - kOpening - kFcsBytes);
  std::uint32_t fcs;
  std::memcpy(&fcs, buffer_.data() + length_ - kFcsBytes, kFcsBytes);
  const bool good = closed && !error_ && opening_good && fcs == frame_check_sequence(frame);
  bytes_ += frame.size();
  wire_.passed_from_nic(id, frame, first_, last, good);
}

}  // namespace nicroscope::sim
