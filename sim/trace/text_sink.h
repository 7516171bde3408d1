// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "nicroscope/trace.h"
#include "sim/base/result.h"
#include "sim/time/clock.h"

namespace nicroscope::sim {

/// A text file with a line an event: time in nanoseconds, cycle, point, frame, argument. It has its
/// name only from close() on.
class TextSink final : public TraceSink {
 public:
  /// Fails if the file cannot be made.
  [[nodiscard]] static Result<std::unique_ptr<TextSink>> create(const std::string& path,
                                                                const Clock& clock);
  /// Without close(), the file is removed.
  ~TextSink() override;
  TextSink(const TextSink&) = delete;
  TextSink& operator=(const TextSink&) = delete;

  void on_event(const TraceEvent& event) override;
  [[nodiscard]] std::optional<Error> close();

 private:
  TextSink(const std::string& path, const Clock& clock)
      : path_(path), partial_(path + ".partial"), clock_(clock) {}

  std::string path_;
  std::string partial_;
  Clock clock_;
  std::FILE* file_ = nullptr;
};

/// How a frame's id reads: "rx 17" for the 17th frame on the wire to the NIC, "tx 3" for the host's
/// third; "-" for none.
[[nodiscard]] std::string frame_name(FrameId frame);

}  // namespace nicroscope::sim
