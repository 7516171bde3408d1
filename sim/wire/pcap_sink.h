// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "sim/base/result.h"
#include "sim/wire/frame.h"

struct pcap;
struct pcap_dumper;

namespace nicroscope::sim {

/// A capture file with nanoseconds, written as frames come. It has its name only from close() on: a
/// run that fails leaves nothing half-written.
class PcapWriter {
 public:
  /// Fails if the file cannot be made.
  [[nodiscard]] static Result<std::unique_ptr<PcapWriter>> create(const std::string& path);
  /// Without close(), the file is removed.
  ~PcapWriter();
  PcapWriter(const PcapWriter&) = delete;
  PcapWriter& operator=(const PcapWriter&) = delete;

  void write(Time time, std::span<const std::byte> frame);
  /// Ends the file and gives it its name; the error if that did not work.
  [[nodiscard]] std::optional<Error> close();
  [[nodiscard]] std::uint64_t frames() const noexcept { return frames_; }

 private:
  explicit PcapWriter(const std::string& path) : path_(path), partial_(path + ".partial") {}

  std::string path_;
  std::string partial_;
  ::pcap* format_ = nullptr;
  ::pcap_dumper* file_ = nullptr;
  std::uint64_t frames_ = 0;
};

/// Writes the frames that pass on a wire, both ways or one, as a tap on the wire would: the time is
/// that of a frame's last symbol.
class PcapSink final : public FrameSink {
 public:
  explicit PcapSink(PcapWriter& writer, std::optional<WireDirection> only = std::nullopt)
      : writer_(writer), only_(only) {}
  void on_frame(const PassedFrame& frame) override {
    if (!only_ || *only_ == frame.direction) writer_.write(frame.last, frame.bytes);
  }

 private:
  PcapWriter& writer_;
  std::optional<WireDirection> only_;
};

}  // namespace nicroscope::sim
