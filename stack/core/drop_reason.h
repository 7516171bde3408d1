// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

// Why the stack freed a packet that it did not deliver, by the names of Linux's enum
// skb_drop_reason where Linux has the reason. X(name, what happened)
#define NICROSCOPE_DROP_REASONS(X)                                          \
  X(NOT_SPECIFIED, "freed without a reason: a bug of the stack")            \
  X(NOMEM, "no memory")                                                     \
  X(HDR_TRUNC, "shorter than its headers say")                              \
  X(OTHERHOST, "for another host's hardware address")                       \
  X(UNHANDLED_PROTO, "no handler for the Ethernet protocol")                \
  X(DEV_DOWN, "the device is down")                                         \
  X(DEV_READY, "the device refused the frame")                              \
  X(CPU_BACKLOG, "the CPU's backlog is full, or was and is not yet empty")  \
  X(QDISC_DROP, "the queueing discipline is full")                          \
  X(SKB_GSO_SEG, "a super-frame that cannot be cut")                        \
  X(PKT_TOO_BIG, "longer than the device's MTU and must not be fragmented") \
  X(ARP_MALFORMED, "not an ARP packet for IPv4 over Ethernet")              \
  X(NEIGH_FAILED, "the neighbour did not answer")                           \
  X(NEIGH_QUEUEFULL, "too many packets wait for the neighbour")             \
  X(IP_INHDR, "malformed IPv4 header")                                      \
  X(IP_CSUM, "wrong IPv4 header checksum")                                  \
  X(IP_INVALID_SOURCE, "a source address that no host may use")             \
  X(IP_INVALID_DEST, "a destination that no packet may be passed on to")    \
  X(IP_RPFILTER, "answers to its source would go by another device")        \
  X(IP_LOCAL_SOURCE, "this host's own address as the source")               \
  X(IP_INADDRERRORS, "an IPv4 destination that is not this host's")         \
  X(IP_NOPROTO, "no handler for the IPv4 protocol")                         \
  X(IP_INNOROUTES, "no route to pass the packet on")                        \
  X(IP_OUTNOROUTES, "no route to the destination")                          \
  X(IP_OPTIONS, "malformed or refused IPv4 option")                         \
  X(DUP_FRAG, "a fragment that was received before")                        \
  X(FRAG_OVERLAP, "a fragment that overlaps another")                       \
  X(FRAG_MALFORMED, "a fragment of impossible length or place")             \
  X(FRAG_TOO_FAR, "a fragment that reaches beyond 65,535 bytes")            \
  X(FRAG_REASM_TIMEOUT, "the other fragments did not come in time")         \
  X(FRAG_LIMIT, "too much memory held by incomplete packets")               \
  X(ICMP_CSUM, "wrong ICMP checksum")                                       \
  X(ICMP_MALFORMED, "malformed ICMP message")                               \
  X(ICMP_UNHANDLED, "an ICMP message that nobody waits for")                \
  X(ICMP_BROADCAST, "an echo request to a broadcast or multicast address")  \
  X(UDP_CSUM, "wrong UDP checksum")                                         \
  X(UDP_MALFORMED, "a UDP length that contradicts the packet's")            \
  X(NO_SOCKET, "no socket is bound to the port")                            \
  X(SOCKET_RCVBUFF, "the socket's receive buffer is full")                  \
  X(SOCKET_CLOSE, "the socket was closed with the packet unread")           \
  X(HOST_DOWN, "the host was taken down")

namespace nicroscope::net {

enum class skb_drop_reason : std::uint8_t {
#define NICROSCOPE_X(name, text) name,
  NICROSCOPE_DROP_REASONS(NICROSCOPE_X)
#undef NICROSCOPE_X
      MAX
};

inline constexpr std::size_t SKB_DROP_REASONS = static_cast<std::size_t>(skb_drop_reason::MAX);

struct drop_reason_text {
  std::string_view name;
  std::string_view description;
};

/// Indexed by skb_drop_reason.
inline constexpr std::array<drop_reason_text, SKB_DROP_REASONS> kDropReasons{{
#define NICROSCOPE_X(name, text) {#name, text},
    NICROSCOPE_DROP_REASONS(NICROSCOPE_X)
#undef NICROSCOPE_X
}};

}  // namespace nicroscope::net
