// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "stack/ipv4/ipv4.h"
#include "stack/socket/socket.h"

namespace nicroscope::net {

/// A socket of AF_INET and SOCK_DGRAM: UDP.
class InetDgramSocket final : public Socket {
 public:
  explicit InetDgramSocket(Ipv4& ipv4) : ipv4_(ipv4), sk_(ipv4.udp.create()) {}
  InetDgramSocket(const InetDgramSocket&) = delete;
  InetDgramSocket& operator=(const InetDgramSocket&) = delete;
  ~InetDgramSocket() override { ipv4_.udp.close(sk_); }

  [[nodiscard]] sock& sk() noexcept override { return sk_; }
  Errno bind(const sockaddr& address) override;
  Errno connect(const sockaddr& address) override;
  Result<std::size_t> sendmsg(std::span<const std::byte> data, const sockaddr* to, bool nonblock,
                              FrameId frame) override;
  Result<received> recvmsg(std::span<std::byte> out, bool nonblock, bool peek) override;
  [[nodiscard]] sockaddr getsockname() const override { return sk_.local; }

 private:
  Ipv4& ipv4_;
  udp_sock& sk_;
};

}  // namespace nicroscope::net
