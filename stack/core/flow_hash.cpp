// SPDX-License-Identifier: Apache-2.0
// Linux: net/core/flow_dissector.c.
#include "stack/core/flow_hash.h"

#include <algorithm>
#include <span>

#include "stack/core/byte_order.h"
#include "stack/core/ethernet.h"

namespace nicroscope::net {

namespace {

constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;
constexpr std::uint16_t kFragment = 0x3fff;  // more fragments, or an offset

/// FNV-1a over the fields, and a last mix for the upper bits, which choose the queue.
class Mixer {
 public:
  void add(std::span<const std::byte> bytes) {
    for (const std::byte b : bytes) {
      state_ ^= std::to_integer<std::uint32_t>(b);
      state_ *= 0x0100'0193U;
    }
  }
  [[nodiscard]] std::uint32_t value() const {
    std::uint32_t v = state_;
    v ^= v >> 16U;
    v *= 0x85eb'ca6bU;
    v ^= v >> 13U;
    v *= 0xc2b2'ae35U;
    v ^= v >> 16U;
    return v == 0 ? 1 : v;
  }

 private:
  std::uint32_t state_ = 0x811c'9dc5U;
};

}  // namespace

std::uint32_t skb_get_hash(sk_buff& skb) {
  if (skb.hash != 0) return skb.hash;
  const std::byte* const mac = skb_mac_header(skb);
  const std::span<const std::byte> frame(mac, static_cast<std::size_t>(skb.tail - mac));
  Mixer mixer;
  std::size_t at = kEthHlen;
  std::uint16_t type = frame.size() < kEthHlen ? std::uint16_t{0} : load_be16(mac + 12);
  while ((type == kEthP8021q || type == kEthP8021ad) && frame.size() >= at + 4) {
    type = load_be16(mac + at + 2);
    at += 4;
  }
  std::size_t ports = 0;
  std::uint8_t protocol = 0;
  if (type == kEthPIp && frame.size() >= at + 20) {
    mixer.add(frame.subspan(at + 12, 8));
    protocol = std::to_integer<std::uint8_t>(mac[at + 9]);
    const std::size_t ihl = (std::to_integer<std::size_t>(mac[at]) & 0xFU) * 4;
    if ((load_be16(mac + at + 6) & kFragment) == 0) ports = at + ihl;
  } else if (type == kEthPIpv6 && frame.size() >= at + 40) {
    mixer.add(frame.subspan(at + 8, 32));
    protocol = std::to_integer<std::uint8_t>(mac[at + 6]);
    ports = at + 40;
  } else {
    mixer.add(frame.first(std::min<std::size_t>(frame.size(), kEthHlen)));
  }
  const std::byte protocol_byte{protocol};
  mixer.add({&protocol_byte, 1});
  if (ports != 0 && (protocol == kTcp || protocol == kUdp) && frame.size() >= ports + 4) {
    mixer.add(frame.subspan(ports, 4));
    skb.l4_hash = true;
  }
  return skb.hash = mixer.value();
}

}  // namespace nicroscope::net
