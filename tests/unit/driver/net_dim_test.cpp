// SPDX-License-Identifier: Apache-2.0
// Adaptive moderation: the algorithm against a queue whose traffic is a formula, and the driver's
// use of it.
#include <gtest/gtest.h>

#include "driver/ethtool/command.h"
#include "driver/net_dim.h"
#include "tests/unit/driver/driver_rig.h"

namespace nicroscope::test {
namespace {

using driver::DimSample;
using driver::NetDim;
using std::chrono::microseconds;

/// Runs `intervals` of 64 interrupts; packets of an interval follow from the profile in use.
template <typename Packets>
void run(NetDim& dim, DimSample& at, unsigned intervals, Packets&& packets) {
  for (unsigned i = 0; i < intervals; ++i) {
    if (dim.sample(at)) dim.applied();
    const std::uint64_t count = packets(dim.profile());
    at.time += std::chrono::milliseconds{1};
    at.events += NetDim::kEvents;
    at.packets += count;
    at.bytes += 1'000 * count;
  }
}

TEST(NetDim, FindsTheProfileThatCarriesMost) {
  for (const unsigned best : {0U, 1U, 2U, 3U, 4U}) {
    NetDim dim(false);
    DimSample at;
    unsigned there = 0;
    run(dim, at, 400, [&](unsigned profile) {
      const unsigned distance = profile > best ? profile - best : best - profile;
      if (at.events > 100 * NetDim::kEvents && distance == 0) ++there;
      return std::uint64_t{1'000} >> distance;
    });
    EXPECT_GT(there, 100U) << best << ": most of the time";
  }
}

/// The same with intervals that the profile makes longer: what comes in a millisecond follows from
/// it. Returns how many of the last 100 intervals were in the profile `best`.
template <typename PerMs>
unsigned intervals_in(unsigned best, PerMs&& per_ms) {
  NetDim dim(false);
  DimSample at;
  unsigned there = 0;
  for (unsigned i = 0; i < 300; ++i) {
    if (dim.sample(at)) dim.applied();
    const unsigned profile = dim.profile();
    if (i >= 200 && profile == best) ++there;
    const std::uint64_t ms = 1 + profile;
    const auto [packets, bytes] = per_ms(profile);
    at.time += std::chrono::milliseconds{ms};
    at.events += NetDim::kEvents;
    at.packets += ms * packets;
    at.bytes += ms * bytes;
  }
  return there;
}
using Load = std::pair<std::uint64_t, std::uint64_t>;  // packets, bytes

TEST(NetDim, FewerInterruptsAreBetterWhereAllElseIsTheSame) {
  EXPECT_GT(intervals_in(4, [](unsigned) { return Load{500, 100'000}; }), 70U);
}

TEST(NetDim, PacketsCountWhereBytesAreTheSame) {
  EXPECT_GT(intervals_in(0, [](unsigned p) { return Load{1'000 - 150 * p, 100'000}; }), 70U);
}

TEST(NetDim, WhatCountsIsWhatComesInAMillisecond) {
  const auto less_but_longer = [](unsigned p) {
    return Load{1'000 - 150 * p, 1'000 * (1'000 - 150 * p)};
  };
  EXPECT_GT(intervals_in(0, less_but_longer), 70U);
}

TEST(NetDim, ParksWhereItIsBestUntilTheTrafficChanges) {
  NetDim dim(false);
  DimSample at;
  std::uint64_t most = 1'000;
  const auto peak = [&most](unsigned profile) {
    return most >> (profile > 2 ? profile - 2 : 2 - profile);
  };
  run(dim, at, 20, peak);
  EXPECT_EQ(dim.state(), NetDim::State::parking_on_top);
  EXPECT_EQ(dim.profile(), 2U);
  run(dim, at, 100, peak);
  EXPECT_EQ(dim.state(), NetDim::State::parking_on_top);
  most = 1'100;  // a tenth more is nothing
  run(dim, at, 20, peak);
  EXPECT_EQ(dim.state(), NetDim::State::parking_on_top);
  most = 1'130;
  run(dim, at, 2, peak);
  EXPECT_EQ(dim.state(), NetDim::State::going_left);
  EXPECT_EQ(dim.profile(), 1U);
}

// Where every profile does the same it tries to and fro, rests, and tries again.
TEST(NetDim, RestsWhenItIsTired) {
  NetDim dim(true);
  DimSample at;
  const auto same = [](unsigned) { return std::uint64_t{500}; };
  unsigned intervals = 0;
  for (; dim.state() != NetDim::State::parking_tired && intervals < 60; ++intervals) {
    run(dim, at, 1, same);
  }
  EXPECT_LT(intervals, 30U);
  const unsigned parked = dim.profile();
  run(dim, at, 9, same);
  EXPECT_EQ(dim.state(), NetDim::State::parking_tired);
  EXPECT_EQ(dim.profile(), parked);
  run(dim, at, 1, same);
  EXPECT_NE(dim.state(), NetDim::State::parking_tired);
}

TEST(NetDim, LooksAgainAfterSixtyFourInterrupts) {
  NetDim dim(false);
  DimSample at;
  at.packets = 7;
  EXPECT_FALSE(dim.sample(at));
  at = {microseconds{500}, 10'000, 1'000'000, NetDim::kEvents - 1};
  EXPECT_FALSE(dim.sample(at));
  EXPECT_EQ(dim.profile(), 1U);
  at.events = NetDim::kEvents;
  EXPECT_TRUE(dim.sample(at)) << "something where there was nothing";
  EXPECT_EQ(dim.profile(), 0U);
  at.events = 3 * NetDim::kEvents;
  EXPECT_FALSE(dim.sample(at)) << "the new profile is not in the device yet";
  dim.applied();
  at = {microseconds{1'500}, 15'000, 1'500'000, 4 * NetDim::kEvents};
  EXPECT_FALSE(dim.sample(at)) << "the first interval of the new profile begins here";
  at = {microseconds{2'000}, 17'000, 1'700'000, 5 * NetDim::kEvents};
  EXPECT_TRUE(dim.sample(at)) << "worse: the other way";
}

TEST(NetDim, TheProfilesArePublished) {
  EXPECT_EQ(NetDim::profiles(false)[2], (driver::Moderation{64, 256}));
  EXPECT_EQ(NetDim::profiles(true)[4], (driver::Moderation{128, 128}));
}

TEST(NetDim, ChangesTheModerationOfItsQueue) {
  ModelOptions model;
  model.pairs = 2;
  model.work_delay = std::chrono::nanoseconds{300};
  DriverRig rig({}, model);
  ASSERT_TRUE(rig.up());
  const auto ethtool = [&](std::vector<std::string> args) {
    driver::EthtoolResult result;
    rig.in_process([&] { result = driver::ethtool(rig.driver, args); });
    return result;
  };
  EXPECT_EQ(ethtool({"-C", "eth0", "adaptive-rx", "on"}).status, 0);
  EXPECT_NE(ethtool({"-c", "eth0"}).out.find("Adaptive RX: on  TX: off\n"), std::string::npos);
  const std::size_t commands = rig.device.commands().size();
  for (unsigned i = 0; i < 2'000; ++i) {
    rig.timeline.after(microseconds{10} * i, [&rig, i] { rig.device.receive(make_frame(200, i)); });
  }
  rig.timeline.run();
  EXPECT_GT(rig.device.commands().size(), commands) << "it was tried";
  const auto& set = rig.device.control().moderation[0];
  bool known = false;
  for (const auto& m : NetDim::profiles(false))
    known |= set ==
             Moderation{static_cast<std::uint16_t>(m.frames), static_cast<std::uint16_t>(m.usecs)};
  EXPECT_TRUE(known) << set.usecs;
  EXPECT_EQ(rig.device.control().moderation[2], Moderation{}) << "the other queue had no traffic";
  EXPECT_NE(ethtool({"-Q", "eth0", "queue_mask", "1", "-c"}).out.find("rx-frames: 256\n"),
            std::string::npos);
  EXPECT_EQ(ethtool({"-C", "eth0", "rx-usecs", "7"}).status, 1) << "not by hand as well";
  EXPECT_EQ(ethtool({"-C", "eth0", "adaptive-rx", "off", "rx-usecs", "7"}).status, 0);
  EXPECT_EQ(rig.device.control().moderation[0].usecs, 7);
  EXPECT_EQ(rig.tap.frames.size(), 2'000U);
  rig.down();
  rig.expect_nothing_held();
}

TEST(NetDim, TransmitQueuesHaveTheirOwn) {
  ModelOptions model;
  model.work_delay = std::chrono::nanoseconds{300};
  DriverRig rig({}, model);
  ASSERT_TRUE(rig.up());
  driver::EthtoolResult result;
  rig.in_process([&] {
    const std::vector<std::string> args{"-C", "eth0", "adaptive-tx", "on"};
    result = driver::ethtool(rig.driver, args);
  });
  EXPECT_EQ(result.status, 0);
  rig.in_process([&] {
    for (unsigned i = 0; i < 3'000; ++i) {
      net::skb_ptr skb = rig.packet(200, i, 200, 1);
      skb->dev = &rig.driver.netdev();
      (void)net::dev_queue_xmit(std::move(skb));
      rig.kernel.usleep(microseconds{10});
    }
  });
  const auto& moderation = rig.device.control().moderation;
  EXPECT_EQ(moderation[1].packets, 128U) << "one of its profiles";
  EXPECT_EQ(moderation[0], Moderation{}) << "the receive queue is as it was";
  EXPECT_EQ(rig.sent.size(), 3'000U);
  rig.down();
  rig.expect_nothing_held();
}

}  // namespace
}  // namespace nicroscope::test
