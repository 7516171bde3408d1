// SPDX-License-Identifier: Apache-2.0
// Linux: net/core/gso.c, net/ipv4/tcp_offload.c, net/ipv4/udp_offload.c.
#include "stack/core/gso.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "stack/core/byte_order.h"
#include "stack/core/checksum.h"
#include "stack/core/ethernet.h"
#include "stack/core/net.h"

namespace nicroscope::net {

namespace {

constexpr std::size_t kReach = 256;
constexpr std::uint8_t kHopByHop = 0;  // IPv6 extension headers (RFC 8200 4.1, RFC 4302)
constexpr std::uint8_t kRouting = 43;
constexpr std::uint8_t kAuthentication = 51;
constexpr std::uint8_t kDestinationOptions = 60;
constexpr unsigned kVlanHlen = 4;
constexpr unsigned kMaxTags = 2;
constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;
constexpr std::uint32_t kIpv4Hlen = 20;
constexpr std::uint32_t kIpv6Hlen = 40;
constexpr std::uint32_t kTcpHlen = 20;
constexpr std::uint32_t kUdpHlen = 8;
constexpr std::uint32_t kTcpCheck = 16;  // offsets in the header (RFC 9293 3.1, RFC 768)
constexpr std::uint32_t kUdpCheck = 6;
constexpr std::byte kTcpFin{0x01};
constexpr std::byte kTcpPsh{0x08};
constexpr std::byte kTcpCwr{0x80};

std::uint8_t octet(std::byte b) { return std::to_integer<std::uint8_t>(b); }

/// Reads a packet front to back: bytes of the linear part are copied, pieces of pages shared; of a
/// packet with a frag_list all bytes are copied, as they may alternate.
class PayloadCursor {
 public:
  PayloadCursor(const sk_buff& skb, std::uint32_t offset)
      : shares_(skb.shinfo->frag_list == nullptr) {
    open(skb, offset);
  }

  /// What the linear part of a segment must hold of `mss` bytes at most.
  [[nodiscard]] static std::uint32_t linear_room(const sk_buff& skb, std::uint32_t header_len,
                                                 std::uint32_t mss) {
    const std::uint32_t linear = skb_headlen(skb);
    if (skb.shinfo->frag_list != nullptr) return mss;
    return std::min(mss, linear > header_len ? linear - header_len : 0);
  }

  /// Moves `size` bytes to the end of `to`. False if it has no place for another fragment.
  [[nodiscard]] bool move(sk_buff& to, std::uint32_t size) {
    while (size != 0) {
      settle();
      const std::uint32_t linear = skb_headlen(*part_);
      if (at_ < linear) {
        const std::uint32_t n = std::min(size, linear - at_);
        copy(to, part_->data + at_, n);
        advance(n, size);
        continue;
      }
      const skb_frag& frag = part_->shinfo->frags[frag_];
      const std::uint32_t n = std::min(size, frag.size - frag_at_);
      if (!shares_) {
        copy(to, frag.address() + frag_at_, n);
      } else if (to.shinfo->nr_frags == MAX_SKB_FRAGS) {
        return false;
      } else {
        skb_add_rx_frag(to, frag.page, frag.offset + frag_at_, n, n);
      }
      frag_at_ += n;
      advance(n, size);
    }
    return true;
  }

  std::uint32_t copied = 0;

 private:
  void open(const sk_buff& skb, std::uint32_t offset) {
    part_ = &skb;
    next_ = skb.shinfo->frag_list;
    at_ = offset;
    const std::uint32_t linear = skb_headlen(skb);
    std::uint32_t skip = offset > linear ? offset - linear : 0;
    while (skip != 0) {
      settle();
      const std::uint32_t n = std::min(skip, part_->shinfo->frags[frag_].size - frag_at_);
      frag_at_ += n;
      skip -= n;
    }
  }
  void copy(sk_buff& to, const std::byte* from, std::uint32_t n) {
    std::memcpy(skb_put(to, n), from, n);
    copied += n;
  }
  void advance(std::uint32_t n, std::uint32_t& size) {
    at_ += n;
    size -= n;
  }
  /// To the next piece that has bytes.
  void settle() {
    for (;;) {
      if (at_ < skb_headlen(*part_)) return;
      while (frag_ < part_->shinfo->nr_frags && frag_at_ == part_->shinfo->frags[frag_].size) {
        ++frag_;
        frag_at_ = 0;
      }
      if (frag_ < part_->shinfo->nr_frags) return;
      kernel::bug_on(next_ == nullptr, "a packet is shorter than its length");
      part_ = next_;
      next_ = next_->next;
      at_ = frag_ = frag_at_ = 0;
    }
  }

