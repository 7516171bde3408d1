// SPDX-License-Identifier: Apache-2.0
// A memory behind AXI4 for tests of single modules. It does whatever AXI4 allows: it waits, answers
// different IDs in any order, interleaves read data, samples a read and applies a write at any time
// before the answer, and takes write data ahead of its address.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <deque>
#include <map>
#include <random>
#include <vector>

namespace nicroscope::test {

// Bytes of a port of any width, lowest first.
template <class Port>
std::vector<uint8_t> port_bytes(const Port& port, size_t count) {
  std::vector<uint8_t> bytes(count);
  std::memcpy(bytes.data(), static_cast<const void*>(&port), count);
  return bytes;
}

template <class Port>
void set_port(Port& port, const uint8_t* bytes, size_t count) {
  std::memcpy(static_cast<void*>(&port), bytes, count);
}

// `size` bytes from `base` on. Each byte is closed or open to the device's writes; what is outside
// is an error on the bus.
class Memory {
 public:
  Memory(uint64_t base, size_t size) : base_(base), bytes_(size), open_(size) {}

  bool mapped(uint64_t addr) const { return addr >= base_ && addr - base_ < bytes_.size(); }
  uint8_t& at(uint64_t addr) { return bytes_.at(addr - base_); }
  void set_open(uint64_t addr, size_t count, bool open) {
    for (size_t i = 0; i < count; ++i) open_.at(addr - base_ + i) = open ? 1 : 0;
  }
  bool open(uint64_t addr) const { return mapped(addr) && open_.at(addr - base_) != 0; }
  uint64_t base() const { return base_; }
  size_t size() const { return bytes_.size(); }

 private:
  uint64_t base_;
  std::vector<uint8_t> bytes_;
  std::vector<uint8_t> open_;
};

// How the memory behaves; the defaults are a memory that is never in the way.
struct AxiTiming {
  unsigned min_latency = 4;    // cycles from the last beat of a request to the first of the answer
  unsigned max_latency = 4;    // the same, at most
  unsigned stall_percent = 0;  // of cycles in which a channel does nothing
  bool reorder = false;        // IDs overtake each other, read data interleaves
};

// The read channels.
template <class Model, unsigned Bytes>
class AxiReadMemory {
 public:
  AxiReadMemory(Memory& memory, AxiTiming timing, uint32_t seed)
      : memory_(memory), timing_(timing), random_(seed) {}

  uint64_t bursts() const { return bursts_; }
  size_t most_in_flight() const { return most_; }
  bool busy() const { return in_flight_ != 0; }

  // Inputs of the model for this cycle.
  void drive(Model& model, uint64_t cycle) {
    ready_ = !stall();
    model.m_axi_arready_i = ready_;
    model.m_axi_rvalid_i = 0;
    if (stall()) return;
    std::vector<unsigned> due;
    for (const auto& [id, queue] : queues_) {
      if (!queue.empty() && queue.front().due <= cycle) due.push_back(id);
    }
    if (due.empty()) return;
    unsigned id = due.front();
    if (timing_.reorder) {
      id = due[random_() % due.size()];
    } else {
      for (unsigned other : due) {
        if (queues_[other].front().number < queues_[id].front().number) id = other;
      }
    }
    Burst& burst = queues_[id].front();
    const uint64_t addr = (burst.addr / Bytes + burst.beat) * Bytes;
    std::vector<uint8_t> data(Bytes);
    bool error = false;
    for (unsigned i = 0; i < Bytes; ++i) {
      if (memory_.mapped(addr + i)) {
        data[i] = memory_.at(addr + i);
      } else {
        data[i] = static_cast<uint8_t>(random_());
        error = true;
      }
    }
    set_port(model.m_axi_rdata_i, data.data(), Bytes);
    model.m_axi_rid_i = static_cast<uint8_t>(id);
    model.m_axi_rresp_i = error ? 3 : 0;
    model.m_axi_rlast_i = burst.beat == burst.len;
    model.m_axi_rvalid_i = 1;
    if (burst.beat++ == burst.len) {
      queues_[id].pop_front();
      --in_flight_;
    }
  }

  // Outputs of the model in this cycle, before the clock edge.
  void sample(const Model& model, uint64_t cycle) {
    EXPECT_EQ(model.m_axi_rready_o, 1);
    if (!model.m_axi_arvalid_o || !ready_) return;
    Burst burst{.addr = model.m_axi_araddr_o,
                .len = model.m_axi_arlen_o,
                .beat = 0,
                .due = cycle + latency(),
                .number = bursts_++};
    EXPECT_EQ(1U << model.m_axi_arsize_o, Bytes);
    EXPECT_EQ(model.m_axi_arburst_o, 1);
    EXPECT_EQ(burst.addr / 4096, (burst.addr / Bytes * Bytes + burst.len * Bytes) / 4096);
    auto& queue = queues_[model.m_axi_arid_o];
    if (!queue.empty()) burst.due = std::max(burst.due, queue.back().due);
    queue.push_back(burst);
    most_ = std::max(most_, ++in_flight_);
  }

 private:
  struct Burst {
    uint64_t addr;
    unsigned len;
    unsigned beat;
    uint64_t due;
    uint64_t number;
  };

