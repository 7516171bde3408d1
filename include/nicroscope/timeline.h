// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

#include "nicroscope/time.h"

namespace nicroscope {

/// Names a scheduled event; 0 names none.
enum class EventHandle : std::uint64_t { none = 0 };

/// The source of time for everything that is not RTL. Events of the same time run in the order in
/// which they were scheduled, so a run is decided by its inputs alone.
class Timeline {
 public:
  using Callback = std::function<void()>;

  virtual ~Timeline() = default;

  [[nodiscard]] virtual Time now() const noexcept = 0;

  /// Runs `callback` at `when`; a time that has passed means now, after the events already due.
  virtual EventHandle at(Time when, Callback callback) = 0;

  /// Forgets an event. One that ran or was cancelled before is ignored.
  virtual void cancel(EventHandle handle) = 0;

  EventHandle after(Duration delay, Callback callback) {
    return at(now() + delay, std::move(callback));
  }
};

}  // namespace nicroscope
