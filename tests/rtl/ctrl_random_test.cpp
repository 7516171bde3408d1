// SPDX-License-Identifier: Apache-2.0
// Random commands, right and damaged, in chains of any shape, against the model.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "nicroscope/registers.h"
#include "tests/rtl/ctrl_bench.h"

namespace nicroscope::test {
namespace {

using Bytes = std::vector<uint8_t>;

constexpr unsigned kPairs = CtrlBench::kPairs;

class Commands {
 public:
  explicit Commands(std::mt19937& random) : random_(random) {}

  // Mostly right; one in four is damaged.
  Bytes next() {
    Bytes bytes = plain();
    if (below(4) != 0) return bytes;
    switch (below(4)) {
      case 0:
        bytes.resize(below(static_cast<unsigned>(bytes.size()) + 1));
        break;
      case 1:
        for (unsigned i = below(4) + 1; i > 0; --i) bytes.push_back(byte());
        break;
      case 2:
        bytes[below(static_cast<unsigned>(bytes.size()))] = byte();
        break;
      default:
        bytes[below(static_cast<unsigned>(std::min<size_t>(bytes.size(), 16)))] ^=
            static_cast<uint8_t>(1U << below(8));
    }
    return bytes;
  }

  ControlModel::Statistics statistic() {
    const auto word = [&] { return uint64_t{random_()} << 32 | random_(); };
    return {word(), word(), word(), word(), word(), word()};
  }

  unsigned below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }
  uint8_t byte() { return static_cast<uint8_t>(random_()); }

 private:
  Bytes plain() {
    Bytes bytes;
    switch (below(12)) {
      case 0:
        return {regs::kCtrlClassRx, static_cast<uint8_t>(below(6)), static_cast<uint8_t>(below(2))};
      case 1:
        return mac_table();
      case 2:
        bytes = {regs::kCtrlClassMac, regs::kCtrlMacAddrSet, static_cast<uint8_t>(byte() & 0xfe)};
        while (bytes.size() < 8) bytes.push_back(byte());
        return bytes;
      case 3:
        bytes = {regs::kCtrlClassVlan, static_cast<uint8_t>(below(2))};
        append_little(bytes, below(4096), 2);
        return bytes;
      case 4:
        return {regs::kCtrlClassAnnounce, 0};
      case 5:
        bytes = {regs::kCtrlClassMq, regs::kCtrlMqVqPairsSet};
        append_little(bytes, below(kPairs) + 1, 2);
        return bytes;
      case 6:
        return rss();
      case 7:
        bytes = {regs::kCtrlClassMq, regs::kCtrlMqHashConfig};
        append_little(bytes, below(512), 4);
        append_little(bytes, 0, 8);
        append_key(bytes);
        return bytes;
      case 8: {
        bytes = {regs::kCtrlClassGuestOffloads, 0};
        const uint64_t all = 1ULL << 1 | 1ULL << 7 | 1ULL << 8 | 1ULL << 9;
        append_little(bytes, random_() & all, 8);
        return bytes;
      }
      case 9:
        return statistics();
      default: {
        const unsigned number = below(4);
        bytes = {regs::kCtrlClassNotfCoal, static_cast<uint8_t>(number)};
        if (number >= regs::kCtrlNotfCoalVqSet) {
          append_little(bytes, below(2 * kPairs + 1), 2);
          append_little(bytes, random_(), 2);
        }
        if (number != regs::kCtrlNotfCoalVqGet) {
          append_little(bytes, below(1000), 4);
          append_little(bytes, random_() >> (16 + below(16)), 4);
        }
        return bytes;
      }
    }
  }

  Bytes statistics() {
    if (below(4) == 0) return {regs::kCtrlClassStats, regs::kCtrlStatsQuery};
    Bytes bytes = {regs::kCtrlClassStats, regs::kCtrlStatsGet};
    for (unsigned i = below(6); i > 0; --i) {
      const unsigned queue = below(2 * kPairs + 1);
      const unsigned type = queue == 2 * kPairs ? 32 : queue % 2 == 0 ? 0 : 16;
      append_little(bytes, queue, 2);
      append_little(bytes, uint64_t{random_()} << 16, 6);
      append_little(bytes, below(8) == 0 ? 0 : 1ULL << type, 8);
    }
    return bytes;
  }

  Bytes mac_table() {
    Bytes bytes = {regs::kCtrlClassMac, regs::kCtrlMacTableSet};
    for (unsigned list = 0; list < 2; ++list) {
      const unsigned count = below(8) == 0 ? below(150) : below(6);
      append_little(bytes, count, 4);
      for (unsigned i = 0; i < count; ++i) {
        const uint64_t first = byte() & 0xfeU;
        append_address(bytes, (first | list) << 40 | uint64_t{random_()} << 8 | byte());
      }
    }
    return bytes;
  }

