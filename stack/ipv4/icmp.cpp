// SPDX-License-Identifier: Apache-2.0
#include "stack/ipv4/icmp.h"

#include <algorithm>

#include "nicroscope/host_points.h"
#include "stack/ipv4/ipv4.h"

namespace nicroscope::net {

namespace {

/// An error carries what caused it as far as 576 bytes reach (RFC 1812 4.3.2.3).
constexpr std::uint32_t kMaxErrorPacket = 576;
/// Peers whose rate is remembered.
constexpr std::size_t kMaxPeers = 1024;

bool is_error(std::uint8_t type) {
  constexpr std::uint8_t kSourceQuench = 4;
  return type == ICMP_TYPE_DEST_UNREACH || type == kSourceQuench || type == ICMP_TYPE_REDIRECT ||
         type == ICMP_TYPE_TIME_EXCEEDED || type == ICMP_TYPE_PARAMETER_PROB;
}

}  // namespace

Duration TokenBucket::credit(Time now) const noexcept {
  const Duration full = interval_ * burst_;
  return left_ ? std::min(full, *left_ + (now - last_)) : full;
}

bool TokenBucket::take(Time now) noexcept {
  const Duration credit_now = credit(now);
  left_ = credit_now;
  last_ = now;
  if (credit_now < interval_) return false;
  *left_ -= interval_;
  return true;
}

Icmp::Icmp(Ipv4& ipv4, const icmp_parms& parms)
    : ipv4_(ipv4),
      parms_(parms),
      global_(Duration(std::chrono::seconds{1}) / parms.msgs_per_sec, parms.msgs_burst) {
  ipv4_.inet_add_protocol(kIpprotoIcmp, *this);
}

void Icmp::handler(skb_ptr skb) {
  Net& net = ipv4_.net;
  net.spend(kernel::cost::icmp_rcv);
  net.mib.inc(mib::IcmpInMsgs);
  if (skb->ip_summed == CHECKSUM_NONE || skb->ip_summed == CHECKSUM_COMPLETE) {
    net.spend(kernel::cost::csum_partial, skb->len);
    if (csum_fold(skb_checksum(*skb, 0, skb->len, 0)) != 0) {
      net.mib.inc(mib::IcmpInCsumErrors);
      net.mib.inc(mib::IcmpInErrors);
      kfree_skb_reason(std::move(skb), skb_drop_reason::ICMP_CSUM);
      return;
    }
  }
  if (!pskb_may_pull(*skb, IcmpView::kSize)) {
    net.mib.inc(mib::IcmpInErrors);
    kfree_skb_reason(std::move(skb), skb_drop_reason::ICMP_MALFORMED);
    return;
  }
  const IcmpView icmp = *IcmpView::parse(skb_linear(*skb));
  net.trace().emit(point::icmp_rcv, skb->frame, icmp.type());
  // RFC 1122 3.2.2.6 allows to ignore echo to groups; Linux's icmp_echo_ignore_broadcasts.
  const bool to_group =
      skb->pkt_type == pkt_type_t::broadcast || skb->pkt_type == pkt_type_t::multicast;
  auto verdict = skb_drop_reason::ICMP_UNHANDLED;
  switch (icmp.type()) {
    case ICMP_TYPE_ECHO:
      net.mib.inc(mib::IcmpInEchos);
      if (to_group) {
        verdict = skb_drop_reason::ICMP_BROADCAST;
        break;
      }
      icmp_echo(*skb);
      consume_skb(std::move(skb));
      return;
    case ICMP_TYPE_ECHO_REPLY:
      net.mib.inc(mib::IcmpInEchoReps);
      break;
    case ICMP_TYPE_DEST_UNREACH:
    case ICMP_TYPE_TIME_EXCEEDED:
    case ICMP_TYPE_PARAMETER_PROB:
      net.mib.inc(icmp.type() == ICMP_TYPE_DEST_UNREACH    ? mib::IcmpInDestUnreachs
                  : icmp.type() == ICMP_TYPE_TIME_EXCEEDED ? mib::IcmpInTimeExcds
                                                           : mib::IcmpInParmProbs);
      verdict = icmp_unreach(*skb);
      if (verdict == skb_drop_reason::MAX) {
        consume_skb(std::move(skb));
        return;
      }
      net.mib.inc(mib::IcmpInErrors);
      break;
    default:
      break;
  }
  kfree_skb_reason(std::move(skb), verdict);
}

void Icmp::icmp_echo(const sk_buff& skb) {
  Net& net = ipv4_.net;
  skb_ptr reply = net.skbs().alloc_skb(kIpHeadroom + skb.len);
  if (!reply) {
    net.mib.inc(mib::IcmpOutErrors);
    return;
  }
  skb_reserve(*reply, kIpHeadroom);
  reply->frame = net.next_frame();
  net.spend(kernel::cost::copy_kernel, skb.len);
  const bool copied = skb_copy_bits(skb, 0, {skb_put(*reply, skb.len), skb.len});
  kernel::bug_on(!copied, "a packet is shorter than its length");
  IcmpView icmp = *IcmpView::parse(skb_linear(*reply));
  // Only the type changes: so does the checksum, by as much.
  const auto before = static_cast<std::uint16_t>(icmp.type() << 8U | icmp.code());
  icmp.set_type_and_code(ICMP_TYPE_ECHO_REPLY, 0);
  icmp.set_check(csum_replace2(icmp.check(), before, 0));
  net.mib.inc(mib::IcmpOutEchoReps);
  const Ipv4View iph = ip_hdr(skb);
  send(std::move(reply), iph.daddr(), iph.saddr(), iph.tos());
}

skb_drop_reason Icmp::icmp_unreach(sk_buff& skb) {
  if (!pskb_may_pull(skb, IcmpView::kSize + kIpHlen)) return skb_drop_reason::ICMP_MALFORMED;
  const IcmpView icmp = *IcmpView::parse(skb_linear(skb));
  const std::uint8_t type = icmp.type();
  const std::uint8_t code = icmp.code();
  const unsigned inner_len = Ipv4View::at(skb.data + IcmpView::kSize).header_len();
  constexpr unsigned kQuoted = 8;  // bytes of the transport header that must be quoted (RFC 792)
  if (inner_len < kIpHlen || !pskb_may_pull(skb, IcmpView::kSize + inner_len + kQuoted)) {
    return skb_drop_reason::ICMP_MALFORMED;
  }
  skb_pull(skb, IcmpView::kSize);
  skb_reset_network_header(skb);
  const Ipv4View inner = ip_hdr(skb);
  // What came back must have been sent from here.
  if (inner.version() != Ipv4View::kVersion || !ipv4_.fib.is_local(inner.saddr())) {
    return skb_drop_reason::ICMP_MALFORMED;
  }
  net_protocol* const protocol = ipv4_.protocol_handler(inner.protocol());
  if (protocol == nullptr) return skb_drop_reason::ICMP_UNHANDLED;
  skb_pull(skb, inner_len);
  skb_reset_transport_header(skb);
  protocol->err_handler(skb, type, code);
  return skb_drop_reason::MAX;
}

bool Icmp::allowed(ipv4_address destination) {
  const Time now = ipv4_.net.kernel().now();
  if (!global_.take(now)) {
    ipv4_.net.mib.inc(mib::IcmpOutRateLimitGlobal);
    return false;
  }
  if (peers_.size() >= kMaxPeers && !peers_.contains(destination)) {
    std::erase_if(peers_, [&](const auto& peer) { return peer.second.full(now); });
    if (peers_.size() >= kMaxPeers) peers_.clear();
  }
  TokenBucket fresh(parms_.ratelimit, parms_.ratelimit_burst);
  if (peers_.try_emplace(destination, fresh).first->second.take(now)) return true;
  ipv4_.net.mib.inc(mib::IcmpOutRateLimitHost);
  return false;
}

void Icmp::icmp_send(const sk_buff& skb, icmp_type type, std::uint8_t code, std::uint32_t rest) {
  const Ipv4View iph = ip_hdr(skb);
  const ipv4_address to = iph.saddr();
  // RFC 1122 3.2.2: never about a broadcast, a later fragment, a doubtful source or an ICMP error.
  if (skb.pkt_type != pkt_type_t::host || iph.fragment_offset() != 0) return;
  if (to.is_zeronet() || to.is_multicast() || to.is_reserved() || iph.daddr().is_multicast()) {
    return;
  }
  if (ipv4_.fib.inet_addr_type(*skb.dev, iph.daddr()) == RTN_BROADCAST) return;
  // The packet from its IPv4 header on. Between its header and data() nothing is missing but what
  // was pulled.
  const std::uint32_t pulled = static_cast<std::uint32_t>(skb.data - skb_network_header(skb));
  const std::uint32_t quote =
      std::min(skb.len + pulled, kMaxErrorPacket - kIpHlen - IcmpView::kSize);
  const unsigned header_len = iph.header_len();
  if (iph.protocol() == kIpprotoIcmp) {
    std::byte inner_type{};
    bool readable = true;
    if (pulled > header_len) {
      inner_type = skb_network_header(skb)[header_len];
    } else {
      readable = skb_copy_bits(skb, header_len - pulled, {&inner_type, 1});
    }
    if (!readable || is_error(std::to_integer<std::uint8_t>(inner_type))) return;
  }
  Net& net = ipv4_.net;
  // Redirects have a limit of their own, as Linux's icmp_ratemask leaves them out.
  if (type != ICMP_TYPE_REDIRECT && !allowed(to)) return;
  skb_ptr error = net.skbs().alloc_skb(kIpHeadroom + IcmpView::kSize + quote);
  if (!error) {
    net.mib.inc(mib::IcmpOutErrors);
    return;
  }
  skb_reserve(*error, kIpHeadroom);
  error->frame = net.next_frame();
  skb_put(*error, IcmpView::kSize);
  std::byte* const quoted = skb_put(*error, quote);
  const std::uint32_t from_header = std::min(pulled, quote);
  std::copy_n(skb_network_header(skb), from_header, quoted);
  const bool copied =
      skb_copy_bits(skb, 0, {quoted + from_header, static_cast<std::size_t>(quote - from_header)});
  kernel::bug_on(!copied, "a packet is shorter than its length");
  IcmpView icmp = *IcmpView::parse(skb_linear(*error));
  icmp.set_type_and_code(type, code);
  icmp.set_rest(rest);
  icmp.set_check(0);
  net.spend(kernel::cost::csum_partial, error->len);
  icmp.set_check(csum_fold(csum_partial(skb_linear(*error), 0)));
  net.mib.inc(type == ICMP_TYPE_DEST_UNREACH    ? mib::IcmpOutDestUnreachs
              : type == ICMP_TYPE_TIME_EXCEEDED ? mib::IcmpOutTimeExcds
              : type == ICMP_TYPE_REDIRECT      ? mib::IcmpOutRedirects
                                                : mib::IcmpOutParmProbs);
  // Internetwork control (RFC 1812 4.3.2.5), as Linux.
  constexpr std::uint8_t kPrecedenceInternetControl = 0xc0;
  send(std::move(error), iph.daddr(), to,
       static_cast<std::uint8_t>((iph.tos() & 0x1eU) | kPrecedenceInternetControl));
}

void Icmp::send(skb_ptr skb, ipv4_address saddr, ipv4_address daddr, std::uint8_t tos) {
  Net& net = ipv4_.net;
  net.spend(kernel::cost::ip_route_output);
  const ipv4_address from = ipv4_.fib.is_local(saddr) ? saddr : kInaddrAny;
  const auto rt = ipv4_.fib.ip_route_output(daddr, from, nullptr);
  if (!rt) {
    net.mib.inc(mib::IpOutNoRoutes);
    net.mib.inc(mib::IcmpOutErrors);
    kfree_skb_reason(std::move(skb), skb_drop_reason::IP_OUTNOROUTES);
    return;
  }
  net.mib.inc(mib::IcmpOutMsgs);
  ip_tx_params params;
  params.rt = rt.value();
  params.daddr = daddr;
  params.protocol = kIpprotoIcmp;
  params.tos = tos;
  // What can fail is counted where it does.
  static_cast<void>(ipv4_.ip_send_skb(std::move(skb), params));
}

}  // namespace nicroscope::net
