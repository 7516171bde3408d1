// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "nicroscope/time.h"
#include "sim/wire/histogram.h"
#include "stack/kernel/cpu.h"

namespace nicroscope::sim {

/// Shares of a CPU's time in a window, 0 to 1.
struct CpuShares {
  double hardirq = 0;
  double softirq = 0;
  double process = 0;  ///< user and system
  [[nodiscard]] double busy() const noexcept { return hardirq + softirq + process; }
};

/// What happened in a window of a load's time.
struct WindowResult {
  double seconds = 0;
  std::uint64_t window_sent = 0;  ///< frames that passed to the NIC
  double offered_pps = 0;
  double delivered_pps = 0;
  CpuShares cpu;                 ///< of all CPUs together: up to their number
  std::vector<double> cpu_busy;  ///< of each
  std::uint64_t interrupts = 0;
  std::uint64_t rx_interrupts = 0;  ///< of these, of receive queues
  std::uint64_t tx_interrupts = 0;
  std::uint64_t polls = 0;
  std::uint64_t polls_emptied = 0;  ///< polls of receive queues that left polled mode with frames
  std::uint64_t polls_full = 0;     ///< polls that stayed in it
  // ---- frames that were due in the window: from then until they were delivered
  double latency_us_median = 0;
  double latency_us_p99 = 0;
};

/// What can be read of a machine under load at any moment without disturbing anything; and what
/// lies between two moments, or several such times together.
struct Moment {
  std::uint64_t sent = 0;
  std::uint64_t delivered = 0;
  std::uint64_t freed = 0;  ///< by the stack, with a reason
  std::uint64_t interrupts = 0;
  std::uint64_t rx_interrupts = 0;
  std::uint64_t tx_interrupts = 0;
  std::uint64_t polls = 0;
  std::uint64_t polls_done = 0;
  std::uint64_t polls_emptied = 0;
  Time time{0};
  kernel::CpuTime cpu;         ///< of all
  std::vector<Duration> busy;  ///< each

  /// Adds what lies between two moments.
  void add(const Moment& before, const Moment& after);
  /// Of a sum of such times, but for the latencies.
  [[nodiscard]] WindowResult result() const;
};

/// Sets the latencies, of a histogram in nanoseconds.
void set_latency(WindowResult& result, const Histogram& latency);

}  // namespace nicroscope::sim
