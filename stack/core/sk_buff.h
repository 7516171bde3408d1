// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <type_traits>

#include "nicroscope/time.h"
#include "nicroscope/trace.h"
#include "stack/core/drop_reason.h"
#include "stack/core/page_ref.h"

namespace nicroscope::net {

class net_device;
class skb_allocator;
struct sk_buff;
struct sock;

/// Who checked, or has to make, the transport checksum (Linux: include/linux/skbuff.h).
enum ip_summed_t : std::uint8_t {
  CHECKSUM_NONE,         ///< receive: not checked; transmit: complete in the packet
  CHECKSUM_UNNECESSARY,  ///< receive: the device found it right
  CHECKSUM_COMPLETE,     ///< receive: `csum` holds the sum of everything from `data` on
  CHECKSUM_PARTIAL,  ///< transmit: sum from csum_start, to be stored csum_offset bytes behind it
};

/// For whom a received frame is (Linux: PACKET_HOST...).
enum class pkt_type_t : std::uint8_t {
  host,
  broadcast,
  multicast,
  otherhost,
  outgoing,  ///< a transmitted frame, as a packet tap sees it
};

/// Pieces of a packet beyond the linear part: 17 pages of 4 KiB hold 64 KiB at any alignment.
inline constexpr unsigned MAX_SKB_FRAGS = 17;
/// Room that the receive path leaves before a frame for headers that may be pushed later.
inline constexpr unsigned NET_SKB_PAD = 64;
/// Puts the IPv4 header behind a 14-byte Ethernet header at a multiple of four.
inline constexpr unsigned NET_IP_ALIGN = 2;

/// A piece of a page that belongs to a packet.
struct skb_frag {
  page_ref page;
  std::uint32_t offset = 0;
  std::uint32_t size = 0;

  [[nodiscard]] std::byte* address() const noexcept { return page.address() + offset; }
};

/// Frees what nobody consumed: a drop without a reason. Code that drops calls kfree_skb_reason,
/// code that is done calls consume_skb; what is left to this is a bug that the counters show.
struct skb_deleter {
  void operator()(sk_buff* skb) const noexcept;
};
using skb_ptr = std::unique_ptr<sk_buff, skb_deleter>;

/// What clones share: the linear buffer, the page fragments and the list of further packets.
struct skb_shared_info {
  std::byte* head = nullptr;
  std::uint32_t size = 0;     ///< bytes from head
  std::uint32_t dataref = 0;  ///< sk_buffs that use it
  std::uint8_t gso_type = 0;  ///< SKB_GSO_* (gso.h), which are virtio_net_hdr's
  std::uint16_t gso_size = 0;
  std::uint16_t gso_segs = 0;
  std::uint16_t nr_frags = 0;
  std::array<skb_frag, MAX_SKB_FRAGS> frags;
  sk_buff* frag_list = nullptr;  ///< owned; linked by sk_buff::next
};

/// A packet. The linear part:
///
///     head        data             tail        end
///      |  headroom  |  skb_headlen  |  tailroom  |
///
/// The packet's bytes are those of [data, tail), then the fragments', then those of the packets on
/// frag_list: `len` in all, `data_len` of them outside the linear part.
/// Fields are public, as in Linux; the functions below keep them consistent.
struct sk_buff {
  sk_buff* next = nullptr;  ///< of the queue or list that owns it
  sk_buff* prev = nullptr;
  net_device* dev = nullptr;  ///< where it came from or goes to
  sock* sk = nullptr;         ///< the socket that it is charged to
  void (*destructor)(sk_buff&) = nullptr;

  std::byte* head = nullptr;
  std::byte* data = nullptr;
  std::byte* tail = nullptr;
  std::byte* end = nullptr;
  std::uint32_t len = 0;
  std::uint32_t data_len = 0;
  std::uint32_t truesize = 0;  ///< memory that it holds, the structures included

  std::uint32_t mac_header = 0;  ///< from head, as the two below
  std::uint32_t network_header = 0;
  std::uint32_t transport_header = 0;
  std::uint16_t mac_len = 0;
  std::uint16_t protocol = 0;  ///< the EtherType, in host order

  pkt_type_t pkt_type = pkt_type_t::host;
  ip_summed_t ip_summed = CHECKSUM_NONE;
  std::uint8_t csum_level = 0;    ///< checksums that the device checked, less one
  std::uint16_t csum_offset = 0;  ///< CHECKSUM_PARTIAL
  std::uint32_t csum_start = 0;   ///< CHECKSUM_PARTIAL; from head
  std::uint32_t csum = 0;         ///< CHECKSUM_COMPLETE; ones' complement, not folded

