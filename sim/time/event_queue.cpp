// SPDX-License-Identifier: Apache-2.0
#include "sim/time/event_queue.h"

#include <algorithm>
#include <utility>

namespace nicroscope::sim {

EventHandle EventQueue::at(Time when, Callback callback) {
  std::uint32_t index;
  if (free_slots_.empty()) {
    index = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    index = free_slots_.back();
    free_slots_.pop_back();
  }
  Slot& slot = slots_[index];
  slot.callback = std::move(callback);
  const Entry entry{std::max(when, now_), sequence_++, index};
  heap_.push_back(entry);
  sift_up(heap_.size() - 1, entry);
  update_next();
  return EventHandle{(std::uint64_t{slot.generation} << 32) | (index + 1)};
}

void EventQueue::cancel(EventHandle handle) {
  const auto raw = static_cast<std::uint64_t>(handle);
  const auto index = static_cast<std::uint32_t>(raw) - 1;
  if (raw == 0 || index >= slots_.size()) return;
  Slot& slot = slots_[index];
  if (slot.generation != raw >> 32) return;
  slot.callback = nullptr;
  ++slot.generation;
  remove(slot.place);
  free_slots_.push_back(index);
  update_next();
}

void EventQueue::run_due(Time limit) {
  while (next_ <= limit) {
    const Entry entry = heap_.front();
    remove(0);
    update_next();
    Slot& slot = slots_[entry.slot];
    Callback callback = std::move(slot.callback);
    slot.callback = nullptr;
    ++slot.generation;
    free_slots_.push_back(entry.slot);
    now_ = entry.when;
    callback();
  }
  now_ = std::max(now_, limit);
}

void EventQueue::put(std::size_t place, const Entry& entry) noexcept {
  heap_[place] = entry;
  slots_[entry.slot].place = static_cast<std::uint32_t>(place);
}

void EventQueue::sift_up(std::size_t place, const Entry& entry) noexcept {
  while (place > 0) {
    const std::size_t parent = (place - 1) / 2;
    if (!before(entry, heap_[parent])) break;
    put(place, heap_[parent]);
    place = parent;
  }
  put(place, entry);
}

void EventQueue::sift_down(std::size_t place, const Entry& entry) noexcept {
  for (;;) {
    std::size_t child = 2 * place + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && before(heap_[child + 1], heap_[child])) ++child;
    if (!before(heap_[child], entry)) break;
    put(place, heap_[child]);
    place = child;
  }
  put(place, entry);
}

void EventQueue::remove(std::size_t place) noexcept {
  const Entry moved = heap_.back();
  heap_.pop_back();
  if (place == heap_.size()) return;
  if (place > 0 && before(moved, heap_[(place - 1) / 2])) {
    sift_up(place, moved);
  } else {
    sift_down(place, moved);
  }
}

}  // namespace nicroscope::sim
