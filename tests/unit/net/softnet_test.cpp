// SPDX-License-Identifier: Apache-2.0
// The backlog of each CPU, and the steering of packets to CPUs.
#include "stack/core/softnet.h"

#include <set>

#include "stack/core/flow_hash.h"
#include "tests/unit/net/net_rig.h"

namespace nicroscope::test {
namespace {

using kernel::Cost;
using kernel::irqreturn_t;
using std::chrono::microseconds;
using std::chrono::nanoseconds;

constexpr std::uint16_t kType = 0x0800;

/// Takes every IPv4 packet and notes where and when.
struct Sink : net::packet_type {
  explicit Sink(net::Net& n) : packet_type(kType, nullptr), net(n) { net.dev_add_pack(*this); }
  ~Sink() override { net.dev_remove_pack(*this); }
  void func(net::skb_ptr skb) override {
    frames.push_back(skb->frame);
    cpus.push_back(net.kernel().cpu().id());
    net.kernel().spend(cost);
    last = net.kernel().now();
    net::consume_skb(std::move(skb));
  }
  net::Net& net;
  Duration cost{};
  std::vector<FrameId> frames;
  std::vector<unsigned> cpus;
  Time last{};
};

struct NoOps : net::net_device_ops {
  bool ndo_open(net::net_device&) override { return true; }
  void ndo_stop(net::net_device&) override {}
  net::netdev_tx_t ndo_start_xmit(net::skb_ptr&, net::net_device&) override {
    return net::NETDEV_TX_BUSY;
  }
  bool ndo_change_mtu(net::net_device&, unsigned) override { return true; }
};

kernel::Config on(unsigned cpus, kernel::Config config = only({})) {
  config.cpus = cpus;
  return config;
}

/// A host whose device has no NAPI: the handler takes every frame that waits to netif_rx.
struct SoftnetRig {
  static constexpr unsigned kVector = 3;

  explicit SoftnetRig(kernel::Config config = only({})) : rig(std::move(config)) {
    EXPECT_TRUE(rig.kernel.irq().request_irq(kVector, "eth0", [this](unsigned) {
      for (; waiting != 0; --waiting) {
        rig.kernel.spend(handler_cost);
        taken += net::netif_rx(make(flow)) == net::NET_RX_SUCCESS ? 1 : 0;
      }
      return irqreturn_t::IRQ_HANDLED;
    }));
    EXPECT_TRUE(network.register_netdev(dev));
    EXPECT_TRUE(net::dev_open(dev));
  }
  ~SoftnetRig() {
    rig.kernel.shutdown();
    if (registered) network.unregister_netdev(dev);
  }
  void arrive(unsigned n) {
    waiting += n;
    rig.kernel.irq().raise(kVector);
  }
  net::skb_ptr make(unsigned source_port) {
    const Bytes frame =
        ethernet(kHostMac, kPeerMac, kType, ipv4({}, udp(source_port, 9, pattern(20))));
    net::skb_ptr skb = net::netdev_alloc_skb(dev, static_cast<std::uint32_t>(frame.size()));
    std::copy(frame.begin(), frame.end(),
              net::skb_put(*skb, static_cast<std::uint32_t>(frame.size())));
    skb->frame = ++frames;
    net::eth_type_trans(*skb, dev);
    return skb;
  }
  std::uint64_t backlog_drops() {
    return network.skbs().dropped(net::skb_drop_reason::CPU_BACKLOG);
  }

