// SPDX-License-Identifier: Apache-2.0
// The AXI4 write engine: what the clients write arrives, nothing else does, and each hears of it
// once.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <random>

#include "Vaxi_write.h"
#include "tests/rtl/support/axi_memory.h"
#include "verilated.h"

namespace nicroscope::test {
namespace {

constexpr unsigned kBytes = sizeof(Vaxi_write::m_axi_wdata_o);
constexpr unsigned kSmall = 5;
#ifdef AXI_WRITE_ELEMENTS
constexpr unsigned kElements = AXI_WRITE_ELEMENTS;
#else
constexpr unsigned kElements = 0;
#endif
constexpr uint64_t kBase = 0x2'0000'0000;
constexpr size_t kSize = 1 << 22;

class AxiWriteBench {
 public:
  AxiWriteBench(AxiTiming timing, uint32_t seed)
      : random_(seed), memory_(kBase, kSize), bus_(memory_, timing, seed + 1) {
    context_.randReset(2);
    model_ = std::make_unique<Vaxi_write>(&context_);
    model_->req_valid_i = 0;
    model_->w_valid_i = 0;
    model_->sw_valid_i = 0;
    model_->m_axi_awready_i = 0;
    model_->m_axi_wready_i = 0;
    model_->m_axi_bvalid_i = 0;
    model_->rst_i = 1;
    edge();
    edge();
    model_->rst_i = 0;
  }
  ~AxiWriteBench() {
    Verilated::threadContextp(&context_);
    model_.reset();
  }
  AxiWriteBench(const AxiWriteBench&) = delete;
  AxiWriteBench& operator=(const AxiWriteBench&) = delete;

  // Random bytes for `count` bytes at addr, which become the device's to write.
  void stream(uint64_t addr, uint32_t count) {
    Write write{.addr = addr, .data = std::vector<uint8_t>(count)};
    fill(write);
    requests_.push_back(write);
    stream_.push_back(write);
    streamed_.push_back(write);
  }

  // Where there are clients of used elements: eight bytes in the upper half of 16 from them, up to
  // four in a word from the others.
  void small(unsigned client, uint64_t addr, uint32_t count) {
    if (client < kElements) {
      addr = addr / 16 * 16 + 8;
      count = std::min(count, 8U);
    } else if (kElements != 0) {
      addr = addr / 4 * 4;
      count = std::min(count, 4U);
    }
    Write write{.addr = addr, .data = std::vector<uint8_t>(count)};
    fill(write);
    small_[client].push_back(write);
  }

  void step() {
    bus_.drive(*model_, cycle_);
    drive();
    model_->clk_i = 0;
    model_->eval();
    if (req_valid_ && model_->req_ready_o) {
      requests_.pop_front();
      req_valid_ = false;
    }
    if (w_valid_ && model_->w_ready_o) {
      w_valid_ = false;
      if (++beat_ == beats_of(stream_.front())) {
        stream_.pop_front();
        beat_ = 0;
      }
    }
    const unsigned moved = sw_valid_ & model_->sw_ready_o;
    for (unsigned c = 0; c < kSmall; ++c) {
      if ((moved >> c & 1) == 0) continue;
      in_flight_[c].push_back(small_[c].front());
      small_[c].pop_front();
      sw_valid_ &= ~(1U << c);
    }
    check_done();
    bus_.sample(*model_, cycle_);
    model_->clk_i = 1;
    model_->eval();
    ++cycle_;
  }

  bool done() const {
    for (unsigned c = 0; c < kSmall; ++c) {
      if (!small_[c].empty() || !in_flight_[c].empty()) return false;
    }
    return streamed_.empty();
  }
  bool run(uint64_t limit = 1'000'000) {
    while (!done() && cycle_ < limit && !::testing::Test::HasFatalFailure()) step();
    for (unsigned i = 0; i < 5; ++i) step();
    EXPECT_TRUE(model_->idle_o);
    return done();
  }

  uint64_t cycle() const { return cycle_; }
  uint64_t beats() const { return bus_.beats(); }
  std::mt19937& random() { return random_; }

  unsigned stall = 0;  // percent of cycles in which a client does not begin to ask
  uint64_t dones = 0;
  uint64_t errors = 0;
  uint64_t small_dones = 0;
  uint64_t small_errors = 0;

 private:
  struct Write {
    uint64_t addr;
    std::vector<uint8_t> data;
  };

  static uint64_t beats_of(const Write& write) {
    return (write.addr % kBytes + write.data.size() + kBytes - 1) / kBytes;
  }

