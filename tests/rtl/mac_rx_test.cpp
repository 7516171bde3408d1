// SPDX-License-Identifier: Apache-2.0
// mac_rx against a symbol-by-symbol model of the same promises.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <ostream>
#include <random>
#include <vector>

#include "Vmac_rx.h"
#include "tests/rtl/support/xgmii.h"
#include "verilated.h"

namespace nicroscope::test {
namespace {

constexpr std::size_t kMaxFrame = 9022;  // the module's default, not a multiple of eight

enum class Verdict { kOk, kFcs, kUndersize, kOversize, kCode };

std::ostream& operator<<(std::ostream& out, Verdict verdict) {
  return out << std::array{"ok", "fcs", "undersize", "oversize",
                           "code"}[static_cast<std::size_t>(verdict)];
}

struct Received {
  std::uint32_t tag = 0;
  bool error = false;
  Bytes octets;
  bool operator==(const Received&) const = default;
};

struct Judged {
  Verdict verdict = Verdict::kOk;
  std::size_t length = 0;  // only of a good frame
  bool operator==(const Judged&) const = default;
};

struct Outcome {
  std::vector<Received> frames;
  std::vector<Judged> judged;
  std::uint32_t starts = 0;
};

/// What a receiver has to make of a stream of symbols.
Outcome expected(const std::vector<Symbol>& symbols) {
  Outcome out;
  const auto at = [&](std::size_t p) { return p < symbols.size() ? symbols[p] : Symbol{}; };
  const auto starts = [&](std::size_t p) { return p % 4 == 0 && at(p).is(kStart); };
  std::size_t p = 0;
  while (p < symbols.size()) {
    if (!starts(p)) {
      ++p;
      continue;
    }
    const std::uint32_t tag = ++out.starts;
    bool good = true;
    for (std::size_t i = 1; i < 8; ++i) {
      const Symbol s = at(p + i);
      good = good && !s.control && s.value == (i < 7 ? kPreamble : kDelimiter);
    }
    if (!good) {
      out.judged.push_back({Verdict::kCode, 0});
      p += p % 8 == 0 ? 8 : 4;  // the rest of the start symbol's word is not looked at
      continue;
    }
    const std::size_t first = p + 8;
    std::size_t end = first;
    while (end < symbols.size() && !symbols[end].control) ++end;
    const std::size_t length = end - first;
    const std::size_t limit = (kMaxFrame / 8 + 1) * 8;  // a full word up to here is too much
    const auto octets = [&](std::size_t count) {
      Bytes result;
      for (std::size_t i = 0; i < count; ++i) result.push_back(symbols[first + i].value);
      return result;
    };
    if (length >= limit && !(first % 8 == 4 && length == limit && starts(end))) {
      out.judged.push_back({Verdict::kOversize, 0});
      out.frames.push_back({tag, true, octets(limit - 8)});
      p = first + limit;
      continue;
    }
    if (!at(end).is(kTerminate)) {
      out.judged.push_back({Verdict::kCode, 0});
      std::size_t whole = length / 8 * 8;
      // A start in lane 4 cuts a frame that is moved by half a word, one word earlier.
      if (first % 8 == 4 && length == whole && starts(end) && whole > 0) whole -= 8;
      if (whole > 0) out.frames.push_back({tag, true, octets(whole)});
      p = end;
      continue;
    }
    Verdict verdict = Verdict::kOk;
    if (length > kMaxFrame) {
      verdict = Verdict::kOversize;
    } else if (length < 64) {
      verdict = Verdict::kUndersize;
    } else {
      WireFrame frame;
      frame.octets = octets(length);
      if (!frame.fcs_good()) verdict = Verdict::kFcs;
    }
    out.judged.push_back({verdict, verdict == Verdict::kOk ? length - 4 : 0});
    if (length > 4) out.frames.push_back({tag, verdict != Verdict::kOk, octets(length - 4)});
    p = end + 1;
  }
  return out;
}

class MacRx : public ::testing::Test {
 protected:
  MacRx() {
    context_.randReset(2);
    top_ = std::make_unique<Vmac_rx>(&context_);
    top_->link_up_i = 1;
    top_->pause_enable_i = 0;
    top_->loop_i = 0;
    top_->rst_i = 1;
    for (int i = 0; i < 3; ++i) clock({});
    top_->rst_i = 0;
    outcome_ = {};
  }
  ~MacRx() override { top_->final(); }

