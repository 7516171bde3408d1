// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "driver/options.h"
#include "nicroscope/registers.h"

namespace nicroscope::driver {

[[nodiscard]] constexpr std::uint64_t feature_bit(unsigned feature) {
  return std::uint64_t{1} << feature;
}

/// Without these the driver does not work.
inline constexpr std::uint64_t kRequiredFeatures =
    feature_bit(regs::kFeatureVersion1) | feature_bit(regs::kFeatureRingPacked);

/// What the driver accepts of what is offered: what it understands and is allowed to, and no
/// feature without those that it needs (virtio 1.2, 5.1.3.1).
[[nodiscard]] std::uint64_t choose_features(std::uint64_t offered, const Options& options);

/// `entries` rounded down to a power of two (1 at least), spread over the pairs in turn (Linux:
/// ethtool_rxfh_indir_default).
[[nodiscard]] std::vector<std::uint16_t> default_table(unsigned entries, std::uint16_t pairs);

}  // namespace nicroscope::driver