  void edge() {
    model_->clk_i = 0;
    model_->eval();
    model_->clk_i = 1;
    model_->eval();
  }

  void fill(Write& write) {
    for (uint8_t& byte : write.data) byte = static_cast<uint8_t>(random_());
    for (size_t i = 0; i < write.data.size(); ++i) {
      if (memory_.mapped(write.addr + i)) memory_.set_open(write.addr + i, 1, true);
    }
  }

  // The beat's lanes: random where the strobe is low.
  void lanes(const Write& write, uint64_t beat, std::vector<uint8_t>& data,
             std::vector<uint8_t>& strb) {
    const uint64_t base = (write.addr / kBytes + beat) * kBytes;
    data.assign(kBytes, 0);
    strb.assign(kBytes / 8, 0);
    for (unsigned i = 0; i < kBytes; ++i) {
      data[i] = static_cast<uint8_t>(random_());
      if (base + i < write.addr || base + i >= write.addr + write.data.size()) continue;
      data[i] = write.data[base + i - write.addr];
      strb[i / 8] = static_cast<uint8_t>(strb[i / 8] | 1U << (i % 8));
    }
  }

  bool begins() { return random_() % 100 >= stall; }

  void drive() {
    std::vector<uint8_t> data;
    std::vector<uint8_t> strb;
    if (!req_valid_ && !requests_.empty() && begins()) {
      req_valid_ = true;
      model_->req_addr_i = requests_.front().addr;
      model_->req_bytes_i = static_cast<uint32_t>(requests_.front().data.size());
    }
    // Data follows its request; once begun it does not wait.
    if (!w_valid_ && requests_.size() < stream_.size() && (beat_ != 0 || begins())) {
      w_valid_ = true;
      lanes(stream_.front(), beat_, data, strb);
      set_port(model_->w_data_i, data.data(), kBytes);
      set_port(model_->w_strb_i, strb.data(), kBytes / 8);
    }
    for (unsigned c = 0; c < kSmall; ++c) {
      if ((sw_valid_ >> c & 1) != 0 || small_[c].empty() || !begins()) continue;
      sw_valid_ |= 1U << c;
      const Write& write = small_[c].front();
      lanes(write, 0, data, strb);
      if (kElements != 0 && c >= kElements) {
        const std::vector<uint8_t> beat = data;
        for (unsigned i = 0; i < kBytes; ++i) data[i] = beat[write.addr % kBytes / 4 * 4 + i % 4];
      }
      std::memcpy(reinterpret_cast<uint8_t*>(&model_->sw_addr_i) + 8 * c, &write.addr, 8);
      std::memcpy(reinterpret_cast<uint8_t*>(&model_->sw_data_i) + kBytes * c, data.data(), kBytes);
      std::memcpy(reinterpret_cast<uint8_t*>(&model_->sw_strb_i) + kBytes / 8 * c, strb.data(),
                  kBytes / 8);
    }
    model_->req_valid_i = req_valid_;
    model_->w_valid_i = w_valid_;
    model_->sw_valid_i = static_cast<uint8_t>(sw_valid_);
  }

  bool landed(const Write& write) {
    for (size_t i = 0; i < write.data.size(); ++i) {
      if (memory_.at(write.addr + i) != write.data[i]) return false;
    }
    return true;
  }

  void check_done() {
    if (model_->done_o) {
      ASSERT_FALSE(streamed_.empty());
      const bool mapped = memory_.mapped(streamed_.front().addr);
      EXPECT_EQ(model_->error_o, !mapped);
      EXPECT_TRUE(!mapped || landed(streamed_.front())) << "answered before it was written";
      ++dones;
      errors += model_->error_o;
      streamed_.pop_front();
    }
    for (unsigned c = 0; c < kSmall; ++c) {
      if ((model_->sw_done_o >> c & 1) == 0) continue;
      ASSERT_FALSE(in_flight_[c].empty());
      const Write& write = in_flight_[c].front();
      const bool mapped = memory_.mapped(write.addr);
      EXPECT_EQ(model_->sw_error_o >> c & 1, !mapped);
      EXPECT_TRUE(!mapped || landed(write)) << "answered before it was written";
      ++small_dones;
      small_errors += !mapped;
      in_flight_[c].pop_front();
    }
  }

