// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/net/net_rig.h"

namespace nicroscope::test {
namespace {

class IcmpTest : public NetTest {
 protected:
  /// An unreachable port: the host answers with an ICMP error.
  void provoke() { receive_ip({}, udp(1000, 9, pattern(20))); }
};

TEST_F(IcmpTest, AnswersEcho) {
  learn_peer();
  receive_ip({.protocol = 1}, echo_request(56));
  const Bytes frame = take_sent();
  EXPECT_EQ(slice(frame, 0, 6), slice(to_host(0, {}), 6, 6));
  ASSERT_EQ(frame.size(), 14U + 20 + 8 + 56);
  EXPECT_EQ(naive_checksum(slice(frame, 14, 20)), 0U);
  EXPECT_EQ(get8(frame, 22), 64U);
  EXPECT_EQ(get8(frame, 34), 0U);
  EXPECT_EQ(naive_checksum(slice(frame, 34)), 0U);
  EXPECT_EQ(slice(frame, 38), slice(echo_request(56), 4));
  EXPECT_EQ(count(mib::IcmpInEchos), 1U);
  EXPECT_EQ(count(mib::IcmpOutEchoReps), 1U);
}

TEST_F(IcmpTest, EchoOfEverySmallSizeAndFragmentLayout) {
  learn_peer();
  for (const unsigned fragment : {0U, 1U, 7U, 100U}) {
    device.fragment_bytes = fragment;
    for (std::size_t size = 0; size < 100; ++size) {
      if (fragment != 0 && 28 + size > fragment * net::MAX_SKB_FRAGS) break;
      // Without the Ethernet padding, which only adds fragments.
      receive(slice(ip_to_host({.protocol = 1}, echo_request(size)), 0, 14 + 28 + size));
      const Bytes frame = take_sent();
      EXPECT_EQ(slice(frame, 38, size + 4), slice(echo_request(size), 4));
      EXPECT_EQ(naive_checksum(slice(frame, 34, size + 8)), 0U) << size;
    }
  }
}

TEST_F(IcmpTest, LargeEchoIsReassembledAndFragmented) {
  learn_peer();
  const Bytes request = echo_request(8000);
  const std::size_t piece = 1480;
  for (std::size_t at = 0; at < request.size(); at += piece) {
    const bool last = at + piece >= request.size();
    receive_ip({.protocol = 1, .fragment = static_cast<unsigned>(at / 8 | (last ? 0U : 0x2000U))},
               slice(request, at, piece));
  }
  Bytes reply;
  while (!device.sent.empty()) {
    const Bytes frame = take_sent();
    EXPECT_LE(frame.size(), 1514U);
    EXPECT_EQ(naive_checksum(slice(frame, 14, 20)), 0U);
    EXPECT_EQ((get16(frame, 20) & 0x1fffU) * 8, reply.size());
    EXPECT_EQ((get16(frame, 20) & 0x2000U) != 0, !device.sent.empty());
    put(reply, slice(frame, 34));
  }
  ASSERT_EQ(reply.size(), request.size());
  EXPECT_EQ(naive_checksum(reply), 0U);
  EXPECT_EQ(slice(reply, 4), slice(request, 4));
  EXPECT_EQ(count(mib::IpReasmOKs), 1U);
  EXPECT_EQ(count(mib::IpFragCreates), 6U);
}

TEST_F(IcmpTest, RefusesBadOnes) {
  Bytes bad = echo_request(30);
  bad[20] ^= std::byte{1};
  receive_ip({.protocol = 1}, bad);
  EXPECT_EQ(drops(skb_drop_reason::ICMP_CSUM), 1U);
  for (std::size_t n = 0; n < 8; ++n) {
    receive_ip({.protocol = 1}, Bytes(n, n == 0 ? std::byte{0} : std::byte{0}));
  }
  EXPECT_EQ(drops(skb_drop_reason::ICMP_CSUM) + drops(skb_drop_reason::ICMP_MALFORMED), 9U);
  receive_ip({.protocol = 1}, icmp(13, 0, 0, pattern(12)));
  EXPECT_EQ(drops(skb_drop_reason::ICMP_UNHANDLED), 1U);
  receive(ethernet(kBroadcastMac, kPeerMac, 0x0800,
                   ipv4({.to = kBroadcastIp, .protocol = 1}, echo_request(8))));
  EXPECT_EQ(drops(skb_drop_reason::ICMP_BROADCAST), 1U);
  EXPECT_TRUE(device.sent.empty());
}

TEST_F(IcmpTest, PortUnreachableQuotesThePacket) {
  learn_peer();
  const Bytes original = ipv4({}, udp(1000, 9, pattern(600)));
  receive(to_host(0x0800, original));
  const Bytes frame = take_sent();
  EXPECT_EQ(get8(frame, 34), 3U);
  EXPECT_EQ(get8(frame, 35), 3U);
  EXPECT_EQ(naive_checksum(slice(frame, 34)), 0U);
  EXPECT_EQ(frame.size(), 14U + 576);
  EXPECT_EQ(slice(frame, 42), slice(original, 0, frame.size() - 42));
  EXPECT_EQ(drops(skb_drop_reason::NO_SOCKET), 1U);
  EXPECT_EQ(count(mib::UdpNoPorts), 1U);
}

TEST_F(IcmpTest, UnknownProtocolIsReported) {
  learn_peer();
  receive_ip({.protocol = 99}, pattern(40));
  const Bytes frame = take_sent();
  EXPECT_EQ(get8(frame, 34), 3U);
  EXPECT_EQ(get8(frame, 35), 2U);
  EXPECT_EQ(drops(skb_drop_reason::IP_NOPROTO), 1U);
}

TEST_F(IcmpTest, ErrorsAreRateLimited) {
  learn_peer();
  for (int i = 0; i < 20; ++i) provoke();
  EXPECT_EQ(device.sent.size(), 6U);
  EXPECT_EQ(count(mib::IcmpOutRateLimitHost), 14U);
  run_for(std::chrono::milliseconds{1100});
  provoke();
  provoke();
  EXPECT_EQ(device.sent.size(), 7U);
}

TEST_F(IcmpTest, NoErrorsAboutErrorsFragmentsAndBroadcasts) {
  learn_peer();
  // A later fragment of a protocol nobody has; reassembly fails later.
  receive_ip({.protocol = 99, .fragment = 0x0010}, pattern(40));
  receive(ethernet(kBroadcastMac, kPeerMac, 0x0800,
                   ipv4({.to = kBroadcastIp}, udp(1, 9, {}, {.to = kBroadcastIp}))));
  // An ICMP error with options that are malformed.
  receive_ip({.protocol = 1, .options = {std::byte{7}, std::byte{9}, std::byte{4}, std::byte{0}}},
             icmp(3, 3, 0, ipv4({.from = kHostIp, .to = kPeerIp}, udp(1, 2, pattern(8)))));
  EXPECT_TRUE(device.sent.empty());
  EXPECT_EQ(drops(skb_drop_reason::IP_OPTIONS), 1U);
}

}  // namespace
}  // namespace nicroscope::test
