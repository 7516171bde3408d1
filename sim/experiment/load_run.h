// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "nicroscope/time.h"
#include "sim/machine/machine.h"
#include "sim/wire/generator.h"

namespace nicroscope::sim {

/// What the host does with the frames of a load.
enum class Workload : std::uint8_t {
  forward,  ///< passes them on to another host, out by the interface that they came in by
  local,    ///< a process receives them from a UDP socket
  echo,     ///< a process receives them and sends them back
};
[[nodiscard]] std::string_view name_of(Workload workload) noexcept;

/// What is written of a run, and in which part of its time.
struct Observation {
  std::string trace;  ///< every event, a line each; empty for none
  std::string wave;   ///< FST; empty for none
  Duration from{0};   ///< counted from the start of the load
  Duration to = Duration::max();
  /// If not 0, in place of the above: from when the load's frame of this number, counted from 1,
  /// starts on the wire to the NIC, to when that of the other does.
  std::uint64_t from_frame = 0;
  std::uint64_t to_frame = 0;
};

/// One machine under one load.
struct LoadOptions {
  Scenario scenario;
  bool no_skip = false;
  bool assertions = false;
  Workload workload = Workload::forward;
  unsigned receiver_cpu = 0;  ///< of the process, as far as there are CPUs
  GeneratorOptions load;      ///< its addresses, times and seed are set by the run
  Duration warm_up = std::chrono::milliseconds{5};  ///< of the load, before anything is measured
  Duration window = std::chrono::milliseconds{20};
  Observation observe;
};

/// Shares of a CPU's time in the window, 0 to 1.
struct CpuShares {
  double hardirq = 0;
  double softirq = 0;
  double process = 0;  ///< user and system
  [[nodiscard]] double busy() const noexcept { return hardirq + softirq + process; }
};

struct LoadResult {
  std::string problem;  ///< what went wrong, one line; empty where nothing
  // ---- in the window
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
  // ---- in the whole run
  std::uint64_t sent = 0;
  std::uint64_t delivered = 0;
  std::map<std::string, std::uint64_t> drops;  ///< by reason, those that happened
  std::uint64_t cycles = 0;                    ///< of the NIC
  std::uint64_t cycles_skipped = 0;
  double wall_seconds = 0;
  std::uint64_t trace_hash = 0;

  [[nodiscard]] std::uint64_t dropped() const;
};

/// Boots the machine, loads it, waits until it has nothing more to do, and holds what was sent
/// against what was delivered and dropped. Throws BadInput for what cannot be built or written.
[[nodiscard]] LoadResult run_load(const LoadOptions& options);

}  // namespace nicroscope::sim
