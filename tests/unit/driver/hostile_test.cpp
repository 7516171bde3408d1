// SPDX-License-Identifier: Apache-2.0
// A device that breaks the rules costs frames, never the host.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/driver/driver_rig.h"

namespace nicroscope::test {
namespace {

/// Counts a frame as dropped and goes on with the next.
class Drops : public ::testing::TestWithParam<Hostile> {};

TEST_P(Drops, OneFrameIsLostAndCounted) {
  for (const std::size_t size : {60U, 5'000U}) {
    DriverRig rig;
    ASSERT_TRUE(rig.up());
    rig.device.set_hostile(GetParam());
    rig.device.receive(make_frame(size, 1));
    rig.timeline.run();
    for (unsigned i = 2; i < 700; ++i) {
      rig.device.receive(make_frame(60, i));
      if (i % 50 == 0) rig.timeline.run();
    }
    rig.timeline.run();
    EXPECT_EQ(rig.driver.netdev().stats.rx_dropped, 1U);
    EXPECT_EQ(rig.driver.netdev().stats.rx_length_errors, 1U);
    EXPECT_EQ(rig.tap.frames.size(), 698U);
    EXPECT_EQ(rig.tap.frames.front(), make_frame(60, 2));
    EXPECT_EQ(rig.tap.frames.back(), make_frame(60, 699));
    EXPECT_TRUE(rig.errors.empty());
    rig.down();
    rig.expect_nothing_held();
  }
}

INSTANTIATE_TEST_SUITE_P(Lengths, Drops,
                         ::testing::Values(Hostile::long_length, Hostile::too_many_buffers));
TEST(Hostile, ABadHeaderCostsTheFrame) {
  for (const Hostile hostile : {Hostile::short_length, Hostile::zero_buffers}) {
    DriverRig rig;
    ASSERT_TRUE(rig.up());
    rig.device.set_hostile(hostile);
    rig.device.receive(make_frame(60, 1));
    rig.timeline.run();
    rig.device.receive(make_frame(60, 2));
    rig.timeline.run();
    EXPECT_EQ(rig.driver.netdev().stats.rx_dropped, 1U);
    EXPECT_EQ(rig.driver.receive_stats().length_errors, 1U);
    ASSERT_EQ(rig.tap.frames.size(), 1U);
    EXPECT_EQ(rig.tap.frames[0], make_frame(60, 2));
    rig.down();
    rig.expect_nothing_held();
  }
}

TEST(Hostile, AnIdThatTheDeviceDoesNotHoldBreaksTheQueue) {
  for (const Hostile hostile : {Hostile::bad_id, Hostile::stale_id}) {
    DriverRig rig;
    ASSERT_TRUE(rig.up());
    rig.device.set_hostile(hostile);
    rig.device.receive(make_frame(60, 1));
    rig.timeline.run();
    for (unsigned i = 0; i < 20; ++i) rig.device.receive(make_frame(60, i));
    rig.timeline.run();
    ASSERT_EQ(rig.errors.size(), 1U) << "reported once";
    EXPECT_EQ(rig.errors[0].kind, driver::DeviceError::Kind::used_element);
    EXPECT_EQ(rig.errors[0].record.queue, 0U);
    EXPECT_EQ(rig.errors[0].record.index, hostile == Hostile::bad_id ? 0U : 1U);
    EXPECT_FALSE(netif_carrier_ok(rig.driver.netdev()));
    EXPECT_EQ(rig.tap.frames.size(), hostile == Hostile::bad_id ? 0U : 1U);
    const std::size_t delivered = rig.tap.frames.size();
    rig.in_process([&] { EXPECT_TRUE(rig.driver.reset()); });
    rig.device.receive(make_frame(60, 99));
    rig.timeline.run();
    EXPECT_EQ(rig.tap.frames.size(), delivered + 1) << "a reset mends it";
    rig.down();
    rig.expect_nothing_held();
  }
}

TEST(Hostile, ABadIdOnTheTransmitQueueToo) {
  DriverRig rig;
  ASSERT_TRUE(rig.up());
  rig.device.set_hostile(Hostile::bad_id);
  rig.in_process([&] {
    for (unsigned i = 0; i < 10; ++i) {
      net::skb_ptr skb = rig.packet(100, i, 2'048, 1);
      skb->dev = &rig.driver.netdev();
      net::dev_queue_xmit(std::move(skb));
    }
  });
  ASSERT_EQ(rig.errors.size(), 1U);
  EXPECT_EQ(rig.errors[0].record.queue, 1U);
  rig.down();
  rig.expect_nothing_held();
}

TEST(Hostile, NeedsResetIsReportedWithTheOffender) {
  DriverRig rig;
  ASSERT_TRUE(rig.up());
  rig.timeline.run_until(std::chrono::milliseconds{1});
  rig.device.fail(regs::kErrorChainTooLong, 1, 17, 0x1'0000'1230);
  rig.timeline.run();
  ASSERT_EQ(rig.errors.size(), 1U);
  const driver::DeviceError& error = rig.errors[0];
  EXPECT_EQ(error.kind, driver::DeviceError::Kind::needs_reset);
  EXPECT_EQ(error.record.code, regs::kErrorChainTooLong);
  EXPECT_EQ(error.record.queue, 1U);
  EXPECT_EQ(error.record.index, 17U);
  EXPECT_EQ(error.record.address, 0x1'0000'1230U);
  EXPECT_EQ(error.record.cycle, 250'000U);
  EXPECT_EQ(error.text,
            "the device needs a reset: ChainTooLong (a chain has more descriptors than the ring): "
            "virtqueue 1, slot 17, address 0x100001230, cycle 250000");
}

}  // namespace
}  // namespace nicroscope::test
