// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "nicroscope/profiles.h"
#include "nicroscope/time.h"
#include "sim/base/result.h"
#include "sim/bus/axi_memory.h"
#include "sim/nic/axil_master.h"
#include "sim/nic/rtl_trace.h"
#include "sim/time/clock.h"
#include "sim/time/event_queue.h"
#include "sim/time/time_window.h"
#include "sim/wire/wire_port.h"

namespace nicroscope::sim {

/// Which Verilated model runs: with assertions; with assertions and waveforms; or neither, fast.
enum class Variant : std::uint8_t { checked, traced, fast };

struct WaveOptions {
  std::string file;                          ///< FST; empty for none
  std::shared_ptr<const TimeWindow> window;  ///< the cycles that are in it; null for all
};

/// What passed since the start.
struct RunCounters {
  Cycle cycles = 0;          ///< clock cycles of the NIC, skipped ones included
  Cycle cycles_skipped = 0;  ///< of these, not simulated because all was idle
  std::uint64_t frames_to_nic = 0;
  std::uint64_t bytes_to_nic = 0;  ///< without frame check sequence
  std::uint64_t frames_from_nic = 0;
  std::uint64_t bytes_from_nic = 0;
  std::uint64_t read_beats = 0;  ///< of the AXI manager
  std::uint64_t write_beats = 0;
  std::uint64_t register_accesses = 0;
};

/// What a NIC is connected to, and how it is run.
struct NicConnections {
  const Profile& profile;
  const Clock& clock;
  EventQueue& timeline;
  AxiMemory& bus;
  WirePort& wire;
  RtlTrace& trace;
  unsigned link_mbps = 0;  ///< behind an AXI4-Stream; 0: none, words come and go in every cycle
  bool no_skip = false;
  std::uint64_t watchdog_cycles = 0;  ///< 0: none
  std::uint64_t seed = 1;             ///< of registers that start at random in the checked variant
  WaveOptions wave;
};

/// A Verilated NIC with all that drives its ports. The loop over cycles is inside run(), so a
/// virtual call is paid for a stretch of time and not for a cycle.
class Nic {
 public:
  enum class Stop : std::uint8_t { limit, events, requested };

  explicit Nic(const NicConnections& connections) : c_(connections) {}
  virtual ~Nic() = default;
  Nic(const Nic&) = delete;
  Nic& operator=(const Nic&) = delete;

  /// Simulates until the first edge at `limit` or later (which is not run), until events of the
  /// timeline have run, or until request_stop. Throws SimulationFailure.
  virtual Stop run(Time limit) = 0;

  /// When something can happen next, here or on the timeline, if nobody does anything: now, where
  /// anything is in flight; kNever if nothing ever will.
  [[nodiscard]] virtual Time next_event() const = 0;

  /// Returns from run() at the end of the cycle at hand.
  void request_stop() noexcept { stop_ = true; }

  /// Register accesses begin at the next cycle.
  [[nodiscard]] AxilMaster& registers() noexcept { return registers_; }
  /// From the PCI function's MSI-X capability.
  void set_msix(bool enable, bool mask) noexcept {
    msix_enable_ = enable;
    msix_mask_ = mask;
  }
  void set_link(bool up) noexcept { link_up_ = up; }
  /// The INTx line, a level.
  [[nodiscard]] bool intx() const noexcept { return intx_; }

  [[nodiscard]] const RunCounters& counters() const noexcept { return counters_; }
  [[nodiscard]] Cycle cycle() const noexcept { return counters_.cycles; }

 protected:
  NicConnections c_;
  AxilMaster registers_;
  RunCounters counters_;
  bool stop_ = false;
  bool msix_enable_ = false;
  bool msix_mask_ = false;
  bool link_up_ = true;
  bool intx_ = false;
};

/// Makes the NIC of a profile and variant; an error if that one was not built.
[[nodiscard]] Result<std::unique_ptr<Nic>> make_nic(std::string_view profile, Variant variant,
                                                    const NicConnections& connections);

}  // namespace nicroscope::sim
