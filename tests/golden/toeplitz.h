// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "tests/golden/bytes.h"

namespace nicroscope::golden {

inline constexpr std::size_t kHashKeyBytes = 40;
using HashKey = std::array<std::uint8_t, kHashKeyBytes>;

/// The key of Microsoft's "Verifying the RSS hash calculation", with known answers.
[[nodiscard]] const HashKey& verification_key();

/// The Toeplitz hash: for every set bit of `input`, from its most significant one, the 32 bits of
/// the key that begin at the bit's number are exclusive-or'ed together. Input of up to 36 bytes.
[[nodiscard]] std::uint32_t toeplitz(const HashKey& key, View input);

}  // namespace nicroscope::golden
