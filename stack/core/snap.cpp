// SPDX-License-Identifier: Apache-2.0
#include "stack/core/snap.h"

#include <algorithm>
#include <array>

namespace nicroscope::net {

namespace {

constexpr unsigned kSnapHeader = 8;
constexpr std::array<std::byte, 6> kRfc1042{std::byte{0xaa}, std::byte{0xaa}, std::byte{0x03},
                                            std::byte{0},    std::byte{0},    std::byte{0}};

}  // namespace

Snap::Snap(Net& net) : packet_type(kEthP8022, nullptr), net_(net) { net_.dev_add_pack(*this); }
Snap::~Snap() { net_.dev_remove_pack(*this); }

void Snap::func(skb_ptr skb) {
  const unsigned length = load_be16(skb_mac_header(*skb) + 12);
  if (length < kSnapHeader || length > skb->len || !pskb_may_pull(*skb, kSnapHeader)) {
    kfree_skb_reason(std::move(skb), skb_drop_reason::HDR_TRUNC);
    return;
  }
  if (!std::equal(kRfc1042.begin(), kRfc1042.end(), skb->data)) {
    kfree_skb_reason(std::move(skb), skb_drop_reason::UNHANDLED_PROTO);
    return;
  }
  if (!pskb_trim(*skb, length)) {
    kfree_skb_reason(std::move(skb), skb_drop_reason::NOMEM);
    return;
  }
  const std::uint16_t type = load_be16(skb->data + kRfc1042.size());
  if (type < kEthP8023Min) {
    kfree_skb_reason(std::move(skb), skb_drop_reason::UNHANDLED_PROTO);
    return;
  }
  skb_pull(*skb, kSnapHeader);
  skb->protocol = type;
  skb_reset_network_header(*skb);
  skb_reset_transport_header(*skb);
  net_.deliver_ptype(std::move(skb));
}

}  // namespace nicroscope::net
