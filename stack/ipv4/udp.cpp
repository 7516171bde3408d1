// SPDX-License-Identifier: Apache-2.0
#include "stack/ipv4/udp.h"

#include <algorithm>
#include <cstring>

#include "nicroscope/host_points.h"
#include "stack/ipv4/ipv4.h"

namespace nicroscope::net {

namespace {

/// Linux's net.ipv4.ip_local_port_range.
constexpr std::uint16_t kFirstLocalPort = 32'768;
constexpr std::uint16_t kLastLocalPort = 60'999;

bool receives_on(const udp_sock& sk, const net_device& dev) {
  return !sk.bound_dev_if || *sk.bound_dev_if == dev.ifindex();
}

/// How well the socket fits the datagram; none if not at all (Linux: compute_score).
std::optional<int> score(const udp_sock& sk, const ipv4_endpoint& local,
                         const ipv4_endpoint& remote, const net_device& dev) {
  if (!receives_on(sk, dev)) return std::nullopt;
  int points = 0;
  if (!sk.local.address.is_any()) {
    if (sk.local.address != local.address) return std::nullopt;
    ++points;
  }
  if (sk.remote) {
    if (*sk.remote != remote) return std::nullopt;
    points += 2;
  }
  return points;
}

}  // namespace

std::string to_string(const ipv4_endpoint& endpoint) {
  return to_string(endpoint.address) + ':' + std::to_string(endpoint.port);
}

Udp::Udp(Ipv4& ipv4) : ipv4_(ipv4), next_port_(kFirstLocalPort) {
  ipv4_.inet_add_protocol(kIpprotoUdp, *this);
}

// ---- receive -----------------------------------------------------------------------------------

bool Udp::checksum_ok(const sk_buff& skb, std::uint16_t check) {
  // 0: the sender made none (RFC 768).
  if (check == 0 || skb.ip_summed == CHECKSUM_UNNECESSARY || skb.ip_summed == CHECKSUM_PARTIAL) {
    return true;
  }
  ipv4_.net.spend(kernel::cost::csum_partial, skb.len);
  const Ipv4View iph = ip_hdr(skb);
  const std::uint32_t pseudo =
      csum_tcpudp_nofold(iph.saddr().value, iph.daddr().value, skb.len, kIpprotoUdp);
  return csum_fold(skb_checksum(skb, 0, skb.len, pseudo)) == 0;
}

void Udp::handler(skb_ptr skb) {
  Net& net = ipv4_.net;
  net.trace().emit(point::udp_rcv, skb->frame, skb->len);
  net.spend(kernel::cost::udp_rcv);
  const auto drop = [&](mib counter, skb_drop_reason reason) {
    net.mib.inc(counter);
    kfree_skb_reason(std::move(skb), reason);
  };
  if (!pskb_may_pull(*skb, UdpView::kSize)) {
    return drop(mib::UdpInErrors, skb_drop_reason::UDP_MALFORMED);
  }
  const UdpView udp = *UdpView::parse(skb_linear(*skb));
  const unsigned len = udp.len();
  if (len < UdpView::kSize || len > skb->len) {
    return drop(mib::UdpInErrors, skb_drop_reason::UDP_MALFORMED);
  }
  const Ipv4View iph = ip_hdr(*skb);
  const ipv4_endpoint local{iph.daddr(), udp.dest()};
  const ipv4_endpoint remote{iph.saddr(), udp.source()};
  const std::uint16_t check = udp.check();
  if (!pskb_trim(*skb, len)) return drop(mib::UdpInErrors, skb_drop_reason::NOMEM);
  if (!checksum_ok(*skb, check)) {
    net.mib.inc(mib::UdpInCsumErrors);
    return drop(mib::UdpInErrors, skb_drop_reason::UDP_CSUM);
  }
  if (skb->pkt_type == pkt_type_t::broadcast || skb->pkt_type == pkt_type_t::multicast) {
    return deliver_to_group(std::move(skb), local, remote);
  }
  if (udp_sock* sk = lookup(local, remote, *skb->dev)) return queue_rcv(*sk, std::move(skb));
  ipv4_.icmp.icmp_send(*skb, ICMP_TYPE_DEST_UNREACH, ICMP_CODE_PORT_UNREACH, 0);
  drop(mib::UdpNoPorts, skb_drop_reason::NO_SOCKET);
}

udp_sock* Udp::lookup(const ipv4_endpoint& local, const ipv4_endpoint& remote,
                      const net_device& dev) const {
  const auto port = ports_.find(local.port);
  if (port == ports_.end()) return nullptr;
  udp_sock* best = nullptr;
  int best_score = -1;
  for (udp_sock* sk : port->second) {
    const auto points = score(*sk, local, remote, dev);
    if (points && *points > best_score) {
      best = sk;
      best_score = *points;
    }
  }
  return best;
}

void Udp::deliver_to_group(skb_ptr skb, const ipv4_endpoint& local, const ipv4_endpoint& remote) {
  std::vector<udp_sock*> takers;
  if (const auto port = ports_.find(local.port); port != ports_.end()) {
    std::copy_if(port->second.begin(), port->second.end(), std::back_inserter(takers),
                 [&](const udp_sock* sk) { return score(*sk, local, remote, *skb->dev); });
  }
  if (takers.empty()) {
    ipv4_.net.mib.inc(mib::UdpIgnoredMulti);
    kfree_skb_reason(std::move(skb), skb_drop_reason::NO_SOCKET);
    return;
  }
  udp_sock* const last = takers.back();
  takers.pop_back();
  for (udp_sock* sk : takers) {
    if (skb_ptr clone = skb_clone(*skb)) queue_rcv(*sk, std::move(clone));
  }
  queue_rcv(*last, std::move(skb));
}

// __udp_queue_rcv_skb: only a connected socket has one flow, which its packets may be steered by.
void Udp::queue_rcv(udp_sock& sk, skb_ptr skb) {
  sock_hold(sk);  // another CPU may close it meanwhile
  if (sk.remote) sk.rxhash = skb->hash;
  sk_mark_napi_id(sk, !sk.remote);
  if (!sock_queue_rcv_skb(sk, std::move(skb))) {
    ipv4_.net.mib.inc(mib::UdpRcvbufErrors);
    ipv4_.net.mib.inc(mib::UdpInErrors);
  }
  sock_put(sk);
}

void Udp::err_handler(sk_buff& skb, std::uint8_t type, std::uint8_t code) {
  const Ipv4View iph = ip_hdr(skb);
  const UdpView udp = *UdpView::parse(skb_linear(skb));
  // The datagram was ours: its source is the local end.
  udp_sock* const sk = lookup({iph.saddr(), udp.source()}, {iph.daddr(), udp.dest()}, *skb.dev);
  if (sk == nullptr) {
    ipv4_.net.mib.inc(mib::IcmpInErrors);
    return;
  }
  // Without a peer there is no telling whose error it is (Linux: no IP_RECVERR).
  if (!sk->remote) return;
  auto error = std::errc::host_unreachable;
  if (type == ICMP_TYPE_DEST_UNREACH) {
    if (code == ICMP_CODE_NET_UNREACH) error = std::errc::network_unreachable;
    if (code == ICMP_CODE_PROT_UNREACH) error = std::errc::no_protocol_option;
    if (code == ICMP_CODE_PORT_UNREACH) error = std::errc::connection_refused;
    if (code == ICMP_CODE_FRAG_NEEDED) error = std::errc::message_size;
  } else if (type == ICMP_TYPE_PARAMETER_PROB) {
    error = std::errc::protocol_error;
  }
  sk_error_report(*sk, error);
}

// ---- sockets -----------------------------------------------------------------------------------

udp_sock& Udp::create() { return *new udp_sock(ipv4_.net); }

void Udp::close(udp_sock& sk) {
  {
    const bh_guard guard(ipv4_.net);
    if (const auto port = ports_.find(sk.local.port); port != ports_.end()) {
      std::erase(port->second, &sk);
      if (port->second.empty()) ports_.erase(port);
    }
    sk.close();
  }
  sock_put(sk);
}

bool Udp::port_taken(std::uint16_t port, ipv4_address address) const {
  const auto found = ports_.find(port);
  if (found == ports_.end()) return false;
  return std::any_of(found->second.begin(), found->second.end(), [&](const udp_sock* sk) {
    return address.is_any() || sk->local.address.is_any() || sk->local.address == address;
  });
}

std::optional<std::uint16_t> Udp::free_port(ipv4_address address) {
  for (unsigned tries = kFirstLocalPort; tries <= kLastLocalPort; ++tries) {
    const std::uint16_t port = next_port_;
    next_port_ = port == kLastLocalPort ? kFirstLocalPort : static_cast<std::uint16_t>(port + 1);
    if (!port_taken(port, address)) return port;
  }
  return std::nullopt;
}

Errno Udp::bind(udp_sock& sk, const ipv4_endpoint& local) {
  const bh_guard guard(ipv4_.net);
  if (sk.local.port != 0) return std::errc::invalid_argument;
  const ipv4_address a = local.address;
  if (!a.is_any() && !a.is_multicast() && !a.is_limited_broadcast() && !ipv4_.fib.is_local(a)) {
    return std::errc::address_not_available;
  }
  std::uint16_t port = local.port;
  if (port == 0) {
    const auto free = free_port(a);
    if (!free) return std::errc::address_in_use;
    port = *free;
  } else if (port_taken(port, a)) {
    return std::errc::address_in_use;
  }
  sk.local = {a, port};
  sk.bound_to_address = !a.is_any();
  ports_[port].push_back(&sk);
  return kOk;
}

Errno Udp::connect(udp_sock& sk, const ipv4_endpoint& remote) {
  ipv4_.net.spend(kernel::cost::ip_route_output);
  const bh_guard guard(ipv4_.net);
  const ipv4_address bound = sk.bound_to_address ? sk.local.address : kInaddrAny;
  const auto rt = ipv4_.fib.ip_route_output(remote.address, bound, nullptr);
  if (!rt) return rt.error();
  if (rt.value().type == RTN_BROADCAST && !sk.broadcast) return std::errc::permission_denied;
  if (sk.local.port == 0) {
    if (const Errno error = bind(sk, {}); error != kOk) return error;
  }
  sk.local.address = rt.value().saddr;
  sk.remote = remote;
  return kOk;
}

void Udp::disconnect(udp_sock& sk) {
  const bh_guard guard(ipv4_.net);
  sk.remote.reset();
  sk.rxhash = 0;
  if (!sk.bound_to_address) sk.local.address = kInaddrAny;
}

// ---- send --------------------------------------------------------------------------------------

void Udp::make_checksum(sk_buff& skb, ipv4_address saddr, ipv4_address daddr, bool offload) {
  const std::uint32_t pseudo = csum_tcpudp_nofold(saddr.value, daddr.value, skb.len, kIpprotoUdp);
  UdpView udp = *UdpView::parse(skb_linear(skb));
  if (offload) {
    // The device adds the rest to the pseudo header's sum.
    skb.ip_summed = CHECKSUM_PARTIAL;
    skb.csum_start = skb_headroom(skb);
    skb.csum_offset = UdpView::kCheckOffset;
    udp.set_check(csum_reduce(pseudo));
    return;
  }
  ipv4_.net.spend(kernel::cost::csum_partial, skb.len);
  const std::uint16_t check = csum_fold(csum_partial(skb_linear(skb), pseudo));
  // 0 would say that there is none.
  udp.set_check(check == 0 ? std::uint16_t{0xffff} : check);
}

Result<std::size_t> Udp::udp_sendmsg(udp_sock& sk, std::span<const std::byte> data,
                                     const std::optional<ipv4_endpoint>& to, bool nonblock,
                                     FrameId frame) {
  Net& net = ipv4_.net;
  sock_rps_record_flow(sk);
  if (data.size() > kUdpMaxData) return std::errc::message_size;
  const std::optional<ipv4_endpoint>& peer = to ? to : sk.remote;
  if (!peer) return std::errc::destination_address_required;
  const ipv4_endpoint remote = *peer;
  if (remote.port == 0) return std::errc::invalid_argument;
  if (sk.local.port == 0) {
    if (const Errno error = bind(sk, {}); error != kOk) return error;
  }
  net.spend(kernel::cost::ip_route_output);
  net_device* dev = sk.bound_dev_if ? net.dev_get_by_index(*sk.bound_dev_if) : nullptr;
  const bool usable_source = ipv4_.fib.is_local(sk.local.address);
  const auto rt =
      ipv4_.fib.ip_route_output(remote.address, usable_source ? sk.local.address : kInaddrAny, dev);
  if (!rt) {
    net.mib.inc(mib::IpOutNoRoutes);
    return rt.error();
  }
  const rtable& route = rt.value();
  if (route.type == RTN_BROADCAST && !sk.broadcast) return std::errc::permission_denied;

  const std::size_t len = UdpView::kSize + data.size();
  auto allocated = sock_alloc_send_skb(sk, static_cast<std::uint32_t>(kIpHeadroom + len), nonblock);
  if (!allocated) {
    if (allocated.error() == std::errc::no_buffer_space) net.mib.inc(mib::UdpSndbufErrors);
    return allocated.error();
  }
  skb_ptr skb = std::move(allocated.value());
  skb->frame = frame;
  net.trace().emit(point::udp_sendmsg, frame, data.size());
  net.spend(kernel::cost::udp_sendmsg);
  skb_reserve(*skb, kIpHeadroom);
  skb_put(*skb, UdpView::kSize);
  UdpView::parse(skb_linear(*skb))->set(sk.local.port, remote.port, len);
  if (!data.empty()) {
    net.spend(kernel::cost::copy_user, data.size());
    std::memcpy(skb_put(*skb, static_cast<std::uint32_t>(data.size())), data.data(), data.size());
  }
  const bool offload =
      (route.dev->features & NETIF_F_HW_CSUM) != 0 && !Ipv4::needs_fragments(route, skb->len);
  make_checksum(*skb, route.saddr, remote.address, offload);

  ip_tx_params params;
  params.rt = route;
  params.daddr = remote.address;
  params.protocol = kIpprotoUdp;
  params.ttl = route.type == RTN_MULTICAST ? std::uint8_t{1} : std::uint8_t{0};
  params.dont_fragment = true;
  const Errno error = ipv4_.ip_send_skb(std::move(skb), params);
  if (error == std::errc::no_buffer_space) {
    net.mib.inc(mib::UdpSndbufErrors);
    return data.size();
  }
  if (error != kOk) return error;
  net.mib.inc(mib::UdpOutDatagrams);
  return data.size();
}

Result<udp_datagram> Udp::udp_recvmsg(udp_sock& sk, std::span<std::byte> out, bool nonblock,
                                      bool peek) {
  Net& net = ipv4_.net;
  sock_rps_record_flow(sk);
  auto received = skb_recv_datagram(sk, nonblock, peek);
  if (!received) return received.error();
  skb_ptr skb = std::move(received.value());
  net.trace().emit(point::udp_recvmsg, skb->frame, skb->len);
  net.spend(kernel::cost::udp_recvmsg);
  udp_datagram datagram;
  datagram.size = skb->len - UdpView::kSize;
  datagram.copied = std::min(datagram.size, out.size());
  net.spend(kernel::cost::copy_user, datagram.copied);
  const bool copied = skb_copy_bits(*skb, UdpView::kSize, out.first(datagram.copied));
  kernel::bug_on(!copied, "a packet is shorter than its length");
  const std::byte* const udp_header = skb_transport_header(*skb);
  datagram.source = {ip_hdr(*skb).saddr(), load_be16(udp_header)};
  datagram.frame = skb->frame;
  if (!peek) net.mib.inc(mib::UdpInDatagrams);
  consume_skb(std::move(skb));
  return datagram;
}

}  // namespace nicroscope::net
