// SPDX-License-Identifier: Apache-2.0
// Checksums, super-frames and hashes between packets and headers, against the golden models.
#include <gtest/gtest.h>

#include <algorithm>

#include "sim/base/random.h"
#include "stack/core/gso.h"
#include "tests/golden/checksum.h"
#include "tests/golden/frame_builder.h"
#include "tests/golden/rss.h"
#include "tests/golden/segment.h"
#include "tests/unit/driver/driver_rig.h"

namespace nicroscope::test {
namespace {

using golden::Recipe;

/// What a received packet says of itself.
struct Seen {
  Frame bytes;
  net::ip_summed_t ip_summed;
  std::uint32_t csum_start;  ///< from the Ethernet header
  std::uint16_t csum_offset;
  std::uint8_t gso_type;
  std::uint16_t gso_size;
  std::uint16_t gso_segs;
  std::uint32_t hash;
  bool l4_hash;
};

struct OffloadRig : DriverRig {
  explicit OffloadRig(driver::Options options = {}, ModelOptions model = {})
      : DriverRig(std::move(options), model), listener(*this) {
    net.dev_add_pack(listener);
  }
  struct Listener : net::packet_type {
    explicit Listener(OffloadRig& r) : packet_type(net::kEthPAll, nullptr), rig(r) {}
    void func(net::skb_ptr skb) override {
      if (skb->pkt_type != net::pkt_type_t::outgoing) {
        net::skb_push(*skb, net::kEthHlen);
        Frame bytes(skb->len);
        EXPECT_TRUE(net::skb_copy_bits(*skb, 0, bytes));
        rig.seen.push_back({std::move(bytes), skb->ip_summed, net::skb_checksum_start_offset(*skb),
                            skb->csum_offset, skb->shinfo->gso_type, skb->shinfo->gso_size,
                            skb->shinfo->gso_segs, skb->hash, skb->l4_hash});
      }
      net::consume_skb(std::move(skb));
    }
    OffloadRig& rig;
  };
  net::net_device& dev() { return driver.netdev(); }
  const Seen& receive(const Frame& frame) {
    seen.clear();
    device.receive(frame);
    timeline.run();
    EXPECT_EQ(seen.size(), 1U);
    return seen.at(0);
  }
  /// `frame` as a packet that the stack hands down, in linear and paged parts.
  net::skb_ptr packet_of(const golden::TransmitFrame& frame, std::uint32_t linear) {
    const auto size = static_cast<std::uint32_t>(frame.bytes.size());
    linear = std::min(linear, size);
    net::skb_ptr skb = net::netdev_alloc_skb(dev(), linear);
    EXPECT_NE(skb, nullptr);
    std::memcpy(net::skb_put(*skb, linear), frame.bytes.data(), linear);
    for (std::uint32_t at = linear; at < size;) {
      const std::uint32_t n = std::min<std::uint32_t>(4096, size - at);
      auto page = net::page_ref::alloc(kernel.memory(), 0);
      std::memcpy(page.address(), frame.bytes.data() + at, n);
      net::skb_add_rx_frag(*skb, page, 0, n, n);
      at += n;
    }
    if ((frame.header.flags & regs::kNetHdrFNeedsCsum) != 0) {
      skb->ip_summed = net::CHECKSUM_PARTIAL;
      skb->csum_start = net::skb_headroom(*skb) + frame.header.csum_start;
      skb->csum_offset = frame.header.csum_offset;
    }
    skb->shinfo->gso_type = frame.header.gso_type;
    skb->shinfo->gso_size = frame.header.gso_size;
    skb->frame = net.next_frame();
    skb->dev = &dev();
    return skb;
  }
  Listener listener;
  std::vector<Seen> seen;
};

/// Sends random packets of all kinds and holds what comes out of the device against the golden
/// segmenter, which knows nothing of the driver or the stack.
void expect_frames_on_the_wire(OffloadRig& rig, unsigned count) {
  sim::Random random(7);
  golden::TransmitMix mix;
  mix.largest_super_frame = 60'000;
  for (unsigned i = 0; i < count; ++i) {
    const golden::TransmitFrame frame = golden::random_transmit(random, mix);
    if (frame.bytes.size() > 9'000 && frame.header.gso_size == 0) continue;
    const auto expected = golden::segment(frame.bytes, frame.header);
    ASSERT_TRUE(expected) << i;
    rig.sent.clear();
    const std::uint32_t linear = i % 3 == 0 ? 9'000 : i % 3 == 1 ? 150 : 700;
    rig.in_process([&] { EXPECT_TRUE(net::dev_queue_xmit(rig.packet_of(frame, linear))) << i; });
    ASSERT_EQ(rig.sent.size(), expected->size()) << i;
    const std::size_t check = std::size_t{frame.header.csum_start} + frame.header.csum_offset;
    for (std::size_t n = 0; n < expected->size(); ++n) {
      EXPECT_TRUE(golden::same_frame(rig.sent[n], (*expected)[n], check)) << i << ", " << n;
    }
  }
}

TEST(Offload, TheDeviceIsToldWhatToDoToEachPacket) {
  OffloadRig rig;
  ASSERT_TRUE(rig.up());
  expect_frames_on_the_wire(rig, 400);
  EXPECT_GT(rig.device.super_frames().size(), 50U);
  EXPECT_EQ(rig.driver.transmit_stats().tso, rig.device.super_frames().size());
  EXPECT_GT(rig.driver.transmit_stats().csum, rig.driver.transmit_stats().tso);
  EXPECT_EQ(rig.device.counter(regs::kCounterTxDropBad), 0U);
  rig.down();
  rig.expect_nothing_held();
}

// The same packets, the same frames on the wire: software does what the device may not.
TEST(Offload, WithoutTheDevicesHelpTheStackDoesIt) {
  for (const std::uint32_t off :
       {std::uint32_t{net::NETIF_F_ALL_TSO}, std::uint32_t{net::NETIF_F_HW_CSUM},
        std::uint32_t{net::NETIF_F_SG}, std::uint32_t{net::NETIF_F_TSO}}) {
    OffloadRig rig;
    ASSERT_TRUE(rig.up());
    rig.in_process(
        [&] { EXPECT_TRUE(net::netdev_update_features(rig.dev(), rig.dev().features & ~off)); });
    EXPECT_EQ(rig.dev().features & off, 0U);
    expect_frames_on_the_wire(rig, 150);
    EXPECT_EQ(rig.device.super_frames().empty(), off != net::NETIF_F_TSO);
    EXPECT_EQ(rig.driver.transmit_stats().csum == 0, off == net::NETIF_F_HW_CSUM);
    rig.down();
    rig.expect_nothing_held();
  }
}

TEST(Offload, HeadersOfSuperFramesAreExact) {
  OffloadRig rig;
  ASSERT_TRUE(rig.up());
  Recipe recipe;
  recipe.payload_bytes = 5'000;
  recipe.tcp_options = golden::Bytes(12, std::byte{1});
  golden::TransmitFrame frame;
  frame.bytes = golden::build(recipe);
  frame.header = {.flags = regs::kNetHdrFNeedsCsum,
                  .gso_type = regs::kNetHdrGsoTcpV4,
                  .hdr_len = 0,
                  .gso_size = 1'000,
                  .csum_start = 34,
                  .csum_offset = 16,
                  .num_buffers = 0};
  rig.in_process([&] { EXPECT_TRUE(net::dev_queue_xmit(rig.packet_of(frame, 100))); });
  ASSERT_EQ(rig.device.sent_headers().size(), 1U);
  const virtio::NetHeader& header = rig.device.sent_headers()[0];
  EXPECT_EQ(header.hdr_len, 14 + 20 + 20 + 12) << "as GUEST_HDRLEN wants it";
  EXPECT_EQ(header.gso_size, 1'000);
  EXPECT_EQ(header.csum_start, 34);
  EXPECT_EQ(header.num_buffers, 0);
  EXPECT_EQ(rig.sent.size(), 5U);
}

TEST(Offload, ASuperFrameThatCannotBeIsDropped) {
  OffloadRig rig;
  ASSERT_TRUE(rig.up());
  golden::TransmitFrame frame;
  frame.bytes = golden::Bytes(3'000, std::byte{0x55});  // no IP at all
  frame.header.gso_type = regs::kNetHdrGsoTcpV4;
  frame.header.gso_size = 1'000;
  rig.in_process([&] { (void)net::dev_queue_xmit(rig.packet_of(frame, 100)); });
  rig.in_process([&] {
    EXPECT_TRUE(net::netdev_update_features(
        rig.dev(), rig.dev().features & ~std::uint32_t{net::NETIF_F_ALL_TSO}));
    EXPECT_FALSE(net::dev_queue_xmit(rig.packet_of(frame, 100)));
  });
  EXPECT_TRUE(rig.sent.empty());
  EXPECT_EQ(rig.dev().stats.tx_dropped, 2U);
  rig.down();
  rig.expect_nothing_held();
}

TEST(Offload, TheVerdictOfTheDeviceIsBelieved) {
  OffloadRig rig;
  ASSERT_TRUE(rig.up());
  Recipe recipe;
  EXPECT_EQ(rig.receive(golden::build(recipe)).ip_summed, net::CHECKSUM_UNNECESSARY);
  recipe.damage = golden::Damage::l4_checksum;
  EXPECT_EQ(rig.receive(golden::build(recipe)).ip_summed, net::CHECKSUM_NONE);
  recipe.damage = golden::Damage::none;
  rig.in_process([&] {
    EXPECT_TRUE(net::netdev_update_features(
        rig.dev(), rig.dev().features & ~std::uint32_t{net::NETIF_F_RXCSUM}));
  });
  EXPECT_EQ(rig.dev().features & net::NETIF_F_GRO_HW, 0U) << "which depends on it";
  EXPECT_EQ(rig.receive(golden::build(recipe)).ip_summed, net::CHECKSUM_NONE);
}

TEST(Offload, APartialChecksumIsKept) {
  OffloadRig rig;
  ASSERT_TRUE(rig.up());
  rig.device.set_receive_header({.flags = regs::kNetHdrFNeedsCsum,
                                 .gso_type = 0,
                                 .hdr_len = 0,
                                 .gso_size = 0,
                                 .csum_start = 34,
                                 .csum_offset = 16,
                                 .num_buffers = 0});
  const Seen& seen = rig.receive(golden::build(Recipe{}));
  EXPECT_EQ(seen.ip_summed, net::CHECKSUM_PARTIAL);
  EXPECT_EQ(seen.csum_start, 34U);
  EXPECT_EQ(seen.csum_offset, 16U);
}

TEST(Offload, MergedFramesArriveWhole) {
  for (const std::uint32_t buffer : {256U, 1'536U, 4'096U}) {
    driver::Options options;
    options.rx_buffer_bytes = buffer;
    ModelOptions model;
    model.ring_max = 512;
    OffloadRig rig(options, model);
    ASSERT_TRUE(rig.up());
    for (const bool ipv6 : {false, true}) {
      Recipe recipe;
      recipe.l3 = ipv6 ? golden::L3::ipv6 : golden::L3::ipv4;
      recipe.payload_bytes = 45 * 1'400 + 77;
      const Frame frame = golden::build(recipe);
      const auto start = static_cast<std::uint16_t>(ipv6 ? 54 : 34);
      rig.seen.clear();
      rig.device.receive_super(frame,
                               {.flags = regs::kNetHdrFNeedsCsum,
                                .gso_type = ipv6 ? regs::kNetHdrGsoTcpV6 : regs::kNetHdrGsoTcpV4,
                                .hdr_len = 3 /* not to be relied on */,
                                .gso_size = 1'400,
                                .csum_start = start,
                                .csum_offset = 16,
                                .num_buffers = 0});
      rig.timeline.run();
      ASSERT_EQ(rig.seen.size(), 1U);
      EXPECT_TRUE(rig.seen[0].bytes == frame);
      EXPECT_EQ(rig.seen[0].gso_type, ipv6 ? net::SKB_GSO_TCPV6 : net::SKB_GSO_TCPV4);
      EXPECT_EQ(rig.seen[0].gso_size, 1'400);
      EXPECT_EQ(rig.seen[0].gso_segs, 46);
      EXPECT_EQ(rig.seen[0].ip_summed, net::CHECKSUM_PARTIAL);
    }
    EXPECT_EQ(rig.driver.receive_stats().gro_hw, 2U);
    rig.down();
    rig.expect_nothing_held();
  }
}

TEST(Offload, HeadersThatMakeNoSenseCostTheFrame) {
  OffloadRig rig;
  ASSERT_TRUE(rig.up());
  const Frame tcp = golden::build(Recipe{});
  Recipe udp_recipe;
  udp_recipe.protocol = golden::kUdp;
  const Frame udp = golden::build(udp_recipe);
  const std::uint8_t needs = regs::kNetHdrFNeedsCsum;
  struct Case {
    Frame frame;
    virtio::NetHeader header;
  };
  const std::vector<Case> cases{
      {tcp, {needs, 0, 0, 0, 0xFFFF, 16, 0}},              // beyond the frame
      {tcp, {needs, 0, 0, 0, 34, 0xFFFF, 0}},              //
      {tcp, {needs, 0, 0, 0, 3, 16, 0}},                   // in the Ethernet header
      {tcp, {0, regs::kNetHdrGsoTcpV4, 54, 0, 0, 0, 0}},   // segments of no bytes
      {tcp, {0, regs::kNetHdrGsoTcpV6, 54, 50, 0, 0, 0}},  // another version
      {udp, {0, regs::kNetHdrGsoTcpV4, 54, 50, 0, 0, 0}},  // another protocol
      {tcp, {0, regs::kNetHdrGsoUdpL4, 42, 50, 0, 0, 0}},  //
      {tcp, {0, regs::kNetHdrGsoUdp, 42, 50, 0, 0, 0}},    // fragments, which nobody asked for
      {tcp, {0, 0x2A, 42, 50, 0, 0, 0}},                   // nothing known
      {make_frame(300, 1), {0, regs::kNetHdrGsoTcpV4, 54, 50, 0, 0, 0}},  // no IP at all
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    rig.device.receive_super(cases[i].frame, cases[i].header);
    rig.timeline.run();
    EXPECT_EQ(rig.seen.size(), 0U) << i;
    EXPECT_EQ(rig.dev().stats.rx_frame_errors, i + 1) << i;
    EXPECT_EQ(rig.dev().stats.rx_dropped, i + 1);
  }
  (void)rig.receive(tcp);
  rig.down();
  rig.expect_nothing_held();
}

// What came merged goes out again as the frames that it was made of, if the way out cannot cut it.
TEST(Offload, AMergedFrameThatIsForwardedIsCutAgain) {
  struct Forwarder : net::packet_type {
    Forwarder() : packet_type(net::kEthPIp, nullptr) {}
    void func(net::skb_ptr skb) override {
      net::skb_push(*skb, net::kEthHlen);
      EXPECT_TRUE(net::dev_queue_xmit(std::move(skb)));
    }
  };
  for (const bool cut_by_device : {true, false}) {
    driver::Options options;
    options.rx_buffer_bytes = cut_by_device ? 4'096 : 512;  // the latter makes lists of packets
    OffloadRig rig(options);
    Forwarder forwarder;
    ASSERT_TRUE(rig.up());
    rig.net.dev_add_pack(forwarder);
    if (!cut_by_device) {
      rig.in_process([&] {
        EXPECT_TRUE(net::netdev_update_features(
            rig.dev(), rig.dev().features & ~std::uint32_t{net::NETIF_F_ALL_TSO}));
      });
    }
    Recipe recipe;
    recipe.payload_bytes = 20'001;
    recipe.flags = golden::tcp::kAck | golden::tcp::kPsh;
    // As a device leaves a merged frame: the pseudo-header's sum in the checksum's place.
    const virtio::NetHeader header{
        regs::kNetHdrFNeedsCsum, regs::kNetHdrGsoTcpV4, 54, 1'448, 34, 16, 0};
    Frame frame = golden::build(recipe);
    const auto sum =
        golden::pseudo_sum({frame.data() + 26, 4}, {frame.data() + 30, 4}, golden::kTcp,
                           static_cast<std::uint32_t>(frame.size() - 34));
    golden::put16(frame, 50, sum);
    rig.device.receive_super(frame, header);
    rig.timeline.run();
    const auto expected = golden::segment(frame, header);
    ASSERT_TRUE(expected);
    ASSERT_EQ(rig.sent.size(), expected->size());
    for (std::size_t n = 0; n < expected->size(); ++n) {
      EXPECT_TRUE(golden::same_frame(rig.sent[n], (*expected)[n], 50)) << n;
    }
    EXPECT_EQ(rig.device.super_frames().size(), cut_by_device ? 1U : 0U);
    rig.net.dev_remove_pack(forwarder);
    rig.down();
    rig.expect_nothing_held();
  }
}

TEST(Offload, HashesOfTheDeviceAreThePackets) {
  OffloadRig rig;
  ASSERT_TRUE(rig.up());
  golden::HashKey key{};
  std::copy(rig.driver.rxfh().key.begin(), rig.driver.rxfh().key.end(), key.begin());
  sim::Random random(3);
  golden::FrameMix mix;
  mix.damage_percent = 0;
  mix.tag_percent = 0;
  for (unsigned i = 0; i < 200; ++i) {
    const Frame frame = golden::build(golden::random_recipe(random, mix));
    const auto parsed = golden::parse(frame);
    if (parsed.multicast()) continue;
    const auto hash = golden::frame_hash(parsed, 0x3f, key);
    const Seen& seen = rig.receive(frame);
    EXPECT_EQ(seen.hash, hash.report == 0 ? 0 : hash.value) << i;
    EXPECT_EQ(seen.l4_hash,
              hash.report == regs::kHashReportTcpv4 || hash.report == regs::kHashReportUdpv4 ||
                  hash.report == regs::kHashReportTcpv6 || hash.report == regs::kHashReportUdpv6);
  }
  rig.in_process([&] {
    EXPECT_TRUE(net::netdev_update_features(
        rig.dev(), rig.dev().features & ~std::uint32_t{net::NETIF_F_RXHASH}));
  });
  EXPECT_EQ(rig.receive(golden::build(Recipe{})).hash, 0U);
}

}  // namespace
}  // namespace nicroscope::test
