// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include "nicroscope/time.h"

namespace nicroscope::sim {

/// What a generated frame says of itself in the first bytes of its UDP payload, so that whoever
/// gets it knows which one it is and how old: 2 bytes of mark, 8 of number, 8 of time, most
/// significant first. The smallest frame has room for just that.
struct Stamp {
  static constexpr std::size_t kBytes = 18;

  std::uint64_t sequence = 0;  ///< 0 for the generator's first frame
  Time due{0};                 ///< when it was to start on the wire

  void store(std::byte* payload) const noexcept {
    store_be(payload, kMark, 2);
    store_be(payload + 2, sequence, 8);
    store_be(payload + 10, static_cast<std::uint64_t>(due.count()), 8);
  }
  /// Nothing where the payload is not a generated frame's.
  [[nodiscard]] static std::optional<Stamp> of_payload(
      std::span<const std::byte> payload) noexcept {
    if (payload.size() < kBytes || load_be(payload.data(), 2) != kMark) return std::nullopt;
    return Stamp{load_be(payload.data() + 2, 8),
                 Time{static_cast<std::int64_t>(load_be(payload.data() + 10, 8))}};
  }
  /// The same of an Ethernet frame with UDP in IPv4 without options.
  [[nodiscard]] static std::optional<Stamp> of_frame(std::span<const std::byte> frame) noexcept {
    constexpr std::size_t kType = 12;
    constexpr std::size_t kProtocol = kIp + 9;
    if (frame.size() < kPayload + kBytes) return std::nullopt;
    if (load_be(frame.data() + kType, 2) != 0x0800 || load_be(frame.data() + kIp, 1) != 0x45 ||
        load_be(frame.data() + kProtocol, 1) != 17) {
      return std::nullopt;
    }
    return of_payload(frame.subspan(kPayload));
  }

  static constexpr std::size_t kIp = 14;
  static constexpr std::size_t kUdp = kIp + 20;
  static constexpr std::size_t kPayload = kUdp + 8;

  static void store_be(std::byte* to, std::uint64_t value, unsigned bytes) noexcept {
    for (unsigned i = 0; i < bytes; ++i) {
      to[i] = static_cast<std::byte>(value >> (8 * (bytes - 1 - i)) & 0xffU);
    }
  }
  [[nodiscard]] static std::uint64_t load_be(const std::byte* from, unsigned bytes) noexcept {
    std::uint64_t value = 0;
    for (unsigned i = 0; i < bytes; ++i) {
      value = value << 8U | std::to_integer<std::uint64_t>(from[i]);
    }
    return value;
  }

 private:
  static constexpr std::uint64_t kMark = 0x6e73;  // "ns"
};

}  // namespace nicroscope::sim
