// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sim/base/result.h"
#include "sim/wire/frame.h"

struct pcap;  // libpcap's handle

namespace nicroscope::sim {

struct PcapSourceOptions {
  bool line_rate = false;              ///< back to back, instead of at the capture's times
  Time start{0};                       ///< of the first frame
  std::size_t max_frame_bytes = 9022;  ///< without frame check sequence; longer is refused
};

/// Frames of a capture file, read as they are needed: memory does not grow with the file. Reads
/// what libpcap reads: pcap in both byte orders with micro- or nanoseconds, pcapng with one
/// interface. Frames shorter than 60 bytes, as a sending host's capture has them, are padded with
/// zeros.
class PcapSource final : public FrameSource {
 public:
  /// Reads the whole file once to check it, so that a run does not meet an error half-way. Fails on
  /// a file that cannot be read or is cut off, holds no frame, is not of Ethernet, or has a frame
  /// that was captured in part, is shorter than an Ethernet header or too long.
  [[nodiscard]] static Result<std::unique_ptr<PcapSource>> open(const std::string& path,
                                                                const PcapSourceOptions& options);
  ~PcapSource() override;
  PcapSource(const PcapSource&) = delete;
  PcapSource& operator=(const PcapSource&) = delete;

  [[nodiscard]] std::uint64_t frames() const noexcept { return frames_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }  ///< with padding
  [[nodiscard]] std::uint64_t passed() const noexcept { return passed_; }

  [[nodiscard]] const WireFrame* peek() override;
  void pop() override;

 private:
  explicit PcapSource(const PcapSourceOptions& options) : options_(options) {}
  std::string check(const std::string& path);
  bool read();

  PcapSourceOptions options_;
  ::pcap* file_ = nullptr;
  std::uint64_t frames_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t passed_ = 0;
  std::int64_t first_ns_ = 0;
  std::vector<std::byte> buffer_;
  WireFrame frame_;
  bool loaded_ = false;
};

}  // namespace nicroscope::sim
