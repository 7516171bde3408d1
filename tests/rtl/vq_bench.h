// SPDX-License-Identifier: Apache-2.0
// virtqueues (in vq_harness.sv) between a driver of each queue and the three clients that take
// descriptors and return buffers. Queues go by their virtqueue index. Every cycle in which the
// module says that it is idle and nothing comes in, the clock edge is checked to change not one bit
// of its state.
#pragma once

#include <gtest/gtest.h>
#include <verilated.h>

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/rtl/vq_driver.h"
#include "tests/rtl/vq_memory.h"

namespace nicroscope::rtl_test {

struct ClientConfig {
  unsigned pop_percent = 100;  // how often the client takes a descriptor that is there
  Cycle work_min = 0;          // from the last descriptor of a chain to its used element
  Cycle work_max = 0;
  unsigned used_percent = 100;  // how often it has a used element to give when one is due
  unsigned max_group = 1;       // buffers in a group of used elements
};

template <class Model, unsigned kAxiBytes, unsigned kPairs>
class Bench {
 public:
  static constexpr unsigned kQueues = 2 * kPairs + 1;
  static constexpr unsigned kControl = 2 * kPairs;
  // The client of a queue: 0 receive, 1 transmit, 2 control.
  static constexpr unsigned side(unsigned queue) { return queue == kControl ? 2 : queue % 2; }

  struct Error {
    std::uint64_t addr = 0;
    unsigned index = 0;
    unsigned queue = 0;
    unsigned code = 0;
  };

  explicit Bench(std::uint64_t seed)
      : random(seed),
        memory(std::size_t{kQueues + 2} << 16),
        descriptors(memory, random, kAxiBytes),
        events(memory, random, kAxiBytes),
        rx_used(memory, random, kAxiBytes),
        tx_used(memory, random, kAxiBytes),
        device_events(memory, random, kAxiBytes) {
    context_.randReset(2);
    context_.randSeed(static_cast<int>(seed % 0x7fffffff + 1));
    model_ = std::make_unique<Model>(&context_);
    reset();
  }
  ~Bench() { model_->final(); }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  static std::uint64_t ring_addr(unsigned queue) {
    // Not aligned to more than the specification asks for.
    return Memory::kBase + 0x1'0000ULL * (queue + 1) + 0x10ULL * (5 * queue + 1);
  }
  static std::uint64_t driver_addr(unsigned queue) { return Memory::kBase + 0x404 + 0x20 * queue; }
  static std::uint64_t device_addr(unsigned queue) { return Memory::kBase + 0x8018 + 0x24 * queue; }

  void reset() {
    quiet_inputs();
    model_->rst_i = 1;
    for (int i = 0; i < 3; ++i) {
      edge();
    }
    model_->rst_i = 0;
    for (auto& queue : queues) {
      queue = Queue{};
    }
  }

  // Enables a queue with the driver's model behind it.
  Driver& add_driver(unsigned queue, const DriverConfig& config) {
    drivers[queue] = std::make_unique<Driver>(memory, random, ring_addr(queue), driver_addr(queue),
                                              device_addr(queue), config);
    enable(queue, config.size);
    return *drivers[queue];
  }
  // Starts a queue's ring again from nothing.
  void restart(unsigned queue) {
    drivers[queue]->reset();
    drivers[queue]->offered.clear();
    drivers[queue]->groups.clear();
    queues[queue] = Queue{};
    enable(queue, drivers[queue]->config().size);
  }
  // Resets a queue while the others go on; its driver stops first, as the specification demands.
  void reset_queue(unsigned queue) {
    auto driver = std::move(drivers[queue]);
    resetting_ = queue;
    bool done = false;
    for (int i = 0; i < 50000 && !done; ++i) {
      model_->qrst_valid_i = 1;
      set(model_->qrst_queue_i, queue);
      cycle([&] { done = model_->qrst_ready_o; });
    }
    model_->qrst_valid_i = 0;
    model_->qrst_quiet_i = 0;
    resetting_.reset();
    ASSERT_TRUE(done) << "the queue is not reset";
    drivers[queue] = std::move(driver);
  }
  // Moderation of a queue, from the next cycle on.
  void moderate(unsigned queue, unsigned packets, unsigned cycles) {
    model_->set_valid_i = 1;
    set(model_->set_queue_i, queue);
    set(model_->set_packets_i, packets);
    set(model_->set_cycles_i, cycles);
    cycle();
    model_->set_valid_i = 0;
  }
  void enable(unsigned queue, unsigned size) {
    bool done = false;
    for (int i = 0; i < 50000 && !done; ++i) {
      model_->en_valid_i = 1;
      set(model_->en_queue_i, queue);
      model_->en_desc_i = ring_addr(queue);
      model_->en_driver_i = driver_addr(queue);
      model_->en_device_i = device_addr(queue);
      set(model_->en_size_i, size);
      cycle([&] { done = model_->en_ready_o; });
      model_->en_valid_i = 0;
    }
    ASSERT_TRUE(done) << "the engine does not take a queue";
  }

