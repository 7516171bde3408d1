// SPDX-License-Identifier: Apache-2.0
#include "sim/live/stop_signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>

namespace nicroscope::sim {
namespace {

sigset_t stop_set() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

StopSignals::StopSignals() {
  const sigset_t set = stop_set();
  signals_.reset(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!signals_) throw std::system_error(errno, std::generic_category(), "signalfd");
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
}

StopSignals::~StopSignals() {
  // One that came is spent: unblocked, it would end the process after all.
  signalfd_siginfo taken;
  while (::read(signals_.get(), &taken, sizeof taken) > 0) {
  }
  const sigset_t set = stop_set();
  ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace nicroscope::sim
