// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "nicroscope/trace.h"

// Trace points of host software, in the order of a packet's way. Linux's function names where Linux
// has the function. The argument of what belongs to a CPU (interrupts, softirqs, NAPI, processes)
// has the CPU's number in its bits from 32 up. X(name, what the event's argument is)
#define NICROSCOPE_HOST_POINTS(X)                               \
  X(hardirq_enter, "vector")                                    \
  X(hardirq_exit, "vector")                                     \
  X(napi_schedule, "queue pair")                                \
  X(softirq_enter, "softirq number")                            \
  X(softirq_exit, "softirq number")                             \
  X(napi_poll, "queue pair")                                    \
  X(napi_complete_done, "frames polled")                        \
  X(virtnet_receive, "queue pair")                              \
  X(eth_type_trans, "protocol")                                 \
  X(netif_receive_skb, "bytes")                                 \
  X(packet_rcv, "bytes")                                        \
  X(arp_rcv, "operation")                                       \
  X(ip_rcv, "bytes")                                            \
  X(ip_local_deliver, "protocol")                               \
  X(ip_forward, "bytes")                                        \
  X(icmp_rcv, "type")                                           \
  X(udp_rcv, "bytes")                                           \
  X(sock_def_readable, "socket")                                \
  X(process_wake, "process")                                    \
  X(process_run, "process")                                     \
  X(udp_recvmsg, "bytes")                                       \
  X(sys_recvfrom_return, "bytes")                               \
  X(sys_sendto, "bytes")                                        \
  X(udp_sendmsg, "bytes")                                       \
  X(ip_output, "bytes")                                         \
  X(arp_xmit, "operation")                                      \
  X(dev_queue_xmit, "bytes")                                    \
  X(start_xmit, "queue pair")                                   \
  X(virtqueue_notify, "virtqueue")                              \
  X(free_old_xmit, "frames")                                    \
  X(kfree_skb, "drop reason")                                   \
  X(netif_rx, "CPU whose backlog")                              \
  X(napi_state, "queue pair; NAPI_STATE_* bits from bit 16 up") \
  X(net_dim, "virtqueue; profile that is set from bit 16 up")

namespace nicroscope::point {

namespace detail {
enum Index : std::uint16_t {
#define NICROSCOPE_X(name, arg) k_##name,
  NICROSCOPE_HOST_POINTS(NICROSCOPE_X)
#undef NICROSCOPE_X
      kCount
};
}  // namespace detail

#define NICROSCOPE_X(name, arg) \
  inline constexpr TracePoint name{kFirstHostPoint + detail::k_##name};
NICROSCOPE_HOST_POINTS(NICROSCOPE_X)
#undef NICROSCOPE_X

struct HostPointName {
  std::string_view name;
  std::string_view argument;
};

inline constexpr std::array<HostPointName, detail::kCount> kHostPoints{{
#define NICROSCOPE_X(name, arg) {#name, arg},
    NICROSCOPE_HOST_POINTS(NICROSCOPE_X)
#undef NICROSCOPE_X
}};

}  // namespace nicroscope::point
