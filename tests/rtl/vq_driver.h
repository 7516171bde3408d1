// SPDX-License-Identifier: Apache-2.0
// A driver of one packed virtqueue (virtio 1.2, 2.8.21 and 2.8.22), one memory access a cycle at
// most in each of its two threads: one posts buffers and kicks, the other reclaims used buffers,
// asleep until an interrupt.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "nicroscope/registers.h"
#include "tests/rtl/vq_memory.h"

namespace nicroscope::rtl_test {

inline constexpr std::uint16_t kAvail = 1U << 7;
inline constexpr std::uint16_t kUsed = 1U << 15;
inline constexpr std::uint16_t kNext = 1;
inline constexpr std::uint16_t kWrite = 2;
inline constexpr std::uint16_t kIndirect = 4;

struct Descriptor {
  std::uint64_t addr = 0;
  std::uint32_t len = 0;
  std::uint16_t id = 0;
  std::uint16_t flags = 0;
  bool operator==(const Descriptor&) const = default;
};
static_assert(sizeof(Descriptor) == 16);

enum class Events { kEnable, kEventIdx, kPoll };

struct DriverConfig {
  unsigned size = 64;
  std::uint64_t total = 0;  // buffers to post in all
  unsigned max_chain = 1;
  unsigned min_chain = 1;
  unsigned max_burst = 8;      // buffers before the driver looks whether it has to kick
  unsigned post_percent = 50;  // how often the posting thread moves
  unsigned reclaim_percent = 50;
  unsigned pause_percent = 0;  // how often it makes a long pause after a burst
  Cycle kick_delay = 20;       // the doorbell travels up to this long
  Events events = Events::kEnable;
  bool device_writes = false;
  bool control = false;      // a chain may end in descriptors that the device writes
  unsigned accesses = 1;     // of each thread in a cycle
  bool flags_first = false;  // later descriptors of a chain: flags in a store before the rest
};

class Driver {
 public:
  struct Buffer {
    std::uint16_t id = 0;
    unsigned slot = 0;
    std::vector<Descriptor> chain;
  };

  Driver(Memory& memory, Random& random, std::uint64_t ring, std::uint64_t driver_area,
         std::uint64_t device_area, DriverConfig config)
      : memory_(memory),
        random_(random),
        ring_(ring),
        driver_area_(driver_area),
        device_area_(device_area),
        config_(config),
        free_slots_(config.size) {
    reset();
  }

  // A ring as the driver sets it up before it enables the queue.
  void reset() {
    std::memset(memory_.at(ring_), 0, std::size_t{16} * config_.size);
    memory_.put<std::uint32_t>(device_area_, 0);
    memory_.put<std::uint32_t>(driver_area_, config_.events == Events::kPoll ? kDisable : kEnable);
    avail_ = used_ = {};
    free_slots_ = config_.size;
    free_ids_.clear();
    for (unsigned i = 0; i < config_.size; ++i) {
      free_ids_.push_back(static_cast<std::uint16_t>((i * 7919U + 13U) % 65536U));
    }
    outstanding_.clear();
    ops_.clear();
    kick_at_.reset();
    posted_ = reclaimed_ = 0;
    group_left_ = 0;
    asleep_ = config_.events != Events::kPoll;
    rearm_ = disable_ = irq_ = false;
    pause_until_ = 0;
    if (config_.events == Events::kEventIdx) {
      write_event();
    }
  }

  // One cycle. Returns true if the device is kicked in it.
  bool cycle(Cycle now) {
    for (unsigned i = 0; i < config_.accesses; ++i) {
      if (random_.chance(config_.post_percent) && now >= pause_until_) {
        post(now);
      }
      if (random_.chance(config_.reclaim_percent)) {
        reclaim();
      }
    }
    if (kick_at_ && *kick_at_ <= now) {
      kick_at_.reset();
      ++kicks;
      return true;
    }
    return false;
  }
  void interrupt() {
    ++interrupts;
    irq_ = true;
  }