  Rig rig;
  net::Net network{rig.kernel};
  NoOps ops;
  net::net_device dev{"eth0", kHostMac, 1500, ops};
  Sink sink{network};
  unsigned waiting = 0;
  unsigned taken = 0;
  unsigned flow = 1000;
  Duration handler_cost{};
  FrameId frames = 0;
  bool registered = true;
};

TEST(Softnet, PacketsGoFromTheInterruptByTheBacklogToTheSoftirq) {
  SoftnetRig host(only({{Cost::netif_rx, nanoseconds{10}},
                        {Cost::process_backlog, nanoseconds{5}},
                        {Cost::netif_receive_skb, nanoseconds{100}}}));
  host.arrive(3);
  host.rig.timeline.run();
  EXPECT_EQ(host.sink.frames, (std::vector<FrameId>{1, 2, 3}));
  EXPECT_EQ(host.sink.last, Time{nanoseconds{3 * 10 + 3 * 105}});
  EXPECT_EQ(host.rig.kernel.napi().stat().processed, 3U);
  EXPECT_EQ(host.rig.kernel.cpu().softirq_counts()[3], 1U);
}

TEST(Softnet, AFullBacklogDropsEverythingUntilItIsEmpty) {
  SoftnetRig host;
  host.sink.cost = microseconds{1};
  host.arrive(400);
  EXPECT_EQ(host.taken, 301U);
  EXPECT_EQ(host.backlog_drops(), 99U);
  EXPECT_EQ(host.network.softnet().throttled(0), 1U);
  // 100 are through, and there would be room.
  host.rig.timeline.at(microseconds{100}, [&] { host.arrive(10); });
  host.rig.timeline.at(microseconds{302}, [&] { host.arrive(10); });
  host.rig.timeline.run();
  EXPECT_EQ(host.backlog_drops(), 109U);
  EXPECT_EQ(host.taken, 311U);
  EXPECT_EQ(host.sink.frames.size(), 311U);
  EXPECT_EQ(host.network.softnet().throttled(0), 1U);
  EXPECT_EQ(host.rig.kernel.napi().stat().dropped, 109U);
  EXPECT_EQ(host.dev.stats.rx_dropped, 109U);
}

TEST(Softnet, WithoutThrottlingRoomIsUsedAtOnce) {
  SoftnetRig host;
  host.network.softnet().config = {.netdev_max_backlog = 1000, .throttle = false};
  host.sink.cost = microseconds{1};
  host.arrive(1100);
  EXPECT_EQ(host.backlog_drops(), 99U);
  host.rig.timeline.at(microseconds{100}, [&] { host.arrive(10); });
  host.rig.timeline.run();
  EXPECT_EQ(host.backlog_drops(), 99U);
  EXPECT_EQ(host.sink.frames.size(), 1011U);
}

TEST(Softnet, TheBacklogIsPolledWithAWeightOf64) {
  SoftnetRig host;
  host.arrive(301);
  host.rig.timeline.run();
  EXPECT_EQ(host.sink.frames.size(), 301U);
  EXPECT_EQ(host.rig.kernel.napi().stat().processed, 301U);
  EXPECT_EQ(host.rig.kernel.napi().polls(), 5U);
}

// What Mogul and Ramakrishnan called receive livelock: interrupts take the whole CPU, and what they
// bring in is dropped.
TEST(Softnet, InterruptsThatTakeAllTimeDeliverNothing) {
  SoftnetRig host;
  host.handler_cost = microseconds{10};
  host.sink.cost = microseconds{10};
  const auto offer = [&](Duration gap) {
    const std::size_t before = host.sink.frames.size();
    const Time start = host.rig.timeline.now();
    for (int i = 0; i < 2000; ++i) {
      host.rig.timeline.at(start + gap * i, [&] { host.arrive(1); });
    }
    host.rig.timeline.run_until(start + gap * 2000 - nanoseconds{1});
    return static_cast<unsigned>(host.sink.frames.size() - before);
  };
  EXPECT_GE(offer(microseconds{25}), 1999U) << "less than capacity";
  EXPECT_EQ(offer(microseconds{10}), 0U) << "every interrupt finds the next one waiting";
  host.rig.timeline.run();
  EXPECT_EQ(host.network.skbs().live(), 0U);
  EXPECT_EQ(host.sink.frames.size() + host.backlog_drops(), 4000U);
}

TEST(Softnet, SoftnetStatHasLinuxColumns) {
  SoftnetRig host(on(2));
  EXPECT_TRUE(host.rig.kernel.irq().irq_set_affinity(SoftnetRig::kVector, 2));
  host.sink.cost = microseconds{1};
  host.arrive(310);
  host.rig.timeline.run_until(nanoseconds{10'500});
  const std::string text = host.rig.kernel.napi().proc_net_softnet_stat();
  EXPECT_EQ(text.substr(text.find('\n') + 1),
            "00000000 00000009 00000000 00000000 00000000 00000000 00000000 00000000 00000000 "
            "00000000 00000000 00000122 00000001\n")
      << "9 dropped, 0x122 = 290 wait: 301 less 11";
}

TEST(Softnet, ADeviceThatGoesAwayTakesItsPacketsAlong) {
  SoftnetRig host;
  host.sink.cost = microseconds{1};
  host.arrive(20);
  host.rig.timeline.run_until(nanoseconds{4'500});
  host.network.unregister_netdev(host.dev);
  host.registered = false;
  host.rig.timeline.run();
  EXPECT_EQ(host.sink.frames.size(), 5U);
  EXPECT_EQ(host.network.skbs().dropped(net::skb_drop_reason::DEV_DOWN), 15U);
}

// ---- steering

TEST(Rps, FlowsAreSpreadOverTheCpusAndStayInOrder) {
  SoftnetRig host(
      on(4, only({{Cost::ipi_send, nanoseconds{10}}, {Cost::ipi_delivery, nanoseconds{100}}})));
  net::Rps& rps = host.network.softnet().rps;
  EXPECT_FALSE(rps.set_rps_cpus(host.dev, 0, 0xf0)) << "no such CPU";
  ASSERT_TRUE(rps.set_rps_cpus(host.dev, 0, 0b1110));
  host.sink.cost = microseconds{1};
  std::map<FrameId, unsigned> flow_of;
  host.rig.timeline.at(Time{}, [&] { host.rig.kernel.raise_softirq(kernel::Softirq::tasklet); });
  host.rig.kernel.open_softirq(kernel::Softirq::tasklet, [&] {
    for (unsigned i = 0; i < 96; ++i) {
      net::skb_ptr skb = host.make(1000 + i % 12);
      flow_of[skb->frame] = i % 12;
      net::netif_receive_skb(std::move(skb));
    }
  });
  host.rig.timeline.run();
  ASSERT_EQ(host.sink.frames.size(), 96U);
  std::map<unsigned, std::set<unsigned>> cpus_of;
  std::map<unsigned, FrameId> last_of;
  for (std::size_t i = 0; i < 96; ++i) {
    const unsigned flow = flow_of[host.sink.frames[i]];
    cpus_of[flow].insert(host.sink.cpus[i]);
    EXPECT_GT(host.sink.frames[i], last_of[flow]);
    last_of[flow] = host.sink.frames[i];
  }
  std::set<unsigned> used;
  for (const auto& [flow, cpus] : cpus_of) {
    EXPECT_EQ(cpus.size(), 1U) << "flow " << flow;
    used.merge(std::set<unsigned>(cpus));
  }
  EXPECT_EQ(used, (std::set<unsigned>{1, 2, 3}));
  for (unsigned cpu = 1; cpu < 4; ++cpu) {
    EXPECT_EQ(host.rig.kernel.napi().stat(cpu).received_rps, 1U) << "told once for all packets";
    EXPECT_EQ(host.rig.kernel.irq().count(kernel::IrqTable::kCallFunction, cpu), 1U);
  }
}

TEST(Rps, AQueueOfItsOwnHasItsOwnSettings) {
  net::Rps rps(4);
  SoftnetRig host;
  const std::vector<std::uint64_t> head(4);
  ASSERT_TRUE(rps.set_rps_cpus(host.dev, 1, 0b100));
  EXPECT_FALSE(rps.choose(host.dev, 0, 5, head).has_value());
  EXPECT_EQ(rps.choose(host.dev, 1, 5, head)->cpu, 2U);
  ASSERT_TRUE(rps.set_rps_cpus(host.dev, 1, 0));
  EXPECT_FALSE(rps.active());
  EXPECT_FALSE(rps.set_rps_flow_cnt(host.dev, 1, 100)) << "not a power of two";
}

TEST(Rfs, AFlowFollowsItsReaderOnceItsPacketsAreThrough) {
  net::Rps rps(4);
  SoftnetRig host;
  std::vector<std::uint64_t> head(4);
  constexpr std::uint32_t kHash = 0x1234'5678;
  ASSERT_TRUE(rps.set_rps_cpus(host.dev, 0, 0b1));
  ASSERT_TRUE(rps.set_rps_flow_cnt(host.dev, 0, 64));
  ASSERT_TRUE(rps.set_rps_sock_flow_entries(64));
  EXPECT_EQ(rps.choose(host.dev, 0, kHash, head)->cpu, 0U) << "nobody reads it: RPS";
  rps.record_sock_flow(kHash, 2);
  EXPECT_EQ(rps.choose(host.dev, 0, kHash, head)->cpu, 2U);
  rps.note_tail(host.dev, 0, kHash, 5);  // its last packet is the fifth in CPU 2's backlog
  rps.record_sock_flow(kHash, 3);
  head[2] = 4;
  EXPECT_EQ(rps.choose(host.dev, 0, kHash, head)->cpu, 2U) << "not before its packets";
  head[2] = 5;
  EXPECT_EQ(rps.choose(host.dev, 0, kHash, head)->cpu, 3U);
  EXPECT_EQ(rps.choose(host.dev, 0, kHash + 64, head)->cpu, 0U) << "another flow, the same entry";
}

TEST(Softnet, ABacklogThatTwoCpusUseHasALock) {
  kernel::Config config = on(2, only({{Cost::netif_rx, nanoseconds{10}},
                                      {Cost::process_backlog, nanoseconds{300}},
                                      {Cost::spin_lock_handover, nanoseconds{70}}}));
  SoftnetRig host(std::move(config));
  ASSERT_TRUE(host.network.softnet().rps.set_rps_cpus(host.dev, 0, 0b10));
  host.arrive(1);
  // CPU 1 takes the first off its backlog when CPU 0 comes with the second.
  host.rig.timeline.at(nanoseconds{100}, [&] { host.arrive(1); });
  host.rig.timeline.run();
  EXPECT_EQ(host.sink.cpus, (std::vector<unsigned>{1, 1}));
  EXPECT_EQ(host.rig.kernel.lockdep().find_class("input_pkt_queue.lock").contentions, 2U);
  // Queued; taken off; the lock handed over; the second queued; handed back; taken off.
  EXPECT_EQ(host.sink.last, Time{nanoseconds{10 + 300 + 70 + 10 + 70 + 300}});
  EXPECT_EQ(host.rig.kernel.lockdep().errors(), std::vector<std::string>{});
}

}  // namespace
}  // namespace nicroscope::test
