// SPDX-License-Identifier: Apache-2.0
#include "sim/host_port/pci_function.h"

#include <gtest/gtest.h>

#include <map>
#include <utility>

#include "nicroscope/registers.h"

namespace nicroscope::sim {
namespace {

TEST(PciFunction, SaysWhatItIs) {
  const PciFunction function(3, 8);
  EXPECT_EQ(function.read(0x00, 4), 0x10411AF4U);
  EXPECT_EQ(function.read(0x0A, 2), 0x0200U);  // Ethernet controller
  EXPECT_GE(function.read(0x08, 1), 1U);       // revision of a modern device
  EXPECT_EQ(function.read(0x06, 2) & 0x10, 0x10U);
  EXPECT_EQ(function.read(256, 4), ~0U);
}

TEST(PciFunction, TheBarHasItsSize) {
  PciFunction function(3, 8);
  function.write(0x10, 4, ~0U);
  function.write(0x14, 4, ~0U);
  EXPECT_EQ(function.read(0x10, 4) & ~0xFU, ~(regs::kBarBytes - 1));
  EXPECT_EQ(function.read(0x10, 4) & 0x7, 0x4U);  // memory, 64 bits
  EXPECT_EQ(function.read(0x14, 4), ~0U);
}

TEST(PciFunction, CapabilitiesLeadToEveryRegion) {
  const PciFunction function(3, 8);
  std::map<unsigned, unsigned> virtio;  // type to offset in the BAR
  bool msix = false;
  unsigned steps = 0;
  for (unsigned at = function.read(0x34, 1); at != 0; at = function.read(at + 1, 1)) {
    ASSERT_LT(++steps, 20U);
    ASSERT_EQ(at % 4, 0U);
    if (function.read(at, 1) == 0x09) {
      EXPECT_EQ(function.read(at + 4, 1), 0U);  // BAR 0
      virtio[function.read(at + 3, 1)] = function.read(at + 8, 4);
      if (function.read(at + 3, 1) == regs::kPciCapNotify) {
        EXPECT_EQ(function.read(at + 16, 4), regs::kNotifyMultiplier);
        EXPECT_EQ(function.read(at + 12, 4), 8U);
      }
    } else if (function.read(at, 1) == 0x11) {
      msix = true;
      EXPECT_EQ(function.read(at + 2, 2) & 0x7FF, 2U);  // three vectors
      EXPECT_EQ(function.read(at + 4, 4), regs::kBarMsixTable);
      EXPECT_EQ(function.read(at + 8, 4), regs::kBarMsixPba);
    }
  }
  EXPECT_TRUE(msix);
  EXPECT_EQ(virtio[regs::kPciCapCommon], regs::kBarCommon);
  EXPECT_EQ(virtio[regs::kPciCapNotify], regs::kBarNotify);
  EXPECT_EQ(virtio[regs::kPciCapIsr], regs::kBarIsr);
  EXPECT_EQ(virtio[regs::kPciCapDevice], regs::kBarDeviceConfig);
}

// The capability of that virtio type, 0 for none.
unsigned find(const PciFunction& function, unsigned type) {
  unsigned at = function.read(0x34, 1);
  while (at != 0 && !(function.read(at, 1) == 0x09 && function.read(at + 3, 1) == type)) {
    at = function.read(at + 1, 1);
  }
  return at;
}

TEST(PciFunction, PciCfgDataIsAWindowToTheBar) {
  PciFunction function(3, 8);
  const unsigned cap = find(function, regs::kPciCapPci);
  ASSERT_NE(cap, 0U);
  EXPECT_EQ(function.read(cap + 2, 1), 20U);
  const unsigned data = cap + 16;
  EXPECT_FALSE(function.window(data, 4)) << "a length of 0";
  function.write(cap + 8, 4, 0x2004);
  function.write(cap + 12, 4, 2);
  for (const auto& [offset, size] : {std::pair{data, 4U}, {data, 1U}, {data + 3, 1U}}) {
    const auto window = function.window(offset, size);
    ASSERT_TRUE(window);
    EXPECT_EQ(window->offset, 0x2004U);
    EXPECT_EQ(window->size, 2U);
  }
  EXPECT_FALSE(function.window(data - 4, 4));
  EXPECT_FALSE(function.window(data + 4, 4));
  EXPECT_FALSE(function.window(0, 4));
  function.write(data, 4, 0x44332211);
  EXPECT_EQ(function.window_data({0x2004, 2}), 0x2211U);
  function.set_window_data({0x2004, 2}, 0xAABB);
  EXPECT_EQ(function.read(data, 4), 0x4433AABBU);
}

TEST(PciFunction, TheWindowIsToAlignedPlacesOfBar0) {
  PciFunction function(3, 8);
  const unsigned cap = find(function, regs::kPciCapPci);
  const auto opens = [&](std::uint32_t bar, std::uint32_t offset, std::uint32_t length) {
    function.write(cap + 4, 1, bar);
    function.write(cap + 8, 4, offset);
    function.write(cap + 12, 4, length);
    EXPECT_EQ(function.read(cap + 8, 4), offset);
    return function.window(cap + 16, 4).has_value();
  };
  for (std::uint32_t length = 0; length < 10; ++length) {
    EXPECT_EQ(opens(0, 0x1000, length), length == 1 || length == 2 || length == 4) << length;
  }
  EXPECT_FALSE(opens(0, 0, ~0U));
  EXPECT_FALSE(opens(1, 0, 4));
  EXPECT_FALSE(opens(0, 2, 4));
  EXPECT_FALSE(opens(0, 1, 2));
  EXPECT_TRUE(opens(0, regs::kBarBytes - 4, 4));
  EXPECT_FALSE(opens(0, regs::kBarBytes, 4));
  EXPECT_FALSE(opens(0, ~3U, 4));
}

TEST(PciFunction, OnlyWritableBitsChange) {
  PciFunction function(3, 8);
  function.write(0x00, 4, 0);
  EXPECT_EQ(function.read(0x00, 4), 0x10411AF4U);
  EXPECT_FALSE(function.bus_master());
  function.write(0x04, 2, 0xFFFF);
  EXPECT_EQ(function.read(0x04, 2), 0x0406U);
  EXPECT_TRUE(function.bus_master());
  EXPECT_TRUE(function.memory_enabled());
}

}  // namespace
}  // namespace nicroscope::sim
