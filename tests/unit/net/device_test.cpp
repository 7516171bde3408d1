// SPDX-License-Identifier: Apache-2.0
// The device layer: Ethernet, handlers, taps, the queueing discipline.
#include "stack/core/packet_tap.h"
#include "stack/core/qdisc.h"
#include "tests/unit/net/net_rig.h"

namespace nicroscope::test {
namespace {

using net::pkt_type_t;

class DeviceTest : public NetTest {
 protected:
  /// Takes what a protocol's handler gets.
  class Taker : public net::packet_type {
   public:
    Taker(net::Net& net, std::uint16_t type) : packet_type(type, nullptr), net_(net) {
      net_.dev_add_pack(*this);
    }
    ~Taker() override { net_.dev_remove_pack(*this); }
    void func(net::skb_ptr skb) override {
      Bytes bytes(skb->len);
      EXPECT_TRUE(net::skb_copy_bits(*skb, 0, bytes));
      packets.push_back(std::move(bytes));
      types.push_back(skb->pkt_type);
      net::consume_skb(std::move(skb));
    }
    std::vector<Bytes> packets;
    std::vector<pkt_type_t> types;

   private:
    net::Net& net_;
  };

  net::skb_ptr frame_to_send(std::size_t size) {
    const Bytes bytes = ethernet(kPeerMac, kHostMac, 0x88b5, pattern(size));
    net::skb_ptr skb = net::netdev_alloc_skb(dev, static_cast<std::uint32_t>(bytes.size()));
    std::copy(bytes.begin(), bytes.end(),
              net::skb_put(*skb, static_cast<std::uint32_t>(bytes.size())));
    return skb;
  }
};

TEST_F(DeviceTest, PacketsAreForWhomTheirAddressSays) {
  Taker taker(stack.net, 0x88b5);
  const net::mac_address other{{2, 0, 0, 0, 0, 9}};
  const net::mac_address group{{1, 0, 0x5e, 0, 0, 9}};
  for (const auto& to : {kHostMac, kBroadcastMac, group, other}) {
    receive(ethernet(to, kPeerMac, 0x88b5, pattern(50)));
  }
  EXPECT_EQ(taker.types, (std::vector{pkt_type_t::host, pkt_type_t::broadcast,
                                      pkt_type_t::multicast, pkt_type_t::otherhost}));
  EXPECT_EQ(taker.packets[0], pattern(50));
  EXPECT_EQ(dev.stats.multicast, 1U);
}

TEST_F(DeviceTest, UnknownTypesAndVlanTagsHaveNoHandler) {
  receive(to_host(0x86dd, pattern(60)));
  receive(to_host(0x8100, pattern(60)));
  receive(to_host(40, Bytes(60, std::byte{0xff})));  // Novell's raw IPX
  EXPECT_EQ(drops(skb_drop_reason::UNHANDLED_PROTO), 3U);
  EXPECT_EQ(dev.stats.rx_nohandler, 3U);
  Taker vlan(stack.net, 0x8100);
  receive(to_host(0x8100, pattern(60)));
  EXPECT_EQ(vlan.packets.size(), 1U);
}

TEST_F(DeviceTest, SnapReachesTheEtherTypesHandler) {
  Taker taker(stack.net, 0x88b5);
  Bytes llc;
  put32(llc, 0xaaaa'0300);
  put32(llc, 0x0000'88b5);
  put(llc, pattern(20));
  receive(to_host(static_cast<unsigned>(llc.size()), llc));
  ASSERT_EQ(taker.packets.size(), 1U);
  EXPECT_EQ(taker.packets[0], pattern(20));  // the padding is cut off
  llc[6] = std::byte{0x00};                  // not an EtherType
  receive(to_host(static_cast<unsigned>(llc.size()), llc));
  llc[3] = std::byte{9};  // not RFC 1042
  receive(to_host(static_cast<unsigned>(llc.size()), llc));
  EXPECT_EQ(drops(skb_drop_reason::UNHANDLED_PROTO), 2U);
  receive(to_host(300, llc));  // longer than the frame
  receive(to_host(5, llc));
  EXPECT_EQ(drops(skb_drop_reason::HDR_TRUNC), 2U);
  EXPECT_EQ(taker.packets.size(), 1U);
}

TEST_F(DeviceTest, TapsSeeEveryByteBothWays) {
  std::vector<Bytes> in;
  std::vector<Bytes> out;
  const net::PacketTap tap(
      stack.net, &dev, [&](std::span<const std::byte> frame, const net::sk_buff& skb) {
        (skb.pkt_type == pkt_type_t::outgoing ? out : in).emplace_back(frame.begin(), frame.end());
      });
  std::vector<Bytes> sent;
  for (const unsigned fragment : {0U, 200U}) {
    device.fragment_bytes = fragment;
    for (const unsigned type : {0x0800U, 0x86ddU, 0x8100U, 30U}) {
      sent.push_back(to_host(type, pattern(type == 30 ? 40 : 1400)));
      receive(sent.back());
    }
  }
  EXPECT_EQ(in, sent);
  device.fragment_bytes = 0;
  receive(ethernet(kBroadcastMac, kPeerMac, 0x0806, arp(1, kPeerMac, kPeerIp, {}, kHostIp)));
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0], device.sent[0]);
}

TEST_F(DeviceTest, PacketsWaitWhileTheQueueIsStopped) {
  net::netif_stop_queue(dev);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(net::dev_queue_xmit(frame_to_send(100)));
  EXPECT_TRUE(device.sent.empty());
  EXPECT_EQ(dev.qdisc().qlen(), 5U);
  net::netif_wake_queue(dev);
  rig.timeline.run(1000);
  EXPECT_EQ(device.sent.size(), 5U);
  net::netif_carrier_off(dev);
  EXPECT_TRUE(net::dev_queue_xmit(frame_to_send(100)));
  EXPECT_EQ(device.sent.size(), 5U);
  net::netif_carrier_on(dev);
  rig.timeline.run(1000);
  EXPECT_EQ(device.sent.size(), 6U);
}

TEST_F(DeviceTest, ARefusedPacketKeepsItsPlace) {
  device.busy = true;
  net::skb_ptr first = frame_to_send(100);
  const FrameId id = first->frame = 77;
  EXPECT_TRUE(net::dev_queue_xmit(std::move(first)));
  EXPECT_TRUE(net::dev_queue_xmit(frame_to_send(200)));
  EXPECT_GE(dev.qdisc().requeues, 1U);
  EXPECT_EQ(dev.qdisc().qlen(), 2U);
  device.busy = false;
  EXPECT_TRUE(net::dev_queue_xmit(frame_to_send(300)));
  ASSERT_EQ(device.sent.size(), 3U);
  EXPECT_LT(device.sent[0].size(), device.sent[1].size());
  EXPECT_LT(device.sent[1].size(), device.sent[2].size());
  EXPECT_EQ(id, 77U);
}

TEST_F(DeviceTest, TheDisciplineHasALimit) {
  net::netif_stop_queue(dev);
  for (std::size_t i = 0; i < net::pfifo::kDefaultLimit; ++i) {
    ASSERT_TRUE(net::dev_queue_xmit(frame_to_send(10)));
  }
  EXPECT_FALSE(net::dev_queue_xmit(frame_to_send(10)));
  EXPECT_EQ(drops(skb_drop_reason::QDISC_DROP), 1U);
  EXPECT_EQ(dev.stats.tx_dropped, 1U);
  net::dev_close(dev);
  EXPECT_EQ(drops(skb_drop_reason::DEV_DOWN), net::pfifo::kDefaultLimit);
  EXPECT_FALSE(net::dev_queue_xmit(frame_to_send(10)));
  EXPECT_EQ(drops(skb_drop_reason::DEV_DOWN), net::pfifo::kDefaultLimit + 1);
}

TEST_F(DeviceTest, PacketsAreMadeToFitTheDevice) {
  net::skb_ptr skb = frame_to_send(46);
  net::page_ref page = net::page_ref::alloc(rig.kernel.memory(), 0);
  const Bytes more = pattern(100, 5);
  std::copy(more.begin(), more.end(), page.address());
  net::skb_add_rx_frag(*skb, std::move(page), 0, 100, 4096);
  // A checksum over everything behind the Ethernet header, stored in its first two bytes.
  skb->ip_summed = net::CHECKSUM_PARTIAL;
  skb->csum_start = net::skb_headroom(*skb) + 14;
  skb->csum_offset = 0;
  set16(device.sent.emplace_back(Bytes(2)), 0, 0);
  device.sent.clear();
  ASSERT_TRUE(net::dev_queue_xmit(std::move(skb)));
  const Bytes frame = take_sent();
  EXPECT_FALSE(device.last_partial);
  EXPECT_EQ(slice(frame, 60), more);
  Bytes zeroed = slice(frame, 14);
  // What stood in the field was summed with the rest.
  set16(zeroed, 0, get16(pattern(2), 0));
  EXPECT_EQ(get16(frame, 14), naive_checksum(zeroed));
}

TEST_F(DeviceTest, InterfacesHaveNamesAndNumbers) {
  EXPECT_EQ(stack.lo.dev().ifindex(), 1U);
  EXPECT_EQ(dev.ifindex(), 2U);
  EXPECT_EQ(stack.net.dev_get_by_index(2), &dev);
  EXPECT_EQ(stack.net.dev_get_by_name("eth0"), &dev);
  EXPECT_EQ(stack.net.dev_get_by_name("eth1"), nullptr);
  net::net_device second("eth0", kPeerMac, 1500, device);
  EXPECT_FALSE(stack.net.register_netdev(second));
  EXPECT_FALSE(net::dev_set_mtu(dev, 10'000));
  EXPECT_TRUE(net::dev_set_mtu(dev, 9000));
  EXPECT_EQ(dev.mtu(), 9000U);
  EXPECT_NE(stack.net.proc_net_dev().find("  eth0:"), std::string::npos);
}

TEST(MacAddressTest, TextBothWays) {
  EXPECT_EQ(to_string(kHostMac), "52:54:00:00:00:01");
  EXPECT_EQ(net::parse_mac_address("52:54:00:00:00:01"), kHostMac);
  EXPECT_EQ(net::parse_mac_address("FF:ff:Ff:ff:ff:ff"), kBroadcastMac);
  for (const char* bad : {"", "52:54:00:00:00", "52-54-00-00-00-01", "52:54:00:00:00:0g",
                          "52:54:00:00:00:01:02", "5:54:00:00:00:011"}) {
    EXPECT_EQ(net::parse_mac_address(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace nicroscope::test