  void clock(const XgmiiWord& word) {
    top_->xgmii_rxd_i = word.data;
    top_->xgmii_rxc_i = word.control;
    top_->clk_i = 0;
    top_->eval();
    top_->clk_i = 1;
    top_->eval();
    if (top_->rst_i) return;
    if (top_->trace_start_valid_o) {
      ++outcome_.starts;
      EXPECT_EQ(top_->trace_start_tag_o, outcome_.starts);
    }
    const auto pulse = [&](bool high, Verdict verdict) {
      if (high) {
        outcome_.judged.push_back({verdict, verdict == Verdict::kOk ? top_->rx_bytes_o : 0u});
      }
    };
    pulse(top_->rx_ok_o, Verdict::kOk);
    pulse(top_->rx_fcs_error_o, Verdict::kFcs);
    pulse(top_->rx_undersize_o, Verdict::kUndersize);
    pulse(top_->rx_oversize_o, Verdict::kOversize);
    pulse(top_->rx_code_error_o, Verdict::kCode);
    if (top_->m_axis_tvalid_o) {
      if (!open_) outcome_.frames.push_back({top_->tag_o, false, {}});
      Received& frame = outcome_.frames.back();
      EXPECT_EQ(frame.tag, top_->tag_o);
      for (unsigned lane = 0; lane < 8 && ((top_->m_axis_tkeep_o >> lane) & 1) != 0; ++lane) {
        frame.octets.push_back(static_cast<std::uint8_t>(top_->m_axis_tdata_o >> (8 * lane)));
      }
      open_ = !top_->m_axis_tlast_o;
      if (top_->m_axis_tlast_o) frame.error = top_->tuser_error_o;
    }
  }

  void play(XgmiiEncoder& encoder) {
    for (const XgmiiWord& word : encoder.words()) clock(word);
    for (int i = 0; i < 8; ++i) clock({});
    EXPECT_FALSE(open_) << "a frame was left open";
    EXPECT_TRUE(top_->idle_o);
  }

  void play_and_compare(XgmiiEncoder& encoder) {
    encoder.idle(24);
    play(encoder);
    const Outcome want = expected(encoder.symbols());
    EXPECT_EQ(outcome_.starts, want.starts);
    ASSERT_EQ(outcome_.judged.size(), want.judged.size());
    for (std::size_t i = 0; i < want.judged.size(); ++i) {
      ASSERT_EQ(outcome_.judged[i].verdict, want.judged[i].verdict) << "frame " << i;
      ASSERT_EQ(outcome_.judged[i].length, want.judged[i].length) << "frame " << i;
    }
    ASSERT_EQ(outcome_.frames.size(), want.frames.size());
    for (std::size_t i = 0; i < want.frames.size(); ++i) {
      ASSERT_EQ(outcome_.frames[i].tag, want.frames[i].tag) << "frame " << i;
      ASSERT_EQ(outcome_.frames[i].error, want.frames[i].error) << "frame " << i;
      ASSERT_EQ(outcome_.frames[i].octets, want.frames[i].octets) << "frame " << i;
    }
  }

  std::size_t count(Verdict verdict) const {
    return static_cast<std::size_t>(
        std::count_if(outcome_.judged.begin(), outcome_.judged.end(),
                      [&](const Judged& judged) { return judged.verdict == verdict; }));
  }

  std::uint8_t octet() { return static_cast<std::uint8_t>(random_()); }
  Bytes frame(std::size_t size) {
    Bytes result(size);
    std::generate(result.begin(), result.end(), [&] { return octet(); });
    return result;
  }

