// SPDX-License-Identifier: Apache-2.0
// The Verilated NIC between memory and wire, driven through registers and rings.
#include <gtest/gtest.h>

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "nicroscope/registers.h"
#include "sim/base/random.h"
#include "sim/simulation.h"
#include "sim/trace/hash_sink.h"
#include "sim/wire/frame_queue.h"
#include "tests/support/ring_host.h"

namespace nicroscope::test {
namespace {

using sim::FrameQueue;
using sim::HashSink;
using sim::Random;
using sim::RunResult;
using sim::Simulation;
using sim::SimulationOptions;
using sim::Variant;

std::vector<std::byte> make_frame(std::uint64_t seed, std::size_t bytes) {
  Random random(seed);
  std::vector<std::byte> frame(bytes);
  for (std::byte& byte : frame) byte = static_cast<std::byte>(random.next());
  return frame;
}

SimulationOptions checked(std::uint64_t seed = 1) {
  SimulationOptions options;
  options.variant = Variant::checked;
  options.seed = seed;
  options.watchdog_cycles = 100'000;

  return options;
}

// Keeps the frames that the NIC sent.
struct Sent final : sim::FrameSink {
  void on_frame(const sim::PassedFrame& frame) override {
    if (frame.direction != sim::WireDirection::from_nic) return;
    EXPECT_TRUE(frame.good);
    frames.emplace_back(frame.bytes.begin(), frame.bytes.end());
  }
  std::vector<std::vector<std::byte>> frames;
};

// Frames of random sizes both ways at once, all compared; the hash of all that happened.
struct Traffic {
  std::uint64_t hash = 0;
  sim::Cycle cycles = 0;
  sim::Cycle skipped = 0;
};

Traffic run_traffic(const SimulationOptions& options, const RingHost::Options& host_options,
                    unsigned count, std::size_t longest) {
  auto created = Simulation::create(options);
  EXPECT_TRUE(created) << created.error();
  Simulation& simulation = **created;
  HashSink hash;
  Sent sent;
  simulation.trace().add(hash);
  simulation.wire().add_sink(hash);
  simulation.wire().add_sink(sent);
  FrameQueue queue(simulation.wire());
  RingHost host(simulation, host_options);
  const std::string problem = host.start();
  EXPECT_EQ(problem, "");
  if (!problem.empty()) return {};

  Random random(options.seed);
  std::vector<std::vector<std::byte>> to_nic;
  std::vector<std::vector<std::byte>> from_nic;
  const Time begin = simulation.timeline().now();
  for (unsigned i = 0; i < count; ++i) {
    to_nic.push_back(make_frame(1000 + i, 60 + random.below(longest - 59)));
    from_nic.push_back(make_frame(5000 + i, 60 + random.below(longest - 59)));
    const auto gap = std::chrono::microseconds{4 * i + (i % 8 == 0 ? 3 : 0)};
    queue.push(to_nic.back(), begin + gap);
    simulation.timeline().at(begin + gap, [&host, &from_nic, i, &random] {
      EXPECT_TRUE(host.send(from_nic[i], from_nic[i].size() / 6 + random.below(2000)));
    });
  }
  const auto complete = [&] {
    return host.received().size() == count && host.sent() == count && sent.frames.size() == count;
  };
  const RunResult result = simulation.run_until(begin + std::chrono::microseconds{4 * count + 2000},
                                                [] { return false; });
  EXPECT_TRUE(result.ok()) << result.message;
  EXPECT_EQ(host.error(), "");
  EXPECT_TRUE(complete()) << "received " << host.received().size() << ", sent back " << host.sent()
                          << ", on the wire " << sent.frames.size();
  EXPECT_TRUE(simulation.bus().faults().empty());
  for (unsigned i = 0; i < host.received().size() && i < count; ++i) {
    EXPECT_TRUE(host.received()[i].bytes == to_nic[i]) << "frame " << i;
  }
  for (unsigned i = 0; i < sent.frames.size() && i < count; ++i) {
    EXPECT_TRUE(sent.frames[i] == from_nic[i]) << "frame " << i;
  }
  return {hash.value(), simulation.counters().cycles, simulation.counters().cycles_skipped};
}

TEST(Device, OneFrameEachWay) { run_traffic(checked(), {}, 1, 60); }

TEST(Device, SmallFramesBothWays) { run_traffic(checked(), {}, 200, 200); }

TEST(Device, FramesOfAllSizesBothWays) { run_traffic(checked(2), {.rx_size = 37}, 200, 9018); }

TEST(Device, OddBuffersAndEventIndex) {
  run_traffic(checked(3),
              {.rx_size = 200,
               .tx_size = 150,
               .rx_buffer_bytes = 301,
               .rx_buffer_offset = 7,
               .event_idx = true},
              100, 3000);
}

TEST(Device, SkippingIdleTimeChangesNothing) {
  SimulationOptions options = checked(4);
  const Traffic skipping = run_traffic(options, {}, 60, 2000);
  options.no_skip = true;
  const Traffic stepping = run_traffic(options, {}, 60, 2000);
  EXPECT_EQ(skipping.hash, stepping.hash);
  EXPECT_EQ(skipping.cycles, stepping.cycles);
  EXPECT_GT(skipping.skipped, skipping.cycles / 2);
  EXPECT_EQ(stepping.skipped, 0U);
}

TEST(Device, SurvivesTheAdversary) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE(seed);
    SimulationOptions options = checked(seed);
    options.bus.adversary = true;
    run_traffic(options, {.rx_size = 64, .rx_buffer_bytes = 512}, 60, 1600);
  }
}