  [[nodiscard]] bool finished() const {
    return posted_ == config_.total && reclaimed_ == config_.total && ops_.empty() && !kick_at_;
  }
  [[nodiscard]] bool settled() const {
    return finished() && !irq_ && (asleep_ || config_.events == Events::kPoll);
  }
  [[nodiscard]] std::uint64_t posted() const { return posted_; }
  [[nodiscard]] std::uint64_t reclaimed() const { return reclaimed_; }
  [[nodiscard]] std::uint64_t ring() const { return ring_; }
  [[nodiscard]] const DriverConfig& config() const { return config_; }
  void more(std::uint64_t buffers) { config_.total += buffers; }

  std::deque<Buffer> offered;   // in ring order; the device model takes them from here
  std::deque<unsigned> groups;  // sizes of the groups in which buffers come back
  std::uint64_t kicks = 0;
  std::uint64_t interrupts = 0;

 private:
  static constexpr std::uint32_t kEnable = 0;
  static constexpr std::uint32_t kDisable = 1U << 16;
  static constexpr std::uint32_t kDesc = 2U << 16;

  struct Position {
    unsigned slot = 0;
    bool wrap = true;
  };
  void advance(Position& position, unsigned count) const {
    position.slot += count;
    if (position.slot >= config_.size) {
      position.slot -= config_.size;
      position.wrap = !position.wrap;
    }
  }
  [[nodiscard]] std::uint64_t slot_addr(unsigned slot) const { return ring_ + 16ULL * slot; }

  void post(Cycle now) {
    if (!ops_.empty()) {
      auto op = std::move(ops_.front());
      ops_.pop_front();
      op(now);
      return;
    }
    const std::uint64_t burst = random_.in(1, config_.max_burst);
    std::uint64_t made = 0;
    while (made < burst && posted_ < config_.total && build()) {
      ++made;
    }
    if (made == 0) {
      return;
    }
    ops_.emplace_back([this](Cycle at) {
      if (memory_.get<std::uint16_t>(device_area_ + 2) == 0) {
        kick_at_ = at + random_.in(0, config_.kick_delay);
      }
      if (random_.chance(config_.pause_percent)) {
        pause_until_ = at + random_.in(1, 3000);
      }
    });
  }

  bool build() {
    const auto length = static_cast<unsigned>(
        random_.in(config_.min_chain, std::min<std::uint64_t>(config_.max_chain, config_.size)));
    if (length > free_slots_) {
      return false;
    }
    Buffer buffer;
    buffer.id = free_ids_.front();
    buffer.slot = avail_.slot;
    free_ids_.pop_front();
    Position at = avail_;
    const auto writable = config_.device_writes ? 0
                          : config_.control     ? random_.in(0, length)
                                                : length;
    std::function<void(Cycle)> head;
    for (unsigned i = 0; i < length; ++i) {
      Descriptor d;
      d.addr = random_.in(1, ~0ULL - 1);
      d.len = static_cast<std::uint32_t>(random_.chance(5) ? 65536 : random_.in(1, 9000));
      d.id = i + 1 == length ? buffer.id : static_cast<std::uint16_t>(random_.in(0, 65535));
      d.flags =
          static_cast<std::uint16_t>((at.wrap ? kAvail : kUsed) | (i + 1 == length ? 0 : kNext) |
                                     (i >= writable ? kWrite : 0));
      buffer.chain.push_back(d);
      const std::uint64_t addr = slot_addr(at.slot);
      auto whole = [this, addr, d](Cycle) { memory_.put(addr, d); };
      if (i == 0) {
        head = whole;
      } else if (config_.flags_first) {
        ops_.emplace_back([this, addr, d](Cycle) { memory_.put(addr + 14, d.flags); });
        ops_.emplace_back(whole);
      } else {
        ops_.emplace_back(whole);
      }
      advance(at, 1);
    }
    ops_.push_back(head);
    avail_ = at;
    free_slots_ -= length;
    ++posted_;
    outstanding_.push_back(buffer);
    offered.push_back(std::move(buffer));
    return true;
  }

