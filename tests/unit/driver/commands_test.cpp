// SPDX-License-Identifier: Apache-2.0
// What virtio 1.3, 5.1.6.5, asks of who sends commands, held against every command that was sent.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <optional>
#include <set>

#include "tests/unit/driver/driver_rig.h"

namespace nicroscope::test {
namespace {

using Bytes = std::vector<std::uint8_t>;
using std::chrono::microseconds;

constexpr std::uint64_t bit(unsigned n) { return std::uint64_t{1} << n; }
constexpr net::mac_address kGroup{{0x01, 0x00, 0x5e, 0x00, 0x00, 0x09}};
constexpr net::mac_address kOther{{0x02, 0, 0, 0, 0, 0x77}};
constexpr unsigned kPairs = 4;
/// What the model says that it has: IPv4, TCPv4, UDPv4 and the same of IPv6.
constexpr std::uint64_t kHashTypes = 0x3f;

std::uint64_t little(const Bytes& bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = size; i-- > 0;) value = value << 8U | bytes.at(at + i);
  return value;
}

/// The feature that a command needs.
unsigned feature_of(unsigned command_class, unsigned number) {
  switch (command_class) {
    case regs::kCtrlClassRx:
      return number <= regs::kCtrlRxAllmulti ? regs::kFeatureCtrlRx : regs::kFeatureCtrlRxExtra;
    case regs::kCtrlClassMac:
      return regs::kFeatureCtrlRx;
    case regs::kCtrlClassVlan:
      return regs::kFeatureCtrlVlan;
    case regs::kCtrlClassAnnounce:
      return regs::kFeatureGuestAnnounce;
    case regs::kCtrlClassMq:
      if (number == regs::kCtrlMqRssConfig) return regs::kFeatureRss;
      return number == regs::kCtrlMqHashConfig ? regs::kFeatureHashReport : regs::kFeatureMq;
    case regs::kCtrlClassGuestOffloads:
      return regs::kFeatureCtrlGuestOffloads;
    case regs::kCtrlClassNotfCoal:
      return number <= regs::kCtrlNotfCoalRxSet ? regs::kFeatureNotfCoal : regs::kFeatureVqNotfCoal;
    default:
      return regs::kFeatureDeviceStats;
  }
}

struct CommandRig : DriverRig {
  explicit CommandRig(std::uint64_t missing = 0, driver::Options options = {})
      : DriverRig(std::move(options), model(missing), cpus()) {}
  static ModelOptions model(std::uint64_t missing) {
    ModelOptions options;
    // Without a way to use them there is one pair, and the control virtqueue behind it.
    const std::uint64_t several = bit(regs::kFeatureMq) | bit(regs::kFeatureRss);
    options.pairs = (missing & several) == several ? 1 : kPairs;
    options.features &= ~missing;
    return options;
  }
  static kernel::Config cpus() {
    kernel::Config config;
    config.cpus = kPairs;
    return config;
  }
  net::net_device& dev() { return driver.netdev(); }
  /// Everything that makes the driver send a command; what is refused by itself is not of interest.
  void everything() {
    ASSERT_TRUE(up());
    in_process([&] {
      (void)net::dev_set_mac_address(dev(), kOther);
      (void)net::dev_addr_add(dev(), kGroup);
      (void)net::dev_addr_add(dev(), kOther);
      net::dev_set_promiscuity(dev(), 1);
      net::dev_set_allmulti(dev(), 1);
      (void)net::vlan_vid_add(dev(), 5);
      (void)net::vlan_vid_del(dev(), 5);
      const std::uint32_t all = dev().hw_features;
      const std::uint32_t merging = net::NETIF_F_GRO_HW;
      (void)net::netdev_update_features(dev(), all & ~merging);
      (void)net::netdev_update_features(dev(), all);
      for (const std::uint16_t pairs : std::initializer_list<std::uint16_t>{1, 3, 4, 2})
        (void)driver.set_channels(pairs);
      (void)driver.set_rxfh(driver.rxfh());
      driver::CoalesceSettings coalesce;
      coalesce.rx = coalesce.tx = {50, 10};
      (void)driver.set_coalesce(coalesce);
      for (const std::uint16_t pair : std::initializer_list<std::uint16_t>{0, 1})
        (void)driver.set_queue_coalesce(pair, coalesce);
      (void)driver.device_stats();
    });
  }
  /// On each CPU a process that sends until `stop`.
  void senders() {
    for (unsigned cpu = 0; cpu < kPairs; ++cpu) {
      kernel.spawn("sender",
                   [this] {
                     for (unsigned i = 0; !stop; ++i) {
                       net::skb_ptr skb = packet(100 + i % 1'000, i, 2'048, 1);
                       skb->dev = &dev();
                       (void)net::dev_queue_xmit(std::move(skb));
                       kernel.usleep(microseconds{2});
                     }
                   },
                   {.cpu = cpu});
    }
  }
  /// Packets that the driver put on transmit queues from the `from`th on.
  [[nodiscard]] std::uint64_t queued(unsigned from) {
    std::uint64_t sum = 0;
    for (unsigned n = from; n < kPairs; ++n) {
      const driver::QueuePair& pair = driver.pair(static_cast<std::uint16_t>(n));
      sum += pair.tx_stats.packets + (pair.tx ? pair.tx->outstanding() : 0);
    }
    return sum;
  }
  static constexpr std::uint32_t kDoorbell =  // of the control virtqueue
      regs::kBarNotify + regs::kNotifyMultiplier * 2 * kPairs;
  bool stop = false;
};

TEST(DriverCommands, ComeWithTheirFeaturesAlone) {
  const std::vector<unsigned> features{
      regs::kFeatureCtrlRx,    regs::kFeatureCtrlRxExtra,   regs::kFeatureCtrlMacAddr,
      regs::kFeatureCtrlVlan,  regs::kFeatureGuestAnnounce, regs::kFeatureMq,
      regs::kFeatureRss,       regs::kFeatureHashReport,    regs::kFeatureCtrlGuestOffloads,
      regs::kFeatureNotfCoal,  regs::kFeatureVqNotfCoal,    regs::kFeatureDeviceStats,
      regs::kFeatureGuestTso4, regs::kFeatureGuestTso6,     regs::kFeatureGuestCsum};
  std::set<unsigned> seen;
  std::vector<std::uint64_t> without{0, bit(regs::kFeatureRss),
                                     bit(regs::kFeatureRss) | bit(regs::kFeatureMq)};
  for (const unsigned feature : features) without.push_back(bit(feature));
  for (const std::uint64_t missing : without) {
    CommandRig rig(missing);
    rig.everything();
    const std::uint64_t has = rig.device.driver_features();
    EXPECT_EQ(has & missing, 0U);
    for (const Bytes& command : rig.device.commands()) {
      const unsigned needs = feature_of(command.at(0), command.at(1));
      seen.insert(needs);
      EXPECT_NE(has & bit(needs), 0U) << "class " << +command[0] << ", command " << +command[1];
      if (command[0] == regs::kCtrlClassGuestOffloads) {
        EXPECT_EQ(little(command, 2, 8) & ~has, 0U) << "an offload that was not negotiated";
      }
    }
    EXPECT_EQ(rig.driver.control_failures(), 0U) << std::hex << missing;
    EXPECT_EQ(rig.device.counter(regs::kCounterCtrlErrors), 0U) << std::hex << missing;
  }
  // What could be missed was there to be missed. The driver has no use for the other two.
  for (const unsigned feature :
       {regs::kFeatureCtrlRx, regs::kFeatureCtrlVlan, regs::kFeatureMq, regs::kFeatureRss,
        regs::kFeatureHashReport, regs::kFeatureCtrlGuestOffloads, regs::kFeatureNotfCoal,
        regs::kFeatureVqNotfCoal, regs::kFeatureDeviceStats}) {
    EXPECT_EQ(seen.count(feature), 1U) << feature;
  }
}

TEST(DriverCommands, NameWhatThereIs) {
  CommandRig rss;
  CommandRig steering(bit(regs::kFeatureRss));
  unsigned tables = 0;
  unsigned pairs_set = 0;
  unsigned queues = 0;
  unsigned addresses = 0;
  for (CommandRig* const rig : {&rss, &steering}) {
    rig->everything();
    for (const Bytes& command : rig->device.commands()) {
      const unsigned number = command.at(1);
      if (command[0] == regs::kCtrlClassMq && number == regs::kCtrlMqRssConfig) {
        ++tables;
        EXPECT_EQ(little(command, 2, 4) & ~kHashTypes, 0U);
        const std::uint64_t mask = little(command, 6, 2);
        EXPECT_TRUE(std::has_single_bit(mask + 1));
        EXPECT_LT(mask, regs::kRssTableEntries);
        const std::uint64_t used = little(command, 10 + 2 * (mask + 1), 2);
        EXPECT_GE(used, 1U);
        EXPECT_LE(used, kPairs);
        for (std::uint64_t i = 0; i <= mask; ++i) EXPECT_LT(little(command, 10 + 2 * i, 2), used);
      }
      if (command[0] == regs::kCtrlClassMq && number == regs::kCtrlMqVqPairsSet) {
        ++pairs_set;
        EXPECT_GE(little(command, 2, 2), 1U);
        EXPECT_LE(little(command, 2, 2), kPairs);
      }
      if (command[0] == regs::kCtrlClassNotfCoal && number == regs::kCtrlNotfCoalVqSet) {
        ++queues;
        EXPECT_LT(little(command, 2, 2), 2 * kPairs) << "a receive or transmit queue";
      }
      if (command[0] == regs::kCtrlClassMac && number == regs::kCtrlMacTableSet) {
        ++addresses;
        const std::size_t single = little(command, 2, 4);
        const std::size_t group = little(command, 6 + 6 * single, 4);
        ASSERT_EQ(command.size(), 10 + 6 * (single + group));
        for (std::size_t i = 0; i < single; ++i) EXPECT_EQ(command[6 + 6 * i] & 1, 0);
        for (std::size_t i = 0; i < group; ++i) EXPECT_EQ(command[10 + 6 * (single + i)] & 1, 1);
      }
    }
  }
  EXPECT_GE(tables, 5U);
  EXPECT_GE(pairs_set, 5U);
  EXPECT_EQ(queues, 8U);
  EXPECT_GE(addresses, 6U);
}

// 5.1.6.5.6.1: as after a reset under traffic, when the settings are made again.
TEST(DriverCommands, TheOtherPairsWaitForTheCommand) {
  for (const std::uint64_t missing : {std::uint64_t{0}, bit(regs::kFeatureRss)}) {
    driver::Options options;
    options.recovery = driver::Recovery::reset;
    CommandRig rig(missing, options);
    ASSERT_TRUE(rig.up());
    rig.senders();
    std::optional<std::uint64_t> at_start;
    std::size_t commands = 0;
    unsigned looked = 0;
    rig.device.on_access = [&](const ModelDevice::Access& access) {
      if (!access.write || access.config) return;
      if (access.offset == regs::kBarCommon + regs::kCommonDeviceStatus &&
          (access.value & regs::kStatusDriverOk) != 0) {
        at_start = rig.queued(1);
        commands = rig.device.commands().size();
      }
      if (!at_start) return;
      const auto& all = rig.device.commands();
      const bool made = std::any_of(
          all.begin() + static_cast<std::ptrdiff_t>(commands), all.end(), [](const Bytes& command) {
            return command[0] == regs::kCtrlClassMq && command[1] != regs::kCtrlMqHashConfig;
          });
      if (made) {
        at_start.reset();
      } else {
        EXPECT_EQ(rig.queued(1), *at_start);
        ++looked;
      }
    };
    rig.kernel.spawn("trouble", [&] {
      rig.kernel.usleep(microseconds{200});
      EXPECT_GT(rig.queued(1), 0U);
      rig.device.fail(regs::kErrorBadLength, 1, 7, 0x1234);
      rig.kernel.usleep(std::chrono::milliseconds{20});
      EXPECT_FALSE(at_start.has_value()) << "the settings were made";
      rig.device.on_access = nullptr;
      rig.stop = true;
    });
    rig.timeline.run();
    EXPECT_GE(looked, 4U) << "commands came first";
    rig.down();
    rig.expect_nothing_held();
  }
}

// 5.1.6.5.6.1: what has fewer pairs in use sends on those alone, from when it asks for them.
TEST(DriverCommands, NothingIsQueuedOnAPairThatIsBeingLeft) {
  for (const std::uint64_t missing : {std::uint64_t{0}, bit(regs::kFeatureRss)}) {
    CommandRig rig(missing);
    ASSERT_TRUE(rig.up());
    rig.senders();
    rig.kernel.spawn("ethtool", [&] {
      unsigned asked = 0;
      for (unsigned round = 0; round < 20; ++round) {
        rig.kernel.usleep(microseconds{50});
        EXPECT_EQ(rig.driver.set_channels(kPairs), "");
        rig.kernel.usleep(microseconds{50});
        const unsigned left = 1 + round % 3;
        std::uint64_t before = 0;
        rig.device.on_access = [&](const ModelDevice::Access& access) {
          if (!access.write || access.config || access.offset != CommandRig::kDoorbell) return;
          if (before != 0) return;  // hashes are set afterwards
          before = rig.queued(left);
          ++asked;
        };
        const std::uint64_t others = rig.queued(0) - rig.queued(left);
        EXPECT_EQ(rig.driver.set_channels(static_cast<std::uint16_t>(left)), "");
        rig.device.on_access = nullptr;
        rig.kernel.usleep(microseconds{50});
        EXPECT_GT(before, 0U) << "they were in use";
        EXPECT_EQ(rig.queued(left), before) << "round " << round;
        EXPECT_GT(rig.queued(0) - rig.queued(left), others) << "the others go on";
      }
      EXPECT_EQ(asked, 20U);
      rig.stop = true;
    });
    rig.timeline.run();
    EXPECT_LE(rig.dev().stats.tx_dropped, 10U) << "but for who had chosen one of them";
    rig.down();
    rig.expect_nothing_held();
  }
}

}  // namespace
}  // namespace nicroscope::test
