// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "stack/kernel/task.h"
#include "stack/socket/net_stack.h"

namespace nicroscope::net {

/// The echo service's port (RFC 862).
inline constexpr std::uint16_t kEchoPort = 7;

/// What an echo server did so far.
struct udp_echo_counters {
  std::uint64_t received = 0;
  std::uint64_t answered = 0;
  std::uint64_t send_errors = 0;  ///< datagrams whose answer could not be sent
};

/// Starts a process that sends every UDP datagram back to where it came from. `counters` must
/// outlive the process. If the port is taken the process ends at once.
kernel::Task& spawn_udp_echo(NetStack& stack, std::uint16_t port, udp_echo_counters& counters);

}  // namespace nicroscope::net
