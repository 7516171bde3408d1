// SPDX-License-Identifier: Apache-2.0
// Several queue pairs and several CPUs; queues that change under traffic.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "tests/golden/frame_builder.h"
#include "tests/unit/driver/driver_rig.h"

namespace nicroscope::test {
namespace {

using std::chrono::microseconds;
using std::chrono::nanoseconds;

kernel::Config with_cpus(unsigned cpus) {
  kernel::Config config;
  config.cpus = cpus;
  return config;
}

ModelOptions with_pairs(unsigned pairs, unsigned vectors = 0) {
  ModelOptions model;
  model.pairs = pairs;
  model.vectors = vectors;
  model.work_delay = nanoseconds{300};
  return model;
}

Frame flow_frame(unsigned flow, unsigned number) {
  golden::Recipe recipe;
  recipe.flow = flow;
  recipe.protocol = golden::kUdp;
  recipe.payload_bytes = 20 + number % 900;
  recipe.payload_seed = number;
  recipe.id = static_cast<std::uint16_t>(number);
  return golden::build(recipe);
}

struct QueueRig : DriverRig {
  QueueRig(unsigned pairs, unsigned cpus, driver::Options options = {}, unsigned vectors = 0)
      : DriverRig(std::move(options), with_pairs(pairs, vectors), with_cpus(cpus)) {}
  net::net_device& dev() { return driver.netdev(); }
  /// `count` frames of 32 flows, one every `gap`.
  void load(unsigned count, Duration gap) {
    for (unsigned i = 0; i < count; ++i) {
      timeline.after(gap * i, [this, i] { device.receive(flow_frame(i % 32, i)); });
    }
  }
  /// Processes, one a CPU, that send `each` packets.
  void senders(unsigned each, Duration gap) {
    for (unsigned cpu = 0; cpu < kernel.cpus(); ++cpu) {
      kernel::TaskOptions on;
      on.cpu = cpu;
      kernel.spawn(
          "sender",
          [this, each, gap, cpu] {
            for (unsigned i = 0; i < each; ++i) {
              net::skb_ptr skb = packet(100 + i % 1'000, cpu * 10'000 + i, 2'048, 1);
              skb->dev = &dev();
              ++submitted;
              (void)net::dev_queue_xmit(std::move(skb));
              if (gap != Duration{0}) kernel.usleep(gap);
            }
          },
          on);
    }
  }
  /// Every frame is with the stack or counted; every packet on the wire or counted.
  void expect_conservation() {
    const net::net_device_stats& stats = dev().stats;
    EXPECT_EQ(device.counter(regs::kCounterRxDelivered), stats.rx_packets + stats.rx_dropped);
    EXPECT_EQ(tap.frames.size(), stats.rx_packets);
    EXPECT_EQ(sent.size() + stats.tx_dropped, submitted);
    EXPECT_EQ(net.skbs().dropped(net::skb_drop_reason::NOT_SPECIFIED), 0U);
    EXPECT_EQ(net.skbs().live(), 0U);
  }
  std::uint64_t submitted = 0;
};

TEST(MultiQueue, FlowsSpreadOverQueuesAndCpusEachInItsOrder) {
  QueueRig rig(4, 4);
  ASSERT_TRUE(rig.up());
  EXPECT_EQ(rig.driver.channels(), 4U);
  rig.load(4'000, nanoseconds{400});
  rig.timeline.run();
  ASSERT_EQ(rig.tap.frames.size(), 4'000U);
  std::map<unsigned, unsigned> last;  // number of the last frame by flow
  for (const Frame& frame : rig.tap.frames) {
    const unsigned number = golden::get16(frame, 18);
    const auto [at, first] = last.emplace(number % 32, number);
    if (!first) {
      EXPECT_GT(number, at->second) << "a flow out of order";
      at->second = number;
    }
  }
  for (unsigned pair = 0; pair < 4; ++pair) {
    EXPECT_GT(rig.device.delivered(pair), 300U) << pair;
    EXPECT_EQ(rig.driver.pair(static_cast<std::uint16_t>(pair)).rx_stats.packets,
              rig.device.delivered(pair));
    for (unsigned cpu = 0; cpu < 4; ++cpu) {
      EXPECT_EQ(rig.kernel.irq().count(1 + 2 * pair, cpu) != 0, pair == cpu) << pair << cpu;
    }
  }
  rig.expect_conservation();
  rig.down();
  rig.expect_nothing_held();
}

TEST(MultiQueue, EachCpuSendsOnItsOwnQueue) {
  QueueRig rig(4, 4);
  ASSERT_TRUE(rig.up());
  rig.senders(300, Duration{0});
  rig.timeline.run();
  for (unsigned pair = 0; pair < 4; ++pair) EXPECT_EQ(rig.device.sent(pair), 300U);
  rig.expect_conservation();
  rig.down();
  rig.expect_nothing_held();
}

TEST(MultiQueue, WithFewerCpusThanQueuesTheFlowDecides) {
  QueueRig rig(4, 1, [] {
    driver::Options options;
    options.queue_pairs = 4;
    return options;
  }());
  ASSERT_TRUE(rig.up());
  rig.in_process([&] {
    for (unsigned i = 0; i < 400; ++i) {
      const Frame frame = flow_frame(i % 40, i);
      net::skb_ptr skb = net::netdev_alloc_skb(rig.dev(), static_cast<std::uint32_t>(frame.size()));
      std::memcpy(net::skb_put(*skb, static_cast<std::uint32_t>(frame.size())), frame.data(),
                  frame.size());
      skb->frame = rig.net.next_frame();
      (void)net::dev_queue_xmit(std::move(skb));
    }
  });
  EXPECT_EQ(rig.sent.size(), 400U);
  for (unsigned pair = 0; pair < 4; ++pair) {
    EXPECT_GT(rig.device.sent(pair), 20U);
    EXPECT_EQ(rig.device.sent(pair) % 10, 0U) << "all ten frames of a flow go the same way";
  }
}

TEST(MultiQueue, FewerVectorsAreShared) {
  for (const unsigned vectors : {2U, 1U}) {
    QueueRig rig(
        3, 2,
        [] {
          driver::Options options;
          options.queue_pairs = 3;
          return options;
        }(),
        vectors);
    ASSERT_TRUE(rig.up());
    rig.load(600, microseconds{1});
    rig.senders(200, microseconds{2});
    rig.timeline.run();
    EXPECT_EQ(rig.tap.frames.size(), 600U) << vectors;
    EXPECT_EQ(rig.sent.size(), 400U) << vectors;
    rig.device.set_link(false);
    rig.timeline.run();
    EXPECT_FALSE(netif_carrier_ok(rig.dev()));
    rig.down();
    rig.expect_nothing_held();
  }
}

TEST(MultiQueue, TheNumberOfQueuesChangesUnderTraffic) {
  QueueRig rig(4, 4);
  ASSERT_TRUE(rig.up());
  rig.load(6'000, nanoseconds{700});
  rig.senders(700, microseconds{4});
  rig.kernel.spawn("ethtool", [&] {
    for (const std::uint16_t pairs : std::initializer_list<std::uint16_t>{1, 3, 2, 4, 1, 4}) {
      rig.kernel.usleep(microseconds{500});
      EXPECT_EQ(rig.driver.set_channels(pairs), "");
      EXPECT_EQ(rig.driver.channels(), pairs);
      EXPECT_EQ(rig.dev().real_num_tx_queues(), pairs);
      EXPECT_EQ(rig.device.control().table.size(), 128U);
    }
    EXPECT_NE(rig.driver.set_channels(0), "");
    EXPECT_NE(rig.driver.set_channels(5), "");
  });
  rig.timeline.run();
  EXPECT_EQ(rig.tap.frames.size(), 6'000U) << "nothing is lost on the way in";
  rig.expect_conservation();
  rig.down();
  rig.expect_nothing_held();
}

TEST(MultiQueue, RingsAreResizedUnderTraffic) {
  for (const bool queue_by_queue : {true, false}) {
    driver::Options options;
    if (!queue_by_queue) options.features &= ~(std::uint64_t{1} << regs::kFeatureRingReset);
    QueueRig rig(2, 2, options);
    ASSERT_TRUE(rig.up());
    rig.load(6'000, nanoseconds{700});
    rig.senders(1'000, microseconds{4});
    rig.kernel.spawn("ethtool", [&] {
      const std::uint16_t sizes[][2] = {{64, 256}, {64, 32}, {256, 17}, {33, 256}, {256, 256}};
      for (const auto& size : sizes) {
        rig.kernel.usleep(microseconds{400});
        EXPECT_EQ(rig.driver.set_ringparam(size[0], size[1]), "");
        EXPECT_EQ(rig.device.queue_size(2), size[0]);
        EXPECT_EQ(rig.device.queue_size(3), size[1]);
      }
      EXPECT_NE(rig.driver.set_ringparam(0, 16), "");
      EXPECT_NE(rig.driver.set_ringparam(16, 300), "");
    });
    rig.timeline.run();
    rig.expect_conservation();
    // Frames that were in the device while its queue was reset are in its counters.
    EXPECT_EQ(rig.tap.frames.size() + rig.dev().stats.rx_dropped +
                  rig.device.counter(regs::kCounterRxDropReset) +
                  rig.device.counter(regs::kCounterRxDropDisabled),
              6'000U);
    EXPECT_GT(rig.tap.frames.size(), 4'500U);
    rig.down();
    rig.expect_nothing_held();
  }
}

TEST(MultiQueue, AQueueThatStaysInResetCostsAReset) {
  QueueRig rig(2, 1);
  ASSERT_TRUE(rig.up());
  rig.device.set_hostile(Hostile::stuck_queue);
  rig.in_process([&] { EXPECT_EQ(rig.driver.set_ringparam(64, 64), ""); });
  EXPECT_TRUE(rig.driver.running());
  EXPECT_EQ(rig.device.queue_size(0), 64U);
  rig.device.receive(flow_frame(1, 1));
  rig.timeline.run();
  EXPECT_EQ(rig.tap.frames.size(), 1U);
  rig.down();
  rig.expect_nothing_held();
}

TEST(Recovery, TheDriverResetsADeviceThatCannotGoOn) {
  driver::Options options;
  options.recovery = driver::Recovery::reset;
  QueueRig rig(2, 2, options);
  ASSERT_TRUE(rig.up());
  rig.load(4'000, nanoseconds{900});
  rig.senders(700, microseconds{4});
  for (const int when : {700, 1'900}) {
    rig.timeline.after(microseconds{when},
                       [&] { rig.device.fail(regs::kErrorBadLength, 1, 7, 0x1234); });
  }
  rig.timeline.after(microseconds{2'800}, [&] { rig.device.set_hostile(Hostile::bad_id); });
  rig.timeline.after(microseconds{2'802}, [&] { rig.device.set_hostile(Hostile::none); });
  rig.timeline.run();
  EXPECT_TRUE(rig.driver.running());
  EXPECT_TRUE(netif_carrier_ok(rig.dev()));
  EXPECT_GE(rig.driver.recoveries(), 2U);
  EXPECT_TRUE(rig.errors.empty()) << "nobody else is asked";
  EXPECT_GT(rig.tap.frames.size(), 3'000U);
  EXPECT_EQ(rig.net.skbs().live(), 0U);
  EXPECT_EQ(rig.net.skbs().dropped(net::skb_drop_reason::NOT_SPECIFIED), 0U);
  rig.down();
  rig.expect_nothing_held();
}

// It could not even carry out the commands that follow its start.
TEST(Recovery, ADeviceThatFailsAsItStartsIsReportedAsSuch) {
  for (const auto recovery : {driver::Recovery::report, driver::Recovery::reset}) {
    driver::Options options;
    options.recovery = recovery;
    DriverRig rig(options);
    bool failed = false;
    rig.device.on_access = [&](const ModelDevice::Access& access) {
      const bool start = !access.config && access.write &&
                         access.offset == regs::kCommonDeviceStatus &&
                         (access.value & regs::kStatusDriverOk) != 0;
      if (!start || std::exchange(failed, true)) return;
      rig.timeline.after(nanoseconds{10},
                         [&rig] { rig.device.fail(regs::kErrorBadLength, 0, 3, 7); });
    };
    ASSERT_TRUE(rig.up());
    EXPECT_TRUE(failed);
    if (recovery == driver::Recovery::report) {
      ASSERT_EQ(rig.errors.size(), 1U);
      EXPECT_EQ(rig.errors[0].kind, driver::DeviceError::Kind::needs_reset);
      rig.in_process([&] { EXPECT_TRUE(rig.driver.reset()); });
    } else {
      EXPECT_EQ(rig.driver.recoveries(), 1U);
    }
    rig.device.receive(make_frame(100, 1));
    rig.timeline.run();
    EXPECT_EQ(rig.tap.frames.size(), 1U);
    rig.down();
    rig.expect_nothing_held();
  }
}

TEST(Watchdog, AQueueThatStandsStillIsFound) {
  driver::Options options;
  options.tx_ring = 8;
  options.recovery = driver::Recovery::reset;
  options.features &=
      ~(std::uint64_t{1} << regs::kFeatureCtrlVq);  // or the device is found earlier
  ModelOptions model;
  model.work_delay = std::chrono::hours{24};  // the device has stopped working
  DriverRig slow(options, model);
  ASSERT_TRUE(slow.up());
  slow.in_process([&] {
    for (unsigned i = 0; i < 20; ++i) {
      net::skb_ptr skb = slow.packet(100, i, 2'048, 1);
      skb->dev = &slow.driver.netdev();
      (void)net::dev_queue_xmit(std::move(skb));
    }
    EXPECT_TRUE(netif_queue_stopped(slow.driver.netdev()));
    const Time start = slow.kernel.now();
    while (slow.driver.recoveries() == 0) slow.kernel.msleep(std::chrono::milliseconds{100});
    const Duration waited = slow.kernel.now() - start;
    EXPECT_GE(waited, std::chrono::seconds{4});
    EXPECT_LE(waited, std::chrono::seconds{11});
  });
  EXPECT_GE(slow.driver.transmit_stats().timeouts, 1U);
  EXPECT_GE(slow.driver.netdev().stats.tx_errors, 1U);
  slow.down();
  slow.expect_nothing_held();
}

TEST(ByteQueueLimits, KeepTheQueueShortAndTheDeviceBusy) {
  std::uint64_t longest[2] = {0, 0};
  for (const bool limited : {false, true}) {
    driver::Options options;
    options.byte_queue_limits = limited;
    ModelOptions model;
    model.work_delay = microseconds{3};
    DriverRig rig(options, model);
    ASSERT_TRUE(rig.up());
    rig.in_process([&] {
      for (unsigned i = 0; i < 900; ++i) {
        net::skb_ptr skb = rig.packet(1'000, i, 2'048, 1);
        skb->dev = &rig.driver.netdev();
        EXPECT_TRUE(net::dev_queue_xmit(std::move(skb)));
        longest[limited] =
            std::max<std::uint64_t>(longest[limited], rig.driver.pair(0).tx->outstanding());
      }
    });
    EXPECT_EQ(rig.sent.size(), 900U);
    const net::dql& limit = rig.driver.netdev().tx_queue(0).limit;
    EXPECT_EQ(limit.inflight(), 0U);
    EXPECT_EQ(limit.limit > 1'000U, limited);
    rig.down();
    rig.expect_nothing_held();
  }
  EXPECT_LT(longest[1], longest[0] / 2) << "packets wait in the discipline, not in the ring";
  EXPECT_GT(longest[1], 1U);
}

TEST(Pages, ComeBackAndAreUsedAgain) {
  for (const bool recycling : {true, false}) {
    driver::Options options;
    options.page_recycling = recycling;
    DriverRig rig(options);
    ASSERT_TRUE(rig.up());
    for (unsigned i = 0; i < 3'000; ++i) {
      rig.timeline.after(microseconds{2} * i,
                         [&rig, i] { rig.device.receive(make_frame(1'000, i)); });
    }
    rig.timeline.run();
    const driver::ReceiveStats stats = rig.driver.receive_stats();
    EXPECT_EQ(stats.packets, 3'000U);
    if (recycling) {
      EXPECT_GT(stats.page_recycled, 100U);
      EXPECT_LT(stats.page_alloc, 50U);
    } else {
      EXPECT_EQ(stats.page_recycled, 0U);
      EXPECT_GT(stats.page_alloc, 140U);
    }
    rig.down();
    rig.expect_nothing_held();
  }
}

TEST(Pages, SmallFramesAreCopiedAndTheirBufferUsedAgain) {
  for (const std::uint32_t copybreak : {0U, 128U, 600U}) {
    driver::Options options;
    options.rx_copybreak = copybreak;
    DriverRig rig(options);
    ASSERT_TRUE(rig.up());
    for (const std::size_t size : {60U, 128U, 129U, 600U, 601U, 1'514U}) {
      rig.device.receive(make_frame(size, static_cast<unsigned>(size)));
    }
    rig.timeline.run();
    ASSERT_EQ(rig.tap.frames.size(), 6U);
    for (const Frame& frame : rig.tap.frames) {
      EXPECT_TRUE(frame == make_frame(frame.size(), static_cast<unsigned>(frame.size())));
    }
    EXPECT_EQ(rig.driver.receive_stats().copied, copybreak == 0 ? 0U : copybreak == 128 ? 2U : 4U);
    rig.down();
    rig.expect_nothing_held();
  }
}

}  // namespace
}  // namespace nicroscope::test
