// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <vector>

#include "sim/base/random.h"
#include "sim/time/event_queue.h"
#include "sim/wire/frame_queue.h"
#include "sim/wire/xgmii_decoder.h"
#include "sim/wire/xgmii_encoder.h"

namespace nicroscope::sim {
namespace {

struct Seen final : FrameSink {
  struct Frame {
    std::vector<std::byte> bytes;
    FrameId id;
    Time first;
    Time last;
    bool good;
  };
  void on_frame(const PassedFrame& frame) override {
    auto& to = frame.direction == WireDirection::to_nic ? sent : received;
    to.push_back(
        {{frame.bytes.begin(), frame.bytes.end()}, frame.id, frame.first, frame.last, frame.good});
  }
  std::vector<Frame> sent;
  std::vector<Frame> received;
};

// The encoder's words go straight into the decoder.
struct Loop {
  Loop() { wire.add_sink(seen); }
  void run(Cycle cycles) {
    for (const Cycle end = now + cycles; now < end; ++now) {
      encoder.drive(now, data, control);
      decoder.sample(now, data, control);
    }
  }

  EventQueue timeline;
  TraceBus bus{timeline};
  RtlTrace trace{bus, 1};
  Clock clock{156'250};
  WirePort wire;
  Seen seen;
  FrameQueue queue{wire};
  XgmiiEncoder encoder{wire, clock};
  XgmiiDecoder decoder{wire, trace, clock};
  std::uint64_t data = xgmii::kIdleWord;
  std::uint8_t control = xgmii::kAllControl;
  Cycle now = 0;
};

std::vector<std::byte> make_frame(Random& random, std::size_t bytes) {
  std::vector<std::byte> frame(bytes);
  for (std::byte& byte : frame) byte = static_cast<std::byte>(random.next());
  return frame;
}

TEST(Xgmii, EveryLengthComesBackAsItWasSent) {
  Loop loop;
  Random random(1);
  std::vector<std::vector<std::byte>> frames;
  for (std::size_t length = 1; length < 300; ++length) frames.push_back(make_frame(random, length));
  frames.push_back(make_frame(random, 9018));
  for (const auto& frame : frames) loop.queue.push(frame);
  loop.run(12'000);
  ASSERT_EQ(loop.seen.received.size(), frames.size());
  for (std::size_t i = 0; i < frames.size(); ++i) {
    EXPECT_EQ(loop.seen.received[i].bytes, frames[i]);
    EXPECT_TRUE(loop.seen.received[i].good);
    EXPECT_EQ(loop.seen.sent[i].id, i + 1);
    EXPECT_EQ(loop.seen.sent[i].first, loop.seen.received[i].first);
    EXPECT_EQ(loop.seen.sent[i].last, loop.seen.received[i].last);
  }
  EXPECT_TRUE(loop.encoder.quiet(loop.control));
}

TEST(Xgmii, BackToBackFramesKeepAnAverageGapOfTwelve) {
  for (const std::size_t length : {60U, 61U, 62U, 63U, 64U, 1499U}) {
    Loop loop;
    constexpr int kCount = 400;
    const std::vector<std::byte> frame(length, std::byte{0x11});
    for (int i = 0; i < kCount; ++i) loop.queue.push(frame);
    loop.run(kCount * 200);
    ASSERT_EQ(loop.seen.sent.size(), static_cast<std::size_t>(kCount));
    const Duration all = loop.seen.sent.back().first - loop.seen.sent.front().first;
    const auto bytes = static_cast<std::int64_t>((kCount - 1) * (8 + length + 4 + 12));
    EXPECT_NEAR(static_cast<double>(all.count()), static_cast<double>(bytes * 800), 3 * 800.0)
        << length;
    for (std::size_t i = 1; i < loop.seen.sent.size(); ++i) {
      EXPECT_GE(loop.seen.sent[i].first - loop.seen.sent[i - 1].last, Duration{9 * 800});
    }
  }
}

TEST(Xgmii, AFrameStartsAtItsTime) {
  Loop loop;
  const std::vector<std::byte> frame(60, std::byte{1});
  loop.queue.push(frame, Time{1'000'000});
  loop.run(10);
  EXPECT_EQ(loop.encoder.due(), 156U);
  EXPECT_TRUE(loop.encoder.quiet(loop.control));
  loop.run(1000);
  ASSERT_EQ(loop.seen.sent.size(), 1U);
  EXPECT_GE(loop.seen.sent[0].first, Time{1'000'000});
  EXPECT_LT(loop.seen.sent[0].first, Time{1'000'000 + 4 * 800});
}

TEST(Xgmii, AFrameThatComesWhileTheWireIsIdleStartsAtOnce) {
  Loop loop;
  loop.run(1000);
  loop.queue.push(std::vector<std::byte>(60, std::byte{1}));
  loop.run(20);
  ASSERT_EQ(loop.seen.sent.size(), 1U);
  EXPECT_EQ(loop.seen.sent[0].first, loop.clock.time_of(1000));
}

TEST(Xgmii, DamageIsSeen) {
  Loop loop;
  const std::vector<std::byte> frame(100, std::byte{1});
  loop.queue.push(frame, Time{0}, WireFault::bad_fcs);
  loop.queue.push(frame, Time{0}, WireFault::code_error);
  loop.queue.push(frame);
  loop.run(200);
  ASSERT_EQ(loop.seen.received.size(), 3U);
  EXPECT_FALSE(loop.seen.received[0].good);
  EXPECT_FALSE(loop.seen.received[1].good);
  EXPECT_TRUE(loop.seen.received[2].good);
}

TEST(Xgmii, TheDecoderSurvivesAnySymbols) {
  Loop loop;
  Random random(3);
  for (Cycle cycle = 0; cycle < 200'000; ++cycle) {
    std::uint64_t word = random.next();
    auto control = static_cast<std::uint8_t>(random.below(4) == 0 ? random.next() : 0);
    if (random.below(8) == 0) word = (word & ~0xFFULL) | xgmii::kStart;
    loop.decoder.sample(cycle, word, control);
  }
  loop.decoder.sample(200'000, xgmii::kIdleWord, xgmii::kAllControl);
  EXPECT_TRUE(loop.decoder.quiet());
}

}  // namespace
}  // namespace nicroscope::sim
