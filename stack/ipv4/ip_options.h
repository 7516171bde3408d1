// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace nicroscope::net {

/// What the options of an IPv4 header ask for (RFC 791 3.1).
struct ip_options {
  bool source_route = false;  ///< loose or strict: such packets are refused
  bool router_alert = false;
  /// Where the first error is, counted from the start of the IPv4 header: ICMP parameter problem's
  /// pointer. None if the options are well formed.
  std::optional<std::uint8_t> error;
};

/// Reads the bytes behind the first 20 of an IPv4 header. Record route and timestamp options are
/// checked and left as they are.
[[nodiscard]] ip_options ip_options_compile(std::span<const std::byte> options) noexcept;

/// Makes no-operations of the well-formed options that only the first fragment of a packet carries
/// (RFC 791 3.1: those whose copied flag is not set).
void ip_options_fragment(std::span<std::byte> options) noexcept;

}  // namespace nicroscope::net
