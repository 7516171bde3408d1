// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace nicroscope::golden {

using Bytes = std::vector<std::byte>;
using View = std::span<const std::byte>;

// Numbers in network byte order at an offset. The caller has checked that they are there.

[[nodiscard]] inline std::uint8_t get8(View bytes, std::size_t at) {
  return std::to_integer<std::uint8_t>(bytes[at]);
}
[[nodiscard]] inline std::uint16_t get16(View bytes, std::size_t at) {
  return static_cast<std::uint16_t>(get8(bytes, at) << 8 | get8(bytes, at + 1));
}
[[nodiscard]] inline std::uint32_t get32(View bytes, std::size_t at) {
  return std::uint32_t{get16(bytes, at)} << 16 | get16(bytes, at + 2);
}
inline void put8(std::span<std::byte> bytes, std::size_t at, unsigned value) {
  bytes[at] = static_cast<std::byte>(value);
}
inline void put16(std::span<std::byte> bytes, std::size_t at, std::uint32_t value) {
  put8(bytes, at, value >> 8 & 0xff);
  put8(bytes, at + 1, value & 0xff);
}
inline void put32(std::span<std::byte> bytes, std::size_t at, std::uint32_t value) {
  put16(bytes, at, value >> 16);
  put16(bytes, at + 2, value & 0xffff);
}

inline void append(Bytes& to, View bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }
inline void append8(Bytes& to, unsigned value) { to.push_back(static_cast<std::byte>(value)); }
inline void append16(Bytes& to, std::uint32_t value) {
  append8(to, value >> 8 & 0xff);
  append8(to, value & 0xff);
}
inline void append32(Bytes& to, std::uint32_t value) {
  append16(to, value >> 16);
  append16(to, value & 0xffff);
}

}  // namespace nicroscope::golden