  std::uint32_t hash = 0;  ///< of its flow; 0: not known yet
  bool l4_hash = false;    ///< ports are in the hash
  std::uint32_t priority = 0;
  std::uint16_t queue_mapping = 0;
  Time tstamp{};
  FrameId frame = kNoFrame;  ///< its name in the trace; clones and fragments keep it

  /// Room for the layer that holds the packet; use skb_cb<T>().
  alignas(8) std::array<std::byte, 48> cb{};

  skb_shared_info* shinfo = nullptr;
  skb_allocator* allocator = nullptr;
};

// ---- the linear part ---------------------------------------------------------------------------

[[nodiscard]] inline std::uint32_t skb_headlen(const sk_buff& skb) noexcept {
  return skb.len - skb.data_len;
}
[[nodiscard]] inline std::uint32_t skb_headroom(const sk_buff& skb) noexcept {
  return static_cast<std::uint32_t>(skb.data - skb.head);
}
/// 0 for a packet with parts outside the linear one: nothing can be put behind those.
[[nodiscard]] inline std::uint32_t skb_tailroom(const sk_buff& skb) noexcept {
  return skb.data_len != 0 ? 0 : static_cast<std::uint32_t>(skb.end - skb.tail);
}
[[nodiscard]] inline bool skb_is_nonlinear(const sk_buff& skb) noexcept {
  return skb.data_len != 0;
}
/// The bytes of the linear part.
[[nodiscard]] inline std::span<std::byte> skb_linear(sk_buff& skb) noexcept {
  return {skb.data, skb_headlen(skb)};
}
[[nodiscard]] inline std::span<const std::byte> skb_linear(const sk_buff& skb) noexcept {
  return {skb.data, skb_headlen(skb)};
}

/// Moves an empty packet's data forward, to leave headroom.
inline void skb_reserve(sk_buff& skb, std::uint32_t n) noexcept {
  assert(skb.len == 0 && n <= skb_tailroom(skb));
  skb.data += n;
  skb.tail += n;
}
/// Extends the data at its end; returns where the new bytes start.
inline std::byte* skb_put(sk_buff& skb, std::uint32_t n) noexcept {
  assert(n <= skb_tailroom(skb));
  std::byte* const start = skb.tail;
  skb.tail += n;
  skb.len += n;
  return start;
}
/// Extends the data at its start, into the headroom.
inline std::byte* skb_push(sk_buff& skb, std::uint32_t n) noexcept {
  assert(n <= skb_headroom(skb));
  skb.data -= n;
  skb.len += n;
  return skb.data;
}
/// Removes bytes from the start; they must be in the linear part.
inline std::byte* skb_pull(sk_buff& skb, std::uint32_t n) noexcept {
  assert(n <= skb_headlen(skb));
  skb.data += n;
  skb.len -= n;
  return skb.data;
}

// ---- header offsets ----------------------------------------------------------------------------

inline void skb_reset_mac_header(sk_buff& skb) noexcept { skb.mac_header = skb_headroom(skb); }
inline void skb_reset_network_header(sk_buff& skb) noexcept {
  skb.network_header = skb_headroom(skb);
}
inline void skb_reset_transport_header(sk_buff& skb) noexcept {
  skb.transport_header = skb_headroom(skb);
}
inline void skb_reset_mac_len(sk_buff& skb) noexcept {
  skb.mac_len = static_cast<std::uint16_t>(skb.network_header - skb.mac_header);
}
[[nodiscard]] inline std::byte* skb_mac_header(const sk_buff& skb) noexcept {
  return skb.head + skb.mac_header;
}
[[nodiscard]] inline std::byte* skb_network_header(const sk_buff& skb) noexcept {
  return skb.head + skb.network_header;
}
[[nodiscard]] inline std::byte* skb_transport_header(const sk_buff& skb) noexcept {
  return skb.head + skb.transport_header;
}
/// From data to the place where CHECKSUM_PARTIAL starts to sum: virtio_net_hdr's csum_start.
[[nodiscard]] inline std::uint32_t skb_checksum_start_offset(const sk_buff& skb) noexcept {
  return skb.csum_start - skb_headroom(skb);
}

/// Says by which receive queue the packet came.
inline void skb_record_rx_queue(sk_buff& skb, std::uint16_t queue) noexcept {
  skb.queue_mapping = queue;
}

/// `cb` as the structure of the layer that holds the packet.
template <typename T>
[[nodiscard]] T& skb_cb(sk_buff& skb) noexcept {
  static_assert(sizeof(T) <= sizeof(sk_buff::cb) && alignof(T) <= 8);
  static_assert(std::is_trivially_copyable_v<T>);
  return *std::launder(reinterpret_cast<T*>(skb.cb.data()));
}

/// Whether another sk_buff uses the same data: look at it, don't write it.
[[nodiscard]] inline bool skb_cloned(const sk_buff& skb) noexcept {
  return skb.shinfo->dataref != 1;
}

// ---- the whole packet --------------------------------------------------------------------------

/// Cuts the packet to `len` bytes, wherever they lie (Linux: pskb_trim). False without memory.
[[nodiscard]] bool pskb_trim(sk_buff& skb, std::uint32_t len);
/// Makes the first `len` bytes linear. False if the packet is shorter, or without memory.
[[nodiscard]] bool pskb_may_pull(sk_buff& skb, std::uint32_t len);
/// Makes all bytes linear. False without memory.
[[nodiscard]] bool skb_linearize(sk_buff& skb);
/// Gives the linear part a buffer of its own with `headroom` free bytes. False without memory.
[[nodiscard]] bool pskb_expand_head(sk_buff& skb, std::uint32_t headroom, std::uint32_t tailroom);
/// Makes the headroom at least `headroom`, and the linear part this packet's alone.
[[nodiscard]] bool skb_cow(sk_buff& skb, std::uint32_t headroom);

/// Another sk_buff over the same data, charged to no socket. Null without memory.
[[nodiscard]] skb_ptr skb_clone(const sk_buff& skb);
/// A linear copy with the same headroom. Null without memory.
[[nodiscard]] skb_ptr skb_copy(const sk_buff& skb);

/// Copies what describes the packet, not its data or length. Both have the same headroom.
void skb_copy_header(sk_buff& to, const sk_buff& from) noexcept;

/// Copies `out.size()` bytes from `offset` on. False if the packet is shorter.
[[nodiscard]] bool skb_copy_bits(const sk_buff& skb, std::uint32_t offset,
                                 std::span<std::byte> out);
/// The ones' complement sum of `len` bytes from `offset` on, added to `sum` (not folded).
[[nodiscard]] std::uint32_t skb_checksum(const sk_buff& skb, std::uint32_t offset,
                                         std::uint32_t len, std::uint32_t sum);
/// Calls `visit(std::span<std::byte>)` for each piece of the packet in order.
template <typename Visitor>
void skb_walk(const sk_buff& skb, Visitor&& visit) {
  if (skb_headlen(skb) != 0) visit(std::span<std::byte>(skb.data, skb_headlen(skb)));
  for (unsigned i = 0; i < skb.shinfo->nr_frags; ++i) {
    const skb_frag& frag = skb.shinfo->frags[i];
    visit(std::span<std::byte>(frag.address(), frag.size));
  }
  for (const sk_buff* s = skb.shinfo->frag_list; s != nullptr; s = s->next) skb_walk(*s, visit);
}

/// Appends a piece of a page. `truesize`: memory that goes with it. nr_frags < MAX_SKB_FRAGS.
void skb_add_rx_frag(sk_buff& skb, page_ref page, std::uint32_t offset, std::uint32_t size,
                     std::uint32_t truesize);
/// Appends a whole packet to `skb`'s frag_list (at its end).
void skb_append_frag_list(sk_buff& skb, skb_ptr more);

/// Takes the packet from the socket that it is charged to.
void skb_orphan(sk_buff& skb);

// ---- the end -----------------------------------------------------------------------------------

/// The packet did what it was made for: delivered, sent, read.
void consume_skb(skb_ptr skb);
/// The same from any context: in a hard interrupt the NET_TX softirq frees it (Linux:
/// dev_kfree_skb_irq). skb->dev is set.
void dev_consume_skb_any(skb_ptr skb);
/// The packet is dropped; counted by reason.
void kfree_skb_reason(skb_ptr skb, skb_drop_reason reason);

// ---- queues ------------------------------------------------------------------------------------

/// A list of packets that owns them.
class sk_buff_head {
 public:
  sk_buff_head() = default;
  sk_buff_head(const sk_buff_head&) = delete;
  sk_buff_head& operator=(const sk_buff_head&) = delete;
  ~sk_buff_head() { purge(skb_drop_reason::HOST_DOWN); }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] sk_buff* peek() const noexcept { return first_; }
  [[nodiscard]] sk_buff* peek_tail() const noexcept { return last_; }

  void queue_tail(skb_ptr skb) noexcept;
  void queue_head(skb_ptr skb) noexcept;
  /// Before `next`, which is on this queue; null appends.
  void insert_before(sk_buff* next, skb_ptr skb) noexcept;
  /// Null if empty.
  [[nodiscard]] skb_ptr dequeue() noexcept;
  /// Takes `skb`, which is on this queue, out of it.
  [[nodiscard]] skb_ptr unlink(sk_buff& skb) noexcept;
  void purge(skb_drop_reason reason) noexcept;

 private:
  sk_buff* first_ = nullptr;
  sk_buff* last_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace nicroscope::net
