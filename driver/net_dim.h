// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

#include "driver/settings.h"
#include "nicroscope/time.h"

namespace nicroscope::driver {

/// Counts at one moment.
struct DimSample {
  Time time{};
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  std::uint64_t events = 0;  ///< interrupts
};

/// Dynamic interrupt moderation of one queue, by the algorithm of Linux's lib/dim/net_dim.c: every
/// 64 interrupts the last interval is compared with the one before it (bytes, then packets, then
/// interrupts, in a millisecond), and the profile goes one step on in the direction that helped, or
/// back where it did harm.
///
///     PARKING_ON_TOP   at first
///          |  the traffic changes
///          v
///     GOING_RIGHT --no better--> GOING_LEFT --no better--> ...   a step further, or the other way
///          |  two turns at a corner, or no better than the neighbours
///          v
///     PARKING_ON_TOP   until the traffic changes
///     PARKING_TIRED    after too many steps, until it changes
class NetDim {
 public:
  enum class State : std::uint8_t { parking_on_top, parking_tired, going_right, going_left };
  /// Interrupts between two decisions.
  static constexpr std::uint64_t kEvents = 64;
  static constexpr unsigned kProfiles = 5;
  static constexpr unsigned kDefaultProfile = 1;

  /// Of receive queues, or transmit queues, that start their interval with the first frame (Linux:
  /// DIM_CQ_PERIOD_MODE_START_FROM_EQE).
  [[nodiscard]] static const std::array<Moderation, kProfiles>& profiles(bool tx) noexcept;

  explicit NetDim(bool tx) noexcept : profiles_(&profiles(tx)) {}
  /// From the beginning.
  void reset() noexcept { *this = NetDim(profiles_ == &profiles(true)); }

  /// Looks at the counts. True if another profile is to be set now: moderation() is it. Nothing is
  /// looked at then until applied().
  [[nodiscard]] bool sample(const DimSample& now) noexcept;
  void applied() noexcept { applying_ = false; }
  [[nodiscard]] const Moderation& moderation() const noexcept { return (*profiles_)[profile_]; }
  [[nodiscard]] unsigned profile() const noexcept { return profile_; }
  [[nodiscard]] State state() const noexcept { return state_; }

 private:
  /// Per millisecond, in whole numbers.
  struct Rates {
    std::uint64_t bytes = 0;
    std::uint64_t packets = 0;
    std::uint64_t events = 0;
  };
  enum class Compared : std::uint8_t { same, better, worse };
  enum class Step : std::uint8_t { done, edge, tired };

  [[nodiscard]] static Compared compare(const Rates& now, const Rates& before) noexcept;
  [[nodiscard]] bool decide(const Rates& now) noexcept;
  [[nodiscard]] bool on_top() const noexcept;
  [[nodiscard]] Step step() noexcept;
  void turn() noexcept;
  void park_on_top() noexcept;
  void park_tired() noexcept;
  void leave_parking() noexcept;

  const std::array<Moderation, kProfiles>* profiles_;
  State state_ = State::parking_on_top;
  unsigned profile_ = kDefaultProfile;
  unsigned tired_ = 0;
  unsigned steps_right_ = 0;
  unsigned steps_left_ = 0;
  bool measuring_ = false;
  bool applying_ = false;
  DimSample start_;
  Rates before_;
};

}  // namespace nicroscope::driver
