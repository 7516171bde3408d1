// SPDX-License-Identifier: Apache-2.0
#include "stack/ipv4/ip_options.h"
#include "tests/unit/net/net_rig.h"

namespace nicroscope::test {
namespace {

using namespace net;

constexpr ipv4_address kFarIp{0x0a01'0005};     // 10.1.0.5, behind the neighbour
constexpr ipv4_address kNextHop{0x0a00'0003};   // 10.0.0.3, the way to it
constexpr ipv4_address kSourceIp{0x0a02'0007};  // 10.2.0.7, behind the peer
constexpr mac_address kNextMac{{0x52, 0x54, 0x00, 0x00, 0x00, 0x03}};

/// A router with one arm: what the peer hands it goes out again to another next hop.
class ForwardTest : public NetTest {
 protected:
  ForwardTest() {
    stack.ipv4.sysctl.ip_forward = true;
    EXPECT_EQ(stack.ipv4.fib.route_add({{{0x0a010000}, 16}, kNextHop, &dev, 0}), kOk);
    EXPECT_EQ(stack.ipv4.fib.route_add({{{0x0a020000}, 16}, kPeerIp, &dev, 0}), kOk);
    receive(ethernet(kBroadcastMac, kNextMac, 0x0806, arp(1, kNextMac, kNextHop, {}, kHostIp)));
    learn(kPeerMac, kPeerIp);
  }
  void learn(const mac_address& mac, ipv4_address address) {
    receive(ethernet(kBroadcastMac, mac, 0x0806, arp(1, mac, address, {}, kHostIp)));
    device.sent.clear();
  }
  /// The frame's IPv4 packet, without the padding.
  static Bytes packet_of(const Bytes& frame) { return slice(frame, 14, get16(frame, 16)); }
  void expect_error(unsigned type, unsigned code, ipv4_address to) {
    const Bytes packet = packet_of(take_sent());
    EXPECT_EQ(get8(packet, 20), type);
    EXPECT_EQ(get8(packet, 21), code);
    EXPECT_EQ(naive_checksum(slice(packet, 20)), 0U);
    EXPECT_EQ(get16(packet, 16) << 16U | get16(packet, 18), to.value);
    EXPECT_TRUE(device.sent.empty());
  }
};

TEST_F(ForwardTest, PassesOnWithOneHopLess) {
  for (const unsigned fragment : {0U, 9U}) {
    device.fragment_bytes = fragment;
    const Bytes payload = udp(1, 2, pattern(60), {.from = kSourceIp, .to = kFarIp});
    receive_ip({.from = kSourceIp, .to = kFarIp}, payload);
    const Bytes frame = take_sent();
    EXPECT_EQ(slice(frame, 0, 14), slice(ethernet(kNextMac, kHostMac, 0x0800, {}), 0, 14));
    EXPECT_EQ(packet_of(frame), ipv4({.from = kSourceIp, .to = kFarIp, .ttl = 63}, payload));
    EXPECT_TRUE(device.sent.empty());
  }
  EXPECT_EQ(count(mib::IpForwDatagrams), 2U);
  EXPECT_EQ(count(mib::IpOutRequests), 0U);
  EXPECT_EQ(count(mib::IpInDelivers), 0U);
}

TEST_F(ForwardTest, IsOffUntilAskedFor) {
  stack.ipv4.sysctl.ip_forward = false;
  receive_ip({.from = kSourceIp, .to = kFarIp}, pattern(30));
  EXPECT_EQ(drops(skb_drop_reason::IP_INADDRERRORS), 1U);
  EXPECT_TRUE(device.sent.empty());
}

TEST_F(ForwardTest, OwnAddressesAreDelivered) {
  receive_ip({.from = kSourceIp, .protocol = 1, .ttl = 1}, echo_request(20));
  expect_error(0, 0, kSourceIp);  // the answer, by way of the peer
  EXPECT_EQ(count(mib::IpForwDatagrams), 0U);
}

TEST_F(ForwardTest, TheTimeToLiveRunsOut) {
  for (const unsigned ttl : {0U, 1U}) {
    receive_ip({.from = kSourceIp, .to = kFarIp, .ttl = ttl}, pattern(30));
    expect_error(11, 0, kSourceIp);
  }
  EXPECT_EQ(drops(skb_drop_reason::IP_INHDR), 2U);
  EXPECT_EQ(count(mib::IcmpOutTimeExcds), 2U);
  receive_ip({.from = kSourceIp, .to = kFarIp, .ttl = 2}, pattern(30));
  EXPECT_EQ(get8(take_sent(), 22), 1U);
}

TEST_F(ForwardTest, ErrorsHaveARateLimit) {
  for (unsigned i = 0; i < 20; ++i) {
    receive_ip({.from = kSourceIp, .to = kFarIp, .ttl = 1}, pattern(30));
  }
  EXPECT_EQ(device.sent.size(), 6U);
  EXPECT_EQ(count(mib::IcmpOutRateLimitHost), 14U);
  EXPECT_EQ(drops(skb_drop_reason::IP_INHDR), 20U);
}

TEST_F(ForwardTest, TooLongAndNotToBeFragmented) {
  ASSERT_TRUE(dev_set_mtu(dev, 600));
  receive_ip({.from = kSourceIp, .to = kFarIp, .fragment = 0x4000}, pattern(700));
  const Bytes packet = packet_of(device.sent.front());
  EXPECT_EQ(get16(packet, 26), 600U) << "RFC 1191: the next hop's MTU";
  expect_error(3, 4, kSourceIp);
  EXPECT_EQ(drops(skb_drop_reason::PKT_TOO_BIG), 1U);
  EXPECT_EQ(count(mib::IpFragFails), 1U);
}

TEST_F(ForwardTest, FragmentsAgainWhatIsAFragment) {
  ASSERT_TRUE(dev_set_mtu(dev, 300));
  const Bytes payload = pattern(696);
  Bytes options;  // router alert is copied into every fragment, record route is not
  for (const unsigned byte : {148U, 4U, 0U, 0U, 7U, 7U, 4U, 0U, 0U, 0U, 0U, 0U}) {
    put8(options, byte);
  }
  // The middle of a longer packet: at 800, and more to come.
  receive_ip({.from = kSourceIp, .to = kFarIp, .fragment = 0x2000 | 100, .options = options},
             payload);
  Bytes all;
  while (!device.sent.empty()) {
    const Bytes packet = packet_of(take_sent());
    EXPECT_LE(packet.size(), 300U);
    EXPECT_EQ(naive_checksum(slice(packet, 0, 32)), 0U);
    EXPECT_EQ((get16(packet, 6) & 0x1fffU) * 8, 800 + all.size());
    EXPECT_NE(get16(packet, 6) & 0x2000U, 0U) << "the packet's last piece comes from elsewhere";
    EXPECT_EQ(get8(packet, 8), 63U);
    EXPECT_EQ(slice(packet, 20, 4), slice(options, 0, 4));
    for (std::size_t i = 24; i < 31; ++i) EXPECT_EQ(get8(packet, i), 1U) << "no-operation";
    put(all, slice(packet, 32));
  }
  EXPECT_EQ(all, payload);
  EXPECT_EQ(count(mib::IpFragCreates), 3U);
}

TEST_F(ForwardTest, NoRoute) {
  EXPECT_EQ(stack.ipv4.fib.route_del({{0}, 0}, dev), kOk);
  receive_ip({.from = kSourceIp, .to = {0x08080808}}, pattern(30));
  expect_error(3, 0, kSourceIp);
  EXPECT_EQ(drops(skb_drop_reason::IP_INNOROUTES), 1U);
  EXPECT_EQ(count(mib::IpExtInNoRoutes), 1U);
}

TEST_F(ForwardTest, MartiansAreNotPassedOn) {
  for (const std::uint32_t to : {0x00000005U, 0xf0000001U}) {
    receive_ip({.from = kSourceIp, .to = {to}}, pattern(30));
  }
  EXPECT_EQ(drops(skb_drop_reason::IP_INVALID_DEST), 2U);
  for (const std::uint32_t from : {0x00000001U, 0x7f000001U, 0xe0000001U, 0xf0000001U}) {
    receive_ip({.from = {from}, .to = kFarIp}, pattern(30));
  }
  receive_ip({.from = kSourceIp, .to = {0x7f000001}}, pattern(30));
  EXPECT_EQ(drops(skb_drop_reason::IP_INVALID_SOURCE), 5U);
  receive_ip({.from = kHostIp, .to = kFarIp}, pattern(30));
  EXPECT_EQ(drops(skb_drop_reason::IP_LOCAL_SOURCE), 1U);
  // By broadcast of the link, though for one host.
  receive(ethernet(kBroadcastMac, kPeerMac, 0x0800,
                   test::ipv4({.from = kSourceIp, .to = kFarIp}, pattern(30))));
  EXPECT_EQ(drops(skb_drop_reason::IP_INADDRERRORS), 1U);
  EXPECT_TRUE(device.sent.empty());
  EXPECT_EQ(count(mib::IpForwDatagrams), 0U);
}

TEST_F(ForwardTest, SilentNextHopIsReported) {
  // 10.0.0.9 is on the link and does not answer.
  receive_ip({.from = kSourceIp, .to = {0x0a000009}}, pattern(30));
  run_for(std::chrono::seconds{5});
  EXPECT_EQ(drops(skb_drop_reason::NEIGH_FAILED), 1U);
  ASSERT_FALSE(device.sent.empty());
  while (device.sent.size() > 1) EXPECT_EQ(get16(take_sent(), 12), 0x0806U);
  expect_error(3, 1, kSourceIp);
}

TEST_F(ForwardTest, RedirectsSendersOnTheLink) {
  const auto provoke = [this] {
    learn(kPeerMac, kPeerIp);
    learn(kNextMac, kNextHop);
    receive_ip({.from = kPeerIp, .to = kFarIp}, pattern(30));
    unsigned redirects = 0;
    while (!device.sent.empty()) {
      const Bytes packet = packet_of(take_sent());
      if (get8(packet, 9) != 1) continue;
      ++redirects;
      EXPECT_EQ(get16(packet, 20), 0x0501U);
      EXPECT_EQ(get16(packet, 24) << 16U | get16(packet, 26), kNextHop.value);
      EXPECT_EQ(slice(packet, 28, 20), slice(ipv4({.to = kFarIp, .ttl = 63}, pattern(30)), 0, 20));
    }
    return redirects;
  };
  EXPECT_EQ(provoke(), 1U);
  EXPECT_EQ(provoke(), 0U);
  run_for(std::chrono::milliseconds{41});
  EXPECT_EQ(provoke(), 1U);
  run_for(std::chrono::milliseconds{41});
  EXPECT_EQ(provoke(), 0U);
  // Unheeded nine times it gives up, and starts afresh after a silence.
  for (unsigned i = 0; i < 7; ++i) {
    run_for(std::chrono::seconds{6});
    EXPECT_EQ(provoke(), 1U) << i;
  }
  run_for(std::chrono::seconds{11});
  EXPECT_EQ(provoke(), 0U);
  run_for(std::chrono::seconds{21});
  EXPECT_EQ(provoke(), 1U);
  EXPECT_EQ(count(mib::IcmpOutRedirects), 10U);
  // Not to those who cannot reach the next hop themselves, nor where it is off.
  receive_ip({.from = kSourceIp, .to = kFarIp}, pattern(30));
  stack.ipv4.sysctl.send_redirects = false;
  run_for(std::chrono::seconds{30});
  EXPECT_EQ(provoke(), 0U);
  EXPECT_EQ(count(mib::IcmpOutRedirects), 10U);
}

TEST_F(ForwardTest, TappedPacketsStayAsTheyCame) {
  struct Tap : packet_type {
    Tap(Net& network, net_device& on) : packet_type(kEthPAll, &on), net(network) {
      net.dev_add_pack(*this);
    }
    ~Tap() override {
      net.dev_remove_pack(*this);
      for (skb_ptr& skb : seen) consume_skb(std::move(skb));
    }
    void func(skb_ptr skb) override { seen.push_back(std::move(skb)); }
    Net& net;
    std::vector<skb_ptr> seen;
  } tap(stack.net, dev);
  receive_ip({.from = kSourceIp, .to = kFarIp}, pattern(30));
  ASSERT_EQ(tap.seen.size(), 2U);
  EXPECT_EQ(std::to_integer<unsigned>(tap.seen[0]->data[8]), 64U);
  EXPECT_EQ(get8(take_sent(), 22), 63U);
}

/// Two devices: the second is 10.3.0.1/24.
class TwoArmsTest : public ForwardTest {
 protected:
  TwoArmsTest() {
    EXPECT_TRUE(stack.net.register_netdev(second));
    EXPECT_TRUE(dev_open(second));
    EXPECT_EQ(stack.configure(second, {ipv4_prefix{{0x0a030001}, 24}, std::nullopt}), std::nullopt);
  }
  ~TwoArmsTest() override {
    rig.kernel.shutdown();
    stack.net.unregister_netdev(second);
  }
  net_device second{"eth1", {{0x52, 0x54, 0, 0, 0, 9}}, 1500, device};
};

TEST_F(TwoArmsTest, TheLongestPrefixDecides) {
  EXPECT_EQ(stack.ipv4.fib.route_add({{{0x0a010005}, 32}, {0x0a030002}, &second, 0}), kOk);
  receive_ip({.from = kSourceIp, .to = kFarIp}, pattern(30));
  // The question for the next hop goes out by the second device, with its address.
  const Bytes question = take_sent();
  EXPECT_EQ(slice(question, 6, 6), slice(ethernet({}, second.dev_addr(), 0, {}), 6, 6));
  EXPECT_EQ(get16(question, 38) << 16U | get16(question, 40), 0x0a030002U);
  receive_ip({.from = kSourceIp, .to = {0x0a010006}}, pattern(30));
  EXPECT_EQ(slice(take_sent(), 0, 6), slice(ethernet(kNextMac, {}, 0, {}), 0, 6));
}

TEST_F(TwoArmsTest, DirectedBroadcastsEndHere) {
  receive_ip({.from = kSourceIp, .to = {0x0a0300ff}}, pattern(30));
  EXPECT_EQ(drops(skb_drop_reason::IP_INADDRERRORS), 1U);
  EXPECT_TRUE(device.sent.empty());
}

TEST_F(TwoArmsTest, ReversePathFilter) {
  stack.ipv4.sysctl.rp_filter = true;
  receive_ip({.from = {0x0a030007}, .to = kFarIp}, pattern(30));
  EXPECT_EQ(drops(skb_drop_reason::IP_RPFILTER), 1U);
  EXPECT_EQ(count(mib::IpExtIPReversePathFilter), 1U);
  EXPECT_TRUE(device.sent.empty());
  receive_ip({.from = kSourceIp, .to = kFarIp}, pattern(30));
  EXPECT_EQ(get8(take_sent(), 22), 63U);
}

}  // namespace
}  // namespace nicroscope::test
