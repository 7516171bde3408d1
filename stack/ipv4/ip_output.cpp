// SPDX-License-Identifier: Apache-2.0
// Linux: net/ipv4/ip_output.c.
#include <algorithm>
#include <cstring>

#include "nicroscope/host_points.h"
#include "stack/core/gso.h"
#include "stack/core/sock.h"
#include "stack/ipv4/ip_options.h"
#include "stack/ipv4/ipv4.h"

namespace nicroscope::net {

bool ip_exceeds_mtu(const sk_buff& skb, unsigned mtu) noexcept {
  if (skb.len <= mtu) return false;
  if (!skb_is_gso(skb)) return true;
  // A super-frame goes out in pieces that have its headers, each with gso_size bytes.
  constexpr std::uint32_t kUdpHlen = 8;
  constexpr std::size_t kTcpOffset = 12;  // where the header's length is (RFC 9293 3.1)
  const std::byte* const transport = skb_transport_header(skb);
  const auto words = std::to_integer<std::uint32_t>(transport[kTcpOffset]) >> 4U;
  const std::uint32_t header = skb.shinfo->gso_type == SKB_GSO_UDP_L4 ? kUdpHlen : words * 4;
  return ip_hdr(skb).header_len() + header + skb.shinfo->gso_size > mtu;
}

Errno Ipv4::ip_send_skb(skb_ptr skb, const ip_tx_params& params) {
  const bool fragments = needs_fragments(params.rt, skb->len);
  if (skb->len + kIpHlen > kIpMaxLen) {
    net.mib.inc(mib::IpOutDiscards);
    kfree_skb_reason(std::move(skb), skb_drop_reason::PKT_TOO_BIG);
    return std::errc::message_size;
  }
  if (!skb_cow(*skb, kIpHlen + kEthHlen)) {
    net.mib.inc(mib::IpOutDiscards);
    kfree_skb_reason(std::move(skb), skb_drop_reason::NOMEM);
    return std::errc::no_buffer_space;
  }
  skb_reset_transport_header(*skb);
  skb_push(*skb, kIpHlen);
  skb_reset_network_header(*skb);
  Ipv4View iph = ip_hdr(*skb);
  const bool df = params.dont_fragment && !fragments;
  iph.set_version_and_len(kIpHlen);
  iph.set_tos(params.tos);
  iph.set_tot_len(skb->len);
  // What cannot be fragmented needs no name (RFC 6864 4.1).
  iph.set_id(df ? std::uint16_t{0} : next_id());
  iph.set_frag_off(df ? kIpDf : std::uint16_t{0});
  iph.set_ttl(params.ttl != 0 ? params.ttl : config.default_ttl);
  iph.set_protocol(params.protocol);
  iph.set_saddr(params.rt.saddr);
  iph.set_daddr(params.daddr);
  iph.update_check();
  skb->protocol = kEthPIp;
  skb->dev = params.rt.dev;
  net.mib.inc(mib::IpOutRequests);
  net.mib.add(mib::IpExtOutOctets, skb->len);
  return ip_output(std::move(skb), params.rt);
}

Errno Ipv4::ip_output(skb_ptr skb, const rtable& rt) {
  net.trace().emit(point::ip_output, skb->frame, skb->len);
  net.spend(kernel::cost::ip_output);
  if (ip_exceeds_mtu(*skb, rt.dev->mtu())) return ip_do_fragment(std::move(skb), rt);
  return ip_finish_output2(std::move(skb), rt);
}

Errno Ipv4::ip_finish_output2(skb_ptr skb, const rtable& rt) {
  const bh_guard guard(net);
  if (arp.output(std::move(skb), rt)) return kOk;
  net.mib.inc(mib::IpOutDiscards);
  return std::errc::no_buffer_space;
}

Errno Ipv4::ip_do_fragment(skb_ptr skb, const rtable& rt) {
  const Ipv4View iph = ip_hdr(*skb);
  const unsigned header_len = iph.header_len();
  const std::uint32_t payload = skb->len - header_len;
  // A piece of a packet that is passed on keeps its place in it.
  const unsigned before = iph.fragment_offset();
  const bool more_behind = (iph.frag_off() & kIpMf) != 0;
  // All pieces but the last are a multiple of 8 bytes (RFC 791 3.2).
  const std::uint32_t piece = (rt.dev->mtu() - header_len) & ~7U;
  const auto fail = [&](skb_drop_reason reason, Errno error) {
    net.mib.inc(mib::IpFragFails);
    kfree_skb_reason(std::move(skb), reason);
    return error;
  };
  if (piece == 0) return fail(skb_drop_reason::PKT_TOO_BIG, std::errc::message_size);
  // The transport's checksum covers all pieces: no device can make it.
  if (skb->ip_summed == CHECKSUM_PARTIAL && !skb_checksum_help(*skb)) {
    return fail(skb_drop_reason::NOMEM, std::errc::no_buffer_space);
  }
  net.spend(kernel::cost::copy_kernel, skb->len);
  Errno result = kOk;
  for (std::uint32_t offset = 0; offset < payload && result == kOk; offset += piece) {
    const std::uint32_t size = std::min(piece, payload - offset);
    const bool last = offset + size == payload && !more_behind;
    skb_ptr part = net.skbs().alloc_skb(kIpHeadroom + header_len + size);
    if (!part) return fail(skb_drop_reason::NOMEM, std::errc::no_buffer_space);
    skb_reserve(*part, kIpHeadroom);
    skb_reset_network_header(*part);
    std::memcpy(skb_put(*part, header_len), skb_network_header(*skb), header_len);
    if (before + offset != 0) {
      ip_options_fragment({skb_network_header(*part) + kIpHlen, header_len - kIpHlen});
    }
    part->transport_header = part->network_header + header_len;
    const bool copied = skb_copy_bits(*skb, header_len + offset, {skb_put(*part, size), size});
    kernel::bug_on(!copied, "a packet is shorter than its length");
    part->frame = skb->frame;
    part->priority = skb->priority;
    part->protocol = skb->protocol;
    part->dev = skb->dev;
    if (skb->sk != nullptr) skb_set_owner_w(*part, *skb->sk);
    Ipv4View header = ip_hdr(*part);
    header.set_tot_len(header_len + size);
    header.set_frag_off(static_cast<std::uint16_t>((before + offset) / 8 | (last ? 0U : kIpMf)));
    header.update_check();
    net.mib.inc(mib::IpFragCreates);
    result = ip_finish_output2(std::move(part), rt);
  }
  if (result != kOk) return fail(skb_drop_reason::QDISC_DROP, result);
  net.mib.inc(mib::IpFragOKs);
  consume_skb(std::move(skb));
  return kOk;
}

}  // namespace nicroscope::net
