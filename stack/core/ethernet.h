// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "stack/core/byte_order.h"

namespace nicroscope::net {

/// Bytes of an Ethernet header, and of a frame without FCS at least and (untagged) at most.
inline constexpr unsigned kEthHlen = 14;
inline constexpr unsigned kEthZlen = 60;
inline constexpr unsigned kEthAlen = 6;

/// EtherTypes (IEEE 802 numbers; Linux: include/uapi/linux/if_ether.h).
inline constexpr std::uint16_t kEthPIp = 0x0800;
inline constexpr std::uint16_t kEthPArp = 0x0806;
inline constexpr std::uint16_t kEthP8021q = 0x8100;
inline constexpr std::uint16_t kEthP8021ad = 0x88a8;
inline constexpr std::uint16_t kEthPIpv6 = 0x86dd;
/// Smallest value of the type field that is a type and not an IEEE 802.3 length.
inline constexpr std::uint16_t kEthP8023Min = 0x0600;
/// Not on the wire: what eth_type_trans finds in frames with a length field, and "every type".
inline constexpr std::uint16_t kEthP8023 = 0x0001;
inline constexpr std::uint16_t kEthPAll = 0x0003;
inline constexpr std::uint16_t kEthP8022 = 0x0004;

struct mac_address {
  std::array<std::uint8_t, kEthAlen> bytes{};

  friend bool operator==(const mac_address&, const mac_address&) = default;

  [[nodiscard]] bool is_multicast() const noexcept { return (bytes[0] & 1U) != 0; }
  [[nodiscard]] bool is_broadcast() const noexcept {
    return *this == mac_address{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
  }
  [[nodiscard]] bool is_zero() const noexcept { return *this == mac_address{}; }

  [[nodiscard]] static mac_address load(const std::byte* p) noexcept {
    mac_address a;
    std::memcpy(a.bytes.data(), p, kEthAlen);
    return a;
  }
  void store(std::byte* p) const noexcept { std::memcpy(p, bytes.data(), kEthAlen); }
};

inline constexpr mac_address kEthBroadcast{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

/// "52:54:00:12:34:56"; the parser takes that form alone.
[[nodiscard]] std::string to_string(const mac_address& address);
[[nodiscard]] std::optional<mac_address> parse_mac_address(std::string_view text);

/// An Ethernet header (IEEE 802.3 3.1.1): destination, source, type or length.
class EthernetView {
 public:
  /// Nothing if there are fewer than 14 bytes.
  [[nodiscard]] static std::optional<EthernetView> parse(std::span<std::byte> bytes) noexcept {
    if (bytes.size() < kEthHlen) return std::nullopt;
    return EthernetView(bytes.data());
  }

  [[nodiscard]] mac_address destination() const noexcept { return mac_address::load(p_); }
  [[nodiscard]] mac_address source() const noexcept { return mac_address::load(p_ + kEthAlen); }
  [[nodiscard]] std::uint16_t type() const noexcept { return load_be16(p_ + 12); }

  void set(const mac_address& destination, const mac_address& source, std::uint16_t type) noexcept {
    destination.store(p_);
    source.store(p_ + kEthAlen);
    store_be16(p_ + 12, type);
  }

 private:
  explicit EthernetView(std::byte* p) noexcept : p_(p) {}
  std::byte* p_;
};

}  // namespace nicroscope::net
