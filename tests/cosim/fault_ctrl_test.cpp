// SPDX-License-Identifier: Apache-2.0
// Control commands that cannot be carried out: each is answered with an error (virtio 1.2, 5.1.6.5)
// and counted, changes nothing, and the next one is carried out; traffic goes on without a reset.
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "tests/cosim/fault_host.h"

namespace nicroscope::test {
namespace {

using namespace regs;  // NOLINT: the commands' names

/// A command's bytes, put together.
class Bytes : public std::vector<std::uint8_t> {
 public:
  Bytes(unsigned command_class, unsigned command) { le(command_class, 1).le(command, 1); }
  Bytes& le(std::uint64_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i) push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    return *this;
  }
  Bytes& zeros(std::size_t count) {
    resize(size() + count);
    return *this;
  }
};

struct Row {
  std::string name;
  Bytes (*make)(unsigned pairs);
  std::uint64_t without = 0;  ///< features that are not negotiated
  std::size_t room = 1;       ///< for the answer
  bool answered = true;       ///< with VIRTIO_NET_ERR

  friend std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.name; }
};

// virtio_net_rss_config, right but for what is given.
struct Rss {
  std::uint32_t types = 1U << kHashTypeIpv4;
  unsigned mask = 1;
  unsigned unclassified = 0;
  unsigned entry = 0;
  unsigned transmit = 1;
  unsigned key = kRssKeyBytes;        // promised
  unsigned key_bytes = kRssKeyBytes;  // there
};
Bytes rss(const Rss& config) {
  Bytes bytes(kCtrlClassMq, kCtrlMqRssConfig);
  bytes.le(config.types, 4).le(config.mask, 2).le(config.unclassified, 2);
  for (unsigned n = 0; n <= config.mask; ++n) bytes.le(n == config.mask ? config.entry : 0, 2);
  return bytes.le(config.transmit, 2).le(config.key, 1).zeros(config.key_bytes);
}
Bytes hash(std::uint32_t types, unsigned key, unsigned key_bytes) {
  return Bytes(kCtrlClassMq, kCtrlMqHashConfig).le(types, 4).zeros(8).le(key, 1).zeros(key_bytes);
}
Bytes table(std::uint64_t promised, std::size_t there) {
  return Bytes(kCtrlClassMac, kCtrlMacTableSet).le(promised, 4).zeros(6 * there);
}
Bytes coalesce(std::uint64_t packets, std::uint64_t usecs) {
  return Bytes(kCtrlClassNotfCoal, kCtrlNotfCoalTxSet).le(packets, 4).le(usecs, 4);
}
Bytes coalesce_one(unsigned virtqueue, std::uint64_t packets, std::uint64_t usecs) {
  return Bytes(kCtrlClassNotfCoal, kCtrlNotfCoalVqSet)
      .le(virtqueue, 2)
      .zeros(2)
      .le(packets, 4)
      .le(usecs, 4);
}
Bytes coalesce_get(unsigned virtqueue) {
  return Bytes(kCtrlClassNotfCoal, kCtrlNotfCoalVqGet).le(virtqueue, 2).zeros(2);
}
Bytes mode(unsigned command) { return Bytes(kCtrlClassRx, command).le(1, 1); }
Bytes vlan(unsigned command, unsigned vid) { return Bytes(kCtrlClassVlan, command).le(vid, 2); }
Bytes pairs_set(unsigned pairs) { return Bytes(kCtrlClassMq, kCtrlMqVqPairsSet).le(pairs, 2); }

#define MAKE(expression) [](unsigned pairs [[maybe_unused]]) -> Bytes { return expression; }

std::vector<Row> unknown() {
  return {
      {"no_room_for_the_answer", MAKE(mode(kCtrlRxPromisc)), 0, 0, false},
      {"class_7", MAKE(Bytes(7, 0))},
      {"class_255", MAKE(Bytes(255, 0).zeros(20))},
      {"rx_command_6", MAKE(mode(6))},
      {"mac_command_2", MAKE(Bytes(kCtrlClassMac, 2).zeros(6))},
      {"vlan_command_2", MAKE(vlan(2, 5))},
      {"announce", MAKE(Bytes(kCtrlClassAnnounce, 0))},
      {"mq_command_3", MAKE(Bytes(kCtrlClassMq, 3).le(1, 2))},
      {"offloads_command_1", MAKE(Bytes(kCtrlClassGuestOffloads, 1).zeros(8))},
      {"coal_command_4", MAKE(Bytes(kCtrlClassNotfCoal, 4).zeros(8))},
  };
}

