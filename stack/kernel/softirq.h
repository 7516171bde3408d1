// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "nicroscope/time.h"

namespace nicroscope::kernel {

/// Linux's softirqs in their order, which is their priority (include/linux/interrupt.h).
enum class Softirq : std::uint8_t {
  hi,
  timer,
  net_tx,
  net_rx,
  block,
  irq_poll,
  tasklet,
  sched,
  hrtimer,
  rcu
};

inline constexpr unsigned kSoftirqs = 10;

/// As /proc/softirqs spells them.
inline constexpr std::array<std::string_view, kSoftirqs> kSoftirqNames{
    "HI", "TIMER", "NET_TX", "NET_RX", "BLOCK", "IRQ_POLL", "TASKLET", "SCHED", "HRTIMER", "RCU"};

/// How long softirqs may go on at the end of an interrupt before the rest is ksoftirqd's
/// (kernel/softirq.c: MAX_SOFTIRQ_TIME, MAX_SOFTIRQ_RESTART).
inline constexpr Duration kMaxSoftirqTime = std::chrono::milliseconds{2};
inline constexpr unsigned kMaxSoftirqRestart = 10;

}  // namespace nicroscope::kernel
