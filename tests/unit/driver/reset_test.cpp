// SPDX-License-Identifier: Apache-2.0
// Stop, reset and removal under traffic: every buffer is accounted for.
#include <gtest/gtest.h>

#include "tests/unit/driver/driver_rig.h"

namespace nicroscope::test {
namespace {

using std::chrono::microseconds;

constexpr unsigned kFrames = 3'000;

/// Traffic both ways for about 3 ms.
void start_traffic(DriverRig& rig) {
  for (unsigned i = 0; i < kFrames; ++i) {
    rig.timeline.after(microseconds{i}, [&rig, i] { rig.device.receive(make_frame(60 + i, i)); });
  }
  rig.kernel.spawn("sender", [&rig] {
    for (unsigned i = 0; i < kFrames; ++i) {
      net::skb_ptr skb = rig.packet(60 + i % 1'000, i, 256, 300);
      skb->dev = &rig.driver.netdev();
      net::dev_queue_xmit(std::move(skb));
      if (i % 8 == 0) rig.kernel.usleep(microseconds{5});
    }
  });
}

TEST(Stop, UnderTrafficLeavesNothingBehind) {
  for (const int when : {1, 77, 500, 1'234, 2'345}) {
    DriverRig rig;
    ASSERT_TRUE(rig.up());
    start_traffic(rig);
    rig.timeline.after(microseconds{when}, [&] {
      rig.kernel.spawn("ifdown", [&] { net::dev_close(rig.driver.netdev()); });
    });
    rig.timeline.run();
    EXPECT_EQ(rig.device.status(), 0U);
    EXPECT_FALSE(rig.driver.running());
    rig.expect_nothing_held();
    EXPECT_TRUE(rig.errors.empty());
    EXPECT_EQ(rig.device.error().has_value(), false);
  }
}

TEST(Stop, UnderMoreTrafficThanTheHostCanTakeToo) {
  ModelOptions model;
  model.work_delay = std::chrono::nanoseconds{100};
  for (const int when : {300, 333, 366, 1'000, 2'000}) {
    DriverRig rig({}, model);
    ASSERT_TRUE(rig.up());
    for (unsigned i = 0; i < 10'000; ++i) {
      rig.timeline.after(std::chrono::nanoseconds{100} * i,
                         [&rig, i] { rig.device.receive(make_frame(60, i)); });
    }
    rig.timeline.after(microseconds{when}, [&] {
      rig.kernel.spawn("ifdown", [&] { net::dev_close(rig.driver.netdev()); });
    });
    rig.timeline.run();
    EXPECT_FALSE(rig.driver.running());
    rig.expect_nothing_held();
  }
}

TEST(Stop, UpAgainItWorks) {
  DriverRig rig;
  ASSERT_TRUE(rig.up());
  start_traffic(rig);
  rig.timeline.run_until(rig.timeline.now() + microseconds{300});
  rig.kernel.spawn("cycle", [&] {
    for (int i = 0; i < 5; ++i) {
      net::dev_close(rig.driver.netdev());
      rig.kernel.usleep(microseconds{40});
      EXPECT_TRUE(net::dev_open(rig.driver.netdev()));
      rig.kernel.usleep(microseconds{100});
    }
  });
  rig.timeline.run();
  const std::size_t before = rig.tap.frames.size();
  EXPECT_GT(before, 100U);
  rig.device.receive(make_frame(1'000, 5));
  rig.timeline.run();
  ASSERT_EQ(rig.tap.frames.size(), before + 1);
  EXPECT_EQ(rig.tap.frames.back(), make_frame(1'000, 5));
  rig.down();
  rig.expect_nothing_held();
}

TEST(Reset, UnderTrafficLosesSomeFramesAndNoBuffers) {
  DriverRig rig;
  ASSERT_TRUE(rig.up());
  start_traffic(rig);
  for (const int when : {100, 900, 1'700}) {
    rig.timeline.after(microseconds{when}, [&] {
      rig.kernel.spawn("reset", [&] { EXPECT_TRUE(rig.driver.reset()); });
    });
  }
  rig.timeline.run();
  EXPECT_TRUE(rig.driver.running());
  EXPECT_GT(rig.tap.frames.size(), kFrames / 2);
  EXPECT_GT(rig.sent.size(), kFrames / 2);
  // Each packet was sent, or is among the drops with a reason.
  const auto& skbs = rig.net.skbs();
  EXPECT_EQ(skbs.live(), 0U);
  EXPECT_EQ(skbs.dropped(net::skb_drop_reason::NOT_SPECIFIED), 0U);
  rig.down();
  rig.expect_nothing_held();
}

TEST(Reset, AfterAnErrorTheDeviceWorksAgain) {
  DriverRig rig;
  ASSERT_TRUE(rig.up());
  rig.device.fail(regs::kErrorZeroLength, 1, 7, 0x1'2345'6789);
  rig.timeline.run();
  ASSERT_EQ(rig.errors.size(), 1U);
  EXPECT_EQ(rig.errors[0].kind, driver::DeviceError::Kind::needs_reset);
  EXPECT_FALSE(netif_carrier_ok(rig.driver.netdev()));
  rig.in_process([&] { EXPECT_TRUE(rig.driver.reset()); });
  EXPECT_TRUE(netif_carrier_ok(rig.driver.netdev()));
  rig.device.receive(make_frame(60, 1));
  rig.timeline.run();
  EXPECT_EQ(rig.tap.frames.size(), 1U);
}

TEST(Reset, ADeviceThatDoesNotAnswerLosesTheBus) {
  DriverRig rig;
  ASSERT_TRUE(rig.up());
  rig.device.set_hostile(Hostile::stuck_reset);
  rig.down();
  ASSERT_EQ(rig.errors.size(), 1U);
  EXPECT_EQ(rig.errors[0].kind, driver::DeviceError::Kind::reset_failed);
  EXPECT_EQ(rig.device.config_read(4, 2) & 4U, 0U) << "no bus master";
  rig.expect_nothing_held();
}

TEST(Remove, WithTheSimulationOverNothingIsAskedOfTheDevice) {
  auto rig = std::make_unique<DriverRig>();
  ASSERT_TRUE(rig->up());
  start_traffic(*rig);
  rig->timeline.run_until(rig->timeline.now() + microseconds{500});
  rig.reset();
}

}  // namespace
}  // namespace nicroscope::test
