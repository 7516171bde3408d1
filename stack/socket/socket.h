// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "stack/core/result.h"
#include "stack/core/sock.h"
#include "stack/socket/sockaddr.h"

namespace nicroscope::net {

/// What recvfrom found.
struct received {
  std::size_t copied = 0;
  std::size_t size = 0;  ///< of the datagram, of which `copied` bytes fitted
  sockaddr source;
  FrameId frame = kNoFrame;  ///< for the trace
};

/// What a file descriptor of a socket stands for (Linux: struct socket and proto_ops). Called
/// inside system calls.
class Socket {
 public:
  virtual ~Socket() = default;

  [[nodiscard]] virtual sock& sk() noexcept = 0;
  virtual Errno bind(const sockaddr& address) = 0;
  virtual Errno connect(const sockaddr& address) = 0;
  /// `to`: null for the connected peer. `frame` names what is sent for the trace.
  virtual Result<std::size_t> sendmsg(std::span<const std::byte> data, const sockaddr* to,
                                      bool nonblock, FrameId frame) = 0;
  virtual Result<received> recvmsg(std::span<std::byte> out, bool nonblock, bool peek) = 0;
  [[nodiscard]] virtual sockaddr getsockname() const = 0;

  /// Linux: sock_setsockopt. EINVAL, ENODEV.
  Errno setsockopt(sock_option option, std::int64_t value);
  [[nodiscard]] std::int64_t getsockopt(sock_option option);
};

}  // namespace nicroscope::net
