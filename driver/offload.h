// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "nicroscope/virtio.h"
#include "stack/core/sk_buff.h"

namespace nicroscope::driver {

/// The header of a packet to be sent (virtio 1.2, 5.1.6.2): what the device is to do to it. The
/// packet's data starts at its Ethernet header; a super-frame's headers can be found
/// (net::skb_find_headers).
[[nodiscard]] virtio::NetHeader virtio_net_hdr_from_skb(const net::sk_buff& skb);

/// What the header of a received packet says (5.1.6.4), kept in the packet, whose data starts at
/// its Ethernet header. False if it makes no sense for the packet, which is then to be dropped.
[[nodiscard]] bool virtio_net_hdr_to_skb(net::sk_buff& skb, const virtio::NetHeader& header);

/// The hash of a received packet (5.1.6.4.4). A hash report without a meaning is ignored.
void virtio_skb_set_hash(net::sk_buff& skb, const virtio::NetHeaderHash& header);

}  // namespace nicroscope::driver
