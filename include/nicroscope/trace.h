// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "nicroscope/time.h"
#include "nicroscope/timeline.h"

namespace nicroscope {

/// Names a frame through its life. Frames put on the wire towards the NIC count from 1; frames made
/// by the host count from kFirstHostFrame.
using FrameId = std::uint32_t;
inline constexpr FrameId kNoFrame = 0;
inline constexpr FrameId kFirstHostFrame = 0x8000'0000U;

/// Where something happened. Values below kFirstHostPoint are the RTL's trace points
/// (regs::TracePoint in registers.h); the others are host software's (host_points.h).
enum class TracePoint : std::uint16_t {};
inline constexpr std::uint16_t kFirstHostPoint = 256;

struct TraceEvent {
  Time time;
  TracePoint point;
  FrameId frame;      ///< kNoFrame where the event belongs to none
  std::uint64_t arg;  ///< queue, vector, bytes...: what the point's description says
};

/// Receives every event, in order of time.
class TraceSink {
 public:
  virtual ~TraceSink() = default;
  virtual void on_event(const TraceEvent& event) = 0;
};

/// Hands events to the sinks. With no sink an event costs one test.
class TraceBus {
 public:
  explicit TraceBus(const Timeline& timeline) : timeline_(timeline) {}

  /// The sink must outlive the bus or be removed.
  void add(TraceSink& sink) { sinks_.push_back(&sink); }
  void remove(TraceSink& sink) { std::erase(sinks_, &sink); }
  [[nodiscard]] bool active() const noexcept { return !sinks_.empty(); }

  void emit(TracePoint point, FrameId frame, std::uint64_t arg = 0) {
    if (!sinks_.empty()) emit_at(timeline_.now(), point, frame, arg);
  }
  void emit_at(Time time, TracePoint point, FrameId frame, std::uint64_t arg = 0) {
    for (TraceSink* sink : sinks_) sink->on_event({time, point, frame, arg});
  }

 private:
  const Timeline& timeline_;
  std::vector<TraceSink*> sinks_;
};

}  // namespace nicroscope
