// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "nicroscope/registers.h"
#include "nicroscope/trace.h"
#include "sim/base/ring_queue.h"

namespace nicroscope::sim {

/// Turns the RTL's trace ports into events with frame ids. The RTL tags a received frame with the
/// MAC's count of frames and a transmitted one with its place in the order of chains; the driver
/// says which frame a chain carries.
class RtlTrace {
 public:
  RtlTrace(TraceBus& bus, unsigned queue_pairs);

  /// Events of one cycle: bit p of `valid` says that trace point p happened with tags[p].
  void on_events(Time time, std::uint32_t valid, const std::uint32_t* tags) {
    if (!bus_.active()) valid &= kAlways;
    if (valid != 0) process(time, valid, tags);
  }

  /// DevicePort::received_frame and transmitted_frame.
  [[nodiscard]] FrameId received_frame(unsigned pair, std::uint64_t nth) const noexcept;
  void transmitted_frame(unsigned pair, std::uint64_t nth, FrameId id) noexcept;
  /// The device was started anew: both counts begin at 0 again.
  void restart() noexcept;

  /// The id of the frame that next finishes on the wire from the NIC.
  [[nodiscard]] FrameId take_sent() noexcept;
  /// The id of the frame that the RTL sends with `tag`; the first chain has tag 1.
  [[nodiscard]] FrameId transmitted_id(std::uint32_t tag) const noexcept {
    return pairs_.front().transmitted[(tag - 1) % kRemembered];
  }

 private:
  // Points that are followed even when nobody watches, to keep the counts right. A driver may see
  // a used element before its write is answered, so the order of the writes counts.
  static constexpr std::uint32_t kAlways = 1U << regs::kTraceRxUsed | 1U << regs::kTraceMacTxStart;
  static constexpr std::size_t kRemembered = 1U << 16;  // frames, a power of two

  void process(Time time, std::uint32_t valid, const std::uint32_t* tags);

  TraceBus& bus_;
  struct Pair {
    std::vector<FrameId> received;     // of the last kRemembered frames, by their number
    std::vector<FrameId> transmitted;  // likewise
    std::uint64_t received_count = 0;
  };
  std::vector<Pair> pairs_;
  RingQueue<FrameId> sent_;  // started on the wire and not finished
};

}  // namespace nicroscope::sim
