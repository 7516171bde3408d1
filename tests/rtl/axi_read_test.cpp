// SPDX-License-Identifier: Apache-2.0
// The AXI4 read engine: every byte asked for comes to who asked, in order, whatever the memory
// does.
#include <gtest/gtest.h>

#include <bit>
#include <deque>
#include <memory>
#include <random>

#include "Vaxi_read.h"
#include "tests/rtl/support/axi_memory.h"
#include "verilated.h"

namespace nicroscope::test {
namespace {

constexpr unsigned kBytes = sizeof(Vaxi_read::m_axi_rdata_i);
constexpr unsigned kClients = 5;
constexpr unsigned kLenWidth = 17;
constexpr uint64_t kBase = 0x1'0000'0000;
constexpr size_t kSize = 1 << 18;

struct Request {
  uint64_t addr;
  uint32_t bytes;
};

class AxiReadBench {
 public:
  AxiReadBench(AxiTiming timing, uint32_t seed)
      : random_(seed), memory_(kBase, kSize), bus_(memory_, timing, seed + 1) {
    context_.randReset(2);
    model_ = std::make_unique<Vaxi_read>(&context_);
    for (size_t i = 0; i < kSize; ++i) memory_.at(kBase + i) = static_cast<uint8_t>(random_());
    model_->req_valid_i = 0;
    model_->m_axi_arready_i = 0;
    model_->m_axi_rvalid_i = 0;
    model_->rst_i = 1;
    edge();
    edge();
    model_->rst_i = 0;
  }
  ~AxiReadBench() {
    Verilated::threadContextp(&context_);
    model_.reset();
  }
  AxiReadBench(const AxiReadBench&) = delete;
  AxiReadBench& operator=(const AxiReadBench&) = delete;

  void ask(unsigned client, Request request) { waiting_[client].push_back(request); }

  void step() {
    bus_.drive(*model_, cycle_);
    for (unsigned c = 0; c < kClients; ++c) {
      if (waiting_[c].empty()) {
        valid_ &= ~(1U << c);
      } else if ((valid_ >> c & 1) == 0 && random_() % 100 >= ask_stall) {
        valid_ |= 1U << c;
      }
      if ((valid_ >> c & 1) != 0) set_request(c, waiting_[c].front());
    }
    model_->req_valid_i = static_cast<uint8_t>(valid_);
    model_->clk_i = 0;
    model_->eval();
    const unsigned moved = valid_ & model_->req_ready_o;
    EXPECT_EQ(moved & (moved - 1), 0U);
    for (unsigned c = 0; c < kClients; ++c) {
      if ((moved >> c & 1) == 0) continue;
      asked_[c].push_back(waiting_[c].front());
      waiting_[c].pop_front();
      valid_ &= ~(1U << c);
      ++accepted;
    }
    check_response();
    bus_.sample(*model_, cycle_);
    model_->clk_i = 1;
    model_->eval();
    ++cycle_;
  }

  bool done() const {
    for (unsigned c = 0; c < kClients; ++c) {
      if (!waiting_[c].empty() || !asked_[c].empty()) return false;
    }
    return true;
  }
  bool run(uint64_t limit = 1'000'000) {
    while (!done() && cycle_ < limit && !::testing::Test::HasFatalFailure()) step();
    for (unsigned i = 0; i < 5; ++i) step();
    EXPECT_TRUE(model_->idle_o);
    return done();
  }

  uint64_t cycle() const { return cycle_; }
  uint64_t beats() const { return beats_; }
  uint64_t bursts() const { return bus_.bursts(); }
  size_t most_in_flight() const { return bus_.most_in_flight(); }
  std::mt19937& random() { return random_; }
  Vaxi_read& model() { return *model_; }

  unsigned ask_stall = 0;  // percent
  uint64_t accepted = 0;
  uint64_t errors = 0;
  uint64_t overtakes = 0;  // responses for a client other than the one before, in mid request

 private:
  void edge() {
    model_->clk_i = 0;
    model_->eval();
    model_->clk_i = 1;
    model_->eval();
  }

  void set_request(unsigned client, const Request& request) {
    std::memcpy(reinterpret_cast<uint8_t*>(&model_->req_addr_i) + 8 * client, &request.addr, 8);
    auto* words = reinterpret_cast<uint32_t*>(&model_->req_bytes_i);
    for (unsigned bit = 0; bit < kLenWidth; ++bit) {
      const unsigned at = client * kLenWidth + bit;
      words[at / 32] &= ~(1U << (at % 32));
      words[at / 32] |= (request.bytes >> bit & 1) << (at % 32);
    }
  }

