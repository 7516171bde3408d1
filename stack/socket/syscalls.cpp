// SPDX-License-Identifier: Apache-2.0
#include "stack/socket/syscalls.h"

#include <algorithm>

#include "nicroscope/host_points.h"
#include "stack/socket/inet_socket.h"
#include "stack/socket/packet_socket.h"

namespace nicroscope::net {

using kernel::SystemCall;

Socket* SystemCalls::sockfd_lookup(int fd) {
  stack_.net.spend(kernel::cost::sock_syscall);
  const auto index = static_cast<std::size_t>(fd);
  return fd >= 0 && index < files_.size() ? files_[index].get() : nullptr;
}

Result<int> SystemCalls::socket(address_family family, sock_type type, std::uint16_t protocol) {
  const SystemCall call(stack_.kernel);
  stack_.net.spend(kernel::cost::sock_syscall);
  std::unique_ptr<Socket> socket;
  switch (family) {
    case address_family::inet:
      if (type != sock_type::dgram) return std::errc::not_supported;
      if (protocol != 0 && protocol != kIpprotoUdp) return std::errc::protocol_not_supported;
      socket = std::make_unique<InetDgramSocket>(stack_.ipv4);
      break;
    case address_family::packet:
      socket = std::make_unique<PacketSocket>(stack_.net, type, protocol);
      break;
    case address_family::unspec:
      return std::errc::address_family_not_supported;
  }
  auto slot = std::find(files_.begin(), files_.end(), nullptr);
  if (slot == files_.end()) slot = files_.insert(slot, nullptr);
  *slot = std::move(socket);
  return static_cast<int>(slot - files_.begin());
}

Errno SystemCalls::bind(int fd, const sockaddr& address) {
  const SystemCall call(stack_.kernel);
  Socket* const socket = sockfd_lookup(fd);
  return socket != nullptr ? socket->bind(address) : std::errc::bad_file_descriptor;
}

Errno SystemCalls::connect(int fd, const sockaddr& address) {
  const SystemCall call(stack_.kernel);
  Socket* const socket = sockfd_lookup(fd);
  return socket != nullptr ? socket->connect(address) : std::errc::bad_file_descriptor;
}

Result<std::size_t> SystemCalls::sendto(int fd, std::span<const std::byte> data, unsigned flags,
                                        const sockaddr* to) {
  const SystemCall call(stack_.kernel);
  const FrameId frame = stack_.net.next_frame();
  stack_.net.trace().emit(point::sys_sendto, frame, data.size());
  Socket* const socket = sockfd_lookup(fd);
  if (socket == nullptr) return std::errc::bad_file_descriptor;
  return socket->sendmsg(data, to, (flags & kMsgDontwait) != 0, frame);
}

Result<std::size_t> SystemCalls::recvfrom(int fd, std::span<std::byte> out, unsigned flags,
                                          sockaddr* from) {
  FrameId frame = kNoFrame;
  std::size_t size = 0;
  {
    const SystemCall call(stack_.kernel);
    Socket* const socket = sockfd_lookup(fd);
    if (socket == nullptr) return std::errc::bad_file_descriptor;
    auto result = socket->recvmsg(out, (flags & kMsgDontwait) != 0, (flags & kMsgPeek) != 0);
    if (!result) return result.error();
    const received& r = result.value();
    frame = r.frame;
    size = (flags & kMsgTrunc) != 0 ? r.size : r.copied;
    if (from != nullptr) *from = r.source;
  }
  stack_.net.trace().emit(point::sys_recvfrom_return, frame, size);
  return size;
}

Errno SystemCalls::setsockopt(int fd, sock_option option, std::int64_t value) {
  const SystemCall call(stack_.kernel);
  Socket* const socket = sockfd_lookup(fd);
  return socket != nullptr ? socket->setsockopt(option, value) : std::errc::bad_file_descriptor;
}

Result<std::int64_t> SystemCalls::getsockopt(int fd, sock_option option) {
  const SystemCall call(stack_.kernel);
  Socket* const socket = sockfd_lookup(fd);
  if (socket == nullptr) return std::errc::bad_file_descriptor;
  return socket->getsockopt(option);
}

Result<sockaddr> SystemCalls::getsockname(int fd) {
  const SystemCall call(stack_.kernel);
  const Socket* const socket = sockfd_lookup(fd);
  if (socket == nullptr) return std::errc::bad_file_descriptor;
  return socket->getsockname();
}

Errno SystemCalls::close(int fd) {
  const SystemCall call(stack_.kernel);
  if (sockfd_lookup(fd) == nullptr) return std::errc::bad_file_descriptor;
  files_[static_cast<std::size_t>(fd)].reset();
  return kOk;
}

}  // namespace nicroscope::net
