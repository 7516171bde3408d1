// SPDX-License-Identifier: Apache-2.0
#include "stack/core/dql.h"

#include <algorithm>

namespace nicroscope::net {

namespace {

/// a - b of counts that wrap, not below 0.
constexpr std::uint32_t positive_difference(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::int32_t>(a - b) > 0 ? a - b : 0;
}
constexpr bool after_or_same(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::int32_t>(a - b) >= 0;
}

}  // namespace

void dql::completed(std::uint32_t count, Time now) noexcept {
  const std::uint32_t queued_now = num_queued;
  const std::uint32_t completed_now = num_completed + count;
  std::uint32_t new_limit = limit;
  const std::uint32_t over = positive_difference(queued_now - num_completed, new_limit);
  const std::uint32_t inprogress = queued_now - completed_now;
  const std::uint32_t prev_inprogress = prev_num_queued - num_completed;
  const bool all_prev_completed = after_or_same(completed_now, prev_num_queued);

  if ((over != 0 && inprogress == 0) || (prev_ovlimit != 0 && all_prev_completed)) {
    // Starved: over the limit, and yet the device ran out before this completion or the last.
    new_limit += positive_difference(completed_now, prev_num_queued) + prev_ovlimit;
    slack_start_time = now;
    lowest_slack = ~std::uint32_t{0};
  } else if (inprogress != 0 && prev_inprogress != 0 && !all_prev_completed) {
    // Busy all the time: what was outstanding beyond need is slack. Twice what this interval
    // completed would have done, and the last packet may have stuck out over the limit.
    const std::uint32_t spare = positive_difference(new_limit + prev_ovlimit, 2 * count);
    const std::uint32_t last_over =
        prev_ovlimit != 0 ? positive_difference(prev_last_obj_cnt, prev_ovlimit) : 0;
    lowest_slack = std::min(lowest_slack, std::max(spare, last_over));
    if (now > slack_start_time + slack_hold_time) {
      new_limit = positive_difference(new_limit, lowest_slack);
      slack_start_time = now;
      lowest_slack = ~std::uint32_t{0};
    }
  }

  new_limit = std::clamp(new_limit, min_limit, max_limit);
  std::uint32_t over_now = over;
  if (new_limit != limit) {
    limit = new_limit;
    over_now = 0;
  }
  adj_limit = limit + completed_now;
  prev_ovlimit = over_now;
  prev_last_obj_cnt = last_obj_cnt;
  num_completed = completed_now;
  prev_num_queued = queued_now;
}

void dql::reset(Time now) noexcept {
  limit = std::clamp(std::uint32_t{0}, min_limit, max_limit);
  num_queued = num_completed = 0;
  adj_limit = limit;
  last_obj_cnt = prev_num_queued = prev_ovlimit = prev_last_obj_cnt = 0;
  lowest_slack = ~std::uint32_t{0};
  slack_start_time = now;
}

}  // namespace nicroscope::net
