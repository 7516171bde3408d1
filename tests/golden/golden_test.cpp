// SPDX-License-Identifier: Apache-2.0
// The golden models against known answers from the standards, and against each other.
#include <gtest/gtest.h>

#include <initializer_list>
#include <set>

#include "nicroscope/registers.h"
#include "tests/golden/checksum.h"
#include "tests/golden/filter.h"
#include "tests/golden/frame_builder.h"
#include "tests/golden/parse.h"
#include "tests/golden/rss.h"

namespace nicroscope::golden {
namespace {

Bytes bytes(std::initializer_list<unsigned> values) {
  Bytes out;
  for (const unsigned value : values) append8(out, value);
  return out;
}

Bytes words(std::initializer_list<unsigned> values) {
  Bytes out;
  for (const unsigned value : values) append16(out, value);
  return out;
}

TEST(Checksum, KnownAnswers) {
  // RFC 1071, 3: the example of that section.
  EXPECT_EQ(ones_sum(words({0x0001, 0xf203, 0xf4f5, 0xf6f7})), 0xddf2);
  // An IPv4 header that is in many textbooks: its checksum is 0xb861.
  const Bytes header =
      words({0x4500, 0x0073, 0x0000, 0x4000, 0x4011, 0, 0xc0a8, 0x0001, 0xc0a8, 0x00c7});
  EXPECT_EQ(internet_checksum(header), 0xb861);
  EXPECT_EQ(ones_sum(bytes({0x12})), 0x1200);
  EXPECT_EQ(ones_add(0xffff, 0x0001), 0x0001);
}

// "Verifying the RSS hash calculation" (Microsoft, network driver design guide).
TEST(Toeplitz, KnownAnswers) {
  const auto v4 = [](std::initializer_list<unsigned> source,
                     std::initializer_list<unsigned> destination, unsigned from, unsigned to) {
    Bytes input = bytes(source);
    append(input, bytes(destination));
    const std::uint32_t addresses = toeplitz(verification_key(), input);
    append16(input, from);
    append16(input, to);
    return std::pair{addresses, toeplitz(verification_key(), input)};
  };
  EXPECT_EQ(v4({66, 9, 149, 187}, {161, 142, 100, 80}, 2794, 1766),
            (std::pair{0x323e8fc2U, 0x51ccc178U}));
  EXPECT_EQ(v4({199, 92, 111, 2}, {65, 69, 140, 83}, 14230, 4739),
            (std::pair{0xd718262aU, 0xc626b0eaU}));
  EXPECT_EQ(v4({24, 19, 198, 95}, {12, 22, 207, 184}, 12898, 38024),
            (std::pair{0xd2d0a5deU, 0x5c2b394aU}));
  Bytes v6 = words({0x3ffe, 0x2501, 0x200, 0x1fff, 0, 0, 0, 7});
  append(v6, words({0x3ffe, 0x2501, 0x200, 3, 0, 0, 0, 1}));
  EXPECT_EQ(toeplitz(verification_key(), v6), 0x2cc18cd5U);
  append(v6, words({2794, 1766}));
  EXPECT_EQ(toeplitz(verification_key(), v6), 0x40207d3dU);
}

TEST(Parse, PlainTcp) {
  Recipe recipe;
  recipe.tags = {0x88a80064, 0x81002005};
  recipe.payload_bytes = 333;
  const ParsedFrame frame = parse(build(recipe));
  EXPECT_EQ(frame.tags, (std::vector<std::uint16_t>{0x64, 0x2005}));
  EXPECT_EQ(frame.vid(), 100);
  EXPECT_EQ(frame.l3_offset, 22U);
  EXPECT_EQ(frame.l4_offset, 42U);
  EXPECT_EQ(frame.payload, 62U);
  EXPECT_EQ(frame.payload_len, 333U);
  EXPECT_EQ(frame.verdict, Verdict::good);
  EXPECT_TRUE(frame.verdict_required);
  EXPECT_TRUE(frame.mergeable);
}

TEST(Parse, ExtensionsAndOptions) {
  Recipe recipe;
  recipe.l3 = L3::ipv6;
  recipe.protocol = kUdp;
  recipe.extensions = {Extension::hop_by_hop, Extension::routing, Extension::authentication,
                       Extension::destination};
  ParsedFrame frame = parse(build(recipe));
  EXPECT_EQ(frame.l4_offset, 14U + 40 + 8 + 24 + 24 + 8);
  EXPECT_EQ(frame.l4, L4::udp);
  EXPECT_EQ(frame.verdict, Verdict::good);
  EXPECT_TRUE(frame.extensions);
  EXPECT_FALSE(frame.mergeable);

  recipe.l3 = L3::ipv4;
  recipe.option_words = 10;
  frame = parse(build(recipe));
  EXPECT_EQ(frame.l4_offset, 14U + 60);
  EXPECT_EQ(frame.verdict, Verdict::good);
}

TEST(Parse, EveryDamageIsSeen) {
  for (const L3 l3 : {L3::ipv4, L3::ipv6}) {
    for (const std::uint8_t protocol : {kTcp, kUdp}) {
      for (unsigned damage = 1; damage <= static_cast<unsigned>(Damage::cut); ++damage) {
        SCOPED_TRACE(damage);
        Recipe recipe;
        recipe.l3 = l3;
        recipe.protocol = protocol;
        recipe.damage = static_cast<Damage>(damage);
        recipe.payload_seed = 12;
        if (l3 == L3::ipv6) recipe.extensions = {Extension::destination};
        const ParsedFrame frame = parse(build(recipe));
        const bool without_place = (recipe.damage == Damage::ip_checksum && l3 == L3::ipv6) ||
                                   (recipe.damage == Damage::no_checksum && protocol == kTcp) ||
                                   (recipe.damage == Damage::data_offset && protocol == kUdp) ||
                                   (recipe.damage == Damage::udp_length && protocol == kTcp);
        EXPECT_EQ(frame.verdict == Verdict::good, without_place);
        const bool wrong_sum = recipe.damage == Damage::l4_checksum ||
                               recipe.damage == Damage::payload_byte ||
                               (recipe.damage == Damage::ip_checksum && l3 == L3::ipv4);
        EXPECT_EQ(frame.verdict_required, wrong_sum || without_place);
      }
    }
  }
}

TEST(Parse, PaddingAndWhatIsBehindIt) {
  Recipe recipe;
  recipe.payload_bytes = 1;  // 55 bytes, padded to 60
  ParsedFrame frame = parse(build(recipe));
  EXPECT_EQ(frame.verdict, Verdict::good);
  EXPECT_TRUE(frame.verdict_required);
  EXPECT_FALSE(frame.mergeable) << "GRO refuses a frame with padding";
  recipe.payload_bytes = 200;
  recipe.trailing_bytes = 3;
  frame = parse(build(recipe));
  EXPECT_EQ(frame.verdict, Verdict::good);
  EXPECT_FALSE(frame.verdict_required);
}

// Every prefix of every kind of frame, and random bytes: no length is believed before it is
// checked.
TEST(Parse, TakesAnything) {
  sim::Random random(1);
  const FrameMix mix;
  for (unsigned round = 0; round < 300; ++round) {
    Bytes frame = build(random_recipe(random, mix));
    if (round % 3 == 0) {
      for (std::byte& byte : frame) {
        if (random.below(40) == 0) byte = static_cast<std::byte>(random.next());
      }
    }
    for (std::size_t size = 0; size <= frame.size() && size < 160; ++size) {
      const Bytes prefix(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(size));
      const ParsedFrame parsed = parse(prefix);
      EXPECT_LE(parsed.payload + parsed.payload_len, size);
    }
  }
}

// What random_recipe makes reaches every corner of the parser.
TEST(FrameBuilder, CoversTheParser) {
  sim::Random random(7);
  const FrameMix mix;
  std::set<std::tuple<std::size_t, L3, L4, Verdict>> seen;
  unsigned undamaged_bad = 0;
  unsigned malformed = 0;
  for (unsigned round = 0; round < 20000; ++round) {
    const Recipe recipe = random_recipe(random, mix);
    const Bytes bytes = build(recipe);
    const ParsedFrame frame = parse(bytes);
    ASSERT_GE(bytes.size(), kLeastFrame);
    ASSERT_LE(bytes.size(), mix.largest);
    seen.insert({frame.tags.size(), frame.l3, frame.l4, frame.verdict});
    if (recipe.damage == Damage::none && frame.verdict == Verdict::bad) ++undamaged_bad;
    if (frame.malformed) ++malformed;
  }
  EXPECT_EQ(undamaged_bad, 0U);
  EXPECT_GT(malformed, 200U);
  for (std::size_t tags = 0; tags <= 2; ++tags) {
    for (const L3 l3 : {L3::ipv4, L3::ipv6}) {
      for (const L4 l4 : {L4::tcp, L4::udp}) {
        for (const Verdict verdict : {Verdict::good, Verdict::bad}) {
          EXPECT_TRUE(seen.contains({tags, l3, l4, verdict}));
        }
      }
    }
  }
}

TEST(Rss, MostSpecificTypeOfThoseEnabled) {
  constexpr std::uint32_t all = 0x1ff;
  Recipe recipe;
  const auto report = [&](std::uint32_t types) {
    return frame_hash(parse(build(recipe)), types, verification_key()).report;
  };
  EXPECT_EQ(report(all), regs::kHashReportTcpv4);
  EXPECT_EQ(report(all & ~(1U << regs::kHashTypeTcpv4)), regs::kHashReportIpv4);
  EXPECT_EQ(report(1U << regs::kHashTypeUdpv4), regs::kHashReportNone);
  recipe.protocol = kUdp;
  recipe.more_fragments = true;
  EXPECT_EQ(report(all), regs::kHashReportIpv4);
  recipe = {};
  recipe.l3 = L3::ipv6;
  EXPECT_EQ(report(all), regs::kHashReportTcpv6);
  recipe.extensions = {Extension::home_address};
  EXPECT_EQ(report(all), regs::kHashReportTcpv6Ex);
  EXPECT_EQ(report(1U << regs::kHashTypeIpEx | 1U << regs::kHashTypeTcpv6),
            regs::kHashReportIpv6Ex);
  EXPECT_EQ(report(1U << regs::kHashTypeTcpv6), regs::kHashReportTcpv6);
  const ParsedFrame frame = parse(build(recipe));
  EXPECT_NE(frame_hash(frame, 1U << regs::kHashTypeTcpEx, verification_key()).value,
            frame_hash(frame, 1U << regs::kHashTypeTcpv6, verification_key()).value);
}

TEST(Rss, TableAndUnclassified) {
  RssConfig config{1U << regs::kHashTypeTcpv4, verification_key(), {3, 5, 7, 9}, 11};
  Recipe recipe;
  const ParsedFrame tcp = parse(build(recipe));
  const std::uint32_t hash = frame_hash(tcp, config.hash_types, config.key).value;
  EXPECT_EQ(rss_queue(tcp, config), 3 + 2 * (hash & 3));
  recipe.protocol = kUdp;
  EXPECT_EQ(rss_queue(parse(build(recipe)), config), 11);
}

TEST(Filter, Modes) {
  const Mac own{0x52, 0x54, 0, 0, 0, 1};
  const Mac other{0x52, 0x54, 0, 0, 0, 2};
  const Mac group{0x01, 0, 0x5e, 0, 0, 1};
  const Mac everyone{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  ReceiveFilter filter;
  filter.mac = own;
  filter.promisc = false;
  const auto accepts = [&](const Mac& destination) {
    Recipe recipe;
    recipe.destination = destination;
    return filter.accepts(parse(build(recipe)));
  };
  EXPECT_TRUE(accepts(own));
  EXPECT_FALSE(accepts(other));
  EXPECT_FALSE(accepts(group));
  EXPECT_TRUE(accepts(everyone));
  filter.unicast = {other};
  filter.multicast = {group};
  EXPECT_TRUE(accepts(other));
  EXPECT_TRUE(accepts(group));
  filter.nouni = filter.nomulti = filter.nobcast = true;
  filter.alluni = filter.allmulti = true;
  EXPECT_FALSE(accepts(own));
  EXPECT_FALSE(accepts(group));
  EXPECT_FALSE(accepts(everyone));
  filter.promisc = true;
  EXPECT_TRUE(accepts(everyone));
  filter.promisc = filter.nouni = false;
  filter.vlan_filter = true;
  EXPECT_TRUE(accepts(own)) << "without a tag the VLAN table does not matter";
  Recipe recipe;
  recipe.destination = own;
  recipe.tags = {0x81000005};
  EXPECT_FALSE(filter.accepts(parse(build(recipe))));
  filter.vlans.set(5);
  EXPECT_TRUE(filter.accepts(parse(build(recipe))));
}

}  // namespace
}  // namespace nicroscope::golden
