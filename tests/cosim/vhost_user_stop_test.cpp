// SPDX-License-Identifier: Apache-2.0
// Virtqueues that a vhost-user client stops and starts while they are in use.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/bench/bring_up.h"
#include "tests/cosim/vhost_user_rig.h"

namespace nicroscope::test {
namespace {

class VhostUserStop : public VhostUser {
 protected:
  static constexpr unsigned kSlots = 16;
  static constexpr std::size_t kBufferBytes = 2048;

  void start(VhostClient& client, std::uint64_t features, unsigned queues) {
    ASSERT_TRUE(client.negotiate(features)) << backend_->reason();
    for (unsigned queue = 0; queue < queues; ++queue) {
      ASSERT_TRUE(client.start_ring(queue, kSlots)) << backend_->reason();
    }
  }
  void resume(VhostClient& client, unsigned queue, std::optional<std::uint32_t> base) {
    ASSERT_TRUE(base);
    ASSERT_TRUE(client.resume_ring(queue, *base)) << backend_->reason();
    EXPECT_EQ(client.calls(queue), 1U);  // for what the client may have missed
  }
  static std::uint32_t base_of(const VhostClient& client, unsigned queue) {
    return client.position(queue) * 0x10001U;
  }

  // Buffer n of all that a receive queue was ever given.
  static std::size_t place(unsigned n) { return kBuffers + n % kSlots * kBufferBytes; }
  void give(VhostClient& client, unsigned count) {
    for (; count != 0; --count) client.add(0, place(given_++), kBufferBytes, true);
    client.kick(0);
    run();
  }
  // A frame in the next buffer of receive queue 0.
  void expect_frame(VhostClient& client, const std::vector<std::byte>& frame) {
    ASSERT_TRUE(client.used(0));
    const auto there = client.memory().subspan(place(taken_++) + kHeader, frame.size());
    EXPECT_TRUE(std::ranges::equal(there, frame));
  }
  void receive(VhostClient& client, unsigned seed) {
    const auto frame = make_frame(100 + seed, seed);
    wire_->push(frame);
    run();
    ASSERT_NO_FATAL_FAILURE(expect_frame(client, frame));
  }
  // Into transmit queue 1, as a chain of `buffers`; not kicked.
  std::vector<std::byte> add_frame(VhostClient& client, unsigned seed, unsigned buffers) {
    const std::uint32_t piece = 128;
    const auto out = make_frame(buffers * piece - kHeader, seed);
    const std::size_t at = kBuffers + 0x20000;
    const auto room = client.memory().subspan(at, kHeader + out.size());
    std::ranges::fill(room.first(kHeader), std::byte{0});
    std::ranges::copy(out, room.begin() + kHeader);
    client.add_chain(1, at, piece, false, buffers);
    return out;
  }
  void transmit(VhostClient& client, unsigned seed, unsigned buffers) {
    sent_.clear();
    const auto out = add_frame(client, seed, buffers);
    client.kick(1);
    run();
    ASSERT_TRUE(client.used(1));
    ASSERT_EQ(sent_.size(), 1U);
    EXPECT_EQ(sent_[0], out);
  }
  std::uint64_t dropped() { return sim::read_counter(*simulation_, regs::kCounterRxDropFilter); }

