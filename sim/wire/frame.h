// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "nicroscope/time.h"
#include "nicroscope/trace.h"

namespace nicroscope::sim {

/// Damage that the wire does to a frame on its way to the NIC. Without a MAC the stream has the
/// mark of a bad frame at its end and a pulse that says what a MAC would have counted.
enum class WireFault : std::uint8_t {
  none,
  bad_fcs,        ///< the last byte of the frame check sequence is inverted
  cut,            ///< the terminate symbol comes in the middle
  code_error,     ///< an error character takes the place of a byte in the middle
  idle_inside,    ///< an idle character does
  bad_preamble,   ///< a byte of the preamble is inverted
  bad_delimiter,  ///< one more byte of preamble takes the place of the delimiter
};

/// A frame to be put on the wire: destination address to payload, without frame check sequence,
/// which the wire adds. Shorter than 60 bytes goes out as it is: a runt.
struct WireFrame {
  std::span<const std::byte> bytes;
  Time earliest{0};  ///< its start symbol comes no earlier
  WireFault fault = WireFault::none;
};

enum class WireDirection : std::uint8_t { to_nic, from_nic };

/// A frame that has passed over the wire.
struct PassedFrame {
  WireDirection direction;
  FrameId id;
  std::span<const std::byte> bytes;  ///< without frame check sequence; valid during the call
  Time first;                        ///< of its first symbol (start)
  Time last;                         ///< of its last symbol (terminate)
  bool good;                         ///< frame check sequence right, no error character
};

/// Where frames for the NIC come from, one after the other.
class FrameSource {
 public:
  virtual ~FrameSource() = default;
  /// The next frame, or null if there is none now. It and its bytes stay as they are until pop().
  /// A source that had none says WirePort::wake() when that changes.
  [[nodiscard]] virtual const WireFrame* peek() = 0;
  /// The frame starts: its first symbol is seen by the NIC in the clock cycle at `now`.
  virtual void begun(Time /*now*/) {}
  /// The frame has passed.
  virtual void pop() = 0;
};

/// Watches frames pass, both ways, each at the time of its last symbol.
class FrameSink {
 public:
  virtual ~FrameSink() = default;
  virtual void on_frame(const PassedFrame& frame) = 0;
};

}  // namespace nicroscope::sim
