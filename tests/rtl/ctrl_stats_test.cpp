// SPDX-License-Identifier: Apache-2.0
// The statistics commands of the control virtqueue: right ones, each kind of wrong one, results
// longer and shorter than their buffer, errors and stops while a result is written.
#include <gtest/gtest.h>

#include "nicroscope/registers.h"
#include "tests/rtl/ctrl_bench.h"

namespace nicroscope::test {
namespace {

using Bytes = std::vector<uint8_t>;

constexpr unsigned kPairs = CtrlBench::kPairs;
constexpr unsigned kControl = 2 * kPairs;
constexpr uint64_t kRx = 1ULL << 0;
constexpr uint64_t kTx = 1ULL << 16;
constexpr uint64_t kCvq = 1ULL << 32;
constexpr Bytes::value_type kOk = regs::kCtrlAckOk;
constexpr Bytes::value_type kErr = regs::kCtrlAckErr;

struct Entry {
  unsigned virtqueue;
  uint64_t types;
};

Bytes get(const std::vector<Entry>& entries) {
  Bytes bytes = {regs::kCtrlClassStats, regs::kCtrlStatsGet};
  for (const Entry& entry : entries) {
    append_little(bytes, entry.virtqueue, 2);
    append_little(bytes, 0xabcdef, 6);  // reserved
    append_little(bytes, entry.types, 8);
  }
  return bytes;
}

class CtrlStatsTest : public testing::Test {
 protected:
  CtrlStatsTest() : model_(kPairs) {
    bench_.features(~0ULL);
    bench_.until_ready();
    for (unsigned q = 0; q < kControl; ++q) {
      const uint64_t base = 0x1122334400ULL * (q + 1);
      bench_.statistics()[q] = {base, base + 1, base + 2, base + 3, base + 4, base + 5};
    }
    model_.statistics = bench_.statistics();
  }

  // Has a command carried out and compares its answer with the model's.
  Bytes check(const Bytes& bytes, const std::vector<uint32_t>& writes) {
    size_t room = 0;
    for (const uint32_t length : writes) room += length;
    const ControlModel::Answer expected = model_.execute(bench_.features(), bytes, room);
    Bytes right;
    if (room > 0) right.push_back(expected.ok ? kOk : kErr);
    right.insert(right.end(), expected.result.begin(), expected.result.end());
    const Bytes answer = bench_.run({.bytes = bytes, .writes = writes});
    EXPECT_EQ(answer, right);
    return answer;
  }

