// SPDX-License-Identifier: Apache-2.0
#include "stack/socket/packet_socket.h"

#include <algorithm>
#include <cstring>

#include "nicroscope/host_points.h"
#include "stack/ipv4/neighbour.h"

namespace nicroscope::net {

struct PacketSocket::Sock final : sock {
  using sock::sock;
};

/// packet_rcv: what the device layer calls.
class PacketSocket::Handler final : public packet_type {
 public:
  Handler(Net& net, sock& sk, sock_type type, std::uint16_t protocol, net_device* dev)
      : packet_type(protocol, dev), net_(net), sk_(sk), raw_(type == sock_type::raw) {
    net_.dev_add_pack(*this);
  }
  ~Handler() override { net_.dev_remove_pack(*this); }

  void func(skb_ptr skb) override {
    net_.spend(kernel::cost::packet_rcv);
    if (raw_) skb_push(*skb, static_cast<std::uint32_t>(skb->data - skb_mac_header(*skb)));
    net_.trace().emit(point::packet_rcv, skb->frame, skb->len);
    sock_queue_rcv_skb(sk_, std::move(skb));
  }
  [[nodiscard]] const sock* owner() const noexcept override { return &sk_; }

 private:
  Net& net_;
  sock& sk_;
  const bool raw_;
};

PacketSocket::PacketSocket(Net& net, sock_type type, std::uint16_t protocol)
    : net_(net), type_(type), sk_(*new Sock(net)) {
  bound_.protocol = protocol;
  listen(protocol, nullptr);
}

PacketSocket::~PacketSocket() {
  {
    const bh_guard guard(net_);
    handler_.reset();
    sk_.close();
  }
  sock_put(sk_);
}

void PacketSocket::listen(std::uint16_t protocol, net_device* dev) {
  const bh_guard guard(net_);
  handler_.reset();
  if (protocol != 0) handler_ = std::make_unique<Handler>(net_, sk_, type_, protocol, dev);
}

Errno PacketSocket::bind(const sockaddr& address) {
  const auto* local = std::get_if<packet_address>(&address);
  if (local == nullptr) return std::errc::invalid_argument;
  net_device* dev = nullptr;
  if (local->ifindex != 0) {
    dev = net_.dev_get_by_index(local->ifindex);
    if (dev == nullptr) return std::errc::no_such_device;
  }
  bound_ = *local;
  listen(local->protocol, dev);
  return kOk;
}

Errno PacketSocket::connect(const sockaddr& /*address*/) {
  return std::errc::operation_not_supported;
}

Result<std::size_t> PacketSocket::sendmsg(std::span<const std::byte> data, const sockaddr* to,
                                          bool nonblock, FrameId frame) {
  packet_address target = bound_;
  if (to != nullptr) {
    const auto* address = std::get_if<packet_address>(to);
    if (address == nullptr) return std::errc::invalid_argument;
    target = *address;
  }
  net_device* const dev = net_.dev_get_by_index(target.ifindex);
  if (dev == nullptr) return std::errc::no_such_device_or_address;
  if (!dev->is_up()) return std::errc::network_down;
  const bool raw = type_ == sock_type::raw;
  constexpr unsigned kVlanTag = 4;
  if (raw && data.size() < kEthHlen) return std::errc::invalid_argument;
  const bool tagged =
      raw && data.size() > kEthHlen && load_be16(data.data() + 2 * kEthAlen) == kEthP8021q;
  const std::size_t limit = dev->mtu() + (raw ? kEthHlen : 0) + (tagged ? kVlanTag : 0);
  if (data.size() > limit) return std::errc::message_size;

  constexpr std::uint32_t kHeadroom = NET_SKB_PAD + kEthHlen;
  auto allocated =
      sock_alloc_send_skb(sk_, static_cast<std::uint32_t>(kHeadroom + data.size()), nonblock);
  if (!allocated) return allocated.error();
  skb_ptr skb = std::move(allocated.value());
  skb_reserve(*skb, kHeadroom);
  net_.spend(kernel::cost::copy_user, data.size());
  std::copy(data.begin(), data.end(), skb_put(*skb, static_cast<std::uint32_t>(data.size())));
  skb->dev = dev;
  skb->frame = frame;
  if (raw) {
    skb->protocol = EthernetView::parse(skb_linear(*skb))->type();
    skb->network_header = skb_headroom(*skb) + kEthHlen;
  } else {
    skb_reset_network_header(*skb);
    if (!dev_hard_header(*skb, *dev, target.address, target.protocol)) {
      kfree_skb_reason(std::move(skb), skb_drop_reason::NOMEM);
      return std::errc::no_buffer_space;
    }
  }
  if (!dev_queue_xmit(std::move(skb))) return std::errc::no_buffer_space;
  return data.size();
}

Result<received> PacketSocket::recvmsg(std::span<std::byte> out, bool nonblock, bool peek) {
  auto packet = skb_recv_datagram(sk_, nonblock, peek);
  if (!packet) return packet.error();
  skb_ptr skb = std::move(packet.value());
  received r;
  r.size = skb->len;
  r.copied = std::min<std::size_t>(skb->len, out.size());
  net_.spend(kernel::cost::copy_user, r.copied);
  const bool copied = skb_copy_bits(*skb, 0, out.first(r.copied));
  kernel::bug_on(!copied, "a packet is shorter than its length");
  r.source = packet_address{skb->protocol, skb->dev->ifindex(), skb->pkt_type,
                            mac_address::load(skb_mac_header(*skb) + kEthAlen)};
  r.frame = skb->frame;
  consume_skb(std::move(skb));
  return r;
}

sockaddr PacketSocket::getsockname() const { return bound_; }

}  // namespace nicroscope::net