std::vector<Row> payloads() {
  return {
      {"promisc_2", MAKE(Bytes(kCtrlClassRx, kCtrlRxPromisc).le(2, 1))},
      {"promisc_without_value", MAKE(Bytes(kCtrlClassRx, kCtrlRxPromisc))},
      {"promisc_two_bytes", MAKE(mode(kCtrlRxPromisc).zeros(1))},
      {"allmulti_255", MAKE(Bytes(kCtrlClassRx, kCtrlRxAllmulti).le(255, 1))},
      {"alluni_2", MAKE(Bytes(kCtrlClassRx, kCtrlRxAlluni).le(2, 1))},
      {"nomulti_2", MAKE(Bytes(kCtrlClassRx, kCtrlRxNomulti).le(2, 1))},
      {"nouni_2", MAKE(Bytes(kCtrlClassRx, kCtrlRxNouni).le(2, 1))},
      {"nobcast_2", MAKE(Bytes(kCtrlClassRx, kCtrlRxNobcast).le(2, 1))},
      {"mac_5_bytes", MAKE(Bytes(kCtrlClassMac, kCtrlMacAddrSet).zeros(5))},
      {"mac_7_bytes", MAKE(Bytes(kCtrlClassMac, kCtrlMacAddrSet).zeros(7))},
      {"mac_of_a_group", MAKE(Bytes(kCtrlClassMac, kCtrlMacAddrSet).le(0x33, 1).zeros(5))},
      {"table_empty", MAKE(Bytes(kCtrlClassMac, kCtrlMacTableSet))},
      {"table_too_few", MAKE(table(3, 2))},
      {"table_too_many", MAKE(table(0x1'0000, 1))},
      {"table_one_list", MAKE(table(2, 2))},
      {"table_trailing_byte", MAKE(table(1, 1).le(0, 4).zeros(1))},
      {"vlan_4096", MAKE(vlan(kCtrlVlanAdd, 4096))},
      {"vlan_65535", MAKE(vlan(kCtrlVlanAdd, 65535))},
      {"vlan_del_4096", MAKE(vlan(kCtrlVlanDel, 4096))},
      {"vlan_one_byte", MAKE(Bytes(kCtrlClassVlan, kCtrlVlanAdd).zeros(1))},
      {"vlan_three_bytes", MAKE(vlan(kCtrlVlanAdd, 5).zeros(1))},
      {"pairs_0", MAKE(pairs_set(0))},
      {"pairs_one_too_many", MAKE(pairs_set(pairs + 1))},
      {"pairs_65535", MAKE(pairs_set(65535))},
      {"pairs_one_byte", MAKE(Bytes(kCtrlClassMq, kCtrlMqVqPairsSet).le(1, 1))},
      {"offloads_reserved_bit", MAKE(Bytes(kCtrlClassGuestOffloads, 0).le(feature(63), 8))},
      {"offloads_ufo", MAKE(Bytes(kCtrlClassGuestOffloads, 0).le(feature(kFeatureGuestUfo), 8))},
      {"offloads_7_bytes", MAKE(Bytes(kCtrlClassGuestOffloads, 0).zeros(7))},
      {"coal_packets_65536", MAKE(coalesce(65536, 0))},
      {"coal_usecs_65536", MAKE(coalesce(0, 65536))},
      {"coal_7_bytes", MAKE(Bytes(kCtrlClassNotfCoal, kCtrlNotfCoalRxSet).zeros(7))},
      {"coal_9_bytes", MAKE(Bytes(kCtrlClassNotfCoal, kCtrlNotfCoalRxSet).zeros(9))},
      {"coal_vq_control", MAKE(coalesce_one(2 * pairs, 1, 1))},
      {"coal_vq_beyond", MAKE(coalesce_one(2 * pairs + 1, 1, 1))},
      {"coal_vq_65535", MAKE(coalesce_one(65535, 1, 1))},
      {"coal_vq_usecs_65536", MAKE(coalesce_one(0, 1, 65536))},
      {"coal_vq_11_bytes", MAKE(Bytes(kCtrlClassNotfCoal, kCtrlNotfCoalVqSet).zeros(11))},
      {"coal_get_control", MAKE(coalesce_get(2 * pairs)), 0, 9},
      {"coal_get_beyond", MAKE(coalesce_get(2 * pairs + 1)), 0, 9},
      {"coal_get_without_room", MAKE(coalesce_get(0)), 0, 8},
      {"coal_get_3_bytes", MAKE(Bytes(kCtrlClassNotfCoal, kCtrlNotfCoalVqGet).zeros(3)), 0, 9},
  };
}

std::vector<Row> steering() {
  return {
      {"rss_type_6", MAKE(rss({.types = 1U << kHashTypeIpEx}))},  // is not offered
      {"rss_type_9", MAKE(rss({.types = 1U << 9U}))},
      {"rss_type_31", MAKE(rss({.types = 1U << 31U}))},
      {"rss_table_of_3", MAKE(rss({.mask = 2}))},
      {"rss_table_of_256", MAKE(rss({.mask = 255}))},
      {"rss_table_of_65536",
       MAKE(Bytes(kCtrlClassMq, kCtrlMqRssConfig).le(1, 4).le(65535, 2).zeros(60))},
      {"rss_unclassified_beyond", MAKE(rss({.unclassified = pairs}))},
      {"rss_entry_beyond", MAKE(rss({.entry = pairs}))},
      {"rss_entry_65535", MAKE(rss({.mask = 127, .entry = 65535}))},
      {"rss_transmit_0", MAKE(rss({.transmit = 0}))},
      {"rss_transmit_beyond", MAKE(rss({.transmit = pairs + 1}))},
      {"rss_key_of_41", MAKE(rss({.key = 41, .key_bytes = 41}))},
      {"rss_key_short", MAKE(rss({.key_bytes = 39}))},
      {"rss_key_long", MAKE(rss({.key_bytes = 44}))},
      {"rss_key_missing", MAKE(rss({.key = 0, .key_bytes = 0}))},
      {"rss_empty", MAKE(Bytes(kCtrlClassMq, kCtrlMqRssConfig))},
      {"hash_type_8", MAKE(hash(1U << kHashTypeUdpEx, 40, 40))},
      {"hash_type_9", MAKE(hash(1U << 9U, 40, 40))},
      {"hash_key_of_41", MAKE(hash(1, 41, 41))},
      {"hash_key_short", MAKE(hash(1, 40, 39))},
      {"hash_key_missing", MAKE(hash(1, 0, 0))},
      {"hash_empty", MAKE(Bytes(kCtrlClassMq, kCtrlMqHashConfig))},
  };
}

constexpr std::uint64_t kNeedsCtrlRx = feature(kFeatureCtrlRx) | feature(kFeatureCtrlRxExtra);

std::vector<Row> not_negotiated() {
  return {
      {"without_ctrl_rx", MAKE(mode(kCtrlRxPromisc)), kNeedsCtrlRx},
      {"without_ctrl_rx_extra", MAKE(mode(kCtrlRxAlluni)), feature(kFeatureCtrlRxExtra)},
      {"table_without_ctrl_rx", MAKE(table(0, 0).le(0, 4)), kNeedsCtrlRx},
      {"mac_without_either", MAKE(Bytes(kCtrlClassMac, kCtrlMacAddrSet).le(2, 1).zeros(5)),
       kNeedsCtrlRx | feature(kFeatureCtrlMacAddr)},
      {"without_ctrl_vlan", MAKE(vlan(kCtrlVlanAdd, 5)), feature(kFeatureCtrlVlan)},
      {"without_mq", MAKE(pairs_set(1)), feature(kFeatureMq)},
      {"without_rss", MAKE(rss({})), feature(kFeatureRss)},
      {"without_hash_report", MAKE(hash(1, 40, 40)), feature(kFeatureHashReport)},
      {"without_offloads", MAKE(Bytes(kCtrlClassGuestOffloads, 0).zeros(8)),
       feature(kFeatureCtrlGuestOffloads)},
      {"offload_not_negotiated",
       MAKE(Bytes(kCtrlClassGuestOffloads, 0).le(feature(kFeatureGuestTso6), 8)),
       feature(kFeatureGuestTso6)},
      {"without_notf_coal", MAKE(coalesce(1, 1)), feature(kFeatureNotfCoal)},
      {"without_vq_notf_coal", MAKE(coalesce_one(0, 1, 1)), feature(kFeatureVqNotfCoal)},
      {"get_without_vq_notf_coal", MAKE(coalesce_get(0)), feature(kFeatureVqNotfCoal), 9},
  };
}

std::vector<Row> all_rows() {
  std::vector<Row> rows;
  for (const auto& part : {unknown(), payloads(), steering(), not_negotiated()}) {
    rows.insert(rows.end(), part.begin(), part.end());
  }
  return rows;
}

class BadCommand : public testing::TestWithParam<std::tuple<std::string, Row>> {
 protected:
  // Carried out, or answered with an error, and counted so.
  static void expect(FaultHost& host, std::span<const std::uint8_t> bytes, bool good,
                     std::size_t room = 1, bool answered = true) {
    const auto commands = host.counter(kCounterCtrlCommands);
    const auto errors = host.counter(kCounterCtrlErrors);
    const auto ack = host.command(bytes, room);
    EXPECT_EQ(ack.has_value(), answered);
    EXPECT_EQ(ack.value_or(kCtrlAckErr), good ? kCtrlAckOk : kCtrlAckErr);
    EXPECT_EQ(host.counter(kCounterCtrlCommands), commands + (good ? 1 : 0));
    EXPECT_EQ(host.counter(kCounterCtrlErrors), errors + (good ? 0 : 1));
  }
};

TEST_P(BadCommand, IsRefusedAndChangesNothing) {
  const auto& [profile, row] = GetParam();
  FaultHost host(profile);
  host.start(host.offered() & ~row.without);
  host.receive(5);
  expect(host, row.make(host.pairs()), false, row.room, row.answered);
  expect(host, vlan(kCtrlVlanAdd, 5), (row.without & feature(kFeatureCtrlVlan)) == 0);
  const std::uint8_t mac[] = {2, 0, 0, 0, 0, 1};
  for (unsigned i = 0; i < 6; ++i) {
    EXPECT_EQ(host.read(kBarDeviceConfig + kDeviceConfigMac + i, 1), mac[i]);
  }
  host.expect_service(20);
  host.expect_conservation();
}

INSTANTIATE_TEST_SUITE_P(Each, BadCommand,
                         testing::Combine(testing::ValuesIn(kFaultProfiles),
                                          testing::ValuesIn(all_rows())),
                         [](const auto& each) {
                           return std::get<0>(each.param) + "_" + std::get<1>(each.param).name;
                         });

// Chains that are no command at all.
TEST(BadCommandChain, OfAnyShapeIsReturnedAndCounted) {
  FaultHost host("edge10");
  host.start();
  const unsigned virtqueue = host.control();
  const auto piece = [&](std::size_t bytes, bool write) {
    return host.buffer(virtqueue, bytes, write);
  };
  const auto expect_error = [&](const char* what, const std::vector<Piece>& chain, int ack_at) {
    SCOPED_TRACE(what);
    const auto errors = host.counter(kCounterCtrlErrors);
    const auto returned = host.returned(virtqueue);
    host.give(virtqueue, chain);
    EXPECT_TRUE(host.run_until([&] { return host.returned(virtqueue) == returned + 1; }));
    EXPECT_EQ(host.counter(kCounterCtrlErrors), errors + 1);
    if (ack_at < 0) return;
    const auto ack = host.memory().at(chain[static_cast<std::size_t>(ack_at)].address, 1)[0];
    EXPECT_EQ(std::to_integer<unsigned>(ack), kCtrlAckErr);
  };
  expect_error("no readable byte", {piece(1, true)}, 0);
  expect_error("one readable byte", {piece(1, false), piece(1, true)}, 1);
  expect_error("nothing but a readable byte", {piece(1, false)}, -1);
  std::vector<Piece> many;
  for (unsigned n = 0; n < 241; ++n) many.push_back(piece(1, false));
  many.push_back(piece(1, true));
  expect_error("more readable descriptors than the device looks at", many, 241);
  host.expect_service(20);
  host.expect_conservation();
}

}  // namespace
}  // namespace nicroscope::test
