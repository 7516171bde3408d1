// SPDX-License-Identifier: Apache-2.0
// UDP and packet sockets, through the system calls of simulated processes.
#include "nicroscope/host_points.h"
#include "stack/socket/syscalls.h"
#include "stack/socket/udp_echo.h"
#include "tests/unit/net/net_rig.h"

namespace nicroscope::test {
namespace {

using namespace net;
using namespace std::chrono_literals;

class SocketTest : public NetTest {
 protected:
  using NetTest::NetTest;

  /// Runs `body` as a process until nothing happens any more.
  void process(std::function<void(SystemCalls&)> body) {
    rig.kernel.spawn("test", [this, body = std::move(body)] {
      SystemCalls sys(stack);
      body(sys);
      ++finished;
    });
    rig.timeline.run(100'000);
  }
  static int udp_socket(SystemCalls& sys, std::uint16_t port = 0) {
    const int fd = sys.socket(address_family::inet, sock_type::dgram).value();
    if (port != 0) {
      EXPECT_EQ(sys.bind(fd, ipv4_endpoint{kInaddrAny, port}), kOk);
    }
    return fd;
  }
  void receive_udp(unsigned from, unsigned to, const Bytes& data) {
    receive_ip({}, udp(from, to, data));
  }
  int finished = 0;
};

TEST_F(SocketTest, BlockingReceiveWaitsForTheDatagram) {
  Bytes got(100);
  sockaddr from;
  std::size_t size = 0;
  process([&](SystemCalls& sys) {
    const int fd = udp_socket(sys, 5000);
    size = sys.recvfrom(fd, got, 0, &from).value();
  });
  EXPECT_EQ(finished, 0);
  receive_udp(1234, 5000, pattern(33));
  EXPECT_EQ(finished, 1);
  EXPECT_EQ(size, 33U);
  EXPECT_EQ(slice(got, 0, 33), pattern(33));
  EXPECT_EQ(std::get<ipv4_endpoint>(from), (ipv4_endpoint{kPeerIp, 1234}));
  EXPECT_EQ(count(mib::UdpInDatagrams), 1U);
  EXPECT_EQ(stack.net.skbs().live(), 0U);
}

TEST_F(SocketTest, DatagramsOfEverySizeGoOutWithTheRightChecksum) {
  learn_peer();
  process([&](SystemCalls& sys) {
    const int fd = udp_socket(sys, 5000);
    const sockaddr to = ipv4_endpoint{kPeerIp, 7};
    for (const std::size_t size : {0U, 1U, 2U, 17U, 18U, 100U, 1471U, 1472U}) {
      EXPECT_EQ(sys.sendto(fd, pattern(size), 0, &to).value(), size);
      const Bytes expected = udp(5000, 7, pattern(size), {.from = kHostIp, .to = kPeerIp});
      EXPECT_EQ(slice(take_sent(), 34), expected) << size;
    }
  });
  EXPECT_EQ(finished, 1);
  EXPECT_EQ(count(mib::UdpOutDatagrams), 8U);
}

TEST_F(SocketTest, AChecksumOfZeroIsSentAsAllOnes) {
  learn_peer();
  // The two bytes that make the sum come out as zero.
  Bytes data(2);
  set16(data, 0, get16(udp(5000, 7, Bytes(2), {.from = kHostIp, .to = kPeerIp}), 6));
  process([&](SystemCalls& sys) {
    const int fd = udp_socket(sys, 5000);
    const sockaddr to = ipv4_endpoint{kPeerIp, 7};
    EXPECT_TRUE(sys.sendto(fd, data, 0, &to));
  });
  EXPECT_EQ(get16(take_sent(), 40), 0xffffU);
}

TEST_F(SocketTest, TheDeviceMakesTheChecksumIfItCan) {
  learn_peer();
  dev.features = NETIF_F_HW_CSUM;
  process([&](SystemCalls& sys) {
    const int fd = udp_socket(sys, 5000);
    const sockaddr to = ipv4_endpoint{kPeerIp, 7};
    EXPECT_TRUE(sys.sendto(fd, pattern(10), 0, &to));
    EXPECT_TRUE(device.last_partial);
    EXPECT_EQ(device.last_csum_start, 34U);
    EXPECT_EQ(device.last_csum_offset, 6U);
    Bytes pseudo;
    put32(pseudo, kHostIp.value);
    put32(pseudo, kPeerIp.value);
    put16(pseudo, 17);
    put16(pseudo, 18);
    EXPECT_EQ(get16(take_sent(), 40), ~naive_checksum(pseudo) & 0xffffU);
    // No device can make the checksum of what is fragmented.
    EXPECT_TRUE(sys.sendto(fd, pattern(2000), 0, &to));
    EXPECT_FALSE(device.last_partial);
    Bytes whole = slice(take_sent(), 34);
    put(whole, slice(take_sent(), 34));
    EXPECT_EQ(whole, udp(5000, 7, pattern(2000), {.from = kHostIp, .to = kPeerIp}));
  });
  EXPECT_EQ(finished, 1);
}

TEST_F(SocketTest, MalformedDatagramsAreDropped) {
  process([&](SystemCalls& sys) {
    const int fd = udp_socket(sys, 5000);
    Bytes buffer(100);
    EXPECT_EQ(sys.recvfrom(fd, buffer).value(), 3U);
  });
  const Bytes good = udp(1, 5000, pattern(20));
  for (std::size_t n = 0; n < good.size(); ++n) receive_ip({}, slice(good, 0, n));
  EXPECT_EQ(drops(skb_drop_reason::UDP_MALFORMED), good.size());
  Bytes bad = good;
  set16(bad, 4, 7);
  receive_ip({}, bad);
  EXPECT_EQ(drops(skb_drop_reason::UDP_MALFORMED), good.size() + 1);
  for (std::size_t i = 0; i < good.size(); ++i) {
    if (i == 4 || i == 5) continue;
    bad = good;
    bad[i] ^= std::byte{0x10};
    receive_ip({}, bad);
  }
  EXPECT_EQ(drops(skb_drop_reason::UDP_CSUM), good.size() - 2);
  EXPECT_EQ(count(mib::UdpInErrors), 2 * good.size() - 1);
  // The device's word is taken.
  EXPECT_EQ(finished, 0);
  device.ip_summed = CHECKSUM_UNNECESSARY;
  bad = udp(1, 5000, pattern(3));
  bad[6] ^= std::byte{0x10};
  receive_ip({}, bad);
  EXPECT_EQ(finished, 1);
}

TEST_F(SocketTest, WithoutAChecksumNothingIsChecked) {
  process([&](SystemCalls& sys) {
    const int fd = udp_socket(sys, 5000);
    Bytes buffer(100);
    EXPECT_EQ(sys.recvfrom(fd, buffer).value(), 3U);
  });
  Bytes datagram = udp(1, 5000, pattern(3));
  set16(datagram, 6, 0);
  receive_ip({}, datagram);
  EXPECT_EQ(finished, 1);
}

TEST_F(SocketTest, NonBlockingTruncatingAndPeeking) {
  process([&](SystemCalls& sys) {
    const int fd = udp_socket(sys, 5000);
    Bytes small(4);
    EXPECT_EQ(sys.recvfrom(fd, small, kMsgDontwait).error(),
              std::errc::resource_unavailable_try_again);
    receive_udp(1, 5000, pattern(20));
    receive_udp(1, 5000, pattern(20, 9));
    EXPECT_EQ(sys.recvfrom(fd, small, kMsgPeek).value(), 4U);
    EXPECT_EQ(sys.recvfrom(fd, small, kMsgTrunc).value(), 20U);
    EXPECT_EQ(small, pattern(4));
    EXPECT_EQ(sys.recvfrom(fd, small).value(), 4U);
    EXPECT_EQ(small, pattern(4, 9));
    EXPECT_EQ(sys.setsockopt(fd, sock_option::so_rcvtimeo, 5'000'000), kOk);
    EXPECT_EQ(sys.recvfrom(fd, small).error(), std::errc::resource_unavailable_try_again);
    EXPECT_GE(rig.timeline.now(), Time(5ms));
  });
  EXPECT_EQ(finished, 1);
}

TEST_F(SocketTest, TheReceiveBufferHasALimit) {
  process([&](SystemCalls& sys) {
    const int fd = udp_socket(sys, 5000);
    EXPECT_EQ(sys.setsockopt(fd, sock_option::so_rcvbuf, 5000), kOk);
    EXPECT_EQ(sys.getsockopt(fd, sock_option::so_rcvbuf).value(), 10'000);
    for (int i = 0; i < 100; ++i) receive_udp(1, 5000, pattern(100));
    Bytes buffer(200);
    std::uint64_t received = 0;
    while (sys.recvfrom(fd, buffer, kMsgDontwait)) ++received;
    EXPECT_GT(received, 2U);
    EXPECT_LT(received, 20U);
    EXPECT_EQ(drops(skb_drop_reason::SOCKET_RCVBUFF), 100 - received);
    EXPECT_EQ(count(mib::UdpRcvbufErrors), 100 - received);
    receive_udp(1, 5000, pattern(9));
    EXPECT_EQ(sys.recvfrom(fd, buffer, kMsgDontwait).value(), 9U);
  });
  EXPECT_EQ(finished, 1);
}

TEST_F(SocketTest, TheSendBufferBlocksAndWakes) {
  learn_peer();
  device.hold = true;
  int sent = 0;
  process([&](SystemCalls& sys) {
    const int fd = udp_socket(sys);
    EXPECT_EQ(sys.setsockopt(fd, sock_option::so_sndbuf, 5000), kOk);
    const sockaddr to = ipv4_endpoint{kPeerIp, 7};
    while (sys.sendto(fd, pattern(1000), kMsgDontwait, &to)) ++sent;
    EXPECT_TRUE(sys.sendto(fd, pattern(1000), 0, &to));
  });
  EXPECT_GT(sent, 3);
  EXPECT_EQ(finished, 0);
  while (skb_ptr skb = device.held.dequeue()) consume_skb(std::move(skb));
  EXPECT_EQ(finished, 1);
}

TEST_F(SocketTest, ConnectedSocketsHearTheirPeerAndItsErrors) {
  learn_peer();
  process([&](SystemCalls& sys) {
    const int fd = udp_socket(sys);
    Bytes buffer(100);
    EXPECT_EQ(sys.sendto(fd, buffer).error(), std::errc::destination_address_required);
    EXPECT_EQ(sys.connect(fd, ipv4_endpoint{kPeerIp, 9}), kOk);
    const auto local = std::get<ipv4_endpoint>(sys.getsockname(fd).value());
    EXPECT_EQ(local.address, kHostIp);
    EXPECT_GE(local.port, 32768);
    receive_udp(8, local.port, pattern(1));
    EXPECT_EQ(drops(skb_drop_reason::NO_SOCKET), 1U);
    device.sent.clear();
    receive_udp(9, local.port, pattern(2));
    EXPECT_EQ(sys.recvfrom(fd, buffer).value(), 2U);
    EXPECT_TRUE(sys.sendto(fd, pattern(5)));
    receive_ip({.protocol = 1}, icmp(3, 3, 0, slice(take_sent(), 14)));
    EXPECT_EQ(sys.recvfrom(fd, buffer).error(), std::errc::connection_refused);
    receive_ip({.protocol = 1},
               icmp(3, 1, 0, test::ipv4({.from = kHostIp, .to = kPeerIp}, udp(local.port, 9, {}))));
    EXPECT_EQ(sys.sendto(fd, buffer).error(), std::errc::host_unreachable);
    EXPECT_EQ(sys.connect(fd, std::monostate{}), kOk);
    receive_udp(8, local.port, pattern(3));
    EXPECT_EQ(sys.recvfrom(fd, buffer).value(), 3U);
  });
  EXPECT_EQ(finished, 1);
  EXPECT_EQ(count(mib::IcmpInDestUnreachs), 2U);
}

TEST_F(SocketTest, AnUnresolvedNeighbourIsReported) {
  process([&](SystemCalls& sys) {
    const int fd = udp_socket(sys);
    EXPECT_EQ(sys.connect(fd, ipv4_endpoint{kPeerIp, 9}), kOk);
    EXPECT_TRUE(sys.sendto(fd, pattern(5)));
    Bytes buffer(10);
    EXPECT_EQ(sys.recvfrom(fd, buffer).error(), std::errc::host_unreachable);
  });
  EXPECT_EQ(finished, 1);
  EXPECT_EQ(drops(skb_drop_reason::NEIGH_FAILED), 1U);
}

TEST_F(SocketTest, BadCallsAreRefused) {
  process([&](SystemCalls& sys) {
    EXPECT_EQ(sys.socket(address_family::unspec, sock_type::dgram).error(),
              std::errc::address_family_not_supported);
    EXPECT_EQ(sys.socket(address_family::inet, sock_type::dgram, 6).error(),
              std::errc::protocol_not_supported);
    const int fd = udp_socket(sys, 5000);
    const int other = udp_socket(sys);
    EXPECT_EQ(sys.bind(fd, ipv4_endpoint{{}, 1}), std::errc::invalid_argument);
    EXPECT_EQ(sys.bind(other, ipv4_endpoint{{}, 5000}), std::errc::address_in_use);
    EXPECT_EQ(sys.bind(other, ipv4_endpoint{kPeerIp, 1}), std::errc::address_not_available);
    EXPECT_EQ(sys.bind(other, packet_address{}), std::errc::address_family_not_supported);
    const sockaddr to = ipv4_endpoint{kPeerIp, 7};
    EXPECT_EQ(sys.sendto(fd, Bytes(65'508), 0, &to).error(), std::errc::message_size);
    const sockaddr broadcast = ipv4_endpoint{kBroadcastIp, 7};
    EXPECT_EQ(sys.sendto(fd, pattern(1), 0, &broadcast).error(), std::errc::permission_denied);
    EXPECT_EQ(sys.setsockopt(fd, sock_option::so_broadcast, 1), kOk);
    EXPECT_TRUE(sys.sendto(fd, pattern(1), 0, &broadcast));
    EXPECT_EQ(slice(take_sent(), 0, 6), Bytes(6, std::byte{0xff}));
    EXPECT_EQ(sys.close(fd), kOk);
    EXPECT_EQ(sys.close(fd), std::errc::bad_file_descriptor);
    EXPECT_EQ(sys.close(-1), std::errc::bad_file_descriptor);
    EXPECT_EQ(sys.sendto(99, pattern(1)).error(), std::errc::bad_file_descriptor);
    EXPECT_EQ(udp_socket(sys, 5000), fd);  // the number and the port are free again
  });
  EXPECT_EQ(finished, 1);
}

TEST_F(SocketTest, ABusyPollingReceiverTakesThePacketItself) {
  Bytes got(100);
  process([&](SystemCalls& sys) {
    const int fd = udp_socket(sys, 5000);
    EXPECT_EQ(sys.setsockopt(fd, sock_option::so_busy_poll, 50'000), kOk);
    EXPECT_EQ(sys.getsockopt(fd, sock_option::so_busy_poll).value(), 50'000);
    // The first one tells the socket where its packets come from.
    EXPECT_EQ(sys.recvfrom(fd, got, 0, nullptr).value(), 10U);
    const Time asked = rig.kernel.now();
    EXPECT_EQ(sys.recvfrom(fd, got, 0, nullptr).value(), 20U);
    EXPECT_EQ(rig.kernel.now(), asked + 10us);
    EXPECT_EQ(rig.kernel.cpu().time().busy(), Duration{10us}) << "it did not sleep";
    EXPECT_EQ(sys.recvfrom(fd, got, 0, nullptr).value(), 30U);
    EXPECT_EQ(rig.kernel.now(), asked + 1ms) << "after 50 us it slept";
    EXPECT_EQ(rig.kernel.cpu().time().busy(), Duration{60us});
  });
  const Time start = rig.timeline.now() + 1us;
  rig.timeline.at(start, [&] { receive_udp(1, 5000, pattern(10)); });
  rig.timeline.at(start + 10us, [&] { receive_udp(1, 5000, pattern(20)); });
  rig.timeline.at(start + 1ms, [&] { receive_udp(1, 5000, pattern(30)); });
  rig.timeline.run(1'000'000);
  EXPECT_EQ(finished, 1);
}

TEST_F(SocketTest, ClosingDropsWhatWasNotRead) {
  process([&](SystemCalls& sys) {
    const int fd = udp_socket(sys, 5000);
    receive_udp(1, 5000, pattern(9));
    receive_udp(1, 5000, pattern(9));
    EXPECT_EQ(sys.close(fd), kOk);
  });
  EXPECT_EQ(drops(skb_drop_reason::SOCKET_CLOSE), 2U);
  EXPECT_EQ(stack.net.skbs().live(), 0U);
}

TEST_F(SocketTest, BroadcastsReachEverySocketOfThePort) {
  process([&](SystemCalls& sys) {
    const int one = udp_socket(sys);
    const int two = udp_socket(sys);
    EXPECT_EQ(sys.bind(one, ipv4_endpoint{kHostIp, 5000}), kOk);
    EXPECT_EQ(sys.bind(two, ipv4_endpoint{{0x7f000001}, 5000}), kOk);
    const int any = udp_socket(sys, 5001);
    receive(ethernet(kBroadcastMac, kPeerMac, 0x0800,
                     test::ipv4({.to = kBroadcastIp}, udp(1, 5001, {}, {.to = kBroadcastIp}))));
    Bytes buffer(1);
    EXPECT_EQ(sys.recvfrom(any, buffer, kMsgDontwait).value(), 0U);
    receive(ethernet(kBroadcastMac, kPeerMac, 0x0800,
                     test::ipv4({.to = kBroadcastIp}, udp(1, 5000, {}, {.to = kBroadcastIp}))));
    EXPECT_EQ(count(mib::UdpIgnoredMulti), 1U);
  });
  EXPECT_EQ(finished, 1);
}

TEST_F(SocketTest, TheHostTalksToItself) {
  process([&](SystemCalls& sys) {
    const int server = udp_socket(sys, 5000);
    const int client = udp_socket(sys);
    for (const ipv4_address address : {kHostIp, ipv4_address{0x7f000001}}) {
      const sockaddr to = ipv4_endpoint{address, 5000};
      EXPECT_TRUE(sys.sendto(client, pattern(3000), 0, &to));
      Bytes buffer(4000);
      sockaddr from;
      EXPECT_EQ(sys.recvfrom(server, buffer, 0, &from).value(), 3000U);
      EXPECT_EQ(slice(buffer, 0, 3000), pattern(3000));
      EXPECT_EQ(std::get<ipv4_endpoint>(from).address, address);
    }
  });
  EXPECT_EQ(finished, 1);
  EXPECT_TRUE(device.sent.empty());
}

TEST_F(SocketTest, PacketSocketsSeeAndSendFrames) {
  process([&](SystemCalls& sys) {
    const int raw = sys.socket(address_family::packet, sock_type::raw, kEthPAll).value();
    const int cooked = sys.socket(address_family::packet, sock_type::dgram, kEthPIp).value();
    const Bytes frame = ip_to_host({.protocol = 99}, pattern(60));
    receive(frame);
    Bytes buffer(2000);
    sockaddr from;
    EXPECT_EQ(sys.recvfrom(raw, buffer, 0, &from).value(), frame.size());
    EXPECT_EQ(slice(buffer, 0, frame.size()), frame);
    EXPECT_EQ(std::get<packet_address>(from).address, kPeerMac);
    EXPECT_EQ(sys.recvfrom(cooked, buffer).value(), frame.size() - 14);
    EXPECT_EQ(slice(buffer, 0, frame.size() - 14), slice(frame, 14));
    // The answer that the host sent was seen as well: a question for the peer's address.
    EXPECT_EQ(sys.recvfrom(raw, buffer, 0, &from).value(), 42U);
    EXPECT_EQ(std::get<packet_address>(from).pkt_type, pkt_type_t::outgoing);
    device.sent.clear();
    EXPECT_EQ(sys.sendto(raw, frame).error(), std::errc::no_such_device_or_address);
    EXPECT_EQ(sys.bind(raw, packet_address{kEthPAll, 77, {}, {}}), std::errc::no_such_device);
    EXPECT_EQ(sys.bind(raw, packet_address{kEthPAll, dev.ifindex(), {}, {}}), kOk);
    EXPECT_EQ(sys.sendto(raw, frame).value(), frame.size());
    EXPECT_EQ(take_sent(), frame);
    EXPECT_EQ(sys.sendto(raw, Bytes(13)).error(), std::errc::invalid_argument);
    EXPECT_EQ(sys.sendto(raw, Bytes(1515)).error(), std::errc::message_size);
    // It does not see what it sent itself.
    EXPECT_EQ(sys.recvfrom(raw, buffer, kMsgDontwait).error(),
              std::errc::resource_unavailable_try_again);
    const sockaddr to = packet_address{0x88b5, dev.ifindex(), {}, kPeerMac};
    EXPECT_TRUE(sys.sendto(cooked, pattern(46), 0, &to));
    EXPECT_EQ(take_sent(), ethernet(kPeerMac, kHostMac, 0x88b5, pattern(46)));
  });
  EXPECT_EQ(finished, 1);
}

TEST_F(SocketTest, TheEchoServerAnswers) {
  answer_arp();
  udp_echo_counters counters;
  spawn_udp_echo(stack, kEchoPort, counters);
  rig.timeline.run(1000);
  for (const std::size_t size : {0U, 1U, 1472U, 1400U}) receive_udp(4000, 7, pattern(size));
  EXPECT_EQ(counters.answered, 4U);
  EXPECT_EQ(get16(take_sent(), 12), 0x0806U);
  for (const std::size_t size : {0U, 1U, 1472U, 1400U}) {
    EXPECT_EQ(slice(take_sent(), 34),
              udp(7, 4000, pattern(size), {.from = kHostIp, .to = kPeerIp}));
  }
  // One as long as can be, in fragments both ways.
  const Bytes big = udp(4000, 7, pattern(65'507));
  for (std::size_t at = 0; at < big.size(); at += 1480) {
    const bool more = at + 1480 < big.size();
    receive_ip({.fragment = static_cast<unsigned>(at / 8 | (more ? 0x2000U : 0U))},
               slice(big, at, 1480));
  }
  Bytes answer;
  while (!device.sent.empty()) put(answer, slice(take_sent(), 34));
  EXPECT_EQ(answer, udp(7, 4000, pattern(65'507), {.from = kHostIp, .to = kPeerIp}));
}

TEST_F(SocketTest, TheTraceFollowsAPacketBothWays) {
  struct Sink : TraceSink {
    void on_event(const TraceEvent& event) override { events.push_back(event); }
    /// The points that a frame came by.
    std::vector<TracePoint> of(FrameId frame) const {
      std::vector<TracePoint> points;
      for (const TraceEvent& event : events) {
        if (event.frame == frame) points.push_back(event.point);
      }
      return points;
    }
    std::vector<TraceEvent> events;
  } sink;
  answer_arp();
  udp_echo_counters counters;
  spawn_udp_echo(stack, kEchoPort, counters);
  rig.timeline.run(1000);
  rig.trace.add(sink);
  receive_udp(4000, 7, pattern(10));
  rig.trace.remove(sink);
  const FrameId in = 1;
  EXPECT_EQ(sink.of(in),
            (std::vector{point::eth_type_trans, point::netif_receive_skb, point::ip_rcv,
                         point::ip_local_deliver, point::udp_rcv, point::sock_def_readable,
                         point::process_wake, point::process_run, point::udp_recvmsg,
                         point::sys_recvfrom_return}));
  const FrameId out = kFirstHostFrame;
  EXPECT_EQ(sink.of(out), (std::vector{point::sys_sendto, point::udp_sendmsg, point::ip_output,
                                       point::dev_queue_xmit}));
}

/// The same with the costs of a real machine: the interrupt comes in the midst of everything.
class CostlySocketTest : public SocketTest {
 protected:
  CostlySocketTest() : SocketTest(kernel::Config{}) {}
};

TEST_F(CostlySocketTest, TheEchoServerKeepsUpUnderLoad) {
  answer_arp();
  udp_echo_counters counters;
  spawn_udp_echo(stack, kEchoPort, counters);
  rig.timeline.run(1000);
  std::uint64_t seen = 0;
  for (int i = 0; i < 2000; ++i) {
    receive_udp(4000, 7, pattern(static_cast<std::size_t>(i % 1400)));
    run_for(std::chrono::nanoseconds{700 * (i % 7)});
  }
  run_for(100ms);
  for (const Bytes& frame : device.sent) {
    if (get16(frame, 12) == 0x0800) ++seen;
  }
  EXPECT_EQ(seen, count(mib::UdpOutDatagrams));
  EXPECT_EQ(counters.answered + counters.send_errors + drops(skb_drop_reason::SOCKET_RCVBUFF),
            2000U);
  EXPECT_GT(counters.answered, 500U);
  EXPECT_EQ(stack.net.skbs().live(), 0U);
}

TEST_F(CostlySocketTest, AHostThatIsShutDownLeavesNothing) {
  answer_arp();
  udp_echo_counters counters;
  spawn_udp_echo(stack, kEchoPort, counters);
  rig.timeline.run(1000);
  receive_udp(4000, 7, pattern(1000));
  // In the midst of the answer.
  run_for(std::chrono::nanoseconds{4500});
  receive_udp(4000, 7, pattern(1000));
}

}  // namespace
}  // namespace nicroscope::test