  void check_response() {
    const unsigned valid = model_->rsp_valid_o;
    if (valid == 0) return;
    ASSERT_EQ(valid & (valid - 1), 0U);
    const auto client = static_cast<unsigned>(std::countr_zero(valid));
    ASSERT_FALSE(asked_[client].empty());
    ++beats_;
    if (client != last_client_ && offset_[last_client_] != 0) ++overtakes;
    last_client_ = client;
    const Request& request = asked_[client].front();
    const auto data = port_bytes(model_->rsp_data_o, kBytes);
    const uint64_t beat = (request.addr / kBytes + offset_[client]) * kBytes;
    bool error = false;
    for (unsigned i = 0; i < kBytes; ++i) {
      const uint64_t addr = beat + i;
      if (!memory_.mapped(addr)) {
        error = true;
      } else if (addr >= request.addr && addr < request.addr + request.bytes) {
        ASSERT_EQ(data[i], memory_.at(addr)) << "client " << client;
      }
    }
    EXPECT_EQ(model_->rsp_error_o, error);
    errors += error;
    ++offset_[client];
    const bool last = beat + kBytes >= request.addr + request.bytes;
    ASSERT_EQ(model_->rsp_last_o, last);
    if (last) {
      asked_[client].pop_front();
      offset_[client] = 0;
    }
  }

  std::mt19937 random_;
  Memory memory_;
  AxiReadMemory<Vaxi_read, kBytes> bus_;
  VerilatedContext context_;
  std::unique_ptr<Vaxi_read> model_;
  std::deque<Request> waiting_[kClients];
  std::deque<Request> asked_[kClients];
  uint64_t offset_[kClients] = {};  // beats of the client's first request that have come
  unsigned valid_ = 0;
  unsigned last_client_ = 0;
  uint64_t cycle_ = 0;
  uint64_t beats_ = 0;
};

class AxiReadSeeds : public ::testing::TestWithParam<uint32_t> {};

TEST_P(AxiReadSeeds, RandomRequestsOfAllClients) {
  AxiReadBench bench({.min_latency = 1, .max_latency = 100, .stall_percent = 25, .reorder = true},
                     GetParam());
  bench.ask_stall = 20;
  for (unsigned i = 0; i < 1000; ++i) {
    const auto bytes = static_cast<uint32_t>(1 + bench.random()() % (i % 10 == 0 ? 9000 : 100));
    bench.ask(static_cast<unsigned>(bench.random()() % kClients),
              {kBase + bench.random()() % (kSize - bytes), bytes});
  }
  ASSERT_TRUE(bench.run());
  EXPECT_GT(bench.overtakes, 100U);
  EXPECT_EQ(bench.errors, 0U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, AxiReadSeeds, ::testing::Range(1U, 6U));

// Around a page's end, every start and length: the memory checks that no burst crosses it.
TEST(AxiRead, PageBoundary) {
  AxiReadBench bench({}, 1);
  for (uint32_t before = 1; before <= 2 * kBytes; before += 3) {
    for (uint32_t bytes = 1; bytes <= 4 * kBytes; bytes += 5) {
      bench.ask(0, {kBase + 4096 - before, bytes});
    }
  }
  bench.ask(1, {kBase + 1, 65536});
  ASSERT_TRUE(bench.run());
}

TEST(AxiRead, ErrorsComeWithTheirBeats) {
  AxiReadBench bench({.reorder = true}, 2);
  bench.ask(3, {kBase - 2 * kBytes, 4 * kBytes});
  bench.ask(4, {kBase + kSize - kBytes, 2 * kBytes});
  bench.ask(3, {kBase, 100});
  ASSERT_TRUE(bench.run());
  EXPECT_EQ(bench.errors, 3U);
}

TEST(AxiRead, ARequestEveryCycle) {
  AxiReadBench bench({.min_latency = 30, .max_latency = 30}, 3);
  for (unsigned i = 0; i < 1000; ++i) bench.ask(i % kClients, {kBase + i * 64ULL, 8});
  ASSERT_TRUE(bench.run());
  EXPECT_LE(bench.cycle(), 1000U + 30 + 15);
}

TEST(AxiRead, LongRequestsKeepTheBusFull) {
  AxiReadBench bench({.min_latency = 156, .max_latency = 156}, 4);
  for (unsigned i = 0; i < 100; ++i) bench.ask(4, {kBase + i * 1024ULL, 1024});
  ASSERT_TRUE(bench.run());
  EXPECT_EQ(bench.beats(), 100 * 1024 / kBytes);
  EXPECT_LE(bench.cycle(), bench.beats() + 156 + 15);
  EXPECT_GE(bench.most_in_flight(), std::min<size_t>(64, 156 * kBytes / 512));
}

TEST(AxiRead, AClientIsNotStarvedByAnother) {
  AxiReadBench bench({.min_latency = 10, .max_latency = 10}, 5);
  for (unsigned i = 0; i < 200; ++i) bench.ask(4, {kBase, 16});
  bench.ask(0, {kBase, 16});
  for (unsigned i = 0; i < 8; ++i) bench.step();
  bench.ask(1, {kBase, 16});
  for (unsigned i = 0; i < 30; ++i) bench.step();
  EXPECT_LT(bench.accepted, 45U);
  ASSERT_TRUE(bench.run());
}

}  // namespace
}  // namespace nicroscope::test
