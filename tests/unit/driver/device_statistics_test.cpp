// SPDX-License-Identifier: Apache-2.0
// What the driver makes of the device's own statistics (virtio 1.3, 5.1.6.5).
#include <gtest/gtest.h>

#include <map>

#include "tests/unit/driver/driver_rig.h"

namespace nicroscope::test {
namespace {

std::map<std::string, std::uint64_t> device_stats(DriverRig& rig) {
  std::map<std::string, std::uint64_t> values;
  rig.in_process([&] {
    for (auto& [name, value] : rig.driver.device_stats()) values[name] = value;
  });
  return values;
}

TEST(DeviceStatistics, HaveLinuxsNames) {
  ModelOptions options;
  options.pairs = 2;
  DriverRig rig({}, options);
  ASSERT_TRUE(rig.up());
  ControlModel& control = rig.device.control();
  control.statistics[0] = {10, 11, 12, 13, 14, 15};
  control.statistics[3] = {30, 31, 0x1'0000'0000, 33, 34, 0};
  const std::uint64_t asked = control.commands;
  const auto values = device_stats(rig);
  EXPECT_EQ(values.size(), 6U * 4 + 2);
  EXPECT_EQ(values.at("rx0_hw_notifications"), 10U);
  EXPECT_EQ(values.at("rx0_hw_packets"), 11U);
  EXPECT_EQ(values.at("rx0_hw_bytes"), 12U);
  EXPECT_EQ(values.at("rx0_hw_interrupts"), 13U);
  EXPECT_EQ(values.at("rx0_hw_drops"), 14U);
  EXPECT_EQ(values.at("rx0_hw_drop_overruns"), 15U);
  EXPECT_EQ(values.at("tx1_hw_notifications"), 30U);
  EXPECT_EQ(values.at("tx1_hw_packets"), 31U);
  EXPECT_EQ(values.at("tx1_hw_bytes"), 0x1'0000'0000U);
  EXPECT_EQ(values.at("tx1_hw_interrupts"), 33U);
  EXPECT_EQ(values.at("tx1_hw_drop_malformed"), 34U);
  EXPECT_EQ(values.at("tx0_hw_packets"), 0U);
  EXPECT_EQ(values.at("cq_hw_command_num"), asked + 2) << "QUERY, and GET itself";
}

// More than one reply has room for.
TEST(DeviceStatistics, OfManyQueues) {
  ModelOptions options;
  options.pairs = 20;
  DriverRig rig({}, options);
  ASSERT_TRUE(rig.up());
  for (unsigned n = 0; n < 40; ++n) rig.device.control().statistics[n].packets = 100 + n;
  const auto values = device_stats(rig);
  for (unsigned n = 0; n < 20; ++n) {
    EXPECT_EQ(values.at("rx" + std::to_string(n) + "_hw_packets"), 100 + 2 * n);
    EXPECT_EQ(values.at("tx" + std::to_string(n) + "_hw_packets"), 101 + 2 * n);
  }
}

TEST(DeviceStatistics, ADeviceThatHasNone) {
  ModelOptions options;
  options.features &= ~(std::uint64_t{1} << regs::kFeatureDeviceStats);
  DriverRig rig({}, options);
  ASSERT_TRUE(rig.up());
  const std::size_t commands = rig.device.commands().size();
  EXPECT_TRUE(device_stats(rig).empty());
  EXPECT_EQ(rig.device.commands().size(), commands) << "it is not asked";
}

TEST(DeviceStatistics, ADeviceThatRefuses) {
  DriverRig rig;
  ASSERT_TRUE(rig.up());
  rig.device.set_hostile(Hostile::refuse_commands);
  EXPECT_TRUE(device_stats(rig).empty());
}

}  // namespace
}  // namespace nicroscope::test
