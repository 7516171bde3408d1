// SPDX-License-Identifier: Apache-2.0
#include "stack/core/packet_tap.h"

#include "nicroscope/host_points.h"

namespace nicroscope::net {

PacketTap::PacketTap(Net& net, net_device* dev, Callback callback)
    : packet_type(kEthPAll, dev), net_(net), callback_(std::move(callback)) {
  net_.dev_add_pack(*this);
}

PacketTap::~PacketTap() { net_.dev_remove_pack(*this); }

void PacketTap::func(skb_ptr skb) {
  skb_push(*skb, static_cast<std::uint32_t>(skb->data - skb_mac_header(*skb)));
  net_.trace().emit(point::packet_rcv, skb->frame, skb->len);
  if (!skb_is_nonlinear(*skb)) {
    callback_(skb_linear(*skb), *skb);
  } else {
    buffer_.resize(skb->len);
    const bool copied = skb_copy_bits(*skb, 0, buffer_);
    kernel::bug_on(!copied, "a packet is shorter than its length");
    callback_(buffer_, *skb);
  }
  consume_skb(std::move(skb));
}

}  // namespace nicroscope::net
