// SPDX-License-Identifier: Apache-2.0
#include "sim/nic/rtl_trace.h"

#include <string_view>
#include <utility>

namespace nicroscope::sim {

namespace {

constexpr std::uint32_t bit(unsigned point) { return 1U << point; }

constexpr std::uint32_t point_mask(std::string_view tag) {
  std::uint32_t mask = 0;
  for (std::size_t p = 0; p < regs::kTracePoints.size(); ++p) {
    if (regs::kTracePoints[p].tag == tag) mask |= bit(static_cast<unsigned>(p));
  }
  return mask;
}

constexpr std::uint32_t kFramePoints = point_mask("frame");
constexpr std::uint32_t kTransmitPoints = bit(regs::kTraceTxDescriptor) | bit(regs::kTraceTxRead) |
                                          bit(regs::kTraceTxStored) | bit(regs::kTraceTxStart) |
                                          bit(regs::kTraceTxEnd) | bit(regs::kTraceMacTxStart) |
                                          bit(regs::kTraceMacTxEnd) | bit(regs::kTraceTxUsed) |
                                          bit(regs::kTraceTxVisible) | bit(regs::kTraceTxQueue);

constexpr std::size_t kReceive = 0;
constexpr std::size_t kTransmit = 1;

}  // namespace

void RtlTrace::process(Time time, std::uint32_t valid, const std::uint32_t* tags) {
  if ((valid & bit(regs::kTraceRxQueue)) != 0) received(valid, tags);
  if ((valid & bit(regs::kTraceTxQueue)) != 0) chain_taken(tags);
  for (std::uint32_t rest = valid; rest != 0; rest &= rest - 1) {
    const auto point = static_cast<unsigned>(__builtin_ctz(rest));
    const std::uint32_t tag = tags[point];
    const TracePoint name{static_cast<std::uint16_t>(point)};
    FrameId frame = kNoFrame;
    if (point == regs::kTraceRxQueue) {
      frame = (valid & bit(regs::kTraceRxWritten)) != 0 ? tags[regs::kTraceRxWritten] : kNoFrame;
    } else if (point == regs::kTraceTxQueue) {
      frame = transmitted_id(tags[regs::kTraceTxDescriptor]);
    } else if ((bit(point) & kTransmitPoints) != 0) {
      frame = transmitted_id(tag);
    } else if ((bit(point) & kFramePoints) != 0) {
      frame = tag;
    }
    if (point == regs::kTraceMacTxStart) sent_.push(frame);
    if (point == regs::kTraceTxStart || point == regs::kTraceTxEnd) {
      left_told_[point == regs::kTraceTxEnd] = true;
    }
    const auto each = [&](FrameId one) { bus_.emit_at(time, name, one); };
    if (point == regs::kTraceRxUsed || point == regs::kTraceTxUsed) {
      if (used_[point == regs::kTraceTxUsed].written(tag, each)) continue;
    } else if (point == regs::kTraceRxVisible || point == regs::kTraceTxVisible) {
      if (used_[point == regs::kTraceTxVisible].visible(tag, each)) continue;
    }
    bus_.emit_at(time, name, frame, (bit(point) & kFramePoints) != 0 ? 0 : tag);
  }
}

// A frame's first used element, or a buffer that comes back unused: the driver finds either.
void RtlTrace::received(std::uint32_t valid, const std::uint32_t* tags) {
  const unsigned number = tags[regs::kTraceRxQueue] / 2;
  if (number >= pairs_.size()) return;
  const bool written = (valid & bit(regs::kTraceRxWritten)) != 0;
  const std::uint32_t tag = tags[regs::kTraceRxWritten];
  Pair& pair = pairs_[number];
  if (pair.received.empty()) pair.received.resize(kRemembered);
  pair.received[pair.received_count++ % kRemembered] = written ? tag : kNoFrame;
  if (!bus_.active()) return used_[kReceive].clear();
  if (written) used_[kReceive].handed_over(tag, number, tag);
}

void RtlTrace::chain_taken(const std::uint32_t* tags) {
  const unsigned number = tags[regs::kTraceTxQueue] / 2;
  if (number >= pairs_.size()) return;
  const std::uint32_t tag = tags[regs::kTraceTxDescriptor];
  Pair& pair = pairs_[number];
  const std::uint64_t nth = pair.taken++;
  const FrameId frame = pair.transmitted.empty() ? kNoFrame : pair.transmitted[nth % kRemembered];
  if (chains_.empty()) chains_.resize(kRemembered);
  chains_[tag % kRemembered] = frame;
  if (!bus_.active()) return used_[kTransmit].clear();
  used_[kTransmit].handed_over(tag, number, frame);
}

void RtlTrace::left(Time time, unsigned point, std::uint32_t tag) {
  const bool told = std::exchange(left_told_[point == regs::kTraceTxEnd], false);
  if (told || !bus_.active()) return;
  bus_.emit_at(time, TracePoint{static_cast<std::uint16_t>(point)}, transmitted_id(tag));
}

FrameId RtlTrace::received_frame(unsigned pair, std::uint64_t nth) const noexcept {
  if (pair >= pairs_.size()) return kNoFrame;
  const Pair& entry = pairs_[pair];
  if (nth >= entry.received_count || entry.received_count - nth > kRemembered) return kNoFrame;
  return entry.received[nth % kRemembered];
}

void RtlTrace::transmitted_frame(unsigned pair, std::uint64_t nth, FrameId id) {
  if (pair >= pairs_.size()) return;
  std::vector<FrameId>& table = pairs_[pair].transmitted;
  if (table.empty()) table.resize(kRemembered);
  table[nth % kRemembered] = id;
}

void RtlTrace::enabled(unsigned virtqueue) noexcept {
  if (virtqueue / 2 >= pairs_.size()) return;
  Pair& pair = pairs_[virtqueue / 2];
  if (virtqueue % 2 == 0) {
    pair.received_count = 0;
  } else {
    pair.taken = 0;
    pair.transmitted.clear();
  }
}

void RtlTrace::restart() noexcept {
  for (unsigned queue = 0; queue < 2 * pairs_.size(); ++queue) enabled(queue);
  chains_.clear();
  for (UsedElements& used : used_) used.clear();
}

FrameId RtlTrace::take_sent() noexcept {
  if (sent_.empty()) return kNoFrame;
  const FrameId id = sent_.front();
  sent_.pop();
  return id;
}

}  // namespace nicroscope::sim
