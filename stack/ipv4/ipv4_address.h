// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "stack/core/byte_order.h"

namespace nicroscope::net {

/// An IPv4 address; the value is in host order.
struct ipv4_address {
  std::uint32_t value = 0;

  friend auto operator<=>(const ipv4_address&, const ipv4_address&) = default;

  [[nodiscard]] constexpr bool is_any() const noexcept { return value == 0; }
  /// 0.0.0.0/8: "this network".
  [[nodiscard]] constexpr bool is_zeronet() const noexcept { return value >> 24U == 0; }
  [[nodiscard]] constexpr bool is_loopback() const noexcept { return value >> 24U == 127; }
  [[nodiscard]] constexpr bool is_multicast() const noexcept { return value >> 28U == 0xe; }
  [[nodiscard]] constexpr bool is_limited_broadcast() const noexcept { return value == ~0U; }
  /// Class E, the limited broadcast included.
  [[nodiscard]] constexpr bool is_reserved() const noexcept { return value >> 28U == 0xf; }

  [[nodiscard]] static ipv4_address load(const std::byte* p) noexcept { return {load_be32(p)}; }
  void store(std::byte* p) const noexcept { store_be32(p, value); }
};

inline constexpr ipv4_address kInaddrAny{0};
inline constexpr ipv4_address kInaddrBroadcast{~0U};

/// A network: an address and how many of its first bits name the network.
struct ipv4_prefix {
  ipv4_address address;
  unsigned length = 0;  ///< 0 to 32

  friend bool operator==(const ipv4_prefix&, const ipv4_prefix&) = default;

  [[nodiscard]] constexpr std::uint32_t mask() const noexcept {
    return length == 0 ? 0 : ~0U << (32U - length);
  }
  [[nodiscard]] constexpr bool contains(ipv4_address a) const noexcept {
    return ((a.value ^ address.value) & mask()) == 0;
  }
  /// The directed broadcast address; networks of 31 and 32 bits have none (RFC 3021).
  [[nodiscard]] constexpr std::optional<ipv4_address> broadcast() const noexcept {
    if (length >= 31) return std::nullopt;
    return ipv4_address{address.value | ~mask()};
  }
};

/// "192.0.2.1"; the parser takes four decimal numbers and nothing else.
[[nodiscard]] std::string to_string(ipv4_address address);
[[nodiscard]] std::optional<ipv4_address> parse_ipv4_address(std::string_view text);
/// "192.0.2.1/24".
[[nodiscard]] std::string to_string(const ipv4_prefix& prefix);
[[nodiscard]] std::optional<ipv4_prefix> parse_ipv4_prefix(std::string_view text);

}  // namespace nicroscope::net
