// SPDX-License-Identifier: Apache-2.0
#include "sim/bench/tcp_stream.h"

#include <cstring>

#include "sim/base/random.h"

namespace nicroscope::sim {
namespace {

constexpr std::size_t kPeriod = 4093;  // prime: it does not fit segments or pages
constexpr unsigned kProtocol = 6;
constexpr unsigned kFirstPort = 20000;
constexpr unsigned kAck = 0x10;

constexpr std::size_t kIpAt = TcpStream::kEthernet;
constexpr std::size_t kTcpAt = kIpAt + TcpStream::kIp;

unsigned get16(std::span<const std::byte> frame, std::size_t at) {
  return std::to_integer<unsigned>(frame[at]) << 8U | std::to_integer<unsigned>(frame[at + 1]);
}
std::uint32_t get32(std::span<const std::byte> frame, std::size_t at) {
  return get16(frame, at) << 16U | get16(frame, at + 2);
}
void put16(std::span<std::byte> frame, std::size_t at, std::size_t value) {
  frame[at] = static_cast<std::byte>(value >> 8U);
  frame[at + 1] = static_cast<std::byte>(value);
}
void put32(std::span<std::byte> frame, std::size_t at, std::size_t value) {
  put16(frame, at, value >> 16U);
  put16(frame, at + 2, value);
}

// Ones' complement sum of big-endian halfwords (RFC 1071), not folded.
std::uint64_t sum(std::span<const std::byte> bytes) {
  std::uint64_t total = 0;
  std::size_t i = 0;
  for (; i + 1 < bytes.size(); i += 2) total += get16(bytes, i);
  if (i < bytes.size()) total += std::to_integer<std::uint64_t>(bytes[i]) << 8U;
  return total;
}
std::uint16_t fold(std::uint64_t total) {
  while (total > 0xffff) total = (total & 0xffff) + (total >> 16U);
  return static_cast<std::uint16_t>(total);
}
std::uint64_t pseudo_header(std::span<const std::byte> frame, std::size_t tcp_length) {
  return sum(frame.subspan(kIpAt + 12, 8)) + kProtocol + tcp_length;
}

}  // namespace

TcpStream::TcpStream() : pattern_(kPeriod + kLongest) {
  Random random(2);
  for (std::size_t i = 0; i < pattern_.size(); ++i) {
    pattern_[i] = i < kPeriod ? static_cast<std::byte>(random.next()) : pattern_[i - kPeriod];
  }
}

std::span<const std::byte> TcpStream::bytes(std::uint64_t position, std::size_t length) const {
  return std::span(pattern_).subspan(position % kPeriod, length);
}

void TcpStream::write_headers(std::span<std::byte> out, unsigned flow, std::uint64_t position,
                              std::size_t length, Checksum checksum) const {
  static constexpr std::array<unsigned char, kHeaders> kTemplate = {
      0x02, 0, 0,    0,    0,  0x01, 0x02, 0,  0,  0,         0, 0x02, 0x08, 0x00,  // Ethernet
      0x45, 0, 0,    0,    0,  0,    0x40, 0,  64, kProtocol, 0, 0,  // IPv4, don't fragment
      10,   0, 0,    2,    10, 0,    0,    1,                        //
      0,    0, 0x13, 0x89, 0,  0,    0,    0,  0,  0,         0, 1,    0x80, kAck,
      0x04, 0,  // TCP
      0,    0, 0,    0,    1,  1,    8,    10, 0,  0,         0, 5,    0,    0,
      0,    6};  // and its timestamps
  std::memcpy(out.data(), kTemplate.data(), kHeaders);
  const std::size_t tcp_length = kTcp + length;
  put16(out, kIpAt + 2, kIp + tcp_length);
  put16(out, kIpAt + 4, position / kSegment);  // identification counts segments
  put16(out, kIpAt + 10, static_cast<std::uint16_t>(~fold(sum(out.subspan(kIpAt, kIp)))));
  put16(out, kTcpAt, kFirstPort + flow);
  put32(out, kTcpAt + 4, static_cast<std::uint32_t>(position));
  std::uint64_t total = pseudo_header(out, tcp_length);
  if (checksum == Checksum::partial) {
    put16(out, kTcpAt + 16, fold(total));
    return;
  }
  total += sum(out.subspan(kTcpAt, kTcp)) + sum(bytes(position, length));
  put16(out, kTcpAt + 16, static_cast<std::uint16_t>(~fold(total)));
}

std::optional<TcpStream::Segment> TcpStream::parse(std::span<const std::byte> frame) {
  if (frame.size() < kHeaders || get16(frame, 12) != 0x0800 || get16(frame, kIpAt) != 0x4500 ||
      get16(frame, kIpAt + 2) != frame.size() - kEthernet ||
      get16(frame, kTcpAt + 12) >> 12U != kTcp / 4 || get16(frame, kTcpAt) < kFirstPort) {
    return std::nullopt;
  }
  return Segment{get16(frame, kTcpAt) - kFirstPort, get32(frame, kTcpAt + 4),
                 frame.subspan(kHeaders)};
}

bool TcpStream::checksums_right(std::span<const std::byte> frame) {
  const auto tcp = frame.subspan(kTcpAt);
  return fold(sum(frame.subspan(kIpAt, kIp))) == 0xffff &&
         fold(pseudo_header(frame, tcp.size()) + sum(tcp)) == 0xffff;
}

bool TcpStream::matches(std::span<const std::byte> payload, std::uint64_t position) const {
  return payload.size() <= kLongest &&
         std::memcmp(payload.data(), bytes(position, payload.size()).data(), payload.size()) == 0;
}

bool TcpReceiver::take(std::span<const std::byte> frame) {
  const auto segment = TcpStream::parse(frame);
  if (!segment || segment->flow >= next_.size()) return false;
  std::uint64_t& next = next_[segment->flow];
  if (segment->sequence != static_cast<std::uint32_t>(next) ||
      !stream_.matches(segment->payload, next)) {
    return false;
  }
  next += segment->payload.size();
  bytes_ += segment->payload.size();
  return true;
}

}  // namespace nicroscope::sim
