// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "sim/nic/rtl_trace.h"
#include "sim/time/clock.h"
#include "sim/wire/wire_port.h"
#include "sim/wire/xgmii.h"

namespace nicroscope::sim {

/// Takes frames out of the 64-bit XGMII words from the NIC, and judges them as a strict receiver
/// would: preamble, delimiter, FCS, no error characters.
class XgmiiDecoder {
 public:
  XgmiiDecoder(WirePort& wire, RtlTrace& trace, const Clock& clock)
      : wire_(wire), trace_(trace), clock_(clock) {}

  /// The word of cycle `now`.
  void sample(Cycle now, std::uint64_t data, std::uint8_t control) {
    if (control == 0 && in_frame_ && length_ + xgmii::kLanes <= buffer_.size()) {
      std::memcpy(buffer_.data() + length_, &data, xgmii::kLanes);
      length_ += xgmii::kLanes;
    } else if (control != xgmii::kAllControl || data != xgmii::kIdleWord) {
      sample_lanes(now, data, control);
    }
  }

  [[nodiscard]] bool quiet() const noexcept { return !in_frame_; }
  [[nodiscard]] std::uint64_t frames() const noexcept { return frames_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  static constexpr std::size_t kLongest = 16384;  // longer ones are cut, and not good

  void sample_lanes(Cycle now, std::uint64_t data, std::uint8_t control);
  void finish(Time last, bool closed);
  [[nodiscard]] Time time_of(Cycle now, unsigned lane) const noexcept {
    return clock_.time_of(now) + clock_.period() * lane / xgmii::kLanes;
  }

  WirePort& wire_;
  RtlTrace& trace_;
  const Clock& clock_;
  std::array<std::byte, kLongest> buffer_;  // what follows the start symbol
  std::size_t length_ = 0;
  Time first_{0};
  bool in_frame_ = false;
  bool error_ = false;
  std::uint64_t frames_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace nicroscope::sim