TEST(Device, AWaveformHoldsItsWindow) {
  const std::filesystem::path file =
      std::filesystem::temp_directory_path() / ("wave_" + std::to_string(::getpid()) + ".fst");
  SimulationOptions options = checked();
  options.wave.file = file;
  EXPECT_FALSE(Simulation::create(options)) << "a waveform of a model without one";
  options.variant = Variant::traced;
  options.wave.window = std::make_shared<sim::TimeWindow>(
      sim::TimeWindow{std::chrono::microseconds{10}, std::chrono::microseconds{30}});
  {
    auto created = Simulation::create(options);
    ASSERT_TRUE(created) << created.error();
    RingHost host(**created, {});
    EXPECT_EQ(host.start(), "");
    FrameQueue queue((*created)->wire());
    queue.push(make_frame(1, 60), std::chrono::microseconds{15});
    (*created)->run_until((*created)->timeline().now() + std::chrono::microseconds{50});
    EXPECT_EQ(host.received().size(), 1U);
  }
  EXPECT_GT(std::filesystem::file_size(file), 1000U);
  std::filesystem::remove(file);
}

TEST(Device, AnAnswerThatNeverComesEndsTheRun) {
  SimulationOptions options = checked();
  options.bus.read_latency = std::chrono::seconds{1};
  options.watchdog_cycles = 5'000;
  auto created = Simulation::create(options);
  ASSERT_TRUE(created) << created.error();
  RingHost host(**created, {});
  EXPECT_EQ(host.start(), "");
  const RunResult result =
      (*created)->run_until((*created)->timeline().now() + std::chrono::milliseconds{10});
  EXPECT_FALSE(result.ok());
  EXPECT_NE(result.message.find("no progress for 5000 cycles"), std::string::npos)
      << result.message;
  EXPECT_NE(result.message.find("reads"), std::string::npos);
}

