// SPDX-License-Identifier: Apache-2.0
#include "stack/ipv4/ip_options.h"

#include <algorithm>

#include "stack/ipv4/ip_header.h"

namespace nicroscope::net {

namespace {

// Option types with their copy and class bits (IANA: ip-parameters).
constexpr unsigned kEnd = 0;
constexpr unsigned kNoop = 1;
constexpr unsigned kRecordRoute = 7;
constexpr unsigned kTimestamp = 68;
constexpr unsigned kLooseSourceRoute = 131;
constexpr unsigned kRouterAlert = 148;
constexpr unsigned kStrictSourceRoute = 137;

}  // namespace

ip_options ip_options_compile(std::span<const std::byte> options) noexcept {
  ip_options result;
  const auto byte = [&](std::size_t i) { return std::to_integer<unsigned>(options[i]); };
  const auto fail = [&](std::size_t at) {
    result.error = static_cast<std::uint8_t>(kIpHlen + at);
    return result;
  };
  for (std::size_t i = 0; i < options.size();) {
    const unsigned type = byte(i);
    if (type == kEnd) break;
    if (type == kNoop) {
      ++i;
      continue;
    }
    if (options.size() - i < 2) return fail(i);
    const unsigned length = byte(i + 1);
    if (length < 2 || length > options.size() - i) return fail(i + 1);
    switch (type) {
      case kLooseSourceRoute:
      case kStrictSourceRoute:
        if (length < 3) return fail(i + 1);
        if (byte(i + 2) < 4) return fail(i + 2);
        result.source_route = true;
        break;
      case kRecordRoute:
        if (length < 3) return fail(i + 1);
        if (byte(i + 2) < 4) return fail(i + 2);
        break;
      case kTimestamp:
        if (length < 4) return fail(i + 1);
        if (byte(i + 2) < 5) return fail(i + 2);
        break;
      case kRouterAlert:
        if (length < 4) return fail(i + 1);
        result.router_alert = byte(i + 2) == 0 && byte(i + 3) == 0;
        break;
      default:
        break;
    }
    i += length;
  }
  return result;
}

void ip_options_fragment(std::span<std::byte> options) noexcept {
  constexpr unsigned kCopied = 0x80;
  for (std::size_t i = 0; i < options.size();) {
    const auto type = std::to_integer<unsigned>(options[i]);
    if (type == kEnd) return;
    if (type == kNoop) {
      ++i;
      continue;
    }
    const auto length = std::to_integer<std::size_t>(options[i + 1]);
    if ((type & kCopied) == 0) {
      const auto option = options.subspan(i, length);
      std::fill(option.begin(), option.end(), std::byte{kNoop});
    }
    i += length;
  }
}

}  // namespace nicroscope::net
