// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace nicroscope::net {

/// What a device can do, or is asked to do (Linux: netdev_features_t). Stateless but for the last
/// ones: a bit that is on says that packets of that kind may be given to the driver, or may come
/// from it.
enum netdev_features : std::uint32_t {
  NETIF_F_SG = 1U << 0U,          ///< start_xmit takes packets with fragments
  NETIF_F_HW_CSUM = 1U << 1U,     ///< start_xmit takes CHECKSUM_PARTIAL
  NETIF_F_RXCSUM = 1U << 2U,      ///< received packets may be CHECKSUM_UNNECESSARY
  NETIF_F_FRAGLIST = 1U << 3U,    ///< start_xmit takes packets with a frag_list
  NETIF_F_LOOPBACK = 1U << 4U,    ///< what it sends comes back: nobody there to ask for an address
  NETIF_F_TSO = 1U << 5U,         ///< start_xmit takes SKB_GSO_TCPV4
  NETIF_F_TSO6 = 1U << 6U,        ///< start_xmit takes SKB_GSO_TCPV6
  NETIF_F_TSO_ECN = 1U << 7U,     ///< such packets may have SKB_GSO_TCP_ECN
  NETIF_F_GSO_UDP_L4 = 1U << 8U,  ///< start_xmit takes SKB_GSO_UDP_L4
  NETIF_F_GRO_HW = 1U << 9U,      ///< the device may merge what it receives
  NETIF_F_RXHASH = 1U << 10U,     ///< received packets may have a hash
  NETIF_F_HW_VLAN_CTAG_FILTER = 1U << 11U  ///< only VLANs that were added are received
};

/// All kinds of super-frames that a device may cut.
inline constexpr std::uint32_t NETIF_F_ALL_TSO =
    NETIF_F_TSO | NETIF_F_TSO6 | NETIF_F_TSO_ECN | NETIF_F_GSO_UDP_L4;

}  // namespace nicroscope::net
