// SPDX-License-Identifier: Apache-2.0
// The segmenter against the parser, and against GRO's rules: what it cuts, GRO puts together again.
#include <gtest/gtest.h>

#include <algorithm>

#include "nicroscope/registers.h"
#include "tests/golden/checksum.h"
#include "tests/golden/frame_builder.h"
#include "tests/golden/parse.h"
#include "tests/golden/segment.h"

namespace nicroscope::golden {
namespace {

TransmitFrame super_frame(L3 l3, std::uint8_t protocol, std::size_t payload, std::uint16_t size) {
  Recipe recipe;
  recipe.l3 = l3;
  recipe.protocol = protocol;
  recipe.payload_bytes = payload;
  recipe.id = 0xffff;
  recipe.seq = 0xfffffff0;
  recipe.flags = tcp::kAck | tcp::kPsh | tcp::kFin | tcp::kCwr;
  TransmitFrame out;
  out.bytes = build(recipe);
  const ParsedFrame parsed = parse(out.bytes);
  const bool udp = protocol == kUdp;
  out.header.flags = regs::kNetHdrFNeedsCsum;
  out.header.gso_type = udp              ? regs::kNetHdrGsoUdpL4
                        : l3 == L3::ipv4 ? regs::kNetHdrGsoTcpV4
                                         : regs::kNetHdrGsoTcpV6;
  if (!udp) out.header.gso_type |= regs::kNetHdrGsoEcn;
  out.header.gso_size = size;
  out.header.csum_start = static_cast<std::uint16_t>(parsed.l4_offset);
  out.header.csum_offset = udp ? 6 : 16;
  return out;
}

TEST(Segment, ChecksumOnly) {
  TransmitFrame frame = super_frame(L3::ipv4, kTcp, 55, 0);
  const ParsedFrame before = parse(frame.bytes);
  const Bytes right = frame.bytes;
  put16(frame.bytes, before.l4_offset + 16,
        pseudo_sum(before.source_address, before.destination_address, kTcp, 75));
  frame.header.gso_type = regs::kNetHdrGsoNone;
  const auto out = segment(frame.bytes, frame.header);
  ASSERT_TRUE(out);
  ASSERT_EQ(out->size(), 1U);
  EXPECT_EQ(out->front(), right);
}

TEST(Segment, TcpFieldsByRule) {
  for (const L3 l3 : {L3::ipv4, L3::ipv6}) {
    const TransmitFrame frame = super_frame(l3, kTcp, 2500, 1000);
    const auto out = segment(frame.bytes, frame.header);
    ASSERT_TRUE(out);
    ASSERT_EQ(out->size(), 3U);
    constexpr std::uint8_t flags[] = {tcp::kAck | tcp::kCwr, tcp::kAck,
                                      tcp::kAck | tcp::kPsh | tcp::kFin};
    Bytes payload;
    for (std::size_t i = 0; i < 3; ++i) {
      const ParsedFrame parsed = parse((*out)[i]);
      EXPECT_EQ(parsed.verdict, Verdict::good);
      EXPECT_EQ(parsed.payload_len, i == 2 ? 500U : 1000U);
      EXPECT_EQ(parsed.tcp_flags, flags[i]);
      EXPECT_EQ(parsed.seq, static_cast<std::uint32_t>(0xfffffff0 + i * 1000));
      if (l3 == L3::ipv4) {
        EXPECT_EQ(get16((*out)[i], 18), static_cast<std::uint16_t>(0xffff + i));
      }
      append(payload, View((*out)[i]).subspan(parsed.payload));
    }
    EXPECT_TRUE(std::equal(payload.rbegin(), payload.rend(), frame.bytes.rbegin()));
  }
}

TEST(Segment, UdpFieldsByRule) {
  for (const L3 l3 : {L3::ipv4, L3::ipv6}) {
    const TransmitFrame frame = super_frame(l3, kUdp, 2500, 1200);
    const auto out = segment(frame.bytes, frame.header);
    ASSERT_TRUE(out);
    ASSERT_EQ(out->size(), 3U);
    for (std::size_t i = 0; i < 3; ++i) {
      const ParsedFrame parsed = parse((*out)[i]);
      EXPECT_EQ(parsed.verdict, Verdict::good);
      EXPECT_EQ(parsed.payload_len, i == 2 ? 100U : 1200U);
      EXPECT_EQ((*out)[i].size(), parsed.ip_end);
    }
  }
}

TEST(Segment, RefusesWhatCannotBe) {
  const TransmitFrame good = super_frame(L3::ipv4, kTcp, 2500, 1000);
  ASSERT_TRUE(segment(good.bytes, good.header));
  const auto refused = [&](auto change) {
    TransmitFrame frame = good;
    TransmitFeatures features;
    change(frame, features);
    return !segment(frame.bytes, frame.header, features).has_value();
  };
  using F = TransmitFrame;
  using T = TransmitFeatures;
  EXPECT_TRUE(refused([](F&, T& t) { t.tso4 = false; }));
  EXPECT_TRUE(refused([](F&, T& t) { t.csum = false; }));
  EXPECT_TRUE(refused([](F&, T& t) { t.ecn = false; }));
  EXPECT_TRUE(refused([](F& f, T&) { f.header.gso_size = 0; }));
  EXPECT_TRUE(refused([](F& f, T&) { f.header.flags = 0; }));
  EXPECT_TRUE(refused([](F& f, T&) { f.header.gso_type = regs::kNetHdrGsoTcpV6; }));
  EXPECT_TRUE(refused([](F& f, T&) { f.header.gso_type = regs::kNetHdrGsoUdpL4; }));
  EXPECT_TRUE(refused([](F& f, T&) { f.header.gso_type = 2; }));
  EXPECT_TRUE(refused([](F& f, T&) { f.header.csum_start = 20; }));
  EXPECT_TRUE(refused([](F& f, T&) { f.header.csum_start = 60000; }));
  EXPECT_TRUE(refused([](F& f, T&) { f.bytes.resize(54); }));
  EXPECT_TRUE(refused([](F&, T& t) { t.largest_frame = 1053; }));
  EXPECT_FALSE(refused([](F&, T& t) { t.largest_frame = 1054; }));
  EXPECT_FALSE(refused([](F& f, T&) { f.header.flags |= 0xfc; })) << "unknown flags are ignored";
}

TEST(Segment, RefusesWhatIsSpoilt) {
  sim::Random random(9);
  for (unsigned round = 0; round < 500; ++round) {
    const TransmitFrame frame = spoil(random, random_transmit(random, {}));
    EXPECT_FALSE(segment(frame.bytes, frame.header)) << round;
  }
}

// A random chain's segments are all sound, and together they have its payload.
TEST(Segment, RandomChains) {
  sim::Random random(3);
  const TransmitMix mix;
  unsigned supers = 0;
  for (unsigned round = 0; round < 3000; ++round) {
    const TransmitFrame frame = random_transmit(random, mix);
    const auto out = segment(frame.bytes, frame.header);
    ASSERT_TRUE(out) << round;
    if (frame.header.flags == 0) {
      EXPECT_EQ(out->front(), frame.bytes);
      continue;
    }
    supers += frame.header.gso_type != 0 ? 1 : 0;
    std::size_t payload = 0;
    for (const Bytes& each : *out) {
      EXPECT_LE(each.size(), mix.largest_frame);
      const ParsedFrame parsed = parse(each);
      EXPECT_EQ(parsed.verdict, Verdict::good) << round;
      payload += parsed.payload_len;
    }
    const std::size_t headers = parse(out->front()).payload;
    EXPECT_EQ(headers + payload, frame.bytes.size());
  }
  EXPECT_GT(supers, 300U);
}

}  // namespace
}  // namespace nicroscope::golden
