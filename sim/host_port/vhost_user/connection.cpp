// SPDX-License-Identifier: Apache-2.0
#include "sim/host_port/vhost_user/connection.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace nicroscope::sim::vhost_user {
namespace {

std::string describe(int error) { return std::generic_category().message(error); }

}  // namespace

std::string send_all(int socket, std::span<const std::byte> bytes) {
  const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent == static_cast<ssize_t>(bytes.size())) return {};
  // An answer is a few bytes: where not even those have room, the client does not read.
  return sent < 0 && errno != EAGAIN ? describe(errno) : "it does not read its answers";
}

Connection::Progress Connection::end(std::string reason) {
  reason_ = std::move(reason);
  return Progress::ended;
}

// At most `bytes` more of the message, with the descriptors that come with them.
Connection::Progress Connection::take(std::byte* to, std::size_t bytes) {
  iovec piece{to, bytes};
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(kMostRegions * sizeof(int))> control;
  msghdr head{};
  head.msg_iov = &piece;
  head.msg_iovlen = 1;
  head.msg_control = control.data();
  head.msg_controllen = control.size();
  const ssize_t got = ::recvmsg(socket_.get(), &head, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (got < 0) {
    if (errno == EAGAIN || errno == EINTR) return Progress::nothing;
    return end("receiving failed: " + describe(errno));
  }
  for (cmsghdr* part = CMSG_FIRSTHDR(&head); part != nullptr; part = CMSG_NXTHDR(&head, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(part) + i * sizeof number, sizeof number);
      partial_.descriptors.emplace_back(number);
    }
  }
  if ((head.msg_flags & MSG_CTRUNC) != 0 || partial_.descriptors.size() > kMostRegions) {
    return end(fmt::format("more than {} file descriptors in a message", kMostRegions));
  }
  if (got == 0) {
    return end(got_ == 0 ? "the client has closed it" : "it ended in the middle of a message");
  }
  got_ += static_cast<std::size_t>(got);
  return Progress::message;
}

Connection::Progress Connection::receive(Message& message) {
  while (got_ < sizeof(Header)) {
    auto* const header = reinterpret_cast<std::byte*>(&partial_.header);  // NOLINT: bytes of it
    const Progress progress = take(header + got_, sizeof(Header) - got_);
    if (progress != Progress::message) return progress;
    if (got_ < sizeof(Header)) continue;
    if (std::string problem = check_header(partial_.header); !problem.empty()) {
      return end(std::move(problem));
    }
  }
  const std::size_t whole = sizeof(Header) + partial_.header.size;
  while (got_ < whole) {
    const Progress progress = take(partial_.payload.data() + (got_ - sizeof(Header)), whole - got_);
    if (progress != Progress::message) return progress;
  }
  if (std::string problem = check_message(partial_); !problem.empty()) {
    return end(std::move(problem));
  }
  message = std::exchange(partial_, Message{});
  got_ = 0;
  return Progress::message;
}

bool Connection::answer(std::uint32_t request, std::span<const std::byte> payload) {
  const Header header{request, kVersion | kFlagReply, static_cast<std::uint32_t>(payload.size())};
  std::array<std::byte, sizeof(Header) + kMostPayload> bytes;
  std::memcpy(bytes.data(), &header, sizeof header);
  std::memcpy(bytes.data() + sizeof header, payload.data(), payload.size());
  reason_ = send_all(socket_.get(), {bytes.data(), sizeof header + payload.size()});
  return reason_.empty();
}

}  // namespace nicroscope::sim::vhost_user
