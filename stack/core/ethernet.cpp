// SPDX-License-Identifier: Apache-2.0
#include "stack/core/ethernet.h"

namespace nicroscope::net {

namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

std::optional<unsigned> hex_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
  return std::nullopt;
}

}  // namespace

std::string to_string(const mac_address& address) {
  std::string text;
  text.reserve(3 * kEthAlen);
  for (const unsigned byte : address.bytes) {
    if (!text.empty()) text += ':';
    text += kHexDigits[byte >> 4U];
    text += kHexDigits[byte & 15U];
  }
  return text;
}

std::optional<mac_address> parse_mac_address(std::string_view text) {
  if (text.size() != 3 * kEthAlen - 1) return std::nullopt;
  mac_address address;
  for (std::size_t i = 0; i < kEthAlen; ++i) {
    const auto high = hex_value(text[3 * i]);
    const auto low = hex_value(text[3 * i + 1]);
    if (!high || !low || (i != 0 && text[3 * i - 1] != ':')) return std::nullopt;
    address.bytes[i] = static_cast<std::uint8_t>(*high << 4U | *low);
  }
  return address;
}

}  // namespace nicroscope::net
