// SPDX-License-Identifier: Apache-2.0
#include "stack/ipv4/arp.h"

#include "tests/unit/net/net_rig.h"

namespace nicroscope::test {
namespace {

using namespace std::chrono_literals;

class ArpTest : public NetTest {
 protected:
  /// Sends a packet to the peer.
  net::Errno send(std::size_t size = 20) {
    net::skb_ptr skb =
        stack.net.skbs().alloc_skb(net::kIpHeadroom + static_cast<std::uint32_t>(size));
    net::skb_reserve(*skb, net::kIpHeadroom);
    const Bytes data = pattern(size);
    std::copy(data.begin(), data.end(),
              net::skb_put(*skb, static_cast<std::uint32_t>(data.size())));
    net::ip_tx_params params;
    params.rt = stack.ipv4.fib.ip_route_output(kPeerIp, {}, nullptr).value();
    params.daddr = kPeerIp;
    params.protocol = 253;
    return stack.ipv4.ip_send_skb(std::move(skb), params);
  }
  net::nud_state state() {
    const net::neighbour* neigh = stack.ipv4.arp.table().neigh_lookup(dev, kPeerIp);
    return neigh != nullptr ? neigh->state : net::NUD_NONE;
  }
  void answer() { receive(to_host(0x0806, arp(2, kPeerMac, kPeerIp, kHostMac, kHostIp))); }
  /// Frames of an EtherType that were sent.
  std::size_t sent(unsigned type) {
    return static_cast<std::size_t>(
        std::count_if(device.sent.begin(), device.sent.end(),
                      [&](const Bytes& frame) { return get16(frame, 12) == type; }));
  }
};

TEST_F(ArpTest, AnswersForItsAddress) {
  receive(ethernet(kBroadcastMac, kPeerMac, 0x0806, arp(1, kPeerMac, kPeerIp, {}, kHostIp)));
  const Bytes expected =
      ethernet(kPeerMac, kHostMac, 0x0806, arp(2, kHostMac, kHostIp, kPeerMac, kPeerIp));
  EXPECT_EQ(take_sent(), slice(expected, 0, 42));
  EXPECT_EQ(state(), net::NUD_STALE);
  // Whether the address is free: somebody without one asks.
  receive(ethernet(kBroadcastMac, kPeerMac, 0x0806, arp(1, kPeerMac, {}, {}, kHostIp)));
  EXPECT_EQ(get16(take_sent(), 20), 2U);
  // Not for other addresses.
  receive(ethernet(kBroadcastMac, kPeerMac, 0x0806, arp(1, kPeerMac, kPeerIp, {}, {0x0a000003})));
  EXPECT_TRUE(device.sent.empty());
}

TEST_F(ArpTest, AsksAndSendsWhatWaited) {
  EXPECT_EQ(send(20), net::kOk);
  EXPECT_EQ(send(21), net::kOk);
  const Bytes question =
      ethernet(kBroadcastMac, kHostMac, 0x0806, arp(1, kHostMac, kHostIp, {}, kPeerIp));
  EXPECT_EQ(take_sent(), slice(question, 0, 42));
  EXPECT_TRUE(device.sent.empty());
  EXPECT_EQ(state(), net::NUD_INCOMPLETE);
  answer();
  EXPECT_EQ(state(), net::NUD_REACHABLE);
  ASSERT_EQ(device.sent.size(), 2U);
  EXPECT_EQ(take_sent().size(), 14U + 20 + 20);
  const Bytes second = take_sent();
  EXPECT_EQ(second.size(), 14U + 20 + 21);
  EXPECT_EQ(slice(second, 0, 6), slice(ethernet(kPeerMac, {}, 0, {}), 0, 6));
  EXPECT_EQ(naive_checksum(slice(second, 14, 20)), 0U);
}

TEST_F(ArpTest, GivesUpAfterThreeQuestions) {
  for (int i = 0; i < 4; ++i) send();
  run_for(2500ms);
  EXPECT_EQ(sent(0x0806), 3U);
  EXPECT_EQ(state(), net::NUD_INCOMPLETE);
  run_for(1s);
  EXPECT_EQ(state(), net::NUD_FAILED);
  EXPECT_EQ(drops(skb_drop_reason::NEIGH_FAILED), 4U);
  EXPECT_EQ(sent(0x0800), 0U);
  // A later packet tries again.
  device.sent.clear();
  send();
  EXPECT_EQ(sent(0x0806), 1U);
  answer();
  EXPECT_EQ(sent(0x0800), 1U);
}

TEST_F(ArpTest, TheWaitingQueueHasALimit) {
  for (int i = 0; i < 105; ++i) send();
  EXPECT_EQ(drops(skb_drop_reason::NEIGH_QUEUEFULL), 4U);
  answer();
  EXPECT_EQ(sent(0x0800), 101U);
}

TEST_F(ArpTest, AgesAndIsAskedAgain) {
  send();
  answer();
  run_for(31s);
  EXPECT_EQ(state(), net::NUD_STALE);
  device.sent.clear();
  send();
  EXPECT_EQ(sent(0x0800), 1U);
  EXPECT_EQ(state(), net::NUD_DELAY);
  run_for(5100ms);
  EXPECT_EQ(state(), net::NUD_PROBE);
  ASSERT_EQ(sent(0x0806), 1U);
  EXPECT_EQ(slice(device.sent.back(), 0, 6), slice(ethernet(kPeerMac, {}, 0, {}), 0, 6));
  answer();
  EXPECT_EQ(state(), net::NUD_REACHABLE);
  // Never answered, it fails; never used, it goes.
  run_for(31s);
  send();
  run_for(10s);
  EXPECT_EQ(state(), net::NUD_FAILED);
  run_for(200s);
  EXPECT_EQ(stack.ipv4.arp.table().size(), 0U);
  EXPECT_TRUE(rig.timeline.empty());
}

TEST_F(ArpTest, GratuitousPacketsUpdateWhatIsKnown) {
  const net::mac_address moved{{2, 0, 0, 0, 0, 7}};
  receive(ethernet(kBroadcastMac, moved, 0x0806, arp(1, moved, kPeerIp, {}, kPeerIp)));
  EXPECT_EQ(stack.ipv4.arp.table().size(), 0U);  // nothing is learnt from it
  learn_peer();
  // A different claim right afterwards is not believed, one by the owner of the address is.
  receive(to_host(0x0806, arp(2, moved, kPeerIp, kHostMac, kHostIp)));
  EXPECT_EQ(stack.ipv4.arp.table().neigh_lookup(dev, kPeerIp)->ha, kPeerMac);
  receive(ethernet(kBroadcastMac, moved, 0x0806, arp(1, moved, kPeerIp, {}, kPeerIp)));
  EXPECT_EQ(stack.ipv4.arp.table().neigh_lookup(dev, kPeerIp)->ha, moved);
  EXPECT_EQ(stack.ipv4.arp.table().text(), "10.0.0.2 dev eth0 lladdr 02:00:00:00:00:07 STALE\n");
}

TEST_F(ArpTest, RefusesMalformedPackets) {
  const Bytes good = arp(1, kPeerMac, kPeerIp, {}, kHostIp);
  for (std::size_t n = 0; n < good.size(); ++n) {
    receive(slice(to_host(0x0806, good), 0, 14 + n));
  }
  EXPECT_EQ(drops(skb_drop_reason::HDR_TRUNC), 28U);
  for (const std::size_t byte : {0U, 1U, 2U, 3U, 4U, 5U, 6U, 7U}) {
    Bytes bad = good;
    bad[byte] ^= std::byte{0x40};
    receive(to_host(0x0806, bad));
  }
  receive(to_host(0x0806, arp(1, kBroadcastMac, kPeerIp, {}, kHostIp)));
  receive(to_host(0x0806, arp(1, {}, kPeerIp, {}, kHostIp)));
  EXPECT_EQ(drops(skb_drop_reason::ARP_MALFORMED), 10U);
  receive(ethernet({{2, 0, 0, 0, 0, 9}}, kPeerMac, 0x0806, good));
  EXPECT_EQ(drops(skb_drop_reason::OTHERHOST), 1U);
  // Senders that no host is.
  for (const std::uint32_t sip : {0xe0000001U, 0xffffffffU, 0x7f000001U, kHostIp.value}) {
    receive(to_host(0x0806, arp(1, kPeerMac, {sip}, {}, kHostIp)));
  }
  EXPECT_TRUE(device.sent.empty());
  EXPECT_EQ(stack.ipv4.arp.table().size(), 0U);
}

TEST_F(ArpTest, TheTableHasALimit) {
  for (std::uint32_t i = 0; i < 1500; ++i) {
    receive(to_host(0x0806, arp(1, kPeerMac, {0x0a010000 + i}, {}, kHostIp)));
  }
  EXPECT_EQ(stack.ipv4.arp.table().size(), 1024U);
}

TEST(ArpAnnounceTest, AnnouncesItsAddressWhenTheDeviceGoesUp) {
  Rig rig(free_of_cost());
  net::NetStack stack(rig.kernel);
  PaperDevice device(rig.kernel);
  net::net_device dev("eth0", kHostMac, 1500, device);
  ASSERT_TRUE(stack.net.register_netdev(dev));
  ASSERT_EQ(stack.configure(dev, {net::ipv4_prefix{kHostIp, 24}, std::nullopt}), std::nullopt);
  ASSERT_TRUE(net::dev_open(dev));
  ASSERT_EQ(device.sent.size(), 1U);
  EXPECT_EQ(device.sent[0],
            slice(ethernet(kBroadcastMac, kHostMac, 0x0806, arp(1, kHostMac, kHostIp, {}, kHostIp)),
                  0, 42));
  stack.net.unregister_netdev(dev);
}

}  // namespace
}  // namespace nicroscope::test
