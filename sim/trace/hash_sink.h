// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>

#include "nicroscope/trace.h"
#include "sim/wire/frame.h"

namespace nicroscope::sim {

/// One number for everything that happened: equal for two runs only if they had the same events at
/// the same times and the same frames on the wire. Not cryptographic.
class HashSink final : public TraceSink, public FrameSink {
 public:
  void on_event(const TraceEvent& event) override {
    mix(static_cast<std::uint64_t>(event.time.count()));
    mix(std::uint64_t{event.frame} << 16 | static_cast<std::uint16_t>(event.point));
    mix(event.arg);
    ++events_;
  }
  void on_frame(const PassedFrame& frame) override {
    mix(static_cast<std::uint64_t>(frame.first.count()));
    mix(static_cast<std::uint64_t>(frame.last.count()));
    mix(std::uint64_t{frame.id} << 2 | (frame.direction == WireDirection::to_nic ? 2U : 0U) |
        (frame.good ? 1U : 0U));
    std::size_t at = 0;
    for (; at + 8 <= frame.bytes.size(); at += 8) mix(word(frame.bytes.data() + at, 8));
    mix(word(frame.bytes.data() + at, frame.bytes.size() - at));
    mix(frame.bytes.size());
  }

  [[nodiscard]] std::uint64_t value() const noexcept { return hash_ ^ (hash_ >> 32); }
  [[nodiscard]] std::uint64_t events() const noexcept { return events_; }

 private:
  static std::uint64_t word(const std::byte* bytes, std::size_t count) noexcept {
    std::uint64_t value = 0;
    if (count != 0) std::memcpy(&value, bytes, count);
    return value;
  }
  // A step of FNV-1a on words, with a rotation so that high bits come back to low ones.
  void mix(std::uint64_t value) noexcept {
    hash_ = (hash_ ^ value) * 0x9e3779b97f4a7c15ULL;
    hash_ = hash_ << 29 | hash_ >> 35;
  }

  std::uint64_t hash_ = 0xcbf29ce484222325ULL;
  std::uint64_t events_ = 0;
};

}  // namespace nicroscope::sim
