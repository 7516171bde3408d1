// SPDX-License-Identifier: Apache-2.0
#include "sim/linux/switch.h"

#include <gtest/gtest.h>

#include <array>

namespace nicroscope::uml {
namespace {

using std::chrono::microseconds;

// A card's end of a wire, by hand.
struct Card {
  sim::WirePort wire;

  void send(unsigned to, unsigned from, Time last, unsigned number = 0) {
    std::vector<std::byte> bytes(60, std::byte{0});
    bytes[0] = to == 0xff ? std::byte{0xff} : std::byte{0x52};
    bytes[5] = static_cast<std::byte>(to);
    bytes[6] = std::byte{0x52};
    bytes[11] = static_cast<std::byte>(from);
    bytes[20] = static_cast<std::byte>(number);
    wire.passed_from_nic(1, bytes, last - microseconds{1}, last, true);
  }
  /// (number, time) of what has come, in order.
  std::vector<std::pair<int, Time>> receive() {
    std::vector<std::pair<int, Time>> frames;
    while (const sim::WireFrame* frame = wire.next()) {
      frames.emplace_back(std::to_integer<int>(frame->bytes[20]), frame->earliest);
      wire.passed_to_nic(wire.begin(Time{0}), *frame, Time{0}, Time{0});
    }
    return frames;
  }
};

class SwitchTest : public ::testing::Test {
 protected:
  void make(const SwitchOptions& options) {
    switch_ = std::make_unique<Switch>(options);
    for (Card& card : cards_) switch_->join(card.wire);
  }
  std::vector<std::pair<int, Time>> arrived(std::size_t port, Time limit = kNever) {
    switch_->release(port, limit);
    return cards_[port].receive();
  }
  using Frames = std::vector<std::pair<int, Time>>;

  std::array<Card, 3> cards_;
  std::unique_ptr<Switch> switch_;
};

TEST_F(SwitchTest, FloodsWhatItDoesNotKnowAndLearns) {
  make({.delay = microseconds{2}});
  cards_[0].send(2, 1, microseconds{10}, 1);
  switch_->forward();
  EXPECT_EQ(switch_->next_arrival(1), microseconds{12});
  EXPECT_EQ(arrived(0), Frames{});
  EXPECT_EQ(arrived(1), (Frames{{1, microseconds{12}}}));
  EXPECT_EQ(arrived(2), (Frames{{1, microseconds{12}}}));
  cards_[1].send(1, 2, microseconds{20}, 2);
  switch_->forward();
  EXPECT_EQ(arrived(0), (Frames{{2, microseconds{22}}}));
  EXPECT_EQ(arrived(2), Frames{});
  cards_[0].send(0xff, 1, microseconds{30}, 3);
  switch_->forward();
  EXPECT_EQ(arrived(1), (Frames{{3, microseconds{32}}}));
  EXPECT_EQ(arrived(2), (Frames{{3, microseconds{32}}}));
}

TEST_F(SwitchTest, TheOrderIsThatOfTheTimesAndNotOfTheSimulation) {
  make({.delay = microseconds{2}});
  cards_[1].send(0xff, 2, microseconds{11}, 1);
  cards_[0].send(0xff, 1, microseconds{10}, 2);
  switch_->forward();
  EXPECT_EQ(arrived(2), (Frames{{2, microseconds{12}}, {1, microseconds{13}}}));
}

TEST_F(SwitchTest, ReleasesOnlyWhatArrivesBeforeTheLimit) {
  make({.delay = microseconds{2}});
  cards_[0].send(0xff, 1, microseconds{10}, 1);
  cards_[0].send(0xff, 1, microseconds{11}, 2);
  switch_->forward();
  EXPECT_EQ(arrived(1, microseconds{13}), (Frames{{1, microseconds{12}}}));
  EXPECT_EQ(switch_->next_arrival(1), microseconds{13});
}

TEST_F(SwitchTest, NothingIsPluggedInBeforeItsTime) {
  make({.delay = microseconds{2}, .connected_from = microseconds{100}});
  cards_[0].send(0xff, 1, microseconds{99}, 1);
  cards_[0].send(0xff, 1, microseconds{100}, 2);
  switch_->forward();
  EXPECT_EQ(arrived(1), (Frames{{2, microseconds{102}}}));
}

TEST_F(SwitchTest, LosesReordersAndDuplicatesTheSharesAskedFor) {
  make({.delay = microseconds{2},
        .loss = 0.1,
        .reorder = 0.2,
        .reorder_by = microseconds{500},
        .duplicate = 0.05,
        .seed = 3});
  constexpr unsigned kFrames = 10'000;
  for (unsigned i = 0; i < kFrames; ++i) cards_[0].send(0xff, 1, microseconds{10 * i + 10});
  switch_->forward();
  const SwitchCounters& counters = switch_->counters();
  EXPECT_EQ(counters.frames, kFrames);
  EXPECT_NEAR(static_cast<double>(counters.lost), 1000, 150);
  EXPECT_NEAR(static_cast<double>(counters.reordered), 1800, 200);
  EXPECT_NEAR(static_cast<double>(counters.duplicated), 450, 100);
  const Frames frames = arrived(1);
  EXPECT_EQ(frames.size(), kFrames - counters.lost + counters.duplicated);
  for (std::size_t i = 1; i < frames.size(); ++i) EXPECT_LE(frames[i - 1].second, frames[i].second);
}

}  // namespace
}  // namespace nicroscope::uml
