// SPDX-License-Identifier: Apache-2.0
#include "stack/ipv4/ip_options.h"
#include "tests/unit/net/net_rig.h"

namespace nicroscope::test {
namespace {

using namespace net;

class IpTest : public NetTest {
 protected:
  void expect_drop(const Bytes& packet, skb_drop_reason reason, const char* what) {
    const std::uint64_t before = drops(reason);
    receive(to_host(0x0800, packet));
    EXPECT_EQ(drops(reason), before + 1) << what;
    EXPECT_TRUE(device.sent.empty()) << what;
  }
  static Bytes fixed(Bytes packet, std::size_t header = 20) {
    set16(packet, 10, 0);
    set16(packet, 10, naive_checksum(slice(packet, 0, header)));
    return packet;
  }
  const Bytes good = test::ipv4({.protocol = 1}, echo_request(30));
};

TEST_F(IpTest, EveryTruncationIsDropped) {
  for (const unsigned fragment : {0U, 3U}) {
    device.fragment_bytes = fragment;
    for (std::size_t n = 0; n < good.size(); ++n) {
      if (fragment != 0 && n > fragment * MAX_SKB_FRAGS) break;
      receive(slice(to_host(0x0800, good), 0, 14 + n));
    }
    EXPECT_TRUE(device.sent.empty());
  }
  EXPECT_EQ(drops(skb_drop_reason::HDR_TRUNC), stack.net.skbs().dropped());
  EXPECT_GT(count(mib::IpExtInTruncatedPkts), 0U);
}

TEST_F(IpTest, MalformedHeadersAreDropped) {
  Bytes bad = good;
  bad[0] = std::byte{0x65};
  expect_drop(fixed(bad), skb_drop_reason::IP_INHDR, "version 6");
  bad[0] = std::byte{0x44};
  expect_drop(fixed(bad), skb_drop_reason::IP_INHDR, "header of 16 bytes");
  bad = good;
  set16(bad, 2, 19);
  expect_drop(fixed(bad), skb_drop_reason::IP_INHDR, "total length below the header's");
  set16(bad, 2, 1000);
  expect_drop(fixed(bad), skb_drop_reason::HDR_TRUNC, "total length beyond the frame");
  bad[0] = std::byte{0x4f};
  set16(bad, 2, 58);
  expect_drop(fixed(bad, 58), skb_drop_reason::HDR_TRUNC, "header beyond the packet");
  for (std::size_t bit = 0; bit < 160; ++bit) {
    bad = good;
    bad[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    const std::uint64_t before = stack.net.skbs().dropped();
    receive(to_host(0x0800, bad));
    EXPECT_EQ(stack.net.skbs().dropped(), before + 1) << "flipped bit " << bit;
  }
  EXPECT_GT(drops(skb_drop_reason::IP_CSUM), 140U);
  EXPECT_EQ(count(mib::IpExtInCsumErrors), drops(skb_drop_reason::IP_CSUM));
}

TEST_F(IpTest, MartianSourcesAreDropped) {
  for (const std::uint32_t from :
       {0U, 0x00000001U, 0x7f000001U, 0xe0000001U, 0xf0000001U, 0xffffffffU, 0x0a0000ffU}) {
    expect_drop(test::ipv4({.from = {from}, .protocol = 1}, echo_request(8)),
                skb_drop_reason::IP_INVALID_SOURCE, "source");
  }
  expect_drop(test::ipv4({.from = kHostIp, .protocol = 1}, echo_request(8)),
              skb_drop_reason::IP_LOCAL_SOURCE, "own address");
}

TEST_F(IpTest, OthersPacketsAreDropped) {
  expect_drop(test::ipv4({.to = {0x0a000003}, .protocol = 1}, echo_request(8)),
              skb_drop_reason::IP_INADDRERRORS, "another host's");
  EXPECT_EQ(count(mib::IpInAddrErrors), 1U);
  receive(ethernet({{2, 0, 0, 0, 0, 9}}, kPeerMac, 0x0800, good));
  EXPECT_EQ(drops(skb_drop_reason::OTHERHOST), 1U);
  receive(ethernet(kBroadcastMac, kPeerMac, 0x0800, good));
  EXPECT_EQ(drops(skb_drop_reason::IP_INADDRERRORS), 2U);
  EXPECT_EQ(count(mib::IpInDelivers), 0U);
}

TEST_F(IpTest, PaddingIsCutOff) {
  learn_peer();
  Bytes frame = to_host(0x0800, test::ipv4({.protocol = 1}, echo_request(0)));
  frame.resize(200, std::byte{0x5a});
  receive(frame);
  EXPECT_EQ(take_sent().size(), 42U);
}

TEST_F(IpTest, OptionsAreAcceptedCheckedOrRefused) {
  learn_peer();
  const auto options = [](std::initializer_list<unsigned> bytes) {
    Bytes b;
    for (const unsigned byte : bytes) put8(b, byte);
    while (b.size() % 4 != 0) put8(b, 0);
    return b;
  };
  receive_ip({.protocol = 1, .options = options({1, 1, 148, 4, 0, 0})}, echo_request(9));
  EXPECT_EQ(take_sent().size(), 14U + 20 + 8 + 9);
  // Record route with room, and a timestamp.
  receive_ip({.protocol = 1, .options = options({7, 7, 4, 0, 0, 0, 0, 68, 8, 5, 0, 0, 0, 0, 0})},
             echo_request(9));
  EXPECT_EQ(take_sent().size(), 14U + 20 + 8 + 9);
  for (const unsigned type : {131U, 137U}) {
    receive_ip({.protocol = 1, .options = options({type, 7, 4, 10, 0, 0, 3})}, echo_request(9));
  }
  EXPECT_EQ(drops(skb_drop_reason::IP_OPTIONS), 2U);
  EXPECT_TRUE(device.sent.empty());
  // Malformed: a parameter problem that points at the byte.
  receive_ip({.options = options({1, 7, 200, 4})}, udp(1, 2, {}));
  EXPECT_EQ(drops(skb_drop_reason::IP_OPTIONS), 3U);
  const Bytes error = take_sent();
  EXPECT_EQ(get8(error, 34), 12U);
  EXPECT_EQ(get8(error, 38), 22U);
}

TEST(IpOptionsTest, EveryShortOptionIsAnError) {
  for (unsigned type = 2; type < 256; ++type) {
    const std::byte lone[]{static_cast<std::byte>(type)};
    EXPECT_EQ(ip_options_compile(lone).error, 20) << type;
    for (unsigned length : {0U, 1U, 5U}) {
      const std::byte bytes[]{static_cast<std::byte>(type), static_cast<std::byte>(length),
                              std::byte{9}, std::byte{0}};
      EXPECT_EQ(ip_options_compile(bytes).error, 21) << type << ' ' << length;
    }
  }
}

TEST(FibTest, TheLongestPrefixWins) {
  Rig rig(free_of_cost());
  NetStack stack(rig.kernel);
  PaperDevice device(rig.kernel);
  net_device a("a", kHostMac, 1500, device);
  net_device b("b", kPeerMac, 1500, device);
  ASSERT_TRUE(stack.net.register_netdev(a) && stack.net.register_netdev(b));
  ASSERT_TRUE(dev_open(a) && dev_open(b));
  EXPECT_EQ(stack.configure(a, {ipv4_prefix{{0x0a000001}, 8}, ipv4_address{0x0a0000fe}}),
            std::nullopt);
  EXPECT_EQ(stack.configure(b, {ipv4_prefix{{0x0a010001}, 16}, std::nullopt}), std::nullopt);
  const auto route = [&](std::uint32_t to) {
    return stack.ipv4.fib.ip_route_output({to}, {}, nullptr).value();
  };
  EXPECT_EQ(route(0x0a020202).dev, &a);
  EXPECT_EQ(route(0x0a020202).next_hop.value, 0x0a020202U);
  EXPECT_EQ(route(0x0a010202).dev, &b);
  EXPECT_EQ(route(0x0a010202).saddr.value, 0x0a010001U);
  EXPECT_EQ(route(0x08080808).dev, &a);
  EXPECT_EQ(route(0x08080808).next_hop.value, 0x0a0000feU);
  EXPECT_EQ(route(0x0a010001).dev, &stack.lo.dev());
  EXPECT_EQ(route(0x0a01ffff).type, RTN_BROADCAST);
  EXPECT_EQ(stack.ipv4.fib.ip_route_output({0x00000001}, {}, nullptr).error(),
            std::errc::network_unreachable);
  dev_close(b);
  EXPECT_EQ(route(0x0a010202).dev, &a);
  EXPECT_EQ(stack.ipv4.fib.route_del({{0}, 0}, a), kOk);
  EXPECT_EQ(stack.ipv4.fib.route_del({{0}, 0}, a), std::errc::no_such_process);
  EXPECT_FALSE(stack.ipv4.fib.ip_route_output({0x08080808}, {}, nullptr));
  EXPECT_EQ(stack.ipv4.fib.text(),
            "10.1.0.0/16 dev b scope link src 10.1.0.1\n"
            "10.0.0.0/8 dev a scope link src 10.0.0.1\n"
            "127.0.0.0/8 dev lo scope link src 127.0.0.1\n");
  // What is refused, in one line each.
  EXPECT_NE(stack.configure(a, {std::nullopt, ipv4_address{1}}), std::nullopt);
  EXPECT_NE(stack.configure(a, {ipv4_prefix{{0x0a000001}, 8}, std::nullopt}), std::nullopt);
  EXPECT_NE(stack.configure(a, {ipv4_prefix{{0xe0000001}, 8}, std::nullopt}), std::nullopt);
  EXPECT_NE(stack.configure(a, {ipv4_prefix{{0x0b000001}, 8}, ipv4_address{0x0c000001}}),
            std::nullopt);
  rig.kernel.shutdown();
  stack.net.unregister_netdev(a);
  stack.net.unregister_netdev(b);
}

TEST(Ipv4AddressTest, TextBothWays) {
  EXPECT_EQ(to_string(kHostIp), "10.0.0.1");
  EXPECT_EQ(parse_ipv4_address("255.0.10.1"), ipv4_address{0xff000a01});
  for (const char* bad : {"", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.04", "1..2.3", "1.2.3.4 ",
                          "a.b.c.d", "1.2.3.-4"}) {
    EXPECT_EQ(parse_ipv4_address(bad), std::nullopt) << bad;
  }
  EXPECT_EQ(parse_ipv4_prefix("10.0.0.1/24"), (ipv4_prefix{kHostIp, 24}));
  for (const char* bad : {"10.0.0.1", "10.0.0.1/", "10.0.0.1/33", "/24", "10.0.0.1/-1"}) {
    EXPECT_EQ(parse_ipv4_prefix(bad), std::nullopt) << bad;
  }
  EXPECT_EQ((ipv4_prefix{{0}, 0}).mask(), 0U);
  EXPECT_EQ((ipv4_prefix{kHostIp, 31}).broadcast(), std::nullopt);
}

}  // namespace
}  // namespace nicroscope::test
