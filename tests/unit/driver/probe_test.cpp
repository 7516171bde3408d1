// SPDX-License-Identifier: Apache-2.0
// Device initialisation (virtio 1.2, 3.1.1) and what the driver learns by it.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/driver/driver_rig.h"

namespace nicroscope::test {
namespace {

constexpr std::uint64_t bit(unsigned n) { return std::uint64_t{1} << n; }

TEST(Probe, TakesTheStepsOfTheSpecificationInTheirOrder) {
  DriverRig rig;
  ASSERT_TRUE(rig.up());
  const std::vector<std::uint8_t> handshake{0x00, 0x01, 0x03, 0x0B};
  std::vector<std::uint8_t> expected = handshake;  // probe, ended by a reset
  expected.push_back(0);
  expected.insert(expected.end(), handshake.begin(), handshake.end());
  expected.push_back(0x0F);
  EXPECT_EQ(rig.device.status_writes(), expected);
  EXPECT_EQ(rig.device.early_kicks(), 0U) << "no notification before DRIVER_OK";
}

TEST(Probe, LearnsAddressAndMtu) {
  ModelOptions options;
  options.mtu = 1400;
  DriverRig rig({}, options);
  ASSERT_EQ(rig.probe(), "");
  EXPECT_EQ(to_string(rig.driver.netdev().dev_addr()), "52:54:00:12:34:56");
  EXPECT_EQ(rig.driver.netdev().mtu(), 1400U);
  EXPECT_FALSE(rig.driver.netdev().is_up());
  EXPECT_EQ(rig.device.status(), 0U) << "down, the device is in reset";
}

TEST(Probe, AcceptsNothingThatItDoesNotUnderstand) {
  ModelOptions options;
  options.features = ~std::uint64_t{0};
  options.pairs = 2;
  DriverRig rig({}, options);
  ASSERT_TRUE(rig.up());
  constexpr auto bit = [](unsigned n) { return std::uint64_t{1} << n; };
  constexpr std::uint64_t kNotUnderstood =
      bit(regs::kFeatureGuestUfo) | bit(regs::kFeatureHostUfo) | bit(regs::kFeatureIndirectDesc) |
      bit(regs::kFeatureInOrder) | bit(regs::kFeatureSrIov) | bit(regs::kFeatureNotificationData) |
      bit(regs::kFeatureNotifConfigData) | bit(regs::kFeatureGuestUso4) |
      bit(regs::kFeatureGuestUso6) | bit(regs::kFeatureRscExt) | bit(regs::kFeatureStandby);
  std::uint64_t understood = 0;
  for (const auto& feature : regs::kFeatures) understood |= bit(feature.value);
  understood &= ~kNotUnderstood;
  EXPECT_EQ(rig.device.driver_features(), understood);
  EXPECT_EQ(rig.driver.features(), understood);
}

TEST(Probe, FeaturesCanBeLeftOut) {
  driver::Options options;
  options.mergeable = false;
  options.event_idx = false;
  DriverRig rig(options);
  ASSERT_TRUE(rig.up());
  EXPECT_EQ(
      rig.device.driver_features() & (bit(regs::kFeatureMrgRxbuf) | bit(regs::kFeatureEventIdx)),
      0U);
}

// 5.1.3.1; and nothing is merged that there are no buffers for.
TEST(Probe, FeaturesComeWithThoseThatTheyNeed) {
  struct Case {
    unsigned missing;
    std::vector<unsigned> fall;
  };
  const std::vector<Case> cases{
      {regs::kFeatureCsum,
       {regs::kFeatureHostTso4, regs::kFeatureHostTso6, regs::kFeatureHostEcn,
        regs::kFeatureHostUso}},
      {regs::kFeatureGuestCsum,
       {regs::kFeatureGuestTso4, regs::kFeatureGuestTso6, regs::kFeatureGuestEcn}},
      {regs::kFeatureMrgRxbuf,
       {regs::kFeatureGuestTso4, regs::kFeatureGuestTso6, regs::kFeatureGuestEcn}},
      {regs::kFeatureCtrlVq,
       {regs::kFeatureCtrlRx, regs::kFeatureCtrlVlan, regs::kFeatureCtrlRxExtra, regs::kFeatureMq,
        regs::kFeatureCtrlMacAddr, regs::kFeatureCtrlGuestOffloads, regs::kFeatureNotfCoal,
        regs::kFeatureVqNotfCoal, regs::kFeatureHashReport, regs::kFeatureRss,
        regs::kFeatureDeviceStats}},
      {regs::kFeatureCtrlRx, {regs::kFeatureCtrlMacAddr}},
  };
  for (const Case& c : cases) {
    ModelOptions options;
    options.features &= ~bit(c.missing);
    DriverRig rig({}, options);
    ASSERT_TRUE(rig.up()) << c.missing;
    for (const unsigned feature : c.fall) {
      EXPECT_EQ(rig.device.driver_features() & bit(feature), 0U) << c.missing << ": " << feature;
    }
    EXPECT_NE(rig.device.driver_features() & bit(regs::kFeatureStatus), 0U);
  }
}

TEST(Probe, RefusesADeviceWithoutWhatItNeeds) {
  for (const unsigned missing : {regs::kFeatureVersion1, regs::kFeatureRingPacked}) {
    ModelOptions options;
    options.features &= ~bit(missing);
    DriverRig rig({}, options);
    EXPECT_EQ(rig.probe(), "the device does not offer VIRTIO_F_VERSION_1 and VIRTIO_F_RING_PACKED");
    EXPECT_NE(rig.device.status() & regs::kStatusFailed, 0);
  }
}

TEST(Probe, RefusedFeaturesAndStuckResetsAreErrors) {
  {
    DriverRig rig;
    rig.device.set_hostile(Hostile::refuse_features);
    EXPECT_EQ(rig.probe(), "the device refuses the features");
  }
  {
    DriverRig rig;
    rig.device.set_hostile(Hostile::stuck_reset);
    rig.device.bar_write(regs::kBarCommon + regs::kCommonDeviceStatus, 1, 1);
    EXPECT_EQ(rig.probe(), "the device does not come out of reset");
  }
  {
    DriverRig rig;
    rig.device.config_write(2, 2, 0x1001);
    EXPECT_EQ(rig.probe(), "not a virtio network device (PCI 1af4:1041)");
  }
  {
    DriverRig rig;
    rig.device.config_write(0x51, 1, 0);  // the list ends early
    EXPECT_EQ(rig.probe(), "no common configuration capability");
  }
  {
    DriverRig rig;
    rig.device.config_write(0xC5, 1, 0x40);  // the list is a loop
    EXPECT_EQ(rig.probe(), "");
  }
}

TEST(Probe, RingSizesOutOfRangeAreRefused) {
  driver::Options options;
  options.rx_ring = 300;
  DriverRig rig(options);
  EXPECT_EQ(rig.probe(), "ring sizes: 1 to 256 (receive) and 1 to 256 (transmit) are accepted");
  rig.expect_nothing_held();
}

TEST(Probe, InterruptsHaveNames) {
  DriverRig rig;
  ASSERT_TRUE(rig.up());
  const std::string text = rig.kernel.irq().proc_interrupts();
  for (const char* name : {"eth0-config", "eth0-input.0", "eth0-output.0"}) {
    EXPECT_NE(text.find(name), std::string::npos) << text;
  }
}

TEST(Probe, TheLinkIsFollowed) {
  DriverRig rig;
  ASSERT_TRUE(rig.up());
  EXPECT_TRUE(netif_carrier_ok(rig.driver.netdev()));
  rig.device.set_link(false);
  rig.timeline.run();
  EXPECT_FALSE(netif_carrier_ok(rig.driver.netdev()));
  rig.device.set_link(true);
  rig.timeline.run();
  EXPECT_TRUE(netif_carrier_ok(rig.driver.netdev()));
  EXPECT_EQ(rig.kernel.irq().count(0), 2U);
}

TEST(Probe, AnIdleDriverSchedulesNothing) {
  DriverRig rig;
  ASSERT_TRUE(rig.up());
  EXPECT_TRUE(rig.timeline.empty());
  EXPECT_TRUE(rig.kernel.cpu().idle());
}

TEST(Probe, RemoveGivesEverythingBack) {
  DriverRig rig;
  ASSERT_TRUE(rig.up());
  rig.in_process([&] { rig.driver.remove(); });
  EXPECT_EQ(rig.device.status(), 0U);
  rig.expect_nothing_held();
  EXPECT_TRUE(rig.net.devices().empty());
}

TEST(Probe, EthtoolShowsDriverAndDeviceCounters) {
  DriverRig rig;
  ASSERT_TRUE(rig.up());
  rig.device.receive(make_frame(100, 1));
  rig.timeline.run();
  std::vector<std::pair<std::string, std::uint64_t>> stats;
  rig.in_process([&] { stats = rig.driver.ethtool_stats(); });
  const auto value = [&](std::string_view name) {
    const auto found =
        std::find_if(stats.begin(), stats.end(), [&](const auto& s) { return s.first == name; });
    EXPECT_NE(found, stats.end()) << name;
    return found == stats.end() ? 0 : found->second;
  };
  EXPECT_EQ(value("rx_queue_0_packets"), 1U);
  EXPECT_EQ(value("rx_queue_0_bytes"), 100U);
  EXPECT_EQ(value("rx_frames"), 1U);
  EXPECT_EQ(value("rx_bytes"), 100U);
  EXPECT_EQ(value("doorbells"), 1U + rig.device.commands().size());
}

}  // namespace
}  // namespace nicroscope::test
