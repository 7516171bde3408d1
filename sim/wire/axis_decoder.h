// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "sim/nic/rtl_trace.h"
#include "sim/time/clock.h"
#include "sim/wire/wire_port.h"

namespace nicroscope::sim {

/// Takes frames out of the AXI4-Stream words from the NIC, for tops without a MAC, at the rate of
/// the link behind it: a frame's first word is taken within the cycle before the link is free. A
/// rate of 0 stands for no link: a word is taken in every cycle.
class AxisDecoder {
 public:
  AxisDecoder(WirePort& wire, RtlTrace& trace, const Clock& clock, unsigned link_mbps);

  [[nodiscard]] bool ready(Cycle now) const noexcept { return in_frame_ || now >= free_; }
  /// A word of kBytes that was taken in cycle `now`.
  template <unsigned kBytes>
  void beat(Cycle now, const std::byte* data, std::uint64_t keep, bool last, std::uint32_t tag) {
    if (!in_frame_) begin(now, tag);
    if (length_ + kBytes <=
        buffer_.size()) {  // what is not kept is written over, or behind the end
      std::memcpy(buffer_.data() + length_, data, kBytes);
      length_ += static_cast<std::size_t>(std::bit_width(keep));
    }
    if (last) finish(now, tag);
  }

  [[nodiscard]] bool quiet() const noexcept { return !in_frame_; }
  /// Bytes of the frame of which the last word has just passed.
  [[nodiscard]] std::size_t last_length() const noexcept { return length_; }
  [[nodiscard]] std::uint64_t frames() const noexcept { return frames_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  void begin(Cycle now, std::uint32_t tag);
  void finish(Cycle now, std::uint32_t tag);

  WirePort& wire_;
  RtlTrace& trace_;
  const Clock& clock_;
  Duration byte_time_;
  std::array<std::byte, 16384> buffer_;
  std::size_t length_ = 0;
  Time start_{0};
  Time link_free_{0};
  Cycle free_ = 0;
  bool in_frame_ = false;
  std::uint64_t frames_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace nicroscope::sim