  const bool shares_;
  const sk_buff* part_ = nullptr;
  const sk_buff* next_ = nullptr;
  std::uint32_t at_ = 0;  ///< in the part; counts on through fragments
  std::uint32_t frag_ = 0;
  std::uint32_t frag_at_ = 0;
};

void fix_headers(sk_buff& segment, const gso_headers& h, std::uint16_t number, bool first,
                 bool last, std::uint32_t sequence) {
  std::byte* const ip = segment.data + h.network;
  std::byte* const l4 = segment.data + h.transport;
  const std::uint32_t l4_len = segment.len - h.transport;
  std::uint32_t pseudo = 0;
  const std::uint8_t protocol = h.tcp ? kTcp : kUdp;
  if (h.ipv6) {
    store_be16(ip + 4, static_cast<std::uint16_t>(segment.len - h.network - kIpv6Hlen));
    pseudo = csum_partial({ip + 8, 32}, 0);
  } else {
    store_be16(ip + 2, static_cast<std::uint16_t>(segment.len - h.network));
    store_be16(ip + 4, static_cast<std::uint16_t>(load_be16(ip + 4) + number));
    store_be16(ip + 10, 0);
    const std::uint32_t ip_len = h.transport - h.network;
    store_be16(ip + 10, csum_fold(csum_partial({ip, ip_len}, 0)));
    pseudo = csum_partial({ip + 12, 8}, 0);
  }
  if (h.tcp) {
    store_be32(l4 + 4, sequence);
    std::byte& flags = l4[13];
    if (!first) flags &= ~kTcpCwr;
    if (!last) flags &= ~(kTcpFin | kTcpPsh);
  } else {
    store_be16(l4 + 4, static_cast<std::uint16_t>(l4_len));
  }
  // CHECKSUM_PARTIAL: the field holds the sum of the pseudo-header, not inverted.
  const std::uint32_t sum = pseudo + protocol + l4_len;
  store_be16(l4 + (h.tcp ? kTcpCheck : kUdpCheck), static_cast<std::uint16_t>(~csum_fold(sum)));
  segment.ip_summed = CHECKSUM_PARTIAL;
  segment.csum_start = skb_headroom(segment) + h.transport;
  segment.csum_offset = static_cast<std::uint16_t>(h.tcp ? kTcpCheck : kUdpCheck);
}

}  // namespace

std::optional<gso_headers> skb_find_headers(const sk_buff& skb) {
  std::array<std::byte, kReach> bytes{};
  const std::size_t size = std::min<std::size_t>(skb.len, kReach);
  if (!skb_copy_bits(skb, 0, {bytes.data(), size})) return std::nullopt;
  const auto has = [size](std::size_t n) { return n <= size; };
  gso_headers h;
  h.network = kEthHlen;
  if (!has(kEthHlen)) return std::nullopt;
  std::uint16_t type = load_be16(bytes.data() + 12);
  for (unsigned tags = 0; type == kEthP8021q || type == kEthP8021ad; ++tags) {
    if (tags == kMaxTags || !has(h.network + kVlanHlen)) return std::nullopt;
    type = load_be16(bytes.data() + h.network + 2);
    h.network += kVlanHlen;
  }
  const std::byte* const ip = bytes.data() + h.network;
  std::uint8_t protocol = 0;
  if (type == kEthPIp && has(h.network + kIpv4Hlen)) {
    const std::uint32_t ihl = (octet(ip[0]) & 0xFU) * 4;
    const bool fragment = (load_be16(ip + 6) & 0x3fffU) != 0;
    if (octet(ip[0]) >> 4U != 4 || ihl < kIpv4Hlen || fragment) return std::nullopt;
    protocol = octet(ip[9]);
    h.transport = h.network + ihl;
  } else if (type == kEthPIpv6 && has(h.network + kIpv6Hlen)) {
    if (octet(ip[0]) >> 4U != 6) return std::nullopt;
    protocol = octet(ip[6]);
    h.ipv6 = true;
    h.transport = h.network + kIpv6Hlen;
    while (protocol == kHopByHop || protocol == kRouting || protocol == kDestinationOptions ||
           protocol == kAuthentication) {
      if (!has(h.transport + 8)) return std::nullopt;
      const std::uint32_t length = octet(bytes[h.transport + 1]);
      const std::uint32_t bytes_of = protocol == kAuthentication ? 4 * length + 8 : 8 * length + 8;
      protocol = octet(bytes[h.transport]);
      h.transport += bytes_of;
    }
  } else {
    return std::nullopt;
  }
  if (protocol == kTcp && has(h.transport + kTcpHlen)) {
    const std::uint32_t doff = (octet(bytes[h.transport + 12]) >> 4U) * 4U;
    if (doff < kTcpHlen) return std::nullopt;
    h.tcp = true;
    h.payload = h.transport + doff;
  } else if (protocol == kUdp && has(h.transport + kUdpHlen)) {
    h.payload = h.transport + kUdpHlen;
  } else {
    return std::nullopt;
  }
  return h.payload <= skb.len ? std::optional{h} : std::nullopt;
}

bool netif_needs_gso(const sk_buff& skb, std::uint32_t features) noexcept {
  if (!skb_is_gso(skb)) return false;
  const std::uint8_t type = skb.shinfo->gso_type;
  std::uint32_t needed = NETIF_F_SG | NETIF_F_HW_CSUM;
  switch (type & ~SKB_GSO_TCP_ECN) {
    case SKB_GSO_TCPV4:
      needed |= NETIF_F_TSO;
      break;
    case SKB_GSO_TCPV6:
      needed |= NETIF_F_TSO6;
      break;
    case SKB_GSO_UDP_L4:
      needed |= NETIF_F_GSO_UDP_L4;
      break;
    default:
      return true;
  }
  if ((type & SKB_GSO_TCP_ECN) != 0) needed |= NETIF_F_TSO_ECN;
  return (features & needed) != needed;
}

void skb_gso_count_segs(sk_buff& skb, std::uint32_t header_len) noexcept {
  skb_shared_info& shinfo = *skb.shinfo;
  const std::uint32_t payload = skb.len > header_len ? skb.len - header_len : 0;
  shinfo.gso_segs = static_cast<std::uint16_t>((payload + shinfo.gso_size - 1) / shinfo.gso_size);
}

bool skb_gso_segment(skb_ptr& skb, sk_buff_head& list) {
  const auto h = skb_find_headers(*skb);
  const std::uint8_t type = skb->shinfo->gso_type & ~SKB_GSO_TCP_ECN;
  const std::uint32_t mss = skb->shinfo->gso_size;
  if (!h || mss == 0 || h->payload == skb->len || h->payload > kReach) return false;
  const bool right = type == SKB_GSO_TCPV4   ? h->tcp && !h->ipv6
                     : type == SKB_GSO_TCPV6 ? h->tcp && h->ipv6
                                             : type == SKB_GSO_UDP_L4 && !h->tcp;
  if (!right) return false;

  net_device& dev = *skb->dev;
  Net& net = dev.net();
  std::array<std::byte, kReach> headers{};
  if (!skb_copy_bits(*skb, 0, {headers.data(), h->payload})) return false;
  const std::uint32_t sequence = h->tcp ? load_be32(headers.data() + h->transport + 4) : 0;
  PayloadCursor cursor(*skb, h->payload);
  sk_buff_head made;
  const std::uint32_t payload = skb->len - h->payload;
  std::uint16_t number = 0;
  for (std::uint32_t done = 0; done < payload; done += mss, ++number) {
    const std::uint32_t size = std::min(mss, payload - done);
    net.spend(kernel::cost::gso_segment);
    const std::uint32_t room = h->payload + PayloadCursor::linear_room(*skb, h->payload, mss);
    skb_ptr segment = net.skbs().alloc_skb(NET_SKB_PAD + NET_IP_ALIGN + room);
    if (segment) skb_reserve(*segment, NET_SKB_PAD + NET_IP_ALIGN);
    if (segment) std::memcpy(skb_put(*segment, h->payload), headers.data(), h->payload);
    if (!segment || !cursor.move(*segment, size)) {
      if (segment) kfree_skb_reason(std::move(segment), skb_drop_reason::NOMEM);
      made.purge(skb_drop_reason::NOMEM);
      return false;
    }
    segment->dev = &dev;
    segment->frame = skb->frame;
    segment->protocol = skb->protocol;
    segment->hash = skb->hash;
    segment->priority = skb->priority;
    segment->queue_mapping = skb->queue_mapping;
    segment->tstamp = skb->tstamp;
    skb_reset_mac_header(*segment);
    segment->network_header = skb_headroom(*segment) + h->network;
    segment->transport_header = skb_headroom(*segment) + h->transport;
    fix_headers(*segment, *h, number, done == 0, done + size == payload, sequence + done);
    made.queue_tail(std::move(segment));
  }
  net.spend(kernel::cost::copy_kernel, cursor.copied);
  while (skb_ptr segment = made.dequeue()) list.queue_tail(std::move(segment));
  consume_skb(std::move(skb));
  return true;
}

}  // namespace nicroscope::net
