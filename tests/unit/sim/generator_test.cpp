// SPDX-License-Identifier: Apache-2.0
#include "sim/wire/generator.h"

#include <gtest/gtest.h>

#include <cmath>

#include "sim/wire/far_end.h"

namespace nicroscope::test {
namespace {

using namespace sim;

GeneratorOptions options(double rate) {
  GeneratorOptions o;
  o.frames_per_second = rate;
  o.destination = {0x52, 0x54, 0, 0, 0, 1};
  o.source = {2, 0, 0, 0, 0, 9};
  o.source_address = 0x0a020007;
  o.destination_address = 0x0a010005;
  return o;
}

/// Ones' complement sum of halfwords, folded: 0xffff over what carries its own checksum.
unsigned sum(std::span<const std::byte> bytes, unsigned seed = 0) {
  std::uint64_t total = seed;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    total += std::to_integer<std::uint64_t>(bytes[i]) << (i % 2 == 0 ? 8U : 0U);
  }
  while (total > 0xffff) total = (total & 0xffffU) + (total >> 16U);
  return static_cast<unsigned>(total);
}

TEST(GeneratorTest, FramesAreWholeAndStamped) {
  GeneratorOptions o = options(1e6);
  o.sizes = {64, 65, 128, 1518};
  o.flows = 3;
  o.start = std::chrono::microseconds{7};
  o.frames = 1000;
  Generator generator(o);
  for (std::uint64_t n = 0; n < 1000; ++n) {
    const WireFrame* frame = generator.peek();
    ASSERT_NE(frame, nullptr);
    EXPECT_EQ(frame, generator.peek());
    EXPECT_EQ(frame->bytes.size(), o.sizes[n % 4] - 4);
    EXPECT_EQ(sum(frame->bytes.subspan(14, 20)), 0xffffU);
    const auto udp = frame->bytes.subspan(34);
    EXPECT_EQ(sum(udp, sum(frame->bytes.subspan(26, 8)) + 17 + static_cast<unsigned>(udp.size())),
              0xffffU);
    EXPECT_EQ(Stamp::load_be(udp.data(), 2), 10000 + n % 3);
    const auto stamp = Stamp::of_frame(frame->bytes);
    ASSERT_TRUE(stamp);
    EXPECT_EQ(stamp->sequence, n);
    EXPECT_EQ(stamp->due, frame->earliest);
    EXPECT_EQ(stamp->due, Time{std::chrono::microseconds{7 + n}});
    generator.pop();
  }
  EXPECT_TRUE(generator.ended());
  EXPECT_EQ(generator.sent(), 1000U);
}

TEST(GeneratorTest, EverySpacingKeepsTheMeanRate) {
  for (const Spacing spacing : {Spacing::constant, Spacing::poisson, Spacing::bursts}) {
    GeneratorOptions o = options(123'456);
    o.spacing = spacing;
    o.end = std::chrono::seconds{1};
    Generator generator(o);
    double squares = 0;
    Time last{0};
    while (const WireFrame* frame = generator.peek()) {
      const double gap = static_cast<double>((frame->earliest - last).count()) / 8.1e6;
      squares += gap * gap;
      last = frame->earliest;
      generator.pop();
    }
    const double sent = static_cast<double>(generator.sent());
    EXPECT_NEAR(sent, 123'456, 5 * std::sqrt(123'456.0));
    // The mean of the squared gap, in mean gaps: 1, 2 and the burst's length.
    const double expected = spacing == Spacing::constant ? 1 : spacing == Spacing::poisson ? 2 : 32;
    EXPECT_NEAR(squares / sent, expected, 0.05 * expected);
  }
}

TEST(GeneratorTest, TheSameSeedIsTheSameLoad) {
  const auto times = [](std::uint64_t seed) {
    GeneratorOptions o = options(1e5);
    o.spacing = Spacing::poisson;
    o.seed = seed;
    o.frames = 100;
    Generator generator(o);
    std::vector<Time> result;
    for (; !generator.ended(); generator.pop()) result.push_back(generator.peek()->earliest);
    return result;
  };
  EXPECT_EQ(times(1), times(1));
  EXPECT_NE(times(1), times(2));
}

TEST(GeneratorTest, AStoppedOneKeepsWhatWasLookedAt) {
  Generator generator(options(1e6));
  ASSERT_NE(generator.peek(), nullptr);
  generator.stop();
  ASSERT_NE(generator.peek(), nullptr);
  generator.pop();
  EXPECT_TRUE(generator.ended());
}

TEST(GeneratorTest, QuestionsWaitForAnswers) {
  GeneratorOptions o = options(1e9);
  o.outstanding = 2;
  o.start = std::chrono::microseconds{1};
  Generator generator(o);
  for (unsigned i = 0; i < 2; ++i) {
    ASSERT_NE(generator.peek(), nullptr);
    EXPECT_EQ(generator.peek()->earliest, o.start);
    generator.pop();
  }
  EXPECT_EQ(generator.peek(), nullptr);
  generator.returned(std::chrono::microseconds{30}, 0);
  ASSERT_NE(generator.peek(), nullptr);
  EXPECT_EQ(generator.peek()->earliest, Time{std::chrono::microseconds{30}});
  generator.pop();
  EXPECT_EQ(generator.peek(), nullptr);
  EXPECT_EQ(generator.sent(), 3U);
}

TEST(GeneratorTest, PhasesHaveTheirTurns) {
  using std::chrono::microseconds;
  GeneratorOptions o = options(1e9);
  o.flows = 3;
  o.destination_ports = 2;
  GeneratorPhase rate;
  rate.frames_per_second = 1e6;
  rate.length = microseconds{10};
  rate.destination_address = 0x0a000001;
  GeneratorPhase questions = rate;
  questions.outstanding = 1;
  questions.length = microseconds{20};
  questions.destination_address = 0x0a000002;
  questions.destination_port = 7;
  o.phases = {rate, questions};
  o.end = microseconds{60};
  Generator generator(o);
  const auto take = [&](Time due, std::uint32_t address, std::uint16_t port) {
    const WireFrame* frame = generator.peek();
    ASSERT_NE(frame, nullptr);
    EXPECT_EQ(frame->earliest, due);
    EXPECT_EQ(sum(frame->bytes.subspan(14, 20)), 0xffffU);
    const auto udp = frame->bytes.subspan(34);
    EXPECT_EQ(sum(udp, sum(frame->bytes.subspan(26, 8)) + 17 + static_cast<unsigned>(udp.size())),
              0xffffU);
    EXPECT_EQ(Stamp::load_be(frame->bytes.data() + 30, 4), address);
    EXPECT_EQ(Stamp::load_be(udp.data() + 2, 2), port + generator.sent() % 3 % 2);
    generator.pop();
  };
  for (unsigned us = 0; us < 10; ++us) take(microseconds{us}, 0x0a000001, 9);
  take(microseconds{10}, 0x0a000002, 7);
  EXPECT_EQ(generator.peek(), nullptr);
  generator.returned(microseconds{12}, 3);  // of the phase before: no answer
  EXPECT_EQ(generator.peek(), nullptr);
  generator.returned(microseconds{18}, 10);
  take(microseconds{18}, 0x0a000002, 7);
  // The last answer is late, and the next phase is that much shorter.
  EXPECT_EQ(generator.peek(), nullptr);
  generator.returned(microseconds{33}, 11);
  for (unsigned us = 33; us < 40; ++us) take(microseconds{us}, 0x0a000001, 9);
  take(microseconds{40}, 0x0a000002, 7);
  generator.returned(microseconds{61}, 19);
  EXPECT_TRUE(generator.ended());
}

TEST(FarEndTest, KnowsItsFramesAgain) {
  WirePort wire;
  FarEnd far(wire, {2, 0, 0, 0, 0, 9}, 2);
  GeneratorOptions o = options(1e6);
  o.flows = 2;
  o.frames = 10;
  Generator load(o);
  far.set_load(&load);
  far.measure(Time{0}, std::chrono::microseconds{8});
  std::vector<std::vector<std::byte>> frames;
  while (const WireFrame* frame = wire.next()) {
    frames.emplace_back(frame->bytes.begin(), frame->bytes.end());
    wire.passed_to_nic(wire.begin(frame->earliest), *frame, frame->earliest, frame->earliest);
  }
  ASSERT_EQ(frames.size(), 10U);
  EXPECT_EQ(far.returned(), 0U);
  const auto back = [&](std::size_t n, bool good = true) {
    wire.passed_from_nic(static_cast<FrameId>(n), frames[n], Time{0},
                         std::chrono::microseconds{n + 5}, good);
  };
  // Flows keep their own order; one is lost.
  for (const std::size_t n : {0, 2, 1, 4, 6, 3, 5}) back(n);
  EXPECT_EQ(far.misplaced(), 0U);
  EXPECT_EQ(far.returned(), 7U);
  EXPECT_EQ(far.latency().count(), 7U);
  EXPECT_EQ(far.latency().quantile(0.5), 5000U);
  back(4);
  back(9, false);
  EXPECT_EQ(far.misplaced(), 2U);
  EXPECT_EQ(far.latency().count(), 8U) << "the last was due after the window";
}

TEST(FarEndTest, AnswersForEveryAddress) {
  WirePort wire;
  FarEnd far(wire, {2, 0, 0, 0, 0, 9});
  std::vector<std::byte> question(60);
  const auto put = [&](std::size_t at, std::uint64_t value, unsigned bytes) {
    Stamp::store_be(question.data() + at, value, bytes);
  };
  put(0, 0xffffffffffff, 6);
  put(6, 0x525400000001, 6);
  put(12, 0x08060001, 4);
  put(16, 0x08000604, 4);
  put(20, 1, 2);
  put(22, 0x525400000001, 6);
  put(28, 0x0a000002, 4);
  put(38, 0x0a000003, 4);
  wire.passed_from_nic(1, question, Time{0}, Time{0}, true);
  EXPECT_TRUE(wire.awake());
  const WireFrame* answer = wire.next();
  ASSERT_NE(answer, nullptr);
  const auto field = [&](std::size_t at, unsigned bytes) {
    return Stamp::load_be(answer->bytes.data() + at, bytes);
  };
  EXPECT_EQ(field(0, 6), 0x525400000001U);
  EXPECT_EQ(field(6, 6), 0x020000000009U);
  EXPECT_EQ(field(20, 2), 2U);
  EXPECT_EQ(field(22, 6), 0x020000000009U);
  EXPECT_EQ(field(28, 4), 0x0a000003U);
  EXPECT_EQ(field(32, 6), 0x525400000001U);
  EXPECT_EQ(field(38, 4), 0x0a000002U);
  wire.passed_to_nic(wire.begin(Time{0}), *answer, Time{0}, Time{0});
  EXPECT_EQ(wire.next(), nullptr);
  put(38, 0x0a000002, 4);
  wire.passed_from_nic(2, question, Time{0}, Time{0}, true);
  EXPECT_EQ(wire.next(), nullptr) << "an announcement wants no answer";
}

TEST(HistogramTest, QuantilesAreRightToABin) {
  Histogram histogram;
  EXPECT_EQ(histogram.quantile(0.5), 0U);
  for (std::uint64_t v = 1; v <= 100'000; ++v) histogram.add(v);
  for (const double part : {0.0001, 0.01, 0.5, 0.99, 0.999}) {
    const double exact = part * 100'000;
    EXPECT_NEAR(static_cast<double>(histogram.quantile(part)), exact, exact / 32 + 1) << part;
  }
  EXPECT_EQ(histogram.quantile(1), 100'000U);
  EXPECT_EQ(histogram.largest(), 100'000U);
  Histogram extreme;
  extreme.add(~std::uint64_t{0});
  extreme.add(0);
  EXPECT_EQ(extreme.quantile(0), 0U);
  EXPECT_EQ(extreme.quantile(1), ~std::uint64_t{0});
}

}  // namespace
}  // namespace nicroscope::test
