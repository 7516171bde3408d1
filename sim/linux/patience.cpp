// SPDX-License-Identifier: Apache-2.0
#include "sim/linux/patience.h"

#include <fmt/format.h>
#include <poll.h>

#include <cerrno>
#include <vector>

#include "sim/linux/guest_failure.h"

namespace nicroscope::uml {
namespace {

constexpr const char* kStopped = "stopped by a signal";

}  // namespace

int wait_readable(std::initializer_list<int> descriptors, const Patience& patience,
                  const std::string& guest) {
  std::vector<pollfd> watched;
  for (const int descriptor : descriptors) watched.push_back({descriptor, POLLIN, 0});
  watched.push_back({patience.stop, POLLIN, 0});  // ignored if negative
  const auto end = std::chrono::steady_clock::now() + patience.limit;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    if (left.count() < 0) {
      throw WaitEnded(fmt::format(
          "{} has said nothing for {} s of wall time; software takes no simulated time, "
          "so a loop that waits for nothing never ends",
          guest, patience.limit.count()));
    }
    const int ready = ::poll(watched.data(), watched.size(), static_cast<int>(left.count()) + 1);
    if (ready < 0 && errno != EINTR) throw GuestFailure(guest + ": poll failed");
    if (ready <= 0) continue;
    if (watched.back().revents != 0) throw WaitEnded(kStopped);
    for (const pollfd& each : watched) {
      if (each.revents != 0) return each.fd;
    }
  }
}

void check_stop(const Patience& patience) {
  if (patience.stop < 0) return;
  pollfd watched{patience.stop, POLLIN, 0};
  if (::poll(&watched, 1, 0) > 0) throw WaitEnded(kStopped);
}

}  // namespace nicroscope::uml
