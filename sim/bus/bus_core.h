// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <queue>
#include <vector>

#include "sim/base/random.h"
#include "sim/base/ring_queue.h"
#include "sim/bus/bus_options.h"
#include "sim/bus/dma_memory.h"
#include "sim/bus/pcie_link.h"
#include "sim/time/clock.h"

namespace nicroscope::sim {

/// An access that found no mapped memory; nothing was read or written.
struct DmaFault {
  Time time;
  BusAddress address;
  std::uint32_t bytes;
  bool is_write;
};

/// AXI4 response codes (AMBA AXI A3.4.4).
inline constexpr std::uint8_t kRespOkay = 0;
inline constexpr std::uint8_t kRespSlverr = 2;
inline constexpr std::uint8_t kRespDecerr = 3;
inline constexpr unsigned kAxiIds = 16;
inline constexpr unsigned kMaxBurstBytes = 4096;

/// Something that the memory does later: take a sample for a read, or make a write visible.
struct BusEvent {
  Cycle due;
  std::uint64_t sequence;
  std::uint32_t burst;
  std::uint16_t first;  ///< beat
  std::uint16_t beats;
  bool is_write;
};

/// What the read and the write half of the memory share.
struct BusCore {
  BusCore(DmaMemory& host, const Clock& nic_clock, const BusOptions& bus_options, unsigned bytes,
          std::uint64_t seed)
      : memory(host),
        clock(nic_clock),
        options(bus_options),
        link(bus_options),
        beat_bytes(bytes),
        random(seed) {}

  struct Later {
    bool operator()(const BusEvent& a, const BusEvent& b) const noexcept {
      return a.due != b.due ? a.due > b.due : a.sequence > b.sequence;
    }
  };

  void schedule(Cycle due, bool is_write, std::uint32_t burst, unsigned first, unsigned beats) {
    events.push({due, sequence++, burst, static_cast<std::uint16_t>(first),
                 static_cast<std::uint16_t>(beats), is_write});
    next_event = events.top().due;
  }
  [[nodiscard]] std::int64_t ps(Cycle cycle) const noexcept { return clock.time_of(cycle).count(); }
  [[nodiscard]] Cycle cycle_at(std::int64_t time) const noexcept {
    return clock.edge_at_or_after(Time{time});
  }
  [[nodiscard]] std::int64_t jitter() noexcept {
    if (options.read_jitter.count() == 0) return 0;
    return static_cast<std::int64_t>(
        random.below(static_cast<std::uint64_t>(options.read_jitter.count()) + 1));
  }
  void fault(Cycle now, BusAddress address, std::uint64_t bytes, bool is_write) {
    faults.push_back({clock.time_of(now), address, static_cast<std::uint32_t>(bytes), is_write});
  }

  DmaMemory& memory;
  const Clock& clock;
  BusOptions options;
  PcieLink link;
  unsigned beat_bytes;
  Random random;
  bool bus_master = false;
  std::uint8_t refusal = kRespDecerr;  ///< how an access is answered that finds no mapped memory
  bool refuse_late = false;            ///< of a read, only the last beat
  std::vector<DmaFault> faults;
  Cycle next_event = kNoCycle;
  std::uint64_t sequence = 0;
  std::priority_queue<BusEvent, std::vector<BusEvent>, Later> events;
};

/// Responses waiting to be sent: in order within an AXI id, free between ids. T has a member `due`.
template <typename T>
class IdQueues {
 public:
  void push(unsigned id, const T& item) {
    queues_[id].push(item);
    waiting_ |= 1U << id;
  }
  void pop(unsigned id) noexcept {
    queues_[id].pop();
    if (queues_[id].empty()) waiting_ &= ~(1U << id);
  }
  [[nodiscard]] bool empty() const noexcept { return waiting_ == 0; }
  [[nodiscard]] T& front(unsigned id) noexcept { return queues_[id].front(); }
  [[nodiscard]] RingQueue<T>& queue(unsigned id) noexcept { return queues_[id]; }

  /// The id whose front is due first; kAxiIds if nothing waits.
  [[nodiscard]] unsigned earliest() noexcept {
    unsigned best = kAxiIds;
    for (unsigned rest = waiting_; rest != 0; rest &= rest - 1) {
      const auto id = static_cast<unsigned>(__builtin_ctz(rest));
      if (best == kAxiIds || queues_[id].front().due < queues_[best].front().due) best = id;
    }
    return best;
  }
  /// One of the ids whose front is due at `now`, chosen by `choice`; kAxiIds if there is none.
  [[nodiscard]] unsigned any_due(Cycle now, std::uint64_t choice) noexcept {
    std::array<unsigned, kAxiIds> due{};
    unsigned count = 0;
    for (unsigned rest = waiting_; rest != 0; rest &= rest - 1) {
      const auto id = static_cast<unsigned>(__builtin_ctz(rest));
      if (queues_[id].front().due <= now) due[count++] = id;
    }
    return count == 0 ? kAxiIds : due[choice % count];
  }

 private:
  unsigned waiting_ = 0;
  std::array<RingQueue<T>, kAxiIds> queues_;
};

}  // namespace nicroscope::sim
