// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>

#include "tests/unit/net/net_rig.h"

namespace nicroscope::test {
namespace {

using namespace std::chrono_literals;

class FragmentTest : public NetTest {
 protected:
  /// Takes whole packets of protocol 253.
  class Taker : public net::net_protocol {
   public:
    void handler(net::skb_ptr skb) override {
      Bytes bytes(skb->len);
      EXPECT_TRUE(net::skb_copy_bits(*skb, 0, bytes));
      EXPECT_EQ(net::ip_hdr(*skb).tot_len(), 20 + skb->len);
      EXPECT_FALSE(net::ip_hdr(*skb).is_fragment());
      EXPECT_TRUE(net::ip_hdr(*skb).checksum_ok());
      packets.push_back(std::move(bytes));
      net::consume_skb(std::move(skb));
    }
    std::vector<Bytes> packets;
  };

  FragmentTest() { stack.ipv4.inet_add_protocol(253, taker); }

  /// Bytes [from, to) of `data`.
  void piece(const Bytes& data, std::size_t from, std::size_t to, unsigned id = 1, int more = -1) {
    const bool has_more = more == -1 ? to < data.size() : more != 0;
    receive_ip({.protocol = 253,
                .id = id,
                .fragment = static_cast<unsigned>(from / 8 | (has_more ? 0x2000U : 0U))},
               slice(data, from, to - from));
  }
  void expect_nothing_kept() {
    EXPECT_EQ(stack.ipv4.defrag.queues(), 0U);
    EXPECT_EQ(stack.ipv4.defrag.memory(), 0U);
    EXPECT_EQ(stack.net.skbs().live(), 0U);
  }

