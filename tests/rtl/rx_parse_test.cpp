// SPDX-License-Identifier: Apache-2.0
// The parser of received frames against the golden model: see parse_bench.h for what is compared.
#include <gtest/gtest.h>

#include "tests/rtl/support/parse_bench.h"

namespace nicroscope::test {
namespace {

using golden::Damage;
using golden::FrameMix;
using golden::L3;
using golden::Recipe;

class ParseSeeds : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(ParseSeeds, RandomFramesAreUnderstood) {
  ParseBench bench(GetParam());
  bench.set_key(golden::verification_key());
  const FrameMix mix{.jumbo_percent = 2};
  for (int i = 0; i < 3000; ++i) {
    bench.send(golden::build(golden::random_recipe(bench.random(), mix)), {.spacing = 20});
    if (::testing::Test::HasFailure()) return;
  }
  bench.drain();
  EXPECT_GT(bench.good(), 800U);
  EXPECT_GT(bench.bad(), 50U);
  EXPECT_GT(bench.lro(), 50U);
  EXPECT_GT(bench.hashed(), 500U);
}

TEST_P(ParseSeeds, GapsLossesAndSlowReaders) {
  ParseBench bench(GetParam());
  bench.set_key(golden::verification_key());
  bench.read_headers(3);
  const FrameMix mix{.largest = 300, .damage_percent = 30};
  ParseRoughness rough;
  for (int i = 0; i < 3000; ++i) {
    if (i % 100 == 0) {
      rough = {.gap = static_cast<unsigned>(bench.random().below(2) * 40),
               .lose = 20,
               .stall = static_cast<unsigned>(bench.random().below(4) * 33),
               .spacing = static_cast<unsigned>(bench.random().below(4) * 10)};
    }
    bench.send(golden::build(golden::random_recipe(bench.random(), mix)), rough);
    if (::testing::Test::HasFailure()) return;
  }
  bench.drain();
  EXPECT_GT(bench.judged(), 1000U);
  EXPECT_GT(bench.refused(), 10U);
}

TEST_P(ParseSeeds, ResetInTheMiddle) {
  ParseBench bench(GetParam());
  const FrameMix mix{.largest = 400};
  for (int round = 0; round < 100; ++round) {
    bench.set_key(golden::verification_key());
    const auto frames = bench.random().below(12);
    for (std::uint64_t i = 0; i < frames; ++i) {
      bench.send(golden::build(golden::random_recipe(bench.random(), mix)),
                 {.gap = 20, .stall = 80});
    }
    bench.forget();
    EXPECT_FALSE(bench.top().info_valid_o);
    if (::testing::Test::HasFailure()) return;
  }
  bench.drain();
}

TEST_P(ParseSeeds, EveryHashTypeOnItsOwn) {
  ParseBench bench(GetParam());
  golden::HashKey key;
  for (auto& byte : key) byte = static_cast<std::uint8_t>(bench.random().next());
  bench.set_key(key);
  const FrameMix mix{.largest = 200, .damage_percent = 0};
  for (int i = 0; i < 1500; ++i) {
    if (i % 50 == 0) {
      bench.drain();
      bench.set_types(static_cast<std::uint32_t>(bench.random().below(512)));
    }
    bench.send(golden::build(golden::random_recipe(bench.random(), mix)), {.spacing = 20});
    if (::testing::Test::HasFailure()) return;
  }
  bench.drain();
}

INSTANTIATE_TEST_SUITE_P(Seeds, ParseSeeds, ::testing::Range<std::uint64_t>(1, 5));

Recipe udp(std::size_t payload) {
  Recipe recipe;
  recipe.protocol = golden::kUdp;
  recipe.payload_bytes = payload;
  recipe.payload_seed = payload;
  return recipe;
}

// Junk behind a short packet has no part in its checksum, whatever the sizes.
TEST(Parse, PaddingIsNotSummed) {
  ParseBench bench(1);
  for (std::size_t payload = 0; payload < 90; ++payload) {
    for (std::size_t junk = 0; junk < 20; ++junk) {
      Recipe recipe = udp(payload);
      recipe.trailing_bytes = junk;
      recipe.pad = false;
      bench.send(golden::build(recipe), {.spacing = 10});
      if (::testing::Test::HasFailure()) return;
    }
  }
  bench.drain();
  EXPECT_GT(bench.good(), 1000U);
}

// Both directions of a flow have one number.
TEST(Parse, SymmetricNumberOfAFlow) {
  ParseBench bench(1);
  bench.set_key(golden::verification_key());
  for (const std::size_t bytes : {4U, 16U}) {
    for (int i = 0; i < 50; ++i) {
      Recipe there = udp(30);
      there.l3 = bytes == 4 ? L3::ipv4 : L3::ipv6;
      for (std::size_t byte = 0; byte < bytes; ++byte) {
        golden::append8(there.source_address, static_cast<std::uint8_t>(bench.random().next()));
        golden::append8(there.destination_address,
                        static_cast<std::uint8_t>(bench.random().next()));
      }
      there.source_port = static_cast<std::uint16_t>(1 + bench.random().below(65535));
      there.destination_port = static_cast<std::uint16_t>(1 + bench.random().below(65535));
      Recipe back = there;
      std::swap(back.source_address, back.destination_address);
      std::swap(back.source_port, back.destination_port);
      back.payload_bytes = 77;
      bench.send(golden::build(there), {});
      bench.drain();
      const auto symmetric = bench.last_symmetric();
      const auto flow = bench.last_flow();
      bench.send(golden::build(back), {});
      bench.drain();
      EXPECT_NE(symmetric, 0U);
      EXPECT_EQ(bench.last_symmetric(), symmetric);
      EXPECT_NE(bench.last_flow(), flow);
    }
  }
}

// Frames of every layout, back to back as fast as the link brings them: none is refused.
TEST(Parse, KeepsUpWithTheLink) {
  struct Rate {
    std::size_t stream_bytes;
    double bytes_a_cycle;  // of the link, with preamble, check sequence and gap
  };
  constexpr Rate kRates[] = {{8, 8.0}, {16, 12.5}, {64, 42.0}};
  const auto rate = std::ranges::find(kRates, ParseBench::kStreamBytes, &Rate::stream_bytes);
  for (const std::size_t payload : {0U, 1U, 2U, 10U, 17U, 18U, 19U, 40U, 100U}) {
    for (int tcp = 0; tcp < 2; ++tcp) {
      ParseBench bench(1);
      Recipe recipe = udp(payload);
      if (tcp != 0) recipe.protocol = golden::kTcp;
      const auto frame = golden::build(recipe);
      double due = static_cast<double>(bench.now());
      for (int i = 0; i < 300; ++i) {
        while (static_cast<double>(bench.now()) < due) bench.cycle({});
        bench.send(frame, {});
        due += static_cast<double>(frame.size() + 24) / rate->bytes_a_cycle;
      }
      bench.drain();
      EXPECT_EQ(bench.refused(), 0U) << "payload " << payload << ", tcp " << tcp;
    }
  }
}

// An answer comes soon after the last beat.
TEST(Parse, LatencyOfAShortFrame) {
  ParseBench bench(1);
  bench.send(golden::build(udp(18)), {});
  bench.drain();
  EXPECT_LE(bench.slowest(), 11U);
}

TEST(Parse, LatencyOfALongFrame) {
  ParseBench bench(1);
  bench.send(golden::build(udp(1472)), {});
  bench.drain();
  EXPECT_LE(bench.slowest(), 11U);
}

// Damage of every kind on every small size: an answer comes always, and it is never a false one.
TEST(Parse, EveryCut) {
  ParseBench bench(1);
  const FrameMix mix{.largest = 200, .damage_percent = 50, .tag_percent = 60};
  for (int i = 0; i < 60; ++i) {
    const auto frame = golden::build(golden::random_recipe(bench.random(), mix));
    for (std::size_t size = 14; size < frame.size(); size += 1 + bench.random().below(3)) {
      bench.send(Bytes(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(size)),
                 {.spacing = 10});
      if (::testing::Test::HasFailure()) return;
    }
  }
  bench.drain();
}

}  // namespace
}  // namespace nicroscope::test
