// SPDX-License-Identifier: Apache-2.0
// The interface goes down, up and through resets, at any time, while frames stream both ways at
// line rate: nothing hangs, nothing leaks, and every frame is accounted for.
#include <gtest/gtest.h>

#include "tests/cosim/machine_rig.h"

namespace nicroscope::test {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr unsigned kRounds = 40;
constexpr std::uint64_t kSeeds = 2;
constexpr std::uint64_t kEndless = ~std::uint64_t{0};

void run_rounds(const sim::Scenario& scenario) {
  const std::size_t objects = MachineRig::objects_when_down(scenario);
  MachineRig rig(scenario);
  ASSERT_EQ(rig.machine().boot(), "");
  rig.receive(kEndless, Duration{0});
  rig.send(kEndless, microseconds{1});
  sim::Random random(scenario.seed);
  net::net_device& dev = rig.machine().netdev();
  kernel::Kernel& host = rig.machine().host();
  for (unsigned round = 0; round < kRounds; ++round) {
    SCOPED_TRACE(round);
    const auto pause = microseconds{static_cast<std::int64_t>(random.below(200))};
    const auto down = microseconds{static_cast<std::int64_t>(random.below(60))};
    ASSERT_EQ(rig.in_process("rounds",
                             [&] {
                               host.usleep(pause);
                               if (random.below(2) == 0) {
                                 EXPECT_TRUE(rig.machine().driver().reset());
                               } else {
                                 net::dev_close(dev);
                                 host.usleep(down);
                                 EXPECT_TRUE(net::dev_open(dev));
                               }
                             }),
              "");
  }
  rig.stop();
  ASSERT_EQ(rig.run_for(milliseconds{3}), "");
  EXPECT_GT(rig.delivered(), kRounds);
  EXPECT_GT(rig.on_wire(), kRounds);
  rig.expect_conservation();

  const std::uint64_t delivered = rig.delivered();
  const std::uint64_t on_wire = rig.on_wire();
  rig.receive(100, microseconds{4});
  rig.send(100, microseconds{4});
  EXPECT_EQ(rig.run_for(milliseconds{3}), "");
  EXPECT_EQ(rig.delivered(), delivered + 100);
  EXPECT_EQ(rig.on_wire(), on_wire + 100);
  rig.expect_conservation();
  rig.expect_nothing_held(objects);
}

TEST(ResetUnderTraffic, AtRandomTimes) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    sim::Scenario scenario;
    scenario.seed = seed;
    run_rounds(scenario);
  }
}

TEST(ResetUnderTraffic, WithSmallBuffersAndTheAdversary) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    sim::Scenario scenario;
    scenario.seed = seed;
    scenario.host.rx_ring = 48;
    scenario.host.tx_ring = 33;
    scenario.host.rx_buffer_bytes = 256;
    scenario.bus.adversary = true;
    run_rounds(scenario);
  }
}

}  // namespace
}  // namespace nicroscope::test