TEST(Device, MemoryThatNobodyMappedIsReported) {
  auto created = Simulation::create(checked());
  ASSERT_TRUE(created) << created.error();
  Simulation& simulation = **created;
  RingHost host(simulation, {});
  ASSERT_EQ(host.start(), "");
  simulation.run_until(simulation.timeline().now() + std::chrono::microseconds{20});
  const BusAddress first_buffer = host.receive_buffer(0);
  simulation.memory().dma_unmap(first_buffer, 2048, DmaDirection::from_device);
  FrameQueue queue(simulation.wire());
  queue.push(make_frame(1, 500));
  simulation.run_until(simulation.timeline().now() + std::chrono::microseconds{50});
  ASSERT_FALSE(simulation.bus().faults().empty());
  EXPECT_TRUE(simulation.bus().faults()[0].is_write);
  EXPECT_GE(simulation.bus().faults()[0].address, first_buffer);
  EXPECT_LT(simulation.bus().faults()[0].address, first_buffer + 2048);
  for (unsigned i = 0; i < 512; ++i) {
    EXPECT_EQ(*simulation.memory().pointer(first_buffer + i), std::byte{0});
  }
  const std::uint32_t status = host.read(regs::kBarCommon + regs::kCommonDeviceStatus, 1);
  EXPECT_NE(status & regs::kStatusNeedsReset, 0U);
  EXPECT_EQ(host.read(regs::kBarVendor + regs::kVendorErrorCode, 4), regs::kErrorDmaWrite);
}

TEST(Device, RegistersOutsideTheBarReadAsOnes) {
  auto created = Simulation::create(checked());
  ASSERT_TRUE(created) << created.error();
  RingHost host(**created, {});
  EXPECT_EQ(host.read(0, 4), ~0U) << "memory decoding is still off";
  ASSERT_EQ(host.start(), "");
  EXPECT_EQ(host.read(regs::kBarVendor + regs::kVendorMagic, 4), regs::kMagicValue);
  EXPECT_EQ(host.read(regs::kBarBytes, 4), ~0U);
}

// virtio 1.2, 4.1.4.9: with no memory space enabled, registers are reached through the window.
TEST(Device, RegistersAreReachedThroughConfigurationSpace) {
  auto created = Simulation::create(checked());
  ASSERT_TRUE(created) << created.error();
  Simulation& simulation = **created;
  auto& port = simulation.port();
  unsigned cap = port.config_read(0x34, 1);
  while (cap != 0 &&
         !(port.config_read(cap, 1) == 0x09 && port.config_read(cap + 3, 1) == regs::kPciCapPci)) {
    cap = port.config_read(cap + 1, 1);
  }
  ASSERT_NE(cap, 0U);
  const unsigned data = cap + 16;
  const auto select = [&](std::uint32_t offset, unsigned size) {
    port.config_write(cap + 4, 1, 0);
    port.config_write(cap + 12, 4, size);
    port.config_write(cap + 8, 4, offset);
  };
  const auto read = [&](std::uint32_t offset, unsigned size) {
    select(offset, size);
    std::optional<std::uint32_t> value;
    port.config_read_through(data, size, [&](std::uint32_t answer) { value = answer; });
    simulation.run_until(simulation.timeline().now() + std::chrono::milliseconds(1),
                         [&] { return value.has_value(); });
    EXPECT_TRUE(value);
    EXPECT_EQ(port.config_read(data, size), value);
    return value.value_or(0);
  };
  const auto write = [&](std::uint32_t offset, unsigned size, std::uint32_t value) {
    select(offset, size);
    port.config_write(data, size, value);
  };
  EXPECT_EQ(read(regs::kBarVendor + regs::kVendorMagic, 4), regs::kMagicValue);
  EXPECT_EQ(read(regs::kBarVendor + regs::kVendorMagic + 1, 1), (regs::kMagicValue >> 8) & 0xFF);
  write(regs::kBarCommon + regs::kCommonQueueSelect, 2, 1);
  write(regs::kBarCommon + regs::kCommonDeviceStatus, 1, regs::kStatusAcknowledge);
  EXPECT_EQ(read(regs::kBarCommon + regs::kCommonDeviceStatus, 1), regs::kStatusAcknowledge);
  EXPECT_EQ(read(regs::kBarCommon + regs::kCommonQueueSelect, 2), 1U);
  // What is not the window answers at once.
  std::optional<std::uint32_t> id;
  port.config_read_through(0, 4, [&](std::uint32_t answer) { id = answer; });
  EXPECT_EQ(id, 0x10411AF4U);
}

}  // namespace
}  // namespace nicroscope::test