  VerilatedContext context_;
  std::unique_ptr<Vmac_rx> top_;
  std::mt19937 random_{1};
  Outcome outcome_;
  bool open_ = false;
};

TEST_F(MacRx, EverySizeFromBothLanesBackToBack) {
  XgmiiEncoder encoder;
  for (std::size_t size = 60; size <= 1600; ++size) {
    for (unsigned lane : {0u, 4u}) {
      encoder.idle(11);
      encoder.idle_to_lane(lane);
      encoder.frame(frame(size));
    }
  }
  play_and_compare(encoder);
  EXPECT_EQ(count(Verdict::kOk), 2u * 1541);
}

TEST_F(MacRx, GapsDownToOneOctet) {
  XgmiiEncoder encoder;
  for (std::size_t gap = 0; gap < 24; ++gap) {
    for (std::size_t size = 60; size < 84; ++size) {
      encoder.idle(gap);
      encoder.frame(frame(size));
    }
  }
  play_and_compare(encoder);
  EXPECT_EQ(count(Verdict::kOk), 24u * 24);
}

TEST_F(MacRx, JumboUpToTheLimitAndGiantsBeyond) {
  XgmiiEncoder encoder;
  for (std::size_t size = kMaxFrame - 4 - 20; size <= kMaxFrame - 4 + 40; ++size) {
    encoder.idle_to_lane(size % 2 == 0 ? 0 : 4);
    encoder.frame(frame(size));
    encoder.idle(5 + size % 13);
    encoder.frame(frame(60));
  }
  play_and_compare(encoder);
  EXPECT_EQ(count(Verdict::kOversize), 40u);
  EXPECT_EQ(count(Verdict::kOk), 61u + 21u);
}

TEST_F(MacRx, AnEndlessFrameIsClosed) {
  XgmiiEncoder encoder;
  encoder.preamble();
  encoder.data(frame(40000));
  encoder.control(kTerminate);
  encoder.idle(12);
  encoder.frame(frame(100));
  play_and_compare(encoder);
  EXPECT_EQ(count(Verdict::kOversize), 1u);
  EXPECT_EQ(count(Verdict::kOk), 1u);
}

TEST_F(MacRx, RuntsOfEverySize) {
  XgmiiEncoder encoder;
  for (std::size_t octets = 0; octets < 64; ++octets) {
    for (unsigned lane : {0u, 4u}) {
      for (bool with_fcs : {false, true}) {
        encoder.idle(5);
        encoder.idle_to_lane(lane);
        encoder.preamble();
        Bytes body = frame(with_fcs && octets >= 4 ? octets - 4 : octets);
        if (with_fcs && octets >= 4) append_fcs(body);
        encoder.data(body);
        encoder.control(kTerminate);
      }
    }
  }
  play_and_compare(encoder);
  EXPECT_EQ(count(Verdict::kUndersize), 256u);
  EXPECT_EQ(outcome_.judged.size(), 256u);
}

TEST_F(MacRx, AnySingleWrongBitFailsTheFcs) {
  XgmiiEncoder encoder;
  std::size_t bits = 0;
  for (std::size_t size : {60u, 61u, 62u, 63u, 64u, 65u, 66u, 67u}) {
    for (std::size_t bit = 0; bit < 8 * (size + 4); bit += 5) {
      while (encoder.lane() % 4 != 0) encoder.idle(1);
      const std::size_t body = encoder.position() + 8;
      encoder.frame(frame(size));
      Symbol& hit = encoder.symbols()[body + bit / 8];
      hit.value = static_cast<std::uint8_t>(hit.value ^ (1u << (bit % 8)));
      encoder.idle(7);
      ++bits;
    }
  }
  play_and_compare(encoder);
  EXPECT_EQ(count(Verdict::kFcs), bits);
  EXPECT_EQ(outcome_.judged.size(), bits);
}

TEST_F(MacRx, AControlCharacterAnywhereCountsOnce) {
  XgmiiEncoder encoder;
  std::size_t hits = 0;
  for (std::uint8_t code : {kError, kIdle, kSequence, std::uint8_t{0x00}}) {
    for (unsigned lane : {0u, 4u}) {
      for (std::size_t place = 1; place < 8 + 64; ++place) {
        encoder.idle_to_lane(lane);
        const std::size_t start = encoder.position();
        encoder.frame(frame(60));
        encoder.symbols()[start + place] = {code, true};
        encoder.idle(9);
        encoder.frame(frame(70));
        encoder.idle(9);
        ++hits;
      }
    }
  }
  play_and_compare(encoder);
  EXPECT_EQ(count(Verdict::kCode), hits);
  EXPECT_EQ(count(Verdict::kOk), hits);
}

TEST_F(MacRx, AStartInsideAFrameStartsAFrame) {
  XgmiiEncoder encoder;
  for (unsigned lane : {0u, 4u}) {
    for (std::size_t cut = 0; cut < 40; cut += 4) {
      encoder.idle_to_lane(lane);
      encoder.preamble();
      encoder.data(frame(cut));
      encoder.frame(frame(64));
      encoder.idle(12);
    }
  }
  play_and_compare(encoder);
  EXPECT_EQ(count(Verdict::kCode), 20u);
  EXPECT_EQ(count(Verdict::kOk), 20u);
}

TEST_F(MacRx, WrongPreambleIsACodeError) {
  XgmiiEncoder encoder;
  for (unsigned lane : {0u, 4u}) {
    for (std::size_t place = 1; place < 8; ++place) {
      encoder.idle_to_lane(lane);
      const std::size_t start = encoder.position();
      encoder.frame(frame(64));
      encoder.symbols()[start + place].value ^= 0x10;
      encoder.idle(5);
      encoder.frame(frame(65));
      encoder.idle(12);
    }
  }
  play_and_compare(encoder);
  EXPECT_EQ(count(Verdict::kCode), 14u);
  EXPECT_EQ(count(Verdict::kOk), 14u);
}

TEST_F(MacRx, SequencesBetweenFramesAreIgnored) {
  XgmiiEncoder encoder;
  for (int i = 0; i < 20; ++i) {
    for (int lane = 0; lane < 4; ++lane) {
      if (lane == 0) {
        encoder.idle_to_lane(4);
        encoder.control(kSequence);  // local fault: sequence, 0, 0, 1
      } else {
        encoder.data(lane == 3 ? 1 : 0);
      }
    }
    encoder.frame(frame(60 + static_cast<std::size_t>(i)));
    encoder.idle(8);
  }
  play_and_compare(encoder);
  EXPECT_EQ(count(Verdict::kOk), 20u);
}

TEST_F(MacRx, NothingStartsWhileTheLinkIsDown) {
  XgmiiEncoder encoder;
  encoder.frame(frame(100));
  encoder.idle(16);
  top_->link_up_i = 0;
  play(encoder);
  EXPECT_EQ(outcome_.starts, 0u);
  EXPECT_TRUE(outcome_.judged.empty());
  top_->link_up_i = 1;
  play(encoder);
  EXPECT_EQ(count(Verdict::kOk), 1u);
}

// Symbols drawn so that starts, preambles, terminates and short frames meet in every way.
TEST_F(MacRx, FuzzedSymbolsNeverHangAndAlwaysMatchTheModel) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    random_.seed(seed);
    XgmiiEncoder encoder;
    const std::array<std::uint8_t, 5> codes{kIdle, kStart, kTerminate, kError, kSequence};
    while (encoder.position() < 4000) {
      switch (random_() % 8) {
        case 0:
          encoder.control(codes[random_() % codes.size()]);
          break;
        case 1:
          encoder.data(frame(random_() % 20));
          break;
        case 2:
          encoder.idle(random_() % 12);
          break;
        case 3:
          encoder.preamble();
          break;
        case 4:
          while (encoder.lane() % 4 != 0) encoder.idle(1);
          encoder.preamble();
          encoder.data(frame(random_() % 24));
          encoder.control(codes[random_() % codes.size()]);
          break;
        case 5:
          encoder.idle_to_lane(4 * (random_() % 2));
          encoder.control(kStart);
          encoder.data(kPreamble);
          break;
        default:
          encoder.frame(frame(random_() % 90));
          break;
      }
    }
    // Now and then a symbol is hit.
    for (unsigned hits = random_() % 8; hits > 0; --hits) {
      Symbol& symbol = encoder.symbols()[random_() % encoder.position()];
      symbol.value = octet();
      symbol.control = random_() % 2 == 0;
    }
    outcome_ = {};
    top_->rst_i = 1;
    clock({});
    top_->rst_i = 0;
    play_and_compare(encoder);
    if (HasFatalFailure()) FAIL() << "seed " << seed;
  }
}

TEST_F(MacRx, PlainNoiseIsSurvived) {
  XgmiiEncoder encoder;
  for (int i = 0; i < 200000; ++i) {
    const bool control = random_() % 4 == 0;
    encoder.symbols().push_back({control && random_() % 2 == 0 ? kStart : octet(), control});
  }
  encoder.idle(16);
  encoder.frame(frame(60));
  play_and_compare(encoder);
  EXPECT_EQ(outcome_.judged.back().verdict, Verdict::kOk);
}

}  // namespace
}  // namespace nicroscope::test
