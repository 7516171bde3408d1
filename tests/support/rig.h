// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include "nicroscope/host_memory.h"
#include "nicroscope/timeline.h"
#include "nicroscope/trace.h"
#include "stack/kernel/kernel.h"

namespace nicroscope::test {

/// The simplest Timeline: a sorted list of events.
class ListTimeline : public Timeline {
 public:
  [[nodiscard]] Time now() const noexcept override { return now_; }
  EventHandle at(Time when, Callback callback) override {
    const std::uint64_t order = ++order_;
    events_.emplace(std::pair{std::max(when, now_), order}, std::move(callback));
    times_.emplace(order, std::max(when, now_));
    return EventHandle{order};
  }
  void cancel(EventHandle handle) override {
    const auto time = times_.find(static_cast<std::uint64_t>(handle));
    if (time == times_.end()) return;
    events_.erase({time->second, time->first});
    times_.erase(time);
  }

  /// Runs events up to `end`.
  void run_until(Time end) {
    while (!events_.empty() && events_.begin()->first.first <= end) step();
    now_ = end;
  }
  /// Runs until nothing is scheduled. At most `limit` events.
  void run(std::size_t limit = 10'000'000) {
    while (!events_.empty() && limit-- != 0) step();
  }
  [[nodiscard]] bool empty() const noexcept { return events_.empty(); }

 private:
  void step() {
    auto node = events_.extract(events_.begin());
    now_ = node.key().first;
    times_.erase(node.key().second);
    node.mapped()();
  }

  Time now_{};
  std::uint64_t order_ = 0;
  std::map<std::pair<Time, std::uint64_t>, Callback> events_;
  std::map<std::uint64_t, Time> times_;
};

/// Memory that remembers what is mapped.
class VectorMemory : public HostMemory {
 public:
  explicit VectorMemory(std::size_t size) : bytes_(size) {}

  [[nodiscard]] BusAddress base() const noexcept override { return 0x1'0000'0000; }
  [[nodiscard]] std::span<std::byte> bytes() noexcept override { return bytes_; }
  void dma_map(BusAddress address, std::size_t size, DmaDirection direction) override {
    ++ranges_[{address, size, direction}];
  }
  void dma_unmap(BusAddress address, std::size_t size, DmaDirection direction) override {
    const auto range = ranges_.find({address, size, direction});
    if (range != ranges_.end() && --range->second == 0) ranges_.erase(range);
  }
  /// All of [address, address + size) lies in one range that is open in `direction`.
  [[nodiscard]] bool reachable(BusAddress address, std::size_t size, bool write) const {
    for (const auto& [range, count] : ranges_) {
      const auto& [start, bytes, direction] = range;
      if (address < start || address + size > start + bytes) continue;
      if (direction == DmaDirection::bidirectional) return true;
      if ((direction == DmaDirection::from_device) == write) return true;
    }
    return false;
  }
  [[nodiscard]] std::size_t ranges() const noexcept { return ranges_.size(); }

 private:
  std::vector<std::byte> bytes_;
  std::map<std::tuple<BusAddress, std::size_t, DmaDirection>, unsigned> ranges_;
};

/// A host without devices, on a timeline of its own.
struct Rig {
  explicit Rig(kernel::Config config = {}, std::size_t memory_bytes = 16U << 20U)
      : memory(memory_bytes), kernel(timeline, memory, trace, std::move(config)) {}

  ListTimeline timeline;
  VectorMemory memory;
  TraceBus trace{timeline};
  kernel::Kernel kernel;
};

/// A configuration in which only the named costs take time.
inline kernel::Config only(std::initializer_list<std::pair<kernel::Cost, Duration>> costs) {
  kernel::Config config;
  config.costs = kernel::CostProfile::free();
  for (const auto& [cost, value] : costs) config.costs.set(cost, value, "test");
  return config;
}

}  // namespace nicroscope::test