  CtrlBench bench_;
  ControlModel model_;
};

TEST_F(CtrlStatsTest, Query) {
  EXPECT_EQ(check({8, 0}, {1, 8}), (Bytes{kOk, 1, 0, 1, 0, 1, 0, 0, 0}));
  EXPECT_EQ(check({8, 0}, {400}).size(), 9U);
  EXPECT_EQ(check({8, 0}, {8}), Bytes{kErr});     // no room for the result
  EXPECT_EQ(check({8, 0, 0}, {9}), Bytes{kErr});  // too long
  EXPECT_EQ(check({8, 2}, {9}), Bytes{kErr});     // unknown
  EXPECT_EQ(bench_.ok(), 2U);
  EXPECT_EQ(bench_.bad(), 3U);
}

TEST_F(CtrlStatsTest, EveryVirtqueue) {
  std::vector<Entry> entries;
  for (unsigned q = 0; q < kControl; ++q) entries.push_back({q, q % 2 == 0 ? kRx : kTx});
  entries.push_back({kControl, kCvq});
  const auto size = static_cast<uint32_t>(1 + 56 * kControl + 24);
  const Bytes answer = check(get(entries), {1, size + 100});
  ASSERT_EQ(answer.size(), size);
  EXPECT_EQ(answer[1 + 56 * kControl], 32);  // the reply for control: this command is its first
  EXPECT_EQ(answer[1 + 56 * kControl + 8], 1);
  EXPECT_EQ(answer[1 + 56 * kControl + 16], 1);
}

// In the order asked for, twice the same, and none for an entry without types.
TEST_F(CtrlStatsTest, OrderAndCounts) {
  check({0, 0, 2}, {1});  // a command that is refused
  check({0, 0}, {});      // and one that cannot be answered
  const Bytes answer =
      check(get({{1, kTx}, {kControl, kCvq}, {0, kRx}, {1, 0}, {0, kRx}}), {1, 500});
  ASSERT_EQ(answer.size(), 1U + 3 * 56 + 24);
  EXPECT_EQ(answer[1], 16);
  EXPECT_EQ(answer[1 + 56 + 8], 3);   // commands
  EXPECT_EQ(answer[1 + 56 + 16], 1);  // carried out
  EXPECT_EQ(check(get({}), {1, 500}), Bytes{kOk});
}

TEST_F(CtrlStatsTest, Refused) {
  const auto refused = [&](const Bytes& bytes) { EXPECT_EQ(check(bytes, {1, 200}), Bytes{kErr}); };
  refused(get({{kControl + 1, kCvq}}));
  refused(get({{0xffff, kRx}}));
  refused(get({{0xffff, 0}}));
  refused(get({{0, kTx}}));
  refused(get({{1, kRx}}));
  refused(get({{0, kCvq}}));
  refused(get({{kControl, kRx}}));
  refused(get({{0, kRx | kTx}}));
  for (unsigned bit = 0; bit < 64; ++bit) {
    if (bit != 0) refused(get({{0, 1ULL << bit}}));
    if (bit != 16) refused(get({{1, kTx | 1ULL << bit}}));
    if (bit != 32) refused(get({{kControl, kCvq | 1ULL << bit}}));
  }
  // One that is wrong refuses all.
  refused(get({{0, kRx}, {1, kTx}, {0, kTx}}));
  for (size_t length = 1; length < 16; ++length) {
    Bytes bytes = get({{0, kRx}, {1, kTx}});
    bytes.resize(bytes.size() - length);
    refused(bytes);
  }
  bench_.features(~(1ULL << regs::kFeatureDeviceStats));
  refused(get({{0, kRx}}));
  refused({8, 0});
}

// A driver without MQ and RSS knows three virtqueues, the last one of them for control.
TEST_F(CtrlStatsTest, OnePair) {
  bench_.features(~(1ULL << regs::kFeatureMq | 1ULL << regs::kFeatureRss));
  const Bytes answer = check(get({{2, kCvq}, {0, kRx}, {1, kTx}}), {1, 500});
  ASSERT_EQ(answer.size(), 1U + 24 + 56 + 56);
  EXPECT_EQ(answer[3], 2);
  EXPECT_EQ(check(get({{2, kRx}}), {1, 200}), Bytes{kErr});
  EXPECT_EQ(check(get({{3, kTx}}), {1, 200}), Bytes{kErr});
}

// As many replies as the device remembers, and one more.
TEST_F(CtrlStatsTest, LongLists) {
  const size_t most = kPairs > 31 ? 1024 : 64;
  std::vector<Entry> entries(most, {1, kTx});
  entries.push_back({0, 0});
  EXPECT_EQ(check(get(entries), {1, 60000}).size(), 1 + 56 * most);
  entries.push_back({0, kRx});
  EXPECT_EQ(check(get(entries), {1, 60000}), Bytes{kErr});
}

// The device fills what there is and no more, however it is divided.
TEST_F(CtrlStatsTest, AnyRoom) {
  bench_.timing() = {.min_latency = 1, .max_latency = 40, .stall = 40};
  for (uint32_t room = 1; room < 85; ++room) {
    check(get({{0, kRx}, {kControl, kCvq}}), {room});
    check(get({{kControl, kCvq}, {1, kTx}}), {1, room});
    check(get({{kControl, kCvq}, {1, kTx}}), std::vector<uint32_t>(room, 1));
  }
  check(get({{0, kRx}, {1, kTx}, {0, kRx}, {1, kTx}, {0, kRx}}), std::vector<uint32_t>(255, 1));
}

// A result's bytes follow one another: they do not wait for memory one by one.
TEST_F(CtrlStatsTest, Speed) {
  bench_.timing() = {.min_latency = 250, .max_latency = 250};
  const uint64_t from = bench_.cycle();
  check(get({{0, kRx}, {1, kTx}, {0, kRx}, {1, kTx}}), {1, 500});
  // Latency: two reads in each of two passes for 66 bytes in five sixteens, at most twelve; 225
  // bytes with fifteen under way; six values for each reply.
  EXPECT_LT(bench_.cycle() - from, 250U * (12 + 225 / 15 + 2 + 4 * 6));
}

TEST_F(CtrlStatsTest, WriteErrorInAResult) {
  bench_.timing() = {.min_latency = 20, .max_latency = 20};
  bench_.post({.bytes = get({{0, kRx}}), .reads = {18}, .writes = {1, 30, 26}});
  bench_.fail_writes();
  for (unsigned i = 0; i < 1000; ++i) bench_.step();
  EXPECT_TRUE(bench_.dut().err_valid_o);
  EXPECT_EQ(bench_.dut().err_code_o, regs::kErrorDmaWrite);
  EXPECT_EQ(bench_.dut().err_queue_o, kControl);
  EXPECT_EQ(bench_.dut().err_index_o, 1);
  EXPECT_TRUE(bench_.dut().quiet_o);
  EXPECT_FALSE(bench_.used());
  EXPECT_FALSE(bench_.busy());
}

// A stop at any moment of a result: soon nothing is left on the bus.
TEST_F(CtrlStatsTest, StopAtAnyMoment) {
  bench_.timing() = {.min_latency = 2, .max_latency = 9, .stall = 30, .desc_stall = 30};
  unsigned cut = 0;
  for (unsigned moment = 0; moment < 900; moment += 5) {
    bench_.post({.bytes = get({{0, kRx}, {1, kTx}}), .reads = {2, 8, 9}, .writes = {1, 50, 70}});
    for (unsigned i = 0; i < moment; ++i) bench_.step();
    bench_.dut().stop_i = 1;
    for (unsigned i = 0; i < 200 && !bench_.dut().quiet_o; ++i) bench_.step();
    EXPECT_TRUE(bench_.dut().quiet_o);
    EXPECT_FALSE(bench_.busy());
    cut += !bench_.used() && bench_.answer().size() > 1;
    bench_.reset();
    bench_.dut().stop_i = 0;
    bench_.until_ready();
    bench_.timing() = {};
    model_ = ControlModel(kPairs);
    model_.statistics = bench_.statistics();
    check(get({{kControl, kCvq}, {1, kTx}}), {1, 80});
    bench_.timing() = {.min_latency = 2, .max_latency = 9, .stall = 30, .desc_stall = 30};
  }
  EXPECT_GT(cut, 10U);
}

// A reset of the control virtqueue lets a command that is being answered be completed.
TEST_F(CtrlStatsTest, QueueResetAtAnyMoment) {
  bench_.timing() = {.min_latency = 2, .max_latency = 9, .stall = 30, .desc_stall = 30};
  unsigned given_up = 0;
  unsigned completed = 0;
  for (unsigned moment = 0; moment < 1200; moment += 9) {
    bench_.post({.bytes = get({{0, kRx}, {1, kTx}}), .reads = {2, 8, 9}, .writes = {1, 50, 70}});
    for (unsigned i = 0; i < moment && !bench_.used(); ++i) bench_.step();
    bench_.dut().qrst_valid_i = 1;
    for (unsigned i = 0; i < 3000 && (i < 2 || !bench_.dut().qrst_quiet_o); ++i) bench_.step();
    EXPECT_TRUE(bench_.dut().qrst_quiet_o);
    EXPECT_FALSE(bench_.busy());
    if (bench_.used()) {
      ++completed;
      bench_.finish();
      EXPECT_EQ(bench_.answer().size(), 113U);
    } else {
      ++given_up;
      EXPECT_TRUE(bench_.answer().empty());
    }
    bench_.forget_ring();
    bench_.dut().qrst_valid_i = 0;
    bench_.step();
  }
  EXPECT_GT(given_up, 10U);
  EXPECT_GT(completed, 10U);
}

}  // namespace
}  // namespace nicroscope::test
