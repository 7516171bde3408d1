// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "sim/time/clock.h"
#include "sim/wire/wire_port.h"
#include "sim/wire/xgmii.h"

namespace nicroscope::sim {

/// Puts the wire's frames into 64-bit XGMII words towards the NIC: preamble, FCS, terminate, and an
/// average gap of 12 bytes with deficit idle count, starts on lanes 0 and 4 (IEEE 802.3, 46.3.1.4).
/// A frame is encoded once, so a cycle is two loads.
class XgmiiEncoder {
 public:
  XgmiiEncoder(WirePort& wire, const Clock& clock) : wire_(wire), clock_(clock) {}

  /// Sets the word of cycle `now`. Call for every cycle that is simulated; `data` and `control` are
  /// the NIC's inputs and hold the last word.
  void drive(Cycle now, std::uint64_t& data, std::uint8_t& control) {
    if (left_ == 0) {
      if (due_ == kNoCycle && wire_.awake()) fetch(now);
      if (now < due_) {
        if (control != xgmii::kAllControl || data != xgmii::kIdleWord) {
          data = xgmii::kIdleWord;
          control = xgmii::kAllControl;
        }
        return;
      }
      encode(now);
    }
    data = words_[next_];
    control = control_[next_];
    ++next_;
    if (--left_ == 0) finish(now);
  }

  /// Whether the wire carries idle and the NIC has been given an idle word, and if so until when.
  [[nodiscard]] bool quiet(std::uint8_t control) const noexcept {
    return left_ == 0 && control == xgmii::kAllControl && (due_ != kNoCycle || !wire_.awake());
  }
  /// The cycle in which the next frame starts; kNoCycle if there is none.
  [[nodiscard]] Cycle due() const noexcept { return due_; }
  [[nodiscard]] std::uint64_t frames() const noexcept { return frames_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  void fetch(Cycle now);
  void encode(Cycle now);
  void damage(std::size_t lane, std::size_t end);
  void finish(Cycle now);
  [[nodiscard]] Time time_of_byte(std::uint64_t position) const noexcept {
    return clock_.time_of(0) + clock_.period() * static_cast<std::int64_t>(position) /
                                   static_cast<std::int64_t>(xgmii::kLanes);
  }

  WirePort& wire_;
  const Clock& clock_;
  std::vector<std::uint64_t> words_;
  std::vector<std::uint8_t> control_;
  std::size_t next_ = 0;
  std::size_t left_ = 0;
  Cycle due_ = kNoCycle;
  // Positions on the wire, in bytes since the start of the simulation.
  std::uint64_t start_ = 0;      // of the start symbol of the frame in hand or the next one
  std::uint64_t terminate_ = 0;  // of the terminate symbol of the last one
  unsigned deficit_ = 0;         // idle bytes saved so far, 0 to 3
  bool any_ = false;             // a frame has passed
  const WireFrame* frame_ = nullptr;
  FrameId id_ = kNoFrame;
  std::uint64_t frames_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace nicroscope::sim
