// SPDX-License-Identifier: Apache-2.0
// AXI4-Lite rules, idleness, counters.
#include <array>
#include <deque>
#include <map>

#include "tests/rtl/host/host_bench.h"

namespace nicroscope::test {
namespace {

using namespace regs;

constexpr std::uint32_t kData = kBarMsixTable + kMsixEntryData;  // a word that is plain memory

TEST(HostAxil, TakesAddressAndDataInAnyOrder) {
  HostBench host;
  for (unsigned gap : {0u, 1u, 2u, 7u}) {
    for (bool address_first : {true, false}) {
      const std::uint32_t value = 0x1000u * gap + (address_first ? 1 : 2);
      host.top->s_axil_awaddr_i = kData;
      host.top->s_axil_wdata_i = value;
      host.top->s_axil_wstrb_i = 0xF;
      (address_first ? host.top->s_axil_awvalid_i : host.top->s_axil_wvalid_i) = 1;
      host.tick();
      if (gap != 0) {
        (address_first ? host.top->s_axil_awvalid_i : host.top->s_axil_wvalid_i) = 0;
        for (unsigned i = 0; i < gap; ++i) {
          EXPECT_FALSE(host.top->s_axil_bvalid_o);
          host.tick();
        }
      }
      host.top->s_axil_awvalid_i = !address_first;
      host.top->s_axil_wvalid_i = address_first;
      host.tick();
      host.top->s_axil_awvalid_i = 0;
      host.top->s_axil_wvalid_i = 0;
      host.settle();
      EXPECT_EQ(host.read_word(kData), value);
    }
  }
}

TEST(HostAxil, ResponsesWaitToBeTaken) {
  HostBench host;
  host.write_word(kData, 0xCAFE);
  host.top->s_axil_rready_i = 0;
  host.top->s_axil_araddr_i = kData;
  host.top->s_axil_arvalid_i = 1;
  host.tick();
  host.top->s_axil_arvalid_i = 0;
  host.tick(20);
  // A write passes the read that is stuck, and is stuck itself.
  host.top->s_axil_bready_i = 0;
  host.top->s_axil_awaddr_i = kData;
  host.top->s_axil_wdata_i = 0xBEEF;
  host.top->s_axil_wstrb_i = 0xF;
  host.top->s_axil_awvalid_i = 1;
  host.top->s_axil_wvalid_i = 1;
  host.tick();
  host.top->s_axil_awvalid_i = 0;
  host.top->s_axil_wvalid_i = 0;
  host.tick(50);
  EXPECT_TRUE(host.top->s_axil_rvalid_o);
  EXPECT_EQ(host.top->s_axil_rdata_o, 0xCAFEu);
  EXPECT_TRUE(host.top->s_axil_bvalid_o);
  EXPECT_FALSE(host.top->idle_o);
  host.top->s_axil_rready_i = 1;
  host.top->s_axil_bready_i = 1;
  host.tick();
  EXPECT_FALSE(host.top->s_axil_rvalid_o);
  EXPECT_FALSE(host.top->s_axil_bvalid_o);
  EXPECT_EQ(host.read_word(kData), 0xBEEFu);
}

TEST(HostAxil, KeepsUpUnderRandomTraffic) {
  // Reads and writes with stalls on all five channels. Writes are answered in order; what a word
  // can read as is what it held when the read was offered, or what was written since.
  HostBench host(3);
  host.settle();
  auto& top = *host.top;
  std::array<std::uint32_t, 4> words{};
  std::map<std::uint32_t, std::deque<std::uint32_t>> history;  // of each word, newest last
  const auto address = [](std::uint32_t i) {
    return static_cast<std::uint16_t>(kBarMsixTable + kMsixEntryBytes * (i / 2) +
                                      (i % 2 != 0 ? kMsixEntryData : kMsixEntryAddrHi));
  };
  for (std::uint32_t i = 0; i < words.size(); ++i) {
    host.write_word(address(i), 0);
    history[i] = {0};
  }
  unsigned writes = 0, reads = 0, writes_open = 0;
  bool aw_wanted = false, w_wanted = false, reading = false;
  std::uint32_t write_index = 0, read_index = 0;
  std::deque<std::uint32_t> possible;
  for (unsigned i = 0; i < 60000; ++i) {
    if (!aw_wanted && !w_wanted && writes_open == 0 && host.draw(2) == 0) {
      aw_wanted = w_wanted = true;
      write_index = host.draw(4);
      top.s_axil_awaddr_i = address(write_index);
      top.s_axil_wdata_i = host.draw();
      top.s_axil_wstrb_i = static_cast<std::uint8_t>(host.draw(16));
      std::uint32_t mask = 0;
      for (unsigned byte = 0; byte < 4; ++byte) {
        if ((top.s_axil_wstrb_i >> byte & 1) != 0) mask |= 0xFFu << (8 * byte);
      }
      words[write_index] = (words[write_index] & ~mask) | (top.s_axil_wdata_i & mask);
      history[write_index].push_back(words[write_index]);
      if (reading && read_index == write_index) possible.push_back(words[write_index]);
      ++writes_open;
    }
    if (aw_wanted && !top.s_axil_awvalid_i) top.s_axil_awvalid_i = host.draw(3) == 0;
    if (w_wanted && !top.s_axil_wvalid_i) top.s_axil_wvalid_i = host.draw(3) == 0;
    if (!reading && host.draw(2) == 0) {
      reading = true;
      read_index = host.draw(4);
      top.s_axil_araddr_i = address(read_index);
      top.s_axil_arvalid_i = 1;
      // With the write open the word may still be the one before it.
      possible = {history[read_index].back()};
      if (writes_open != 0 && history[read_index].size() > 1 && write_index == read_index) {
        possible.push_back(history[read_index][history[read_index].size() - 2]);
      }
    }
    top.s_axil_bready_i = host.draw(2) != 0;
    top.s_axil_rready_i = host.draw(2) != 0;
    const bool aw = top.s_axil_awvalid_i && top.s_axil_awready_o;
    const bool w = top.s_axil_wvalid_i && top.s_axil_wready_o;
    const bool ar = top.s_axil_arvalid_i && top.s_axil_arready_o;
    if (top.s_axil_bvalid_o && top.s_axil_bready_i) {
      ASSERT_EQ(writes_open, 1u);
      ASSERT_FALSE(aw_wanted || w_wanted);
      --writes_open;
      ++writes;
    }
    if (top.s_axil_rvalid_o && top.s_axil_rready_i) {
      ASSERT_TRUE(reading);
      ASSERT_NE(std::find(possible.begin(), possible.end(), top.s_axil_rdata_o), possible.end())
          << "word " << read_index << " in cycle " << host.cycle;
      reading = false;
      ++reads;
    }
    host.tick();
    if (aw) top.s_axil_awvalid_i = aw_wanted = false;
    if (w) top.s_axil_wvalid_i = w_wanted = false;
    if (ar) top.s_axil_arvalid_i = 0;
  }
  EXPECT_GT(writes, 1000u);
  EXPECT_GT(reads, 1000u);
}

TEST(HostAxil, NeitherDirectionStarvesTheOther) {
  HostBench host;
  auto& top = *host.top;
  top.s_axil_awaddr_i = kData;
  top.s_axil_araddr_i = kData;
  top.s_axil_awvalid_i = top.s_axil_wvalid_i = top.s_axil_arvalid_i = 1;
  unsigned writes = 0, reads = 0;
  for (unsigned i = 0; i < 1000; ++i) {
    writes += top.s_axil_bvalid_o;
    reads += top.s_axil_rvalid_o;
    host.tick();
  }
  EXPECT_GT(writes, 50u);
  EXPECT_GT(reads, 50u);
  EXPECT_LE(writes > reads ? writes - reads : reads - writes, 1u);
}

TEST(HostIdle, AnIdleEdgeChangesNothing) {
  HostBench host;
  host.settle();
  host.tick(2);
  EXPECT_TRUE(host.edge_changes_nothing());
  host.bring_up();
  host.tick(2);
  EXPECT_TRUE(host.edge_changes_nothing());
  for (unsigned round = 0; round < 200; ++round) {
    switch (host.draw(6)) {
      case 0:
        host.raise(static_cast<std::uint16_t>(round % 2));
        break;
      case 1:
        host.read_word(host.draw(0x10000u) & ~3u);
        break;
      case 2:
        host.top->link_up_i = !host.top->link_up_i;
        break;
      case 3:
        host.mask_vector(round % 3, round % 2 != 0);
        break;
      case 4:
        host.top->msix_mask_i = !host.top->msix_mask_i;
        break;
      default:
        host.write_word(kBarNotify, 0);
        break;
    }
    host.tick();
    for (unsigned i = 0; i < 1000 && !host.top->idle_o; ++i) host.tick();
    ASSERT_TRUE(host.top->idle_o);
    // Idle from this very cycle on, whatever answers are still on their way back to nobody.
    host.tick();
    EXPECT_TRUE(host.top->idle_o);
    EXPECT_TRUE(host.edge_changes_nothing()) << round;
  }
}

TEST(HostCounters, CountEveryEventOfEveryCycle) {
  HostBench host(5);
  std::array<std::uint64_t, kNumCounters> expected{};
  for (unsigned i = 0; i < 20000; ++i) {
    // Bursts of every event in every cycle, and thin traffic.
    std::uint32_t events =
        (i / 1000) % 2 == 0 ? 0xFFFFFFFFu : (host.draw() & host.draw() & host.draw());
    events &= (1u << kNumCounters) - 1;
    host.top->count_i = events;
    host.top->rx_bytes_valid_i = host.draw(2) != 0;
    host.top->rx_bytes_i = static_cast<std::uint16_t>(host.draw());
    host.top->tx_bytes_valid_i = host.draw(2) != 0;
    host.top->tx_bytes_i = static_cast<std::uint16_t>(host.draw());
    for (unsigned c = 0; c < kNumCounters; ++c) expected[c] += events >> c & 1;
    expected[kCounterRxBytes] -= events >> kCounterRxBytes & 1;
    expected[kCounterTxBytes] -= events >> kCounterTxBytes & 1;
    if (host.top->rx_bytes_valid_i) expected[kCounterRxBytes] += host.top->rx_bytes_i;
    if (host.top->tx_bytes_valid_i) expected[kCounterTxBytes] += host.top->tx_bytes_i;
    host.tick();
  }
  expected[kCounterInterrupts] = 0;  // counted where they are made
  expected[kCounterDoorbells] = 0;
  host.top->count_i = 0;
  host.top->rx_bytes_valid_i = 0;
  host.top->tx_bytes_valid_i = 0;
  host.settle();
  for (unsigned c = 0; c < kNumCounters; ++c) EXPECT_EQ(host.counter(c), expected[c]) << c;
}

TEST(HostCounters, TheHighHalfIsThatOfTheLowHalfsRead) {
  HostBench host;
  const auto add = [&host](unsigned times) {
    host.top->rx_bytes_valid_i = 1;
    host.top->rx_bytes_i = 0xFFFF;
    host.tick(times);
    host.top->rx_bytes_valid_i = 0;
  };
  add(65536);
  const std::uint32_t low = kBarVendor + kVendorCounters + kCounterBytes * kCounterRxBytes;
  const std::uint64_t before = host.read_word(low);
  add(65536);
  const std::uint64_t high = host.read_word(low + 4);
  EXPECT_EQ(before | high << 32, 65536ull * 65535);
  EXPECT_EQ(host.read64(low), 2 * 65536ull * 65535);
}

}  // namespace
}  // namespace nicroscope::test
