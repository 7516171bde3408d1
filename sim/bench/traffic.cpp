// SPDX-License-Identifier: Apache-2.0
#include "sim/bench/traffic.h"

#include <algorithm>
#include <cstring>
#include <initializer_list>

#include "sim/base/random.h"

namespace nicroscope::sim {
namespace {

constexpr std::size_t kFcsBytes = 4;
constexpr std::size_t kRounds = 61;  // prime: the period does not fit rings

// Offsets in a frame: IEEE 802.3, RFC 791, RFC 768.
constexpr std::size_t kIp = 14;
constexpr std::size_t kUdp = kIp + 20;
constexpr std::size_t kPayload = kUdp + 8;
constexpr std::size_t kIndexBytes = 4;
constexpr std::uint16_t kFirstPort = 10000;

class Writer {
 public:
  explicit Writer(std::span<std::byte> frame) : frame_(frame) {}
  void put(std::size_t offset, std::initializer_list<unsigned> bytes) {
    for (const unsigned byte : bytes) frame_[offset++] = static_cast<std::byte>(byte);
  }
  void put16(std::size_t offset, std::size_t value) {
    put(offset, {static_cast<unsigned>(value >> 8U & 0xffU), static_cast<unsigned>(value & 0xffU)});
  }
  /// Ones' complement sum of big-endian halfwords (RFC 1071).
  [[nodiscard]] std::uint64_t sum(std::size_t begin, std::size_t end) const {
    std::uint64_t sum = 0;
    for (std::size_t i = begin; i < end; ++i) {
      sum += std::to_integer<std::uint64_t>(frame_[i]) << ((i - begin) % 2 == 0 ? 8U : 0U);
    }
    return sum;
  }
  [[nodiscard]] static std::uint16_t folded(std::uint64_t sum) {
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16U);
    return static_cast<std::uint16_t>(~sum);
  }

 private:
  std::span<std::byte> frame_;
};

void write_headers(std::vector<std::byte>& frame, std::size_t index) {
  Writer writer(frame);
  writer.put(0, {0x02, 0, 0, 0, 0, 0x01, 0x02, 0, 0, 0, 0, 0x02, 0x08, 0x00});
  writer.put(kIp, {0x45, 0});
  writer.put16(kIp + 2, frame.size() - kIp);
  writer.put(kIp + 4, {0, 0, 0x40, 0, 64, 17, 0, 0, 10, 0, 0, 2, 10, 0, 0, 1});
  writer.put16(kIp + 10, Writer::folded(writer.sum(kIp, kUdp)));
  writer.put16(kUdp, kFirstPort + index);
  writer.put16(kUdp + 2, 9);
  writer.put16(kUdp + 4, frame.size() - kUdp);
  writer.put16(kUdp + 6, 0);
  for (std::size_t byte = 0; byte < kIndexBytes; ++byte) {
    writer.put(kPayload + byte, {static_cast<unsigned>(index >> (8 * byte) & 0xffU)});
  }
  const std::uint64_t pseudo = writer.sum(kIp + 12, kUdp) + 17 + (frame.size() - kUdp);
  const std::uint16_t check = Writer::folded(pseudo + writer.sum(kUdp, frame.size()));
  writer.put16(kUdp + 6, check == 0 ? 0xffff : check);
}

}  // namespace

Traffic::Traffic(std::span<const unsigned> sizes, unsigned streams) {
  Random random(1);
  std::size_t total = 0;
  const std::size_t count = kRounds * sizes.size() * streams;
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<std::byte>& frame = frames_.emplace_back(sizes[i % sizes.size()] - kFcsBytes);
    for (std::byte& byte : frame) byte = static_cast<std::byte>(random.next());
    write_headers(frame, i);
    longest_ = std::max(longest_, frame.size());
    total += frame.size() + kFcsBytes;
  }
  mean_size_ = static_cast<double>(total) / static_cast<double>(frames_.size());
}

std::optional<std::size_t> Traffic::recognize(std::span<const std::byte> bytes) const {
  if (bytes.size() < kPayload + kIndexBytes) return std::nullopt;
  std::size_t index = 0;
  for (std::size_t byte = 0; byte < kIndexBytes; ++byte) {
    index |= std::to_integer<std::size_t>(bytes[kPayload + byte]) << (8 * byte);
  }
  if (index >= frames_.size() || bytes.size() != frames_[index].size() ||
      std::memcmp(bytes.data(), frames_[index].data(), bytes.size()) != 0) {
    return std::nullopt;
  }
  return index;
}

void TrafficSink::on_frame(const PassedFrame& frame) {
  if (frame.direction != WireDirection::from_nic) return;
  ++frames_;
  const auto index = traffic_.recognize(frame.bytes);
  if (!frame.good || !index) {
    complaint_ = "a frame left the NIC damaged";
    return;
  }
  const std::size_t streams = passed_.size();
  const std::size_t stream = *index % streams;
  if (*index != (passed_[stream]++ * streams + stream) % traffic_.distinct()) {
    complaint_ = "a frame left the NIC that was not the next one of its queue";
  }
}

}  // namespace nicroscope::sim
