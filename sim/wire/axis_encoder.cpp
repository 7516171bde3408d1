// SPDX-License-Identifier: Apache-2.0
#include "sim/wire/axis_encoder.h"

#include <algorithm>

#include "sim/wire/fcs.h"
#include "sim/wire/link_rate.h"
#include "sim/wire/xgmii.h"

namespace nicroscope::sim {
namespace {

constexpr std::uint64_t keep_of(std::size_t bytes) {
  return bytes == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bytes) - 1;
}

}  // namespace

AxisEncoder::AxisEncoder(WirePort& wire, const Clock& clock, unsigned link_mbps, unsigned bytes)
    : wire_(wire), clock_(clock), byte_time_(byte_time(link_mbps)), width_(bytes) {}

void AxisEncoder::fetch(Cycle now) {
  frame_ = wire_.next();
  if (frame_ == nullptr) return;
  const Duration opening = byte_time_ * xgmii::kPreambleBytes;
  start_ = std::max({frame_->earliest, free_, clock_.time_of(now) - opening});
  due_ = std::max(now, clock_.edge_at_or_after(start_ + opening));
}

void AxisEncoder::begin(Cycle now) {
  active_ = true;
  last_ = false;
  fault_ = WireFault::none;
  keep_ = keep_of(width_);
  due_ = kNoCycle;
  sent_ = 0;
  id_ = wire_.begin(clock_.time_of(now));
  free_ =
      start_ + byte_time_ * static_cast<std::int64_t>(xgmii::kPreambleBytes + frame_->bytes.size() +
                                                      kFcsBytes + xgmii::kInterFrameGap);
}

void AxisEncoder::end(Cycle now, const std::byte* from) {
  const std::size_t count = frame_->bytes.size() - sent_;
  last_word_ = {};
  std::memcpy(last_word_.data(), from, count);
  data_ = last_word_.data();
  keep_ = keep_of(count);
  sent_ += count;
  last_ = true;
  fault_ = frame_->fault;
  active_ = false;
  ++frames_;
  bytes_ += frame_->bytes.size();
  wire_.passed_to_nic(id_, *frame_, start_, free_ - byte_time_ * xgmii::kInterFrameGap);
  fetch(now + 1);
}

}  // namespace nicroscope::sim
