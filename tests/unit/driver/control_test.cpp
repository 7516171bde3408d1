// SPDX-License-Identifier: Apache-2.0
// What is set through the control virtqueue, held against what the model of a device understood.
#include <gtest/gtest.h>

#include "tests/unit/driver/driver_rig.h"

namespace nicroscope::test {
namespace {

using net::mac_address;

constexpr mac_address kGroup{{0x01, 0x00, 0x5e, 0x00, 0x00, 0x09}};
constexpr mac_address kOther{{0x02, 0, 0, 0, 0, 0x77}};

Frame frame_to(const mac_address& to, unsigned seed = 1) {
  Frame frame = make_frame(80, seed);
  to.store(frame.data());
  return frame;
}

struct ControlRig : DriverRig {
  using DriverRig::DriverRig;
  net::net_device& dev() { return driver.netdev(); }
  [[nodiscard]] bool arrives(const Frame& frame) {
    const std::size_t before = tap.frames.size();
    device.receive(frame);
    timeline.run();
    return tap.frames.size() == before + 1;
  }
};

TEST(Control, OnlyWhatTheHostAskedForComesIn) {
  ControlRig rig;
  ASSERT_TRUE(rig.up());
  EXPECT_TRUE(rig.arrives(make_frame(80, 1)));
  EXPECT_TRUE(rig.arrives(frame_to(net::kEthBroadcast)));
  EXPECT_FALSE(rig.arrives(frame_to(kOther)));
  EXPECT_FALSE(rig.arrives(frame_to(kGroup)));

  rig.in_process([&] { EXPECT_TRUE(net::dev_addr_add(rig.dev(), kGroup)); });
  EXPECT_TRUE(rig.arrives(frame_to(kGroup)));
  rig.in_process([&] { EXPECT_TRUE(net::dev_addr_add(rig.dev(), kOther)); });
  EXPECT_TRUE(rig.arrives(frame_to(kOther)));
  rig.in_process([&] {
    EXPECT_TRUE(net::dev_addr_del(rig.dev(), kGroup));
    EXPECT_TRUE(net::dev_addr_del(rig.dev(), kOther));
    EXPECT_FALSE(net::dev_addr_del(rig.dev(), kOther));
  });
  EXPECT_FALSE(rig.arrives(frame_to(kGroup)));
  EXPECT_FALSE(rig.arrives(frame_to(kOther)));

  rig.in_process([&] { net::dev_set_allmulti(rig.dev(), 1); });
  EXPECT_TRUE(rig.arrives(frame_to(kGroup)));
  EXPECT_FALSE(rig.arrives(frame_to(kOther)));
  rig.in_process([&] {
    net::dev_set_allmulti(rig.dev(), -1);
    net::dev_set_promiscuity(rig.dev(), 1);
    net::dev_set_promiscuity(rig.dev(), 1);
    net::dev_set_promiscuity(rig.dev(), -1);
  });
  EXPECT_TRUE(rig.arrives(frame_to(kOther)));
  rig.in_process([&] { net::dev_set_promiscuity(rig.dev(), -1); });
  EXPECT_FALSE(rig.arrives(frame_to(kOther)));
  EXPECT_EQ(rig.driver.control_failures(), 0U);
  EXPECT_EQ(rig.device.counter(regs::kCounterCtrlErrors), 0U);
}

TEST(Control, MoreAddressesThanACommandHoldsLetEverythingIn) {
  ControlRig rig;
  ASSERT_TRUE(rig.up());
  rig.in_process([&] {
    for (unsigned i = 0; i < 800; ++i) {
      const mac_address group{
          {0x01, 0, 0x5e, 0, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)}};
      EXPECT_TRUE(net::dev_addr_add(rig.dev(), group));
    }
  });
  EXPECT_TRUE(rig.device.control().mode[regs::kCtrlRxAllmulti]);
  EXPECT_FALSE(rig.device.control().mode[regs::kCtrlRxPromisc]);
  EXPECT_TRUE(rig.arrives(frame_to(kGroup)));
  EXPECT_FALSE(rig.arrives(frame_to(kOther)));
}

TEST(Control, TheStationAddressMovesIntoTheDevice) {
  ControlRig rig;
  ASSERT_TRUE(rig.up());
  rig.in_process([&] {
    EXPECT_FALSE(net::dev_set_mac_address(rig.dev(), kGroup));
    EXPECT_TRUE(net::dev_set_mac_address(rig.dev(), kOther));
  });
  EXPECT_EQ(rig.dev().dev_addr(), kOther);
  EXPECT_TRUE(rig.arrives(frame_to(kOther)));
  EXPECT_FALSE(rig.arrives(make_frame(80, 2)));
  // A device without an address learns the host's.
  ModelOptions nameless;
  nameless.features &= ~(std::uint64_t{1} << regs::kFeatureMac);
  ControlRig other({}, nameless);
  ASSERT_TRUE(other.up());
  EXPECT_EQ(other.device.control().mac, 0x02'00'00'00'00'01U);
}

TEST(Control, VlansAreFiltered) {
  ControlRig rig;
  ASSERT_TRUE(rig.up());
  EXPECT_NE(rig.dev().features & net::NETIF_F_HW_VLAN_CTAG_FILTER, 0U);
  Frame tagged = make_frame(90, 1);
  const unsigned char tag[4] = {0x81, 0x00, 0x00, 0x05};
  std::memcpy(tagged.data() + 12, tag, sizeof(tag));
  EXPECT_FALSE(rig.arrives(tagged));
  rig.in_process([&] {
    EXPECT_TRUE(net::vlan_vid_add(rig.dev(), 5));
    EXPECT_FALSE(net::vlan_vid_add(rig.dev(), 5));
  });
  EXPECT_TRUE(rig.arrives(tagged));
  rig.in_process([&] { EXPECT_TRUE(net::vlan_vid_del(rig.dev(), 5)); });
  EXPECT_FALSE(rig.arrives(tagged));
}

// A reset forgets everything; the driver does not.
TEST(Control, SettingsSurviveAReset) {
  ModelOptions model;
  model.pairs = 4;
  driver::Options options;
  options.queue_pairs = 3;
  ControlRig rig(options, model);
  ASSERT_TRUE(rig.up());
  rig.in_process([&] {
    EXPECT_TRUE(net::dev_set_mac_address(rig.dev(), kOther));
    EXPECT_TRUE(net::dev_addr_add(rig.dev(), kGroup));
    EXPECT_TRUE(net::vlan_vid_add(rig.dev(), 77));
    net::dev_set_allmulti(rig.dev(), 1);
    EXPECT_TRUE(net::netdev_update_features(
        rig.dev(), rig.dev().features & ~static_cast<std::uint32_t>(net::NETIF_F_GRO_HW)));
    driver::CoalesceSettings coalesce;
    coalesce.rx = {64, 32};
    coalesce.tx = {100, 0};
    EXPECT_EQ(rig.driver.set_coalesce(coalesce), "");
    coalesce.rx = {8, 4};
    EXPECT_EQ(rig.driver.set_queue_coalesce(2, coalesce), "");
    driver::RssSettings rss = rig.driver.rxfh();
    rss.table = {2, 2, 1, 0};
    rss.key[3] = 0x11;
    EXPECT_EQ(rig.driver.set_rxfh(rss), "");
  });
  const auto expect_set = [&] {
    const ControlModel& set = rig.device.control();
    EXPECT_EQ(set.mac, 0x02'00'00'00'00'77U);
    EXPECT_EQ(set.addresses, (std::set<std::uint64_t>{0x01'00'5e'00'00'09U}));
    EXPECT_TRUE(set.vlans[77]);
    EXPECT_EQ(set.vlans.count(), 1U);
    EXPECT_TRUE(set.mode[regs::kCtrlRxAllmulti]);
    EXPECT_FALSE(set.mode[regs::kCtrlRxPromisc]);
    EXPECT_TRUE(set.csum);
    EXPECT_FALSE(set.tso4);
    EXPECT_TRUE(set.rss);
    EXPECT_EQ(set.table, (std::vector<std::uint16_t>{2, 2, 1, 0}));
    EXPECT_EQ(set.key[3], 0x11);
    EXPECT_EQ(set.hash_types, 0x3fU);
    EXPECT_EQ(set.moderation[0], (Moderation{32, 64}));
    EXPECT_EQ(set.moderation[1], (Moderation{65'535, 100})) << "by time alone";
    EXPECT_EQ(set.moderation[4], (Moderation{4, 8}));
    EXPECT_EQ(set.moderation[5], (Moderation{65'535, 100}));
  };
  expect_set();
  rig.in_process([&] { EXPECT_TRUE(rig.driver.reset()); });
  expect_set();
  EXPECT_EQ(rig.driver.control_failures(), 0U);
  rig.down();
  rig.expect_nothing_held();
}

TEST(Control, WhatTheDeviceRefusesIsNotSet) {
  ModelOptions model;
  model.pairs = 2;
  ControlRig rig({}, model);
  ASSERT_TRUE(rig.up());
  rig.device.set_hostile(Hostile::refuse_commands);
  const mac_address before = rig.dev().dev_addr();
  const std::uint32_t features = rig.dev().features;
  rig.in_process([&] {
    EXPECT_FALSE(net::dev_set_mac_address(rig.dev(), kOther));
    EXPECT_FALSE(net::vlan_vid_add(rig.dev(), 5));
    EXPECT_FALSE(net::netdev_update_features(rig.dev(), 0));
    EXPECT_NE(rig.driver.set_channels(2), "");
    driver::CoalesceSettings coalesce;
    coalesce.rx = {8, 4};
    EXPECT_NE(rig.driver.set_coalesce(coalesce), "");
    driver::RssSettings rss = rig.driver.rxfh();
    rss.table = {0, 0};
    EXPECT_NE(rig.driver.set_rxfh(rss), "");
  });
  EXPECT_EQ(rig.dev().dev_addr(), before);
  EXPECT_EQ(rig.dev().features, features);
  EXPECT_TRUE(rig.dev().vlans().empty());
  EXPECT_EQ(rig.driver.channels(), 1U);
  EXPECT_EQ(rig.driver.coalesce().rx, driver::Moderation{});
  EXPECT_EQ(rig.driver.rxfh().table.size(), 128U);
  EXPECT_GE(rig.driver.control_failures(), 6U);
  // Nor does the interface come up with a device that refuses what it needs.
  rig.in_process([&] { EXPECT_FALSE(rig.driver.reset()); });
  ASSERT_EQ(rig.errors.size(), 1U);
  EXPECT_EQ(rig.errors[0].kind, driver::DeviceError::Kind::start_failed);
  rig.expect_nothing_held();
}

TEST(Control, ADeviceThatDoesNotAnswerIsGivenUpInTime) {
  ControlRig rig;
  ASSERT_TRUE(rig.up());
  rig.device.set_hostile(Hostile::mute_control);
  Duration waited{};
  Duration again{};
  rig.in_process([&] {
    const Time start = rig.kernel.now();
    EXPECT_FALSE(net::vlan_vid_add(rig.dev(), 5));
    waited = rig.kernel.now() - start;
    EXPECT_FALSE(net::vlan_vid_add(rig.dev(), 6));
    again = rig.kernel.now() - start - waited;
  });
  EXPECT_GE(waited, driver::ControlQueue::kPatience);
  EXPECT_LE(waited, 2 * driver::ControlQueue::kPatience);
  EXPECT_LT(again, std::chrono::microseconds{10}) << "it is not asked again";
  EXPECT_TRUE(rig.arrives(make_frame(100, 1))) << "frames still come";
  rig.device.set_hostile(Hostile::none);
  rig.in_process([&] {
    EXPECT_TRUE(rig.driver.reset());
    EXPECT_TRUE(net::vlan_vid_add(rig.dev(), 5));
  });
  rig.down();
  rig.expect_nothing_held();
}

// Many processes want something of the device at once: one command after the other.
TEST(Control, CommandsOfSeveralProcessesFollowEachOther) {
  ControlRig rig;
  ASSERT_TRUE(rig.up());
  const std::size_t before = rig.device.commands().size();
  for (std::uint16_t vid = 1; vid <= 40; ++vid) {
    rig.kernel.spawn("vlan", [&rig, vid] { EXPECT_TRUE(net::vlan_vid_add(rig.dev(), vid)); });
  }
  rig.timeline.run();
  EXPECT_EQ(rig.device.commands().size(), before + 40);
  EXPECT_EQ(rig.device.control().vlans.count(), 40U);
}

TEST(Control, WithoutAControlQueueEverythingComesInAndIsLookedAt) {
  driver::Options options;
  options.features &= ~(std::uint64_t{1} << regs::kFeatureCtrlVq);
  ControlRig rig(options);
  ASSERT_TRUE(rig.up());
  EXPECT_EQ(rig.device.commands().size(), 0U);
  EXPECT_TRUE(rig.arrives(frame_to(kOther)));
  rig.in_process([&] {
    EXPECT_TRUE(net::dev_set_mac_address(rig.dev(), kOther));
    EXPECT_NE(rig.driver.set_coalesce({}), "");
  });
}

TEST(Control, AnAnnouncementIsMadeAndAcknowledged) {
  struct Neighbours : net::netdev_notifier {
    void netdev_up(net::net_device&) override {}
    void netdev_down(net::net_device&) override {}
    void netdev_notify_peers(net::net_device&) override { ++told; }
    unsigned told = 0;
  };
  ModelOptions model;
  model.features |= std::uint64_t{1} << regs::kFeatureGuestAnnounce;
  ControlRig rig({}, model);
  Neighbours neighbours;
  rig.net.add_notifier(neighbours);
  ASSERT_TRUE(rig.up());
  rig.device.set_config_status(regs::kLinkStatusUp | regs::kLinkStatusAnnounce);
  rig.timeline.run();
  EXPECT_EQ(neighbours.told, 1U);
  EXPECT_EQ(rig.device.control().announcements, 1U);
  rig.net.remove_notifier(neighbours);
}

}  // namespace
}  // namespace nicroscope::test
