// SPDX-License-Identifier: Apache-2.0
// What a driver gives to the transmit path, and what has to leave on the wire for it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "nicroscope/registers.h"
#include "nicroscope/virtio.h"
#include "sim/base/random.h"
#include "tests/golden/checksum.h"
#include "tests/golden/frame_builder.h"
#include "tests/golden/segment.h"

namespace nicroscope::test {

struct TxMix {
  unsigned min_frame = 60;
  unsigned max_frame = 1514;
  unsigned bad_percent = 0;         // too short or too long
  unsigned offload_percent = 0;     // frames of protocols, with checksums to be put in or to be cut
  unsigned bad_header_percent = 0;  // of those, with a header that is a bit wrong
  bool hash = false;                // headers of 20 bytes
  unsigned super_segment = 0;       // all are super-frames of 64 KiB, in segments of this payload
  golden::TransmitMix offload{};
  golden::TransmitFeatures features{};
};

// A chain's bytes, header in front, and the frames that leave for it; none where it is dropped.
struct TxChain {
  std::vector<uint8_t> bytes;
  std::vector<golden::Bytes> frames;
  bool super = false;
  bool csum = false;
};

class TxFrames {
 public:
  static constexpr unsigned kMaxFrame = 9022;
  static constexpr unsigned kMaxSuper = 65557;  // 65,535 and an Ethernet header with two tags
  static constexpr unsigned kMaxHeaders = 254;

  TxFrames(const TxMix& mix, uint32_t seed) : mix_(mix), random_(seed), golden_(seed) {}

  TxChain next() {
    if (mix_.super_segment != 0) return large();
    const bool bad = percent(mix_.bad_percent);
    return !bad && percent(mix_.offload_percent) ? offloaded() : plain(bad);
  }

 private:
  bool percent(unsigned chance) { return random_() % 100 < chance; }
  unsigned between(unsigned low, unsigned high) {
    return low + static_cast<unsigned>(random_() % (high - low + 1));
  }

  // What a header that asks for nothing has in its other fields does not matter.
  TxChain plain(bool bad) {
    unsigned size = between(mix_.min_frame, mix_.max_frame);
    if (bad) {
      size = random_() % 2   ? between(0, 13)
             : random_() % 4 ? between(kMaxFrame + 1, kMaxFrame + 500)
                             : between(kMaxSuper + 1, kMaxSuper + 500);
    }
    golden::Bytes frame(size);
    for (std::byte& byte : frame) byte = static_cast<std::byte>(random_());
    virtio::NetHeader header{};
    header.flags = static_cast<uint8_t>(random_() & ~regs::kNetHdrFNeedsCsum);
    header.hdr_len = static_cast<uint16_t>(random_());
    header.gso_size = static_cast<uint16_t>(random_());
    header.csum_start = static_cast<uint16_t>(random_());
    header.csum_offset = static_cast<uint16_t>(random_());
    return chain(header, frame);
  }

  TxChain offloaded() {
    golden::TransmitFrame frame = golden::random_transmit(golden_, mix_.offload);
    if (percent(20) && frame.header.gso_type == 0 && mix_.offload.csum) {
      // A checksum of anything, anywhere.
      frame.header.flags = regs::kNetHdrFNeedsCsum;
      frame.header.csum_start =
          static_cast<uint16_t>(random_() % std::max<size_t>(frame.bytes.size() - 2, 1));
      frame.header.csum_offset =
          static_cast<uint16_t>(random_() % (frame.bytes.size() - 1 - frame.header.csum_start));
    }
    if (percent(mix_.bad_header_percent)) spoil(frame.header, frame.bytes);
    return chain(frame.header, frame.bytes);
  }