  bool stall() { return random_() % 100 < timing_.stall_percent; }
  unsigned latency() {
    return timing_.min_latency +
           static_cast<unsigned>(random_() % (timing_.max_latency - timing_.min_latency + 1));
  }

  Memory& memory_;
  AxiTiming timing_;
  std::mt19937 random_;
  std::map<unsigned, std::deque<Burst>> queues_;
  uint64_t bursts_ = 0;
  size_t in_flight_ = 0;
  size_t most_ = 0;
  bool ready_ = false;
};

// The write channels. A byte that is not open is an error of the test; one that is not mapped is
// answered with DECERR.
template <class Model, unsigned Bytes>
class AxiWriteMemory {
 public:
  AxiWriteMemory(Memory& memory, AxiTiming timing, uint32_t seed)
      : memory_(memory), timing_(timing), random_(seed) {}

  uint64_t beats() const { return beats_; }
  bool busy() const { return !addresses_.empty() || !data_.empty() || in_flight_ != 0; }

  void drive(Model& model, uint64_t cycle) {
    aw_ready_ = !stall();
    w_ready_ = !stall();
    model.m_axi_awready_i = aw_ready_;
    model.m_axi_wready_i = w_ready_;
    model.m_axi_bvalid_i = 0;
    for (auto& [id, queue] : queues_) {  // each applied some time before its answer
      for (Burst& burst : queue) {
        if (burst.applied) continue;
        if (burst.due > cycle && random_() % 16 != 0) break;
        apply(burst);
      }
    }
    if (stall()) return;
    std::vector<unsigned> due;
    for (const auto& [id, queue] : queues_) {
      if (!queue.empty() && queue.front().due <= cycle) due.push_back(id);
    }
    if (due.empty()) return;
    const unsigned id = due[timing_.reorder ? random_() % due.size() : 0];
    model.m_axi_bid_i = static_cast<uint8_t>(id);
    model.m_axi_bresp_i = queues_[id].front().error ? 3 : 0;
    model.m_axi_bvalid_i = 1;
    queues_[id].pop_front();
    --in_flight_;
  }

  void sample(const Model& model, uint64_t cycle) {
    EXPECT_EQ(model.m_axi_bready_o, 1);
    if (model.m_axi_awvalid_o && aw_ready_) {
      Burst burst{.id = model.m_axi_awid_o,
                  .addr = model.m_axi_awaddr_o,
                  .len = model.m_axi_awlen_o,
                  .due = 0,
                  .applied = false,
                  .error = false,
                  .beats = {}};
      EXPECT_EQ(1U << model.m_axi_awsize_o, Bytes);
      EXPECT_EQ(model.m_axi_awburst_o, 1);
      EXPECT_EQ(burst.addr / 4096, (burst.addr / Bytes * Bytes + burst.len * Bytes) / 4096);
      addresses_.push_back(burst);
    }
    if (model.m_axi_wvalid_o && w_ready_) {
      ++beats_;
      data_.push_back({.data = port_bytes(model.m_axi_wdata_o, Bytes),
                       .strb = port_bytes(model.m_axi_wstrb_o, Bytes / 8),
                       .last = model.m_axi_wlast_o != 0});
    }
    while (!addresses_.empty() && !data_.empty()) {
      Burst& burst = addresses_.front();
      EXPECT_EQ(data_.front().last, burst.beats.size() == burst.len);
      burst.beats.push_back(data_.front());
      data_.pop_front();
      if (burst.beats.size() <= burst.len) continue;
      burst.due =
          cycle + timing_.min_latency +
          static_cast<unsigned>(random_() % (timing_.max_latency - timing_.min_latency + 1));
      auto& queue = queues_[burst.id];
      if (!queue.empty()) burst.due = std::max(burst.due, queue.back().due);
      queue.push_back(burst);
      ++in_flight_;
      addresses_.pop_front();
    }
  }

 private:
  struct Beat {
    std::vector<uint8_t> data;
    std::vector<uint8_t> strb;
    bool last;
  };
  struct Burst {
    unsigned id;
    uint64_t addr;
    unsigned len;
    uint64_t due;
    bool applied;
    bool error;
    std::vector<Beat> beats;
  };

  bool stall() { return random_() % 100 < timing_.stall_percent; }

  void apply(Burst& burst) {
    burst.applied = true;
    uint64_t addr = burst.addr / Bytes * Bytes;
    for (const Beat& beat : burst.beats) {
      for (unsigned i = 0; i < Bytes; ++i, ++addr) {
        if (((beat.strb[i / 8] >> (i % 8)) & 1) == 0) continue;
        EXPECT_GE(addr, burst.addr) << "a strobe in front of the burst's address";
        if (!memory_.mapped(addr)) {
          burst.error = true;
          continue;
        }
        EXPECT_TRUE(memory_.open(addr)) << std::hex << addr << " is not the device's to write";
        memory_.at(addr) = beat.data[i];
      }
    }
  }

  Memory& memory_;
  AxiTiming timing_;
  std::mt19937 random_;
  std::deque<Burst> addresses_;
  std::deque<Beat> data_;
  std::map<unsigned, std::deque<Burst>> queues_;
  size_t in_flight_ = 0;
  uint64_t beats_ = 0;
  bool aw_ready_ = false;
  bool w_ready_ = false;
};

}  // namespace nicroscope::test
