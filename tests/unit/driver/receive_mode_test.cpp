// SPDX-License-Identifier: Apache-2.0
// The ways of a frame to the host beside NAPI: from the interrupt handler, and polled by a program.
#include <gtest/gtest.h>

#include <random>

#include "driver/poll_mode.h"
#include "stack/core/softnet.h"
#include "tests/unit/driver/driver_rig.h"

namespace nicroscope::test {
namespace {

using driver::mbuf;
using driver::PollPort;
using driver::Receive;
using std::chrono::microseconds;
using std::chrono::nanoseconds;

driver::Options by(Receive receive) {
  driver::Options options;
  options.receive = receive;
  return options;
}

void load(DriverRig& rig, unsigned count, Duration gap, std::size_t size = 60) {
  for (unsigned i = 0; i < count; ++i) {
    rig.timeline.after(gap * i, [&rig, i, size] { rig.device.receive(make_frame(size, i)); });
  }
}

TEST(InterruptPath, OneInterruptAFrameWhereFramesAreFarApart) {
  DriverRig rig(by(Receive::interrupt));
  ASSERT_TRUE(rig.up());
  const std::uint64_t before = rig.kernel.irq().count(1);
  load(rig, 200, microseconds{50});
  rig.timeline.run();
  ASSERT_EQ(rig.tap.frames.size(), 200U);
  for (unsigned i = 0; i < 200; ++i) EXPECT_TRUE(rig.tap.frames[i] == make_frame(60, i)) << i;
  EXPECT_EQ(rig.kernel.irq().count(1) - before, 200U);
  EXPECT_EQ(rig.kernel.napi().stat(0).processed, 200U) << "by the backlog";
  rig.down();
  rig.expect_nothing_held();
}

TEST(InterruptPath, FramesOfAnySizeBothWays) {
  driver::Options options = by(Receive::interrupt);
  options.rx_ring = options.tx_ring = 37;
  options.rx_buffer_bytes = 400;
  DriverRig rig(options);
  ASSERT_TRUE(rig.up());
  std::mt19937 random(4);
  std::vector<Frame> frames;
  for (unsigned i = 0; i < 500; ++i) {
    frames.push_back(make_frame(14 + random() % 1'500, i));
    rig.timeline.after(microseconds{8} * i, [&rig, f = frames.back()] { rig.device.receive(f); });
  }
  rig.in_process([&] {
    for (unsigned i = 0; i < 500; ++i) {
      net::skb_ptr skb = rig.packet(60 + random() % 1'400, i, 200, 700);
      skb->dev = &rig.driver.netdev();
      EXPECT_TRUE(net::dev_queue_xmit(std::move(skb)));
      if (i % 4 == 0) rig.kernel.usleep(microseconds{10});
    }
  });
  EXPECT_TRUE(rig.tap.frames == frames);
  EXPECT_EQ(rig.sent.size(), 500U);
  rig.down();
  rig.expect_nothing_held();
}

// More frames than the CPU can take: the handlers leave it no time for what is behind them.
TEST(InterruptPath, OverloadStarvesTheStackAndNapiDoesNot) {
  double share[2];  // of the frames that came, how many got to the tap
  std::uint64_t interrupts[2];
  for (const Receive receive : {Receive::interrupt, Receive::napi}) {
    ModelOptions model;
    model.work_delay = nanoseconds{100};
    DriverRig rig(by(receive), model,
                  only({{kernel::cost::irq_entry, nanoseconds{2'000}},
                        {kernel::cost::virtnet_receive_buf, nanoseconds{500}},
                        {kernel::cost::netif_receive_skb, nanoseconds{3'000}}}));
    ASSERT_TRUE(rig.up());
    load(rig, 10'000, nanoseconds{500});
    rig.timeline.run_until(rig.timeline.now() + microseconds{5'000});
    const auto n = static_cast<std::size_t>(receive == Receive::napi);
    share[n] = static_cast<double>(rig.tap.frames.size()) / 10'000;
    interrupts[n] = rig.kernel.irq().count(1);
    rig.timeline.run();
    rig.down();
    rig.expect_nothing_held();
  }
  EXPECT_LT(share[0], 0.05) << "next to nothing";
  EXPECT_GT(share[1], 0.12) << "what the CPU can do";
  EXPECT_GT(interrupts[0], 20 * interrupts[1]);
}

TEST(InterruptPath, StopsAndResetsUnderTraffic) {
  for (const int when : {30, 333, 777, 1'501}) {
    kernel::Config config;
    config.cpus = 2;
    ModelOptions model;
    model.pairs = 2;
    DriverRig rig(by(Receive::interrupt), model, config);
    ASSERT_TRUE(rig.up());
    load(rig, 3'000, nanoseconds{700});
    rig.timeline.after(microseconds{when}, [&] {
      rig.kernel.spawn("reset", [&] {
        EXPECT_TRUE(rig.driver.reset());
        EXPECT_EQ(rig.driver.set_ringparam(64, 64), "");
        rig.kernel.usleep(microseconds{300});
        net::dev_close(rig.driver.netdev());
      });
    });
    rig.timeline.run();
    EXPECT_GT(rig.tap.frames.size(), 10U);
    rig.expect_nothing_held();
    EXPECT_EQ(rig.net.skbs().dropped(net::skb_drop_reason::NOT_SPECIFIED), 0U);
  }
}

// A program that sends every frame back, with the addresses exchanged.
TEST(PollMode, AProgramForwardsWithoutInterrupts) {
  for (const bool hashes : {true, false}) {
    driver::Options options = by(Receive::poll);
    if (!hashes) options.features &= ~(std::uint64_t{1} << regs::kFeatureHashReport);
    options.rx_buffer_bytes = 700;  // some frames take several
    DriverRig rig(options);
    ASSERT_TRUE(rig.up());
    std::mt19937 random(5);
    std::vector<Frame> frames;
    for (unsigned i = 0; i < 1'000; ++i) {
      frames.push_back(make_frame(60 + random() % 1'400, i));
      rig.timeline.after(nanoseconds{900} * i,
                         [&rig, f = frames.back()] { rig.device.receive(f); });
    }
    rig.in_process([&] {
      PollPort port(rig.driver, 0);
      std::array<mbuf, 32> burst;
      std::size_t done = 0;
      const Time end = rig.kernel.now() + std::chrono::milliseconds{5};
      while (done < 1'000 && rig.kernel.now() < end) {
        const std::size_t got = port.rx_burst(burst);
        for (std::size_t i = 0; i < got; ++i) {
          std::swap_ranges(burst[i].data(), burst[i].data() + 6, burst[i].data() + 6);
        }
        std::span<mbuf> left(burst.data(), got);
        while (!left.empty()) left = left.subspan(port.tx_burst(left));
        done += got;
      }
      EXPECT_EQ(done, 1'000U);
      while (port.outstanding() != 0 && rig.kernel.now() < end) (void)port.tx_burst({});
      EXPECT_EQ(port.outstanding(), 0U);
    });
    ASSERT_EQ(rig.sent.size(), frames.size());
    for (std::size_t i = 0; i < frames.size(); ++i) {
      Frame back = frames[i];
      std::swap_ranges(back.begin(), back.begin() + 6, back.begin() + 6);
      EXPECT_TRUE(rig.sent[i] == back) << i;
    }
    EXPECT_EQ(rig.kernel.irq().count(1) + rig.kernel.irq().count(2), 0U);
    EXPECT_TRUE(rig.tap.frames.empty()) << "the stack has seen nothing";
    EXPECT_EQ(rig.driver.netdev().stats.rx_packets, 1'000U);
    EXPECT_EQ(rig.driver.netdev().stats.tx_packets, 1'000U);
    EXPECT_EQ(rig.driver.netdev().stats.rx_bytes, rig.driver.netdev().stats.tx_bytes);
    rig.down();
    rig.expect_nothing_held();
  }
}

TEST(PollMode, AFullRingTakesWhatFits) {
  driver::Options options = by(Receive::poll);
  options.tx_ring = 16;
  ModelOptions model;
  model.work_delay = microseconds{40};
  DriverRig rig(options, model);
  ASSERT_TRUE(rig.up());
  rig.in_process([&] {
    PollPort port(rig.driver, 0);
    std::array<mbuf, 20> burst;
    for (unsigned i = 0; i < burst.size(); ++i) {
      burst[i] = port.alloc(100);
      ASSERT_TRUE(burst[i]);
      const Frame frame = make_frame(100, i);
      std::copy(frame.begin(), frame.end(), burst[i].data());
    }
    EXPECT_FALSE(port.alloc(4'097));
    EXPECT_EQ(port.tx_burst(burst), 16U);
    EXPECT_FALSE(burst[15]);
    EXPECT_TRUE(burst[16]);
    std::span<mbuf> left(burst.data() + 16, 4);
    while (!left.empty()) left = left.subspan(port.tx_burst(left));
    while (port.outstanding() != 0) (void)port.tx_burst({});
  });
  ASSERT_EQ(rig.sent.size(), 20U);
  for (unsigned i = 0; i < 20; ++i) EXPECT_TRUE(rig.sent[i] == make_frame(100, i));
  // The stack has no way out by this interface.
  rig.in_process([&] {
    net::skb_ptr skb = rig.packet(100, 1, 2'048, 1);
    skb->dev = &rig.driver.netdev();
    (void)net::dev_queue_xmit(std::move(skb));
  });
  EXPECT_EQ(rig.driver.netdev().stats.tx_dropped, 1U);
  rig.down();
  rig.expect_nothing_held();
}

}  // namespace
}  // namespace nicroscope::test