  Bytes rss() {
    Bytes bytes = {regs::kCtrlClassMq, regs::kCtrlMqRssConfig};
    const unsigned entries = 1U << below(8);
    append_little(bytes, below(512), 4);
    append_little(bytes, entries - 1, 2);
    append_little(bytes, below(kPairs), 2);
    for (unsigned i = 0; i < entries; ++i) append_little(bytes, below(kPairs), 2);
    append_little(bytes, below(kPairs) + 1, 2);
    append_key(bytes);
    return bytes;
  }

  void append_key(Bytes& bytes) {
    const unsigned length = below(2) == 0 ? 40 : below(42);
    bytes.push_back(static_cast<uint8_t>(length));
    for (unsigned i = 0; i < length; ++i) bytes.push_back(byte());
  }

  std::mt19937& random_;
};

// Lengths that add up to `total` or less.
std::vector<uint32_t> pieces(Commands& commands, size_t total) {
  std::vector<uint32_t> lengths;
  const unsigned style = commands.below(3);
  while (total > 0 && lengths.size() < 200) {
    const auto most = static_cast<unsigned>(std::min<size_t>(total, style == 1 ? 3 : 200));
    lengths.push_back(style == 0 ? static_cast<uint32_t>(total) : commands.below(most) + 1);
    total -= lengths.back();
  }
  return lengths;
}

class CtrlRandomTest : public testing::TestWithParam<uint32_t> {};

TEST_P(CtrlRandomTest, Commands) {
  CtrlBench bench(GetParam());
  Commands commands(bench.random());
  ControlModel model(kPairs);
  bench.until_ready();
  unsigned done = 0;
  unsigned refused = 0;
  size_t results = 0;
  for (unsigned i = 0; i < 150 && !testing::Test::HasFailure(); ++i) {
    if (i % 30 == 0) {
      bench.timing() = {.min_latency = 1,
                        .max_latency = 1 + commands.below(30),
                        .stall = commands.below(60),
                        .desc_stall = commands.below(60)};
      bench.features(commands.below(2) == 0 ? ~0ULL
                                            : bench.random()() | uint64_t{bench.random()()} << 32);
    }
    if (commands.below(3) == 0) {
      const unsigned queue = commands.below(2 * kPairs + 1);
      if (commands.below(3) != 0) {
        bench.enable(queue);
        model.enable(queue);
      } else {
        bench.disable(queue);
        model.disable(queue);
      }
    }
    const Bytes bytes = commands.next();
    const bool get = bytes.size() > 1 && bytes[0] == regs::kCtrlClassNotfCoal &&
                     bytes[1] == regs::kCtrlNotfCoalVqGet;
    CtrlBench::Chain chain{.bytes = bytes, .reads = pieces(commands, bytes.size()), .writes = {}};
    const bool stats = !bytes.empty() && bytes[0] == regs::kCtrlClassStats;
    size_t room = commands.below(16) == 0 ? commands.below(12) : get ? 9 : 1;
    if (stats) room = commands.below(4) == 0 ? commands.below(300) : 9 + 56 * bytes.size() / 16;
    chain.writes = pieces(commands, room);
    room = std::accumulate(chain.writes.begin(), chain.writes.end(), size_t{0});
    for (ControlModel::Statistics& s : bench.statistics()) {
      if (stats) s = commands.statistic();
    }
    model.statistics = bench.statistics();
    const Bytes answer = bench.run(chain);
    const ControlModel::Answer expected = model.execute(bench.features(), bytes, room);
    if (room > 0) {
      Bytes right = expected.data;
      if (get && !expected.ok)
        right.assign(answer.begin(),
                     answer.begin() + std::min<long>(static_cast<long>(room) - 1, 8));
      right.push_back(expected.ok ? regs::kCtrlAckOk : regs::kCtrlAckErr);
      right.insert(right.end(), expected.result.begin(), expected.result.end());
      EXPECT_EQ(answer, right) << "command " << int{bytes.empty() ? uint8_t{255} : bytes[0]} << ", "
                               << bytes.size() << " bytes, room for " << room;
      results += expected.result.size();
    } else {
      EXPECT_TRUE(answer.empty());
    }
    (expected.ok ? done : refused)++;
    EXPECT_EQ(bench.ok(), done);
    EXPECT_EQ(bench.bad(), refused);
    expect_state(bench, model);
  }
  EXPECT_GT(done, 20U);
  EXPECT_GT(refused, 20U);
  EXPECT_GT(results, 50U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, CtrlRandomTest, testing::Range(1U, 9U));

}  // namespace
}  // namespace nicroscope::test
