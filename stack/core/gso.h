// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "stack/core/sk_buff.h"

namespace nicroscope::net {

/// Kinds of super-frames: skb_shared_info::gso_type. The values are virtio_net_hdr's (virtio 1.2,
/// 5.1.6), so that a header says the same.
enum skb_gso_type : std::uint8_t {
  SKB_GSO_NONE = 0,
  SKB_GSO_TCPV4 = 1,
  SKB_GSO_TCPV6 = 4,
  SKB_GSO_UDP_L4 = 5,
  SKB_GSO_TCP_ECN = 0x80,  ///< or'ed in: CWR is set, and is for the first segment alone
};

/// Many packets in one: `gso_size` bytes of payload each, the last with the rest.
[[nodiscard]] inline bool skb_is_gso(const sk_buff& skb) noexcept {
  return skb.shinfo->gso_size != 0;
}

/// Where the headers of a TCP or UDP packet are, counted from its Ethernet header.
struct gso_headers {
  std::uint32_t network = 0;
  std::uint32_t transport = 0;
  std::uint32_t payload = 0;
  bool ipv6 = false;
  bool tcp = false;
};

/// Finds them in a packet whose data starts at the Ethernet header, behind up to two VLAN tags and
/// any IPv6 extension headers but those of fragments and ESP. At most 256 bytes are looked at.
/// Nothing if it is neither TCP nor UDP over IPv4 or IPv6, or is cut short.
[[nodiscard]] std::optional<gso_headers> skb_find_headers(const sk_buff& skb);

/// Whether the device cannot take the super-frame as it is.
[[nodiscard]] bool netif_needs_gso(const sk_buff& skb, std::uint32_t features) noexcept;

/// Cuts a super-frame (data at the Ethernet header) into packets of their own, in software, as
/// Linux's skb_gso_segment does: IPv4 identification plus one a segment, FIN and PSH on the last
/// one alone, CWR on the first alone. Payload in pages is shared, not copied. Each segment is
/// CHECKSUM_PARTIAL. They are appended to `list`, and `skb` is consumed. False if it is malformed
/// or there is no memory: `skb` is then the caller's still and `list` as it was.
[[nodiscard]] bool skb_gso_segment(skb_ptr& skb, sk_buff_head& list);

/// Sets gso_segs from the length, behind headers of `header_len` bytes.
void skb_gso_count_segs(sk_buff& skb, std::uint32_t header_len) noexcept;

}  // namespace nicroscope::net
