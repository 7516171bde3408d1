// SPDX-License-Identifier: Apache-2.0
// The driver and the RTL: whatever the driver sets, the hardware does, and what the hardware says
// of a frame is what the driver makes of it.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <cstring>
#include <map>

#include "driver/ethtool/command.h"
#include "driver/poll_mode.h"
#include "sim/base/random.h"
#include "stack/core/gso.h"
#include "tests/cosim/driver_rig.h"
#include "tests/golden/frame_builder.h"
#include "tests/golden/rss.h"
#include "tests/golden/segment.h"

namespace nicroscope::test {
namespace {

using golden::Bytes;
using golden::Recipe;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr net::mac_address kGroup{{0x01, 0x00, 0x5e, 0x00, 0x00, 0x09}};
constexpr net::mac_address kOther{{0x02, 0, 0, 0, 0, 0x77}};

Bytes udp_frame(unsigned flow, unsigned number, std::size_t payload = 100) {
  Recipe recipe;
  recipe.flow = flow;
  recipe.protocol = golden::kUdp;
  recipe.payload_bytes = payload;
  recipe.payload_seed = number;
  recipe.id = static_cast<std::uint16_t>(number);
  return golden::build(recipe);
}

Bytes frame_to(const net::mac_address& to) {
  Bytes frame = udp_frame(1, 1);
  to.store(frame.data());
  return frame;
}

/// The MAC makes 60 bytes of less; where the device is without one, nobody does.
Bytes padded(Bytes frame) {
  if (frame.size() < golden::kLeastFrame) frame.resize(golden::kLeastFrame);
  return frame;
}

class DriverCosim : public ::testing::TestWithParam<const char*> {
 protected:
  static unsigned pairs() { return std::string(GetParam()) == "edge10" ? 1 : 4; }
  /// Every frame of the wire is with the host or in a counter.
  static void expect_conservation(NicRig& rig) {
    const auto statistics = rig.statistics();
    std::uint64_t drops = 0;
    for (const regs::CounterInfo& counter : regs::kCounters) {
      if (counter.drop && counter.name.starts_with("rx_")) {
        drops += statistics.at(std::string(counter.name));
      }
    }
    EXPECT_EQ(rig.passed, drops + statistics.at("rx_delivered"));
    EXPECT_EQ(statistics.at("rx_delivered"),
              rig.dev().stats.rx_packets + rig.dev().stats.rx_dropped);
  }
  static void without_merging(NicRig& rig) {
    rig.in_process([&] { EXPECT_TRUE(net::dev_disable_lro(rig.dev())); });
  }
};

TEST_P(DriverCosim, FiltersAreTheDevices) {
  NicRig rig(GetParam());
  EXPECT_TRUE(rig.arrives(udp_frame(1, 1)));
  EXPECT_TRUE(rig.arrives(frame_to(net::kEthBroadcast)));
  EXPECT_FALSE(rig.arrives(frame_to(kGroup)));
  EXPECT_FALSE(rig.arrives(frame_to(kOther)));
  Recipe tagged;
  tagged.tags = {0x8100'0005};
  EXPECT_FALSE(rig.arrives(golden::build(tagged)));
  rig.in_process([&] {
    EXPECT_TRUE(net::dev_addr_add(rig.dev(), kGroup));
    EXPECT_TRUE(net::vlan_vid_add(rig.dev(), 5));
  });
  EXPECT_TRUE(rig.arrives(frame_to(kGroup)));
  EXPECT_TRUE(rig.arrives(golden::build(tagged)));
  EXPECT_FALSE(rig.arrives(frame_to(kOther)));
  rig.in_process([&] { EXPECT_TRUE(net::dev_set_mac_address(rig.dev(), kOther)); });
  EXPECT_TRUE(rig.arrives(frame_to(kOther)));
  EXPECT_FALSE(rig.arrives(udp_frame(1, 2)));
  // A reset of the device forgets all that; the driver sets it again.
  rig.in_process([&] { EXPECT_TRUE(rig.driver().reset()); });
  EXPECT_TRUE(rig.arrives(frame_to(kOther)));
  EXPECT_TRUE(rig.arrives(frame_to(kGroup)));
  tagged.destination = kOther.bytes;
  EXPECT_TRUE(rig.arrives(golden::build(tagged)));
  EXPECT_FALSE(rig.arrives(udp_frame(1, 3)));
  rig.in_process([&] { net::dev_set_promiscuity(rig.dev(), 1); });
  EXPECT_TRUE(rig.arrives(udp_frame(1, 4)));
  EXPECT_EQ(rig.statistics().at("rx_drop_filter"), 6U);
  EXPECT_EQ(rig.driver().control_failures(), 0U);
  EXPECT_EQ(rig.statistics().at("ctrl_errors"), 0U);
  rig.expect_nothing_held_when_down();
}

// What the device counts of its queues is what the driver saw, and what it refused.
TEST_P(DriverCosim, TheDeviceCountsWhatTheDriverSees) {
  NicRig rig(GetParam());
  for (unsigned n = 0; n < 5; ++n) EXPECT_TRUE(rig.arrives(udp_frame(1, n)));
  EXPECT_FALSE(rig.arrives(frame_to(kOther)));
  std::map<std::string, std::uint64_t> device;
  rig.in_process([&] {
    for (auto& [name, value] : rig.driver().device_stats()) device[name] = value;
  });
  const driver::ReceiveStats seen = rig.driver().receive_stats();
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  std::uint64_t interrupts = 0;
  for (unsigned n = 0; device.contains(fmt::format("rx{}_hw_packets", n)); ++n) {
    packets += device[fmt::format("rx{}_hw_packets", n)];
    bytes += device[fmt::format("rx{}_hw_bytes", n)];
    interrupts += device[fmt::format("rx{}_hw_interrupts", n)];
    EXPECT_EQ(device[fmt::format("rx{}_hw_drops", n)], 0U);
  }
  EXPECT_EQ(packets, 5U);
  EXPECT_EQ(packets, seen.packets);
  EXPECT_EQ(bytes, seen.bytes);
  EXPECT_GE(interrupts, 1U);
  EXPECT_EQ(device.at("cq_hw_command_num"), device.at("cq_hw_ok_num"));
  EXPECT_EQ(rig.driver().control_failures(), 0U);
}

TEST_P(DriverCosim, ChecksumsAndSuperFramesAreFinishedByTheDevice) {
  NicRig rig(GetParam());
  sim::Random random(21);
  golden::TransmitMix mix;
  mix.largest_super_frame = 40'000;
  std::vector<Bytes> expected;
  std::vector<std::size_t> checks;
  rig.in_process([&] {
    for (unsigned i = 0; i < 60; ++i) {
      const golden::TransmitFrame frame = golden::random_transmit(random, mix);
      const auto segments = golden::segment(frame.bytes, frame.header);
      ASSERT_TRUE(segments);
      for (const Bytes& segment : *segments) {
        expected.push_back(padded(segment));
        checks.push_back(std::size_t{frame.header.csum_start} + frame.header.csum_offset);
      }
      const auto size = static_cast<std::uint32_t>(frame.bytes.size());
      const std::uint32_t linear = std::min<std::uint32_t>(size, i % 2 == 0 ? 256 : 1'600);
      net::skb_ptr skb = net::netdev_alloc_skb(rig.dev(), linear);
      std::memcpy(net::skb_put(*skb, linear), frame.bytes.data(), linear);
      for (std::uint32_t at = linear; at < size;) {
        const std::uint32_t n = std::min<std::uint32_t>(4096, size - at);
        auto page = net::page_ref::alloc(rig.host().memory(), 0);
        std::memcpy(page.address(), frame.bytes.data() + at, n);
        net::skb_add_rx_frag(*skb, page, 0, n, n);
        at += n;
      }
      if (frame.header.flags != 0) {
        skb->ip_summed = net::CHECKSUM_PARTIAL;
        skb->csum_start = net::skb_headroom(*skb) + frame.header.csum_start;
        skb->csum_offset = frame.header.csum_offset;
      }
      skb->shinfo->gso_type = frame.header.gso_type;
      skb->shinfo->gso_size = frame.header.gso_size;
      EXPECT_TRUE(net::dev_queue_xmit(std::move(skb)));
    }
  });
  rig.run_for(milliseconds{2});
  ASSERT_EQ(rig.sent.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_TRUE(golden::same_frame(padded(rig.sent[i]), expected[i], checks[i])) << i;
  }
  EXPECT_EQ(rig.statistics().at("tx_tso"), rig.driver().transmit_stats().tso);
  EXPECT_GT(rig.driver().transmit_stats().tso, 5U);
  rig.expect_nothing_held_when_down();
}

// The device merges, the driver hands it on as one packet, and on its way out it is cut again: the
// frames are those that came.
TEST_P(DriverCosim, MergedFramesAreForwardedAsTheyCame) {
  struct Forwarder : net::packet_type {
    Forwarder() : packet_type(net::kEthPIp, nullptr) {}
    void func(net::skb_ptr skb) override {
      net::skb_push(*skb, net::kEthHlen);
      EXPECT_TRUE(net::dev_queue_xmit(std::move(skb)));
    }
  };
  for (const bool merging : {true, false}) {
    NicRig rig(GetParam());
    Forwarder forwarder;
    rig.net().dev_add_pack(forwarder);
    if (!merging) without_merging(rig);
    std::vector<Bytes> frames;
    Recipe recipe;
    recipe.payload_bytes = 1'448;
    recipe.tcp_options = Bytes(12, std::byte{1});
    for (unsigned i = 0; i < 60; ++i) {
      recipe.id = static_cast<std::uint16_t>(100 + i);
      recipe.payload_seed = i;
      frames.push_back(golden::build(recipe));
      rig.receive(frames.back());
      recipe.seq += 1'448;
    }
    rig.run_for(milliseconds{1});
    EXPECT_EQ(rig.seen.size() < 20, merging) << rig.seen.size();
    EXPECT_EQ(rig.driver().receive_stats().gro_hw != 0, merging);
    EXPECT_EQ(rig.seen.front().ip_summed,
              merging ? net::CHECKSUM_PARTIAL : net::CHECKSUM_UNNECESSARY);
    EXPECT_EQ(rig.seen.front().gso_size, merging ? 1'448 : 0);
    ASSERT_EQ(rig.sent.size(), frames.size());
    for (std::size_t i = 0; i < frames.size(); ++i) EXPECT_TRUE(rig.sent[i] == frames[i]) << i;
    rig.net().dev_remove_pack(forwarder);
    rig.expect_nothing_held_when_down();
  }
}

TEST_P(DriverCosim, FlowsAreSpreadAndHashed) {
  NicRig rig(GetParam(), {}, pairs());
  EXPECT_EQ(rig.driver().channels(), pairs());
  golden::HashKey key{};
  std::copy(rig.driver().rxfh().key.begin(), rig.driver().rxfh().key.end(), key.begin());
  std::vector<Bytes> frames;
  for (unsigned i = 0; i < 200; ++i) {
    frames.push_back(udp_frame(i % 40, i));
    rig.receive(frames.back());
  }
  rig.run_for(milliseconds{1});
  ASSERT_EQ(rig.seen.size(), frames.size());
  std::vector<unsigned> by_queue(4);
  for (const NicRig::Seen& seen : rig.seen) {
    const auto hash = golden::frame_hash(golden::parse(seen.bytes), 0x3f, key);
    EXPECT_EQ(seen.hash, hash.value);
    EXPECT_EQ(seen.queue, rig.driver().rxfh().table[hash.value % 128]);
    ++by_queue[seen.queue];
  }
  for (unsigned queue = 0; queue < pairs(); ++queue) {
    EXPECT_GT(by_queue[queue], 10U);
    EXPECT_GT(rig.host().irq().count(1 + 2 * queue, queue), 0U);
  }
  if (pairs() == 1) return;
  // All to one queue, and then fewer queues.
  driver::RssSettings rss = rig.driver().rxfh();
  rss.table = {2, 2};
  rig.in_process([&] { EXPECT_EQ(rig.driver().set_rxfh(rss), ""); });
  rig.seen.clear();
  for (const Bytes& frame : frames) rig.receive(frame);
  rig.run_for(milliseconds{1});
  ASSERT_EQ(rig.seen.size(), frames.size());
  for (const NicRig::Seen& seen : rig.seen) EXPECT_EQ(seen.queue, 2U);
  rig.expect_nothing_held_when_down();
}

TEST_P(DriverCosim, ModerationMakesInterruptsFew) {
  std::uint64_t interrupts[3];
  for (unsigned usecs : {0U, 50U, 200U}) {
    NicRig rig(GetParam());
    const std::vector<std::string> args{"-C", "eth0", "rx-usecs", std::to_string(usecs)};
    rig.in_process([&] { EXPECT_EQ(driver::ethtool(rig.driver(), args).status, 0); });
    const std::uint64_t before = rig.interrupts(1, 1);
    for (unsigned i = 0; i < 200; ++i) rig.receive(udp_frame(1, i), microseconds{10} * i);
    rig.run_for(milliseconds{3});
    EXPECT_EQ(rig.seen.size(), 200U);
    interrupts[usecs == 0 ? 0 : usecs == 50 ? 1 : 2] = rig.interrupts(1, 1) - before;
    rig.expect_nothing_held_when_down();
  }
  EXPECT_EQ(interrupts[0], 200U);
  EXPECT_LT(interrupts[1], 50U);
  EXPECT_GT(interrupts[1], 25U);
  EXPECT_LT(interrupts[2], 13U);
  EXPECT_GT(interrupts[2], 7U);
}

TEST_P(DriverCosim, QueuesChangeUnderTraffic) {
  NicRig rig(GetParam(), {}, 2);
  without_merging(rig);
  constexpr unsigned kFrames = 2'500;
  for (unsigned i = 0; i < kFrames; ++i)
    rig.receive(udp_frame(i % 16, i, 200), nanoseconds{900} * i);
  std::uint64_t submitted = 0;
  rig.host().spawn("sender", [&] {
    for (unsigned i = 0; i < 600; ++i) {
      const Bytes frame = udp_frame(i % 16, i, 300);
      net::skb_ptr skb = net::netdev_alloc_skb(rig.dev(), static_cast<std::uint32_t>(frame.size()));
      std::memcpy(net::skb_put(*skb, static_cast<std::uint32_t>(frame.size())), frame.data(),
                  frame.size());
      ++submitted;
      (void)net::dev_queue_xmit(std::move(skb));
      rig.host().usleep(microseconds{4});
    }
  });
  rig.in_process([&] {
    const std::uint16_t sizes[][2] = {{64, 64}, {256, 33}, {100, 256}};
    for (const auto& size : sizes) {
      rig.host().usleep(microseconds{250});
      EXPECT_EQ(rig.driver().set_ringparam(size[0], size[1]), "");
      if (pairs() == 1) continue;
      rig.host().usleep(microseconds{100});
      EXPECT_EQ(rig.driver().set_channels(1), "");
      rig.host().usleep(microseconds{100});
      EXPECT_EQ(rig.driver().set_channels(4), "");
    }
  });
  rig.run_for(milliseconds{6});
  EXPECT_TRUE(rig.all_received());
  expect_conservation(rig);
  EXPECT_EQ(rig.sent.size() + rig.dev().stats.tx_dropped, submitted);
  EXPECT_GT(rig.seen.size(), kFrames * 8 / 10);
  EXPECT_EQ(rig.driver().control_failures(), 0U);
  EXPECT_TRUE(rig.arrives(udp_frame(3, 1)));
  rig.expect_nothing_held_when_down();
}

TEST_P(DriverCosim, FramesComeByInterruptHandlersToo) {
  driver::Options options;
  options.receive = driver::Receive::interrupt;
  NicRig rig(GetParam(), options);
  without_merging(rig);
  const std::uint64_t before = rig.interrupts(1, 1);
  for (unsigned i = 0; i < 100; ++i) rig.receive(udp_frame(1, i), microseconds{20} * i);
  rig.run_for(milliseconds{3});
  ASSERT_EQ(rig.seen.size(), 100U);
  for (unsigned i = 0; i < 100; ++i) EXPECT_TRUE(rig.seen[i].bytes == udp_frame(1, i)) << i;
  EXPECT_EQ(rig.interrupts(1, 1) - before, 100U) << "one a frame";
  expect_conservation(rig);
  rig.expect_nothing_held_when_down();
}

TEST_P(DriverCosim, AProgramPollsTheRings) {
  driver::Options options;
  options.receive = driver::Receive::poll;
  NicRig rig(GetParam(), options);
  without_merging(rig);
  for (unsigned i = 0; i < 500; ++i) rig.receive(udp_frame(i % 7, i, 20 + i), nanoseconds{400} * i);
  rig.in_process([&] {
    driver::PollPort port(rig.driver(), 0);
    std::array<driver::mbuf, 32> burst;
    std::size_t done = 0;
    const Time end = rig.host().now() + milliseconds{3};
    while ((done < 500 || port.outstanding() != 0) && rig.host().now() < end) {
      const std::size_t got = port.rx_burst(burst);
      std::span<driver::mbuf> left(burst.data(), got);
      do {
        left = left.subspan(port.tx_burst(left));
      } while (!left.empty());
      done += got;
    }
    EXPECT_EQ(done, 500U);
    EXPECT_EQ(port.outstanding(), 0U);
  });
  rig.run_for(microseconds{100});
  ASSERT_EQ(rig.sent.size(), 500U);
  for (unsigned i = 0; i < 500; ++i) EXPECT_TRUE(rig.sent[i] == udp_frame(i % 7, i, 20 + i)) << i;
  EXPECT_EQ(rig.interrupts(1, 2 * pairs()), 0U);
  rig.expect_nothing_held_when_down();
}

INSTANTIATE_TEST_SUITE_P(Profiles, DriverCosim, ::testing::Values("edge10", "dc25"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace nicroscope::test