  void kick(unsigned queue) { kicks_.push_back(queue); }

  void cycle() {
    cycle([] {});
  }

  // One clock cycle; `look` is called when the outputs stand, before the edge.
  template <class Look>
  void cycle(Look look) {
    memory.run(now);
    drive_answers();
    drive_ready();
    drive_client();
    drive_kick();
    model_->stop_i = stop;
    model_->now_i = now;
    model_->event_idx_i = event_idx;
    model_->clk_i = 0;
    model_->eval();
    look();
    sample();
    edge_checked();
    ++now;
    if (on_cycle) {
      on_cycle();
    }
  }

  // Runs until everything posted has come back and the engine is idle.
  void run_to_end(Cycle limit) {
    const Cycle end = now + limit;
    while (now < end && !::testing::Test::HasFatalFailure()) {
      cycle();
      bool done = model_->idle_o;
      for (const auto& driver : drivers) {
        done = done && (!driver || driver->settled());
      }
      if (done) {
        return;
      }
      if (model_->err_valid_o) {
        const Error e = error();
        FAIL() << "error " << e.code << " queue " << e.queue << " index " << e.index;
      }
    }
    for (unsigned q = 0; q < kQueues; ++q) {
      if (drivers[q]) {
        ADD_FAILURE() << "queue " << q << ": " << drivers[q]->posted() << " posted, "
                      << queues[q].popped << " taken, " << drivers[q]->reclaimed() << " of "
                      << drivers[q]->config().total << " returned, idle " << int(model_->idle_o);
      }
    }
  }
  void run(Cycle cycles) {
    for (Cycle i = 0; i < cycles; ++i) {
      cycle();
    }
  }

  [[nodiscard]] Error error() const {
    const auto& e = model_->err_o;
    return {std::uint64_t{e[1]} << 32 | e[0], e[2] & 0xffff, e[2] >> 16, e[3] & 0xff};
  }
  Model& model() { return *model_; }

  Random random;
  Memory memory;
  ReadPort descriptors;
  ReadPort events;
  WritePort rx_used;
  WritePort tx_used;
  WritePort device_events;
  Timing timing;
  ClientConfig client;
  bool stop = false;
  bool event_idx = false;
  bool check_idle = true;
  Cycle now = 0;
  Cycle idle_edges = 0;
  std::array<std::unique_ptr<Driver>, kQueues> drivers;
  std::function<void()> on_cycle;
  std::vector<Descriptor> raw;  // descriptors popped from queues without a driver model
  std::uint64_t visible = 0;    // trace pulses
  std::uint64_t issued = 0;
  std::uint64_t popped = 0;  // descriptors

 private:
  struct Ready {
    std::uint16_t id = 0;
    unsigned slots = 0;
    Cycle when = 0;
  };
  struct Queue {
    std::vector<Descriptor> chain;  // descriptors of the chain in hand
    std::deque<Ready> ready;        // buffers to return
    std::uint64_t popped = 0;       // buffers taken
    std::uint64_t returned = 0;
    unsigned slot = 0;  // where the next descriptor must come from
  };

  template <class Port>
  static void set(Port& port, unsigned value) {
    port = static_cast<Port>(value);
  }
  void quiet_inputs() {
    auto& m = *model_;
    m.clk_i = 0;
    m.stop_i = 0;
    m.en_valid_i = m.kick_valid_i = m.pop_valid_i = m.used_valid_i = 0;
    m.qrst_valid_i = m.qrst_quiet_i = m.set_valid_i = 0;
    m.irq_ready_i = m.rd_ready_i = m.rsp_valid_i = m.sw_ready_i = m.sw_done_i = 0;
  }
  void edge() {
    model_->clk_i = 0;
    model_->eval();
    model_->clk_i = 1;
    model_->eval();
  }

