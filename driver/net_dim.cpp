// SPDX-License-Identifier: Apache-2.0
#include "driver/net_dim.h"

#include <algorithm>

namespace nicroscope::driver {

namespace {

/// More than a tenth apart.
bool significant(std::uint64_t now, std::uint64_t before) {
  if (before == 0) return now != 0;
  const std::uint64_t difference = now > before ? now - before : before - now;
  return 100 * difference / before > 10;
}

constexpr std::array<Moderation, NetDim::kProfiles> kReceive{
    {{1, 256}, {8, 256}, {64, 256}, {128, 256}, {256, 256}}};
constexpr std::array<Moderation, NetDim::kProfiles> kTransmit{
    {{1, 128}, {8, 128}, {32, 128}, {64, 128}, {128, 128}}};

constexpr unsigned kTired = NetDim::kProfiles * 2;

}  // namespace

const std::array<Moderation, NetDim::kProfiles>& NetDim::profiles(bool tx) noexcept {
  return tx ? kTransmit : kReceive;
}

bool NetDim::sample(const DimSample& now) noexcept {
  if (applying_) return false;
  if (!measuring_) {
    start_ = now;
    measuring_ = true;
    return false;
  }
  if (now.events - start_.events < kEvents) return false;
  const auto elapsed =
      std::chrono::duration_cast<std::chrono::microseconds>(now.time - start_.time);
  const auto us = static_cast<std::uint64_t>(elapsed.count());
  if (us == 0) return false;
  const auto per_ms = [us](std::uint64_t count) { return (1'000 * count + us - 1) / us; };
  const Rates rates{per_ms(now.bytes - start_.bytes), per_ms(now.packets - start_.packets),
                    per_ms(now.events - start_.events)};
  const bool changed = decide(rates);
  // The next interval begins with the next sample, under the new profile.
  applying_ = changed;
  measuring_ = !changed;
  start_ = now;
  return changed;
}

NetDim::Compared NetDim::compare(const Rates& now, const Rates& before) noexcept {
  if (before.bytes == 0) return now.bytes != 0 ? Compared::better : Compared::same;
  if (significant(now.bytes, before.bytes)) {
    return now.bytes > before.bytes ? Compared::better : Compared::worse;
  }
  if (before.packets == 0) return now.packets != 0 ? Compared::better : Compared::same;
  if (significant(now.packets, before.packets)) {
    return now.packets > before.packets ? Compared::better : Compared::worse;
  }
  if (before.events == 0) return Compared::same;
  if (significant(now.events, before.events)) {
    return now.events < before.events ? Compared::better : Compared::worse;
  }
  return Compared::same;
}

bool NetDim::decide(const Rates& now) noexcept {
  const State state_before = state_;
  const unsigned profile_before = profile_;
  const Compared result = compare(now, before_);
  switch (state_) {
    case State::parking_on_top:
      if (result != Compared::same) leave_parking();
      break;
    case State::parking_tired:
      --tired_;
      if (tired_ == 0) leave_parking();
      break;
    case State::going_right:
    case State::going_left:
      if (result != Compared::better) turn();
      if (on_top()) {
        park_on_top();
        break;
      }
      switch (step()) {
        case Step::done:
          break;
        case Step::edge:
          park_on_top();
          break;
        case Step::tired:
          park_tired();
          break;
      }
      break;
  }
  // Parked, the reference stays what it was when it was good.
  if (state_before != State::parking_on_top || state_ != State::parking_on_top) before_ = now;
  return profile_ != profile_before;
}

// Turned twice around the same place: one step each way, and neither was better.
bool NetDim::on_top() const noexcept {
  if (state_ == State::going_right) return steps_left_ > 1 && steps_right_ == 1;
  return steps_right_ > 1 && steps_left_ == 1;
}

NetDim::Step NetDim::step() noexcept {
  if (tired_ == kTired) return Step::tired;
  if (state_ == State::going_right) {
    if (profile_ == kProfiles - 1) return Step::edge;
    ++profile_;
    ++steps_right_;
  } else {
    if (profile_ == 0) return Step::edge;
    --profile_;
    ++steps_left_;
  }
  ++tired_;
  return Step::done;
}

void NetDim::turn() noexcept {
  if (state_ == State::going_right) {
    state_ = State::going_left;
    steps_left_ = 0;
  } else {
    state_ = State::going_right;
    steps_right_ = 0;
  }
}

void NetDim::park_on_top() noexcept {
  steps_right_ = steps_left_ = tired_ = 0;
  state_ = State::parking_on_top;
}

void NetDim::park_tired() noexcept {
  steps_right_ = steps_left_ = 0;
  state_ = State::parking_tired;
}

void NetDim::leave_parking() noexcept {
  steps_right_ = steps_left_ = 0;
  state_ = profile_ != 0 ? State::going_left : State::going_right;
  (void)step();
}

}  // namespace nicroscope::driver
