// SPDX-License-Identifier: Apache-2.0
// The Verilated NIC between memory and wire, driven through registers and rings.
#include <gtest/gtest.h>

#include <cstdlib>
#include <vector>

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
  if (std::getenv("NICROSCOPE_TEST_FAST") != nullptr) options.variant = Variant::fast;
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
  const RunResult result =
      simulation.run_until(begin + std::chrono::milliseconds{20}, [] { return false; });
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

}  // namespace
}  // namespace nicroscope::test
