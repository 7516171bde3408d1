// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace nicroscope::sim::xgmii {

// Control characters (IEEE 802.3, table 46-3) and the bytes before a frame.
inline constexpr std::uint8_t kIdle = 0x07;
inline constexpr std::uint8_t kStart = 0xFB;
inline constexpr std::uint8_t kTerminate = 0xFD;
inline constexpr std::uint8_t kError = 0xFE;
inline constexpr std::uint8_t kPreamble = 0x55;
inline constexpr std::uint8_t kStartOfFrame = 0xD5;

inline constexpr unsigned kLanes = 8;  // bytes a word
inline constexpr std::uint64_t kIdleWord = 0x0707'0707'0707'0707;
inline constexpr std::uint8_t kAllControl = 0xFF;
inline constexpr unsigned kPreambleBytes = 8;  // start symbol, six of preamble, delimiter
inline constexpr unsigned kInterFrameGap = 12;

}  // namespace nicroscope::sim::xgmii
