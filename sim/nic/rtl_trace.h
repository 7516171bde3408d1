// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "nicroscope/registers.h"
#include "nicroscope/trace.h"
#include "sim/base/ring_queue.h"
#include "sim/nic/used_elements.h"

namespace nicroscope::sim {

/// Turns the RTL's trace ports into events with frame ids. The RTL tags a received frame with the
/// MAC's count of frames and a transmitted one with its place in the order of chains of all queues,
/// and tells the queue of each; the driver says which frame a queue's chain carries.
class RtlTrace {
 public:
  RtlTrace(TraceBus& bus, unsigned queue_pairs) : bus_(bus), pairs_(queue_pairs) {}

  /// Events of one cycle: bit p of `valid` says that trace point p happened with tags[p].
  void on_events(Time time, std::uint32_t valid, const std::uint32_t* tags) {
    if (!bus_.active()) valid &= kAlways;
    if (valid != 0) process(time, valid, tags);
  }

  /// DevicePort::received_frame and transmitted_frame.
  [[nodiscard]] FrameId received_frame(unsigned pair, std::uint64_t nth) const noexcept;
  void transmitted_frame(unsigned pair, std::uint64_t nth, FrameId id);
  /// A virtqueue is enabled: its counts begin at 0.
  void enabled(unsigned virtqueue) noexcept;
  /// The device was started anew: all counts do.
  void restart() noexcept;

  /// A frame's first word was taken out of the core (TxStart), or its last one (TxEnd): told where
  /// the RTL has not, which sees only words that find the taker ready when they come.
  void left(Time time, unsigned point, std::uint32_t tag);

  /// The id of the frame that next finishes on the wire from the NIC.
  [[nodiscard]] FrameId take_sent() noexcept;
  /// The id of the frame that the RTL sends with `tag`; the first chain has tag 1.
  [[nodiscard]] FrameId transmitted_id(std::uint32_t tag) const noexcept {
    return chains_.empty() ? kNoFrame : chains_[tag % kRemembered];
  }

 private:
  // Points that are followed even when nobody watches, to keep the counts right.
  static constexpr std::uint32_t kAlways = 1U << regs::kTraceRxWritten | 1U << regs::kTraceRxQueue |
                                           1U << regs::kTraceTxDescriptor |
                                           1U << regs::kTraceTxQueue | 1U << regs::kTraceMacTxStart;
  static constexpr std::size_t kRemembered = 1U << 16;  // frames, a power of two

  void process(Time time, std::uint32_t valid, const std::uint32_t* tags);
  void received(std::uint32_t valid, const std::uint32_t* tags);
  void chain_taken(const std::uint32_t* tags);

  TraceBus& bus_;
  // Tables of the last kRemembered frames, by their number; made when the first one comes.
  struct Pair {
    std::vector<FrameId> received;
    std::vector<FrameId> transmitted;
    std::uint64_t received_count = 0;
    std::uint64_t taken = 0;  // chains, by the device
  };
  std::vector<Pair> pairs_;
  std::vector<FrameId> chains_;  // likewise, by tag
  UsedElements used_[2];         // of receive queues, of transmit queues
  bool left_told_[2] = {};       // TxStart, TxEnd, by the RTL
  RingQueue<FrameId> sent_;      // started on the wire and not finished
};

}  // namespace nicroscope::sim