  // The edge of a cycle. An idle engine without input must come out of it as it went in.
  void edge_checked() {
    auto& m = *model_;
    const bool still = check_idle && m.idle_o && !m.kick_valid_i && !m.pop_valid_i &&
                       !m.used_valid_i && !m.en_valid_i && !m.qrst_valid_i && !m.set_valid_i;
    if (!still) {
      m.clk_i = 1;
      m.eval();
      return;
    }
    // Settle once with the clock high and low, so that only state can make a difference.
    const auto& root = *m.rootp;
    std::vector<std::uint8_t> before(sizeof root);
    std::vector<std::uint8_t> after(sizeof root);
    std::memcpy(before.data(), &root, sizeof root);
    m.clk_i = 1;
    m.eval();
    m.clk_i = 0;
    m.eval();
    std::memcpy(after.data(), &root, sizeof root);
    EXPECT_TRUE(before == after) << "an idle engine changed state at cycle " << now;
    ++idle_edges;
  }

  void drive_answers() {
    auto& m = *model_;
    m.rsp_valid_i = 0;
    const bool first = descriptors.ready(now);
    const bool second = events.ready(now) && !in_burst_;
    if (first || second) {
      const bool use_first = first && (!second || in_burst_ || random.chance(50));
      const ReadPort::Beat beat = (use_first ? descriptors : events).take();
      m.rsp_valid_i = use_first ? 1 : 2;
      in_burst_ = use_first && !beat.last && !timing.scatter;
      for (unsigned i = 0; i < kAxiBytes / 4; ++i) {
        std::memcpy(&m.rsp_data_i[i], beat.data.data() + 4 * i, 4);
      }
      m.rsp_last_i = beat.last;
      m.rsp_error_i = beat.error;
    }
    m.sw_done_i = m.sw_error_i = 0;
    unsigned bit = 0;
    for (WritePort* port : {&rx_used, &tx_used, &device_events}) {
      if (const auto answer = port->answer(now)) {
        m.sw_done_i = static_cast<std::uint8_t>(m.sw_done_i | 1U << bit);
        m.sw_error_i = static_cast<std::uint8_t>(m.sw_error_i | unsigned{*answer} << bit);
      }
      ++bit;
    }
  }

  unsigned some(unsigned bits) {
    unsigned ready = 0;
    for (unsigned i = 0; i < bits; ++i) {
      ready |= unsigned{random.chance(timing.ready_percent)} << i;
    }
    return ready;
  }
  void drive_ready() {
    auto& m = *model_;
    set(m.rd_ready_i, some(2));
    set(m.sw_ready_i, some(3));
    m.irq_ready_i = random.chance(timing.ready_percent);
  }

  void drive_kick() {
    model_->kick_valid_i = 0;
    for (unsigned i = 0; i < kQueues; ++i) {
      const unsigned q = (i + kick_turn_) % kQueues;
      if (drivers[q] && drivers[q]->cycle(now)) {
        kicks_.push_back(q);
      }
    }
    ++kick_turn_;
    // The register port takes some cycles for each.
    if (!kicks_.empty() && now >= next_kick_) {
      model_->kick_valid_i = 1;
      set(model_->kick_queue_i, kicks_.front());
      kicks_.pop_front();
      next_kick_ = now + 3;
    }
  }

  [[nodiscard]] bool available(unsigned queue) const {
    if constexpr (kQueues <= 64) {
      return ((std::uint64_t{model_->avail_o} >> queue) & 1U) != 0;
    } else {
      return ((model_->avail_o[queue / 32] >> queue % 32) & 1U) != 0;
    }
  }

  void drive_client() {
    auto& m = *model_;
    m.pop_valid_i = 0;
    m.pop_queue_i = 0;
    m.used_valid_i = 0;
    m.used_queue_i = 0;
    m.used_tag_i = 0;
    if (resetting_) {
      m.qrst_quiet_i = !in_hand();
      if (m.qrst_quiet_i) queues[*resetting_] = Queue{};
    }
    m.eval();  // avail_o falls at once when a queue is enabled or reset
    for (unsigned s = 0; s < 3; ++s) {
      if (random.chance(client.pop_percent)) {
        drive_pop(s);
      }
      auto& elements = elements_[s];
      if (elements.empty() && random.chance(client.used_percent)) {
        choose_used(s);
      }
      if (!elements.empty()) {
        const Element& e = elements.front();
        m.used_valid_i = static_cast<std::uint8_t>(m.used_valid_i | 1U << s);
        if (s < 2) {
          m.used_queue_i |= e.queue << 16 * s;
          m.used_tag_i |= std::uint64_t{++tag_ & 0x7fffffff} << 32 * s;
        }
        m.used_i[3 * s] = e.len;
        m.used_i[3 * s + 1] = std::uint32_t{e.id} | e.slots << 16;
        m.used_i[3 * s + 2] = (e.first ? 1U : 0U) | (e.last ? 2U : 0U);
      }
    }
  }