  TxChain large() {
    golden::Recipe recipe;
    recipe.payload_bytes = 45 * mix_.super_segment;
    recipe.payload_seed = random_();
    golden::Bytes frame = golden::build(recipe);
    virtio::NetHeader header{};
    header.flags = regs::kNetHdrFNeedsCsum;
    header.gso_type = regs::kNetHdrGsoTcpV4;
    header.gso_size = static_cast<uint16_t>(mix_.super_segment);
    header.csum_start = 34;
    header.csum_offset = 16;
    const golden::ParsedFrame parsed = golden::parse(frame);
    golden::put16(frame, 50,
                  golden::pseudo_sum(parsed.source_address, parsed.destination_address, 6,
                                     static_cast<uint32_t>(frame.size() - 34)));
    return chain(header, frame);
  }

  // Not what the check field of a super-frame depends on: that is for the driver to get right.
  void spoil(virtio::NetHeader& header, golden::Bytes& bytes) {
    const bool super = header.gso_type != 0;
    switch (random_() % 9) {
      case 0:
        header.flags ^= regs::kNetHdrFNeedsCsum;
        break;
      case 1:
        header.gso_type = static_cast<uint8_t>(random_() % 8 | (random_() % 2 ? 0x80 : 0));
        break;
      case 2:
        header.gso_size = 0;
        break;
      case 3:
        header.csum_start = static_cast<uint16_t>(random_() % (bytes.size() + 4));
        if (super) header.csum_start |= 1;
        break;
      case 4:
        header.csum_offset = static_cast<uint16_t>(random_() % 2 ? random_() % 20 : random_());
        break;
      case 5:
        bytes[12 + random_() % (super ? 10 : 12)] = static_cast<std::byte>(random_());
        break;
      case 6:
        if (header.csum_offset == 16) {  // TCP, in front of the check field
          bytes[header.csum_start + random_() % 14] = static_cast<std::byte>(random_());
        }
        break;
      case 7:
        header.gso_size = static_cast<uint16_t>(random_());
        break;
      default:
        bytes.resize(14 + random_() % (super ? 8 : 80));
        break;
    }
  }

  TxChain chain(virtio::NetHeader header, const golden::Bytes& frame) {
    TxChain out;
    out.bytes.resize(mix_.hash ? regs::kNetHdrHashBytes : regs::kNetHdrBytes);
    for (uint8_t& byte : out.bytes) byte = static_cast<uint8_t>(random_());
    std::memcpy(out.bytes.data(), &header, sizeof header);
    for (std::byte byte : frame) out.bytes.push_back(std::to_integer<uint8_t>(byte));
    out.super = header.gso_type != 0;
    out.csum = (header.flags & regs::kNetHdrFNeedsCsum) != 0;
    if (frame.size() < 14 || frame.size() > kMaxSuper) return out;
    auto frames = golden::segment(frame, header, mix_.features);
    if (!frames) return out;
    // The device's own limits.
    if (out.super && (header.csum_start % 2 != 0 || short_ip4(frame) ||
                      headers_of(header, frame) > kMaxHeaders)) {
      return out;
    }
    for (const golden::Bytes& each : *frames) {
      if (each.size() > kMaxFrame) return out;
    }
    out.frames = std::move(*frames);
    return out;
  }

  static size_t headers_of(const virtio::NetHeader& header, const golden::Bytes& frame) {
    if ((header.gso_type & 0x7f) == regs::kNetHdrGsoUdpL4) return header.csum_start + 8U;
    return header.csum_start + size_t{golden::get8(frame, header.csum_start + 12U)} / 16 * 4;
  }

  // An IPv4 header of fewer than 20 bytes.
  static bool short_ip4(const golden::Bytes& frame) {
    size_t at = 12;
    while (golden::get16(frame, at) == 0x8100 || golden::get16(frame, at) == 0x88a8) at += 4;
    return golden::get16(frame, at) == 0x0800 && golden::get8(frame, at + 2) % 16 < 5;
  }

  TxMix mix_;
  std::mt19937 random_;
  sim::Random golden_;
};

}  // namespace nicroscope::test
