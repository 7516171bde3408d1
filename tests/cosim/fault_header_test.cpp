// SPDX-License-Identifier: Apache-2.0
// Transmit chains that are no frame, and virtio_net_hdr fields that lie (virtio 1.2, 5.1.6.2): the
// device drops the chain, counts it, and gives the buffer back; or it sends what the golden
// segmenter makes of it, where the field is one to be ignored. Traffic goes on without a reset.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/cosim/fault_host.h"
#include "tests/golden/checksum.h"
#include "tests/golden/frame_builder.h"
#include "tests/golden/segment.h"

namespace nicroscope::test {
namespace {

using golden::Bytes;
using golden::L3;
using golden::TransmitFrame;

enum class Outcome { dropped, sent };

struct Row {
  const char* name;
  TransmitFrame (*make)();
  Outcome outcome = Outcome::dropped;
  std::uint64_t without = 0;  ///< features that are not negotiated

  friend std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.name; }
};

constexpr std::size_t kEthernet = 14;
constexpr std::size_t kIp4 = kEthernet + 20;
constexpr std::size_t kIp6 = kEthernet + 40;

// A whole frame without offloads.
TransmitFrame plain(std::size_t bytes = 200) {
  golden::Recipe recipe;
  recipe.l3 = L3::none;
  recipe.payload_bytes = bytes - kEthernet;
  recipe.pad = false;
  return {{}, golden::build(recipe)};
}

// One whose TCP checksum the device puts in.
TransmitFrame with_checksum() {
  golden::Recipe recipe;
  recipe.payload_bytes = 300;
  TransmitFrame frame{{}, golden::build(recipe)};
  frame.header.flags = regs::kNetHdrFNeedsCsum;
  frame.header.csum_start = kIp4;
  frame.header.csum_offset = 16;
  return frame;
}

// The driver leaves the sum over the pseudo-header in the check field (5.1.6.2).
void leave_pseudo_sum(TransmitFrame& frame, L3 l3, std::uint8_t protocol) {
  const golden::View bytes = frame.bytes;
  const std::size_t l4 = frame.header.csum_start;
  const std::size_t width = l3 == L3::ipv6 ? 16 : 4;
  const auto length = static_cast<std::uint32_t>(bytes.size() - l4);
  // The addresses are the last of an IP header without options.
  golden::put16(frame.bytes, l4 + frame.header.csum_offset,
                golden::pseudo_sum(bytes.subspan(l4 - 2 * width, width),
                                   bytes.subspan(l4 - width, width), protocol, length));
}

// A super-frame of 2,000 bytes in segments of 700.
TransmitFrame super(L3 l3, std::uint8_t protocol, std::uint8_t type, std::size_t payload = 2000) {
  golden::Recipe recipe;
  recipe.l3 = l3;
  recipe.protocol = protocol;
  recipe.payload_bytes = payload;
  TransmitFrame frame{{}, golden::build(recipe)};
  const bool udp = protocol == golden::kUdp;
  frame.header.flags = regs::kNetHdrFNeedsCsum;
  frame.header.gso_type = type;
  frame.header.gso_size = 700;
  const std::size_t start = l3 == L3::ipv6 ? kIp6 : kIp4;
  frame.header.csum_start = static_cast<std::uint16_t>(start);
  frame.header.csum_offset = udp ? 6 : 16;
  frame.header.hdr_len = static_cast<std::uint16_t>(start + (udp ? 8 : 20));
  leave_pseudo_sum(frame, l3, protocol);
  return frame;
}
TransmitFrame tcp4() { return super(L3::ipv4, golden::kTcp, regs::kNetHdrGsoTcpV4); }
TransmitFrame tcp6() { return super(L3::ipv6, golden::kTcp, regs::kNetHdrGsoTcpV6); }
TransmitFrame udp4() { return super(L3::ipv4, golden::kUdp, regs::kNetHdrGsoUdpL4); }
TransmitFrame udp6() { return super(L3::ipv6, golden::kUdp, regs::kNetHdrGsoUdpL4); }

// `frame`, changed.
template <typename Change>
TransmitFrame but(TransmitFrame frame, Change change) {
  change(frame);
  return frame;
}

#define ROW(name, frame, change) \
  name, [] { return but(frame, [](TransmitFrame& f [[maybe_unused]]) { change; }); }

std::vector<Row> chains() {
  return {
      {ROW("no_frame", plain(), f.bytes.clear())},
      {ROW("13_bytes", plain(), f.bytes.resize(13))},
      {ROW("14_bytes", plain(), f.bytes.resize(14)), Outcome::sent},
      {ROW("as_long_as_a_frame_may_be", plain(9022), ), Outcome::sent},
      {ROW("one_byte_longer", plain(9023), )},
      {ROW("longer_than_a_super_frame", plain(), f.bytes.resize(65'558))},
      {ROW("twice_as_long", plain(), f.bytes.resize(131'000))},
  };
}

std::vector<Row> checksums() {
  constexpr std::uint64_t kCsum = feature(regs::kFeatureCsum) | feature(regs::kFeatureHostTso4) |
                                  feature(regs::kFeatureHostTso6) | feature(regs::kFeatureHostEcn) |
                                  feature(regs::kFeatureHostUso);
  return {
      {ROW("csum_not_negotiated", with_checksum(), ), Outcome::dropped, kCsum},
      {ROW("csum_start_behind_the_frame", with_checksum(), f.header.csum_start = 500)},
      {ROW("csum_start_65535", with_checksum(), f.header.csum_start = 65535)},
      {ROW("csum_offset_behind_the_frame", with_checksum(), f.header.csum_offset = 400)},
      {ROW("csum_offset_65535", with_checksum(), f.header.csum_offset = 65535)},
      {ROW("csum_one_byte_too_far", with_checksum(),
           f.header.csum_offset = static_cast<std::uint16_t>(f.bytes.size() - kIp4 - 1))},
      {ROW("csum_in_the_last_two_bytes", with_checksum(),
           f.header.csum_offset = static_cast<std::uint16_t>(f.bytes.size() - kIp4 - 2)),
       Outcome::sent},
      {ROW("csum_start_odd", with_checksum(), f.header.csum_start = kIp4 + 1), Outcome::sent},
      {ROW("csum_start_0", with_checksum(), f.header.csum_start = 0), Outcome::sent},
      {ROW("csum_fields_without_the_flag", with_checksum(), f.header.flags = 0;
           f.header.csum_start = 65535),
       Outcome::sent},
      {ROW("unknown_flags", with_checksum(), f.header.flags |= 0xf8), Outcome::sent},
      {ROW("data_valid", plain(), f.header.flags = regs::kNetHdrFDataValid), Outcome::sent},
      {ROW("rsc_info", plain(), f.header.flags = regs::kNetHdrFRscInfo), Outcome::sent},
      {ROW("num_buffers", plain(), f.header.num_buffers = 65535), Outcome::sent},
  };
}

std::vector<Row> types() {
  using namespace regs;  // NOLINT: the features' names
  return {
      {ROW("gso_2", tcp4(), f.header.gso_type = 2)},
      {ROW("gso_6", tcp4(), f.header.gso_type = 6)},
      {ROW("gso_127", tcp4(), f.header.gso_type = 127)},
      {ROW("gso_udp_fragmentation", udp4(), f.header.gso_type = kNetHdrGsoUdp)},
      {ROW("tso4_not_negotiated", tcp4(), ), Outcome::dropped, feature(kFeatureHostTso4)},
      {ROW("tso6_not_negotiated", tcp6(), ), Outcome::dropped, feature(kFeatureHostTso6)},
      {ROW("uso_not_negotiated", udp6(), ), Outcome::dropped, feature(kFeatureHostUso)},
      {ROW("ecn_not_negotiated", tcp4(), f.header.gso_type |= kNetHdrGsoEcn), Outcome::dropped,
       feature(kFeatureHostEcn)},
      {ROW("ecn_alone", plain(), f.header.gso_type = kNetHdrGsoEcn)},
      {ROW("ecn_with_udp", udp4(), f.header.gso_type |= kNetHdrGsoEcn)},
      {ROW("gso_without_csum", tcp4(), f.header.flags = 0)},
      {ROW("tso4_on_udp", udp4(), f.header.gso_type = kNetHdrGsoTcpV4; f.header.csum_offset = 16)},
      {ROW("tso6_on_udp", udp6(), f.header.gso_type = kNetHdrGsoTcpV6)},
      {ROW("tso4_on_ipv6", tcp6(), f.header.gso_type = kNetHdrGsoTcpV4)},
      {ROW("tso6_on_ipv4", tcp4(), f.header.gso_type = kNetHdrGsoTcpV6)},
      {ROW("uso_on_tcp", tcp4(), f.header.gso_type = kNetHdrGsoUdpL4; f.header.csum_offset = 6)},
      {ROW("tso4_on_no_ip", tcp4(), golden::put16(f.bytes, 12, 0x88b5))},
  };
}

std::vector<Row> sizes() {
  return {
      {ROW("gso_size_0", tcp4(), f.header.gso_size = 0)},
      {ROW("gso_size_1", super(L3::ipv4, golden::kTcp, regs::kNetHdrGsoTcpV4, 30),
           f.header.gso_size = 1),
       Outcome::sent},
      {ROW("gso_size_of_all", tcp4(), f.header.gso_size = 2000), Outcome::sent},
      {ROW("gso_size_65535", tcp4(), f.header.gso_size = 65535), Outcome::sent},
      {ROW("segment_too_long", super(L3::ipv4, golden::kTcp, regs::kNetHdrGsoTcpV4, 30'000),
           f.header.gso_size = 8969)},
      {ROW("segment_as_long_as_may_be",
           super(L3::ipv4, golden::kTcp, regs::kNetHdrGsoTcpV4, 30'000), f.header.gso_size = 8968),
       Outcome::sent},
      {ROW("hdr_len_0", tcp4(), f.header.hdr_len = 0), Outcome::sent},
      {ROW("hdr_len_65535", udp6(), f.header.hdr_len = 65535), Outcome::sent},
      {ROW("no_payload", tcp4(), f.bytes.resize(kIp4 + 20))},
      {ROW("half_a_tcp_header", tcp4(), f.bytes.resize(kIp4 + 10))},
      {ROW("half_an_ip_header", tcp6(), f.bytes.resize(kEthernet + 10))},
      {ROW("half_a_udp_header", udp4(), f.bytes.resize(kIp4 + 7))},
  };
}

std::vector<Row> places() {
  return {
      {ROW("tso_csum_offset_6", tcp4(), f.header.csum_offset = 6)},
      {ROW("uso_csum_offset_16", udp4(), f.header.csum_offset = 16)},
      {ROW("tso_csum_start_odd", tcp4(), f.header.csum_start = kIp4 + 1)},
      {ROW("tso_csum_start_in_the_ip_header", tcp4(), f.header.csum_start = kIp4 - 4)},
      {ROW("tso_csum_start_behind_the_header", tcp4(), f.header.csum_start = kIp4 + 4)},
      {ROW("tso6_csum_start_in_the_ip_header", tcp6(), f.header.csum_start = kIp6 - 2)},
      {ROW("tso_csum_start_300", tcp4(), f.header.csum_start = 300)},
      {ROW("tso_csum_start_0", tcp4(), f.header.csum_start = 0)},
      {ROW("ip_version_5", tcp4(), golden::put8(f.bytes, kEthernet, 0x55))},
      {ROW("ip_header_length_4", tcp4(), golden::put8(f.bytes, kEthernet, 0x44))},
      {ROW("ip_header_length_15", tcp4(), golden::put8(f.bytes, kEthernet, 0x4f))},
      {ROW("tcp_data_offset_4", tcp4(), golden::put8(f.bytes, kIp4 + 12, 0x40))},
      {ROW("tcp_data_offset_behind_the_frame", tcp4(), f.bytes.resize(kIp4 + 40);
           golden::put8(f.bytes, kIp4 + 12, 0xf0))},
  };
}

std::vector<Row> all_rows() {
  std::vector<Row> rows;
  for (const auto& part : {chains(), checksums(), types(), sizes(), places()}) {
    rows.insert(rows.end(), part.begin(), part.end());
  }
  return rows;
}

class BadHeader : public testing::TestWithParam<std::tuple<std::string, Row>> {};

TEST_P(BadHeader, IsDroppedOrIgnoredAndCounted) {
  const auto& [profile, row] = GetParam();
  FaultHost host(profile);
  const std::uint64_t features = host.offered() & ~row.without;
  host.start(features);
  const auto has = [&](unsigned number) { return (features & feature(number)) != 0; };
  const TransmitFrame frame = row.make();
  const auto segments =
      golden::segment(frame.bytes, frame.header,
                      {has(regs::kFeatureCsum), has(regs::kFeatureHostTso4),
                       has(regs::kFeatureHostTso6), has(regs::kFeatureHostEcn),
                       has(regs::kFeatureHostUso), host.simulation().profile().max_frame - 4});
  ASSERT_EQ(segments.has_value(), row.outcome == Outcome::sent) << "by the golden segmenter";

  // Among others, of which none is lost.
  host.receive(5);
  host.send(3);
  const auto bad = host.counter(regs::kCounterTxDropBad);
  const auto returned = host.returned(1);
  host.send_frame(0, frame.header, frame.bytes);
  host.send(3);
  EXPECT_TRUE(host.run_until([&] { return host.returned(1) >= returned + 4; }));
  host.run_for(std::chrono::microseconds{100});
  EXPECT_EQ(host.counter(regs::kCounterTxDropBad), bad + (segments ? 0 : 1));
  ASSERT_EQ(host.strays.size(), segments ? segments->size() : 0);
  for (std::size_t n = 0; n < host.strays.size(); ++n) {
    Bytes expected = (*segments)[n];
    if (host.pads() && expected.size() < golden::kLeastFrame) {
      expected.resize(golden::kLeastFrame);
    }
    const std::size_t check = std::size_t{frame.header.csum_start} + frame.header.csum_offset;
    EXPECT_TRUE(golden::same_frame(host.strays[n], expected, check)) << "segment " << n;
  }
  host.expect_service();
  host.expect_conservation();
}

INSTANTIATE_TEST_SUITE_P(Each, BadHeader,
                         testing::Combine(testing::ValuesIn(kFaultProfiles),
                                          testing::ValuesIn(all_rows())),
                         [](const auto& each) {
                           return std::get<0>(each.param) + "_" + std::get<1>(each.param).name;
                         });

// More descriptors in a chain than the device takes apart.
TEST(BadHeaderChain, OfTooManyDescriptorsIsDropped) {
  for (const unsigned descriptors : {64U, 65U, 200U, FaultHost::kRing}) {
    SCOPED_TRACE(descriptors);
    FaultHost host("edge10");
    host.start();
    std::vector<Piece> chain;
    for (unsigned n = 0; n < descriptors; ++n) chain.push_back(host.buffer(1, 10, false));
    host.give(1, chain);
    EXPECT_TRUE(host.run_until([&] { return host.returned(1) == 1; }));
    host.run_for(std::chrono::microseconds{10});
    EXPECT_EQ(host.strays.size(), descriptors > 64 ? 0U : 1U);
    EXPECT_EQ(host.counter(regs::kCounterTxDropBad), descriptors > 64 ? 1U : 0U);
    host.expect_service(20);
    host.expect_conservation();
  }
}

// Descriptors that no frame fills, and that the device takes nevertheless.
TEST(BadHeaderChain, WithADescriptorLongerThanAnyFrameIsDropped) {
  for (const std::size_t bytes : {65'600U, 131'071U}) {
    SCOPED_TRACE(bytes);
    FaultHost host("edge10");
    host.start();
    host.give(1, {host.buffer(1, bytes, false)});
    host.give(1, {host.buffer(1, 30, false), host.buffer(1, bytes, false)});
    EXPECT_TRUE(host.run_until([&] { return host.returned(1) == 2; }));
    EXPECT_EQ(host.counter(regs::kCounterTxDropBad), 2U);
    host.expect_service(20);
    host.expect_conservation();
  }
}

}  // namespace
}  // namespace nicroscope::test
