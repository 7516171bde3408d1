// SPDX-License-Identifier: Apache-2.0
// Requirements on frames and on control commands (docs/conformance/net.md), on the whole RTL with
// one queue pair.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/cosim/conformance_rig.h"
#include "tests/golden/checksum.h"
#include "tests/golden/frame_builder.h"
#include "tests/golden/parse.h"
#include "tests/golden/rss.h"
#include "tests/golden/segment.h"

namespace nicroscope::test {
namespace {

using namespace regs;
using golden::Bytes;
using golden::Mac;
using golden::Recipe;
using std::chrono::microseconds;
using Octets = std::vector<std::uint8_t>;

constexpr std::uint64_t bit(unsigned feature) { return std::uint64_t{1} << feature; }

constexpr std::uint64_t kLeast =
    bit(kFeatureVersion1) | bit(kFeatureRingPacked) | bit(kFeatureAccessPlatform);
constexpr std::uint64_t kFilters = kLeast | bit(kFeatureCtrlVq) | bit(kFeatureCtrlRx) |
                                   bit(kFeatureCtrlRxExtra) | bit(kFeatureCtrlMacAddr);
constexpr std::uint32_t kDot1q = 0x8100U << 16;

constexpr Mac kOther{0x02, 0, 0, 0, 0, 0x77};
constexpr Mac kGroup{0x01, 0, 0x5e, 1, 2, 3};
constexpr Mac kBroadcast{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

void append_le(Octets& to, std::uint64_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) to.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

class ConformanceNet : public testing::Test {
 protected:
  ConformanceRig rig;

  [[nodiscard]] Mac station() {
    Mac mac{};
    const Bytes bytes = rig.mac();
    for (std::size_t i = 0; i < mac.size(); ++i) mac[i] = golden::get8(bytes, i);
    return mac;
  }
  static Bytes frame_to(const Mac& destination, std::size_t payload = 50,
                        std::vector<std::uint32_t> tags = {}) {
    Recipe recipe;
    recipe.destination = destination;
    recipe.protocol = golden::kUdp;
    recipe.payload_bytes = payload;
    recipe.tags = std::move(tags);
    return golden::build(recipe);
  }
  /// Whether the frame reaches the driver.
  bool passes(const Bytes& frame) {
    rig.give(0, 1);
    const std::uint64_t before =
        rig.counter(kCounterRxDropFilter) + rig.counter(kCounterRxDelivered);
    rig.arrive(frame);
    EXPECT_TRUE(rig.run_until([&] {
      return rig.counter(kCounterRxDropFilter) + rig.counter(kCounterRxDelivered) > before;
    }));
    EXPECT_EQ(rig.counter(kCounterRxDropFilter) + rig.counter(kCounterRxDelivered), before + 1);
    (void)rig.run_until([&] { return rig.ring(0).has_used(); });
    const auto received = rig.receive();
    if (!received) return false;
    EXPECT_TRUE(received->bytes == frame);
    return true;
  }
  void set_mode(std::uint8_t mode, bool on) {
    EXPECT_TRUE(rig.command(kCtrlClassRx, mode, {static_cast<std::uint8_t>(on)}).ok());
  }
  ConformanceRig::Received wait_for_frame() {
    EXPECT_TRUE(rig.run_until([&] { return rig.ring(0).has_used(); }));
    return rig.receive().value_or(ConformanceRig::Received{});
  }
};

TEST_F(ConformanceNet, OneBufferWithoutMergeableBuffers) {
  rig.start(kLeast);
  rig.give(0, 4, 1526);
  for (const std::size_t payload : {18U, 1000U, 1472U}) {
    const Bytes frame = frame_to(station(), payload);
    rig.arrive(frame);
    const auto received = wait_for_frame();
    EXPECT_TRUE(received.bytes == frame);
    EXPECT_EQ(received.lengths.size(), 1U);
    EXPECT_EQ(received.header.num_buffers, 1);
    EXPECT_EQ(received.header.flags, 0) << "GUEST_CSUM was not negotiated";
    EXPECT_EQ(received.header.gso_type, kNetHdrGsoNone);
  }
}

TEST_F(ConformanceNet, MergedBuffersAreFullButTheLast) {
  rig.start(kLeast | bit(kFeatureMrgRxbuf));
  // All buffers of a frame are there at once: whenever some can be seen, receive() finds the rest.
  for (const std::size_t bytes : {kNetHdrBytes + 1U, 64U, 100U, 333U}) {
    for (const std::size_t payload : {18U, 100U, 700U}) {
      const Bytes frame = frame_to(station(), payload);
      const std::size_t all = frame.size() + kNetHdrBytes;
      const std::size_t buffers = (all + bytes - 1) / bytes;
      if (buffers > 60) continue;
      rig.give(0, static_cast<unsigned>(buffers), static_cast<std::uint32_t>(bytes));
      rig.arrive(frame);
      const auto received = wait_for_frame();
      EXPECT_TRUE(received.bytes == frame);
      EXPECT_EQ(received.header.num_buffers, buffers);
      ASSERT_EQ(received.lengths.size(), buffers);
      for (std::size_t i = 0; i + 1 < buffers; ++i) EXPECT_EQ(received.lengths[i], bytes) << i;
      EXPECT_EQ(received.lengths.back(), all - bytes * (buffers - 1));
    }
  }
}

// What no flag asks for may be anything, checksums in the frame included.
TEST_F(ConformanceNet, FieldsNotAskedForDoNotCount) {
  rig.start(rig.offered());
  const Bytes whole = frame_to(station(), 200);
  Bytes broken = whole;
  golden::put16(broken, 24, 0xBAD1);  // IPv4 header checksum
  golden::put16(broken, 40, 0xBAD2);  // UDP checksum
  for (const Bytes& frame : {whole, broken}) {
    for (const unsigned flags : {0x00U, 0x02U, 0x04U, 0x08U, 0xFEU}) {
      const virtio::NetHeader header{.flags = static_cast<std::uint8_t>(flags),
                                     .gso_type = kNetHdrGsoNone,
                                     .hdr_len = 0xFFFF,
                                     .gso_size = 0x1234,
                                     .csum_start = 0xFFF0,
                                     .csum_offset = 0xFFF1,
                                     .num_buffers = 7};
      rig.sent.clear();
      rig.send(1, header, frame);
      EXPECT_TRUE(rig.run_until([&] { return rig.sent.size() == 1; })) << flags;
      EXPECT_TRUE(!rig.sent.empty() && rig.sent[0] == frame) << flags;
    }
  }
  EXPECT_EQ(rig.counter(kCounterTxDropBad), 0U);
}

TEST_F(ConformanceNet, TheHeaderLengthIsAHint) {
  rig.start(rig.offered());
  Recipe recipe;
  recipe.payload_bytes = 5000;
  Bytes frame = golden::build(recipe);
  const golden::ParsedFrame parsed = golden::parse(frame);
  virtio::NetHeader header{};
  header.flags = kNetHdrFNeedsCsum | 0xF8;  // and bits without a meaning
  header.gso_type = kNetHdrGsoTcpV4;
  header.gso_size = 1448;
  header.csum_start = static_cast<std::uint16_t>(parsed.l4_offset);
  header.csum_offset = 16;
  golden::put16(frame, parsed.l4_offset + 16,
                golden::pseudo_sum(parsed.source_address, parsed.destination_address, golden::kTcp,
                                   static_cast<std::uint32_t>(frame.size() - parsed.l4_offset)));
  const auto expected = golden::segment(frame, header);
  ASSERT_TRUE(expected);
  ASSERT_EQ(expected->size(), 4U);
  for (const unsigned hdr_len : {0U, 1U, 14U, 53U, 54U, 55U, 1500U, 0xFFFFU}) {
    header.hdr_len = static_cast<std::uint16_t>(hdr_len);
    rig.sent.clear();
    rig.send(1, header, frame);
    EXPECT_TRUE(rig.run_until([&] { return rig.sent.size() == 4; })) << hdr_len;
    EXPECT_TRUE(rig.sent == *expected) << hdr_len;
  }
}

// The header of a frame may have two VLAN tags.
TEST_F(ConformanceNet, FramesOfTheMtuPassAndNoLonger) {
  rig.start(rig.offered());
  const std::size_t mtu = rig.config(kDeviceConfigMtu, 2);
  const std::vector<std::vector<std::uint32_t>> tags = {
      {}, {kDot1q | 5}, {0x88a8U << 16 | 3, kDot1q | 5}};
  for (const auto& tagged : tags) {
    const Bytes frame = frame_to(station(), mtu - 28, tagged);
    ASSERT_EQ(frame.size(), mtu + 14 + 4 * tagged.size());
    rig.sent.clear();
    rig.send(1, {}, frame);
    EXPECT_TRUE(rig.run_until([&] { return !rig.sent.empty(); }));
    ASSERT_EQ(rig.sent.size(), 1U) << "in one piece";
    EXPECT_TRUE(rig.sent[0] == frame);
    rig.give(0, 6);
    rig.arrive(frame);
    EXPECT_TRUE(wait_for_frame().bytes == frame);
  }
  const std::uint64_t before = rig.counter(kCounterRxDelivered);
  rig.give(0, 8);
  rig.arrive(frame_to(station(), mtu - 28 + 1, tags.back()));
  EXPECT_TRUE(rig.run_until([&] { return rig.counter(kCounterRxOversize) == 1; }));
  rig.run(microseconds{10});
  EXPECT_EQ(rig.counter(kCounterRxDelivered), before);
  EXPECT_FALSE(rig.ring(0).has_used());
}

TEST_F(ConformanceNet, ReceiveModes) {
  rig.start(kFilters);
  const Mac mac = station();
  const auto expect = [&](const char* what, bool own, bool other, bool group, bool broadcast) {
    EXPECT_EQ(passes(frame_to(mac)), own) << what << ": own";
    EXPECT_EQ(passes(frame_to(kOther)), other) << what << ": other";
    EXPECT_EQ(passes(frame_to(kGroup)), group) << what << ": multicast";
    EXPECT_EQ(passes(frame_to(kBroadcast)), broadcast) << what << ": broadcast";
  };
  set_mode(kCtrlRxPromisc, false);
  expect("none", true, false, false, true);
  set_mode(kCtrlRxAllmulti, true);
  expect("allmulti", true, false, true, true);
  set_mode(kCtrlRxNomulti, true);
  expect("allmulti and nomulti", true, false, false, true);
  set_mode(kCtrlRxNobcast, true);
  expect("allmulti, nomulti and nobcast", true, false, false, false);
  set_mode(kCtrlRxNomulti, false);
  expect("allmulti and nobcast", true, false, true, false);
  set_mode(kCtrlRxAllmulti, false);
  set_mode(kCtrlRxNobcast, false);
  set_mode(kCtrlRxAlluni, true);
  expect("alluni", true, true, false, true);
  set_mode(kCtrlRxNouni, true);
  expect("alluni and nouni", false, false, false, true);
  for (const std::uint8_t mode : {kCtrlRxAllmulti, kCtrlRxNomulti, kCtrlRxNobcast}) {
    set_mode(mode, true);
  }
  expect("all but promiscuous", false, false, false, false);
  set_mode(kCtrlRxPromisc, true);
  expect("promiscuous", true, true, true, true);
  for (const std::uint8_t mode :
       {kCtrlRxAlluni, kCtrlRxAllmulti, kCtrlRxNomulti, kCtrlRxNouni, kCtrlRxNobcast}) {
    set_mode(mode, false);
  }
  expect("promiscuous alone", true, true, true, true);
}

TEST_F(ConformanceNet, AddressTable) {
  const auto table = [](const std::vector<Mac>& unicast, const std::vector<Mac>& multicast) {
    Octets data;
    for (const auto* list : {&unicast, &multicast}) {
      append_le(data, list->size(), 4);
      for (const Mac& mac : *list) data.insert(data.end(), mac.begin(), mac.end());
    }
    return data;
  };
  for (unsigned round = 0; round < 2; ++round) {
    rig.start(kFilters);
    const Mac mac = station();
    set_mode(kCtrlRxPromisc, false);
    EXPECT_TRUE(passes(frame_to(mac)));
    EXPECT_FALSE(passes(frame_to(kOther))) << "the table is empty after a reset, " << round;
    EXPECT_FALSE(passes(frame_to(kGroup)));
    // The frame comes right behind the answer.
    EXPECT_TRUE(rig.command(kCtrlClassMac, kCtrlMacTableSet, table({kOther}, {kGroup})).ok());
    EXPECT_TRUE(passes(frame_to(kOther)));
    EXPECT_TRUE(passes(frame_to(kGroup)));
    EXPECT_TRUE(passes(frame_to(mac)));
    EXPECT_TRUE(rig.command(kCtrlClassMac, kCtrlMacTableSet, table({}, {kGroup})).ok());
    EXPECT_FALSE(passes(frame_to(kOther)));
    EXPECT_TRUE(passes(frame_to(kGroup)));
    EXPECT_TRUE(rig.command(kCtrlClassMac, kCtrlMacTableSet, table({kOther}, {})).ok());
  }
}

TEST_F(ConformanceNet, TheAddressIsSetBeforeTheCommandReturns) {
  rig.start(kFilters | bit(kFeatureMac));
  const Mac first = station();
  set_mode(kCtrlRxPromisc, false);
  for (unsigned i = 0; i < 4; ++i) {
    const Mac mac{0x06, 0x10, 0x20, 0x30, 0x40, static_cast<std::uint8_t>(i)};
    EXPECT_TRUE(rig.command(kCtrlClassMac, kCtrlMacAddrSet, Octets(mac.begin(), mac.end())).ok());
    EXPECT_EQ(station(), mac);
    EXPECT_TRUE(passes(frame_to(mac)));
    EXPECT_FALSE(passes(frame_to(first)));
  }
  rig.start(kFilters | bit(kFeatureMac));
  EXPECT_EQ(station(), first) << "after a reset its own again";
}

TEST_F(ConformanceNet, VlanFilter) {
  const auto tagged = [&](std::uint32_t tag) { return frame_to(station(), 50, {kDot1q | tag}); };
  rig.start(kFilters);
  set_mode(kCtrlRxPromisc, false);
  for (const std::uint32_t vid : {0U, 1U, 5U, 4095U}) EXPECT_TRUE(passes(tagged(vid))) << vid;
  rig.start(kFilters | bit(kFeatureCtrlVlan));
  set_mode(kCtrlRxPromisc, false);
  const auto vlan = [&](std::uint8_t command, std::uint16_t vid) {
    Octets data;
    append_le(data, vid, 2);
    EXPECT_TRUE(rig.command(kCtrlClassVlan, command, data).ok());
  };
  EXPECT_TRUE(passes(frame_to(station()))) << "without a tag";
  EXPECT_FALSE(passes(tagged(5)));
  vlan(kCtrlVlanAdd, 5);
  vlan(kCtrlVlanAdd, 4094);
  EXPECT_TRUE(passes(tagged(5)));
  EXPECT_TRUE(passes(tagged(5 | 0xE000))) << "with a priority";
  EXPECT_TRUE(passes(tagged(4094)));
  EXPECT_FALSE(passes(tagged(6)));
  vlan(kCtrlVlanDel, 5);
  EXPECT_FALSE(passes(tagged(5)));
  EXPECT_TRUE(passes(tagged(4094)));
}

// Neither RSS nor several queues: HASH_CONFIG alone, and no hash before it.
TEST_F(ConformanceNet, HashesAreConfigured) {
  rig.start(kLeast | bit(kFeatureCtrlVq) | bit(kFeatureHashReport));
  rig.give(0, 20);
  const Bytes udp = frame_to(station());
  rig.arrive(udp);
  EXPECT_EQ(wait_for_frame().hash_report, kHashReportNone);
  golden::HashKey key{};
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(7 * i + 3);
  const std::uint32_t supported = rig.config(kDeviceConfigSupportedHashTypes, 4);
  for (const std::uint32_t types : {supported, 1U << kHashTypeIpv4, 1U << kHashTypeTcpv6}) {
    Octets data;
    append_le(data, types, 4);
    append_le(data, 0, 8);
    data.push_back(static_cast<std::uint8_t>(key.size()));
    data.insert(data.end(), key.begin(), key.end());
    EXPECT_TRUE(rig.command(kCtrlClassMq, kCtrlMqHashConfig, data).ok());
    rig.arrive(udp);
    const auto received = wait_for_frame();
    const golden::FrameHash hash = golden::frame_hash(golden::parse(udp), types, key);
    EXPECT_EQ(received.hash_report, hash.report) << types;
    if (hash.report != kHashReportNone) {
      EXPECT_EQ(received.hash, hash.value) << types;
    }
    EXPECT_TRUE(received.bytes == udp);
  }
}

// A coalesced frame's header says what would make packets of it again; each rule by itself.
TEST_F(ConformanceNet, CoalescedFramesAreDescribed) {
  rig.start(kLeast | bit(kFeatureMrgRxbuf) | bit(kFeatureGuestCsum) | bit(kFeatureGuestTso4) |
            bit(kFeatureGuestTso6));
  for (const golden::L3 l3 : {golden::L3::ipv4, golden::L3::ipv6}) {
    for (const bool congestion : {false, true}) {
      rig.give(0, 8);
      std::vector<Bytes> segments;
      for (unsigned i = 0; i < 3; ++i) {
        Recipe recipe;
        recipe.l3 = l3;
        recipe.id = static_cast<std::uint16_t>(i);
        recipe.seq = 1 + 1000 * i;
        recipe.payload_bytes = 1000;
        recipe.payload_seed = i;
        if (congestion && i == 1) recipe.flags |= golden::tcp::kCwr;
        if (i == 2) recipe.flags |= golden::tcp::kPsh;
        segments.push_back(golden::build(recipe));
        rig.arrive(segments.back());
      }
      const golden::ParsedFrame head = golden::parse(segments[0]);
      if (congestion) {  // needs GSO_ECN, which was not negotiated
        for (const Bytes& segment : segments) {
          const auto received = wait_for_frame();
          EXPECT_TRUE(received.bytes == segment);
          EXPECT_EQ(received.header.gso_type, kNetHdrGsoNone);
          EXPECT_EQ(received.header.flags, kNetHdrFDataValid);
        }
        continue;
      }
      const auto received = wait_for_frame();
      const virtio::NetHeader& header = received.header;
      EXPECT_EQ(header.gso_type, l3 == golden::L3::ipv4 ? kNetHdrGsoTcpV4 : kNetHdrGsoTcpV6);
      EXPECT_EQ(header.flags, kNetHdrFNeedsCsum) << "and not RSC_INFO";
      EXPECT_EQ(header.gso_size, 1000);
      EXPECT_GE(header.hdr_len, head.payload);
      EXPECT_EQ(header.num_buffers, received.lengths.size());
      // Cut by the rules for a driver's own super-frames it is what came.
      const auto again = golden::segment(received.bytes, header);
      ASSERT_TRUE(again);
      EXPECT_TRUE(*again == segments);
    }
  }
}

TEST_F(ConformanceNet, CoalescingCommands) {
  const std::uint64_t features =
      kLeast | bit(kFeatureCtrlVq) | bit(kFeatureNotfCoal) | bit(kFeatureVqNotfCoal);
  const auto set = [&](std::uint8_t command, std::uint64_t packets, std::uint64_t usecs) {
    Octets data;
    append_le(data, packets, 4);
    append_le(data, usecs, 4);
    return rig.command(kCtrlClassNotfCoal, command, data).ok();
  };
  const auto set_one = [&](unsigned queue, unsigned reserved, std::uint64_t packets,
                           std::uint64_t usecs) {
    Octets data;
    append_le(data, queue, 2);
    append_le(data, reserved, 2);
    append_le(data, packets, 4);
    append_le(data, usecs, 4);
    return rig.command(kCtrlClassNotfCoal, kCtrlNotfCoalVqSet, data).ok();
  };
  const auto get = [&](unsigned queue, unsigned reserved = 0) {
    Octets data;
    append_le(data, queue, 2);
    append_le(data, reserved, 2);
    auto answer = rig.command(kCtrlClassNotfCoal, kCtrlNotfCoalVqGet, data, 8);
    if (!answer.ok()) answer.data.clear();
    return answer.data;
  };
  const auto pair = [](std::uint64_t packets, std::uint64_t usecs) {
    Octets data;
    append_le(data, packets, 4);
    append_le(data, usecs, 4);
    return data;
  };
  for (unsigned round = 0; round < 2; ++round) {
    rig.start(features);
    EXPECT_EQ(get(0), pair(0, 0)) << "after a reset, " << round;
    EXPECT_EQ(get(1), pair(0, 0)) << "after a reset, " << round;
    EXPECT_TRUE(set_one(0, 0xBEEF, 9, 30)) << "reserved has no meaning";
    EXPECT_EQ(get(0, 0x1234), pair(9, 30));
    EXPECT_EQ(get(1), pair(0, 0));
    EXPECT_TRUE(set(kCtrlNotfCoalTxSet, 4, 40));
    EXPECT_EQ(get(0), pair(9, 30));
    EXPECT_EQ(get(1), pair(4, 40));
    EXPECT_TRUE(set(kCtrlNotfCoalRxSet, 5, 50));
    EXPECT_EQ(get(0), pair(5, 50)) << "the last one counts";
    // What the device cannot do, it says, and leaves as it was.
    EXPECT_FALSE(set(kCtrlNotfCoalTxSet, 1, 1ULL << 31));
    EXPECT_FALSE(set(kCtrlNotfCoalRxSet, 1ULL << 31, 1));
    EXPECT_FALSE(set_one(0, 0, 1ULL << 20, 1));
    EXPECT_FALSE(set_one(1, 0, 1, 1ULL << 20));
    for (const unsigned queue : {2U, 3U, 100U, 0xFFFFU}) {  // 2 is the control virtqueue
      EXPECT_FALSE(set_one(queue, 0, 1, 1)) << queue;
      EXPECT_TRUE(get(queue).empty()) << queue;
    }
    EXPECT_EQ(get(0), pair(5, 50));
    EXPECT_EQ(get(1), pair(4, 40));
  }
}

TEST_F(ConformanceNet, WithoutAReceiveQueuePacketsAreDropped) {
  rig.start(kLeast | bit(kFeatureRingReset));
  EXPECT_TRUE(passes(frame_to(station())));
  rig.reset_queue(0);
  for (unsigned n = 1; n <= 3; ++n) {
    rig.arrive(frame_to(station()));
    EXPECT_TRUE(rig.run_until([&] { return rig.counter(kCounterRxDropNoBuffer) == n; }));
  }
  rig.enable_queue(0, 64);
  rig.give(0, 4);
  rig.run(microseconds{20});
  EXPECT_FALSE(rig.receive()) << "none of them waited";
  EXPECT_TRUE(passes(frame_to(station())));
}

// A queue that is disabled, and enabled again, has what was set for all of its kind, or nothing.
TEST_F(ConformanceNet, CoalescingAfterAQueueReset) {
  const auto command = [&](std::uint8_t number, const Octets& data, std::size_t answer = 0) {
    return rig.command(kCtrlClassNotfCoal, number, data, answer);
  };
  const auto value = [](unsigned packets, unsigned usecs) {
    Octets data;
    append_le(data, packets, 4);
    append_le(data, usecs, 4);
    return data;
  };
  const auto one = [](unsigned queue, const Octets& rest) {
    Octets data;
    append_le(data, queue, 4);
    data.insert(data.end(), rest.begin(), rest.end());
    return data;
  };
  rig.start(kLeast | bit(kFeatureCtrlVq) | bit(kFeatureNotfCoal) | bit(kFeatureVqNotfCoal) |
            bit(kFeatureRingReset));
  for (const bool set : {false, true}) {
    if (set) {
      EXPECT_TRUE(command(kCtrlNotfCoalRxSet, value(11, 12)).ok());
      EXPECT_TRUE(command(kCtrlNotfCoalTxSet, value(13, 14)).ok());
    }
    for (const unsigned queue : {0U, 1U}) {
      EXPECT_TRUE(command(kCtrlNotfCoalVqSet, one(queue, value(7, 8))).ok());
      rig.reset_queue(queue);
      EXPECT_FALSE(command(kCtrlNotfCoalVqSet, one(queue, value(7, 8))).ok()) << "not enabled";
      EXPECT_FALSE(command(kCtrlNotfCoalVqGet, one(queue, {}), 8).ok()) << "not enabled";
      rig.enable_queue(queue, 64);
      const Octets expected = !set ? value(0, 0) : queue == 0 ? value(11, 12) : value(13, 14);
      const auto answer = command(kCtrlNotfCoalVqGet, one(queue, {}), 8);
      EXPECT_TRUE(answer.ok());
      EXPECT_EQ(answer.data, expected) << queue;
    }
  }
}

// What is counted of a virtqueue is what its driver sees; a wrong list is refused as a whole.
TEST_F(ConformanceNet, StatisticsOfAReceiveAndATransmitQueue) {
  rig.start(kLeast | bit(kFeatureCtrlVq) | bit(kFeatureDeviceStats) | bit(kFeatureRingReset));
  const auto query = rig.command(kCtrlClassStats, kCtrlStatsQuery, {}, 8);
  EXPECT_TRUE(query.ok());
  EXPECT_EQ(query.data, (Octets{1, 0, 1, 0, 1, 0, 0, 0}));
  const auto entry = [](Octets& to, unsigned queue, unsigned type) {
    append_le(to, queue, 2);
    append_le(to, 0x5555, 6);  // reserved
    append_le(to, bit(type), 8);
  };
  const auto reply = [](Octets& to, unsigned type, unsigned queue,
                        const std::vector<std::uint64_t>& fields) {
    append_le(to, type, 2);
    append_le(to, queue, 2);
    append_le(to, 0, 2);
    append_le(to, 8 * fields.size() + 8, 2);
    for (const std::uint64_t field : fields) append_le(to, field, 8);
  };
  Octets list;
  entry(list, 1, kStatsTypeTxBasic);
  entry(list, 2, kStatsTypeCvq);
  entry(list, 0, kStatsTypeRxBasic);
  Octets expected;
  reply(expected, kStatsTypeTxBasic, 1, {0, 0, 0, 0, 0, 0});
  reply(expected, kStatsTypeCvq, 2, {2, 2});
  reply(expected, kStatsTypeRxBasic, 0, {0, 0, 0, 0, 0, 0});
  EXPECT_EQ(rig.command(kCtrlClassStats, kCtrlStatsGet, list, 200).data, expected);

  // Two frames into buffers, one into a chain that is too short; three out, one of them too short.
  rig.give(0, 2);
  rig.arrive(frame_to(station(), 100));
  rig.arrive(frame_to(station(), 200));
  rig.run(microseconds{10});
  rig.give(0, 1, 64);
  rig.arrive(frame_to(station(), 300));
  for (const std::size_t payload : {10U, 700U}) {
    rig.send(1, {}, frame_to(kOther, payload));
    rig.run(microseconds{10});
  }
  const Piece piece{rig.arena().allocate(1, 10, DmaDirection::to_device), 10, false};
  rig.add(1, std::span{&piece, 1});
  rig.run(microseconds{20});
  const std::uint64_t in = frame_to(station(), 100).size() + frame_to(station(), 200).size();
  const std::uint64_t out = frame_to(kOther, 10).size() + frame_to(kOther, 700).size();
  const auto interrupts = [&](unsigned vector) {
    return static_cast<std::uint64_t>(std::ranges::count(rig.interrupts, vector));
  };
  EXPECT_GT(interrupts(1), 0U);
  expected.clear();
  reply(expected, kStatsTypeTxBasic, 1, {3, 2, out, interrupts(2), 1, 1});
  reply(expected, kStatsTypeCvq, 2, {3, 3});
  reply(expected, kStatsTypeRxBasic, 0, {3, 2, in, interrupts(1), 1, 0});
  EXPECT_EQ(rig.command(kCtrlClassStats, kCtrlStatsGet, list, 200).data, expected);

  // One that is wrong at the end, and a reset of the queue, which changes nothing.
  Octets wrong = list;
  entry(wrong, 1, kStatsTypeRxBasic);
  const auto refused = rig.command(kCtrlClassStats, kCtrlStatsGet, wrong, 200);
  EXPECT_FALSE(refused.ok());
  EXPECT_EQ(refused.length, 1U);
  rig.reset_queue(1);
  expected.clear();
  reply(expected, kStatsTypeTxBasic, 1, {3, 2, out, interrupts(2), 1, 1});
  reply(expected, kStatsTypeCvq, 2, {5, 4});
  reply(expected, kStatsTypeRxBasic, 0, {3, 2, in, interrupts(1), 1, 0});
  EXPECT_EQ(rig.command(kCtrlClassStats, kCtrlStatsGet, list, 200).data, expected);
}

// Moderation does not overrule the driver's event suppression.
TEST_F(ConformanceNet, SuppressedMeansSilent) {
  rig.start(kLeast | bit(kFeatureCtrlVq) | bit(kFeatureNotfCoal));
  for (const unsigned packets : {0U, 1U, 3U}) {
    Octets data;
    append_le(data, packets, 4);
    append_le(data, 20, 4);
    EXPECT_TRUE(rig.command(kCtrlClassNotfCoal, kCtrlNotfCoalRxSet, data).ok());
    rig.run(microseconds{5});
    rig.interrupts.clear();
    rig.ring(0).interrupts_off();
    for (unsigned i = 0; i < 7; ++i) {
      rig.give(0, 1);
      rig.arrive(frame_to(station()));
      rig.run(microseconds{4});
    }
    rig.run(microseconds{60});
    EXPECT_TRUE(rig.interrupts.empty()) << packets;
    unsigned frames = 0;
    while (rig.receive()) ++frames;
    EXPECT_EQ(frames, 7U);
    rig.ring(0).interrupts_on();
    rig.give(0, 1);
    rig.arrive(frame_to(station()));
    rig.run(microseconds{60});
    EXPECT_EQ(rig.interrupts, std::vector<unsigned>{1}) << packets;
    (void)wait_for_frame();
  }
}

}  // namespace
}  // namespace nicroscope::test
