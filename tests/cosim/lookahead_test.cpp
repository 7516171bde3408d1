// SPDX-License-Identifier: Apache-2.0
// How far ahead the simulation knows that the NIC leaves memory alone: guests in virtual time run
// by themselves for that long.
#include <gtest/gtest.h>

#include "tests/cosim/driver_rig.h"
#include "tests/golden/frame_builder.h"

namespace nicroscope::test {
namespace {

using std::chrono::microseconds;
using std::chrono::nanoseconds;

golden::Bytes udp_frame(unsigned number) {
  golden::Recipe recipe;
  recipe.protocol = golden::kUdp;
  recipe.payload_bytes = 18 + 37 * (number % 30);
  recipe.payload_seed = number;
  return golden::build(recipe);
}

/// Holds each write to what was announced before.
class Announced {
 public:
  explicit Announced(sim::Simulation& simulation) : simulation_(simulation) {
    const BusAddress base = simulation.memory().base();
    simulation.bus().add_write_hook(
        {base, base + simulation.memory().bytes().size(), &Announced::written, this});
  }
  /// Asks, then runs for `step`.
  void run(Duration step) {
    const Time now = simulation_.timeline().now();
    announced_ = simulation_.next_memory_access();
    ASSERT_GE(announced_, now);
    if (announced_ - now >= nanoseconds{200}) ++ahead;
    const auto result = simulation_.run_until(now + step);
    ASSERT_TRUE(result.ok()) << result.message;
  }

  unsigned writes = 0;
  unsigned early = 0;  ///< writes before the time announced
  unsigned close = 0;  ///< within 20 ns of it
  unsigned ahead = 0;  ///< times that it was well ahead

 private:
  static void written(void* self, const sim::VisibleWrite& /*write*/) {
    auto& announced = *static_cast<Announced*>(self);
    const Time now = announced.simulation_.timeline().now();
    ++announced.writes;
    if (now < announced.announced_) ++announced.early;
    if (now < announced.announced_ + nanoseconds{20}) ++announced.close;
  }

  sim::Simulation& simulation_;
  Time announced_{0};
};

TEST(Lookahead, NoWriteComesBeforeItIsAnnounced) {
  NicRig rig("edge10", {}, 1, false);
  Announced announced(rig.simulation());
  for (unsigned i = 0; i < 300; ++i) {
    // Bursts, with the NIC idle between them.
    rig.receive(udp_frame(i), microseconds{40} * (i / 20) + nanoseconds{100} * i);
  }
  for (unsigned i = 0; i < 40'000; ++i) announced.run(nanoseconds{10 + i % 40});
  EXPECT_EQ(rig.seen.size(), 300U);
  EXPECT_GE(announced.writes, 600U);
  EXPECT_EQ(announced.early, 0U);
  EXPECT_GT(announced.close, 100U);     // it is no more careful than it must be
  EXPECT_GT(announced.ahead, 10'000U);  // and there is something to be had from it
}

TEST(Lookahead, AnIdleNicAnnouncesNothing) {
  NicRig rig("edge10", {}, 1);
  rig.run_for(std::chrono::milliseconds{2});
  EXPECT_EQ(rig.simulation().next_event(), kNever);
  EXPECT_EQ(rig.simulation().next_memory_access(), kNever);
  rig.receive(udp_frame(1), microseconds{5});
  rig.run_for(microseconds{1});
  EXPECT_EQ(rig.simulation().next_event() / nanoseconds{10},
            (rig.now() + microseconds{4}) / nanoseconds{10});
}

// The time limit of a coalesced frame is told with the upper bits of the time at which it came:
// where the lower ones begin anew meanwhile it is one that has passed long ago.
TEST(Lookahead, NothingIsEverInThePast) {
  NicRig rig("edge10", {}, 1, false);
  const Duration lap = rig.simulation().clock().period() * (1 << 20);
  const Time next_lap = (rig.now() / lap + 1) * lap;
  golden::Recipe recipe;
  recipe.protocol = golden::kTcp;
  recipe.payload_bytes = 1000;
  rig.receive(golden::build(recipe), next_lap - microseconds{10} - rig.now());
  rig.run_for(next_lap - microseconds{1} - rig.now());
  ASSERT_TRUE(rig.seen.empty());  // it waits for more
  for (unsigned i = 0; i < 100; ++i) {
    EXPECT_GE(rig.simulation().next_event(), rig.now());
    rig.run_for(microseconds{1});
  }
  EXPECT_EQ(rig.seen.size(), 1U);
}

}  // namespace
}  // namespace nicroscope::test
