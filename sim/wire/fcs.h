// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace nicroscope::sim {

inline constexpr std::size_t kFcsBytes = 4;

/// The frame check sequence of `bytes` (IEEE 802.3, 3.2.9) as the number whose least significant
/// byte goes first.
[[nodiscard]] inline std::uint32_t frame_check_sequence(std::span<const std::byte> bytes) noexcept {
  return static_cast<std::uint32_t>(
      ::crc32_z(0, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));  // NOLINT
}

}  // namespace nicroscope::sim
