// SPDX-License-Identifier: Apache-2.0
#include "sim/live/tap_device.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>

namespace nicroscope::sim {
namespace {

constexpr const char* kCloneDevice = "/dev/net/tun";

// What the kernel takes (dev_valid_name), but for names that it would complete by itself.
bool is_interface_name(const std::string& name) {
  return !name.empty() && name.size() < IFNAMSIZ && name != "." && name != ".." &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return std::isgraph(static_cast<unsigned char>(c)) != 0 && c != '/' && c != ':' &&
                  c != '%';
         });
}

std::string why_not_opened(int error) {
  switch (error) {
    case EACCES:
    case EPERM:
      return fmt::format("{}: no permission; run as root, or let this user read and write it",
                         kCloneDevice);
    case ENOENT:
    case ENODEV:
    case ENXIO:
      return fmt::format("{}: this machine has no TAP devices; the kernel needs its tun module",
                         kCloneDevice);
    default:
      return fmt::format("{}: {}", kCloneDevice, std::strerror(error));
  }
}

std::string why_not_attached(const std::string& name, int error) {
  switch (error) {
    case EBUSY:
      return fmt::format("{}: another program uses this TAP device; take another name", name);
    case EINVAL:
      return if_nametoindex(name.c_str()) != 0
                 ? fmt::format(
                       "{}: the interface with this name is no TAP device; take another name", name)
                 : fmt::format("{}: the kernel refuses this name for a TAP device", name);
    case EPERM:
    case EACCES:
      return fmt::format(
          "{}: no permission; run as root, or have root make it: ip tuntap add dev {} mode tap "
          "user NAME",
          name, name);
    default:
      return fmt::format("{}: {}", name, std::strerror(error));
  }
}

}  // namespace

Result<std::unique_ptr<TapDevice>> TapDevice::open(const std::string& name) {
  if (!is_interface_name(name)) {
    return Error{fmt::format(
        "'{}' is no interface name: 1 to {} printable characters but / : % are accepted", name,
        IFNAMSIZ - 1)};
  }
  Descriptor clone(::open(kCloneDevice, O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!clone) return Error{why_not_opened(errno)};
  ifreq request{};
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  std::copy(name.begin(), name.end(), static_cast<char*>(request.ifr_name));
  if (::ioctl(clone.get(), TUNSETIFF, &request) < 0) return Error{why_not_attached(name, errno)};
  return std::unique_ptr<TapDevice>(new TapDevice(name, std::move(clone)));
}

std::optional<std::size_t> TapDevice::read(std::span<std::byte> buffer) {
  const ssize_t length = ::read(device_.get(), buffer.data(), buffer.size());
  if (length >= 0) return static_cast<std::size_t>(length);
  removed_ = removed_ || (errno != EAGAIN && errno != EINTR);
  return std::nullopt;
}

TapDevice::Written TapDevice::write(std::span<const std::byte> frame) {
  if (::write(device_.get(), frame.data(), frame.size()) >= 0) return Written::taken;
  if (errno == EIO) return Written::interface_down;
  removed_ = removed_ || errno == EBADFD;
  return Written::refused;
}

}  // namespace nicroscope::sim
