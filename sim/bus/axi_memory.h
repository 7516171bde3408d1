// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/bus/bus_core.h"
#include "sim/bus/read_channel.h"
#include "sim/bus/write_channel.h"

namespace nicroscope::sim {

/// The memory behind the NIC's AXI4 manager, and the window that takes interrupt messages.
///
/// It works by events: a cycle in which nothing is due and nothing is handed over costs two
/// comparisons. Every random choice comes from the seed, and those of a cycle from the seed and the
/// cycle's number, so cycles that are skipped while idle change nothing.
class AxiMemory {
 public:
  static constexpr BusAddress kMsiBase = 0xFEE0'0000;
  static constexpr BusAddress kMsiBytes = 4096;

  using MsiCallback = std::function<void(unsigned vector)>;

  AxiMemory(DmaMemory& memory, const Clock& clock, const BusOptions& options, unsigned beat_bytes,
            std::uint64_t seed);
  AxiMemory(const AxiMemory&) = delete;
  AxiMemory& operator=(const AxiMemory&) = delete;

  [[nodiscard]] ReadChannel& read() noexcept { return read_; }
  [[nodiscard]] WriteChannel& write() noexcept { return write_; }
  [[nodiscard]] const BusOptions& options() const noexcept { return core_.options; }

  /// What is due by `now`, and the adversary's choices for it. Before anything else of a cycle.
  void begin_cycle(Cycle now) {
    if (core_.next_event <= now) run_events(now);
    if (core_.options.adversary) choose(now);
  }
  /// Nothing is outstanding in either direction.
  [[nodiscard]] bool idle() const noexcept {
    return read_.idle() && write_.idle() && core_.events.empty();
  }

  /// When an access that has begun reads or writes memory next; kNever if none has begun. An access
  /// that begins later does so after shortest_way() at the earliest.
  [[nodiscard]] Time next_access() const noexcept {
    if (shortest_way().count() == 0 && !idle()) return Time{0};  // at any time
    return core_.next_event == kNoCycle ? kNever : core_.clock.time_of(core_.next_event);
  }
  [[nodiscard]] Duration shortest_way() const noexcept {
    const BusOptions& options = core_.options;
    if (options.adversary || options.timing == BusTiming::ideal) return Duration{0};
    return std::min(options.read_latency / 2, options.write_latency);
  }

  /// Bus mastering, from the PCI command register: without it every access is refused.
  void set_bus_master(bool enabled) noexcept { core_.bus_master = enabled; }
  /// How refused accesses are answered from now on: kRespDecerr, as at first, or kRespSlverr; of a
  /// read every beat, or the `last` one only, behind zeros.
  void refuse_with(std::uint8_t response, bool last = false) noexcept {
    core_.refusal = response;
    core_.refuse_late = last;
  }
  void on_msi(MsiCallback callback) { msi_ = std::move(callback); }
  /// Runs `hook` after each write to its range has become visible.
  void add_write_hook(const WriteHook& hook) { write_.add_hook(hook); }
  /// Called before each write to memory becomes visible; one at most, an empty one for none. While
  /// nothing is outstanding.
  void watch_writes(const WriteWatcher& watcher) noexcept { write_.set_watcher(watcher); }

  /// Accesses that were refused, oldest first.
  [[nodiscard]] const std::vector<DmaFault>& faults() const noexcept { return core_.faults; }
  /// What is outstanding, for a person.
  [[nodiscard]] std::string describe() const;

 private:
  void run_events(Cycle now);
  void choose(Cycle now);
  static void msi_written(void* self, const VisibleWrite& write);

  BusCore core_;
  ReadChannel read_;
  WriteChannel write_;
  MsiCallback msi_;
  std::uint64_t dice_seed_;
};

}  // namespace nicroscope::sim
