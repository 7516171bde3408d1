// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "nicroscope/timeline.h"

namespace nicroscope::sim {

/// The timeline of a simulation: a binary heap of events. Whoever owns the simulation's loop moves
/// time on with run_due and set_now; time never goes back.
class EventQueue final : public Timeline {
 public:
  [[nodiscard]] Time now() const noexcept override { return now_; }
  EventHandle at(Time when, Callback callback) override;
  void cancel(EventHandle handle) override;

  /// When the next event is due; kNever if there is none.
  [[nodiscard]] Time next_time() const noexcept { return next_; }
  /// Runs every event due at `limit` or before, those that are scheduled meanwhile included; now()
  /// is each one's own time while it runs, and `limit` afterwards.
  void run_due(Time limit);
  /// Moves time on where no event is due before `time`.
  void set_now(Time time) noexcept { now_ = time; }
  [[nodiscard]] std::size_t size() const noexcept { return heap_.size(); }

 private:
  struct Entry {
    Time when;
    std::uint64_t sequence;
    std::uint32_t slot;
  };
  // Where an event lies in the heap, so that it can be cancelled; reused under a new generation.
  struct Slot {
    Callback callback;
    std::uint32_t generation = 0;
    std::uint32_t place = 0;
  };

  static bool before(const Entry& a, const Entry& b) noexcept {
    return a.when != b.when ? a.when < b.when : a.sequence < b.sequence;
  }
  void put(std::size_t place, const Entry& entry) noexcept;
  void sift_up(std::size_t place, const Entry& entry) noexcept;
  void sift_down(std::size_t place, const Entry& entry) noexcept;
  void remove(std::size_t place) noexcept;
  void update_next() noexcept { next_ = heap_.empty() ? kNever : heap_.front().when; }

  Time now_{0};
  Time next_ = kNever;
  std::uint64_t sequence_ = 0;
  std::vector<Entry> heap_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_slots_;
};

}  // namespace nicroscope::sim
