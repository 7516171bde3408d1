// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <variant>

#include "stack/core/ethernet.h"
#include "stack/core/sk_buff.h"
#include "stack/ipv4/udp.h"

namespace nicroscope::net {

/// The values are Linux's.
enum class address_family : std::uint16_t { unspec = 0, inet = 2, packet = 17 };
enum class sock_type : std::uint8_t { dgram = 2, raw = 3 };

/// The address of a packet socket (Linux: struct sockaddr_ll).
struct packet_address {
  std::uint16_t protocol = 0;  ///< an EtherType or kEthPAll; 0 receives nothing
  unsigned ifindex = 0;        ///< 0: every device
  pkt_type_t pkt_type = pkt_type_t::host;
  mac_address address;
};

/// Linux's struct sockaddr; monostate is AF_UNSPEC.
using sockaddr = std::variant<std::monostate, ipv4_endpoint, packet_address>;

/// Flags of sendto and recvfrom; the values are Linux's.
inline constexpr unsigned kMsgPeek = 0x02;
inline constexpr unsigned kMsgTrunc = 0x20;  ///< recvfrom returns the datagram's real size
inline constexpr unsigned kMsgDontwait = 0x40;

/// Options of setsockopt and getsockopt (SOL_SOCKET); sizes in bytes, times in nanoseconds.
enum class sock_option : std::uint8_t {
  so_broadcast,         ///< 0 or 1
  so_sndbuf,            ///< the kernel doubles what is set, for its own overhead
  so_rcvbuf,            ///< the same
  so_rcvtimeo,          ///< 0 waits for ever
  so_bindtodevice,      ///< an ifindex; 0 for any
  so_busy_poll,         ///< how long a receive polls the device before it sleeps; 0 for not at all
  so_prefer_busy_poll,  ///< 0 or 1: the softirq leaves the queue to the process that polls
  so_error,             ///< to get only: an errno, which it clears
};

}  // namespace nicroscope::net
