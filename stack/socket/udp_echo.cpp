// SPDX-License-Identifier: Apache-2.0
#include "stack/socket/udp_echo.h"

#include <vector>

#include "stack/socket/syscalls.h"

namespace nicroscope::net {

namespace {

void serve(NetStack& stack, std::uint16_t port, udp_echo_counters& counters) {
  SystemCalls sys(stack);
  const auto fd = sys.socket(address_family::inet, sock_type::dgram);
  if (!fd || sys.bind(fd.value(), ipv4_endpoint{kInaddrAny, port}) != kOk) return;
  std::vector<std::byte> buffer(kUdpMaxData);
  for (;;) {
    sockaddr from;
    const auto size = sys.recvfrom(fd.value(), buffer, 0, &from);
    if (!size) continue;  // an error of an earlier answer
    ++counters.received;
    const auto sent = sys.sendto(fd.value(), {buffer.data(), size.value()}, 0, &from);
    ++(sent ? counters.answered : counters.send_errors);
  }
}

}  // namespace

kernel::Task& spawn_udp_echo(NetStack& stack, std::uint16_t port, udp_echo_counters& counters) {
  return stack.kernel.spawn("udp_echo",
                            [&stack, port, &counters] { serve(stack, port, counters); });
}

}  // namespace nicroscope::net
