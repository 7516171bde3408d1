// SPDX-License-Identifier: Apache-2.0
#pragma once

// rx_lro and rx_join between models of what is around them: frames with what the parser and the
// classifier say of them, the receive store, the queues and the reader of the words. What comes
// out is judged by tests/golden (gro.h); on demand it has to be exactly what GRO would have made.

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "Vrx_lro_harness.h"
#include "sim/base/random.h"
#include "tests/golden/frame_builder.h"
#include "tests/golden/gro.h"
#include "tests/golden/parse.h"
#include "verilated.h"

namespace nicroscope::test {

struct LroConfig {
  std::uint64_t seed = 1;
  unsigned head_gap = 0;     ///< percent of cycles in which no new frame comes to the head
  unsigned frame_stall = 0;  ///< percent, of what comes out of rx_lro
  unsigned job_stall = 0;    ///< of the start of a job
  unsigned read_stall = 0;   ///< of requests
  unsigned word_stall = 0;   ///< of words from the store
  unsigned out_stall = 0;    ///< of words to the reader
  unsigned free_stall = 0;   ///< of slots given back
  unsigned hurry = 0;        ///< percent of blocks of 64 cycles
  unsigned flush = 0;        ///< percent of blocks of 16 cycles
  unsigned pressure = 0;     ///< percent of blocks of 256 cycles
  unsigned drop = 0;         ///< percent of jobs that are given up
  unsigned unwanted = 0;     ///< percent of frames that the classifier drops
  std::uint32_t keys = ~0U;  ///< bits of the flow's hash that are used
  bool exact = false;        ///< time stands still, and GRO's own decisions are asked for
  bool skip_idle = false;    ///< no clock edges while nothing can happen
};

class LroBench {
 public:
  static constexpr unsigned kAxi = sizeof(Vrx_lro_harness::out_data_o);
  static constexpr unsigned kSlots = 512;
  static constexpr unsigned kFlows = 16;
  static constexpr std::uint64_t kLroCycles = 5000;
  static constexpr unsigned kQueues = 4;

  explicit LroBench(const LroConfig& config);
  ~LroBench() { top_->final(); }
  LroBench(const LroBench&) = delete;
  LroBench& operator=(const LroBench&) = delete;

  /// A frame comes to the head of the path, not before cycle `at`.
  void send(const golden::Bytes& frame, std::uint64_t at = 0);
  void send(const golden::Recipe& recipe, std::uint64_t at = 0) { send(build(recipe), at); }

  /// Runs until all that was sent has come out, flows included.
  void drain();
  /// Runs so many cycles.
  void run(std::uint64_t cycles);
  void cycle();
  /// Forgets everything.
  void reset();

  Vrx_lro_harness& top() { return *top_; }
  sim::Random& random() { return random_; }
  std::uint64_t now() const { return now_; }
  std::uint64_t tick() const { return tick_; }
  /// Frames that came out of rx_lro, with the number of frames in each, in order.
  const std::vector<unsigned>& counts() const { return counts_; }
  std::uint64_t merged() const { return merged_; }
  std::uint64_t delivered() const { return delivered_; }
  std::uint64_t words() const { return words_; }
  std::uint64_t skipped() const { return skipped_; }
  std::uint64_t taken() const { return taken_; }
  std::uint64_t last_taken() const { return last_taken_; }
  std::uint64_t last_out() const { return last_out_; }
  std::uint64_t longest_stay() const { return longest_stay_; }
  /// From now on the store is short of room.
  void set_pressure(bool on) { pressure_ = on; }
  /// From now on there is a backlog.
  void set_hurry(bool on) { hurry_ = on; }
  bool jobs_wait = false;  ///< the queues give nothing to rx_join
  /// Everything that was seen, with its time.
  const std::vector<std::string>& events() const { return events_; }

 private:
  struct Frame {
    golden::Bytes bytes;
    golden::ParsedFrame parsed;
    std::uint64_t at = 0;
    std::uint32_t hash = 0;
    std::uint16_t symmetric = 0;
    std::uint32_t tag = 0;
    unsigned slot = 0;
    unsigned queue = 0;
    bool unwanted = false;
    bool lro = false;
    std::uint64_t taken = 0;
  };
  struct Slot {
    bool held = false;
    bool given_up = false;
    Frame frame;
    std::size_t words_read = 0;
  };
  struct Job {
    VlWide<6> bits{};
    unsigned len = 0;
    unsigned count = 0;
    bool gso = false;
    bool ip6 = false;
    unsigned gso_size = 0;
    unsigned csum_start = 0;
    unsigned hdr_len = 0;
    bool drop = false;
    std::vector<unsigned> slots;  ///< filled by the requests
  };
  struct Request {
    unsigned slot = 0;
    unsigned first = 0;
    unsigned words = 0;
  };
  struct Held {  ///< a flow, as GRO has it
    std::uint32_t key = 0;
    std::vector<golden::ParsedFrame> parsed;
    std::vector<golden::Bytes> bytes;
    std::vector<std::uint32_t> tags;
  };

  bool chance(unsigned percent, unsigned what, std::uint64_t block = 1) const;
  void edge();
  void drive();
  void drive_head();
  void head_came();
  void sample();
  void head_taken();
  void frame_out();
  void request();
  void word_out();
  void job_done();
  void free_slot(unsigned slot, bool dropped);
  bool quiet() const;
  void expect_taken(const Frame& frame);
  void expect_flush(std::size_t flow);
  void compare();
  void event(const char* what, std::uint64_t value);

  LroConfig config_;
  sim::Random random_;
  VerilatedContext context_;
  std::unique_ptr<Vrx_lro_harness> top_;
  golden::GroChecker checker_;

  std::uint64_t now_ = 1000;
  std::uint64_t tick_ = 0;  ///< cycles; time may stand still or be skipped
  std::uint64_t skipped_ = 0;
  std::uint32_t next_tag_ = 1;
  std::deque<Frame> coming_;
  bool head_ = false;  ///< coming_.front() stands at the head
  std::uint64_t head_since_ = 0;
  bool head_whole_ = false;  ///< its record is there
  unsigned hdr_addr_ = 0;
  std::array<Slot, kSlots> slots_;
  unsigned next_slot_ = 0;
  unsigned oldest_slot_ = 0;
  unsigned slots_used_ = 0;  ///< from the oldest on
  std::array<std::deque<Job>, kQueues> queues_;
  std::deque<Job> jobs_;  ///< being read; the first may be on job_*
  std::deque<Request> reads_;
  bool pressure_ = false;
  bool hurry_ = false;
  bool job_on_ = false;
  bool word_on_ = false;
  std::uint64_t read_at_ = 0;
  golden::Bytes out_;
  bool was_frame_ = false, was_out_ = false, was_free_ = false;
  std::uint32_t was_tag_ = 0;
  std::vector<std::uint8_t> was_data_;

  std::vector<Held> held_;
  std::deque<std::vector<std::uint32_t>> expected_;       ///< tags of the frames in each
  std::deque<std::pair<std::uint32_t, unsigned>> found_;  ///< first tag, number

  std::vector<unsigned> counts_;
  std::uint64_t merged_ = 0, pulses_ = 0, delivered_ = 0, words_ = 0, taken_ = 0;
  std::uint64_t last_taken_ = 0, last_out_ = 0, longest_stay_ = 0;
  std::vector<std::string> events_;
};

}  // namespace nicroscope::test
