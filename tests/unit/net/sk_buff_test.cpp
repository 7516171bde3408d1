// SPDX-License-Identifier: Apache-2.0
#include "stack/core/sk_buff.h"

#include <gtest/gtest.h>

#include "stack/core/checksum.h"
#include "stack/core/skb_allocator.h"
#include "stack/core/sock.h"
#include "tests/support/rig.h"
#include "tests/unit/net/frames.h"

namespace nicroscope::test {
namespace {

using namespace net;

class SkBuffTest : public ::testing::Test {
 protected:
  ~SkBuffTest() override {
    EXPECT_EQ(skbs.live(), 0U);
    EXPECT_EQ(rig.kernel.memory().outstanding(), before);
  }

  /// The packet's bytes.
  static Bytes content(const sk_buff& skb) {
    Bytes b;
    skb_walk(skb, [&](std::span<const std::byte> piece) {
      b.insert(b.end(), piece.begin(), piece.end());
    });
    EXPECT_EQ(b.size(), skb.len);
    return b;
  }
  void append(sk_buff& skb, const Bytes& bytes) {
    page_ref page = page_ref::alloc(rig.kernel.memory(), 0);
    std::copy(bytes.begin(), bytes.end(), page.address() + 3);
    skb_add_rx_frag(skb, std::move(page), 3, static_cast<std::uint32_t>(bytes.size()), 4096);
  }
  skb_ptr linear(const Bytes& bytes, std::uint32_t headroom = 32, std::uint32_t tailroom = 0) {
    const auto size = static_cast<std::uint32_t>(bytes.size());
    skb_ptr skb = skbs.alloc_skb(headroom + size + tailroom);
    skb_reserve(*skb, headroom);
    std::copy(bytes.begin(), bytes.end(), skb_put(*skb, size));
    return skb;
  }
  /// A packet of random pieces, and its bytes.
  std::pair<skb_ptr, Bytes> random_packet(Random& random) {
    Bytes all;
    const auto piece = [&](std::size_t limit) {
      Bytes b(random() % limit);
      for (std::byte& byte : b) byte = static_cast<std::byte>(random() & 0xffU);
      all.insert(all.end(), b.begin(), b.end());
      return b;
    };
    skb_ptr skb = linear(piece(60), random() % 40, random() % 40);
    for (unsigned n = random() % 4; n != 0; --n) append(*skb, piece(50));
    for (unsigned n = random() % 3; n != 0; --n) {
      skb_ptr more = linear(piece(40), random() % 20);
      if (random() % 2 == 0) append(*more, piece(30));
      skb_append_frag_list(*skb, std::move(more));
    }
    return {std::move(skb), all};
  }