  [[nodiscard]] bool is_used(Position at) const {
    const auto flags = memory_.get<std::uint16_t>(slot_addr(at.slot) + 14);
    return ((flags & kAvail) != 0) == at.wrap && ((flags & kUsed) != 0) == at.wrap;
  }

  // Asks for an interrupt: always, or once the buffers up to a slot in flight were returned.
  void write_event() {
    if (config_.events == Events::kEnable) {
      memory_.put<std::uint32_t>(driver_area_, kEnable);
      return;
    }
    Position event = used_;
    std::uint64_t ahead = outstanding_.empty() ? 0 : random_.in(0, outstanding_.size() - 1);
    for (std::size_t i = 0; i < ahead; ++i) {
      advance(event, static_cast<unsigned>(outstanding_[i].chain.size()));
    }
    memory_.put<std::uint32_t>(driver_area_, kDesc | (event.wrap ? 0x8000U : 0U) | event.slot);
    // With an event further on, the buffers before it are to be polled for now.
  }

  void reclaim() {
    if (asleep_) {
      if (irq_) {
        irq_ = asleep_ = false;
        disable_ = true;
      }
      return;
    }
    if (disable_) {
      disable_ = false;
      memory_.put<std::uint32_t>(driver_area_, kDisable);
      return;
    }
    if (!outstanding_.empty() && is_used(used_)) {
      if (rearm_) {
        rearm_ = false;
        disable_ = true;
      }
      consume();
      return;
    }
    if (config_.events == Events::kPoll) {
      return;
    }
    if (rearm_) {
      rearm_ = false;
      asleep_ = true;
      return;
    }
    irq_ = false;
    write_event();
    rearm_ = true;
  }

  void consume() {
    const Buffer buffer = outstanding_.front();
    const auto used = memory_.get<Descriptor>(slot_addr(used_.slot));
    ASSERT_EQ(used.id, buffer.id) << "buffer " << reclaimed_;
    ASSERT_EQ(used.len, used_length(reclaimed_)) << "buffer " << reclaimed_;
    ASSERT_EQ((used.flags & kWrite) != 0, used.len != 0);
    if (group_left_ == 0 && !groups.empty()) {
      group_left_ = groups.front();
      groups.pop_front();
      Position at = used_;
      for (unsigned i = 0; i < group_left_; ++i) {
        ASSERT_TRUE(is_used(at)) << "element " << i << " of a group of " << group_left_;
        advance(at, static_cast<unsigned>(outstanding_[i].chain.size()));
      }
    }
    group_left_ -= group_left_ == 0 ? 0 : 1;
    const auto length = static_cast<unsigned>(buffer.chain.size());
    outstanding_.pop_front();
    free_ids_.push_back(buffer.id);
    free_slots_ += length;
    advance(used_, length);
    ++reclaimed_;
  }

 public:
  // The length that the device model returns for a queue's n-th buffer.
  static std::uint32_t used_length(std::uint64_t n) {
    return static_cast<std::uint32_t>(n * 2654435761U % 9000U);
  }

 private:
  Memory& memory_;
  Random& random_;
  std::uint64_t ring_;
  std::uint64_t driver_area_;
  std::uint64_t device_area_;
  DriverConfig config_;
  Position avail_;
  Position used_;
  unsigned free_slots_;
  std::deque<std::uint16_t> free_ids_;
  std::deque<Buffer> outstanding_;
  std::deque<std::function<void(Cycle)>> ops_;
  std::optional<Cycle> kick_at_;
  std::uint64_t posted_ = 0;
  std::uint64_t reclaimed_ = 0;
  unsigned group_left_ = 0;
  bool asleep_ = true;
  bool rearm_ = false;    // events are on again, the re-check is due
  bool disable_ = false;  // events are to be switched off
  bool irq_ = false;
  Cycle pause_until_ = 0;
};

}  // namespace nicroscope::rtl_test
