// SPDX-License-Identifier: Apache-2.0
// Which feature sets are refused, against the list of virtio 1.2, 5.1.3.1.
#include <Vfeature_rules.h>
#include <gtest/gtest.h>
#include <verilated.h>

#include <bit>
#include <cstdint>
#include <random>
#include <vector>

#include "nicroscope/registers.h"

namespace nicroscope::test {
namespace {

using namespace regs;

// A feature, and those of which it needs one.
struct Rule {
  unsigned feature;
  std::vector<unsigned> one_of;
};

const std::vector<Rule> kRules = {
    {kFeatureGuestTso4, {kFeatureGuestCsum}},
    {kFeatureGuestTso6, {kFeatureGuestCsum}},
    {kFeatureGuestEcn, {kFeatureGuestTso4, kFeatureGuestTso6}},
    {kFeatureGuestUfo, {kFeatureGuestCsum}},
    {kFeatureGuestUso4, {kFeatureGuestCsum}},
    {kFeatureGuestUso6, {kFeatureGuestCsum}},
    {kFeatureHostTso4, {kFeatureCsum}},
    {kFeatureHostTso6, {kFeatureCsum}},
    {kFeatureHostEcn, {kFeatureHostTso4, kFeatureHostTso6}},
    {kFeatureHostUfo, {kFeatureCsum}},
    {kFeatureHostUso, {kFeatureCsum}},
    {kFeatureCtrlRx, {kFeatureCtrlVq}},
    {kFeatureCtrlRxExtra, {kFeatureCtrlVq}},
    {kFeatureCtrlVlan, {kFeatureCtrlVq}},
    {kFeatureCtrlGuestOffloads, {kFeatureCtrlVq}},
    {kFeatureGuestAnnounce, {kFeatureCtrlVq}},
    {kFeatureMq, {kFeatureCtrlVq}},
    {kFeatureCtrlMacAddr, {kFeatureCtrlVq}},
    {kFeatureNotfCoal, {kFeatureCtrlVq}},
    {kFeatureVqNotfCoal, {kFeatureCtrlVq}},
    {kFeatureDeviceStats, {kFeatureCtrlVq}},
    {kFeatureHashReport, {kFeatureCtrlVq}},
    {kFeatureRss, {kFeatureCtrlVq}},
    {kFeatureRscExt, {kFeatureHostTso4, kFeatureHostTso6}},
};

constexpr std::uint64_t bit(unsigned feature) { return 1ull << feature; }
constexpr std::uint64_t kNeeded =
    bit(kFeatureVersion1) | bit(kFeatureRingPacked) | bit(kFeatureAccessPlatform);

bool acceptable(std::uint64_t features) {
  if ((features & kNeeded) != kNeeded) return false;
  for (const Rule& rule : kRules) {
    if ((features & bit(rule.feature)) == 0) continue;
    bool met = false;
    for (unsigned other : rule.one_of) met = met || (features & bit(other)) != 0;
    if (!met) return false;
  }
  return true;
}

// Built with everything offered.
class FeatureRules : public testing::Test {
 protected:
  bool device(std::uint64_t features) {
    top.features_i = features;
    top.eval();
    return top.acceptable_o != 0;
  }
  VerilatedContext context;
  Vfeature_rules top{&context};
};

TEST_F(FeatureRules, EveryRuleAlone) {
  EXPECT_TRUE(device(kNeeded));
  EXPECT_TRUE(device(~0ull));
  for (const Rule& rule : kRules) {
    std::uint64_t rest = ~0ull;
    for (unsigned other : rule.one_of) rest &= ~bit(other);
    EXPECT_FALSE(device(kNeeded | bit(rule.feature))) << rule.feature;
    EXPECT_FALSE(device(rest | bit(rule.feature))) << rule.feature;
  }
  for (unsigned i = 0; i < 64; ++i) {
    EXPECT_EQ(device(kNeeded & ~bit(i)), (kNeeded & bit(i)) == 0) << i;
  }
}

TEST_F(FeatureRules, RandomSets) {
  std::mt19937_64 random(1);
  unsigned accepted = 0;
  for (unsigned i = 0; i < 200000; ++i) {
    // Few bits, half of them, nearly all.
    std::uint64_t features = kNeeded | random();
    if (i % 3 == 0) features &= kNeeded | (random() & random());
    if (i % 3 == 1) features |= random() | random();
    ASSERT_EQ(device(features), acceptable(features)) << std::hex << features;
    accepted += acceptable(features) ? 1 : 0;
  }
  EXPECT_GT(accepted, 1000u);
}

}  // namespace
}  // namespace nicroscope::test
