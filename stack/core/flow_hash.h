// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "stack/core/sk_buff.h"

namespace nicroscope::net {

/// The hash of the packet's flow: what the device found, else one over addresses, protocol and
/// ports as far as they are in the linear part behind the Ethernet header (skb_mac_header), which
/// is then kept in skb.hash. The same for all packets of a flow in one direction. Never 0.
[[nodiscard]] std::uint32_t skb_get_hash(sk_buff& skb);

}  // namespace nicroscope::net
