// SPDX-License-Identifier: Apache-2.0
#include "stack/ipv4/ipv4_address.h"

#include <charconv>

namespace nicroscope::net {

namespace {

/// A decimal number without sign or leading zeros, at most `limit`.
std::optional<unsigned> parse_number(std::string_view text, unsigned limit) {
  if (text.empty() || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > limit) {
    return std::nullopt;
  }
  return value;
}

}  // namespace

std::string to_string(ipv4_address address) {
  std::string text;
  for (unsigned shift = 32; shift != 0;) {
    shift -= 8;
    text += std::to_string(address.value >> shift & 0xffU);
    if (shift != 0) text += '.';
  }
  return text;
}

std::optional<ipv4_address> parse_ipv4_address(std::string_view text) {
  ipv4_address address;
  for (unsigned i = 0; i < 4; ++i) {
    const std::size_t dot = i == 3 ? text.size() : text.find('.');
    if (dot == std::string_view::npos) return std::nullopt;
    const auto part = parse_number(text.substr(0, dot), 255);
    if (!part) return std::nullopt;
    address.value = address.value << 8U | *part;
    text.remove_prefix(i == 3 ? dot : dot + 1);
  }
  return address;
}

std::string to_string(const ipv4_prefix& prefix) {
  return to_string(prefix.address) + '/' + std::to_string(prefix.length);
}

std::optional<ipv4_prefix> parse_ipv4_prefix(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto address = parse_ipv4_address(text.substr(0, slash));
  const auto length = parse_number(text.substr(slash + 1), 32);
  if (!address || !length) return std::nullopt;
  return ipv4_prefix{*address, *length};
}

}  // namespace nicroscope::net
