// SPDX-License-Identifier: Apache-2.0
// Host memory behind the ports of virtqueues, as unkind as a bus may be: each beat of a read is
// sampled at a moment of its own between request and answer, in any order; each write becomes
// visible at a moment of its own between request and response, in any order.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <vector>

namespace nicroscope::rtl_test {

using Cycle = std::uint64_t;

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  // A number in [low, high].
  std::uint64_t in(std::uint64_t low, std::uint64_t high) {
    return low + engine_() % (high - low + 1);
  }
  bool chance(unsigned percent) { return engine_() % 100 < percent; }

 private:
  std::mt19937_64 engine_;
};

struct Timing {
  Cycle read_min = 1;
  Cycle read_max = 1;
  Cycle write_min = 1;
  Cycle write_max = 1;
  unsigned ready_percent = 100;  // how often a port takes a request
  bool scatter = false;          // beats and writes take effect at random moments
};

// Memory and the calendar of what will happen to it.
class Memory {
 public:
  static constexpr std::uint64_t kBase = 0x7'0000'0000;

  explicit Memory(std::size_t bytes) : bytes_(bytes) {}

  [[nodiscard]] bool mapped(std::uint64_t addr, std::size_t count) const {
    return addr >= kBase && addr - kBase + count <= bytes_.size();
  }
  template <class T>
  [[nodiscard]] T get(std::uint64_t addr) const {
    T value{};
    std::memcpy(&value, &bytes_.at(addr - kBase), sizeof value);
    return value;
  }
  template <class T>
  void put(std::uint64_t addr, T value) {
    std::memcpy(&bytes_.at(addr - kBase), &value, sizeof value);
  }
  std::uint8_t* at(std::uint64_t addr) { return &bytes_.at(addr - kBase); }

  void later(Cycle when, std::function<void()> action) {
    calendar_.emplace(when, std::move(action));
  }
  void run(Cycle now) {
    while (!calendar_.empty() && calendar_.begin()->first <= now) {
      auto action = std::move(calendar_.begin()->second);
      calendar_.erase(calendar_.begin());
      action();
    }
  }

 private:
  std::vector<std::uint8_t> bytes_;
  std::multimap<Cycle, std::function<void()>> calendar_;
};

// One read client: answers in the order of its requests.
class ReadPort {
 public:
  struct Beat {
    std::vector<std::uint8_t> data;
    bool last = false;
    bool error = false;
  };

  ReadPort(Memory& memory, Random& random, unsigned axi_bytes)
      : memory_(memory), random_(random), axi_bytes_(axi_bytes) {}

  void request(Cycle now, const Timing& timing, std::uint64_t addr, std::uint64_t bytes) {
    ++requests;
    const std::uint64_t first = addr / axi_bytes_ * axi_bytes_;
    const std::uint64_t end = addr + bytes;
    const Cycle answer = std::max(ready_, now + random_.in(timing.read_min, timing.read_max));
    ready_ = answer;
    for (std::uint64_t at = first; at < end; at += axi_bytes_) {
      auto beat = std::make_shared<Pending>();
      beat->when = answer;
      beat->beat.data.resize(axi_bytes_);
      beat->beat.last = at + axi_bytes_ >= end;
      beat->beat.error = !memory_.mapped(at, axi_bytes_) || (fault && fault(at));
      pending_.push_back(beat);
      if (!beat->beat.error) {
        const Cycle sample = timing.scatter ? random_.in(now + 1, answer) : answer;
        memory_.later(sample, [this, beat, at] {
          std::memcpy(beat->beat.data.data(), memory_.at(at), axi_bytes_);
        });
      }
    }
  }
  [[nodiscard]] bool ready(Cycle now) const {
    return !pending_.empty() && pending_.front()->when <= now;
  }
  [[nodiscard]] bool empty() const { return pending_.empty(); }
  Beat take() {
    Beat beat = std::move(pending_.front()->beat);
    pending_.pop_front();
    return beat;
  }

  std::uint64_t requests = 0;
  std::function<bool(std::uint64_t)> fault;  // addresses that answer with an error

 private:
  struct Pending {
    Cycle when = 0;
    Beat beat;
  };
  Memory& memory_;
  Random& random_;
  unsigned axi_bytes_;
  Cycle ready_ = 0;
  std::deque<std::shared_ptr<Pending>> pending_;
};

// One write client: responses in the order of its requests.
class WritePort {
 public:
  WritePort(Memory& memory, Random& random, unsigned axi_bytes)
      : memory_(memory), random_(random), axi_bytes_(axi_bytes) {}

  void request(Cycle now, const Timing& timing, std::uint64_t addr,
               const std::vector<std::uint8_t>& data, std::uint64_t strobes) {
    ++requests;
    EXPECT_EQ(addr % axi_bytes_, 0U) << "a write goes to a whole beat";
    const Cycle done = std::max(done_, now + random_.in(timing.write_min, timing.write_max));
    done_ = done;
    const bool error = !memory_.mapped(addr, axi_bytes_) || (fault && fault(addr));
    answers_.push_back({done, error});
    if (error) {
      return;
    }
    const Cycle effect = timing.scatter ? random_.in(now + 1, done) : done;
    memory_.later(effect, [this, addr, data, strobes] {
      for (unsigned i = 0; i < axi_bytes_; ++i) {
        if (((strobes >> i) & 1U) != 0) {
          *memory_.at(addr + i) = data[i];
        }
      }
    });
  }
  // The response of this cycle: nothing, success (false) or error (true). One a cycle.
  std::optional<bool> answer(Cycle now) {
    if (answers_.empty() || answers_.front().when > now) {
      return std::nullopt;
    }
    const bool error = answers_.front().error;
    answers_.pop_front();
    return error;
  }
  [[nodiscard]] bool empty() const { return answers_.empty(); }

  std::uint64_t requests = 0;
  std::function<bool(std::uint64_t)> fault;

 private:
  struct Answer {
    Cycle when;
    bool error;
  };
  Memory& memory_;
  Random& random_;
  unsigned axi_bytes_;
  Cycle done_ = 0;
  std::deque<Answer> answers_;
};

}  // namespace nicroscope::rtl_test