  std::mt19937 random_;
  Memory memory_;
  AxiWriteMemory<Vaxi_write, kBytes> bus_;
  VerilatedContext context_;
  std::unique_ptr<Vaxi_write> model_;
  std::deque<Write> requests_;  // to be asked for
  std::deque<Write> stream_;    // data to be sent
  std::deque<Write> streamed_;  // to be answered
  std::deque<Write> small_[kSmall];
  std::deque<Write> in_flight_[kSmall];
  uint64_t beat_ = 0;
  bool req_valid_ = false;
  bool w_valid_ = false;
  unsigned sw_valid_ = 0;
  uint64_t cycle_ = 0;
};

class AxiWriteSeeds : public ::testing::TestWithParam<uint32_t> {};

TEST_P(AxiWriteSeeds, RandomWritesOfAllClients) {
  AxiWriteBench bench({.min_latency = 1, .max_latency = 100, .stall_percent = 25, .reorder = true},
                      GetParam());
  bench.stall = 30;
  uint64_t addr = kBase;
  uint64_t smalls = 0;
  for (unsigned i = 0; i < 300; ++i) {
    const auto bytes = static_cast<uint32_t>(1 + bench.random()() % (i % 10 == 0 ? 9000 : 200));
    addr += bench.random()() % 40;
    bench.stream(addr, bytes);
    addr += bytes;
    for (uint64_t n = bench.random()() % 4; n > 0; --n, ++smalls) {
      const auto count = static_cast<uint32_t>(1 + bench.random()() % kBytes);
      addr = (addr / kBytes + 1) * kBytes;
      bench.small(static_cast<unsigned>(bench.random()() % kSmall),
                  addr + bench.random()() % (kBytes - count + 1), count);
      addr += kBytes;
    }
  }
  ASSERT_TRUE(bench.run());
  EXPECT_EQ(bench.dones, 300U);
  EXPECT_EQ(bench.small_dones, smalls);
  EXPECT_EQ(bench.errors + bench.small_errors, 0U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, AxiWriteSeeds, ::testing::Range(1U, 6U));

// Around a page's end, every start and length: the memory checks that no burst crosses it.
TEST(AxiWrite, PageBoundary) {
  AxiWriteBench bench({}, 1);
  uint64_t page = kBase;
  for (uint32_t before = 1; before <= kBytes; before += 3) {
    for (uint32_t bytes = 1; bytes <= 2 * kBytes; bytes += 5) {
      bench.stream(page + 4096 - before, bytes);
      page += 4096;
    }
  }
  bench.stream(kBase + kSize - 66000, 65536);
  ASSERT_TRUE(bench.run());
}

// One error in a request of several bursts is told once, with the request.
TEST(AxiWrite, ErrorsComeWithTheirRequests) {
  AxiWriteBench bench({.reorder = true}, 2);
  bench.stream(kBase + 1000, 2000);
  bench.stream(0x1234, 2000);
  bench.stream(kBase - 600, 1200);  // its last burst is answered well
  bench.stream(kBase + 4000, 10);
  bench.small(2, kBase + 8000 / kBytes * kBytes, 4);
  bench.small(2, 0x800, 4);
  bench.small(1, kBase + 9000 / kBytes * kBytes, 4);
  ASSERT_TRUE(bench.run());
  EXPECT_EQ(bench.dones, 4U);
  EXPECT_EQ(bench.errors, 2U);
  EXPECT_EQ(bench.small_dones, 3U);
  EXPECT_EQ(bench.small_errors, 1U);
}

TEST(AxiWrite, ABeatEveryCycle) {
  AxiWriteBench bench({.min_latency = 20, .max_latency = 20}, 3);
  for (unsigned i = 0; i < 500; ++i) bench.stream(kBase + i * 1536ULL, 5 * kBytes);
  ASSERT_TRUE(bench.run());
  EXPECT_EQ(bench.beats(), 2500U);
  EXPECT_LE(bench.cycle(), bench.beats() + 20 + 15);
}

TEST(AxiWrite, SmallAndStreamingWritersTakeTurns) {
  AxiWriteBench bench({.min_latency = 5, .max_latency = 5}, 4);
  for (unsigned i = 0; i < 200; ++i) bench.stream(kBase + i * 256ULL, kBytes);
  for (unsigned i = 0; i < 200; ++i) bench.small(3, kBase + 524288 + i * 64ULL, 16);
  for (unsigned i = 0; i < 200; ++i) bench.step();
  EXPECT_NEAR(static_cast<double>(bench.dones), static_cast<double>(bench.small_dones), 3.0);
  ASSERT_TRUE(bench.run());
  EXPECT_LE(bench.cycle(), 400U + 20);
}

}  // namespace
}  // namespace nicroscope::test
