// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sim/live/tap_device.h"
#include "sim/wire/frame.h"

namespace nicroscope::sim {

/// The wire between a NIC and a TAP device: what the kernel sends goes to the NIC as soon as the
/// wire is free, padded to 60 bytes as a network card would; what the NIC sends the kernel
/// receives. Every frame that does not get across is counted.
class TapWire final : public FrameSource, public FrameSink {
 public:
  /// `longest`: what the NIC takes, without FCS; longer frames are dropped. The device must outlive
  /// this.
  TapWire(TapDevice& device, std::size_t longest)
      : device_(device), longest_(longest), buffer_(TapDevice::kLongestFrame) {}

  [[nodiscard]] const WireFrame* peek() override;
  void pop() override { held_ = false; }
  void on_frame(const PassedFrame& frame) override;

  /// Takes no more frames from the device.
  void close() noexcept { open_ = false; }
  /// A frame was taken from the device and is not yet on the wire.
  [[nodiscard]] bool holds_frame() const noexcept { return held_; }

  /// Taken from the device, dropped ones included.
  [[nodiscard]] std::uint64_t frames_in() const noexcept { return frames_in_; }
  [[nodiscard]] std::uint64_t drops_in() const noexcept { return too_long_; }
  /// Given to the device.
  [[nodiscard]] std::uint64_t frames_out() const noexcept { return frames_out_; }
  /// By reason, those that happened.
  [[nodiscard]] std::map<std::string, std::uint64_t> drops_out() const;

 private:
  TapDevice& device_;
  const std::size_t longest_;
  std::vector<std::byte> buffer_;
  WireFrame frame_;
  bool held_ = false;
  bool open_ = true;
  std::uint64_t frames_in_ = 0;
  std::uint64_t too_long_ = 0;
  std::uint64_t frames_out_ = 0;
  std::uint64_t damaged_ = 0;
  std::uint64_t interface_down_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace nicroscope::sim
