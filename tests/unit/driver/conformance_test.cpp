// SPDX-License-Identifier: Apache-2.0
// Requirements on drivers (docs/conformance/driver.md) that show in single accesses.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "tests/unit/driver/driver_rig.h"

namespace nicroscope::test {
namespace {

constexpr std::uint64_t bit(unsigned n) { return std::uint64_t{1} << n; }

using Access = ModelDevice::Access;

constexpr unsigned kDeviceId = 0x02;
constexpr std::uint32_t kTransitional = 0x1000;
constexpr unsigned kRevision = 0x08;
constexpr unsigned kCapabilities = 0x40;
constexpr unsigned kMsixControl = 0x92;
constexpr unsigned kMsixControlBytes = 2;

/// Every access of the driver to the model, from the first on.
struct WatchedRig : DriverRig {
  using DriverRig::DriverRig;
  void watch() {
    device.on_access = [this](const Access& access) { accesses.push_back(access); };
  }
  [[nodiscard]] std::size_t reads_of(std::uint32_t offset, std::uint32_t bytes) const {
    return count(false, offset, bytes);
  }
  [[nodiscard]] std::size_t writes_of(std::uint32_t offset, std::uint32_t bytes) const {
    return count(true, offset, bytes);
  }
  [[nodiscard]] std::size_t count(bool write, std::uint32_t offset, std::uint32_t bytes) const {
    return static_cast<std::size_t>(std::count_if(accesses.begin(), accesses.end(), [&](auto& a) {
      return !a.config && a.write == write && a.offset < offset + bytes &&
             a.offset + a.size > offset;
    }));
  }
  /// Up, some packets both ways, a link change, down.
  void live() {
    ASSERT_TRUE(up());
    for (unsigned i = 0; i < 20; ++i) device.receive(make_frame(60 + 100 * i, i));
    in_process([&] {
      for (unsigned i = 0; i < 20; ++i) {
        net::skb_ptr skb = packet(60 + 50 * i, i, 64, 300);
        skb->dev = &driver.netdev();
        net::dev_queue_xmit(std::move(skb));
      }
    });
    device.set_link(false);
    timeline.run();
    down();
    EXPECT_EQ(tap.frames.size(), 20U);
    EXPECT_EQ(sent.size(), 20U);
  }
  std::vector<Access> accesses;
};

TEST(DriverConformance, AFailedDeviceIsResetFirst) {
  DriverRig rig;
  rig.device.set_hostile(Hostile::refuse_features);
  EXPECT_NE(rig.probe(), "");
  EXPECT_NE(rig.device.status() & regs::kStatusFailed, 0);
  rig.device.set_hostile(Hostile::none);
  const std::size_t before = rig.device.status_writes().size();
  EXPECT_TRUE(rig.up());
  EXPECT_EQ(rig.device.status_writes().at(before), 0) << "a reset comes first";
}

TEST(DriverConformance, AConfigurationThatChangesIsReadAgain) {
  WatchedRig rig;
  unsigned changes = 0;
  unsigned reads = 0;
  rig.device.on_access = [&](const Access& access) {
    if (access.config || access.write) return;
    if (access.offset != regs::kBarDeviceConfig + regs::kDeviceConfigStatus) return;
    ++reads;
    if (changes < 3) {  // right behind what is read now
      ++changes;
      rig.timeline.after(std::chrono::nanoseconds{1},
                         [&rig, up = changes % 2 == 0] { rig.device.set_link(up); });
    }
  };
  ASSERT_EQ(rig.probe(), "");
  EXPECT_EQ(reads, 4U) << "until nothing changes while it reads";
}

// The fields of a feature that is not on offer are not looked at, and there is something in their
// place.
TEST(DriverConformance, FieldsOfFeaturesThatAreNotThereAreNotRead) {
  struct Field {
    unsigned feature;
    std::uint32_t offset;
    std::uint32_t bytes;
  };
  const std::vector<Field> fields = {
      {regs::kFeatureMac, regs::kDeviceConfigMac, 6},
      {regs::kFeatureStatus, regs::kDeviceConfigStatus, 2},
      {regs::kFeatureMtu, regs::kDeviceConfigMtu, 2},
      {regs::kFeatureSpeedDuplex, regs::kDeviceConfigSpeed, 5},
  };
  for (const Field& missing : fields) {
    ModelOptions options;
    options.mtu = 1280;
    options.features &= ~bit(missing.feature);
    WatchedRig rig({}, options);
    rig.watch();
    ASSERT_TRUE(rig.up());
    for (const Field& field : fields) {
      const std::size_t reads = rig.reads_of(regs::kBarDeviceConfig + field.offset, field.bytes);
      EXPECT_EQ(reads == 0, field.feature == missing.feature) << field.offset;
    }
    const net::net_device& dev = rig.driver.netdev();
    EXPECT_TRUE(netif_carrier_ok(dev));
    EXPECT_EQ(dev.mtu(), missing.feature == regs::kFeatureMtu ? 1500U : 1280U);
    const bool own = missing.feature == regs::kFeatureMac;
    EXPECT_EQ(dev.dev_addr().bytes[0], own ? 0x02 : 0x52) << "locally administered";
  }
}

// A structure may have more behind it, be longer, or be of a type that nobody knows.
TEST(DriverConformance, LargerStructuresAreAccepted) {
  WatchedRig rig;
  unsigned structures = 0;
  for (unsigned at = rig.device.config_read(0x34, 1); at != 0;
       at = rig.device.config_read(at + 1, 1)) {
    if (rig.device.config_read(at, 1) != 0x09) continue;
    ++structures;
    rig.device.config_write(at + 2, 1, 0xF0);           // cap_len
    rig.device.config_write(at + 12, 4, 0x7FFF'0000U);  // length
  }
  EXPECT_EQ(structures, 7U);
  rig.live();
}

// The model has a structure in BAR 3 in front of the right one, and another one behind it.
TEST(DriverConformance, TheFirstStructureOfATypeCounts) {
  WatchedRig rig;
  rig.watch();
  rig.live();
  EXPECT_GT(rig.reads_of(regs::kBarCommon, 0x40), 0U);
  for (const std::uint32_t place : {0x100U, 0xF000U}) {
    EXPECT_EQ(rig.reads_of(place, 0x40) + rig.writes_of(place, 0x40), 0U) << place;
  }
}

TEST(DriverConformance, CapabilitiesAreNotWritten) {
  WatchedRig rig;
  rig.watch();
  rig.live();
  rig.in_process([&] { rig.driver.remove(); });
  for (const Access& access : rig.accesses) {
    if (!access.config || !access.write || access.offset < kCapabilities) continue;
    EXPECT_EQ(access.offset, kMsixControl) << "MSI-X is switched on there";
    EXPECT_EQ(access.size, kMsixControlBytes);
  }
}

TEST(DriverConformance, DeviceConfigurationIsNeverWritten) {
  WatchedRig rig;
  rig.watch();
  rig.live();
  EXPECT_EQ(rig.writes_of(regs::kBarDeviceConfig, regs::kBarDeviceConfigBytes), 0U);
}

TEST(DriverConformance, ReadOnlyFieldsAreNotWritten) {
  WatchedRig rig;
  rig.watch();
  rig.live();
  EXPECT_EQ(rig.writes_of(regs::kCommonDeviceFeature, 4), 0U);
  EXPECT_EQ(rig.writes_of(regs::kCommonNumQueues, 2), 0U);
  EXPECT_EQ(rig.writes_of(regs::kCommonConfigGeneration, 1), 0U);
  EXPECT_EQ(rig.writes_of(regs::kCommonQueueNotifyOff, 2), 0U);
  EXPECT_EQ(rig.writes_of(regs::kCommonQueueNotifyData, 2), 0U);
  EXPECT_EQ(rig.reads_of(regs::kBarIsr, regs::kBarIsrBytes), 0U) << "the driver has MSI-X";
  for (const Access& access : rig.accesses) {
    if (access.config || !access.write) continue;
    EXPECT_TRUE(access.offset != regs::kCommonQueueEnable || access.value == 1);
    EXPECT_TRUE(access.offset != regs::kCommonQueueSize || access.value != 0);
  }
}

TEST(DriverConformance, QueuesAreConfiguredBeforeTheyAreEnabled) {
  WatchedRig rig;
  rig.watch();
  rig.live();
  const std::vector<std::uint32_t> wanted = {
      regs::kCommonQueueSize,      regs::kCommonQueueMsixVector, regs::kCommonQueueDesc,
      regs::kCommonQueueDesc + 4U, regs::kCommonQueueDriver,     regs::kCommonQueueDriver + 4U,
      regs::kCommonQueueDevice,    regs::kCommonQueueDevice + 4U};
  std::vector<std::uint32_t> written;
  unsigned enabled = 0;
  bool driver_ok = false;
  for (const Access& access : rig.accesses) {
    if (access.config || !access.write) continue;
    if (access.offset == regs::kCommonDeviceStatus) {
      driver_ok = (access.value & regs::kStatusDriverOk) != 0;
    } else if (access.offset == regs::kCommonQueueSelect) {
      written.clear();
    } else if (access.offset == regs::kCommonQueueEnable) {
      ++enabled;
      EXPECT_FALSE(driver_ok);
      for (const std::uint32_t field : wanted) {
        EXPECT_NE(std::count(written.begin(), written.end(), field), 0) << std::hex << field;
      }
    } else if (access.offset > regs::kCommonQueueSelect && access.offset < regs::kBarIsr) {
      written.push_back(access.offset);
    }
  }
  EXPECT_EQ(enabled, 3U);
}

TEST(DriverConformance, FieldsAreAccessedInTheirWidth) {
  struct Field {
    std::uint32_t offset;
    unsigned size;
  };
  const std::vector<Field> wide = {
      {regs::kCommonDeviceFeatureSelect, 4},
      {regs::kCommonDeviceFeature, 4},
      {regs::kCommonDriverFeatureSelect, 4},
      {regs::kCommonDriverFeature, 4},
      {regs::kCommonConfigMsixVector, 2},
      {regs::kCommonNumQueues, 2},
      {regs::kCommonDeviceStatus, 1},
      {regs::kCommonConfigGeneration, 1},
      {regs::kCommonQueueSelect, 2},
      {regs::kCommonQueueSize, 2},
      {regs::kCommonQueueMsixVector, 2},
      {regs::kCommonQueueEnable, 2},
      {regs::kCommonQueueNotifyOff, 2},
      {regs::kCommonQueueDesc, 4},
      {regs::kCommonQueueDesc + 4U, 4},
      {regs::kCommonQueueDriver, 4},
      {regs::kCommonQueueDriver + 4U, 4},
      {regs::kCommonQueueDevice, 4},
      {regs::kCommonQueueDevice + 4U, 4},
      {regs::kBarDeviceConfig + regs::kDeviceConfigStatus, 2},
      {regs::kBarDeviceConfig + regs::kDeviceConfigMtu, 2},
      {regs::kBarDeviceConfig + regs::kDeviceConfigSpeed, 4},
      {regs::kBarDeviceConfig + regs::kDeviceConfigDuplex, 1},
      {regs::kBarDeviceConfig + regs::kDeviceConfigMaxVirtqueuePairs, 2},
      {regs::kBarDeviceConfig + regs::kDeviceConfigSupportedHashTypes, 4},
  };
  // At odd places: the key's size is a byte, the table's length lies right behind it.
  const std::uint32_t key_size = regs::kBarDeviceConfig + regs::kDeviceConfigRssMaxKeySize;
  const std::uint32_t table_length =
      regs::kBarDeviceConfig + regs::kDeviceConfigRssMaxIndirectionTableLength;
  WatchedRig rig;
  rig.watch();
  rig.live();
  unsigned doorbells = 0;
  for (const Access& access : rig.accesses) {
    if (access.config) continue;
    EXPECT_EQ(access.offset % access.size, 0U) << access.offset;
    if (access.offset >= regs::kBarNotify && access.offset < regs::kBarMsixTable) {
      ++doorbells;
      EXPECT_EQ(access.size, 2U);
      EXPECT_EQ(access.offset, regs::kBarNotify + access.value * regs::kNotifyMultiplier);
    } else if (access.offset < regs::kBarVendor) {
      const auto field = std::find_if(wide.begin(), wide.end(),
                                      [&](const Field& f) { return f.offset == access.offset; });
      const bool mac = (access.offset >= regs::kBarDeviceConfig &&
                        access.offset < regs::kBarDeviceConfig + 6U && access.size == 1) ||
                       (access.offset == key_size && access.size == 1) ||
                       (access.offset == table_length && access.size == 2);
      ASSERT_TRUE(field != wide.end() || mac) << std::hex << access.offset;
      EXPECT_TRUE(mac || access.size == field->size) << std::hex << access.offset;
    }
  }
  EXPECT_GT(doorbells, 1U);
}

TEST(DriverConformance, ATransitionalDeviceIsTaken) {
  WatchedRig rig;
  rig.device.config_write(kDeviceId, 2, kTransitional);
  rig.device.config_write(kRevision, 1, 0);
  rig.live();
}

TEST(DriverConformance, AVectorThatIsRefusedIsAnError) {
  for (const Hostile hostile : {Hostile::no_queue_vector, Hostile::no_config_vector}) {
    DriverRig rig;
    ASSERT_EQ(rig.probe(), "");
    rig.device.set_hostile(hostile);
    bool opened = true;
    rig.in_process([&] { opened = net::dev_open(rig.driver.netdev()); });
    EXPECT_FALSE(opened);
    ASSERT_EQ(rig.errors.size(), 1U);
    EXPECT_NE(rig.errors[0].text.find("refuses"), std::string::npos) << rig.errors[0].text;
    EXPECT_EQ(rig.device.status(), 0U) << "left in reset";
    rig.expect_nothing_held();
  }
}

/// None that has a device look into packets.
driver::Options without_offloads() {
  driver::Options options;
  for (const unsigned feature : {regs::kFeatureCsum, regs::kFeatureGuestCsum}) {
    options.features &= ~bit(feature);
  }
  return options;
}

// Without an offload a header asks for nothing.
TEST(DriverConformance, HeadersOfSentPacketsAreZero) {
  WatchedRig rig(without_offloads());
  rig.live();
  ASSERT_EQ(rig.device.sent_headers().size(), 20U);
  for (const virtio::NetHeader& header : rig.device.sent_headers()) {
    EXPECT_EQ(header.flags, 0);
    EXPECT_EQ(header.gso_type, regs::kNetHdrGsoNone);
    EXPECT_EQ(header.num_buffers, 0);
  }
}

// Whatever a header says of offloads that were not negotiated, the packet is as it came.
TEST(DriverConformance, WhatAHeaderSaysWithoutAFeatureIsIgnored) {
  WatchedRig rig(without_offloads());
  rig.device.set_receive_header({.flags = 0xFF,
                                 .gso_type = 0,
                                 .hdr_len = 0xFFFF,
                                 .gso_size = 0xFFFF,
                                 .csum_start = 0xFFFF,
                                 .csum_offset = 0xFFFF,
                                 .num_buffers = 0});
  rig.live();
  for (unsigned i = 0; i < rig.tap.frames.size(); ++i) {
    EXPECT_TRUE(rig.tap.frames[i] == make_frame(60 + 100 * i, i)) << i;
  }
}

}  // namespace
}  // namespace nicroscope::test
