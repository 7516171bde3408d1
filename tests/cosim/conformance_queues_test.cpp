// SPDX-License-Identifier: Apache-2.0
// Requirements on several receive queues (docs/conformance/net.md), on the RTL with four pairs.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <vector>

#include "tests/cosim/conformance_rig.h"
#include "tests/golden/frame_builder.h"
#include "tests/golden/parse.h"
#include "tests/golden/rss.h"

namespace nicroscope::test {
namespace {

using namespace regs;
using golden::Bytes;
using golden::Recipe;
using std::chrono::microseconds;
using Octets = std::vector<std::uint8_t>;

constexpr unsigned kFlows = 24;

void append_le(Octets& to, std::uint64_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) to.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

class ConformanceQueues : public testing::Test {
 protected:
  ConformanceRig rig{"dc25"};

  void start(std::uint64_t without = 0) {
    // Without coalescing, so that each frame has its place by itself.
    const std::uint64_t coalescing =
        1ULL << kFeatureGuestTso4 | 1ULL << kFeatureGuestTso6 | 1ULL << kFeatureGuestEcn;
    rig.start(rig.offered() & ~coalescing & ~without);
    for (unsigned queue = 0; queue + 1 < rig.queues(); queue += 2) rig.give(queue, 60);
  }
  /// Of connections to one server; what it sends, or what it gets.
  static Bytes frame(unsigned flow, bool reply = false) {
    Recipe recipe;
    recipe.source_port = static_cast<std::uint16_t>(40000 + flow);
    recipe.destination_port = 443;
    Bytes bytes = golden::build(recipe);
    if (!reply) return bytes;
    const golden::ParsedFrame parsed = golden::parse(bytes);
    recipe.source_address = parsed.destination_address;
    recipe.destination_address = parsed.source_address;
    recipe.source_port = parsed.destination_port;
    recipe.destination_port = parsed.source_port;
    return golden::build(recipe);
  }
  /// Which queue pair a frame comes to; all of them must come.
  std::map<Bytes, unsigned> places(const std::vector<Bytes>& frames) {
    for (const Bytes& each : frames) rig.arrive(each);
    std::map<Bytes, unsigned> found;
    EXPECT_TRUE(rig.run_until([&] {
      for (unsigned pair = 0; 2 * pair + 1 < rig.queues(); ++pair) {
        while (const auto received = rig.receive(2 * pair)) {
          found[received->bytes] = pair;
          rig.give(2 * pair, 1);
        }
      }
      return found.size() == frames.size();
    }));
    return found;
  }
  /// Of connections whose addresses and ports all differ.
  static std::vector<Bytes> flows() {
    std::vector<Bytes> frames;
    for (unsigned flow = 0; flow < kFlows; ++flow) {
      Recipe recipe;
      recipe.flow = flow;
      frames.push_back(golden::build(recipe));
    }
    return frames;
  }
  void use_pairs(unsigned pairs) {
    Octets data;
    append_le(data, pairs, 2);
    EXPECT_TRUE(rig.command(kCtrlClassMq, kCtrlMqVqPairsSet, data).ok());
  }
};

TEST_F(ConformanceQueues, TheFirstQueueAloneAfterAReset) {
  for (unsigned round = 0; round < 2; ++round) {
    start();
    for (const auto& [bytes, pair] : places(flows())) EXPECT_EQ(pair, 0U) << round;
    use_pairs(rig.pairs());
    std::set<unsigned> pairs;
    for (const auto& [bytes, pair] : places(flows())) pairs.insert(pair);
    EXPECT_EQ(pairs.size(), rig.pairs()) << "now it spreads them";
  }
}

// A packet of a queue that was reset is dropped until the queue is enabled again, and no other.
TEST_F(ConformanceQueues, PacketsOfAQueueThatIsResetAreDropped) {
  start();
  use_pairs(rig.pairs());
  const auto before = places(flows());
  rig.reset_queue(2);
  const std::uint64_t dropped = rig.counter(kCounterRxDropNoBuffer);
  unsigned others = 0;
  for (const auto& [bytes, pair] : before) {
    rig.arrive(bytes);
    others += pair == 1 ? 0U : 1U;
  }
  ASSERT_LT(others, kFlows);
  const auto all_came = [&] {
    for (const unsigned pair : {0U, 2U, 3U}) {
      for (; rig.receive(2 * pair); --others) rig.give(2 * pair, 1);
    }
    return others == 0;
  };
  const std::uint64_t lost = kFlows - others;
  EXPECT_TRUE(rig.run_until(all_came));
  EXPECT_TRUE(rig.run_until([&] { return rig.counter(kCounterRxDropNoBuffer) == dropped + lost; }));
  rig.enable_queue(2, 64);
  rig.give(2, 60);
  rig.run(microseconds{50});
  EXPECT_FALSE(rig.receive(2)) << "none of them waited";
  EXPECT_EQ(places(flows()), before);
}

TEST_F(ConformanceQueues, NoQueueBeyondThePairs) {
  start();
  for (const unsigned most : {4U, 2U, 3U, 1U, 4U, 1U}) {
    use_pairs(most);
    std::set<unsigned> pairs;
    for (const auto& [bytes, pair] : places(flows())) pairs.insert(pair);
    EXPECT_LE(*pairs.rbegin(), most - 1);
    EXPECT_EQ(pairs.size(), most);
  }
  for (const unsigned wrong : {0U, 5U, 0x8000U}) {
    Octets data;
    append_le(data, wrong, 2);
    EXPECT_FALSE(rig.command(kCtrlClassMq, kCtrlMqVqPairsSet, data).ok());
  }
}

TEST_F(ConformanceQueues, FlowsComeBackWhereTheyWent) {
  start();
  use_pairs(rig.pairs());
  for (unsigned shift = 0; shift < rig.pairs(); ++shift) {
    rig.sent.clear();
    for (unsigned flow = 0; flow < kFlows; ++flow) {
      rig.send(2 * ((flow + shift) % rig.pairs()) + 1, {}, frame(flow, true));
    }
    EXPECT_TRUE(rig.run_until([&] { return rig.sent.size() == kFlows; }));
    std::vector<Bytes> frames;
    for (unsigned flow = 0; flow < kFlows; ++flow) frames.push_back(frame(flow));
    auto found = places(frames);
    for (unsigned flow = 0; flow < kFlows; ++flow) {
      EXPECT_EQ(found[frame(flow)], (flow + shift) % rig.pairs()) << flow;
    }
  }
}

TEST_F(ConformanceQueues, RssGoesByTheTable) {
  start();
  golden::RssConfig rss;
  for (std::size_t i = 0; i < rss.key.size(); ++i) rss.key[i] = static_cast<std::uint8_t>(31 * i);
  for (const unsigned entries : {1U, 4U, 128U}) {
    rss.hash_types = 1U << kHashTypeTcpv4 | 1U << kHashTypeIpv4;
    rss.unclassified = static_cast<std::uint16_t>(entries % 3 + 1);
    rss.table.clear();
    for (unsigned i = 0; i < entries; ++i) {
      rss.table.push_back(static_cast<std::uint16_t>((i * i + 2) % rig.pairs()));
    }
    Octets data;
    append_le(data, rss.hash_types, 4);
    append_le(data, entries - 1, 2);
    append_le(data, rss.unclassified, 2);
    for (const std::uint16_t entry : rss.table) append_le(data, entry, 2);
    append_le(data, rig.pairs(), 2);
    data.push_back(static_cast<std::uint8_t>(rss.key.size()));
    data.insert(data.end(), rss.key.begin(), rss.key.end());
    EXPECT_TRUE(rig.command(kCtrlClassMq, kCtrlMqRssConfig, data).ok());
    std::vector<Bytes> frames = flows();
    Recipe six;
    six.l3 = golden::L3::ipv6;  // no type for it
    frames.push_back(golden::build(six));
    Recipe other;
    other.l3 = golden::L3::none;
    frames.push_back(golden::build(other));
    for (const auto& [bytes, pair] : places(frames)) {
      EXPECT_EQ(pair, golden::rss_queue(golden::parse(bytes), rss)) << entries;
    }
  }
  use_pairs(1);
  for (const auto& [bytes, pair] : places(flows())) EXPECT_EQ(pair, 0U) << "the last mode counts";
}

// A driver that knows of one pair finds the control virtqueue behind it (5.1.2).
TEST_F(ConformanceQueues, TheControlQueueIsTheThirdWithoutMultiqueue) {
  start(1ULL << kFeatureMq | 1ULL << kFeatureRss);
  EXPECT_EQ(rig.control(), 2U);
  EXPECT_TRUE(rig.command(kCtrlClassRx, kCtrlRxAllmulti, {1}).ok());
  EXPECT_FALSE(rig.command(kCtrlClassMq, kCtrlMqVqPairsSet, {1, 0}).ok()) << "not negotiated";
  for (const auto& [bytes, pair] : places(flows())) EXPECT_EQ(pair, 0U);
  rig.run(microseconds{5});
  EXPECT_NE(std::count(rig.interrupts.begin(), rig.interrupts.end(), 3U), 0) << "its vector";
}

}  // namespace
}  // namespace nicroscope::test
