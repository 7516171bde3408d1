// SPDX-License-Identifier: Apache-2.0
// Coalescing of received frames, and the joining of their bytes: see lro_bench.h for what is
// checked.
#include <gtest/gtest.h>

#include "tests/golden/checksum.h"
#include "tests/rtl/support/lro_bench.h"

namespace nicroscope::test {
namespace {

using golden::Bytes;
using golden::FrameMix;
using golden::L3;
using golden::Recipe;
using golden::TcpFlow;
namespace tcp = golden::tcp;

// Frames of several flows, in any order, with something else now and then.
void send_mixed(LroBench& bench, unsigned flows, unsigned frames, unsigned near_miss,
                std::size_t largest, unsigned other = 10) {
  const FrameMix mix{.largest = largest};
  std::vector<TcpFlow> sources;
  for (unsigned i = 0; i < flows; ++i) sources.emplace_back(bench.random().next(), mix, near_miss);
  for (unsigned i = 0; i < frames && !::testing::Test::HasFailure(); ++i) {
    if (bench.random().below(100) < other) {
      bench.send(golden::random_recipe(bench.random(), mix));
    } else {
      bench.send(sources[bench.random().below(flows)].next());
    }
  }
}

class LroSeeds : public ::testing::TestWithParam<std::uint64_t> {};

// Exactly what GRO does, no more and no less, with few flows and with more than there are places.
TEST_P(LroSeeds, MergesWhatGroMerges) {
  std::uint64_t merged = 0;
  for (const unsigned flows : {1U, 4U, 16U, 24U}) {
    LroBench bench({.seed = GetParam(), .exact = true});
    send_mixed(bench, flows, LroBench::kSlots - 10, 15, 1514);
    bench.drain();
    if (HasFailure()) return;
    merged += bench.merged();
  }
  EXPECT_GT(merged, 200U);
}

// Everything at once: what comes out is legal, and nothing is held for too long.
TEST_P(LroSeeds, NothingWrongUnderBackPressure) {
  LroBench bench({.seed = GetParam(),
                  .head_gap = 20,
                  .frame_stall = 40,
                  .job_stall = 20,
                  .read_stall = 30,
                  .word_stall = 30,
                  .out_stall = 30,
                  .free_stall = 50,
                  .hurry = 10,
                  .flush = 2,
                  .pressure = 20,
                  .drop = 5,
                  .unwanted = 5});
  send_mixed(bench, 6, 1500, 15, 400);
  bench.drain();
  EXPECT_GT(bench.merged(), 100U);
  EXPECT_LT(bench.longest_stay(), LroBench::kLroCycles + 200);
}

// Flows that look alike, as far as the place to keep them goes.
TEST_P(LroSeeds, OneKeyForManyFlows) {
  LroBench bench({.seed = GetParam(), .keys = 0x30000, .exact = true});
  send_mixed(bench, 8, LroBench::kSlots - 10, 5, 300);
  bench.drain();
  EXPECT_LT(bench.merged(), 200U);
}

// The same run with and without clock edges while idle: the same events in the same cycles.
TEST_P(LroSeeds, NothingChangesWhileIdle) {
  LroConfig config{.seed = GetParam(), .frame_stall = 20, .word_stall = 20, .out_stall = 20};
  std::vector<std::string> events[2];
  std::uint64_t skipped = 0;
  for (unsigned run = 0; run < 2; ++run) {
    config.skip_idle = run == 1;
    LroBench bench(config);
    const FrameMix mix{.largest = 300};
    TcpFlow one(GetParam(), mix, 10);
    TcpFlow other(GetParam() + 10, mix, 10);
    std::uint64_t at = 2000;
    for (unsigned i = 0; i < 300; ++i) {
      at += bench.random().below(10) == 0 ? bench.random().below(9000) : bench.random().below(60);
      bench.send(bench.random().below(2) == 0 ? one.next() : other.next(), at);
    }
    bench.drain();
    events[run] = bench.events();
    skipped = bench.skipped();
  }
  EXPECT_EQ(events[0], events[1]);
  EXPECT_GT(skipped, 50000U);
}

TEST_P(LroSeeds, ResetInTheMiddle) {
  LroBench bench({.seed = GetParam(), .frame_stall = 20, .word_stall = 30, .out_stall = 30});
  for (unsigned round = 0; round < 30; ++round) {
    send_mixed(bench, 4, 60, 10, 500);
    bench.run(bench.random().below(1500));
    bench.reset();
    if (HasFailure()) return;
  }
  send_mixed(bench, 4, 100, 10, 500);
  bench.drain();
}

INSTANTIATE_TEST_SUITE_P(Seeds, LroSeeds, ::testing::Range<std::uint64_t>(1, 5));

Recipe segment(L3 l3, std::size_t tags, std::size_t payload, std::uint32_t number) {
  Recipe out;
  out.l3 = l3;
  for (std::size_t i = 0; i < tags; ++i) out.tags.push_back(0x81000005);
  out.payload_bytes = payload;
  out.payload_seed = number + 1;
  out.seq = static_cast<std::uint32_t>(0xffffff00 + number * payload);
  out.id = static_cast<std::uint16_t>(0xfffe + number);
  return out;
}

// Every header length, every place where one payload can end and the next begin.
TEST(Lro, EverySeam) {
  LroBench bench({.seed = 1});
  std::uint64_t frames = 0;
  for (const L3 l3 : {L3::ipv4, L3::ipv6}) {
    for (std::size_t tags = 0; tags < 3; ++tags) {
      for (std::size_t words = 0; words <= 10; words += bench.random().below(4) + 1) {
        for (std::size_t payload = 2; payload <= 132; payload += 2) {
          const auto count = static_cast<std::uint32_t>(2 + bench.random().below(5));
          for (std::uint32_t i = 0; i < count; ++i) {
            Recipe recipe = segment(l3, tags, payload, i);
            for (std::size_t w = 0; w < words; ++w)
              golden::append32(recipe.tcp_options, 0x01010101);
            recipe.pad = false;
            if (i + 1 == count) {
              recipe.payload_bytes = 1 + bench.random().below(payload);
              recipe.flags |= tcp::kPsh;
            }
            bench.send(recipe);
          }
          frames += count;
        }
        bench.drain();
        if (HasFailure()) return;
      }
    }
  }
  EXPECT_EQ(bench.delivered(), frames);
  EXPECT_GT(bench.merged(), frames / 2);
}

// The frame with its checksums made anew; its layout is that of `model`.
Bytes repaired(Bytes frame, const golden::ParsedFrame& model) {
  const std::size_t l3 = model.l3_offset;
  const std::size_t l4 = model.l4_offset;
  const std::size_t address = model.l3 == L3::ipv4 ? 4 : 16;
  if (model.l3 == L3::ipv4) {
    golden::put16(frame, l3 + 10, 0);
    const auto header = golden::View(frame).subspan(l3, 20);
    golden::put16(frame, l3 + 10, golden::internet_checksum(header));
  }
  const auto source = golden::View(frame).subspan(l4 - 2 * address, address);
  const auto destination = golden::View(frame).subspan(l4 - address, address);
  const std::uint32_t pseudo = golden::pseudo_sum(source, destination, golden::kTcp,
                                                  static_cast<std::uint32_t>(frame.size() - l4));
  golden::put16(frame, l4 + 16, 0);
  const auto segment_bytes = golden::View(frame).subspan(l4);
  golden::put16(frame, l4 + 16, golden::internet_checksum(segment_bytes, pseudo));
  return frame;
}

// Two frames whose headers differ in one bit are merged if GRO would merge them.
TEST(Lro, EveryBitOfTheHeaders) {
  constexpr std::size_t kPayload = 40;
  for (const L3 l3 : {L3::ipv4, L3::ipv6}) {
    for (std::size_t tags = 0; tags < 3; ++tags) {
      LroBench bench({.seed = tags + 1, .keys = 0, .exact = true});
      Recipe recipe = segment(l3, tags, kPayload, 0);
      golden::append32(recipe.tcp_options, 0x0101080a);
      golden::append32(recipe.tcp_options, 1);
      golden::append32(recipe.tcp_options, 2);
      const Bytes first = golden::build(recipe);
      recipe.seq += kPayload;
      ++recipe.id;
      const Bytes second = golden::build(recipe);
      const golden::ParsedFrame model = golden::parse(second);
      for (std::size_t bit = 0; bit < 8 * model.payload; ++bit) {
        if (l3 == L3::ipv4 && bit == 8 * model.l3_offset + 55) continue;  // see ReservedBit
        Bytes changed = second;
        changed[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
        bench.send(first);
        bench.send(repaired(changed, model));
        bench.drain();
        ASSERT_FALSE(HasFailure()) << "bit " << bit % 8 << " of byte " << bit / 8;
      }
      EXPECT_GE(bench.merged(), 3U);
      EXPECT_LE(bench.merged(), 80U);
    }
  }
}

// GRO takes the reserved bit of IPv4 for a fragment's.
TEST(Lro, ReservedBit) {
  LroBench bench({.seed = 1});
  for (std::uint32_t i = 0; i < 3; ++i) {
    Bytes frame = golden::build(segment(L3::ipv4, 0, 40, i));
    const golden::ParsedFrame model = golden::parse(frame);
    frame[model.l3_offset + 6] |= std::byte{0x80};
    bench.send(repaired(frame, model));
  }
  bench.drain();
  EXPECT_EQ(bench.merged(), 0U);
}

// Identifications that count, stay, or do neither, with and without DF.
TEST(Lro, Identification) {
  LroBench bench({.seed = 1, .exact = true});
  for (unsigned round = 0; round < 400; ++round) {
    const bool df = bench.random().below(3) != 0;
    auto id = static_cast<std::uint16_t>(0xfff0 + bench.random().below(32));
    const std::uint64_t step = bench.random().below(3);
    for (std::uint32_t i = 0; i < 5; ++i) {
      Recipe recipe = segment(L3::ipv4, 0, 20, i);
      recipe.dont_fragment = df;
      recipe.id = id;
      id = static_cast<std::uint16_t>(
          id + (bench.random().below(6) == 0 ? bench.random().below(3) : step));
      bench.send(recipe);
    }
    bench.drain();
    if (HasFailure()) return;
  }
  EXPECT_GT(bench.merged(), 200U);
}

// A flag in the first and another in the second frame.
TEST(Lro, EveryFlag) {
  LroBench bench({.seed = 1, .exact = true});
  for (unsigned flags = 0; flags < 256; ++flags) {
    for (unsigned which = 0; which < 2; ++which) {
      for (std::uint32_t i = 0; i < 3; ++i) {
        Recipe recipe = segment(L3::ipv6, 0, 20, i);
        if (i == which) recipe.flags = static_cast<std::uint8_t>(flags);
        bench.send(recipe);
      }
      bench.drain();
      ASSERT_FALSE(HasFailure()) << "flags " << flags;
    }
  }
}

// A flow fills its frame up to the last segment that fits.
TEST(Lro, AsLongAsAFrameCanBe) {
  for (const std::size_t payload : {1460U, 1448U, 8948U, 536U}) {
    LroBench bench({.seed = 1, .exact = true});
    for (std::uint32_t i = 0; i < 250; ++i) bench.send(segment(L3::ipv4, 1, payload, i));
    bench.drain();
    ASSERT_FALSE(HasFailure());
    EXPECT_EQ(bench.counts()[0], (65535 - 58) / payload);
  }
}

TEST(Lro, SixteenFlowsAtOnce) {
  LroBench bench({.seed = 1, .exact = true});
  for (std::uint32_t i = 0; i < 20; ++i) {
    for (unsigned flow = 0; flow < 16; ++flow) {
      Recipe recipe = segment(flow % 2 == 0 ? L3::ipv4 : L3::ipv6, flow % 3, 100 + 2 * flow, i);
      recipe.flow = flow;
      if (i == 19) recipe.flags |= tcp::kPsh;
      bench.send(recipe);
    }
  }
  bench.drain();
  EXPECT_EQ(bench.counts(), std::vector<unsigned>(16, 20));
}

// A flow leaves LroCycles after its first frame came, to the cycle.
TEST(Lro, TimeLimit) {
  for (const bool several : {false, true}) {
    LroBench bench({.seed = 1});
    for (std::uint32_t i = 0; i < (several ? 6 : 3); ++i) {
      Recipe recipe = segment(L3::ipv4, 0, 100, i / 3);
      recipe.flow = i % 3;
      bench.send(recipe, bench.now() + 100 * i);
    }
    std::vector<std::uint64_t> limits;
    while (limits.size() < 3) {
      const std::uint64_t before = bench.taken();
      bench.cycle();
      if (bench.taken() != before) limits.push_back(bench.now() - 1 + LroBench::kLroCycles);
    }
    for (const std::uint64_t limit : limits) {
      EXPECT_EQ(bench.top().deadline_o, limit);
      while (!bench.top().frame_valid_o) bench.cycle();
      EXPECT_EQ(bench.now(), limit + (several ? 13 : 3));
      EXPECT_EQ(bench.top().frame_gso_o, several);
      bench.cycle();
    }
    bench.drain();
  }
}

// Without room to spare, a flow that holds the oldest slot goes, and no other.
TEST(Lro, PressureFlushesWhatIsInTheWay) {
  LroBench bench({.seed = 1, .exact = true});
  for (unsigned flow = 0; flow < 4; ++flow) {
    Recipe recipe = segment(L3::ipv4, 0, 100, 0);
    recipe.flow = flow;
    bench.send(recipe);
  }
  bench.run(200);
  EXPECT_TRUE(bench.counts().empty());
  bench.set_pressure(true);
  bench.jobs_wait = true;
  bench.run(20);
  EXPECT_EQ(bench.counts().size(), 1U);
  bench.jobs_wait = false;
  bench.run(200);
  EXPECT_EQ(bench.counts().size(), 4U);
}

// Frames that have to make way are neither compared nor kept, and the flow goes before them.
TEST(Lro, Hurry) {
  LroBench bench({.seed = 1});
  for (std::uint32_t i = 0; i < 4; ++i) bench.send(segment(L3::ipv4, 0, 100, i));
  while (bench.taken() < 4) bench.cycle();
  bench.set_hurry(true);
  const std::uint64_t begin = bench.tick();
  for (std::uint32_t i = 4; i < 14; ++i) bench.send(segment(L3::ipv4, 0, 100, i));
  bench.run(40);
  EXPECT_LE(bench.last_taken() - begin, 2 * 10 + 14U);
  bench.drain();
  EXPECT_EQ(bench.counts(), (std::vector<unsigned>{4, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}));
}

TEST(Lro, OffMeansOff) {
  LroBench bench({.seed = 1});
  bench.top().lro4_i = 0;
  for (std::uint32_t i = 0; i < 10; ++i) {
    bench.send(segment(L3::ipv4, 0, 100, i));
    Recipe other = segment(L3::ipv6, 0, 100, i);
    if (i == 9) other.flags |= tcp::kPsh;
    bench.send(other);
  }
  bench.drain();
  EXPECT_EQ(bench.merged(), 9U);
  EXPECT_EQ(bench.counts().back(), 10U);
}

// A frame every second cycle with nothing to coalesce; about a cycle for 8 bytes of header
// otherwise.
TEST(Lro, CyclesOfAFrame) {
  for (const bool on : {false, true}) {
    LroBench bench({.seed = 1});
    bench.top().lro4_i = on;
    constexpr std::uint32_t kFrames = 200;
    for (std::uint32_t i = 0; i < kFrames; ++i) {
      Recipe recipe = segment(L3::ipv4, 0, 8, i);
      golden::append32(recipe.tcp_options, 0x0101080a);
      golden::append32(recipe.tcp_options, 1);
      golden::append32(recipe.tcp_options, 2);
      bench.send(recipe);
    }
    const std::uint64_t begin = bench.tick();
    bench.drain();
    EXPECT_LE(bench.last_taken() - begin, kFrames * (on ? 11 : 2) + 2);
  }
}

// The reader gets a word in every cycle, within and between frames, coalesced or not.
TEST(Lro, WordsOfEveryCycle) {
  for (const bool on : {false, true}) {
    LroBench bench({.seed = 1});
    bench.top().lro6_i = on;
    for (std::uint32_t i = 0; i < 200; ++i) {
      Recipe recipe = segment(L3::ipv6, 0, 1440, i);
      if (i == 199) recipe.flags |= tcp::kPsh;
      bench.send(recipe);
    }
    bench.jobs_wait = true;
    while (bench.taken() < 200) bench.cycle();
    bench.jobs_wait = false;
    const std::uint64_t begin = bench.tick();
    bench.drain();
    const std::uint64_t cycles = bench.last_out() - begin;
    // A member whose payload does not start in the first lane of a word costs one more read.
    const std::uint64_t more = on ? bench.merged() + 14 * bench.counts().size() : 0;
    EXPECT_LE(cycles, bench.words() + more + 20);
  }
}

}  // namespace
}  // namespace nicroscope::test
