// SPDX-License-Identifier: Apache-2.0
#include "stack/socket/socket.h"

#include <algorithm>

namespace nicroscope::net {

namespace {

/// Linux's net.core.rmem_max and wmem_max.
constexpr std::int64_t kBufferMax = 212'992;

}  // namespace

Errno Socket::setsockopt(sock_option option, std::int64_t value) {
  sock& s = sk();
  switch (option) {
    case sock_option::so_broadcast:
      s.broadcast = value != 0;
      return kOk;
    case sock_option::so_sndbuf:
    case sock_option::so_rcvbuf: {
      if (value < 0) return std::errc::invalid_argument;
      const auto doubled = static_cast<std::uint32_t>(std::min(value, kBufferMax) * 2);
      if (option == sock_option::so_sndbuf) {
        s.sndbuf = std::max(doubled, SOCK_MIN_SNDBUF);
      } else {
        s.rcvbuf = std::max(doubled, SOCK_MIN_RCVBUF);
      }
      return kOk;
    }
    case sock_option::so_rcvtimeo:
      if (value < 0) return std::errc::invalid_argument;
      s.rcvtimeo.reset();
      if (value != 0) s.rcvtimeo = Duration(std::chrono::nanoseconds{value});
      return kOk;
    case sock_option::so_bindtodevice: {
      s.bound_dev_if.reset();
      if (value == 0) return kOk;
      const auto ifindex = static_cast<unsigned>(value);
      if (s.net.dev_get_by_index(ifindex) == nullptr) return std::errc::no_such_device;
      s.bound_dev_if = ifindex;
      return kOk;
    }
    case sock_option::so_busy_poll:
      if (value < 0) return std::errc::invalid_argument;
      s.busy_poll = std::chrono::nanoseconds{value};
      return kOk;
    case sock_option::so_prefer_busy_poll:
      s.prefer_busy_poll = value != 0;
      return kOk;
    case sock_option::so_error:
      break;
  }
  return std::errc::no_protocol_option;
}

std::int64_t Socket::getsockopt(sock_option option) {
  sock& s = sk();
  switch (option) {
    case sock_option::so_broadcast:
      return s.broadcast ? 1 : 0;
    case sock_option::so_sndbuf:
      return s.sndbuf;
    case sock_option::so_rcvbuf:
      return s.rcvbuf;
    case sock_option::so_rcvtimeo:
      return s.rcvtimeo ? std::chrono::duration_cast<std::chrono::nanoseconds>(*s.rcvtimeo).count()
                        : 0;
    case sock_option::so_bindtodevice:
      return s.bound_dev_if.value_or(0);
    case sock_option::so_busy_poll:
      return std::chrono::duration_cast<std::chrono::nanoseconds>(s.busy_poll).count();
    case sock_option::so_prefer_busy_poll:
      return s.prefer_busy_poll ? 1 : 0;
    case sock_option::so_error:
      return static_cast<std::int64_t>(sock_error(s));
  }
  return 0;
}

}  // namespace nicroscope::net
