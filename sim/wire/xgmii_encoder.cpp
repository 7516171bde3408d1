// SPDX-License-Identifier: Apache-2.0
#include "sim/wire/xgmii_encoder.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "sim/wire/fcs.h"

namespace nicroscope::sim {

using namespace xgmii;  // NOLINT: the symbols' names

// Finds where the next frame starts.
void XgmiiEncoder::fetch(Cycle now) {
  frame_ = wire_.next();
  if (frame_ == nullptr) return;
  const std::int64_t period = clock_.period().count();
  const std::int64_t earliest = std::max<std::int64_t>(frame_->earliest.count(), 0);
  const auto wanted = static_cast<std::uint64_t>(earliest / period) * kLanes +
                      static_cast<std::uint64_t>(earliest % period * kLanes + period - 1) /
                          static_cast<std::uint64_t>(period);
  std::uint64_t start = (std::max<std::uint64_t>(wanted, now * kLanes) + 3) / 4 * 4;
  if (any_) {
    const std::uint64_t nominal = terminate_ + kInterFrameGap;
    if (start <= nominal + 3) {
      const auto over = static_cast<unsigned>(nominal % 4);
      if (over != 0 && deficit_ + over <= 3 && start <= nominal - over) {
        start = nominal - over;
        deficit_ += over;
      } else {
        start = std::max(start, (nominal + 3) / 4 * 4);
        const auto extra = static_cast<unsigned>(start - nominal);
        deficit_ -= std::min(deficit_, extra);
      }
    } else {
      deficit_ = 0;
    }
  }
  start_ = start;
  due_ = start / kLanes;
}

void XgmiiEncoder::encode(Cycle now) {
  const std::size_t lane = start_ % kLanes;
  const std::size_t length = frame_->bytes.size();
  const std::size_t end = lane + kPreambleBytes + length + kFcsBytes;  // of terminate
  const std::size_t words = end / kLanes + 1;
  if (words_.size() < words) {
    words_.resize(words);
    control_.resize(words);
  }
  words_[0] = kIdleWord;
  words_[1] = kIdleWord;
  words_[words - 1] = kIdleWord;
  auto* bytes = reinterpret_cast<std::uint8_t*>(words_.data());  // NOLINT
  constexpr std::array<std::uint8_t, kPreambleBytes> kOpening{
      kStart, kPreamble, kPreamble, kPreamble, kPreamble, kPreamble, kPreamble, kStartOfFrame};
  std::memcpy(bytes + lane, kOpening.data(), kOpening.size());
  std::uint8_t* payload = bytes + lane + kPreambleBytes;
  std::memcpy(payload, frame_->bytes.data(), length);
  const std::uint32_t fcs = frame_check_sequence(frame_->bytes);
  std::memcpy(payload + length, &fcs, kFcsBytes);
  bytes[end] = kTerminate;
  std::fill(bytes + end + 1, bytes + words * kLanes, kIdle);

  std::fill(control_.begin(), control_.begin() + static_cast<std::ptrdiff_t>(words), 0);
  control_[0] = lane == 0 ? 0x01 : 0x1F;
  control_[words - 1] = static_cast<std::uint8_t>(kAllControl << (end % kLanes));
  if (frame_->fault != WireFault::none) damage(lane, end);
  terminate_ = start_ - lane + end;
  any_ = true;
  next_ = 0;
  left_ = words;
  due_ = kNoCycle;
  id_ = wire_.begin(clock_.time_of(now));
}

// The frame's fault; `lane` is the place of the start symbol, `end` that of the terminate symbol.
void XgmiiEncoder::damage(std::size_t lane, std::size_t end) {
  auto* bytes = reinterpret_cast<std::uint8_t*>(words_.data());  // NOLINT
  const auto put_control = [&](std::size_t at, std::uint8_t symbol) {
    bytes[at] = symbol;
    control_[at / kLanes] |= static_cast<std::uint8_t>(1U << (at % kLanes));
  };
  const std::size_t middle = lane + kPreambleBytes + frame_->bytes.size() / 2;
  switch (frame_->fault) {
    case WireFault::none:
      break;
    case WireFault::bad_fcs:
      bytes[end - 1] ^= 0xFF;
      break;
    case WireFault::cut:
      put_control(middle, kTerminate);
      for (std::size_t at = middle + 1; at <= end; ++at) put_control(at, kIdle);
      break;
    case WireFault::code_error:
      put_control(middle, kError);
      break;
    case WireFault::idle_inside:
      put_control(middle, kIdle);
      break;
    case WireFault::bad_preamble:
      bytes[lane + 3] ^= 0xFF;
      break;
    case WireFault::bad_delimiter:
      bytes[lane + kPreambleBytes - 1] = kPreamble;
      break;
  }
}

void XgmiiEncoder::finish(Cycle now) {
  ++frames_;
  bytes_ += frame_->bytes.size();
  wire_.passed_to_nic(id_, *frame_, time_of_byte(start_), time_of_byte(terminate_));
  fetch(now + 1);
}

}  // namespace nicroscope::sim
