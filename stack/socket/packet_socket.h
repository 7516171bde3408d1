// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "stack/core/net.h"
#include "stack/socket/socket.h"

namespace nicroscope::net {

/// A socket of AF_PACKET (Linux: net/packet/af_packet.c). SOCK_RAW gives and takes whole frames
/// from the Ethernet header on, SOCK_DGRAM what is behind it. Receives what arrives after bind, or
/// from the start if the protocol was named in socket().
class PacketSocket final : public Socket {
 public:
  PacketSocket(Net& net, sock_type type, std::uint16_t protocol);
  PacketSocket(const PacketSocket&) = delete;
  PacketSocket& operator=(const PacketSocket&) = delete;
  ~PacketSocket() override;

  [[nodiscard]] sock& sk() noexcept override { return sk_; }
  /// The protocol and device to receive from. ENODEV.
  Errno bind(const sockaddr& address) override;
  /// EOPNOTSUPP: a packet socket has no peer.
  Errno connect(const sockaddr& address) override;
  /// `to` names the device (and, for SOCK_DGRAM, address and protocol); without it the bound one.
  /// ENXIO, ENETDOWN, EMSGSIZE, EINVAL (less than a header), ENOBUFS.
  Result<std::size_t> sendmsg(std::span<const std::byte> data, const sockaddr* to, bool nonblock,
                              FrameId frame) override;
  Result<received> recvmsg(std::span<std::byte> out, bool nonblock, bool peek) override;
  [[nodiscard]] sockaddr getsockname() const override;

 private:
  class Handler;
  struct Sock;

  void listen(std::uint16_t protocol, net_device* dev);

  Net& net_;
  const sock_type type_;
  sock& sk_;
  packet_address bound_;
  std::unique_ptr<Handler> handler_;
};

}  // namespace nicroscope::net
