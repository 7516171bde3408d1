// SPDX-License-Identifier: Apache-2.0
#include "driver/features.h"

#include <array>
#include <bit>

namespace nicroscope::driver {

namespace {

using regs::kFeatureCsum;
using regs::kFeatureCtrlVq;
using regs::kFeatureGuestCsum;

/// What the driver makes use of where it is offered. ACCESS_PLATFORM: addresses are those of the
/// DMA API.
constexpr std::array kUseful{regs::kFeatureCsum,
                             regs::kFeatureGuestCsum,
                             regs::kFeatureCtrlGuestOffloads,
                             regs::kFeatureMtu,
                             regs::kFeatureMac,
                             regs::kFeatureGuestTso4,
                             regs::kFeatureGuestTso6,
                             regs::kFeatureGuestEcn,
                             regs::kFeatureHostTso4,
                             regs::kFeatureHostTso6,
                             regs::kFeatureHostEcn,
                             regs::kFeatureMrgRxbuf,
                             regs::kFeatureStatus,
                             regs::kFeatureCtrlVq,
                             regs::kFeatureCtrlRx,
                             regs::kFeatureCtrlVlan,
                             regs::kFeatureCtrlRxExtra,
                             regs::kFeatureGuestAnnounce,
                             regs::kFeatureMq,
                             regs::kFeatureCtrlMacAddr,
                             regs::kFeatureEventIdx,
                             regs::kFeatureVersion1,
                             regs::kFeatureAccessPlatform,
                             regs::kFeatureRingPacked,
                             regs::kFeatureOrderPlatform,
                             regs::kFeatureRingReset,
                             regs::kFeatureVqNotfCoal,
                             regs::kFeatureNotfCoal,
                             regs::kFeatureHostUso,
                             regs::kFeatureHashReport,
                             regs::kFeatureGuestHdrlen,
                             regs::kFeatureRss,
                             regs::kFeatureSpeedDuplex,
                             regs::kFeatureDeviceStats};

struct Need {
  unsigned feature;
  std::uint64_t any_of;
};

/// 5.1.3.1; and the driver has no buffers for merged frames without mergeable ones.
constexpr std::array kNeeds{
    Need{regs::kFeatureGuestTso4, feature_bit(kFeatureGuestCsum)},
    Need{regs::kFeatureGuestTso6, feature_bit(kFeatureGuestCsum)},
    Need{regs::kFeatureGuestTso4, feature_bit(regs::kFeatureMrgRxbuf)},
    Need{regs::kFeatureGuestTso6, feature_bit(regs::kFeatureMrgRxbuf)},
    Need{regs::kFeatureGuestEcn,
         feature_bit(regs::kFeatureGuestTso4) | feature_bit(regs::kFeatureGuestTso6)},
    Need{regs::kFeatureHostTso4, feature_bit(kFeatureCsum)},
    Need{regs::kFeatureHostTso6, feature_bit(kFeatureCsum)},
    Need{regs::kFeatureHostEcn,
         feature_bit(regs::kFeatureHostTso4) | feature_bit(regs::kFeatureHostTso6)},
    Need{regs::kFeatureHostUso, feature_bit(kFeatureCsum)},
    Need{regs::kFeatureCtrlGuestOffloads, feature_bit(kFeatureCtrlVq)},
    Need{regs::kFeatureCtrlRx, feature_bit(kFeatureCtrlVq)},
    Need{regs::kFeatureCtrlVlan, feature_bit(kFeatureCtrlVq)},
    Need{regs::kFeatureCtrlRxExtra, feature_bit(kFeatureCtrlVq)},
    Need{regs::kFeatureGuestAnnounce, feature_bit(kFeatureCtrlVq)},
    Need{regs::kFeatureMq, feature_bit(kFeatureCtrlVq)},
    // 5.1.6.5.2.2: no command about addresses without it.
    Need{regs::kFeatureCtrlMacAddr, feature_bit(regs::kFeatureCtrlRx)},
    Need{regs::kFeatureVqNotfCoal, feature_bit(kFeatureCtrlVq)},
    Need{regs::kFeatureNotfCoal, feature_bit(kFeatureCtrlVq)},
    Need{regs::kFeatureHashReport, feature_bit(kFeatureCtrlVq)},
    Need{regs::kFeatureRss, feature_bit(kFeatureCtrlVq)},
    Need{regs::kFeatureDeviceStats, feature_bit(kFeatureCtrlVq)},
};

}  // namespace

std::uint64_t choose_features(std::uint64_t offered, const Options& options) {
  std::uint64_t wanted = 0;
  for (const unsigned feature : kUseful) wanted |= feature_bit(feature);
  wanted &= offered & (options.features | kRequiredFeatures);
  if (!options.mergeable) wanted &= ~feature_bit(regs::kFeatureMrgRxbuf);
  if (!options.event_idx) wanted &= ~feature_bit(regs::kFeatureEventIdx);
  for (std::uint64_t before = 0; before != wanted;) {
    before = wanted;
    for (const Need& need : kNeeds) {
      if ((wanted & need.any_of) == 0) wanted &= ~feature_bit(need.feature);
    }
  }
  return wanted;
}

std::vector<std::uint16_t> default_table(unsigned entries, std::uint16_t pairs) {
  std::vector<std::uint16_t> table(entries == 0 ? 1 : std::bit_floor(entries));
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = static_cast<std::uint16_t>(i % pairs);
  return table;
}

}  // namespace nicroscope::driver
