// SPDX-License-Identifier: Apache-2.0
// A socket and a transmit queue that several CPUs use: their locks, and receive flow steering.
#include "stack/core/softnet.h"
#include "stack/kernel/lock/lockdep.h"
#include "stack/kernel/lock/spinlock.h"
#include "stack/socket/syscalls.h"
#include "tests/unit/net/net_rig.h"

namespace nicroscope::test {
namespace {

using namespace net;
using namespace std::chrono_literals;
using kernel::Cost;

constexpr std::uint16_t kPort = 5000;
constexpr unsigned kReader = 1;  // the CPU; the device's interrupts go to CPU 0

class NetSmpTest : public NetTest {
 protected:
  explicit NetSmpTest(kernel::Config config = free_of_cost())
      : NetTest(three_cpus(std::move(config))) {}
  static kernel::Config three_cpus(kernel::Config config) {
    config.cpus = 3;
    return config;
  }
  void on(unsigned cpu, std::function<void(SystemCalls&)> body) {
    rig.kernel.spawn("p" + std::to_string(cpu),
                     [this, body = std::move(body)] {
                       SystemCalls sys(stack);
                       body(sys);
                       ++finished;
                     },
                     {.cpu = cpu});
  }
  static int udp_socket(SystemCalls& sys) {
    const int fd = sys.socket(address_family::inet, sock_type::dgram).value();
    EXPECT_EQ(sys.bind(fd, ipv4_endpoint{kInaddrAny, kPort}), kOk);
    return fd;
  }
  void receive_udp(std::size_t size) { receive_ip({}, udp(1234, kPort, pattern(size))); }
  [[nodiscard]] kernel::lock_class& lock(const char* name) {
    return rig.kernel.lockdep().find_class(name);
  }
  int finished = 0;
};

// ---- receive flow steering

class SteeringTest : public NetSmpTest {
 protected:
  SteeringTest() {
    EXPECT_TRUE(rps.set_rps_flow_cnt(dev, 0, 64));
    forget();
  }
  void forget() { EXPECT_TRUE(rps.set_rps_sock_flow_entries(64)); }
  /// Whether a datagram went to the reader's CPU by steering.
  bool steered() {
    const std::uint64_t before = rig.kernel.napi().stat(kReader).received_rps;
    receive_udp(10);
    rig.timeline.run();
    return rig.kernel.napi().stat(kReader).received_rps != before;
  }
  Rps& rps = stack.net.softnet().rps;
};

TEST_F(SteeringTest, PacketsFollowTheReaderOfAConnectedSocket) {
  on(kReader, [&](SystemCalls& sys) {
    const int fd = udp_socket(sys);
    EXPECT_EQ(sys.connect(fd, ipv4_endpoint{kPeerIp, 1234}), kOk);
    Bytes got(100);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(sys.recvfrom(fd, got).value(), 10U);
  });
  rig.timeline.run();
  EXPECT_FALSE(steered()) << "the socket has had no packet";
  EXPECT_TRUE(steered());
  EXPECT_TRUE(steered());
  EXPECT_EQ(finished, 1);
}

TEST_F(SteeringTest, ASocketWithoutAPeerHasNoFlow) {
  on(kReader, [&](SystemCalls& sys) {
    const int fd = udp_socket(sys);
    Bytes got(100);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(sys.recvfrom(fd, got).value(), 10U);
  });
  rig.timeline.run();
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(steered());
  EXPECT_EQ(finished, 1);
}

TEST_F(SteeringTest, ADisconnectedSocketHasNoneAnyMore) {
  on(kReader, [&](SystemCalls& sys) {
    const int fd = udp_socket(sys);
    EXPECT_EQ(sys.connect(fd, ipv4_endpoint{kPeerIp, 1234}), kOk);
    Bytes got(100);
    EXPECT_EQ(sys.recvfrom(fd, got).value(), 10U);
    EXPECT_EQ(sys.connect(fd, std::monostate{}), kOk);
    EXPECT_EQ(sys.recvfrom(fd, got).value(), 10U);
  });
  rig.timeline.run();
  EXPECT_FALSE(steered());
  EXPECT_FALSE(steered());
  EXPECT_EQ(finished, 1);
}

TEST_F(SteeringTest, SendingMovesTheFlowToo) {
  learn_peer();
  on(kReader, [&](SystemCalls& sys) {
    const int fd = udp_socket(sys);
    EXPECT_EQ(sys.connect(fd, ipv4_endpoint{kPeerIp, 1234}), kOk);
    Bytes got(100);
    EXPECT_EQ(sys.recvfrom(fd, got).value(), 10U);
    forget();
    EXPECT_EQ(sys.sendto(fd, pattern(5)).value(), 5U);
    rig.kernel.usleep(1ms);
    EXPECT_EQ(sys.recvfrom(fd, got, kMsgDontwait).value(), 10U);
  });
  rig.timeline.run_until(rig.timeline.now() + 10us);
  receive_udp(10);
  rig.timeline.run_until(rig.timeline.now() + 10us);
  EXPECT_TRUE(steered());
  EXPECT_EQ(finished, 1);
}

// ---- a socket's queue

class SocketLockTest : public NetSmpTest {
 protected:
  SocketLockTest()
      : NetSmpTest(only({{Cost::sock_queue_rcv_skb, 500ns},
                         {Cost::skb_queue, 1us},
                         {Cost::spin_lock_handover, 70ns}})) {}
};

TEST_F(SocketLockTest, WhoQueuesWaitsForWhoReads) {
  on(kReader, [&](SystemCalls& sys) {
    const int fd = udp_socket(sys);
    Bytes got(100);
    EXPECT_EQ(sys.recvfrom(fd, got).value(), 10U);
    EXPECT_EQ(rig.kernel.now(), Time{12500ns});
    rig.kernel.usleep(10us);
    EXPECT_EQ(sys.recvfrom(fd, got).value(), 20U);
  });
  rig.timeline.at(10us, [&] { receive_udp(10); });  // queued from 10.5 to 11.5 us, then read
  rig.timeline.at(11us, [&] { receive_udp(20); });  // to be queued at 12 us
  rig.timeline.run();
  EXPECT_EQ(finished, 1);
  EXPECT_EQ(lock("sk_receive_queue.lock").contentions, 1U);
  EXPECT_EQ(rig.kernel.cpu(0).time().softirq, Duration{2 * 1500ns + 500ns + 70ns})
      << "waiting is the softirq's time";
}

TEST_F(SocketLockTest, WhoFindsTheDatagramTakenWaitsForTheNext) {
  std::vector<Time> read;
  on(kReader, [&](SystemCalls& sys) {
    const int fd = udp_socket(sys);
    const auto take = [&, fd] {
      Bytes got(100);
      EXPECT_EQ(sys.recvfrom(fd, got).value(), 10U);
      read.push_back(rig.kernel.now());
    };
    rig.kernel.spawn(
        "other",
        [&, take] {
          rig.kernel.usleep(12us);  // when the sleeper has been woken and is at the queue
          take();
        },
        {.cpu = 2});
    take();
    rig.kernel.usleep(100us);  // the descriptors are this process's
  });
  rig.timeline.at(10us, [&] { receive_udp(10); });
  rig.timeline.at(50us, [&] { receive_udp(10); });
  rig.timeline.run();
  EXPECT_EQ(finished, 1);
  EXPECT_EQ(read, (std::vector<Time>{Time{12500ns}, Time{52500ns}}));
}

TEST_F(SocketLockTest, WhatComesAsTheSocketClosesIsDropped) {
  on(kReader, [&](SystemCalls& sys) {
    const int fd = udp_socket(sys);
    rig.kernel.spend(10us);
    EXPECT_EQ(sys.close(fd), kOk);
  });
  rig.timeline.at(9800ns, [&] { receive_udp(10); });  // charged until 10.3 us
  rig.timeline.run();
  EXPECT_EQ(finished, 1);
  EXPECT_EQ(drops(skb_drop_reason::SOCKET_CLOSE), 1U);
  EXPECT_EQ(stack.net.skbs().live(), 0U);
}

// ---- a transmit queue

TEST_F(NetSmpTest, OneCpuAtATimeIsAtATransmitQueue) {
  netdev_queue& txq = dev.tx_queue(0);
  std::vector<Time> had;
  for (const unsigned cpu : {1U, 2U}) {
    on(cpu, [&](SystemCalls&) {
      const bh_guard guard(stack.net);
      netif_tx_lock(txq);
      EXPECT_FALSE(netif_tx_trylock(txq));
      had.push_back(rig.kernel.now());
      rig.kernel.spend(5us);
      netif_tx_unlock(txq);
    });
  }
  rig.timeline.run();
  EXPECT_EQ(had, (std::vector<Time>{Time{0us}, Time{5us}}));
  EXPECT_EQ(lock("_xmit_lock").contentions, 1U);
  EXPECT_FALSE(txq.xmit_lock->is_locked());
}

}  // namespace
}  // namespace nicroscope::test
