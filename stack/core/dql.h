// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "nicroscope/time.h"

namespace nicroscope::net {

/// Dynamic queue limits: finds the least number of bytes that, outstanding at a device, keeps it
/// from running dry between two completions. By the algorithm of Linux's lib/dynamic_queue_limits.c
/// (Herbert, "dql: Dynamic queue limits", 2011):
///
///   starved      the queue was over its limit and everything of the interval was completed: the
///                limit rises by what was sent beyond the last completion
///   slack        more was outstanding than was completed in an interval: the least slack of
///                slack_hold_time is taken off
struct dql {
  // ---- settings (Linux: /sys/class/net/.../byte_queue_limits)
  bool enabled = false;
  std::uint32_t max_limit = kMaxLimit;
  std::uint32_t min_limit = 0;
  Duration slack_hold_time = std::chrono::seconds{1};

  // ---- state
  std::uint32_t limit = 0;
  std::uint32_t num_queued = 0;  ///< bytes ever, modulo 2^32, as the two below
  std::uint32_t num_completed = 0;
  std::uint32_t adj_limit = 0;     ///< limit + num_completed
  std::uint32_t last_obj_cnt = 0;  ///< bytes of the last call of queued()
  std::uint32_t prev_num_queued = 0;
  std::uint32_t prev_ovlimit = 0;
  std::uint32_t prev_last_obj_cnt = 0;
  std::uint32_t lowest_slack = ~std::uint32_t{0};
  Time slack_start_time{};

  static constexpr std::uint32_t kMaxLimit = (~std::uint32_t{0} / 2) - (~std::uint32_t{0} / 16);

  void queued(std::uint32_t count) noexcept {
    last_obj_cnt = count;
    num_queued += count;
  }
  /// Room below the limit; negative when over it.
  [[nodiscard]] std::int32_t avail() const noexcept {
    return static_cast<std::int32_t>(adj_limit - num_queued);
  }
  [[nodiscard]] std::uint32_t inflight() const noexcept { return num_queued - num_completed; }
  /// `count` of what was queued is done, at `now`.
  void completed(std::uint32_t count, Time now) noexcept;
  /// Nothing is outstanding any more; the limit starts again.
  void reset(Time now) noexcept;
};

}  // namespace nicroscope::net