  Rig rig;
  std::size_t before = rig.kernel.memory().outstanding();
  skb_allocator skbs{rig.kernel};
};

TEST_F(SkBuffTest, ReservePutPushPull) {
  skb_ptr skb = skbs.alloc_skb(100);
  EXPECT_EQ(skb_tailroom(*skb), 100U);
  skb_reserve(*skb, 20);
  EXPECT_EQ(skb_headroom(*skb), 20U);
  std::byte* const start = skb_put(*skb, 30);
  EXPECT_EQ(start, skb->data);
  EXPECT_EQ(skb->len, 30U);
  EXPECT_EQ(skb_tailroom(*skb), 50U);
  EXPECT_EQ(skb_push(*skb, 8), start - 8);
  skb_reset_network_header(*skb);
  EXPECT_EQ(skb_network_header(*skb), start - 8);
  EXPECT_EQ(skb_pull(*skb, 18), start + 10);
  EXPECT_EQ(skb->len, 20U);
  EXPECT_TRUE(pskb_trim(*skb, 5));
  EXPECT_EQ(skb->tail, skb->data + 5);
  EXPECT_GE(skb->truesize, 100U + sizeof(sk_buff));
  consume_skb(std::move(skb));
  EXPECT_EQ(skbs.consumed(), 1U);
}

TEST_F(SkBuffTest, CloneSharesAndCopyDoesNot) {
  skb_ptr skb = linear(pattern(40));
  append(*skb, pattern(100, 9));
  skb_ptr clone = skb_clone(*skb);
  EXPECT_TRUE(skb_cloned(*skb));
  EXPECT_EQ(clone->data, skb->data);
  skb_ptr copy = skb_copy(*skb);
  EXPECT_FALSE(skb_is_nonlinear(*copy));
  EXPECT_EQ(content(*copy), content(*skb));
  EXPECT_EQ(skb_headroom(*copy), skb_headroom(*skb));
  // Made its own, a clone may be written.
  ASSERT_TRUE(skb_cow(*clone, 100));
  EXPECT_FALSE(skb_cloned(*skb));
  EXPECT_GE(skb_headroom(*clone), 100U);
  clone->data[0] = std::byte{0xee};
  EXPECT_EQ(skb->data[0], std::byte{0});
  EXPECT_EQ(slice(content(*clone), 1), slice(content(*skb), 1));
  consume_skb(std::move(skb));
  EXPECT_EQ(content(*clone).size(), 140U);
  consume_skb(std::move(clone));
  consume_skb(std::move(copy));
}

TEST_F(SkBuffTest, EveryOperationKeepsTheBytes) {
  Random random(7);
  for (int round = 0; round < 3000; ++round) {
    auto [skb, bytes] = random_packet(random);
    skb_ptr clone;
    if (random() % 3 == 0) clone = skb_clone(*skb);
    ASSERT_EQ(content(*skb), bytes);
    const auto at = static_cast<std::uint32_t>(random() % (bytes.size() + 1));
    const auto n = static_cast<std::uint32_t>(random() % (bytes.size() - at + 1));
    Bytes out(n);
    ASSERT_TRUE(skb_copy_bits(*skb, at, out));
    ASSERT_EQ(out, slice(bytes, at, n));
    ASSERT_EQ(csum_fold(skb_checksum(*skb, at, n, 0)), naive_checksum(out));
    Bytes expected = bytes;
    switch (random() % 5) {
      case 0:
        ASSERT_TRUE(pskb_may_pull(*skb, at));
        ASSERT_GE(skb_headlen(*skb), at);
        break;
      case 1:
        ASSERT_TRUE(skb_linearize(*skb));
        ASSERT_FALSE(skb_is_nonlinear(*skb));
        break;
      case 2:
        ASSERT_TRUE(pskb_trim(*skb, at));
        expected.resize(at);
        break;
      case 3:
        ASSERT_TRUE(pskb_expand_head(*skb, 10, 5));
        ASSERT_FALSE(skb_cloned(*skb));
        break;
      default:
        ASSERT_TRUE(pskb_may_pull(*skb, at));
        skb_pull(*skb, at);
        expected = slice(expected, at);
        break;
    }
    ASSERT_EQ(content(*skb), expected);
    if (clone) {
      ASSERT_EQ(content(*clone), bytes);
      consume_skb(std::move(clone));
    }
    Bytes one(1);
    ASSERT_FALSE(pskb_may_pull(*skb, skb->len + 1));
    ASSERT_FALSE(skb_copy_bits(*skb, skb->len, one));
    consume_skb(std::move(skb));
  }
}

TEST_F(SkBuffTest, PagesLiveAsLongAsTheirLastUser) {
  page_ref page = page_ref::alloc(rig.kernel.memory(), 1);
  EXPECT_EQ(page.size(), 8192U);
  skb_ptr skb = skbs.alloc_skb(16);
  skb_add_rx_frag(*skb, page, 0, 100, 128);
  skb_add_rx_frag(*skb, page, 4096, 100, 128);
  page = page_ref();
  EXPECT_EQ(skb->len, 200U);
  skb_ptr clone = skb_clone(*skb);
  consume_skb(std::move(skb));
  EXPECT_EQ(content(*clone).size(), 200U);
  consume_skb(std::move(clone));
}

TEST_F(SkBuffTest, DropsAreCountedByReason) {
  kfree_skb_reason(linear(pattern(4)), skb_drop_reason::UDP_CSUM);
  { const skb_ptr lost = linear(pattern(4)); }
  EXPECT_EQ(skbs.dropped(skb_drop_reason::UDP_CSUM), 1U);
  EXPECT_EQ(skbs.dropped(skb_drop_reason::NOT_SPECIFIED), 1U);
  EXPECT_EQ(skbs.dropped(), 2U);
}

TEST_F(SkBuffTest, QueueKeepsItsOrder) {
  sk_buff_head queue;
  const auto named = [&](FrameId id) {
    skb_ptr skb = linear(pattern(1));
    skb->frame = id;
    return skb;
  };
  queue.queue_tail(named(2));
  queue.queue_tail(named(4));
  queue.queue_head(named(1));
  queue.insert_before(queue.peek_tail(), named(3));
  EXPECT_EQ(queue.size(), 4U);
  skb_ptr third = queue.unlink(*queue.peek_tail()->prev);
  EXPECT_EQ(third->frame, 3U);
  for (const FrameId id : {1U, 2U, 4U}) {
    skb_ptr skb = queue.dequeue();
    EXPECT_EQ(skb->frame, id);
    consume_skb(std::move(skb));
  }
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.dequeue(), nullptr);
  consume_skb(std::move(third));
}

TEST_F(SkBuffTest, WithoutMemoryTheResultIsNull) {
  std::vector<skb_ptr> all;
  while (skb_ptr skb = skbs.alloc_skb(1U << 20U)) all.push_back(std::move(skb));
  EXPECT_GE(all.size(), 4U);
  EXPECT_FALSE(pskb_expand_head(*all[0], 1, 0));
  EXPECT_EQ(skb_copy(*all[0]), nullptr);
  for (skb_ptr& skb : all) consume_skb(std::move(skb));
}

}  // namespace
}  // namespace nicroscope::test
