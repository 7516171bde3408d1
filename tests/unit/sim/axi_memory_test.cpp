// SPDX-License-Identifier: Apache-2.0
#include "sim/bus/axi_memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <vector>

#include "sim/base/failure.h"
#include "sim/bus/host_arena.h"

namespace nicroscope::sim {
namespace {

constexpr BusAddress kBase = HostArena::kBase;
constexpr unsigned kBeat = 16;
constexpr unsigned kSize = 4;  // log2(kBeat)
constexpr unsigned kIncr = 1;

// An AXI manager that takes everything at once.
struct Manager {
  explicit Manager(const BusOptions& options, std::uint64_t seed = 1)
      : memory(arena, clock, options, kBeat, seed) {
    memory.set_bus_master(true);
  }

  struct Beat {
    Cycle cycle;
    unsigned id;
    unsigned resp;
    bool last;
    std::array<std::byte, kBeat> data;
  };
  struct Response {
    Cycle cycle;
    unsigned id;
    unsigned resp;
  };

  void read(unsigned id, BusAddress address, unsigned count) {
    while (!memory.read().ar_ready()) step();
    memory.read().request(now, id, address, count - 1, kSize, kIncr);
    step();
  }
  void write(unsigned id, BusAddress address, unsigned count, std::uint8_t value,
             std::uint64_t strobe = 0xFFFF) {
    while (!memory.write().aw_ready()) step();
    memory.write().request(now, id, address, count - 1, kSize, kIncr);
    std::array<std::byte, kBeat> data;
    data.fill(std::byte{value});
    for (unsigned beat = 0; beat < count; ++beat) {
      while (memory.write().w_ready_from() > now) step();
      memory.write().data(now, data.data(), strobe, beat + 1 == count);
      step();
    }
  }
  void step() {
    if (memory.read().due() <= now) {
      auto& r = memory.read();
      Beat beat{now, r.id(), r.resp(), r.last(), {}};
      std::memcpy(beat.data.data(), r.data(), kBeat);
      beats.push_back(beat);
      r.pop(now);
    }
    if (memory.write().due() <= now) {
      responses.push_back({now, memory.write().id(), memory.write().resp()});
      memory.write().pop(now);
    }
    ++now;
    memory.begin_cycle(now);
  }
  void drain() {
    for (int i = 0; i < 100'000 && !memory.idle(); ++i) step();
    EXPECT_TRUE(memory.idle());
  }
  std::byte& at(BusAddress address) { return *arena.pointer(address); }

  HostArena arena{1 << 20};
  Clock clock{156'250};
  AxiMemory memory;
  Cycle now = 0;
  std::vector<Beat> beats;
  std::vector<Response> responses;
};

std::vector<BusOptions> all_options() {
  BusOptions adversary;
  adversary.adversary = true;
  return {BusOptions::ideal(), BusOptions{}, adversary};
}

TEST(AxiMemory, ReadsReturnMemoryInOrderWithinAnId) {
  for (const BusOptions& options : all_options()) {
    Manager manager(options);
    manager.arena.dma_map(kBase, 65536, DmaDirection::to_device);
    for (unsigned i = 0; i < 65536; ++i) {
      manager.at(kBase + i) = static_cast<std::byte>(i / kBeat * 7 + i);
    }
    std::map<unsigned, std::vector<BusAddress>> wanted;
    for (unsigned n = 0; n < 200; ++n) {
      const unsigned id = n % 5;
      const unsigned beats = 1 + n % 32;
      const BusAddress address = kBase + (n * 512) % 65536;
      for (unsigned b = 0; b < beats; ++b) wanted[id].push_back(address + b * kBeat);
      manager.read(id, address, beats);
    }
    manager.drain();
    std::map<unsigned, std::size_t> seen;
    for (const Manager::Beat& beat : manager.beats) {
      const std::size_t n = seen[beat.id]++;
      ASSERT_LT(n, wanted[beat.id].size());
      EXPECT_EQ(std::memcmp(beat.data.data(), manager.arena.pointer(wanted[beat.id][n]), kBeat), 0);
      EXPECT_EQ(beat.resp, kRespOkay);
    }
    for (const auto& [id, addresses] : wanted) EXPECT_EQ(seen[id], addresses.size());
  }
}

TEST(AxiMemory, WritesHonourStrobesAndAreVisibleAtTheirResponse) {
  for (const BusOptions& options : all_options()) {
    Manager manager(options);
    manager.arena.dma_map(kBase + 4096, 4096, DmaDirection::from_device);
    manager.write(3, kBase + 4096, 4, 0xAB);
    manager.write(3, kBase + 4096 + 128, 1, 0xCD, 0x0F3C);
    while (manager.responses.size() < 2) manager.step();
    EXPECT_EQ(manager.at(kBase + 4096), std::byte{0xAB});
    EXPECT_EQ(manager.at(kBase + 4096 + 63), std::byte{0xAB});
    EXPECT_EQ(manager.at(kBase + 4096 + 64), std::byte{0});
    for (unsigned i = 0; i < kBeat; ++i) {
      const bool set = (0x0F3CU >> i & 1) != 0;
      EXPECT_EQ(manager.at(kBase + 4096 + 128 + i), set ? std::byte{0xCD} : std::byte{0});
    }
    manager.drain();
  }
}

TEST(AxiMemory, WritesOfOneIdToOneAddressStayInOrder) {
  BusOptions options;
  options.adversary = true;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    Manager manager(options, seed);
    manager.arena.dma_map(kBase, 4096, DmaDirection::from_device);
    for (unsigned n = 1; n <= 20; ++n) manager.write(2, kBase, 1, static_cast<std::uint8_t>(n));
    manager.drain();
    EXPECT_EQ(manager.at(kBase), std::byte{20}) << "seed " << seed;
  }
}

TEST(AxiMemory, AccessesThatNobodyMappedAreRefusedAndRecorded) {
  for (const BusOptions& options : all_options()) {
    Manager manager(options);
    manager.arena.dma_map(kBase, 64, DmaDirection::bidirectional);
    manager.write(1, kBase + 48, 2, 0xEE);  // its second beat lies outside
    manager.read(2, kBase + 4096, 4);
    manager.drain();
    ASSERT_EQ(manager.responses.size(), 1U);
    EXPECT_EQ(manager.responses[0].resp, kRespDecerr);
    EXPECT_EQ(manager.at(kBase + 48), std::byte{0});
    ASSERT_EQ(manager.beats.size(), 4U);
    for (const auto& beat : manager.beats) EXPECT_EQ(beat.resp, kRespDecerr);
    ASSERT_EQ(manager.memory.faults().size(), 2U);
    EXPECT_TRUE(manager.memory.faults()[0].is_write);
    EXPECT_EQ(manager.memory.faults()[0].address, kBase + 48);
    EXPECT_EQ(manager.memory.faults()[0].bytes, 32U);
    EXPECT_EQ(manager.memory.faults()[1].address, kBase + 4096);
  }
}

TEST(AxiMemory, AWriteThatEndsAtTheLastAddressIsRefused) {
  for (const BusOptions& options : all_options()) {
    Manager manager(options);
    manager.arena.dma_map(kBase, 4096, DmaDirection::from_device);
    manager.write(1, kBase, 1, 1);  // the range that is looked up first now
    manager.write(1, BusAddress{0} - kBeat, 1, 2);
    manager.write(1, BusAddress{0} - 2 * kBeat, 2, 3, 0x00F0);
    manager.write(1, BusAddress{0} - kBeat, 1, 4, 0);  // no byte of it is written
    manager.drain();
    ASSERT_EQ(manager.responses.size(), 4U);
    EXPECT_EQ(manager.responses[0].resp, kRespOkay);
    EXPECT_EQ(manager.responses[1].resp, kRespDecerr);
    EXPECT_EQ(manager.responses[2].resp, kRespDecerr);
    EXPECT_EQ(manager.responses[3].resp, kRespOkay);
    const auto& faults = manager.memory.faults();
    ASSERT_EQ(faults.size(), 2U);
    EXPECT_EQ(faults[0].address, BusAddress{0} - kBeat);
    EXPECT_EQ(faults[0].bytes, kBeat);
    EXPECT_EQ(faults[1].address, BusAddress{0} - 2 * kBeat + 4);
    EXPECT_EQ(faults[1].bytes, 20U);
  }
}

TEST(AxiMemory, TheWatcherSeesAWriteBeforeMemoryDoes) {
  for (const BusOptions& options : all_options()) {
    Manager manager(options);
    manager.arena.dma_map(kBase, 4096, DmaDirection::from_device);
    struct Seen {
      HostArena& arena;
      std::vector<BusAddress> places;
    } seen{manager.arena, {}};
    manager.memory.watch_writes({[](void* context, const VisibleWrite& write) {
                                   auto& s = *static_cast<Seen*>(context);
                                   s.places.push_back(write.address);
                                   EXPECT_EQ(write.bytes, 8U);
                                   EXPECT_EQ(*write.data, std::byte{7});
                                   EXPECT_EQ(*s.arena.pointer(write.address), std::byte{0});
                                 },
                                 &seen});
    manager.write(0, kBase + 16, 1, 7, 0xFF00);
    manager.write(0, kBase + 64, 1, 7, 0x0FF0);
    manager.write(0, AxiMemory::kMsiBase, 1, 2, 0xF);
    manager.write(0, kBase + 8192, 1, 7, 0xFF00);  // refused
    manager.drain();
    std::ranges::sort(seen.places);
    EXPECT_EQ(seen.places, (std::vector<BusAddress>{kBase + 24, kBase + 68}));
    manager.memory.watch_writes({});
    manager.write(0, kBase + 128, 1, 7, 0xFF00);
    manager.drain();
    EXPECT_EQ(seen.places.size(), 2U);
    EXPECT_EQ(manager.at(kBase + 24), std::byte{7});
  }
}

TEST(AxiMemory, WithoutBusMasteringEverythingIsRefused) {
  Manager manager(BusOptions::ideal());
  manager.arena.dma_map(kBase, 64, DmaDirection::bidirectional);
  manager.memory.set_bus_master(false);
  manager.read(0, kBase, 1);
  manager.write(1, kBase, 1, 1);
  manager.drain();
  EXPECT_EQ(manager.memory.faults().size(), 2U);
  EXPECT_EQ(manager.at(kBase), std::byte{0});
}

TEST(AxiMemory, RulesOfTheBusAreEnforced) {
  Manager manager(BusOptions::ideal());
  auto& memory = manager.memory;
  EXPECT_THROW(memory.read().request(0, 0, kBase + 4080, 1, kSize, kIncr), SimulationFailure);
  EXPECT_THROW(memory.read().request(0, 0, kBase, 0, 3, kIncr), SimulationFailure);
  EXPECT_THROW(memory.write().request(0, 0, kBase, 0, kSize, 0), SimulationFailure);
  std::array<std::byte, kBeat> data{};
  memory.write().request(0, 0, kBase, 1, kSize, kIncr);
  EXPECT_THROW(memory.write().data(0, data.data(), 0xFFFF, true), SimulationFailure);
}

TEST(AxiMemory, DataMayComeBeforeTheirAddress) {
  Manager manager(BusOptions::ideal());
  manager.arena.dma_map(kBase, 4096, DmaDirection::from_device);
  std::array<std::byte, kBeat> data;
  data.fill(std::byte{0x77});
  manager.memory.write().data(0, data.data(), 0xFFFF, true);
  EXPECT_FALSE(manager.memory.idle());
  manager.memory.write().request(1, 4, kBase, 0, kSize, kIncr);
  manager.drain();
  ASSERT_EQ(manager.responses.size(), 1U);
  EXPECT_EQ(manager.at(kBase), std::byte{0x77});
}

TEST(AxiMemory, MessagesReachTheirCallbackAndHooksSeeMemory) {
  for (const BusOptions& options : all_options()) {
    Manager manager(options);
    manager.arena.dma_map(kBase, 4096, DmaDirection::from_device);
    std::vector<unsigned> vectors;
    manager.memory.on_msi([&](unsigned vector) { vectors.push_back(vector); });
    struct Seen {
      HostArena& arena;
      int calls = 0;
    } seen{manager.arena};
    manager.memory.add_write_hook({kBase + 16, kBase + 32,
                                   [](void* context, const VisibleWrite& write) {
                                     auto& s = *static_cast<Seen*>(context);
                                     ++s.calls;
                                     EXPECT_EQ(*s.arena.pointer(write.address), std::byte{9});
                                   },
                                   &seen});
    manager.write(0, kBase + 16, 1, 9);
    manager.write(0, kBase + 64, 1, 9);
    manager.write(5, AxiMemory::kMsiBase, 1, 2, 0xF);
    manager.drain();
    EXPECT_EQ(seen.calls, 1);
    ASSERT_EQ(vectors.size(), 1U);
    EXPECT_EQ(vectors[0], 0x02020202U);
  }
}

TEST(AxiMemory, AnIdealBusStreamsABeatACycleAfterItsLatency) {
  Manager manager(BusOptions::ideal());
  manager.arena.dma_map(kBase, 65536, DmaDirection::to_device);
  for (unsigned n = 0; n < 64; ++n) {
    manager.memory.read().request(0, n % 4, kBase + n * 512, 31, kSize, kIncr);
  }
  manager.drain();
  ASSERT_EQ(manager.beats.size(), 64U * 32U);
  EXPECT_EQ(manager.beats.front().cycle, manager.clock.cycles_for(std::chrono::microseconds{1}));
  EXPECT_EQ(manager.beats.back().cycle - manager.beats.front().cycle, 64U * 32U - 1);
}

TEST(AxiMemory, TheLinkBoundsBandwidth) {
  BusOptions options;
  options.generation = 1;
  options.lanes = 1;  // 250 MB/s, packets of 256 bytes with 20 around them
  Manager manager(options);
  manager.arena.dma_map(kBase, 1 << 20, DmaDirection::to_device);
  for (unsigned n = 0; n < 200; ++n) manager.read(n % 4, kBase + n * 512, 32);
  manager.drain();
  const Cycle cycles = manager.beats.back().cycle - manager.beats.front().cycle;
  const double seconds = static_cast<double>(manager.clock.time_of(cycles).count()) * 1e-12;
  const double rate = 200.0 * 512 / seconds;
  EXPECT_NEAR(rate, 250e6 * 256 / 276, 250e6 * 0.02);
}

TEST(AxiMemory, TheAdversaryInterleavesIdsAndDependsOnItsSeedAlone) {
  BusOptions options;
  options.adversary = true;
  std::vector<std::vector<unsigned>> orders;
  for (const std::uint64_t seed : {1, 1, 2}) {
    Manager manager(options, seed);
    manager.arena.dma_map(kBase, 65536, DmaDirection::to_device);
    for (unsigned n = 0; n < 20; ++n) manager.read(n % 4, kBase + n * 512, 8);
    manager.drain();
    std::vector<unsigned> order;
    for (const auto& beat : manager.beats) order.push_back(beat.id);
    orders.push_back(order);
  }
  EXPECT_EQ(orders[0], orders[1]);
  EXPECT_NE(orders[0], orders[2]);
  unsigned changes_inside_bursts = 0;
  for (std::size_t i = 1; i < orders[0].size(); ++i) {
    if (orders[0][i] != orders[0][i - 1]) ++changes_inside_bursts;
  }
  EXPECT_GT(changes_inside_bursts, 40U);  // 19 if bursts stayed whole
}

TEST(AxiMemory, TheAdversarySamplesBeatsOfOneBurstAtDifferentTimes) {
  BusOptions options;
  options.adversary = true;
  Manager manager(options, 5);
  manager.arena.dma_map(kBase, 4096, DmaDirection::to_device);
  bool older_behind_newer = false;
  for (int round = 0; round < 200; ++round) {
    manager.beats.clear();
    manager.memory.read().request(manager.now, 0, kBase, 7, kSize, kIncr);
    std::uint8_t version = 0;
    while (!manager.memory.idle()) {
      ++version;
      for (unsigned i = 0; i < 128; ++i) manager.at(kBase + i) = std::byte{version};
      manager.step();
    }
    for (std::size_t i = 1; i < manager.beats.size(); ++i) {
      if (manager.beats[i].data[0] < manager.beats[i - 1].data[0]) older_behind_newer = true;
    }
  }
  EXPECT_TRUE(older_behind_newer);
}

}  // namespace
}  // namespace nicroscope::sim
