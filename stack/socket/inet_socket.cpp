// SPDX-License-Identifier: Apache-2.0
#include "stack/socket/inet_socket.h"

namespace nicroscope::net {

Errno InetDgramSocket::bind(const sockaddr& address) {
  const auto* local = std::get_if<ipv4_endpoint>(&address);
  if (local == nullptr) return std::errc::address_family_not_supported;
  return ipv4_.udp.bind(sk_, *local);
}

Errno InetDgramSocket::connect(const sockaddr& address) {
  if (std::holds_alternative<std::monostate>(address)) {
    ipv4_.udp.disconnect(sk_);
    return kOk;
  }
  const auto* remote = std::get_if<ipv4_endpoint>(&address);
  if (remote == nullptr) return std::errc::address_family_not_supported;
  return ipv4_.udp.connect(sk_, *remote);
}

Result<std::size_t> InetDgramSocket::sendmsg(std::span<const std::byte> data, const sockaddr* to,
                                             bool nonblock, FrameId frame) {
  std::optional<ipv4_endpoint> remote;
  if (to != nullptr) {
    const auto* endpoint = std::get_if<ipv4_endpoint>(to);
    if (endpoint == nullptr) return std::errc::address_family_not_supported;
    remote = *endpoint;
  }
  return ipv4_.udp.udp_sendmsg(sk_, data, remote, nonblock, frame);
}

Result<received> InetDgramSocket::recvmsg(std::span<std::byte> out, bool nonblock, bool peek) {
  const auto datagram = ipv4_.udp.udp_recvmsg(sk_, out, nonblock, peek);
  if (!datagram) return datagram.error();
  const udp_datagram& d = datagram.value();
  return received{d.copied, d.size, d.source, d.frame};
}

}  // namespace nicroscope::net
