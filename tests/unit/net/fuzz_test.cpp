// SPDX-License-Identifier: Apache-2.0
// Damaged packets of every kind: nothing crashes, nothing leaks, every drop has a reason.
#include "stack/core/packet_tap.h"
#include "stack/socket/syscalls.h"
#include "stack/socket/udp_echo.h"
#include "tests/unit/net/net_rig.h"

namespace nicroscope::test {
namespace {

class FuzzTest : public NetTest, public ::testing::WithParamInterface<unsigned> {
 protected:
  Bytes seed_frame(Random& random) {
    const auto any = [&](std::size_t n) { return pattern(random() % n, random() % 256); };
    Ip ip;
    ip.id = random() % 4;
    if (random() % 3 == 0) ip.fragment = (random() % 2) << 13U | random() % 6;
    if (random() % 4 == 0) ip.options = pattern(4 * (random() % 5), random() % 256);
    if (random() % 8 == 0) ip.to = kBroadcastIp;
    switch (random() % 8) {
      case 0:
        return to_host(0x0806, arp(1 + random() % 2, kPeerMac, kPeerIp, kHostMac, kHostIp));
      case 1:
        ip.protocol = 1;
        return ip_to_host(ip, echo_request(random() % 200));
      case 2:
        ip.protocol = 1;
        return ip_to_host(
            ip, icmp(3, random() % 5, 0,
                     ipv4({.from = kHostIp, .to = kPeerIp}, udp(7, random() % 3, any(30)))));
      case 3:
        ip.protocol = random() % 256;
        return ip_to_host(ip, any(100));
      case 4: {
        Bytes llc;
        put32(llc, 0xaaaa'0300);
        put32(llc, 0x0000'0800);
        put(llc, ipv4(ip, udp(1, 7, any(40))));
        return to_host(static_cast<unsigned>(llc.size()), llc);
      }
      case 5:
        return to_host(random() & 0xffffU, any(300));
      default:
        return ip_to_host(ip, udp(random() % 3, 7 + random() % 2, any(200), ip));
    }
  }

  void damage(Random& random, Bytes& frame) {
    for (unsigned n = random() % 4; n != 0; --n) {
      frame[random() % frame.size()] = static_cast<std::byte>(random() & 0xffU);
    }
    if (random() % 4 == 0) frame.resize(14 + random() % (frame.size() - 13));
    // A right checksum takes the damage past the first check.
    if (random() % 2 == 0 && frame.size() >= 34) {
      const std::size_t header = (get8(frame, 14) & 15U) * 4;
      if (header >= 20 && frame.size() >= 14 + header) {
        set16(frame, 24, 0);
        set16(frame, 24, naive_checksum(slice(frame, 14, header)));
      }
    }
  }
};

TEST_P(FuzzTest, DamagedFrames) {
  Random random(GetParam());
  net::udp_echo_counters counters;
  net::spawn_udp_echo(stack, 7, counters);
  rig.timeline.run(1000);
  answer_arp();
  std::uint64_t received = 0;
  const net::PacketTap tap(stack.net, &dev,
                           [&](std::span<const std::byte>, const net::sk_buff& skb) {
                             if (skb.pkt_type != net::pkt_type_t::outgoing) ++received;
                           });
  for (int i = 0; i < 4000; ++i) {
    Bytes frame = seed_frame(random);
    damage(random, frame);
    device.fragment_bytes = random() % 2 == 0 ? 0 : 1 + random() % 100;
    if (device.fragment_bytes != 0) {
      device.fragment_bytes =
          std::max(device.fragment_bytes, static_cast<unsigned>(frame.size()) / 16);
    }
    device.ip_summed = random() % 8 == 0 ? net::CHECKSUM_UNNECESSARY : net::CHECKSUM_NONE;
    receive(std::move(frame));
    if (random() % 50 == 0) run_for(std::chrono::milliseconds{random() % 3000});
    device.sent.clear();
  }
  EXPECT_EQ(received, device.received);
  EXPECT_GT(counters.answered, 50U);
  run_for(std::chrono::seconds{400});
  EXPECT_EQ(stack.ipv4.defrag.memory(), 0U);
  const net::skb_allocator& skbs = stack.net.skbs();
  EXPECT_EQ(skbs.live(), 0U);
  EXPECT_EQ(skbs.allocated(), skbs.consumed() + skbs.merged() + skbs.dropped());
}

INSTANTIATE_TEST_SUITE_P(Seeds, FuzzTest, ::testing::Range(1U, 9U));

}  // namespace
}  // namespace nicroscope::test
