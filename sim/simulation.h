// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "nicroscope/profiles.h"
#include "nicroscope/time.h"
#include "nicroscope/trace.h"
#include "sim/base/result.h"
#include "sim/bus/axi_memory.h"
#include "sim/bus/bus_options.h"
#include "sim/bus/host_arena.h"
#include "sim/host_port/nic_port.h"
#include "sim/nic/nic.h"
#include "sim/time/clock.h"
#include "sim/time/event_queue.h"
#include "sim/wire/wire_port.h"

namespace nicroscope::sim {

/// Everything that decides how one NIC is simulated.
struct SimulationOptions {
  std::string profile = "edge10";
  Variant variant = Variant::fast;
  BusOptions bus;
  std::uint64_t seed = 1;
  bool unpaced_stream = false;  ///< words of an AXI4-Stream come and go in every cycle, link or no
  bool no_skip = false;         ///< simulate idle cycles too; the trace is the same
  std::uint64_t watchdog_cycles = 2'000'000;
  std::size_t memory_bytes = std::size_t{256} << 20;
  BusAddress memory_base = HostArena::kBase;  ///< a page's address
  WaveOptions wave;  ///< a file name asks for a waveform; needs Variant::traced
};

/// Why run_until came back.
struct RunResult {
  enum class Reason : std::uint8_t {
    limit,    ///< the time was reached
    done,     ///< the predicate was true
    stopped,  ///< request_stop
    failed,   ///< the hardware broke a rule or made no progress; `message` says what
  };
  Reason reason;
  std::string message;

  [[nodiscard]] bool ok() const noexcept { return reason != Reason::failed; }
};

/// One NIC between one host's memory and one wire, with the time that they share.
class Simulation {
 public:
  /// Fails if there is no such profile, the variant was not built, or the waveform cannot be made.
  [[nodiscard]] static Result<std::unique_ptr<Simulation>> create(const SimulationOptions& options);

  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;
  ~Simulation();

  /// Simulates until `limit`, or until `done` (asked whenever events of the timeline have run), or
  /// until request_stop. Can be called again to go on, except after a failure.
  RunResult run_until(Time limit, const std::function<bool()>& done = {});
  /// When something can happen next if nobody does anything: now at the earliest, where the NIC
  /// tells of an earlier time than it means (rtl/rx/rx_lro_table.sv); kNever if nothing ever will.
  [[nodiscard]] Time next_event() const { return std::max(nic_->next_event(), timeline_.now()); }
  /// Before this the NIC neither reads nor writes memory, nor raises an interrupt, if nobody does
  /// anything.
  [[nodiscard]] Time next_memory_access() const;
  /// Makes run_until return at the end of the cycle at hand. For sinks and hooks.
  void request_stop() noexcept { nic_->request_stop(); }

  [[nodiscard]] const Profile& profile() const noexcept { return profile_; }
  [[nodiscard]] const Clock& clock() const noexcept { return clock_; }
  [[nodiscard]] EventQueue& timeline() noexcept { return timeline_; }
  [[nodiscard]] HostArena& memory() noexcept { return arena_; }
  [[nodiscard]] AxiMemory& bus() noexcept { return bus_; }     ///< faults, hooks
  [[nodiscard]] NicPort& port() noexcept { return *port_; }    ///< what a driver drives
  [[nodiscard]] WirePort& wire() noexcept { return wire_; }    ///< frames in and out
  [[nodiscard]] TraceBus& trace() noexcept { return trace_; }  ///< add sinks here
  [[nodiscard]] Nic& nic() noexcept { return *nic_; }
  [[nodiscard]] const RunCounters& counters() const noexcept { return nic_->counters(); }

 private:
  Simulation(const SimulationOptions& options, const Profile& profile);

  Profile profile_;
  Clock clock_;
  EventQueue timeline_;
  TraceBus trace_;
  HostArena arena_;
  AxiMemory bus_;
  WirePort wire_;
  RtlTrace rtl_trace_;
  std::unique_ptr<Nic> nic_;
  std::unique_ptr<NicPort> port_;
};

}  // namespace nicroscope::sim
