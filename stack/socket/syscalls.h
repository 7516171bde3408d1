// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "stack/socket/net_stack.h"
#include "stack/socket/socket.h"

namespace nicroscope::net {

/// The system calls of one process, and its file descriptors, which close with it: make one inside
/// the function that Kernel::spawn runs. Every call crosses into the kernel and back, at its cost.
/// Errors are errno's values, as in the manual pages.
class SystemCalls {
 public:
  explicit SystemCalls(NetStack& stack) : stack_(stack) {}
  SystemCalls(const SystemCalls&) = delete;
  SystemCalls& operator=(const SystemCalls&) = delete;

  /// The lowest free descriptor. `protocol`: packet sockets' EtherType; 0 else. EAFNOSUPPORT,
  /// ESOCKTNOSUPPORT.
  [[nodiscard]] Result<int> socket(address_family family, sock_type type,
                                   std::uint16_t protocol = 0);
  Errno bind(int fd, const sockaddr& address);
  Errno connect(int fd, const sockaddr& address);
  /// `to`: null for the connected peer.
  Result<std::size_t> sendto(int fd, std::span<const std::byte> data, unsigned flags = 0,
                             const sockaddr* to = nullptr);
  /// Waits for a datagram unless kMsgDontwait is set. What does not fit is lost; the result is what
  /// was copied, or with kMsgTrunc the datagram's size. `from`, if not null, is set.
  Result<std::size_t> recvfrom(int fd, std::span<std::byte> out, unsigned flags = 0,
                               sockaddr* from = nullptr);
  Errno setsockopt(int fd, sock_option option, std::int64_t value);
  [[nodiscard]] Result<std::int64_t> getsockopt(int fd, sock_option option);
  [[nodiscard]] Result<sockaddr> getsockname(int fd);
  Errno close(int fd);

 private:
  /// Null if the descriptor is not open. Spends what finding it takes.
  [[nodiscard]] Socket* sockfd_lookup(int fd);

  NetStack& stack_;
  std::vector<std::unique_ptr<Socket>> files_;
};

}  // namespace nicroscope::net
