// SPDX-License-Identifier: Apache-2.0
#include "sim/nic/rtl_trace.h"

#include <algorithm>
#include <string_view>

namespace nicroscope::sim {

namespace {

constexpr std::uint32_t point_mask(std::string_view tag) {
  std::uint32_t mask = 0;
  for (std::size_t p = 0; p < regs::kTracePoints.size(); ++p) {
    if (regs::kTracePoints[p].tag == tag) mask |= 1U << p;
  }
  return mask;
}

constexpr std::uint32_t kFramePoints = point_mask("frame");
constexpr std::uint32_t kTransmitPoints =
    1U << regs::kTraceTxDescriptor | 1U << regs::kTraceTxRead | 1U << regs::kTraceTxStored |
    1U << regs::kTraceTxStart | 1U << regs::kTraceTxEnd | 1U << regs::kTraceMacTxStart |
    1U << regs::kTraceMacTxEnd | 1U << regs::kTraceTxUsed | 1U << regs::kTraceTxVisible;

}  // namespace

RtlTrace::RtlTrace(TraceBus& bus, unsigned queue_pairs) : bus_(bus), pairs_(queue_pairs) {
  for (Pair& pair : pairs_) {
    pair.received.resize(kRemembered);
    pair.transmitted.resize(kRemembered);
  }
}

void RtlTrace::process(Time time, std::uint32_t valid, const std::uint32_t* tags) {
  for (std::uint32_t rest = valid; rest != 0; rest &= rest - 1) {
    const auto point = static_cast<unsigned>(__builtin_ctz(rest));
    const std::uint32_t bit = 1U << point;
    const std::uint32_t tag = tags[point];
    Pair& pair = pairs_.front();
    FrameId frame = kNoFrame;
    if ((bit & kTransmitPoints) != 0) {
      frame = transmitted_id(tag);
    } else if ((bit & kFramePoints) != 0) {
      frame = tag;
    }
    if (point == regs::kTraceRxUsed) {
      pair.received[pair.received_count++ % kRemembered] = frame;
    } else if (point == regs::kTraceMacTxStart) {
      sent_.push(frame);
    }
    bus_.emit_at(time, TracePoint{static_cast<std::uint16_t>(point)}, frame,
                 (bit & kFramePoints) != 0 ? 0 : tag);
  }
}

FrameId RtlTrace::received_frame(unsigned pair, std::uint64_t nth) const noexcept {
  if (pair >= pairs_.size()) return kNoFrame;
  const Pair& entry = pairs_[pair];
  if (nth >= entry.received_count || entry.received_count - nth > kRemembered) return kNoFrame;
  return entry.received[nth % kRemembered];
}

void RtlTrace::transmitted_frame(unsigned pair, std::uint64_t nth, FrameId id) noexcept {
  if (pair < pairs_.size()) pairs_[pair].transmitted[nth % kRemembered] = id;
}

void RtlTrace::restart() noexcept {
  for (Pair& pair : pairs_) {
    pair.received_count = 0;
    std::fill(pair.transmitted.begin(), pair.transmitted.end(), kNoFrame);
  }
}

FrameId RtlTrace::take_sent() noexcept {
  if (sent_.empty()) return kNoFrame;
  const FrameId id = sent_.front();
  sent_.pop();
  return id;
}

}  // namespace nicroscope::sim