  unsigned given_ = 0;
  unsigned taken_ = 0;
};

TEST_F(VhostUserStop, RingsGoOnWhereTheyWere) {
  make("edge10");
  VhostClient client(*backend_);
  ASSERT_NO_FATAL_FAILURE(start(client, kFeatures, 2));
  give(client, 10);
  for (unsigned round = 0; round < 40; ++round) {  // over several laps of both rings
    SCOPED_TRACE(round);
    for (unsigned i = 0; i < 1 + round % 4; ++i) {
      ASSERT_NO_FATAL_FAILURE(receive(client, round + i));
      ASSERT_NO_FATAL_FAILURE(transmit(client, round + i, 1 + (round + i) % 5));
    }
    const std::uint64_t drops = dropped();
    const auto in_base = client.stop_ring(0);
    const auto out_base = client.stop_ring(1);
    EXPECT_EQ(in_base, base_of(client, 0));
    EXPECT_EQ(out_base, base_of(client, 1));
    EXPECT_EQ(backend_->running_rings(), 0U);

    // Nothing is touched, although there are buffers, frames to send and frames to receive.
    sent_.clear();
    const auto out = add_frame(client, round, 2);
    const std::vector<std::byte> before(client.memory().begin(), client.memory().end());
    for (unsigned i = 0; i < 3; ++i) wire_->push(make_frame(300, i));
    run();
    EXPECT_TRUE(std::ranges::equal(client.memory(), before));
    EXPECT_TRUE(sent_.empty());
    EXPECT_EQ(dropped(), drops + 3);

    ASSERT_NO_FATAL_FAILURE(resume(client, 0, in_base));
    ASSERT_NO_FATAL_FAILURE(resume(client, 1, out_base));
    run();
    ASSERT_EQ(sent_.size(), 1U);
    EXPECT_EQ(sent_[0], out);
    ASSERT_TRUE(client.used(1));
    ASSERT_NO_FATAL_FAILURE(receive(client, round));
    give(client, 2 + round % 4);
  }
}

TEST_F(VhostUserStop, FramesOnTheirWayArriveBeforeTheAnswer) {
  make("edge10");
  VhostClient client(*backend_);
  ASSERT_NO_FATAL_FAILURE(start(client, kFeatures, 2));
  give(client, 16);
  for (unsigned round = 0; round < 8; ++round) {
    SCOPED_TRACE(round);
    std::vector<std::vector<std::byte>> in;
    for (unsigned i = 0; i < 4; ++i) wire_->push(in.emplace_back(make_frame(700 + round, i)));
    const std::uint64_t drops = dropped();
    // Somewhere in the middle of them.
    ASSERT_TRUE(
        simulation_
            ->run_until(simulation_->timeline().now() + std::chrono::nanoseconds{300 + 350 * round})
            .ok());
    const auto base = client.stop_ring(0);
    const std::vector<std::byte> before(client.memory().begin(), client.memory().end());
    run();
    EXPECT_TRUE(std::ranges::equal(client.memory(), before));
    const auto lost = static_cast<unsigned>(dropped() - drops);
    ASSERT_LE(lost, 4U);
    in.resize(4 - lost);
    for (const auto& frame : in) ASSERT_NO_FATAL_FAILURE(expect_frame(client, frame));
    EXPECT_EQ(base, base_of(client, 0));
    ASSERT_NO_FATAL_FAILURE(resume(client, 0, base));
    give(client, 4 - lost);
  }
}

TEST_F(VhostUserStop, FramesThatWereKickedAreSentBeforeTheAnswer) {
  make("edge10");
  VhostClient client(*backend_);
  ASSERT_NO_FATAL_FAILURE(start(client, kFeatures, 2));
  for (unsigned round = 0; round < 8; ++round) {
    SCOPED_TRACE(round);
    sent_.clear();
    std::vector<std::byte> out;
    for (unsigned i = 0; i < 4; ++i) out = add_frame(client, round, 1 + round % 4);
    client.kick(1);
    const auto base = client.stop_ring(1);
    EXPECT_EQ(sent_, std::vector<std::vector<std::byte>>(4, out));
    const std::vector<std::byte> before(client.memory().begin(), client.memory().end());
    run();
    EXPECT_TRUE(std::ranges::equal(client.memory(), before));
    for (unsigned i = 0; i < 4; ++i) ASSERT_TRUE(client.used(1));
    EXPECT_EQ(base, base_of(client, 1));
    ASSERT_NO_FATAL_FAILURE(resume(client, 1, base));
  }
}

// Two laps of the ring, the last chain of which is longer than one descriptor: slots have any
// flags.
TEST_F(VhostUserStop, ARingGoesOnAtItsBeginning) {
  make("edge10");
  VhostClient client(*backend_);
  ASSERT_NO_FATAL_FAILURE(start(client, kFeatures, 2));
  for (unsigned lap = 0; lap < 4; ++lap) {
    for (unsigned i = 0; i < 4; ++i) ASSERT_NO_FATAL_FAILURE(transmit(client, i, 4));
  }
  give(client, 16);
  for (unsigned i = 0; i < 16; ++i) ASSERT_NO_FATAL_FAILURE(receive(client, i));
  give(client, 16);
  for (unsigned i = 0; i < 16; ++i) ASSERT_NO_FATAL_FAILURE(receive(client, i));
  give(client, 5);  // fetched
  for (const unsigned queue : {0U, 1U}) {
    const auto base = client.stop_ring(queue);
    EXPECT_EQ(base, 0x8000'8000U);
    ASSERT_NO_FATAL_FAILURE(resume(client, queue, base));
  }
  for (unsigned i = 0; i < 5; ++i) ASSERT_NO_FATAL_FAILURE(receive(client, i));
  ASSERT_NO_FATAL_FAILURE(transmit(client, 1, 3));
}

TEST_F(VhostUserStop, ANewRingTakesThePlaceOfAStoppedOne) {
  make("edge10");
  VhostClient client(*backend_);
  ASSERT_NO_FATAL_FAILURE(start(client, kFeatures, 2));
  for (unsigned round = 0; round < 3; ++round) {
    give(client, 7);
    ASSERT_NO_FATAL_FAILURE(receive(client, round));
    ASSERT_NO_FATAL_FAILURE(transmit(client, round, 2));
    ASSERT_TRUE(client.stop_ring(0));
    ASSERT_TRUE(client.stop_ring(1));
    ASSERT_TRUE(client.set(sim::vhost_user::Request::set_features,
                           round % 2 == 0 ? kFeatures : kFeatures & ~bit(regs::kFeatureMrgRxbuf)));
    taken_ = given_ = 0;
    ASSERT_TRUE(client.start_ring(0, kSlots)) << backend_->reason();
    ASSERT_TRUE(client.start_ring(1, kSlots)) << backend_->reason();
  }
}

TEST_F(VhostUserStop, OneOfSeveralRingsWhileTheOthersGoOn) {
  make("dc25");
  VhostClient client(*backend_);
  ASSERT_NO_FATAL_FAILURE(start(client, kFeatures | bit(regs::kFeatureMq), 8));
  for (unsigned round = 0; round < 3; ++round) {
    for (unsigned pair = 0; pair < 4; ++pair) {
      ASSERT_NO_FATAL_FAILURE(transmit(client, pair, 2));
      std::array<std::optional<std::uint32_t>, 2> bases;
      for (unsigned i = 0; i < 2; ++i) bases[i] = client.stop_ring(2 * pair + i);
      EXPECT_EQ(backend_->running_rings(), 6U);
      if (pair != 0) {
        ASSERT_NO_FATAL_FAILURE(transmit(client, pair, 3));
      }
      for (unsigned i = 0; i < 2; ++i) {
        EXPECT_EQ(bases[i], base_of(client, 2 * pair + i));
        ASSERT_NO_FATAL_FAILURE(resume(client, 2 * pair + i, bases[i]));
      }
    }
  }
}

TEST_F(VhostUserStop, ADisabledFirstPairGetsNoFrames) {
  make("dc25");
  VhostClient client(*backend_);
  ASSERT_NO_FATAL_FAILURE(start(client, kFeatures | bit(regs::kFeatureMq), 8));
  give(client, 8);
  ASSERT_NO_FATAL_FAILURE(receive(client, 1));
  for (unsigned queue = 0; queue < 8; ++queue) ASSERT_TRUE(client.enable_ring(queue, false));
  auto multicast = make_frame(100, 2);
  multicast[0] = std::byte{1};
  auto broadcast = multicast;
  std::fill_n(broadcast.begin(), 6, std::byte{0xff});
  for (const auto& frame : {make_frame(100, 2), multicast, broadcast}) wire_->push(frame);
  run();
  EXPECT_FALSE(client.used(0));
  EXPECT_EQ(dropped(), 3U);
  EXPECT_EQ(backend_->running_rings(), 8U);
  for (unsigned queue = 0; queue < 2; ++queue) ASSERT_TRUE(client.enable_ring(queue, true));
  for (const auto& frame : {make_frame(100, 2), multicast, broadcast}) {
    wire_->push(frame);
    run();
    ASSERT_NO_FATAL_FAILURE(expect_frame(client, frame));
  }
}

}  // namespace
}  // namespace nicroscope::test
