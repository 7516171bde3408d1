// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "sim/base/descriptor.h"
#include "sim/base/result.h"

namespace nicroscope::sim {

/// A TAP device of this machine's kernel (Linux: Documentation/networking/tuntap.rst): what the
/// kernel sends on the interface is read here, what is written here the kernel receives. Whole
/// Ethernet frames without FCS; nothing blocks.
class TapDevice {
 public:
  enum class Written : std::uint8_t {
    taken,
    interface_down,  ///< the kernel takes no frame while the interface is down
    refused,         ///< no memory, or no frame in the kernel's eyes
  };

  /// Attaches to the TAP interface `name`, which is made, and goes with this object, if there is
  /// none. One line says why that failed: the name is no name, taken, or there is no permission.
  [[nodiscard]] static Result<std::unique_ptr<TapDevice>> open(const std::string& name);
  TapDevice(const TapDevice&) = delete;
  TapDevice& operator=(const TapDevice&) = delete;

  /// Readable where a frame waits, in error where the interface was removed.
  [[nodiscard]] int descriptor() const noexcept { return device_.get(); }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  /// The longest frame that the kernel can be made to send: the largest MTU and its headers.
  static constexpr std::size_t kLongestFrame = 65535 + 22;

  /// The length of the next frame, now in `buffer`; nothing if none waits or the interface was
  /// removed. A buffer of kLongestFrame holds any frame; in a shorter one its rest is lost.
  [[nodiscard]] std::optional<std::size_t> read(std::span<std::byte> buffer);
  [[nodiscard]] Written write(std::span<const std::byte> frame);
  /// The interface was removed: nothing will come any more.
  [[nodiscard]] bool removed() const noexcept { return removed_; }

 private:
  TapDevice(std::string name, Descriptor device)
      : name_(std::move(name)), device_(std::move(device)) {}

  std::string name_;
  Descriptor device_;
  bool removed_ = false;
};

}  // namespace nicroscope::sim
