// SPDX-License-Identifier: Apache-2.0
#include "sim/wire/axis_decoder.h"

#include <algorithm>

#include "sim/wire/fcs.h"
#include "sim/wire/link_rate.h"
#include "sim/wire/xgmii.h"

namespace nicroscope::sim {

AxisDecoder::AxisDecoder(WirePort& wire, RtlTrace& trace, const Clock& clock, unsigned link_mbps)
    : wire_(wire), trace_(trace), clock_(clock), byte_time_(byte_time(link_mbps)) {}

void AxisDecoder::begin(Cycle now, std::uint32_t tag) {
  trace_.left(clock_.time_of(now), regs::kTraceTxStart, tag);
  in_frame_ = true;
  length_ = 0;
  start_ = std::max(clock_.time_of(now), link_free_);
}

void AxisDecoder::finish(Cycle now, std::uint32_t tag) {
  trace_.left(clock_.time_of(now), regs::kTraceTxEnd, tag);
  in_frame_ = false;
  ++frames_;
  bytes_ += length_;
  const auto on_link = static_cast<std::int64_t>(xgmii::kPreambleBytes +
                                                 std::max<std::size_t>(length_, 60) + kFcsBytes);
  const Time end = start_ + byte_time_ * on_link;
  link_free_ = end + byte_time_ * xgmii::kInterFrameGap;
  // The MAC behind the stream holds a word: it can be taken up to a cycle before it leaves.
  free_ = clock_.edge_at_or_after(link_free_ - clock_.period() + Duration{1});
  wire_.passed_from_nic(trace_.transmitted_id(tag), {buffer_.data(), length_}, start_, end, true);
}

}  // namespace nicroscope::sim