  // Whether clients have something of the queue that is being reset, or half a chain of another
  // one, which they take to its end first.
  [[nodiscard]] bool in_hand() const {
    bool some = false;
    for (unsigned s = 0; s < 3; ++s) some = some || popping_[s].has_value();
    for (unsigned q = 0; q < kQueues; ++q) {
      some = some || (q != *resetting_ && !queues[q].chain.empty());
    }
    for (const Element& e : elements_[side(*resetting_)]) some = some || e.queue == *resetting_;
    return some;
  }

  // While a queue is reset no chain is begun.
  [[nodiscard]] bool may_take(unsigned queue) const {
    if (!available(queue)) return false;
    return !resetting_ ||
           (queue != *resetting_ && !queues[queue].chain.empty() && !popping_[side(queue)]);
  }

  // Takes a descriptor of some queue of a side. Control and transmit share a port.
  void drive_pop(unsigned s) {
    auto& m = *model_;
    if (s == 2) {
      if (may_take(kControl) && (m.pop_valid_i & 2U) == 0) {
        m.pop_valid_i = static_cast<std::uint8_t>(m.pop_valid_i | 4U);
        pop_queue_[2] = kControl;
      }
      return;
    }
    const auto start = static_cast<unsigned>(random.in(0, kPairs - 1));
    for (unsigned i = 0; i < kPairs; ++i) {
      const unsigned q = 2 * ((start + i) % kPairs) + s;
      if (may_take(q)) {
        m.pop_valid_i = static_cast<std::uint8_t>(m.pop_valid_i | 1U << s);
        m.pop_queue_i |= q << 16 * s;
        pop_queue_[s] = q;
        return;
      }
    }
  }

  // Picks the next group of buffers to return: of one queue, oldest first.
  void choose_used(unsigned s) {
    const unsigned start = static_cast<unsigned>(random.in(0, kQueues - 1));
    for (unsigned i = 0; i < kQueues; ++i) {
      const unsigned q = (start + i) % kQueues;
      if (side(q) != s) {
        continue;
      }
      Queue& queue = queues[q];
      const auto wish = static_cast<unsigned>(s == 0 ? random.in(1, client.max_group) : 1);
      unsigned size = 0;
      while (size < wish && size < queue.ready.size() && queue.ready[size].when <= now) {
        ++size;
      }
      if (size == 0) {
        continue;
      }
      for (unsigned k = 0; k < size; ++k) {
        const Ready& r = queue.ready.front();
        elements_[s].push_back(
            {q, r.id, r.slots, Driver::used_length(queue.returned), k == 0, k + 1 == size});
        queue.ready.pop_front();
        ++queue.returned;
      }
      if (drivers[q] && s == 0 && client.max_group > 1) {
        drivers[q]->groups.push_back(size);
      }
      return;
    }
  }

