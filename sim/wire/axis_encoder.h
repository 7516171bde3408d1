// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "sim/time/clock.h"
#include "sim/wire/wire_port.h"

namespace nicroscope::sim {

/// Puts the wire's frames into words of an AXI4-Stream towards the NIC, for tops without a MAC. The
/// link behind it has its own rate: a frame's first word comes when its preamble has passed, and
/// the next frame starts an inter-frame gap after its check sequence. A rate of 0 stands for no
/// link: there is a word in every cycle.
class AxisEncoder {
 public:
  AxisEncoder(WirePort& wire, const Clock& clock, unsigned link_mbps, unsigned bytes);

  /// Whether cycle `now` has a word, and makes it current. Call for every cycle that is simulated.
  bool next(Cycle now) {
    if (!active_) {
      if (due_ == kNoCycle && wire_.awake()) fetch(now);
      if (now < due_) return false;
      begin(now);
    }
    const std::byte* from = frame_->bytes.data() + sent_;
    if (frame_->bytes.size() - sent_ > width_) {
      data_ = from;
      sent_ += width_;
    } else {
      end(now, from);
    }
    return true;
  }

  // ---- the current word
  [[nodiscard]] const std::byte* data() const noexcept { return data_; }
  [[nodiscard]] std::uint64_t keep() const noexcept { return keep_; }
  [[nodiscard]] bool last() const noexcept { return last_; }
  /// Of a last word.
  [[nodiscard]] WireFault fault() const noexcept { return fault_; }
  [[nodiscard]] FrameId tag() const noexcept { return id_; }

  [[nodiscard]] bool quiet() const noexcept {
    return !active_ && (due_ != kNoCycle || !wire_.awake());
  }
  [[nodiscard]] Cycle due() const noexcept { return due_; }
  /// Bytes of the frame of which the last word has just passed.
  [[nodiscard]] std::size_t last_length() const noexcept { return sent_; }
  [[nodiscard]] std::uint64_t frames() const noexcept { return frames_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  void fetch(Cycle now);
  void begin(Cycle now);
  void end(Cycle now, const std::byte* from);

  WirePort& wire_;
  const Clock& clock_;
  Duration byte_time_;
  unsigned width_;
  const WireFrame* frame_ = nullptr;
  std::size_t sent_ = 0;
  Cycle due_ = kNoCycle;
  bool active_ = false;
  Time start_{0};                          // of the frame in hand or the next one on the link
  Time free_{0};                           // when the link can start another
  std::array<std::byte, 64> last_word_{};  // padded: the frame may go away with it
  const std::byte* data_ = nullptr;
  std::uint64_t keep_ = 0;
  bool last_ = false;
  WireFault fault_ = WireFault::none;
  FrameId id_ = kNoFrame;
  std::uint64_t frames_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace nicroscope::sim
