// SPDX-License-Identifier: Apache-2.0
// The receive half of net/core/dev.c and net/ethernet/eth.c.
#include "nicroscope/host_points.h"
#include "stack/core/net.h"
#include "stack/core/softnet.h"

namespace nicroscope::net {

namespace {

/// Hands a packet to the last handler that was found, and a clone to those before: nobody pays for
/// a clone who is alone. (Linux: deliver_skb and pt_prev.)
class Delivery {
 public:
  explicit Delivery(sk_buff& skb) : skb_(skb) {}

  void to(packet_type& handler) {
    if (previous_ != nullptr) {
      if (skb_ptr clone = skb_clone(skb_)) previous_->func(std::move(clone));
    }
    previous_ = &handler;
  }
  /// False if there was no handler; `skb` is still the caller's then.
  bool finish(skb_ptr& skb) {
    if (previous_ == nullptr) return false;
    previous_->func(std::move(skb));
    return true;
  }

 private:
  sk_buff& skb_;
  packet_type* previous_ = nullptr;
};

bool concerns(const packet_type& handler, const sk_buff& skb) {
  return handler.dev() == nullptr || handler.dev() == skb.dev;
}

void deliver_to_protocol(Delivery& delivery, const std::vector<packet_type*>& handlers,
                         const sk_buff& skb) {
  for (packet_type* handler : handlers) {
    if (handler->type() == skb.protocol && concerns(*handler, skb)) delivery.to(*handler);
  }
}

}  // namespace

skb_ptr netdev_alloc_skb(net_device& dev, std::uint32_t size) {
  constexpr std::uint32_t kHeadroom = NET_SKB_PAD + NET_IP_ALIGN;
  skb_ptr skb = dev.net().skbs().alloc_skb(kHeadroom + size);
  if (!skb) return nullptr;
  skb_reserve(*skb, kHeadroom);
  skb->dev = &dev;
  return skb;
}

std::uint16_t eth_type_trans(sk_buff& skb, net_device& dev) {
  dev.net().spend(kernel::cost::eth_type_trans);
  skb.dev = &dev;
  skb_reset_mac_header(skb);
  const auto header = EthernetView::parse(skb_linear(skb));
  kernel::bug_on(!header, "eth_type_trans without an Ethernet header");
  skb_pull(skb, kEthHlen);

  const mac_address destination = header->destination();
  if (destination.is_broadcast()) {
    skb.pkt_type = pkt_type_t::broadcast;
  } else if (destination.is_multicast()) {
    skb.pkt_type = pkt_type_t::multicast;
  } else if (destination != dev.dev_addr()) {
    skb.pkt_type = pkt_type_t::otherhost;
  } else {
    skb.pkt_type = pkt_type_t::host;
  }

  skb.protocol = header->type();
  if (skb.protocol < kEthP8023Min) {
    // A length. Novell's raw IPX starts with what would be its checksum field, 0xffff; everything
    // else has an LLC header (IEEE 802.2).
    std::byte start[2]{};
    const bool has_start = skb_copy_bits(skb, 0, start);
    skb.protocol = has_start && load_be16(start) == 0xffff ? kEthP8023 : kEthP8022;
  }
  dev.net().trace().emit(point::eth_type_trans, skb.frame, skb.protocol);
  return skb.protocol;
}

void __netif_receive_skb(skb_ptr skb) {
  net_device& dev = *skb->dev;
  Net& net = dev.net();
  net.trace().emit(point::netif_receive_skb, skb->frame, skb->len);
  net.spend(kernel::cost::netif_receive_skb);
  if (!dev.is_up()) {
    kfree_skb_reason(std::move(skb), skb_drop_reason::DEV_DOWN);
    return;
  }
  skb->tstamp = net.kernel().now();
  skb_reset_network_header(*skb);
  skb_reset_transport_header(*skb);
  skb_reset_mac_len(*skb);
  if (skb->pkt_type == pkt_type_t::multicast) ++dev.stats.multicast;

  Delivery delivery(*skb);
  for (packet_type* tap : net.ptype_all_) {
    if (concerns(*tap, *skb)) delivery.to(*tap);
  }
  deliver_to_protocol(delivery, net.ptype_base_, *skb);
  if (!delivery.finish(skb)) {
    ++dev.stats.rx_nohandler;
    kfree_skb_reason(std::move(skb), skb_drop_reason::UNHANDLED_PROTO);
  }
}

void Net::deliver_ptype(skb_ptr skb) {
  Delivery delivery(*skb);
  deliver_to_protocol(delivery, ptype_base_, *skb);
  if (!delivery.finish(skb)) {
    ++skb->dev->stats.rx_nohandler;
    kfree_skb_reason(std::move(skb), skb_drop_reason::UNHANDLED_PROTO);
  }
}

}  // namespace nicroscope::net