  void sample() {
    auto& m = *model_;
    for (unsigned s = 0; s < 3; ++s) {
      const bool valid = ((m.desc_valid_o >> s) & 1U) != 0;
      EXPECT_EQ(valid, popping_[s].has_value()) << "a descriptor comes one cycle after its pop";
      if (valid && popping_[s]) {
        ++popped;
        take_descriptor(s, *popping_[s]);
      }
      popping_[s].reset();
      if (((m.pop_valid_i >> s) & 1U) != 0) {
        popping_[s] = pop_queue_[s];
      }
      if (((m.used_valid_i & m.used_ready_o) >> s & 1U) != 0) {
        elements_[s].pop_front();
      }
    }
    if ((m.rd_valid_o & m.rd_ready_i & 1U) != 0) {
      descriptors.request(now, timing, address(m.rd_addr_o, 0), m.rd_bytes_o & 0xffffffffU);
    }
    if ((m.rd_valid_o & m.rd_ready_i & 2U) != 0) {
      EXPECT_EQ(m.rd_bytes_o >> 32, 4U);
      events.request(now, timing, address(m.rd_addr_o, 1), 4);
    }
    unsigned port = 0;
    for (WritePort* write : {&rx_used, &tx_used, &device_events}) {
      if (((m.sw_valid_o & m.sw_ready_i) >> port & 1U) != 0) {
        write->request(now, timing, address(m.sw_addr_o, port), beat(m.sw_data_o, port),
                       strobes(port));
      }
      ++port;
    }
    if (m.irq_valid_o && m.irq_ready_i && drivers[m.irq_queue_o]) {
      drivers[m.irq_queue_o]->interrupt();
    }
    visible += (m.trace_visible_valid_o & 1U) + (m.trace_visible_valid_o >> 1);
    issued += (m.trace_used_valid_o & 1U) + (m.trace_used_valid_o >> 1);
    if (m.quiet_o) {
      EXPECT_TRUE(descriptors.empty() && events.empty() && rx_used.empty() && tx_used.empty() &&
                  device_events.empty())
          << "quiet with transactions under way at cycle " << now;
    }
  }

  template <class Wide>
  static std::uint64_t address(const Wide& wide, unsigned port) {
    return std::uint64_t{wide[2 * port + 1]} << 32 | wide[2 * port];
  }
  [[nodiscard]] std::uint64_t strobes(unsigned port) const {
    if constexpr (kAxiBytes * 3 <= 64) {
      return model_->sw_strb_o >> port * kAxiBytes & ((1ULL << kAxiBytes) - 1);
    } else {
      std::uint64_t bits = 0;
      for (unsigned i = 0; i < kAxiBytes; ++i) {
        const unsigned at = port * kAxiBytes + i;
        bits |= std::uint64_t{model_->sw_strb_o[at / 32] >> at % 32 & 1U} << i;
      }
      return bits;
    }
  }
  template <class Wide>
  static std::vector<std::uint8_t> beat(const Wide& wide, unsigned port) {
    std::vector<std::uint8_t> bytes(kAxiBytes);
    for (unsigned i = 0; i < kAxiBytes / 4; ++i) {
      std::memcpy(bytes.data() + 4 * i, &wide[port * kAxiBytes / 4 + i], 4);
    }
    return bytes;
  }

  void take_descriptor(unsigned s, unsigned q) {
    if (resetting_ == q) {
      return;
    }
    Queue& queue = queues[q];
    const auto& m = *model_;
    const auto* words = &m.desc_o[4 * s];
    Descriptor d;
    d.addr = std::uint64_t{words[1]} << 32 | words[0];
    d.len = words[2];
    d.id = static_cast<std::uint16_t>(words[3]);
    d.flags = static_cast<std::uint16_t>(words[3] >> 16);
    queue.chain.push_back(d);
    if (!drivers[q]) {
      raw.push_back(d);
      return;
    }
    EXPECT_EQ(m.desc_index_o[s], queue.slot);
    queue.slot = (queue.slot + 1) % drivers[q]->config().size;
    if ((d.flags & kNext) != 0) {
      return;
    }
    auto& offered = drivers[q]->offered;
    ASSERT_FALSE(offered.empty());
    ASSERT_EQ(queue.chain, offered.front().chain) << "queue " << q << " buffer " << queue.popped;
    offered.pop_front();
    queue.ready.push_back({d.id, static_cast<unsigned>(queue.chain.size()),
                           now + random.in(client.work_min, client.work_max)});
    queue.chain.clear();
    ++queue.popped;
  }

  struct Element {
    unsigned queue;
    std::uint16_t id;
    unsigned slots;
    std::uint32_t len;
    bool first;
    bool last;
  };

  VerilatedContext context_;
  std::unique_ptr<Model> model_;
  std::array<Queue, kQueues> queues;
  std::array<std::deque<Element>, 3> elements_;
  std::deque<unsigned> kicks_;
  unsigned kick_turn_ = 0;
  std::uint64_t tag_ = 0;
  std::array<std::optional<unsigned>, 3> popping_;  // queues that were popped in the cycle before
  std::array<unsigned, 3> pop_queue_{};
  std::optional<unsigned> resetting_;
  Cycle next_kick_ = 0;
  bool in_burst_ = false;
};

}  // namespace nicroscope::rtl_test
