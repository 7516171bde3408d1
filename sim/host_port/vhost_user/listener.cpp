// SPDX-License-Identifier: Apache-2.0
#include "sim/host_port/vhost_user/listener.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace nicroscope::sim::vhost_user {
namespace {

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);  // NOLINT: as the socket functions want it
}

// Somebody has bound the address but nobody listens: what a process leaves that was killed.
bool abandoned(const sockaddr_un& address) {
  struct stat about {};
  if (::lstat(address.sun_path, &about) != 0 || !S_ISSOCK(about.st_mode)) return false;
  const Descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return ::connect(probe.get(), generic(address), sizeof address) != 0 && errno == ECONNREFUSED;
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::listen(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return Error{fmt::format("'{}' is no path of a socket, which has 1 to {} characters", path,
                             sizeof address.sun_path - 1)};
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  const auto fail = [&path] {
    return Error{fmt::format("{}: {}", path, std::generic_category().message(errno))};
  };
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return fail();
  if (abandoned(address)) ::unlink(path.c_str());
  const mode_t mask = ::umask(0177);
  const int bound = ::bind(socket.get(), generic(address), sizeof address);
  const int error = errno;
  ::umask(mask);
  errno = error;
  if (bound != 0 || ::listen(socket.get(), 1) != 0) return fail();
  return std::unique_ptr<Listener>(new Listener(path, std::move(socket)));
}

Listener::~Listener() { ::unlink(path_.c_str()); }

int Listener::accept() { return ::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC); }

}  // namespace nicroscope::sim::vhost_user