  Taker taker;
};

TEST_F(FragmentTest, EveryOrderMakesTheSamePacket) {
  const Bytes data = pattern(100);
  std::vector<std::size_t> order(5);
  std::iota(order.begin(), order.end(), 0U);
  unsigned id = 0;
  do {
    ++id;
    device.fragment_bytes = id % 3 * 10;
    for (const std::size_t i : order)
      piece(data, i * 24, std::min<std::size_t>(i * 24 + 24, 100), id);
    ASSERT_EQ(taker.packets.size(), id);
    ASSERT_EQ(taker.packets.back(), data);
  } while (std::next_permutation(order.begin(), order.end()));
  EXPECT_EQ(count(net::mib::IpReasmOKs), 120U);
  expect_nothing_kept();
}

TEST_F(FragmentTest, PacketsAreToldApart) {
  const Bytes data = pattern(64);
  piece(data, 0, 32, 1);
  piece(data, 0, 32, 2);
  receive_ip({.from = {0x0a000003}, .protocol = 253, .id = 1, .fragment = 4}, slice(data, 32));
  EXPECT_TRUE(taker.packets.empty());
  EXPECT_EQ(stack.ipv4.defrag.queues(), 3U);
  piece(data, 32, 64, 2);
  EXPECT_EQ(taker.packets.size(), 1U);
}

TEST_F(FragmentTest, DuplicatesAreIgnoredAndOverlapsRefused) {
  const Bytes data = pattern(96);
  piece(data, 0, 32);
  piece(data, 0, 32);
  piece(data, 8, 24, 1, 1);
  EXPECT_EQ(drops(skb_drop_reason::DUP_FRAG), 2U);
  piece(data, 32, 96);
  ASSERT_EQ(taker.packets.size(), 1U);
  EXPECT_EQ(taker.packets[0], data);
  // Overlaps at either end take the whole packet with them.
  for (const auto& [from, to] : {std::pair{24U, 56U}, std::pair{48U, 80U}, std::pair{24U, 80U}}) {
    piece(data, 32, 64);
    const std::uint64_t before = drops(skb_drop_reason::FRAG_OVERLAP);
    piece(data, from, to);
    EXPECT_EQ(drops(skb_drop_reason::FRAG_OVERLAP), before + 2);
    expect_nothing_kept();
  }
  EXPECT_EQ(taker.packets.size(), 1U);
}

TEST_F(FragmentTest, ImpossiblePlacesAreRefused) {
  const Bytes data = pattern(96);
  piece(data, 0, 4, 1, 1);  // less than 8 bytes and more to come
  EXPECT_EQ(drops(skb_drop_reason::FRAG_MALFORMED), 1U);
  expect_nothing_kept();
  piece(data, 64, 96);        // the end is at 96
  piece(data, 96, 96, 1, 0);  // nothing
  EXPECT_EQ(drops(skb_drop_reason::FRAG_MALFORMED), 2U);
  piece(data, 32, 64, 1, 0);  // no, at 64
  EXPECT_EQ(drops(skb_drop_reason::FRAG_MALFORMED), 4U);
  expect_nothing_kept();
  piece(data, 32, 64, 2, 0);
  piece(data, 64, 96, 2, 1);  // beyond the end
  EXPECT_EQ(drops(skb_drop_reason::FRAG_MALFORMED), 6U);
  expect_nothing_kept();
}

TEST_F(FragmentTest, ThePingOfDeathIsRefused) {
  receive_ip({.protocol = 253, .fragment = 0x2000}, pattern(1480));
  receive_ip({.protocol = 253, .fragment = 0x1fff}, pattern(1480));
  EXPECT_EQ(drops(skb_drop_reason::FRAG_TOO_FAR), 2U);
  expect_nothing_kept();
}

TEST_F(FragmentTest, TheLongestPacketIsPutTogether) {
  const Bytes data = pattern(65'515);
  for (std::size_t at = 0; at < data.size(); at += 1480) {
    piece(data, at, std::min(at + 1480, data.size()));
  }
  ASSERT_EQ(taker.packets.size(), 1U);
  EXPECT_EQ(taker.packets[0], data);
  expect_nothing_kept();
}

TEST_F(FragmentTest, IncompletePacketsTimeOut) {
  learn_peer();
  const Bytes data = pattern(96);
  piece(data, 0, 32, 1);
  piece(data, 32, 64, 2);
  run_for(29s);
  EXPECT_EQ(stack.ipv4.defrag.queues(), 2U);
  piece(data, 64, 96, 1);  // does not give it more time
  run_for(2s);
  EXPECT_EQ(drops(skb_drop_reason::FRAG_REASM_TIMEOUT), 3U);
  EXPECT_EQ(count(net::mib::IpReasmTimeout), 2U);
  expect_nothing_kept();
  // Only whose first fragment came is told: it names the ports.
  const Bytes error = take_sent();
  EXPECT_EQ(get8(error, 34), 11U);
  EXPECT_EQ(get8(error, 35), 1U);
  EXPECT_EQ(slice(error, 62, 32), slice(data, 0, 32));
  EXPECT_TRUE(device.sent.empty());
}

TEST_F(FragmentTest, MemoryIsLimited) {
  const Bytes data = pattern(2960);
  for (unsigned id = 0; id < 5000; ++id) piece(data, 0, 1480, id);
  EXPECT_LE(stack.ipv4.defrag.memory(), std::size_t{4} << 20U);
  EXPECT_GT(drops(skb_drop_reason::FRAG_LIMIT), 1000U);
  // The newest are still there.
  piece(data, 1480, 2960, 4999);
  EXPECT_EQ(taker.packets.size(), 1U);
}

TEST_F(FragmentTest, OutputIsFragmentedToTheMtu) {
  learn_peer();
  ASSERT_TRUE(net::dev_set_mtu(dev, 576));
  const Bytes data = pattern(3000);
  net::skb_ptr skb = stack.net.skbs().alloc_skb(net::kIpHeadroom + 3000);
  net::skb_reserve(*skb, net::kIpHeadroom);
  std::copy(data.begin(), data.end(), net::skb_put(*skb, 3000));
  net::ip_tx_params params;
  params.rt = stack.ipv4.fib.ip_route_output(kPeerIp, {}, nullptr).value();
  params.daddr = kPeerIp;
  params.protocol = 253;
  params.dont_fragment = true;  // asked for where it fits, and it does not
  EXPECT_EQ(stack.ipv4.ip_send_skb(std::move(skb), params), net::kOk);
  Bytes sent;
  unsigned id = 0;
  while (!device.sent.empty()) {
    const Bytes frame = take_sent();
    EXPECT_LE(frame.size(), 14U + 576);
    EXPECT_EQ(naive_checksum(slice(frame, 14, 20)), 0U);
    EXPECT_EQ(get16(frame, 20), sent.size() / 8 | (device.sent.empty() ? 0U : 0x2000U));
    if (sent.empty()) id = get16(frame, 18);
    EXPECT_EQ(get16(frame, 18), id);
    put(sent, slice(frame, 34));
  }
  EXPECT_EQ(sent, data);
  EXPECT_EQ(count(net::mib::IpFragOKs), 1U);
}

}  // namespace
}  // namespace nicroscope::test
