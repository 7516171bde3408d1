// SPDX-License-Identifier: Apache-2.0
#include "sim/linux/stream_meter.h"

#include <cstddef>

namespace nicroscope::uml {
namespace {

constexpr std::size_t kEthernetHeader = 14;
constexpr unsigned kIpv4 = 0x0800;
constexpr unsigned kTcp = 6;

/// Payload of a TCP segment over IPv4 to `port`; 0 for everything else.
std::size_t payload_to(std::span<const std::byte> frame, std::uint16_t port) {
  const auto at = [frame](std::size_t offset) { return std::to_integer<unsigned>(frame[offset]); };
  const auto at16 = [&at](std::size_t offset) { return at(offset) << 8 | at(offset + 1); };
  constexpr std::size_t kLeast = kEthernetHeader + 20 + 20;
  if (frame.size() < kLeast || at16(12) != kIpv4 || at(kEthernetHeader + 9) != kTcp) return 0;
  const std::size_t ip_header = std::size_t{4} * (at(kEthernetHeader) & 0xf);
  const std::size_t tcp = kEthernetHeader + ip_header;
  if (frame.size() < tcp + 20 || at16(tcp + 2) != port) return 0;
  const std::size_t headers = ip_header + std::size_t{4} * (at(tcp + 12) >> 4);
  const std::size_t length = at16(kEthernetHeader + 2);
  return length > headers ? length - headers : 0;
}

}  // namespace

void StreamMeter::on_frame(const sim::PassedFrame& frame) {
  if (frame.direction != sim::WireDirection::to_nic) return;
  const std::size_t payload = payload_to(frame.bytes, port_);
  if (payload == 0) return;
  const bool all = bytes_ >= expected_;
  const bool first = bytes_ == 0;
  bytes_ += payload;
  if (all) return;
  bytes_at_last_ = bytes_;
  wall_last_ = Wall::now();
  last_ = frame.last;
  if (first) {
    wall_first_ = wall_last_;
    first_ = frame.last;
  }
  if (bytes_at_half_ == 0 && bytes_ >= expected_ / 2) {
    half_ = frame.last;
    bytes_at_half_ = bytes_;
  }
}

double StreamMeter::gbps() const noexcept {
  if (bytes_at_half_ == 0 || last_ <= half_) return 0;
  constexpr double kGiga = 1e9;
  return static_cast<double>(bytes_at_last_ - bytes_at_half_) * 8 / kGiga /
         std::chrono::duration<double>(last_ - half_).count();
}

double StreamMeter::wall_seconds_per_simulated() const noexcept {
  if (last_ <= first_) return 0;
  return std::chrono::duration<double>(wall_last_ - wall_first_).count() /
         std::chrono::duration<double>(last_ - first_).count();
}

}  // namespace nicroscope::uml
