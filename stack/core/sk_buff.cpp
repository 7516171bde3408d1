// SPDX-License-Identifier: Apache-2.0
#include "stack/core/sk_buff.h"

#include <algorithm>
#include <cstring>

#include "nicroscope/host_points.h"
#include "stack/core/checksum.h"
#include "stack/core/skb_allocator.h"

namespace nicroscope::net {

namespace {

/// Removes `n` bytes from the start of what lies behind the linear part, which is this packet's
/// alone. False without memory, with some of the bytes gone.
bool drop_from_tail_parts(sk_buff& skb, std::uint32_t n) {
  skb_shared_info& shinfo = *skb.shinfo;
  skb.len -= n;
  skb.data_len -= n;
  unsigned gone = 0;
  while (n != 0 && gone < shinfo.nr_frags) {
    skb_frag& frag = shinfo.frags[gone];
    const std::uint32_t eaten = std::min(n, frag.size);
    frag.offset += eaten;
    frag.size -= eaten;
    n -= eaten;
    if (frag.size != 0) break;
    ++gone;
  }
  std::move(shinfo.frags.begin() + gone, shinfo.frags.begin() + shinfo.nr_frags,
            shinfo.frags.begin());
  for (unsigned i = shinfo.nr_frags - gone; i < shinfo.nr_frags; ++i) shinfo.frags[i] = {};
  shinfo.nr_frags = static_cast<std::uint16_t>(shinfo.nr_frags - gone);

  while (n != 0) {
    sk_buff* const first = shinfo.frag_list;
    if (first->len > n) {
      if (!pskb_may_pull(*first, n)) return false;
      skb_pull(*first, n);
      return true;
    }
    n -= first->len;
    shinfo.frag_list = first->next;
    kfree_skb_part(first);
  }
  return true;
}

/// Appends `len` bytes from behind the linear part to it. False without memory.
bool pull_tail(sk_buff& skb, std::uint32_t len) {
  const auto room = static_cast<std::uint32_t>(skb.end - skb.tail);
  if (skb_cloned(skb) || room < len) {
    constexpr std::uint32_t kSpare = 128;  // the next header is likely to be pulled too
    const std::uint32_t more = room < len ? len - room + kSpare : 0;
    if (!pskb_expand_head(skb, 0, more)) return false;
  }
  const bool copied = skb_copy_bits(skb, skb_headlen(skb), {skb.tail, len});
  assert(copied);
  if (!copied || !drop_from_tail_parts(skb, len)) return false;
  skb.tail += len;
  skb.len += len;
  return true;
}

}  // namespace

void skb_deleter::operator()(sk_buff* skb) const noexcept {
  kfree_skb_reason(skb_ptr(skb), skb_drop_reason::NOT_SPECIFIED);
}

bool pskb_trim(sk_buff& skb, std::uint32_t len) {
  if (len >= skb.len) return true;
  if (len >= skb_headlen(skb) && skb_cloned(skb) && !pskb_expand_head(skb, 0, 0)) return false;
  if (len < skb_headlen(skb)) {
    if (skb_is_nonlinear(skb) && skb_cloned(skb) && !pskb_expand_head(skb, 0, 0)) return false;
    skb.tail = skb.data + len;
  }
  // What is kept of each part behind the linear one.
  std::uint32_t keep = len - std::min(len, skb_headlen(skb));
  if (skb_is_nonlinear(skb)) {
    skb_shared_info& shinfo = *skb.shinfo;
    unsigned kept_frags = 0;
    for (unsigned i = 0; i < shinfo.nr_frags; ++i) {
      skb_frag& frag = shinfo.frags[i];
      if (keep == 0) {
        frag = {};
        continue;
      }
      frag.size = std::min(frag.size, keep);
      keep -= frag.size;
      kept_frags = i + 1;
    }
    shinfo.nr_frags = static_cast<std::uint16_t>(kept_frags);
    sk_buff** link = &shinfo.frag_list;
    while (*link != nullptr) {
      sk_buff* const part = *link;
      if (keep == 0) {
        *link = part->next;
        kfree_skb_part(part);
        continue;
      }
      const std::uint32_t part_len = std::min(part->len, keep);
      if (!pskb_trim(*part, part_len)) return false;
      keep -= part_len;
      link = &part->next;
    }
  }
  skb.len = len;
  skb.data_len = len - static_cast<std::uint32_t>(skb.tail - skb.data);
  return true;
}

bool pskb_may_pull(sk_buff& skb, std::uint32_t len) {
  const std::uint32_t linear = skb_headlen(skb);
  if (len <= linear) return true;
  if (len > skb.len) return false;
  return pull_tail(skb, len - linear);
}

bool skb_linearize(sk_buff& skb) { return pskb_may_pull(skb, skb.len); }

bool skb_cow(sk_buff& skb, std::uint32_t headroom) {
  const std::uint32_t has = skb_headroom(skb);
  if (has >= headroom && !skb_cloned(skb)) return true;
  return pskb_expand_head(skb, headroom > has ? headroom - has : 0, 0);
}

bool skb_copy_bits(const sk_buff& skb, std::uint32_t offset, std::span<std::byte> out) {
  if (offset > skb.len || out.size() > skb.len - offset) return false;
  std::byte* to = out.data();
  std::size_t left = out.size();
  std::size_t skip = offset;
  skb_walk(skb, [&](std::span<const std::byte> piece) {
    const std::size_t skipped = std::min(skip, piece.size());
    skip -= skipped;
    const std::size_t n = std::min(left, piece.size() - skipped);
    if (n == 0) return;
    std::memcpy(to, piece.data() + skipped, n);
    to += n;
    left -= n;
  });
  return true;
}

std::uint32_t skb_checksum(const sk_buff& skb, std::uint32_t offset, std::uint32_t len,
                           std::uint32_t sum) {
  assert(offset <= skb.len && len <= skb.len - offset);
  std::size_t skip = offset;
  std::size_t left = len;
  std::uint32_t done = 0;
  skb_walk(skb, [&](std::span<const std::byte> piece) {
    const std::size_t skipped = std::min(skip, piece.size());
    skip -= skipped;
    const std::size_t n = std::min(left, piece.size() - skipped);
    if (n == 0) return;
    sum = csum_block_add(sum, csum_partial(piece.subspan(skipped, n), 0), done);
    done += static_cast<std::uint32_t>(n);
    left -= n;
  });
  return sum;
}

skb_ptr skb_copy(const sk_buff& skb) {
  skb_ptr copy =
      skb.allocator->alloc_skb(static_cast<std::uint32_t>(skb.end - skb.head) + skb.data_len);
  if (!copy) return nullptr;
  skb_reserve(*copy, skb_headroom(skb));
  const bool copied = skb_copy_bits(skb, 0, {skb_put(*copy, skb.len), skb.len});
  assert(copied);
  static_cast<void>(copied);
  skb_copy_header(*copy, skb);
  copy->shinfo->gso_type = skb.shinfo->gso_type;
  copy->shinfo->gso_size = skb.shinfo->gso_size;
  copy->shinfo->gso_segs = skb.shinfo->gso_segs;
  return copy;
}

void skb_copy_header(sk_buff& to, const sk_buff& from) noexcept {
  to.dev = from.dev;
  to.mac_header = from.mac_header;
  to.network_header = from.network_header;
  to.transport_header = from.transport_header;
  to.mac_len = from.mac_len;
  to.protocol = from.protocol;
  to.pkt_type = from.pkt_type;
  to.ip_summed = from.ip_summed;
  to.csum_level = from.csum_level;
  to.csum_offset = from.csum_offset;
  to.csum_start = from.csum_start;
  to.csum = from.csum;
  to.hash = from.hash;
  to.priority = from.priority;
  to.queue_mapping = from.queue_mapping;
  to.tstamp = from.tstamp;
  to.frame = from.frame;
  to.cb = from.cb;
}

void skb_add_rx_frag(sk_buff& skb, page_ref page, std::uint32_t offset, std::uint32_t size,
                     std::uint32_t truesize) {
  skb_shared_info& shinfo = *skb.shinfo;
  assert(shinfo.nr_frags < MAX_SKB_FRAGS && shinfo.frag_list == nullptr && !skb_cloned(skb));
  assert(offset <= page.size() && size <= page.size() - offset);
  shinfo.frags[shinfo.nr_frags++] = {std::move(page), offset, size};
  skb.len += size;
  skb.data_len += size;
  skb.truesize += truesize;
}

void skb_orphan(sk_buff& skb) {
  if (skb.destructor != nullptr) skb.destructor(skb);
  skb.destructor = nullptr;
  skb.sk = nullptr;
}

// ---- queues ------------------------------------------------------------------------------------

void sk_buff_head::insert_before(sk_buff* next, skb_ptr skb) noexcept {
  sk_buff* const s = skb.release();
  s->next = next;
  s->prev = next != nullptr ? next->prev : last_;
  (s->prev != nullptr ? s->prev->next : first_) = s;
  (next != nullptr ? next->prev : last_) = s;
  ++size_;
}

void sk_buff_head::queue_tail(skb_ptr skb) noexcept { insert_before(nullptr, std::move(skb)); }
void sk_buff_head::queue_head(skb_ptr skb) noexcept { insert_before(first_, std::move(skb)); }

skb_ptr sk_buff_head::unlink(sk_buff& skb) noexcept {
  (skb.prev != nullptr ? skb.prev->next : first_) = skb.next;
  (skb.next != nullptr ? skb.next->prev : last_) = skb.prev;
  skb.next = nullptr;
  skb.prev = nullptr;
  --size_;
  return skb_ptr(&skb);
}

skb_ptr sk_buff_head::dequeue() noexcept { return first_ != nullptr ? unlink(*first_) : skb_ptr(); }

void sk_buff_head::purge(skb_drop_reason reason) noexcept {
  while (skb_ptr skb = dequeue()) kfree_skb_reason(std::move(skb), reason);
}

}  // namespace nicroscope::net
