// SPDX-License-Identifier: Apache-2.0
// Device configuration, doorbells, identity, and everything between the registers.
#include "tests/rtl/host/host_bench.h"

namespace nicroscope::test {
namespace {

using namespace regs;

TEST(HostConfig, DescribesTheDevice) {
  HostBench host;
  const std::uint8_t mac[6] = {0x02, 0x00, 0x00, 0x00, 0x00, 0x01};
  for (std::uint32_t i = 0; i < 6; ++i) {
    EXPECT_EQ(host.read8(kBarDeviceConfig + kDeviceConfigMac + i), mac[i]) << i;
  }
  EXPECT_EQ(host.read16(kBarDeviceConfig + kDeviceConfigStatus), 0u);
  EXPECT_EQ(host.read16(kBarDeviceConfig + kDeviceConfigMaxVirtqueuePairs), host.queues / 2);
  EXPECT_EQ(host.read16(kBarDeviceConfig + kDeviceConfigMtu), 9000u);
  EXPECT_EQ(host.read_word(kBarDeviceConfig + kDeviceConfigSpeed),
            host.read_word(kBarVendor + kVendorLinkMbps));
  EXPECT_EQ(host.read8(kBarDeviceConfig + kDeviceConfigDuplex), 1u);
  EXPECT_EQ(host.read8(kBarDeviceConfig + kDeviceConfigRssMaxKeySize), 40u);
  EXPECT_EQ(host.read16(kBarDeviceConfig + kDeviceConfigRssMaxIndirectionTableLength), 128u);
  EXPECT_EQ(host.read_word(kBarDeviceConfig + kDeviceConfigSupportedHashTypes), 0x3Fu);
  for (std::uint32_t offset = 0; offset < 0x40; offset += 4) {
    const std::uint32_t before = host.read_word(kBarDeviceConfig + offset);
    host.write_word(kBarDeviceConfig + offset, ~before);
    EXPECT_EQ(host.read_word(kBarDeviceConfig + offset), before) << offset;
  }
}

TEST(HostConfig, LinkChangeShowsInStatusAndGeneration) {
  HostBench host;
  const std::uint32_t first = host.read8(kCommonConfigGeneration);
  host.top->link_up_i = 1;
  host.settle();
  EXPECT_EQ(host.read16(kBarDeviceConfig + kDeviceConfigStatus), kLinkStatusUp);
  EXPECT_EQ(host.read8(kCommonConfigGeneration), first + 1);
  EXPECT_EQ(host.read_word(kBarIsr), 0u) << "no driver, no interrupt";
  host.top->link_up_i = 0;
  host.settle();
  EXPECT_EQ(host.read16(kBarDeviceConfig + kDeviceConfigStatus), 0u);
  EXPECT_EQ(host.read8(kCommonConfigGeneration), first + 2);
}

TEST(HostConfig, LinkChangeInterruptsTheDriver) {
  HostBench host;
  host.bring_up();
  host.top->link_up_i = 1;
  host.settle();
  EXPECT_EQ(host.messages.size(), 1u);
  EXPECT_EQ(host.messages_of(0), 1u);
  EXPECT_EQ(host.read_word(kBarIsr), kIsrConfig);
  EXPECT_EQ(host.read_word(kBarIsr), 0u) << "reading clears it";
}

TEST(HostConfig, ANewAddressShowsAndMovesTheGenerationInSilence) {
  HostBench host;
  host.bring_up();
  const std::uint32_t first = host.read8(kCommonConfigGeneration);
  host.top->mac_change_i = 1;
  host.tick();
  host.top->mac_change_i = 0;
  host.top->mac_i = 0x06'11'22'33'44'55;
  host.settle();
  EXPECT_EQ(host.read_word(kBarDeviceConfig + kDeviceConfigMac), 0x33221106u);
  EXPECT_EQ(host.read16(kBarDeviceConfig + kDeviceConfigMac + 4), 0x5544u);
  EXPECT_EQ(host.read8(kCommonConfigGeneration), (first + 1) & 0xFF);
  EXPECT_TRUE(host.messages.empty());
}

// However many changes there were since the driver looked last, what it reads next has another
// generation, and what it reads after that has the same.
TEST(HostConfig, NoNumberOfChangesBringsAGenerationBack) {
  HostBench host;
  for (unsigned changes : {1u, 2u, 255u, 256u, 257u, 512u}) {
    const std::uint32_t before = host.read8(kCommonConfigGeneration);
    for (unsigned i = 0; i < changes; ++i) {
      host.top->link_up_i = !host.top->link_up_i;
      host.tick(4);
    }
    host.settle();
    EXPECT_EQ(host.read8(kCommonConfigGeneration), before) << "nobody has read what changed";
    host.read_word(kBarDeviceConfig + kDeviceConfigMtu);
    const std::uint32_t after = host.read8(kCommonConfigGeneration);
    EXPECT_NE(after, before) << changes;
    host.read_word(kBarDeviceConfig + kDeviceConfigMtu);
    EXPECT_EQ(host.read8(kCommonConfigGeneration), after);
  }
}

// The address changes at every distance from the two reads that it takes: what a driver accepts by
// the rule of 2.5.1 is the one or the other.
TEST(HostConfig, AnAddressIsNeverReadInHalves) {
  constexpr std::uint64_t kOld = 0x06'11'22'33'44'55;
  constexpr std::uint64_t kNew = 0x0A'66'77'88'99'AA;
  unsigned again = 0;
  for (unsigned delay = 0; delay < 60; ++delay) {
    HostBench host;
    host.bring_up();
    host.top->mac_i = kOld;
    host.settle();
    const std::uint64_t change = host.cycle + delay;
    const auto until_change = [&] {
      // As nic_core has it: the address and the pulse change in one cycle.
      host.top->mac_change_i = host.cycle == change;
      if (host.cycle >= change) host.top->mac_i = kNew;
    };
    host.every_cycle = until_change;
    std::uint64_t mac = 0;
    std::uint32_t before = 0;
    std::uint32_t after = 0;
    do {
      before = host.read8(kCommonConfigGeneration);
      const std::uint32_t low = host.read_word(kBarDeviceConfig + kDeviceConfigMac);
      const std::uint32_t high = host.read16(kBarDeviceConfig + kDeviceConfigMac + 4);
      mac = 0;
      for (unsigned i = 0; i < 4; ++i) mac = mac << 8 | (low >> (8 * i) & 0xFF);
      for (unsigned i = 0; i < 2; ++i) mac = mac << 8 | (high >> (8 * i) & 0xFF);
      after = host.read8(kCommonConfigGeneration);
      again += before != after ? 1 : 0;
    } while (before != after);
    EXPECT_TRUE(mac == kOld || mac == kNew) << std::hex << mac << " after " << delay;
  }
  EXPECT_GT(again, 0u);
}

TEST(HostConfig, ControlBitsOutliveTheDevicesReset) {
  HostBench host;
  const std::uint32_t control = kBarVendor + kVendorControl;
  EXPECT_EQ(host.read_word(control), 0u);
  host.write_word(control, 0xFFFFFFFF);
  EXPECT_EQ(host.read_word(control), 7u) << "no more bits than there are";
  EXPECT_EQ(host.top->vendor_control_o, 7u);
  host.write_word(control, 0, 0xE);
  EXPECT_EQ(host.read_word(control), 7u) << "its byte was not written";
  host.bring_up();
  EXPECT_EQ(host.top->vendor_control_o, 7u);
  host.write8(control, 1u << kControlBitPauseRx);
  EXPECT_EQ(host.top->vendor_control_o, 1u << kControlBitPauseRx);
  host.top->rst_i = 1;
  host.tick(2);
  host.top->rst_i = 0;
  host.settle();
  EXPECT_EQ(host.top->vendor_control_o, 0u);
}

TEST(HostConfig, DoorbellsKickTheirQueue) {
  HostBench host;
  host.bring_up();
  for (std::uint32_t queue = 0; queue < host.queues; ++queue) {
    // By word, and as Linux does it by half-word; the address decides.
    if (queue % 2 == 0)
      host.write_word(kBarNotify + kNotifyMultiplier * queue, queue);
    else
      host.write16(kBarNotify + kNotifyMultiplier * queue, queue);
    ASSERT_EQ(host.kicks.size(), queue + 1);
    EXPECT_EQ(host.kicks.back(), queue);
    EXPECT_EQ(host.read_word(kBarNotify + kNotifyMultiplier * queue), 0u);
  }
  const std::size_t all = host.kicks.size();
  host.write_word(kBarNotify + kNotifyMultiplier * host.queues, 0);
  host.write_word(kBarNotify + kBarNotifyBytes - 4, 0);
  EXPECT_EQ(host.kicks.size(), all);
  EXPECT_EQ(host.counter(kCounterDoorbells), all);
}

TEST(HostConfig, DoorbellsWaitForTheFeatures) {
  HostBench host;
  host.write_word(kBarNotify, 0);
  EXPECT_TRUE(host.kicks.empty());
  host.negotiate(kAllOffered);
  host.write_word(kBarNotify, 0);
  EXPECT_EQ(host.kicks.size(), 1u);
}

TEST(HostConfig, VendorPageSaysWhatWasBuilt) {
  HostBench host;
  EXPECT_EQ(host.read_word(kBarVendor + kVendorMagic), kMagicValue);
  EXPECT_EQ(host.read_word(kBarVendor + kVendorVersion), kVersionValue);
  EXPECT_EQ(host.read_word(kBarVendor + kVendorMaxFrame), 9026u);
  EXPECT_EQ(host.read_word(kBarVendor + kVendorNumCounters), kNumCounters);
  EXPECT_EQ(host.read_word(kBarVendor + kVendorErrorCode), kErrorNone);
}

TEST(HostConfig, TimeIsReadWhole) {
  HostBench host;
  host.cycle = 0xFFFFFFFFull - 2;
  const std::uint64_t first = host.read64(kBarVendor + kVendorNowLo);
  host.cycle += 0x5'0000'0000ull;
  // The high half is that of the low half's read, however late it is read.
  EXPECT_EQ(host.read_word(kBarVendor + kVendorNowHi), first >> 32);
  EXPECT_EQ(host.read64(kBarVendor + kVendorNowLo) >> 32, host.cycle >> 32);
}

TEST(HostConfig, NothingIsThereBetweenTheRegisters) {
  HostBench host;
  host.bring_up();
  const std::uint32_t holes[] = {0x3C,
                                 0x40,
                                 0x100,
                                 0xFFC,
                                 kBarIsr + 4u,
                                 kBarIsr + 0xFFCu,
                                 kBarDeviceConfig + 0x18u,
                                 0x2FFC,
                                 kBarVendor + 0x60u,
                                 kBarVendor + kVendorCounters + 8u * kNumCounters,
                                 0x3FFC,
                                 entry(host.vectors),
                                 0xBFFC,
                                 kBarMsixPba + 0x80u,
                                 0xCFFC,
                                 0xD000,
                                 0xE004,
                                 0xFFFC};
  for (std::uint32_t hole : holes) {
    host.write_word(hole, 0xFFFFFFFF);
    EXPECT_EQ(host.read_word(hole), 0u) << std::hex << hole;
  }
  EXPECT_EQ(host.status(), kRunning);
  EXPECT_EQ(host.device_features(), kAllOffered);
  EXPECT_TRUE(host.messages.empty());
}

}  // namespace
}  // namespace nicroscope::test
