// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nicroscope/time.h"
#include "sim/experiment/load_window.h"
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

/// A part of a load that changes: what comes and what becomes of it.
struct LoadPhase {
  std::string name;
  Workload workload = Workload::forward;  ///< or echo
  GeneratorPhase load;                    ///< its addresses are set by the run
};

/// One machine under one load.
struct LoadOptions {
  Scenario scenario;
  bool no_skip = false;
  bool assertions = false;
  Workload workload = Workload::forward;
  unsigned receiver_cpu = 0;  ///< of the process, as far as there are CPUs
  /// Processes that receive, one on each CPU from receiver_cpu on, each by a socket of its own:
  /// flows belong to them in turn.
  unsigned receivers = 1;
  bool connected = false;  ///< the sockets are, with a flow each
  GeneratorOptions load;   ///< its addresses, times, phases and seed are set by the run
  /// What the load changes between, over and over; none: it stays as `workload` and `load` say.
  std::vector<LoadPhase> phases;
  Duration warm_up = std::chrono::milliseconds{5};  ///< of the load, before anything is measured
  Duration window = std::chrono::milliseconds{20};
  Observation observe;
};

/// A profile of interrupt moderation that the driver's net_dim set.
struct DimStep {
  Duration time{0};  ///< since the start of the load
  unsigned virtqueue = 0;
  unsigned profile = 0;
};

/// In the window, and in the whole run.
struct LoadResult : WindowResult {
  std::string problem;  ///< what went wrong, one line; empty where nothing
  /// Of the window, what belongs to each of the phases.
  std::vector<std::pair<std::string, WindowResult>> phases;
  // ---- in the whole run
  std::uint64_t sent = 0;
  std::uint64_t delivered = 0;
  std::map<std::string, std::uint64_t> drops;  ///< by reason, those that happened
  std::uint64_t cycles = 0;                    ///< of the NIC
  std::uint64_t cycles_skipped = 0;
  double wall_seconds = 0;
  std::uint64_t trace_hash = 0;
  std::vector<DimStep> dim;  ///< in the order of time

  [[nodiscard]] std::uint64_t dropped() const;
};

/// Boots the machine, loads it, waits until it has nothing more to do, and holds what was sent
/// against what was delivered and dropped. Throws BadInput for what cannot be built or written.
[[nodiscard]] LoadResult run_load(const LoadOptions& options);

}  // namespace nicroscope::sim
