// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace nicroscope::sim {

/// The headers and bytes of bulk TCP transfers, a few flows at once (RFC 791, RFC 9293, timestamps
/// as RFC 7323). Byte n of any flow is the same pattern, so that every byte can be checked
/// anywhere.
class TcpStream {
 public:
  static constexpr std::size_t kEthernet = 14;
  static constexpr std::size_t kIp = 20;
  static constexpr std::size_t kTcp = 32;  // with timestamps
  static constexpr std::size_t kHeaders = kEthernet + kIp + kTcp;
  static constexpr std::size_t kSegment = 1500 - kIp - kTcp;  ///< payload at an MTU of 1500

  TcpStream();

  /// Payload from byte `position` on; `length` at most kLongest.
  static constexpr std::size_t kLongest = 65536;
  [[nodiscard]] std::span<const std::byte> bytes(std::uint64_t position, std::size_t length) const;

  /// Headers of a segment of `flow` with `length` bytes of payload from `position` on. The TCP
  /// checksum is whole, or, where the device is to finish it, the pseudo-header's sum (virtio 1.2,
  /// 5.1.6.2).
  enum class Checksum { whole, partial };
  void write_headers(std::span<std::byte> out, unsigned flow, std::uint64_t position,
                     std::size_t length, Checksum checksum) const;

  /// What a frame, one segment or several merged, says of itself.
  struct Segment {
    unsigned flow;
    std::uint32_t sequence;
    std::span<const std::byte> payload;
  };
  /// Nothing where a header is not as write_headers makes it.
  [[nodiscard]] static std::optional<Segment> parse(std::span<const std::byte> frame);
  /// Whether the IPv4 and TCP checksums of a frame are right.
  [[nodiscard]] static bool checksums_right(std::span<const std::byte> frame);
  /// Whether the payload is what a flow has from `position` on.
  [[nodiscard]] bool matches(std::span<const std::byte> payload, std::uint64_t position) const;

 private:
  std::vector<std::byte> pattern_;
};

/// The flows' state at a receiver that takes every byte once and in order.
class TcpReceiver {
 public:
  TcpReceiver(const TcpStream& stream, unsigned flows) : stream_(stream), next_(flows) {}

  /// Takes a frame; false where it is not the next of its flow or a byte is wrong.
  [[nodiscard]] bool take(std::span<const std::byte> frame);
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  const TcpStream& stream_;
  std::vector<std::uint64_t> next_;  // position of the next byte, by flow
  std::uint64_t bytes_ = 0;
};

}  // namespace nicroscope::sim
